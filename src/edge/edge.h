/* SPDX-License-Identifier: Apache-2.0 */
/*
 * edge.h - certwright-edge: the public process. It answers DNS and HTTP-01 from memory, links libc only, and holds no key, no
 * database and no file.
 *
 * Descriptors are inherited by the LISTEN_FDS convention: they begin at 3, LISTEN_FDS says how many, LISTEN_FDNAMES names
 * them, separated by colons. LISTEN_PID may be absent; if it is there it must be ours. Names, each any number of times:
 *
 *	dns-udp   bound UDP sockets          feed    listening SOCK_SEQPACKET, where core connects (exactly one)
 *	dns-tcp   listening TCP sockets      report  the same, for reports (at most one)
 *	http01    listening TCP sockets
 *
 * The sockets outlive the process: who holds them (our supervisor, systemd) may start edge anew at any time, and the
 * kernel queues what arrives meanwhile. Settings are arguments (usage() in main.c lists them).
 *
 * Threads: the main one serves the feed; one answers UDP; one answers TCP and HTTP. Each listener has a table of its
 * own. A feed packet is handed to all listeners at once and the main thread waits until each has applied it between two of its
 * packets; only then it is acknowledged. Before the first full set no listener reads any socket: silence is retried
 * by resolvers, SERVFAIL is remembered. After the threads run, seccomp closes all other system calls (base/sandbox.h).
 *
 * Nothing is allocated for a packet or a connection; connection slots are fixed arrays. SIGTERM simply ends the process: there
 * is nothing to save.
 */
#ifndef EDGE_EDGE_H
#define EDGE_EDGE_H

#include "edge/answer.h"
#include "edge/limit.h"
#include "edge/report.h"
#include "edge/table.h"

#define EDGE_FDS_MAX 32 /* of each kind */
#define EDGE_LISTENERS 2

struct fd_list {
	int fd[EDGE_FDS_MAX];
	size_t n;
};

struct edge;

struct listener {
	struct edge *edge;
	const char *name;
	int wake_fd;         /* eventfd: a packet of the feed is waiting */
	uint64_t done;       /* atomic: the last packet that was applied */
	bool ready;          /* atomic: the thread is set up and makes no more calls than the sandbox allows */
	struct table *table; /* what is answered from; NULL: never loaded */
	struct table *next;  /* a full set that is being collected */
	struct table *trash; /* freed by the main thread */
	bool names, tokens;  /* which items it needs */
};

struct edge {
	struct edge_settings settings;
	struct fd_list dns_udp, dns_tcp, http01;
	int feed_fd, report_listen_fd; /* -1: none */
	int report_fd;                 /* the descriptor number all reports go to; replaced by dup3 */
	struct listener listeners[EDGE_LISTENERS];
	size_t listeners_n;

	/* the packet being handed over; written by the main thread while all listeners are done with the one before */
	uint64_t turn; /* atomic */
	const uint8_t *packet;
	size_t packet_n;
	enum feed_type packet_type;
	uint32_t serial;
	int done_fd;
};

/* Listener side: set up, the sandbox may close. */
void listener_ready(struct listener *l);
/* Listener side: applies what is waiting, if anything. Called between packets. */
void listener_step(struct listener *l);
/* Empties the eventfd after poll said it is readable. */
void listener_drain(struct listener *l);

/* Main thread: waits until every listener is ready. */
void feed_wait_ready(struct edge *e);
/* Main thread: serves the feed for ever. */
void feed_serve(struct edge *e);

void udp_run(void *listener);
void tcp_run(void *listener);

/* Coarse clocks, no system call. */
int64_t edge_boot_ms(void);
int64_t edge_wall_ms(void);

#ifdef EDGE_SELFTEST
/* Test build only: does what the first label of the name says, which the sandbox must not survive. */
void selftest_query(const struct dns_query *q);
#endif

#endif
