/* SPDX-License-Identifier: Apache-2.0 */
/*
 * http.h - the HTTPS server under the API; the only user of libmicrohttpd is http.c. Nothing of that library shows here.
 *
 * For each complete request (head and body) the handler is called on a server thread. It must not block: it answers at once
 * with http_reply(), or hands the request to another thread, which answers later; the connection sleeps meanwhile. Every
 * request is answered exactly once, and is not touched afterwards.
 *
 * What libmicrohttpd lets through is refused here before the handler sees it (guard.h): two lengths, length and chunked,
 * unknown codings, control characters, two or no Host, %00, repeated credentials. Connections have deadlines for handshake, head,
 * body and idleness; bodies end at LIMIT_API_BODY.
 */
#ifndef API_HTTP_H
#define API_HTTP_H

#include "base/addr.h"
#include "base/buf.h"
#include "base/clock.h"

struct http_server;
struct http_request;
struct http_stream;
struct tls;

typedef void http_handler(struct http_request *rq, void *arg);

struct http_options {
	const int *fds; /* listening sockets, taken over */
	size_t fds_n;
	unsigned threads;
	http_handler *handler;
	void *arg;
	/* Asked for each new connection, on the accepting thread; false: it is closed at once. NULL = all. */
	bool (*admit)(void *arg, const union addr *peer);
	/* Called about once a second on a thread of the server's own. */
	void (*tick)(void *arg);
};
int http_start(const struct http_options *o, struct http_server **ret, struct err *err) MUST_CHECK;
/* No new connections from now on; requests in flight go on. */
void http_quiesce(struct http_server *s);
/* After all requests were answered and all streams ended. */
void http_stop(struct http_server *s);

/* --- the request; all text is borrowed and lives until http_reply --- */
const char *http_method(const struct http_request *rq);
const char *http_path(const struct http_request *rq);  /* as sent, without the query; starts with '/' */
const char *http_query(const struct http_request *rq); /* as sent, "" when there is none */
const char *http_header(const struct http_request *rq, const char *name); /* NULL when absent */
/* Values of that header in order, at most max; how many there are. */
size_t http_header_all(const struct http_request *rq, const char *name, const char **ret, size_t max);
const char *http_body(const struct http_request *rq, size_t *ret_n);      /* NUL-terminated */
const char *http_peer(const struct http_request *rq);                     /* address without port */
const union addr *http_peer_addr(const struct http_request *rq);
/* From now on this is the peer: the client that a trusted proxy asks for. */
void http_on_behalf(struct http_request *rq, const union addr *client);
/* A place for the handler's own state; free it before http_reply. */

/* --- the answer --- */
#define HTTP_HEADERS_MAX 24
struct http_answer {
	unsigned status;
	struct {
		const char *name;
		char *value; /* owned */
	} headers[HTTP_HEADERS_MAX];
	size_t headers_n;
	char *body;         /* owned, wiped and freed */
	const void *fixed;  /* or borrowed for ever */
	size_t n;
	struct http_stream *stream; /* or a stream: a reference, taken */
	bool unsized;       /* HEAD whose length is not known without making the body: no Content-Length */
	bool close;         /* the connection ends */
};
void http_answer_header(struct http_answer *a, const char *name, const char *value); /* copies; control characters become '_' */
void http_answer_clear(struct http_answer *a);
#define _cleanup_http_answer_ __attribute__((cleanup(http_answer_clear)))

/* Takes what a holds. From any thread. */
void http_reply(struct http_request *rq, struct http_answer *a);

/* --- streams: an answer without an end --- */
#define HTTP_STREAM_MAX (64 * 1024) /* what waits for a slow reader before it is dropped */
struct http_stream *http_stream_new(void);
struct http_stream *http_stream_ref(struct http_stream *s);
void http_stream_unref(struct http_stream *s);
/* False when the reader is gone or so slow that the stream was ended. From any thread. */
bool http_stream_write(struct http_stream *s, const char *p, size_t n);
void http_stream_end(struct http_stream *s);
bool http_stream_gone(struct http_stream *s); /* the connection is over */

#endif
