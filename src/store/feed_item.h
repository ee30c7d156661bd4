/* SPDX-License-Identifier: Apache-2.0 */
/*
 * feed_item.h - what edge answers with. Every change gives the row the next seq (counter "feed", same transaction), so the
 * feed is "everything after n". Each write touches ("feed", "").
 *
 * Two orders may publish the same thing (a delegated zone, say): rows are unique by (kind, name, value).
 */
#ifndef STORE_FEED_ITEM_H
#define STORE_FEED_ITEM_H

#include "model/work.h"
#include "store/list.h"
#include "store/store.h"

STORE_LIST(edge_item);
#define _cleanup_edge_item_list_ __attribute__((cleanup(edge_item_list_done)))

/* Makes it live with that ttl. *ret_seq: the number to wait for at edge; the old one when it was live and the same already. */
int store_feed_item_put(struct sql *tx, enum edge_kind kind, const char *name, const char *value, int64_t ttl,
			int64_t now_ms, int64_t *ret_seq, struct err *err) MUST_CHECK;
/* Not live any more; fine when it is not there (then *ret_seq is the newest number). ret_seq may be NULL. */
int store_feed_item_del(struct sql *tx, enum edge_kind kind, const char *name, const char *value, int64_t now_ms,
			int64_t *ret_seq, struct err *err) MUST_CHECK;
/* seq > after, ascending, at most limit (0 = all); dead ones included unless live_only. */
int store_feed_item_list(struct sql *q, int64_t after_seq, bool live_only, int limit, struct edge_item_list *ret,
			 struct err *err) MUST_CHECK;
/* How many live values of the name are older than this one: edge answers the oldest first. */
int store_feed_item_before(struct sql *q, enum edge_kind kind, const char *name, const char *value, int64_t *ret, struct err *err) MUST_CHECK;
int store_feed_item_last_seq(struct sql *q, int64_t *ret, struct err *err) MUST_CHECK; /* 0 when there was none */
/* Dead rows with seq <= acknowledged by every edge and changed before that instant. */
int store_feed_item_prune(struct sql *tx, int64_t seq, int64_t changed_before_ms, int64_t *ret_n, struct err *err) MUST_CHECK;

#endif
