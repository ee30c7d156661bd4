/* SPDX-License-Identifier: Apache-2.0 */
/*
 * fake.h - a scripted CA behind struct http. GET of the directory and HEAD of newNonce are answered by themselves unless a test
 * says otherwise; every other request gets the next answer of the script (the last one is repeated). Requests are kept.
 * A request to any other host is counted: nobody may be sent there.
 */
#ifndef TESTS_UNIT_ACME_FAKE_H
#define TESTS_UNIT_ACME_FAKE_H

#include "tests/unit/assert.h"

#include "acme/private.h"
#include "base/limits.h"

#define DIR "https://ca.example/directory"
#define JSON "Content-Type: application/json\r\n"
#define PROBLEM "Content-Type: application/problem+json\r\n"
#define GOOD_DIRECTORY                                                                                                 \
	"{\"newNonce\":\"https://ca.example/nonce\",\"newAccount\":\"https://ca.example/new-acct\","                   \
	"\"newOrder\":\"https://ca.example/new-order\",\"revokeCert\":\"https://ca.example/revoke\","                  \
	"\"keyChange\":\"https://ca.example/key-change\",\"renewalInfo\":\"https://ca.example/ari\","                  \
	"\"meta\":{\"termsOfService\":\"https://ca.example/tos\",\"profiles\":{\"classic\":\"The default\"}}}"

struct answer {
	int status;
	const char *headers; /* lines ended by \r\n */
	const char *body;
	enum err_code fail;  /* instead of an answer */
};

struct asked {
	enum http_method method;
	char *url, *body, *content_type, *accept;
};

struct fake {
	struct http http;
	const struct answer *script;
	size_t n_script, at;
	const struct answer *directory; /* instead of the good one */
	const struct answer *nonce;     /* instead of the good one */
	struct asked asked[64];
	size_t n_asked, foreign, nonces_given;
};

static inline void fake_headers(struct http_response *r, const char *lines)
{
	while (lines && *lines) {
		const char *end = strstr(lines, "\r\n"), *colon = strchr(lines, ':');

		http_header_add(r, lines, (size_t)(colon - lines), colon + 1, (size_t)(end - colon - 1));
		lines = end + 2;
	}
}

static inline int fake_give(const struct answer *a, const struct http_request *q, struct http_response *r, struct err *err)
{
	if (a->fail)
		return err_set(err, a->fail, "TCP: 'ca.example': scripted");
	r->status = a->status;
	fake_headers(r, a->headers);
	r->body.max = q->max_body ? q->max_body : LIMIT_CA_JSON;
	if (a->body && q->method != HTTP_HEAD)
		buf_add_str(&r->body, a->body);
	if (r->body.failed)
		return err_set(err, ERR_REMOTE_BAD, "HTTP: the answer of 'ca.example' is larger than %zu bytes", r->body.max);
	return 0;
}

static inline void fake_note(struct fake *f, const struct http_request *q)
{
	struct asked *k = &f->asked[f->n_asked];

	if (!str_starts(q->url, "https://ca.example/"))
		f->foreign++;
	if (f->n_asked == ARRAY_SIZE(f->asked))
		return;
	k->method = q->method;
	k->url = xstrdup(q->url);
	k->body = q->body.p ? xstrndup(q->body.p, q->body.n) : NULL;
	k->content_type = xstrdup_null(q->content_type);
	for (const struct http_header *x = q->headers; x && x->name; x++)
		if (streq(x->name, "Accept"))
			k->accept = xstrdup(x->value);
	f->n_asked++;
}

static inline int fake_perform(struct http *h, const struct http_request *q, struct http_response *r, struct err *err)
{
	struct fake *f = (struct fake *)(void *)h;
	static const struct answer good_directory = { 200, JSON, GOOD_DIRECTORY, ERR_NONE };

	fake_note(f, q);
	if (streq(q->url, DIR))
		return fake_give(f->directory ? f->directory : &good_directory, q, r, err);
	if (q->method == HTTP_HEAD) {
		_cleanup_free_ char *line = xasprintf("Replay-Nonce: nonce-%zu\r\n", ++f->nonces_given);
		struct answer a = { .status = 200, .headers = line };

		return fake_give(f->nonce ? f->nonce : &a, q, r, err);
	}
	assert_true(f->n_script > 0);
	f->at++;
	return fake_give(&f->script[MIN(f->at, f->n_script) - 1], q, r, err);
}

/* Signs by writing down what was asked for. */
static inline int fake_sign(struct acme_signer *s UNUSED, const char *url, const char *nonce, const char *kid, const char *payload,
			    struct buf *ret, struct err *err UNUSED)
{
	buf_addf(ret, "url=%s nonce=%s %s=%s payload=%s", url, nonce, kid ? "kid" : "jwk", kid ? kid : "", payload ? payload : "(empty)");
	return 0;
}

static inline int fake_eab(struct acme_signer *s UNUSED, const char *url, struct buf *ret, struct err *err UNUSED)
{
	buf_addf(ret, "{\"protected\":\"%s\",\"payload\":\"x\",\"signature\":\"y\"}", url);
	return 0;
}

static inline int fake_rollover(struct acme_signer *s UNUSED, const char *url, const char *nonce, const char *account_url, struct buf *ret,
				struct err *err UNUSED)
{
	buf_addf(ret, "rollover url=%s nonce=%s account=%s", url, nonce, account_url);
	return 0;
}

struct world {
	struct fake fake;
	struct acme_signer signer;
	struct clock clock;
	struct acme_cas *cas;
	struct acme_session s;
	struct err err;
};

static inline void world_init(struct world *w, const struct answer *script, size_t n)
{
	*w = (struct world){ .fake = { .http = { fake_perform }, .script = script, .n_script = n },
			     .signer = { fake_sign, fake_eab, fake_rollover },
			     .clock = clock_fake(INT64_C(1795459531000)),
			     .cas = acme_cas_new() };
	w->s = (struct acme_session){ .http = &w->fake.http, .signer = &w->signer, .clock = &w->clock,
				      .account_url = "https://ca.example/acct/1" };
	ASSERT_OK(acme_ca_get(w->cas, DIR, &w->s.ca, &w->err), &w->err);
}

static inline void world_done(struct world *w)
{
	for (size_t i = 0; i < w->fake.n_asked; i++) {
		free(w->fake.asked[i].url);
		free(w->fake.asked[i].body);
		free(w->fake.asked[i].content_type);
		free(w->fake.asked[i].accept);
	}
	ASSERT_INT(w->fake.foreign, 0);
	acme_session_done(&w->s);
	acme_cas_free(w->cas);
	err_clear(&w->err);
}
#define _cleanup_world_ __attribute__((cleanup(world_done)))

/* The last request. */
static inline const struct asked *last_asked(const struct world *w)
{
	return &w->fake.asked[w->fake.n_asked - 1];
}

#define ORDER_HEAD "Location: https://ca.example/order/1\r\n" JSON
#define ORDER_BODY(status, more)                                                                                       \
	"{\"status\":\"" status "\",\"identifiers\":[{\"type\":\"dns\",\"value\":\"b.test\"},{\"type\":\"dns\",\"value\":\"a.test\"}]," \
	"\"authorizations\":[\"https://ca.example/authz/1\",\"https://ca.example/authz/2\"],"                          \
	"\"finalize\":\"https://ca.example/finalize/1\"" more "}"
#define TOKEN "DGyRejmCefe7v4NfDGDKfA-_0123456789"
#define AUTHZ(status, more)                                                                                            \
	"{\"status\":\"" status "\",\"identifier\":{\"type\":\"dns\",\"value\":\"a.test\"},\"challenges\":[" more "]}"
#define CHALLENGE(type, url, token, status)                                                                            \
	"{\"type\":\"" type "\",\"url\":\"" url "\",\"token\":\"" token "\",\"status\":\"" status "\"}"
#define P(type, more) "{\"type\":\"urn:ietf:params:acme:error:" type "\"" more "}"
#define CERT "-----BEGIN CERTIFICATE-----\nMAMCAQE=\n-----END CERTIFICATE-----\n"

static inline struct strlist two_names(void)
{
	struct strlist l = { 0 };

	strlist_add(&l, "a.test");
	strlist_add(&l, "B.test");
	return l;
}

#endif
