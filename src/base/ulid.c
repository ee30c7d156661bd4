/* SPDX-License-Identifier: Apache-2.0 */
/* ulid.c - 48 bits of milliseconds, 80 random bits that count up within one millisecond. */
#include "base/ulid.h"

#include "base/random.h"

#include <pthread.h>

static const char alphabet[] = "0123456789ABCDEFGHJKMNPQRSTVWXYZ";

static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
static int64_t last_ms;
static uint64_t last_low;
static uint16_t last_high;

static void next(int64_t *ms, uint16_t *high, uint64_t *low)
{
	pthread_mutex_lock(&lock);
	if (*ms > last_ms) {
		last_ms = *ms;
		last_low = random_u64();
		last_high = (uint16_t)(random_u64() & 0x7fff); /* room to count */
	} else if (++last_low == 0) {
		last_high++;
	}
	*ms = last_ms;
	*high = last_high;
	*low = last_low;
	pthread_mutex_unlock(&lock);
}

struct ulid ulid_new(int64_t now_ms)
{
	struct ulid id;
	unsigned char b[16];
	uint16_t high;
	uint64_t low;

	next(&now_ms, &high, &low);
	for (int i = 0; i < 6; i++)
		b[i] = (unsigned char)((uint64_t)now_ms >> (40 - 8 * i));
	b[6] = (unsigned char)(high >> 8);
	b[7] = (unsigned char)high;
	for (int i = 0; i < 8; i++)
		b[8 + i] = (unsigned char)(low >> (56 - 8 * i));
	for (int i = 0; i < ULID_LEN; i++) { /* 130 bits: two leading zero bits, then 128 */
		int bit = i * 5 - 2;
		unsigned v = 0;

		for (int k = 0; k < 5; k++, bit++)
			v = v << 1 | (bit < 0 ? 0u : b[bit / 8] >> (7 - bit % 8) & 1u);
		id.s[i] = alphabet[v];
	}
	id.s[ULID_LEN] = '\0';
	return id;
}

bool ulid_valid(const char *s)
{
	size_t n = strlen(s);

	if (n != ULID_LEN || s[0] > '7')
		return false;
	for (size_t i = 0; i < n; i++)
		if (!strchr(alphabet, s[i]))
			return false;
	return true;
}
