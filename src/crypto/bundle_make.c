/* SPDX-License-Identifier: Apache-2.0 */
/* bundle_make.c - writing PKCS#12 files (RFC 7292), for keystores of Java and Windows and for appliances. */
#include "crypto/bundle.h"
#include "crypto/ossl.h"
#include "crypto/private.h"

#include <openssl/err.h>
#include <openssl/pkcs12.h>

#define ROUNDS 10000 /* as Java's keytool */

OSSL_CLEANUP(PKCS12, PKCS12_free);

static void free_stack(STACK_OF(X509) **s)
{
	sk_X509_pop_free(*s, X509_free);
	*s = NULL;
}

static PKCS12 *make(EVP_PKEY *k, const struct chain *c, const char *name, const char *password, bool legacy)
{
	__attribute__((cleanup(free_stack))) STACK_OF(X509) *above = sk_X509_new_null();
	const unsigned char *p = c->v[0].der;
	_cleanup_ossl_(X509_free) X509 *leaf = d2i_X509(NULL, &p, (long)c->v[0].der_n);
	int pbe = legacy ? NID_pbe_WithSHA1And3_Key_TripleDES_CBC : NID_aes_256_cbc;
	PKCS12 *r;

	for (size_t i = 1; above && i < c->n; i++) {
		X509 *x;

		p = c->v[i].der;
		x = d2i_X509(NULL, &p, (long)c->v[i].der_n);
		if (!x || !sk_X509_push(above, x)) {
			X509_free(x);
			return NULL;
		}
	}
	/* no MAC yet: its digest is to be chosen */
	r = leaf && above ? PKCS12_create(password, name, k, leaf, above, pbe, pbe, ROUNDS, -1, 0) : NULL;
	if (r && PKCS12_set_mac(r, password, -1, NULL, 0, ROUNDS, legacy ? EVP_sha1() : EVP_sha256()))
		return r;
	PKCS12_free(r);
	return NULL;
}

int bundle_pkcs12(const struct secret *key_pem, const struct chain *c, const char *name, const char *password, bool legacy, struct secret *ret,
		  struct err *err)
{
	_cleanup_pkey_ EVP_PKEY *k = NULL;
	_cleanup_ossl_(PKCS12_free) PKCS12 *p12 = NULL;
	unsigned char *der = NULL;
	int n;

	if (pkey_from_pem((const char *)key_pem->p, key_pem->n, &k, err) < 0)
		return err_wrap(err, "could not read the key");
	p12 = make(k, c, name, password, legacy);
	n = p12 ? i2d_PKCS12(p12, &der) : -1;
	if (n <= 0)
		return ossl_err(err, ERR_INTERNAL, "could not write the PKCS#12 file");
	*ret = secret_copy(der, (size_t)n);
	OPENSSL_clear_free(der, (size_t)n);
	ERR_clear_error();
	return 0;
}
