/* SPDX-License-Identifier: Apache-2.0 */
/* ossl.h - cleanup attributes and error text for OpenSSL. Inside crypto/ only. */
#ifndef CRYPTO_OSSL_H
#define CRYPTO_OSSL_H

#include "base/err.h"

#include <openssl/bn.h>
#include <openssl/evp.h>
#include <openssl/x509.h>
#include <openssl/x509v3.h>

#define OSSL_CLEANUP(type, fn)                                                                                         \
	static inline void fn##_p(type **p)                                                                            \
	{                                                                                                              \
		fn(*p);                                                                                                \
		*p = NULL;                                                                                             \
	}                                                                                                              \
	struct swallow_semicolon_##fn

OSSL_CLEANUP(BIGNUM, BN_clear_free);
OSSL_CLEANUP(EVP_MD_CTX, EVP_MD_CTX_free);
OSSL_CLEANUP(EVP_PKEY_CTX, EVP_PKEY_CTX_free);
OSSL_CLEANUP(EVP_PKEY, EVP_PKEY_free);
OSSL_CLEANUP(X509, X509_free);
OSSL_CLEANUP(X509_PUBKEY, X509_PUBKEY_free);
OSSL_CLEANUP(X509_REQ, X509_REQ_free);
OSSL_CLEANUP(BIO, BIO_free_all);
OSSL_CLEANUP(GENERAL_NAMES, GENERAL_NAMES_free);
#define _cleanup_ossl_(fn) __attribute__((cleanup(fn##_p)))

/* "could not ...: <library's reason>"; empties the library's error queue. INTERNAL unless told otherwise. */
int ossl_err(struct err *err, enum err_code code, const char *fmt, ...) PRINTF(3, 4);

/* A document from its DER, *p moves behind it; NULL = it is none. Its key is bytes only: spki_key, never X509_get_pubkey and the like. */
X509 *x509_read(const unsigned char **p, size_t n);
X509_REQ *x509_req_read(const unsigned char **p, size_t n);
/* The key, owned by the caller; NULL when it cannot be used (then the library's error queue says why). */
EVP_PKEY *spki_key(X509_PUBKEY *pub);
/* The named curve (a NID) of an elliptic curve key, by its name and length only; NID_undef for all others. */
int spki_curve(X509_PUBKEY *pub);
/* Writes the key into a document that is being made; false: not such a kind of key, nothing is changed. */
bool spki_fill(X509_PUBKEY *pub, EVP_PKEY *k);
/* The signature over the first element of the document: 1 right, 0 wrong, -1 an algorithm that this does not know. */
int spki_verify(const void *der, size_t n, const X509_ALGOR *alg, const ASN1_BIT_STRING *sig, EVP_PKEY *k);
struct key_text spki_text(X509_PUBKEY *pub);
/* Judges a public key as it stands in a document: kind, size, exponent, named curve, uncompressed point. INVALID. */
int spki_acceptable(X509_PUBKEY *pub, const char *what, struct err *err);
void spki_hash(X509_PUBKEY *pub, char ret[65]);

struct strlist;
enum san_result { SAN_OK, SAN_NONE, SAN_BROKEN, SAN_TWICE };
/*
 * DNS names of a list of general names. Canonical ones are added to names; others go to odd (cleaned, lower case) when it is
 * not NULL, else they are an error. *ret_other counts names of other kinds, *ret_kind names the first such kind.
 */
int san_names(const GENERAL_NAMES *san, struct strlist *names, struct strlist *odd, unsigned *ret_other, const char **ret_kind,
	      struct err *err);

struct csr_subject;
/* The member that holds the attribute; NULL when we keep none of that kind. */
char **csr_subject_part(struct csr_subject *s, int nid);
const EVP_MD *pkey_usual_digest(EVP_PKEY *k);

#endif
