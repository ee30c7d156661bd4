/* SPDX-License-Identifier: Apache-2.0 */
/*
 * runner.c - who works on what: one dispatcher claims due rows of free lanes, the workers walk them. Claiming is batched, so that
 * under load many rows cost one transaction. Waiting is an eventfd and the earliest due instant; nothing polls.
 */
#include "engine/private.h"

#include "base/log.h"
#include "base/pool.h"

#include <stdio.h>

#define CLOCK_JUMP_MS (10 * MINUTE_MS)
#define HOLD_MS (15 * MINUTE_MS)
#define ALONE_MS (5 * SECOND_MS) /* a suspect is alone so long: what ends the process does it at once, a hang is no crash */
#define SLEEP_MAX_MS (60 * SECOND_MS)
#define CLAIM_LANES 64
#define ALARMS 4 /* events of rows set aside by one claim; all of them are logged */

void task_free(struct task *t)
{
	order_done(&t->order);
	job_done(&t->job);
	debt_done(&t->debt);
	free(t->lane);
	free(t);
}

/* ---- claiming ---- */

struct claiming {
	struct engine *e;
	struct claim_lane lanes[CLAIM_LANES];
	struct claim claim;
	struct claimed got;
	struct ulid ids[ALARMS]; /* of their events */
};

struct loads {
	struct engine *e;
	struct lane_load_list l;
};

static int read_loads(struct sql *q, void *arg, struct err *err)
{
	struct loads *a = arg;

	return store_lane_loads(q, engine_now(a->e), &a->l, err);
}

/* Whose story the alarm belongs to: a debt is its order's, a job its account's. */
static int alarm_about(struct sql *tx, const struct engine *e, const struct aside *a, char **ret_kind, char **ret_id, struct err *err)
{
	_cleanup_debt_ struct debt d = { 0 };
	_cleanup_err_ struct err no = { 0 };

	if (streq(a->table, "job"))
		return job_set_aside(tx, e, a->id, a->why, ret_kind, ret_id, err);
	*ret_kind = xstrdup(streq(a->table, "debt") ? "debt" : "order");
	*ret_id = xstrdup(a->id);
	if (streq(a->table, "debt") && store_debt_get(tx, a->id, &d, &no) == 0) {
		replace_str(ret_kind, "order");
		replace_str(ret_id, d.order_id);
	}
	return 0;
}

static int claim(struct sql *tx, void *arg, struct err *err)
{
	struct claiming *c = arg;

	if (store_claim(tx, &c->claim, &c->got, err) < 0)
		return -(int)err->code;
	for (size_t i = 0; i < c->got.aside.n && i < ALARMS; i++) {
		const struct aside *a = &c->got.aside.v[i];
		_cleanup_free_ char *kind = NULL, *id = NULL;
		struct event ev = { .id = c->ids[i].s, .at_ms = c->claim.now_ms, .level = EVENT_ERROR, .text = a->why };

		if (alarm_about(tx, c->e, a, &kind, &id, err) < 0)
			return -(int)err->code;
		ev.subject_kind = kind;
		ev.subject_id = id;
		if (store_event_add(tx, &ev, err) < 0)
			return -(int)err->code;
	}
	return 0;
}

static struct task *task_new(struct engine *e, enum task_kind kind, const char *lane)
{
	struct task *t = xcalloc(1, sizeof *t);

	t->kind = kind;
	t->lane = xstrdup(lane);
	lane_slot(e, lane)->running++;
	return t;
}

static void tell_aside(const struct claimed *c)
{
	for (size_t i = 0; i < c->aside.n; i++)
		log_error("set aside, a person has to look", "table", c->aside.v[i].table, "id", c->aside.v[i].id, "reason", c->aside.v[i].why);
}

static void tasks_make(struct engine *e, struct claimed *c, bool alone, int64_t lease_boot_ms, struct task **ret)
{
	struct task **end = ret;

	pthread_mutex_lock(&e->lock);
	for (size_t i = 0; i < c->debts.n; i++, end = &(*end)->next) {
		*end = task_new(e, TASK_DEBT, c->debts.v[i].lane);
		(*end)->debt = TAKE(c->debts.v[i]);
	}
	for (size_t i = 0; i < c->orders.n; i++, end = &(*end)->next) {
		*end = task_new(e, TASK_ORDER, c->orders.v[i].lane);
		(*end)->order = TAKE(c->orders.v[i]);
	}
	for (size_t i = 0; i < c->jobs.n; i++, end = &(*end)->next) {
		*end = task_new(e, TASK_JOB, c->jobs.v[i].lane);
		(*end)->job = TAKE(c->jobs.v[i]);
	}
	for (struct task *t = *ret; t; t = t->next) {
		t->alone = alone;
		t->lease_boot_ms = lease_boot_ms;
	}
	pthread_mutex_unlock(&e->lock);
}

/* Lanes that are free and have something due, the longest waiting first. */
static void choose_lanes(struct engine *e, const struct lane_load_list *l, struct claiming *c, int64_t *next)
{
	int64_t now = c->claim.now_ms;

	pthread_mutex_lock(&e->lock);
	for (size_t i = 0; i < l->n; i++) {
		const struct lane_load *v = &l->v[i];
		int64_t at = MAX(v->due_ms, v->lane.parked_until_ms), room;

		if (v->due_ms == INT64_MAX)
			continue;
		if (at > now) {
			*next = MIN(*next, at);
			continue;
		}
		room = lane_room(e, v->lane.name, v->lane.cap);
		if (str_starts(v->lane.name, LANE_DNS)) /* whoever reads, merges and writes is alone among all nodes */
			room = MIN(room, v->lane.cap - v->leased);
		if (room > 0 && c->claim.n_lanes < CLAIM_LANES)
			c->lanes[c->claim.n_lanes++] = (struct claim_lane){ v->lane.name, (int)room };
	}
	pthread_mutex_unlock(&e->lock);
}

int runner_claim(struct engine *e, unsigned max, struct task **ret, int64_t *ret_next_ms, struct err *err)
{
	struct loads loads = { .e = e };
	struct claiming c = { .e = e };
	int64_t boot;
	int rc;

	*ret = NULL;
	*ret_next_ms = INT64_MAX;
	if (engine_read(e, read_loads, &loads, err) < 0)
		return -(int)err->code;
	parked_set(e, &loads.l);
	c.claim = (struct claim){
		.lanes = c.lanes, .max = (int)max, .who = CLAIM_ANY, .owner = e->owner, .now_ms = engine_now(e),
		.lease_until_ms = engine_now(e) + e->lease_ms,
	};
	choose_lanes(e, &loads.l, &c, ret_next_ms);
	if (!c.claim.n_lanes) {
		lane_load_list_done(&loads.l);
		if (e->suspects && *ret_next_ms == INT64_MAX)
			e->suspects = false;
		return 0;
	}
	for (size_t i = 0; i < ALARMS; i++)
		c.ids[i] = ulid_new(c.claim.now_ms);
	if (e->suspects) {
		c.claim.who = CLAIM_SUSPECTS;
		c.claim.max = 1;
	}
	boot = clock_boot(e->clock);
	rc = engine_write(e, claim, &c, err);
	tell_aside(&c.got);
	if (rc == 0 && e->suspects && !c.got.orders.n && !c.got.jobs.n && !c.got.debts.n) {
		e->suspects = false; /* all suspects have come to a verdict */
		c.claim.who = CLAIM_ANY;
		c.claim.max = (int)max;
		rc = engine_write(e, claim, &c, err);
		tell_aside(&c.got);
	}
	if (rc == 0)
		tasks_make(e, &c.got, c.claim.who == CLAIM_SUSPECTS, boot + e->lease_ms, ret);
	claimed_done(&c.got);
	lane_load_list_done(&loads.l);
	return rc;
}

/* ---- working ---- */

/* A claimed row that was not worked on. */
struct unworked {
	struct engine *e;
	const char *table, *id;
	int64_t gen;
};

static struct unworked unworked(struct engine *e, const struct task *t)
{
	switch (t->kind) {
	case TASK_ORDER:
		return (struct unworked){ e, "orders", t->order.id, t->order.gen };
	case TASK_JOB:
		return (struct unworked){ e, "job", t->job.id, t->job.gen };
	case TASK_DEBT:
		return (struct unworked){ e, "debt", t->debt.id, t->debt.gen };
	case TASK_NONE:
		break;
	}
	abort();
}

static int release_row(struct sql *tx, void *arg, struct err *err)
{
	struct unworked *u = arg;

	return store_lease_release(tx, u->table, u->id, u->gen, engine_now(u->e), err);
}

static int unbegun_row(struct sql *tx, void *arg, struct err *err)
{
	struct unworked *u = arg;

	return store_lease_unbegun(tx, u->table, u->id, u->gen, err);
}

static void give_row_back(struct engine *e, const struct task *t)
{
	struct unworked u = unworked(e, t);
	_cleanup_err_ struct err why = { 0 };

	if (engine_write(e, release_row, &u, &why) < 0)
		log_err(LOG_DEBUG, "could not give a row back, its lease ends by itself", &why);
}

/*
 * A row whose lease was over before its work began (this process was stopped, or all workers hung) is left alone: it is due again by
 * itself, here or at another node, and what was claimed is old news. It was not started: three such would set it aside for nothing.
 */
static bool stale(struct engine *e, const struct task *t)
{
	struct unworked u = unworked(e, t);
	_cleanup_err_ struct err why = { 0 };

	if (engine_clock_jumped(e)) {
		give_row_back(e, t);
		wake_up(&e->wake);
		return true;
	}
	if (clock_boot(e->clock) < t->lease_boot_ms)
		return false;
	log_warning("a claimed row was not begun before its lease was over, it is claimed anew", "lane", t->lane);
	if (engine_write(e, unbegun_row, &u, &why) < 0)
		log_err(LOG_DEBUG, "a start that was none is counted", &why);
	return true;
}

void runner_do(struct engine *e, struct worker *w, struct task *t)
{
	if (!w->http) {
		w->client = net_client_new(e->o.policy, &e->abort);
		w->http = net_client_http(w->client);
	}
	switch (stale(e, t) ? TASK_NONE : t->kind) {
	case TASK_NONE:
		break;
	case TASK_ORDER:
		order_run(e, w, &t->order, t->lease_boot_ms);
		break;
	case TASK_JOB:
		job_run_one(e, w, &t->job, t->lease_boot_ms);
		break;
	case TASK_DEBT:
		debt_run_one(e, w, &t->debt, t->lease_boot_ms);
		break;
	}
	pthread_mutex_lock(&e->lock);
	lane_slot(e, t->lane)->running--;
	pthread_mutex_unlock(&e->lock);
	task_free(t);
}

/* Takes the lock as held. NULL: we are stopping. */
static struct task *take_task(struct engine *e, struct worker *w)
{
	struct task *t = e->queue;

	if (stop_raised(&e->stop))
		return NULL;
	if (t) {
		e->queue = t->next;
		if (!e->queue)
			e->queue_end = &e->queue;
	} else {
		e->idle[e->n_idle++] = w;
		while (!w->task && !stop_raised(&e->stop))
			pthread_cond_wait(&w->wake, &e->lock);
		t = w->task;
		w->task = NULL;
	}
	if (t) {
		t->next = NULL;
		e->queued--;
		e->busy++;
	}
	return t;
}

static void work(void *arg)
{
	struct worker *w = arg;
	struct engine *e = w->e;
	struct task *t;

	pthread_mutex_lock(&e->lock);
	while ((t = take_task(e, w)) != NULL) {
		bool alone = t->alone;

		pthread_mutex_unlock(&e->lock);
		runner_do(e, w, t);
		pthread_mutex_lock(&e->lock);
		e->busy--;
		if (alone)
			e->alone--;
		wake_up(&e->wake);
	}
	pthread_mutex_unlock(&e->lock);
}

/* ---- the dispatcher ---- */

struct shift {
	int64_t by_ms, now_ms;
	bool done;
};

static int shift(struct sql *tx, void *arg, struct err *err)
{
	struct shift *s = arg;

	return store_work_shift(tx, s->by_ms, s->now_ms, &s->done, err);
}

/* Otherwise an hour back would stop all orders for an hour, and a year ahead end them all as overdue. */
static void follow_clock(struct engine *e, int64_t moved_ms, int64_t now_ms)
{
	struct shift s = { .by_ms = moved_ms, .now_ms = now_ms };
	_cleanup_err_ struct err why = { 0 };

	if (engine_write(e, shift, &s, &why) < 0)
		log_err(LOG_ERROR, "what waits could not be moved to the new time", &why);
	else if (s.done)
		__atomic_add_fetch(&e->shift_ms, moved_ms, __ATOMIC_RELAXED);
}

/* The wall clock moved against the one that never jumps: nothing is renewed for a while (DECISIONS 4). */
void engine_watch_clock(struct engine *e)
{
	int64_t wall = clock_now(e->clock), boot = clock_boot(e->clock);
	int64_t moved = (wall - e->last_wall_ms) - (boot - e->last_boot_ms);

	if (moved > CLOCK_JUMP_MS || moved < -CLOCK_JUMP_MS) {
		pthread_mutex_lock(&e->lock);
		e->hold_until_ms = boot + HOLD_MS;
		pthread_mutex_unlock(&e->lock);
		log_warning("the clock jumped, renewals are held for 15 minutes", "seconds", LOG_NUM(moved / 1000));
		follow_clock(e, moved, wall);
	}
	__atomic_store_n(&e->last_wall_ms, wall, __ATOMIC_RELAXED);
	__atomic_store_n(&e->last_boot_ms, boot, __ATOMIC_RELAXED);
}

bool engine_clock_jumped(struct engine *e)
{
	int64_t moved = (clock_now(e->clock) - __atomic_load_n(&e->last_wall_ms, __ATOMIC_RELAXED)) -
			(clock_boot(e->clock) - __atomic_load_n(&e->last_boot_ms, __ATOMIC_RELAXED));

	return __atomic_load_n(&e->dispatcher_on, __ATOMIC_RELAXED) && (moved > CLOCK_JUMP_MS || moved < -CLOCK_JUMP_MS);
}

/* How many rows may be claimed now; suspects run alone. */
static unsigned room(struct engine *e)
{
	unsigned n;

	pthread_mutex_lock(&e->lock);
	n = e->n_workers - MIN(e->busy + e->queued, e->n_workers);
	if (e->suspects && (e->busy || e->queued))
		n = e->alone && clock_boot(e->clock) - e->alone_since_boot_ms < ALONE_MS ? 0 : MIN(n, 1u);
	pthread_mutex_unlock(&e->lock);
	return n;
}

static void enqueue(struct engine *e, struct task *list)
{
	pthread_mutex_lock(&e->lock);
	while (list) {
		struct task *t = list;

		list = t->next;
		t->next = NULL;
		if (t->alone) {
			e->alone++;
			e->alone_since_boot_ms = clock_boot(e->clock);
		}
		e->queued++;
		if (e->n_idle && !stop_raised(&e->stop)) { /* idle workers may have gone by then: engine_stop gives the queue back */
			struct worker *w = e->idle[--e->n_idle];

			w->task = t;
			pthread_cond_signal(&w->wake);
		} else {
			*e->queue_end = t;
			e->queue_end = &t->next;
		}
	}
	pthread_mutex_unlock(&e->lock);
}

static void dispatch(void *arg)
{
	struct engine *e = arg;
	enum err_code told = ERR_NONE;

	while (!stop_raised(&e->stop)) {
		_cleanup_err_ struct err err = { 0 };
		struct task *list = NULL;
		int64_t next = INT64_MAX, sleep, tell = feeder_tell(e, false);
		unsigned n = room(e);

		engine_watch_clock(e);
		renewal_watch(e);
		if (n && runner_claim(e, n, &list, &next, &err) < 0) {
			if (told != err.code)
				log_err(LOG_ERROR, "could not look for work, it is tried again", &err);
			told = err.code;
			next = engine_now(e) + 2 * SECOND_MS;
		} else if (n) {
			told = ERR_NONE;
		}
		if (list) {
			enqueue(e, list);
			continue; /* perhaps there is more */
		}
		sleep = MIN(MIN(next, tell) - engine_now(e), MIN(SLEEP_MAX_MS, e->lease_ms));
		if (e->suspects)
			sleep = MIN(sleep, SECOND_MS);
		if (sleep > 0)
			wake_wait(&e->wake, &e->stop, sleep);
	}
}

int engine_start(struct engine *e, struct err *err)
{
	char name[24];

	for (unsigned i = 0; i < e->n_workers; i++) {
		snprintf(name, sizeof name, "worker-%u", i);
		if (thread_start(&e->workers[i].thread, name, work, &e->workers[i], err) < 0)
			return err_wrap(err, "could not start the engine");
		e->started = true;
		e->workers[i].running = true;
	}
	if (thread_start(&e->dispatcher, "dispatcher", dispatch, e, err) < 0)
		return err_wrap(err, "could not start the engine");
	__atomic_store_n(&e->dispatcher_on, true, __ATOMIC_RELAXED);
	return 0;
}

void engine_stop(struct engine *e, int64_t grace_ms)
{
	int64_t until = clock_boot(&clock_system) + grace_ms;
	bool busy = true;

	if (!e || !e->started)
		return;
	stop_raise(&e->stop);
	pthread_mutex_lock(&e->lock);
	for (unsigned i = 0; i < e->n_workers; i++)
		pthread_cond_signal(&e->workers[i].wake);
	pthread_mutex_unlock(&e->lock);
	if (e->dispatcher_on)
		thread_join(e->dispatcher);
	__atomic_store_n(&e->dispatcher_on, false, __ATOMIC_RELAXED); /* workers that still run ask for it */
	while (busy && clock_boot(&clock_system) < until) {
		pthread_mutex_lock(&e->lock);
		busy = e->busy > 0;
		pthread_mutex_unlock(&e->lock);
		if (busy) /* workers wake us when they are done */
			wake_wait(&e->wake, NULL, MIN(until - clock_boot(&clock_system), 100));
	}
	stop_raise(&e->abort);
	for (unsigned i = 0; i < e->n_workers; i++)
		if (e->workers[i].running)
			thread_join(e->workers[i].thread);
	e->started = false;
	feeder_tell(e, true);
	/* what was claimed and not begun is given back */
	while (e->queue) {
		struct task *t = e->queue;

		e->queue = t->next;
		give_row_back(e, t);
		task_free(t);
	}
	e->queue_end = &e->queue;
}

/* ---- tests ---- */

int engine_run_due(struct engine *e, struct err *err)
{
	int n = 0;

	for (;;) {
		struct task *list = NULL;
		int64_t next;

		if (runner_claim(e, 1, &list, &next, err) < 0)
			return -(int)err->code;
		if (!list)
			return n;
		while (list) {
			struct task *t = list;

			list = t->next;
			runner_do(e, &e->workers[0], t);
			n++;
		}
		if (e->crashed)
			return n;
	}
}

int64_t engine_next_due(struct engine *e)
{
	struct loads loads = { .e = e };
	_cleanup_err_ struct err err = { 0 };
	int64_t next = INT64_MAX;

	if (engine_read(e, read_loads, &loads, &err) < 0)
		return 0;
	for (size_t i = 0; i < loads.l.n; i++)
		if (loads.l.v[i].due_ms != INT64_MAX)
			next = MIN(next, MAX(loads.l.v[i].due_ms, loads.l.v[i].lane.parked_until_ms));
	lane_load_list_done(&loads.l);
	return next;
}
