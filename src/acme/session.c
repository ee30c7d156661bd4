/* SPDX-License-Identifier: Apache-2.0 */
/*
 * session.c - requests: the gate, nonces, signing on every attempt, and reading what is common to all answers.
 */
#include "acme/private.h"

#include "base/limits.h"

void acme_begin(struct acme_session *s)
{
	acme_refusal_clear(&s->refusal);
	s->nonce_tries = 0;
}

void acme_session_done(struct acme_session *s)
{
	acme_refusal_clear(&s->refusal);
}

/* ---- one request ---- */

static int time_left(const struct acme_session *s, const struct acme_call *c, int64_t *ret_ms, struct err *err)
{
	int64_t ms = s->timeout_ms ? s->timeout_ms : LIMIT_CA_REQUEST_S * SECOND_MS;

	if (s->deadline_boot_ms) {
		int64_t left = s->deadline_boot_ms - clock_boot(s->clock);

		if (left <= 0)
			return err_set(err, ERR_TIMEOUT, "could not %s: the time of this step is over", c->what);
		ms = MIN(ms, left);
	}
	*ret_ms = ms;
	return 0;
}

static int ask_gate(struct acme_session *s, const struct acme_call *c, struct err *err)
{
	if (!s->gate || s->gate(s->gate_data, c->kind, err) == 0)
		return 0;
	acme_refusal_clear(&s->refusal);
	s->refusal.gated = true;
	s->refusal.retry_at_ms = err->retry_at_ms;
	return -(int)err->code;
}

/* Sends q; whatever the answer's status, its nonce and date are taken. */
static int exchange(struct acme_session *s, const struct acme_call *c, struct http_request *q, struct http_response *ret, struct err *err)
{
	struct http_header headers[3] = { { "Accept", c->accept ? c->accept : "application/json" } };
	_cleanup_free_ char *pinned = NULL;

	if (acme_pin(s, acme_ca_url(s->ca), c->url, &pinned, err) < 0)
		return err_wrap(err, "could not %s", c->what);
	if (s->accept_language)
		headers[1] = (struct http_header){ "Accept-Language", s->accept_language };
	if (time_left(s, c, &q->timeout_ms, err) < 0 || ask_gate(s, c, err) < 0)
		return -(int)err->code;
	q->url = pinned;
	q->headers = headers;
	q->rule = s->rule;
	q->max_body = c->max_body;
	s->requests++;
	if (http_do(s->http, q, ret, err) < 0)
		return err_wrap(err, "could not %s", c->what);
	acme_ca_note_date(s->ca, http_header_get(ret, "date"), clock_now(s->clock));
	return 0;
}

static bool is_2xx(const struct http_response *r)
{
	return r->status >= 200 && r->status < 300;
}

int acme_get(struct acme_session *s, const struct acme_call *c, struct http_response *ret, struct err *err)
{
	struct http_request q = { .method = HTTP_GET };

	if (exchange(s, c, &q, ret, err) < 0)
		return -(int)err->code;
	acme_nonce_put(s->ca, http_header_get(ret, "replay-nonce"), clock_boot(s->clock));
	return is_2xx(ret) ? 0 : acme_refused(s, c, ret, err);
}

/* ---- nonces ---- */

static int fetch_nonce(struct acme_session *s, char **ret, struct err *err)
{
	_cleanup_acme_directory_ struct acme_directory d = { 0 };
	_cleanup_http_ struct http_response r = { 0 };
	struct acme_call c = { .kind = ACME_KIND_NONCE, .what = "get a nonce" };
	struct http_request q = { .method = HTTP_HEAD };
	const char *nonce;

	if (acme_directory_load(s, &d, err) < 0)
		return -(int)err->code;
	c.url = d.new_nonce;
	if (exchange(s, &c, &q, &r, err) < 0)
		return -(int)err->code;
	nonce = http_header_get(&r, "replay-nonce");
	if (!is_2xx(&r)) {
		if (r.status == 404)
			acme_ca_forget_directory(s->ca);
		return acme_refused(s, &c, &r, err);
	}
	if (!acme_nonce_usable(nonce))
		return acme_answer_unusable(&c, err, nonce ? "its nonce is empty or not base64url" : "it has no nonce");
	*ret = xstrdup(nonce);
	return 0;
}

static int next_nonce(struct acme_session *s, char **ret, struct err *err)
{
	*ret = acme_nonce_take(s->ca, clock_boot(s->clock));
	return *ret ? 0 : fetch_nonce(s, ret, err);
}

/* ---- signed requests ---- */

static int sign(struct acme_session *s, const struct acme_call *c, const char *nonce, struct buf *jws, struct err *err)
{
	_cleanup_free_ char *pinned = NULL;

	if (!s->signer)
		return err_set(err, ERR_INVALID, "could not %s: there is no account key", c->what);
	if (!c->embed_key && !s->account_url)
		return err_set(err, ERR_INVALID, "could not %s: the account is not registered", c->what);
	if (acme_pin(s, acme_ca_url(s->ca), c->url, &pinned, err) < 0)
		return err_wrap(err, "could not %s", c->what);
	if (c->rollover) {
		if (s->signer->sign_rollover(s->signer, pinned, nonce, s->account_url, jws, err) < 0)
			return err_wrap(err, "could not %s", c->what);
		return 0;
	}
	if (s->signer->sign(s->signer, pinned, nonce, c->embed_key ? NULL : s->account_url, c->payload, jws, err) < 0)
		return err_wrap(err, "could not %s", c->what);
	return 0;
}

/* One attempt. The nonce is used up unless our own gate held it back. */
static int attempt(struct acme_session *s, const struct acme_call *c, const char *nonce, struct http_response *ret, struct err *err)
{
	_cleanup_buf_ struct buf jws = BUF_MAX(512 * 1024);
	struct http_request q = { .method = HTTP_POST, .content_type = "application/jose+json" };

	if (sign(s, c, nonce, &jws, err) < 0)
		return -(int)err->code;
	if (buf_check(&jws, err) < 0)
		return err_wrap(err, "could not %s", c->what);
	q.body = (struct str){ buf_text(&jws), jws.n };
	return exchange(s, c, &q, ret, err);
}

int acme_post(struct acme_session *s, const struct acme_call *c, struct http_response *ret, struct err *err)
{
	_cleanup_free_ char *nonce = NULL;

	if (!s->signer)
		return err_set(err, ERR_INVALID, "could not %s: there is no account key", c->what);
	for (int tries = 0;; tries++) {
		const char *given;

		if (!nonce && next_nonce(s, &nonce, err) < 0)
			return -(int)err->code;
		if (attempt(s, c, nonce, ret, err) < 0) {
			if (s->refusal.gated) /* nothing was sent: it serves the next */
				acme_nonce_put(s->ca, nonce, clock_boot(s->clock));
			return -(int)err->code;
		}
		given = http_header_get(ret, "replay-nonce");
		if (is_2xx(ret)) {
			acme_nonce_put(s->ca, given, clock_boot(s->clock));
			return 0;
		}
		acme_refused(s, c, ret, err);
		if (err->code != ERR_NONCE || tries + 1 == LIMIT_NONCE_TRIES) {
			acme_nonce_put(s->ca, given, clock_boot(s->clock));
			return -(int)err->code;
		}
		/* RFC 8555 6.5: the nonce of this very error has to be used. */
		s->nonce_tries++;
		free(nonce);
		nonce = acme_nonce_usable(given) ? xstrdup(given) : NULL;
		err_clear(err);
		http_response_done(ret);
	}
}

/* ---- answers ---- */

int acme_answer_unusable(const struct acme_call *c, struct err *err, const char *fmt, ...)
{
	_cleanup_free_ char *why = NULL;
	va_list ap;

	va_start(ap, fmt);
	if (vasprintf(&why, fmt, ap) < 0)
		abort();
	va_end(ap);
	return err_set(err, ERR_REMOTE_BAD, "could not %s: the CA's answer cannot be used: %s", c->what, why);
}

int acme_answer_bad(const struct acme_call *c, struct err *why, struct err *err)
{
	_cleanup_free_ char *text = err_text(why);

	err_clear(why);
	return acme_answer_unusable(c, err, "%s", text);
}

/* "application/json", "application/x+json", or nothing said. */
static bool says_json(const struct http_response *r)
{
	const char *v = http_header_get(r, "content-type");
	size_t n = v ? strcspn(v, "; \t") : 0;

	if (!n)
		return true;
	return str_case_is((struct str){ v, n }, "application/json") || str_case_is((struct str){ v, n }, "text/json") ||
	       (n > 5 && str_case_is((struct str){ v + n - 5, 5 }, "+json"));
}

int acme_answer_json(struct acme_session *s, const struct acme_call *c, const struct http_response *r, json_t **ret, struct err *err)
{
	_cleanup_err_ struct err why = ERR_INIT;
	json_t *j = NULL;

	if (!says_json(r)) {
		_cleanup_free_ char *type = str_clean(http_header_get(r, "content-type"),
						      strlen(http_header_get(r, "content-type")), 60);

		/* Not the CA's own words: a proxy or a maintenance page in front of it. */
		s->refusal.scope = ACME_SCOPE_VENDOR;
		s->refusal.status = r->status;
		return acme_answer_unusable(c, err, "status %d with '%s' instead of JSON", r->status, type);
	}
	if (!r->body.n)
		return acme_answer_unusable(c, err, "it is empty");
	if (json_parse(buf_text(&r->body), r->body.n, &j, &why) < 0)
		return acme_answer_bad(c, &why, err);
	if (!json_is_object(j)) {
		json_decref(j);
		return acme_answer_unusable(c, err, "it is not a JSON object");
	}
	*ret = j;
	return 0;
}

int acme_pin(const struct acme_session *s, const char *request_url, const char *ref, char **ret, struct err *err)
{
	_cleanup_err_ struct err why = ERR_INIT;
	_cleanup_url_ struct url base = { 0 }, u = { 0 };

	if (!*ref)
		return err_set(err, ERR_REMOTE_BAD, "the server named an empty address");
	if (url_parse(request_url, false, &base, &why) < 0 || url_resolve(&base, ref, &u, &why) < 0)
		return err_set(err, ERR_REMOTE_BAD, "the server named an unusable address: %s", why.detail);
	return url_pin(acme_ca_parsed(s->ca), s->also_hosts, u.text, ret, err);
}

char *acme_url_to_show(const char *request_url, const char *ref)
{
	_cleanup_err_ struct err ignored = ERR_INIT;
	_cleanup_url_ struct url base = { 0 }, u = { 0 };

	if (!*ref || url_parse(request_url, false, &base, &ignored) < 0)
		return NULL;
	if (url_parse(ref, true, &u, &ignored) == 0)
		return TAKE(u.text);
	err_clear(&ignored);
	return url_resolve(&base, ref, &u, &ignored) == 0 ? TAKE(u.text) : NULL;
}

int acme_location(const struct acme_session *s, const struct acme_call *c, const struct http_response *r, char **ret, struct err *err)
{
	const char *location = http_header_get(r, "location");

	if (str_empty(location))
		return acme_answer_unusable(c, err, "it has no Location");
	if (acme_pin(s, c->url, location, ret, err) < 0)
		return err_wrap(err, "could not %s: Location", c->what);
	return 0;
}

const char *acme_member(const json_t *doc, const char *name, size_t max)
{
	const json_t *v = json_object_get(doc, name);
	const char *s = json_string_value(v);

	return s && *s && json_string_length(v) <= max ? s : NULL;
}

int64_t acme_time(const char *text)
{
	_cleanup_err_ struct err ignored = ERR_INIT;
	int64_t ms = 0;

	return text && clock_parse(text, &ms, &ignored) == 0 ? ms : 0;
}

static bool is_dns_name(const char *s)
{
	size_t n = strlen(s), label = 0;

	if (!n || n > LIMIT_NAME)
		return false;
	for (size_t i = 0; i < n; i++) {
		char c = s[i];

		if (c == '.') {
			if (!label)
				return false;
			label = 0;
		} else if ((c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || c == '-' || c == '_') {
			if (++label > 63)
				return false;
		} else {
			return false;
		}
	}
	return label > 0;
}

int acme_identifier_decode(const json_t *j, char **ret, struct err *err)
{
	const char *type = acme_member(j, "type", 32), *value = acme_member(j, "value", LIMIT_NAME + 2);
	_cleanup_free_ char *name = value ? xstrdup(value) : NULL;

	if (!type || !value)
		return err_set(err, ERR_INVALID, "an identifier without type or value");
	str_lower(name);
	if (streq(type, "ip")) {
		union addr a;
		char text[ADDR_TEXT];

		if (addr_parse_ip(name, &a, err) < 0)
			return -(int)err->code;
		*ret = xstrdup(addr_format_ip(&a, text));
		return 0;
	}
	if (!streq(type, "dns") || !is_dns_name(str_starts(name, "*.") ? name + 2 : name)) {
		_cleanup_free_ char *shown = str_clean(value, strlen(value), 100), *shown_type = str_clean(type, strlen(type), 32);

		return err_set(err, ERR_INVALID, "an identifier that was never ordered: %s '%s'", shown_type, shown);
	}
	*ret = TAKE(name);
	return 0;
}
