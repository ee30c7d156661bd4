/* SPDX-License-Identifier: Apache-2.0 */
/*
 * jwk.h - public keys as JWK (RFC 7517) in their canonical text: only the required members, in lexicographic order, without
 * blanks. That text is both the "jwk" member of a JWS header and the input of the thumbprint (RFC 7638).
 */
#ifndef CRYPTO_JWK_H
#define CRYPTO_JWK_H

#include "crypto/digest.h"
#include "base/err.h"

/* JWK text of an RSA, EC (P-256, P-384, P-521) or OKP public key to its canonical text. Private members: INVALID. */
int jwk_canonical(const char *text, size_t n, char **ret, struct err *err);
/* base64url(SHA-256(canonical text)). The text is canonicalised first. */
int jwk_thumbprint(const char *text, char ret[SHA256_B64], struct err *err);

#endif
