/* SPDX-License-Identifier: Apache-2.0 */
/*
 * steps.h - the order machine: a table of steps (docs/order-engine.md draws it).
 *
 * A step looks first, performs at most ONE outward action, takes at most LIMIT_STEP_S in all, never sleeps, and may run
 * twice. It changes the rows of struct run in memory and returns a verdict; order_run_once() stores both, with the events, in one
 * transaction that is fenced by gen. A verdict with .keep says that nothing was learnt that has to be durable: it is written
 * with the next step's if that is due at once (so a crash repeats a look, never a deed).
 */
#ifndef ENGINE_STEPS_H
#define ENGINE_STEPS_H

#include "base/clock.h"
#include "model/account.h"
#include "model/certificate.h"
#include "model/order.h"
#include "model/work.h"

struct engine;
struct worker;
struct run;

struct verdict {
	enum order_step next;
	int64_t due_ms; /* now or earlier: go on at once */
	bool keep;      /* see above */
	bool waiting;   /* same step, nothing changed: only due_ms and polls are written, no event */
};

struct order_step_row {
	const char *name;
	int (*run)(struct run *r, struct verdict *v, struct err *err); /* NULL: final */
	unsigned may_go;    /* BIT(step) of every step a verdict may name beside its own; STEP_ABANDON and STEP_FAILED are reached from anywhere */
	int64_t give_up_ms; /* how long a stage may last; 0 = until the CA's own deadline */
	const char *gives_up; /* "the CA did not validate in time" */
};

extern const struct order_step_row order_steps[order_step_count];

#endif
