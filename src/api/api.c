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
#include "service/record.h"
#include "service/session.h"
#include "service/status.h"
#include "service/token.h"

#include <strings.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <unistd.h>

#define COOKIE "__Host-certwright"
#define PREFIX "/api/v1"
#define POOL_THREADS 4
#define POOL_QUEUE 1024
#define SLOW_THREADS 2
#define SLOW_QUEUE 256
#define JOB_WAIT_MS (2 * SECOND_MS)
#define JOB_LOOK_MS 100

/* --- the end of a call -------------------------------------------------------------------------------------------------- */

static void call_free(struct call *c)
{
	if (c->body) {
		json_decode_free(c->route->body, c->body);
		free(c->body);
	}
	if (c->query) {
		json_decode_free(c->route->query, c->query);
		free(c->query);
	}
	json_decref(c->body_doc);
	json_decref(c->query_doc);
	actor_clear(&c->actor);
	http_answer_clear(&c->answer);
	free(c->id);
	free(c->format);
	free(c->job);
	free(c);
}

static void count(struct api *a, size_t route, unsigned status)
{
	a->counts[route][MIN(status / 100, (unsigned)STATUS_CLASSES - 1)]++;
}

static void call_reply(struct call *c)
{
	struct api *a = c->api;
	struct http_answer answer = TAKE(c->answer);
	struct http_request *rq = c->rq;

	if (c->route) {
		if (!route_answers(c->route, answer.status))
			log_warning("answer with a status the API does not name", "operation", c->route->operation, "status",
				    LOG_NUM(answer.status));
		count(a, (size_t)(c->route - routes), answer.status);
	}
	log_debug("request", "id", c->request_id.s, "method", http_method(rq), "path", http_path(rq), "status", LOG_NUM(answer.status));
	call_free(c);
	http_reply(rq, &answer);
	a->in_flight--;
}

static void call_fail(struct call *c, struct err *err)
{
	int status = err_http_status(err->code);

	if (status >= 500 && status != 502 && status != 504 && err->code != ERR_BUSY) {
		LOG_SCOPE("request", c->request_id.s);
		log_err(LOG_ERROR, "request failed", err);
	}
	if (err->code == ERR_DENIED && c->route)
		service_audit_refused(c->service, &c->actor, "request.refused", c->route->operation, c->id, err->detail);
	problem_answer(&c->answer, err, c->request_id.s, service_time(c->service));
	err_clear(err);
	call_reply(c);
}

static void call_done(struct call *c)
{
	if (!c->answer.stream)
		http_answer_header(&c->answer, "Cache-Control", "no-store");
	answer_security(&c->answer, NULL);
	http_answer_header(&c->answer, "X-Request-Id", c->request_id.s);
	call_reply(c);
}

/* --- what handlers say -------------------------------------------------------------------------------------------------- */

void call_json(struct call *c, unsigned status, json_t *doc)
{
	assert(doc); /* json_pack with a wrong format, or text that is not UTF-8: both are our bugs */
	c->answer.status = status;
	c->answer.body = json_text(doc);
	c->answer.n = strlen(c->answer.body);
	json_decref(doc);
	http_answer_header(&c->answer, "Content-Type", "application/json");
}

void call_empty(struct call *c)
{
	c->answer.status = 204;
}

void call_etag(struct call *c, int64_t rev)
{
	_cleanup_free_ char *v = xasprintf("\"%" PRId64 "\"", rev);

	http_answer_header(&c->answer, "ETag", v);
}

void call_location(struct call *c, const char *collection, const char *id)
{
	_cleanup_free_ char *v = xasprintf(PREFIX "/%s/%s", collection, id);

	http_answer_header(&c->answer, "Location", v);
}

void call_file(struct call *c, const char *type, const char *name, const void *p, size_t n)
{
	_cleanup_free_ char *v = xasprintf("attachment; filename=\"%s\"", name);

	c->answer.status = 200;
	c->answer.body = xmemdup(p, n);
	c->answer.n = n;
	http_answer_header(&c->answer, "Content-Type", type);
	http_answer_header(&c->answer, "Content-Disposition", v);
}

void call_cookie(struct call *c, const struct secret *value)
{
	_cleanup_free_ char *v = value ? xasprintf(COOKIE "=%s; Path=/; Secure; HttpOnly; SameSite=Strict", (const char *)value->p) :
					 xstrdup(COOKIE "=; Path=/; Secure; HttpOnly; SameSite=Strict; Max-Age=0");

	http_answer_header(&c->answer, "Set-Cookie", v);
	explicit_bzero(v, strlen(v));
}

void call_page(struct call *c, json_t *items, const struct list_end *end)
{
	call_json(c, 200, json_pack("{s:o, s:b, s:o}", "items", items, "has_more", end->has_more, "cursor", json_str_or_null(end->cursor)));
}

void call_wait(struct call *c, char *job, call_finish *finish)
{
	c->job = job;
	c->finish = finish;
}

/* --- waiting for jobs --------------------------------------------------------------------------------------------------- */

static void wait_add(struct call *c)
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
static void wait_look(void *arg)
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
		wait_add(c);
	}
}

static void wait_loop(void *arg)
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
			if (pool_run(a->pool, wait_look, c, &err) < 0)
				wait_add(c); /* full: looked at again in a moment */
		}
		pthread_mutex_lock(&a->wait_lock);
	}
	pthread_mutex_unlock(&a->wait_lock);
}

static void on_commit(const struct touch *t, size_t n, void *arg)
{
	struct api *a = arg;
	bool job = false;

	for (size_t i = 0; i < n; i++) {
		job |= streq(t[i].kind, "job");
		if (streq(t[i].kind, "certificate"))
			tls_touched();
	}
	if (job) {
		pthread_mutex_lock(&a->wait_lock);
		if (a->waiting) {
			a->wait_poke = true;
			pthread_cond_signal(&a->wait_cond);
		}
		pthread_mutex_unlock(&a->wait_lock);
	}
	hub_touch(a->hub, t, n);
}

/* --- who asks ----------------------------------------------------------------------------------------------------------- */

/* The session's cookie, copied; NULL when there is none. Two of them are none. */
static char *find_cookie(const struct http_request *rq)
{
	const char *p = http_header(rq, "Cookie");
	char *found = NULL;

	while (p && *p) {
		size_t n;

		p += strspn(p, " ;");
		n = strcspn(p, ";");
		if (n > strlen(COOKIE) && !strncmp(p, COOKIE "=", strlen(COOKIE) + 1)) {
			if (found) {
				explicit_bzero(found, strlen(found));
				free(found);
				return NULL;
			}
			found = xstrndup(p + strlen(COOKIE) + 1, n - strlen(COOKIE) - 1);
		}
		p += n;
	}
	return found;
}

/* Whoever signs in anew leaves the session he had. */
static void note_session(struct call *c)
{
	char *cookie = c->route->flags & ROUTE_LOGIN ? find_cookie(c->rq) : NULL;

	if (!cookie)
		return;
	service_session_note(cookie, &c->actor);
	explicit_bzero(cookie, strlen(cookie));
	free(cookie);
}

static int authenticate(struct call *c, struct err *err)
{
	const char *bearer = http_header(c->rq, "Authorization");
	char *cookie;
	int r = 0;

	if (bearer) {
		if (strlen(bearer) <= 7 || strncasecmp(bearer, "Bearer ", 7) != 0)
			return err_set(err, ERR_UNAUTHENTICATED, "Authorization must be 'Bearer' and an API token");
		return service_token_auth(c->service, bearer + 7, &c->actor, err);
	}
	cookie = find_cookie(c->rq);
	if (cookie) {
		r = service_session_auth(c->service, cookie, &c->actor, err);
		explicit_bzero(cookie, strlen(cookie));
		free(cookie);
	}
	return r;
}

static bool is_safe(const struct call *c)
{
	return streq(c->route->method, "GET");
}

/* Browsers say where a request comes from; ours comes from our own page. */
static int check_site(const struct call *c, struct err *err)
{
	const char *site = http_header(c->rq, "Sec-Fetch-Site"), *origin = http_header(c->rq, "Origin");
	const char *host = http_header(c->rq, "Host");

	if (is_safe(c))
		return 0;
	if (site && !streq(site, "same-origin") && !streq(site, "none"))
		return err_set(err, ERR_DENIED, "this request comes from another site");
	if (origin && (!str_starts(origin, "https://") || !str_case_eq(origin + strlen("https://"), host ? host : "")))
		return err_set(err, ERR_DENIED, "this request comes from another origin");
	return 0;
}

static int check_csrf(const struct call *c, struct err *err)
{
	const char *sent = http_header(c->rq, "X-CSRF-Token");

	if (is_safe(c) || c->actor.kind != ACTOR_SESSION)
		return 0;
	if (!sent || strlen(sent) != strlen(c->actor.csrf) || !mem_eq_secret(sent, c->actor.csrf, strlen(sent))) {
		err_set(err, ERR_DENIED, "the header X-CSRF-Token is missing or not this session's");
		return err_hint(err, "GET /api/v1/session says it.");
	}
	return 0;
}

/* --- decoding ----------------------------------------------------------------------------------------------------------- */

static int decode_body(struct call *c, struct err *err)
{
	const char *type = http_header(c->rq, "Content-Type");
	size_t n;
	const char *p = http_body(c->rq, &n);

	if (!c->route->body) {
		if (n && !(n == 2 && !memcmp(p, "{}", 2)))
			return err_set(err, ERR_INVALID, "this request takes no body");
		return 0;
	}
	/* a form cannot send this type, so a foreign page cannot without asking first */
	if (!type || strncasecmp(type, "application/json", 16) != 0 || (type[16] && type[16] != ';' && type[16] != ' '))
		return err_set(err, ERR_INVALID, "the body must be of type application/json");
	if (json_parse(p, n, &c->body_doc, err) < 0)
		return -(int)err->code;
	c->body = xcalloc(1, c->route->body_size);
	return json_decode(c->body_doc, c->route->body, DECODE_STRICT, c->body, err);
}

static int decode_match(struct call *c, struct err *err)
{
	const char *v = http_header(c->rq, "If-Match");
	_cleanup_free_ char *number = NULL;
	_cleanup_err_ struct err why = ERR_INIT;
	size_t n;

	if (!(c->route->flags & ROUTE_MATCH))
		return 0;
	if (!v) {
		err_set(err, ERR_NEEDS_MATCH, "the header If-Match is needed");
		return err_hint(err, "It holds the ETag of what was read; \"*\" means whatever is there now.");
	}
	if (streq(v, "*"))
		return 0;
	n = strlen(v);
	if (n > 64)
		return err_set(err, ERR_INVALID, "If-Match is too long");
	number = n > 2 && v[0] == '"' && v[n - 1] == '"' ? xstrndup(v + 1, n - 2) : xstrdup("");
	if (str_to_i64(number, 1, INT64_MAX, &c->match, &why) < 0)
		return err_set(err, ERR_CHANGED, "If-Match is no ETag of ours");
	return 0;
}

static int decode_once(struct call *c, struct err *err)
{
	const char *v = http_header(c->rq, "Idempotency-Key");

	if (!v || !(c->route->flags & ROUTE_ONCE))
		return 0;
	if (!*v || strlen(v) > 128)
		return err_set(err, ERR_INVALID, "Idempotency-Key must have 1 to 128 characters");
	c->once.key = v;
	c->once.route = c->route->operation;
	c->once.body = http_body(c->rq, &c->once.body_n);
	return 0;
}

/* --- the way of a call -------------------------------------------------------------------------------------------------- */

static int prepare(struct call *c, struct err *err)
{
	if (check_site(c, err) < 0)
		return -(int)err->code;
	note_session(c);
	if (c->route->permission != PERM_NONE &&
	    (authenticate(c, err) < 0 || service_authorize(&c->actor, c->route->permission, err) < 0 || check_csrf(c, err) < 0))
		return -(int)err->code;
	if (query_decode(c->route, http_query(c->rq), &c->query_doc, &c->query, err) < 0 || decode_body(c, err) < 0 || decode_match(c, err) < 0)
		return -(int)err->code;
	return decode_once(c, err);
}

static void call_run(void *arg)
{
	struct call *c = arg;
	struct err err = ERR_INIT;

	LOG_SCOPE("request", c->request_id.s);
	if (c->api->stopping)
		err_set(&err, ERR_BUSY, "the server is stopping");
	if (err_is(&err) || prepare(c, &err) < 0 || c->route->handler(c, &err) < 0) {
		call_fail(c, &err);
		return;
	}
	if (c->job) {
		c->until_ms = clock_boot(&clock_system) + JOB_WAIT_MS;
		wait_look(c);
		return;
	}
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
	count(c->api, routes_count + 1, status);
	call_done(c);
}

static void metrics_run(void *arg)
{
	struct call *c = arg;
	_cleanup_buf_ struct buf out = BUF_MAX(4 * 1024 * 1024);
	struct err err = ERR_INIT;

	if (!metrics_allowed(c->api, c->rq) &&
	    (authenticate(c, &err) < 0 || service_authorize(&c->actor, PERM_VIEW, &err) < 0)) {
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
	count(c->api, routes_count + 1, 200);
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
		count(a, routes_count, c->answer.status);
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
	if (!strncmp(path, PREFIX "/", strlen(PREFIX) + 1)) {
		route_request(a, c, path + strlen(PREFIX));
	} else if (str_starts(path, "/download/")) { /* the short address for scripts */
		route_request(a, c, path);
	} else if (str_starts(path, "/api/") || streq(path, "/api")) {
		struct err err = ERR_INIT;

		err_set(&err, ERR_NOT_FOUND, "the API is at " PREFIX);
		call_fail(c, &err);
	} else {
		other_request(a, c);
	}
}

/* --- life cycle --------------------------------------------------------------------------------------------------------- */

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
	if (thread_start(&a->wait_thread, "api-wait", wait_loop, a, err) < 0)
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
	pthread_condattr_t attr;

	a->service = o->service;
	a->counts = xcalloc(routes_count + OTHER_ROUTES, sizeof *a->counts);
	pthread_mutex_init(&a->wait_lock, NULL);
	pthread_condattr_init(&attr);
	pthread_condattr_setclock(&attr, CLOCK_MONOTONIC);
	pthread_cond_init(&a->wait_cond, &attr);
	pthread_condattr_destroy(&attr);
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
	if (a->wait_thread) {
		pthread_mutex_lock(&a->wait_lock);
		a->wait_stop = true;
		pthread_cond_signal(&a->wait_cond);
		pthread_mutex_unlock(&a->wait_lock);
		thread_join(a->wait_thread);
	}
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
	pthread_cond_destroy(&a->wait_cond);
	pthread_mutex_destroy(&a->wait_lock);
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
