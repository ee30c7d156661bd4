/* SPDX-License-Identifier: Apache-2.0 */
#include "tests/unit/assert.h"

#include "base/clock.h"

static void a_time_is_formatted_and_read_back(void **state UNUSED)
{
	static const struct {
		int64_t ms;
		const char *text;
	} rows[] = {
		{ 0, "1970-01-01T00:00:00.000Z" },
		{ 951782400000, "2000-02-29T00:00:00.000Z" },
		{ 1795459531123, "2026-11-23T18:45:31.123Z" },
		{ 4102444799999, "2099-12-31T23:59:59.999Z" },
		{ -1, "1969-12-31T23:59:59.999Z" },
	};
	char buf[CLOCK_TEXT];
	struct err err = ERR_INIT;
	int64_t back;

	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		ASSERT_STR(clock_format(rows[i].ms, buf), rows[i].text);
		ASSERT_OK(clock_parse(rows[i].text, &back, &err), &err);
		ASSERT_INT(back, rows[i].ms);
	}
}

static void fractions_and_offsets_are_understood(void **state UNUSED)
{
	struct err err = ERR_INIT;
	int64_t ms;

	ASSERT_OK(clock_parse("2026-11-23T18:45:31.123456789+02:30", &ms, &err), &err);
	ASSERT_INT(ms, clock_civil(2026, 11, 23, 16, 15, 31) + 123);
}

static void wrong_times_are_refused(void **state UNUSED)
{
	static const char *const bad[] = { "", "2026", "2026-13-01T00:00:00Z", "2026-02-29T00:00:00Z", "2026-01-01T24:00:00Z",
					   "2026-01-01T00:00:00", "2026-01-01T00:00:00.Z", "2026-01-01T00:00:00Zx" };
	struct err err = ERR_INIT;
	int64_t ms = 7;

	for (size_t i = 0; i < ARRAY_SIZE(bad); i++)
		ASSERT_FAILS(clock_parse(bad[i], &ms, &err), &err, ERR_INVALID);
	ASSERT_INT(ms, 7);
}

static void all_three_http_dates_are_read(void **state UNUSED)
{
	static const char *const same[] = { "Sun, 06 Nov 1994 08:49:37 GMT", "Sunday, 06-Nov-94 08:49:37 GMT",
					    "Sun Nov  6 08:49:37 1994" };
	struct err err = ERR_INIT;
	int64_t ms;

	for (size_t i = 0; i < ARRAY_SIZE(same); i++) {
		ASSERT_OK(clock_parse_http(same[i], clock_civil(2026, 11, 23, 0, 0, 0), &ms, &err), &err);
		ASSERT_INT(ms, 784111777000);
	}
	ASSERT_FAILS(clock_parse_http("yesterday", 0, &ms, &err), &err, ERR_INVALID);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(a_time_is_formatted_and_read_back),
		TEST(fractions_and_offsets_are_understood),
		TEST(wrong_times_are_refused),
		TEST(all_three_http_dates_are_read),
	};

	return RUN(tests);
}
