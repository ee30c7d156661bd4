/* SPDX-License-Identifier: Apache-2.0 */
/* clock.c - see clock.h. No libc calendar functions: they depend on locale and zone. */
#include "base/clock.h"

#include "base/str.h"

#include <stdio.h>
#include <stdlib.h>

/* What has a text: the years 1 to 9999. */
#define CLOCK_FIRST (-62135596800000)
#define CLOCK_LAST 253402300799999

static int64_t read_ms(clockid_t id)
{
	struct timespec t;

	clock_gettime(id, &t);
	return (int64_t)t.tv_sec * 1000 + t.tv_nsec / 1000000;
}

#ifdef CERTWRIGHT_CRASH_HOOKS
const char *clock_offset_file;

static int64_t offset_ms(void)
{
	FILE *f = clock_offset_file ? fopen(clock_offset_file, "re") : NULL;
	char text[32] = "";

	if (!f)
		return 0;
	if (!fgets(text, sizeof text, f))
		text[0] = '\0';
	fclose(f);
	return strtoll(text, NULL, 10);
}
#else
static int64_t offset_ms(void)
{
	return 0;
}
#endif

static int64_t system_wall(const struct clock *c UNUSED)
{
	return read_ms(CLOCK_REALTIME) + offset_ms();
}

static int64_t system_boot(const struct clock *c UNUSED)
{
	return read_ms(CLOCK_BOOTTIME);
}

static int64_t fake_now(const struct clock *c)
{
	return __atomic_load_n(&c->fake_ms, __ATOMIC_RELAXED);
}

const struct clock clock_system = { .wall_ms = system_wall, .boot_ms = system_boot };

struct clock clock_fake(int64_t now_ms)
{
	return (struct clock){ .wall_ms = fake_now, .boot_ms = fake_now, .fake_ms = now_ms };
}

int64_t clock_now(const struct clock *c)
{
	return c->wall_ms(c);
}

int64_t clock_boot(const struct clock *c)
{
	return c->boot_ms(c);
}

static int64_t days_from_civil(int64_t y, int m, int d)
{
	int64_t era, yoe, doy;

	y -= m <= 2;
	era = (y >= 0 ? y : y - 399) / 400;
	yoe = y - era * 400;
	doy = (153 * (m + (m > 2 ? -3 : 9)) + 2) / 5 + d - 1;
	return era * 146097 + yoe * 365 + yoe / 4 - yoe / 100 + doy - 719468;
}

int64_t clock_civil(int64_t year, int month, int day, int hour, int minute, int second)
{
	return (((days_from_civil(year, month, day) * 24 + hour) * 60 + minute) * 60 + second) * 1000;
}

const char *clock_format(int64_t ms, char buf[CLOCK_TEXT])
{
	int64_t days, rest, z, era, doe, yoe, doy, mp, y;
	int d, m;

	if (ms < CLOCK_FIRST || ms > CLOCK_LAST)
		ms = ms < 0 ? CLOCK_FIRST : CLOCK_LAST;
	days = ms >= 0 ? ms / DAY_MS : -((-ms + DAY_MS - 1) / DAY_MS);
	rest = ms - days * DAY_MS;
	z = days + 719468;
	era = (z >= 0 ? z : z - 146096) / 146097;
	doe = z - era * 146097;
	yoe = (doe - doe / 1460 + doe / 36524 - doe / 146096) / 365;
	doy = doe - (365 * yoe + yoe / 4 - yoe / 100);
	mp = (5 * doy + 2) / 153;
	d = (int)(doy - (153 * mp + 2) / 5 + 1);
	m = (int)(mp < 10 ? mp + 3 : mp - 9);
	y = yoe + era * 400 + (m <= 2);
	snprintf(buf, CLOCK_TEXT, "%04d-%02d-%02dT%02d:%02d:%02d.%03dZ", (int)y, m, d, (int)(rest / HOUR_MS),
		 (int)(rest / MINUTE_MS % 60), (int)(rest / SECOND_MS % 60), (int)(rest % 1000));
	return buf;
}

static bool digits(const char **p, int n, int *ret)
{
	int v = 0;

	for (int i = 0; i < n; i++) {
		if ((*p)[i] < '0' || (*p)[i] > '9')
			return false;
		v = v * 10 + ((*p)[i] - '0');
	}
	*p += n;
	*ret = v;
	return true;
}

static bool lit(const char **p, char c)
{
	if (**p != c)
		return false;
	++*p;
	return true;
}

static bool date_ok(int y, int m, int d, int h, int mi, int s)
{
	static const int len[] = { 31, 29, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31 };
	bool leap = (y % 4 == 0 && y % 100 != 0) || y % 400 == 0;

	if (m < 1 || m > 12 || d < 1 || d > len[m - 1] || (m == 2 && d == 29 && !leap))
		return false;
	return h <= 23 && mi <= 59 && s <= 60;
}

static bool parse_offset(const char **p, int64_t *ret_ms)
{
	int sign, h, m;

	if (**p == 'Z' || **p == 'z') {
		++*p;
		*ret_ms = 0;
		return true;
	}
	if (**p != '+' && **p != '-')
		return false;
	sign = **p == '-' ? -1 : 1;
	++*p;
	if (!digits(p, 2, &h) || !lit(p, ':') || !digits(p, 2, &m) || h > 23 || m > 59)
		return false;
	*ret_ms = sign * (h * HOUR_MS + m * MINUTE_MS);
	return true;
}

int clock_parse(const char *s, int64_t *ret_ms, struct err *err)
{
	const char *p = s;
	int y, m, d, h, mi, sec;
	int64_t frac = 0, offset, ms;

	if (!digits(&p, 4, &y) || !lit(&p, '-') || !digits(&p, 2, &m) || !lit(&p, '-') || !digits(&p, 2, &d) ||
	    !(lit(&p, 'T') || lit(&p, 't') || lit(&p, ' ')) || !digits(&p, 2, &h) || !lit(&p, ':') || !digits(&p, 2, &mi) ||
	    !lit(&p, ':') || !digits(&p, 2, &sec) || !date_ok(y, m, d, h, mi, sec))
		goto bad;
	if (lit(&p, '.')) {
		int scale = 100, n = 0;

		for (; *p >= '0' && *p <= '9'; p++, n++, scale /= 10)
			frac += (*p - '0') * scale;
		if (!n)
			goto bad;
	}
	if (!parse_offset(&p, &offset) || *p)
		goto bad;
	ms = clock_civil(y, m, d, h, mi, sec) + frac - offset;
	if (ms < CLOCK_FIRST || ms > CLOCK_LAST)
		goto bad;
	*ret_ms = ms;
	return 0;
bad:
	return err_set(err, ERR_INVALID, "not an RFC 3339 time: '%.40s'", s);
}

static bool month_name(const char **p, int *ret)
{
	static const char names[] = "JanFebMarAprMayJunJulAugSepOctNovDec";

	for (int i = 0; i < 12; i++)
		if (!strncmp(*p, names + (size_t)i * 3, 3)) {
			*p += 3;
			*ret = i + 1;
			return true;
		}
	return false;
}

static bool hms(const char **p, int *h, int *m, int *s)
{
	return digits(p, 2, h) && lit(p, ':') && digits(p, 2, m) && lit(p, ':') && digits(p, 2, s);
}

/* "Sun, 06 Nov 1994 08:49:37 GMT" and "Sunday, 06-Nov-94 08:49:37 GMT" */
static bool parse_comma_date(const char *p, int now_year, int v[6])
{
	bool rfc850;

	p = strchr(p, ',');
	if (!p || p[1] != ' ')
		return false;
	p += 2;
	if (!digits(&p, 2, &v[2]))
		return false;
	rfc850 = *p == '-';
	if (!lit(&p, rfc850 ? '-' : ' ') || !month_name(&p, &v[1]) || !lit(&p, rfc850 ? '-' : ' '))
		return false;
	if (rfc850) {
		if (!digits(&p, 2, &v[0]))
			return false;
		v[0] += now_year / 100 * 100;
		if (v[0] > now_year + 50)
			v[0] -= 100;
	} else if (!digits(&p, 4, &v[0])) {
		return false;
	}
	return lit(&p, ' ') && hms(&p, &v[3], &v[4], &v[5]) && streq(p, " GMT");
}

/* "Sun Nov  6 08:49:37 1994" */
static bool parse_asctime(const char *p, int v[6])
{
	if (strlen(p) != 24)
		return false;
	p += 4;
	if (!month_name(&p, &v[1]) || !lit(&p, ' '))
		return false;
	if (*p == ' ') {
		p++;
		if (!digits(&p, 1, &v[2]))
			return false;
	} else if (!digits(&p, 2, &v[2])) {
		return false;
	}
	return lit(&p, ' ') && hms(&p, &v[3], &v[4], &v[5]) && lit(&p, ' ') && digits(&p, 4, &v[0]) && !*p;
}

int clock_parse_http(const char *s, int64_t now_ms, int64_t *ret_ms, struct err *err)
{
	int v[6] = { 0 };
	char now[CLOCK_TEXT];
	const char *y = clock_format(now_ms, now);
	int now_year = 0;

	digits(&y, 4, &now_year);
	if (!(strchr(s, ',') ? parse_comma_date(s, now_year, v) : parse_asctime(s, v)) ||
	    !date_ok(v[0], v[1], v[2], v[3], v[4], v[5]))
		return err_set(err, ERR_INVALID, "not an HTTP date: '%.40s'", s);
	*ret_ms = clock_civil(v[0], v[1], v[2], v[3], v[4], v[5]);
	return 0;
}

int64_t clock_add(int64_t a_ms, int64_t b_ms)
{
	int64_t sum;

	if (__builtin_add_overflow(a_ms, b_ms, &sum))
		return b_ms > 0 ? INT64_MAX : INT64_MIN;
	return sum;
}
