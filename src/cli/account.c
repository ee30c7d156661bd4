/* SPDX-License-Identifier: Apache-2.0 */
/* account.c - `account register | list | show | rename | refresh | delete`. */
#include "base/file.h"
#include "cli/verb.h"

static const struct cli_column fields[] = {
	{ "Id", "id", 0 },	       { "Number", "num", 0 },	   { "Name", "name", 0 },	      { "E-mail", "email", 0 },
	{ "Vendor", "vendor_title", 0 }, { "Status", "status", 0 }, { "Endpoint", "directory_url", 0 }, { "Account URL", "url", 0 },
	{ "EAB key id", "eab_kid", 0 }, { "Terms", "tos_url", 0 }, { "Agreed at", "tos_agreed_at", 0 }, { "Created at", "created_at", 0 },
	{ 0 }
};

static const struct cli_option register_options[] = {
	{ "vendor", "NAME", "a vendor of `certwright vendor list`", false },
	{ "directory", "URL", "or the directory of any other authority", false },
	{ "email", "E", "contact address", false },
	{ "name", "TEXT", "how the account is called here", false },
	{ "agree-tos", NULL, "agree to the authority's terms of service", false },
	{ "eab-kid", "K", "external account: key id", false },
	{ "eab-hmac-file", "F", "external account: file with the HMAC key", false },
	{ 0 }
};

static void put(json_t *body, const char *name, const char *value)
{
	if (value)
		json_object_set_new(body, name, json_string(value));
}

static int do_register(struct cli *c, const struct cli_args *a, struct err *err)
{
	_cleanup_secret_ struct secret hmac = { 0 };
	_cleanup_json_ json_t *body = json_object();
	_cleanup_answer_ struct cli_answer r = { 0 };
	struct cli_call q = { .method = HTTP_POST, .path = "/accounts", .body = body, .create = true };

	if (arg_no_words(a, err) < 0)
		return -(int)err->code;
	if (arg_has(a, "vendor") == arg_has(a, "directory"))
		return err_set(err, ERR_INVALID, "give either --vendor NAME or --directory URL");
	if (arg_has(a, "eab-kid") != arg_has(a, "eab-hmac-file"))
		return err_set(err, ERR_INVALID, "--eab-kid and --eab-hmac-file belong together");
	if (arg_has(a, "eab-hmac-file")) {
		if (file_read_secret(arg(a, "eab-hmac-file"), 1024, &hmac, err) < 0)
			return err_wrap(err, "could not read the HMAC key");
		json_object_set_new(body, "eab_hmac_key", json_stringn((const char *)hmac.p, hmac.n));
	}
	put(body, "vendor", arg(a, "vendor"));
	put(body, "directory_url", arg(a, "directory"));
	put(body, "email", arg(a, "email"));
	put(body, "name", arg(a, "name"));
	put(body, "eab_kid", arg(a, "eab-kid"));
	if (arg_has(a, "agree-tos"))
		json_object_set_new(body, "agree_tos", json_true());
	if (cli_request(c, &q, &r, err) < 0 || cli_settle(c, "accounts", &r, err) < 0)
		return -(int)err->code;
	cli_print_object(c, &r, fields);
	return 0;
}

static const struct cli_option list_options[] = {
	{ "limit", "N", "rows of a page, up to 200", false },
	{ "cursor", "C", "the next page", false },
	{ 0 }
};

static int list(struct cli *c, const struct cli_args *a, struct err *err)
{
	static const struct cli_column columns[] = { { "NUM", "num", 0 },	{ "ID", "id", 0 },	{ "E-MAIL", "email", 40 }, { "VENDOR", "vendor_title", 30 },
						     { "STATUS", "status", 0 }, { "ENDPOINT", "directory_url", 60 }, { "CREATED AT", "created_at", 0 }, { 0 } };
	_cleanup_free_ char *path = cli_list_path(c, "/accounts", NULL);
	_cleanup_answer_ struct cli_answer r = { 0 };

	if (arg_no_words(a, err) < 0 || cli_get(c, path, &r, err) < 0)
		return -(int)err->code;
	cli_print_list(c, r.doc, columns);
	return 0;
}

static int show(struct cli *c, const struct cli_args *a, struct err *err)
{
	_cleanup_answer_ struct cli_answer r = { 0 };
	_cleanup_free_ char *path = NULL;
	const char *id;

	if (arg_word(a, "the account's id", &id, err) < 0)
		return -(int)err->code;
	path = cli_path("accounts", id, "");
	if (cli_get(c, path, &r, err) < 0)
		return -(int)err->code;
	cli_print_object(c, &r, fields);
	return 0;
}

static const struct cli_option rename_options[] = { { "name", "TEXT", "how the account is called from now on", false }, { 0 } };

static int do_rename(struct cli *c, const struct cli_args *a, struct err *err)
{
	_cleanup_json_ json_t *body = json_object();
	_cleanup_answer_ struct cli_answer r = { 0 };
	const char *id;

	if (arg_word(a, "the account's id", &id, err) < 0)
		return -(int)err->code;
	if (!arg_has(a, "name"))
		return err_set(err, ERR_INVALID, "--name TEXT is missing");
	if (json_object_set_new(body, "name", json_string(arg(a, "name"))) < 0)
		return err_set(err, ERR_INVALID, "--name is not UTF-8 text");
	if (cli_patch(c, "accounts", id, body, &r, err) < 0)
		return -(int)err->code;
	cli_print_object(c, &r, fields);
	return 0;
}

static int refresh(struct cli *c, const struct cli_args *a, struct err *err)
{
	_cleanup_answer_ struct cli_answer r = { 0 };
	_cleanup_free_ char *path = NULL;
	struct cli_call q = { .method = HTTP_POST };
	const char *id;

	if (arg_word(a, "the account's id", &id, err) < 0)
		return -(int)err->code;
	q.path = path = cli_path("accounts", id, "/refresh");
	if (cli_request(c, &q, &r, err) < 0 || cli_settle(c, "accounts", &r, err) < 0)
		return -(int)err->code;
	cli_print_object(c, &r, fields);
	return 0;
}

static int del(struct cli *c, const struct cli_args *a, struct err *err)
{
	const char *id;

	if (arg_word(a, "the account's id", &id, err) < 0 || cli_delete(c, "accounts", id, err) < 0)
		return -(int)err->code;
	cli_print_done(c, "deleted; its certificates stay");
	return 0;
}

const struct cli_verb account_verbs[] = {
	{ "account", "register", "", do_register, register_options, "register an account at an authority" },
	{ "account", "list", "", list, list_options, "the accounts" },
	{ "account", "show", "ID", show, NULL, "one account" },
	{ "account", "rename", "ID", do_rename, rename_options, "call an account another name" },
	{ "account", "refresh", "ID", refresh, NULL, "ask the authority for the account's status" },
	{ "account", "delete", "ID", del, NULL, "delete an account here; its certificates stay" },
	{ 0 }
};
