/* SPDX-License-Identifier: Apache-2.0 */
/*
 * status.c - `status`, `job list | show`, `token list | show | create | revoke`, `user list | show | create | update | delete`,
 * `whoami`, `audit list`.
 */
#include "base/file.h"
#include "base/limits.h"
#include "cli/verb.h"

#include <stdio.h>

static const struct cli_option paging[] = {
	{ "limit", "N", "rows of a page, up to 200", false },
	{ "cursor", "C", "the next page", false },
	{ 0 }
};

static int list_of(struct cli *c, const struct cli_args *a, const char *collection, const struct cli_column *columns, struct err *err)
{
	_cleanup_free_ char *path = cli_list_path(c, collection, NULL);
	_cleanup_answer_ struct cli_answer r = { 0 };

	if (arg_no_words(a, err) < 0 || cli_get(c, path, &r, err) < 0)
		return -(int)err->code;
	cli_print_list(c, r.doc, columns);
	return 0;
}

static int show_of(struct cli *c, const struct cli_args *a, const char *collection, const char *what, const struct cli_column *fields, struct err *err)
{
	_cleanup_answer_ struct cli_answer r = { 0 };
	_cleanup_free_ char *path = NULL;
	const char *id;

	if (arg_word(a, what, &id, err) < 0)
		return -(int)err->code;
	path = cli_path(collection, id, "");
	if (cli_get(c, path, &r, err) < 0)
		return -(int)err->code;
	cli_print_object(c, &r, fields);
	return 0;
}

static int status(struct cli *c, const struct cli_args *a, struct err *err)
{
	static const struct cli_column fields[] = { { "Version", "version", 0 }, { "Started at", "started_at", 0 }, { "DNS host name", "dns_hostname", 0 },
						    { "DNS listens on", "dns_listen", 0 }, { "HTTP-01 listens on", "http01_listen", 0 }, { 0 } };
	static const struct cli_column edge[] = { { "Edge configured", "configured", 0 }, { "Edge connected", "connected", 0 }, { "Edge loaded", "loaded", 0 }, { 0 } };
	static const struct cli_column store[] = { { "Store", "driver", 0 }, { "Writable", "writable", 0 }, { "Trouble", "reason", 0 }, { 0 } };
	_cleanup_answer_ struct cli_answer r = { 0 };

	if (arg_no_words(a, err) < 0 || cli_get(c, "/status", &r, err) < 0)
		return -(int)err->code;
	cli_print_object(c, &r, fields);
	if (!c->json) {
		cli_print_fields(json_object_get(r.doc, "store"), store);
		cli_print_fields(json_object_get(r.doc, "edge"), edge);
	}
	return 0;
}

static int jobs(struct cli *c, const struct cli_args *a, struct err *err)
{
	static const struct cli_column columns[] = { { "NUM", "num", 0 }, { "KIND", "kind", 0 }, { "ABOUT", "subject_kind", 0 }, { "SUBJECT", "subject_id", 0 },
						     { "STATE", "state", 0 }, { "ATTEMPTS", "attempts", 0 }, { "CREATED AT", "created_at", 0 }, { 0 } };

	return list_of(c, a, "/jobs", columns, err);
}

static int job(struct cli *c, const struct cli_args *a, struct err *err)
{
	static const struct cli_column fields[] = { { "Id", "id", 0 }, { "Number", "num", 0 }, { "Kind", "kind", 0 }, { "State", "state", 0 },
						    { "About", "subject_kind", 0 }, { "Subject", "subject_id", 0 }, { "Attempts", "attempts", 0 },
						    { "Next at", "next_at", 0 }, { "Created at", "created_at", 0 }, { "Ended at", "ended_at", 0 }, { 0 } };

	return show_of(c, a, "jobs", "the job's id", fields, err);
}

static int tokens(struct cli *c, const struct cli_args *a, struct err *err)
{
	static const struct cli_column columns[] = { { "NUM", "num", 0 }, { "NAME", "name", 40 }, { "USER", "user_name", 0 }, { "ROLE", "role", 0 },
						     { "BEGINS", "prefix", 0 }, { "EXPIRES AT", "expires_at", 0 }, { "USED AT", "used_at", 0 },
						     { "REVOKED AT", "revoked_at", 0 }, { 0 } };

	return list_of(c, a, "/tokens", columns, err);
}

static const struct cli_column token_fields[] = {
	{ "Id", "id", 0 }, { "Number", "num", 0 }, { "Name", "name", 0 }, { "User", "user_name", 0 }, { "Role", "role", 0 }, { "Begins", "prefix", 0 },
	{ "Created at", "created_at", 0 }, { "Expires at", "expires_at", 0 }, { "Used at", "used_at", 0 }, { "Revoked at", "revoked_at", 0 }, { 0 }
};

static int token_show(struct cli *c, const struct cli_args *a, struct err *err)
{
	return show_of(c, a, "tokens", "the token's id", token_fields, err);
}

static const struct cli_option token_options[] = {
	{ "name", "TEXT", "what the token is for", false },
	{ "role", "R", "viewer, operator or admin; default: your own", false },
	{ "days", "N", "how long it is good for; default 90", false },
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

static int whoami(struct cli *c, const struct cli_args *a, struct err *err)
{
	static const struct cli_column user[] = { { "User", "name", 0 }, { "Role", "role", 0 }, { 0 } };
	static const struct cli_column rest[] = { { "May", "permissions", 0 }, { "Until", "expires_at", 0 }, { 0 } };
	_cleanup_answer_ struct cli_answer r = { 0 };

	if (arg_no_words(a, err) < 0 || cli_get(c, "/session", &r, err) < 0)
		return -(int)err->code;
	if (c->json) {
		cli_print_json(&r);
		return 0;
	}
	cli_print_fields(json_object_get(r.doc, "user"), user);
	cli_print_fields(r.doc, rest);
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
	static const struct cli_column columns[] = { { "NUM", "num", 0 }, { "NAME", "name", 40 }, { "ROLE", "role", 0 }, { "DISABLED", "disabled", 0 },
						     { "LAST SIGN-IN", "last_login_at", 0 }, { 0 } };

	return list_of(c, a, "/users", columns, err);
}

static const struct cli_option user_options[] = {
	{ "role", "R", "viewer, operator (default) or admin", false },
	{ "password-file", "FILE", "file with the first password", false },
	{ 0 }
};

static const struct cli_column user_fields[] = {
	{ "Id", "id", 0 }, { "Number", "num", 0 }, { "Name", "name", 0 }, { "Role", "role", 0 }, { "Disabled", "disabled", 0 },
	{ "Last sign-in", "last_login_at", 0 }, { "Created at", "created_at", 0 }, { 0 }
};

static int user_show(struct cli *c, const struct cli_args *a, struct err *err)
{
	return show_of(c, a, "users", "the user's id", user_fields, err);
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

	if (arg_word(a, "the user's id", &id, err) < 0)
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
	q.body = body;
	if (cli_request(c, &q, &r, err) < 0)
		return -(int)err->code;
	cli_print_object(c, &r, user_fields);
	return 0;
}

static int user_delete(struct cli *c, const struct cli_args *a, struct err *err)
{
	const char *id;

	if (arg_word(a, "the user's id", &id, err) < 0 || cli_delete(c, "users", id, err) < 0)
		return -(int)err->code;
	cli_print_done(c, "deleted; sessions and tokens have ended");
	return 0;
}

static int audit(struct cli *c, const struct cli_args *a, struct err *err)
{
	static const struct cli_column columns[] = { { "AT", "at", 0 }, { "WHO", "actor_name", 30 }, { "DID", "action", 0 }, { "TO", "object_kind", 0 },
						     { "NAME", "object_name", 40 }, { "FROM", "address", 0 }, { 0 } };

	return list_of(c, a, "/audit", columns, err);
}

const struct cli_verb status_verbs[] = {
	{ "status", NULL, "", status, NULL, "the state of the server" },
	{ "whoami", NULL, "", whoami, NULL, "who is signed in and what that allows" },
	{ "job", "list", "", jobs, paging, "what goes on beside the orders" },
	{ "job", "show", "ID", job, NULL, "one job" },
	{ "token", "list", "", tokens, paging, "API tokens" },
	{ "token", "show", "ID", token_show, NULL, "one API token" },
	{ "token", "create", "", token_create, token_options, "make an API token for yourself; it is shown once" },
	{ "token", "revoke", "ID", token_revoke, NULL, "revoke an API token" },
	{ "user", "list", "", users, paging, "people" },
	{ "user", "show", "ID", user_show, NULL, "one user" },
	{ "user", "create", "NAME", user_create, user_options, "make a user" },
	{ "user", "update", "ID", user_update, update_options, "change a user's role or password, disable or enable" },
	{ "user", "delete", "ID", user_delete, NULL, "delete a user" },
	{ "audit", "list", "", audit, paging, "who did what" },
	{ 0 }
};
