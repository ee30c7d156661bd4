/* SPDX-License-Identifier: Apache-2.0 */
/*
 * rows.h - one thing done to many certificates, each in a transaction of its own with its own audit row and its own verdict. For files
 * of this folder; renewal.h and bulk.h are what others call.
 */
#ifndef SERVICE_ROWS_H
#define SERVICE_ROWS_H

#include "base/ulid.h"
#include "service/internal.h"
#include "service/renewal.h"

struct bulk_create;

struct row_job { /* what the transactions of the rows share */
	struct service *s;
	const struct actor *actor;
	const char *csr_ref;                    /* renew with it, or NULL */
	const struct revocation_create *revoke; /* NULL: renew */
	int reason;
	const struct bulk_create *bulk;         /* of bulk.c, or NULL */
	const struct strlist *tags;             /* of bulk.c, brought into order */
	bool ask_cost;                          /* what costs money is refused */
	bool preview;                           /* everything is judged, nothing is kept */
	int64_t now_ms;
	/* of the row that is done, made by rows_each */
	struct ulid order_id, job_id;
	struct audit *audit;
	struct row_result *row;
};

/*
 * fn gets the job as its argument. Only a failure of the store at the first row is an error of the whole; at a later one it ends there,
 * and each row behind it says that it was not tried.
 */
int rows_each(struct row_job *j, const struct strlist *refs, const char *action, sql_tx_fn *fn, struct row_result_list *ret,
	      struct err *err) MUST_CHECK;
/* Sets what the transaction of one row needs; audit must live until it is over. */
void row_begin(struct row_job *j, struct row_result *row, const char *action, struct audit *audit);
/* The store's trouble, not the row's. */
bool row_is_stores(const struct err *e);
/* The row's certificate, which the audit row is about too. */
int row_find(struct sql *tx, struct row_job *j, struct certificate *c, struct err *err) MUST_CHECK;
/* What a row is done by; arg is the job. renew.c, revoke.c */
int row_renew(struct sql *tx, struct row_job *j, const struct certificate *c, struct err *err) MUST_CHECK; /* c is what row_find gave */
int row_renew_tx(struct sql *tx, void *arg, struct err *err) MUST_CHECK;
int row_revoke_tx(struct sql *tx, void *arg, struct err *err) MUST_CHECK;
/* The code of RFC 5280 5.3.1; -1 for NULL. revoke.c */
int row_reason_code(const char *text);

/* What an action (bulk.h) does with each row. */
struct bulk_plan {
	struct row_job rows;
	sql_tx_fn *fn;
	const char *audit;
	enum permission needs, also; /* also: PERM_NONE = nothing */
	struct strlist tags;
	struct revocation_create revoke;
};
void bulk_plan_done(struct bulk_plan *p);
/* Whether a may do it: DENIED. */
int bulk_plan_authorize(const struct bulk_plan *p, const struct actor *a, struct err *err) MUST_CHECK;
/* Asks for the right and checks the request; *ret must be zero and stay where it is: its rows point into it. DENIED, INVALID. */
int bulk_plan_make(struct service *s, const struct actor *a, const struct bulk_create *r, struct bulk_plan *ret, struct err *err) MUST_CHECK;

#endif
