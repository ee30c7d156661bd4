/* SPDX-License-Identifier: Apache-2.0 */
/* account.h - ACME accounts. Writes touch ("account", id). */
#ifndef STORE_ACCOUNT_H
#define STORE_ACCOUNT_H

#include "model/account.h"
#include "store/list.h"
#include "store/store.h"

STORE_LIST(account);
#define _cleanup_account_list_ __attribute__((cleanup(account_list_done)))

int store_account_add(struct sql *tx, struct account *a, struct err *err) MUST_CHECK; /* hands out a->num */
int store_account_get(struct sql *q, const char *id, struct account *ret, struct err *err) MUST_CHECK;
int store_account_get_any(struct sql *q, const char *id, struct account *ret, struct err *err) MUST_CHECK; /* deleted too */
int store_account_get_num(struct sql *q, int64_t num, struct account *ret, struct err *err) MUST_CHECK;
/* Writes all but id, num, created_ms, deleted_ms; raises rev (a->rev is set). expect_rev > 0: CHANGED when it is another. */
int store_account_put(struct sql *tx, struct account *a, int64_t expect_rev, struct err *err) MUST_CHECK;
int store_account_list(struct sql *q, const struct page *p, struct account_list *ret, struct err *err) MUST_CHECK; /* newest first */
int store_account_delete(struct sql *tx, const char *id, int64_t now_ms, struct err *err) MUST_CHECK;

#endif
