/* SPDX-License-Identifier: Apache-2.0 */
/*
 * stop.h - the one thing every wait listens to, and wake-ups by eventfd.
 *
 * struct wake is an eventfd with a counter: wake_up() makes any number of wake_wait() return. struct stop is raised once,
 * from a signal handler if need be (async-signal-safe), and stays raised.
 */
#ifndef BASE_STOP_H
#define BASE_STOP_H

#include "base/util.h"

struct stop {
	int fd; /* readable for ever once raised */
	bool raised;
};

void stop_init(struct stop *s);
void stop_raise(struct stop *s);
bool stop_raised(const struct stop *s);
void stop_done(struct stop *s);

struct wake {
	int fd;
};

void wake_init(struct wake *w);
void wake_up(struct wake *w);
/* Waits until woken, stopped or timeout_ms (-1 = for ever) is over. True when woken (and takes the wake-up). */
bool wake_wait(struct wake *w, struct stop *s, int64_t timeout_ms);
void wake_done(struct wake *w);

#endif
