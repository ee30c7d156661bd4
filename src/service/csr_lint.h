/* SPDX-License-Identifier: Apache-2.0 */
/*
 * csr_lint.h - a CSR as the authority will read it: what is in it, what a vendor would refuse, and what will be ignored. Of a stored one,
 * or of one that somebody is about to upload: then nothing is stored, whatever comes.
 */
#ifndef SERVICE_CSR_LINT_H
#define SERVICE_CSR_LINT_H

#include "crypto/csr.h"
#include "crypto/csr_extras.h"
#include "model/csr_lint.h"
#include "service/service.h"

struct csr_lint {
	struct csr_info info;
	struct csr_findings findings; /* none when no vendor was named */
	struct csr_extras ignored;
};
void csr_lint_done(struct csr_lint *l);
#define _cleanup_csr_lint_ __attribute__((cleanup(csr_lint_done)))

/* vendor: a key of the registry, "custom" for the rules that hold everywhere, NULL = none. INVALID with "/vendor" or "/pem", NOT_FOUND. */
int service_csr_lint(struct service *s, const char *csr_ref, const char *vendor, const char *profile, struct csr_lint *ret, struct err *err) MUST_CHECK;
int service_csr_lint_text(struct service *s, const char *pem, const char *vendor, const char *profile, struct csr_lint *ret,
			  struct err *err) MUST_CHECK;
/* "CN=www.example.com, O=Example", owned by the caller. */
char *csr_subject_line(const struct csr_subject *s);

#endif
