/* SPDX-License-Identifier: Apache-2.0 */
/* core.h - where keys are in clear: one request in, one reply out. Inside keys/ only. Thread-safe. */
#ifndef KEYS_CORE_H
#define KEYS_CORE_H

#include "keys/message.h"
#include "keys/ring.h"

struct core;

struct core *core_new(struct ring *ring); /* takes the ring */
void core_free(struct core *c);
/* ret must be empty; it stays so on failure. */
int core_do(struct core *c, const struct key_request *q, struct key_reply *ret, struct err *err);

#endif
