/* SPDX-License-Identifier: Apache-2.0 */
/* provider.c - `provider kinds | options | create | list | show | update | test | delete`, `rule ...`, `debt list | retry`. */
#include "base/file.h"
#include "cli/verb.h"

#define SECRET_MAX (16 * 1024)

static const struct cli_column fields[] = {
	{ "Id", "id", 0 },	   { "Number", "num", 0 },	 { "Name", "name", 0 },		{ "Type", "title", 0 },	       { "Status", "status", 0 },
	{ "Tested at", "tested_at", 0 }, { "Zones", "zones", 0 }, { "Used by", "used_by", 0 }, { "Created at", "created_at", 0 }, { 0 }
};

static const struct cli_option paging[] = {
	CLI_PAGING,
	{ 0 }
};

static const struct cli_option provider_list_options[] = {
	{ "name", "TEXT", "a part of the name", false },
	{ "status", "STATUS", "only providers of this status", false },
	CLI_SORT_NAMED,
	CLI_PAGING,
	{ 0 }
};

static const struct cli_option rule_list_options[] = {
	{ "name", "TEXT", "a part of the suffix", false },
	{ "method", "METHOD", "only rules that lead to this method", false },
	CLI_SORT_NAMED,
	CLI_PAGING,
	{ 0 }
};

/* ---- kinds ---- */

/* To copy: as it is, below a line that says where it belongs. */
static void print_grants(json_t *grants)
{
	json_t *g;
	size_t i;

	json_array_foreach(grants, i, g) {
		const char *where = json_string_value(json_object_get(g, "where")), *text = json_string_value(json_object_get(g, "text"));

		if (where && text)
			printf("\nFor %s:\n\n%s", where, text);
	}
}

static int kinds(struct cli *c, const struct cli_args *a, struct err *err)
{
	static const struct cli_column columns[] = { { "KIND", "name", 0 }, { "TITLE", "title", 0 }, { "WHAT", "help", 80 }, { 0 } };
	static const struct cli_column rows[] = { { "FIELD", "name", 0 }, { "INPUT", "input", 0 },   { "NEEDED", "required", 0 },
						  { "DEFAULT", "default", 30 }, { "HELP", "help", 90 }, { 0 } };
	_cleanup_answer_ struct cli_answer r = { 0 };
	json_t *items, *item;
	size_t i;

	if (a->words.n > 1)
		return err_set(err, ERR_INVALID, "one kind at a time");
	if (cli_get(c, "/provider-kinds", &r, err) < 0)
		return -(int)err->code;
	if (!a->words.n || c->json) {
		cli_print_list(c, r.doc, columns);
		return 0;
	}
	items = json_object_get(r.doc, "items");
	json_array_foreach(items, i, item) {
		static const struct cli_column head[] = { { "Kind", "name", 0 }, { "Title", "title", 0 }, { "What", "help", 0 },
							  { "Rights", "rights", 0 }, { "See", "site", 0 }, { 0 } };
		const char *name = json_string_value(json_object_get(item, "name"));

		if (!name || !streq(name, a->words.v[0]))
			continue;
		cli_print_fields(item, head);
		cli_print_rows(json_object_get(item, "fields"), rows, "  ");
		print_grants(json_object_get(item, "grants"));
		return 0;
	}
	return err_set(err, ERR_NOT_FOUND, "there is no kind of provider '%s'", a->words.v[0]);
}

/* ---- providers ---- */

#define SAVE_OPTIONS                                                                                                   \
	{ "name", "TEXT", "how the provider is called here", false },                                                  \
	{ "set", "FIELD=VALUE", "a field that is no secret; an empty value takes it away", true },                     \
	{ "secret-file", "FIELD=FILE", "a secret, from a file (- is standard input)", true },                          \
	{ "connection", "FILE", "route, own CA, pin, private networks: the API's object as JSON; null for none", false }
static const struct cli_option create_options[] = { { "kind", "K", "a kind of `certwright provider kinds`", false }, SAVE_OPTIONS, { 0 } };
static const struct cli_option update_options[] = { SAVE_OPTIONS, { 0 } };

static int split(const char *text, const char *option, char **ret_name, const char **ret_value, struct err *err)
{
	const char *eq = strchr(text, '=');

	if (!eq || eq == text)
		return err_set(err, ERR_INVALID, "--%s is FIELD=...", option);
	*ret_name = xasprintf("%.*s", (int)(eq - text), text);
	*ret_value = eq + 1;
	return 0;
}

static int read_one_secret(const char *path, struct secret *ret, struct err *err)
{
	if (file_read_secret(streq(path, "-") ? "/dev/stdin" : path, SECRET_MAX, ret, err) < 0)
		return err_wrap(err, "could not read the secret");
	while (ret->n && (ret->p[ret->n - 1] == '\n' || ret->p[ret->n - 1] == '\r'))
		ret->p[--ret->n] = '\0';
	return 0;
}

static int take_fields(const struct cli_args *a, json_t *body, struct err *err)
{
	_cleanup_strlist_ struct strlist set = { 0 }, secrets = { 0 };
	_cleanup_json_ json_t *values = json_object();

	arg_list(a, "set", &set);
	arg_list(a, "secret-file", &secrets);
	for (size_t i = 0; i < set.n; i++) {
		_cleanup_free_ char *name = NULL;
		const char *value;

		if (split(set.v[i], "set", &name, &value, err) < 0)
			return -(int)err->code;
		if (json_object_set_new(values, name, *value ? json_string(value) : json_null()) < 0)
			return err_set(err, ERR_INVALID, "'%s' is not UTF-8 text", name);
	}
	for (size_t i = 0; i < secrets.n; i++) {
		_cleanup_secret_ struct secret s = { 0 };
		_cleanup_free_ char *name = NULL;
		const char *path;

		if (split(secrets.v[i], "secret-file", &name, &path, err) < 0 || read_one_secret(path, &s, err) < 0)
			return -(int)err->code;
		if (json_object_set_new(values, name, json_stringn((const char *)s.p, s.n)) < 0)
			return err_set(err, ERR_INVALID, "the secret '%s' is not UTF-8 text", name);
	}
	if (set.n || secrets.n)
		json_object_set(body, "fields", values);
	return 0;
}

static int take(const struct cli_args *a, json_t *body, struct err *err)
{
	if (arg_has(a, "name") && json_object_set_new(body, "name", json_string(arg(a, "name"))) < 0)
		return err_set(err, ERR_INVALID, "--name is not UTF-8 text");
	if (arg_has(a, "connection")) {
		_cleanup_buf_ struct buf text = BUF_MAX(128 * 1024);
		json_t *doc = NULL;

		if (streq(arg(a, "connection"), "null")) {
			json_object_set_new(body, "connection", json_null());
		} else {
			if (file_read(arg(a, "connection"), &text, err) < 0 || json_parse(buf_text(&text), text.n, &doc, err) < 0)
				return err_wrap(err, "could not read the connection");
			json_object_set_new(body, "connection", doc);
		}
	}
	return take_fields(a, body, err);
}

static int create(struct cli *c, const struct cli_args *a, struct err *err)
{
	_cleanup_json_ json_t *body = json_object();
	_cleanup_answer_ struct cli_answer r = { 0 };
	struct cli_call q = { .method = HTTP_POST, .path = "/providers", .body = body, .create = true };

	if (arg_no_words(a, err) < 0)
		return -(int)err->code;
	if (!arg_has(a, "kind") || !arg_has(a, "name"))
		return err_set(err, ERR_INVALID, "--kind K and --name TEXT are needed");
	json_object_set_new(body, "kind", json_string(arg(a, "kind")));
	if (take(a, body, err) < 0)
		return -(int)err->code;
	if (!json_object_get(body, "fields"))
		json_object_set_new(body, "fields", json_object());
	if (cli_request(c, &q, &r, err) < 0)
		return -(int)err->code;
	cli_print_object(c, &r, fields);
	return 0;
}

static int list(struct cli *c, const struct cli_args *a, struct err *err)
{
	static const struct cli_column columns[] = { { "NUM", "num", 0 }, { "ID", "id", 0 }, { "NAME", "name", 40 }, { "TYPE", "title", 0 },
						     { "STATUS", "status", 0 }, { "TESTED AT", "tested_at", 0 }, { 0 } };

	return cli_list(c, a, "/providers", (const char *const[]){ "name", "status", "sort", NULL }, columns, err);
}

/* The object, its fields, and why it is not well. */
static void print(const struct cli *c, const struct cli_answer *r)
{
	json_t *values = json_object_get(r->doc, "fields"), *reason = json_object_get(r->doc, "reason");
	const char *name;
	json_t *value;

	cli_print_object(c, r, fields);
	if (c->json)
		return;
	json_object_foreach(values, name, value) {
		struct cli_column one[] = { { name, name, 0 }, { 0 } };

		if (!json_is_null(value))
			cli_print_fields(values, one);
	}
	if (json_is_object(reason))
		cli_print_reason(reason, "");
}

static int show(struct cli *c, const struct cli_args *a, struct err *err)
{
	_cleanup_answer_ struct cli_answer r = { 0 };

	if (cli_read(c, a, "the provider's id", "providers", &r, err) < 0)
		return -(int)err->code;
	print(c, &r);
	return 0;
}

static int update(struct cli *c, const struct cli_args *a, struct err *err)
{
	_cleanup_json_ json_t *body = json_object();
	_cleanup_answer_ struct cli_answer r = { 0 };
	const char *id;

	if (arg_word(a, "the provider's id", &id, err) < 0 || take(a, body, err) < 0)
		return -(int)err->code;
	if (!json_object_size(body))
		return err_set(err, ERR_INVALID, "nothing to change was given");
	if (cli_patch(c, "providers", id, body, &r, err) < 0)
		return -(int)err->code;
	print(c, &r);
	return 0;
}

static const struct cli_option test_options[] = {
	{ "zone", "ZONE", "publish a probe in this zone, find it at its servers and remove it; without it there is only reading, where that shows something", false },
	{ "write", "yes", "http-01 target: publish a probe token and remove it again", false },
	{ 0 }
};

static int test(struct cli *c, const struct cli_args *a, struct err *err)
{
	static const struct cli_column seen[] = { { "Probe", "name", 0 }, { "Value", "value", 0 }, { "Seen", "seen", 0 }, { "Servers", "servers", 0 }, { 0 } };
	_cleanup_json_ json_t *body = json_object();
	_cleanup_answer_ struct cli_answer r = { 0 };
	_cleanup_free_ char *path = NULL;
	struct cli_call q = { .method = HTTP_POST, .body = body };
	json_t *reason;
	const char *id;

	if (arg_word(a, "the provider's id", &id, err) < 0)
		return -(int)err->code;
	if (arg_has(a, "zone") && json_object_set_new(body, "zone", json_string(arg(a, "zone"))) < 0)
		return err_set(err, ERR_INVALID, "--zone is not UTF-8 text");
	if (arg_has(a, "write") && streq(arg(a, "write"), "yes"))
		json_object_set_new(body, "write", json_true());
	q.path = path = cli_path("providers", id, "/test");
	if (cli_request(c, &q, &r, err) < 0 || cli_settle(c, "providers", &r, err) < 0)
		return -(int)err->code;
	reason = json_object_get(r.doc, "reason");
	print(c, &r);
	if (!c->json && json_is_object(json_object_get(r.doc, "test")))
		cli_print_fields(json_object_get(r.doc, "test"), seen);
	return json_is_object(reason) ? cli_reason_error(reason, err) : 0;
}

static int del(struct cli *c, const struct cli_args *a, struct err *err)
{
	return cli_remove(c, a, "the provider's id", "providers", err);
}

static const struct cli_option options_options[] = { { "kind", "K", "a kind of `certwright provider kinds` that can be asked: acmesh", false },
						       { "set", "FIELD=VALUE", "a field that is no secret: program=acme-sh, hook=dns_pdns", true }, { 0 } };

static int options(struct cli *c, const struct cli_args *a, struct err *err)
{
	static const struct cli_column head[] = { { "Title", "title", 0 }, { "See", "site", 0 }, { 0 } };
	static const struct cli_column rows[] = { { "OPTION", "name", 0 }, { "NEEDED", "required", 0 }, { "DEFAULT", "default", 30 },
						  { "HELP", "help", 90 }, { 0 } };
	_cleanup_json_ json_t *body = json_object();
	_cleanup_answer_ struct cli_answer r = { 0 };
	struct cli_call q = { .method = HTTP_POST, .path = "/provider-options", .body = body };
	json_t *shown;

	if (arg_no_words(a, err) < 0)
		return -(int)err->code;
	if (!arg_has(a, "kind"))
		return err_set(err, ERR_INVALID, "--kind K is needed");
	json_object_set_new(body, "kind", json_string(arg(a, "kind")));
	json_object_set_new(body, "fields", json_object());
	if (take_fields(a, body, err) < 0 || cli_request(c, &q, &r, err) < 0 || (r.http.status == 202 && cli_job_wait(c, &r, err) < 0))
		return -(int)err->code;
	shown = json_object_get(r.doc, "result");
	if (c->json) {
		cli_print_json(&r);
		return 0;
	}
	shown = json_is_object(shown) ? shown : r.doc;
	cli_print_fields(shown, head);
	cli_print_rows(json_object_get(shown, "options"), rows, "  ");
	return 0;
}

const struct cli_verb provider_verbs[] = {
	{ "provider", "kinds", "[KIND]", kinds, NULL, "what can be configured, or the fields of one kind" },
	{ "provider", "options", "", options, options_options, "what a hook of acme.sh needs, by its own words; nothing is saved" },
	{ "provider", "create", "", create, create_options, "configure a provider" },
	{ "provider", "list", "", list, provider_list_options, "providers" },
	{ "provider", "show", "ID", show, NULL, "one provider: fields, zones it saw, who uses it" },
	{ "provider", "update", "ID", update, update_options, "change a provider; another address takes its secrets away" },
	{ "provider", "test", "ID", test, test_options, "list its zones, and try a probe record in one" },
	{ "provider", "delete", "ID", del, NULL, "delete a provider that nothing uses" },
	{ 0 }
};

/* ---- rules ---- */

static const struct cli_column rule_fields[] = { { "Id", "id", 0 },	{ "Number", "num", 0 },	  { "Suffix", "suffix", 0 },	   { "Vendor", "vendor", 0 },
						 { "Validation", "validation", 0 }, { "Method", "method_name", 0 }, { "Type", "method_title", 0 },
						 { "Created at", "created_at", 0 }, { 0 } };
#define RULE_OPTIONS                                                                                                   \
	{ "suffix", "NAME", "names that are it or end in it; * for every name", false },                              \
	{ "vendor", "KEY", "only for this vendor (empty: any)", false },                                               \
	{ "validation", "V", "dns-01 or http-01", false },                                                            \
	{ "method", "M", "delegation, manual, builtin, or a provider's id", false }
static const struct cli_option rule_options[] = { RULE_OPTIONS, { 0 } };

static int take_rule(const struct cli_args *a, json_t *body, struct err *err)
{
	static const char *const names[] = { "suffix", "vendor", "validation", "method" };

	for (size_t i = 0; i < ARRAY_SIZE(names); i++)
		if (arg_has(a, names[i]) && json_object_set_new(body, names[i], json_string(arg(a, names[i]))) < 0)
			return err_set(err, ERR_INVALID, "--%s is not UTF-8 text", names[i]);
	return 0;
}

static int rule_create(struct cli *c, const struct cli_args *a, struct err *err)
{
	_cleanup_json_ json_t *body = json_object();
	_cleanup_answer_ struct cli_answer r = { 0 };
	struct cli_call q = { .method = HTTP_POST, .path = "/rules", .body = body, .create = true };

	if (arg_no_words(a, err) < 0 || take_rule(a, body, err) < 0)
		return -(int)err->code;
	if (!arg_has(a, "suffix") || !arg_has(a, "method"))
		return err_set(err, ERR_INVALID, "--suffix NAME and --method M are needed");
	if (!arg_has(a, "validation"))
		json_object_set_new(body, "validation", json_string("dns-01"));
	if (cli_request(c, &q, &r, err) < 0)
		return -(int)err->code;
	cli_print_object(c, &r, rule_fields);
	return 0;
}

static int rules(struct cli *c, const struct cli_args *a, struct err *err)
{
	static const struct cli_column columns[] = { { "NUM", "num", 0 }, { "SUFFIX", "suffix", 60 }, { "VENDOR", "vendor", 0 },
						     { "VALIDATION", "validation", 0 }, { "METHOD", "method_name", 40 }, { 0 } };

	return cli_list(c, a, "/rules", (const char *const[]){ "name", "method", "sort", NULL }, columns, err);
}

static int rule_show(struct cli *c, const struct cli_args *a, struct err *err)
{
	return cli_show(c, a, "the rule's id", "rules", rule_fields, err);
}

static int rule_update(struct cli *c, const struct cli_args *a, struct err *err)
{
	_cleanup_json_ json_t *body = json_object();
	_cleanup_answer_ struct cli_answer r = { 0 };
	const char *id;

	if (arg_word(a, "the rule's id", &id, err) < 0 || take_rule(a, body, err) < 0)
		return -(int)err->code;
	if (!json_object_size(body))
		return err_set(err, ERR_INVALID, "nothing to change was given");
	if (cli_patch(c, "rules", id, body, &r, err) < 0)
		return -(int)err->code;
	cli_print_object(c, &r, rule_fields);
	return 0;
}

static int rule_delete(struct cli *c, const struct cli_args *a, struct err *err)
{
	return cli_remove(c, a, "the rule's id", "rules", err);
}

const struct cli_verb rule_verbs[] = {
	{ "rule", "create", "", rule_create, rule_options, "how names of a suffix are proved" },
	{ "rule", "list", "", rules, rule_list_options, "validation rules; the longest matching suffix decides" },
	{ "rule", "show", "ID", rule_show, NULL, "one rule" },
	{ "rule", "update", "ID", rule_update, rule_options, "change a rule" },
	{ "rule", "delete", "ID", rule_delete, NULL, "delete a rule" },
	{ 0 }
};

/* ---- debts ---- */

static int debts(struct cli *c, const struct cli_args *a, struct err *err)
{
	static const struct cli_column columns[] = { { "ID", "id", 0 }, { "ORDER", "order_num", 0 }, { "TYPE", "type", 0 }, { "PROVIDER", "provider", 30 },
						     { "NAME", "name", 60 }, { "VALUE", "value", 48 }, { "NEEDED", "held", 0 }, { "ASIDE", "set_aside", 0 },
						     { "TRIES", "attempts", 0 }, { "SINCE", "created_at", 0 }, { 0 } };

	return cli_list(c, a, "/debts", NULL, columns, err);
}

static int debt_retry(struct cli *c, const struct cli_args *a, struct err *err)
{
	_cleanup_answer_ struct cli_answer r = { 0 };
	_cleanup_free_ char *path = NULL;
	struct cli_call q = { .method = HTTP_POST };
	const char *id;

	if (arg_word(a, "the debt's id", &id, err) < 0)
		return -(int)err->code;
	q.path = path = cli_path("debts", id, "/retry");
	if (cli_request(c, &q, &r, err) < 0)
		return -(int)err->code;
	cli_print_done(c, "it is tried again now");
	return 0;
}

const struct cli_verb debt_verbs[] = {
	{ "debt", "list", "", debts, paging, "what is published, or to be given back, and still has to be undone" },
	{ "debt", "retry", "ID", debt_retry, NULL, "try to undo it now" },
	{ 0 }
};
