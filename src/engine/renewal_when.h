/* SPDX-License-Identifier: Apache-2.0 */
/*
 * renewal_when.h - the arithmetic of renewal, without rows and without a clock: everything is given, randomness too, so that a
 * test can ask for any instant. docs/admin/renewal.md tells the same in words.
 */
#ifndef ENGINE_RENEWAL_WHEN_H
#define ENGINE_RENEWAL_WHEN_H

#include "base/clock.h"

struct renewal_dice { /* uniform in [0, limit) */
	uint64_t (*below)(void *arg, uint64_t limit);
	void *arg;
};

/* A span of that lifetime is short below this: half of it is kept, and failures are tried again more often. */
#define RENEWAL_SHORT_MS (10 * DAY_MS)
#define RENEWAL_GIVE_UP_MS (30 * DAY_MS) /* of failures: then it is paused */

/* Without the authority's word: a third of the lifetime left (half under ten days), jittered, never near a full hour. */
int64_t renewal_when_fraction(int64_t not_before_ms, int64_t not_after_ms, const struct renewal_dice *d);
/* A moment of [start, end), uniformly (RFC 9773 4.2). start < end. */
int64_t renewal_when_window(int64_t start_ms, int64_t end_ms, const struct renewal_dice *d);
/* The span until the next attempt after that many failures in a row (1 = the first): 1, 10, 100 min, daily (6 h when short), +-20 %. */
int64_t renewal_ladder(int64_t failures, int64_t lifetime_ms, const struct renewal_dice *d);
/* How many rows that are late at the same moment are spread over. */
int64_t renewal_spread(int64_t late, bool urgent);
/* Fewer than a tenth of the lifetime is left. */
bool renewal_is_late(int64_t not_before_ms, int64_t not_after_ms, int64_t now_ms);
/* The last three days, or the last third of what was left at first, and the day after: who has to act is told daily then, else weekly. */
bool renewal_is_near(int64_t renew_at_ms, int64_t not_after_ms, int64_t now_ms);
/* When somebody who has to act is told again. */
int64_t renewal_remind(int64_t renew_at_ms, int64_t not_after_ms, int64_t now_ms);
/* Whether he is told again who was told first at raised and last at told: a week later, or at once when it is near. */
bool renewal_again(int64_t raised_ms, int64_t not_after_ms, int64_t told_ms, int64_t now_ms);

#endif
