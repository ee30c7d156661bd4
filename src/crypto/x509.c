/* SPDX-License-Identifier: Apache-2.0 */
/* x509.c - see x509.h: certificates (RFC 5280), chains as a CA sends them (RFC 8555 9.1), ARI ids (RFC 9773 4.1). */
#include "crypto/x509.h"

#include "base/base64.h"
#include "base/clock.h"
#include "base/limits.h"
#include "crypto/der.h"
#include "crypto/ossl.h"

#include <openssl/err.h>

#define TEXT_MAX 1024
#define SAN_MAX 1000

static void cert_done(struct cert *c)
{
	free(c->der);
	free(c->info.serial);
	free(c->info.subject);
	free(c->info.issuer);
	free(c->info.subject_cn);
	free(c->info.issuer_cn);
	strlist_clear(&c->info.names);
	free(c->info.aki);
	free(c->info.ski);
}

void chain_clear(struct chain *c)
{
	for (size_t i = 0; i < c->n; i++)
		cert_done(&c->v[i]);
	free(c->v);
	*c = (struct chain){ 0 };
}

/* --- reading --- */

static char *hex(const void *p, size_t n)
{
	struct buf b = BUF_MAX(2 * n + 1);

	buf_add_hex(&b, p, n);
	return buf_take(&b);
}

static char *hex_octets(const ASN1_OCTET_STRING *s)
{
	return s && ASN1_STRING_length(s) > 0 && ASN1_STRING_length(s) <= 64
		       ? hex(ASN1_STRING_get0_data(s), (size_t)ASN1_STRING_length(s))
		       : NULL;
}

/* The content octets of the DER INTEGER: a leading zero byte stays, as ARI ids need it. */
static int serial_hex(const X509 *x, char **ret, struct err *err)
{
	unsigned char der[64], *p = der;
	const ASN1_INTEGER *serial = X509_get0_serialNumber(x);
	int n = ASN1_STRING_length(serial) > 40 ? -1 : i2d_ASN1_INTEGER(serial, &p);

	if (n < 3)
		return ossl_err(err, ERR_INVALID, "its serial number is unusable");
	*ret = hex(der + 2, (size_t)n - 2);
	return 0;
}

static char *name_line(const X509_NAME *name)
{
	_cleanup_ossl_(BIO_free_all) BIO *bio = BIO_new(BIO_s_mem());
	char *text = NULL, *clean;
	long n;

	if (!bio || X509_NAME_print_ex(bio, name, 0, (XN_FLAG_RFC2253 & ~(unsigned long)ASN1_STRFLGS_ESC_MSB)) < 0)
		return xstrdup("");
	n = BIO_get_mem_data(bio, &text);
	clean = str_clean(text ? text : "", n > 0 ? (size_t)n : 0, TEXT_MAX);
	return clean;
}

static char *name_cn(const X509_NAME *name)
{
	int at = X509_NAME_get_index_by_NID(name, NID_commonName, -1), n;
	unsigned char *utf8 = NULL;
	char *r;

	if (at < 0)
		return NULL;
	n = ASN1_STRING_to_UTF8(&utf8, X509_NAME_ENTRY_get_data(X509_NAME_get_entry(name, at)));
	if (n < 0)
		return NULL;
	r = str_clean((char *)utf8, (size_t)n, TEXT_MAX);
	OPENSSL_free(utf8);
	return r;
}

static int time_ms(const ASN1_TIME *t, int64_t *ret, struct err *err)
{
	struct tm tm;

	if (!ASN1_TIME_to_tm(t, &tm))
		return ossl_err(err, ERR_INVALID, "its dates cannot be read");
	*ret = clock_civil(tm.tm_year + 1900, tm.tm_mon + 1, tm.tm_mday, tm.tm_hour, tm.tm_min, tm.tm_sec);
	return 0;
}

static int read_san(const X509 *x, struct cert_info *info, struct err *err)
{
	_cleanup_ossl_(GENERAL_NAMES_free) GENERAL_NAMES *san = NULL;
	const char *kind = NULL;
	unsigned other = 0;
	int crit = -1, r;

	san = X509_get_ext_d2i(x, NID_subject_alt_name, &crit, NULL);
	if (!san && crit == -1)
		return 0;
	if (!san)
		return ossl_err(err, ERR_INVALID, "its subject alternative names cannot be read");
	if (sk_GENERAL_NAME_num(san) > SAN_MAX)
		return err_set(err, ERR_INVALID, "it has more than %d names", SAN_MAX);
	r = san_names(san, &info->names, &info->names, &other, &kind, err);
	strlist_sort_unique(&info->names);
	info->san_other = other;
	return r;
}

/* A certificate of an authority: version 3, basic constraints say so, and key usage, where there is one, allows it. */
static bool is_authority(const X509 *x)
{
	int crit = -1;
	BASIC_CONSTRAINTS *basic = X509_get_ext_d2i(x, NID_basic_constraints, NULL, NULL);
	ASN1_BIT_STRING *usage = X509_get_ext_d2i(x, NID_key_usage, &crit, NULL);
	bool ca = basic && basic->ca, may = crit == -1 || (usage && ASN1_BIT_STRING_get_bit(usage, 5)); /* keyCertSign */

	BASIC_CONSTRAINTS_free(basic);
	ASN1_BIT_STRING_free(usage);
	return X509_get_version(x) == X509_VERSION_3 && ca && may;
}

static int read_info(X509 *x, const void *der, size_t n, struct cert_info *info, struct err *err)
{
	AUTHORITY_KEYID *aki;
	ASN1_OCTET_STRING *ski;

	if (serial_hex(x, &info->serial, err) < 0 || time_ms(X509_get0_notBefore(x), &info->not_before_ms, err) < 0 ||
	    time_ms(X509_get0_notAfter(x), &info->not_after_ms, err) < 0 || read_san(x, info, err) < 0)
		return -(int)err->code;
	info->subject = name_line(X509_get_subject_name(x));
	info->issuer = name_line(X509_get_issuer_name(x));
	info->subject_cn = name_cn(X509_get_subject_name(x));
	info->issuer_cn = name_cn(X509_get_issuer_name(x));
	info->key_type = spki_text(X509_get_X509_PUBKEY(x));
	spki_hash(X509_get_X509_PUBKEY(x), info->public_hash);
	sha256_hex(der, n, info->fingerprint);
	info->is_ca = is_authority(x);
	info->must_staple = X509_get_ext_by_NID(x, NID_tlsfeature, -1) >= 0;
	aki = X509_get_ext_d2i(x, NID_authority_key_identifier, NULL, NULL);
	ski = X509_get_ext_d2i(x, NID_subject_key_identifier, NULL, NULL);
	info->aki = hex_octets(aki ? aki->keyid : NULL);
	info->ski = hex_octets(ski);
	AUTHORITY_KEYID_free(aki);
	ASN1_OCTET_STRING_free(ski);
	return 0;
}

static X509 *decode(const void *der, size_t n)
{
	const unsigned char *p = der;
	X509 *x = x509_read(&p, n);

	if (x && p != (const unsigned char *)der + n) {
		X509_free(x);
		return NULL;
	}
	return x;
}

static int chain_add(struct chain *c, const void *der, size_t n, struct err *err)
{
	_cleanup_ossl_(X509_free) X509 *x = NULL;
	struct cert *cert;
	int r;

	if (c->n == LIMIT_CHAIN_CERTIFICATES)
		return err_set(err, ERR_TOO_LARGE, "there are more than %d certificates", LIMIT_CHAIN_CERTIFICATES);
	if (der_check(der, n, err) < 0)
		return err_wrap(err, "certificate %zu is unusable", c->n + 1);
	x = decode(der, n);
	if (!x)
		return ossl_err(err, ERR_INVALID, "certificate %zu is not an X.509 certificate", c->n + 1);
	c->v = xrealloc(c->v, (c->n + 1) * sizeof *c->v);
	cert = &c->v[c->n++];
	*cert = (struct cert){ .der = xmemdup(der, n), .der_n = n };
	r = read_info(x, der, n, &cert->info, err);
	ERR_clear_error();
	return r < 0 ? err_wrap(err, "certificate %zu is unusable", c->n) : 0;
}

int chain_parse(const char *pem, size_t n, struct chain *ret, struct err *err)
{
	_cleanup_buf_ struct buf der = BUF_MAX(LIMIT_CA_CHAIN);
	_cleanup_chain_ struct chain c = { 0 };
	struct str rest = { pem, n }, label;
	int r;

	if (n > LIMIT_CA_CHAIN)
		return err_set(err, ERR_TOO_LARGE, "a certificate chain has at most %d bytes", LIMIT_CA_CHAIN);
	while ((r = pem_next(&rest, &label, &der, err)) > 0) {
		if (!str_is(label, "CERTIFICATE"))
			r = err_set(err, ERR_INVALID, "there is a PEM block that is no certificate");
		else
			r = chain_add(&c, der.p, der.n, err);
		if (r < 0)
			break;
	}
	if (r < 0)
		return err_wrap(err, "could not read certificate chain");
	if (!c.n)
		return err_set(err, ERR_INVALID, "could not read certificate chain: there is no certificate in it");
	*ret = TAKE(c);
	return 0;
}

int chain_parse_der(const void *der, size_t n, struct chain *ret, struct err *err)
{
	_cleanup_chain_ struct chain c = { 0 };

	if (n > LIMIT_CA_CHAIN)
		return err_set(err, ERR_TOO_LARGE, "a certificate has at most %d bytes", LIMIT_CA_CHAIN);
	if (chain_add(&c, der, n, err) < 0)
		return err_wrap(err, "could not read certificate");
	*ret = TAKE(c);
	return 0;
}

void cert_pem(const void *der, size_t n, struct buf *out)
{
	pem_add(out, "CERTIFICATE", der, n);
}

void chain_pem(const struct chain *c, size_t from, struct buf *out)
{
	for (size_t i = from; i < c->n; i++)
		cert_pem(c->v[i].der, c->v[i].der_n, out);
}

bool chain_has_issuer(const struct chain *c, const char *cn)
{
	if (c->n && c->v[c->n - 1].info.issuer_cn && streq(c->v[c->n - 1].info.issuer_cn, cn))
		return true;
	for (size_t i = 0; i < c->n; i++)
		if (c->v[i].info.subject_cn && streq(c->v[i].info.subject_cn, cn))
			return true;
	return false;
}

/* --- judging --- */

static bool signed_by(X509 *x, const struct cert *c, EVP_PKEY *k)
{
	const ASN1_BIT_STRING *sig = NULL;
	const X509_ALGOR *alg = NULL;
	const unsigned char *p = c->der;
	X509 *whole;
	int r;

	X509_get0_signature(&sig, &alg, x);
	if (X509_ALGOR_cmp(alg, X509_get0_tbs_sigalg(x)))
		return false;
	r = spki_verify(c->der, c->der_n, alg, sig, k);
	if (r >= 0)
		return r;
	whole = d2i_X509(NULL, &p, (long)c->der_n); /* RSA-PSS, Ed25519 and what may come */
	r = whole ? X509_verify(whole, k) : 0;
	X509_free(whole);
	return r == 1;
}

static int verify_link(X509 *x, const struct cert *c, X509 *by, size_t i, struct err *err)
{
	_cleanup_ossl_(EVP_PKEY_free) EVP_PKEY *k = spki_key(X509_get_X509_PUBKEY(by));

	if (X509_NAME_cmp(X509_get_issuer_name(x), X509_get_subject_name(by)))
		return err_set(err, ERR_INVALID,
			       "the chain does not link: certificate %zu is not issued by certificate %zu", i, i + 1);
	if (!is_authority(by))
		return err_set(err, ERR_INVALID, "the chain does not link: certificate %zu is not one of an authority",
			       i + 1);
	if (!k || !signed_by(x, c, k))
		return ossl_err(err, ERR_INVALID,
				"the chain does not link: the signature of certificate %zu is not by certificate %zu",
				i, i + 1);
	return 0;
}

int chain_verify_links(const struct chain *c, struct err *err)
{
	if (!c->n)
		return err_set(err, ERR_INVALID, "the chain is empty");
	for (size_t i = 0; i + 1 < c->n; i++) {
		_cleanup_ossl_(X509_free) X509 *x = decode(c->v[i].der, c->v[i].der_n);
		_cleanup_ossl_(X509_free) X509 *by = decode(c->v[i + 1].der, c->v[i + 1].der_n);
		int r;

		assert(x && by); /* chain_parse has read them */
		r = verify_link(x, &c->v[i], by, i + 1, err);
		ERR_clear_error();
		if (r < 0)
			return r;
	}
	return 0;
}

static int check_names(const struct cert_info *leaf, const struct strlist *names, struct err *err)
{
	for (size_t i = 0; i < names->n; i++)
		if (!strlist_has(&leaf->names, names->v[i]))
			return err_set(err, ERR_NEEDS_PERSON, "the certificate lacks the name '%s'", names->v[i]);
	for (size_t i = 0; i < leaf->names.n; i++)
		if (!strlist_has(names, leaf->names.v[i]))
			return err_set(err, ERR_NEEDS_PERSON,
				       "the certificate has the name '%s', which was not ordered", leaf->names.v[i]);
	if (leaf->san_other)
		return err_set(err, ERR_NEEDS_PERSON,
			       "the certificate has names that are not DNS names, which were not ordered");
	return 0;
}

static int check_dates(const struct cert_info *leaf, int64_t now_ms, struct err *err)
{
	char text[CLOCK_TEXT];

	if (leaf->not_after_ms <= now_ms)
		return err_set(err, ERR_NEEDS_PERSON, "the certificate has expired already, on %s",
			       clock_format(leaf->not_after_ms, text));
	if (leaf->not_before_ms >= leaf->not_after_ms)
		return err_set(err, ERR_NEEDS_PERSON, "the certificate ends before it begins");
	if (leaf->not_before_ms > clock_add(now_ms, 48 * HOUR_MS))
		return err_set(err, ERR_NEEDS_PERSON, "the certificate begins more than 48 hours from now, on %s",
			       clock_format(leaf->not_before_ms, text));
	return 0;
}

int chain_check(const struct chain *c, const struct chain_expect *want, struct err *err)
{
	_cleanup_err_ struct err why = ERR_INIT;
	const struct cert_info *leaf;

	if (chain_verify_links(c, &why) < 0)
		return err_set(err, ERR_NEEDS_PERSON, "%s", why.detail);
	leaf = &c->v[0].info;
	if (want->public_hash && !streq(leaf->public_hash, want->public_hash))
		return err_set(err, ERR_NEEDS_PERSON, "the certificate is for another key than the one of the request");
	if (leaf->is_ca)
		return err_set(err, ERR_NEEDS_PERSON, "the certificate is one of an authority");
	if (want->names && check_names(leaf, want->names, err) < 0)
		return -(int)err->code;
	return check_dates(leaf, want->now_ms, err);
}

static void unhex(const char *s, struct buf *out)
{
	for (; s[0] && s[1]; s += 2) {
		unsigned hi = (unsigned)(s[0] <= '9' ? s[0] - '0' : s[0] - 'a' + 10);
		unsigned lo = (unsigned)(s[1] <= '9' ? s[1] - '0' : s[1] - 'a' + 10);

		buf_add_char(out, (char)(hi << 4 | lo));
	}
}

int cert_ari_id(const struct cert_info *i, char **ret, struct err *err)
{
	_cleanup_buf_ struct buf aki = BUF_MAX(64), serial = BUF_MAX(64);
	struct buf out = BUF_MAX(256);

	if (!i->aki || !i->serial)
		return err_set(err, ERR_INVALID,
			       "the certificate has no authority key identifier, so it cannot be asked about");
	unhex(i->aki, &aki);
	unhex(i->serial, &serial);
	base64url_encode(&out, aki.p, aki.n);
	buf_add_char(&out, '.');
	base64url_encode(&out, serial.p, serial.n);
	*ret = buf_take(&out);
	return 0;
}
