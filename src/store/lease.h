/* SPDX-License-Identifier: Apache-2.0 */
/*
 * lease.h - claiming orders, jobs and debts (DESIGN 3, rules 5, 9 and 10).
 *
 * A claim raises gen (the fencing number, which nothing else changes) and starts (claims without a verdict), writes the
 * owner and moves due_ms to the end of the lease: an expired lease is due again by itself, and nothing leased is walked over.
 * Whatever the holder writes later says WHERE id = and gen =; no row means LOST_LEASE: drop the result.
 * A row claimed LIMIT_STARTS times without a verdict is not handed out again: it is set aside and reported, once.
 * So is a row this program cannot read (an unknown step, say).
 */
#ifndef STORE_LEASE_H
#define STORE_LEASE_H

#include "model/order.h"
#include "model/work.h"
#include "store/list.h"
#include "store/store.h"

STORE_LIST(order);
#define _cleanup_order_list_ __attribute__((cleanup(order_list_done)))
STORE_LIST(job);
#define _cleanup_job_list_ __attribute__((cleanup(job_list_done)))
STORE_LIST(debt);
#define _cleanup_debt_list_ __attribute__((cleanup(debt_list_done)))

/* After the work on a row: end the lease (a verdict: starts becomes 0), or keep it for the next step of the same run. */
enum lease_then { LEASE_END, LEASE_KEEP };

enum claim_who {
	CLAIM_ANY,
	CLAIM_FRESH,    /* only rows without an unfinished start */
	CLAIM_SUSPECTS, /* only rows that were started before without a verdict: they run alone after a crash */
};

struct claim_lane {
	const char *name;
	int max; /* at most that many rows of this lane, in all three tables together */
};

struct claim {
	const struct claim_lane *lanes; /* free lanes only, the most deserving first */
	size_t n_lanes;
	int max; /* in all */
	enum claim_who who;
	const char *owner; /* node + '/' + start id, "a/01J..." */
	int64_t now_ms;
	int64_t lease_until_ms;
};

struct aside {
	const char *table; /* "orders", "job", "debt" */
	char *id;
	char *why; /* a sentence */
};
static inline void aside_done(struct aside *a)
{
	free(a->id);
	free(a->why);
	memset(a, 0, sizeof *a);
}
STORE_LIST(aside);

struct claimed {
	struct order_list orders;
	struct job_list jobs;
	struct debt_list debts;
	struct aside_list aside; /* set aside by this claim: raise the alarm */
};
void claimed_done(struct claimed *c);
#define _cleanup_claimed_ __attribute__((cleanup(claimed_done)))

/* Debts first, then orders, then jobs, per lane. Nothing due is success with empty lists. */
int store_claim(struct sql *tx, const struct claim *c, struct claimed *ret, struct err *err) MUST_CHECK;

/* At start: ends all leases whose owner begins with node + '/' and is not owner. ret_n (may be NULL): how many. */
int store_lease_end_former(struct sql *tx, const char *node, const char *owner, int64_t now_ms, int64_t *ret_n,
			   struct err *err) MUST_CHECK;
/*
 * The wall clock was set: what waits, waits as long as before, by the new clock. Instants nearer to now_ms than to what the
 * clock said before are of the new clock and stay. SQLite only (one node); on PostgreSQL other nodes' clocks are right, and nothing is changed. *ret: it was done.
 */
int store_work_shift(struct sql *tx, int64_t by_ms, int64_t now_ms, bool *ret, struct err *err) MUST_CHECK;
/* Gives a row back untouched (orderly stop): due now, the start is not counted. table: "orders", "job", "debt". */
int store_lease_release(struct sql *tx, const char *table, const char *id, int64_t gen, int64_t now_ms,
			struct err *err) MUST_CHECK;
/*
 * A claim whose work was never begun and whose lease is over: that start is not counted, whoever may have claimed the row since.
 * A row that is gone is no error.
 */
int store_lease_unbegun(struct sql *tx, const char *table, const char *id, int64_t gen, struct err *err) MUST_CHECK;
/* Prolongs the lease of a long run. LOST_LEASE. */
int store_lease_extend(struct sql *tx, const char *table, const char *id, int64_t gen, int64_t lease_until_ms,
		       struct err *err) MUST_CHECK;

#endif
