/* SPDX-License-Identifier: Apache-2.0 */
/* cron.c - see cron.h. */
#include "base/cron.h"

#include "base/buf.h"
#include "base/file.h"
#include "base/str.h"

#include <ctype.h>
#include <stdio.h>

/* ---- the five fields ---- */

static const char *const month_names[] = { "jan", "feb", "mar", "apr", "may", "jun", "jul", "aug", "sep", "oct", "nov", "dec", NULL };
static const char *const day_names[] = { "sun", "mon", "tue", "wed", "thu", "fri", "sat", NULL };

static const struct cron_field {
	const char *title;
	int min, max;
	const char *const *names; /* the first is min */
} fields[5] = {
	{ "minute", 0, 59, NULL },	    { "hour", 0, 23, NULL }, { "day of the month", 1, 31, NULL },
	{ "month", 1, 12, month_names },    { "weekday", 0, 7, day_names },
};

static bool number(const struct cron_field *f, const char **p, int *ret)
{
	int v = 0;
	const char *s = *p;

	for (int i = 0; f->names && f->names[i]; i++)
		if (!strncasecmp(s, f->names[i], 3)) {
			*p = s + 3;
			*ret = f->min + i;
			return true;
		}
	if (!isdigit((unsigned char)*s))
		return false;
	while (isdigit((unsigned char)*s) && v < 1000)
		v = v * 10 + (*s++ - '0');
	*p = s;
	*ret = v;
	return true;
}

/* One item of a list: "*", "5", "1-5", each with "/n" behind it. */
static bool item(const struct cron_field *f, const char **p, uint64_t *bits)
{
	int from = f->min, to = f->max, step = 1;
	bool range = **p == '*';

	if (range) {
		++*p;
	} else {
		if (!number(f, p, &from))
			return false;
		to = from;
		if (**p == '-') {
			++*p;
			range = true;
			if (!number(f, p, &to))
				return false;
		}
	}
	if (**p == '/') {
		++*p;
		if (!number(&(struct cron_field){ .max = 999 }, p, &step) || step < 1)
			return false;
		if (!range)
			to = f->max;
	}
	if (from < f->min || to > f->max || from > to)
		return false;
	for (int i = from; i <= to; i += step)
		*bits |= UINT64_C(1) << i;
	return true;
}

static bool field(const struct cron_field *f, const char *text, uint64_t *bits)
{
	*bits = 0;
	for (;;) {
		if (!item(f, &text, bits))
			return false;
		if (!*text)
			return true;
		if (*text++ != ',')
			return false;
	}
}

int cron_parse(const char *text, struct cron *ret, struct err *err)
{
	_cleanup_strlist_ struct strlist all = { 0 }, parts = { 0 };
	uint64_t bits[5];

	if (strlen(text) > 200)
		return err_set(err, ERR_INVALID, "more than 200 characters are no cron expression");
	strlist_split(&all, text, ' ');
	for (size_t i = 0; i < all.n; i++)
		if (*all.v[i])
			strlist_add(&parts, all.v[i]);
	if (parts.n != 5) {
		err_set(err, ERR_INVALID, "a cron expression has five fields, '%s' has %zu", text, parts.n);
		return err_hint(err, "Minute, hour, day of the month, month, weekday: '0 2 * * sat' is each Saturday at two.");
	}
	for (size_t i = 0; i < 5; i++)
		if (!field(&fields[i], parts.v[i], &bits[i]))
			return err_set(err, ERR_INVALID, "'%s' is not a %s (%d to %d)", parts.v[i], fields[i].title, fields[i].min, fields[i].max);
	if (bits[4] & BIT(7))
		bits[4] |= 1; /* Sunday */
	*ret = (struct cron){
		.minutes = bits[0], .hours = (uint32_t)bits[1], .days = (uint32_t)bits[2], .months = (uint32_t)bits[3],
		.weekdays = (uint32_t)bits[4] & 0x7f, .any_day = parts.v[2][0] == '*', .any_weekday = parts.v[4][0] == '*',
	};
	return 0;
}

/* ---- zones: TZif (RFC 8536) ---- */

#define TYPES_MAX 256
#define TRANSITIONS_MAX 4096

struct rule { /* "M3.5.0/2": month, week (5 = last), weekday, seconds after midnight */
	int month, week, weekday;
	int64_t at_s;
};

struct zone {
	size_t n;
	int64_t *at_s;
	int32_t *offset_s; /* from at_s[i] on */
	int32_t first_s;   /* before */
	bool has_rule;     /* after the last transition */
	int32_t std_s, dst_s;
	struct rule to_dst, to_std;
};

void zone_free(struct zone *z)
{
	if (!z)
		return;
	free(z->at_s);
	free(z->offset_s);
	free(z);
}

static uint32_t be32(const unsigned char *p)
{
	return (uint32_t)p[0] << 24 | (uint32_t)p[1] << 16 | (uint32_t)p[2] << 8 | p[3];
}

static int64_t be64(const unsigned char *p)
{
	return (int64_t)((uint64_t)be32(p) << 32 | be32(p + 4));
}

static bool skip_name(const char **p)
{
	const char *s = *p;

	if (*s == '<') {
		s = strchr(s, '>');
		if (!s)
			return false;
		*p = s + 1;
		return true;
	}
	while (isalpha((unsigned char)*s))
		s++;
	if (s - *p < 3)
		return false;
	*p = s;
	return true;
}

/* [+-]hh[:mm[:ss]] */
static bool hms(const char **p, int64_t *ret)
{
	int64_t sign = 1, parts[3] = { 0 };
	const char *s = *p;

	if (*s == '+' || *s == '-')
		sign = *s++ == '-' ? -1 : 1;
	for (int i = 0; i < 3; i++) {
		if (!isdigit((unsigned char)*s))
			return false;
		while (isdigit((unsigned char)*s) && parts[i] < 1000)
			parts[i] = parts[i] * 10 + (*s++ - '0');
		if (*s != ':')
			break;
		s++;
	}
	*p = s;
	*ret = sign * (parts[0] * 3600 + parts[1] * 60 + parts[2]);
	return true;
}

static bool rule(const char **p, struct rule *ret)
{
	const struct cron_field any = { .max = 999 };

	*ret = (struct rule){ .at_s = 7200 };
	if (**p != ',' || (*p)[1] != 'M')
		return false;
	*p += 2;
	if (!number(&any, p, &ret->month) || *(*p)++ != '.' || !number(&any, p, &ret->week) || *(*p)++ != '.' ||
	    !number(&any, p, &ret->weekday))
		return false;
	if (**p == '/') {
		++*p;
		if (!hms(p, &ret->at_s))
			return false;
	}
	return ret->month >= 1 && ret->month <= 12 && ret->week >= 1 && ret->week <= 5 && ret->weekday <= 6;
}

/* The footer: what holds after the last transition. One that we cannot read leaves the last offset. */
static void footer(struct zone *z, const char *text)
{
	int64_t std, dst;

	if (!skip_name(&text) || !hms(&text, &std))
		return;
	z->std_s = z->dst_s = (int32_t)-std;
	z->to_dst.month = z->to_std.month = 0;
	if (!*text) {
		z->has_rule = true;
		return;
	}
	if (!skip_name(&text))
		return;
	dst = std - 3600;
	if (*text && *text != ',' && !hms(&text, &dst))
		return;
	z->dst_s = (int32_t)-dst;
	z->has_rule = rule(&text, &z->to_dst) && rule(&text, &z->to_std);
}

struct counts {
	uint32_t isut, isstd, leap, time, type, chars;
};

static bool header(const unsigned char *p, size_t n, struct counts *c, int *version)
{
	if (n < 44 || memcmp(p, "TZif", 4) != 0)
		return false;
	*version = p[4] ? p[4] - '0' : 1;
	*c = (struct counts){ be32(p + 20), be32(p + 24), be32(p + 28), be32(p + 32), be32(p + 36), be32(p + 40) };
	return c->time <= TRANSITIONS_MAX && c->type >= 1 && c->type <= TYPES_MAX && c->chars <= 4096 && c->leap <= 4096 && c->isut <= 4096 &&
	       c->isstd <= 4096;
}

static size_t body_size(const struct counts *c, size_t time_size)
{
	return c->time * (time_size + 1) + c->type * 6 + c->chars + c->leap * (time_size + 4) + c->isstd + c->isut;
}

int zone_parse(const void *data, size_t n, struct zone **ret, struct err *err)
{
	const unsigned char *p = data, *end = p + n, *types, *infos;
	_cleanup_zone_ struct zone *z = xcalloc(1, sizeof *z);
	struct counts c;
	int version;
	size_t body;

	if (!header(p, n, &c, &version) || version < 2)
		return err_set(err, ERR_INVALID, "not a zoneinfo file that can be read");
	body = 44 + body_size(&c, 4); /* the old form is left out */
	if (body > n || !header(p + body, n - body, &c, &version) || 44 + body_size(&c, 8) > n - body)
		return err_set(err, ERR_INVALID, "the zoneinfo file is cut off");
	p += body + 44;
	types = p + (size_t)c.time * 8;
	infos = types + c.time;
	z->n = c.time;
	z->at_s = xcalloc(c.time + 1, sizeof *z->at_s);
	z->offset_s = xcalloc(c.time + 1, sizeof *z->offset_s);
	z->first_s = (int32_t)be32(infos);
	for (size_t i = 0; i < c.time; i++) {
		if (types[i] >= c.type)
			return err_set(err, ERR_INVALID, "the zoneinfo file contradicts itself");
		z->at_s[i] = be64(p + i * 8);
		z->offset_s[i] = (int32_t)be32(infos + (size_t)types[i] * 6);
	}
	p += body_size(&c, 8);
	if (end - p > 2 && *p == '\n') {
		const unsigned char *stop = memchr(p + 1, '\n', (size_t)(end - p - 1));
		_cleanup_free_ char *text = stop ? xstrndup((const char *)p + 1, (size_t)(stop - p - 1)) : NULL;

		if (text)
			footer(z, text);
	}
	*ret = TAKE(z);
	return 0;
}

int zone_load(const char *name, struct zone **ret, struct err *err)
{
	_cleanup_buf_ struct buf b = BUF_MAX(256 * 1024);
	_cleanup_free_ char *path = NULL;
	_cleanup_err_ struct err why = ERR_INIT;

	if (streq(name, "UTC")) {
		*ret = xcalloc(1, sizeof **ret);
		return 0;
	}
	if (!*name || strlen(name) > 64 || strstr(name, "..") || name[0] == '/' ||
	    name[strspn(name, "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789_+-/")])
		return err_set(err, ERR_INVALID, "'%.64s' is not the name of a time zone", name);
	path = xasprintf("/usr/share/zoneinfo/%s", name);
	if (file_read(path, &b, &why) < 0 || zone_parse(b.p, b.n, ret, &why) < 0) {
		err_set(err, ERR_INVALID, "there is no time zone '%s' on this server", name);
		return err_hint(err, "Names are like Europe/Berlin; the package tzdata has them. UTC is always there.");
	}
	return 0;
}

/* ---- civil time ---- */

struct civil {
	int64_t year;
	int month, day, weekday, hour, minute;
};

static struct civil civil(int64_t local_s)
{
	int64_t days = local_s >= 0 ? local_s / 86400 : -((-local_s + 86399) / 86400), rest = local_s - days * 86400;
	int64_t z = days + 719468, era = (z >= 0 ? z : z - 146096) / 146097, doe = z - era * 146097;
	int64_t yoe = (doe - doe / 1460 + doe / 36524 - doe / 146096) / 365, doy = doe - (365 * yoe + yoe / 4 - yoe / 100);
	int64_t mp = (5 * doy + 2) / 153;
	struct civil c = { .day = (int)(doy - (153 * mp + 2) / 5 + 1), .month = (int)(mp < 10 ? mp + 3 : mp - 9) };

	c.year = yoe + era * 400 + (c.month <= 2);
	c.weekday = (int)(((days + 4) % 7 + 7) % 7);
	c.hour = (int)(rest / 3600);
	c.minute = (int)(rest / 60 % 60);
	return c;
}

/* The instant of a rule in that year, in seconds of local time by the given offset. */
static int64_t rule_s(const struct rule *r, int64_t year)
{
	int64_t first = clock_civil(year, r->month, 1, 0, 0, 0) / 1000, day;
	struct civil c = civil(first);

	day = 1 + (r->weekday - c.weekday + 7) % 7 + (r->week - 1) * 7;
	while (civil(first + (day - 1) * 86400).month != r->month)
		day -= 7; /* the fifth is the last */
	return first + (day - 1) * 86400 + r->at_s;
}

static int64_t by_rule(const struct zone *z, int64_t utc_s)
{
	int64_t year, on, off;

	if (!z->to_dst.month)
		return z->std_s;
	year = civil(utc_s + z->std_s).year;
	on = rule_s(&z->to_dst, year) - z->std_s;
	off = rule_s(&z->to_std, year) - z->dst_s;
	if (on < off)
		return utc_s >= on && utc_s < off ? z->dst_s : z->std_s;
	return utc_s >= on || utc_s < off ? z->dst_s : z->std_s;
}

int64_t zone_offset_s(const struct zone *z, int64_t utc_ms)
{
	int64_t s = utc_ms / 1000;
	size_t from = 0, to = z->n;

	if (!z->n || s < z->at_s[0])
		return z->has_rule && !z->n ? by_rule(z, s) : z->first_s;
	if (s >= z->at_s[z->n - 1] && z->has_rule)
		return by_rule(z, s);
	while (to - from > 1) {
		size_t mid = (from + to) / 2;

		if (z->at_s[mid] <= s)
			from = mid;
		else
			to = mid;
	}
	return z->offset_s[from];
}

/* ---- matching ---- */

static bool day_matches(const struct cron *c, const struct civil *t)
{
	bool day = c->days >> t->day & 1, weekday = c->weekdays >> t->weekday & 1;

	if (!(c->months >> t->month & 1))
		return false;
	return c->any_day || c->any_weekday ? day && weekday : day || weekday;
}

/* The first full minute at or after the instant that matches, before the end; 0 = none. */
static int64_t find(const struct cron *c, const struct zone *z, int64_t at_ms, int64_t end_ms)
{
	int64_t at = at_ms + (MINUTE_MS - at_ms % MINUTE_MS) % MINUTE_MS;

	while (at < end_ms) {
		struct civil t = civil(at / 1000 + zone_offset_s(z, at));

		if (!day_matches(c, &t)) { /* to two hours before midnight, and on by minutes: clocks may change */
			int64_t left = ((23 - t.hour) * 60 + (60 - t.minute)) * MINUTE_MS;

			at += left > 3 * HOUR_MS ? left - 2 * HOUR_MS : MINUTE_MS;
		} else if (!(c->hours >> t.hour & 1)) {
			at += (15 - t.minute % 15) * MINUTE_MS; /* offsets are of quarters of an hour */
		} else if (c->minutes >> t.minute & 1) {
			return at;
		} else {
			at += MINUTE_MS;
		}
	}
	return 0;
}

int64_t cron_inside(const struct cron *c, const struct zone *z, int64_t span_ms, int64_t at_ms)
{
	int64_t from = at_ms - span_ms + 1, last = 0;

	for (;;) {
		int64_t start = find(c, z, MAX(from, last + MINUTE_MS), at_ms + 1);

		if (!start)
			return last;
		last = start;
	}
}

int64_t cron_next(const struct cron *c, const struct zone *z, int64_t after_ms)
{
	return find(c, z, after_ms + 1, after_ms + 400 * DAY_MS);
}
