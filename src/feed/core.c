/* SPDX-License-Identifier: Apache-2.0 */
/* core.c - core's end of the feed: connect, full set, changes, acknowledgements; see core.h. */
#include "feed/core.h"

#include "base/clock.h"
#include "base/crash.h"
#include "base/log_foreign.h"
#include "base/pool.h"
#include "base/random.h"
#include "base/stop.h"

#include <errno.h>
#include <poll.h>
#include <pthread.h>
#include <stdio.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#define RECONNECT_MIN_MS 50
#define RECONNECT_MAX_MS 2000
#define PING_MS 5000    /* idle as long: ask edge, and look into the store even without a wake-up */
#define SILENCE_MS 20000 /* nothing heard as long: connect anew */
#define SEND_TIMEOUT_S 10

struct feed_core {
	char *feed_path, *report_path;
	struct feed_source source;
	uint64_t start;
	struct stop stop;
	struct wake wake;
	uint64_t thread;

	/* the thread's own */
	int feed, report;
	bool hello;                /* edge has spoken on this connection, */
	uint8_t version;           /* and this was agreed */
	int64_t heard_ms, asked_ms, sent_us;
	int64_t pause_ms, retry_ms; /* next attempt to connect */
	int64_t report_retry_ms;
	bool complained;           /* the reason of the present failure was logged */
	struct feed_builder out;
	uint8_t in[FEED_PACKET];

	pthread_mutex_t lock;      /* guards what stands below; never held across I/O or a callback */
	pthread_cond_t changed;
	struct feed_core_status st;
	char why[256];             /* why edge does not answer, for feed_core_wait */
	struct feed_total totals[FEED_TOTALS_MAX];
	size_t totals_n;
};

static int64_t now_ms(void)
{
	return clock_boot(&clock_system);
}

static int64_t now_us(void)
{
	struct timespec ts;

	clock_gettime(CLOCK_MONOTONIC, &ts);
	return (int64_t)ts.tv_sec * 1000000 + ts.tv_nsec / 1000;
}

/* ---- connection ---- */

static int connect_path(const char *path, struct err *err)
{
	struct sockaddr_un sun = { .sun_family = AF_UNIX };
	struct timeval timeout = { .tv_sec = SEND_TIMEOUT_S };
	_cleanup_close_ int fd = -1;
	int ret;

	if (strlen(path) >= sizeof sun.sun_path)
		return err_set(err, ERR_INVALID, "the path of the feed socket is too long: '%s'", path);
	memcpy(sun.sun_path, path, strlen(path));
	fd = socket(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
	if (fd < 0)
		return err_set_errno(err, ERR_INTERNAL, "could not make a socket for the feed");
	if (connect(fd, (struct sockaddr *)&sun, sizeof sun) < 0)
		return err_set_errno(err, ERR_NETWORK, "could not connect to edge at '%s'", path);
	if (setsockopt(fd, SOL_SOCKET, SO_SNDTIMEO, &timeout, sizeof timeout) < 0)
		return err_set_errno(err, ERR_INTERNAL, "could not set up the feed socket");
	ret = fd;
	fd = -1;
	return ret;
}

static void set_why(struct feed_core *c, const char *why)
{
	pthread_mutex_lock(&c->lock);
	snprintf(c->why, sizeof c->why, "%s", why);
	pthread_mutex_unlock(&c->lock);
}

static void drop_feed(struct feed_core *c, struct err *err)
{
	_cleanup_free_ char *text = err_text(err);

	set_why(c, text);
	if (!c->complained)
		log_err(LOG_WARNING, "feed to edge interrupted, trying again", err);
	c->complained = true;
	err_clear(err);
	close_p(&c->feed);
	c->feed = -1;
	c->retry_ms = now_ms() + c->pause_ms;
	c->pause_ms = MIN(c->pause_ms * 2, RECONNECT_MAX_MS);
	pthread_mutex_lock(&c->lock);
	c->st.connected = c->st.loaded = false;
	c->st.sent = c->st.acked = 0;
	pthread_mutex_unlock(&c->lock);
}

static void try_connect(struct feed_core *c)
{
	_cleanup_err_ struct err err = ERR_INIT;

	c->feed = connect_path(c->feed_path, &err);
	if (c->feed < 0) {
		c->feed = -1;
		drop_feed(c, &err);
		return;
	}
	c->hello = false;
	c->version = 0;
	c->heard_ms = c->asked_ms = now_ms();
	if (!c->complained) /* else the last failure says more */
		set_why(c, "edge has not greeted yet");
	pthread_mutex_lock(&c->lock);
	c->st.connections++;
	pthread_mutex_unlock(&c->lock);
}

static void try_connect_report(struct feed_core *c)
{
	_cleanup_err_ struct err err = ERR_INIT;

	c->report = connect_path(c->report_path, &err);
	if (c->report < 0)
		c->report = -1;
	c->report_retry_ms = now_ms() + 1000;
}

/* ---- sending ---- */

struct feed_sink {
	struct feed_core *c;
	enum feed_type type;
	uint64_t seq; /* of packets that are not the last */
	bool adds_only;
	struct err err;
};

/* Blocking with a time limit: edge reads at once or is broken. */
static int send_out(struct feed_core *c, struct err *err)
{
	feed_finish(&c->out);
	CRASH_POINT("feed-send");
	for (;;) {
		struct pollfd pfd = { .fd = c->feed, .events = POLLOUT };

		if (send(c->feed, c->out.p, c->out.n, MSG_NOSIGNAL | MSG_DONTWAIT) >= 0)
			return 0;
		if (errno == EINTR)
			continue;
		if (errno != EAGAIN)
			return err_set_errno(err, ERR_NETWORK, "could not send to edge");
		if (poll(&pfd, 1, SEND_TIMEOUT_S * 1000) == 0)
			return err_set(err, ERR_TIMEOUT, "edge has not read its feed for %d s", SEND_TIMEOUT_S);
	}
}

static int send_empty(struct feed_core *c, enum feed_type type, uint64_t seq, struct err *err)
{
	feed_start(&c->out, type, c->start, seq);
	return send_out(c, err);
}

void feed_put(struct feed_sink *s, const struct feed_item *i)
{
	_cleanup_err_ struct err bad = ERR_INIT;
	struct feed_core *c = s->c;

	if (err_is(&s->err))
		return;
	if (feed_item_check(i, &bad) < 0) {
		log_err(LOG_ERROR, "challenge left out of the feed", &bad);
		return;
	}
	assert(!s->adds_only || i->op == FEED_ADD);
	if (feed_add_item(&c->out, i))
		return;
	if (send_out(c, &s->err) < 0)
		return;
	feed_start(&c->out, s->type, c->start, s->seq);
	assert(feed_add_item(&c->out, i));
}

static int send_full(struct feed_core *c, struct err *err)
{
	struct feed_sink s = { .c = c, .type = FEED_ITEMS, .adds_only = true };
	uint64_t seq = 0;
	int r;

	if (send_empty(c, FEED_BEGIN, 0, err) < 0)
		return -(int)err->code;
	feed_start(&c->out, FEED_ITEMS, c->start, 0);
	r = c->source.full(c->source.arg, &s, &seq, err);
	if (r >= 0 && err_is(&s.err))
		r = err_move(err, &s.err);
	err_clear(&s.err);
	if (r < 0)
		return err_wrap(err, "could not send the full set of challenges to edge");
	if (c->out.count && send_out(c, err) < 0)
		return -(int)err->code;
	c->sent_us = now_us();
	if (send_empty(c, FEED_END, seq, err) < 0)
		return -(int)err->code;
	pthread_mutex_lock(&c->lock);
	c->st.connected = true;
	c->st.sent = seq;
	snprintf(c->why, sizeof c->why, "edge has not loaded the full set yet");
	pthread_mutex_unlock(&c->lock);
	return 0;
}

static int send_changes(struct feed_core *c, struct err *err)
{
	struct feed_sink s = { .c = c, .type = FEED_ITEMS };
	uint64_t seq;
	int r;

	s.seq = seq = c->st.sent; /* written by this thread only */
	feed_start(&c->out, FEED_ITEMS, c->start, s.seq);
	r = c->source.after(c->source.arg, s.seq, &s, &seq, err);
	if (r >= 0 && err_is(&s.err))
		r = err_move(err, &s.err);
	err_clear(&s.err);
	if (r < 0)
		return err_wrap(err, "could not send changed challenges to edge");
	if (seq <= s.seq && !c->out.count)
		return 0;
	seq = MAX(seq, s.seq);
	feed_set_seq(&c->out, seq);
	c->sent_us = now_us();
	if (send_out(c, err) < 0)
		return -(int)err->code;
	pthread_mutex_lock(&c->lock);
	c->st.sent = seq;
	pthread_mutex_unlock(&c->lock);
	return 0;
}

/* ---- receiving ---- */

static void note_ack(struct feed_core *c, const struct feed_header *h)
{
	bool first;

	pthread_mutex_lock(&c->lock);
	first = !c->st.loaded;
	c->st.loaded = true;
	c->st.acked = MAX(c->st.acked, h->seq);
	c->st.ack_us = now_us() - c->sent_us;
	pthread_cond_broadcast(&c->changed);
	pthread_mutex_unlock(&c->lock);
	if (first) {
		c->pause_ms = RECONNECT_MIN_MS;
		c->complained = false;
		log_info("edge answers from the full set", "seq", LOG_NUM(h->seq), "feed_version", LOG_NUM(h->version));
	}
}

static int greeted(struct feed_core *c, const struct feed_header *h, struct err *err)
{
	if (c->hello)
		return err_set(err, ERR_REMOTE_BAD, "edge greeted twice");
	if (feed_agree(h, &c->version, err) < 0)
		return -(int)err->code;
	c->hello = true;
	c->out.version = c->version;
	pthread_mutex_lock(&c->lock);
	c->st.version = c->version;
	pthread_mutex_unlock(&c->lock);
	return send_full(c, err);
}

/* What edge has logged goes where our own lines go; what is no line of its log is dropped. */
static int take_lines(struct feed_packet p, struct err *err)
{
	struct str line;
	int r;

	while ((r = feed_next_line(&p, &line, err)) > 0)
		if (!log_foreign("edge", (long)MIN(p.h.seq, (uint64_t)INT32_MAX), line.p, line.n))
			log_debug("edge sent a line that is none of its log");
	return r;
}

static int take_packet(struct feed_core *c, const struct feed_packet *p, struct err *err)
{
	if (p->h.type != FEED_HELLO && p->h.version != c->version)
		return err_set(err, ERR_REMOTE_BAD, "edge sent a packet of feed version %u, and %u was agreed", p->h.version, c->version);
	switch (p->h.type) {
	case FEED_HELLO:
		return greeted(c, &p->h, err);
	case FEED_ACK:
		if (p->h.start == c->start && c->st.connected)
			note_ack(c, &p->h);
		return 0;
	case FEED_PONG:
		return 0;
	case FEED_LOG:
		return take_lines(*p, err);
	case FEED_BEGIN:
	case FEED_ITEMS:
	case FEED_END:
	case FEED_PING:
	case FEED_REPORT:
		break;
	}
	return err_set(err, ERR_REMOTE_BAD, "edge sent a packet of type %u", (unsigned)p->h.type);
}

/* 1: a packet is in c->in, 0: nothing there now. */
static int receive(struct feed_core *c, int fd, size_t *ret_n, struct err *err)
{
	ssize_t n = recv(fd, c->in, sizeof c->in, MSG_DONTWAIT);

	if (n > 0) {
		*ret_n = (size_t)n;
		return 1;
	}
	if (n == 0)
		return err_set(err, ERR_NETWORK, "edge has closed the connection");
	if (errno == EAGAIN || errno == EINTR)
		return 0;
	return err_set_errno(err, ERR_NETWORK, "could not read from edge");
}

static int read_feed(struct feed_core *c, struct err *err)
{
	struct feed_packet p;
	size_t n;
	int r;

	while ((r = receive(c, c->feed, &n, err)) > 0) {
		c->heard_ms = now_ms();
		if (feed_open(&p, c->in, n, err) < 0 || take_packet(c, &p, err) < 0)
			return -(int)err->code;
	}
	return r;
}

static void add_total(struct feed_core *c, const struct feed_report *r)
{
	size_t i = 0;

	pthread_mutex_lock(&c->lock);
	while (i < c->totals_n && (c->totals[i].transport != r->transport || c->totals[i].qtype != r->qtype ||
				   c->totals[i].status != r->status))
		i++;
	if (i == c->totals_n && i < FEED_TOTALS_MAX)
		c->totals[c->totals_n++] = (struct feed_total){ r->transport, r->qtype, r->status, 0 };
	if (i < FEED_TOTALS_MAX)
		c->totals[i].count += r->count;
	pthread_mutex_unlock(&c->lock);
}

static int read_report(struct feed_core *c, struct err *err)
{
	struct feed_report one;
	struct feed_packet p;
	size_t n;
	int r;

	while ((r = receive(c, c->report, &n, err)) > 0) {
		if (feed_open(&p, c->in, n, err) < 0)
			return -(int)err->code;
		if (p.h.type != FEED_REPORT)
			return err_set(err, ERR_REMOTE_BAD, "edge sent a packet of type %u as report", (unsigned)p.h.type);
		while ((r = feed_next_report(&p, &one, err)) > 0) {
			if (one.name.n == 0)
				add_total(c, &one);
			else if (c->source.report)
				c->source.report(c->source.arg, &one);
		}
		if (r < 0)
			return r;
		pthread_mutex_lock(&c->lock);
		c->st.reports += p.h.count;
		pthread_mutex_unlock(&c->lock);
	}
	return r;
}

/* ---- the thread ---- */

static int wait_ms(const struct feed_core *c)
{
	int64_t now = now_ms(), until = c->feed < 0 ? c->retry_ms : c->asked_ms + PING_MS;

	if (c->report_path && c->report < 0)
		until = MIN(until, c->report_retry_ms);
	return until <= now ? 0 : (int)(until - now);
}

static void serve_feed(struct feed_core *c, bool readable, bool woken)
{
	_cleanup_err_ struct err err = ERR_INIT;
	bool due = now_ms() - c->asked_ms >= PING_MS;

	if (readable && read_feed(c, &err) < 0) {
		drop_feed(c, &err);
		return;
	}
	if (due && now_ms() - c->heard_ms >= SILENCE_MS) {
		err_set(&err, ERR_TIMEOUT, "edge has not answered for %d s", SILENCE_MS / 1000);
		drop_feed(c, &err);
		return;
	}
	if (!c->st.connected)
		woken = false; /* the full set is still to come, and holds it */
	if ((woken || (due && c->st.connected)) && send_changes(c, &err) < 0) {
		drop_feed(c, &err);
		return;
	}
	if (due) {
		c->asked_ms = now_ms();
		if (c->st.connected && send_empty(c, FEED_PING, c->st.sent, &err) < 0)
			drop_feed(c, &err);
	}
}

static void run(void *arg)
{
	struct feed_core *c = arg;

	while (!stop_raised(&c->stop)) {
		struct pollfd fds[4];
		bool woken;

		if (c->feed < 0 && now_ms() >= c->retry_ms)
			try_connect(c);
		if (c->report_path && c->report < 0 && now_ms() >= c->report_retry_ms)
			try_connect_report(c);
		fds[0] = (struct pollfd){ .fd = c->stop.fd, .events = POLLIN };
		fds[1] = (struct pollfd){ .fd = c->wake.fd, .events = POLLIN };
		fds[2] = (struct pollfd){ .fd = c->feed, .events = POLLIN };
		fds[3] = (struct pollfd){ .fd = c->report, .events = POLLIN };
		if (poll(fds, 4, wait_ms(c)) < 0)
			continue;
		woken = fds[1].revents && wake_wait(&c->wake, NULL, 0);
		if (c->feed >= 0)
			serve_feed(c, fds[2].revents != 0, woken);
		if (c->report >= 0 && fds[3].revents) {
			_cleanup_err_ struct err err = ERR_INIT;

			if (read_report(c, &err) < 0) {
				close_p(&c->report);
				c->report = -1;
			}
		}
	}
}

/* ---- for others ---- */

int feed_core_open(struct feed_core **ret, const char *feed_path, const char *report_path, const struct feed_source *source,
		   struct err *err)
{
	struct feed_core *c = xcalloc(1, sizeof *c);
	pthread_condattr_t attr;

	pthread_mutex_init(&c->lock, NULL);
	pthread_condattr_init(&attr);
	pthread_condattr_setclock(&attr, CLOCK_MONOTONIC);
	pthread_cond_init(&c->changed, &attr);
	pthread_condattr_destroy(&attr);
	c->feed_path = xstrdup_null(feed_path);
	c->report_path = feed_path ? xstrdup_null(report_path) : NULL;
	c->feed = c->report = -1;
	c->pause_ms = RECONNECT_MIN_MS;
	if (source)
		c->source = *source;
	while (c->start == 0)
		c->start = random_u64();
	c->st.offered = feed_path != NULL;
	stop_init(&c->stop);
	wake_init(&c->wake);
	set_why(c, "not connected to edge yet");
	if (feed_path && thread_start(&c->thread, "feed", run, c, err) < 0) {
		c->st.offered = false;
		feed_core_close(c);
		return err_wrap(err, "could not start the feed");
	}
	*ret = c;
	return 0;
}

void feed_core_close(struct feed_core *c)
{
	if (!c)
		return;
	stop_raise(&c->stop);
	if (c->st.offered)
		thread_join(c->thread);
	close_p(&c->feed);
	close_p(&c->report);
	stop_done(&c->stop);
	wake_done(&c->wake);
	pthread_cond_destroy(&c->changed);
	pthread_mutex_destroy(&c->lock);
	free(c->feed_path);
	free(c->report_path);
	free(c);
}

bool feed_core_offered(const struct feed_core *c)
{
	return c->st.offered;
}

void feed_core_wake(struct feed_core *c)
{
	wake_up(&c->wake);
}

uint64_t feed_core_acked(struct feed_core *c)
{
	uint64_t seq;

	pthread_mutex_lock(&c->lock);
	seq = c->st.acked;
	pthread_mutex_unlock(&c->lock);
	return seq;
}

void feed_core_status(struct feed_core *c, struct feed_core_status *ret)
{
	pthread_mutex_lock(&c->lock);
	*ret = c->st;
	pthread_mutex_unlock(&c->lock);
}

size_t feed_core_totals(struct feed_core *c, struct feed_total *ret, size_t cap)
{
	size_t n;

	pthread_mutex_lock(&c->lock);
	n = c->totals_n;
	memcpy(ret, c->totals, MIN(n, cap) * sizeof *ret);
	pthread_mutex_unlock(&c->lock);
	return n;
}

static int not_answered(struct feed_core *c, uint64_t seq, int64_t timeout_ms, bool loaded, const char *why, struct err *err)
{
	if (!loaded)
		return err_set(err, ERR_TIMEOUT, "edge does not answer challenge %" PRIu64 " after %" PRId64 " ms: %s", seq,
			       timeout_ms, why);
	return err_set(err, ERR_TIMEOUT, "edge has not acknowledged challenge %" PRIu64 " within %" PRId64 " ms", seq,
		       timeout_ms);
}

int feed_core_wait(struct feed_core *c, uint64_t seq, int64_t timeout_ms, struct err *err)
{
	char why[sizeof c->why];
	struct timespec until;
	bool done, loaded;

	if (!c->st.offered) {
		err_set(err, ERR_NEEDS_PERSON, "this server answers no challenges itself: neither dns.listen nor http01.listen is set");
		return err_hint(err, "set dns.listen (or http01.listen) and restart, or choose another way to publish");
	}
	clock_gettime(CLOCK_MONOTONIC, &until);
	until.tv_sec += (time_t)(timeout_ms / 1000);
	until.tv_nsec += (long)(timeout_ms % 1000) * 1000000;
	if (until.tv_nsec >= 1000000000) {
		until.tv_nsec -= 1000000000;
		until.tv_sec++;
	}
	if (feed_core_acked(c) < seq)
		feed_core_wake(c); /* another node may have written it: its commit woke only itself */
	pthread_mutex_lock(&c->lock);
	while (!(c->st.loaded && c->st.acked >= seq))
		if (pthread_cond_timedwait(&c->changed, &c->lock, &until) == ETIMEDOUT)
			break;
	loaded = c->st.loaded;
	done = loaded && c->st.acked >= seq;
	memcpy(why, c->why, sizeof why);
	pthread_mutex_unlock(&c->lock);
	return done ? 0 : not_answered(c, seq, timeout_ms, loaded, why, err);
}
