/* SPDX-License-Identifier: Apache-2.0 */
/* jwk.c - see jwk.h. RFC 7517, RFC 7518 6, RFC 7638 3. */
#include "crypto/jwk.h"

#include "base/json.h"
#include "base/str.h"

#define JWK_MAX 8192

static const struct kind {
	const char *kty;
	const char *members[5]; /* required ones, in lexicographic order */
} kinds[] = {
	{ "EC", { "crv", "kty", "x", "y" } },
	{ "RSA", { "e", "kty", "n" } },
	{ "OKP", { "crv", "kty", "x" } },
};

static const char *const private_members[] = { "d", "p", "q", "dp", "dq", "qi", "oth", "k" };

static bool text_ok(const char *member, const char *s, size_t n)
{
	static const char *const curves[] = { "P-256", "P-384", "P-521", "Ed25519", "Ed448" };

	if (streq(member, "kty"))
		return true;
	if (!streq(member, "crv"))
		return n && str_is_base64url(s, n);
	for (size_t i = 0; i < ARRAY_SIZE(curves); i++)
		if (streq(s, curves[i]))
			return true;
	return false;
}

int jwk_canonical(const char *text, size_t n, char **ret, struct err *err)
{
	_cleanup_json_ json_t *doc = NULL, *out = NULL;
	const struct kind *kind = NULL;
	const char *kty;

	if (n > JWK_MAX)
		return err_set(err, ERR_TOO_LARGE, "JWK has more than %d bytes", JWK_MAX);
	if (json_parse(text, n, &doc, err) < 0)
		return err_wrap(err, "could not read JWK");
	kty = json_string_value(json_object_get(doc, "kty"));
	for (size_t i = 0; kty && i < ARRAY_SIZE(kinds); i++)
		if (streq(kty, kinds[i].kty))
			kind = &kinds[i];
	if (!kind)
		return err_set(err, ERR_INVALID, "JWK is of no known key type (RSA, EC, OKP)");
	for (size_t i = 0; i < ARRAY_SIZE(private_members); i++)
		if (json_object_get(doc, private_members[i]))
			return err_set(err, ERR_INVALID, "JWK holds a private member '%s'", private_members[i]);
	out = json_object();
	for (const char *const *m = kind->members; *m; m++) {
		const json_t *v = json_object_get(doc, *m); /* borrowed */

		if (!json_is_string(v) || !text_ok(*m, json_string_value(v), json_string_length(v)))
			return err_set(err, ERR_INVALID, "JWK has no usable member '%s'", *m);
		json_object_set_new(out, *m, json_string(json_string_value(v)));
	}
	*ret = json_text(out); /* members come out in the order they went in */
	return 0;
}

int jwk_thumbprint(const char *text, char ret[SHA256_B64], struct err *err)
{
	_cleanup_free_ char *canonical = NULL;

	if (jwk_canonical(text, strlen(text), &canonical, err) < 0)
		return -(int)err->code;
	sha256_base64url(canonical, strlen(canonical), ret);
	return 0;
}
