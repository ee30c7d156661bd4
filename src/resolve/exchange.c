/* SPDX-License-Identifier: Apache-2.0 */
/*
 * exchange.c - see exchange.h. Each question has a socket of its own (random source port, random id, connected, so that only
 * the asked server is heard); an answer that does not belong to the question is ignored, never believed.
 */
#include "resolve/exchange.h"

#include "base/clock.h"
#include "base/random.h"

#include <errno.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#define AGAIN_MS 900 /* UDP loses packets: once more after that */

static struct dns_ask ask_of(const struct exchange *x)
{
	return (struct dns_ask){
		.id = x->id, .name = &x->name, .type = x->type, .recurse = x->recurse, .edns = true, .udp_size = 1232,
	};
}

static void trouble(struct exchange *x, const char *what)
{
	snprintf(x->trouble, sizeof x->trouble, "%s", what);
	if (x->fd >= 0)
		close(x->fd);
	x->fd = -1;
}

static void trouble_errno(struct exchange *x, const char *what)
{
	char text[64] = "", all[128];

	snprintf(all, sizeof all, "%s: %s", what, strerror_r(errno, text, sizeof text));
	trouble(x, all);
}

static void send_udp(struct exchange *x, int64_t now)
{
	struct dns_ask ask = ask_of(x);
	uint8_t q[512];
	size_t n;

	if (!dns_ask_write(&ask, q, sizeof q, &n)) {
		trouble(x, "the question does not fit");
		return;
	}
	x->again_ms = now + AGAIN_MS;
	if (send(x->fd, q, n, MSG_NOSIGNAL) < 0 && errno != EAGAIN)
		trouble_errno(x, "could not send");
}

static void by_tcp(struct exchange *x, int64_t deadline);

static void begin(struct exchange *x, int64_t now, int64_t deadline)
{
	x->id = (uint16_t)random_below(65536);
	if (x->tcp_only) {
		x->fd = -1;
		by_tcp(x, deadline);
		return;
	}
	x->fd = socket(x->to.sa.sa_family, SOCK_DGRAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
	if (x->fd < 0 || connect(x->fd, &x->to.sa, addr_len(&x->to)) < 0) {
		trouble_errno(x, "could not ask");
		return;
	}
	send_udp(x, now);
}

static bool wait_fd(int fd, short what, int64_t deadline)
{
	int64_t left = deadline - clock_boot(&clock_system);
	struct pollfd p = { .fd = fd, .events = what };

	return left > 0 && poll(&p, 1, (int)left) > 0;
}

static bool io_all(int fd, uint8_t *p, size_t n, bool out, int64_t deadline)
{
	while (n > 0) {
		ssize_t k = out ? send(fd, p, n, MSG_NOSIGNAL) : recv(fd, p, n, 0);

		if (k > 0) {
			p += k;
			n -= (size_t)k;
		} else if (k == 0 || (errno != EAGAIN && errno != EINTR) || !wait_fd(fd, out ? POLLOUT : POLLIN, deadline)) {
			return false;
		}
	}
	return true;
}

static bool accept_answer(struct exchange *x, size_t n)
{
	struct dns_ask ask = ask_of(x);
	struct err err = { 0 };
	bool ok = dns_message_read(&x->m, x->answer, n, &err) == 0 && dns_message_matches(&x->m, &ask);

	err_clear(&err);
	if (ok)
		x->n = n;
	return ok;
}

static void by_tcp(struct exchange *x, int64_t deadline)
{
	struct dns_ask ask = ask_of(x);
	uint8_t q[514], len[2];
	size_t n;

	x->tcp = true;
	if (x->fd >= 0)
		close(x->fd);
	x->fd = socket(x->to.sa.sa_family, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
	if (x->fd < 0 || (connect(x->fd, &x->to.sa, addr_len(&x->to)) < 0 && errno != EINPROGRESS)) {
		trouble_errno(x, "could not ask by TCP");
		return;
	}
	if (!wait_fd(x->fd, POLLOUT, deadline) || !dns_ask_write(&ask, q + 2, sizeof q - 2, &n)) {
		trouble(x, "no answer by TCP");
		return;
	}
	q[0] = (uint8_t)(n >> 8);
	q[1] = (uint8_t)n;
	if (!io_all(x->fd, q, n + 2, true, deadline) || !io_all(x->fd, len, 2, false, deadline)) {
		trouble(x, "no answer by TCP");
		return;
	}
	n = (size_t)len[0] << 8 | len[1];
	if (n > sizeof x->answer || !io_all(x->fd, x->answer, n, false, deadline) || !accept_answer(x, n)) {
		trouble(x, "an unusable answer by TCP");
		return;
	}
	x->answered = true;
	trouble(x, "");
}

static void heard(struct exchange *x, int64_t deadline)
{
	ssize_t n = recv(x->fd, x->answer, sizeof x->answer, 0);

	if (n < 0) {
		if (errno != EAGAIN && errno != EINTR)
			trouble_errno(x, "no answer");
		return;
	}
	if (!accept_answer(x, (size_t)n))
		return; /* not for us: go on listening */
	if (x->m.flags & DNS_TC) { /* one after the other: who lets us wait may not take the time of the next */
		int64_t now = clock_boot(&clock_system);

		by_tcp(x, now + (deadline - now) / 2);
		return;
	}
	x->answered = true;
	trouble(x, "");
}

void exchange_run(struct exchange *x, size_t n, int64_t deadline_boot_ms)
{
	int64_t now = clock_boot(&clock_system);
	struct pollfd p[RESOLVE_QUERIES];
	size_t open = 1;

	assert(n <= RESOLVE_QUERIES);
	for (size_t i = 0; i < n; i++)
		begin(&x[i], now, deadline_boot_ms);
	while (open && now < deadline_boot_ms) {
		int64_t until = deadline_boot_ms;

		open = 0;
		for (size_t i = 0; i < n; i++) {
			p[i] = (struct pollfd){ .fd = x[i].fd, .events = POLLIN };
			if (x[i].fd < 0)
				continue;
			open++;
			if (now >= x[i].again_ms) {
				send_udp(&x[i], now);
				p[i].fd = x[i].fd;
			}
			until = MIN(until, x[i].again_ms);
		}
		if (open && poll(p, n, (int)MAX(until - now, 1)) > 0)
			for (size_t i = 0; i < n; i++)
				if (p[i].fd >= 0 && x[i].fd >= 0 && p[i].revents)
					heard(&x[i], deadline_boot_ms);
		now = clock_boot(&clock_system);
	}
	for (size_t i = 0; i < n; i++)
		if (x[i].fd >= 0)
			trouble(&x[i], "no answer");
}
