/* SPDX-License-Identifier: Apache-2.0 */
/*
 * shared.c - the PostgreSQL backend: pools of connections for writers and readers, transactions that are run again.
 *
 * Again after: serialization failure, deadlock, a connection lost before COMMIT was sent, and once after a unique index was
 * hit (another transaction may have committed what the function had looked for). When the connection is lost after COMMIT
 * was sent, the mark that each transaction leaves tells whether it happened.
 */
#include "store/driver.h"

#include "base/random.h"
#include "base/str.h"

#include <errno.h>
#include <pthread.h>

#define CONNECTIONS_MAX 64
#define WAIT_S 10
#define TRIES 10
#define OUTCOME_TRIES 200

struct conns {
	struct shared *shared;
	bool read_only;
	pthread_mutex_t lock;
	pthread_cond_t back;
	struct sql *idle[CONNECTIONS_MAX];
	unsigned n_idle, n_open, max;
};

struct shared {
	struct store *store;
	struct pgsql_config *config;
	struct conns writers, readers;
};

static void conns_init(struct conns *c, struct shared *s, bool read_only, unsigned max)
{
	pthread_condattr_t attr;

	c->shared = s;
	c->read_only = read_only;
	c->max = MIN(MAX(max, 1u), (unsigned)CONNECTIONS_MAX);
	pthread_mutex_init(&c->lock, NULL);
	pthread_condattr_init(&attr);
	pthread_condattr_setclock(&attr, CLOCK_MONOTONIC);
	pthread_cond_init(&c->back, &attr);
	pthread_condattr_destroy(&attr);
}

static void conns_done(struct conns *c)
{
	assert(c->n_idle == c->n_open);
	for (unsigned i = 0; i < c->n_idle; i++)
		sql_close(c->idle[i]);
	pthread_mutex_destroy(&c->lock);
	pthread_cond_destroy(&c->back);
}

static void clear_flags(struct sql *q)
{
	q->retry = q->lost = q->broken = q->full = q->raced = false;
	q->depth = 0;
	q->notes.n_touches = q->notes.n_counts = 0;
	notes_cut_audits(&q->notes, 0);
}

static int conns_take(struct conns *c, struct sql **ret, struct err *err)
{
	struct timespec until;
	struct sql *q = NULL;
	bool open = false;

	clock_gettime(CLOCK_MONOTONIC, &until);
	until.tv_sec += WAIT_S;
	pthread_mutex_lock(&c->lock);
	while (!c->n_idle && c->n_open >= c->max)
		if (pthread_cond_timedwait(&c->back, &c->lock, &until) == ETIMEDOUT)
			break;
	if (c->n_idle)
		q = c->idle[--c->n_idle];
	else if (c->n_open < c->max)
		c->n_open += (open = true);
	pthread_mutex_unlock(&c->lock);
	if (open && pgsql_connect(c->shared->config, c->read_only, &q, err) < 0) {
		pthread_mutex_lock(&c->lock);
		c->n_open--;
		pthread_cond_signal(&c->back);
		pthread_mutex_unlock(&c->lock);
		store_trouble(c->shared->store, STORE_UNREACHED, err);
		return -(int)err->code;
	}
	if (open)
		store_well(c->shared->store);
	if (!q)
		return err_set(err, ERR_BUSY, "database is busy: no connection was free for %d seconds", WAIT_S);
	clear_flags(q);
	*ret = q;
	return 0;
}

/* A lost connection tells that the idle ones are lost too (the server was restarted): all go. */
static void conns_give(struct conns *c, struct sql *q)
{
	struct sql *gone[CONNECTIONS_MAX + 1];
	unsigned n_gone = 0;

	pthread_mutex_lock(&c->lock);
	if (q->lost) {
		gone[n_gone++] = q;
		while (c->n_idle)
			gone[n_gone++] = c->idle[--c->n_idle];
		c->n_open -= n_gone;
		pthread_cond_broadcast(&c->back);
	} else {
		c->idle[c->n_idle++] = q;
		pthread_cond_signal(&c->back);
	}
	pthread_mutex_unlock(&c->lock);
	for (unsigned i = 0; i < n_gone; i++)
		sql_close(gone[i]);
}

static void pause_before(unsigned attempt)
{
	int64_t ms = random_jitter(INT64_C(5) << MIN(attempt, 8u), 50);

	usleep((useconds_t)ms * 1000);
}

/* Did the transaction happen, whose COMMIT was sent and never answered? */
static int find_outcome(struct shared *s, const struct pgsql_mark *mark, enum pgsql_outcome *ret, struct err *err)
{
	for (unsigned i = 0; i < OUTCOME_TRIES; i++) {
		struct sql *q = NULL;
		int r;

		err_clear(err);
		if (i)
			usleep(50 * 1000);
		if (conns_take(&s->readers, &q, err) < 0)
			continue;
		r = pgsql_outcome(q, mark, ret, err);
		conns_give(&s->readers, q);
		if (r >= 0 && *ret != PGSQL_RUNNING)
			return 0;
	}
	if (!err_is(err))
		err_set(err, ERR_STORE, "database does not say how the transaction ended");
	return err_wrap(err, "could not find out whether the change was made");
}

enum attempt { ATTEMPT_OVER, ATTEMPT_AGAIN };

static enum attempt write_once(struct shared *s, struct store_job *job, bool may_race)
{
	struct sql *q = NULL;
	enum attempt over = ATTEMPT_OVER;
	bool commit_sent = false;
	struct pgsql_mark mark = { 0 };
	int r;

	if (conns_take(&s->writers, &q, job->err) < 0) {
		job->result = -(int)job->err->code;
		return job->err->code == ERR_STORE ? ATTEMPT_AGAIN : ATTEMPT_OVER;
	}
	r = pgsql_begin(q, &mark, job->err);
	if (r >= 0) {
		q->depth = 1;
		store_set_in_write(true);
		r = job->fn(q, job->arg, job->err);
		store_set_in_write(false);
		q->depth = 0;
	}
	if (r >= 0)
		r = store_counts_flush(q, job->err);
	if (r >= 0) {
		commit_sent = true;
		r = pgsql_commit(q, job->err);
	}
	if (r < 0)
		pgsql_rollback(q);
	if (r < 0 && q->lost && commit_sent) {
		enum pgsql_outcome outcome = PGSQL_ABORTED;

		r = find_outcome(s, &mark, &outcome, job->err);
		if (r >= 0 && outcome != PGSQL_COMMITTED) {
			r = err_set(job->err, ERR_STORE, "connection to the database was lost at the commit");
			over = ATTEMPT_AGAIN;
		}
	} else if (r < 0 && (q->lost || q->retry || (q->raced && may_race))) {
		over = ATTEMPT_AGAIN;
	}
	job->result = r < 0 ? r : 0;
	if (r >= 0 && over == ATTEMPT_OVER)
		store_committed(s->store, &q->notes, 1);
	else if (q->full)
		store_trouble(s->store, STORE_FULL, job->err);
	conns_give(&s->writers, q);
	return over;
}

static int shared_write(void *self, struct store_job *job)
{
	struct shared *s = self;

	for (unsigned i = 0; i < TRIES; i++) {
		err_clear(job->err);
		if (write_once(s, job, i == 0) == ATTEMPT_OVER)
			break;
		if (i + 1 < TRIES)
			pause_before(i);
	}
	if (job->result < 0)
		store_failed(s->store);
	return job->result;
}

static int shared_read(void *self, sql_tx_fn *fn, void *arg, struct err *err)
{
	struct shared *s = self;
	int r = 0;

	for (unsigned i = 0; i < TRIES; i++) {
		struct sql *q = NULL;
		bool again;

		err_clear(err);
		r = conns_take(&s->readers, &q, err);
		if (r < 0) {
			if (r != -ERR_STORE)
				return r;
			pause_before(i);
			continue;
		}
		r = fn(q, arg, err);
		again = r < 0 && (q->lost || q->retry);
		if (q->driver->in_tx(q))
			pgsql_rollback(q);
		conns_give(&s->readers, q);
		if (!again)
			return r < 0 ? r : 0;
		pause_before(i);
	}
	return r;
}

static int shared_check(UNUSED void *self, UNUSED struct err *err)
{
	return 0; /* PostgreSQL checks its own pages; amcheck is its administrator's */
}

static int shared_backup(UNUSED void *self, UNUSED const char *path, struct err *err)
{
	err_set(err, ERR_NEEDS_PERSON, "PostgreSQL is backed up by its own tools");
	return err_hint(err, "Use pg_dump, or what your site backs databases up with.");
}

static void shared_close(void *self)
{
	struct shared *s = self;

	conns_done(&s->writers);
	conns_done(&s->readers);
	pgsql_config_free(s->config);
	free(s);
}

int backend_pgsql_open(struct store *store, const struct store_options *o, void **ret, struct err *err)
{
	struct shared *s = xcalloc(1, sizeof *s);
	unsigned connections = o->connections ? o->connections : 16;
	struct store_upgraded upgraded = { 0 };
	struct sql *q = NULL;

	s->store = store;
	conns_init(&s->writers, s, false, connections - connections / 4);
	conns_init(&s->readers, s, true, o->readers ? o->readers : MAX(connections / 4, 1u));
	if (pgsql_config_new(o->url, o->password_file, &s->config, err) < 0 || conns_take(&s->writers, &q, err) < 0) {
		shared_close(s);
		return -(int)err->code;
	}
	if (store_schema_open(q, o, NULL, &upgraded, err) < 0)
		q->lost = true; /* not worth keeping */
	store_set_upgraded(store, &upgraded);
	conns_give(&s->writers, q);
	if (err_is(err)) {
		shared_close(s);
		return -(int)err->code;
	}
	*ret = s;
	return 0;
}

const struct backend backend_pgsql = {
	.write = shared_write,
	.read = shared_read,
	.check = shared_check,
	.backup = shared_backup,
	.close = shared_close,
};
