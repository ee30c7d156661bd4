/* SPDX-License-Identifier: Apache-2.0 */
/* digest.c - tests of crypto/digest.h and crypto/jwk.h with the vectors of FIPS 180, RFC 4231 and RFC 7638. */
#include "crypto/digest.h"

#include "base/buf.h"
#include "crypto/jwk.h"
#include "tests/unit/assert.h"

static void digests_are_those_of_the_standards(void **state)
{
	char hex[SHA256_HEX], b64[SHA256_B64];
	unsigned char d[DIGEST_MAX];
	_cleanup_buf_ struct buf b = BUF_MAX(256);

	ASSERT_STR(sha256_hex("abc", 3, hex), "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad");
	ASSERT_STR(sha256_hex("", 0, hex), "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855");
	ASSERT_STR(sha256_base64url("abc", 3, b64), "ungWv48Bz-pBQUDeXa4iI7ADYaOWF3qctBD_YfIAFa0");
	ASSERT_INT(digest(DIGEST_SHA384, "abc", 3, d), 48);
	ASSERT_INT(digest(DIGEST_SHA512, "abc", 3, d), 64);
	ASSERT_INT(digest(DIGEST_SHA1, "abc", 3, d), 20);
	buf_add_hex(&b, d, 20);
	ASSERT_STR(b.p, "a9993e364706816aba3e25717850c26c9cd0d89d");
}

static void hmac_is_that_of_rfc_4231(void **state)
{
	unsigned char key[20], d[DIGEST_MAX];
	_cleanup_buf_ struct buf b = BUF_MAX(256);

	memset(key, 0x0b, sizeof key);
	hmac_sha256(key, sizeof key, "Hi There", 8, d);
	buf_add_hex(&b, d, SHA256_LEN);
	ASSERT_STR(b.p, "b0344c61d8db38535ca8afceaf0bf12b881dc200c9833da726e9376c2e32cff7");
	buf_reset(&b);
	ASSERT_INT(hmac(DIGEST_SHA512, "Jefe", 4, "what do ya want for nothing?", 28, d), 64);
	buf_add_hex(&b, d, 8);
	ASSERT_STR(b.p, "164b7a7bfcf819e2");
	ASSERT_INT(hmac(DIGEST_SHA256, NULL, 0, "", 0, d), 32);
	buf_reset(&b);
	buf_add_hex(&b, d, 8);
	ASSERT_STR(b.p, "b613679a0814d9ec");
}

static void the_thumbprint_is_that_of_rfc_7638(void **state)
{
	static const char rsa[] =
		"{\"kty\": \"RSA\", \"n\": \"0vx7agoebGcQSuuPiLJXZptN9nndrQmbXEps2aiAFbWhM78LhWx4cbbfAAtVT86zwu1RK7aPFFxuhDR1L6tSoc_BJECPebWKRXjBZCi"
		"FV4n3oknjhMstn64tZ_2W-5JsGY4Hc5n9yBXArwl93lqt7_RN5w6Cf0h4QyQ5v-65YGjQR0_FDW2QvzqY368QQMicAtaSqzs8KJZgnYb9c7d0zgdAZHzu6qMQv"
		"RL5hajrn1n91CbOpbISD08qNLyrdkt-bFTWhAI4vMQFh6WeZu0fM4lFd2NcRwr3XPksINHaQ-G_xBniIqbw0Ls1jF44-csFCur-kEgU8awapJzKnqDKgw\", "
		"\"e\": \"AQAB\", \"alg\": \"RS256\", \"kid\": \"2011-04-29\"}";
	_cleanup_err_ struct err err = ERR_INIT;
	_cleanup_free_ char *canonical = NULL;
	char t[SHA256_B64];

	ASSERT_OK(jwk_thumbprint(rsa, t, &err), &err);
	ASSERT_STR(t, "NzbLsXh8uDCcd-6MNwXF4W_7noWXFZAfHkxZsRGC9Xs");
	ASSERT_OK(jwk_canonical(rsa, strlen(rsa), &canonical, &err), &err);
	ASSERT_TRUE(str_starts(canonical, "{\"e\":\"AQAB\",\"kty\":\"RSA\",\"n\":\"0vx7"));
}

static void ec_keys_lose_what_is_not_required(void **state)
{
	static const char ec[] = "{\"use\":\"sig\",\"y\":\"x_FEzRu9m36HLN_tue659LNpXW6pCyStikYjKIWI5a0\",\"kty\":\"EC\",\"crv\":\"P-256\","
				 "\"x\":\"f83OJ3D2xF1Bg8vub9tLe1gHMzV76e8Tus9uPHvRVEU\"}";
	_cleanup_err_ struct err err = ERR_INIT;
	_cleanup_free_ char *canonical = NULL;

	ASSERT_OK(jwk_canonical(ec, strlen(ec), &canonical, &err), &err);
	ASSERT_STR(canonical, "{\"crv\":\"P-256\",\"kty\":\"EC\",\"x\":\"f83OJ3D2xF1Bg8vub9tLe1gHMzV76e8Tus9uPHvRVEU\","
			      "\"y\":\"x_FEzRu9m36HLN_tue659LNpXW6pCyStikYjKIWI5a0\"}");
}

static void broken_and_private_keys_are_refused(void **state)
{
	static const char *const cases[] = {
		"", "{}", "[]", "{\"kty\":\"oct\",\"k\":\"AAAA\"}", "{\"kty\":1}", "{\"kty\":\"EC\",\"crv\":\"P-256\",\"x\":\"AA\"}",
		"{\"kty\":\"EC\",\"crv\":\"P-256\",\"x\":\"AA\",\"y\":\"\"}", "{\"kty\":\"EC\",\"crv\":\"secp256k1\",\"x\":\"AA\",\"y\":\"AA\"}",
		"{\"kty\":\"EC\",\"crv\":\"P-256\",\"x\":\"A+\",\"y\":\"AA\"}", "{\"kty\":\"EC\",\"crv\":\"P-256\",\"x\":\"AA\",\"y\":\"AA\",\"d\":\"AA\"}",
	};

	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		_cleanup_err_ struct err err = ERR_INIT;
		char *ret = NULL;

		ASSERT_FAILS(jwk_canonical(cases[i], strlen(cases[i]), &ret, &err), &err, ERR_INVALID);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(digests_are_those_of_the_standards),
		TEST(hmac_is_that_of_rfc_4231),
		TEST(the_thumbprint_is_that_of_rfc_7638),
		TEST(ec_keys_lose_what_is_not_required),
		TEST(broken_and_private_keys_are_refused),
	};

	return RUN(tests);
}
