/* SPDX-License-Identifier: Apache-2.0 */
/*
 * acme_answer.c - any answer to any call. Input: a letter for the call, three digits of status, then headers and body as on
 * the wire ("a200\nContent-Type: application/json\n\n{}"). Whatever comes: no request leaves for another host, and what is
 * taken is of the right form.
 */
#include "tests/fuzz/fuzz.h"

#include "acme/private.h"
#include "base/limits.h"

#include <strings.h>

#define HOST "https://ca.example/"
#define DIRECTORY                                                                                                      \
	"{\"newNonce\":\"/nonce\",\"newAccount\":\"/acct\",\"newOrder\":\"/order\",\"revokeCert\":\"/revoke\",\"renewalInfo\":\"/ari\",\"keyChange\":\"/kc\"}"

struct fake {
	struct http http;
	const char *p; /* what comes behind the letter */
	size_t n;
	bool for_directory, for_nonce;
	unsigned asked;
};

static void give(const char *p, size_t n, struct http_response *r)
{
	for (int i = 0; i < 3; i++, p++, n--) {
		if (!n || *p < '0' || *p > '9')
			break;
		r->status = r->status * 10 + (*p - '0');
	}
	while (n) {
		const char *nl = memchr(p, '\n', n);
		size_t line = nl ? (size_t)(nl - p) : n;
		const char *colon = memchr(p, ':', line);

		if (colon && colon > p)
			http_header_add(r, p, (size_t)(colon - p), colon + 1, (size_t)(p + line - colon - 1));
		p += MIN(line + 1, n);
		n -= MIN(line + 1, n);
		if (n && *p == '\n') {
			buf_add(&r->body, p + 1, n - 1);
			return;
		}
	}
}

static int perform(struct http *h, const struct http_request *q, struct http_response *r, struct err *err)
{
	struct fake *f = (struct fake *)(void *)h;

	HOLDS(str_starts(q->url, HOST));
	HOLDS(++f->asked < 40);
	r->body.max = q->max_body ? q->max_body : LIMIT_CA_JSON;
	if (streq(q->url, HOST "directory") && !f->for_directory)
		give("200\n\n" DIRECTORY, sizeof "200\n\n" DIRECTORY - 1, r);
	else if (q->method == HTTP_HEAD && !f->for_nonce)
		give("200\nReplay-Nonce: n\n", 20, r);
	else
		give(f->p, f->n, r);
	return r->body.failed ? err_set(err, ERR_REMOTE_BAD, "too large") : 0;
}

static int sign(struct acme_signer *s UNUSED, const char *url, const char *nonce, const char *kid UNUSED, const char *payload UNUSED,
		struct buf *ret, struct err *err UNUSED)
{
	HOLDS(str_starts(url, HOST) && acme_nonce_usable(nonce));
	buf_add_str(ret, "{}");
	return 0;
}

static int eab(struct acme_signer *s UNUSED, const char *url, struct buf *ret, struct err *err UNUSED)
{
	HOLDS(str_starts(url, HOST));
	buf_add_str(ret, "{}");
	return 0;
}

static int rollover(struct acme_signer *s UNUSED, const char *url, const char *nonce, const char *account_url, struct buf *ret,
		    struct err *err UNUSED)
{
	HOLDS(str_starts(url, HOST) && acme_nonce_usable(nonce) && str_starts(account_url, HOST));
	buf_add_str(ret, "{}");
	return 0;
}

/* A host's name has no case (RFC 3986 3.2.2). */
static bool at_host(const char *url)
{
	return strncasecmp(url, HOST, strlen(HOST)) == 0;
}

static void check_order(const struct acme_order *o)
{
	HOLDS(*acme_order_status_text(o->status) && o->names.n && o->names.n <= LIMIT_CA_IDENTIFIERS);
	HOLDS(o->authz_urls.n <= LIMIT_CA_IDENTIFIERS);
	for (size_t i = 0; i < o->authz_urls.n; i++)
		HOLDS(at_host(o->authz_urls.v[i]));
	HOLDS(!o->finalize_url || at_host(o->finalize_url));
	HOLDS(o->status != ACME_ORDER_VALID || at_host(o->certificate_url));
	HOLDS(!o->error.detail || strlen(o->error.detail) <= LIMIT_CA_DETAIL);
}

static void check_authz(const struct acme_authz *a)
{
	HOLDS(*acme_authz_status_text(a->status) && *a->name && a->n_challenges <= LIMIT_CA_CHALLENGES);
	for (size_t i = 0; i < a->n_challenges; i++) {
		const struct acme_challenge *c = &a->challenges[i];

		if (c->type == ACME_CHALLENGE_OTHER)
			continue;
		HOLDS(at_host(c->url) && *acme_challenge_status_text(c->status));
		HOLDS(strlen(c->token) >= LIMIT_CA_TOKEN_MIN && strlen(c->token) <= LIMIT_CA_TOKEN_MAX && str_is_base64url(c->token, strlen(c->token)));
	}
}

static int call(struct acme_session *s, char which, struct err *err)
{
	_cleanup_acme_directory_ struct acme_directory d = { 0 };
	_cleanup_acme_account_ struct acme_account a = { 0 };
	_cleanup_acme_order_ struct acme_order o = { 0 };
	_cleanup_acme_authz_ struct acme_authz z = { 0 };
	_cleanup_acme_challenge_ struct acme_challenge c = { 0 };
	_cleanup_acme_chain_ struct acme_chain chain = { 0 };
	_cleanup_acme_renewal_info_ struct acme_renewal_info info = { 0 };
	char *names_v[] = { (char[]){ "a.test" } };
	char *mails_v[] = { (char[]){ "a@b.test" } };
	struct strlist names = { names_v, 1, 1 }, mails = { mails_v, 1, 1 };
	int r;

	switch (which) {
	case 'd':
		return acme_directory_get(s, &d, err);
	case 'r':
		r = acme_account_register(s, &(struct acme_registration){ .tos_agreed = true, .eab = true }, &a, err);
		HOLDS(r < 0 || at_host(a.url));
		return r;
	case 'f':
		return acme_account_find(s, &a, err);
	case 'g':
		return acme_account_get(s, &a, err);
	case 'n':
		r = acme_order_new(s, &(struct acme_order_request){ .names = &names, .replaces = "a.b" }, &o, err);
		HOLDS(r < 0 || (at_host(o.url) && o.names.n == 1));
		if (r == 0)
			check_order(&o);
		return r;
	case 'u':
		return acme_account_update(s, &mails, true, &a, err);
	case 'x':
		return acme_account_deactivate(s, err);
	case 'y':
		return acme_authz_deactivate(s, HOST "z", err);
	case 'k':
		return acme_key_change(s, err);
	case 'z':
		r = acme_authz_get(s, HOST "z", &z, err);
		if (r == 0)
			check_authz(&z);
		return r;
	case 'a':
		return acme_challenge_accept(s, HOST "c", &c, err);
	case 'c':
		r = acme_certificate_get(s, HOST "cert", &chain, err);
		HOLDS(r < 0 || (str_starts(chain.pem, "-----BEGIN CERTIFICATE-----\n") && chain.n_certificates <= LIMIT_CHAIN_CERTIFICATES));
		return r;
	case 'v':
		return acme_revoke(s, "x", 1, ACME_REASON_NONE, false, err);
	case 'i':
		r = acme_renewal_info_get(s, "a.b", &info, err);
		HOLDS(r < 0 || (info.start_ms < info.end_ms && info.retry_after_ms > 0));
		return r;
	case 'p':
		return acme_order_finalize(s, HOST "o", HOST "f", "x", 1, NULL, &o, err);
	default:
		r = acme_order_get(s, HOST "o", NULL, &o, err);
		if (r == 0)
			check_order(&o);
		return r;
	}
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n)
{
	struct fake f = { { perform }, (const char *)data + 1, n - 1, n && data[0] == 'd', n && data[0] == 'h', 0 };
	struct acme_signer signer = { sign, eab, rollover };
	struct clock clock = clock_fake(INT64_C(1795459531123));
	struct acme_cas *cas = acme_cas_new();
	struct acme_session s = { .http = &f.http, .signer = &signer, .account_url = HOST "acct/1", .clock = &clock };
	_cleanup_err_ struct err err = ERR_INIT;
	int r;

	if (n && acme_ca_get(cas, HOST "directory", &s.ca, &err) == 0) {
		r = call(&s, (char)data[0], &err);
		HOLDS((r < 0) == err_is(&err) && (r == 0 || r == -(int)err.code));
		HOLDS(err.code != ERR_INTERNAL);
	}
	acme_session_done(&s);
	acme_cas_free(cas);
	return 0;
}
