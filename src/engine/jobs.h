/* SPDX-License-Identifier: Apache-2.0 */
/*
 * jobs.h - the job table: every outward or slow act that is not an order. A job is a row walked by the same runner with the same
 * rules as orders: leases, fencing, starts, lanes, retry classes. A job's function looks before it acts, may run twice, and
 * ends in one transaction together with what it changed.
 */
#ifndef ENGINE_JOBS_H
#define ENGINE_JOBS_H

#include "base/err.h"
#include "model/work.h"

struct job_run;

struct job_row {
	const char *title;  /* "Register account" */
	/* 0: done, r->result (JSON) is stored with it. -code: retried or ended by the class of the error. */
	int (*run)(struct job_run *r, struct err *err);
	int64_t give_up_ms; /* errors that may pass are retried so long */
	bool local;         /* lane "local", else the vendor's lane of the account or directory */
	bool standing;      /* never ends: an error makes it wait for an hour at most */
};

extern const struct job_row job_rows[job_kind_count];

#endif
