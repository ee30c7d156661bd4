/* SPDX-License-Identifier: Apache-2.0 */
/* limit.c - see limit.h. */
#include "edge/limit.h"

#include "base/random.h"

#include <arpa/inet.h>

#define WAYS 4
#define SETS 4096 /* 16,384 prefixes at once: 256 KiB, touched only as needed */
#define BURST_MS 2500 /* a full bucket holds this much of the rate */

struct bucket {
	uint32_t tag;
	uint32_t seen_ms;
	uint32_t left; /* thousandths of an answer */
};

struct limit {
	uint64_t seed;
	uint32_t per_second;
	struct bucket buckets[SETS][WAYS];
};

struct limit *limit_new(unsigned per_second)
{
	struct limit *l;

	if (!per_second)
		return NULL;
	l = xcalloc(1, sizeof *l);
	l->per_second = MIN(per_second, 1000000u);
	l->seed = random_u64();
	return l;
}

void limit_free(struct limit *l)
{
	free(l);
}

uint64_t limit_prefix(const union addr *a)
{
	uint64_t v = 0;

	if (a->sa.sa_family == AF_INET)
		return ntohl(a->in.sin_addr.s_addr) >> 8;
	if (IN6_IS_ADDR_V4MAPPED(&a->in6.sin6_addr)) {
		for (size_t i = 12; i < 15; i++)
			v = v << 8 | a->in6.sin6_addr.s6_addr[i];
		return v;
	}
	for (size_t i = 0; i < 7; i++)
		v = v << 8 | a->in6.sin6_addr.s6_addr[i];
	return v | UINT64_C(1) << 63;
}

bool limit_ok(struct limit *l, uint64_t prefix, unsigned kind, int64_t now_ms)
{
	uint64_t h = (prefix ^ l->seed) * 0x9e3779b97f4a7c15u + kind;
	uint32_t now = (uint32_t)now_ms, tag, full = (uint32_t)MIN((uint64_t)l->per_second * BURST_MS, UINT32_MAX);
	struct bucket *set, *b = NULL;
	uint64_t left;

	h ^= h >> 29;
	h *= 0xbf58476d1ce4e5b9u;
	h ^= h >> 32;
	set = l->buckets[h % SETS];
	tag = (uint32_t)(h >> 32) | 1;
	for (unsigned i = 0; i < WAYS; i++) {
		if (set[i].tag == tag) {
			b = &set[i];
			break;
		}
		if (!b || now - set[i].seen_ms > now - b->seen_ms)
			b = &set[i];
	}
	if (b->tag != tag) {
		*b = (struct bucket){ .tag = tag, .seen_ms = now, .left = full };
	} else {
		left = b->left + (uint64_t)(now - b->seen_ms) * l->per_second;
		b->left = (uint32_t)MIN(left, full);
		b->seen_ms = now;
	}
	if (b->left < 1000)
		return false;
	b->left -= 1000;
	return true;
}
