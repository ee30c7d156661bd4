/* SPDX-License-Identifier: Apache-2.0 */
/* clocks.c - three clocks that must not be mixed: polling somebody who works, waiting for DNS, trying again after an error. */
#include "engine/private.h"

#include "base/random.h"

int64_t engine_now(const struct engine *e)
{
	return clock_now(e->clock);
}

uint64_t engine_below(const struct engine *e, uint64_t limit)
{
	return e->o.random ? e->o.random(e->o.random_arg, limit) : random_below(limit);
}

int64_t engine_jitter(const struct engine *e, int64_t value, unsigned percent)
{
	int64_t span = value / 100 * percent + value % 100 * percent / 100;

	if (span <= 0)
		return value;
	return value - span + (int64_t)engine_below(e, (uint64_t)(2 * span + 1));
}

static int64_t pick(const int64_t *table, size_t n, int64_t i)
{
	if (i < 0)
		i = 0;
	return table[(size_t)i < n ? (size_t)i : n - 1];
}

int64_t poll_clock(const struct engine *e, int64_t polls)
{
	static const int64_t table[] = { 20, 100, 500, 2000, 5000, 10000, 30000 };

	return engine_jitter(e, pick(table, ARRAY_SIZE(table), polls), 20);
}

int64_t propagation_clock(const struct engine *e, int64_t polls)
{
	static const int64_t table[] = { 2000, 5000, 10000, 20000, 30000 };

	return engine_jitter(e, pick(table, ARRAY_SIZE(table), polls), 20);
}

int64_t retry_clock(const struct engine *e, int64_t attempts)
{
	static const int64_t table[] = { MINUTE_MS, 10 * MINUTE_MS, 100 * MINUTE_MS, DAY_MS };

#ifdef CERTWRIGHT_CRASH_HOOKS
	if (getenv("CERTWRIGHT_RETRY_MS")) /* fault tests walk many errors */
		return engine_jitter(e, strtoll(getenv("CERTWRIGHT_RETRY_MS"), NULL, 10), 50);
#endif
	return engine_jitter(e, pick(table, ARRAY_SIZE(table), attempts), 50);
}
