/* SPDX-License-Identifier: Apache-2.0 */
/*
 * http.c - see http.h. libmicrohttpd with its traps avoided: connections are accepted here and handed to one daemon per
 * thread (so several listening sockets are served by all threads), requests sleep by suspend and resume, and a sweeper
 * shuts connections that are past their deadline, since the library knows idle time only.
 */
#include "api/http.h"

#include "api/guard.h"
#include "api/tls.h"
#include "base/file.h"
#include "base/limits.h"
#include "base/log.h"
#include "base/pool.h"
#include "base/stop.h"

#include <errno.h>
#include <microhttpd.h>
#include <poll.h>
#include <pthread.h>
#include <stdio.h>
#include <strings.h>
#include <sys/socket.h>
#include <unistd.h>

#define CONNECTIONS_MAX 1024    /* per daemon */
#define CONNECTIONS_PER_IP 512  /* per daemon */
#define HANDSHAKE_MS (10 * SECOND_MS)
#define HEAD_MS (10 * SECOND_MS)
#define BODY_MS (15 * SECOND_MS)
#define IDLE_MS (75 * SECOND_MS)
#define ANSWER_MS (2 * MINUTE_MS) /* for reading an answer; a stream has none */
#define DRAIN_MAX (4 * 1024 * 1024) /* of a chunked body that is too large: read, then answered */
#define CONNECTION_MEMORY (32 * 1024) /* all of it is touched: with TLS a connection costs some 45 kB */

struct conn {
	struct conn *next, *prev;
	int fd;
	_Atomic int64_t until_ms; /* boot time; 0 = none */
};

struct http_server {
	http_handler *handler;
	bool (*admit)(void *arg, const union addr *peer);
	void (*tick)(void *arg);
	void *arg;
	int *fds;
	size_t fds_n;
	struct MHD_Daemon **daemons;
	unsigned threads, turn;
	struct stop stop;
	uint64_t accept_thread;
	bool accepting;
	pthread_mutex_t lock; /* the list of connections */
	struct conn *conns;
};

struct header {
	char *name, *value;
};

struct http_request {
	struct http_server *server;
	struct MHD_Connection *connection;
	char *path, *query;
	char method[16];
	struct header *headers;
	size_t headers_n, headers_cap;
	struct buf body;
	size_t drained;
	bool seen_head, too_large, dispatched;
	union addr peer;
	char peer_text[ADDR_TEXT];
	struct guard guard;
	char *uri; /* whole, for the guard */

	pthread_mutex_t lock;
	bool answered, suspended;
	struct http_answer answer;
};

struct http_stream {
	pthread_mutex_t lock;
	struct MHD_Connection *connection; /* NULL until queued and after the end */
	struct buf waiting;
	size_t at;
	bool suspended, ended, gone;
	unsigned refs;
};

/* --- the answer ------------------------------------------------------------------------------------------------------- */

void http_answer_header(struct http_answer *a, const char *name, const char *value)
{
	char *v = xstrdup(value);

	assert(a->headers_n < HTTP_HEADERS_MAX);
	for (char *p = v; *p; p++)
		if ((unsigned char)*p < 32 || (unsigned char)*p >= 127)
			*p = '_';
	a->headers[a->headers_n].name = name;
	a->headers[a->headers_n++].value = v;
}

void http_answer_clear(struct http_answer *a)
{
	for (size_t i = 0; i < a->headers_n; i++)
		free(a->headers[i].value);
	if (a->body) {
		explicit_bzero(a->body, a->n);
		free(a->body);
	}
	if (a->stream) { /* never sent */
		pthread_mutex_lock(&a->stream->lock);
		a->stream->ended = a->stream->gone = true;
		pthread_mutex_unlock(&a->stream->lock);
		http_stream_unref(a->stream);
	}
	memset(a, 0, sizeof *a);
}

static void wiping_free(void *cls)
{
	struct buf *b = cls;

	buf_done_wipe(b);
	free(b);
}

/* A body that is wiped after sending: the library gets a copy it gives back to us. */
static ssize_t body_reader(void *cls, uint64_t pos, char *to, size_t max)
{
	const struct buf *b = cls;
	size_t n;

	if (pos >= b->n)
		return MHD_CONTENT_READER_END_OF_STREAM;
	n = MIN(max, b->n - (size_t)pos);
	memcpy(to, b->p + pos, n);
	return (ssize_t)n;
}

static ssize_t stream_reader(void *cls, uint64_t pos, char *to, size_t max)
{
	struct http_stream *s = cls;
	ssize_t n = 0;

	(void)pos;
	pthread_mutex_lock(&s->lock);
	if (s->at < s->waiting.n) {
		n = (ssize_t)MIN(max, s->waiting.n - s->at);
		memcpy(to, s->waiting.p + s->at, (size_t)n);
		s->at += (size_t)n;
		if (s->at == s->waiting.n) {
			buf_reset(&s->waiting);
			s->at = 0;
		}
	} else if (s->ended) {
		n = MHD_CONTENT_READER_END_OF_STREAM;
	} else {
		MHD_suspend_connection(s->connection);
		s->suspended = true;
	}
	pthread_mutex_unlock(&s->lock);
	return n;
}

static void stream_over(void *cls)
{
	struct http_stream *s = cls;

	pthread_mutex_lock(&s->lock);
	s->gone = true;
	s->ended = true;
	s->suspended = false;
	s->connection = NULL;
	pthread_mutex_unlock(&s->lock);
	http_stream_unref(s);
}

static ssize_t nothing_reader(void *arg, uint64_t at, char *p, size_t max)
{
	(void)arg;
	(void)at;
	(void)p;
	(void)max;
	return MHD_CONTENT_READER_END_OF_STREAM;
}

static struct MHD_Response *make_response(struct MHD_Connection *connection, struct http_answer *a)
{
	struct MHD_Response *r;

	if (a->stream) {
		a->stream->connection = connection;
		r = MHD_create_response_from_callback(MHD_SIZE_UNKNOWN, 4096, stream_reader, a->stream, stream_over);
		if (r)
			a->stream = NULL; /* stream_over gives it back */
	} else if (a->unsized) {
		r = MHD_create_response_from_callback(MHD_SIZE_UNKNOWN, 1, nothing_reader, NULL, NULL);
	} else if (a->fixed || !a->n) {
		union {
			const void *from;
			void *to;
		} borrowed = { .from = a->fixed ? a->fixed : "" };

		r = MHD_create_response_from_buffer(a->n, borrowed.to, MHD_RESPMEM_PERSISTENT);
	} else {
		struct buf *b = xcalloc(1, sizeof *b);

		*b = (struct buf){ .p = a->body, .n = a->n, .cap = a->n, .max = a->n };
		a->body = NULL;
		r = MHD_create_response_from_callback(b->n, 16384, body_reader, b, wiping_free);
		if (!r)
			wiping_free(b);
	}
	if (!r)
		return NULL;
	for (size_t i = 0; i < a->headers_n; i++)
		if (MHD_add_response_header(r, a->headers[i].name, a->headers[i].value) != MHD_YES)
			log_warning("could not add header to answer", "header", a->headers[i].name);
	if (a->close && MHD_add_response_header(r, MHD_HTTP_HEADER_CONNECTION, "close") != MHD_YES)
		log_warning("could not add header to answer", "header", "Connection");
	return r;
}

static void deadline(struct MHD_Connection *connection, int64_t in_ms);

static enum MHD_Result queue_answer(struct http_request *rq)
{
	bool stream = rq->answer.stream;
	struct MHD_Response *r = make_response(rq->connection, &rq->answer);
	enum MHD_Result ok;

	if (!r)
		return MHD_NO;
	deadline(rq->connection, stream ? 0 : ANSWER_MS);
	ok = MHD_queue_response(rq->connection, rq->answer.status, r);
	MHD_destroy_response(r);
	return ok;
}

void http_reply(struct http_request *rq, struct http_answer *a)
{
	pthread_mutex_lock(&rq->lock);
	assert(!rq->answered);
	rq->answer = *a;
	memset(a, 0, sizeof *a);
	rq->answered = true;
	if (rq->suspended) {
		rq->suspended = false;
		MHD_resume_connection(rq->connection);
	}
	pthread_mutex_unlock(&rq->lock);
}

/* --- streams ---------------------------------------------------------------------------------------------------------- */

struct http_stream *http_stream_new(void)
{
	struct http_stream *s = xcalloc(1, sizeof *s);

	pthread_mutex_init(&s->lock, NULL);
	s->waiting.max = HTTP_STREAM_MAX;
	s->refs = 1;
	return s;
}

struct http_stream *http_stream_ref(struct http_stream *s)
{
	pthread_mutex_lock(&s->lock);
	s->refs++;
	pthread_mutex_unlock(&s->lock);
	return s;
}

void http_stream_unref(struct http_stream *s)
{
	bool last;

	pthread_mutex_lock(&s->lock);
	last = --s->refs == 0;
	pthread_mutex_unlock(&s->lock);
	if (!last)
		return;
	buf_done(&s->waiting);
	pthread_mutex_destroy(&s->lock);
	free(s);
}

static void stream_resume(struct http_stream *s)
{
	if (s->suspended) {
		s->suspended = false;
		MHD_resume_connection(s->connection);
	}
}

bool http_stream_write(struct http_stream *s, const char *p, size_t n)
{
	bool ok;

	pthread_mutex_lock(&s->lock);
	if (!s->ended) {
		buf_add(&s->waiting, p, n);
		if (s->waiting.failed) /* too slow a reader: it fetches again after it has come back */
			s->ended = true;
		stream_resume(s);
	}
	ok = !s->ended;
	pthread_mutex_unlock(&s->lock);
	return ok;
}

void http_stream_end(struct http_stream *s)
{
	pthread_mutex_lock(&s->lock);
	s->ended = true;
	stream_resume(s);
	pthread_mutex_unlock(&s->lock);
}

bool http_stream_gone(struct http_stream *s)
{
	bool gone;

	pthread_mutex_lock(&s->lock);
	gone = s->gone;
	pthread_mutex_unlock(&s->lock);
	return gone;
}

/* --- the request ------------------------------------------------------------------------------------------------------ */

const char *http_method(const struct http_request *rq)
{
	return rq->method;
}

const char *http_path(const struct http_request *rq)
{
	return rq->path;
}

const char *http_query(const struct http_request *rq)
{
	return rq->query;
}

const char *http_header(const struct http_request *rq, const char *name)
{
	for (size_t i = 0; i < rq->headers_n; i++)
		if (str_case_eq(rq->headers[i].name, name))
			return rq->headers[i].value;
	return NULL;
}

size_t http_header_all(const struct http_request *rq, const char *name, const char **ret, size_t max)
{
	size_t n = 0;

	for (size_t i = 0; i < rq->headers_n && n < max; i++)
		if (str_case_eq(rq->headers[i].name, name))
			ret[n++] = rq->headers[i].value;
	return n;
}

const char *http_body(const struct http_request *rq, size_t *ret_n)
{
	*ret_n = rq->body.n;
	return buf_text(&rq->body);
}

const char *http_peer(const struct http_request *rq)
{
	return rq->peer_text;
}

const union addr *http_peer_addr(const struct http_request *rq)
{
	return &rq->peer;
}

void http_on_behalf(struct http_request *rq, const union addr *client)
{
	rq->peer = *client;
	addr_format_ip(client, rq->peer_text);
}

static void request_free(struct http_request *rq)
{
	for (size_t i = 0; i < rq->headers_n; i++) {
		explicit_bzero(rq->headers[i].value, strlen(rq->headers[i].value)); /* cookies and tokens */
		free(rq->headers[i].name);
		free(rq->headers[i].value);
	}
	free(rq->headers);
	free(rq->path);
	free(rq->query);
	free(rq->uri);
	buf_done_wipe(&rq->body);
	http_answer_clear(&rq->answer);
	pthread_mutex_destroy(&rq->lock);
	free(rq);
}

static struct conn *conn_of(struct MHD_Connection *connection)
{
	const union MHD_ConnectionInfo *i = MHD_get_connection_info(connection, MHD_CONNECTION_INFO_SOCKET_CONTEXT);

	return i ? i->socket_context : NULL;
}

static void deadline(struct MHD_Connection *connection, int64_t in_ms)
{
	struct conn *c = conn_of(connection);

	if (c)
		c->until_ms = in_ms ? clock_boot(&clock_system) + in_ms : 0;
}

/* The request line is there: the request begins. */
static void *on_uri(void *cls, const char *uri, struct MHD_Connection *connection)
{
	struct http_request *rq = xcalloc(1, sizeof *rq);
	const char *q = strchr(uri, '?');
	const union MHD_ConnectionInfo *peer = MHD_get_connection_info(connection, MHD_CONNECTION_INFO_CLIENT_ADDRESS);

	rq->server = cls;
	rq->connection = connection;
	rq->uri = xstrdup(uri);
	rq->path = q ? xstrndup(uri, (size_t)(q - uri)) : xstrdup(uri);
	rq->query = xstrdup(q ? q + 1 : "");
	rq->body.max = LIMIT_API_BODY;
	pthread_mutex_init(&rq->lock, NULL);
	if (peer && peer->client_addr) {
		socklen_t n = peer->client_addr->sa_family == AF_INET6 ? sizeof rq->peer.in6 : sizeof rq->peer.in;

		memcpy(&rq->peer, peer->client_addr, n);
		addr_format_ip(&rq->peer, rq->peer_text);
	}
	deadline(connection, HEAD_MS);
	return rq;
}

static enum MHD_Result on_header(void *cls, enum MHD_ValueKind kind, const char *name, size_t name_n, const char *value,
				 size_t value_n)
{
	struct http_request *rq = cls;
	struct header *h;

	(void)kind;
	guard_header(&rq->guard, name, name_n, value, value_n);
	if (rq->guard.bad)
		return MHD_NO;
	if (rq->headers_n == rq->headers_cap) {
		rq->headers_cap = rq->headers_cap ? 2 * rq->headers_cap : 16;
		rq->headers = xrealloc(rq->headers, rq->headers_cap * sizeof *rq->headers);
	}
	h = &rq->headers[rq->headers_n++];
	h->name = xstrdup(name);
	h->value = xstrdup(value ? value : "");
	return MHD_YES;
}

/* An answer this layer makes itself, before the API is asked; the connection ends. */
static enum MHD_Result refuse(struct http_request *rq, unsigned status, const char *title, const char *slug, const char *detail)
{
	struct http_answer a = { .status = status, .close = true };

	http_answer_header(&a, "Content-Type", "application/problem+json");
	http_answer_header(&a, "Cache-Control", "no-store");
	http_answer_header(&a, "X-Content-Type-Options", "nosniff");
	http_answer_header(&a, "Content-Security-Policy", "default-src 'none'; frame-ancestors 'none'");
	http_answer_header(&a, "Referrer-Policy", "no-referrer");
	http_answer_header(&a, "Strict-Transport-Security", "max-age=31536000");
	http_answer_header(&a, "Cross-Origin-Resource-Policy", "same-origin");
	http_answer_header(&a, "X-Frame-Options", "DENY");
	/* constants only: nothing of the request is quoted */
	a.body = xasprintf("{\"type\":\"urn:certwright:error:%s\",\"title\":\"%s\",\"status\":%u,\"detail\":\"%s\"}", slug, title,
			   status, detail);
	a.n = strlen(a.body);
	rq->answered = true;
	rq->answer = a;
	return queue_answer(rq);
}

static enum MHD_Result begin(struct http_request *rq, const char *method, const char *version)
{
	const char *why, *length;

	if (strlen(method) >= sizeof rq->method)
		return refuse(rq, 400, "Invalid input", "invalid", "unknown method");
	memcpy(rq->method, method, strlen(method) + 1);
	MHD_get_connection_values_n(rq->connection, MHD_HEADER_KIND, on_header, rq);
	if (!guard_ok(&rq->guard, rq->uri, version, &why))
		return refuse(rq, 400, "Invalid input", "invalid", why);
	length = http_header(rq, "Content-Length");
	if (length) {
		int64_t n;
		struct err err = ERR_INIT;

		/* a little too large is read and then answered: an answer in the middle is lost to clients that still send */
		if (str_to_i64(length, 0, DRAIN_MAX, &n, &err) == 0) {
			rq->too_large = n > LIMIT_API_BODY;
		} else {
			err_clear(&err);
			return refuse(rq, 413, "Too large", "too-large", "the body is larger than 256 KiB");
		}
	}
	deadline(rq->connection, BODY_MS);
	return MHD_YES;
}

static enum MHD_Result take_body(struct http_request *rq, const char *p, size_t n)
{
	rq->drained += n;
	if (rq->drained > DRAIN_MAX)
		return MHD_NO;
	if (!rq->too_large)
		buf_add(&rq->body, p, n);
	if (rq->body.failed)
		rq->too_large = true;
	return MHD_YES;
}

static enum MHD_Result on_request(void *cls, struct MHD_Connection *connection, const char *url, const char *method,
				  const char *version, const char *upload, size_t *upload_n, void **con_cls)
{
	struct http_request *rq = *con_cls;
	enum MHD_Result result;

	(void)cls;
	(void)url;
	(void)connection;
	if (!rq)
		return MHD_NO;
	if (!rq->seen_head) {
		rq->seen_head = true;
		return begin(rq, method, version);
	}
	if (*upload_n) {
		size_t n = *upload_n;

		*upload_n = 0;
		return rq->answered ? MHD_YES : take_body(rq, upload, n);
	}
	if (!rq->dispatched) {
		if (rq->answered) /* refused above, the body is only drained */
			return MHD_YES;
		rq->dispatched = true;
		deadline(connection, 0);
		if (rq->too_large)
			return refuse(rq, 413, "Too large", "too-large", "the body is larger than 256 KiB");
		rq->server->handler(rq, rq->server->arg);
	}
	pthread_mutex_lock(&rq->lock);
	if (rq->answered) {
		pthread_mutex_unlock(&rq->lock);
		return queue_answer(rq);
	}
	MHD_suspend_connection(connection);
	rq->suspended = true;
	result = MHD_YES;
	pthread_mutex_unlock(&rq->lock);
	return result;
}

static void on_completed(void *cls, struct MHD_Connection *connection, void **con_cls, enum MHD_RequestTerminationCode why)
{
	struct http_request *rq = *con_cls;

	(void)cls;
	(void)why;
	deadline(connection, IDLE_MS);
	if (rq) {
		/* http_reply may still hold the lock for its last instruction */
		pthread_mutex_lock(&rq->lock);
		pthread_mutex_unlock(&rq->lock);
		request_free(rq);
	}
	*con_cls = NULL;
}

/* --- connections and their deadlines ---------------------------------------------------------------------------------- */

static void on_connection(void *cls, struct MHD_Connection *connection, void **socket_context,
			  enum MHD_ConnectionNotificationCode code)
{
	struct http_server *s = cls;
	struct conn *c;

	if (code == MHD_CONNECTION_NOTIFY_STARTED) {
		const union MHD_ConnectionInfo *fd = MHD_get_connection_info(connection, MHD_CONNECTION_INFO_CONNECTION_FD);

		c = xcalloc(1, sizeof *c);
		c->fd = fd ? fd->connect_fd : -1;
		c->until_ms = clock_boot(&clock_system) + HANDSHAKE_MS;
		pthread_mutex_lock(&s->lock);
		c->next = s->conns;
		if (s->conns)
			s->conns->prev = c;
		s->conns = c;
		pthread_mutex_unlock(&s->lock);
		*socket_context = c;
		return;
	}
	c = *socket_context;
	if (!c)
		return;
	pthread_mutex_lock(&s->lock); /* held while freeing: the sweeper must not meet a descriptor that is another's by now */
	if (c->prev)
		c->prev->next = c->next;
	else
		s->conns = c->next;
	if (c->next)
		c->next->prev = c->prev;
	free(c);
	pthread_mutex_unlock(&s->lock);
	*socket_context = NULL;
}

static void sweep(struct http_server *s)
{
	int64_t now = clock_boot(&clock_system);

	pthread_mutex_lock(&s->lock);
	for (struct conn *c = s->conns; c; c = c->next) {
		int64_t until = c->until_ms;

		if (until && now > until && c->fd >= 0)
			shutdown(c->fd, SHUT_RDWR);
	}
	pthread_mutex_unlock(&s->lock);
}

static void accept_one(struct http_server *s, int listener)
{
	union addr peer;
	socklen_t n = sizeof peer;
	int fd = accept4(listener, &peer.sa, &n, SOCK_NONBLOCK | SOCK_CLOEXEC);

	if (fd < 0) {
		if (errno == EMFILE || errno == ENFILE || errno == ENOBUFS || errno == ENOMEM)
			poll(NULL, 0, 50); /* the kernel's queue holds what waits */
		return;
	}
	if (s->admit && !s->admit(s->arg, &peer)) {
		close(fd);
		return;
	}
	/* the library closes fd also when it refuses the connection */
	if (MHD_add_connection(s->daemons[s->turn++ % s->threads], fd, &peer.sa, n) != MHD_YES)
		log_debug("connection was refused, too many are open");
}

static void accept_loop(void *arg)
{
	struct http_server *s = arg;
	struct pollfd *p = xcalloc(s->fds_n + 1, sizeof *p);
	int64_t swept = 0;

	for (size_t i = 0; i < s->fds_n; i++)
		p[i] = (struct pollfd){ .fd = s->fds[i], .events = POLLIN };
	p[s->fds_n] = (struct pollfd){ .fd = s->stop.fd, .events = POLLIN };
	while (!stop_raised(&s->stop)) {
		int64_t now;

		if (poll(p, (nfds_t)s->fds_n + 1, 1000) < 0 && errno != EINTR)
			break;
		for (size_t i = 0; i < s->fds_n; i++)
			if (p[i].revents)
				accept_one(s, p[i].fd);
		now = clock_boot(&clock_system);
		if (now - swept >= SECOND_MS) {
			swept = now;
			sweep(s);
			if (s->tick)
				s->tick(s->arg);
		}
	}
	free(p);
}

/* --- life cycle ------------------------------------------------------------------------------------------------------- */

static size_t unescape_nothing(void *cls, struct MHD_Connection *c, char *s)
{
	(void)cls;
	(void)c;
	return strlen(s);
}

__attribute__((format(printf, 2, 0))) static void on_library_log(void *cls, const char *fmt, va_list ap)
{
	char text[256];

	(void)cls;
	if (!log_enabled(LOG_DEBUG))
		return;
	vsnprintf(text, sizeof text, fmt, ap);
	log_debug("http library", "text", text);
}

static struct MHD_Daemon *start_daemon(struct http_server *s)
{
	return MHD_start_daemon(MHD_USE_INTERNAL_POLLING_THREAD | MHD_USE_EPOLL | MHD_ALLOW_SUSPEND_RESUME | MHD_USE_TLS |
					MHD_USE_NO_LISTEN_SOCKET | MHD_USE_ITC | MHD_USE_ERROR_LOG,
				0, NULL, NULL, on_request, s,
				MHD_OPTION_EXTERNAL_LOGGER, on_library_log, NULL,
				MHD_OPTION_CONNECTION_LIMIT, (unsigned)CONNECTIONS_MAX,
				MHD_OPTION_PER_IP_CONNECTION_LIMIT, (unsigned)CONNECTIONS_PER_IP,
				MHD_OPTION_CONNECTION_MEMORY_LIMIT, (size_t)CONNECTION_MEMORY,
				MHD_OPTION_CONNECTION_TIMEOUT, 60u,
				MHD_OPTION_NOTIFY_CONNECTION, on_connection, s,
				MHD_OPTION_NOTIFY_COMPLETED, on_completed, s,
				MHD_OPTION_URI_LOG_CALLBACK, on_uri, s,
				MHD_OPTION_UNESCAPE_CALLBACK, unescape_nothing, NULL,
				MHD_OPTION_STRICT_FOR_CLIENT, 1,
				MHD_OPTION_HTTPS_PRIORITIES, tls_priorities(),
				MHD_OPTION_HTTPS_CERT_CALLBACK2, tls_certificate_callback(),
				MHD_OPTION_END);
}

int http_start(const struct http_options *o, struct http_server **ret, struct err *err)
{
	struct http_server *s = xcalloc(1, sizeof *s);

	assert(o->threads && o->fds_n);
	s->handler = o->handler;
	s->arg = o->arg;
	s->tick = o->tick;
	s->admit = o->admit;
	s->threads = o->threads;
	s->fds = xmemdup(o->fds, o->fds_n * sizeof *o->fds);
	s->fds_n = o->fds_n;
	pthread_mutex_init(&s->lock, NULL);
	stop_init(&s->stop);
	s->daemons = xcalloc(s->threads, sizeof(struct MHD_Daemon *));
	for (unsigned i = 0; i < s->threads; i++) {
		s->daemons[i] = start_daemon(s);
		if (!s->daemons[i]) {
			http_stop(s);
			return err_set(err, ERR_INTERNAL, "could not start the HTTPS server");
		}
	}
	if (thread_start(&s->accept_thread, "api-accept", accept_loop, s, err) < 0) {
		http_stop(s);
		return err_wrap(err, "could not start the HTTPS server");
	}
	s->accepting = true;
	*ret = s;
	return 0;
}

void http_quiesce(struct http_server *s)
{
	if (!s->accepting)
		return;
	stop_raise(&s->stop);
	thread_join(s->accept_thread);
	s->accepting = false;
}

void http_stop(struct http_server *s)
{
	http_quiesce(s);
	for (unsigned i = 0; i < s->threads; i++)
		if (s->daemons[i])
			MHD_stop_daemon(s->daemons[i]);
	for (size_t i = 0; i < s->fds_n; i++)
		close(s->fds[i]);
	stop_done(&s->stop);
	pthread_mutex_destroy(&s->lock);
	free(s->daemons);
	free(s->fds);
	free(s);
}
