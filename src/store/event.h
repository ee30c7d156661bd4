/* SPDX-License-Identifier: Apache-2.0 */
/* event.h - the story of an object, as the page shows it; pruned. Each event touches its subject. */
#ifndef STORE_EVENT_H
#define STORE_EVENT_H

#include "model/work.h"
#include "store/list.h"
#include "store/store.h"

STORE_LIST(event);
#define _cleanup_event_list_ __attribute__((cleanup(event_list_done)))

/* e->id is made by the caller with ulid_new, before the write function. */
int store_event_add(struct sql *tx, const struct event *e, struct err *err) MUST_CHECK;
/* Oldest first; page: after_id = the last one seen. */
int store_event_list(struct sql *q, const char *subject_id, const struct page *p, struct event_list *ret,
		     struct err *err) MUST_CHECK;
/* Of all, the newest first. */
int store_event_latest(struct sql *q, int limit, struct event_list *ret, struct err *err) MUST_CHECK;
/* Those of orders that are not over stay. */
int store_event_prune(struct sql *tx, int64_t before_ms, int64_t *ret_n, struct err *err) MUST_CHECK; /* <= 500 a call */

#endif
