/* SPDX-License-Identifier: Apache-2.0 */
/* servers.c - see servers.h. */
#include "tests/unit/resolve/servers.h"

#include "base/pool.h"

#include <arpa/inet.h>
#include <poll.h>
#include <stdio.h>
#include <sys/socket.h>
#include <unistd.h>

#define TRIES 50
#define STOP 's'
#define REST 'r'

static struct {
	int udp[SERVERS_MAX], tcp, n;
	int ours, theirs; /* a pair: a word of ours, and the thread's when it has done that */
	uint16_t port;
	uint64_t thread;
	servers_fn *answer;
} w;

/* ---- the thread ---- */

static void serve_tcp(void)
{
	static uint8_t out[20000];
	uint8_t len[2], in[1024];
	int fd = accept(w.tcp, NULL, NULL);
	size_t k = 0;

	if (recv(fd, len, 2, MSG_WAITALL) == 2) {
		size_t n = (size_t)(len[0] << 8 | len[1]);

		memset(out, 0, sizeof out);
		if (n <= sizeof in && recv(fd, in, n, MSG_WAITALL) == (ssize_t)n)
			k = w.answer(1, true, 0, in, n, out + 2, sizeof out - 2);
	}
	out[0] = (uint8_t)(k >> 8);
	out[1] = (uint8_t)k;
	if (k && send(fd, out, k + 2, MSG_NOSIGNAL) < 0)
		perror("send");
	close(fd);
}

static void serve_udp(int who)
{
	static uint8_t out[20000];
	uint8_t in[1024];
	union addr from;
	socklen_t len = sizeof from;
	ssize_t n = recvfrom(w.udp[who], in, sizeof in, 0, &from.sa, &len);

	for (int nth = 0; n > 0; nth++) {
		size_t k;

		memset(out, 0, sizeof out);
		k = w.answer(who, false, nth, in, (size_t)n, out, sizeof out);
		if (!k)
			return;
		if (sendto(w.udp[who], out, k, 0, &from.sa, len) < 0)
			perror("sendto");
	}
}

/* What waits is served; true when something did. */
static bool serve_once(int timeout_ms, bool *ret_word)
{
	struct pollfd p[SERVERS_MAX + 2] = { { .fd = w.theirs, .events = POLLIN }, { .fd = w.tcp, .events = POLLIN } };
	bool any = false;

	for (int i = 0; i < w.n; i++)
		p[i + 2] = (struct pollfd){ .fd = w.udp[i], .events = POLLIN };
	if (poll(p, (nfds_t)w.n + 2, timeout_ms) < 0)
		perror("poll");
	for (int i = 0; i < w.n; i++)
		if (p[i + 2].revents) {
			serve_udp(i);
			any = true;
		}
	if (p[1].revents) {
		serve_tcp();
		any = true;
	}
	*ret_word = p[0].revents;
	return any;
}

static void serve(void *arg)
{
	bool told;

	(void)arg;
	for (;;) {
		char word = STOP;

		serve_once(-1, &told);
		if (!told)
			continue;
		if (read(w.theirs, &word, 1) != 1 || word == STOP)
			return;
		while (serve_once(0, &told))
			;
		if (write(w.theirs, &word, 1) != 1)
			return;
	}
}

/* ---- their life ---- */

union addr servers_address(int who)
{
	union addr a = { .in = { .sin_family = AF_INET, .sin_port = htons(w.port) } };

	a.in.sin_addr.s_addr = htonl(0x7f000001u + (unsigned)who);
	return a;
}

static int bound(int type, int who)
{
	union addr a = servers_address(who);
	int fd = socket(AF_INET, type | SOCK_CLOEXEC, 0), one = 1;

	setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &one, sizeof one);
	if (bind(fd, &a.sa, sizeof a.in) == 0)
		return fd;
	close(fd);
	return -1;
}

static void let_go(void)
{
	for (int i = 0; i < w.n; i++)
		if (w.udp[i] >= 0)
			close(w.udp[i]);
	if (w.tcp >= 0)
		close(w.tcp);
}

/* One port that all of them can have: the first gets any, the others may find it taken. */
static bool take_port(void)
{
	union addr a;
	socklen_t len = sizeof a;
	bool all;

	w.port = 0;
	w.udp[0] = bound(SOCK_DGRAM, 0);
	if (w.udp[0] < 0 || getsockname(w.udp[0], &a.sa, &len) < 0)
		return false;
	w.port = ntohs(a.in.sin_port);
	for (int i = 1; i < w.n; i++)
		w.udp[i] = bound(SOCK_DGRAM, i);
	w.tcp = bound(SOCK_STREAM, 1);
	all = w.tcp >= 0 && listen(w.tcp, 8) == 0;
	for (int i = 0; i < w.n; i++)
		all = all && w.udp[i] >= 0;
	if (!all)
		let_go();
	return all;
}

int servers_begin(int n, servers_fn *answer)
{
	struct err err = { 0 };
	int pair[2], tries = 0;

	w.n = n;
	w.answer = answer;
	while (!take_port())
		if (++tries == TRIES)
			return -1;
	if (socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, pair) < 0)
		return -1;
	w.ours = pair[0];
	w.theirs = pair[1];
	return thread_start(&w.thread, "servers", serve, NULL, &err);
}

static void tell(char word)
{
	ASSERT_INT(write(w.ours, &word, 1), 1);
}

void servers_end(void)
{
	tell(STOP);
	thread_join(w.thread);
	close(w.ours);
	close(w.theirs);
	let_go();
}

void servers_rest(void)
{
	char word;

	tell(REST);
	ASSERT_INT(read(w.ours, &word, 1), 1);
}

struct resolve_view servers_view(bool ask_view)
{
	char text[64];
	struct resolve_view v;
	struct err err = { 0 };

	snprintf(text, sizeof text, "127.0.0.1:%u", w.port);
	ASSERT_OK(resolve_view_parse(text, ask_view, &v, &err), &err);
	v.auth_port = w.port;
	return v;
}

/* ---- what answers are made of ---- */

struct dns_name named(const char *text)
{
	struct err err = { 0 };
	struct dns_name n;

	ASSERT_OK(dns_name_parse(text, &n, &err), &err);
	return n;
}

void put_rr(struct dns_out *o, const struct dns_name *owner, uint16_t type, uint16_t rclass, const void *rdata, size_t n)
{
	dns_out_name(o, owner);
	dns_out_u16(o, type);
	dns_out_u16(o, rclass);
	dns_out_u32(o, 5);
	dns_out_u16(o, (uint16_t)n);
	dns_out_bytes(o, rdata, n);
}

void put_name(struct dns_out *o, const struct dns_name *owner, uint16_t type, const char *target)
{
	struct dns_name t = named(target);

	put_rr(o, owner, type, DNS_IN, t.b, t.n);
}

void put_address(struct dns_out *o, const struct dns_name *owner, const char *host)
{
	uint8_t a[4] = { 127, 0, 0, (uint8_t)(host[2] - '0' + 1) };

	put_rr(o, owner, DNS_A, DNS_IN, a, 4);
}
