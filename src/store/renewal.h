/* SPDX-License-Identifier: Apache-2.0 */
/*
 * renewal.h - rows of table renewal, and the columns of a certificate that say when it is renewed. Written by the engine;
 * nothing here raises a certificate's rev, so that who edits it meets no conflict with a clock.
 */
#ifndef STORE_RENEWAL_H
#define STORE_RENEWAL_H

#include "model/renewal.h"
#include "store/certificate.h"

STORE_LIST(renewal);
#define _cleanup_renewal_list_ __attribute__((cleanup(renewal_list_done)))
STORE_LIST(renewal_window);
#define _cleanup_renewal_window_list_ __attribute__((cleanup(renewal_window_list_done)))

int store_renewal_get(struct sql *q, const char *certificate_id, struct renewal *ret, struct err *err) MUST_CHECK; /* NOT_FOUND */
int store_renewal_put(struct sql *tx, const struct renewal *r, struct err *err) MUST_CHECK; /* makes the row or replaces it */
/* Those of one directory whose renewal information is to be asked for, the longest waiting first; and when the next one is. */
int store_renewal_ari_due(struct sql *q, const char *directory_url, int64_t now_ms, int limit, struct renewal_list *ret, struct err *err) MUST_CHECK;
int store_renewal_ari_next(struct sql *q, const char *directory_url, int64_t *ret_ms, struct err *err) MUST_CHECK; /* INT64_MAX = none */
/* Each directory that something is to be asked of. */
int store_renewal_directories(struct sql *q, struct strlist *ret, struct err *err) MUST_CHECK;

/* Those that fail since some instant, the longest first; of deleted certificates too. */
int store_renewal_failing(struct sql *q, int limit, struct renewal_list *ret, struct err *err) MUST_CHECK;

/* Writes renew_at_ms, attempt, next_attempt_ms, pause_reason; touches ("certificate", id). Deleted ones: nothing. */
int store_certificate_plan(struct sql *tx, const struct certificate *c, struct err *err) MUST_CHECK;
/* The earliest next_attempt_ms of all; INT64_MAX = none. */
int store_certificate_next_due(struct sql *q, int64_t *ret_ms, struct err *err) MUST_CHECK;
/* How many are due at now_ms, counted up to limit. */
int store_certificate_due_count(struct sql *q, int64_t now_ms, int limit, int64_t *ret, struct err *err) MUST_CHECK;
/* Managed ones by renew_at_ms, ascending; page: after_key = renew_at_ms. */
int store_certificate_schedule(struct sql *q, const struct page *p, struct certificate_list *ret, struct err *err) MUST_CHECK;
/* Managed ones whose renew_at_ms lies before before_ms, the first to renew first. */
int store_certificate_overdue(struct sql *q, int64_t before_ms, int limit, struct certificate_list *ret, struct err *err) MUST_CHECK;
/* Only watched ones that expire before before_ms and after after_ms, the first to expire first. */
int store_certificate_watched(struct sql *q, int64_t after_ms, int64_t before_ms, int limit, struct certificate_list *ret,
			      struct err *err) MUST_CHECK;
/* The live order of a certificate (its renewal under way); NOT_FOUND. */
int store_order_find_renewal(struct sql *q, const char *certificate_id, char **ret_id, struct err *err) MUST_CHECK;
/* The standing job of that kind and subject (NULL = none) is due at due_ms if it would be later and is not in work. */
int store_job_wake(struct sql *tx, const char *kind, const char *subject_id, int64_t due_ms, struct err *err) MUST_CHECK;

/* Maintenance windows. put: expect_rev as for certificates. */
int store_renewal_window_add(struct sql *tx, struct renewal_window *w, struct err *err) MUST_CHECK;
int store_renewal_window_get(struct sql *q, const char *id, struct renewal_window *ret, struct err *err) MUST_CHECK;
int store_renewal_window_get_num(struct sql *q, int64_t num, struct renewal_window *ret, struct err *err) MUST_CHECK;
int store_renewal_window_list(struct sql *q, struct renewal_window_list *ret, struct err *err) MUST_CHECK; /* all, at most 200 */
int store_renewal_window_delete(struct sql *tx, const char *id, int64_t now_ms, struct err *err) MUST_CHECK;

#endif
