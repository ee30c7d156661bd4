/* SPDX-License-Identifier: Apache-2.0 */
/*
 * pool.h - a bounded pool of threads for slow work (password hashes, keys), so that the API server's own threads never
 * wait. A full queue is refused at once.
 */
#ifndef BASE_POOL_H
#define BASE_POOL_H

#include "base/err.h"

struct pool;

struct pool *pool_new(const char *name, unsigned threads, unsigned queue_max);
/* Runs fn(arg) on a pool thread. BUSY when the queue is full (fn is then never called). */
int pool_run(struct pool *p, void (*fn)(void *arg), void *arg, struct err *err);
void pool_free(struct pool *p); /* finishes what is queued */

/* Names the calling thread (15 characters are kept) and starts threads with all signals blocked. */
int thread_start(uint64_t *ret_thread, const char *name, void (*fn)(void *arg), void *arg, struct err *err);
void thread_join(uint64_t thread);
/* Runs fn(arg) on a thread of low priority and waits for it: long computations that must not slow down who answers people. */
void thread_run_behind(const char *name, void (*fn)(void *arg), void *arg);

#endif
