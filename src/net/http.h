/* SPDX-License-Identifier: Apache-2.0 */
/*
 * http.h - one HTTP request. Whoever calls out holds a struct http *: in the product the libcurl client of client.h, in
 * tests a script.
 *
 * An answer of any status is success here; the caller judges it. There are no redirects, no cookies, no content decoding.
 * An error is: INVALID (URL, forbidden address, text of the rule), NETWORK (name look-up, proxy, TCP, TLS, broken HTTP),
 * TIMEOUT, REMOTE_BAD (answer larger than allowed), BUSY (we are stopping). Its sentence begins with the leg that failed and
 * ret->leg says it as data.
 */
#ifndef NET_HTTP_H
#define NET_HTTP_H

#include "base/buf.h"
#include "net/policy.h"

enum http_method { HTTP_GET, HTTP_HEAD, HTTP_POST, HTTP_PUT, HTTP_PATCH, HTTP_DELETE };
const char *http_method_text(enum http_method m);

/* How far a request came when it failed. */
enum net_leg { NET_LEG_NONE, NET_LEG_URL, NET_LEG_NAME, NET_LEG_PROXY, NET_LEG_TCP, NET_LEG_TLS, NET_LEG_HTTP };
const char *net_leg_text(enum net_leg l); /* "", "URL", "name look-up", "proxy", "TCP", "TLS", "HTTP" */

struct http_header { /* borrowed */
	const char *name;
	const char *value; /* wiped from our copies after the request */
};

struct http_request {               /* all borrowed during the call */
	enum http_method method;
	const char *url;
	const struct http_header *headers; /* ended by a NULL name; may be NULL. User-Agent is ours */
	const char *content_type;       /* or NULL */
	struct str body;                /* p NULL = none */
	const struct net_rule *rule;    /* or NULL */
	int64_t timeout_ms;             /* whole request; 0 = LIMIT_CA_REQUEST_S */
	int64_t connect_ms;             /* 0 = LIMIT_CONNECT_S */
	size_t max_body;                /* 0 = LIMIT_CA_JSON */
	bool http2;                     /* 2 where the server offers it by ALPN, else 1.1; without it 1.1 */
	bool look_only;                 /* TLS: any certificate is accepted and shown in ret->peer; for HEAD without credentials only */
	/* When set, the body of a 2xx goes here piece by piece and is not kept (event streams). Non-zero ends the request quietly. */
	int (*on_body)(void *data, const char *p, size_t n);
	void *data;
};

struct http_peer {                  /* the server's certificate, when TLS came that far on a new connection */
	char fingerprint[65];       /* SHA-256, lower-case hex; "" = not known */
	char *subject, *issuer;     /* one line each, made safe to show */
	char *names;                /* "DNS:…, IP:…" */
	int64_t not_before_ms, not_after_ms;
};

struct http_response {              /* zero is empty; ret must be empty */
	int status;
	struct {
		char **name;        /* lower case */
		char **value;
		size_t n, cap;
	} headers;                  /* of the final answer, in order, at most LIMIT_CA_HEADERS in all */
	struct buf body;
	char remote[ADDR_TEXT];     /* address really spoken to, of the proxy if there was one */
	enum net_leg leg;           /* where it failed */
	struct http_peer peer;
};

/* First value of the header or NULL; name in any case. */
const char *http_header_get(const struct http_response *r, const char *name);
/* i-th value (0, 1, …) or NULL. */
const char *http_header_nth(const struct http_response *r, const char *name, size_t i);
void http_header_add(struct http_response *r, const char *name, size_t name_n, const char *value, size_t value_n);
/* Media type of the answer without parameters is this one (any case). */
bool http_is_type(const struct http_response *r, const char *type);
/*
 * Link headers (RFC 8288; several headers, comma lists, quoted parameters): the i-th target whose rel has the word.
 * The target is raw: resolve and pin it. Owned by the caller; NULL = no more.
 */
char *http_link_nth(const struct http_response *r, const char *rel, size_t i);
/*
 * Retry-After as a span from now: seconds, or one of the three HTTP dates, judged against our clock; clamped to
 * [min_ms, max_ms] (a date in the past, 0 and negative numbers give min_ms). 0 = none, or unreadable.
 */
int64_t http_retry_after(const struct http_response *r, int64_t now_ms, int64_t min_ms, int64_t max_ms);
int64_t http_retry_after_text(const char *value, int64_t now_ms, int64_t min_ms, int64_t max_ms);

void http_response_done(struct http_response *r);
#define _cleanup_http_ __attribute__((cleanup(http_response_done)))

struct http {
	int (*perform)(struct http *h, const struct http_request *q, struct http_response *ret, struct err *err);
};

static inline int http_do(struct http *h, const struct http_request *q, struct http_response *ret, struct err *err)
{
	return h->perform(h, q, ret, err);
}

#endif
