/* SPDX-License-Identifier: Apache-2.0 */
/* authz.c - RFC 8555 7.5: authorizations and challenges. Challenge types that we do not know are data. */
#include "acme/private.h"

#include "base/limits.h"

struct wire_authz {
	const char *status, *expires;
	json_t *identifier, *challenges;
	bool wildcard;
};

static const struct json_field authz_fields[] = {
	JF_STR(struct wire_authz, status, .required = true, .max = 64),
	JF_STR(struct wire_authz, expires, .max = 64),
	JF_JSON(struct wire_authz, identifier, .required = true),
	JF_JSON(struct wire_authz, challenges),
	JF_BOOL(struct wire_authz, wildcard),
	{ 0 }
};

struct wire_challenge {
	const char *type, *url, *status, *token, *validated;
	json_t *error;
};

static const struct json_field challenge_fields[] = {
	JF_STR(struct wire_challenge, type, .required = true, .max = 64),
	JF_STR(struct wire_challenge, url, .required = true, .max = LIMIT_CA_URL),
	JF_STR(struct wire_challenge, status, .required = true, .max = 64),
	JF_STR(struct wire_challenge, token, .required = true, .max = LIMIT_CA_TOKEN_MAX),
	JF_STR(struct wire_challenge, validated, .max = 64),
	JF_JSON(struct wire_challenge, error),
	{ 0 }
};

static enum acme_challenge_type type_of(const char *text)
{
	if (text && streq(text, "http-01"))
		return ACME_CHALLENGE_HTTP01;
	return text && streq(text, "dns-01") ? ACME_CHALLENGE_DNS01 : ACME_CHALLENGE_OTHER;
}

/* A token becomes part of a path and of a TXT record: nothing but base64url. */
static bool token_ok(const char *token)
{
	size_t n = strlen(token);

	return n >= LIMIT_CA_TOKEN_MIN && n <= LIMIT_CA_TOKEN_MAX && str_is_base64url(token, n);
}

static void decode_other(const struct acme_session *s, const struct acme_call *c, const json_t *j, struct acme_challenge *ret)
{
	_cleanup_err_ struct err ignored = ERR_INIT;
	const char *type = acme_member(j, "type", 256), *url = acme_member(j, "url", LIMIT_CA_URL);

	ret->type = ACME_CHALLENGE_OTHER;
	ret->type_text = str_clean(type ? type : "", type ? strlen(type) : 0, 64);
	if (url)
		acme_pin(s, c->url, url, &ret->url, &ignored);
	if (json_is_object(json_object_get(j, "error")))
		acme_problem_decode(json_object_get(j, "error"), c->url, &ret->error);
}

static int decode_challenge(const struct acme_session *s, const struct acme_call *c, json_t *j, struct acme_challenge *ret, struct err *err)
{
	_cleanup_err_ struct err why = ERR_INIT;
	_cleanup_acme_challenge_ struct acme_challenge ch = { .type = type_of(acme_member(j, "type", 64)) };
	struct wire_challenge w = { 0 };
	int status;

	if (ch.type == ACME_CHALLENGE_OTHER) {
		decode_other(s, c, j, ret);
		return 0;
	}
	if (json_decode(j, challenge_fields, DECODE_LENIENT, &w, &why) < 0 ||
	    acme_status_decode(acme_challenge_statuses, ACME_CHALLENGE_STATUSES, w.status, "challenge", &status, &why) < 0)
		return acme_answer_bad(c, &why, err);
	if (!token_ok(w.token))
		return acme_answer_unusable(c, err, "the token of challenge %s is not %d to %d characters of base64url", w.type,
					    LIMIT_CA_TOKEN_MIN, LIMIT_CA_TOKEN_MAX);
	if (acme_pin(s, c->url, w.url, &ch.url, err) < 0)
		return err_wrap(err, "could not %s: challenge %s", c->what, w.type);
	ch.type_text = xstrdup(w.type);
	ch.token = xstrdup(w.token);
	ch.status = (enum acme_challenge_status)status;
	ch.validated_ms = acme_time(w.validated);
	if (json_is_object(w.error))
		acme_problem_decode(w.error, c->url, &ch.error);
	*ret = TAKE(ch);
	return 0;
}

/* Once the authorization is decided, a challenge that cannot be read is no harm. */
static int decode_challenges(const struct acme_session *s, const struct acme_call *c, const json_t *list, struct acme_authz *a,
			     struct err *err)
{
	size_t n = json_array_size(list);

	if (list && !json_is_array(list))
		return acme_answer_unusable(c, err, "challenges is not a list");
	if (n > LIMIT_CA_CHALLENGES)
		return acme_answer_unusable(c, err, "it has %zu challenges, more than %d", n, LIMIT_CA_CHALLENGES);
	if (!n)
		return 0;
	a->challenges = xcalloc(n, sizeof *a->challenges);
	for (size_t i = 0; i < n; i++) {
		_cleanup_err_ struct err why = ERR_INIT;
		json_t *j = json_array_get(list, i);

		if (!json_is_object(j))
			return acme_answer_unusable(c, err, "a challenge is not a JSON object");
		if (decode_challenge(s, c, j, &a->challenges[a->n_challenges], &why) < 0) {
			if (a->status == ACME_AUTHZ_PENDING)
				return err_move(err, &why);
			decode_other(s, c, j, &a->challenges[a->n_challenges]);
		}
		a->n_challenges++;
	}
	return 0;
}

static int decode(const struct acme_session *s, const struct acme_call *c, json_t *doc, struct acme_authz *a, struct err *err)
{
	_cleanup_err_ struct err why = ERR_INIT;
	struct wire_authz w = { 0 };
	int status;

	if (json_decode(doc, authz_fields, DECODE_LENIENT, &w, &why) < 0 ||
	    acme_status_decode(acme_authz_statuses, ACME_AUTHZ_STATUSES, w.status, "authorization", &status, &why) < 0 ||
	    acme_identifier_decode(w.identifier, &a->name, &why) < 0)
		return acme_answer_bad(c, &why, err);
	a->status = (enum acme_authz_status)status;
	a->wildcard = w.wildcard;
	if (str_starts(a->name, "*.")) { /* against RFC 8555 7.1.4, but clear */
		memmove(a->name, a->name + 2, strlen(a->name + 2) + 1);
		a->wildcard = true;
	}
	a->expires_ms = acme_time(w.expires);
	return decode_challenges(s, c, w.challenges, a, err);
}

int acme_authz_get(struct acme_session *s, const char *url, struct acme_authz *ret, struct err *err)
{
	_cleanup_http_ struct http_response r = { 0 };
	_cleanup_acme_authz_ struct acme_authz a = { 0 };
	_cleanup_json_ json_t *doc = NULL;
	struct acme_call c = { .kind = ACME_KIND_AUTHZ, .what = "read the authorization", .url = url };

	acme_begin(s);
	if (acme_post(s, &c, &r, err) < 0 || acme_answer_json(s, &c, &r, &doc, err) < 0 || decode(s, &c, doc, &a, err) < 0)
		return -(int)err->code;
	a.url = xstrdup(url);
	a.retry_after_ms = http_retry_after(&r, clock_now(s->clock), SECOND_MS, DAY_MS);
	*ret = TAKE(a);
	return 0;
}

int acme_authz_deactivate(struct acme_session *s, const char *url, struct err *err)
{
	_cleanup_http_ struct http_response r = { 0 };
	struct acme_call c = { .kind = ACME_KIND_AUTHZ, .what = "deactivate the authorization", .url = url,
			       .payload = "{\"status\":\"deactivated\"}" };

	acme_begin(s);
	return acme_post(s, &c, &r, err);
}

int acme_challenge_accept(struct acme_session *s, const char *url, struct acme_challenge *ret, struct err *err)
{
	_cleanup_http_ struct http_response r = { 0 };
	_cleanup_err_ struct err ignored = ERR_INIT;
	_cleanup_json_ json_t *doc = NULL;
	struct acme_call c = { .kind = ACME_KIND_CHALLENGE, .what = "have the challenge validated", .url = url, .payload = "{}" };

	acme_begin(s);
	if (acme_post(s, &c, &r, err) < 0)
		return -(int)err->code;
	/* It is accepted; what counts from now on is the authorization. */
	if (acme_answer_json(s, &c, &r, &doc, &ignored) == 0)
		decode_challenge(s, &c, doc, ret, &ignored);
	ret->retry_after_ms = http_retry_after(&r, clock_now(s->clock), SECOND_MS, DAY_MS);
	return 0;
}
