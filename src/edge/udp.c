/* SPDX-License-Identifier: Apache-2.0 */
/* udp.c - the UDP listener thread: batches in, batches out, and the feed applied in between. */
#include "edge/edge.h"

#include "base/limits.h"

#include <errno.h>
#include <poll.h>
#include <sys/socket.h>

#define BATCH 64
#define QUERY_MAX 2048 /* what is longer is cut off, and then FORMERR */
#define CONTROL 64

struct batch {
	struct mmsghdr in[BATCH], out[BATCH];
	struct iovec in_iov[BATCH], out_iov[BATCH];
	union addr from[BATCH];
	_Alignas(struct cmsghdr) uint8_t control[BATCH][CONTROL];
	uint8_t query[BATCH][QUERY_MAX];
	uint8_t answer[BATCH][LIMIT_DNS_UDP];
	struct dns_query q;
};

struct udp {
	struct listener *l;
	struct limit *limit;
	struct reports *reports;
	bool wildcard[EDGE_FDS_MAX]; /* the socket is bound to every address: answer from the one that was asked */
	struct batch b;
};

static void batch_reset(struct batch *b)
{
	for (size_t i = 0; i < BATCH; i++) {
		b->in_iov[i] = (struct iovec){ b->query[i], QUERY_MAX };
		b->in[i].msg_hdr = (struct msghdr){ .msg_name = &b->from[i], .msg_iov = &b->in_iov[i], .msg_iovlen = 1,
						    .msg_control = b->control[i] };
	}
}

/* What said where the packet went to now says where the answer comes from. */
static size_t turn_round(struct msghdr *m)
{
	struct cmsghdr *c = CMSG_FIRSTHDR(m);

	if (!c)
		return 0;
	if (c->cmsg_level == IPPROTO_IP && c->cmsg_type == IP_PKTINFO) {
		struct in_pktinfo *info = (void *)CMSG_DATA(c);

		info->ipi_spec_dst = info->ipi_addr;
		info->ipi_ifindex = 0;
		return CMSG_SPACE(sizeof *info);
	}
	if (c->cmsg_level == IPPROTO_IPV6 && c->cmsg_type == IPV6_PKTINFO) {
		struct in6_pktinfo *info = (void *)CMSG_DATA(c);

		if (!IN6_IS_ADDR_LINKLOCAL(&info->ipi6_addr))
			info->ipi6_ifindex = 0;
		return CMSG_SPACE(sizeof *info);
	}
	return 0;
}

/* Builds the answer to packet i as answer k. False: there is none. */
static bool answer_one(struct udp *u, unsigned i, unsigned k, int64_t boot_ms, int64_t wall_ms)
{
	struct batch *b = &u->b;
	struct msghdr *m = &b->in[i].msg_hdr;
	uint64_t prefix = limit_prefix(&b->from[i]);
	struct answer a;

	answer_build(u->l->table, b->query[i], b->in[i].msg_len, false, b->answer[k], LIMIT_DNS_UDP, &b->q, &a);
	if (a.kind == ANSWER_NONE)
		return false;
#ifdef EDGE_SELFTEST
	selftest_query(&b->q);
#endif
	if (a.kind != ANSWER_LIVE && u->limit && !a.truncated && !limit_ok(u->limit, prefix, a.kind, boot_ms))
		answer_truncate(&b->q, b->answer[k], &a);
	reports_total(u->reports, FEED_UDP, b->q.qtype, a.rcode);
	if (a.node)
		reports_note(u->reports, &(struct report_key){
			.uid = a.node->uid, .prefix = prefix, .qtype = b->q.qtype, .status = a.rcode, .answers = a.answers,
			.transport = FEED_UDP, .name = a.node->name, .name_n = a.node->name_n }, wall_ms);
	b->out_iov[k] = (struct iovec){ b->answer[k], a.n };
	b->out[k].msg_hdr = (struct msghdr){ .msg_name = m->msg_name, .msg_namelen = m->msg_namelen,
					     .msg_iov = &b->out_iov[k], .msg_iovlen = 1 };
	if (m->msg_controllen) {
		b->out[k].msg_hdr.msg_control = m->msg_control;
		b->out[k].msg_hdr.msg_controllen = turn_round(m);
	}
	return true;
}

static void send_all(int fd, struct mmsghdr *m, unsigned n)
{
	unsigned at = 0;

	while (at < n) {
		int sent = sendmmsg(fd, m + at, n - at, MSG_DONTWAIT);

		if (sent > 0)
			at += (unsigned)sent;
		else if (errno != EINTR)
			at++; /* this one cannot go out (no route, no room): UDP may lose */
	}
}

/* One batch; how many packets it had. */
static unsigned serve(struct udp *u, size_t which)
{
	struct batch *b = &u->b;
	int fd = u->l->edge->dns_udp.fd[which], n;
	int64_t boot_ms, wall_ms;
	unsigned k = 0;

	for (unsigned i = 0; i < BATCH; i++) {
		b->in[i].msg_hdr.msg_namelen = sizeof b->from[i];
		b->in[i].msg_hdr.msg_controllen = u->wildcard[which] ? CONTROL : 0;
	}
	n = recvmmsg(fd, b->in, BATCH, MSG_DONTWAIT, NULL);
	if (n <= 0)
		return 0;
	boot_ms = edge_boot_ms();
	wall_ms = edge_wall_ms();
	for (unsigned i = 0; i < (unsigned)n; i++)
		if (answer_one(u, i, k, boot_ms, wall_ms))
			k++;
	send_all(fd, b->out, k);
	return (unsigned)n;
}

static bool is_wildcard(int fd)
{
	union addr a = { 0 };
	socklen_t n = sizeof a;

	if (getsockname(fd, &a.sa, &n) < 0)
		return true;
	if (a.sa.sa_family == AF_INET)
		return a.in.sin_addr.s_addr == INADDR_ANY;
	return IN6_IS_ADDR_UNSPECIFIED(&a.in6.sin6_addr);
}

static struct udp *udp_new(struct listener *l)
{
	struct udp *u = xcalloc(1, sizeof *u);

	u->l = l;
	u->limit = limit_new(l->edge->settings.rate_limit);
	u->reports = reports_new(l->edge->report_fd);
	for (size_t i = 0; i < l->edge->dns_udp.n; i++)
		u->wildcard[i] = is_wildcard(l->edge->dns_udp.fd[i]);
	batch_reset(&u->b);
	return u;
}

void udp_run(void *arg)
{
	struct udp *u = udp_new(arg);
	struct listener *l = u->l;
	const struct fd_list *fds = &l->edge->dns_udp;

	listener_ready(l);
	for (;;) {
		struct pollfd p[EDGE_FDS_MAX + 1];
		unsigned packets = 0;
		bool kept;

		listener_step(l);
		for (size_t i = 0; l->table && i < fds->n; i++)
			packets += serve(u, i);
		kept = reports_flush(u->reports, edge_boot_ms(), false);
		if (packets)
			continue;
		p[0] = (struct pollfd){ .fd = l->wake_fd, .events = POLLIN };
		for (size_t i = 0; i < fds->n; i++)
			p[i + 1] = (struct pollfd){ .fd = l->table ? fds->fd[i] : -1, .events = POLLIN };
		if (poll(p, fds->n + 1, kept ? REPORT_PERIOD_MS : -1) > 0 && p[0].revents)
			listener_drain(l);
	}
}
