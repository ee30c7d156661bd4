/* SPDX-License-Identifier: Apache-2.0 */
/*
 * writer.c - the SQLite backend: one writer thread with group commit, readers, a checkpoint thread.
 *
 * The writer takes all that waits, runs each write function in a savepoint and commits once. If the database rolls a batch
 * back by itself, its functions run again one by one: that is why a write function may run twice.
 */
#include "store/driver.h"

#include "base/crash.h"
#include "base/pool.h"
#include "base/str.h"

#include <errno.h>
#include <pthread.h>
#include <semaphore.h>
#include <stdatomic.h>
#include <sys/stat.h>

#define BATCH_MAX 256
#define LINGER_MS 2     /* under load: a commit waits so long for company */
#define LINGER_FOR 8    /* and no longer when so many have come together */
#define LINGER_CREDIT 8 /* batches, since the last that had company */
#define READERS_MAX 16
#define CHECKPOINT_PAGES 4000 /* 16 MB: a page that many orders change is written back once */
#define RESTART_PAGES 16000 /* 64 MB: readers are asked to make way */
#define CHECKPOINT_IDLE_S 30
#define READER_WAIT_S 30
#define FULL_PROBE_MS 2000 /* a full disk is looked at again so often while nobody writes */
#define QUICK_CHECK_NOW_BYTES (4LL * 1024 * 1024) /* larger files are checked beside the work: 12 MB take 25 ms */

struct writer {
	struct store *store;
	char *path;
	dev_t dev;
	ino_t ino;

	pthread_mutex_t lock; /* queue and stop */
	pthread_cond_t more;
	struct store_job *head, **tail;
	unsigned queued, company; /* jobs that wait; batches that may linger, of the writer only */
	bool lingers, hurry, stop; /* hurry: somebody waits who is not patient */
	bool full; /* the last commit, read or checkpoint found no space: the writer looks again by itself */
	struct sql *sql;
	uint64_t thread;

	pthread_mutex_t readers_lock;
	pthread_cond_t reader_back;
	struct sql *readers[READERS_MAX];
	unsigned free_readers, n_readers;

	pthread_mutex_t checkpoint_lock;
	pthread_cond_t checkpoint_now;
	bool checkpoint_stop, check_late;
	struct sql *checkpoint;
	uint64_t checkpoint_thread;
	_Atomic int pages;
};

/* what each write waits for; lives beside the job on the caller's stack */
struct waiting {
	sem_t done;
};

/* the writer */

static void forget_notes(struct sql *q)
{
	q->notes.n_touches = q->notes.n_counts = 0;
	notes_cut_audits(&q->notes, 0);
	q->numbers.n = 0;
}

static void clear_flags(struct sql *q)
{
	q->retry = q->lost = q->broken = q->full = q->raced = false;
	forget_notes(q);
}

static void set_full(struct writer *w, bool full)
{
	pthread_mutex_lock(&w->lock);
	if (full && !w->full)
		pthread_cond_signal(&w->more); /* a writer that waits for work waits by the clock from now on */
	w->full = full;
	pthread_mutex_unlock(&w->lock);
}

/* Called by the writer, by readers and by the checkpoint's thread. */
static void note_trouble(struct writer *w, struct sql *q, const struct err *why)
{
	if (q->broken)
		store_trouble(w->store, STORE_READ_ONLY, why);
	else if (q->full)
		store_trouble(w->store, STORE_FULL, why);
	if (q->broken || q->full)
		set_full(w, !q->broken);
}

static void rollback(struct sql *q)
{
	struct err ignored = ERR_INIT;

	q->depth = 0;
	if (q->driver->in_tx(q) && sql_exec(q, "ROLLBACK", SQL_NONE, NULL, &ignored) < 0)
		err_clear(&ignored);
	forget_notes(q);
}

/* Before a transaction: one that could not even be rolled back would refuse all that come after it. */
static void fresh(struct sql *q)
{
	if (q->driver->in_tx(q))
		rollback(q);
	clear_flags(q);
}

/* Runs every job in a savepoint. False when the database gave up the whole transaction. */
static bool run_jobs(struct sql *q, struct store_job *first, unsigned *ret_ok)
{
	*ret_ok = 0;
	for (struct store_job *j = first; j; j = j->next) {
		err_clear(j->err);
		j->result = sql_tx(q, j->fn, j->arg, j->err);
		if (!q->driver->in_tx(q))
			return false;
		*ret_ok += j->result >= 0;
	}
	return true;
}

static int finish(struct sql *q, struct err *err)
{
	if (store_counts_flush(q, err) < 0 || store_numbers_flush(q, err) < 0)
		return -(int)err->code;
	CRASH_POINT("store-commit");
	if (FAIL_POINT("store-commit"))
		return err_set(err, ERR_BUSY, "the commit was made to fail");
	if (sql_exec(q, "COMMIT", SQL_NONE, NULL, err) < 0)
		return -(int)err->code;
	CRASH_POINT("store-committed");
	return 0;
}

static void fail_all(struct store_job *first, const struct err *why)
{
	for (struct store_job *j = first; j; j = j->next) {
		if (j->result < 0 && err_is(j->err))
			continue; /* it has a reason of its own */
		err_clear(j->err);
		err_copy(j->err, why);
		j->result = -(int)why->code;
	}
}

/* Returns false when the jobs should be tried one by one. */
static bool run_batch(struct writer *w, struct store_job *first)
{
	struct sql *q = w->sql;
	_cleanup_err_ struct err why = ERR_INIT;
	unsigned ok = 0;

	fresh(q);
	if (sql_exec(q, "BEGIN IMMEDIATE", SQL_NONE, NULL, &why) < 0) {
		err_wrap(&why, "could not begin a transaction");
		note_trouble(w, q, &why);
		fail_all(first, &why);
		return true;
	}
	q->depth = 1;
	if (!run_jobs(q, first, &ok)) {
		rollback(q);
		for (struct store_job *j = first; j; j = j->next)
			if (j->result < 0 && (q->broken || q->full)) {
				note_trouble(w, q, j->err);
				err_copy(&why, j->err);
				fail_all(first, &why);
				return true;
			}
		if (first->next)
			return false;
		if (first->result >= 0)
			first->result = err_set(first->err, ERR_STORE, "database gave up the transaction");
		return true;
	}
	if (!ok) {
		rollback(q);
		return true;
	}
	q->depth = 0;
	if (finish(q, &why) < 0) {
		rollback(q);
		err_wrap(&why, "could not commit");
		note_trouble(w, q, &why);
		if (first->next && !q->broken && !q->full)
			return false;
		for (struct store_job *j = first; j; j = j->next)
			j->result = j->result < 0 ? j->result : 0;
		fail_all(first, &why);
		return true;
	}
	set_full(w, false);
	store_committed(w->store, &q->notes, ok);
	return true;
}

static int probe_tx(struct sql *tx, void *arg, struct err *err)
{
	(void)arg;
	if (store_meta_set(tx, "space.probe", "1", err) < 0)
		return -(int)err->code;
	return sql_exec(tx, "DELETE FROM meta WHERE name = 'space.probe'", SQL_NONE, NULL, err);
}

/*
 * Whoever sees a server that is not ready sends it nothing, and without a write nobody would learn that there is space again:
 * so the writer looks by itself.
 */
static void probe(struct writer *w)
{
	_cleanup_err_ struct err err = ERR_INIT;
	struct store_job job = { .fn = probe_tx, .err = &err };

	(void)run_batch(w, &job);
}

/* Waits for work; while the disk is full no longer than until the next look at it. False: it is time for that. */
static bool wait_for_work(struct writer *w)
{
	struct timespec until;

	clock_gettime(CLOCK_MONOTONIC, &until);
	until.tv_sec += FULL_PROBE_MS / 1000;
	while (!w->head && !w->stop)
		if (!w->full)
			pthread_cond_wait(&w->more, &w->lock);
		else if (pthread_cond_timedwait(&w->more, &w->lock, &until) == ETIMEDOUT)
			return false;
	return true;
}

static void run_singly(struct writer *w, struct store_job *first)
{
	struct store_job *next;

	for (struct store_job *j = first; j; j = next) {
		next = j->next;
		j->next = NULL;
		run_batch(w, j);
		j->next = next;
	}
}

/*
 * Several callers write at the same time: each commit is a sync of the disk, and with 16 workers most would be for one of them.
 * So the first job of a batch waits a moment for others. A single caller never waits: it has no company.
 */
static void linger(struct writer *w)
{
	struct timespec until;

	if (!w->company)
		return;
	w->company--;
	clock_gettime(CLOCK_MONOTONIC, &until);
	until.tv_nsec += LINGER_MS * 1000000L;
	if (until.tv_nsec >= 1000000000L) {
		until.tv_sec++;
		until.tv_nsec -= 1000000000L;
	}
	w->lingers = true;
	while (w->queued < LINGER_FOR && !w->hurry && !w->stop)
		if (pthread_cond_timedwait(&w->more, &w->lock, &until) == ETIMEDOUT)
			break;
	w->lingers = false;
}

static struct store_job *take_batch(struct writer *w)
{
	struct store_job *first, *j;
	int n = 1;

	pthread_mutex_lock(&w->lock);
	while (!wait_for_work(w)) {
		pthread_mutex_unlock(&w->lock);
		probe(w);
		pthread_mutex_lock(&w->lock);
	}
	if (w->head)
		linger(w);
	first = w->head;
	for (j = first; j && j->next && n < BATCH_MAX; j = j->next)
		n++;
	if (n > 1)
		w->company = LINGER_CREDIT;
	w->hurry = false; /* a batch takes all but the rest of a very long queue */
	if (j) {
		w->queued -= (unsigned)n;
		w->head = j->next;
		j->next = NULL;
		if (!w->head)
			w->tail = &w->head;
	}
	pthread_mutex_unlock(&w->lock);
	return first;
}

static void complete(struct writer *w, struct store_job *first)
{
	struct store_job *next;

	for (struct store_job *j = first; j; j = next) {
		struct waiting *waiting = j->waiting;

		next = j->next;
		if (j->result < 0)
			store_failed(w->store);
		sem_post(&waiting->done); /* the job is gone after it */
	}
}

static void writer_main(void *arg)
{
	struct writer *w = arg;
	struct store_job *first;

	store_set_in_write(true);
	while ((first = take_batch(w))) {
		if (!run_batch(w, first))
			run_singly(w, first);
		complete(w, first);
	}
}

static int writer_write(void *self, struct store_job *job)
{
	struct writer *w = self;
	struct waiting waiting;

	sem_init(&waiting.done, 0, 0);
	job->waiting = &waiting;
	pthread_mutex_lock(&w->lock);
	assert(!w->stop);
	*w->tail = job;
	w->tail = &job->next;
	w->queued++;
	w->hurry |= !job->patient;
	if (!w->lingers || w->hurry || w->queued >= LINGER_FOR) /* else the writer wakes by its clock */
		pthread_cond_signal(&w->more);
	pthread_mutex_unlock(&w->lock);
	while (sem_wait(&waiting.done) < 0)
		; /* a signal came in between */
	sem_destroy(&waiting.done);
	return job->result;
}

/* readers */

static void deadline_in(struct timespec *ts, int seconds)
{
	clock_gettime(CLOCK_MONOTONIC, ts);
	ts->tv_sec += seconds;
}

static struct sql *reader_take(struct writer *w)
{
	struct timespec until;
	struct sql *q = NULL;

	deadline_in(&until, READER_WAIT_S);
	pthread_mutex_lock(&w->readers_lock);
	while (!w->free_readers)
		if (pthread_cond_timedwait(&w->reader_back, &w->readers_lock, &until) == ETIMEDOUT)
			break;
	if (w->free_readers)
		q = w->readers[--w->free_readers];
	pthread_mutex_unlock(&w->readers_lock);
	return q;
}

static void reader_give(struct writer *w, struct sql *q)
{
	pthread_mutex_lock(&w->readers_lock);
	w->readers[w->free_readers++] = q;
	pthread_cond_signal(&w->reader_back);
	pthread_mutex_unlock(&w->readers_lock);
}

static int writer_read(void *self, sql_tx_fn *fn, void *arg, struct err *err)
{
	struct writer *w = self;
	struct sql *q = reader_take(w);
	int r;

	if (!q)
		return err_set(err, ERR_BUSY, "database is busy: no reader was free for %d seconds", READER_WAIT_S);
	fresh(q);
	r = sql_tx(q, fn, arg, err); /* one snapshot for all that fn reads */
	if (r < 0 && q->broken)
		note_trouble(w, q, err);
	reader_give(w, q);
	return r;
}

/* checkpoints, and watching the file */

static void on_wal(void *arg, int pages)
{
	struct writer *w = arg;

	atomic_store(&w->pages, pages);
	if (pages < CHECKPOINT_PAGES)
		return;
	pthread_mutex_lock(&w->checkpoint_lock);
	pthread_cond_signal(&w->checkpoint_now);
	pthread_mutex_unlock(&w->checkpoint_lock);
}

static void look_at_file(struct writer *w)
{
	_cleanup_err_ struct err why = ERR_INIT;
	struct stat st;

	if (stat(w->path, &st) < 0)
		err_set(&why, ERR_STORE, "database file '%s' is gone", w->path);
	else if (st.st_dev != w->dev || st.st_ino != w->ino)
		err_set(&why, ERR_STORE, "database file '%s' was replaced by another while in use", w->path);
	if (err_is(&why))
		store_trouble(w->store, STORE_READ_ONLY, &why);
}

static void checkpoint_once(struct writer *w)
{
	_cleanup_err_ struct err why = ERR_INIT;
	int left = 0;

	clear_flags(w->checkpoint);
	if (sqlite_checkpoint(w->checkpoint, atomic_load(&w->pages) > RESTART_PAGES, &left, &why) < 0) {
		note_trouble(w, w->checkpoint, &why);
		return;
	}
	atomic_store(&w->pages, left);
}

static void check_late(struct writer *w)
{
	_cleanup_err_ struct err why = ERR_INIT;

	if (sqlite_quick_check(w->checkpoint, &why) < 0)
		store_trouble(w->store, STORE_READ_ONLY, &why);
}

static void checkpoint_main(void *arg)
{
	struct writer *w = arg;

	if (w->check_late)
		check_late(w);
	for (;;) {
		struct timespec until;
		bool stop;

		deadline_in(&until, CHECKPOINT_IDLE_S);
		pthread_mutex_lock(&w->checkpoint_lock);
		while (!w->checkpoint_stop && atomic_load(&w->pages) < CHECKPOINT_PAGES)
			if (pthread_cond_timedwait(&w->checkpoint_now, &w->checkpoint_lock, &until) == ETIMEDOUT)
				break;
		stop = w->checkpoint_stop;
		pthread_mutex_unlock(&w->checkpoint_lock);
		if (stop)
			return;
		if (atomic_load(&w->pages) > 0)
			checkpoint_once(w);
		look_at_file(w);
		if (atomic_load(&w->pages) >= CHECKPOINT_PAGES)
			usleep(100 * 1000); /* a long reader holds it up */
	}
}

/* checks and copies use a connection of their own */

static int writer_check(void *self, struct err *err)
{
	struct writer *w = self;
	struct sql *q = NULL;
	int r;

	if (sqlite_connect(w->path, SQLITE_ROLE_CHECKPOINT, &q, err) < 0)
		return -(int)err->code;
	r = sqlite_integrity_check(q, err);
	if (r == -ERR_STORE)
		store_trouble(w->store, STORE_READ_ONLY, err);
	sql_close(q);
	return r;
}

static int writer_backup(void *self, const char *path, struct err *err)
{
	struct writer *w = self;
	struct sql *q = NULL;
	int r;

	if (sqlite_connect(w->path, SQLITE_ROLE_CHECKPOINT, &q, err) < 0)
		return -(int)err->code;
	r = sqlite_vacuum_into(q, path, err);
	sql_close(q);
	return r;
}

static uint64_t writer_wal_pages(void *self)
{
	return (uint64_t)atomic_load(&((struct writer *)self)->pages);
}

static void stop_writer(struct writer *w)
{
	pthread_mutex_lock(&w->lock);
	w->stop = true;
	pthread_cond_signal(&w->more);
	pthread_mutex_unlock(&w->lock);
	if (w->thread)
		thread_join(w->thread);
	pthread_mutex_lock(&w->checkpoint_lock);
	w->checkpoint_stop = true;
	pthread_cond_signal(&w->checkpoint_now);
	pthread_mutex_unlock(&w->checkpoint_lock);
	if (w->checkpoint_thread)
		thread_join(w->checkpoint_thread);
}

static void writer_close(void *self)
{
	struct writer *w = self;

	stop_writer(w);
	assert(w->free_readers == w->n_readers); /* nobody reads any more */
	for (unsigned i = 0; i < w->n_readers; i++)
		sql_close(w->readers[i]);
	sql_close(w->checkpoint);
	sql_close(w->sql);
	pthread_mutex_destroy(&w->lock);
	pthread_mutex_destroy(&w->readers_lock);
	pthread_mutex_destroy(&w->checkpoint_lock);
	pthread_cond_destroy(&w->more);
	pthread_cond_destroy(&w->reader_back);
	pthread_cond_destroy(&w->checkpoint_now);
	free(w->path);
	free(w);
}

static int open_connections(struct writer *w, const struct store_options *o, struct err *err)
{
	unsigned readers = o->readers ? MIN(o->readers, READERS_MAX) : 4;
	struct store_upgraded upgraded = { 0 };
	struct stat st;

	if (o->look && stat(w->path, &st) < 0)
		return err_set_errno(err, ERR_NOT_FOUND, "there is no database '%s'", w->path);
	if (sqlite_prepare_file(w->path, err) < 0 || sqlite_connect(w->path, SQLITE_ROLE_WRITER, &w->sql, err) < 0)
		return -(int)err->code;
	if (stat(w->path, &st) < 0)
		return err_set_errno(err, ERR_STORE, "could not look at database file '%s'", w->path);
	w->dev = st.st_dev;
	w->ino = st.st_ino;
	w->check_late = st.st_size > QUICK_CHECK_NOW_BYTES;
	if (!w->check_late && sqlite_quick_check(w->sql, err) < 0)
		return err_wrap(err, "could not use database '%s'", w->path);
	if (store_schema_open(w->sql, o, w->path, &upgraded, err) < 0)
		return -(int)err->code;
	store_set_upgraded(w->store, &upgraded);
	clear_flags(w->sql);
	sqlite_on_wal(w->sql, on_wal, w);
	if (sqlite_connect(w->path, SQLITE_ROLE_CHECKPOINT, &w->checkpoint, err) < 0)
		return -(int)err->code;
	for (; w->n_readers < readers; w->n_readers++)
		if (sqlite_connect(w->path, SQLITE_ROLE_READER, &w->readers[w->n_readers], err) < 0)
			return -(int)err->code;
	return 0;
}

int backend_sqlite_open(struct store *s, const struct store_options *o, void **ret, struct err *err)
{
	struct writer *w = xcalloc(1, sizeof *w);
	pthread_condattr_t attr;

	w->store = s;
	w->path = xstrdup(o->url + strlen("sqlite:"));
	w->tail = &w->head;
	pthread_condattr_init(&attr);
	pthread_condattr_setclock(&attr, CLOCK_MONOTONIC);
	pthread_mutex_init(&w->lock, NULL);
	pthread_mutex_init(&w->readers_lock, NULL);
	pthread_mutex_init(&w->checkpoint_lock, NULL);
	pthread_cond_init(&w->more, &attr);
	pthread_cond_init(&w->reader_back, &attr);
	pthread_cond_init(&w->checkpoint_now, &attr);
	pthread_condattr_destroy(&attr);
	if (str_empty(w->path))
		err_set(err, ERR_INVALID, "store.url names no file: write sqlite:/path/to/file");
	else if (open_connections(w, o, err) >= 0 && thread_start(&w->thread, "store-writer", writer_main, w, err) >= 0)
		(void)thread_start(&w->checkpoint_thread, "store-checkpt", checkpoint_main, w, err);
	w->free_readers = w->n_readers;
	if (err_is(err)) {
		writer_close(w);
		return -(int)err->code;
	}
	*ret = w;
	return 0;
}

const struct backend backend_sqlite = {
	.write = writer_write,
	.read = writer_read,
	.check = writer_check,
	.backup = writer_backup,
	.close = writer_close,
	.wal_pages = writer_wal_pages,
};
