/* SPDX-License-Identifier: Apache-2.0 */
/*
 * rate.h - what authorities publish about how often they may be asked, as data. The engine stays below it (engine/rate.c): most of each
 * limit a second, one less of each that counts certificates. An authority nobody has described has none: it says itself when it has
 * enough, and that is parked.
 */
#ifndef MODEL_RATE_H
#define MODEL_RATE_H

#include "base/clock.h"
#include "base/util.h"

/* number in period_ms, of which burst at once (0 = number). number 0 = no limit. */
struct rate {
	int number;
	int64_t period_ms;
	int burst;
};

/* Counted by us as they are by Let's Encrypt: requests of an address, then what an account, a name, a set of names may have. */
#define RATE_KINDS(X)                                                                                                  \
	X(RATE_DIRECTORY, "directory")                                                                                 \
	X(RATE_NONCE, "new-nonce")                                                                                     \
	X(RATE_ACCOUNT_NEW, "new-account")                                                                             \
	X(RATE_ORDER_NEW, "new-order")                                                                                 \
	X(RATE_REVOKE, "revoke")                                                                                       \
	X(RATE_RENEWAL_INFO, "renewal-info")                                                                           \
	X(RATE_OTHER, "other")                                                                                         \
	X(RATE_ORDERS, "orders of an account")                                                                         \
	X(RATE_DOMAIN, "certificates of a registered domain")                                                          \
	X(RATE_SET, "certificates of the same names")                                                                  \
	X(RATE_FAILURES, "failed validations of a name")
enum rate_kind {
#define X(e, text) e,
	RATE_KINDS(X)
#undef X
	RATE_KIND_COUNT
};
const char *rate_kind_text(enum rate_kind k);
/* Kept in the store over restarts; the others are over before anybody has restarted. */
static inline bool rate_is_slow(enum rate_kind k)
{
	return k >= RATE_ORDERS;
}

struct vendor_rates {
	const char *key; /* of the vendor registry */
	struct rate published[RATE_KIND_COUNT];
	int at_once;     /* requests under way, 0 = as many as there are workers for one lane */
};
/* NULL: nothing is known, nothing is held back. */
const struct vendor_rates *vendor_rates_find(const char *vendor_key);
/* What we allow ourselves of it: four fifths of what counts by the second, one less of what counts certificates. */
struct rate rate_below(enum rate_kind k, struct rate published);

/* A bucket filled at a rate, in thousandths; zero at_ms = never used, full. */
struct rate_bucket {
	int64_t level, at_ms;
};
/* Fills to now; never above the burst. A clock that went back fills nothing. */
void rate_fill(struct rate_bucket *b, struct rate r, int64_t now_ms);
/* 0 when there is one to take (nothing is taken yet), else the span until there is. */
int64_t rate_wait(const struct rate_bucket *b, struct rate r);
static inline void rate_take(struct rate_bucket *b)
{
	b->level -= 1000;
}

#endif
