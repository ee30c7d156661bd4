/* SPDX-License-Identifier: Apache-2.0 */
/* call.c - how a call ends, and what its handler says: headers, body, and the counters of the answer. */
#include "api/internal.h"

#include "api/guard.h"
#include "api/problem.h"
#include "base/log.h"
#include "service/audit.h"
#include "service/status.h"

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

void call_count(struct api *a, size_t route, unsigned status)
{
	a->counts[route][MIN(status / 100, (unsigned)STATUS_CLASSES - 1)]++;
}

void call_reply(struct call *c)
{
	struct api *a = c->api;
	struct http_answer answer = TAKE(c->answer);
	struct http_request *rq = c->rq;

	if (c->route) {
		if (!route_answers(c->route, answer.status))
			log_warning("answer with a status the API does not name", "operation", c->route->operation, "status",
				    LOG_NUM(answer.status));
		call_count(a, (size_t)(c->route - routes), answer.status);
	}
	log_debug("request", "id", c->request_id.s, "method", http_method(rq), "path", http_path(rq), "status", LOG_NUM(answer.status));
	call_free(c);
	http_reply(rq, &answer);
	a->in_flight--;
}

void call_fail(struct call *c, struct err *err)
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

void call_done(struct call *c)
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
	_cleanup_free_ char *v = xasprintf(API_PREFIX "/%s/%s", collection, id);

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
	_cleanup_free_ char *v = value ? xasprintf(API_COOKIE "=%s; Path=/; Secure; HttpOnly; SameSite=Strict", (const char *)value->p) :
					 xstrdup(API_COOKIE "=; Path=/; Secure; HttpOnly; SameSite=Strict; Max-Age=0");

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
