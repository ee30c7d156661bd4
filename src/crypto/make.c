/* SPDX-License-Identifier: Apache-2.0 */
/*
 * make.c - what we make ourselves: certificate signing requests (RFC 2986; limits of the subject: RFC 5280 A.1) and the
 * self-signed certificate of our own server.
 */
#include "base/clock.h"
#include "base/random.h"
#include "crypto/csr.h"
#include "crypto/der.h"
#include "crypto/ossl.h"
#include "crypto/private.h"
#include "crypto/x509.h"

#include <openssl/err.h>

#define BACKDATE_MS HOUR_MS

static const struct part {
	int nid;
	size_t offset;
	const char *field, *title;
	size_t max; /* characters, RFC 5280 A.1 */
} parts[] = {
	{ NID_countryName, offsetof(struct csr_subject, c), "/subject/c", "country", 2 },
	{ NID_stateOrProvinceName, offsetof(struct csr_subject, st), "/subject/st", "state", 128 },
	{ NID_localityName, offsetof(struct csr_subject, l), "/subject/l", "locality", 128 },
	{ NID_organizationName, offsetof(struct csr_subject, o), "/subject/o", "organisation", 64 },
	{ NID_organizationalUnitName, offsetof(struct csr_subject, ou), "/subject/ou", "organisational unit", 64 },
	{ NID_commonName, offsetof(struct csr_subject, cn), "/subject/cn", "common name", 64 },
};

static char **part_of(struct csr_subject *s, const struct part *p)
{
	return (char **)(void *)((char *)s + p->offset);
}

static const char *part_text(const struct csr_subject *s, const struct part *p)
{
	return *(char *const *)(const void *)((const char *)s + p->offset);
}

char **csr_subject_part(struct csr_subject *s, int nid)
{
	for (size_t i = 0; i < ARRAY_SIZE(parts); i++)
		if (parts[i].nid == nid)
			return part_of(s, &parts[i]);
	return NULL;
}

void csr_subject_copy(struct csr_subject *to, const struct csr_subject *from)
{
	for (size_t i = 0; i < ARRAY_SIZE(parts); i++)
		*part_of(to, &parts[i]) = xstrdup_null(part_text(from, &parts[i]));
}

void csr_subject_clear(struct csr_subject *s)
{
	for (size_t i = 0; i < ARRAY_SIZE(parts); i++)
		free(*part_of(s, &parts[i]));
	*s = (struct csr_subject){ 0 };
}

static size_t characters(const char *s)
{
	size_t n = 0;

	for (; *s; s++)
		n += ((unsigned char)*s & 0xc0) != 0x80;
	return n;
}

int csr_subject_check(const struct csr_subject *s, struct err *err)
{
	for (size_t i = 0; i < ARRAY_SIZE(parts); i++) {
		const struct part *p = &parts[i];
		const char *v = part_text(s, p);

		if (!v)
			continue;
		if (!*v || !utf8_valid(v, strlen(v)))
			return err_set_field(err, ERR_INVALID, p->field, "the %s is empty or not valid UTF-8",
					     p->title);
		for (const char *c = v; *c; c++)
			if ((unsigned char)*c < 0x20 || *c == 0x7f)
				return err_set_field(err, ERR_INVALID, p->field, "the %s has a control character",
						     p->title);
		if (p->nid == NID_countryName &&
		    (strlen(v) != 2 || v[0] < 'A' || v[0] > 'Z' || v[1] < 'A' || v[1] > 'Z'))
			return err_set_field(err, ERR_INVALID, p->field,
					     "the country is two capital letters, such as DE or US");
		if (characters(v) > p->max)
			return err_set_field(err, ERR_INVALID, p->field, "the %s has more than %zu characters",
					     p->title, p->max);
	}
	return 0;
}

/* --- requests --- */

static bool name_add(X509_NAME *name, int nid, const char *value)
{
	return X509_NAME_add_entry_by_NID(name, nid, MBSTRING_UTF8, (const unsigned char *)value, -1, -1, 0) == 1;
}

static bool ext_add(STACK_OF(X509_EXTENSION) **exts, int nid, const char *value)
{
	X509_EXTENSION *e = X509V3_EXT_conf_nid(NULL, NULL, nid, value);

	if (e && !X509v3_add_ext(exts, e, -1)) {
		X509_EXTENSION_free(e);
		return false;
	}
	X509_EXTENSION_free(e);
	return e;
}

static bool san_add(GENERAL_NAMES *san, const char *name)
{
	GENERAL_NAME *g = GENERAL_NAME_new();
	ASN1_OCTET_STRING *ip = a2i_IPADDRESS(name);
	ASN1_IA5STRING *dns = NULL;

	ERR_clear_error();
	if (g && ip) {
		GENERAL_NAME_set0_value(g, GEN_IPADD, ip);
	} else if (g) {
		dns = ASN1_IA5STRING_new();
		if (!dns || !ASN1_STRING_set(dns, name, (int)strlen(name))) {
			ASN1_IA5STRING_free(dns);
			GENERAL_NAME_free(g);
			return false;
		}
		GENERAL_NAME_set0_value(g, GEN_DNS, dns);
	}
	if (!g || !sk_GENERAL_NAME_push(san, g)) {
		GENERAL_NAME_free(g);
		return false;
	}
	return true;
}

static bool ext_add_san(STACK_OF(X509_EXTENSION) **exts, const struct strlist *names)
{
	_cleanup_ossl_(GENERAL_NAMES_free) GENERAL_NAMES *san = GENERAL_NAMES_new();

	if (!san)
		return false;
	for (size_t i = 0; i < names->n; i++)
		if (!san_add(san, names->v[i]))
			return false;
	return X509V3_add1_i2d(exts, NID_subject_alt_name, san, 0, X509V3_ADD_DEFAULT) == 1;
}

static void free_extensions(STACK_OF(X509_EXTENSION) **exts)
{
	sk_X509_EXTENSION_pop_free(*exts, X509_EXTENSION_free);
	*exts = NULL;
}

static bool fill_request(X509_REQ *req, EVP_PKEY *k, const struct strlist *names, const struct csr_subject *subject,
			 bool must_staple)
{
	__attribute__((cleanup(free_extensions))) STACK_OF(X509_EXTENSION) *exts = NULL;

	if (!X509_REQ_set_version(req, X509_REQ_VERSION_1) ||
	    (!spki_fill(X509_REQ_get_X509_PUBKEY(req), k) && !X509_REQ_set_pubkey(req, k)))
		return false;
	for (size_t i = 0; subject && i < ARRAY_SIZE(parts); i++)
		if (part_text(subject, &parts[i]) &&
		    !name_add(X509_REQ_get_subject_name(req), parts[i].nid, part_text(subject, &parts[i])))
			return false;
	if (!ext_add_san(&exts, names) || (must_staple && !ext_add(&exts, NID_tlsfeature, "status_request")))
		return false;
	return X509_REQ_add_extensions(req, exts) && X509_REQ_sign(req, k, pkey_usual_digest(k)) > 0;
}

int csr_build(EVP_PKEY *k, const struct strlist *names, const struct csr_subject *subject, bool must_staple,
	      struct buf *der, struct err *err)
{
	_cleanup_ossl_(X509_REQ_free) X509_REQ *req = X509_REQ_new();
	unsigned char *out = NULL;
	int n;

	if (!req || !fill_request(req, k, names, subject, must_staple))
		return ossl_err(err, ERR_INTERNAL, "could not make the certificate signing request");
	n = i2d_X509_REQ(req, &out);
	if (n <= 0)
		return ossl_err(err, ERR_INTERNAL, "could not encode the certificate signing request");
	buf_add(der, out, (size_t)n);
	OPENSSL_free(out);
	return buf_check(der, err);
}

/* --- a certificate of our own --- */

static bool set_serial(X509 *x)
{
	unsigned char bytes[16];
	_cleanup_ossl_(BN_clear_free) BIGNUM *n = NULL;

	random_bytes(bytes, sizeof bytes);
	bytes[0] = (bytes[0] & 0x7f) | 0x40; /* positive, always 16 bytes */
	n = BN_bin2bn(bytes, sizeof bytes, NULL);
	return n && BN_to_ASN1_INTEGER(n, X509_get_serialNumber(x));
}

static bool add_extensions(X509 *x, bool rsa, const struct strlist *names)
{
	STACK_OF(X509_EXTENSION) *exts = NULL;
	unsigned char id[DIGEST_MAX];
	ASN1_OCTET_STRING *ski = ASN1_OCTET_STRING_new();
	const ASN1_BIT_STRING *key = X509_get0_pubkey_bitstr(x);
	bool ok = ski && key;

	if (ok) {
		digest(DIGEST_SHA256, ASN1_STRING_get0_data(key), (size_t)ASN1_STRING_length(key), id);
		ok = ASN1_OCTET_STRING_set(ski, id, 20) &&
		     X509V3_add1_i2d(&exts, NID_subject_key_identifier, ski, 0, X509V3_ADD_DEFAULT) == 1;
	}
	ok = ok && ext_add(&exts, NID_basic_constraints, "critical,CA:FALSE") &&
	     ext_add(&exts, NID_key_usage,
		     rsa ? "critical,digitalSignature,keyEncipherment" : "critical,digitalSignature") &&
	     ext_add(&exts, NID_ext_key_usage, "serverAuth") && ext_add_san(&exts, names);
	for (int i = 0; ok && i < sk_X509_EXTENSION_num(exts); i++)
		ok = X509_add_ext(x, sk_X509_EXTENSION_value(exts, i), -1);
	sk_X509_EXTENSION_pop_free(exts, X509_EXTENSION_free);
	ASN1_OCTET_STRING_free(ski);
	return ok;
}

static bool fill_certificate(X509 *x, EVP_PKEY *k, const struct strlist *names, int64_t now_ms, int64_t days)
{
	X509_NAME *name = X509_get_subject_name(x);
	const char *cn = strlen(names->v[0]) <= 64 ? names->v[0] : "Certwright";

	return X509_set_version(x, X509_VERSION_3) && set_serial(x) && name_add(name, NID_commonName, cn) &&
	       X509_set_issuer_name(x, name) &&
	       ASN1_TIME_set(X509_getm_notBefore(x), (now_ms - BACKDATE_MS) / SECOND_MS) &&
	       ASN1_TIME_set(X509_getm_notAfter(x), (now_ms + days * DAY_MS) / SECOND_MS) && X509_set_pubkey(x, k) &&
	       add_extensions(x, EVP_PKEY_get_base_id(k) == EVP_PKEY_RSA, names) &&
	       X509_sign(x, k, pkey_usual_digest(k)) > 0;
}

int cert_self_signed(EVP_PKEY *k, const struct strlist *names, int64_t now_ms, int64_t days, struct buf *pem,
		     struct err *err)
{
	_cleanup_ossl_(X509_free) X509 *x = X509_new();
	unsigned char *der = NULL;
	int n;

	assert(names->n);
	if (!x || !fill_certificate(x, k, names, now_ms, days))
		return ossl_err(err, ERR_INTERNAL, "could not make the self-signed certificate");
	n = i2d_X509(x, &der);
	if (n <= 0)
		return ossl_err(err, ERR_INTERNAL, "could not encode the self-signed certificate");
	cert_pem(der, (size_t)n, pem);
	OPENSSL_free(der);
	return buf_check(pem, err);
}
