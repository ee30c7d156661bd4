/* SPDX-License-Identifier: Apache-2.0 */
/*
 * core.h - core's end of the feed: a thread that keeps edge's table equal to the store, whoever of the two dies and
 * comes back.
 *
 * It connects to edge's sockets, sends the full set that source.full gives, and after every feed_core_wake() what
 * source.after gives. It never decides anything: what is live is what the store says. Sequence numbers come from the store
 * (a counter row moved in the same transaction as the change), so "everything after n" is complete when it is read.
 *
 *	commit the challenge row, its number is seq
 *	feed_core_wake(c);
 *	feed_core_wait(c, seq, 5000, err)      then every listener thread of edge answers it
 *
 * Where no edge is configured (dns.listen and http01.listen both empty) open with feed_path NULL: feed_core_offered() is
 * false and feed_core_wait() fails with NEEDS_PERSON and a sentence that says so.
 */
#ifndef FEED_CORE_H
#define FEED_CORE_H

#include "feed/feed.h"

struct feed_core;

/* Where the callbacks below put items; the item and what it points to may go when the call returns. Items that edge would not
 * take are left out and logged. */
struct feed_sink;
void feed_put(struct feed_sink *s, const struct feed_item *i);

struct feed_source {
	void *arg;
	/* Puts every live item (op FEED_ADD) and says up to which number that is complete; from one read transaction. */
	int (*full)(void *arg, struct feed_sink *s, uint64_t *ret_seq, struct err *err);
	/* Puts every change with a number > after, in order, and says up to which number that is complete (>= after).
	 * What went away is an item with FEED_REMOVE, with kind, name and id. */
	int (*after)(void *arg, uint64_t after, struct feed_sink *s, uint64_t *ret_seq, struct err *err);
	/* What was asked for names and tokens of ours (no totals); may be NULL. Names and hosts are borrowed for the call. Remote text: escape it before showing. */
	void (*report)(void *arg, const struct feed_report *r);
};
/* All three are called on the feed's own thread, one at a time; they may block on the store. */

/* Starts the thread; it tries for ever. Paths are copied; feed_path NULL means that no edge is configured. report_path may be NULL. */
int feed_core_open(struct feed_core **ret, const char *feed_path, const char *report_path, const struct feed_source *source,
		   struct err *err);
void feed_core_close(struct feed_core *c); /* ends the thread; NULL is fine */

bool feed_core_offered(const struct feed_core *c);
/* There is something new in the store. Cheap, from any thread. */
void feed_core_wake(struct feed_core *c);
/* Everything up to this number is answered by every listener thread of the edge that is connected now; 0 while none is. */
uint64_t feed_core_acked(struct feed_core *c);
/* Waits for that. TIMEOUT with the reason (not connected, not answering) when timeout_ms is over. */
int feed_core_wait(struct feed_core *c, uint64_t seq, int64_t timeout_ms, struct err *err);

struct feed_core_status {
	bool offered, connected, loaded;   /* loaded: the full set was acknowledged */
	unsigned version;                  /* of the feed, that was agreed last; 0: none yet */
	uint64_t sent, acked;
	uint64_t connections, reports;     /* since start */
	int64_t ack_us;                    /* how long the last acknowledgement took */
};
void feed_core_status(struct feed_core *c, struct feed_core_status *ret);

/* How much was asked since this core started, of whatever edge: for metrics. */
struct feed_total {
	enum feed_transport transport;
	uint16_t qtype;  /* 0: a type without a counter of its own, or HTTP */
	uint16_t status; /* RCODE; HTTP status */
	uint64_t count;
};
#define FEED_TOTALS_MAX 512
/* Copies at most cap of them; returns how many there are. */
size_t feed_core_totals(struct feed_core *c, struct feed_total *ret, size_t cap);

#endif
