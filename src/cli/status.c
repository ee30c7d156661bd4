/* SPDX-License-Identifier: Apache-2.0 */
/* status.c - `status`, `job list | show`, `token list | revoke`, `user list | create | delete`, `audit list`. */
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
	_cleanup_answer_ struct cli_answer r = { 0 };
	_cleanup_free_ char *path = NULL;
	const char *id;

	if (arg_word(a, "the job's id", &id, err) < 0)
		return -(int)err->code;
	path = cli_path("jobs", id, "");
	if (cli_get(c, path, &r, err) < 0)
		return -(int)err->code;
	cli_print_object(c, &r, fields);
	return 0;
}

static int tokens(struct cli *c, const struct cli_args *a, struct err *err)
{
	static const struct cli_column columns[] = { { "NUM", "num", 0 }, { "NAME", "name", 40 }, { "USER", "user_name", 0 }, { "ROLE", "role", 0 },
						     { "BEGINS", "prefix", 0 }, { "EXPIRES AT", "expires_at", 0 }, { "USED AT", "used_at", 0 },
						     { "REVOKED AT", "revoked_at", 0 }, { 0 } };

	return list_of(c, a, "/tokens", columns, err);
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

static int user_create(struct cli *c, const struct cli_args *a, struct err *err)
{
	static const struct cli_column fields[] = { { "Id", "id", 0 }, { "Number", "num", 0 }, { "Name", "name", 0 }, { "Role", "role", 0 }, { 0 } };
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
	cli_print_object(c, &r, fields);
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
	{ "job", "list", "", jobs, paging, "what goes on beside the orders" },
	{ "job", "show", "ID", job, NULL, "one job" },
	{ "token", "list", "", tokens, paging, "API tokens" },
	{ "token", "revoke", "ID", token_revoke, NULL, "revoke an API token" },
	{ "user", "list", "", users, paging, "people" },
	{ "user", "create", "NAME", user_create, user_options, "make a user" },
	{ "user", "delete", "ID", user_delete, NULL, "delete a user" },
	{ "audit", "list", "", audit, paging, "who did what" },
	{ 0 }
};
