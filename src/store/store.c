/* SPDX-License-Identifier: Apache-2.0 */
/* store.c - opening by url, dispatch to the backend, health, who is told after a commit. */
#include "store/driver.h"

#include "base/str.h"

#include <pthread.h>

#define HOOKS_MAX 8

struct store {
	const struct backend *backend;
	void *self;
	enum sql_dialect dialect;
	const struct clock *clock;
	struct {
		touch_fn *fn;
		void *arg;
	} hooks[HOOKS_MAX];
	size_t n_hooks;
	audit_fn *audit_fn;
	pthread_rwlock_t hooks_lock; /* held for reading while they are called */
	pthread_mutex_t lock; /* health */
	struct store_health health;
	struct store_upgraded upgraded;
};

static _Thread_local bool in_write;

bool store_in_write(void)
{
	return in_write;
}

void store_set_in_write(bool on)
{
	in_write = on;
}

int store_open(const struct store_options *o, struct store **ret, struct err *err)
{
	struct store *s = xcalloc(1, sizeof *s);
	int r;

	s->clock = o->clock ? o->clock : &clock_system;
	s->health = (struct store_health){ .writable = true, .since_ms = clock_now(s->clock) };
	pthread_mutex_init(&s->lock, NULL);
	pthread_rwlock_init(&s->hooks_lock, NULL);
	if (str_starts(o->url, "sqlite:")) {
		s->dialect = SQL_SQLITE;
		s->backend = &backend_sqlite;
		r = backend_sqlite_open(s, o, &s->self, err);
	} else if (str_starts(o->url, "postgresql://") || str_starts(o->url, "postgres://")) {
		s->dialect = SQL_PGSQL;
		s->backend = &backend_pgsql;
		r = backend_pgsql_open(s, o, &s->self, err);
	} else {
		r = err_set(err, ERR_INVALID, "store.url begins neither with 'sqlite:' nor with 'postgresql://'");
	}
	if (r < 0) {
		pthread_mutex_destroy(&s->lock);
		pthread_rwlock_destroy(&s->hooks_lock);
		free(s->upgraded.copy);
		free(s);
		return r;
	}
	*ret = s;
	return 0;
}

void store_close(struct store *s)
{
	if (!s)
		return;
	s->backend->close(s->self);
	pthread_mutex_destroy(&s->lock);
	pthread_rwlock_destroy(&s->hooks_lock);
	free(s->upgraded.copy);
	free(s);
}

enum sql_dialect store_dialect(const struct store *s)
{
	return s->dialect;
}

const struct store_upgraded *store_upgraded(const struct store *s)
{
	return &s->upgraded;
}

void store_set_upgraded(struct store *s, struct store_upgraded *u)
{
	free(s->upgraded.copy);
	s->upgraded = *u;
	*u = (struct store_upgraded){ 0 };
}

static int write_job(struct store *s, sql_tx_fn *fn, void *arg, bool patient, struct err *err)
{
	struct store_job job = { .fn = fn, .arg = arg, .err = err, .patient = patient };

	assert(!in_write); /* would wait for itself */
	if (store_refuse(s, err) < 0)
		return -(int)err->code;
	return s->backend->write(s->self, &job);
}

int store_write(struct store *s, sql_tx_fn *fn, void *arg, struct err *err)
{
	return write_job(s, fn, arg, false, err);
}

int store_write_patient(struct store *s, sql_tx_fn *fn, void *arg, struct err *err)
{
	return write_job(s, fn, arg, true, err);
}

int store_read(struct store *s, sql_tx_fn *fn, void *arg, struct err *err)
{
	return s->backend->read(s->self, fn, arg, err);
}

int store_check(struct store *s, struct err *err)
{
	return s->backend->check(s->self, err);
}

int store_backup(struct store *s, const char *path, struct err *err)
{
	return s->backend->backup(s->self, path, err);
}

void store_on_audit(struct store *s, audit_fn *fn)
{
	pthread_rwlock_wrlock(&s->hooks_lock);
	s->audit_fn = fn;
	pthread_rwlock_unlock(&s->hooks_lock);
}

void store_on_commit(struct store *s, touch_fn *fn, void *arg)
{
	pthread_rwlock_wrlock(&s->hooks_lock);
	assert(s->n_hooks < HOOKS_MAX);
	s->hooks[s->n_hooks].fn = fn;
	s->hooks[s->n_hooks].arg = arg;
	s->n_hooks++;
	pthread_rwlock_unlock(&s->hooks_lock);
}

void store_off_commit(struct store *s, touch_fn *fn, void *arg)
{
	pthread_rwlock_wrlock(&s->hooks_lock);
	for (size_t i = 0; i < s->n_hooks; i++)
		if (s->hooks[i].fn == fn && s->hooks[i].arg == arg) {
			s->hooks[i] = s->hooks[--s->n_hooks];
			break;
		}
	pthread_rwlock_unlock(&s->hooks_lock);
}

/* health */

static void set_state(struct store *s, enum store_state state, const char *reason)
{
	if (s->health.state == STORE_READ_ONLY)
		return; /* only a restart helps */
	if (s->health.state != state)
		s->health.since_ms = clock_now(s->clock);
	s->health.state = state;
	s->health.writable = state == STORE_OK;
	snprintf(s->health.reason, sizeof s->health.reason, "%s", reason);
}

void store_committed(struct store *s, struct notes *n, unsigned writes)
{
	size_t touched = notes_merge_touches(n);

	pthread_mutex_lock(&s->lock);
	s->health.writes += writes;
	s->health.commits++;
	if (s->health.state != STORE_OK)
		set_state(s, STORE_OK, "");
	pthread_mutex_unlock(&s->lock);
	pthread_rwlock_rdlock(&s->hooks_lock);
	for (size_t i = 0; touched && i < s->n_hooks; i++)
		s->hooks[i].fn(n->touches, touched, s->hooks[i].arg);
	for (size_t i = 0; s->audit_fn && i < n->n_audits; i++)
		s->audit_fn(&n->audits[i]);
	pthread_rwlock_unlock(&s->hooks_lock);
	n->n_touches = n->n_counts = 0;
	notes_cut_audits(n, 0);
}

void store_failed(struct store *s)
{
	pthread_mutex_lock(&s->lock);
	s->health.failed++;
	pthread_mutex_unlock(&s->lock);
}

void store_trouble(struct store *s, enum store_state state, const struct err *why)
{
	_cleanup_free_ char *text = err_text(why);

	pthread_mutex_lock(&s->lock);
	set_state(s, state, text);
	pthread_mutex_unlock(&s->lock);
}

void store_well(struct store *s)
{
	pthread_mutex_lock(&s->lock);
	set_state(s, STORE_OK, "");
	pthread_mutex_unlock(&s->lock);
}

int store_refuse(struct store *s, struct err *err)
{
	int r = 0;

	pthread_mutex_lock(&s->lock);
	if (s->health.state == STORE_READ_ONLY)
		r = err_set(err, ERR_STORE, "database takes no changes since it failed: %s", s->health.reason);
	pthread_mutex_unlock(&s->lock);
	if (r < 0)
		err_hint(err, "Look at the disk, then restart the server; it checks the database as it starts.");
	return r;
}

void store_health(struct store *s, struct store_health *ret)
{
	pthread_mutex_lock(&s->lock);
	*ret = s->health;
	pthread_mutex_unlock(&s->lock);
	ret->wal_pages = s->backend->wal_pages ? s->backend->wal_pages(s->self) : 0;
}
