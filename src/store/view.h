/* SPDX-License-Identifier: Apache-2.0 */
/* view.h - views of DNS and their rules. Writes touch ("view", id) and ("view-rule", id). */
#ifndef STORE_VIEW_H
#define STORE_VIEW_H

#include "model/view.h"
#include "store/list.h"
#include "store/store.h"

STORE_LIST(dns_view);
#define _cleanup_dns_view_list_ __attribute__((cleanup(dns_view_list_done)))
STORE_LIST(view_rule);
#define _cleanup_view_rule_list_ __attribute__((cleanup(view_rule_list_done)))
STORE_LIST(asked);
#define _cleanup_asked_list_ __attribute__((cleanup(asked_list_done)))

/* CONFLICT ("/name") when there is one of that name. */
int store_view_add(struct sql *tx, struct dns_view *v, struct err *err) MUST_CHECK;
/* name, kind, servers, url, direct, connection; sets rev. */
int store_view_put(struct sql *tx, struct dns_view *v, int64_t expect_rev, struct err *err) MUST_CHECK;
int store_view_get(struct sql *q, const char *id, struct dns_view *ret, struct err *err) MUST_CHECK;
int store_view_get_num(struct sql *q, int64_t num, struct dns_view *ret, struct err *err) MUST_CHECK;
/* By newest, oldest or name; only: the kind. */
int store_view_list(struct sql *q, const struct narrow *by, const struct page *p, struct dns_view_list *ret, struct err *err) MUST_CHECK;
/* IN_USE while a rule names it. */
int store_view_delete(struct sql *tx, const char *id, int64_t now_ms, struct err *err) MUST_CHECK;

/* CONFLICT ("/suffix") when there is one for the same suffix and vendor. */
int store_view_rule_add(struct sql *tx, struct view_rule *r, struct err *err) MUST_CHECK;
int store_view_rule_put(struct sql *tx, struct view_rule *r, int64_t expect_rev, struct err *err) MUST_CHECK;
int store_view_rule_get(struct sql *q, const char *id, struct view_rule *ret, struct err *err) MUST_CHECK;
int store_view_rule_get_num(struct sql *q, int64_t num, struct view_rule *ret, struct err *err) MUST_CHECK;
/* By newest, oldest or name; only: the view's id. */
int store_view_rule_list(struct sql *q, const struct narrow *by, const struct page *p, struct view_rule_list *ret, struct err *err) MUST_CHECK;
int store_view_rule_delete(struct sql *tx, const char *id, int64_t now_ms, struct err *err) MUST_CHECK;
/*
 * The rule of the longest suffix that is the name or an end of it at a dot; of two with the same suffix the one that names the
 * vendor. 1, or 0 when there is none. name is canonical, without "*.".
 */
int store_view_rule_match(struct sql *q, const char *name, const char *vendor, struct view_rule *ret, struct err *err) MUST_CHECK;

/* --- what was asked of us about a zone --- */

#define ASKED_KEPT 50 /* rows per delegation */

/* Adds to the row of the same network, transport, type and outcome, or makes one; the oldest beyond ASKED_KEPT go. */
int store_asked_add(struct sql *tx, const char *delegation_id, const struct asked *a, struct err *err) MUST_CHECK;
int store_asked_prune(struct sql *tx, int64_t asked_before_ms, int64_t *ret_n, struct err *err) MUST_CHECK; /* <= 500 a call */
/* The latest first, at most limit. */
int store_asked_list(struct sql *q, const char *delegation_id, int limit, struct asked_list *ret, struct err *err) MUST_CHECK;

#endif
