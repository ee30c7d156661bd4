/* SPDX-License-Identifier: Apache-2.0 */
/* csr_extras.c - see csr_extras.h; a table of what openssl, Java, Windows and appliances put into requests (RFC 2985, MS-WCCE 2.2.2.7). */
#include "crypto/csr_extras.h"

#include "crypto/ossl.h"
#include "crypto/private.h"

#include <openssl/err.h>
#include <openssl/x509v3.h>

#define EXTRAS_MAX 64

static const struct known {
	const char *oid, *name, *text;
} extensions[] = {
	{ "2.5.29.15", "keyUsage", "key usage: the authority sets its own" },
	{ "2.5.29.37", "extendedKeyUsage", "extended key usage: the authority sets serverAuth, whatever is asked for" },
	{ "2.5.29.14", "subjectKeyIdentifier", "subject key identifier: the authority computes its own" },
	{ "2.5.29.35", "authorityKeyIdentifier", "authority key identifier: the authority writes its own" },
	{ "2.5.29.19", "basicConstraints", "basic constraints: what is issued is never an authority" },
	{ "2.5.29.32", "certificatePolicies", "certificate policies: the authority's profile says which" },
	{ "2.5.29.31", "crlDistributionPoints", "CRL distribution points: the authority writes its own" },
	{ "1.3.6.1.5.5.7.1.1", "authorityInfoAccess", "authority information access: the authority writes its own" },
	{ "2.16.840.1.113730.1.1", "nsCertType", "Netscape certificate type: nothing has read it for twenty years" },
	{ "2.16.840.1.113730.1.13", "nsComment", "Netscape comment: it is left out" },
	{ "1.2.840.113549.1.9.15", "smimeCapabilities", "S/MIME capabilities: they are about mail" },
	{ "1.3.6.1.4.1.311.20.2", "microsoftTemplateName", "Microsoft certificate template name: only a Windows authority knows it" },
	{ "1.3.6.1.4.1.311.21.7", "microsoftTemplate", "Microsoft certificate template: only a Windows authority knows it" },
	{ "1.3.6.1.4.1.311.21.10", "microsoftApplicationPolicies", "Microsoft application policies: only a Windows authority knows them" },
	{ "1.3.6.1.4.1.311.25.2", "microsoftSecurityIdentifier", "Microsoft security identifier: only a Windows authority knows it" },
	{ 0 }
}, attributes[] = {
	{ "1.2.840.113549.1.9.7", "challengePassword", "challenge password: ACME has other proofs; it can be read by whoever sees the CSR" },
	{ "1.2.840.113549.1.9.2", "unstructuredName", "unstructured name: it is left out" },
	{ "1.2.840.113549.1.9.8", "unstructuredAddress", "unstructured address: it is left out" },
	{ "1.3.6.1.4.1.311.13.2.3", "microsoftOsVersion", "Microsoft operating system version: it is left out" },
	{ "1.3.6.1.4.1.311.13.2.2", "microsoftEnrollmentCsp", "Microsoft key provider: it is left out" },
	{ "1.3.6.1.4.1.311.13.2.1", "microsoftNameValuePair", "Microsoft name and value: it is left out" },
	{ "1.3.6.1.4.1.311.21.20", "microsoftClientInfo", "Microsoft client information (machine, user, process): it is left out; it can be read by whoever sees the CSR" },
	{ 0 }
};

/* What is looked at, and so is no extra. */
static const char *const counts[] = { "2.5.29.17", "1.3.6.1.5.5.7.1.24", "1.2.840.113549.1.9.14", "1.3.6.1.4.1.311.2.1.14" };

void csr_extras_clear(struct csr_extras *l)
{
	for (size_t i = 0; i < l->n; i++) {
		free(l->v[i].name);
		free(l->v[i].text);
	}
	free(l->v);
	*l = (struct csr_extras){ 0 };
}

static void add(struct csr_extras *l, const char *name, const char *text)
{
	for (size_t i = 0; i < l->n; i++)
		if (streq(l->v[i].name, name))
			return;
	if (l->n >= EXTRAS_MAX)
		return;
	if (l->n == l->cap) {
		l->cap = l->cap ? 2 * l->cap : 8;
		l->v = xrealloc(l->v, l->cap * sizeof *l->v);
	}
	l->v[l->n++] = (struct csr_extra){ xstrdup(name), xstrdup(text) };
}

static void add_oid(struct csr_extras *l, const struct known *table, const ASN1_OBJECT *o, const char *kind)
{
	char oid[128] = "";
	_cleanup_free_ char *text = NULL;

	if (OBJ_obj2txt(oid, sizeof oid, o, 1) <= 0 || (size_t)OBJ_obj2txt(NULL, 0, o, 1) >= sizeof oid)
		return;
	for (size_t i = 0; i < ARRAY_SIZE(counts); i++)
		if (streq(counts[i], oid))
			return;
	for (; table->oid; table++)
		if (streq(table->oid, oid)) {
			add(l, table->name, table->text);
			return;
		}
	text = xasprintf("%s %s: no authority that speaks ACME is known to look at it", kind, oid);
	add(l, oid, text);
}

/* Authorities that check control of names and nothing else know nothing of organisations. */
static void subject_parts(X509_REQ *req, struct csr_extras *ret)
{
	static const struct {
		int nid;
		const char *name, *text;
	} parts[] = {
		{ NID_organizationName, "subject.O", "organisation in the subject: certificates for proven control of a domain carry none" },
		{ NID_organizationalUnitName, "subject.OU", "organisational unit in the subject: no public authority writes it any more" },
		{ NID_localityName, "subject.L", "locality in the subject: it goes with the organisation" },
		{ NID_stateOrProvinceName, "subject.ST", "state or province in the subject: it goes with the organisation" },
		{ NID_countryName, "subject.C", "country in the subject: it goes with the organisation" },
		{ NID_pkcs9_emailAddress, "subject.emailAddress", "e-mail address in the subject: it is left out" },
		{ NID_serialNumber, "subject.serialNumber", "serial number of the device in the subject: it is left out" },
		{ NID_pkcs9_unstructuredName, "subject.unstructuredName", "unstructured name in the subject: it is left out" },
	};
	X509_NAME *name = X509_REQ_get_subject_name(req); /* borrowed */

	for (size_t i = 0; i < ARRAY_SIZE(parts); i++)
		if (X509_NAME_get_index_by_NID(name, parts[i].nid, -1) >= 0)
			add(ret, parts[i].name, parts[i].text);
}

static void free_extensions(STACK_OF(X509_EXTENSION) **exts)
{
	sk_X509_EXTENSION_pop_free(*exts, X509_EXTENSION_free);
}

int csr_extras_read(const void *der, size_t n, struct csr_extras *ret, struct err *err)
{
	const unsigned char *p = der;
	_cleanup_ossl_(X509_REQ_free) X509_REQ *req = x509_req_read(&p, n);
	__attribute__((cleanup(free_extensions))) STACK_OF(X509_EXTENSION) *exts = req ? X509_REQ_get_extensions(req) : NULL;

	if (!req) {
		ossl_err(err, ERR_INVALID, "it is not a PKCS#10 request");
		ERR_clear_error();
		return -(int)err->code;
	}
	for (int i = 0; i < sk_X509_EXTENSION_num(exts); i++)
		add_oid(ret, extensions, X509_EXTENSION_get_object(sk_X509_EXTENSION_value(exts, i)), "extension");
	for (int i = 0; i < X509_REQ_get_attr_count(req); i++)
		add_oid(ret, attributes, X509_ATTRIBUTE_get0_object(X509_REQ_get_attr(req, i)), "attribute");
	subject_parts(req, ret);
	ERR_clear_error();
	return 0;
}
