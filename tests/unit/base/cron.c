/* SPDX-License-Identifier: Apache-2.0 */
/* cron.c - expressions, zones and the instants they name; zones are judged by the system's own date program's rules as constants. */
#include "base/cron.h"

#include "tests/unit/assert.h"

static int64_t at(int y, int m, int d, int h, int min)
{
	return clock_civil(y, m, d, h, min, 0);
}

static void bad_expressions_name_the_field(void **state)
{
	static const char *const bad[] = { "", "* * * *", "* * * * * *", "60 * * * *", "* 24 * * *", "* * 0 * *", "* * 32 * *", "* * * 13 *", "* * * * 8",
					   "5-1 * * * *", "*/0 * * * *", "a * * * *", "1, * * * *", "-1 * * * *", "1-99999999 * * * *", "* * * foo *" };
	struct cron c;

	for (size_t i = 0; i < ARRAY_SIZE(bad); i++) {
		struct err err = ERR_INIT;

		ASSERT_FAILS(cron_parse(bad[i], &c, &err), &err, ERR_INVALID);
	}
}

static void the_next_start_is_the_next_start(void **state)
{
	static const struct {
		const char *cron;
		int y, mo, d, h, mi;
	} rows[] = { /* after Thu 26 Nov 2026 12:30 UTC */
		{ "0 2 * * sat", 2026, 11, 28, 2, 0 },	 { "*/15 * * * *", 2026, 11, 26, 12, 45 }, { "30 12 * * *", 2026, 11, 27, 12, 30 },
		{ "0 0 1 * *", 2026, 12, 1, 0, 0 },	 { "0 3 1 jan *", 2027, 1, 1, 3, 0 },	   { "5 4 29 2 *", 0, 0, 0, 0, 0 },
		{ "0 22 * * 1-5", 2026, 11, 26, 22, 0 }, { "0 6 13 * fri", 2026, 11, 27, 6, 0 },   { "0 1 * * 7", 2026, 11, 29, 1, 0 },
		{ "59 23 31 12 *", 2026, 12, 31, 23, 59 },
	};
	_cleanup_zone_ struct zone *utc = NULL;
	struct err err = ERR_INIT;

	ASSERT_OK(zone_load("UTC", &utc, &err), &err);
	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		struct cron c;
		int64_t want = rows[i].y ? at(rows[i].y, rows[i].mo, rows[i].d, rows[i].h, rows[i].mi) : 0;

		ASSERT_OK(cron_parse(rows[i].cron, &c, &err), &err);
		ASSERT_INT(cron_next(&c, utc, at(2026, 11, 26, 12, 30)), want);
	}
}

static void inside_is_from_start_to_end(void **state)
{
	_cleanup_zone_ struct zone *utc = NULL;
	struct err err = ERR_INIT;
	struct cron c;

	ASSERT_OK(zone_load("UTC", &utc, &err), &err);
	ASSERT_OK(cron_parse("0 22 * * sat", &c, &err), &err);
	ASSERT_INT(cron_inside(&c, utc, 4 * HOUR_MS, at(2026, 11, 28, 21, 59)), 0);
	ASSERT_INT(cron_inside(&c, utc, 4 * HOUR_MS, at(2026, 11, 28, 22, 0)), at(2026, 11, 28, 22, 0));
	ASSERT_INT(cron_inside(&c, utc, 4 * HOUR_MS, at(2026, 11, 29, 1, 59)), at(2026, 11, 28, 22, 0));
	ASSERT_INT(cron_inside(&c, utc, 4 * HOUR_MS, at(2026, 11, 29, 2, 0)), 0);
}

/* A TZif file of the second version without transitions: its footer says all. */
static struct zone *by_footer(const char *footer)
{
	unsigned char file[256] = { 0 }, *p = file;
	struct err err = ERR_INIT;
	struct zone *z = NULL;

	for (int i = 0; i < 2; i++) {
		memcpy(p, "TZif2", 5);
		p[39] = 1; /* one type */
		p[43] = 4; /* "LMT\0" */
		p += 44 + 6 + 4;
	}
	*p++ = '\n';
	memcpy(p, footer, strlen(footer));
	p += strlen(footer);
	*p++ = '\n';
	ASSERT_OK(zone_parse(file, (size_t)(p - file), &z, &err), &err);
	return z;
}

static void clocks_change_when_the_zone_says_so(void **state)
{
	static const struct {
		const char *zone, *footer;
		int y, mo, d, h, mi;
		int64_t offset_s;
	} rows[] = {
		{ "Europe/Berlin", "CET-1CEST,M3.5.0,M10.5.0/3", 2026, 3, 29, 0, 59, 3600 },
		{ "Europe/Berlin", "CET-1CEST,M3.5.0,M10.5.0/3", 2026, 3, 29, 1, 0, 7200 },
		{ "Europe/Berlin", "CET-1CEST,M3.5.0,M10.5.0/3", 2026, 10, 25, 0, 59, 7200 },
		{ "Europe/Berlin", "CET-1CEST,M3.5.0,M10.5.0/3", 2026, 10, 25, 1, 0, 3600 },
		{ "Europe/Berlin", "CET-1CEST,M3.5.0,M10.5.0/3", 2042, 7, 1, 0, 0, 7200 },
		{ "America/New_York", "EST5EDT,M3.2.0,M11.1.0", 2027, 3, 14, 6, 59, -18000 },
		{ "America/New_York", "EST5EDT,M3.2.0,M11.1.0", 2027, 3, 14, 7, 0, -14400 },
		{ "America/New_York", "EST5EDT,M3.2.0,M11.1.0", 2027, 11, 7, 6, 0, -18000 },
		{ "Australia/Sydney", "AEST-10AEDT,M10.1.0,M4.1.0/3", 2027, 1, 1, 0, 0, 39600 },
		{ "Australia/Sydney", "AEST-10AEDT,M10.1.0,M4.1.0/3", 2027, 7, 1, 0, 0, 36000 },
		{ "Asia/Kathmandu", "<+0545>-5:45", 2027, 7, 1, 0, 0, 20700 },
		{ "Europe/Istanbul", "<+03>-3", 2027, 7, 1, 0, 0, 10800 },
	};

	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		_cleanup_zone_ struct zone *f = by_footer(rows[i].footer), *z = NULL;
		struct err err = ERR_INIT;
		int64_t when = at(rows[i].y, rows[i].mo, rows[i].d, rows[i].h, rows[i].mi);

		ASSERT_INT(zone_offset_s(f, when), rows[i].offset_s);
		if (zone_load(rows[i].zone, &z, &err) == 0) /* where tzdata is installed */
			ASSERT_INT(zone_offset_s(z, when), rows[i].offset_s);
		err_clear(&err);
	}
}

static void a_start_follows_the_clocks_of_its_zone(void **state)
{
	_cleanup_zone_ struct zone *berlin = by_footer("CET-1CEST,M3.5.0,M10.5.0/3");
	struct err err = ERR_INIT;
	struct cron c;

	ASSERT_OK(cron_parse("0 4 * * *", &c, &err), &err);
	ASSERT_INT(cron_next(&c, berlin, at(2026, 3, 28, 12, 0)), at(2026, 3, 29, 2, 0)); /* summer time since an hour */
	ASSERT_INT(cron_next(&c, berlin, at(2026, 10, 24, 12, 0)), at(2026, 10, 25, 3, 0));
	ASSERT_OK(cron_parse("30 2 * * *", &c, &err), &err);
	ASSERT_INT(cron_next(&c, berlin, at(2026, 3, 28, 12, 0)), at(2026, 3, 30, 0, 30)); /* 02:30 is not there on the 29th */
}

static void other_names_and_broken_files_are_refused(void **state)
{
	static const char *const bad[] = { "", "../../etc/passwd", "/etc/passwd", "Europe/Atlantis", "a b", "Europe/Berlin\n" };
	static const unsigned char cut[60] = "TZif2";
	struct zone *z = NULL;
	struct err err = ERR_INIT;

	for (size_t i = 0; i < ARRAY_SIZE(bad); i++)
		ASSERT_FAILS(zone_load(bad[i], &z, &err), &err, ERR_INVALID);
	for (size_t n = 0; n <= sizeof cut; n++)
		ASSERT_FAILS(zone_parse(cut, n, &z, &err), &err, ERR_INVALID);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(bad_expressions_name_the_field), TEST(the_next_start_is_the_next_start), TEST(inside_is_from_start_to_end),
		TEST(clocks_change_when_the_zone_says_so), TEST(a_start_follows_the_clocks_of_its_zone),
		TEST(other_names_and_broken_files_are_refused),
	};

	return RUN(tests);
}
