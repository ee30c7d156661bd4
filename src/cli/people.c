/* SPDX-License-Identifier: Apache-2.0 */
/*
 * people.c - `user add | list | show | role | right | passwd | disable | enable | sessions | delete` and `token list | show | create |
 * revoke`. A user is named by name, number or id.
 */
#include "base/file.h"
#include "base/limits.h"
#include "cli/verb.h"

#include <stdio.h>

static const struct cli_option user_list_options[] = {
	{ "name", "TEXT", "a part of the name", false },
	{ "role", "ROLE", "only users of this role", false },
	CLI_SORT_NAMED,
	CLI_PAGING,
	{ 0 }
};

static const struct cli_option token_list_options[] = {
	{ "name", "TEXT", "a part of the name", false },
	{ "sort", "WHAT", "what stands first: newest (the default), oldest, name or expires", false },
	CLI_PAGING,
	{ 0 }
};

static void set_list(json_t *body, const char *member, const struct cli_args *a, const char *option)
{
	_cleanup_strlist_ struct strlist l = { 0 };

	arg_list(a, option, &l);
	if (l.n)
		json_object_set_new(body, member, json_strlist(&l));
}

static int tokens(struct cli *c, const struct cli_args *a, struct err *err)
{
	static const struct cli_column columns[] = { { "NUM", "num", 0 }, { "NAME", "name", 40 }, { "USER", "user_name", 0 }, { "ROLE", "role", 0 },
						     { "RIGHTS", "rights", 0 }, { "CERTIFICATE", "certificate_name", 40 }, { "FROM", "sources", 30 },
						     { "BEGINS", "prefix", 0 }, { "EXPIRES AT", "expires_at", 0 }, { "USED AT", "used_at", 0 },
						     { "REVOKED AT", "revoked_at", 0 }, { 0 } };

	return cli_list(c, a, "/tokens", (const char *const[]){ "name", "sort", NULL }, columns, err);
}

static const struct cli_column token_fields[] = {
	{ "Id", "id", 0 }, { "Number", "num", 0 }, { "Name", "name", 0 }, { "User", "user_name", 0 }, { "Role", "role", 0 }, { "Rights", "rights", 0 },
	{ "Certificate", "certificate_name", 0 }, { "Certificate's id", "certificate_id", 0 }, { "Key leaves because", "reason", 0 },
	{ "Only from", "sources", 0 }, { "Begins", "prefix", 0 },
	{ "Created at", "created_at", 0 }, { "Expires at", "expires_at", 0 }, { "Used at", "used_at", 0 }, { "Revoked at", "revoked_at", 0 }, { 0 }
};

static int token_show(struct cli *c, const struct cli_args *a, struct err *err)
{
	return cli_show(c, a, "the token's id", "tokens", token_fields, err);
}

static const struct cli_option token_options[] = {
	{ "name", "TEXT", "what the token is for", false },
	{ "role", "R", "viewer, operator or admin; default: your own", false },
	{ "right", "R", "audit, revoke or key-export; one you have yourself", true },
	{ "from", "CIDR", "an address or network it may be used from; default: any", true },
	{ "days", "N", "how long it is good for; default 90", false },
	{ "certificate", "ID", "it fetches this certificate (certwright sync, /download) and does nothing else; no role then", false },
	{ "reason", "TEXT", "with --certificate and --right key-export: why the key leaves, for the audit of each fetch", false },
	{ "out", "FILE", "file for the token (0600); must not exist", false },
	{ 0 }
};

/* The token is shown once: with --out it goes into a file and nowhere else. */
static int token_create(struct cli *c, const struct cli_args *a, struct err *err)
{
	_cleanup_json_ json_t *body = json_object();
	_cleanup_answer_ struct cli_answer r = { 0 };
	struct cli_call q = { .method = HTTP_POST, .path = "/tokens", .body = body };
	const char *text, *out = arg(a, "out");
	int64_t days;

	if (arg_no_words(a, err) < 0)
		return -(int)err->code;
	if (!arg_has(a, "name"))
		return err_set(err, ERR_INVALID, "--name TEXT is missing");
	if (out && file_exists(out))
		return err_set(err, ERR_CONFLICT, "the file '%s' exists already", out);
	if (arg_has(a, "days")) {
		if (str_to_i64(arg(a, "days"), 1, 3650, &days, err) < 0)
			return err_wrap(err, "--days");
		json_object_set_new(body, "days", json_integer(days));
	}
	set_list(body, "rights", a, "right");
	set_list(body, "sources", a, "from");
	if (arg_has(a, "certificate"))
		json_object_set_new(body, "certificate", json_string(arg(a, "certificate")));
	if (arg_has(a, "reason"))
		json_object_set_new(body, "reason", json_string(arg(a, "reason")));
	if (json_object_set_new(body, "name", json_string(arg(a, "name"))) < 0 ||
	    (arg_has(a, "role") && json_object_set_new(body, "role", json_string(arg(a, "role"))) < 0))
		return err_set(err, ERR_INVALID, "--name and --role must be UTF-8 text");
	if (cli_request(c, &q, &r, err) < 0)
		return -(int)err->code;
	text = json_string_value(json_object_get(r.doc, "token"));
	if (str_empty(text))
		return err_set(err, ERR_REMOTE_BAD, "the server's answer holds no token");
	if (out) {
		_cleanup_free_ char *line = xasprintf("%s\n", text);
		int rc = file_create(out, line, strlen(line), 0600, err);

		explicit_bzero(line, strlen(line));
		if (rc < 0)
			return err_wrap(err, "the token was made but not kept, revoke it");
		if (!c->json)
			cli_print_fields(json_object_get(r.doc, "info"), token_fields);
		else
			cli_print_done(c, "");
	} else if (c->json) {
		cli_print_json(&r);
	} else {
		cli_print_fields(json_object_get(r.doc, "info"), token_fields);
		printf("Token:      %s\n", text);
		fputs("It is not shown again.\n", stderr);
	}
	return 0;
}

static int token_revoke(struct cli *c, const struct cli_args *a, struct err *err)
{
	_cleanup_answer_ struct cli_answer r = { 0 };
	_cleanup_free_ char *path = NULL;
	struct cli_call q = { .method = HTTP_DELETE };
	const char *id;

	if (arg_word(a, "the token's id", &id, err) < 0)
		return -(int)err->code;
	q.path = path = cli_path("tokens", id, "");
	if (cli_request(c, &q, &r, err) < 0)
		return -(int)err->code;
	cli_print_done(c, "revoked");
	return 0;
}

static int users(struct cli *c, const struct cli_args *a, struct err *err)
{
	static const struct cli_column columns[] = { { "NUM", "num", 0 }, { "NAME", "name", 40 }, { "ROLE", "role", 0 }, { "RIGHTS", "rights", 0 },
						     { "DISABLED", "disabled", 0 },
						     { "LAST SIGN-IN", "last_login_at", 0 }, { 0 } };

	return cli_list(c, a, "/users", (const char *const[]){ "name", "role", "sort", NULL }, columns, err);
}

static const struct cli_option user_options[] = {
	{ "role", "R", "viewer, operator (default) or admin", false },
	{ "right", "R", "audit, revoke or key-export", true },
	{ "password-file", "FILE", "file with the first password", false },
	{ 0 }
};

static const struct cli_column user_fields[] = {
	{ "Id", "id", 0 }, { "Number", "num", 0 }, { "Name", "name", 0 }, { "Role", "role", 0 }, { "Rights", "rights", 0 },
	{ "Kept", "source", 0 }, { "Disabled", "disabled", 0 },
	{ "Last sign-in", "last_login_at", 0 }, { "Created at", "created_at", 0 }, { 0 }
};

static int user_show(struct cli *c, const struct cli_args *a, struct err *err)
{
	return cli_show(c, a, "the user's name, number or id", "users", user_fields, err);
}

/* Reads the user, changes what body says, shows what is there then. */
static int change(struct cli *c, const char *name, json_t *body, struct err *err)
{
	_cleanup_answer_ struct cli_answer r = { 0 };

	if (cli_patch(c, "users", name, body, &r, err) < 0)
		return -(int)err->code;
	cli_print_object(c, &r, user_fields);
	return 0;
}

static int enabled(struct cli *c, const struct cli_args *a, bool on, struct err *err)
{
	_cleanup_json_ json_t *body = json_pack("{s:b}", "disabled", !on);
	const char *name;

	return arg_word(a, "the user's name", &name, err) < 0 ? -(int)err->code : change(c, name, body, err);
}

static int user_disable(struct cli *c, const struct cli_args *a, struct err *err)
{
	return enabled(c, a, false, err);
}

static int user_enable(struct cli *c, const struct cli_args *a, struct err *err)
{
	return enabled(c, a, true, err);
}

static int user_role(struct cli *c, const struct cli_args *a, struct err *err)
{
	_cleanup_json_ json_t *body = NULL;

	if (a->words.n != 2)
		return err_set(err, ERR_INVALID, "give the user's name and the role: viewer, operator or admin");
	body = json_pack("{s:s}", "role", a->words.v[1]);
	return change(c, a->words.v[0], body, err);
}

static const struct cli_option right_options[] = {
	{ "grant", "R", "audit, revoke or key-export", true },
	{ "withdraw", "R", "the reverse", true },
	{ 0 }
};

/* What is there, and what is added to and taken from it. */
static int user_right(struct cli *c, const struct cli_args *a, struct err *err)
{
	_cleanup_strlist_ struct strlist grant = { 0 }, withdraw = { 0 }, now = { 0 };
	_cleanup_answer_ struct cli_answer was = { 0 };
	_cleanup_json_ json_t *body = NULL;
	_cleanup_free_ char *path = NULL;
	const char *name;
	size_t i;
	json_t *right;

	if (arg_word(a, "the user's name", &name, err) < 0)
		return -(int)err->code;
	arg_list(a, "grant", &grant);
	arg_list(a, "withdraw", &withdraw);
	if (!grant.n && !withdraw.n)
		return err_set(err, ERR_INVALID, "give what to change: --grant R or --withdraw R");
	path = cli_path("users", name, "");
	if (cli_get(c, path, &was, err) < 0)
		return -(int)err->code;
	json_array_foreach(json_object_get(was.doc, "rights"), i, right)
		if (!strlist_has(&withdraw, json_string_value(right)))
			strlist_add(&now, json_string_value(right));
	for (size_t k = 0; k < grant.n; k++)
		if (!strlist_has(&now, grant.v[k]))
			strlist_add(&now, grant.v[k]);
	body = json_pack("{s:o}", "rights", json_strlist(&now));
	return change(c, name, body, err);
}

static const struct cli_option passwd_options[] = {
	{ "password-file", "FILE", "file with the new password; the user's sessions end", false },
	{ "local", NULL, "on the server's host, without the API: see certwright user passwd --local --help", false },
	{ 0 }
};

static int user_passwd(struct cli *c, const struct cli_args *a, struct err *err)
{
	_cleanup_secret_ struct secret password = { 0 };
	_cleanup_json_ json_t *body = NULL;
	const char *name;

	if (arg_word(a, "the user's name", &name, err) < 0)
		return -(int)err->code;
	if (!arg_has(a, "password-file"))
		return err_set(err, ERR_INVALID, "--password-file FILE is missing");
	if (file_read_secret(arg(a, "password-file"), LIMIT_PASSWORD_MAX, &password, err) < 0)
		return -(int)err->code;
	body = json_pack("{s:s%}", "password", (const char *)password.p, password.n);
	if (!body)
		return err_set(err, ERR_INVALID, "the password must be UTF-8 text");
	return change(c, name, body, err);
}

static const struct cli_option sessions_options[] = {
	{ "end", "ID", "end this session", false },
	{ "end-all", NULL, "sign the user out everywhere", false },
	{ 0 }
};

/* Without a name: one's own. */
static int user_sessions(struct cli *c, const struct cli_args *a, struct err *err)
{
	static const struct cli_column columns[] = { { "ID", "id", 0 }, { "FROM", "address", 0 }, { "SINCE", "created_at", 0 }, { "SEEN", "seen_at", 0 },
						     { "ENDS AT LATEST", "expires_at", 0 }, { "THIS", "current", 0 }, { 0 } };
	_cleanup_answer_ struct cli_answer r = { 0 };
	_cleanup_free_ char *path = NULL;
	struct cli_call q = { .method = HTTP_DELETE };

	if (a->words.n > 1)
		return err_set(err, ERR_INVALID, "'%s' is one argument too many", a->words.v[1]);
	if (arg_has(a, "end-all") && !a->words.n)
		return err_set(err, ERR_INVALID, "the user's name is missing");
	path = arg_has(a, "end") ? cli_path("sessions", arg(a, "end"), "") :
	       a->words.n	 ? cli_path("users", a->words.v[0], "/sessions") :
				   xstrdup("/sessions");
	if (!arg_has(a, "end") && !arg_has(a, "end-all")) {
		if (cli_get(c, path, &r, err) < 0)
			return -(int)err->code;
		cli_print_list(c, r.doc, columns);
		return 0;
	}
	q.path = path;
	if (cli_request(c, &q, &r, err) < 0)
		return -(int)err->code;
	cli_print_done(c, "ended");
	return 0;
}

static const struct cli_option update_options[] = {
	{ "role", "R", "viewer, operator or admin", false },
	{ "password-file", "FILE", "file with a new password; ends the sessions", false },
	{ "disable", NULL, "no sign-in and no token works any more", false },
	{ "enable", NULL, "the reverse", false },
	{ 0 }
};

static int user_update(struct cli *c, const struct cli_args *a, struct err *err)
{
	_cleanup_secret_ struct secret password = { 0 };
	_cleanup_json_ json_t *body = json_object();
	_cleanup_answer_ struct cli_answer r = { 0 };
	const char *id;

	if (arg_word(a, "the user's name, number or id", &id, err) < 0)
		return -(int)err->code;
	if (arg_has(a, "disable") && arg_has(a, "enable"))
		return err_set(err, ERR_INVALID, "--disable and --enable exclude each other");
	if (arg_has(a, "disable") || arg_has(a, "enable"))
		json_object_set_new(body, "disabled", json_boolean(arg_has(a, "disable")));
	if (arg_has(a, "role") && json_object_set_new(body, "role", json_string(arg(a, "role"))) < 0)
		return err_set(err, ERR_INVALID, "--role is not UTF-8 text");
	if (arg_has(a, "password-file")) {
		if (file_read_secret(arg(a, "password-file"), LIMIT_PASSWORD_MAX, &password, err) < 0)
			return -(int)err->code;
		if (json_object_set_new(body, "password", json_stringn((const char *)password.p, password.n)) < 0)
			return err_set(err, ERR_INVALID, "the password must be UTF-8 text");
	}
	if (!json_object_size(body))
		return err_set(err, ERR_INVALID, "give what to change: --role, --password-file, --disable or --enable");
	if (cli_patch(c, "users", id, body, &r, err) < 0)
		return -(int)err->code;
	cli_print_object(c, &r, user_fields);
	return 0;
}

static int user_create(struct cli *c, const struct cli_args *a, struct err *err)
{
	_cleanup_secret_ struct secret password = { 0 };
	_cleanup_json_ json_t *body = NULL;
	_cleanup_answer_ struct cli_answer r = { 0 };
	struct cli_call q = { .method = HTTP_POST, .path = "/users", .create = true };
	const char *name;

	if (arg_word(a, "the user's name", &name, err) < 0)
		return -(int)err->code;
	if (!arg_has(a, "password-file"))
		return err_set(err, ERR_INVALID, "--password-file FILE is missing");
	if (file_read_secret(arg(a, "password-file"), LIMIT_PASSWORD_MAX, &password, err) < 0)
		return -(int)err->code;
	body = json_pack("{s:s, s:s, s:s%}", "name", name, "role", arg(a, "role") ? arg(a, "role") : "operator", "password", (const char *)password.p,
			 password.n);
	if (!body)
		return err_set(err, ERR_INVALID, "name and password must be UTF-8 text");
	set_list(body, "rights", a, "right");
	q.body = body;
	if (cli_request(c, &q, &r, err) < 0)
		return -(int)err->code;
	cli_print_object(c, &r, user_fields);
	return 0;
}

static int user_delete(struct cli *c, const struct cli_args *a, struct err *err)
{
	const char *id;

	if (arg_word(a, "the user's name, number or id", &id, err) < 0 || cli_delete(c, "users", id, err) < 0)
		return -(int)err->code;
	cli_print_done(c, "deleted; sessions and tokens have ended");
	return 0;
}

const struct cli_verb people_verbs[] = {
	{ "token", "list", "", tokens, token_list_options, "API tokens" },
	{ "token", "show", "ID", token_show, NULL, "one API token" },
	{ "token", "create", "", token_create, token_options, "make an API token for yourself; it is shown once" },
	{ "token", "revoke", "ID", token_revoke, NULL, "revoke an API token" },
	{ "user", "add", "NAME", user_create, user_options, "make a user" },
	{ "user", "create", "NAME", user_create, user_options, "the same as user add" },
	{ "user", "list", "", users, user_list_options, "people" },
	{ "user", "show", "NAME", user_show, NULL, "one user" },
	{ "user", "role", "NAME ROLE", user_role, NULL, "make a user viewer, operator or admin" },
	{ "user", "right", "NAME", user_right, right_options, "grant or withdraw rights that no role has" },
	{ "user", "passwd", "NAME", user_passwd, passwd_options, "give a user a new password" },
	{ "user", "disable", "NAME", user_disable, NULL, "no sign-in and no token of this user works any more" },
	{ "user", "enable", "NAME", user_enable, NULL, "the reverse" },
	{ "user", "sessions", "[NAME]", user_sessions, sessions_options, "where a user (or you) is signed in; end sessions" },
	{ "user", "update", "NAME", user_update, update_options, "change a user's role or password, disable or enable" },
	{ "user", "delete", "NAME", user_delete, NULL, "delete a user" },
	{ 0 }
};
