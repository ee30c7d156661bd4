/* SPDX-License-Identifier: Apache-2.0 */
/* key_pem.c - any upload where a private key was asked for; what is taken packs and unpacks to the same key. */
#include "tests/fuzz/fuzz.h"

#include "crypto/private.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n)
{
	char hash[SHA256_HEX], again[SHA256_HEX];
	struct secret packed = { 0 };
	EVP_PKEY *k = NULL, *back = NULL;
	struct err err = ERR_INIT;

	if (pkey_from_pem((const char *)data, n, &k, &err) < 0) {
		HOLDS(!k && (err.code == ERR_INVALID || err.code == ERR_TOO_LARGE));
		err_clear(&err);
		return 0;
	}
	HOLDS(pkey_pack(k, &packed, &err) == 0);
	HOLDS(pkey_unpack(packed.p, packed.n, &back, &err) == 0);
	pkey_public_hash(k, hash);
	pkey_public_hash(back, again);
	HOLDS(streq(hash, again));
	secret_clear(&packed);
	pkey_done(&k);
	pkey_done(&back);
	return 0;
}
