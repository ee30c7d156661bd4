/* SPDX-License-Identifier: Apache-2.0 */
/* renewal_when.c - see renewal_when.h. */
#include "engine/renewal_when.h"

#define ROUND_MS (2 * MINUTE_MS) /* authorities ask clients to stay away from full hours by that much */

static int64_t roll(const struct renewal_dice *d, int64_t limit)
{
	return limit > 0 ? (int64_t)d->below(d->arg, (uint64_t)limit) : 0;
}

/* Everybody's timers fire at the full hour: this one does not. */
static int64_t off_the_hour(int64_t at_ms, const struct renewal_dice *d)
{
	int64_t into = at_ms % HOUR_MS;

	if (into >= ROUND_MS && into < HOUR_MS - ROUND_MS)
		return at_ms;
	return at_ms - into + (into >= HOUR_MS - ROUND_MS ? HOUR_MS : 0) + ROUND_MS + roll(d, HOUR_MS - 2 * ROUND_MS);
}

int64_t renewal_when_fraction(int64_t not_before_ms, int64_t not_after_ms, const struct renewal_dice *d)
{
	int64_t life = not_after_ms - not_before_ms, at;

	if (life < RENEWAL_SHORT_MS) /* between 50 and 45 % left */
		at = not_after_ms - life / 2 + roll(d, life / 20);
	else /* between 36.7 and 30 % left */
		at = not_after_ms - life / 3 - life / 30 + roll(d, life / 15);
	/* an hour is nothing to most and much to one that lives for hours */
	return life > DAY_MS ? off_the_hour(at, d) : at;
}

int64_t renewal_when_window(int64_t start_ms, int64_t end_ms, const struct renewal_dice *d)
{
	return start_ms + roll(d, end_ms - start_ms);
}

int64_t renewal_ladder(int64_t failures, int64_t lifetime_ms, const struct renewal_dice *d)
{
	static const int64_t table[] = { MINUTE_MS, 10 * MINUTE_MS, 100 * MINUTE_MS };
	int64_t rest = lifetime_ms < RENEWAL_SHORT_MS ? 6 * HOUR_MS : DAY_MS, span;

	if (failures < 1)
		failures = 1;
	span = failures <= (int64_t)ARRAY_SIZE(table) ? table[failures - 1] : rest;
	/* one that lives for hours must not wait for a day */
	if (span > lifetime_ms / 20 && lifetime_ms > 20 * MINUTE_MS)
		span = MAX(lifetime_ms / 20, MINUTE_MS);
	return span - span / 5 + roll(d, span / 5 * 2 + 1);
}

int64_t renewal_spread(int64_t late, bool urgent)
{
	int64_t at_five_a_second = late * 200;

	if (urgent)
		return at_five_a_second;
	return MAX(at_five_a_second, HOUR_MS);
}

bool renewal_is_late(int64_t not_before_ms, int64_t not_after_ms, int64_t now_ms)
{
	return not_after_ms - now_ms < (not_after_ms - not_before_ms) / 10;
}

bool renewal_is_near(int64_t renew_at_ms, int64_t not_after_ms, int64_t now_ms)
{
	int64_t left = not_after_ms - now_ms, whole = not_after_ms - renew_at_ms;

	return left < MIN(whole / 3, 3 * DAY_MS) && left > -DAY_MS;
}

int64_t renewal_remind(int64_t renew_at_ms, int64_t not_after_ms, int64_t now_ms)
{
	return now_ms + (renewal_is_near(renew_at_ms, not_after_ms, now_ms) ? DAY_MS : WEEK_MS);
}

bool renewal_again(int64_t raised_ms, int64_t not_after_ms, int64_t told_ms, int64_t now_ms)
{
	return renewal_is_near(raised_ms, not_after_ms, now_ms) || now_ms - told_ms > WEEK_MS - DAY_MS / 2; /* digests come at one time of the day */
}
