/* SPDX-License-Identifier: Apache-2.0 */
/*
 * lane.c - what may hang or refuse as a whole: names of lanes, how much runs in each here, and the buckets that keep us below
 * the vendors' published limits. The rows of the store say what is parked; here is only what this process does.
 */
#include "engine/private.h"

#include "model/vendor.h"

char *lane_vendor(const char *directory_url)
{
	return xasprintf(LANE_VENDOR "%s", directory_url);
}

int64_t lane_cap(const char *name)
{
	if (streq(name, LANE_PROPAGATION))
		return 4;
	if (str_starts(name, LANE_DNS) || str_starts(name, LANE_PROVIDER_TEST))
		return 1; /* read, merge, write: nobody else in between */
	return LIMIT_WORKERS / 2;
}

struct lane_slot *lane_slot(struct engine *e, const char *name)
{
	struct lanes *l = &e->lanes;

	for (size_t i = 0; i < l->n; i++)
		if (streq(l->v[i].name, name))
			return &l->v[i];
	if (l->n == l->cap) {
		l->cap = l->cap ? 2 * l->cap : 16;
		l->v = xrealloc(l->v, l->cap * sizeof *l->v);
	}
	l->v[l->n] = (struct lane_slot){ .name = xstrdup(name), .cap = lane_cap(name) };
	return &l->v[l->n++];
}

int64_t lane_room(struct engine *e, const char *name, int64_t cap)
{
	struct lane_slot *s = lane_slot(e, name);
	int64_t half = MAX(e->n_workers / 2, 1);

	s->cap = cap > 0 ? cap : s->cap;
	return MAX(MIN(s->cap, half) - (int64_t)s->running, 0);
}

int64_t parked_until(struct engine *e, const char *name)
{
	int64_t now = engine_now(e), until = 0;

	pthread_mutex_lock(&e->lock);
	for (size_t i = 0; i < e->n_parks; i++)
		if (streq(e->parks[i].name, name) && e->parks[i].until_ms > now)
			until = e->parks[i].until_ms;
	pthread_mutex_unlock(&e->lock);
	return until;
}

bool parked_any(struct engine *e)
{
	bool any;

	pthread_mutex_lock(&e->lock);
	any = e->n_parks > 0;
	pthread_mutex_unlock(&e->lock);
	return any;
}

static void parked_clear(struct engine *e)
{
	for (size_t i = 0; i < e->n_parks; i++)
		free(e->parks[i].name);
	free(e->parks);
	e->parks = NULL;
	e->n_parks = 0;
}

void parked_set(struct engine *e, const struct lane_load_list *l)
{
	int64_t now = engine_now(e);

	pthread_mutex_lock(&e->lock);
	parked_clear(e);
	for (size_t i = 0; i < l->n; i++) {
		const struct lane *lane = &l->v[i].lane;

		if (lane->parked_until_ms <= now)
			continue;
		e->parks = xrealloc(e->parks, (e->n_parks + 1) * sizeof *e->parks);
		e->parks[e->n_parks++] = (struct parked){ xstrdup(lane->name), lane->parked_until_ms };
	}
	pthread_mutex_unlock(&e->lock);
}

void parked_note(struct engine *e, const char *name, int64_t until_ms)
{
	struct parked *p = NULL;

	pthread_mutex_lock(&e->lock);
	for (size_t i = 0; i < e->n_parks && !p; i++)
		if (streq(e->parks[i].name, name))
			p = &e->parks[i];
	if (!p) {
		e->parks = xrealloc(e->parks, (e->n_parks + 1) * sizeof *e->parks);
		p = &e->parks[e->n_parks++];
		*p = (struct parked){ xstrdup(name), 0 };
	}
	p->until_ms = MAX(p->until_ms, until_ms);
	pthread_mutex_unlock(&e->lock);
}

/*
 * Buckets by vendor, far below what the vendors publish (Let's Encrypt: 20 new nonces, 300 new orders, 250 others a second
 * and address). A directory of the user's own has none: it says itself when it has enough.
 */
struct bucket {
	char *url;
	double order, other;
	int64_t at_ms;
	struct bucket *next;
};

static const double order_rate = 5, order_burst = 50, other_rate = 50, other_burst = 200;

static bool is_public(const char *url)
{
	for (size_t i = 0; i < vendors_count; i++)
		if (streq(vendors[i].directory_url, url))
			return true;
	return false;
}

static struct bucket *bucket_get(struct engine *e, const char *url, int64_t now)
{
	struct bucket *b = e->buckets;

	while (b && !streq(b->url, url))
		b = b->next;
	if (b)
		return b;
	b = xcalloc(1, sizeof *b);
	*b = (struct bucket){ .url = xstrdup(url), .order = order_burst, .other = other_burst, .at_ms = now, .next = e->buckets };
	e->buckets = b;
	return b;
}

int lane_gate(void *data, enum acme_kind kind, struct err *err)
{
	struct gate *g = data;
	bool order = kind == ACME_KIND_ORDER_NEW || kind == ACME_KIND_ACCOUNT_NEW;
	int64_t now = clock_boot(g->e->clock), wait_ms = 0, until;
	struct bucket *b;
	double *level, passed;

	if (engine_crash(g->e, "http"))
		return err_set(err, ERR_BUSY, "the engine is ending");
	if (g->lane && parked_any(g->e) && (until = parked_until(g->e, g->lane))) {
		err_set(err, ERR_BUSY, "the authority asked not to be asked for a while");
		err->retry_at_ms = until;
		return -ERR_BUSY;
	}
	if (!is_public(g->directory_url))
		return 0;
	pthread_mutex_lock(&g->e->lock);
	b = bucket_get(g->e, g->directory_url, now);
	passed = now > b->at_ms ? (double)(now - b->at_ms) / 1000 : 0;
	b->at_ms = now;
	b->order = MIN(b->order + passed * order_rate, order_burst);
	b->other = MIN(b->other + passed * other_rate, other_burst);
	level = order ? &b->order : &b->other;
	if (*level >= 1)
		*level -= 1;
	else
		wait_ms = (int64_t)((1 - *level) / (order ? order_rate : other_rate) * 1000) + 1;
	pthread_mutex_unlock(&g->e->lock);
	if (!wait_ms)
		return 0;
	err_set(err, ERR_BUSY, "we send to this authority as fast as its limits allow");
	err->retry_at_ms = engine_now(g->e) + wait_ms;
	return -ERR_BUSY;
}

void lanes_done(struct engine *e)
{
	parked_clear(e);
	for (size_t i = 0; i < e->lanes.n; i++)
		free(e->lanes.v[i].name);
	free(e->lanes.v);
	e->lanes = (struct lanes){ 0 };
	while (e->buckets) {
		struct bucket *b = e->buckets;

		e->buckets = b->next;
		free(b->url);
		free(b);
	}
}
