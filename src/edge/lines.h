/* SPDX-License-Identifier: Apache-2.0 */
/*
 * lines.h - what edge has logged, kept for core: the last lines in a fixed place, the oldest give way. Edge reaches no collector and gains no
 * right to reach one; core passes the lines on (LOG of feed/feed.h). They are in the local log in any case.
 */
#ifndef EDGE_LINES_H
#define EDGE_LINES_H

#include "feed/feed.h"

/* From now on; once. */
void lines_keep(void);
/* Begins a LOG packet with all that fit into it, oldest first. False: there is nothing to send. On the main thread, as the next. */
bool lines_begin(struct feed_builder *b, uint64_t start);
/* That packet is on its way: its lines may go. */
void lines_sent(void);

#endif
