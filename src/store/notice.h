/* SPDX-License-Identifier: Apache-2.0 */
/* notice.h - what somebody has to know (model/renewal.h). Each write touches ("notice", id). Raise and end through engine/notice.h. */
#ifndef STORE_NOTICE_H
#define STORE_NOTICE_H

#include "model/renewal.h"
#include "store/list.h"
#include "store/store.h"

STORE_LIST(notice);
#define _cleanup_notice_list_ __attribute__((cleanup(notice_list_done)))

/* The open one of that cause; NOT_FOUND. */
int store_notice_find(struct sql *q, enum notice_kind kind, const char *subject_kind, const char *subject_id, struct notice *ret,
		      struct err *err) MUST_CHECK;
int store_notice_get(struct sql *q, const char *id, struct notice *ret, struct err *err) MUST_CHECK; /* ended ones too */
int store_notice_add(struct sql *tx, struct notice *n, struct err *err) MUST_CHECK; /* hands out n->num; CONFLICT: there is an open one */
/* Writes cause, next_step, touched, first_expiry_ms, changed_ms, remind_ms, ended_ms. */
int store_notice_put(struct sql *tx, const struct notice *n, struct err *err) MUST_CHECK;
/* *ret_new: it was not in the list. */
int store_notice_touch(struct sql *tx, const char *notice_id, const char *certificate_id, int64_t not_after_ms, int64_t now_ms,
		       bool *ret_new, struct err *err) MUST_CHECK;
int store_notice_untouch(struct sql *tx, const char *notice_id, const char *certificate_id, struct err *err) MUST_CHECK;
/* How many certificates it touches, and when the first of them expires (0 = none). */
int store_notice_sum(struct sql *q, const char *notice_id, int64_t *ret_n, int64_t *ret_first_ms, struct err *err) MUST_CHECK;
/* Open ones that touch a certificate. */
int store_notice_of(struct sql *q, const char *certificate_id, struct notice_list *ret, struct err *err) MUST_CHECK;
/* Open ones, the oldest first, at most limit. */
int store_notice_open(struct sql *q, int limit, struct notice_list *ret, struct err *err) MUST_CHECK;
/* Ids of the certificates it touches, the first to expire first, at most limit. */
int store_notice_certificates(struct sql *q, const char *notice_id, int limit, struct strlist *ret, struct err *err) MUST_CHECK;
int store_notice_prune(struct sql *tx, int64_t ended_before_ms, int64_t *ret_n, struct err *err) MUST_CHECK; /* <= 500 a call */

#endif
