/* SPDX-License-Identifier: Apache-2.0 */
/* bulk.h - what came of each row of a stored action on many certificates. The rows go with their job. */
#ifndef STORE_BULK_H
#define STORE_BULK_H

#include "store/job.h"
#include "store/list.h"
#include "store/store.h"

struct bulk_row {
	int64_t position; /* from 1 */
	char *result;     /* JSON */
};
static inline void bulk_row_done(struct bulk_row *r)
{
	free(r->result);
}
STORE_LIST(bulk_row);
#define _cleanup_bulk_row_list_ __attribute__((cleanup(bulk_row_list_done)))

/*
 * In the transaction that did the row: its result, and how far the job j has come. LOST_LEASE when another carries on with the job;
 * then nothing of that transaction may stay.
 */
int store_bulk_row_add(struct sql *tx, const struct job *j, int64_t position, const char *result, const char *progress, int64_t now_ms,
		       struct err *err) MUST_CHECK;
/* In their order; after_key is a position. */
int store_bulk_row_list(struct sql *q, const char *job_id, const struct page *p, struct bulk_row_list *ret, struct err *err) MUST_CHECK;

#endif
