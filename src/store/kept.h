/* SPDX-License-Identifier: Apache-2.0 */
/*
 * kept.h - counts that are kept: rows beside the objects, changed in the transaction that changes these. A write function only notes
 * the difference it makes; the differences of all that commit together are added up and written once, just before the commit.
 *
 *	what                                      who                        hour
 *	"order.valid", ... (live orders)          account's id               0
 *	"certificate.managed", ".watched"         status                     0
 *	"expiry"                                  "managed" or "watched"     of notAfter, since 1970
 *
 * What was counted wrong for whatever reason is found by store_kept_mend, which the engine calls at start and every night.
 */
#ifndef STORE_KEPT_H
#define STORE_KEPT_H

#include "store/store.h"

/* A row's name: what and who are copied. */
void store_count(struct sql *tx, const char *what, int64_t hour, const char *who, int64_t delta);
/* Of one row; 0 for one never counted. */
int store_count_get(struct sql *q, const char *what, int64_t hour, const char *who, int64_t *ret, struct err *err) MUST_CHECK;

struct kept_mended {
	size_t rows;     /* that said something else than was counted */
	char first[128]; /* one of them, as a sentence for the log; "" when rows is 0 */
};
/*
 * Counts the objects and compares, in one statement on a reader, so that nobody waits for it; a difference found there stays one
 * whatever is written meanwhile, and is added. Rows of hours that are 0 go. When two do it at the same time, one of them mends.
 */
int store_kept_mend(struct store *s, struct kept_mended *ret, struct err *err) MUST_CHECK;

#endif
