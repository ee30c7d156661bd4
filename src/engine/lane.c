/* SPDX-License-Identifier: Apache-2.0 */
/*
 * lane.c - what may hang or refuse as a whole: names of lanes, and how much runs in each here. The rows of the store say what is parked;
 * here is only what this process does. What keeps us below the vendors' published limits is rate.c.
 */
#include "engine/private.h"

#include "base/addr.h"
#include "model/rate.h"
#include "model/vendor.h"

#include <libpsl.h>

char *lane_vendor(const char *directory_url)
{
	return xasprintf(LANE_VENDOR "%s", directory_url);
}

/* How many requests this authority likes at once; 0 = not known. */
static int vendor_at_once(const char *directory_url)
{
	for (size_t i = 0; i < vendors_count; i++)
		if (streq(vendors[i].directory_url, directory_url))
			return vendor_rates_find(vendors[i].key) ? vendor_rates_find(vendors[i].key)->at_once : 0;
	return 0;
}

int64_t lane_cap(const char *name)
{
	if (streq(name, LANE_PROPAGATION))
		return 4;
	if (str_starts(name, LANE_DNS) || str_starts(name, LANE_PROVIDER_TEST) || str_starts(name, LANE_NOTIFY))
		return 1; /* read, merge, write: nobody else in between */
	if (str_starts(name, LANE_VENDOR) && vendor_at_once(name + strlen(LANE_VENDOR)))
		return vendor_at_once(name + strlen(LANE_VENDOR));
	return LIMIT_WORKERS / 2;
}

int lane_resume(struct sql *tx, const char *name, int64_t now_ms, struct err *err)
{
	_cleanup_lane_ struct lane l = { 0 };

	if (store_lane_ensure(tx, name, lane_cap(name), err) < 0 || store_lane_get(tx, name, &l, err) < 0)
		return -(int)err->code;
	if (store_lane_unpark(tx, name, err) < 0 || cause_parked_over(tx, name, now_ms, err) < 0)
		return -(int)err->code;
	if (!l.parked_until_ms || !str_starts(name, LANE_ACCOUNT))
		return 0;
	return store_order_wake_account(tx, name + strlen(LANE_ACCOUNT), l.parked_until_ms, now_ms, err);
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

/* What somebody registers: example.co.uk of a.b.example.co.uk. NULL for addresses and names that are public suffixes themselves. */
char *registered_domain(const char *name)
{
	const char *plain = str_starts(name, "*.") ? name + 2 : name, *domain;
	_cleanup_err_ struct err ignored = { 0 };
	union addr a;

	if (addr_parse_ip(plain, &a, &ignored) == 0)
		return NULL;
	domain = psl_registrable_domain(psl_builtin(), plain);
	return domain ? xstrdup(domain) : NULL;
}

void lanes_done(struct engine *e)
{
	parked_clear(e);
	for (size_t i = 0; i < e->lanes.n; i++)
		free(e->lanes.v[i].name);
	free(e->lanes.v);
	e->lanes = (struct lanes){ 0 };
	rates_done(e);
}
