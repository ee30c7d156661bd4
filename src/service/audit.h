/* SPDX-License-Identifier: Apache-2.0 */
/*
 * audit.h - who did what: reading it, and what is refused. What is done is written by each use case in its own transaction
 * (audit_begin of internal.h, store_audit_add); a full disk refuses the deed, not the row.
 */
#ifndef SERVICE_AUDIT_H
#define SERVICE_AUDIT_H

#include "service/service.h"
#include "store/audit.h"

#define AUDIT_CSV_ROWS 10000

struct audit_query {
	const char *since, *until; /* RFC 3339: from, and before; NULL = any */
	const char *actor, *object, *action;
};
/* q->limit goes up to limit_max. INVALID with the field. */
int service_audit_list(struct service *s, const struct audit_query *r, const struct list_query *q, int limit_max,
		       struct audit_list *ret, struct list_end *end, struct err *err) MUST_CHECK;

/*
 * A request that was refused (403) or a token that was not taken: one row, or one more in the sum of its source. What could not be
 * written is logged; the request is refused anyway.
 */
void service_audit_refused(struct service *s, const struct actor *a, const char *action, const char *operation, const char *object_id,
			   const char *why);
/* Writes the sums of minutes that are over (all: also of the running one). Blocks on the store. */
void service_audit_flush(struct service *s, bool all);

#endif
