/* SPDX-License-Identifier: Apache-2.0 */
/* engine.c - opening, closing, and the way to the store. See engine.h. */
#include "engine/private.h"

#include "base/crash.h"
#include "base/log.h"
#include "store/renewal.h"

#include <poll.h>
#include <stdlib.h>
#include <unistd.h>

bool engine_crash(struct engine *e, const char *point)
{
	if (!e->crashed && e->crash_at && e->crash_at(e->crash_arg, point))
		e->crashed = true;
	return e->crashed;
}

/* A database that is busy or full for a moment does not cost a whole lease: what a step came to is fenced and may be written again. */
static bool write_again(struct engine *e, unsigned tries, const struct err *err)
{
	static const int64_t pauses_ms[] = { 200, 1000, 3000 };
	struct pollfd stop = { .fd = e->stop.fd, .events = POLLIN };

	if (tries >= ARRAY_SIZE(pauses_ms) || stop_raised(&e->stop))
		return false;
	if (err->code != ERR_BUSY && err->code != ERR_STORE && err->code != ERR_NO_SPACE)
		return false;
	poll(&stop, 1, (int)pauses_ms[tries]);
	return true;
}

int engine_write(struct engine *e, sql_tx_fn *fn, void *arg, struct err *err)
{
	unsigned tries = 0;

	CRASH_POINT("engine-write");
	if (engine_crash(e, "write"))
		return err_set(err, ERR_BUSY, "the engine is ending");
	if (e->fail_at && e->fail_at(e->crash_arg, "write"))
		return err_set(err, ERR_STORE, "could not write the database");
	while (store_write_patient(e->o.store, fn, arg, err) < 0) {
		if (!write_again(e, tries++, err))
			return -(int)err->code;
		err_clear(err);
	}
	__atomic_add_fetch(&e->transactions, 1, __ATOMIC_RELAXED);
	CRASH_POINT("engine-written");
	if (engine_crash(e, "written"))
		return err_set(err, ERR_BUSY, "the engine is ending");
	return 0;
}

int engine_read(struct engine *e, sql_tx_fn *fn, void *arg, struct err *err)
{
	if (e->crashed)
		return err_set(err, ERR_BUSY, "the engine is ending");
	return store_read(e->o.store, fn, arg, err);
}

int64_t engine_deadline(const struct engine *e, int64_t lease_boot_ms)
{
	return MIN(clock_boot(e->clock) + e->step_ms, lease_boot_ms);
}

void engine_wake(struct engine *e)
{
	wake_up(&e->wake);
}

/* On the writer's thread: only wakes. */
static void committed(const struct touch *touched, size_t n, void *arg)
{
	struct engine *e = arg;

	for (size_t i = 0; i < n; i++)
		if (streq(touched[i].kind, "feed")) {
			if (e->feed)
				feed_core_wake(e->feed);
		} else if (streq(touched[i].kind, "order") || streq(touched[i].kind, "job") || streq(touched[i].kind, "debt") ||
			   streq(touched[i].kind, "lane")) {
			wake_up(&e->wake);
		}
}

static char *node_name(const char *wanted)
{
	char host[256] = "";

	if (!str_empty(wanted))
		return xstrdup(wanted);
	if (gethostname(host, sizeof host - 1) < 0 || !*host)
		return xstrdup("node");
	return xstrdup(host);
}

struct begin {
	struct engine *e;
	int64_t former;
	struct ulid prune_id, watch_id, delegations_id, count_id, heartbeat_id;
};

/* A job that is always there. */
static int standing(struct sql *tx, struct job *j, struct err *err)
{
	_cleanup_job_ struct job there = { 0 };

	if (store_job_find_live(tx, j->kind, NULL, &there, err) == 0)
		return 0;
	if (err->code != ERR_NOT_FOUND)
		return -(int)err->code;
	err_clear(err);
	return store_job_add(tx, j, err);
}

/* At start: our former self's leases end at once, the standing lanes and the standing job are there. */
static int begin(struct sql *tx, void *arg, struct err *err)
{
	struct begin *b = arg;
	int64_t now = engine_now(b->e);
	struct job prune = {
		.id = b->prune_id.s, .kind = JOB_PRUNE, .args = (char[]){ "{}" }, .state = JOB_QUEUED, .lane = (char[]){ LANE_LOCAL },
		.due_ms = now + HOUR_MS, .created_ms = now, .updated_ms = now,
	}, watch = prune, delegations = prune, counts = prune, heartbeat = prune;

	watch.id = b->watch_id.s;
	watch.kind = JOB_ACCOUNT_WATCH;
	watch.due_ms = now + 10 * MINUTE_MS;
	delegations.id = b->delegations_id.s;
	delegations.kind = JOB_DELEGATION_WATCH;
	delegations.due_ms = now + 10 * MINUTE_MS;
	counts.id = b->count_id.s;
	counts.kind = JOB_COUNT;
	counts.due_ms = now;
	heartbeat.id = b->heartbeat_id.s;
	heartbeat.kind = JOB_HEARTBEAT;
	heartbeat.due_ms = now;

	if (store_lease_end_former(tx, b->e->node, b->e->owner, now, &b->former, err) < 0 ||
	    store_lane_ensure(tx, LANE_LOCAL, lane_cap(LANE_LOCAL), err) < 0 ||
	    store_lane_ensure(tx, LANE_PROPAGATION, lane_cap(LANE_PROPAGATION), err) < 0)
		return -(int)err->code;
	if (renewal_standing(tx, b->e, err) < 0)
		return -(int)err->code;
	if (b->e->o.heartbeat_url && (standing(tx, &heartbeat, err) < 0 || store_job_wake(tx, "heartbeat", NULL, now, err) < 0))
		return -(int)err->code;
	if (standing(tx, &prune, err) < 0 || standing(tx, &watch, err) < 0 || standing(tx, &delegations, err) < 0 || standing(tx, &counts, err) < 0)
		return -(int)err->code;
	return store_job_wake(tx, job_kind_text(JOB_COUNT), NULL, now, err);
}

/* A test build may shorten both, so that a lease is over within a second. */
static void leases_open(struct engine *e)
{
	e->lease_ms = LIMIT_LEASE_S * SECOND_MS;
	e->step_ms = LIMIT_STEP_S * SECOND_MS;
#ifdef CERTWRIGHT_CRASH_HOOKS
	const char *lease = getenv("CERTWRIGHT_LEASE_MS"), *step = getenv("CERTWRIGHT_STEP_MS");

	e->lease_ms = lease ? strtoll(lease, NULL, 10) : e->lease_ms;
	e->step_ms = step ? strtoll(step, NULL, 10) : e->step_ms;
#endif
}

static int workers_open(struct engine *e)
{
	e->n_workers = e->o.workers ? e->o.workers : LIMIT_WORKERS;
	e->workers = xcalloc(e->n_workers, sizeof *e->workers);
	e->idle = xcalloc(e->n_workers, sizeof *e->idle);
	for (unsigned i = 0; i < e->n_workers; i++) {
		struct worker *w = &e->workers[i];

		*w = (struct worker){ .e = e, .number = i, .http = e->o.http };
		pthread_cond_init(&w->wake, NULL);
	}
	return 0;
}

int engine_open(const struct engine_options *o, struct engine **ret, struct err *err)
{
	struct engine *e = xcalloc(1, sizeof *e);
	struct begin b = { .e = e };

	e->o = *o;
	if (o->policy)
		e->o.policy = net_policy_ref(o->policy);
	e->clock = o->clock ? o->clock : &clock_system;
	e->node = node_name(o->node);
	e->owner = xasprintf("%s/%s", e->node, ulid_new(engine_now(e)).s);
	e->queue_end = &e->queue;
	stop_init(&e->stop);
	stop_init(&e->abort);
	wake_init(&e->wake);
	pthread_mutex_init(&e->lock, NULL);
	e->cas = acme_cas_new();
	e->last_wall_ms = clock_now(e->clock);
	e->last_boot_ms = clock_boot(e->clock);
	leases_open(e);
	workers_open(e);
	b.prune_id = ulid_new(engine_now(e));
	b.watch_id = ulid_new(engine_now(e));
	b.delegations_id = ulid_new(engine_now(e));
	b.count_id = ulid_new(engine_now(e));
	b.heartbeat_id = ulid_new(engine_now(e));
	if (!e->o.view.n) {
		_cleanup_err_ struct err why = { 0 };

		if (resolve_view_parse(NULL, false, &e->o.view, &why) < 0)
			log_err(LOG_WARNING, "no DNS resolver is configured: records set by hand cannot be looked at", &why);
	}
	if (store_write(o->store, begin, &b, err) < 0 || feeder_open(e, err) < 0) {
		engine_close(e);
		return err_wrap(err, "could not start the engine");
	}
	e->suspects = b.former > 0;
	if (b.former)
		log_info("work of the former start goes on", "rows", LOG_NUM(b.former));
	store_on_commit(o->store, committed, e);
	*ret = e;
	return 0;
}

void engine_close(struct engine *e)
{
	if (!e)
		return;
	if (e->started)
		engine_stop(e, 0);
	stop_raise(&e->abort); /* what checks still ask ends with it */
	while (__atomic_load_n(&e->checks, __ATOMIC_ACQUIRE))
		poll(NULL, 0, 10);
	store_off_commit(e->o.store, committed, e);
	feeder_close(e);
	for (unsigned i = 0; i < e->n_workers; i++) {
		net_client_free(e->workers[i].client);
		pthread_cond_destroy(&e->workers[i].wake);
	}
	free(e->workers);
	free(e->idle);
	while (e->queue) {
		struct task *t = e->queue;

		e->queue = t->next;
		task_free(t);
	}
	acme_cas_free(e->cas);
	if (e->o.policy)
		net_policy_unref(e->o.policy);
	lanes_done(e);
	pthread_mutex_destroy(&e->lock);
	wake_done(&e->wake);
	stop_done(&e->abort);
	stop_done(&e->stop);
	free(e->node);
	free(e->owner);
	free(e);
}

void engine_status(struct engine *e, struct engine_status *ret)
{
	*ret = (struct engine_status){ .workers = e->n_workers };
	pthread_mutex_lock(&e->lock);
	ret->busy = e->busy;
	ret->renewals_held = e->hold_until_ms > clock_boot(e->clock);
	pthread_mutex_unlock(&e->lock);
	ret->steps = __atomic_load_n(&e->steps, __ATOMIC_RELAXED);
	ret->transactions = __atomic_load_n(&e->transactions, __ATOMIC_RELAXED);
	ret->errors = __atomic_load_n(&e->errors, __ATOMIC_RELAXED);
	ret->jobs_done = __atomic_load_n(&e->jobs_done, __ATOMIC_RELAXED);
	ret->orders_valid = __atomic_load_n(&e->orders_valid, __ATOMIC_RELAXED);
	ret->orders_failed = __atomic_load_n(&e->orders_failed, __ATOMIC_RELAXED);
	if (e->feed)
		feed_core_status(e->feed, &ret->feed);
}

size_t engine_asked(struct engine *e, struct feed_total *ret, size_t cap)
{
	return e->feed ? feed_core_totals(e->feed, ret, cap) : 0;
}
