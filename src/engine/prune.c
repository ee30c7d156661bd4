/* SPDX-License-Identifier: Apache-2.0 */
/*
 * prune.c - what is not kept for ever, once a night: small batches, each a transaction of its own, so that who writes beside it waits for
 * one of them at most. What is left after PRUNE_MS goes on a minute later. The audit is not in the table: it is kept for ever.
 */
#include "engine/private.h"

#include "store/audit.h"
#include "store/channel.h"
#include "store/notice.h"
#include "store/rate.h"

#define PRUNE_MS (20 * SECOND_MS)
#define NIGHT_MS (2 * HOUR_MS) /* UTC */

typedef int prune_fn(struct sql *tx, int64_t before_ms, int64_t *ret_n, struct err *err);

enum keep { KEEP_EVENTS, KEEP_QUERIES, KEEP_MONTH, KEEP_DAY, KEEP_NOW };

static const struct {
	const char *name;
	prune_fn *fn;
	enum keep keep;
} histories[] = {
	{ "events", store_event_prune, KEEP_EVENTS },     { "notices", store_notice_prune, KEEP_EVENTS },
	{ "queries", store_asked_prune, KEEP_QUERIES },   { "records", store_record_prune, KEEP_MONTH },
	{ "debts", store_debt_prune, KEEP_MONTH },        { "jobs", store_job_prune, KEEP_MONTH },
	{ "messages", store_outbox_prune, KEEP_MONTH },   { "idempotency keys", store_idempotency_prune, KEEP_DAY },
	{ "rate limits", store_rate_prune, KEEP_NOW },
};

static int64_t keep_ms(const struct engine *e, enum keep k)
{
	switch (k) {
	case KEEP_EVENTS:
		return e->o.keep_events_ms ? e->o.keep_events_ms : KEEP_EVENTS_MS;
	case KEEP_QUERIES:
		return e->o.keep_queries_ms ? e->o.keep_queries_ms : KEEP_QUERIES_MS;
	case KEEP_MONTH:
		return 30 * DAY_MS;
	case KEEP_DAY:
		return DAY_MS;
	case KEEP_NOW:
		return 0;
	}
	abort();
}

struct prune {
	struct engine *e;
	prune_fn *fn;
	int64_t before_ms, n;
};

static int prune_some(struct sql *tx, void *arg, struct err *err)
{
	struct prune *p = arg;

	return p->fn(tx, p->before_ms, &p->n, err);
}

static int prune_feed(struct sql *tx, void *arg, struct err *err)
{
	struct prune *p = arg;

	return store_feed_item_prune(tx, p->e->feed ? (int64_t)feed_core_acked(p->e->feed) : 0, engine_now(p->e) - DAY_MS, &p->n, err);
}

static int prune_lanes(struct sql *tx, void *arg, struct err *err)
{
	struct prune *p = arg;

	return store_lane_prune(tx, engine_now(p->e) - DAY_MS, &p->n, err);
}

/* *ret_more: there was no time for all. */
static int prune_history(struct job_run *r, size_t i, int64_t end_boot_ms, bool *ret_more, struct err *err)
{
	struct prune p = { .e = r->e, .fn = histories[i].fn, .before_ms = engine_now(r->e) - keep_ms(r->e, histories[i].keep) };
	int64_t all = 0;

	do {
		p.n = 0;
		if (engine_write(r->e, prune_some, &p, err) < 0)
			return err_wrap(err, "could not prune %s", histories[i].name);
		all += p.n;
	} while (p.n >= 100 && clock_boot(r->e->clock) < end_boot_ms && !stop_raised(&r->e->stop));
	*ret_more |= p.n >= 100;
	if (all)
		json_object_set_new(r->result, histories[i].name, json_integer(all));
	return 0;
}

/* The next night, so that a server that is restarted by day does not drift into the morning. */
static int64_t next_night(struct engine *e)
{
	int64_t now = engine_now(e), night = now - now % DAY_MS + NIGHT_MS;

	while (night <= now)
		night += DAY_MS;
	return night + (int64_t)engine_below(e, HOUR_MS);
}

int job_prune(struct job_run *r, struct err *err)
{
	int64_t end = clock_boot(r->e->clock) + PRUNE_MS, backup_ms;
	struct prune rest = { .e = r->e };
	bool more = false;

	r->result = json_object(); /* how many rows of what went */
	for (size_t i = 0; i < ARRAY_SIZE(histories); i++)
		if (prune_history(r, i, end, &more, err) < 0)
			return -(int)err->code;
	if (engine_write(r->e, prune_feed, &rest, err) < 0 || engine_write(r->e, prune_lanes, &rest, err) < 0)
		return err_wrap(err, "could not prune the history");
	if (r->e->o.nightly)
		r->e->o.nightly(r->e->o.nightly_arg);
	if (backup_watch(r->e, &backup_ms, err) < 0)
		return -(int)err->code;
	r->wait = true;
	r->j.due_ms = more ? engine_now(r->e) + MINUTE_MS : MIN(next_night(r->e), backup_ms);
	return 0;
}
