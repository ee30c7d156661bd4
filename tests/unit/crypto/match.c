/* SPDX-License-Identifier: Apache-2.0 */
/* match.c - tests of crypto/match.h: whose key it is, and what is no key. */
#include "crypto/match.h"

#include "crypto/csr.h"
#include "crypto/private.h"
#include "data.h"

static void key_pem(EVP_PKEY *k, struct secret *ret, char hash[SHA256_HEX])
{
	struct err err = ERR_INIT;

	ASSERT_OK(pkey_to_pem(k, ret, &err), &err);
	pkey_public_hash(k, hash);
}

static void a_key_belongs_to_its_own_hash_only(void **state)
{
	static const enum key_type types[] = { KEY_P256, KEY_P384, KEY_RSA2048 };
	struct secret pem[ARRAY_SIZE(types)] = { 0 };
	char hash[ARRAY_SIZE(types)][SHA256_HEX];

	for (size_t i = 0; i < ARRAY_SIZE(types); i++) {
		_cleanup_pkey_ EVP_PKEY *k = NULL;
		struct err err = ERR_INIT;

		ASSERT_OK(pkey_generate(types[i], &k, &err), &err);
		key_pem(k, &pem[i], hash[i]);
	}
	for (size_t i = 0; i < ARRAY_SIZE(types); i++)
		for (size_t other = 0; other < ARRAY_SIZE(types); other++) {
			struct err err = ERR_INIT;

			if (i == other)
				ASSERT_OK(key_matches(&pem[i], hash[other], &err), &err);
			else
				ASSERT_FAILS(key_matches(&pem[i], hash[other], &err), &err, ERR_CONFLICT);
		}
	for (size_t i = 0; i < ARRAY_SIZE(types); i++)
		secret_clear(&pem[i]);
}

static void what_is_no_key_is_invalid(void **state)
{
	_cleanup_buf_ struct buf csr = data_read("good-p256.pem");
	struct secret none[] = { { 0 }, secret_from("no key"), secret_copy(csr.p, csr.n) };

	for (size_t i = 0; i < ARRAY_SIZE(none); i++) {
		struct err err = ERR_INIT;

		ASSERT_FAILS(key_matches(&none[i], "00", &err), &err, ERR_INVALID);
		secret_clear(&none[i]);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(a_key_belongs_to_its_own_hash_only),
		TEST(what_is_no_key_is_invalid),
	};

	return RUN(tests);
}
