/* SPDX-License-Identifier: Apache-2.0 */
/* expiry.h - how many live certificates there are, and how many of them expire in a span: from what is kept, whatever their number. */
#ifndef STORE_EXPIRY_H
#define STORE_EXPIRY_H

#include "store/sql.h"

/* Those with from_ms <= not_after < to_ms, and how many of them nothing renews. */
int store_expiry_count(struct sql *q, int64_t from_ms, int64_t to_ms, int64_t *ret_all, int64_t *ret_unmanaged, struct err *err) MUST_CHECK;

struct certificate_counts {
	int64_t all, managed, revoked, set_aside;
	int64_t expiring; /* within 30 days */
};
int store_certificate_counts(struct sql *q, int64_t now_ms, struct certificate_counts *ret, struct err *err) MUST_CHECK;

#endif
