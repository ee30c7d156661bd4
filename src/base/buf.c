/* SPDX-License-Identifier: Apache-2.0 */
/* buf.c - see buf.h. */
#include "base/buf.h"

#include <stdio.h>

static bool reserve(struct buf *b, size_t n)
{
	size_t want;

	if (b->failed || n > b->max || b->n > b->max - n) {
		b->failed = true;
		return false;
	}
	want = b->n + n + 1;
	if (want > b->cap) {
		size_t cap = b->cap ? b->cap * 2 : 64;
		char *p;

		if (cap < want)
			cap = want;
		p = xmalloc(cap); /* not realloc: a buffer may hold a secret, and the old copy is wiped */
		if (b->p) {
			memcpy(p, b->p, b->n + 1);
			explicit_bzero(b->p, b->cap);
			free(b->p);
		}
		b->p = p;
		b->cap = cap;
	}
	return true;
}

void buf_add(struct buf *b, const void *p, size_t n)
{
	if (!reserve(b, n))
		return;
	if (n)
		memcpy(b->p + b->n, p, n);
	b->n += n;
	b->p[b->n] = '\0';
}

void buf_add_str(struct buf *b, const char *s)
{
	buf_add(b, s, strlen(s));
}

void buf_add_char(struct buf *b, char c)
{
	buf_add(b, &c, 1);
}

void buf_addf(struct buf *b, const char *fmt, ...)
{
	char small[256];
	va_list ap;
	int n;

	va_start(ap, fmt);
	n = vsnprintf(small, sizeof small, fmt, ap);
	va_end(ap);
	assert(n >= 0);
	if ((size_t)n < sizeof small) {
		buf_add(b, small, (size_t)n);
	} else if (reserve(b, (size_t)n)) {
		va_start(ap, fmt);
		vsnprintf(b->p + b->n, (size_t)n + 1, fmt, ap);
		va_end(ap);
		b->n += (size_t)n;
	}
	explicit_bzero(small, sizeof small);
}

void buf_add_json(struct buf *b, const char *s, size_t n)
{
	size_t start = 0;

	buf_add_char(b, '"');
	for (size_t i = 0; i < n; i++) {
		unsigned char c = (unsigned char)s[i];
		size_t len = 1;

		if (c >= 0x20 && c < 0x7f && c != '"' && c != '\\')
			continue;
		if (c >= 0x80) {
			for (len = 4; len > 1; len--)
				if (i + len <= n && utf8_valid(s + i, len))
					break;
			if (len > 1) {
				i += len - 1;
				continue;
			}
		}
		buf_add(b, s + start, i - start);
		if (c == '"' || c == '\\')
			buf_addf(b, "\\%c", c);
		else if (c == '\n')
			buf_add_str(b, "\\n");
		else if (c < 0x20 || c == 0x7f)
			buf_addf(b, "\\u%04x", c);
		else
			buf_add_str(b, "\\ufffd");
		start = i + 1;
	}
	buf_add(b, s + start, n - start);
	buf_add_char(b, '"');
}

void buf_add_csv(struct buf *b, const char *s)
{
	buf_add_char(b, '"');
	if (s && *s && strchr("=+-@\t\r\n", *s))
		buf_add_char(b, '\'');
	for (; s && *s; s++) {
		if (*s == '"')
			buf_add_char(b, '"');
		buf_add_char(b, *s);
	}
	buf_add_char(b, '"');
}

void buf_add_hex(struct buf *b, const void *p, size_t n)
{
	const unsigned char *u = p;

	for (size_t i = 0; i < n; i++)
		buf_addf(b, "%02x", u[i]);
}

void buf_reset(struct buf *b)
{
	b->n = 0;
	b->failed = false;
	if (b->p)
		b->p[0] = '\0';
}

int buf_check(const struct buf *b, struct err *err)
{
	if (b->failed)
		return err_set(err, ERR_TOO_LARGE, "more than %zu bytes", b->max);
	return 0;
}

char *buf_take(struct buf *b)
{
	char *p = b->p ? b->p : xstrdup("");

	*b = (struct buf){ .max = b->max };
	return p;
}

void buf_done(struct buf *b)
{
	free(b->p);
	*b = (struct buf){ .max = b->max };
}

void buf_done_wipe(struct buf *b)
{
	if (b->p)
		explicit_bzero(b->p, b->cap);
	buf_done(b);
}
