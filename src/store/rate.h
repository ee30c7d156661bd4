/* SPDX-License-Identifier: Apache-2.0 */
/*
 * rate.h - buckets of slow limits (hours, days), kept over restarts and shared by nodes. A bucket that is full again is forgotten.
 */
#ifndef STORE_RATE_H
#define STORE_RATE_H

#include "model/rate.h"
#include "store/store.h"

/* One that is asked or taken together with others; filled in by the caller but for bucket and wait_ms. */
struct rate_claim {
	char *name; /* limit, directory URL, of whom */
	enum rate_kind kind;
	struct rate rate; /* what we allow ourselves */
	bool take;        /* else it is only looked at */
	int64_t wait_ms;  /* out: until there is room, 0 = there is */
};

/* All or nothing: takes from every claim that says so if none of them has to wait. *ret_wait_ms: the longest wait, 0 = taken. */
int store_rate_claim(struct sql *tx, struct rate_claim *v, size_t n, int64_t now_ms, int64_t *ret_wait_ms, struct err *err) MUST_CHECK;
/* Forgets the full ones. */
int store_rate_prune(struct sql *tx, int64_t now_ms, int64_t *ret_n, struct err *err) MUST_CHECK;

#endif
