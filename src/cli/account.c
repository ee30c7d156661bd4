/* SPDX-License-Identifier: Apache-2.0 */
/* account.c - `account register | list | show | rename | set | refresh | contact | agree | rollover | deletion | delete`. */
#include "base/base64.h"
#include "base/file.h"
#include "cli/verb.h"
#include "net/url.h"

#include <stdio.h>

static const struct cli_column fields[] = {
	{ "Id", "id", 0 },	       { "Number", "num", 0 },	   { "Name", "name", 0 },	      { "Shown as", "label", 0 },
	{ "E-mail", "email", 0 },      { "Vendor", "vendor_title", 0 }, { "Status", "status", 0 },    { "Endpoint", "directory_url", 0 },
	{ "Account URL", "url", 0 },   { "EAB key id", "eab_kid", 0 }, { "EAB key bytes", "eab_bytes", 0 }, { "EAB key kept", "eab_held", 0 },
	{ "Terms", "tos_url", 0 },     { "Agreed at", "tos_agreed_at", 0 }, { "Costs money", "costs_money", 0 },
	{ "Automatic orders", "automatic_allowed", 0 }, { "Preferred issuer", "preferred_issuer", 0 }, { "Key is changing", "key_changing", 0 },
	{ "Asked at", "refreshed_at", 0 }, { "Created at", "created_at", 0 }, { 0 }
};

static const struct cli_option register_options[] = {
	{ "vendor", "NAME", "a vendor of `certwright vendor list`", false },
	{ "region", "KEY", "one of the vendor's regions (`certwright vendor show NAME`)", false },
	{ "directory", "URL", "the directory of any other authority, or a URL of the vendor", false },
	{ "email", "E", "contact address", false },
	{ "name", "TEXT", "how the account is called here", false },
	{ "agree-tos", NULL, "agree to the authority's terms of service", false },
	{ "terms", "URL", "the terms that were read; others are not agreed to", false },
	{ "eab-kid", "K", "external account: key id", false },
	{ "eab-hmac-file", "F", "external account: file with the HMAC key, as the vendor shows it", false },
	{ "eab-from-email", NULL, "ZeroSSL: ask for the external account by the e-mail address", false },
	{ "eab-access-key-file", "F", "ZeroSSL: ask for it by the access key in this file", false },
	{ "key-file", "F", "import: PEM file of an existing account's key; no account is made", false },
	{ "automatic", NULL, "automatic acts may order although the vendor charges", false },
	{ "connection", "FILE", "route, own CA, pin, private networks: the API's object as JSON", false },
	{ 0 }
};

static void put(json_t *body, const char *name, const char *value)
{
	if (value)
		json_object_set_new(body, name, json_string(value));
}

/* A file's text without the blanks around it: secrets never stand in arguments. */
static int put_file(json_t *body, const char *name, const struct cli_args *a, const char *option, size_t max, struct err *err)
{
	_cleanup_secret_ struct secret s = { 0 };

	if (!arg_has(a, option))
		return 0;
	if (file_read_secret(arg(a, option), max, &s, err) < 0)
		return err_wrap(err, "could not read --%s", option);
	if (json_object_set_new(body, name, json_stringn((const char *)s.p, s.n)) < 0)
		return err_set(err, ERR_INVALID, "--%s is not a text file", option);
	return 0;
}

/* "null" is JSON null: as the server's configuration says. */
static int put_connection(json_t *body, const struct cli_args *a, struct err *err)
{
	_cleanup_buf_ struct buf text = BUF_MAX(128 * 1024);
	json_t *doc = NULL;

	if (!arg_has(a, "connection"))
		return 0;
	if (streq(arg(a, "connection"), "null"))
		return json_object_set_new(body, "connection", json_null());
	if (file_read(arg(a, "connection"), &text, err) < 0 || json_parse(buf_text(&text), text.n, &doc, err) < 0)
		return err_wrap(err, "could not read the connection");
	return json_object_set_new(body, "connection", doc);
}

/* Vendors hand the HMAC key out in four spellings; its length tells whether it was pasted whole. */
static void show_length(const struct cli *c, const json_t *hmac)
{
	_cleanup_buf_wipe_ struct buf mac = BUF_MAX(1024);
	_cleanup_err_ struct err ignored = ERR_INIT;

	if (hmac && !c->quiet && !c->json && base64_decode_any(&mac, json_string_value(hmac), json_string_length(hmac), &ignored) == 0)
		fprintf(stderr, "HMAC key: %zu bytes\n", mac.n);
}

static int do_register(struct cli *c, const struct cli_args *a, struct err *err)
{
	_cleanup_json_ json_t *body = json_object();
	_cleanup_answer_ struct cli_answer r = { 0 };
	struct cli_call q = { .method = HTTP_POST, .path = "/accounts", .body = body, .create = true };

	if (arg_no_words(a, err) < 0)
		return -(int)err->code;
	if (!arg_has(a, "vendor") && !arg_has(a, "directory"))
		return err_set(err, ERR_INVALID, "give --vendor NAME or --directory URL");
	if (arg_has(a, "eab-kid") != arg_has(a, "eab-hmac-file"))
		return err_set(err, ERR_INVALID, "--eab-kid and --eab-hmac-file belong together");
	if (put_file(body, "eab_hmac_key", a, "eab-hmac-file", 1024, err) < 0 ||
	    put_file(body, "eab_access_key", a, "eab-access-key-file", 512, err) < 0 ||
	    put_file(body, "account_key", a, "key-file", 16384, err) < 0 || put_connection(body, a, err) < 0)
		return -(int)err->code;
	show_length(c, json_object_get(body, "eab_hmac_key"));
	if (arg_has(a, "eab-access-key-file") || arg_has(a, "eab-from-email"))
		json_object_set_new(body, "eab_from", json_string(arg_has(a, "eab-from-email") ? "email" : "access-key"));
	if (arg_has(a, "automatic"))
		json_object_set_new(body, "automatic", json_true());
	put(body, "region", arg(a, "region"));
	put(body, "terms_url", arg(a, "terms"));
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
	{ "q", "TEXT", "a part of the name, the e-mail address, the directory URL or the key id", false },
	{ "vendor", "KEY", "only accounts of this vendor", false },
	{ "status", "S", "registering, valid or invalid", false },
	CLI_SORT,
	CLI_PAGING,
	{ 0 }
};

static int list(struct cli *c, const struct cli_args *a, struct err *err)
{
	static const struct cli_column columns[] = { { "NUM", "num", 0 },	{ "ID", "id", 0 },	{ "E-MAIL", "email", 40 }, { "VENDOR", "vendor_title", 30 },
						     { "NAME", "name", 40 }, { "KEY ID", "eab_kid", 40 }, { "STATUS", "status", 0 }, { "ENDPOINT", "directory_url", 60 }, { "CREATED AT", "created_at", 0 }, { 0 } };

	return cli_list(c, a, "/accounts", (const char *const[]){ "q", "vendor", "status", "sort", NULL }, columns, err);
}

static int show(struct cli *c, const struct cli_args *a, struct err *err)
{
	return cli_show(c, a, "the account's id", "accounts", fields, err);
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

/* A POST below the account that the authority is asked with. */
static int ask(struct cli *c, const struct cli_args *a, const char *tail, json_t *body, struct err *err)
{
	_cleanup_answer_ struct cli_answer r = { 0 };
	_cleanup_free_ char *path = NULL;
	struct cli_call q = { .method = HTTP_POST, .body = body };
	const char *id;

	if (arg_word(a, "the account's id", &id, err) < 0)
		return -(int)err->code;
	q.path = path = cli_path("accounts", id, tail);
	if (cli_request(c, &q, &r, err) < 0 || cli_settle(c, "accounts", &r, err) < 0)
		return -(int)err->code;
	cli_print_object(c, &r, fields);
	return 0;
}

static int refresh(struct cli *c, const struct cli_args *a, struct err *err)
{
	return ask(c, a, "/refresh", NULL, err);
}

static int rollover(struct cli *c, const struct cli_args *a, struct err *err)
{
	return ask(c, a, "/rollover", NULL, err);
}

static const struct cli_option contact_options[] = { { "email", "E", "the new contact address, \"\" for none", false }, { 0 } };

static int contact(struct cli *c, const struct cli_args *a, struct err *err)
{
	_cleanup_json_ json_t *body = json_object();

	if (!arg_has(a, "email"))
		return err_set(err, ERR_INVALID, "--email E is missing");
	put(body, "email", arg(a, "email"));
	return ask(c, a, "/contact", body, err);
}

static const struct cli_option agree_options[] = { { "terms", "URL", "the terms that were read; others are not agreed to", false }, { 0 } };

static int agree(struct cli *c, const struct cli_args *a, struct err *err)
{
	_cleanup_json_ json_t *body = json_object();

	put(body, "terms_url", arg(a, "terms"));
	return ask(c, a, "/agree", body, err);
}

static const struct cli_option set_options[] = {
	{ "automatic", "yes|no", "whether automatic acts may order although the vendor charges", false },
	{ "preferred-issuer", "NAME", "issuer of the chain to keep where there are several, \"\" for the authority's choice", false },
	{ "connection", "FILE|null", "route, own CA, pin, private networks: the API's object as JSON; null for none", false },
	{ 0 }
};

static int set(struct cli *c, const struct cli_args *a, struct err *err)
{
	_cleanup_json_ json_t *body = json_object();
	_cleanup_answer_ struct cli_answer r = { 0 };
	const char *id;

	if (arg_word(a, "the account's id", &id, err) < 0)
		return -(int)err->code;
	if (arg_has(a, "automatic") && !streq(arg(a, "automatic"), "yes") && !streq(arg(a, "automatic"), "no"))
		return err_set(err, ERR_INVALID, "--automatic is yes or no");
	if (arg_has(a, "automatic"))
		json_object_set_new(body, "automatic", json_boolean(streq(arg(a, "automatic"), "yes")));
	put(body, "preferred_issuer", arg(a, "preferred-issuer"));
	if (put_connection(body, a, err) < 0)
		return -(int)err->code;
	if (!json_object_size(body))
		return err_set(err, ERR_INVALID, "nothing to set: give --automatic, --preferred-issuer or --connection");
	if (cli_patch(c, "accounts", id, body, &r, err) < 0)
		return -(int)err->code;
	cli_print_object(c, &r, fields);
	return 0;
}

/* ---- deleting ---- */

static int deletion(struct cli *c, const struct cli_args *a, struct err *err)
{
	static const struct cli_column what[] = {
		{ "Account", "label", 0 }, { "Orders that become invisible", "orders", 0 }, { "of them live, ended first", "live_orders", 0 },
		{ "Certificates that stay", "certificates", 0 }, { "of them no longer renewed", "renewed", 0 }, { 0 }
	};
	static const struct cli_column orders[] = { { "ORDER", "num", 0 }, { "NAMES", "display_names", 60 }, { "STAGE", "stage", 0 }, { 0 } };
	static const struct cli_column certificates[] = { { "CERTIFICATE", "num", 0 }, { "NAMES", "display_names", 60 }, { "RENEWED", "renewed", 0 },
							  { "NOT AFTER", "not_after", 0 }, { 0 } };
	_cleanup_answer_ struct cli_answer r = { 0 };
	_cleanup_free_ char *path = NULL;
	const char *id;

	if (arg_word(a, "the account's id", &id, err) < 0)
		return -(int)err->code;
	path = cli_path("accounts", id, "/deletion");
	if (cli_get(c, path, &r, err) < 0)
		return -(int)err->code;
	cli_print_object(c, &r, what);
	if (!c->json && json_array_size(json_object_get(r.doc, "live")))
		cli_print_rows(json_object_get(r.doc, "live"), orders, "");
	if (!c->json && json_array_size(json_object_get(r.doc, "certificate_list")))
		cli_print_rows(json_object_get(r.doc, "certificate_list"), certificates, "");
	return 0;
}

static const struct cli_option delete_options[] = {
	{ "takeover", "ID|none", "the account that renews its certificates from now on; none: they are not renewed any more", false },
	{ "deactivate", NULL, "close the account at the authority too, for good", false },
	{ "destroy-key", NULL, "destroy its key now: nothing it issued can be revoked by it any more", false },
	{ 0 }
};

static int del(struct cli *c, const struct cli_args *a, struct err *err)
{
	_cleanup_buf_ struct buf query = BUF_MAX(256);
	const char *id, *takeover = arg(a, "takeover");

	if (arg_word(a, "the account's id", &id, err) < 0)
		return -(int)err->code;
	buf_add_str(&query, "?authority=");
	buf_add_str(&query, arg_has(a, "deactivate") ? "deactivate" : "keep");
	buf_add_str(&query, arg_has(a, "destroy-key") ? "&key=destroy" : "&key=keep");
	if (takeover) {
		buf_add_str(&query, "&takeover=");
		url_escape(&query, takeover, MIN(strlen(takeover), 64));
	}
	if (cli_delete_with(c, "accounts", id, buf_text(&query), err) < 0)
		return -(int)err->code;
	cli_print_done(c, "deleted; its certificates stay");
	return 0;
}

const struct cli_verb account_verbs[] = {
	{ "account", "register", "", do_register, register_options, "register an account at an authority, or import one by its key" },
	{ "account", "list", "", list, list_options, "the accounts" },
	{ "account", "show", "ID", show, NULL, "one account" },
	{ "account", "rename", "ID", do_rename, rename_options, "call an account another name" },
	{ "account", "set", "ID", set, set_options, "whether it may be ordered from automatically; its preferred issuer" },
	{ "account", "refresh", "ID", refresh, NULL, "ask the authority for the account's status" },
	{ "account", "contact", "ID", contact, contact_options, "change the e-mail address at the authority" },
	{ "account", "agree", "ID", agree, agree_options, "agree to the authority's present terms of service" },
	{ "account", "rollover", "ID", rollover, NULL, "give the account a new key" },
	{ "account", "deletion", "ID", deletion, NULL, "what deleting the account would do" },
	{ "account", "delete", "ID", del, delete_options, "delete an account here; its certificates stay" },
	{ 0 }
};
