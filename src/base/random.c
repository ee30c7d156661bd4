/* SPDX-License-Identifier: Apache-2.0 */
/* random.c - see random.h. */
#include "base/random.h"

#include <errno.h>
#include <sys/random.h>

void random_bytes(void *p, size_t n)
{
	unsigned char *u = p;

	while (n) {
		ssize_t got = getrandom(u, n, 0);

		if (got < 0 && errno == EINTR)
			continue;
		if (got <= 0)
			abort();
		u += got;
		n -= (size_t)got;
	}
}

uint64_t random_u64(void)
{
	uint64_t v;

	random_bytes(&v, sizeof v);
	return v;
}

uint64_t random_below(uint64_t limit)
{
	uint64_t min = -limit % limit, v;

	assert(limit > 0);
	do
		v = random_u64();
	while (v < min);
	return v % limit;
}

int64_t random_jitter(int64_t value, unsigned percent)
{
	int64_t span;

	if (value <= 0 || !percent)
		return value < 0 ? 0 : value;
	span = value / 100 * percent + value % 100 * percent / 100;
	return value - span + (int64_t)random_below((uint64_t)span * 2 + 1);
}
