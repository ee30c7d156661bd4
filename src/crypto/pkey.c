/* SPDX-License-Identifier: Apache-2.0 */
/*
 * pkey.c - private keys by OpenSSL's EVP: making, reading, packing, signing. See private.h.
 * JWS forms: RFC 7518 3.3 (RS256) and 3.4 (ES256, ES384: r and s, each padded to the curve's size).
 */
#include "crypto/private.h"

#include "base/base64.h"
#include "base/pool.h"
#include "crypto/der.h"
#include "crypto/ossl.h"

#include <openssl/core_names.h>
#include <openssl/ec.h>
#include <openssl/err.h>
#include <openssl/param_build.h>
#include <openssl/rsa.h>
#include <stdarg.h>
#include <stdio.h>

#define PEM_KEY_MAX (64 * 1024)
#define RSA_BITS_MIN 2048
#define RSA_BITS_MAX 8192
#define EXPONENT_BITS_MAX 32

OSSL_CLEANUP(ECDSA_SIG, ECDSA_SIG_free);
OSSL_CLEANUP(PKCS8_PRIV_KEY_INFO, PKCS8_PRIV_KEY_INFO_free);

static const struct curve {
	const char *group, *text, *crv;
	int nid;
	size_t size; /* bytes of a coordinate and of the scalar */
} curves[] = {
	{ "prime256v1", "p256", "P-256", NID_X9_62_prime256v1, 32 },
	{ "secp384r1", "p384", "P-384", NID_secp384r1, 48 },
	{ "secp521r1", "p521", "P-521", NID_secp521r1, 66 },
};

int ossl_err(struct err *err, enum err_code code, const char *fmt, ...)
{
	_cleanup_free_ char *what = NULL;
	unsigned long e = ERR_peek_last_error();
	const char *reason = e ? ERR_reason_error_string(e) : NULL;
	va_list ap;
	int n;

	va_start(ap, fmt);
	n = vasprintf(&what, fmt, ap);
	va_end(ap);
	assert(n >= 0);
	ERR_clear_error();
	if (!reason)
		return err_set(err, code, "%s", what);
	return err_set(err, code, "%s: %s", what, reason);
}

void pkey_done(EVP_PKEY **k)
{
	EVP_PKEY_free(*k);
	*k = NULL;
}

static const struct curve *pkey_curve(EVP_PKEY *k)
{
	char group[40];
	size_t n;

	if (EVP_PKEY_get_base_id(k) != EVP_PKEY_EC || !EVP_PKEY_get_group_name(k, group, sizeof group, &n))
		return NULL;
	for (size_t i = 0; i < ARRAY_SIZE(curves); i++)
		if (!strcmp(group, curves[i].group))
			return &curves[i];
	return NULL;
}

/* --- what kind of key it is --- */

struct key_text pkey_text(EVP_PKEY *k)
{
	struct key_text t = { "other" };
	const struct curve *c = pkey_curve(k);

	if (c)
		snprintf(t.s, sizeof t.s, "%s", c->text);
	else if (EVP_PKEY_get_base_id(k) == EVP_PKEY_RSA)
		snprintf(t.s, sizeof t.s, "rsa%d", EVP_PKEY_get_bits(k));
	else if (EVP_PKEY_get_base_id(k) == EVP_PKEY_ED25519)
		snprintf(t.s, sizeof t.s, "ed25519");
	return t;
}

static int rsa_acceptable(EVP_PKEY *k, struct err *err)
{
	_cleanup_ossl_(BN_clear_free) BIGNUM *e = NULL;
	_cleanup_ossl_(BN_clear_free) BIGNUM *n = NULL;
	int bits = EVP_PKEY_get_bits(k);

	if (bits < RSA_BITS_MIN || bits > RSA_BITS_MAX)
		return err_set(err, ERR_INVALID, "an RSA key of %d bits is not accepted: %d to %d are", bits,
			       RSA_BITS_MIN, RSA_BITS_MAX);
	if (!EVP_PKEY_get_bn_param(k, OSSL_PKEY_PARAM_RSA_E, &e) ||
	    !EVP_PKEY_get_bn_param(k, OSSL_PKEY_PARAM_RSA_N, &n))
		return ossl_err(err, ERR_INVALID, "could not read the RSA key");
	if (!BN_is_odd(e) || BN_num_bits(e) > EXPONENT_BITS_MAX || BN_get_word(e) < 65537)
		return err_set(err, ERR_INVALID, "the RSA key has an unusual public exponent: 65537 is expected");
	if (!BN_is_odd(n))
		return err_set(err, ERR_INVALID, "the RSA key has an even modulus");
	return 0;
}

int pkey_acceptable(EVP_PKEY *k, struct err *err)
{
	if (EVP_PKEY_get_base_id(k) == EVP_PKEY_RSA)
		return rsa_acceptable(k, err);
	if (pkey_curve(k))
		return 0;
	if (EVP_PKEY_get_base_id(k) == EVP_PKEY_EC)
		return err_set(err, ERR_INVALID,
			       "the key is on an elliptic curve that is not accepted: P-256, P-384 and P-521 are");
	return err_set(err, ERR_INVALID, "a key of type %s is not accepted: RSA and elliptic curve keys are",
		       OBJ_nid2sn(EVP_PKEY_get_base_id(k)));
}

struct key_text spki_text(X509_PUBKEY *pub)
{
	_cleanup_ossl_(EVP_PKEY_free) EVP_PKEY *k = NULL;
	struct key_text t = { "other" };
	int nid = spki_curve(pub);

	for (size_t i = 0; i < ARRAY_SIZE(curves); i++)
		if (curves[i].nid == nid) {
			snprintf(t.s, sizeof t.s, "%s", curves[i].text);
			return t;
		}
	k = spki_key(pub);
	ERR_clear_error();
	return k ? pkey_text(k) : (struct key_text){ "other" };
}

int spki_acceptable(X509_PUBKEY *pub, const char *what, struct err *err)
{
	const unsigned char *bits = NULL;
	ASN1_OBJECT *kind = NULL;
	X509_ALGOR *alg = NULL;
	int n = 0, ptype = 0, nid;
	_cleanup_ossl_(EVP_PKEY_free) EVP_PKEY *k = NULL;

	if (!X509_PUBKEY_get0_param(&kind, &bits, &n, &alg, pub))
		return ossl_err(err, ERR_INVALID, "could not read the public key of the %s", what);
	nid = OBJ_obj2nid(kind);
	X509_ALGOR_get0(NULL, &ptype, NULL, alg);
	if (nid == NID_rsassaPss)
		return err_set(
			err, ERR_INVALID,
			"the %s has a key that is for RSA-PSS only, which authorities refuse; use an ordinary RSA key",
			what);
	if (nid == NID_X9_62_id_ecPublicKey && ptype != V_ASN1_OBJECT)
		return err_set(err, ERR_INVALID,
			       "the %s has an elliptic curve key with explicit parameters; use a named curve", what);
	if (nid == NID_X9_62_id_ecPublicKey && (!n || bits[0] != 4))
		return err_set(err, ERR_INVALID,
			       "the %s has a compressed elliptic curve point; use the uncompressed form", what);
	k = spki_key(pub);
	if (!k)
		return ossl_err(err, ERR_INVALID, "could not use the public key of the %s", what);
	if (pkey_acceptable(k, err) < 0)
		return err_wrap(err, "could not accept the %s", what);
	return 0;
}

void spki_hash(X509_PUBKEY *pub, char ret[SHA256_HEX])
{
	unsigned char *der = NULL;
	int n = i2d_X509_PUBKEY(pub, &der);

	assert(n > 0);
	sha256_hex(der, (size_t)n, ret);
	OPENSSL_free(der);
}

void pkey_public_hash(EVP_PKEY *k, char ret[SHA256_HEX])
{
	_cleanup_ossl_(X509_PUBKEY_free) X509_PUBKEY *pub = X509_PUBKEY_new();
	unsigned char *der = NULL;
	int n = pub && spki_fill(pub, k) ? i2d_X509_PUBKEY(pub, &der) : i2d_PUBKEY(k, &der);

	assert(n > 0);
	sha256_hex(der, (size_t)n, ret);
	OPENSSL_free(der);
}

static void add_number(struct buf *b, const char *member, const BIGNUM *v, size_t size)
{
	unsigned char bytes[RSA_BITS_MAX / 8];
	int n = BN_bn2binpad(v, bytes, (int)(size ? size : (size_t)BN_num_bytes(v)));

	assert(n > 0);
	buf_addf(b, "\"%s\":\"", member);
	base64url_encode(b, bytes, (size_t)n);
	buf_add_char(b, '"');
}

char *pkey_jwk(EVP_PKEY *k)
{
	_cleanup_ossl_(BN_clear_free) BIGNUM *a = NULL;
	_cleanup_ossl_(BN_clear_free) BIGNUM *b = NULL;
	struct buf out = BUF_MAX(4096);
	const struct curve *c = pkey_curve(k);

	if (c) {
		if (!EVP_PKEY_get_bn_param(k, OSSL_PKEY_PARAM_EC_PUB_X, &a) ||
		    !EVP_PKEY_get_bn_param(k, OSSL_PKEY_PARAM_EC_PUB_Y, &b))
			return NULL;
		buf_addf(&out, "{\"crv\":\"%s\",\"kty\":\"EC\",", c->crv);
		add_number(&out, "x", a, c->size);
		buf_add_char(&out, ',');
		add_number(&out, "y", b, c->size);
	} else if (EVP_PKEY_get_base_id(k) == EVP_PKEY_RSA && EVP_PKEY_get_bits(k) <= RSA_BITS_MAX) {
		if (!EVP_PKEY_get_bn_param(k, OSSL_PKEY_PARAM_RSA_E, &a) ||
		    !EVP_PKEY_get_bn_param(k, OSSL_PKEY_PARAM_RSA_N, &b))
			return NULL;
		buf_add_char(&out, '{');
		add_number(&out, "e", a, 0);
		buf_add_str(&out, ",\"kty\":\"RSA\",");
		add_number(&out, "n", b, 0);
	} else {
		return NULL;
	}
	buf_add_char(&out, '}');
	return buf_take(&out);
}

/* --- making and reading --- */

struct rsa_made {
	size_t bits;
	EVP_PKEY *key;
};

static void rsa_make(void *arg)
{
	struct rsa_made *m = arg;

	m->key = EVP_RSA_gen(m->bits);
}

/* Seconds of computing: behind whoever answers people. */
static EVP_PKEY *rsa_gen(size_t bits)
{
	struct rsa_made m = { .bits = bits };

	thread_run_behind("rsa-key", rsa_make, &m);
	return m.key;
}

int pkey_generate(enum key_type t, EVP_PKEY **ret, struct err *err)
{
	EVP_PKEY *k = NULL;

	switch (t) {
	case KEY_P256:
		k = EVP_EC_gen("P-256");
		break;
	case KEY_P384:
		k = EVP_EC_gen("P-384");
		break;
	case KEY_RSA2048:
		k = rsa_gen(2048);
		break;
	case KEY_RSA3072:
		k = rsa_gen(3072);
		break;
	case KEY_RSA4096:
		k = rsa_gen(4096);
		break;
	}
	if (!k)
		return ossl_err(err, ERR_INTERNAL, "could not make a private key");
	*ret = k;
	return 0;
}

static int check_private(EVP_PKEY *k, struct err *err)
{
	_cleanup_ossl_(EVP_PKEY_CTX_free) EVP_PKEY_CTX *ctx = EVP_PKEY_CTX_new_from_pkey(NULL, k, NULL);
	_cleanup_ossl_(BN_clear_free) BIGNUM *third = NULL;

	if (EVP_PKEY_get_base_id(k) == EVP_PKEY_RSA && EVP_PKEY_get_bn_param(k, OSSL_PKEY_PARAM_RSA_FACTOR3, &third))
		return err_set(err, ERR_INVALID, "an RSA key with more than two primes is not accepted");
	ERR_clear_error();
	if (!ctx || EVP_PKEY_check(ctx) != 1)
		return ossl_err(err, ERR_INVALID, "the private key does not fit its public key");
	return 0;
}

/* True when the algorithm of a PKCS#8 key, or of nothing else, is a curve by name. */
static int named_curve(const unsigned char *der, size_t n, struct err *err)
{
	const unsigned char *p = der;
	_cleanup_ossl_(PKCS8_PRIV_KEY_INFO_free) PKCS8_PRIV_KEY_INFO *info = d2i_PKCS8_PRIV_KEY_INFO(NULL, &p, (long)n);
	const ASN1_OBJECT *kind = NULL;
	const X509_ALGOR *alg = NULL;
	int ptype = 0;

	if (!info || !PKCS8_pkey_get0(&kind, NULL, NULL, &alg, info)) {
		ERR_clear_error();
		return 0;
	}
	X509_ALGOR_get0(NULL, &ptype, NULL, alg);
	if (OBJ_obj2nid(kind) == NID_X9_62_id_ecPublicKey && ptype != V_ASN1_OBJECT)
		return err_set(err, ERR_INVALID, "the elliptic curve key has explicit parameters; use a named curve");
	return 0;
}

static int find_key_block(struct str *rest, struct buf *der, int *ret_type, struct err *err)
{
	struct str label;
	int r = pem_next(rest, &label, der, err);

	if (r > 0 && str_is(label, "EC PARAMETERS"))
		r = pem_next(rest, &label, der, err);
	if (r < 0)
		return r;
	if (!r)
		return err_set(err, ERR_INVALID, "there is no PEM block");
	if (str_is(label, "ENCRYPTED PRIVATE KEY"))
		return err_set(err, ERR_INVALID, "the private key is encrypted; decrypt it first");
	if (str_is(label, "PRIVATE KEY"))
		*ret_type = EVP_PKEY_NONE;
	else if (str_is(label, "RSA PRIVATE KEY"))
		*ret_type = EVP_PKEY_RSA;
	else if (str_is(label, "EC PRIVATE KEY"))
		*ret_type = EVP_PKEY_EC;
	else
		return err_set(err, ERR_INVALID, "a PEM block of another kind stands where a private key was expected");
	return 0;
}

int pkey_from_pem(const char *pem, size_t n, EVP_PKEY **ret, struct err *err)
{
	_cleanup_buf_wipe_ struct buf der = BUF_MAX(PEM_KEY_MAX), more = BUF_MAX(PEM_KEY_MAX);
	_cleanup_pkey_ EVP_PKEY *k = NULL;
	struct str rest = { pem, n }, label;
	const unsigned char *p;
	int type, r;

	if (n > PEM_KEY_MAX)
		return err_set(err, ERR_TOO_LARGE, "a private key file has at most %d bytes", PEM_KEY_MAX);
	if (find_key_block(&rest, &der, &type, err) < 0)
		return err_wrap(err, "could not read private key");
	r = pem_next(&rest, &label, &more, err);
	if (r < 0)
		return err_wrap(err, "could not read private key");
	if (r > 0)
		return err_set(err, ERR_INVALID, "there is more than one PEM block; one private key is expected");
	if (der_check(der.p, der.n, err) < 0)
		return err_wrap(err, "could not read private key");
	if (type == EVP_PKEY_NONE && named_curve((unsigned char *)der.p, der.n, err) < 0)
		return err_wrap(err, "could not read private key");
	p = (unsigned char *)der.p;
	k = type == EVP_PKEY_NONE ? d2i_AutoPrivateKey(NULL, &p, (long)der.n)
				  : d2i_PrivateKey(type, NULL, &p, (long)der.n);
	if (!k)
		return ossl_err(err, ERR_INVALID, "could not read private key");
	if (p != (unsigned char *)der.p + der.n)
		return err_set(err, ERR_INVALID, "there are bytes behind the private key");
	if (pkey_acceptable(k, err) < 0 || check_private(k, err) < 0)
		return err_wrap(err, "could not accept private key");
	*ret = TAKE(k);
	return 0;
}

int pkey_to_pem(EVP_PKEY *k, struct secret *ret, struct err *err)
{
	_cleanup_ossl_(PKCS8_PRIV_KEY_INFO_free) PKCS8_PRIV_KEY_INFO *info = EVP_PKEY2PKCS8(k);
	_cleanup_buf_wipe_ struct buf pem = BUF_MAX(PEM_KEY_MAX);
	unsigned char *der = NULL;
	int n = info ? i2d_PKCS8_PRIV_KEY_INFO(info, &der) : -1;

	if (n <= 0)
		return ossl_err(err, ERR_INTERNAL, "could not write private key");
	pem_add(&pem, "PRIVATE KEY", der, (size_t)n);
	OPENSSL_clear_free(der, (size_t)n);
	if (buf_check(&pem, err) < 0)
		return err_wrap(err, "could not write private key");
	*ret = secret_copy(pem.p, pem.n);
	return 0;
}

/* --- packed keys: kind, then fixed or counted big-endian numbers --- */

enum { PACK_EC = 1, PACK_RSA = 2 };

static const char *const rsa_numbers[] = {
	OSSL_PKEY_PARAM_RSA_N,         OSSL_PKEY_PARAM_RSA_E,
	OSSL_PKEY_PARAM_RSA_D,         OSSL_PKEY_PARAM_RSA_FACTOR1,
	OSSL_PKEY_PARAM_RSA_FACTOR2,   OSSL_PKEY_PARAM_RSA_EXPONENT1,
	OSSL_PKEY_PARAM_RSA_EXPONENT2, OSSL_PKEY_PARAM_RSA_COEFFICIENT1,
};

static int pack_number(EVP_PKEY *k, const char *name, size_t fixed, struct buf *out)
{
	_cleanup_ossl_(BN_clear_free) BIGNUM *v = BN_secure_new();
	unsigned char bytes[RSA_BITS_MAX / 8];
	size_t n;

	if (!v || !EVP_PKEY_get_bn_param(k, name, &v))
		return -1;
	n = fixed ? fixed : (size_t)BN_num_bytes(v);
	if (n > sizeof bytes || BN_bn2binpad(v, bytes, (int)n) < 0)
		return -1;
	if (!fixed) {
		buf_add_char(out, (char)(n >> 8));
		buf_add_char(out, (char)n);
	}
	buf_add(out, bytes, n);
	explicit_bzero(bytes, sizeof bytes);
	return 0;
}

int pkey_pack(EVP_PKEY *k, struct secret *ret, struct err *err)
{
	_cleanup_buf_wipe_ struct buf out = BUF_MAX(16 * 1024);
	const struct curve *c = pkey_curve(k);
	int r = 0;

	if (c) {
		buf_add_char(&out, PACK_EC);
		buf_add_char(&out, (char)(c - curves));
		r = pack_number(k, OSSL_PKEY_PARAM_PRIV_KEY, c->size, &out);
		buf_add_char(&out, 4); /* the uncompressed point */
		r |= pack_number(k, OSSL_PKEY_PARAM_EC_PUB_X, c->size, &out);
		r |= pack_number(k, OSSL_PKEY_PARAM_EC_PUB_Y, c->size, &out);
	} else if (EVP_PKEY_get_base_id(k) == EVP_PKEY_RSA) {
		buf_add_char(&out, PACK_RSA);
		for (size_t i = 0; i < ARRAY_SIZE(rsa_numbers); i++)
			r |= pack_number(k, rsa_numbers[i], 0, &out);
	} else {
		return err_set(err, ERR_INTERNAL, "cannot keep a key of this type");
	}
	if (r < 0 || out.failed)
		return ossl_err(err, ERR_INTERNAL, "could not read the numbers of a private key");
	*ret = secret_copy(out.p, out.n);
	return 0;
}

struct native { /* numbers as OSSL_PARAM wants them: in the machine's byte order */
	unsigned char bytes[ARRAY_SIZE(rsa_numbers)][RSA_BITS_MAX / 8];
	OSSL_PARAM params[ARRAY_SIZE(rsa_numbers) + 1];
	size_t n;
};

static void native_wipe(struct native *v)
{
	explicit_bzero(v, sizeof *v);
}

static void native_add(struct native *v, const char *name, const unsigned char *p, size_t n)
{
	unsigned char *to = v->bytes[v->n];

#if __BYTE_ORDER__ == __ORDER_LITTLE_ENDIAN__
	for (size_t i = 0; i < n; i++)
		to[i] = p[n - 1 - i];
#else
	memcpy(to, p, n);
#endif
	v->params[v->n++] = OSSL_PARAM_construct_BN(name, to, n);
}

static EVP_PKEY *from_params(const char *kind, OSSL_PARAM *params)
{
	_cleanup_ossl_(EVP_PKEY_CTX_free) EVP_PKEY_CTX *ctx = EVP_PKEY_CTX_new_from_name(NULL, kind, NULL);
	EVP_PKEY *k = NULL;

	if (!ctx || EVP_PKEY_fromdata_init(ctx) != 1 || EVP_PKEY_fromdata(ctx, &k, EVP_PKEY_KEYPAIR, params) != 1)
		return NULL;
	return k;
}

static EVP_PKEY *unpack_ec(const unsigned char *p, size_t n)
{
	__attribute__((cleanup(native_wipe))) struct native v = { .n = 0 };
	unsigned char point[1 + 2 * 66];
	char group[40];
	const struct curve *c;
	OSSL_PARAM params[4];

	if (!n || *p >= ARRAY_SIZE(curves))
		return NULL;
	c = &curves[*p];
	if (n != 1 + c->size + 1 + 2 * c->size)
		return NULL;
	native_add(&v, OSSL_PKEY_PARAM_PRIV_KEY, p + 1, c->size);
	memcpy(point, p + 1 + c->size, 1 + 2 * c->size);
	snprintf(group, sizeof group, "%s", c->group);
	params[0] = OSSL_PARAM_construct_utf8_string(OSSL_PKEY_PARAM_GROUP_NAME, group, 0);
	params[1] = OSSL_PARAM_construct_octet_string(OSSL_PKEY_PARAM_PUB_KEY, point, 1 + 2 * c->size);
	params[2] = v.params[0];
	params[3] = OSSL_PARAM_construct_end();
	return from_params("EC", params);
}

static EVP_PKEY *unpack_rsa(const unsigned char *p, size_t n)
{
	__attribute__((cleanup(native_wipe))) struct native v = { .n = 0 };

	for (size_t i = 0; i < ARRAY_SIZE(rsa_numbers); i++) {
		size_t len;

		if (n < 2)
			return NULL;
		len = (size_t)p[0] << 8 | p[1];
		p += 2, n -= 2;
		if (!len || len > n || len > sizeof v.bytes[0])
			return NULL;
		native_add(&v, rsa_numbers[i], p, len);
		p += len, n -= len;
	}
	if (n)
		return NULL;
	v.params[v.n] = OSSL_PARAM_construct_end();
	return from_params("RSA", v.params);
}

int pkey_unpack(const void *bytes, size_t n, EVP_PKEY **ret, struct err *err)
{
	const unsigned char *p = bytes;
	EVP_PKEY *k = NULL;

	if (n && p[0] == PACK_EC)
		k = unpack_ec(p + 1, n - 1);
	else if (n && p[0] == PACK_RSA)
		k = unpack_rsa(p + 1, n - 1);
	if (!k)
		return ossl_err(err, ERR_INTERNAL, "could not load a private key");
	*ret = k;
	return 0;
}

/* --- signing --- */

const EVP_MD *pkey_usual_digest(EVP_PKEY *k)
{
	const struct curve *c = pkey_curve(k);

	if (!c || c->size == 32)
		return EVP_sha256();
	return c->size == 48 ? EVP_sha384() : EVP_sha512();
}

const char *pkey_jws_alg(EVP_PKEY *k)
{
	const struct curve *c = pkey_curve(k);

	if (c)
		return c->size == 32 ? "ES256" : c->size == 48 ? "ES384" : NULL;
	return EVP_PKEY_get_base_id(k) == EVP_PKEY_RSA ? "RS256" : NULL;
}

static bool sign_message(EVP_PKEY *k, const EVP_MD *md, int padding, const void *p, size_t n, unsigned char *sig,
			 size_t *sig_n)
{
	_cleanup_ossl_(EVP_MD_CTX_free) EVP_MD_CTX *ctx = EVP_MD_CTX_new();
	EVP_PKEY_CTX *pctx = NULL; /* owned by ctx */

	if (!ctx || EVP_DigestSignInit(ctx, &pctx, md, NULL, k) != 1)
		return false;
	if (padding && EVP_PKEY_CTX_set_rsa_padding(pctx, padding) != 1)
		return false;
	if (padding == RSA_PKCS1_PSS_PADDING && EVP_PKEY_CTX_set_rsa_pss_saltlen(pctx, RSA_PSS_SALTLEN_DIGEST) != 1)
		return false;
	return EVP_DigestSign(ctx, sig, sig_n, p, n) == 1;
}

static bool sign_digest(EVP_PKEY *k, const EVP_MD *md, int padding, const void *p, size_t n, unsigned char *sig,
			size_t *sig_n)
{
	_cleanup_ossl_(EVP_PKEY_CTX_free) EVP_PKEY_CTX *ctx = EVP_PKEY_CTX_new_from_pkey(NULL, k, NULL);

	if (!ctx || EVP_PKEY_sign_init(ctx) != 1 || EVP_PKEY_CTX_set_signature_md(ctx, md) != 1)
		return false;
	if (padding && EVP_PKEY_CTX_set_rsa_padding(ctx, padding) != 1)
		return false;
	if (padding == RSA_PKCS1_PSS_PADDING && EVP_PKEY_CTX_set_rsa_pss_saltlen(ctx, RSA_PSS_SALTLEN_DIGEST) != 1)
		return false;
	return EVP_PKEY_sign(ctx, sig, sig_n, p, n) == 1;
}

int pkey_jws_sign(EVP_PKEY *k, const void *p, size_t n, struct buf *out, struct err *err)
{
	_cleanup_ossl_(ECDSA_SIG_free) ECDSA_SIG *rs = NULL;
	unsigned char sig[RSA_BITS_MAX / 8], flat[2 * 66];
	const struct curve *c = pkey_curve(k);
	const unsigned char *q = sig;
	size_t sig_n = sizeof sig;

	if (!pkey_jws_alg(k))
		return err_set(err, ERR_INVALID, "a key of type %s cannot sign for an ACME account", pkey_text(k).s);
	if (!sign_message(k, pkey_usual_digest(k), c ? 0 : RSA_PKCS1_PADDING, p, n, sig, &sig_n))
		return ossl_err(err, ERR_INTERNAL, "could not sign");
	if (!c) {
		buf_add(out, sig, sig_n);
		return 0;
	}
	rs = d2i_ECDSA_SIG(NULL, &q, (long)sig_n);
	if (!rs || BN_bn2binpad(ECDSA_SIG_get0_r(rs), flat, (int)c->size) < 0 ||
	    BN_bn2binpad(ECDSA_SIG_get0_s(rs), flat + c->size, (int)c->size) < 0)
		return ossl_err(err, ERR_INTERNAL, "could not sign");
	buf_add(out, flat, 2 * c->size);
	return 0;
}

int pkey_tls_sign(EVP_PKEY *k, enum pkey_scheme scheme, enum digest d, bool is_digest, const void *p, size_t n,
		  struct buf *out, struct err *err)
{
	static const int paddings[] = {
		[PKEY_ECDSA] = 0, [PKEY_RSA_PKCS1] = RSA_PKCS1_PADDING, [PKEY_RSA_PSS] = RSA_PKCS1_PSS_PADDING
	};
	const EVP_MD *md = d == DIGEST_SHA256 ? EVP_sha256() : d == DIGEST_SHA384 ? EVP_sha384() : EVP_sha512();
	unsigned char sig[RSA_BITS_MAX / 8];
	size_t sig_n = sizeof sig;
	bool ec = pkey_curve(k);

	if (d == DIGEST_SHA1)
		return err_set(err, ERR_INVALID, "SHA-1 signatures are not made");
	if ((unsigned)scheme >= ARRAY_SIZE(paddings) || ec != (scheme == PKEY_ECDSA))
		return err_set(err, ERR_INVALID, "the signature scheme does not fit a key of type %s", pkey_text(k).s);
	if (is_digest && n != (size_t)EVP_MD_get_size(md))
		return err_set(err, ERR_INVALID, "a digest has the wrong length to be signed");
	if (!(is_digest ? sign_digest : sign_message)(k, md, paddings[scheme], p, n, sig, &sig_n))
		return ossl_err(err, ERR_INTERNAL, "could not sign");
	buf_add(out, sig, sig_n);
	return 0;
}
