/* SPDX-License-Identifier: Apache-2.0 */
/* jose.c - what keys/ signs, judged by libjose: JWS of each kind of key, external account binding, key change, thumbprints. */
#include "base/base64.h"
#include "base/json.h"
#include "rig.h"

#include <jose/jwk.h>
#include <jose/jws.h>

bool rig_separate;

static json_t *parse(const char *text)
{
	struct err err = ERR_INIT;
	json_t *j = NULL;

	ASSERT_OK(json_parse(text, strlen(text), &j, &err), &err);
	return j;
}

/* The decoded member of a JWS, as text owned by the caller. */
static char *member_text(const json_t *jws, const char *member)
{
	const json_t *v = json_object_get(jws, member);
	struct buf b = BUF_MAX(65536);
	struct err err = ERR_INIT;

	ASSERT_TRUE(json_is_string(v));
	ASSERT_OK(base64url_decode(&b, json_string_value(v), json_string_length(v), &err), &err);
	return buf_take(&b);
}

/* The header, after libjose has verified the signature by the key. */
static json_t *verified_head(const char *jws_text, const char *jwk_text)
{
	_cleanup_json_ json_t *jws = parse(jws_text), *jwk = parse(jwk_text);
	_cleanup_free_ char *head = NULL;

	ASSERT_INT(json_object_size(jws), 3);
	ASSERT_TRUE(jose_jws_ver(NULL, jws, NULL, jwk, false));
	head = member_text(jws, "protected");
	return parse(head);
}

static const char *text_of(const json_t *j, const char *member)
{
	return json_string_value(json_object_get(j, member));
}

static void libjose_verifies_what_every_kind_of_key_signs(void **state)
{
	static const struct {
		enum key_type type;
		const char *alg;
	} cases[] = { { KEY_P256, "ES256" }, { KEY_P384, "ES384" }, { KEY_RSA2048, "RS256" }, { KEY_RSA3072, "RS256" } };
	_cleanup_rig_ struct rig r = rig_new();

	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		_cleanup_key_made_ struct key_made m = make(&r, KEY_ACCOUNT, cases[i].type, ID);
		struct jws_request q = { handle(&m, ID), "https://ca.example/acme/new", "bm9uY2Ux", "https://ca.example/acct/1", "{\"a\":\"ü\"}" };
		_cleanup_json_ json_t *head = NULL, *jws = NULL, *jwk = parse(m.jwk), *thumb = NULL;
		_cleanup_free_ char *out = NULL, *payload = NULL;

		ASSERT_OK(keys_sign_jws(r.keys, &q, &out, &r.err), &r.err);
		head = verified_head(out, m.jwk);
		ASSERT_INT(json_object_size(head), 4);
		ASSERT_STR(text_of(head, "alg"), cases[i].alg);
		ASSERT_STR(text_of(head, "kid"), q.kid);
		ASSERT_STR(text_of(head, "nonce"), q.nonce);
		ASSERT_STR(text_of(head, "url"), q.url);
		jws = parse(out);
		payload = member_text(jws, "payload");
		ASSERT_STR(payload, q.payload);
		thumb = jose_jwk_thp(NULL, jwk, "S256");
		ASSERT_STR(json_string_value(thumb), m.thumbprint);
	}
}

static void short_numbers_are_padded(void **state)
{
	_cleanup_rig_ struct rig r = rig_new();
	unsigned zero_x = 0, zero_r = 0;

	for (unsigned i = 0; i < 400; i++) {
		_cleanup_key_made_ struct key_made m = make(&r, KEY_ACCOUNT, KEY_P256, ID);
		struct jws_request q = { handle(&m, ID), DIRECTORY, "bm9uY2Ux", NULL, "" };
		_cleanup_json_ json_t *head = NULL, *jwk = parse(m.jwk), *jws = NULL;
		_cleanup_free_ char *out = NULL, *x = NULL, *sig = NULL;

		ASSERT_OK(keys_sign_jws(r.keys, &q, &out, &r.err), &r.err);
		head = verified_head(out, m.jwk);
		ASSERT_TRUE(json_equal(json_object_get(head, "jwk"), jwk));
		ASSERT_TRUE(!json_object_get(head, "kid"));
		jws = parse(out);
		ASSERT_STR(text_of(jws, "payload"), "");
		ASSERT_INT(strlen(text_of(jws, "signature")), 86);
		ASSERT_INT(strlen(text_of(jwk, "x")), 43);
		ASSERT_INT(strlen(text_of(jwk, "y")), 43);
		x = member_text(jwk, "x");
		sig = member_text(jws, "signature");
		zero_x += !x[0];
		zero_r += !sig[0];
	}
	print_message("of 400 keys and signatures, %u and %u began with a zero byte\n", zero_x, zero_r);
}

static void a_changed_request_is_noticed_by_libjose(void **state)
{
	_cleanup_rig_ struct rig r = rig_new();
	_cleanup_key_made_ struct key_made m = make(&r, KEY_ACCOUNT, KEY_P256, ID);
	struct jws_request q = { handle(&m, ID), DIRECTORY, "bm9uY2Ux", NULL, "{}" };
	_cleanup_json_ json_t *jws = NULL, *jwk = parse(m.jwk);
	_cleanup_free_ char *out = NULL;

	ASSERT_OK(keys_sign_jws(r.keys, &q, &out, &r.err), &r.err);
	jws = parse(out);
	json_object_set_new(jws, "payload", json_string("e30x"));
	ASSERT_FALSE(jose_jws_ver(NULL, jws, NULL, jwk, false));
}

static void bad_requests_are_not_signed(void **state)
{
	_cleanup_rig_ struct rig r = rig_new();
	_cleanup_key_made_ struct key_made m = make(&r, KEY_ACCOUNT, KEY_P256, ID);
	static const struct {
		const char *nonce, *kid, *payload;
	} cases[] = {
		{ "", NULL, "" }, { NULL, NULL, "" }, { "a b", NULL, "" }, { "a\"b", NULL, "" },
		{ "bm9uY2Ux", "", "" }, { "bm9uY2Ux", "a\nb", "" }, { "bm9uY2Ux", NULL, NULL },
	};

	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		struct jws_request q = { handle(&m, ID), DIRECTORY, cases[i].nonce, cases[i].kid, cases[i].payload };
		char *out = NULL;

		ASSERT_FAILS(keys_sign_jws(r.keys, &q, &out, &r.err), &r.err, ERR_INVALID);
	}
}

static struct key_handle sealed_hmac(struct rig *r, const char *text, unsigned char **ret)
{
	const struct key_place to = { "account", ID, "eab_sealed" };
	_cleanup_secret_ struct secret s = secret_from(text);
	size_t n;

	ASSERT_OK(keys_seal(r->keys, &s, &to, ret, &n, &r->err), &r->err);
	return (struct key_handle){ "account", ID, "eab_sealed", *ret, n };
}

static void external_account_binding_verifies(void **state)
{
	static const char hmac_text[] = "zWNDZM6eQGHWpSRTPal5eIUYFTu7EajVIoguysqZ9wG44nMEtx3MUAsUDkMTQ12W"; /* RFC 8739's example */
	_cleanup_rig_ struct rig r = rig_new();
	_cleanup_key_made_ struct key_made m = make(&r, KEY_ACCOUNT, KEY_P256, ID);
	_cleanup_free_ unsigned char *sealed = NULL, *blank = NULL, *broken = NULL;
	struct eab_request q = { sealed_hmac(&r, hmac_text, &sealed), handle(&m, ID), "kid-1", "https://ca.example/new-account" };
	_cleanup_free_ char *out = NULL, *again = NULL, *jwk_text = xasprintf("{\"kty\":\"oct\",\"k\":\"%s\"}", hmac_text), *payload = NULL;
	_cleanup_json_ json_t *head = NULL, *jws = NULL;

	ASSERT_OK(keys_eab(r.keys, &q, &out, &r.err), &r.err);
	head = verified_head(out, jwk_text);
	ASSERT_INT(json_object_size(head), 3); /* no nonce: RFC 8555 7.3.4 */
	ASSERT_STR(text_of(head, "alg"), "HS256");
	ASSERT_STR(text_of(head, "kid"), "kid-1");
	ASSERT_STR(text_of(head, "url"), q.url);
	jws = parse(out);
	payload = member_text(jws, "payload");
	ASSERT_STR(payload, m.jwk);

	/* as people paste it */
	q.hmac = sealed_hmac(&r, " zWNDZM6eQGHWpSRTPal5eIUYFTu7EajVIoguysqZ9wG44nMEtx3MUAsUDkMTQ12W\n", &blank);
	ASSERT_OK(keys_eab(r.keys, &q, &again, &r.err), &r.err);
	ASSERT_STR(again, out);
	q.hmac = sealed_hmac(&r, "no base64!", &broken);
	ASSERT_FAILS(keys_eab(r.keys, &q, &again, &r.err), &r.err, ERR_INVALID);
	q.hmac = handle(&m, ID); /* a key is no secret */
	ASSERT_FAILS(keys_eab(r.keys, &q, &again, &r.err), &r.err, ERR_DENIED);
}

static void a_short_hmac_key_is_fine(void **state)
{
	_cleanup_rig_ struct rig r = rig_new();
	_cleanup_key_made_ struct key_made m = make(&r, KEY_ACCOUNT, KEY_P256, ID);
	_cleanup_free_ unsigned char *sealed = NULL;
	struct eab_request q = { sealed_hmac(&r, "c2hvcnQ", &sealed), handle(&m, ID), "kid-1", "https://ca.example/new-account" };
	_cleanup_free_ char *out = NULL;

	ASSERT_OK(keys_eab(r.keys, &q, &out, &r.err), &r.err); /* libjose refuses keys under 32 bytes, authorities hand them out */
}

static void a_key_change_verifies_inside_and_outside(void **state)
{
	_cleanup_rig_ struct rig r = rig_new();
	_cleanup_key_made_ struct key_made old = make(&r, KEY_ACCOUNT, KEY_P256, ID), new = make(&r, KEY_ACCOUNT, KEY_P384, OTHER);
	struct rollover_request q = { handle(&old, ID), handle(&new, OTHER), "https://ca.example/acct/1", "https://ca.example/key-change", "bm9uY2Ux" };
	_cleanup_json_ json_t *outer_head = NULL, *outer = NULL, *inner_head = NULL, *inner = NULL, *payload = NULL;
	_cleanup_json_ json_t *old_jwk = parse(old.jwk), *new_jwk = parse(new.jwk);
	_cleanup_free_ char *out = NULL, *inner_text = NULL, *payload_text = NULL;

	ASSERT_OK(keys_rollover(r.keys, &q, &out, &r.err), &r.err);
	outer_head = verified_head(out, old.jwk);
	ASSERT_STR(text_of(outer_head, "kid"), q.account_url);
	ASSERT_STR(text_of(outer_head, "nonce"), q.nonce);
	ASSERT_STR(text_of(outer_head, "url"), q.key_change_url);
	outer = parse(out);
	inner_text = member_text(outer, "payload");
	inner_head = verified_head(inner_text, new.jwk);
	ASSERT_INT(json_object_size(inner_head), 3);
	ASSERT_STR(text_of(inner_head, "url"), q.key_change_url);
	ASSERT_TRUE(json_equal(json_object_get(inner_head, "jwk"), new_jwk));
	inner = parse(inner_text);
	payload_text = member_text(inner, "payload");
	payload = parse(payload_text);
	ASSERT_STR(text_of(payload, "account"), q.account_url);
	ASSERT_TRUE(json_equal(json_object_get(payload, "oldKey"), old_jwk));
	free(TAKE(out));
	q.new_key = q.old_key;
	ASSERT_FAILS(keys_rollover(r.keys, &q, &out, &r.err), &r.err, ERR_INVALID);
	q.new_key = handle(&new, OTHER);
	q.key_change_url = "https://evil.example/key-change";
	ASSERT_FAILS(keys_rollover(r.keys, &q, &out, &r.err), &r.err, ERR_DENIED);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(libjose_verifies_what_every_kind_of_key_signs),
		TEST(short_numbers_are_padded),
		TEST(a_changed_request_is_noticed_by_libjose),
		TEST(bad_requests_are_not_signed),
		TEST(external_account_binding_verifies),
		TEST(a_short_hmac_key_is_fine),
		TEST(a_key_change_verifies_inside_and_outside),
	};

	return RUN_BOTH(tests);
}
