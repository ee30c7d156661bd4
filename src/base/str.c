/* SPDX-License-Identifier: Apache-2.0 */
/* str.c - see str.h. */
#include "base/str.h"

#include <stdio.h>

static unsigned char lower(unsigned char c)
{
	return c >= 'A' && c <= 'Z' ? (unsigned char)(c + 32) : c;
}

static bool case_eq_n(const char *a, const char *b, size_t n)
{
	for (size_t i = 0; i < n; i++)
		if (lower((unsigned char)a[i]) != lower((unsigned char)b[i]))
			return false;
	return true;
}

bool str_case_eq(const char *a, const char *b)
{
	size_t n = strlen(a);

	return n == strlen(b) && case_eq_n(a, b, n);
}

bool str_is(struct str a, const char *b)
{
	return a.n == strlen(b) && !memcmp(a.p, b, a.n);
}

bool str_case_is(struct str a, const char *b)
{
	return a.n == strlen(b) && case_eq_n(a.p, b, a.n);
}

bool str_starts(const char *s, const char *prefix)
{
	return !strncmp(s, prefix, strlen(prefix));
}

bool str_ends(const char *s, const char *suffix)
{
	size_t n = strlen(s), m = strlen(suffix);

	return n >= m && !memcmp(s + n - m, suffix, m);
}

int str_to_i64(const char *s, int64_t min, int64_t max, int64_t *ret, struct err *err)
{
	const char *p = s;
	bool negative = *p == '-';
	int64_t v = 0;

	if (negative)
		p++;
	if (!*p)
		return err_set(err, ERR_INVALID, "not a number: '%.40s'", s);
	for (; *p; p++) {
		if (*p < '0' || *p > '9')
			return err_set(err, ERR_INVALID, "not a number: '%.40s'", s);
		if (__builtin_mul_overflow(v, 10, &v) || __builtin_sub_overflow(v, *p - '0', &v))
			return err_set(err, ERR_INVALID, "number too large: '%.40s'", s);
	}
	if (!negative && __builtin_sub_overflow((int64_t)0, v, &v))
		return err_set(err, ERR_INVALID, "number too large: '%.40s'", s);
	if (v < min || v > max)
		return err_set(err, ERR_INVALID, "must be from %" PRId64 " to %" PRId64 ", is %" PRId64, min, max, v);
	*ret = v;
	return 0;
}

bool str_is_base64url(const char *s, size_t n)
{
	for (size_t i = 0; i < n; i++) {
		unsigned char c = (unsigned char)s[i];

		if (!((c >= 'A' && c <= 'Z') || (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || c == '-' || c == '_'))
			return false;
	}
	return true;
}

void str_lower(char *s)
{
	for (; *s; s++)
		*s = (char)lower((unsigned char)*s);
}

/* Length of the valid UTF-8 sequence at s (1..4), 0 when invalid. */
static size_t utf8_len(const unsigned char *s, size_t n, uint32_t *ret_cp)
{
	uint32_t cp;
	size_t len;

	if (s[0] < 0x80) {
		*ret_cp = s[0];
		return 1;
	}
	if (s[0] >= 0xc2 && s[0] <= 0xdf) {
		len = 2;
		cp = s[0] & 0x1fu;
	} else if (s[0] >= 0xe0 && s[0] <= 0xef) {
		len = 3;
		cp = s[0] & 0x0fu;
	} else if (s[0] >= 0xf0 && s[0] <= 0xf4) {
		len = 4;
		cp = s[0] & 0x07u;
	} else {
		return 0;
	}
	if (len > n)
		return 0;
	for (size_t i = 1; i < len; i++) {
		if ((s[i] & 0xc0) != 0x80)
			return 0;
		cp = cp << 6 | (s[i] & 0x3fu);
	}
	if ((len == 3 && cp < 0x800) || (len == 4 && (cp < 0x10000 || cp > 0x10ffff)) || (cp >= 0xd800 && cp <= 0xdfff))
		return 0;
	*ret_cp = cp;
	return len;
}

bool utf8_valid(const char *s, size_t n)
{
	uint32_t cp;

	for (size_t i = 0; i < n;) {
		size_t len = utf8_len((const unsigned char *)s + i, n - i, &cp);

		if (!len)
			return false;
		i += len;
	}
	return true;
}

static bool cp_is_dangerous(uint32_t cp)
{
	return cp < 0x20 || (cp >= 0x7f && cp < 0xa0) || cp == 0x2028 || cp == 0x2029 || (cp >= 0x202a && cp <= 0x202e) ||
	       (cp >= 0x2066 && cp <= 0x2069) || cp == 0x200e || cp == 0x200f || cp == 0x061c || cp == 0xfeff;
}

char *str_clean(const char *s, size_t n, size_t max)
{
	char *out = xmalloc(max + 1);
	size_t o = 0;

	for (size_t i = 0; i < n;) {
		uint32_t cp = 0;
		size_t len = utf8_len((const unsigned char *)s + i, n - i, &cp);
		bool bad = !len || cp_is_dangerous(cp);
		size_t need = bad ? 1 : len;

		if (o + need > max)
			break;
		if (bad)
			out[o] = cp == '\n' || cp == '\r' || cp == '\t' ? ' ' : '?';
		else
			memcpy(out + o, s + i, len);
		o += need;
		i += len ? len : 1;
	}
	out[o] = '\0';
	return out;
}

bool mem_eq_secret(const void *a, const void *b, size_t n)
{
	const volatile unsigned char *x = a, *y = b;
	unsigned char diff = 0;

	for (size_t i = 0; i < n; i++)
		diff = (unsigned char)(diff | (x[i] ^ y[i]));
	return diff == 0;
}

void strlist_addn(struct strlist *l, const char *s, size_t n)
{
	if (l->n == l->cap) {
		l->cap = l->cap ? l->cap * 2 : 8;
		l->v = xrealloc(l->v, l->cap * sizeof *l->v);
	}
	l->v[l->n++] = xstrndup(s, n);
}

void strlist_add(struct strlist *l, const char *s)
{
	strlist_addn(l, s, strlen(s));
}

bool strlist_has(const struct strlist *l, const char *s)
{
	for (size_t i = 0; i < l->n; i++)
		if (streq(l->v[i], s))
			return true;
	return false;
}

static int by_text(const void *a, const void *b)
{
	return strcmp(*(char *const *)a, *(char *const *)b);
}

void strlist_sort_unique(struct strlist *l)
{
	size_t o = 0;

	if (l->n < 2)
		return;
	qsort(l->v, l->n, sizeof *l->v, by_text);
	for (size_t i = 1; i < l->n; i++) {
		if (streq(l->v[o], l->v[i]))
			free(l->v[i]);
		else
			l->v[++o] = l->v[i];
	}
	l->n = o + 1;
}

void strlist_copy(struct strlist *to, const struct strlist *from)
{
	for (size_t i = 0; i < from->n; i++)
		strlist_add(to, from->v[i]);
}

void strlist_split(struct strlist *l, const char *s, char sep)
{
	while (*s) {
		const char *end = strchr(s, sep);
		size_t n = end ? (size_t)(end - s) : strlen(s);

		if (n)
			strlist_addn(l, s, n);
		s += n + (end ? 1 : 0);
	}
}

char *strlist_join(const struct strlist *l, const char *sep)
{
	size_t total = 1, sep_n = strlen(sep);
	char *out, *p;

	for (size_t i = 0; i < l->n; i++)
		total += strlen(l->v[i]) + sep_n;
	p = out = xmalloc(total);
	for (size_t i = 0; i < l->n; i++) {
		size_t n = strlen(l->v[i]);

		if (i) {
			memcpy(p, sep, sep_n);
			p += sep_n;
		}
		memcpy(p, l->v[i], n);
		p += n;
	}
	*p = '\0';
	return out;
}

bool strlist_equal(const struct strlist *a, const struct strlist *b)
{
	if (a->n != b->n)
		return false;
	for (size_t i = 0; i < a->n; i++)
		if (!streq(a->v[i], b->v[i]))
			return false;
	return true;
}

void strlist_clear(struct strlist *l)
{
	for (size_t i = 0; i < l->n; i++)
		free(l->v[i]);
	free(l->v);
	memset(l, 0, sizeof *l);
}
