/* SPDX-License-Identifier: Apache-2.0 */
/* job.h - rows of table job. Each write touches ("job", id). */
#ifndef STORE_JOB_H
#define STORE_JOB_H

#include "store/lease.h"

int store_job_add(struct sql *tx, struct job *j, struct err *err) MUST_CHECK; /* hands out j->num */
int store_job_get(struct sql *q, const char *id, struct job *ret, struct err *err) MUST_CHECK;
int store_job_get_num(struct sql *q, int64_t num, struct job *ret, struct err *err) MUST_CHECK;
/*
 * Engine: writes subject_id, args, state, result, reason, lane, due_ms, give_up_ms, attempts, set_aside, ended_ms
 * WHERE gen = j->gen. LOST_LEASE.
 */
int store_job_put(struct sql *tx, const struct job *j, enum lease_then then, int64_t now_ms, struct err *err) MUST_CHECK;
/* Newest first, page as for orders. */
struct job_filter { /* NULL: any */
	const char *kind, *state;
};
int store_job_list(struct sql *q, const struct job_filter *f, const struct page *p, struct job_list *ret, struct err *err) MUST_CHECK;
int store_job_list_subject(struct sql *q, const char *subject_id, const struct page *p, struct job_list *ret,
			   struct err *err) MUST_CHECK;
/* The live (not ended) job of that kind about that subject (NULL = about nothing); NOT_FOUND. */
int store_job_find_live(struct sql *q, enum job_kind kind, const char *subject_id, struct job *ret, struct err *err) MUST_CHECK;
struct job_fact {
	int64_t ok_ms; /* when one of the kind was last done; 0 = never, or pruned since */
	int64_t live;  /* not ended */
};
int store_job_facts(struct sql *q, struct job_fact ret[job_kind_count], struct err *err) MUST_CHECK;
/* Those that have failed at least once and are tried again, the newest first. */
int store_job_list_troubled(struct sql *q, int limit, struct job_list *ret, struct err *err) MUST_CHECK;
/* Jobs not ended, and jobs that failed (until they are pruned). */
int store_job_count(struct sql *q, int64_t *ret_live, int64_t *ret_failed, struct err *err) MUST_CHECK;
int store_job_prune(struct sql *tx, int64_t ended_before_ms, int64_t *ret_n, struct err *err) MUST_CHECK; /* <= 500 a call */

#endif
