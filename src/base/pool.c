/* SPDX-License-Identifier: Apache-2.0 */
/* pool.c - see pool.h. */
#include "base/pool.h"

#include <pthread.h>
#include <sys/resource.h>
#include <unistd.h>
#include <signal.h>
#include <stdio.h>

struct work {
	void (*fn)(void *arg);
	void *arg;
	struct work *next;
};

struct pool {
	pthread_mutex_t lock;
	pthread_cond_t more;
	struct work *first, **last;
	unsigned queued, queue_max, threads;
	bool ending;
	uint64_t thread[64];
};

struct start {
	char name[16];
	void (*fn)(void *arg);
	void *arg;
};

static void *thread_main(void *arg)
{
	struct start s = *(struct start *)arg;

	free(arg);
	pthread_setname_np(pthread_self(), s.name);
	s.fn(s.arg);
	return NULL;
}

int thread_start(uint64_t *ret_thread, const char *name, void (*fn)(void *arg), void *arg, struct err *err)
{
	struct start *s = xcalloc(1, sizeof *s);
	sigset_t all, old;
	pthread_t t;
	int no;

	_Static_assert(sizeof(pthread_t) <= sizeof(uint64_t), "pthread_t fits");
	*s = (struct start){ .fn = fn, .arg = arg };
	snprintf(s->name, sizeof s->name, "%s", name);
	sigfillset(&all);
	pthread_sigmask(SIG_SETMASK, &all, &old);
	no = pthread_create(&t, NULL, thread_main, s);
	pthread_sigmask(SIG_SETMASK, &old, NULL);
	if (no) {
		free(s);
		return err_set(err, ERR_INTERNAL, "could not start thread '%s': error %d", name, no);
	}
	*ret_thread = (uint64_t)t;
	return 0;
}

void thread_join(uint64_t thread)
{
	pthread_join((pthread_t)thread, NULL);
}

static struct work *take(struct pool *p)
{
	struct work *w;

	pthread_mutex_lock(&p->lock);
	while (!p->first && !p->ending)
		pthread_cond_wait(&p->more, &p->lock);
	w = p->first;
	if (w) {
		p->first = w->next;
		if (!p->first)
			p->last = &p->first;
		p->queued--;
	}
	pthread_mutex_unlock(&p->lock);
	return w;
}

static void pool_thread(void *arg)
{
	struct work *w;

	while ((w = take(arg))) {
		w->fn(w->arg);
		free(w);
	}
}

struct pool *pool_new(const char *name, unsigned threads, unsigned queue_max)
{
	struct pool *p = xcalloc(1, sizeof *p);
	_cleanup_err_ struct err err = ERR_INIT;

	assert(threads > 0 && threads <= ARRAY_SIZE(p->thread));
	pthread_mutex_init(&p->lock, NULL);
	pthread_cond_init(&p->more, NULL);
	p->last = &p->first;
	p->queue_max = queue_max;
	for (unsigned i = 0; i < threads; i++) {
		if (thread_start(&p->thread[i], name, pool_thread, p, &err) < 0)
			abort();
		p->threads++;
	}
	return p;
}

int pool_run(struct pool *p, void (*fn)(void *arg), void *arg, struct err *err)
{
	struct work *w = xcalloc(1, sizeof *w);
	bool full;

	*w = (struct work){ .fn = fn, .arg = arg };
	pthread_mutex_lock(&p->lock);
	full = p->queued >= p->queue_max || p->ending;
	if (!full) {
		*p->last = w;
		p->last = &w->next;
		p->queued++;
		pthread_cond_signal(&p->more);
	}
	pthread_mutex_unlock(&p->lock);
	if (full) {
		free(w);
		return err_set(err, ERR_BUSY, "too much slow work is waiting already");
	}
	return 0;
}

void pool_free(struct pool *p)
{
	if (!p)
		return;
	pthread_mutex_lock(&p->lock);
	p->ending = true;
	pthread_cond_broadcast(&p->more);
	pthread_mutex_unlock(&p->lock);
	for (unsigned i = 0; i < p->threads; i++)
		thread_join(p->thread[i]);
	pthread_cond_destroy(&p->more);
	pthread_mutex_destroy(&p->lock);
	free(p);
}

struct behind {
	void (*fn)(void *arg);
	void *arg;
};

static void run_behind(void *p)
{
	const struct behind *b = p;

	/* Linux gives each thread a priority of its own; going down is always allowed, and failing here costs only speed */
	(void)setpriority(PRIO_PROCESS, (id_t)gettid(), 10);
	b->fn(b->arg);
}

void thread_run_behind(const char *name, void (*fn)(void *arg), void *arg)
{
	struct behind b = { fn, arg };
	_cleanup_err_ struct err err = ERR_INIT;
	uint64_t thread;

	if (thread_start(&thread, name, run_behind, &b, &err) < 0)
		fn(arg);
	else
		thread_join(thread);
}
