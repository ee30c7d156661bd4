/* SPDX-License-Identifier: Apache-2.0 */
/*
 * http.h - a strict reader of HTTP/1.0 and 1.1 requests (RFC 9112), for the HTTP-01 responder; no I/O, no allocation.
 *
 * Lines end in CRLF and nothing else; there is no folding, no blank before a colon, no control character, no body: a
 * request that announces one, or could be read in two ways, is refused and the connection ends, so that no proxy before us can
 * disagree about where the next one begins.
 */
#ifndef EDGE_HTTP_H
#define EDGE_HTTP_H

#include "base/str.h"

enum http_verdict {
	HTTP_MORE,    /* not complete yet */
	HTTP_REQUEST, /* ret is filled in; head_n bytes belong to it */
	HTTP_BAD,     /* not a request we read: 400 and close */
};

struct http_request {
	size_t head_n;         /* bytes of the whole head */
	bool get, head;        /* the method; neither: another one */
	bool http10;
	bool keep_alive;       /* the client wants, and we may, go on with this connection */
	struct str target;     /* as sent */
	struct str host;       /* as sent; empty when there was none */
	struct str token;      /* not empty: target is just /.well-known/acme-challenge/TOKEN */
};

enum http_verdict http_read(const char *p, size_t n, struct http_request *ret);

/* Host as it may stand in a Location: letters, digits, '-', '.', ':', brackets. Target: visible ASCII without quotes. */
bool http_may_redirect(const struct http_request *q);

#endif
