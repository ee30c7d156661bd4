/* SPDX-License-Identifier: Apache-2.0 */
/* refusals.c - see refusals.h. */
#include "service/refusals.h"

#include "base/clock.h"
#include "base/str.h"

#include <pthread.h>
#include <stdio.h>

struct refusals {
	pthread_mutex_t lock;
	int64_t minute_ms; /* begin of the one that REFUSALS_ALONE_ALL counts */
	int64_t alone;
	size_t n;
	struct entry {
		struct refusal_sum sum; /* until_ms: the last one */
		int64_t alone;
	} v[REFUSALS_SOURCES + 8]; /* the last few for the sources that are one, by action */
};

struct refusals *refusals_new(void)
{
	struct refusals *r = xcalloc(1, sizeof *r);

	pthread_mutex_init(&r->lock, NULL);
	return r;
}

void refusals_free(struct refusals *r)
{
	if (!r)
		return;
	pthread_mutex_destroy(&r->lock);
	free(r);
}

static bool over(const struct entry *e, int64_t now_ms)
{
	return now_ms >= e->sum.since_ms + MINUTE_MS || now_ms < e->sum.since_ms; /* the clock was set */
}

/* The entry of this source; an old one with nothing to tell gives its place. NULL: all places are taken. */
static struct entry *entry_of(struct refusals *r, const char *action, const char *source, int64_t now_ms)
{
	struct entry *place = NULL;

	for (size_t i = 0; i < r->n; i++) {
		struct entry *e = &r->v[i];

		if (streq(e->sum.action, action) && streq(e->sum.source, source)) {
			if (over(e, now_ms) && !e->sum.count) {
				e->alone = 0;
				e->sum.since_ms = now_ms;
			}
			return e;
		}
		if (!place && !e->sum.count && over(e, now_ms))
			place = e;
	}
	if (!place && r->n < (*source ? (size_t)REFUSALS_SOURCES : ARRAY_SIZE(r->v)))
		place = &r->v[r->n++];
	if (!place)
		return NULL;
	*place = (struct entry){ .sum.since_ms = now_ms };
	snprintf(place->sum.action, sizeof place->sum.action, "%s", action);
	snprintf(place->sum.source, sizeof place->sum.source, "%s", source);
	return place;
}

bool refusals_note(struct refusals *r, const char *action, const char *source, bool alone, int64_t now_ms)
{
	struct entry *e;
	bool told = false;

	pthread_mutex_lock(&r->lock);
	if (now_ms >= r->minute_ms + MINUTE_MS || now_ms < r->minute_ms) {
		r->minute_ms = now_ms;
		r->alone = 0;
	}
	e = entry_of(r, action, source, now_ms);
	if (!e)
		e = entry_of(r, action, "", now_ms);
	if (e && alone && *e->sum.source && !e->sum.count && e->alone < REFUSALS_ALONE && r->alone < REFUSALS_ALONE_ALL) {
		e->alone++;
		r->alone++;
		told = true;
	} else if (e) {
		e->sum.count++;
		e->sum.until_ms = now_ms;
	}
	pthread_mutex_unlock(&r->lock);
	return told;
}

bool refusals_take(struct refusals *r, bool all, int64_t now_ms, struct refusal_sum *ret)
{
	bool found = false;

	pthread_mutex_lock(&r->lock);
	for (size_t i = 0; i < r->n && !found; i++) {
		struct entry *e = &r->v[i];

		if (!e->sum.count || (!all && !over(e, now_ms)))
			continue;
		*ret = e->sum;
		e->sum.count = e->alone = 0;
		e->sum.since_ms = now_ms;
		found = true;
	}
	pthread_mutex_unlock(&r->lock);
	return found;
}
