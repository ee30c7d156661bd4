/* SPDX-License-Identifier: Apache-2.0 */
/* throttle.c - see throttle.h. */
#include "service/throttle.h"

#include "base/random.h"
#include "crypto/digest.h"

#include <pthread.h>

struct bucket {
	unsigned char name[SHA256_LEN];
	int64_t full_at_ms; /* when all tokens are back: 0 = unused */
};

struct throttle {
	pthread_mutex_t lock;
	unsigned burst;
	int64_t refill_ms;
	unsigned char salt[SHA256_LEN]; /* nobody can choose names that push another's bucket out */
	struct bucket *v;
	size_t n;
};

struct throttle *throttle_new(unsigned burst, int64_t refill_ms, size_t buckets_max)
{
	struct throttle *t = xcalloc(1, sizeof *t);

	pthread_mutex_init(&t->lock, NULL);
	t->burst = burst;
	t->refill_ms = refill_ms;
	t->n = buckets_max;
	random_bytes(t->salt, sizeof t->salt);
	t->v = xcalloc(t->n, sizeof *t->v);
	return t;
}

void throttle_free(struct throttle *t)
{
	if (!t)
		return;
	pthread_mutex_destroy(&t->lock);
	free(t->v);
	free(t);
}

/* Sets of eight: a name lives in one of the eight places its hash points to. */
static struct bucket *find(struct throttle *t, const char *name, bool make)
{
	unsigned char h[SHA256_LEN];
	struct bucket *set, *oldest = NULL;
	uint64_t at;

	hmac_sha256(t->salt, sizeof t->salt, name, strlen(name), h);
	memcpy(&at, h, sizeof at);
	set = t->v + at % (t->n / 8) * 8;
	for (size_t i = 0; i < 8; i++)
		if (set[i].full_at_ms && !memcmp(set[i].name, h, sizeof h))
			return &set[i];
		else if (!oldest || set[i].full_at_ms < oldest->full_at_ms)
			oldest = &set[i];
	if (!make)
		return NULL;
	memcpy(oldest->name, h, sizeof h);
	oldest->full_at_ms = 0;
	return oldest;
}

int64_t throttle_check(struct throttle *t, const char *name, int64_t now_ms)
{
	const struct bucket *b;
	int64_t may_at;

	pthread_mutex_lock(&t->lock);
	b = find(t, name, false);
	may_at = b ? b->full_at_ms - (int64_t)(t->burst - 1) * t->refill_ms : 0; /* then one token is there */
	pthread_mutex_unlock(&t->lock);
	return may_at > now_ms ? may_at : 0;
}

void throttle_failed(struct throttle *t, const char *name, int64_t now_ms)
{
	struct bucket *b;

	pthread_mutex_lock(&t->lock);
	b = find(t, name, true);
	b->full_at_ms = MAX(b->full_at_ms, now_ms) + t->refill_ms;
	pthread_mutex_unlock(&t->lock);
}

void throttle_forgive(struct throttle *t, const char *name)
{
	struct bucket *b;

	pthread_mutex_lock(&t->lock);
	b = find(t, name, false);
	if (b)
		b->full_at_ms = 0;
	pthread_mutex_unlock(&t->lock);
}
