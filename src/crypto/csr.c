/* SPDX-License-Identifier: Apache-2.0 */
/* csr.c - see csr.h: reading certificate signing requests, RFC 2986 (PKCS#10), RFC 5280 4.2.1.6 for names. Made ones: make.c. */
#include "crypto/csr.h"

#include "base/idn.h"
#include "base/limits.h"
#include "crypto/der.h"
#include "crypto/ossl.h"
#include "crypto/private.h"

#include <openssl/err.h>

#define SUBJECT_TEXTS_MAX 512

void csr_info_clear(struct csr_info *i)
{
	free(i->der);
	strlist_clear(&i->names);
	csr_subject_clear(&i->subject);
	*i = (struct csr_info){ 0 };
}

/* --- names, shared with certificates --- */

static const char *general_kind(int type)
{
	switch (type) {
	case GEN_EMAIL:
		return "an e-mail address";
	case GEN_IPADD:
		return "an IP address";
	case GEN_URI:
		return "a URI";
	case GEN_DIRNAME:
		return "a directory name";
	default:
		return "a name of another kind";
	}
}

int san_names(const GENERAL_NAMES *san, struct strlist *names, struct strlist *odd, unsigned *ret_other,
	      const char **ret_kind, struct err *err)
{
	for (int i = 0; i < sk_GENERAL_NAME_num(san); i++) {
		const GENERAL_NAME *g = sk_GENERAL_NAME_value(san, i);
		_cleanup_free_ char *raw = NULL, *name = NULL;
		_cleanup_err_ struct err why = ERR_INIT;

		if (g->type != GEN_DNS) {
			if (!(*ret_other)++)
				*ret_kind = general_kind(g->type);
			continue;
		}
		raw = str_clean((const char *)ASN1_STRING_get0_data(g->d.dNSName),
				(size_t)ASN1_STRING_length(g->d.dNSName), 2 * LIMIT_NAME);
		if (strlen(raw) == (size_t)ASN1_STRING_length(g->d.dNSName) && name_canonical(raw, &name, &why) == 0) {
			strlist_add(names, name);
		} else if (odd) {
			str_lower(raw);
			strlist_add(odd, raw);
		} else {
			return err_is(&why)
				       ? err_move(err, &why)
				       : err_set(err, ERR_INVALID, "'%s' has a character that no host name has", raw);
		}
	}
	return 0;
}

/* --- reading --- */

static int csr_der(const void *p, size_t n, struct buf *der, struct err *err)
{
	struct str rest = { p, n }, label;
	_cleanup_buf_ struct buf more = BUF_MAX(LIMIT_CSR);
	int r;

	if (!n)
		return err_set(err, ERR_INVALID, "it is empty");
	if (n > LIMIT_CSR)
		return err_set(err, ERR_TOO_LARGE, "it has more than %d bytes", LIMIT_CSR);
	if (*rest.p == 0x30) { /* a SEQUENCE; PEM begins with '-' or blanks */
		buf_add(der, p, n);
		return 0;
	}
	r = pem_next(&rest, &label, der, err);
	if (r < 0)
		return r;
	if (!r)
		return err_set(err, ERR_INVALID, "it is empty");
	if (!str_is(label, "CERTIFICATE REQUEST") && !str_is(label, "NEW CERTIFICATE REQUEST"))
		return err_set(err, ERR_INVALID, "it is a PEM block of another kind%s",
			       memmem(label.p, label.n, "PRIVATE", 7) ? ", a private key: keep that to yourself" : "");
	r = pem_next(&rest, &label, &more, err);
	if (r < 0)
		return r;
	return r ? err_set(err, ERR_INVALID, "there is more than one PEM block") : 0;
}

static int check_signature(X509_REQ *req, const struct buf *der, struct err *err)
{
	_cleanup_ossl_(EVP_PKEY_free) EVP_PKEY *k = NULL;
	const ASN1_BIT_STRING *sig = NULL;
	const X509_ALGOR *algor = NULL;
	int md = NID_undef, pk = NID_undef, alg = X509_REQ_get_signature_nid(req);

	if (!OBJ_find_sigid_algs(alg, &md, &pk) || (md != NID_sha256 && md != NID_sha384 && md != NID_sha512))
		return err_set(err, ERR_INVALID,
			       "it is signed with %s; SHA-256, SHA-384 or SHA-512 with RSA (PKCS#1) or ECDSA is needed",
			       alg == NID_undef ? "an unknown algorithm" : OBJ_nid2ln(alg));
	k = spki_key(X509_REQ_get_X509_PUBKEY(req));
	X509_REQ_get0_signature(req, &sig, &algor);
	if (!k || spki_verify(der->p, der->n, algor, sig, k) != 1)
		return ossl_err(err, ERR_INVALID, "its signature is not made by its own key");
	return 0;
}

static int read_subject(X509_REQ *req, struct csr_subject *ret, struct strlist *ret_cns, struct err *err)
{
	X509_NAME *name = X509_REQ_get_subject_name(req); /* borrowed */

	if (X509_NAME_entry_count(name) > 64)
		return err_set(err, ERR_INVALID, "its subject has more than 64 entries");
	for (int i = 0; i < X509_NAME_entry_count(name); i++) {
		X509_NAME_ENTRY *entry = X509_NAME_get_entry(name, i);
		int nid = OBJ_obj2nid(X509_NAME_ENTRY_get_object(entry));
		unsigned char *utf8 = NULL;
		int n = ASN1_STRING_to_UTF8(&utf8, X509_NAME_ENTRY_get_data(entry));
		_cleanup_free_ char *text = NULL;
		char **part;

		if (n < 0)
			return ossl_err(err, ERR_INVALID, "its subject has text that cannot be read");
		text = str_clean((char *)utf8, (size_t)n, SUBJECT_TEXTS_MAX);
		if (memchr(utf8, 0, (size_t)n)) {
			OPENSSL_free(utf8);
			return err_set(err, ERR_INVALID, "its subject has text with a NUL in it");
		}
		OPENSSL_free(utf8);
		if (nid == NID_commonName)
			strlist_add(ret_cns, text);
		part = csr_subject_part(ret, nid);
		if (part && !*part && *text)
			*part = TAKE(text);
	}
	return 0;
}

static int check_common_names(const struct strlist *cns, const struct strlist *names, struct err *err)
{
	for (size_t i = 0; i < cns->n; i++) {
		_cleanup_free_ char *canonical = NULL;
		_cleanup_err_ struct err ignored = ERR_INIT;

		if (name_canonical(cns->v[i], &canonical, &ignored) < 0 || !strlist_has(names, canonical))
			return err_set(err, ERR_INVALID,
				       "its common name '%s' is not among its subject alternative names: add it there "
				       "or leave it out",
				       cns->v[i]);
	}
	return 0;
}

static int count_extension_requests(X509_REQ *req, struct err *err)
{
	unsigned n = 0;

	for (int i = 0; i < X509_REQ_get_attr_count(req); i++) {
		int nid = OBJ_obj2nid(X509_ATTRIBUTE_get0_object(X509_REQ_get_attr(req, i)));

		n += nid == NID_ext_req || nid == NID_ms_ext_req;
	}
	return n > 1 ? err_set(err, ERR_INVALID, "it asks for extensions twice") : 0;
}

static void free_extensions(STACK_OF(X509_EXTENSION) **exts)
{
	sk_X509_EXTENSION_pop_free(*exts, X509_EXTENSION_free);
	*exts = NULL;
}

static bool asks_client_auth(const STACK_OF(X509_EXTENSION) *exts)
{
	EXTENDED_KEY_USAGE *usages = X509V3_get_d2i(exts, NID_ext_key_usage, NULL, NULL);
	bool asks = false;

	for (int i = 0; usages && i < sk_ASN1_OBJECT_num(usages); i++)
		asks = asks || OBJ_obj2nid(sk_ASN1_OBJECT_value(usages, i)) == NID_client_auth;
	EXTENDED_KEY_USAGE_free(usages);
	return asks;
}

static int read_names(X509_REQ *req, struct csr_info *info, struct err *err)
{
	__attribute__((cleanup(free_extensions))) STACK_OF(X509_EXTENSION) *exts = X509_REQ_get_extensions(req);
	_cleanup_ossl_(GENERAL_NAMES_free) GENERAL_NAMES *san = NULL;
	const char *kind = NULL;
	unsigned other = 0;
	int crit = -1;

	san = exts ? X509V3_get_d2i(exts, NID_subject_alt_name, &crit, NULL) : NULL;
	if (!san && crit == -2)
		return err_set(err, ERR_INVALID, "it has two lists of subject alternative names");
	info->must_staple = exts && X509v3_get_ext_by_NID(exts, NID_tlsfeature, -1) >= 0;
	info->client_auth = exts && asks_client_auth(exts);
	if (!san && crit == -1)
		return 0; /* perhaps a common name */
	if (!san)
		return ossl_err(err, ERR_INVALID, "its subject alternative names cannot be read");
	if (sk_GENERAL_NAME_num(san) > LIMIT_NAMES)
		return err_set(err, ERR_INVALID, "it has more than %d names", LIMIT_NAMES);
	if (san_names(san, &info->names, NULL, &other, &kind, err) < 0)
		return -(int)err->code;
	if (other)
		return err_set(err, ERR_INVALID, "its subject alternative names hold %s; only DNS names can be ordered",
			       kind);
	if (!info->names.n)
		return err_set(err, ERR_INVALID,
			       "its list of subject alternative names is empty");
	strlist_sort_unique(&info->names);
	return 0;
}

/* The name of a request without alternative names: its one common name. */
static int name_from_common_name(const struct strlist *cns, struct csr_info *info, struct err *err)
{
	_cleanup_free_ char *name = NULL;
	_cleanup_err_ struct err why = ERR_INIT;

	if (info->names.n)
		return 0;
	if (!cns->n)
		return err_set(err, ERR_INVALID, "it has no subject alternative names and no common name");
	if (cns->n > 1)
		return err_set(err, ERR_INVALID, "it has several common names and no subject alternative names");
	if (name_canonical(cns->v[0], &name, &why) < 0)
		return err_set(err, ERR_INVALID, "it has no subject alternative names, and its common name '%s' is no host name", cns->v[0]);
	strlist_add(&info->names, name);
	info->common_name_only = true;
	return 0;
}

static int csr_read(const void *p, size_t n, struct csr_info *info, struct err *err)
{
	_cleanup_buf_ struct buf der = BUF_MAX(LIMIT_CSR);
	_cleanup_ossl_(X509_REQ_free) X509_REQ *req = NULL;
	_cleanup_strlist_ struct strlist cns = { 0 };
	const unsigned char *q;

	if (csr_der(p, n, &der, err) < 0 || buf_check(&der, err) < 0 || der_check(der.p, der.n, err) < 0)
		return -(int)err->code;
	q = (unsigned char *)der.p;
	req = x509_req_read(&q, der.n);
	if (!req)
		return ossl_err(err, ERR_INVALID, "it is not a PKCS#10 request");
	if (q != (unsigned char *)der.p + der.n)
		return err_set(err, ERR_INVALID, "there are bytes behind its end");
	if (X509_REQ_get_version(req) != X509_REQ_VERSION_1)
		return err_set(err, ERR_INVALID, "it is of an unknown version");
	if (spki_acceptable(X509_REQ_get_X509_PUBKEY(req), "request", err) < 0 || check_signature(req, &der, err) < 0 ||
	    count_extension_requests(req, err) < 0 || read_names(req, info, err) < 0 ||
	    read_subject(req, &info->subject, &cns, err) < 0 ||
	    name_from_common_name(&cns, info, err) < 0 || check_common_names(&cns, &info->names, err) < 0)
		return -(int)err->code;
	info->key_type = spki_text(X509_REQ_get_X509_PUBKEY(req));
	spki_hash(X509_REQ_get_X509_PUBKEY(req), info->public_hash);
	sha256_hex(der.p, der.n, info->der_hash);
	info->der_n = der.n;
	info->der = (unsigned char *)buf_take(&der);
	return 0;
}

int csr_parse(const void *p, size_t n, struct csr_info *ret, struct err *err)
{
	_cleanup_csr_info_ struct csr_info info = { 0 };
	int r = csr_read(p, n, &info, err);

	ERR_clear_error();
	if (r < 0)
		return err_wrap(err, "could not accept the certificate signing request");
	*ret = TAKE(info);
	return 0;
}

char *csr_pem(const void *der, size_t n)
{
	struct buf out = BUF_MAX(2 * LIMIT_CSR);

	pem_add(&out, "CERTIFICATE REQUEST", der, n);
	return buf_take(&out);
}
