/* SPDX-License-Identifier: Apache-2.0 */
/* lane.h - lanes: cap, parked until when and why, and how much waits in each. */
#ifndef STORE_LANE_H
#define STORE_LANE_H

#include "model/work.h"
#include "store/list.h"
#include "store/store.h"

STORE_LIST(lane);
#define _cleanup_lane_list_ __attribute__((cleanup(lane_list_done)))

/* Makes the lane if there is none (an existing one keeps its parking; its cap becomes this one). */
int store_lane_ensure(struct sql *tx, const char *name, int64_t cap, struct err *err) MUST_CHECK;
/* Later of what is stored and until_ms; reason is JSON. Never shortens. */
int store_lane_park(struct sql *tx, const char *name, int64_t until_ms, const char *reason, struct err *err) MUST_CHECK;
/* Free again, by a person or by a success. */
int store_lane_unpark(struct sql *tx, const char *name, struct err *err) MUST_CHECK;
/* Forgets lanes whose parking was over before that instant and in which nothing waits. */
int store_lane_prune(struct sql *tx, int64_t before_ms, int64_t *ret_n, struct err *err) MUST_CHECK;
int store_lane_get(struct sql *q, const char *name, struct lane *ret, struct err *err) MUST_CHECK;
int store_lane_list(struct sql *q, struct lane_list *ret, struct err *err) MUST_CHECK; /* all, by name */

/* A lane as the runner sees it. */
struct lane_load {
	struct lane lane;
	int64_t due_ms; /* earliest instant something is due in it (leases included), INT64_MAX = nothing */
	int64_t leased; /* rows in work anywhere, of all nodes */
};
static inline void lane_load_done(struct lane_load *l)
{
	lane_done(&l->lane);
}
STORE_LIST(lane_load);
#define _cleanup_lane_load_list_ __attribute__((cleanup(lane_load_list_done)))

/* All lanes, the longest due first. The runner sleeps until the least of max(due_ms, parked_until_ms). */
int store_lane_loads(struct sql *q, int64_t now_ms, struct lane_load_list *ret, struct err *err) MUST_CHECK;

#endif
