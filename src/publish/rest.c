/* SPDX-License-Identifier: Apache-2.0 */
/* rest.c - see rest.h. */
#include "publish/rest.h"

#include "base/limits.h"

#define REQUEST_MS (20 * SECOND_MS) /* of one request within the budget */
#define WORDS_MAX 512
#define HEADERS 8

struct rest rest_begin(const struct publish_env *env, const struct publisher *p)
{
	return (struct rest){
		.env = env, .vendor = p->title, .until_ms = clock_boot(env->clock) + (p->timeout_s ? p->timeout_s : 30) * SECOND_MS,
	};
}

int rest_send(const struct rest *r, const struct http_request *q, struct http_response *ret, struct err *err)
{
	static const struct net_rule plain = { .plain_ok = true }; /* who configured http:// means it; no URL comes from the other side */
	struct http_request sent = *q;
	int64_t left = r->until_ms - clock_boot(r->env->clock);

	if (left <= 0)
		return err_set(err, ERR_TIMEOUT, "%s took too long", r->vendor);
	sent.timeout_ms = MIN(left, REQUEST_MS);
	sent.rule = str_starts(q->url, "http://") ? &plain : NULL;
	if (!sent.max_body)
		sent.max_body = LIMIT_PROVIDER_ANSWER;
	if (http_do(r->env->http, &sent, ret, err) < 0)
		return err_wrap(err, "could not ask %s", r->vendor);
	return 0;
}

int rest_send_json(const struct rest *r, const struct http_request *q, json_t *body, struct http_response *ret, struct err *err)
{
	_cleanup_json_ json_t *doc = body;
	_cleanup_free_ char *text = doc ? json_text(doc) : NULL;
	struct http_header headers[HEADERS] = { { "Accept", "application/json" } };
	struct http_request sent = *q;
	size_t n = 1;

	for (const struct http_header *h = q->headers; h && h->name; h++) {
		assert(n < HEADERS - 1);
		headers[n++] = *h;
	}
	sent.headers = headers;
	if (text) {
		sent.content_type = "application/json";
		sent.body = STR(text);
	}
	return rest_send(r, &sent, ret, err);
}

int rest_json(const struct rest *r, const struct http_response *res, json_t **ret, struct err *err)
{
	_cleanup_err_ struct err why = { 0 };

	if (json_parse(buf_text(&res->body), res->body.n, ret, &why) < 0)
		return err_set(err, ERR_REMOTE_BAD, "%s answered HTTP %d with something that is not JSON", r->vendor, res->status);
	return 0;
}

int rest_decode(const struct rest *r, json_t *doc, const struct json_field *fields, void *ret, struct err *err)
{
	_cleanup_err_ struct err why = { 0 };

	if (json_decode(doc, fields, DECODE_LENIENT, ret, &why) < 0)
		return err_set(err, ERR_REMOTE_BAD, "an answer of %s does not have the form it should: %s", r->vendor, why.detail);
	return 0;
}

/* ---- words ---- */

static void hide(char *text, const struct secret *s)
{
	char *at = text;

	if (!s || s->n < 4)
		return;
	while ((at = memmem(at, strlen(at), s->p, s->n))) {
		memset(at, '*', s->n);
		at += s->n;
	}
}

char *rest_words(const struct rest *r, const char *words)
{
	_cleanup_free_ char *plain = xstrdup(words);
	size_t n;

	for (size_t i = 0; i < REST_SECRETS; i++)
		hide(plain, r->secrets[i]);
	n = strlen(plain);
	return str_clean(plain, n, WORDS_MAX);
}

static int with_words(const struct rest *r, const char *code, const char *words, struct err *err)
{
	_cleanup_free_ char *c = code ? rest_words(r, code) : NULL, *w = words ? rest_words(r, words) : NULL;

	return c || w ? err_remote(err, c, w ? w : c) : -(int)err->code;
}

static const char *const says[ERR_COUNT] = {
	[ERR_UNAUTHENTICATED] = "does not accept the credential",
	[ERR_DENIED] = "does not let this credential do that",
	[ERR_REMOTE_LIMIT] = "says that there were too many requests",
	[ERR_REMOTE_BUSY] = "could not serve the request",
	[ERR_REMOTE_BAD] = "answered what it should not",
	[ERR_REMOTE_REFUSED] = "refused the request",
	[ERR_NOT_FOUND] = "does not know what was asked for",
};

int rest_refused_as(const struct rest *r, const struct http_response *res, enum err_code what, const char *code, const char *words,
		    struct err *err)
{
	int64_t now = clock_now(r->env->clock), wait = http_retry_after(res, now, SECOND_MS, DAY_MS);

	assert(says[what]);
	err_set(err, what, "%s %s (HTTP %d)", r->vendor, says[what], res->status);
	if (what == ERR_UNAUTHENTICATED || what == ERR_DENIED)
		err_hint(err, "Check that the credential is still valid and has the rights that are listed beside its form.");
	if (what == ERR_REMOTE_LIMIT && !wait)
		wait = r->limit_ms ? r->limit_ms : MINUTE_MS;
	if (wait && (what == ERR_REMOTE_LIMIT || what == ERR_REMOTE_BUSY))
		err->retry_at_ms = clock_add(now, wait);
	return with_words(r, code, words, err);
}

int rest_refused(const struct rest *r, const struct http_response *res, const char *code, const char *words, struct err *err)
{
	int s = res->status;
	enum err_code what = s == 401		  ? ERR_UNAUTHENTICATED :
			     s == 403		  ? ERR_DENIED :
			     s == 429		  ? ERR_REMOTE_LIMIT :
			     s == 408 || s >= 500 ? ERR_REMOTE_BUSY :
			     s < 400		  ? ERR_REMOTE_BAD :
						    ERR_REMOTE_REFUSED;

	return rest_refused_as(r, res, what, code, words, err);
}

int rest_no_zone(const struct rest *r, const char *name, struct err *err)
{
	err_set(err, ERR_NOT_FOUND, "this credential sees no zone for '%s' at %s", name, r->vendor);
	return err_hint(err, "Give the credential the right to the zone, or choose the provider that holds it.");
}

char *rest_url(const struct field_value *v, size_t n, const char *name, const char *standard)
{
	const char *text = field_text(v, n, name);
	char *url = xstrdup(str_empty(text) ? standard : text);

	for (size_t k = strlen(url); k && url[k - 1] == '/'; k--)
		url[k - 1] = 0;
	return url;
}
