/* SPDX-License-Identifier: Apache-2.0 */
/*
 * csr_lint.h - what a vendor would refuse in a request, found before anything is sent. Pure: facts in, findings out; reading the CSR
 * is crypto/csr.h, the vendor's rules are its row (model/vendor.h). For an authority that nobody has described only the rules that
 * hold everywhere are applied.
 */
#ifndef MODEL_CSR_LINT_H
#define MODEL_CSR_LINT_H

#include "model/vendor.h"

struct csr_facts { /* all borrowed */
	const struct strlist *names;
	const char *common_name; /* NULL or "" = none */
	const char *key_type;    /* "p256", "rsa2048", "p521", ...; NULL = one is chosen that the vendor takes */
	bool common_name_only;   /* the CSR has no subject alternative names */
	bool client_auth;        /* asks for client authentication */
	bool account_key;        /* its key is that of an ACME account */
	bool from_csr;           /* findings point at the CSR, else at names and key type */
};

struct csr_finding { /* texts owned */
	char *field; /* JSON pointer into the order request: "/csr_id", "/names/2", "/key_type", "/profile", "/account_id" */
	char *text;  /* one sentence without full stop */
	char *hint;  /* or NULL */
};

struct csr_findings {
	struct csr_finding *v;
	size_t n, cap;
};
void csr_findings_clear(struct csr_findings *l);
#define _cleanup_csr_findings_ __attribute__((cleanup(csr_findings_clear)))

/* All that vendor v (with that profile, NULL = its default) would refuse; ret must be empty. */
void csr_lint(const struct vendor *v, const char *profile, const struct csr_facts *f, struct csr_findings *ret);
/* INVALID with the first finding, its field and hint. */
int csr_lint_check(const struct vendor *v, const char *profile, const struct csr_facts *f, struct err *err);
/* The key type to make when nobody asked for one: p256, or the first that the vendor takes. */
const char *csr_key_type_for(const struct vendor *v);

#endif
