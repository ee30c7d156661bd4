/* SPDX-License-Identifier: Apache-2.0 */
/*
 * report.h - what was asked, counted per (name, type, source prefix, status) and sent every 250 ms. A fixed table per
 * listener thread; when it is full, or nobody reads, reports are lost and counted, and no answer ever waits.
 */
#ifndef EDGE_REPORT_H
#define EDGE_REPORT_H

#include "base/addr.h"
#include "feed/feed.h"

#define REPORT_PERIOD_MS 250 /* also of the totals, which are kept until they could be sent */

struct reports;

struct report_key {
	uint64_t uid;    /* of the node or token */
	uint64_t prefix; /* limit_prefix() */
	uint16_t qtype, status;
	uint32_t answers;
	enum feed_transport transport;
	const uint8_t *name; /* wire form, lower case; HTTP: the token */
	size_t name_n;
	struct str host;     /* HTTP only */
};

/* fd: where REPORT packets go; it may be replaced under us by dup3, and need not be a socket at first. */
struct reports *reports_new(int fd);
void reports_free(struct reports *r);
void reports_note(struct reports *r, const struct report_key *k, int64_t wall_ms);
/* Counts every question, whatever its name. */
void reports_total(struct reports *r, enum feed_transport transport, uint16_t qtype, uint16_t status);
/* Sends what there is when the period is over. True while something is kept back. */
bool reports_flush(struct reports *r, int64_t boot_ms, bool now);
uint64_t reports_lost(const struct reports *r);

#endif
