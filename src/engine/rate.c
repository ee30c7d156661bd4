/* SPDX-License-Identifier: Apache-2.0 */
/*
 * rate.c - acme's gate: asked before each request, below the step. It holds back what would go over what a vendor publishes
 * (model/rate.h): by the second in memory, what counts orders and certificates in the store, so that it outlives a restart and all
 * nodes count together. What is held back is no error: the order goes on when there is room, and says so when that takes long.
 */
#include "engine/private.h"

#include "base/log.h"
#include "store/rate.h"

/* Who comes back begins his step anew, which looks before it acts: with room for the look alone he would never come to the act. */
#define TOGETHER 3
#define CLAIMS_MAX (2 + 2 * LIMIT_CA_IDENTIFIERS)

/* ---- by the second ---- */

/* What lists here begin with: found by name, made when it is not there. */
struct named {
	char *name;
	struct named *next;
};

/* Whom of those that wait for an account is told which instant. */
struct turn {
	struct named named; /* the account's id */
	int64_t next_ms;
};

struct bucket {
	struct named named; /* the directory's URL */
	struct named *turns;
	struct rate_bucket v[RATE_ORDERS];
	int64_t queued[RATE_ORDERS]; /* who was sent away lately: each is told a later instant, so that they do not come back together */
};

/* Take the lock before. */
static void *named_get(struct named **list, const char *name, size_t size)
{
	struct named *n = *list;

	while (n && !streq(n->name, name))
		n = n->next;
	if (n)
		return n;
	n = xcalloc(1, size);
	n->name = xstrdup(name);
	n->next = *list;
	*list = n;
	return n;
}

static struct bucket *bucket_get(struct engine *e, const char *url)
{
	return named_get(&e->buckets, url, sizeof(struct bucket));
}

static struct named *named_cut(struct named **list)
{
	struct named *n = *list;

	*list = n->next;
	free(n->name);
	return n;
}

void rates_done(struct engine *e)
{
	while (e->buckets) {
		struct bucket *b = (struct bucket *)named_cut(&e->buckets);

		while (b->turns)
			free(named_cut(&b->turns));
		free(b);
	}
}

static enum rate_kind rate_of(enum acme_kind kind)
{
	switch (kind) {
	case ACME_KIND_DIRECTORY:
		return RATE_DIRECTORY;
	case ACME_KIND_NONCE:
		return RATE_NONCE;
	case ACME_KIND_ACCOUNT_NEW:
		return RATE_ACCOUNT_NEW;
	case ACME_KIND_ORDER_NEW:
		return RATE_ORDER_NEW;
	case ACME_KIND_REVOKE:
		return RATE_REVOKE;
	case ACME_KIND_RENEWAL_INFO:
		return RATE_RENEWAL_INFO;
	case ACME_KIND_ACCOUNT:
	case ACME_KIND_ORDER:
	case ACME_KIND_AUTHZ:
	case ACME_KIND_CHALLENGE:
	case ACME_KIND_FINALIZE:
	case ACME_KIND_CERTIFICATE:
	case ACME_KIND_COUNT:
		break;
	}
	return RATE_OTHER;
}

/* 0: sent; else after how long there is room. */
static int64_t by_the_second(struct gate *g, const struct vendor_rates *v, enum rate_kind k)
{
	int64_t now = clock_boot(g->e->clock), wait, before;
	struct rate r;
	struct bucket *b;

	if (!v->published[k].number)
		return 0;
	r = rate_below(k, v->published[k]);
	pthread_mutex_lock(&g->e->lock);
	b = bucket_get(g->e, g->directory_url);
	before = b->v[k].at_ms;
	rate_fill(&b->v[k], r, MAX(now, 1));
	if (b->v[k].at_ms > before)
		b->queued[k] = MAX(b->queued[k] - (b->v[k].at_ms - before) * r.number / r.period_ms, 0);
	wait = rate_wait(&b->v[k], r);
	if (!wait) {
		rate_take(&b->v[k]);
	} else {
		b->queued[k] += k == RATE_OTHER ? TOGETHER : 1;
		wait += (b->queued[k] - 1) * r.period_ms / r.number;
	}
	pthread_mutex_unlock(&g->e->lock);
	return wait;
}

/* ---- by the hour and the week ---- */

struct claims {
	struct rate_claim v[CLAIMS_MAX];
	size_t n;
	int64_t now_ms, wait_ms;
};

static void claims_done(struct claims *c)
{
	for (size_t i = 0; i < c->n; i++)
		free(c->v[i].name);
}

static void want(struct claims *c, const struct gate *g, const struct vendor_rates *v, enum rate_kind k, const char *whom, bool take)
{
	_cleanup_free_ char *name = NULL;

	if (!v->published[k].number || c->n == CLAIMS_MAX)
		return;
	name = xasprintf("%s %s %s", rate_kind_text(k), g->directory_url, whom);
	for (size_t i = 0; i < c->n; i++)
		if (streq(c->v[i].name, name))
			return;
	c->v[c->n++] = (struct rate_claim){ .name = TAKE(name), .kind = k, .rate = rate_below(k, v->published[k]), .take = take };
}

static void want_domains(struct claims *c, const struct gate *g, const struct vendor_rates *v, bool take)
{
	for (size_t i = 0; i < g->order->names.n; i++) {
		_cleanup_free_ char *domain = registered_domain(g->order->names.v[i]);

		if (domain)
			want(c, g, v, RATE_DOMAIN, domain, take);
	}
}

static char *failures_of(const struct gate *g, const char *name)
{
	return xasprintf("%s %s", g->order->account_id, str_starts(name, "*.") ? name + 2 : name);
}

/*
 * A new order: counted for its account, and looked whether its certificate will have room. The certificate itself is counted when it is
 * asked for. A renewal of the same names is counted for neither account nor domain. One that the authority asked for (RFC 9773) it does
 * not count at all; we do, for its names: that it is inside its window is the authority's to say.
 */
static void collect(struct claims *c, const struct gate *g, const struct vendor_rates *v, enum acme_kind kind)
{
	const struct order *o = g->order;
	bool finalize = kind == ACME_KIND_FINALIZE, renewal = o && o->certificate_id;

	if (!o || (!finalize && kind != ACME_KIND_ORDER_NEW))
		return;
	want(c, g, v, RATE_SET, o->names_hash, finalize);
	if (!renewal)
		want_domains(c, g, v, finalize);
	if (finalize)
		return;
	if (!renewal)
		want(c, g, v, RATE_ORDERS, o->account_id, true);
	for (size_t i = 0; i < o->names.n; i++) {
		_cleanup_free_ char *whom = failures_of(g, o->names.v[i]);

		want(c, g, v, RATE_FAILURES, whom, false);
	}
}

static int claim(struct sql *tx, void *arg, struct err *err)
{
	struct claims *c = arg;

	return store_rate_claim(tx, c->v, c->n, c->now_ms, &c->wait_ms, err);
}

static char *span_text(int64_t ms)
{
	if (ms % DAY_MS == 0)
		return xasprintf("%" PRId64 " days", ms / DAY_MS);
	return ms == HOUR_MS ? xstrdup("hour") : xasprintf("%" PRId64 " hours", ms / HOUR_MS);
}

/*
 * Thousands may wait for one account, which has room for another order every half a minute: they are told one instant after the other,
 * so that they do not all come back for the same place. Within an hour, since whoever comes new may have taken one meanwhile.
 */
static int64_t in_turn(struct gate *g, const struct rate_claim *c, int64_t at_ms)
{
	struct turn *t;

	if (c->kind != RATE_ORDERS)
		return at_ms;
	pthread_mutex_lock(&g->e->lock);
	t = named_get(&bucket_get(g->e, g->directory_url)->turns, g->order->account_id, sizeof *t);
	at_ms = MAX(at_ms, MIN(t->next_ms, at_ms + HOUR_MS));
	t->next_ms = at_ms + c->rate.period_ms / c->rate.number;
	pthread_mutex_unlock(&g->e->lock);
	return at_ms;
}

/* The one that has to wait longest. */
static int tell(struct gate *g, const struct vendor_rates *v, const struct claims *c, struct err *err)
{
	const struct rate_claim *worst = &c->v[0];
	_cleanup_free_ char *span = NULL;
	const struct rate *p;

	for (size_t i = 1; i < c->n; i++)
		if (c->v[i].wait_ms > worst->wait_ms)
			worst = &c->v[i];
	p = &v->published[worst->kind];
	span = span_text(p->period_ms);
	err_set(err, ERR_BUSY, "the authority allows %d %s in %s, and that is used up but for what we keep clear of", p->number,
		rate_kind_text(worst->kind), span);
	err_hint(err, "Nothing has to be done: the order goes on by itself. An authority refuses what comes earlier, and counts that too.");
	err->retry_at_ms = in_turn(g, worst, engine_now(g->e) + c->wait_ms);
	return -ERR_BUSY;
}

static int by_the_week(struct gate *g, const struct vendor_rates *v, enum acme_kind kind, struct err *err)
{
	struct claims c = { .now_ms = engine_now(g->e) };
	int rc = 0;

	collect(&c, g, v, kind);
	if (c.n)
		rc = engine_write(g->e, claim, &c, err);
	if (rc == 0 && c.wait_ms)
		rc = tell(g, v, &c, err);
	claims_done(&c);
	return rc;
}

void rate_failed(struct gate *g, const char *name)
{
	const struct vendor_rates *v = vendor_rates_find(g->vendor);
	struct claims c = { .now_ms = engine_now(g->e) };
	_cleanup_err_ struct err why = { 0 };
	_cleanup_free_ char *whom = NULL;

	if (!v || !g->order)
		return;
	whom = failures_of(g, name);
	want(&c, g, v, RATE_FAILURES, whom, true);
	if (c.n && engine_write(g->e, claim, &c, &why) < 0)
		log_err(LOG_DEBUG, "a failed validation could not be counted", &why);
	claims_done(&c);
}

/* ---- the gate ---- */

int lane_gate(void *data, enum acme_kind kind, struct err *err)
{
	struct gate *g = data;
	const struct vendor_rates *v = vendor_rates_find(g->vendor);
	int64_t wait_ms, until;

	if (engine_crash(g->e, "http"))
		return err_set(err, ERR_BUSY, "the engine is ending");
	if (g->lane && parked_any(g->e) && (until = parked_until(g->e, g->lane))) {
		err_set(err, ERR_BUSY, "the authority asked not to be asked for a while");
		err->retry_at_ms = until;
		return -ERR_BUSY;
	}
	if (!v)
		return 0;
	/* asked together with those by the second: one that is sent away must not have used up the other's */
	wait_ms = by_the_second(g, v, rate_of(kind));
	if (wait_ms) {
		err_set(err, ERR_BUSY, "we send to this authority as fast as its limits allow");
		err->retry_at_ms = engine_now(g->e) + wait_ms;
		return -ERR_BUSY;
	}
	return by_the_week(g, v, kind, err);
}
