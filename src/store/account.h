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
/*
 * Engine: writes status, url, key_id, next_key_id, eab_kid, eab_sealed, eab_bytes, tos_url, tos_agreed_ms, reason, refreshed_ms; what
 * people may have changed meanwhile stays, and so does rev.
 */
int store_account_result(struct sql *tx, const struct account *a, int64_t now_ms, struct err *err) MUST_CHECK;
/* The e-mail address the authority has accepted, and the name when that is still the default. Raises rev. */
int store_account_contact(struct sql *tx, const char *id, const char *email, const char *name, int64_t now_ms, struct err *err) MUST_CHECK;
struct account_filter { /* NULL: any */
	const char *vendor, *status;
	const char *text; /* in lower case: a part of the name, the e-mail address, the directory URL or the external account's key id */
};
int store_account_list(struct sql *q, const struct account_filter *f, const struct page *p, struct account_list *ret, struct err *err) MUST_CHECK;
/* Valid ones in use (a certificate, or an order since used_ms) about which nobody asked since before_ms; the longest first. */
int store_account_stale(struct sql *q, int64_t before_ms, int64_t used_ms, int limit, struct account_list *ret, struct err *err) MUST_CHECK;
/* Live ones whose rollover has begun and not ended. */
int store_account_rolling(struct sql *q, struct account_list *ret, struct err *err) MUST_CHECK;
/* Deleted ones whose key is still there though nothing is left that it could revoke: no unexpired certificate, no unfinished order. */
int store_account_key_spent(struct sql *q, int64_t now_ms, struct account_list *ret, struct err *err) MUST_CHECK;
/* Somebody works on an order of the account, or pays a debt of one. */
int store_account_busy(struct sql *q, const char *id, int64_t now_ms, bool *ret, struct err *err) MUST_CHECK;
int store_account_count_vendor(struct sql *q, const char *vendor, int64_t *ret, struct err *err) MUST_CHECK;
int store_account_count_directory(struct sql *q, const char *directory_url, int64_t *ret, struct err *err) MUST_CHECK;
/* Of all live accounts, each once, in order. */
int store_account_directories(struct sql *q, struct strlist *ret, struct err *err) MUST_CHECK;
/* How the newest live account of a directory reaches it: text of its column `connection`, owned; NULL when none says anything. */
int store_account_connection(struct sql *q, const char *directory_url, char **ret, struct err *err) MUST_CHECK;
/* Live ones that read the same in a list of "email --- vendor". */
int store_account_twins(struct sql *q, const char *email, const char *vendor, int64_t *ret, struct err *err) MUST_CHECK;
/* Orders that a list shows, and how many of them are not finished. */
int store_account_orders(struct sql *q, const char *id, int64_t *ret_all, int64_t *ret_live, struct err *err) MUST_CHECK;
int store_account_delete(struct sql *tx, const char *id, int64_t now_ms, struct err *err) MUST_CHECK;

#endif
