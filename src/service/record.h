/* SPDX-License-Identifier: Apache-2.0 */
/* record.h - challenge records, delegations and jobs: what is looked at. */
#ifndef SERVICE_RECORD_H
#define SERVICE_RECORD_H

#include "service/service.h"
#include "store/delegation.h"
#include "store/job.h"
#include "store/record.h"

struct record_view {
	struct record record;
	int64_t order_num;
	char *type; /* title of the method: "PowerDNS" */
};
void record_view_done(struct record_view *v);
#define _cleanup_record_view_ __attribute__((cleanup(record_view_done)))
STORE_LIST(record_view);
#define _cleanup_record_view_list_ __attribute__((cleanup(record_view_list_done)))

/* order_id: an id or a number. */
int service_record_list(struct service *s, const struct record_filter *f, const struct list_query *q, struct record_view_list *ret,
			struct list_end *end, struct err *err) MUST_CHECK;
int service_record_get(struct service *s, const char *ref, struct record_view *ret, struct err *err) MUST_CHECK;

/* part: of the name, NULL = any. */
int service_delegation_list(struct service *s, const char *part, const struct list_query *q, struct delegation_list *ret, struct list_end *end,
			    struct err *err) MUST_CHECK;
/* Where the name may lead by CNAME; NULL when there is no zone of ours (dns.zone). Owned by the caller. */
char *service_delegation_alias(const struct service *s, const char *name);
int service_delegation_get(struct service *s, const char *ref, struct delegation *ret, struct err *err) MUST_CHECK;
struct delegation_create { /* borrowed */
	const char *name;
	const char *provider, *target; /* the name leads there by CNAME, and that provider writes it; both or neither */
};
/* CONFLICT when there is one for the name: *ret is that one. */
int service_delegation_create(struct service *s, const struct actor *a, const struct delegation_create *c, const struct request_key *key,
			      struct delegation *ret, struct err *err) MUST_CHECK;
/* IN_USE while a live order needs it. */
int service_delegation_delete(struct service *s, const struct actor *a, const char *ref, int64_t rev, struct err *err) MUST_CHECK;

int service_job_list(struct service *s, const struct job_filter *f, const struct list_query *q, struct job_list *ret, struct list_end *end,
		     struct err *err) MUST_CHECK;
int service_job_get(struct service *s, const char *ref, struct job *ret, struct err *err) MUST_CHECK;


#endif
