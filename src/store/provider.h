/* SPDX-License-Identifier: Apache-2.0 */
/* provider.h - configured publishers; who uses one; and what waits for one. */
#ifndef STORE_PROVIDER_H
#define STORE_PROVIDER_H

#include "model/provider.h"
#include "store/list.h"
#include "store/store.h"

STORE_LIST(provider);
#define _cleanup_provider_list_ __attribute__((cleanup(provider_list_done)))

/* p->id and created_ms are the caller's; num and rev are set. CONFLICT ("/name") when a live one has the name. */
int store_provider_add(struct sql *tx, struct provider *p, struct err *err) MUST_CHECK;
/* Everything but id, num and kind; CHANGED when expect_rev (0 = any) is not its rev. Sets p->rev. */
int store_provider_put(struct sql *tx, struct provider *p, int64_t expect_rev, struct err *err) MUST_CHECK;
/* What a test or a refusal came to; the rev stays. Nothing when the configuration changed since (rev). *ret_done may be NULL. */
int store_provider_put_state(struct sql *tx, const struct provider *p, bool *ret_done, struct err *err) MUST_CHECK;
int store_provider_get(struct sql *q, const char *id, struct provider *ret, struct err *err) MUST_CHECK;
int store_provider_get_num(struct sql *q, int64_t num, struct provider *ret, struct err *err) MUST_CHECK;
int store_provider_get_any(struct sql *q, const char *id, struct provider *ret, struct err *err) MUST_CHECK; /* deleted ones too */
/* By newest, oldest or name; only: the status. */
int store_provider_list(struct sql *q, const struct narrow *by, const struct page *p, struct provider_list *ret, struct err *err) MUST_CHECK;
/* All live ones, by name; at most LIMIT_PROVIDERS. */
int store_provider_all(struct sql *q, struct provider_list *ret, struct err *err) MUST_CHECK;
int store_provider_delete(struct sql *tx, const char *id, int64_t now_ms, struct err *err) MUST_CHECK;

/* Sentences that name who uses it ("order 17", "rule for 'example.com'", "2 records to withdraw"); at most a dozen. */
int store_provider_users(struct sql *q, const char *id, struct strlist *ret, struct err *err) MUST_CHECK;
/* What waits in its lanes is due now: orders, jobs and debts; parked lanes are free, debts set aside get another chance. */
int store_provider_resume(struct sql *tx, const char *id, int64_t now_ms, struct err *err) MUST_CHECK;

#endif
