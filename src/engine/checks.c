/* SPDX-License-Identifier: Apache-2.0 */
/* checks.c - see checks.h: the threads, their limits, and the rows. */
#include "engine/checks.h"

#include "base/clock.h"
#include "base/pool.h"
#include "engine/private.h"

#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <time.h>

#define TURN_MS 50 /* how often the limits are looked at */

/* ---- rows ---- */

void check_say(struct check *c, enum check_state state, const char *about, const char *todo, const char *fmt, ...)
{
	char text[1024];
	_cleanup_free_ char *clean = NULL;
	va_list ap;

	va_start(ap, fmt);
	vsnprintf(text, sizeof text, fmt, ap);
	va_end(ap);
	clean = str_clean(text, strlen(text), sizeof text);
	json_array_append_new(c->rows, json_pack("{s:s, s:s, s:s, s:s, s:s, s:o}", "where", c->where == CHECK_ON_HOST ? "host" : "server", "check",
						 c->def->name, "about", about ? about : "", "state", check_state_text(state), "text", clean, "todo",
						 json_str_or_null(todo)));
}

void check_err(struct check *c, enum check_state state, const char *about, const char *todo, const struct err *why)
{
	_cleanup_free_ char *text = err_text(why);

	check_say(c, state, about, todo ? todo : why->hint, "%s", text);
}

int64_t check_left_ms(const struct check *c)
{
	return MAX(c->until_boot_ms - clock_boot(&clock_system), INT64_C(1));
}

/* ---- a client whose requests end with the look ---- */

struct capped {
	struct http http; /* first: perform gets it */
	struct http *inner;
	const struct check *check;
};

static int capped_perform(struct http *h, const struct http_request *q, struct http_response *ret, struct err *err)
{
	struct capped *c = (struct capped *)h;
	struct http_request own = *q;
	int64_t left = check_left_ms(c->check);

	if (left <= 1)
		return err_set(err, ERR_TIMEOUT, "there was no time left to ask '%.200s'", q->url);
	own.timeout_ms = MIN(q->timeout_ms ? q->timeout_ms : (int64_t)LIMIT_CA_REQUEST_S * SECOND_MS, left);
	own.connect_ms = MIN(q->connect_ms ? q->connect_ms : (int64_t)LIMIT_CONNECT_S * SECOND_MS, left);
	return http_do(c->inner, &own, ret, err);
}

/* ---- a run ---- */

enum look_state { LOOK_WAITS, LOOK_RUNS, LOOK_DONE, LOOK_LATE };

struct look {
	struct check check;
	enum look_state state;
};

struct run_of_checks {
	pthread_mutex_t lock; /* all below */
	unsigned refs;        /* the caller and each thread */
	bool over;
	size_t next, n;
	int64_t limit_ms;
	struct engine *e;
	struct look *v;
};

static void run_unref(struct run_of_checks *r)
{
	struct engine *e = r->e;
	unsigned left;

	pthread_mutex_lock(&r->lock);
	left = --r->refs;
	pthread_mutex_unlock(&r->lock);
	if (left)
		return;
	for (size_t i = 0; i < r->n; i++) {
		json_decref(r->v[i].check.rows);
		free(r->v[i].check.item);
	}
	free(r->v);
	pthread_mutex_destroy(&r->lock);
	free(r);
	if (e)
		__atomic_sub_fetch(&e->checks, 1, __ATOMIC_RELEASE);
}

static struct look *take_look(struct run_of_checks *r)
{
	struct look *l = NULL;

	pthread_mutex_lock(&r->lock);
	while (r->next < r->n && r->v[r->next].state != LOOK_WAITS)
		r->next++;
	if (!r->over && r->next < r->n) {
		l = &r->v[r->next++];
		l->state = LOOK_RUNS;
		l->check.until_boot_ms =
			clock_boot(&clock_system) + (r->limit_ms ? r->limit_ms : l->check.def->limit_ms ? l->check.def->limit_ms : CHECK_LIMIT_MS);
	}
	pthread_mutex_unlock(&r->lock);
	return l;
}

/* False: it took so long that another thread took this one's place. */
static bool look_ended(struct run_of_checks *r, struct look *l)
{
	bool in_time;

	pthread_mutex_lock(&r->lock);
	in_time = l->state == LOOK_RUNS;
	if (in_time)
		l->state = LOOK_DONE;
	pthread_mutex_unlock(&r->lock);
	return in_time;
}

static void walker(void *arg)
{
	struct run_of_checks *r = arg;
	struct engine *e = r->e;
	_cleanup_net_client_ struct net_client *client = e && !e->o.http ? net_client_new(e->o.policy, &e->abort) : NULL;
	struct http *inner = client ? net_client_http(client) : e ? e->o.http : NULL;
	struct look *l;

	while ((l = take_look(r))) {
		struct capped capped = { .http = { capped_perform }, .inner = inner, .check = &l->check };

		l->check.http = inner ? &capped.http : NULL;
		l->check.def->run(&l->check);
		if (!look_ended(r, l))
			break;
	}
	net_client_free(TAKE(client));
	run_unref(r);
}

static void walker_start(struct run_of_checks *r)
{
	_cleanup_err_ struct err why = ERR_INIT;
	uint64_t thread;

	pthread_mutex_lock(&r->lock);
	r->refs++;
	pthread_mutex_unlock(&r->lock);
	if (thread_start(&thread, "check", walker, r, &why) == 0)
		pthread_detach((pthread_t)thread);
	else
		run_unref(r);
}

/* Gives up what is over its time, or everything; returns how many looks are not over yet. *ret_late: threads that are lost. */
static size_t watch(struct run_of_checks *r, bool all, unsigned *ret_late)
{
	int64_t now = clock_boot(&clock_system);
	size_t open = 0;

	*ret_late = 0;
	pthread_mutex_lock(&r->lock);
	for (size_t i = 0; i < r->n; i++) {
		struct look *l = &r->v[i];

		if (l->state == LOOK_RUNS && (all || now >= l->check.until_boot_ms)) {
			l->state = LOOK_LATE;
			(*ret_late)++;
		}
		open += l->state == LOOK_RUNS || l->state == LOOK_WAITS;
	}
	r->over |= all;
	pthread_mutex_unlock(&r->lock);
	return open;
}

static void wait_for_all(struct run_of_checks *r, int64_t all_ms)
{
	int64_t end = clock_boot(&clock_system) + all_ms;
	unsigned late;

	for (;;) {
		struct timespec turn = { .tv_nsec = TURN_MS * 1000000L };

		if (!watch(r, false, &late))
			return;
		if (clock_boot(&clock_system) >= end || (r->e && stop_raised(&r->e->abort))) {
			(void)watch(r, true, &late);
			return;
		}
		for (; late; late--)
			walker_start(r);
		(void)nanosleep(&turn, NULL);
	}
}

/* ---- making the looks, and reading them ---- */

static void look_add(struct run_of_checks *r, const struct checks_options *o, const struct check_def *d, const char *item)
{
	r->v = xrealloc(r->v, (r->n + 1) * sizeof *r->v);
	r->v[r->n++] = (struct look){ .check = { .def = d, .where = o->where, .item = xstrdup_null(item), .e = o->e, .arg = o->arg, .rows = json_array() } };
}

/* A check that could not even learn what there is to look at, or has nothing to look at, is over already. */
static void look_settled(struct run_of_checks *r, const struct checks_options *o, const struct check_def *d, const struct err *why)
{
	struct check *c;

	look_add(r, o, d, NULL);
	r->v[r->n - 1].state = LOOK_DONE;
	c = &r->v[r->n - 1].check;
	if (err_is(why))
		check_err(c, CHECK_UNKNOWN, "", NULL, why);
	else
		check_say(c, CHECK_OK, "", NULL, "%s", d->none);
}

static void looks_make(struct run_of_checks *r, const struct checks_options *o)
{
	for (const struct check_def *d = o->table; d->name; d++) {
		_cleanup_strlist_ struct strlist items = { 0 };
		_cleanup_err_ struct err why = ERR_INIT;

		if (!(d->where & o->where))
			continue;
		if (!d->items)
			look_add(r, o, d, NULL);
		else if (d->items(o->e, &items, &why) < 0 || !items.n)
			look_settled(r, o, d, &why);
		for (size_t i = 0; i < items.n; i++)
			look_add(r, o, d, items.v[i]);
	}
}

/* Only of a look that is over its rows may be taken: a late one still writes. */
static json_t *collect(struct run_of_checks *r)
{
	json_t *rows = json_array();

	pthread_mutex_lock(&r->lock);
	for (size_t i = 0; i < r->n; i++) {
		struct look *l = &r->v[i];
		/* only what does not change while a late one still works */
		struct check late = { .def = l->check.def, .where = l->check.where, .rows = rows };

		if (l->state == LOOK_DONE) {
			json_array_extend(rows, l->check.rows);
			json_array_clear(l->check.rows); /* from now on they are of one thread */
			continue;
		}
		check_say(&late, CHECK_UNKNOWN, l->check.item, "Look at what it asks, or run the checks again.",
			  l->state == LOOK_LATE ? "this took longer than its time and was given up" : "there was no time left to look at this");
	}
	pthread_mutex_unlock(&r->lock);
	return rows;
}

json_t *checks_run(const struct checks_options *o)
{
	struct run_of_checks *r = xcalloc(1, sizeof *r);
	unsigned threads;
	json_t *rows;

	*r = (struct run_of_checks){ .refs = 1, .limit_ms = o->limit_ms, .e = o->e };
	pthread_mutex_init(&r->lock, NULL);
	if (o->e)
		__atomic_add_fetch(&o->e->checks, 1, __ATOMIC_ACQUIRE);
	looks_make(r, o);
	threads = o->e && o->e->o.http ? 1 : CHECK_AT_ONCE; /* a test's script is not for several threads */
	for (unsigned i = 0; i < threads && i < r->n; i++)
		walker_start(r);
	wait_for_all(r, o->all_ms ? o->all_ms : CHECK_ALL_MS);
	rows = collect(r);
	run_unref(r);
	return rows;
}

void checks_count(const json_t *rows, int64_t ret[check_state_count])
{
	const json_t *row;
	size_t i;

	memset(ret, 0, check_state_count * sizeof *ret);
	json_array_foreach(rows, i, row) {
		enum check_state state;

		if (check_state_parse(json_string_value(json_object_get(row, "state")), &state))
			ret[state]++;
	}
}

json_t *checks_document(const char *node, int64_t at_ms, json_t *rows)
{
	int64_t n[check_state_count];
	json_t *counts = json_object();

	checks_count(rows, n);
	for (unsigned i = 0; i < check_state_count; i++)
		json_object_set_new(counts, check_state_text((enum check_state)i), json_integer(n[i]));
	return json_pack("{s:s, s:o, s:o, s:o}", "node", node, "ran_at", json_time_or_null(at_ms), "counts", counts, "rows", rows);
}
