/* SPDX-License-Identifier: Apache-2.0 */
/* Core's end of the feed against an edge that the test plays itself, which dies and comes back. */
#include "tests/unit/assert.h"

#include "base/log.h"
#include "feed/core.h"

#include <poll.h>
#include <pthread.h>
#include <stdio.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

/* the store: value k is live from its number on */
static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
static uint64_t store_seq;
static unsigned reported;

static void put(struct feed_sink *s, uint64_t id)
{
	char value[32];

	snprintf(value, sizeof value, "value-%" PRIu64, id);
	feed_put(s, &(struct feed_item){ FEED_ADD, FEED_TXT, id, 5, STR("_acme-challenge.example.com"), STR(value) });
}

static uint64_t seq_now(void)
{
	uint64_t seq;

	pthread_mutex_lock(&lock);
	seq = store_seq;
	pthread_mutex_unlock(&lock);
	return seq;
}

static int full(void *arg UNUSED, struct feed_sink *s, uint64_t *ret_seq, struct err *err UNUSED)
{
	*ret_seq = seq_now();
	for (uint64_t i = 1; i <= *ret_seq; i++)
		put(s, i);
	return 0;
}

static int after(void *arg UNUSED, uint64_t from, struct feed_sink *s, uint64_t *ret_seq, struct err *err UNUSED)
{
	*ret_seq = seq_now();
	for (uint64_t i = from + 1; i <= *ret_seq; i++)
		put(s, i);
	return 0;
}

static void report(void *arg UNUSED, const struct feed_report *r)
{
	ASSERT_TRUE(str_is(r->name, "_acme-challenge.example.com"));
	__atomic_add_fetch(&reported, r->count, __ATOMIC_RELAXED);
}

static void commit(uint64_t n)
{
	pthread_mutex_lock(&lock);
	store_seq += n;
	pthread_mutex_unlock(&lock);
}

static char path[64], report_path[64];

static int listen_at(const char *p)
{
	struct sockaddr_un sun = { .sun_family = AF_UNIX };
	int fd = socket(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0);

	memcpy(sun.sun_path, p, strlen(p));
	unlink(p);
	ASSERT_INT(bind(fd, (struct sockaddr *)&sun, sizeof sun), 0);
	ASSERT_INT(listen(fd, 8), 0);
	return fd;
}

static struct feed_builder out;

static void say(int fd, enum feed_type type, uint64_t start, uint64_t seq)
{
	feed_start(&out, type, start, seq);
	feed_finish(&out);
	ASSERT_INT(send(fd, out.p, out.n, MSG_NOSIGNAL), out.n);
}

/* Reads one packet, counting items; pings are answered and passed over. */
static struct feed_header hear(int fd, unsigned *items)
{
	static uint8_t in[FEED_PACKET];

	for (;;) {
		struct pollfd pfd = { .fd = fd, .events = POLLIN };
		struct err err = ERR_INIT;
		struct feed_packet p;
		struct feed_item i;
		ssize_t n;

		ASSERT_INT(poll(&pfd, 1, 120000), 1);
		n = recv(fd, in, sizeof in, 0);
		ASSERT_TRUE(n > 0);
		ASSERT_OK(feed_open(&p, in, (size_t)n, &err), &err);
		if (p.h.type == FEED_PING)
			continue;
		while (feed_next_item(&p, &i, &err) > 0)
			++*items;
		return p.h;
	}
}

static void hear_full(int fd, unsigned want, uint64_t *start, uint64_t *seq)
{
	unsigned items = 0;
	struct feed_header h = hear(fd, &items);

	ASSERT_INT(h.type, FEED_BEGIN);
	while ((h = hear(fd, &items)).type == FEED_ITEMS)
		;
	ASSERT_INT(h.type, FEED_END);
	ASSERT_INT(items, want);
	*start = h.start;
	*seq = h.seq;
}

static void core_keeps_edge_equal_to_the_store(void **state UNUSED)
{
	struct feed_source source = { NULL, full, after, report };
	int feed_listener = listen_at(path), report_listener = listen_at(report_path), fd, rfd;
	struct feed_core_status st;
	struct feed_total total;
	struct err err = ERR_INIT;
	struct feed_core *c;
	struct feed_header h;
	uint64_t start, start2, seq;
	unsigned items = 0;

	store_seq = 2000; /* several packets */
	ASSERT_OK(feed_core_open(&c, path, report_path, &source, &err), &err);
	ASSERT_TRUE(feed_core_offered(c));
	ASSERT_FAILS(feed_core_wait(c, 1, 50, &err), &err, ERR_TIMEOUT);

	fd = accept(feed_listener, NULL, NULL);
	rfd = accept(report_listener, NULL, NULL);
	say(fd, FEED_HELLO, 0, 0);
	hear_full(fd, 2000, &start, &seq);
	ASSERT_INT(seq, 2000);
	ASSERT_FAILS(feed_core_wait(c, 2000, 20, &err), &err, ERR_TIMEOUT);
	say(fd, FEED_ACK, start + 1, seq); /* to another core */
	ASSERT_FAILS(feed_core_wait(c, 2000, 50, &err), &err, ERR_TIMEOUT);
	say(fd, FEED_ACK, start, seq);
	ASSERT_OK(feed_core_wait(c, 2000, 5000, &err), &err);

	commit(3);
	feed_core_wake(c);
	h = hear(fd, &items);
	ASSERT_INT(h.type, FEED_ITEMS);
	ASSERT_INT(h.seq, 2003);
	ASSERT_INT(items, 3);
	say(fd, FEED_ACK, start, 2003);
	ASSERT_OK(feed_core_wait(c, 2003, 5000, &err), &err);
	ASSERT_INT(feed_core_acked(c), 2003);

	feed_start(&out, FEED_REPORT, 1, 0);
	feed_add_report(&out, &(struct feed_report){ FEED_UDP, 4, { 192 }, 16, 0, 1, 5, 1, 2, STR("_acme-challenge.example.com"), STR("") });
	feed_finish(&out);
	feed_add_report(&out, &(struct feed_report){ FEED_TCP, 4, { 0 }, 16, 3, 0, 7, 0, 0, STR(""), STR("") });
	feed_add_report(&out, &(struct feed_report){ FEED_TCP, 4, { 0 }, 16, 3, 0, 2, 0, 0, STR(""), STR("") });
	feed_finish(&out);
	ASSERT_INT(send(rfd, out.p, out.n, 0), out.n);

	close(fd); /* edge dies: what it had is no longer answered */
	fd = accept(feed_listener, NULL, NULL);
	ASSERT_INT(feed_core_acked(c), 0);
	ASSERT_FAILS(feed_core_wait(c, 2003, 20, &err), &err, ERR_TIMEOUT);
	commit(1);
	say(fd, FEED_HELLO, 0, 0);
	hear_full(fd, 2004, &start2, &seq);
	ASSERT_TRUE(start2 == start);
	say(fd, FEED_ACK, start, seq);
	ASSERT_OK(feed_core_wait(c, 2004, 5000, &err), &err);

	say(fd, FEED_BEGIN, 0, 0); /* nonsense ends the connection, and the next is used */
	fd = accept(feed_listener, NULL, NULL);
	say(fd, FEED_HELLO, 0, 0);
	hear_full(fd, 2004, &start2, &seq);
	say(fd, FEED_ACK, start, seq);
	ASSERT_OK(feed_core_wait(c, 2004, 5000, &err), &err);
	feed_core_status(c, &st);
	ASSERT_TRUE(st.connected && st.loaded && st.offered);
	ASSERT_INT(st.connections, 3);
	ASSERT_INT(st.reports, 3);
	ASSERT_INT(feed_core_totals(c, &total, 1), 1);
	ASSERT_TRUE(total.transport == FEED_TCP && total.qtype == 16 && total.status == 3 && total.count == 9);
	ASSERT_INT(__atomic_load_n(&reported, __ATOMIC_RELAXED), 5);
	feed_core_close(c);
	close(fd);
	close(rfd);
	close(feed_listener);
	close(report_listener);
}

static void without_edge_the_answer_is_a_sentence(void **state UNUSED)
{
	struct feed_source source = { NULL, full, after, NULL };
	struct err err = ERR_INIT;
	struct feed_core *c;

	ASSERT_OK(feed_core_open(&c, NULL, NULL, &source, &err), &err);
	ASSERT_FALSE(feed_core_offered(c));
	ASSERT_INT(feed_core_wait(c, 1, 1000, &err), -ERR_NEEDS_PERSON);
	ASSERT_HAS(err.detail, "dns.listen");
	err_clear(&err);
	feed_core_wake(c);
	feed_core_close(c);
}

static int failing(void *arg UNUSED, struct feed_sink *s UNUSED, uint64_t *ret_seq UNUSED, struct err *err)
{
	return err_set(err, ERR_STORE, "database is locked");
}

static void a_store_that_fails_is_asked_again(void **state UNUSED)
{
	struct feed_source source = { NULL, failing, after, NULL };
	int listener = listen_at(path);
	struct err err = ERR_INIT;
	struct feed_core *c;

	ASSERT_OK(feed_core_open(&c, path, NULL, &source, &err), &err);
	for (int i = 0; i < 3; i++) {
		int fd = accept(listener, NULL, NULL);
		char packet[4096];

		say(fd, FEED_HELLO, 0, 0);
		while (recv(fd, packet, sizeof packet, 0) > 0)
			; /* until core gives up: closing first would be another reason */
		close(fd);
	}
	ASSERT_INT(feed_core_wait(c, 1, 10, &err), -ERR_TIMEOUT);
	ASSERT_HAS(err.detail, "database is locked");
	err_clear(&err);
	feed_core_close(c);
	close(listener);
}

/* Connects a core to an edge of ours that greets with these versions; *ret_fd is edge's end. */
static struct feed_core *greeted(int listener, uint8_t oldest, uint8_t newest, int *ret_fd)
{
	static const struct feed_source source = { NULL, full, after, NULL };
	struct err err = ERR_INIT;
	struct feed_core *c;

	ASSERT_OK(feed_core_open(&c, path, NULL, &source, &err), &err);
	*ret_fd = accept(listener, NULL, NULL);
	feed_hello(&out, 0, 0);
	out.p[4] = oldest;
	out.p[16] = newest == 1 ? 0 : newest;
	ASSERT_INT(send(*ret_fd, out.p, out.n, MSG_NOSIGNAL), out.n);
	return c;
}

static void an_edge_of_the_former_version_is_served_in_it(void **state UNUSED)
{
	int listener = listen_at(path), fd;
	struct feed_core_status st;
	struct err err = ERR_INIT;
	struct feed_core *c;
	uint64_t start, seq;
	unsigned items = 0;

	store_seq = 3;
	c = greeted(listener, 1, 1, &fd);
	hear_full(fd, 3, &start, &seq);
	out.version = 1;
	say(fd, FEED_ACK, start, seq);
	ASSERT_OK(feed_core_wait(c, 3, 5000, &err), &err);
	commit(1);
	feed_core_wake(c);
	ASSERT_INT(hear(fd, &items).version, 1);
	feed_core_status(c, &st);
	ASSERT_INT(st.version, 1);
	out.version = 2; /* what was not agreed ends it */
	say(fd, FEED_ACK, start, 4);
	ASSERT_FAILS(feed_core_wait(c, 4, 1000, &err), &err, ERR_TIMEOUT);
	close(fd);
	fd = accept(listener, NULL, NULL);
	feed_hello(&out, 0, 0); /* the edge of today comes */
	ASSERT_INT(send(fd, out.p, out.n, MSG_NOSIGNAL), out.n);
	hear_full(fd, 4, &start, &seq);
	feed_core_status(c, &st);
	ASSERT_INT(st.version, FEED_NEWEST);
	feed_core_close(c);
	close(fd);
	close(listener);
	out.version = 0;
}

static void an_edge_without_a_version_in_common_is_said_in_one_sentence(void **state UNUSED)
{
	int listener = listen_at(path), fd;
	struct err err = ERR_INIT;
	struct feed_core *c = greeted(listener, 3, 4, &fd);
	char byte;

	ASSERT_INT(recv(fd, &byte, 1, 0), 0); /* core has gone */
	ASSERT_INT(feed_core_wait(c, 1, 10, &err), -ERR_TIMEOUT);
	ASSERT_HAS(err.detail, "edge speaks 3 to 4, core 1 to 2");
	err_clear(&err);
	feed_core_close(c);
	close(fd);
	close(listener);
}

static unsigned sunk;

static void sink(UNUSED void *arg, enum log_level level, long pid, const char *line, size_t n)
{
	if (pid == LOG_OWN)
		return;
	ASSERT_TRUE(level == LOG_WARNING && pid == 4711 && line[n - 1] == '}');
	__atomic_add_fetch(&sunk, 1, __ATOMIC_RELEASE);
}

static void what_edge_has_logged_is_passed_on(void **state UNUSED)
{
	static const char *const lines[] = {
		"{\"time\":\"2026-11-27T10:00:00.000Z\",\"level\":\"warning\",\"process\":\"edge\",\"msg\":\"core is away\"}",
		"{\"time\":\"2026-11-27T10:00:00.000Z\",\"level\":\"warning\",\"process\":\"core\",\"msg\":\"another's\"}",
		"{\"time\":\"2026-11-27T10:00:00.000Z\",\"level\":\"warning\",\"process\":\"edge\",\"msg\":\"core is away\",\"why\":\"x\"}",
	};
	int listener = listen_at(path), fd;
	struct feed_core *c;
	uint64_t start, seq;
	unsigned items = 0;

	sunk = 0;
	log_init(LOG_WARNING, LOG_JSON, "test");
	log_add_sink(sink, NULL);
	c = greeted(listener, 1, 2, &fd);
	hear_full(fd, (unsigned)seq_now(), &start, &seq);
	out.version = 2;
	feed_start(&out, FEED_LOG, start, 4711);
	for (size_t i = 0; i < ARRAY_SIZE(lines); i++)
		ASSERT_TRUE(feed_add_line(&out, STR(lines[i])));
	feed_finish(&out);
	ASSERT_INT(send(fd, out.p, out.n, MSG_NOSIGNAL), out.n);
	say(fd, FEED_ACK, start, seq); /* taken after it */
	commit(1);
	feed_core_wake(c);
	(void)hear(fd, &items);
	while (feed_core_acked(c) < seq)
		usleep(1000);
	ASSERT_INT(__atomic_load_n(&sunk, __ATOMIC_ACQUIRE), 2);
	log_drop_sink(sink, NULL);
	log_init(LOG_ERROR, LOG_LOGFMT, "test");
	feed_core_close(c);
	close(fd);
	close(listener);
	out.version = 0;
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(core_keeps_edge_equal_to_the_store),
		TEST(without_edge_the_answer_is_a_sentence),
		TEST(a_store_that_fails_is_asked_again),
		TEST(an_edge_of_the_former_version_is_served_in_it),
		TEST(an_edge_without_a_version_in_common_is_said_in_one_sentence),
		TEST(what_edge_has_logged_is_passed_on),
	};
	int r;

	log_init(LOG_ERROR, LOG_LOGFMT, "test");
	snprintf(path, sizeof path, "/tmp/cw-feed-%d", (int)getpid());
	snprintf(report_path, sizeof report_path, "/tmp/cw-report-%d", (int)getpid());
	r = RUN(tests);
	unlink(path);
	unlink(report_path);
	return r;
}
