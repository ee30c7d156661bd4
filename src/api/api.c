/* SPDX-License-Identifier: Apache-2.0 */
/*
 * api.c - see api.h: the router. A request is matched on the server's thread, then goes to a pool thread, where it is
 * authenticated, authorized by its row, decoded by its tables and handled. Nothing of this waits on a server thread.
 */
#include "api/internal.h"

#include "api/guard.h"
#include "api/problem.h"
#include "api/tls.h"
#include "base/limits.h"
#include "base/log.h"
#include "service/audit.h"
#include "service/session.h"
#include "service/status.h"

#include <sys/resource.h>
#include <sys/socket.h>
#include <unistd.h>

#define POOL_THREADS 4
#define POOL_QUEUE 1024
#define SLOW_THREADS 2
#define SLOW_QUEUE 256

/* --- the way of a call -------------------------------------------------------------------------------------------------- */

static void call_run(void *arg)
{
	struct call *c = arg;
	struct err err = ERR_INIT;

	LOG_SCOPE("request", c->request_id.s);
	if (c->api->stopping)
		err_set(&err, ERR_BUSY, "the server is stopping");
	if (err_is(&err) || call_admit(c, &err) < 0 || c->route->handler(c, &err) < 0) {
		call_fail(c, &err);
		return;
	}
	if (c->job)
		call_wait_begin(c);
	else
		call_done(c);
}

/* Hashes must not slow the threads that answer: the slow pool runs behind everything else. */
static void slow_run(void *arg)
{
	static _Thread_local bool niced;

	if (!niced) {
		niced = true;
		if (setpriority(PRIO_PROCESS, (id_t)gettid(), 10) < 0)
			log_debug("could not lower the priority of a slow thread");
	}
	call_run(arg);
}

static struct call *call_new(struct api *a, struct http_request *rq)
{
	struct call *c = xcalloc(1, sizeof *c);

	a->in_flight++;
	c->api = a;
	c->service = a->service;
	c->rq = rq;
	c->request_id = ulid_new(clock_now(&clock_system));
	c->actor.address = xstrdup(http_peer(rq));
	c->actor.request_id = xstrdup(c->request_id.s);
	return c;
}

static void start_call(struct api *a, struct call *c)
{
	struct err err = ERR_INIT;
	bool slow = c->route->flags & ROUTE_SLOW;

	if (c->route->flags & ROUTE_LOGIN && service_sign_in_allowed(a->service, &c->actor, NULL, &err) < 0) {
		call_fail(c, &err);
		return;
	}
	if (pool_run(slow ? a->slow : a->pool, slow ? slow_run : call_run, c, &err) < 0)
		call_fail(c, &err);
}

/* path: behind the prefix. */
static void route_request(struct api *a, struct call *c, const char *path)
{
	struct route_parts parts = { 0 };
	_cleanup_buf_ struct buf allow = BUF_MAX(256);
	const char *method = http_method(c->rq);
	enum route_match found = route_find(streq(method, "HEAD") ? "GET" : method, path, &c->route, &parts, &allow);
	struct err err = ERR_INIT;

	c->id = parts.id;
	c->format = parts.format;
	switch (found) {
	case ROUTE_FOUND:
		start_call(a, c);
		return;
	case ROUTE_NO_METHOD:
		err_set(&err, ERR_METHOD, "this path takes %s", buf_text(&allow));
		problem_answer(&c->answer, &err, c->request_id.s, 0);
		http_answer_header(&c->answer, "Allow", buf_text(&allow));
		err_clear(&err);
		call_reply(c);
		return;
	case ROUTE_NO_PATH:
		err_set(&err, ERR_NOT_FOUND, "there is no such path");
		call_fail(c, &err);
		return;
	}
}

/* --- health, metrics ---------------------------------------------------------------------------------------------------- */

static void answer_text(struct call *c, unsigned status, const char *text)
{
	c->answer.status = status;
	c->answer.body = xstrdup(text);
	c->answer.n = strlen(text);
	http_answer_header(&c->answer, "Content-Type", "text/plain; charset=utf-8");
	call_count(c->api, routes_count + 1, status);
	call_done(c);
}

static void metrics_run(void *arg)
{
	struct call *c = arg;
	_cleanup_buf_ struct buf out = BUF_MAX(4 * 1024 * 1024);
	struct err err = ERR_INIT;

	if (!metrics_allowed(c->api, c->rq) &&
	    (call_authenticate(c, &err) < 0 || service_authorize(&c->actor, PERM_VIEW, &err) < 0)) {
		call_fail(c, &err);
		return;
	}
	if (metrics_text(c->api, &out, &err) < 0) {
		call_fail(c, &err);
		return;
	}
	c->answer.status = 200;
	c->answer.n = out.n;
	c->answer.body = buf_take(&out);
	http_answer_header(&c->answer, "Content-Type", "text/plain; version=0.0.4; charset=utf-8");
	call_count(c->api, routes_count + 1, 200);
	call_done(c);
}

static void other_request(struct api *a, struct call *c)
{
	const char *path = http_path(c->rq), *method = http_method(c->rq), *why;
	struct err err = ERR_INIT;

	if (!streq(method, "GET") && !streq(method, "HEAD")) {
		err_set(&err, ERR_METHOD, "this path takes GET");
		problem_answer(&c->answer, &err, c->request_id.s, 0);
		http_answer_header(&c->answer, "Allow", "GET, HEAD");
		err_clear(&err);
		call_reply(c);
	} else if (streq(path, "/healthz")) {
		answer_text(c, 200, "ok\n");
	} else if (streq(path, "/readyz")) {
		bool ready = service_ready(a->service, &why) && !a->stopping;

		answer_text(c, ready ? 200 : 503, ready ? "ready\n" : "not ready\n");
	} else if (streq(path, "/metrics")) {
		if (pool_run(a->pool, metrics_run, c, &err) < 0)
			call_fail(c, &err);
	} else {
		site_answer(c->rq, c->request_id.s, &c->answer);
		call_count(a, routes_count, c->answer.status);
		call_reply(c);
	}
}

/* Who asks, when a trusted proxy does it for somebody; false: that one may not. */
static bool judge_source(struct api *a, struct http_request *rq)
{
	const char *forwarded[8];
	union addr client;

	if (!cidr_list_has(&a->source.trusted, http_peer_addr(rq)))
		return true;
	client = source_client(&a->source, http_peer_addr(rq), forwarded,
			       http_header_all(rq, "x-forwarded-for", forwarded, ARRAY_SIZE(forwarded)));
	http_on_behalf(rq, &client);
	return source_may_ask(&a->source, &client);
}

static void on_request(struct http_request *rq, void *arg)
{
	struct api *a = arg;
	bool may = judge_source(a, rq);
	struct call *c = call_new(a, rq);
	const char *path = http_path(rq);

	if (!may) {
		struct err err = ERR_INIT;

		err_set(&err, ERR_DENIED, "not from here");
		call_fail(c, &err);
		return;
	}
	if (!strncmp(path, API_PREFIX "/", strlen(API_PREFIX) + 1)) {
		route_request(a, c, path + strlen(API_PREFIX));
	} else if (str_starts(path, "/download/")) { /* the short address for scripts */
		route_request(a, c, path);
	} else if (str_starts(path, "/api/") || streq(path, "/api")) {
		struct err err = ERR_INIT;

		err_set(&err, ERR_NOT_FOUND, "the API is at " API_PREFIX);
		call_fail(c, &err);
	} else {
		other_request(a, c);
	}
}

/* --- life cycle --------------------------------------------------------------------------------------------------------- */

static void on_commit(const struct touch *t, size_t n, void *arg)
{
	struct api *a = arg;
	bool job = false;

	for (size_t i = 0; i < n; i++) {
		job |= streq(t[i].kind, "job");
		if (streq(t[i].kind, "certificate"))
			tls_touched();
	}
	if (job)
		waits_poke(a);
	hub_touch(a->hub, t, n);
}

static void flush_sums(void *arg)
{
	struct api *a = arg;

	service_audit_flush(a->service, false);
	a->in_flight--;
}

static void on_tick(void *arg)
{
	struct api *a = arg;
	struct err err = ERR_INIT;

	tls_refresh();
	a->in_flight++;
	if (a->stopping || pool_run(a->pool, flush_sums, a, &err) < 0) {
		err_clear(&err); /* at the next tick */
		a->in_flight--;
	}
}

static int bind_one(const char *text, int *ret, struct err *err)
{
	union addr addr;
	_cleanup_close_ int fd = -1;
	int on = 1;

	if (addr_parse(text, &addr, err) < 0)
		return -(int)err->code;
	fd = socket(addr.sa.sa_family, SOCK_STREAM | SOCK_CLOEXEC, 0);
	if (fd < 0)
		return err_set_errno(err, ERR_INVALID, "could not make a socket for '%s'", text);
	setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &on, sizeof on);
	if (addr.sa.sa_family == AF_INET6)
		setsockopt(fd, IPPROTO_IPV6, IPV6_V6ONLY, &on, sizeof on);
	if (bind(fd, &addr.sa, addr_len(&addr)) < 0 || listen(fd, 1024) < 0)
		return err_set_errno(err, ERR_INVALID, "could not listen on '%s'", text);
	*ret = fd;
	fd = -1;
	return 0;
}

static int sockets(struct api *a, const struct api_options *o, struct err *err)
{
	if (o->listen_fds_n) {
		a->fds = xmemdup(o->listen_fds, o->listen_fds_n * sizeof *a->fds);
		a->fds_n = o->listen_fds_n;
		return 0;
	}
	a->fds = xcalloc(o->listen ? o->listen->n + 1 : 1, sizeof *a->fds);
	for (size_t i = 0; o->listen && i < o->listen->n; i++) {
		if (bind_one(o->listen->v[i], &a->fds[i], err) < 0)
			return -(int)err->code;
		a->fds_n++;
	}
	if (!a->fds_n)
		return err_set(err, ERR_INVALID, "the API has no address to listen on");
	return 0;
}

static int sources(struct api *a, struct err *err)
{
	static char *loopback[] = { (char *)(uintptr_t)"127.0.0.0/8", (char *)(uintptr_t)"::1/128" };
	static const struct strlist standard = { .v = loopback, .n = ARRAY_SIZE(loopback) };
	const struct service_config *c = service_config(a->service);
	const struct strlist *metrics = c->metrics_allow && c->metrics_allow->n ? c->metrics_allow : &standard;

	if (cidr_list_read(&a->metrics_allow, metrics, "metrics.allow_from", err) < 0 ||
	    cidr_list_read(&a->source.allow, c->api_allow, "api.allow_from", err) < 0)
		return -(int)err->code;
	return cidr_list_read(&a->source.trusted, c->trusted_proxies, "api.trusted_proxies", err);
}

/* Before the handshake, so that strangers cost nothing and learn nothing. */
static bool admit(void *arg, const union addr *peer)
{
	return source_may_connect(&((struct api *)arg)->source, peer);
}

static int begin(struct api *a, const struct api_options *o, struct err *err)
{
	struct http_options h = { .threads = o->threads ? o->threads : 2, .handler = on_request, .arg = a, .admit = admit, .tick = on_tick };

	if (sources(a, err) < 0 || sockets(a, o, err) < 0 || tls_open(a->service, err) < 0)
		return -(int)err->code;
	a->hub = hub_new(a, err);
	if (!a->hub)
		return -(int)err->code;
	a->pool = pool_new("api", POOL_THREADS, POOL_QUEUE);
	a->slow = pool_new("api-slow", SLOW_THREADS, SLOW_QUEUE);
	if (waits_start(a, err) < 0)
		return -(int)err->code;
	service_on_change(a->service, on_commit, a);
	a->listening = true;
	h.fds = a->fds;
	h.fds_n = a->fds_n;
	return http_start(&h, &a->http, err);
}

int api_start(const struct api_options *o, struct api **ret, struct err *err)
{
	struct api *a = xcalloc(1, sizeof *a);

	a->service = o->service;
	a->counts = xcalloc(routes_count + OTHER_ROUTES, sizeof *a->counts);
	waits_init(a);
	if (begin(a, o, err) < 0) {
		api_stop(a);
		return err_wrap(err, "could not start the API");
	}
	*ret = a;
	return 0;
}

void api_stop(struct api *a)
{
	if (!a)
		return;
	a->stopping = true;
	if (a->http)
		http_quiesce(a->http);
	if (a->hub)
		hub_stop(a->hub);
	/* whoever waits for a job gets 202 at its next look, what is queued gets 503 */
	for (int turn = 0; a->http && a->in_flight && turn < 3000; turn++)
		usleep(10000);
	waits_stop(a);
	if (a->pool)
		pool_free(a->pool);
	if (a->slow)
		pool_free(a->slow);
	if (a->listening)
		service_off_change(a->service, on_commit, a); /* the engine that ends after us still commits */
	if (a->http) {
		http_stop(a->http); /* closes the sockets */
	} else {
		for (size_t i = 0; i < a->fds_n; i++)
			close(a->fds[i]);
	}
	if (a->hub)
		hub_free(a->hub);
	tls_close();
	waits_done(a);
	cidr_list_clear(&a->metrics_allow);
	source_clear(&a->source);
	free(a->counts);
	free(a->fds);
	free(a);
}

bool api_address(const struct api *a, size_t n, union addr *ret)
{
	socklen_t len = sizeof *ret;

	return n < a->fds_n && getsockname(a->fds[n], &ret->sa, &len) == 0;
}

char *api_fingerprint(struct api *a)
{
	(void)a;
	return tls_fingerprint();
}

/* --- two small rows ----------------------------------------------------------------------------------------------------- */

int events_get(struct call *c, struct err *err)
{
	return hub_open(c->api->hub, c, err);
}

int openapi_get(struct call *c, struct err *err)
{
	(void)err;
	c->answer.status = 200;
	c->answer.fixed = openapi_text;
	c->answer.n = openapi_size;
	http_answer_header(&c->answer, "Content-Type", "application/yaml");
	return 0;
}
