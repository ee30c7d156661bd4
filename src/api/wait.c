/* SPDX-License-Identifier: Apache-2.0 */
/* wait.c - calls whose answer waits for a job: looked at when a job changed and ten times a second, on a pool thread. */
#include "api/internal.h"

#include "api/problem.h"
#include "service/record.h"
#include "service/status.h"

#define JOB_WAIT_MS (2 * SECOND_MS)
#define JOB_LOOK_MS 100

static void add(struct call *c)
{
	struct api *a = c->api;

	pthread_mutex_lock(&a->wait_lock);
	c->looked_ms = clock_boot(&clock_system);
	c->next = a->waiting;
	a->waiting = c;
	pthread_cond_signal(&a->wait_cond);
	pthread_mutex_unlock(&a->wait_lock);
}

/* Looks at the job: on a pool thread. */
static void look(void *arg)
{
	struct call *c = arg;
	_cleanup_job_ struct job j = { 0 };
	struct err err = ERR_INIT;

	if (service_job_get(c->service, c->job, &j, &err) < 0) {
		call_fail(c, &err);
		return;
	}
	if (j.state == JOB_DONE) {
		if (c->finish(c, &j, &err) < 0)
			call_fail(c, &err);
		else
			call_done(c);
	} else if (j.state == JOB_FAILED) {
		_cleanup_json_ json_t *reason = json_text_or_null(j.reason);

		err_from_json(reason, &err);
		problem_answer(&c->answer, &err, c->request_id.s, service_time(c->service));
		err_clear(&err);
		call_reply(c);
	} else if (clock_boot(&clock_system) >= c->until_ms || c->api->stopping) {
		call_location(c, "jobs", j.id);
		call_json(c, 202, job_json(&j));
		call_done(c);
	} else {
		add(c);
	}
}

static void loop(void *arg)
{
	struct api *a = arg;

	pthread_mutex_lock(&a->wait_lock);
	while (!a->wait_stop) {
		struct call *due = NULL, *keep = NULL;
		int64_t now;
		struct timespec at;

		if (!a->wait_poke || !a->waiting) {
			clock_gettime(CLOCK_MONOTONIC, &at);
			at.tv_nsec += JOB_LOOK_MS * 1000000;
			if (at.tv_nsec >= 1000000000) {
				at.tv_sec++;
				at.tv_nsec -= 1000000000;
			}
			if (a->waiting)
				pthread_cond_timedwait(&a->wait_cond, &a->wait_lock, &at);
			else
				pthread_cond_wait(&a->wait_cond, &a->wait_lock);
		}
		now = clock_boot(&clock_system);
		while (a->waiting) {
			struct call *c = a->waiting;

			a->waiting = c->next;
			if (a->wait_poke || now >= c->until_ms || now - c->looked_ms >= JOB_LOOK_MS) {
				c->next = due;
				due = c;
			} else {
				c->next = keep;
				keep = c;
			}
		}
		a->waiting = keep;
		a->wait_poke = false;
		pthread_mutex_unlock(&a->wait_lock);
		while (due) {
			struct call *c = due;
			_cleanup_err_ struct err err = ERR_INIT;

			due = c->next;
			if (pool_run(a->pool, look, c, &err) < 0)
				add(c); /* full: looked at again in a moment */
		}
		pthread_mutex_lock(&a->wait_lock);
	}
	pthread_mutex_unlock(&a->wait_lock);
}

void call_wait_begin(struct call *c)
{
	c->until_ms = clock_boot(&clock_system) + JOB_WAIT_MS;
	look(c);
}

void waits_poke(struct api *a)
{
	pthread_mutex_lock(&a->wait_lock);
	if (a->waiting) {
		a->wait_poke = true;
		pthread_cond_signal(&a->wait_cond);
	}
	pthread_mutex_unlock(&a->wait_lock);
}

void waits_init(struct api *a)
{
	pthread_condattr_t attr;

	pthread_mutex_init(&a->wait_lock, NULL);
	pthread_condattr_init(&attr);
	pthread_condattr_setclock(&attr, CLOCK_MONOTONIC);
	pthread_cond_init(&a->wait_cond, &attr);
	pthread_condattr_destroy(&attr);
}

int waits_start(struct api *a, struct err *err)
{
	return thread_start(&a->wait_thread, "api-wait", loop, a, err);
}

void waits_stop(struct api *a)
{
	if (!a->wait_thread)
		return;
	pthread_mutex_lock(&a->wait_lock);
	a->wait_stop = true;
	pthread_cond_signal(&a->wait_cond);
	pthread_mutex_unlock(&a->wait_lock);
	thread_join(a->wait_thread);
}

void waits_done(struct api *a)
{
	pthread_cond_destroy(&a->wait_cond);
	pthread_mutex_destroy(&a->wait_lock);
}
