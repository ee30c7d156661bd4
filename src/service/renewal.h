/* SPDX-License-Identifier: Apache-2.0 */
/* renewal.h - what people may see and say about renewals, revocation, and what they are told of. The engine does the rest. */
#ifndef SERVICE_RENEWAL_H
#define SERVICE_RENEWAL_H

#include "engine/renewal.h"
#include "service/service.h"
#include "store/event.h"
#include "store/notice.h"
#include "store/renewal.h"

/* --- the schedule --- */

struct renewal_view {
	struct certificate certificate;
	struct renewal renewal;
	char *order_id; /* of the renewal under way, or NULL */
	int64_t order_num;
	char *order_stage; /* or NULL */
};
void renewal_view_done(struct renewal_view *v);
#define _cleanup_renewal_view_ __attribute__((cleanup(renewal_view_done)))
STORE_LIST(renewal_view);
#define _cleanup_renewal_view_list_ __attribute__((cleanup(renewal_view_list_done)))

/* Managed certificates, the first to be renewed first. */
int service_renewal_list(struct service *s, const struct list_query *q, struct renewal_view_list *ret, struct list_end *end,
			 struct err *err) MUST_CHECK;
int service_renewal_get(struct service *s, const char *ref, struct renewal_view *ret, struct event_list *ret_events, struct err *err) MUST_CHECK;

struct renewal_update { /* 0, NULL and false: unchanged */
	bool installed;       /* what was issued is in use where the key is */
	bool retry;           /* a pause or a wait is over: look again now */
	int64_t key_max_days; /* how long a CSR made elsewhere is used again */
	const char *window_id; /* its maintenance window; "" = the default */
};
int service_renewal_update(struct service *s, const struct actor *a, const char *ref, const struct renewal_update *u,
			   struct renewal_view *ret, struct err *err) MUST_CHECK;

/* --- renew and revoke: many at once, each row for itself --- */

struct row_result { /* of one certificate; err.code 0 = done */
	char *ref, *certificate_id;
	int64_t certificate_num;
	char *order_id, *job_id; /* or NULL */
	int64_t order_num;
	struct strlist names;
	bool existing; /* it was under way, or so, already */
	struct err err;
};
void row_result_done(struct row_result *r);
STORE_LIST(row_result);
#define _cleanup_row_result_list_ __attribute__((cleanup(row_result_list_done)))

struct renewal_create {
	struct strlist certificate_ids; /* ids or numbers */
	const char *csr_id;             /* for a single certificate only */
	bool accept_cost;               /* what the authority charges for is meant */
};
/* Each certificate in a transaction of its own; only what is wrong with the request as a whole is an error. */
int service_renewal_create(struct service *s, const struct actor *a, const struct renewal_create *r, struct row_result_list *ret,
			   struct err *err) MUST_CHECK;

struct revocation_create {
	struct strlist certificate_ids;
	const char *version_id; /* of a single certificate: another version than the current one */
	const char *reason;     /* unspecified, key-compromise, superseded, cessation-of-operation; NULL = none is sent */
	bool by_key;            /* signed by the certificate's key instead of the account's */
	bool replace;           /* renew first, with a new key; revoked when the new one is there */
	bool accept_cost;       /* as of a renewal: what replaces it may cost money */
};
int service_revocation_create(struct service *s, const struct actor *a, const struct revocation_create *r, struct row_result_list *ret,
			      struct err *err) MUST_CHECK;

/* --- stopping all automatic renewals --- */

struct pause_put {
	bool stopped;
	const char *reason, *until; /* until: RFC 3339, or NULL */
};
int service_pause_get(struct service *s, struct renewal_pause *ret, bool *ret_on, struct err *err) MUST_CHECK;
int service_pause_put(struct service *s, const struct actor *a, const struct pause_put *p, struct err *err) MUST_CHECK;

/* --- what somebody has to know --- */

struct notice_view {
	struct notice notice;
	struct certificate_list certificates; /* the first 20 */
};
static inline void notice_view_done(struct notice_view *v)
{
	notice_done(&v->notice);
	certificate_list_done(&v->certificates);
}
STORE_LIST(notice_view);
#define _cleanup_notice_view_list_ __attribute__((cleanup(notice_view_list_done)))
/* All open ones (200 at most), the oldest first. */
int service_notice_list(struct service *s, struct notice_view_list *ret, struct err *err) MUST_CHECK;

#endif
