/* SPDX-License-Identifier: Apache-2.0 */
/* channel.c - `notification create | list | show | update | test | rotate | messages | delete`. */
#include "base/file.h"
#include "cli/verb.h"

#define SECRET_MAX 2048

static const struct cli_column fields[] = {
	{ "Id", "id", 0 },	     { "Number", "num", 0 },	   { "Name", "name", 0 },	{ "Kind", "kind", 0 },
	{ "Enabled", "enabled", 0 }, { "Status", "status", 0 },	   { "Waiting", "waiting", 0 }, { "Dropped", "dropped", 0 },
	{ "Sent at", "sent_at", 0 }, { "Tested at", "tested_at", 0 }, { "Created at", "created_at", 0 }, { 0 }
};
static const struct cli_column settings[] = {
	{ "Server", "host", 0 }, { "Port", "port", 0 },	{ "Security", "security", 0 }, { "User", "user", 0 }, { "Password", "password", 0 },
	{ "From", "from", 0 },	 { "To", "to", 0 },	{ "URL", "url", 0 },	       { 0 }
};
static const struct cli_column rules[] = { { "Events", "events", 0 }, { "Vendors", "vendors", 0 }, { "Tags", "tags", 0 }, { "Owners", "owners", 0 }, { "Search", "search", 0 }, { 0 } };

static const struct cli_option paging[] = {
	CLI_PAGING,
	{ 0 }
};

static const struct cli_option channel_list_options[] = {
	{ "name", "TEXT", "a part of the name", false },
	{ "kind", "KIND", "only channels of this kind", false },
	CLI_SORT_NAMED,
	CLI_PAGING,
	{ 0 }
};

#define SAVE_OPTIONS                                                                                                   \
	{ "name", "TEXT", "how the channel is called here", false },                                                   \
	{ "host", "HOST", "e-mail: the mail server", false }, { "port", "N", "its port; 587, or 465 with tls", false },  \
	{ "security", "S", "starttls (default), tls, or none for a private host that is confirmed", false },           \
	{ "user", "TEXT", "sign-in at the mail server; empty takes it away", false },                                  \
	{ "password-file", "FILE", "its password, from a file (- is standard input)", false },                         \
	{ "from", "ADDRESS", "who the mails are from", false }, { "to", "ADDRESS", "who gets them", true },            \
	{ "url", "URL", "webhook: https address", false },                                                             \
	{ "event", "KIND", "tell this; without any: all notices", true },                                              \
	{ "vendor", "KEY", "tell only about certificates of this vendor", true },                                      \
	{ "tag", "TAG", "tell only about certificates with this tag (or another --tag)", true },                       \
	{ "owner", "WHO", "tell only about certificates of this owner", true },                                        \
	{ "search", "TEXT", "tell only about certificates that this search finds (certificate list --q); empty: all", false }, \
	{ "enable", NULL, "tell from now on", false }, { "disable", NULL, "tell nothing for now", false },             \
	{ "connection", "FILE", "route, own CA, pin, private networks: the API's object as JSON; null for none", false }
static const struct cli_option create_options[] = { { "kind", "K", "email or webhook", false }, SAVE_OPTIONS, { 0 } };
static const struct cli_option update_options[] = { SAVE_OPTIONS, { 0 } };

static int text(json_t *into, const char *name, const char *value, struct err *err)
{
	if (json_object_set_new(into, name, *value ? json_string(value) : json_null()) < 0)
		return err_set(err, ERR_INVALID, "--%s is not UTF-8 text", name);
	return 0;
}

/* An empty one is sent as such: it takes the rule away. */
static int search(const char *value, json_t *into, struct err *err)
{
	return json_object_set_new(into, "search", json_string(value)) < 0 ? err_set(err, ERR_INVALID, "--search is not UTF-8 text") : 0;
}

static int list_of(const struct cli_args *a, const char *option, const char *member, json_t *into, struct err *err)
{
	_cleanup_strlist_ struct strlist l = { 0 };
	json_t *items;

	arg_list(a, option, &l);
	if (!l.n)
		return 0;
	items = json_array();
	for (size_t i = 0; i < l.n; i++)
		if (*l.v[i] && json_array_append_new(items, json_string(l.v[i])) < 0) {
			json_decref(items);
			return err_set(err, ERR_INVALID, "--%s is not UTF-8 text", option);
		}
	json_object_set_new(into, member, items);
	return 0;
}

static int password(const char *path, json_t *into, struct err *err)
{
	_cleanup_secret_ struct secret s = { 0 };

	if (file_read_secret(streq(path, "-") ? "/dev/stdin" : path, SECRET_MAX, &s, err) < 0)
		return err_wrap(err, "could not read the password");
	while (s.n && (s.p[s.n - 1] == '\n' || s.p[s.n - 1] == '\r'))
		s.p[--s.n] = '\0';
	if (json_object_set_new(into, "password", json_stringn((const char *)s.p, s.n)) < 0)
		return err_set(err, ERR_INVALID, "the password is not UTF-8 text");
	return 0;
}

static int port(const char *value, json_t *into, struct err *err)
{
	int64_t n = 0;

	if (str_to_i64(value, 1, 65535, &n, err) < 0)
		return err_wrap(err, "--port is a number from 1 to 65535");
	json_object_set_new(into, "port", json_integer(n));
	return 0;
}

static int take_connection(const char *path, json_t *body, struct err *err)
{
	_cleanup_buf_ struct buf file = BUF_MAX(128 * 1024);
	json_t *doc = NULL;

	if (streq(path, "null")) {
		json_object_set_new(body, "connection", json_null());
		return 0;
	}
	if (file_read(path, &file, err) < 0 || json_parse(buf_text(&file), file.n, &doc, err) < 0)
		return err_wrap(err, "could not read the connection");
	json_object_set_new(body, "connection", doc);
	return 0;
}

static int take(const struct cli_args *a, json_t *body, struct err *err)
{
	static const char *const texts[] = { "host", "security", "user", "from", "url" };
	_cleanup_json_ json_t *s = json_object(), *r = json_object();

	for (size_t i = 0; i < ARRAY_SIZE(texts); i++)
		if (arg_has(a, texts[i]) && text(s, texts[i], arg(a, texts[i]), err) < 0)
			return -(int)err->code;
	if ((arg_has(a, "name") && text(body, "name", arg(a, "name"), err) < 0) ||
	    (arg_has(a, "port") && port(arg(a, "port"), s, err) < 0) ||
	    (arg_has(a, "password-file") && password(arg(a, "password-file"), s, err) < 0) || list_of(a, "to", "to", s, err) < 0 ||
	    list_of(a, "event", "events", r, err) < 0 || list_of(a, "vendor", "vendors", r, err) < 0 ||
	    list_of(a, "tag", "tags", r, err) < 0 || list_of(a, "owner", "owners", r, err) < 0 ||
	    (arg_has(a, "search") && search(arg(a, "search"), r, err) < 0) ||
	    (arg_has(a, "connection") && take_connection(arg(a, "connection"), body, err) < 0))
		return -(int)err->code;
	if (arg_has(a, "enable") && arg_has(a, "disable"))
		return err_set(err, ERR_INVALID, "--enable or --disable, not both");
	if (arg_has(a, "enable") || arg_has(a, "disable"))
		json_object_set_new(body, "enabled", json_boolean(arg_has(a, "enable")));
	if (json_object_size(s))
		json_object_set(body, "settings", s);
	if (json_object_size(r))
		json_object_set(body, "rules", r);
	return 0;
}

/* The object, its settings, its secret if it came along, and why it is not well. */
static void print(const struct cli *c, const struct cli_answer *r)
{
	static const struct cli_column secret[] = { { "Signing secret (shown this once)", "secret", 0 }, { 0 } };
	json_t *reason = json_object_get(r->doc, "reason");

	cli_print_object(c, r, fields);
	if (c->json)
		return;
	cli_print_fields(json_object_get(r->doc, "settings"), settings);
	cli_print_fields(json_object_get(r->doc, "rules"), rules);
	cli_print_fields(r->doc, secret);
	if (json_is_object(reason))
		cli_print_reason(reason, "");
}

static int create(struct cli *c, const struct cli_args *a, struct err *err)
{
	_cleanup_json_ json_t *body = json_object();
	_cleanup_answer_ struct cli_answer r = { 0 };
	struct cli_call q = { .method = HTTP_POST, .path = "/channels", .body = body, .create = true };

	if (arg_no_words(a, err) < 0)
		return -(int)err->code;
	if (!arg_has(a, "kind") || !arg_has(a, "name"))
		return err_set(err, ERR_INVALID, "--kind K and --name TEXT are needed");
	if (text(body, "kind", arg(a, "kind"), err) < 0 || take(a, body, err) < 0)
		return -(int)err->code;
	if (!json_object_get(body, "settings"))
		json_object_set_new(body, "settings", json_object());
	if (cli_request(c, &q, &r, err) < 0)
		return -(int)err->code;
	print(c, &r);
	return 0;
}

static int list(struct cli *c, const struct cli_args *a, struct err *err)
{
	static const struct cli_column columns[] = { { "NUM", "num", 0 },	{ "ID", "id", 0 },	    { "NAME", "name", 40 }, { "KIND", "kind", 0 },
						     { "ENABLED", "enabled", 0 }, { "STATUS", "status", 0 }, { "WAITING", "waiting", 0 },
						     { "SENT AT", "sent_at", 0 }, { 0 } };

	return cli_list(c, a, "/channels", (const char *const[]){ "name", "kind", "sort", NULL }, columns, err);
}

static int messages(struct cli *c, const struct cli_args *a, struct err *err)
{
	static const struct cli_column columns[] = { { "CREATED AT", "created_at", 0 }, { "EVENT", "event", 0 }, { "PHASE", "phase", 0 },
						     { "STATE", "state", 0 }, { "SUBJECT", "subject", 80 }, { 0 } };
	_cleanup_free_ char *path = NULL, *paged = NULL;
	_cleanup_answer_ struct cli_answer r = { 0 };
	const char *id;

	if (arg_word(a, "the channel's id", &id, err) < 0)
		return -(int)err->code;
	path = cli_path("channels", id, "/messages");
	paged = cli_list_path(c, path, NULL);
	if (cli_get(c, paged, &r, err) < 0)
		return -(int)err->code;
	cli_print_list(c, r.doc, columns);
	return 0;
}

static int show(struct cli *c, const struct cli_args *a, struct err *err)
{
	_cleanup_answer_ struct cli_answer r = { 0 };

	if (cli_read(c, a, "the channel's id", "channels", &r, err) < 0)
		return -(int)err->code;
	print(c, &r);
	return 0;
}

static int update(struct cli *c, const struct cli_args *a, struct err *err)
{
	_cleanup_json_ json_t *body = json_object();
	_cleanup_answer_ struct cli_answer r = { 0 };
	const char *id;

	if (arg_word(a, "the channel's id", &id, err) < 0 || take(a, body, err) < 0)
		return -(int)err->code;
	if (!json_object_size(body))
		return err_set(err, ERR_INVALID, "nothing to change was given");
	if (cli_patch(c, "channels", id, body, &r, err) < 0)
		return -(int)err->code;
	print(c, &r);
	return 0;
}

static int post(struct cli *c, const struct cli_args *a, const char *tail, struct cli_answer *r, struct err *err)
{
	_cleanup_free_ char *path = NULL;
	struct cli_call q = { .method = HTTP_POST };
	const char *id;

	if (arg_word(a, "the channel's id", &id, err) < 0)
		return -(int)err->code;
	q.path = path = cli_path("channels", id, tail);
	return cli_request(c, &q, r, err);
}

static int test(struct cli *c, const struct cli_args *a, struct err *err)
{
	_cleanup_answer_ struct cli_answer r = { 0 };
	json_t *reason;

	if (post(c, a, "/test", &r, err) < 0 || cli_settle(c, "channels", &r, err) < 0)
		return -(int)err->code;
	reason = json_object_get(r.doc, "reason");
	print(c, &r);
	return json_is_object(reason) ? cli_reason_error(reason, err) : 0;
}

static int rotate(struct cli *c, const struct cli_args *a, struct err *err)
{
	_cleanup_answer_ struct cli_answer r = { 0 };

	if (post(c, a, "/secret", &r, err) < 0)
		return -(int)err->code;
	print(c, &r);
	return 0;
}

static int del(struct cli *c, const struct cli_args *a, struct err *err)
{
	return cli_remove(c, a, "the channel's id", "channels", err);
}

const struct cli_verb channel_verbs[] = {
	{ "notification", "create", "", create, create_options, "make a notification channel: who is told by mail or webhook" },
	{ "notification", "list", "", list, channel_list_options, "channels" },
	{ "notification", "show", "ID", show, NULL, "one channel" },
	{ "notification", "update", "ID", update, update_options, "change what is given" },
	{ "notification", "test", "ID", test, NULL, "send a test message" },
	{ "notification", "rotate", "ID", rotate, NULL, "a webhook's new signing secret; the one before signs too for a day" },
	{ "notification", "messages", "ID", messages, paging, "what it was told and what waits" },
	{ "notification", "delete", "ID", del, NULL, "delete a channel" },
	{ 0 }
};
