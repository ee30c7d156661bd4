/* SPDX-License-Identifier: Apache-2.0 */
/* match.c - see match.h. */
#include "crypto/match.h"

#include "crypto/private.h"

int key_matches(const struct secret *pem, const char *public_hash, struct err *err)
{
	_cleanup_pkey_ EVP_PKEY *k = NULL;
	char hash[SHA256_HEX];

	if (pkey_from_pem((const char *)pem->p, pem->n, &k, err) < 0)
		return -(int)err->code;
	pkey_public_hash(k, hash);
	return streq(hash, public_hash) ? 0 : err_set(err, ERR_CONFLICT, "the private key is not that of the certificate");
}
