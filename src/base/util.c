/* SPDX-License-Identifier: Apache-2.0 */
/* util.c - allocation that ends the process instead of failing. */
#include "base/util.h"

#include <stdarg.h>
#include <stdio.h>
#include <unistd.h>

static void out_of_memory(void)
{
	static const char text[] = "certwright: out of memory, stopping\n";

	if (write(2, text, sizeof text - 1) < 0)
		_exit(71);
	abort();
}

void *xmalloc(size_t n)
{
	void *p = malloc(n ? n : 1);

	if (!p)
		out_of_memory();
	return p;
}

void *xcalloc(size_t n, size_t size)
{
	void *p = calloc(n ? n : 1, size ? size : 1);

	if (!p)
		out_of_memory();
	return p;
}

void *xrealloc(void *p, size_t n)
{
	void *q = realloc(p, n ? n : 1);

	if (!q)
		out_of_memory();
	return q;
}

char *xstrndup(const char *s, size_t n)
{
	char *p = xmalloc(n + 1);

	memcpy(p, s, n);
	p[n] = '\0';
	return p;
}

char *xstrdup(const char *s)
{
	return xstrndup(s, strlen(s));
}

char *xstrdup_null(const char *s)
{
	return s ? xstrdup(s) : NULL;
}

void *xmemdup(const void *p, size_t n)
{
	void *q = xmalloc(n);

	if (n)
		memcpy(q, p, n);
	return q;
}

char *xasprintf(const char *fmt, ...)
{
	char *s = NULL;
	va_list ap;
	int n;

	va_start(ap, fmt);
	n = vasprintf(&s, fmt, ap);
	va_end(ap);
	if (n < 0)
		out_of_memory();
	return s;
}

void close_p(int *fd)
{
	if (*fd >= 0)
		close(*fd);
}

void replace_str(char **p, const char *s)
{
	char *copy = xstrdup_null(s);

	free(*p);
	*p = copy;
}
