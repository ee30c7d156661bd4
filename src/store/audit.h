/* SPDX-License-Identifier: Apache-2.0 */
/* audit.h - who did what, written in the transaction of the deed; and answers of requests with an Idempotency-Key. */
#ifndef STORE_AUDIT_H
#define STORE_AUDIT_H

#include "model/user.h"
#include "store/list.h"
#include "store/store.h"

STORE_LIST(audit);
#define _cleanup_audit_list_ __attribute__((cleanup(audit_list_done)))

int store_audit_add(struct sql *tx, const struct audit *a, struct err *err) MUST_CHECK;
/* Newest first: after_key = at_ms. object_id NULL: all. */
int store_audit_list(struct sql *q, const char *object_id, const struct page *p, struct audit_list *ret, struct err *err) MUST_CHECK;

struct idempotency {
	char *user_id, *route, *key, *body_hash, *object_kind, *object_id;
	int64_t created_ms;
};
void idempotency_done(struct idempotency *i);
#define _cleanup_idempotency_ __attribute__((cleanup(idempotency_done)))

/* NOT_FOUND when the key was not used since after_ms. The caller compares body_hash (REUSED_KEY). */
int store_idempotency_find(struct sql *q, const char *user_id, const char *route, const char *key, int64_t after_ms,
			   struct idempotency *ret, struct err *err) MUST_CHECK;
/* In the creating transaction. CONFLICT when it is there (an expired one is replaced). */
int store_idempotency_add(struct sql *tx, const struct idempotency *i, int64_t expired_before_ms, struct err *err) MUST_CHECK;
int store_idempotency_prune(struct sql *tx, int64_t before_ms, int64_t *ret_n, struct err *err) MUST_CHECK;

#endif
