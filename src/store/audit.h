/* SPDX-License-Identifier: Apache-2.0 */
/* audit.h - who did what, written in the transaction of the deed; and answers of requests with an Idempotency-Key. */
#ifndef STORE_AUDIT_H
#define STORE_AUDIT_H

#include "model/user.h"
#include "store/list.h"
#include "store/store.h"

STORE_LIST(audit);
#define _cleanup_audit_list_ __attribute__((cleanup(audit_list_done)))

/* Rows are never changed and never deleted: there is no statement for it. */
int store_audit_add(struct sql *tx, const struct audit *a, struct err *err) MUST_CHECK;
/*
 * What the server does by itself that changes what is valid: "certificate.issue", ".replace", ".revoke", "order.fail". reason says
 * why, after (JSON, may be NULL) what is there now.
 */
int store_audit_system(struct sql *tx, int64_t now_ms, const char *action, const char *object_kind, const char *object_id,
		       const char *object_name, const char *reason, const char *after, struct err *err) MUST_CHECK;

struct audit_filter { /* NULL, "", 0: any */
	int64_t since_ms, until_ms; /* from, and before */
	const char *actor;          /* the user's name; "system", "host" */
	const char *object;         /* its id, or its name at that time */
	const char *action;
};
/* Newest first: after_key = at_ms. */
int store_audit_list(struct sql *q, const struct audit_filter *f, const struct page *p, struct audit_list *ret, struct err *err) MUST_CHECK;

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
