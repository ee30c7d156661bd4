/* SPDX-License-Identifier: Apache-2.0 */
/*
 * private.h - what needs a private key, or the crypto library's own types. For crypto/ and keys/ ONLY (tools/check-layers).
 *
 * Packed keys: our own plain form of the numbers of a key, since loading them by EVP_PKEY_fromdata takes some 30 us where
 * PKCS#8 takes 0.6 ms. It exists only inside sealed bytes.
 */
#ifndef CRYPTO_PRIVATE_H
#define CRYPTO_PRIVATE_H

#include "base/buf.h"
#include "base/secret.h"
#include "crypto/csr.h"
#include "crypto/digest.h"
#include "crypto/keytype.h"

typedef struct evp_pkey_st EVP_PKEY;

void pkey_done(EVP_PKEY **k); /* wipes */
#define _cleanup_pkey_ __attribute__((cleanup(pkey_done)))

int pkey_generate(enum key_type t, EVP_PKEY **ret, struct err *err);
/* Unencrypted PKCS#8, SEC1 or PKCS#1 PEM, one key and nothing else (an EC PARAMETERS block before it is skipped). */
int pkey_from_pem(const char *pem, size_t n, EVP_PKEY **ret, struct err *err);
int pkey_to_pem(EVP_PKEY *k, struct secret *ret, struct err *err); /* PKCS#8 */
int pkey_pack(EVP_PKEY *k, struct secret *ret, struct err *err);
int pkey_unpack(const void *p, size_t n, EVP_PKEY **ret, struct err *err);

struct key_text pkey_text(EVP_PKEY *k);
/* RSA 2048..8192 with a usual exponent, P-256, P-384, P-521; names what is wrong otherwise. INVALID. */
int pkey_acceptable(EVP_PKEY *k, struct err *err);
void pkey_public_hash(EVP_PKEY *k, char ret[SHA256_HEX]);
char *pkey_jwk(EVP_PKEY *k); /* canonical public JWK text, owned by the caller; NULL for other kinds of keys */

/* "ES256", "ES384", "RS256"; NULL for keys that cannot be account keys. */
const char *pkey_jws_alg(EVP_PKEY *k);
/* The signature in JWS form (RFC 7518 3.3, 3.4), appended to out. */
int pkey_jws_sign(EVP_PKEY *k, const void *p, size_t n, struct buf *out, struct err *err);

enum pkey_scheme { PKEY_ECDSA, PKEY_RSA_PKCS1, PKEY_RSA_PSS };
int pkey_tls_sign(EVP_PKEY *k, enum pkey_scheme scheme, enum digest d, bool is_digest, const void *p, size_t n,
		  struct buf *out, struct err *err);

/* PKCS#10 for canonical names, SAN only. */
int csr_build(EVP_PKEY *k, const struct strlist *names, const struct csr_subject *subject, bool must_staple, struct buf *der,
	      struct err *err);
/* A certificate for a TLS server, signed by its own key; names are DNS names or addresses. */
int cert_self_signed(EVP_PKEY *k, const struct strlist *names, int64_t now_ms, int64_t days, struct buf *pem, struct err *err);

#endif
