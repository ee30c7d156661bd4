/* SPDX-License-Identifier: Apache-2.0 */
/* problem.c - see problem.h. */
#include "api/problem.h"

#include "base/json.h"

#include <stdio.h>

void answer_security(struct http_answer *a, const char *csp)
{
	http_answer_header(a, "Content-Security-Policy", csp ? csp : "default-src 'none'; frame-ancestors 'none'; base-uri 'none'");
	http_answer_header(a, "X-Content-Type-Options", "nosniff");
	http_answer_header(a, "Referrer-Policy", "no-referrer");
	http_answer_header(a, "X-Frame-Options", "DENY");
	http_answer_header(a, "Strict-Transport-Security", "max-age=31536000");
	http_answer_header(a, "Cross-Origin-Opener-Policy", "same-origin");
	http_answer_header(a, "Cross-Origin-Resource-Policy", "same-origin");
	http_answer_header(a, "Permissions-Policy", "camera=(), geolocation=(), microphone=()");
}

/* What is shown in place of a sentence that says too much of our insides; that one is in the log, under the request's id. */
static const char *instead(enum err_code code)
{
	if (code == ERR_INTERNAL)
		return "something went wrong in the server; its log says more under this request's id";
	if (code == ERR_STORE)
		return "the server's database cannot be used at the moment and nothing was stored; its log says why";
	if (code == ERR_NO_SPACE)
		return "the server has no space left on its disk and nothing was stored; it goes on by itself when there is room";
	return NULL;
}

static void set_text(json_t *doc, const char *name, const char *text)
{
	if (text)
		json_object_set_new(doc, name, json_string(text));
}

static json_t *document(const struct err *e, const char *instance)
{
	_cleanup_free_ char *type = xasprintf("urn:certwright:error:%s", err_slug(e->code));
	json_t *doc = json_pack("{s:s, s:s, s:i}", "type", type, "title", err_title(e->code), "status", err_http_status(e->code));

	set_text(doc, "instance", instance);
	if (instead(e->code)) {
		set_text(doc, "detail", instead(e->code));
		return doc;
	}
	if (e->field) {
		set_text(doc, "detail", e->detail); /* why is said beside the pointer */
	} else if (e->detail) {
		_cleanup_free_ char *whole = err_text(e); /* with what it came from */

		set_text(doc, "detail", whole);
	}
	set_text(doc, "hint", e->hint);
	set_text(doc, "remote", e->remote);
	set_text(doc, "remote_type", e->remote_type);
	if (e->retry_at_ms) {
		char when[CLOCK_TEXT];

		set_text(doc, "retry_at", clock_format(e->retry_at_ms, when));
	}
	if (e->field) {
		const struct err *root = err_root(e);

		json_object_set_new(doc, "errors",
				    json_pack("[{s:s, s:s}]", "pointer", e->field, "detail",
					      root->detail ? root->detail : e->detail ? e->detail : ""));
	}
	return doc;
}

void problem_answer(struct http_answer *a, const struct err *e, const char *instance, int64_t now_ms)
{
	_cleanup_json_ json_t *doc = document(e, instance);

	http_answer_clear(a);
	a->status = (unsigned)err_http_status(e->code);
	http_answer_header(a, "Content-Type", "application/problem+json");
	http_answer_header(a, "Cache-Control", "no-store");
	answer_security(a, NULL);
	if (instance)
		http_answer_header(a, "X-Request-Id", instance);
	if (e->code == ERR_UNAUTHENTICATED)
		http_answer_header(a, "WWW-Authenticate", "Bearer realm=\"certwright\"");
	if (e->retry_at_ms > now_ms && now_ms) {
		char seconds[24];

		snprintf(seconds, sizeof seconds, "%" PRId64, (e->retry_at_ms - now_ms + 999) / 1000);
		http_answer_header(a, "Retry-After", seconds);
	} else if (e->code == ERR_BUSY) {
		http_answer_header(a, "Retry-After", "1");
	}
	a->body = json_text(doc);
	a->n = strlen(a->body);
}
