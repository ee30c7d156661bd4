/* SPDX-License-Identifier: Apache-2.0 */
/*
 * spki.c - public keys as they stand in documents (RFC 5280 4.1.2.7, RFC 5480, RFC 8017 A.1.1), without OpenSSL's decoders.
 *
 * OpenSSL 3 looks for a decoder among all its providers whenever a document with a key in it is read or made: some 0.25 ms each,
 * and a certificate's chain is four of them. So documents are read in a library context that has no decoder (the key stays as
 * bytes), and the few kinds of keys that are common are built from their numbers; all others go the long way.
 */
#include "crypto/ossl.h"

#include <openssl/core_names.h>
#include <openssl/err.h>
#include <openssl/provider.h>
#include <pthread.h>
#include <stdio.h>

static OSSL_LIB_CTX *no_decoders;

static void open_context(void)
{
	no_decoders = OSSL_LIB_CTX_new();
	if (no_decoders && !OSSL_PROVIDER_load(no_decoders, "null")) {
		OSSL_LIB_CTX_free(no_decoders);
		no_decoders = NULL; /* the default one serves, slower */
	}
	ERR_clear_error();
}

static OSSL_LIB_CTX *context(void)
{
	static pthread_once_t once = PTHREAD_ONCE_INIT;

	pthread_once(&once, open_context);
	return no_decoders;
}

X509 *x509_read(const unsigned char **p, size_t n)
{
	return (X509 *)ASN1_item_d2i_ex(NULL, p, (long)n, ASN1_ITEM_rptr(X509), context(), NULL);
}

X509_REQ *x509_req_read(const unsigned char **p, size_t n)
{
	return (X509_REQ *)ASN1_item_d2i_ex(NULL, p, (long)n, ASN1_ITEM_rptr(X509_REQ), context(), NULL);
}

static EVP_PKEY *from_params(const char *kind, OSSL_PARAM *params)
{
	_cleanup_ossl_(EVP_PKEY_CTX_free) EVP_PKEY_CTX *ctx = EVP_PKEY_CTX_new_from_name(NULL, kind, NULL);
	EVP_PKEY *k = NULL;

	if (!ctx || EVP_PKEY_fromdata_init(ctx) != 1 || EVP_PKEY_fromdata(ctx, &k, EVP_PKEY_PUBLIC_KEY, params) != 1)
		return NULL;
	return k;
}

static int named_curve(const X509_ALGOR *alg, const unsigned char *bits, int n)
{
	const void *curve = NULL;
	int ptype = 0, nid;

	X509_ALGOR_get0(NULL, &ptype, &curve, alg);
	if (ptype != V_ASN1_OBJECT || n < 1 || bits[0] != 4)
		return NID_undef;
	nid = OBJ_obj2nid(curve);
	if ((nid == NID_X9_62_prime256v1 && n == 65) || (nid == NID_secp384r1 && n == 97) || (nid == NID_secp521r1 && n == 133))
		return nid;
	return NID_undef;
}

int spki_curve(X509_PUBKEY *pub)
{
	const unsigned char *bits = NULL;
	ASN1_OBJECT *kind = NULL;
	X509_ALGOR *alg = NULL;
	int n = 0;

	if (!X509_PUBKEY_get0_param(&kind, &bits, &n, &alg, pub) || OBJ_obj2nid(kind) != NID_X9_62_id_ecPublicKey)
		return NID_undef;
	return named_curve(alg, bits, n);
}

/* A named curve and an uncompressed point; that it is on the curve is checked by fromdata. */
static EVP_PKEY *ec_key(const X509_ALGOR *alg, const unsigned char *bits, int n)
{
	unsigned char point[1 + 2 * 66];
	char group[40];
	OSSL_PARAM params[3];
	int nid = named_curve(alg, bits, n);

	if (nid == NID_undef)
		return NULL;
	snprintf(group, sizeof group, "%s", OBJ_nid2sn(nid));
	memcpy(point, bits, (size_t)n);
	params[0] = OSSL_PARAM_construct_utf8_string(OSSL_PKEY_PARAM_GROUP_NAME, group, 0);
	params[1] = OSSL_PARAM_construct_octet_string(OSSL_PKEY_PARAM_PUB_KEY, point, (size_t)n);
	params[2] = OSSL_PARAM_construct_end();
	return from_params("EC", params);
}

/* A positive INTEGER in the native form of a parameter. */
static bool number_param(const ASN1_TYPE *t, const char *name, unsigned char *to, size_t to_n, OSSL_PARAM *ret)
{
	_cleanup_ossl_(BN_clear_free) BIGNUM *v = NULL;
	int n;

	if (ASN1_TYPE_get(t) != V_ASN1_INTEGER)
		return false;
	v = ASN1_INTEGER_to_BN(t->value.integer, NULL);
	if (!v || BN_is_negative(v) || BN_is_zero(v) || BN_num_bytes(v) > (int)to_n)
		return false;
	n = BN_num_bytes(v);
	if (BN_bn2nativepad(v, to, n) != n)
		return false;
	*ret = OSSL_PARAM_construct_BN(name, to, (size_t)n);
	return true;
}

static void free_types(ASN1_SEQUENCE_ANY **seq)
{
	sk_ASN1_TYPE_pop_free(*seq, ASN1_TYPE_free);
	*seq = NULL;
}

static EVP_PKEY *rsa_key(const unsigned char *bits, int n)
{
	const unsigned char *p = bits;
	__attribute__((cleanup(free_types))) ASN1_SEQUENCE_ANY *seq = n > 0 ? d2i_ASN1_SEQUENCE_ANY(NULL, &p, n) : NULL;
	unsigned char modulus[1024], exponent[8];
	OSSL_PARAM params[3];

	if (!seq || p != bits + n || sk_ASN1_TYPE_num(seq) != 2 ||
	    !number_param(sk_ASN1_TYPE_value(seq, 0), OSSL_PKEY_PARAM_RSA_N, modulus, sizeof modulus, &params[0]) ||
	    !number_param(sk_ASN1_TYPE_value(seq, 1), OSSL_PKEY_PARAM_RSA_E, exponent, sizeof exponent, &params[1]))
		return NULL;
	params[2] = OSSL_PARAM_construct_end();
	return from_params("RSA", params);
}

static EVP_PKEY *the_long_way(X509_PUBKEY *pub)
{
	unsigned char *der = NULL;
	int n = i2d_X509_PUBKEY(pub, &der);
	const unsigned char *p = der;
	EVP_PKEY *k = n > 0 ? d2i_PUBKEY(NULL, &p, n) : NULL;

	OPENSSL_free(der);
	return k;
}

EVP_PKEY *spki_key(X509_PUBKEY *pub)
{
	const unsigned char *bits = NULL;
	ASN1_OBJECT *kind = NULL;
	X509_ALGOR *alg = NULL;
	EVP_PKEY *k = NULL;
	int n = 0, nid;

	if (!X509_PUBKEY_get0_param(&kind, &bits, &n, &alg, pub))
		return NULL;
	nid = OBJ_obj2nid(kind);
	if (nid == NID_X9_62_id_ecPublicKey)
		k = ec_key(alg, bits, n);
	else if (nid == NID_rsaEncryption)
		k = rsa_key(bits, n);
	if (!k) {
		ERR_clear_error();
		k = the_long_way(pub);
	}
	return k;
}

bool spki_fill(X509_PUBKEY *pub, EVP_PKEY *k)
{
	unsigned char point[1 + 2 * 66], *bytes;
	char group[40];
	size_t n = 0;
	int nid;

	if (EVP_PKEY_get_base_id(k) != EVP_PKEY_EC || !EVP_PKEY_get_group_name(k, group, sizeof group, &n) ||
	    !EVP_PKEY_get_octet_string_param(k, OSSL_PKEY_PARAM_ENCODED_PUBLIC_KEY, point, sizeof point, &n) || !n || point[0] != 4)
		return false;
	nid = OBJ_sn2nid(group);
	if (nid != NID_X9_62_prime256v1 && nid != NID_secp384r1 && nid != NID_secp521r1)
		return false;
	bytes = OPENSSL_memdup(point, n);
	if (bytes && X509_PUBKEY_set0_param(pub, OBJ_nid2obj(NID_X9_62_id_ecPublicKey), V_ASN1_OBJECT, OBJ_nid2obj(nid), bytes, (int)n))
		return true;
	OPENSSL_free(bytes);
	return false;
}

/* The first element of the outer sequence, as it stands there: what is signed. */
static bool signed_part(const void *der, size_t n, const unsigned char **ret, size_t *ret_n)
{
	const unsigned char *p = der, *end = p + n, *start;
	int tag, class;
	long len;

	if (ASN1_get_object(&p, &len, &tag, &class, (long)n) & 0x80)
		return false;
	start = p;
	if (ASN1_get_object(&p, &len, &tag, &class, (long)(end - p)) & 0x80)
		return false;
	*ret = start;
	*ret_n = (size_t)(p - start) + (size_t)len;
	return true;
}

int spki_verify(const void *der, size_t n, const X509_ALGOR *alg, const ASN1_BIT_STRING *sig, EVP_PKEY *k)
{
	_cleanup_ossl_(EVP_MD_CTX_free) EVP_MD_CTX *ctx = NULL;
	const ASN1_OBJECT *kind = NULL;
	const unsigned char *tbs;
	size_t tbs_n;
	int md = NID_undef, pk = NID_undef;

	X509_ALGOR_get0(&kind, NULL, NULL, alg);
	if (!OBJ_find_sigid_algs(OBJ_obj2nid(kind), &md, &pk) || md == NID_undef ||
	    (pk != NID_X9_62_id_ecPublicKey && pk != NID_rsaEncryption))
		return -1;
	if (pk != EVP_PKEY_get_base_id(k) || !signed_part(der, n, &tbs, &tbs_n))
		return 0;
	ctx = EVP_MD_CTX_new();
	return ctx && EVP_DigestVerifyInit(ctx, NULL, EVP_get_digestbynid(md), NULL, k) == 1 &&
	       EVP_DigestVerify(ctx, ASN1_STRING_get0_data(sig), (size_t)ASN1_STRING_length(sig), tbs, tbs_n) == 1;
}
