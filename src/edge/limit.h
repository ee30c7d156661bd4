/* SPDX-License-Identifier: Apache-2.0 */
/*
 * limit.h - response rate limiting by source prefix (/24, /56) and kind of answer. Limited answers are truncated, never
 * dropped (slip 1): a real resolver asks again by TCP, a spoofed victim gets no more bytes than were sent in its name.
 * Answers with live challenge values are exempt, so that nobody can make a CA fail by asking in its name.
 *
 * A fixed table of buckets, four to a set, the one longest unused gives way. One per UDP thread; not thread-safe.
 */
#ifndef EDGE_LIMIT_H
#define EDGE_LIMIT_H

#include "base/addr.h"

struct limit;

struct limit *limit_new(unsigned per_second); /* 0: no limit */
void limit_free(struct limit *l);
/* May this answer go out whole? Counts it. */
bool limit_ok(struct limit *l, uint64_t prefix, unsigned kind, int64_t now_ms);

/* The /24 or /56 of an address; IPv4 and IPv6 never meet. */
uint64_t limit_prefix(const union addr *a);

#endif
