/* SPDX-License-Identifier: Apache-2.0 */
/* stop.c - see stop.h. */
#include "base/stop.h"

#include <limits.h>
#include <poll.h>
#include <sys/eventfd.h>
#include <unistd.h>

static int new_eventfd(void)
{
	int fd = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);

	if (fd < 0)
		abort();
	return fd;
}

static void ring(int fd)
{
	uint64_t one = 1;

	if (write(fd, &one, sizeof one) < 0) {
		/* EAGAIN: the counter is full, so it is readable already */
	}
}

void stop_init(struct stop *s)
{
	*s = (struct stop){ .fd = new_eventfd() };
}

void stop_raise(struct stop *s)
{
	__atomic_store_n(&s->raised, true, __ATOMIC_RELEASE);
	ring(s->fd);
}

bool stop_raised(const struct stop *s)
{
	return __atomic_load_n(&s->raised, __ATOMIC_ACQUIRE);
}

void stop_done(struct stop *s)
{
	close_p(&s->fd);
	s->fd = -1;
}

void wake_init(struct wake *w)
{
	w->fd = new_eventfd();
}

void wake_up(struct wake *w)
{
	ring(w->fd);
}

bool wake_wait(struct wake *w, struct stop *s, int64_t timeout_ms)
{
	struct pollfd p[2] = { { .fd = w->fd, .events = POLLIN }, { .fd = s ? s->fd : -1, .events = POLLIN } };
	int timeout = timeout_ms < 0 ? -1 : timeout_ms > INT_MAX ? INT_MAX : (int)timeout_ms;
	uint64_t count;

	if (poll(p, 2, timeout) <= 0 || !(p[0].revents & POLLIN))
		return false;
	return read(w->fd, &count, sizeof count) == sizeof count;
}

void wake_done(struct wake *w)
{
	close_p(&w->fd);
	w->fd = -1;
}
