/* SPDX-License-Identifier: Apache-2.0 */
/*
 * tcp.c - the listener thread for DNS over TCP (RFC 7766) and HTTP-01: one epoll, a fixed array of connections, each with
 * its buffers. Every limit is in base/limits.h. Nobody keeps a slot: when all are taken, the connection that has been
 * silent longest gives way.
 */
#include "edge/edge.h"
#include "edge/http.h"

#include "base/clock.h"
#include "base/limits.h"
#include "base/log.h"
#include "base/random.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <unistd.h>

#define CONNS (LIMIT_DNS_TCP_CONNECTIONS + LIMIT_HTTP01_CONNECTIONS)
#define EVENTS 256
#define ACCEPTS 64            /* per wake-up of a listening socket */
#define TICK_MS 250
#define MESSAGE_MS 2000       /* a DNS message that has begun must be whole */
#define LINGER_MS 1000        /* after our last byte: let the peer read it before a reset could destroy it */
#define AGE_MS (60 * 1000)    /* no HTTP connection lives longer */
#define ACCEPT_PAUSE_MS 200

#define DNS_IN 4096
#define DNS_QUERY_MAX 2048
#define DNS_OUT (2 * (ANSWER_TCP_MAX + 2))
#define HTTP_OUT 4096
#define HTTP_ANSWER_MAX 3072
#define SOURCES 4096 /* counters per source prefix */

#define LISTENER_BIT (UINT64_C(1) << 63)
#define WAKE_BIT (UINT64_C(1) << 62)

struct conn {
	int fd;               /* -1: free */
	uint32_t use;         /* goes up with every use of the slot, so that late events are known */
	bool http, registered, waits_out;
	bool http10;          /* the request was HTTP/1.0 */
	bool ending;          /* close once all is sent */
	bool lingering;       /* all is sent and our side shut: read what comes, until the end or the deadline */
	bool unread;          /* bytes of the peer were left unread: linger */
	unsigned served;
	size_t in_n, out_n, out_at;
	int64_t deadline_ms, born_ms, active_ms;
	int64_t begun_ms;     /* DNS: when the first byte of a message came that is not whole yet; 0: none */
	uint64_t prefix;
	uint8_t *in, *out;
	size_t in_size, out_size;
	uint32_t next_free;
};

struct accepting {
	int fd;
	bool http;
};

struct tcp {
	struct listener *l;
	struct reports *reports;
	int epoll, reserve_fd;
	struct accepting listening[2 * EDGE_FDS_MAX];
	size_t listening_n;
	bool accepting;           /* the listening sockets are in the epoll */
	int64_t accept_again_ms;  /* out of descriptors until then */
	struct conn conns[CONNS];
	uint32_t free[2];         /* heads of the free lists: DNS, HTTP; CONNS: none */
	unsigned open;            /* connections in all */
	uint16_t sources[2][SOURCES];
	uint64_t seed;
	int64_t now_ms, wall_ms, tick_ms;
	int64_t date_s;
	char date[32];
	struct dns_query q;
};

/* ---- slots ---- */

static uint16_t *source_count(struct tcp *t, bool http, uint64_t prefix)
{
	uint64_t h = (prefix ^ t->seed) * 0x9e3779b97f4a7c15u;

	return &t->sources[http][(h >> 40) % SOURCES];
}

static void slots_init(struct tcp *t)
{
	/* never touched is never resident */
	uint8_t *space = xcalloc(1, (size_t)LIMIT_DNS_TCP_CONNECTIONS * (DNS_IN + DNS_OUT) +
					    (size_t)LIMIT_HTTP01_CONNECTIONS * (LIMIT_HTTP01_HEAD + HTTP_OUT));

	t->free[0] = t->free[1] = CONNS;
	for (uint32_t i = CONNS; i--;) {
		struct conn *c = &t->conns[i];

		c->fd = -1;
		c->http = i >= LIMIT_DNS_TCP_CONNECTIONS;
		c->in_size = c->http ? LIMIT_HTTP01_HEAD : DNS_IN;
		c->out_size = c->http ? HTTP_OUT : DNS_OUT;
		c->in = space;
		c->out = space + c->in_size;
		space += c->in_size + c->out_size;
		c->next_free = t->free[c->http];
		t->free[c->http] = i;
	}
}

static void conn_close(struct tcp *t, struct conn *c)
{
	close_p(&c->fd);
	c->fd = -1;
	c->use++;
	t->open--;
	--*source_count(t, c->http, c->prefix);
	c->next_free = t->free[c->http];
	t->free[c->http] = (uint32_t)(c - t->conns);
}

static void evict_oldest(struct tcp *t, bool http)
{
	size_t from = http ? LIMIT_DNS_TCP_CONNECTIONS : 0, to = http ? CONNS : LIMIT_DNS_TCP_CONNECTIONS;
	struct conn *oldest = NULL;

	for (size_t i = from; i < to; i++)
		if (t->conns[i].fd >= 0 && (!oldest || t->conns[i].active_ms < oldest->active_ms))
			oldest = &t->conns[i];
	if (oldest)
		conn_close(t, oldest);
}

/* ---- epoll ---- */

static bool watch(struct tcp *t, struct conn *c, bool out)
{
	struct epoll_event ev = { .events = out ? EPOLLOUT : EPOLLIN };

	if (c->registered && c->waits_out == out)
		return true;
	ev.data.u64 = (uint64_t)c->use << 16 | (uint64_t)(c - t->conns);
	ev.data.u64 &= ~(LISTENER_BIT | WAKE_BIT);
	if (epoll_ctl(t->epoll, c->registered ? EPOLL_CTL_MOD : EPOLL_CTL_ADD, c->fd, &ev) < 0)
		return false;
	c->registered = true;
	c->waits_out = out;
	return true;
}

/* ---- DNS ---- */

static void dns_answer_one(struct tcp *t, struct conn *c, const uint8_t *p, size_t n)
{
	uint8_t *out = c->out + c->out_n;
	struct answer a;

	answer_build(t->l->table, p, n, true, out + 2, ANSWER_TCP_MAX, &t->q, &a);
	if (a.kind == ANSWER_NONE) {
		c->ending = true; /* an answer where a question belongs: nothing to talk about */
		return;
	}
#ifdef EDGE_SELFTEST
	selftest_query(&t->q);
#endif
	out[0] = (uint8_t)(a.n >> 8);
	out[1] = (uint8_t)a.n;
	c->out_n += a.n + 2;
	reports_total(t->reports, FEED_TCP, t->q.qtype, a.rcode);
	if (a.node)
		reports_note(t->reports, &(struct report_key){
			.uid = a.node->uid, .prefix = c->prefix, .qtype = t->q.qtype, .status = a.rcode, .answers = a.answers,
			.transport = FEED_TCP, .name = a.node->name, .name_n = a.node->name_n }, t->wall_ms);
}

/* Answers the whole messages that have arrived, as long as there is room; returns the bytes used up. */
static size_t dns_process(struct tcp *t, struct conn *c)
{
	size_t at = 0;

	while (!c->ending && c->in_n - at >= 2 && c->out_size - c->out_n >= ANSWER_TCP_MAX + 2) {
		size_t n = (size_t)c->in[at] << 8 | c->in[at + 1];

		if (n > DNS_QUERY_MAX || n < DNS_HEADER) {
			c->ending = c->unread = true;
			break;
		}
		if (c->in_n - at - 2 < n)
			break;
		dns_answer_one(t, c, c->in + at + 2, n);
		at += 2 + n;
		c->active_ms = t->now_ms;
		c->deadline_ms = t->now_ms + LIMIT_DNS_TCP_IDLE_S * 1000;
		if (++c->served >= LIMIT_DNS_TCP_QUERIES)
			c->ending = c->unread = true;
	}
	if (at == c->in_n)
		c->begun_ms = 0;
	else if (at || !c->begun_ms)
		c->begun_ms = t->now_ms;
	if (c->begun_ms) /* a message that has begun may not trickle in */
		c->deadline_ms = MIN(c->deadline_ms, c->begun_ms + MESSAGE_MS);
	return at;
}

/* ---- HTTP ---- */

static const char *http_date(struct tcp *t)
{
	static const char days[7][4] = { "Thu", "Fri", "Sat", "Sun", "Mon", "Tue", "Wed" };
	static const char months[12][4] = { "Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec" };
	int64_t s = t->wall_ms / 1000;
	char text[CLOCK_TEXT];
	unsigned month;

	if (s == t->date_s)
		return t->date;
	clock_format(t->wall_ms, text); /* 2026-11-23T18:45:31.123Z */
	month = (unsigned)((text[5] - '0') * 10 + text[6] - '0' - 1) % 12;
	snprintf(t->date, sizeof t->date, "%s, %.2s %s %.4s %.8s GMT", days[s / 86400 % 7], text + 8, months[month], text, text + 11);
	t->date_s = s;
	return t->date;
}

static void http_put(struct tcp *t, struct conn *c, const char *status, const char *more, struct str body, size_t length)
{
	char *out = (char *)c->out + c->out_n;
	const char *connection = c->ending ? "Connection: close\r\n" : c->http10 ? "Connection: keep-alive\r\n" : "";
	int n;

	reports_total(t->reports, FEED_HTTP01, 0, (uint16_t)((status[0] - '0') * 100 + (status[1] - '0') * 10 + status[2] - '0'));
	n = snprintf(out, HTTP_ANSWER_MAX, "HTTP/1.1 %s\r\nDate: %s\r\n%sContent-Length: %zu\r\n%s\r\n", status, http_date(t),
			 more, length, connection);

	if (n < 0 || (size_t)n + body.n >= HTTP_ANSWER_MAX) {
		c->ending = true;
		return;
	}
	if (body.n)
		memcpy(out + n, body.p, body.n);
	c->out_n += (size_t)n + body.n;
}

#define LOCATION_MAX 2048
static void http_answer_other(struct tcp *t, struct conn *c, const struct http_request *q)
{
	char more[LOCATION_MAX + 32];

	if (t->l->edge->settings.redirect_https && (q->get || q->head) && http_may_redirect(q) &&
	    q->host.n + q->target.n < LOCATION_MAX - 16) {
		size_t host = q->host.n;

		/* without the port they came to, which is not the one of https */
		for (size_t i = host; i > 0 && q->host.p[i - 1] != ']'; i--)
			if (q->host.p[i - 1] == ':')
				host = i - 1;
		snprintf(more, sizeof more, "Location: https://%.*s%.*s\r\n", (int)host, q->host.p, (int)q->target.n, q->target.p);
		http_put(t, c, "301 Moved Permanently", more, (struct str){ "", 0 }, 0);
		return;
	}
	http_put(t, c, "404 Not Found", "", (struct str){ "", 0 }, 0);
}

static void http_answer(struct tcp *t, struct conn *c, const struct http_request *q)
{
	const struct token *k = NULL;
	struct str body;

	if (q->token.n && (q->get || q->head))
		k = table_token(t->l->table, q->token.p, q->token.n);
	if (!k) {
		http_answer_other(t, c, q);
		return;
	}
	body = (struct str){ k->text + k->token_n, k->value_n };
	http_put(t, c, "200 OK", "Content-Type: application/octet-stream\r\nCache-Control: no-store\r\n",
		 q->head ? (struct str){ "", 0 } : body, body.n);
	reports_note(t->reports, &(struct report_key){
		.uid = k->uid, .prefix = c->prefix, .status = 200, .answers = 1, .transport = FEED_HTTP01,
		.name = (const uint8_t *)k->text, .name_n = k->token_n, .host = q->host }, t->wall_ms);
}

static size_t http_process(struct tcp *t, struct conn *c)
{
	size_t at = 0;

	while (!c->ending && at < c->in_n && c->out_size - c->out_n >= HTTP_ANSWER_MAX) {
		struct http_request q;
		enum http_verdict v = http_read((const char *)c->in + at, c->in_n - at, &q);

		if (v == HTTP_MORE)
			break;
		c->active_ms = t->now_ms;
		if (v == HTTP_BAD) {
			c->ending = c->unread = true;
			http_put(t, c, "400 Bad Request", "", (struct str){ "", 0 }, 0);
			break;
		}
		at += q.head_n;
		c->http10 = q.http10;
		c->served++;
		c->ending = !q.keep_alive || c->served >= LIMIT_HTTP01_REQUESTS;
		c->unread = c->ending && (at < c->in_n || !(q.get || q.head));
		http_answer(t, c, &q);
		c->deadline_ms = MIN(t->now_ms + LIMIT_HTTP01_S * 1000, c->born_ms + AGE_MS);
	}
	return at;
}

/* ---- connections ---- */

/* Sends what there is. False: the connection is gone. */
static bool flush(struct tcp *t, struct conn *c)
{
	while (c->out_at < c->out_n) {
		ssize_t n = send(c->fd, c->out + c->out_at, c->out_n - c->out_at, MSG_NOSIGNAL | MSG_DONTWAIT);

		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0 && errno == EAGAIN)
			return true;
		if (n < 0) {
			conn_close(t, c);
			return false;
		}
		c->out_at += (size_t)n;
	}
	c->out_at = c->out_n = 0;
	return true;
}

/* All is sent: close, or first let the peer read it. False: the connection is gone. */
static bool finish(struct tcp *t, struct conn *c)
{
	if (!c->unread || shutdown(c->fd, SHUT_WR) < 0) {
		conn_close(t, c);
		return false;
	}
	c->lingering = true;
	c->in_n = 0;
	c->deadline_ms = t->now_ms + LINGER_MS;
	return true;
}

/* Answers what is in the buffer. False: the connection is gone. */
static bool process(struct tcp *t, struct conn *c)
{
	for (;;) {
		size_t used = c->out_n ? 0 : c->http ? http_process(t, c) : dns_process(t, c);

		if (used) {
			c->in_n -= used;
			memmove(c->in, c->in + used, c->in_n);
		}
		if (!c->out_n)
			break;
		if (!flush(t, c))
			return false;
		if (c->out_n)
			return true; /* the rest when the peer reads */
		if (c->ending || !c->in_n)
			break;
	}
	return c->ending ? finish(t, c) : true;
}

static void conn_read(struct tcp *t, struct conn *c)
{
	bool whole = false;

	while (!whole) {
		size_t room = c->lingering ? c->in_size : c->in_size - c->in_n;
		ssize_t n = recv(c->fd, c->in + (c->lingering ? 0 : c->in_n), room, MSG_DONTWAIT);

		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0 && errno == EAGAIN)
			break;
		if (n <= 0) {
			conn_close(t, c);
			return;
		}
		whole = (size_t)n < room; /* a short read has emptied the socket */
		if (c->lingering)
			break;
		c->in_n += (size_t)n;
		if (!process(t, c))
			return;
		if (c->out_n)
			break;
		if (c->in_n == c->in_size) { /* cannot be: both protocols refuse what does not fit */
			conn_close(t, c);
			return;
		}
	}
	if (!watch(t, c, c->out_n > 0))
		conn_close(t, c);
}

static void conn_write(struct tcp *t, struct conn *c)
{
	if (!flush(t, c))
		return;
	if (!c->out_n) {
		c->active_ms = t->now_ms;
		if (!process(t, c))
			return;
	}
	if (!watch(t, c, c->out_n > 0))
		conn_close(t, c);
}

static void conn_open(struct tcp *t, int fd, bool http, const union addr *from)
{
	unsigned per_source = http ? LIMIT_HTTP01_SOURCE : LIMIT_DNS_TCP_SOURCE;
	uint64_t prefix = limit_prefix(from);
	uint16_t *count = source_count(t, http, prefix);
	struct conn *c;

	if (*count >= per_source) {
		close_p(&fd);
		return;
	}
	if (t->free[http] == CONNS)
		evict_oldest(t, http);
	c = &t->conns[t->free[http]];
	t->free[http] = c->next_free;
	++*count;
	t->open++;
	c->fd = fd;
	c->registered = c->waits_out = c->http10 = c->ending = c->lingering = c->unread = false;
	c->served = 0;
	c->in_n = c->out_n = c->out_at = 0;
	c->begun_ms = 0;
	c->prefix = prefix;
	c->born_ms = c->active_ms = t->now_ms;
	c->deadline_ms = t->now_ms + (http ? LIMIT_HTTP01_S : LIMIT_DNS_TCP_IDLE_S) * 1000;
	conn_read(t, c); /* often the question is there already */
}

static void listen_watch(struct tcp *t, bool on)
{
	if (t->accepting == on)
		return;
	for (size_t i = 0; i < t->listening_n; i++) {
		struct epoll_event ev = { .events = EPOLLIN, .data.u64 = LISTENER_BIT | i };

		if (epoll_ctl(t->epoll, on ? EPOLL_CTL_ADD : EPOLL_CTL_DEL, t->listening[i].fd, &ev) < 0)
			log_warning("could not watch a listening socket");
	}
	t->accepting = on;
}

/* Out of descriptors: the reserve takes one connection off the queue and refuses it; then a pause, so that nothing spins. */
static void out_of_descriptors(struct tcp *t, int listening)
{
	int fd;

	close_p(&t->reserve_fd);
	fd = accept4(listening, NULL, NULL, SOCK_CLOEXEC | SOCK_NONBLOCK);
	close_p(&fd);
	t->reserve_fd = fcntl(t->l->wake_fd, F_DUPFD_CLOEXEC, 0);
	listen_watch(t, false);
	t->accept_again_ms = t->now_ms + ACCEPT_PAUSE_MS;
}

static void accept_some(struct tcp *t, const struct accepting *a)
{
	for (int k = 0; k < ACCEPTS; k++) {
		union addr from = { 0 };
		socklen_t n = sizeof from;
		int fd = accept4(a->fd, &from.sa, &n, SOCK_CLOEXEC | SOCK_NONBLOCK);

		if (fd >= 0) {
			conn_open(t, fd, a->http, &from);
			continue;
		}
		if (errno == EMFILE || errno == ENFILE || errno == ENOBUFS || errno == ENOMEM)
			out_of_descriptors(t, a->fd);
		if (errno != EINTR && errno != ECONNABORTED)
			return;
	}
}

static void tick(struct tcp *t)
{
	if (t->now_ms - t->tick_ms < TICK_MS)
		return;
	t->tick_ms = t->now_ms;
	for (size_t i = 0; i < CONNS; i++)
		if (t->conns[i].fd >= 0 && t->conns[i].deadline_ms <= t->now_ms)
			conn_close(t, &t->conns[i]);
}

static void serve(struct tcp *t, const struct epoll_event *ev)
{
	uint64_t id = ev->data.u64;
	struct conn *c;

	if (id & WAKE_BIT) {
		listener_drain(t->l);
		return;
	}
	if (id & LISTENER_BIT) {
		accept_some(t, &t->listening[id & ~LISTENER_BIT]);
		return;
	}
	c = &t->conns[id & 0xffff];
	if (c->fd < 0 || ((uint64_t)c->use << 16 & ~(LISTENER_BIT | WAKE_BIT)) != (id & ~UINT64_C(0xffff)))
		return; /* meant for the one before */
	if (c->waits_out)
		conn_write(t, c);
	else
		conn_read(t, c);
}

static struct tcp *tcp_new(struct listener *l)
{
	struct tcp *t = xcalloc(1, sizeof *t);
	const struct edge *e = l->edge;
	struct epoll_event ev = { .events = EPOLLIN, .data.u64 = WAKE_BIT };

	_Static_assert(CONNS < 65536, "a slot number has 16 bits");
	t->l = l;
	t->seed = random_u64();
	t->reports = reports_new(e->report_fd);
	t->epoll = epoll_create1(EPOLL_CLOEXEC);
	t->reserve_fd = fcntl(l->wake_fd, F_DUPFD_CLOEXEC, 0);
	if (t->epoll < 0 || epoll_ctl(t->epoll, EPOLL_CTL_ADD, l->wake_fd, &ev) < 0)
		abort();
	for (size_t i = 0; i < e->dns_tcp.n; i++)
		t->listening[t->listening_n++] = (struct accepting){ e->dns_tcp.fd[i], false };
	for (size_t i = 0; i < e->http01.n; i++)
		t->listening[t->listening_n++] = (struct accepting){ e->http01.fd[i], true };
	slots_init(t);
	return t;
}

void tcp_run(void *arg)
{
	struct tcp *t = tcp_new(arg);
	static struct epoll_event events[EVENTS];

	listener_ready(t->l);
	for (;;) {
		bool kept;
		int n;

		listener_step(t->l);
		t->now_ms = edge_boot_ms();
		t->wall_ms = edge_wall_ms();
		tick(t);
		kept = reports_flush(t->reports, t->now_ms, false);
		if (t->l->table && !t->accepting && t->now_ms >= t->accept_again_ms)
			listen_watch(t, true);
		n = epoll_wait(t->epoll, events, EVENTS, t->open || kept || (t->l->table && !t->accepting) ? TICK_MS : -1);
		t->now_ms = edge_boot_ms();
		t->wall_ms = edge_wall_ms();
		for (int i = 0; i < n; i++)
			serve(t, &events[i]);
	}
}
