/* SPDX-License-Identifier: Apache-2.0 */
/*
 * cron.h - recurring spans of time: "at these minutes, hours, days, for so long, as clocks in that zone show". Five fields as in
 * crontab(5) (minute hour day month weekday; lists, ranges, steps, names of months and weekdays, 0 and 7 are Sunday; when day and
 * weekday are both restricted either is enough). The zone is read from the system's zoneinfo files; libc's own calendar
 * functions have one zone per process and are not used.
 */
#ifndef BASE_CRON_H
#define BASE_CRON_H

#include "base/clock.h"

struct cron {
	uint64_t minutes;
	uint32_t hours, days, months, weekdays; /* bit n = n; weekdays 0 = Sunday */
	bool any_day, any_weekday;
};
int cron_parse(const char *text, struct cron *ret, struct err *err) MUST_CHECK; /* INVALID, naming the field */

struct zone;
/* "UTC", "Europe/Berlin". INVALID when there is no such zone here. */
int zone_load(const char *name, struct zone **ret, struct err *err) MUST_CHECK;
void zone_free(struct zone *z);
static inline void zone_free_p(struct zone **z)
{
	zone_free(*z);
}
#define _cleanup_zone_ __attribute__((cleanup(zone_free_p)))
int64_t zone_offset_s(const struct zone *z, int64_t utc_ms); /* seconds east of UTC at that instant */
/* For tests: the bytes of a TZif file. */
int zone_parse(const void *p, size_t n, struct zone **ret, struct err *err) MUST_CHECK;

/* The latest start at or before the instant that is less than span_ms ago; 0 = none: the instant is outside. */
int64_t cron_inside(const struct cron *c, const struct zone *z, int64_t span_ms, int64_t at_ms);
/* The first start after the instant, within 400 days; 0 = none (30 February). */
int64_t cron_next(const struct cron *c, const struct zone *z, int64_t after_ms);

#endif
