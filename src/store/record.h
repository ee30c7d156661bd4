/* SPDX-License-Identifier: Apache-2.0 */
/* record.h - challenge records and their history. Each write touches ("record", id). */
#ifndef STORE_RECORD_H
#define STORE_RECORD_H

#include "model/order.h"
#include "store/list.h"
#include "store/store.h"

STORE_LIST(record);
#define _cleanup_record_list_ __attribute__((cleanup(record_list_done)))

/*
 * Inserts and hands out r->num; when the order has a row of the same (kind, domain, value) already, that row stays as it is
 * and r->id, r->num become its own (a step that runs twice makes one row).
 */
int store_record_add(struct sql *tx, struct record *r, struct err *err) MUST_CHECK;
/* Writes status, detail, ttl, published_ms, ready_ms, withdrawn_ms, updated_ms; raises rev. NOT_FOUND. */
int store_record_put(struct sql *tx, const struct record *r, struct err *err) MUST_CHECK;
int store_record_get(struct sql *q, const char *id, struct record *ret, struct err *err) MUST_CHECK; /* live orders only */
int store_record_get_any(struct sql *q, const char *id, struct record *ret, struct err *err) MUST_CHECK;
int store_record_get_num(struct sql *q, int64_t num, struct record *ret, struct err *err) MUST_CHECK;
int store_record_list_order(struct sql *q, const char *order_id, struct record_list *ret, struct err *err) MUST_CHECK;

/* The newest http-01 record with that token; NOT_FOUND. */
int store_record_find_token(struct sql *q, const char *token, struct record *ret, struct err *err) MUST_CHECK;
/* Whether another order has the same (kind, domain, value) and has not withdrawn it. */
int store_record_shared(struct sql *q, const struct record *r, bool *ret, struct err *err) MUST_CHECK;

struct record_filter { /* NULL = any */
	const char *order_id, *kind, *status;
	const char *domain; /* the whole name the record is at */
};
/* The newest or the oldest first (page.order), of live orders. */
int store_record_list(struct sql *q, const struct record_filter *f, const struct page *p, struct record_list *ret, struct err *err) MUST_CHECK;
int store_record_prune(struct sql *tx, int64_t withdrawn_before_ms, int64_t *ret_n, struct err *err) MUST_CHECK;

#endif
