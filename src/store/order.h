/* SPDX-License-Identifier: Apache-2.0 */
/*
 * order.h - rows of table orders. People's functions see live orders only (not deleted, nor of a deleted account);
 * the engine's (..._any, claiming, put) see all, since a deleted order is carried to its end.
 *
 * Each write touches ("order", id). Not found: NOT_FOUND "no such order '<id>'".
 */
#ifndef STORE_ORDER_H
#define STORE_ORDER_H

#include "store/lease.h"

/* for people */
/*
 * Inserts o as given and hands out o->num (set) and rev 1. CONFLICT when a live order has the same request_hash:
 * look with store_order_find_request first, in the same write function.
 */
int store_order_add(struct sql *tx, struct order *o, struct err *err) MUST_CHECK;
int store_order_get(struct sql *q, const char *id, struct order *ret, struct err *err) MUST_CHECK;
int store_order_get_num(struct sql *q, int64_t num, struct order *ret, struct err *err) MUST_CHECK;
int store_order_find_request(struct sql *q, const char *request_hash, struct order *ret, struct err *err) MUST_CHECK;

struct order_filter { /* NULL: any; all that are given have to fit */
	const char *status, *account_id, *certificate_id;
	const char *name; /* a part of a name, of at least three characters: then the number is the key of the page */
};
/*
 * page.order: the newest or the oldest first, both with every filter; by the first name, or by status (what failed first, then what is
 * under way, then what is valid; of each the newest first), with neither certificate nor name. ret_end: where the next page begins.
 */
int store_order_list(struct sql *q, const struct order_filter *f, const struct page *p, struct order_list *ret, struct page_mark *ret_end,
		     struct err *err) MUST_CHECK;

/* Live orders of a status, for the dashboard and the metrics. */
int store_order_count(struct sql *q, enum order_status status, int64_t *ret, struct err *err) MUST_CHECK;

enum order_want { WANT_FINALIZE, WANT_REFRESH, WANT_CANCEL };
/*
 * Notes what a person wants and makes the order due at due_ms if it would be later and is not in work (in work, the end of
 * that lease makes it due). A second wish is fine. CONFLICT when the order has ended; NOT_FOUND. Raises rev.
 */
int store_order_ask(struct sql *tx, const char *id, enum order_want want, int64_t now_ms, int64_t due_ms,
		    struct err *err) MUST_CHECK;
/* A person wants it to go on although its records are not seen; due at once. CONFLICT when it has ended. Raises rev. */
int store_order_go_on(struct sql *tx, const char *id, int64_t now_ms, struct err *err) MUST_CHECK;
/* When that was said last, 0 = never. */
int store_order_go_on_get(struct sql *q, const char *id, int64_t *ret_ms, struct err *err) MUST_CHECK;
/* Hides it; one that has not ended is cancelled by the engine too. NOT_FOUND when not live. Raises rev. */
int store_order_delete(struct sql *tx, const char *id, int64_t now_ms, struct err *err) MUST_CHECK;

/* A person has looked at an order that was set aside: it may be claimed again, its starts are forgotten. Fine for others. */
int store_order_resume(struct sql *tx, const char *id, int64_t now_ms, struct err *err) MUST_CHECK;

/* for the engine */
int store_order_get_any(struct sql *q, const char *id, struct order *ret, struct err *err) MUST_CHECK;
/*
 * Writes the engine's columns of o WHERE gen = o->gen: certificate_id, csr_id, key_type, holds_turn, status, step, url,
 * finalize_url, certificate_url, finalize_sent, ca_expires_ms, give_up_ms, step_since_ms, polls, attempts, lane, due_ms,
 * waiting_for, reason, set_aside, ended_ms; updated_ms = now_ms. starts becomes 0 with LEASE_END, 1 with LEASE_KEEP.
 * LEASE_END: the lease is over; if somebody asked for something meanwhile (a want_ column differs from o's), it is due now.
 * LEASE_KEEP: lease and due_ms go to o->lease_until_ms, and the next step of this run counts as started.
 * LOST_LEASE: nothing was written. CHANGED: finalize_sent would become true and somebody has cancelled; nothing was written. CONFLICT: another order holds the turn (use store_order_take_turn).
 */
int store_order_put(struct sql *tx, const struct order *o, enum lease_then then, int64_t now_ms, struct err *err) MUST_CHECK;
/* A poll that changed nothing: next instant and number of polls, no touch, lease ended. LOST_LEASE. */
int store_order_poll(struct sql *tx, const struct order *o, int64_t now_ms, struct err *err) MUST_CHECK;
/* Takes back wishes that o shows and the engine has served; later ones stay. */
int store_order_served(struct sql *tx, const struct order *o, enum order_want want, struct err *err) MUST_CHECK;
/*
 * Takes the turn for o's turn_hash. *ret_holder (owned, NULL when taken) is the id of the order that holds it, and
 * *ret_holder_num its number. LOST_LEASE.
 */
int store_order_take_turn(struct sql *tx, const struct order *o, char **ret_holder, int64_t *ret_holder_num,
			  struct err *err) MUST_CHECK;
/* What waited because the account was parked until then is due now; so is what waits for a person under it. */
int store_order_wake_account(struct sql *tx, const char *account_id, int64_t parked_until_ms, int64_t now_ms, struct err *err) MUST_CHECK;
/* Makes the orders that wait for this one due now; call it when its turn is over. */
int store_order_wake_waiters(struct sql *tx, const char *id, int64_t now_ms, struct err *err) MUST_CHECK;
/* Makes an order that is about to wait due now if nobody holds its turn any more; call it after the write that lets it wait. */
int store_order_wake_unheld(struct sql *tx, const char *id, int64_t now_ms, struct err *err) MUST_CHECK;
/* Moves an order that is to be cancelled, that nobody works on and whose CSR was not sent, into a lane that exists; else nothing. */
int store_order_to_lane(struct sql *tx, const char *id, const char *lane, struct err *err) MUST_CHECK;
/* Live (not ended) orders of a certificate or an account, oldest first, deleted ones included. */
enum order_of { ORDERS_OF_ACCOUNT, ORDERS_OF_CERTIFICATE };
int store_order_unfinished(struct sql *q, enum order_of of, const char *id, struct order_list *ret, struct err *err) MUST_CHECK;

#endif
