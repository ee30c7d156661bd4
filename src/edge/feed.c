/* SPDX-License-Identifier: Apache-2.0 */
/* feed.c - edge's end of the feed: one core at a time, each packet applied by every listener before it is acknowledged. */
#include "edge/edge.h"
#include "edge/lines.h"

#include "base/clock.h"
#include "base/log.h"
#include "base/notify.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

int64_t edge_boot_ms(void)
{
	struct timespec ts;

	clock_gettime(CLOCK_MONOTONIC_COARSE, &ts);
	return (int64_t)ts.tv_sec * 1000 + ts.tv_nsec / 1000000;
}

int64_t edge_wall_ms(void)
{
	struct timespec ts;

	clock_gettime(CLOCK_REALTIME_COARSE, &ts);
	return (int64_t)ts.tv_sec * 1000 + ts.tv_nsec / 1000000;
}

/* ---- listener side ---- */

static void apply_items(struct listener *l)
{
	struct table *t = l->next ? l->next : l->table;
	struct err err = ERR_INIT;
	struct feed_packet p;
	struct feed_item i;

	if (feed_open(&p, l->edge->packet, l->edge->packet_n, &err) < 0) /* was checked: cannot be */
		abort();
	while (t && feed_next_item(&p, &i, &err) > 0)
		if (i.kind == FEED_HTTP ? l->tokens : l->names)
			table_apply(t, &i);
	err_clear(&err);
	if (t)
		table_set_serial(t, l->edge->serial);
}

static void apply(struct listener *l)
{
	switch (l->edge->packet_type) {
	case FEED_BEGIN:
		l->trash = l->next;
		l->next = table_new(&l->edge->settings);
		break;
	case FEED_ITEMS:
		apply_items(l);
		break;
	case FEED_END:
		if (!l->next)
			break;
		l->trash = l->table;
		l->table = l->next;
		l->next = NULL;
		table_set_serial(l->table, l->edge->serial);
		break;
	case FEED_HELLO:
	case FEED_ACK:
	case FEED_PING:
	case FEED_PONG:
	case FEED_REPORT:
	case FEED_LOG:
		break;
	}
}

static void ring(int fd)
{
	uint64_t one = 1;

	if (write(fd, &one, sizeof one) < 0) {
		/* full: it is readable already */
	}
}

void listener_step(struct listener *l)
{
	uint64_t turn = __atomic_load_n(&l->edge->turn, __ATOMIC_ACQUIRE);

	if (turn == l->done)
		return;
	apply(l);
	__atomic_store_n(&l->done, turn, __ATOMIC_RELEASE);
	ring(l->edge->done_fd);
}

void listener_ready(struct listener *l)
{
	__atomic_store_n(&l->ready, true, __ATOMIC_RELEASE);
	ring(l->edge->done_fd);
}

void listener_drain(struct listener *l)
{
	uint64_t count;

	if (read(l->wake_fd, &count, sizeof count) < 0) {
		/* somebody else's wake-up */
	}
}

/* ---- main thread ---- */

struct connection {
	int fd;
	uint8_t version;     /* of the feed, by core's BEGIN; 0: not agreed yet */
	uint64_t start;      /* of the core that speaks */
	bool loading, loaded;
	bool ack_due;        /* could not be sent at once, */
	bool lines_due;      /* nor could these */
};

struct state {
	struct edge *e;
	struct connection c;
	uint64_t applied, loaded_by;
	bool ever;
	uint8_t in[FEED_PACKET];
	struct feed_builder out;
};

static bool all_done(const struct edge *e)
{
	for (size_t i = 0; i < e->listeners_n; i++)
		if (__atomic_load_n(&e->listeners[i].done, __ATOMIC_ACQUIRE) != e->turn)
			return false;
	return true;
}

static void wait_for_listeners(struct edge *e)
{
	struct pollfd pfd = { .fd = e->done_fd, .events = POLLIN };
	uint64_t count;

	if (poll(&pfd, 1, -1) > 0 && read(e->done_fd, &count, sizeof count) < 0) {
		/* looked at again */
	}
}

void feed_wait_ready(struct edge *e)
{
	for (size_t i = 0; i < e->listeners_n; i++)
		while (!__atomic_load_n(&e->listeners[i].ready, __ATOMIC_ACQUIRE))
			wait_for_listeners(e);
}

/* Hands a packet to every listener and returns when each has applied it. */
static void hand_over(struct edge *e, enum feed_type type, const uint8_t *p, size_t n)
{
	e->packet = p;
	e->packet_n = n;
	e->packet_type = type;
	e->serial = MAX(e->serial + 1, (uint32_t)(edge_wall_ms() / 1000));
	__atomic_store_n(&e->turn, e->turn + 1, __ATOMIC_RELEASE);
	for (size_t i = 0; i < e->listeners_n; i++)
		ring(e->listeners[i].wake_fd);
	while (!all_done(e))
		wait_for_listeners(e);
	for (size_t i = 0; i < e->listeners_n; i++) {
		table_free(e->listeners[i].trash);
		e->listeners[i].trash = NULL;
	}
}

/* 1: it is on its way, 0: there is no room now. */
static int send_out(struct state *s, struct err *err)
{
	feed_finish(&s->out);
	if (send(s->c.fd, s->out.p, s->out.n, MSG_NOSIGNAL | MSG_DONTWAIT) >= 0)
		return 1;
	if (errno == EAGAIN)
		return 0;
	return err_set_errno(err, ERR_NETWORK, "could not answer core");
}

static int say(struct state *s, enum feed_type type, uint64_t seq, struct err *err)
{
	int r;

	s->out.version = s->c.version;
	feed_start(&s->out, type, s->c.start, seq);
	r = send_out(s, err);
	if (r != 0)
		return MIN(r, 0);
	if (type != FEED_ACK)
		return err_set(err, ERR_NETWORK, "core does not read what it is answered");
	s->c.ack_due = true; /* the latest number says it all */
	return 0;
}

/* Version 2: what was logged, also before core came. */
static int say_lines(struct state *s, struct err *err)
{
	int r;

	s->c.lines_due = false;
	if (s->c.version < 2)
		return 0;
	s->out.version = s->c.version;
	while (lines_begin(&s->out, s->c.start)) {
		r = send_out(s, err);
		if (r <= 0) {
			s->c.lines_due = r == 0;
			return r;
		}
		lines_sent();
	}
	return 0;
}

static int acknowledge(struct state *s, struct err *err)
{
	s->c.ack_due = false;
	return say(s, FEED_ACK, s->applied, err);
}

static int check_items(const struct state *s, struct feed_packet p, struct err *err)
{
	struct feed_item i;
	int r;

	if (!s->c.loading && !s->c.loaded)
		return err_set(err, ERR_INVALID, "core sent changes before a full set");
	while ((r = feed_next_item(&p, &i, err)) > 0)
		if (s->c.loading && i.op != FEED_ADD)
			return err_set(err, ERR_INVALID, "core removes an item from a full set");
	return r;
}

static void note_loaded(struct state *s)
{
	const struct edge *e = s->e;
	size_t names = 0, tokens = 0;

	for (size_t i = 0; i < e->listeners_n; i++) {
		names = MAX(names, table_nodes(e->listeners[i].table));
		tokens = MAX(tokens, table_tokens(e->listeners[i].table));
	}
	log_info("full set of challenges loaded", "seq", LOG_NUM(s->applied), "names", LOG_NUM(names), "tokens", LOG_NUM(tokens));
}

static int take(struct state *s, const struct feed_packet *p, size_t n, struct err *err)
{
	if (p->h.type != FEED_BEGIN && p->h.type != FEED_PING && p->h.start != s->c.start)
		return err_set(err, ERR_INVALID, "core changed its start id within a connection");
	if (p->h.type != FEED_BEGIN && p->h.type != FEED_PING && p->h.version != s->c.version)
		return err_set(err, ERR_INVALID, "core changed the version of the feed within a connection");
	switch (p->h.type) {
	case FEED_BEGIN:
		s->c.version = p->h.version;
		s->c.start = p->h.start;
		s->c.loading = true;
		hand_over(s->e, FEED_BEGIN, s->in, n);
		return 0;
	case FEED_ITEMS:
		if (check_items(s, *p, err) < 0)
			return -(int)err->code;
		hand_over(s->e, FEED_ITEMS, s->in, n);
		if (s->c.loading)
			return 0;
		s->applied = MAX(s->applied, p->h.seq);
		return acknowledge(s, err);
	case FEED_END:
		if (!s->c.loading)
			return err_set(err, ERR_INVALID, "core ends a full set it did not begin");
		hand_over(s->e, FEED_END, s->in, n);
		s->c.loading = false;
		s->c.loaded = s->ever = true;
		s->applied = p->h.seq;
		s->loaded_by = s->c.start;
		note_loaded(s);
		return acknowledge(s, err);
	case FEED_PING:
		return say(s, FEED_PONG, s->applied, err);
	case FEED_HELLO:
	case FEED_ACK:
	case FEED_PONG:
	case FEED_REPORT:
	case FEED_LOG:
		break;
	}
	return err_set(err, ERR_INVALID, "core sent a packet of type %u", (unsigned)p->h.type);
}

/* Takes what has arrived, but comes back often enough to see a new connection. */
static int read_packets(struct state *s, struct err *err)
{
	for (int k = 0; k < 64; k++) {
		struct feed_packet p;
		ssize_t n = recv(s->c.fd, s->in, sizeof s->in, MSG_DONTWAIT);

		if (n < 0 && (errno == EAGAIN || errno == EINTR))
			return 0;
		if (n < 0)
			return err_set_errno(err, ERR_NETWORK, "could not read from core");
		if (n == 0)
			return err_set(err, ERR_NETWORK, "core has closed the connection");
		if (feed_open(&p, s->in, (size_t)n, err) < 0 || take(s, &p, (size_t)n, err) < 0)
			return -(int)err->code;
	}
	return 0;
}

static void drop_core(struct state *s, struct err *err)
{
	log_err(LOG_WARNING, s->ever ? "core is away, answering from what it sent" : "core is away, nothing is answered yet", err);
	err_clear(err);
	close_p(&s->c.fd);
	s->c = (struct connection){ .fd = -1 };
}

/* Core runs as our user, or an operator as root looks in. */
static bool peer_ok(int fd)
{
	struct ucred cred;
	socklen_t n = sizeof cred;

	return getsockopt(fd, SOL_SOCKET, SO_PEERCRED, &cred, &n) == 0 && (cred.uid == getuid() || cred.uid == 0);
}

/* The newest connection that waits, or -1; older ones are closed. */
static int accept_newest(int listener)
{
	int fd = -1, next;

	while ((next = accept4(listener, NULL, NULL, SOCK_CLOEXEC | SOCK_NONBLOCK)) >= 0) {
		if (!peer_ok(next)) {
			log_warning("connection to the feed by another user refused");
			close_p(&next);
			continue;
		}
		close_p(&fd);
		fd = next;
	}
	return fd;
}

static void accept_core(struct state *s)
{
	int fd = accept_newest(s->e->feed_fd);
	_cleanup_err_ struct err err = ERR_INIT;

	if (fd < 0)
		return;
	close_p(&s->c.fd);
	s->c = (struct connection){ .fd = fd };
	log_info("core connected");
	feed_hello(&s->out, s->loaded_by, s->applied);
	if (send_out(s, &err) <= 0)
		drop_core(s, &err);
}

static void accept_reader(struct state *s)
{
	int fd = accept_newest(s->e->report_listen_fd);

	if (fd < 0)
		return;
	if (dup3(fd, s->e->report_fd, O_CLOEXEC) < 0)
		log_warning("could not take the connection for reports");
	close_p(&fd);
}

/* A sign of life is one of every listener too: an empty turn, which each of them must take. */
static void sign_of_life(struct state *s)
{
	hand_over(s->e, FEED_PING, NULL, 0);
	notify_send(s->ever ? "WATCHDOG=1\nSTATUS=answering" : "WATCHDOG=1\nSTATUS=waiting for core, nothing is answered yet");
}

void feed_serve(struct edge *e)
{
	struct state *s = xcalloc(1, sizeof *s);
	int64_t watchdog = notify_watchdog_ms(), next = edge_boot_ms();

	s->e = e;
	s->c.fd = -1;
	for (;;) {
		struct pollfd fds[3] = {
			{ .fd = e->feed_fd, .events = POLLIN },
			{ .fd = e->report_listen_fd, .events = POLLIN },
			{ .fd = s->c.fd, .events = (short)(POLLIN | (s->c.ack_due || s->c.lines_due ? POLLOUT : 0)) },
		};
		_cleanup_err_ struct err err = ERR_INIT;

		if (watchdog >= 0 && edge_boot_ms() >= next) {
			sign_of_life(s);
			next = edge_boot_ms() + watchdog;
		}
		if (poll(fds, 3, watchdog < 0 ? -1 : (int)MAX(next - edge_boot_ms(), 1)) < 0)
			continue;
		if (fds[0].revents)
			accept_core(s); /* replaces the connection: what it still held is void */
		else if (fds[2].revents & ~POLLOUT && read_packets(s, &err) < 0)
			drop_core(s, &err);
		else if (fds[2].revents & POLLOUT && s->c.ack_due && acknowledge(s, &err) < 0)
			drop_core(s, &err);
		if (fds[1].revents)
			accept_reader(s);
		if (s->c.fd >= 0 && say_lines(s, &err) < 0)
			drop_core(s, &err);
	}
}
