/* SPDX-License-Identifier: Apache-2.0 */
/*
 * admit.c - from a matched request to a call that its handler may trust: who asks, from which site, and what the tables of its row make
 * of query, body and headers.
 */
#include "api/internal.h"

#include "base/limits.h"
#include "service/session.h"
#include "service/token.h"

#include <strings.h>

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
		if (n > strlen(API_COOKIE) && !strncmp(p, API_COOKIE "=", strlen(API_COOKIE) + 1)) {
			if (found) {
				explicit_bzero(found, strlen(found));
				free(found);
				return NULL;
			}
			found = xstrndup(p + strlen(API_COOKIE) + 1, n - strlen(API_COOKIE) - 1);
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

int call_authenticate(struct call *c, struct err *err)
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

/* --- all of it --- */

int call_admit(struct call *c, struct err *err)
{
	if (check_site(c, err) < 0)
		return -(int)err->code;
	note_session(c);
	if (c->route->permission != PERM_NONE &&
	    (call_authenticate(c, err) < 0 || service_authorize(&c->actor, c->route->permission, err) < 0 || check_csrf(c, err) < 0))
		return -(int)err->code;
	if (query_decode(c->route, http_query(c->rq), &c->query_doc, &c->query, err) < 0 || decode_body(c, err) < 0 || decode_match(c, err) < 0)
		return -(int)err->code;
	return decode_once(c, err);
}
