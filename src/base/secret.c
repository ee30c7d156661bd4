/* SPDX-License-Identifier: Apache-2.0 */
/* secret.c - see secret.h. */
#include "base/secret.h"

#include "base/str.h"

struct secret secret_copy(const void *p, size_t n)
{
	struct secret s = { .p = xmalloc(n + 1), .n = n };

	if (n)
		memcpy(s.p, p, n);
	s.p[n] = '\0';
	return s;
}

struct secret secret_from(const char *s)
{
	return secret_copy(s, strlen(s));
}

bool secret_eq(const struct secret *a, const struct secret *b)
{
	return a->n == b->n && mem_eq_secret(a->p, b->p, a->n);
}

void secret_clear(struct secret *s)
{
	if (s->p)
		explicit_bzero(s->p, s->n);
	free(s->p);
	*s = (struct secret){ 0 };
}
