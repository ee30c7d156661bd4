/* SPDX-License-Identifier: Apache-2.0 */
/* certificate.c - `certificate list | show | export | delete`. */
#include "base/file.h"
#include "base/limits.h"
#include "cli/verb.h"

#include <stdio.h>
#include <unistd.h>

static const struct cli_column fields[] = {
	{ "Id", "id", 0 },	   { "Number", "num", 0 },	 { "Names", "display_names", 0 }, { "Status", "status", 0 },	 { "Health", "health", 0 },
	{ "Subject", "subject", 0 }, { "Issuer", "issuer", 0 }, { "Serial", "serial", 0 },	 { "Key", "key_type", 0 },	  { "Key kept here", "has_key", 0 }, { "Source", "source", 0 },
	{ "Vendor", "vendor_title", 0 }, { "Not before", "not_before", 0 }, { "Not after", "not_after", 0 }, { "Renewed at", "renew_at", 0 },
	{ "Managed", "managed", 0 }, { "Owner", "owner", 0 }, { "Tags", "tags", 0 }, { "Notes", "notes", 0 }, { "SHA-256", "fingerprint", 0 }, { "SHA-1", "sha1", 0 },
	{ "Last handed to", "fetched_by", 0 }, { "Handed out at", "fetched_at", 0 }, { "Order", "order_id", 0 }, { "Created at", "created_at", 0 }, { 0 }
};

static const struct cli_option list_options[] = {
	{ "q", "SEARCH", "only those it finds: \"expires<14d tag:prod name:*.example.com\"; docs/admin/inventory.md", false },
	{ "sort", "BY", "created (newest first), expires (first to expire first), name, issuer, owner, status or issued (issued last first); a search goes by the first two", false },
	CLI_PAGING,
	{ 0 }
};

static int list(struct cli *c, const struct cli_args *a, struct err *err)
{
	static const struct cli_column columns[] = { { "NUM", "num", 0 },	  { "ID", "id", 0 },	    { "NAMES", "display_names", 50 },
						     { "HEALTH", "health", 0 },	  { "KEY", "key_type", 0 }, { "ISSUER", "issuer", 40 },
						     { "NOT AFTER", "not_after", 0 }, { 0 } };
	static const char *const filters[] = { "sort", "q", NULL };

	return cli_list(c, a, "/certificates", filters, columns, err);
}

static int show(struct cli *c, const struct cli_args *a, struct err *err)
{
	static const struct cli_column versions[] = { { "STATE", "state", 0 }, { "SERIAL", "serial", 0 }, { "SUBJECT", "subject", 40 }, { "ISSUER", "issuer", 40 },
						      { "NOT BEFORE", "not_before", 0 }, { "NOT AFTER", "not_after", 0 }, { 0 } };
	_cleanup_answer_ struct cli_answer r = { 0 };

	if (cli_read(c, a, "the certificate's id", "certificates", &r, err) < 0)
		return -(int)err->code;
	cli_print_object(c, &r, fields);
	if (!c->json && json_array_size(json_object_get(r.doc, "versions"))) {
		printf("\nVersions\n");
		cli_print_rows(json_object_get(r.doc, "versions"), versions, "  ");
	}
	return 0;
}

static const struct cli_option export_options[] = {
	{ "format", "F", "pem (the certificate), chain, fullchain (default), der, pkcs12, pkcs12-legacy, zip", false },
	{ "with-key", NULL, "with the private key; needs the permission key-export and --reason", false },
	{ "reason", "TEXT", "why the key leaves, for the audit", false },
	{ "password-file", "FILE", "the password of a PKCS#12 file, on its first line", false },
	{ "out", "FILE", "where to (0600 with a key); default: standard output", false },
	{ 0 }
};

static int export(struct cli *c, const struct cli_args *a, struct err *err)
{
	const char *format = arg(a, "format") ? arg(a, "format") : "fullchain", *out = arg(a, "out"), *id;
	const char *password_file = arg(a, "password-file");
	_cleanup_buf_wipe_ struct buf password = BUF_MAX(1024);
	bool with_key = arg_has(a, "with-key"), text = streq(format, "pem") || streq(format, "chain") || streq(format, "fullchain");
	_cleanup_json_ json_t *body = NULL;
	_cleanup_answer_ struct cli_answer r = { 0 };
	_cleanup_free_ char *path = NULL;
	struct cli_call q = { .method = HTTP_POST };

	if (arg_word(a, "the certificate's id", &id, err) < 0)
		return -(int)err->code;
	if (!out && isatty(STDOUT_FILENO) && (with_key || streq(format, "der") || streq(format, "zip")))
		return err_set(err, ERR_INVALID, "%s does not belong on a terminal: give --out FILE", with_key ? "a private key" : "DER");
	body = json_pack("{s:s, s:b}", "format", format, "with_key", with_key);
	if (!body)
		return err_set(err, ERR_INVALID, "--format is not UTF-8 text");
	if (arg(a, "reason"))
		json_object_set_new(body, "reason", json_string(arg(a, "reason")));
	if (password_file && file_read(password_file, &password, err) < 0)
		return -(int)err->code;
	if (password_file)
		json_object_set_new(body, "password", json_stringn(buf_text(&password), strcspn(buf_text(&password), "\r\n")));
	q.body = body;
	q.path = path = cli_path("certificates", id, "/export");
	if (cli_request(c, &q, &r, err) < 0)
		return -(int)err->code;
	return cli_hand_out(c, out, text ? format : NULL, &r.http.body, with_key, err);
}

static int del(struct cli *c, const struct cli_args *a, struct err *err)
{
	const char *id;

	if (arg_word(a, "the certificate's id", &id, err) < 0 || cli_delete(c, "certificates", id, err) < 0)
		return -(int)err->code;
	cli_print_done(c, "taken off the inventory; nothing is revoked");
	return 0;
}

const struct cli_verb certificate_verbs[] = {
	{ "certificate", "list", "", list, list_options, "every certificate" },
	{ "certificate", "show", "ID", show, NULL, "one certificate with its versions" },
	{ "certificate", "export", "ID", export, export_options, "hand out a certificate, with its key if allowed" },
	{ "certificate", "delete", "ID", del, NULL, "take a certificate off the inventory; nothing is revoked" },
	{ 0 }
};
