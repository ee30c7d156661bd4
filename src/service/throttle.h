/* SPDX-License-Identifier: Apache-2.0 */
/*
 * throttle.h - token buckets of failures, by name: so many at once, then one in so many ms. In memory and bounded: when it is
 * full the bucket that is fullest of tokens is forgotten. Names are hashed, so what people typed is not kept.
 */
#ifndef SERVICE_THROTTLE_H
#define SERVICE_THROTTLE_H

#include "base/err.h"

struct throttle;

struct throttle *throttle_new(unsigned burst, int64_t refill_ms, size_t buckets_max);
void throttle_free(struct throttle *t);
/* 0 when one may try, else the instant from which one may. */
int64_t throttle_check(struct throttle *t, const char *name, int64_t now_ms);
void throttle_failed(struct throttle *t, const char *name, int64_t now_ms);
void throttle_forgive(struct throttle *t, const char *name); /* after a success */

#endif
