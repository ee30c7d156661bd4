/* SPDX-License-Identifier: Apache-2.0 */
/*
 * clock.h - time. All times are unix milliseconds UTC in int64_t, names end in _ms. Wall-clock time is only stored and
 * shown; time-outs use clock_boot_ms (CLOCK_BOOTTIME). A test stands at any instant through a fake clock.
 */
#ifndef BASE_CLOCK_H
#define BASE_CLOCK_H

#include "base/err.h"

#define SECOND_MS INT64_C(1000)
#define MINUTE_MS (60 * SECOND_MS)
#define HOUR_MS (60 * MINUTE_MS)
#define DAY_MS (24 * HOUR_MS)
#define WEEK_MS (7 * DAY_MS)

struct clock {
	int64_t (*wall_ms)(const struct clock *c);
	int64_t (*boot_ms)(const struct clock *c);
	int64_t fake_ms; /* used by clock_fake only */
};

extern const struct clock clock_system;

#ifdef CERTWRIGHT_CRASH_HOOKS
/* Test builds: the wall clock is off by the milliseconds in this file, read at each look. Core only: edge may not open files. */
extern const char *clock_offset_file;
#endif
struct clock clock_fake(int64_t now_ms); /* both clocks return fake_ms; move it by assignment */

int64_t clock_now(const struct clock *c);  /* wall clock */
int64_t clock_boot(const struct clock *c); /* never jumps */

/* RFC 3339 in UTC with milliseconds, "2026-11-23T18:45:31.123Z"; buf holds CLOCK_TEXT bytes. Returns buf. */
#define CLOCK_TEXT 48
const char *clock_format(int64_t ms, char buf[CLOCK_TEXT]);
/* RFC 3339 with any fraction and offset; INVALID otherwise. */
int clock_parse(const char *s, int64_t *ret_ms, struct err *err);
/* The three HTTP date forms of RFC 9110 5.6.7 (IMF-fixdate, RFC 850, asctime). */
int clock_parse_http(const char *s, int64_t now_ms, int64_t *ret_ms, struct err *err);
/* Saturating sum. */
int64_t clock_add(int64_t a_ms, int64_t b_ms);
/* Days since 1970-01-01 of a civil date, and the instant of a civil UTC time. Months 1..12. */
int64_t clock_civil(int64_t year, int month, int day, int hour, int minute, int second);

#endif
