/* SPDX-License-Identifier: Apache-2.0 */
/*
 * csr_extras.h - what a certificate signing request asks for that an ACME authority does not look at: it takes the key and the names,
 * and sets everything else by its own policy (RFC 8555 7.4). Not wrong, but whoever made the request may believe it will count.
 */
#ifndef CRYPTO_CSR_EXTRAS_H
#define CRYPTO_CSR_EXTRAS_H

#include "base/str.h"

struct csr_extra { /* owned */
	char *name;  /* short, stable: "keyUsage", "challengePassword", "subject.O", an OID in digits */
	char *text;  /* one sentence without full stop: what it is and why it does not count */
};
struct csr_extras {
	struct csr_extra *v;
	size_t n, cap;
};
void csr_extras_clear(struct csr_extras *l);
#define _cleanup_csr_extras_ __attribute__((cleanup(csr_extras_clear)))

/* der is what csr_parse accepted; ret must be empty. At most one row for each name. INVALID. */
int csr_extras_read(const void *der, size_t n, struct csr_extras *ret, struct err *err) MUST_CHECK;

#endif
