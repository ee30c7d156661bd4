/* SPDX-License-Identifier: Apache-2.0 */
/*
 * flood.c - a UDP load maker for `make attack`: questions, or what no name server likes, from many loopback networks.
 *
 *	flood valid|malformed PORT PACKETS_PER_SECOND SECONDS [NAME]
 *
 * Answers are left unread, as a real flood with false sources does. Prints how many packets were sent.
 */
#include "base/clock.h"
#include "base/str.h"

#include <netinet/in.h>
#include <stdio.h>
#include <sys/socket.h>
#include <time.h>

#define SOURCES 64
#define BATCH 32
#define PACKET 600

static uint64_t seed = 88172645463325252ull;

static uint64_t next(void)
{
	seed ^= seed << 13;
	seed ^= seed >> 7;
	seed ^= seed << 17;
	return seed;
}

static size_t put_name(unsigned char *p, const char *name)
{
	size_t at = 0;

	while (*name) {
		size_t n = strcspn(name, ".");

		p[at++] = (unsigned char)n;
		memcpy(p + at, name, n);
		at += n;
		name += n + (name[n] == '.');
	}
	p[at++] = 0;
	return at;
}

static size_t question(unsigned char *p, const char *name)
{
	static const unsigned char head[12] = { 0, 0, 0, 0, 0, 1 };
	size_t n = sizeof head;

	memcpy(p, head, sizeof head);
	p[0] = (unsigned char)next();
	p[1] = (unsigned char)next();
	n += put_name(p + n, name);
	p[n++] = 0;
	p[n++] = 16;
	p[n++] = 0;
	p[n++] = 1;
	return n;
}

/* A question with something broken, or noise. */
static size_t malformed(unsigned char *p, const char *name)
{
	size_t n = question(p, name);

	switch (next() % 8) {
	case 0:
		return next() % 12; /* shorter than a header */
	case 1:
		p[12] = 0xc0; /* a pointer to itself */
		p[13] = 12;
		return 18;
	case 2:
		p[12] = 0x80; /* a label type that is none */
		return n;
	case 3:
		p[5] = (unsigned char)next(); /* more questions than there are */
		return n;
	case 4:
		p[11] = 255; /* additional records that are not there */
		return n;
	case 5:
		return 12 + next() % (n - 12); /* cut anywhere */
	case 6:
		p[2] = (unsigned char)next(); /* an answer, an update, a notify, ... */
		return n;
	default:
		for (n = 0; n < PACKET; n++)
			p[n] = (unsigned char)next();
		return 1 + next() % PACKET;
	}
}

static int source(unsigned i, uint16_t port)
{
	struct sockaddr_in from = { .sin_family = AF_INET, .sin_addr.s_addr = htonl(0x7f000000u | (1 + i) << 8 | 9) };
	struct sockaddr_in to = { .sin_family = AF_INET, .sin_port = htons(port), .sin_addr.s_addr = htonl(INADDR_LOOPBACK) };
	int fd = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0), small = 4096;

	(void)setsockopt(fd, SOL_SOCKET, SO_RCVBUF, &small, sizeof small); /* answers are dropped by the kernel */
	if (fd < 0 || bind(fd, (struct sockaddr *)&from, sizeof from) < 0 || connect(fd, (struct sockaddr *)&to, sizeof to) < 0)
		return -1;
	return fd;
}

static uint64_t batch(int fd, bool broken, const char *name)
{
	static unsigned char packets[BATCH][PACKET];
	struct mmsghdr m[BATCH] = { 0 };
	struct iovec v[BATCH];
	int n;

	for (unsigned i = 0; i < BATCH; i++) {
		v[i] = (struct iovec){ packets[i], broken ? malformed(packets[i], name) : question(packets[i], name) };
		m[i].msg_hdr.msg_iov = &v[i];
		m[i].msg_hdr.msg_iovlen = 1;
	}
	n = sendmmsg(fd, m, BATCH, MSG_DONTWAIT);
	return n > 0 ? (uint64_t)n : 0;
}

int main(int argc, char **argv)
{
	_cleanup_err_ struct err err = ERR_INIT;
	int64_t port, rate, seconds, begin = clock_boot(&clock_system), until;
	int fds[SOURCES];
	uint64_t sent = 0;

	if (argc < 5 || str_to_i64(argv[2], 1, 65535, &port, &err) < 0 || str_to_i64(argv[3], 1, 10000000, &rate, &err) < 0 ||
	    str_to_i64(argv[4], 1, 3600, &seconds, &err) < 0) {
		fprintf(stderr, "usage: flood valid|malformed PORT PACKETS_PER_SECOND SECONDS [NAME]\n");
		return 2;
	}
	for (unsigned i = 0; i < SOURCES; i++)
		if ((fds[i] = source(i, (uint16_t)port)) < 0)
			return 1;
	until = begin + seconds * SECOND_MS;
	for (unsigned turn = 0;; turn++) {
		int64_t now = clock_boot(&clock_system);

		if (now >= until)
			break;
		if ((int64_t)sent >= (now - begin + 1) * rate / 1000)
			nanosleep(&(struct timespec){ .tv_nsec = 500 * 1000 }, NULL);
		else
			sent += batch(fds[turn % SOURCES], streq(argv[1], "malformed"), argc > 5 ? argv[5] : "_acme-challenge.example.test");
	}
	printf("%" PRIu64 "\n", sent);
	return 0;
}
