/* SPDX-License-Identifier: Apache-2.0 */
/* expiry.h - how many live certificates expire in a span, by an index alone. */
#ifndef STORE_EXPIRY_H
#define STORE_EXPIRY_H

#include "store/sql.h"

/* Those with from_ms <= not_after < to_ms, and how many of them nothing renews. */
int store_expiry_count(struct sql *q, int64_t from_ms, int64_t to_ms, int64_t *ret_all, int64_t *ret_unmanaged, struct err *err) MUST_CHECK;

#endif
