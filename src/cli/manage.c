/* SPDX-License-Identifier: Apache-2.0 */
/* manage.c - `certificate manage`: a certificate is renewed from here from now on. */
#include "cli/verb.h"

#include <stdio.h>

static const struct cli_option manage_options[] = {
	{ "account", "ID", "the account that renews it", false },
	{ "validation", "TYPE", "dns-01 or http-01", false },
	{ "dns", "HOW", "dns-01, all names: delegation, manual, or a provider's id; default: rules, then a delegation, then manual", false },
	{ "http", "HOW", "http-01, all names: builtin, manual, or a provider's id; default: rules, then builtin", false },
	{ "method", "NAME=HOW", "how this one name is proved, whatever is said for all", true },
	{ "profile", "NAME", "certificate profile of the authority", false },
	{ "key", "POLICY", "new: a new key, kept here, at each renewal; reuse: the key it has", false },
	{ "csr", "ID", "of reuse, when the key is elsewhere: a CSR made with it", false },
	{ "key-type", "TYPE", "of new keys: p256, p384, rsa2048, rsa3072, rsa4096; default: as it is", false },
	{ "preview", NULL, "how each name would be proved, and who decides; nothing is changed", false },
	{ 0 }
};

static int body_of(const struct cli_args *a, const char *const (*texts)[2], size_t n, json_t *body, struct err *err)
{
	for (size_t i = 0; i < n; i++)
		if (arg(a, texts[i][0]) && json_object_set_new(body, texts[i][1], json_string(arg(a, texts[i][0]))) < 0)
			return err_set(err, ERR_INVALID, "--%s is not UTF-8 text", texts[i][0]);
	return cli_take_methods(a, body, err);
}

static int look(struct cli *c, const struct cli_args *a, const char *path, struct err *err)
{
	static const char *const texts[][2] = { { "account", "account_id" }, { "validation", "validation" }, { "dns", "dns" }, { "http", "http" } };
	_cleanup_json_ json_t *body = json_object();
	_cleanup_answer_ struct cli_answer r = { 0 };

	if (cli_get(c, path, &r, err) < 0 || body_of(a, texts, ARRAY_SIZE(texts), body, err) < 0)
		return -(int)err->code;
	json_object_set(body, "names", json_object_get(r.doc, "names"));
	return cli_preview(c, body, err);
}

static int manage(struct cli *c, const struct cli_args *a, struct err *err)
{
	static const char *const texts[][2] = { { "account", "account_id" }, { "validation", "validation" }, { "dns", "dns" }, { "http", "http" },
						{ "profile", "profile" }, { "key", "key" }, { "csr", "csr_id" }, { "key-type", "key_type" } };
	static const struct cli_column fields[] = { { "Id", "id", 0 }, { "Number", "num", 0 }, { "Names", "display_names", 0 }, { "Managed", "managed", 0 },
						    { "Vendor", "vendor_title", 0 }, { "Validation", "validation", 0 }, { "Not after", "not_after", 0 },
						    { "Renewed at", "renew_at", 0 }, { 0 } };
	static const char *const needed[] = { "account", "validation", "key" };
	_cleanup_json_ json_t *body = json_object();
	_cleanup_answer_ struct cli_answer r = { 0 };
	_cleanup_free_ char *path = NULL, *one = NULL;
	struct cli_call q = { .method = HTTP_POST, .body = body };
	const char *id;

	if (arg_word(a, "the certificate's id", &id, err) < 0)
		return -(int)err->code;
	for (size_t i = 0; i < ARRAY_SIZE(needed); i++)
		if (!arg(a, needed[i]) && !(arg_has(a, "preview") && i != 1))
			return err_set(err, ERR_INVALID, "--%s is missing", needed[i]);
	one = cli_path("certificates", id, "");
	if (arg_has(a, "preview"))
		return look(c, a, one, err);
	if (body_of(a, texts, ARRAY_SIZE(texts), body, err) < 0)
		return -(int)err->code;
	q.path = path = cli_path("certificates", id, "/manage");
	if (cli_request(c, &q, &r, err) < 0)
		return -(int)err->code;
	cli_print_object(c, &r, fields);
	return 0;
}

const struct cli_verb manage_verbs[] = {
	{ "certificate", "manage", "ID", manage, manage_options, "renew it from here: account, validation, and whether its key is used again" },
	{ 0 }
};
