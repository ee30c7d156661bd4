/* SPDX-License-Identifier: Apache-2.0 */
/* cache.c - see cache.h. */
#include "keys/cache.h"

#include "base/clock.h"

#include <pthread.h>

struct cache {
	pthread_mutex_t lock;
	struct opened *v[CACHE_KEYS]; /* each slot holds a reference */
};

struct cache *cache_new(void)
{
	struct cache *c = xcalloc(1, sizeof *c);

	pthread_mutex_init(&c->lock, NULL);
	return c;
}

void opened_free(struct opened *o)
{
	if (!o)
		return;
	pkey_done(&o->key);
	free(o->origin);
	free(o->jwk);
	explicit_bzero(o, sizeof *o);
	free(o);
}

static void unref_locked(struct opened *o)
{
	if (o && !--o->refs)
		opened_free(o);
}

void cache_free(struct cache *c)
{
	if (!c)
		return;
	for (size_t i = 0; i < CACHE_KEYS; i++)
		unref_locked(c->v[i]);
	pthread_mutex_destroy(&c->lock);
	free(c);
}

/* Also drops what nobody has used for a while. */
static struct opened *find_locked(struct cache *c, const unsigned char id[SHA256_LEN], int64_t now_ms)
{
	struct opened *found = NULL;

	for (size_t i = 0; i < CACHE_KEYS; i++) {
		struct opened *o = c->v[i];

		if (!o)
			continue;
		if (!memcmp(o->id, id, SHA256_LEN)) {
			found = o;
		} else if (now_ms - o->used_ms > CACHE_IDLE_MS) {
			c->v[i] = NULL;
			unref_locked(o);
		}
	}
	return found;
}

struct opened *cache_get(struct cache *c, const unsigned char id[SHA256_LEN])
{
	int64_t now_ms = clock_boot(&clock_system);
	struct opened *o;

	pthread_mutex_lock(&c->lock);
	o = find_locked(c, id, now_ms);
	if (o) {
		o->refs++;
		o->used_ms = now_ms;
	}
	pthread_mutex_unlock(&c->lock);
	return o;
}

struct opened *cache_put(struct cache *c, struct opened *o)
{
	struct opened *there;
	size_t slot = 0;

	o->used_ms = clock_boot(&clock_system);
	pthread_mutex_lock(&c->lock);
	there = find_locked(c, o->id, o->used_ms);
	if (there) {
		there->refs++;
		pthread_mutex_unlock(&c->lock);
		opened_free(o);
		return there;
	}
	for (size_t i = 0; i < CACHE_KEYS; i++) { /* a free slot, else the least recently used */
		if (!c->v[i]) {
			slot = i;
			break;
		}
		if (c->v[i]->used_ms < c->v[slot]->used_ms)
			slot = i;
	}
	unref_locked(c->v[slot]);
	c->v[slot] = o;
	o->refs = 2; /* the slot's and the caller's */
	pthread_mutex_unlock(&c->lock);
	return o;
}

void cache_unref(struct cache *c, struct opened *o)
{
	if (!o)
		return;
	pthread_mutex_lock(&c->lock);
	unref_locked(o);
	pthread_mutex_unlock(&c->lock);
}
