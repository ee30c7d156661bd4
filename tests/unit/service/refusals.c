/* SPDX-License-Identifier: Apache-2.0 */
/* refusals.c - tests of src/service/refusals.c. */
#include "service/refusals.h"
#include "base/clock.h"
#include "tests/unit/assert.h"

#define NOW INT64_C(1795465321464)

static void the_first_few_are_told_and_the_rest_is_one_sum(void **state)
{
	struct refusals *r = refusals_new();
	struct refusal_sum sum;
	int told = 0;

	(void)state;
	for (int i = 0; i < 100; i++)
		told += refusals_note(r, "session.refused", "192.0.2.1", true, NOW + i);
	ASSERT_INT(told, REFUSALS_ALONE);
	ASSERT_FALSE(refusals_take(r, false, NOW + 100, &sum)); /* the minute runs */
	ASSERT_TRUE(refusals_take(r, false, NOW + MINUTE_MS, &sum));
	ASSERT_STR(sum.source, "192.0.2.1");
	ASSERT_STR(sum.action, "session.refused");
	ASSERT_INT(sum.count, 100 - REFUSALS_ALONE);
	ASSERT_INT(sum.since_ms, NOW);
	ASSERT_INT(sum.until_ms, NOW + 99);
	ASSERT_FALSE(refusals_take(r, true, NOW + MINUTE_MS, &sum));
	ASSERT_TRUE(refusals_note(r, "session.refused", "192.0.2.1", true, NOW + MINUTE_MS + 1)); /* a new minute */
	refusals_free(r);
}

static void nothing_is_lost_in_a_flood_of_sources(void **state)
{
	struct refusals *r = refusals_new();
	struct refusal_sum sum;
	int64_t told = 0, summed = 0;
	int rows = 0;

	(void)state;
	for (int i = 0; i < 20000; i++) {
		char source[32];

		snprintf(source, sizeof source, "2001:db8:%x::", i);
		told += refusals_note(r, i % 2 ? "session.refused" : "request.refused", source, true, NOW);
	}
	ASSERT_INT(told, REFUSALS_ALONE_ALL);
	for (; refusals_take(r, true, NOW, &sum); rows++)
		summed += sum.count;
	ASSERT_INT(told + summed, 20000);
	ASSERT_TRUE(rows <= REFUSALS_SOURCES + 8); /* whatever comes: so many rows in a minute */
	refusals_free(r);
}

static void what_is_never_told_alone_is_counted(void **state)
{
	struct refusals *r = refusals_new();
	struct refusal_sum sum;

	(void)state;
	for (int i = 0; i < 3; i++)
		ASSERT_FALSE(refusals_note(r, "session.throttled", "192.0.2.1", false, NOW));
	ASSERT_TRUE(refusals_take(r, true, NOW, &sum));
	ASSERT_INT(sum.count, 3);
	refusals_free(r);
}

static void a_clock_that_is_set_back_tells_what_is_there(void **state)
{
	struct refusals *r = refusals_new();
	struct refusal_sum sum;

	(void)state;
	(void)refusals_note(r, "session.throttled", "192.0.2.1", false, NOW);
	ASSERT_TRUE(refusals_take(r, false, NOW - HOUR_MS, &sum));
	ASSERT_INT(sum.count, 1);
	refusals_free(r);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(the_first_few_are_told_and_the_rest_is_one_sum),
		TEST(nothing_is_lost_in_a_flood_of_sources),
		TEST(what_is_never_told_alone_is_counted),
		TEST(a_clock_that_is_set_back_tells_what_is_there),
	};

	return RUN(tests);
}
