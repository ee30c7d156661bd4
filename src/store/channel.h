/* SPDX-License-Identifier: Apache-2.0 */
/* channel.h - notification channels and the outbox. Writes touch ("channel", id). Rows of the outbox are made by engine/notify.h. */
#ifndef STORE_CHANNEL_H
#define STORE_CHANNEL_H

#include "model/channel.h"
#include "model/renewal.h"
#include "store/list.h"
#include "store/store.h"

STORE_LIST(channel);
#define _cleanup_channel_list_ __attribute__((cleanup(channel_list_done)))
STORE_LIST(outbox);
#define _cleanup_outbox_list_ __attribute__((cleanup(outbox_list_done)))

/* c->id, created_ms and digest_ms are the caller's; num and rev are set. CONFLICT ("/name"), and when there are LIMIT_CHANNELS. */
int store_channel_add(struct sql *tx, struct channel *c, struct err *err) MUST_CHECK;
/* What people change; CHANGED when expect_rev (0 = any) is not its rev. Sets c->rev. */
int store_channel_put(struct sql *tx, struct channel *c, int64_t expect_rev, struct err *err) MUST_CHECK;
/* status, reason, tested_ms, sent_ms, digest_ms, dropped; the rev stays. */
int store_channel_put_state(struct sql *tx, const struct channel *c, struct err *err) MUST_CHECK;
int store_channel_get(struct sql *q, const char *id, struct channel *ret, struct err *err) MUST_CHECK;
int store_channel_get_num(struct sql *q, int64_t num, struct channel *ret, struct err *err) MUST_CHECK;
/* By newest, oldest or name; only: the kind. */
int store_channel_list(struct sql *q, const struct narrow *by, const struct page *p, struct channel_list *ret, struct err *err) MUST_CHECK;
int store_channel_all(struct sql *q, struct channel_list *ret, struct err *err) MUST_CHECK; /* live ones; at most LIMIT_CHANNELS */
/* What waits for it is given up. */
int store_channel_delete(struct sql *tx, const char *id, int64_t now_ms, struct err *err) MUST_CHECK;

int store_outbox_add(struct sql *tx, const struct outbox *o, struct err *err) MUST_CHECK;
/* What waits, the first due first; at most limit. *ret_due (may be NULL): of the first, INT64_MAX when nothing waits. */
int store_outbox_next(struct sql *q, const char *channel_id, struct outbox *ret, struct err *err) MUST_CHECK; /* NOT_FOUND */
int store_outbox_waiting(struct sql *q, const char *channel_id, int64_t *ret_n, struct err *err) MUST_CHECK;
/* Only while it waits; *ret_done may be NULL. */
int store_outbox_end(struct sql *tx, const char *id, enum outbox_state state, const char *subject, int64_t now_ms, bool *ret_done,
		     struct err *err) MUST_CHECK;
/* Whether this channel was told that the notice began; and whether that still waits (*ret_waiting_id is owned, or NULL). */
int store_outbox_told(struct sql *q, const char *channel_id, const char *notice_id, bool *ret_told, char **ret_waiting_id,
		      struct err *err) MUST_CHECK;
/* Those made before that instant, or that are the oldest of more than keep, are dropped; *ret_n: how many. */
int store_outbox_drop(struct sql *tx, const char *channel_id, int64_t made_before_ms, int64_t keep, int64_t now_ms, int64_t *ret_n,
		      struct err *err) MUST_CHECK;
int store_outbox_list(struct sql *q, const char *channel_id, const struct page *p, struct outbox_list *ret, struct err *err) MUST_CHECK;
int store_outbox_prune(struct sql *tx, int64_t ended_before_ms, int64_t *ret_n, struct err *err) MUST_CHECK; /* <= 500 a call */
/* Open notices of which this channel was told, the oldest first. */
int store_outbox_open_notices(struct sql *q, const char *channel_id, int64_t told_before_ms, int limit, struct strlist *ret,
			      struct err *err) MUST_CHECK;
/* When the last message was made, before that instant, that named all that was open and was sent; 0 = there is none any more. */
int store_outbox_last_told(struct sql *q, const char *channel_id, int64_t before_ms, int64_t *ret_ms, struct err *err) MUST_CHECK;
int store_notice_told(struct sql *tx, const char *id, int64_t now_ms, struct err *err) MUST_CHECK;

#endif
