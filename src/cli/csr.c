/* SPDX-License-Identifier: Apache-2.0 */
/* csr.c - `csr create | upload | list | show | delete`. */
#include "base/base64.h"
#include "base/file.h"
#include "base/limits.h"
#include "cli/verb.h"

#include <stdio.h>

static const struct cli_column fields[] = {
	{ "Id", "id", 0 },	     { "Number", "num", 0 },   { "Source", "source", 0 },	  { "Names", "display_names", 0 },
	{ "Subject", "subject", 0 }, { "Key", "key_type", 0 }, { "Key kept here", "has_key", 0 }, { "Made for order", "made_for_order", 0 },
	{ "Created at", "created_at", 0 }, { 0 }
};

static const struct cli_option create_options[] = {
	{ "name", "N", "a DNS name of the certificate", true },
	{ "key", "TYPE", "p256 (default), p384, rsa2048, rsa3072, rsa4096", false },
	{ "org", "TEXT", "organisation", false },
	{ "ou", "TEXT", "organisational unit", false },
	{ "country", "CC", "two letters", false },
	{ "state", "TEXT", "state or province", false },
	{ "locality", "TEXT", "city", false },
	{ 0 }
};

static int create(struct cli *c, const struct cli_args *a, struct err *err)
{
	static const char *const texts[][2] = { { "key", "key_type" }, { "org", "organization" }, { "ou", "organizational_unit" },
						{ "country", "country" }, { "state", "state" }, { "locality", "locality" } };
	_cleanup_strlist_ struct strlist names = { 0 };
	_cleanup_json_ json_t *body = json_object();
	_cleanup_answer_ struct cli_answer r = { 0 };
	struct cli_call q = { .method = HTTP_POST, .path = "/csrs", .body = body, .create = true };

	if (arg_no_words(a, err) < 0)
		return -(int)err->code;
	arg_list(a, "name", &names);
	if (!names.n)
		return err_set(err, ERR_INVALID, "at least one --name is needed");
	json_object_set_new(body, "names", json_strlist(&names));
	for (size_t i = 0; i < ARRAY_SIZE(texts); i++)
		if (arg(a, texts[i][0]))
			json_object_set_new(body, texts[i][1], json_string(arg(a, texts[i][0])));
	if (cli_request(c, &q, &r, err) < 0 || cli_settle(c, "csrs", &r, err) < 0)
		return -(int)err->code;
	cli_print_object(c, &r, fields);
	return 0;
}

/* DER (it begins with a SEQUENCE) as PEM, which is what the API takes. */
static void to_pem(struct buf *b)
{
	_cleanup_buf_ struct buf text = BUF_MAX(2 * LIMIT_CSR);
	struct buf pem = BUF_MAX(2 * LIMIT_CSR);

	if (!b->n || *buf_text(b) != 0x30)
		return;
	base64_encode(&text, buf_text(b), b->n);
	buf_add_str(&pem, "-----BEGIN CERTIFICATE REQUEST-----\n");
	for (size_t at = 0; at < text.n; at += 64) {
		buf_add(&pem, buf_text(&text) + at, MIN((size_t)64, text.n - at));
		buf_add_str(&pem, "\n");
	}
	buf_add_str(&pem, "-----END CERTIFICATE REQUEST-----\n");
	buf_done(b);
	*b = pem;
}

static int read_csr(const struct cli_args *a, json_t **ret, struct err *err)
{
	_cleanup_buf_ struct buf pem = BUF_MAX(LIMIT_CSR);
	const char *file;

	if (arg_word(a, "the CSR's file", &file, err) < 0 || file_read(file, &pem, err) < 0)
		return -(int)err->code;
	to_pem(&pem);
	*ret = json_pack("{s:s%}", "pem", buf_text(&pem), pem.n);
	return *ret ? 0 : err_set(err, ERR_INVALID, "'%s' is not a CSR in PEM form", file);
}

static int upload(struct cli *c, const struct cli_args *a, struct err *err)
{
	_cleanup_json_ json_t *body = NULL;
	_cleanup_answer_ struct cli_answer r = { 0 };
	struct cli_call q = { .method = HTTP_POST, .path = "/csrs/upload", .create = true };

	if (read_csr(a, &body, err) < 0)
		return -(int)err->code;
	q.body = body;
	if (cli_request(c, &q, &r, err) < 0)
		return -(int)err->code;
	cli_print_object(c, &r, fields);
	return 0;
}

static const struct cli_option list_options[] = {
	{ "name", "TEXT", "only CSRs with this text in one of their names, at least three characters", false },
	{ "key-type", "TYPE", "only CSRs with such a key", false },
	CLI_SORT,
	CLI_PAGING,
	{ 0 }
};

static int list(struct cli *c, const struct cli_args *a, struct err *err)
{
	static const struct cli_column columns[] = { { "NUM", "num", 0 },  { "ID", "id", 0 },	     { "NAMES", "display_names", 50 }, { "KEY", "key_type", 0 },
						     { "KEPT", "has_key", 0 }, { "SOURCE", "source", 0 }, { "CREATED AT", "created_at", 0 },   { 0 } };

	return cli_list(c, a, "/csrs", (const char *const[]){ "name", "key_type", "sort", NULL }, columns, err);
}

static int show(struct cli *c, const struct cli_args *a, struct err *err)
{
	_cleanup_answer_ struct cli_answer r = { 0 };
	const char *pem;

	if (cli_read(c, a, "the CSR's id", "csrs", &r, err) < 0)
		return -(int)err->code;
	cli_print_object(c, &r, fields);
	pem = json_string_value(json_object_get(r.doc, "pem"));
	if (!c->json && pem && str_starts(pem, "-----BEGIN CERTIFICATE REQUEST-----"))
		printf("\n%s", pem);
	return 0;
}

static int del(struct cli *c, const struct cli_args *a, struct err *err)
{
	return cli_remove(c, a, "the CSR's id", "csrs", err);
}

static const struct cli_option check_options[] = {
	{ "vendor", "NAME", "the vendor whose rules are applied, custom for those that hold everywhere", false },
	{ "profile", "NAME", "one of its profiles", false },
	{ 0 }
};

static void print_findings(const struct cli *c, const struct cli_answer *r, bool judged)
{
	static const struct cli_column columns[] = { { "WOULD BE REFUSED", "text", 0 }, { "WHAT TO DO", "hint", 0 }, { 0 } };
	static const struct cli_column extras[] = { { "THE AUTHORITY WILL IGNORE THIS", "text", 0 }, { 0 } };

	if (c->json) {
		cli_print_json(r);
		return;
	}
	if (json_array_size(json_object_get(r->doc, "findings")))
		cli_print_rows(json_object_get(r->doc, "findings"), columns, "");
	else if (judged)
		cli_print_done(c, "nothing that this vendor is known to refuse");
	if (json_array_size(json_object_get(r->doc, "ignored"))) {
		printf("\n");
		cli_print_rows(json_object_get(r->doc, "ignored"), extras, "");
	}
}

/* A file that is not uploaded: read as the authority will read it. */
static int lint(struct cli *c, const struct cli_args *a, struct err *err)
{
	static const struct cli_column read[] = { { "Names", "display_names", 0 }, { "Subject", "subject", 0 }, { "Key", "key_type", 0 },
						    { "Must staple", "must_staple", 0 }, { "Common name only", "common_name_only", 0 }, { 0 } };
	_cleanup_json_ json_t *body = NULL;
	_cleanup_answer_ struct cli_answer r = { 0 };
	struct cli_call q = { .method = HTTP_POST, .path = "/csrs/lint" };

	if (read_csr(a, &body, err) < 0)
		return -(int)err->code;
	if (arg_has(a, "vendor"))
		json_object_set_new(body, "vendor", json_string(arg(a, "vendor")));
	if (arg_has(a, "profile"))
		json_object_set_new(body, "profile", json_string(arg(a, "profile")));
	q.body = body;
	if (cli_request(c, &q, &r, err) < 0)
		return -(int)err->code;
	if (!c->json) {
		cli_print_fields(r.doc, read);
		printf("\n");
	}
	print_findings(c, &r, arg_has(a, "vendor"));
	return 0;
}

static int check(struct cli *c, const struct cli_args *a, struct err *err)
{
	static const char *const filters[] = { "vendor", "profile", NULL };
	_cleanup_free_ char *path = NULL, *with = NULL;
	_cleanup_answer_ struct cli_answer r = { 0 };
	const char *id;

	if (arg_word(a, "the CSR's id", &id, err) < 0)
		return -(int)err->code;
	if (!arg_has(a, "vendor"))
		return err_set(err, ERR_INVALID, "--vendor NAME is missing");
	path = cli_path("csrs", id, "/check");
	with = cli_list_path(c, path, filters);
	if (cli_get(c, with, &r, err) < 0)
		return -(int)err->code;
	print_findings(c, &r, true);
	return 0;
}

const struct cli_verb csr_verbs[] = {
	{ "csr", "create", "", create, create_options, "make a key and a CSR; the key stays with Certwright" },
	{ "csr", "upload", "FILE", upload, NULL, "take a CSR made elsewhere" },
	{ "csr", "list", "", list, list_options, "the CSRs" },
	{ "csr", "show", "ID", show, NULL, "one CSR, decoded, with its PEM text" },
	{ "csr", "lint", "FILE", lint, check_options, "a CSR made elsewhere as the authority will read it, before it is uploaded" },
	{ "csr", "check", "ID", check, check_options, "what a vendor would refuse in a CSR" },
	{ "csr", "delete", "ID", del, NULL, "delete a CSR that nothing live uses" },
	{ 0 }
};
