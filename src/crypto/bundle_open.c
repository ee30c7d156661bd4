/* SPDX-License-Identifier: Apache-2.0 */
/*
 * bundle_open.c - opening PKCS#12 files (RFC 7292) and encrypted keys (RFC 5958). Runs in the runner only: the library's code
 * for this is large, has had its share of faults, and takes as long as the file asks for.
 */
#include "base/limits.h"
#include "crypto/bundle.h"
#include "crypto/der.h"
#include "crypto/ossl.h"

#include <openssl/err.h>
#include <openssl/pem.h>
#include <openssl/pkcs12.h>
#include <openssl/provider.h>

#define NESTED 4 /* safes within safes */

OSSL_CLEANUP(PKCS12, PKCS12_free);
OSSL_CLEANUP(X509_SIG, X509_SIG_free);
OSSL_CLEANUP(PKCS8_PRIV_KEY_INFO, PKCS8_PRIV_KEY_INFO_free);

void bundle_open_prepare(void)
{
	static const char *const digests[] = { "SHA1", "SHA256", "SHA512" };

	OPENSSL_init_crypto(OPENSSL_INIT_LOAD_CONFIG | OPENSSL_INIT_LOAD_CRYPTO_STRINGS, NULL);
	/* RC2 and the like of old files; a system without them opens the others all the same */
	(void)OSSL_PROVIDER_load(NULL, "legacy");
	(void)OSSL_PROVIDER_load(NULL, "default");
	for (size_t i = 0; i < ARRAY_SIZE(digests); i++)
		EVP_MD_free(EVP_MD_fetch(NULL, digests[i], NULL));
	ERR_clear_error();
}

void bundle_open_request(const struct secret *password, struct str content, struct buf *out)
{
	for (int shift = 24; shift >= 0; shift -= 8)
		buf_add_char(out, (char)(password->n >> shift & 0xff));
	buf_add(out, password->p, password->n);
	buf_add(out, content.p, content.n);
}

static int wrong_password(const char *password, struct err *err)
{
	return *password ? err_set_field(err, ERR_INVALID, "/password", "the password is not the one of this file")
			 : err_set_field(err, ERR_INVALID, "/password", "this file has a password: give it");
}

static int add_key(const PKCS8_PRIV_KEY_INFO *info, struct buf *out, struct err *err)
{
	unsigned char *der = NULL;
	int n = info ? i2d_PKCS8_PRIV_KEY_INFO(info, &der) : -1;

	if (n <= 0)
		return ossl_err(err, ERR_INVALID, "a key in it cannot be read");
	pem_add(out, "PRIVATE KEY", der, (size_t)n);
	OPENSSL_clear_free(der, (size_t)n);
	return 0;
}

static int add_cert(const PKCS12_SAFEBAG *bag, struct buf *out, struct err *err)
{
	_cleanup_ossl_(X509_free) X509 *x = PKCS12_SAFEBAG_get_bag_nid(bag) == NID_x509Certificate ? PKCS12_SAFEBAG_get1_cert(bag) : NULL;
	unsigned char *der = NULL;
	int n = x ? i2d_X509(x, &der) : -1;

	if (n <= 0)
		return ossl_err(err, ERR_INVALID, "a certificate in it cannot be read");
	pem_add(out, "CERTIFICATE", der, (size_t)n);
	OPENSSL_free(der);
	return 0;
}

static int add_bags(const STACK_OF(PKCS12_SAFEBAG) *bags, const char *password, unsigned depth, struct buf *out, struct err *err)
{
	for (int i = 0; i < sk_PKCS12_SAFEBAG_num(bags); i++) {
		const PKCS12_SAFEBAG *bag = sk_PKCS12_SAFEBAG_value(bags, i);
		_cleanup_ossl_(PKCS8_PRIV_KEY_INFO_free) PKCS8_PRIV_KEY_INFO *key = NULL;
		int r = 0;

		switch (PKCS12_SAFEBAG_get_nid(bag)) {
		case NID_keyBag:
			r = add_key(PKCS12_SAFEBAG_get0_p8inf(bag), out, err);
			break;
		case NID_pkcs8ShroudedKeyBag:
			key = PKCS12_decrypt_skey(bag, password, password ? (int)strlen(password) : 0);
			r = key ? add_key(key, out, err) : ossl_err(err, ERR_INVALID, "a key in it cannot be decrypted");
			break;
		case NID_certBag:
			r = add_cert(bag, out, err);
			break;
		case NID_safeContentsBag:
			r = depth < NESTED ? add_bags(PKCS12_SAFEBAG_get0_safes(bag), password, depth + 1, out, err)
					   : err_set(err, ERR_INVALID, "it is nested too deeply");
			break;
		default: /* CRLs and secrets are of no use here */
			break;
		}
		if (r < 0)
			return r;
	}
	return 0;
}

static int add_safe(PKCS7 *safe, const char *password, struct buf *out, struct err *err)
{
	STACK_OF(PKCS12_SAFEBAG) *bags = NULL;
	int r;

	if (PKCS7_type_is_data(safe))
		bags = PKCS12_unpack_p7data(safe);
	else if (PKCS7_type_is_encrypted(safe))
		bags = PKCS12_unpack_p7encdata(safe, password, password ? (int)strlen(password) : 0);
	else
		return err_set(err, ERR_INVALID, "a part of it is encrypted for a certificate, not by a password");
	if (!bags)
		return ossl_err(err, ERR_INVALID, "a part of it cannot be decrypted");
	r = add_bags(bags, password, 0, out, err);
	sk_PKCS12_SAFEBAG_pop_free(bags, PKCS12_SAFEBAG_free);
	return r;
}

/* *password becomes NULL for files that mean "none" by that. */
static int check_mac(PKCS12 *p12, const char **password, struct err *err)
{
	if (!PKCS12_mac_present(p12))
		return 0;
	if (PKCS12_verify_mac(p12, *password, -1))
		return 0;
	if (ERR_peek_error())
		return ossl_err(err, ERR_INVALID, "its integrity cannot be checked");
	if (**password || !PKCS12_verify_mac(p12, NULL, 0))
		return wrong_password(*password, err);
	*password = NULL;
	return 0;
}

static int open_pkcs12(struct str content, const char *password, struct buf *out, struct err *err)
{
	const unsigned char *p = (const unsigned char *)content.p;
	_cleanup_ossl_(PKCS12_free) PKCS12 *p12 = d2i_PKCS12(NULL, &p, (long)content.n);
	STACK_OF(PKCS7) *safes;
	int r = 0;

	if (!p12 || p != (const unsigned char *)content.p + content.n)
		return ossl_err(err, ERR_INVALID, "it is not a PKCS#12 file");
	if (check_mac(p12, &password, err) < 0)
		return -(int)err->code;
	safes = PKCS12_unpack_authsafes(p12);
	if (!safes)
		return ossl_err(err, ERR_INVALID, "it is not a PKCS#12 file");
	for (int i = 0; r == 0 && i < sk_PKCS7_num(safes); i++)
		r = add_safe(sk_PKCS7_value(safes, i), password, out, err);
	sk_PKCS7_pop_free(safes, PKCS7_free);
	return r;
}

static int open_key(const struct buf *der, const char *password, struct buf *out, struct err *err)
{
	const unsigned char *p = (const unsigned char *)der->p;
	_cleanup_ossl_(X509_SIG_free) X509_SIG *sealed = d2i_X509_SIG(NULL, &p, (long)der->n);
	_cleanup_ossl_(PKCS8_PRIV_KEY_INFO_free) PKCS8_PRIV_KEY_INFO *key = NULL;

	if (!sealed)
		return ossl_err(err, ERR_INVALID, "the encrypted key cannot be read");
	key = PKCS8_decrypt(sealed, password, (int)strlen(password));
	return key ? add_key(key, out, err) : wrong_password(password, err);
}

/* Keys are opened, all else is passed on as it is. */
static int open_pem(struct str content, const char *password, struct buf *out, struct err *err)
{
	static const char begin[] = "-----BEGIN ENCRYPTED PRIVATE KEY-----", end[] = "-----END ENCRYPTED PRIVATE KEY-----";

	while (content.n) {
		_cleanup_buf_wipe_ struct buf der = BUF_MAX(LIMIT_API_BODY);
		const char *from = memmem(content.p, content.n, begin, strlen(begin)), *stop = content.p + content.n, *to;
		struct str block, label;

		buf_add(out, content.p, from ? (size_t)(from - content.p) : content.n);
		if (!from)
			break;
		to = memmem(from, (size_t)(stop - from), end, strlen(end));
		to = to ? to + strlen(end) : stop;
		block = (struct str){ from, (size_t)(to - from) };
		if (pem_next(&block, &label, &der, err) < 0 || open_key(&der, password, out, err) < 0)
			return -(int)err->code;
		content = (struct str){ to, (size_t)(stop - to) };
	}
	return 0;
}

int bundle_open(struct str request, struct buf *out, struct err *err)
{
	const unsigned char *p = (const unsigned char *)request.p;
	_cleanup_free_ char *password = NULL; /* this process ends after it: nothing to wipe for */
	struct str content;
	size_t n;

	if (request.n < 4)
		return err_set(err, ERR_INVALID, "the request ends early");
	n = (size_t)p[0] << 24 | (size_t)p[1] << 16 | (size_t)p[2] << 8 | p[3];
	if (n > request.n - 4)
		return err_set(err, ERR_INVALID, "the request ends early");
	password = xstrndup(request.p + 4, n);
	content = (struct str){ request.p + 4 + n, request.n - 4 - n };
	if (bundle_scan(content, err) < 0)
		return -(int)err->code;
	if (memmem(content.p, content.n, "-----BEGIN ", 11))
		return open_pem(content, password, out, err);
	return open_pkcs12(content, password, out, err);
}
