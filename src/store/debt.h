/* SPDX-License-Identifier: Apache-2.0 */
/*
 * debt.h - what must be withdrawn or undone; written before the deed. A held debt is not due: the order still needs what is
 * published. Never deleted while owed.
 */
#ifndef STORE_DEBT_H
#define STORE_DEBT_H

#include "store/lease.h"

int store_debt_add(struct sql *tx, const struct debt *d, struct err *err) MUST_CHECK;
int store_debt_get(struct sql *q, const char *id, struct debt *ret, struct err *err) MUST_CHECK;
/* All owed debts of the order may be paid from now on (its hold ends). */
int store_debt_release_order(struct sql *tx, const char *order_id, int64_t now_ms, struct err *err) MUST_CHECK;
/* A worker whose fence is gone opens the debt again for what it has just published. */
int store_debt_reopen(struct sql *tx, const char *id, int64_t now_ms, struct err *err) MUST_CHECK;
/* Paid by its holder (paid = true in d), or a failed try (due_ms, attempts, reason, set_aside). LOST_LEASE. */
int store_debt_put(struct sql *tx, const struct debt *d, enum lease_then then, int64_t now_ms, struct err *err) MUST_CHECK;
/* Paid at once by whoever undid it within the order's own run, without a claim. */
int store_debt_pay(struct sql *tx, const char *id, int64_t now_ms, struct err *err) MUST_CHECK;
/* The record's debt learns where its value is going to be: what (JSON) and lane. */
int store_debt_place(struct sql *tx, const char *record_id, const char *what, const char *lane, struct err *err) MUST_CHECK;
int store_debt_list_order(struct sql *q, const char *order_id, struct debt_list *ret, struct err *err) MUST_CHECK;
/* All that is owed, the oldest first; page by created_ms and id. */
int store_debt_list_owed(struct sql *q, const struct page *p, struct debt_list *ret, struct err *err) MUST_CHECK;
/* Another try now, also of one that was set aside. CONFLICT while its order still needs what is published, or when it is paid. */
int store_debt_retry(struct sql *tx, const char *id, int64_t now_ms, struct err *err) MUST_CHECK;
int store_debt_owed(struct sql *q, int64_t *ret_n, struct err *err) MUST_CHECK; /* all still owed, held ones too */
int store_debt_aside(struct sql *q, int64_t *ret_n, struct err *err) MUST_CHECK; /* owed, and a person has to look */
int store_debt_prune(struct sql *tx, int64_t paid_before_ms, int64_t *ret_n, struct err *err) MUST_CHECK;

#endif
