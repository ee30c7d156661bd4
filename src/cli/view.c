/* SPDX-License-Identifier: Apache-2.0 */
/* view.c - `view ...`, `view-rule ...`, and of delegations `check | asked | paste | lines`. */
#include "base/file.h"
#include "cli/verb.h"

#include <stdio.h>

static const struct cli_option view_list_options[] = {
	{ "name", "TEXT", "a part of the name", false },
	{ "kind", "KIND", "only views of this kind", false },
	CLI_SORT_NAMED,
	CLI_PAGING,
	{ 0 }
};

static const struct cli_option rule_list_options[] = {
	{ "name", "TEXT", "a part of the suffix", false },
	{ "view", "ID", "only rules of this view", false },
	CLI_SORT_NAMED,
	CLI_PAGING,
	{ 0 }
};

int cli_take_text(const struct cli_args *a, json_t *body, const char *option, const char *member, struct err *err)
{
	if (arg_has(a, option) && json_object_set_new(body, member, json_string(arg(a, option))) < 0)
		return err_set(err, ERR_INVALID, "--%s is not UTF-8 text", option);
	return 0;
}

/* ---- views ---- */

static const struct cli_column view_fields[] = { { "Id", "id", 0 },	    { "Number", "num", 0 }, { "Name", "name", 0 },
						 { "Kind", "kind", 0 },    { "Servers", "servers", 0 }, { "URL", "url", 0 },
						 { "Asks authoritative servers", "direct", 0 }, { "Created at", "created_at", 0 }, { 0 } };

#define VIEW_OPTIONS                                                                                                   \
	{ "name", "TEXT", "how the view is called here", false },                                                     \
	{ "kind", "K", "system (/etc/resolv.conf), servers, or doh (DNS over HTTPS)", false },                        \
	{ "address", "ADDR", "a resolver, for servers: 192.0.2.1 or [2001:db8::1]:53", true },                         \
	{ "url", "URL", "for doh: https://HOST/dns-query", false },                                                   \
	{ "direct", "yes|no", "whether the authoritative servers themselves are asked", false },                      \
	{ "connection", "FILE", "for doh: route, own CA, pin, private networks: the API's object as JSON; null for none", false }
static const struct cli_option view_options[] = { VIEW_OPTIONS, { 0 } };

static int take_connection(const struct cli_args *a, json_t *body, struct err *err)
{
	_cleanup_buf_ struct buf text = BUF_MAX(64 * 1024);
	json_t *doc = NULL;

	if (!arg_has(a, "connection"))
		return 0;
	if (file_read(arg(a, "connection"), &text, err) < 0 || json_parse(buf_text(&text), text.n, &doc, err) < 0)
		return err_wrap(err, "could not read --connection");
	json_object_set_new(body, "connection", doc);
	return 0;
}

static int take_view(const struct cli_args *a, json_t *body, struct err *err)
{
	_cleanup_strlist_ struct strlist servers = { 0 };
	const char *direct = arg(a, "direct");

	if (cli_take_text(a, body, "name", "name", err) < 0 || cli_take_text(a, body, "kind", "kind", err) < 0 || cli_take_text(a, body, "url", "url", err) < 0 ||
	    take_connection(a, body, err) < 0)
		return -(int)err->code;
	arg_list(a, "address", &servers);
	if (servers.n)
		json_object_set_new(body, "servers", json_strlist(&servers));
	if (direct && !streq(direct, "yes") && !streq(direct, "no"))
		return err_set(err, ERR_INVALID, "--direct is yes or no");
	if (direct)
		json_object_set_new(body, "direct", json_boolean(streq(direct, "yes")));
	return 0;
}

static int view_create(struct cli *c, const struct cli_args *a, struct err *err)
{
	_cleanup_json_ json_t *body = json_object();
	_cleanup_answer_ struct cli_answer r = { 0 };
	struct cli_call q = { .method = HTTP_POST, .path = "/views", .body = body, .create = true };

	if (arg_no_words(a, err) < 0 || take_view(a, body, err) < 0)
		return -(int)err->code;
	if (!arg_has(a, "name") || !arg_has(a, "kind"))
		return err_set(err, ERR_INVALID, "--name TEXT and --kind K are needed");
	if (cli_request(c, &q, &r, err) < 0)
		return -(int)err->code;
	cli_print_object(c, &r, view_fields);
	return 0;
}

static int view_update(struct cli *c, const struct cli_args *a, struct err *err)
{
	_cleanup_json_ json_t *body = json_object();
	_cleanup_answer_ struct cli_answer r = { 0 };
	const char *id;

	if (arg_word(a, "the view's id", &id, err) < 0 || take_view(a, body, err) < 0 || cli_patch(c, "views", id, body, &r, err) < 0)
		return -(int)err->code;
	cli_print_object(c, &r, view_fields);
	return 0;
}

static int views(struct cli *c, const struct cli_args *a, struct err *err)
{
	static const struct cli_column columns[] = { { "NUM", "num", 0 }, { "NAME", "name", 40 }, { "KIND", "kind", 0 }, { "SERVERS", "servers", 60 },
						     { "URL", "url", 60 }, { "DIRECT", "direct", 0 }, { 0 } };

	return cli_list(c, a, "/views", (const char *const[]){ "name", "kind", "sort", NULL }, columns, err);
}

static int show(struct cli *c, const struct cli_args *a, const char *collection, const struct cli_column *fields, struct err *err)
{
	return cli_show(c, a, "the id", collection, fields, err);
}

static int view_show(struct cli *c, const struct cli_args *a, struct err *err)
{
	return show(c, a, "views", view_fields, err);
}

static int del(struct cli *c, const struct cli_args *a, const char *collection, struct err *err)
{
	return cli_remove(c, a, "the id", collection, err);
}

static int view_delete(struct cli *c, const struct cli_args *a, struct err *err)
{
	return del(c, a, "views", err);
}

const struct cli_verb view_verbs[] = {
	{ "view", "create", "", view_create, view_options, "through whom DNS is looked at" },
	{ "view", "list", "", views, view_list_options, "views of DNS" },
	{ "view", "show", "ID", view_show, NULL, "one view" },
	{ "view", "update", "ID", view_update, view_options, "change a view" },
	{ "view", "delete", "ID", view_delete, NULL, "delete a view that no rule names" },
	{ 0 }
};

/* ---- rules ---- */

static const struct cli_column rule_fields[] = { { "Id", "id", 0 }, { "Number", "num", 0 }, { "Suffix", "suffix", 0 }, { "Vendor", "vendor", 0 },
						 { "View", "view_id", 0 }, { "Wait (s)", "wait_s", 0 }, { "Created at", "created_at", 0 }, { 0 } };
static const struct cli_option rule_options[] = {
	{ "suffix", "NAME", "names that are it or end in it; * for every name", false },
	{ "vendor", "KEY", "only for this vendor (empty: any)", false },
	{ "view", "ID", "the view that is looked through (empty: nobody is asked)", false },
	{ "wait", "SECONDS", "without a view: so long after publishing the authority is told", false },
	{ 0 }
};

static int take_rule(const struct cli_args *a, json_t *body, struct err *err)
{
	int64_t wait;

	if (cli_take_text(a, body, "suffix", "suffix", err) < 0 || cli_take_text(a, body, "vendor", "vendor", err) < 0 ||
	    cli_take_text(a, body, "view", "view_id", err) < 0)
		return -(int)err->code;
	if (!arg_has(a, "wait"))
		return 0;
	if (str_to_i64(arg(a, "wait"), 0, 86400, &wait, err) < 0)
		return err_wrap(err, "--wait is a number of seconds");
	json_object_set_new(body, "wait_s", json_integer(wait));
	return 0;
}

static int rule_create(struct cli *c, const struct cli_args *a, struct err *err)
{
	_cleanup_json_ json_t *body = json_object();
	_cleanup_answer_ struct cli_answer r = { 0 };
	struct cli_call q = { .method = HTTP_POST, .path = "/view-rules", .body = body, .create = true };

	if (arg_no_words(a, err) < 0 || take_rule(a, body, err) < 0)
		return -(int)err->code;
	if (!arg_has(a, "suffix") || (!arg_has(a, "view") && !arg_has(a, "wait")))
		return err_set(err, ERR_INVALID, "--suffix NAME and either --view ID or --wait SECONDS are needed");
	if (cli_request(c, &q, &r, err) < 0)
		return -(int)err->code;
	cli_print_object(c, &r, rule_fields);
	return 0;
}

static int rule_update(struct cli *c, const struct cli_args *a, struct err *err)
{
	_cleanup_json_ json_t *body = json_object();
	_cleanup_answer_ struct cli_answer r = { 0 };
	const char *id;

	if (arg_word(a, "the rule's id", &id, err) < 0 || take_rule(a, body, err) < 0 || cli_patch(c, "view-rules", id, body, &r, err) < 0)
		return -(int)err->code;
	cli_print_object(c, &r, rule_fields);
	return 0;
}

static int rules(struct cli *c, const struct cli_args *a, struct err *err)
{
	static const struct cli_column columns[] = { { "NUM", "num", 0 }, { "SUFFIX", "suffix", 60 }, { "VENDOR", "vendor", 0 }, { "VIEW", "view_id", 0 },
						     { "WAIT", "wait_s", 0 }, { 0 } };

	return cli_list(c, a, "/view-rules", (const char *const[]){ "name", "view_id", "sort", NULL }, columns, err);
}

static int rule_show(struct cli *c, const struct cli_args *a, struct err *err)
{
	return show(c, a, "view-rules", rule_fields, err);
}

static int rule_delete(struct cli *c, const struct cli_args *a, struct err *err)
{
	return del(c, a, "view-rules", err);
}

const struct cli_verb view_rule_verbs[] = {
	{ "view-rule", "create", "", rule_create, rule_options, "which view for which names, or how long to wait without looking" },
	{ "view-rule", "list", "", rules, rule_list_options, "rules of views; the longest suffix decides" },
	{ "view-rule", "show", "ID", rule_show, NULL, "one rule" },
	{ "view-rule", "update", "ID", rule_update, rule_options, "change a rule" },
	{ "view-rule", "delete", "ID", rule_delete, NULL, "delete a rule" },
	{ 0 }
};

/* ---- delegations ---- */

int cli_delegation_check(struct cli *c, const struct cli_args *a, struct err *err)
{
	_cleanup_answer_ struct cli_answer r = { 0 };
	_cleanup_free_ char *path = NULL;
	struct cli_call q = { .method = HTTP_POST };
	const char *id;

	if (arg_word(a, "the delegation's id", &id, err) < 0)
		return -(int)err->code;
	q.path = path = cli_path("delegations", id, "/check");
	if (cli_request(c, &q, &r, err) < 0 || cli_settle(c, "delegations", &r, err) < 0)
		return -(int)err->code;
	return cli_print_facts(c, &r, json_object_get(r.doc, "facts"), err);
}

int cli_delegation_asked(struct cli *c, const struct cli_args *a, struct err *err)
{
	static const struct cli_column columns[] = { { "LAST AT", "last_at", 0 }, { "FROM", "network", 0 }, { "BY", "transport", 0 }, { "TYPE", "type", 0 },
						     { "ANSWER", "answer", 0 },	  { "TIMES", "times", 0 }, { 0 } };
	_cleanup_answer_ struct cli_answer r = { 0 };
	_cleanup_free_ char *path = NULL;
	const char *id;

	if (arg_word(a, "the delegation's id", &id, err) < 0)
		return -(int)err->code;
	path = cli_path("delegations", id, "/asked");
	if (cli_get(c, path, &r, err) < 0)
		return -(int)err->code;
	cli_print_list(c, r.doc, columns);
	return 0;
}

int cli_delegation_paste(struct cli *c, const struct cli_args *a, struct err *err)
{
	static const struct cli_column columns[] = { { "LINE", "line", 0 }, { "TYPED", "typed", 60 }, { "LEADS TO", "target", 60 }, { "RESULT", "result", 0 }, { "WHY", "detail", 120 }, { 0 } };
	_cleanup_buf_ struct buf text = BUF_MAX(128 * 1024);
	_cleanup_json_ json_t *body = NULL;
	_cleanup_answer_ struct cli_answer r = { 0 };
	struct cli_call q = { .method = HTTP_POST, .path = "/delegation-list" };
	const char *file;

	if (arg_word(a, "the file with the names (- is standard input)", &file, err) < 0 ||
	    file_read(streq(file, "-") ? "/dev/stdin" : file, &text, err) < 0)
		return -(int)err->code;
	q.body = body = json_pack("{s:s, s:s*, s:s*}", "text", buf_text(&text), "provider_id", arg(a, "provider"), "zone", arg(a, "zone"));
	if (!body)
		return err_set(err, ERR_INVALID, "'%s' is not UTF-8 text", file);
	if (cli_request(c, &q, &r, err) < 0)
		return -(int)err->code;
	cli_print_list(c, r.doc, columns);
	return 0;
}

int cli_delegation_lines(struct cli *c, const struct cli_args *a, struct err *err)
{
	_cleanup_answer_ struct cli_answer r = { 0 };
	struct cli_call q = { .method = HTTP_GET, .path = arg_has(a, "all") ? "/delegations.zone?which=all" : "/delegations.zone",
			      .max_body = 16 * 1024 * 1024 };

	if (arg_no_words(a, err) < 0 || cli_request(c, &q, &r, err) < 0)
		return -(int)err->code;
	if (fputs(buf_text(&r.http.body), stdout) < 0)
		return err_set_errno(err, ERR_INTERNAL, "could not write to standard output");
	return 0;
}
