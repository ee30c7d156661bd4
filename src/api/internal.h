/* SPDX-License-Identifier: Apache-2.0 */
/* internal.h - struct api and what api.c, call.c, admit.c, wait.c, sse.c, site.c and metrics.c share. */
#ifndef API_INTERNAL_H
#define API_INTERNAL_H

#include "api/api.h"
#include "api/call.h"
#include "api/source.h"
#include "base/pool.h"
#include "base/stop.h"
#include "model/touch.h"

#include <pthread.h>
#include <stdatomic.h>

#define API_COOKIE "__Host-certwright"
#define API_PREFIX "/api/v1"
#define STATUS_CLASSES 6
#define OTHER_ROUTES 2 /* behind the API's: pages, health */

struct hub;

struct api {
	bool listening; /* commits are told to us */
	struct service *service;
	struct http_server *http;
	struct pool *pool, *slow;
	int *fds;
	size_t fds_n;
	_Atomic bool stopping;

	/* calls that wait for a job */
	pthread_mutex_t wait_lock;
	pthread_cond_t wait_cond;
	struct call *waiting;
	bool wait_stop, wait_poke;
	uint64_t wait_thread;

	/* calls in work anywhere: api_stop waits for them */
	_Atomic unsigned in_flight;

	struct hub *hub;
	struct source source;
	struct cidr_list metrics_allow;
	_Atomic uint64_t (*counts)[STATUS_CLASSES]; /* [route] */
};

/* call.c: each of these three ends the call, which is gone afterwards */
void call_reply(struct call *c); /* the answer as it is */
void call_fail(struct call *c, struct err *err); /* as a problem document; err is cleared */
void call_done(struct call *c);
void call_count(struct api *a, size_t route, unsigned status);

/* admit.c */
int call_authenticate(struct call *c, struct err *err) MUST_CHECK;
/* Everything that is asked before a handler runs: site, sign-in, permission, CSRF, query, body, If-Match, Idempotency-Key. */
int call_admit(struct call *c, struct err *err) MUST_CHECK;

/* wait.c */
void waits_init(struct api *a);
int waits_start(struct api *a, struct err *err) MUST_CHECK;
void waits_stop(struct api *a); /* nobody waits any more */
void waits_done(struct api *a);
void waits_poke(struct api *a); /* a job changed */
void call_wait_begin(struct call *c); /* ends the call when its job is done, or with 202 */

/* sse.c */
struct hub *hub_new(struct api *a, struct err *err);
void hub_stop(struct hub *h); /* ends all streams, joins its thread */
void hub_free(struct hub *h); /* after the HTTP server stopped */
void hub_touch(struct hub *h, const struct touch *t, size_t n); /* from the store's commit: only notes and wakes */
/* Takes c's actor. TOO_MANY. */
int hub_open(struct hub *h, struct call *c, struct err *err) MUST_CHECK;
unsigned hub_clients(struct hub *h);

/* site.c: everything that is not /api, /healthz, /readyz, /metrics */
void site_answer(struct http_request *rq, const char *instance, struct http_answer *a);

/* metrics.c */
bool metrics_allowed(const struct api *a, const struct http_request *rq);
int metrics_text(struct api *a, struct buf *out, struct err *err) MUST_CHECK;

/* The document itself, made by the build. */
extern const char openapi_text[];
extern const size_t openapi_size;

#endif
