/* SPDX-License-Identifier: Apache-2.0 */
/* bundle.c - any file that somebody imports: the look at PKCS#12 and encrypted keys, certificates and keys in PEM, chains. */
#include "tests/fuzz/fuzz.h"

#include "base/limits.h"
#include "crypto/bundle.h"

static void check_chains(const struct bundle *b)
{
	HOLDS(b->certs_n >= 1 && b->certs_n <= LIMIT_IMPORT_CERTIFICATES && b->keys_n <= LIMIT_IMPORT_KEYS);
	for (size_t i = 0; i < b->certs_n; i++) {
		struct chain c = { 0 };

		bundle_chain(b, i, &c);
		HOLDS(c.n >= 1 && c.n <= LIMIT_CHAIN_CERTIFICATES);
		HOLDS(streq(c.v[0].info.fingerprint, b->certs[i].v[0].info.fingerprint));
		(void)bundle_is_leaf(b, i);
		chain_clear(&c);
	}
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n)
{
	struct str content = { (const char *)data, n };
	struct bundle b = { 0 };
	struct err err = ERR_INIT;

	if (bundle_sealed(content) && bundle_scan(content, &err) < 0)
		HOLDS(err.code == ERR_INVALID || err.code == ERR_TOO_LARGE);
	err_clear(&err);
	if (bundle_read(content, &b, &err) == 0)
		check_chains(&b);
	else
		HOLDS(err.code == ERR_INVALID || err.code == ERR_TOO_LARGE);
	bundle_clear(&b);
	err_clear(&err);
	return 0;
}
