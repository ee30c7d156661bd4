/* SPDX-License-Identifier: Apache-2.0 */
/*
 * bulk.h - one action on many certificates: on those that are named, or on what a search finds, a stretch at a time. Each row is
 * judged and done for itself, with its own audit row; what is refused says why and stops no other.
 */
#ifndef SERVICE_BULK_H
#define SERVICE_BULK_H

#include "model/work.h"
#include "service/renewal.h"

/* text, right it needs, audit action */
#define BULK_ACTIONS(X)                                                                                                \
	X(BULK_RENEW, "renew")               /* now: same names, account and validation */                             \
	X(BULK_REVOKE, "revoke")                                                                                       \
	X(BULK_REPLACE, "revoke-and-replace") /* renewed with a new key first, revoked when the new one is there */    \
	X(BULK_TAG, "add-tags")                                                                                        \
	X(BULK_UNTAG, "remove-tags")                                                                                   \
	X(BULK_OWNER, "set-owner")                                                                                     \
	X(BULK_AUTOMATIC, "renew-automatically")                                                                       \
	X(BULK_WATCH, "only-watch")          /* not renewed by itself any more */                                      \
	X(BULK_DELETE, "delete")             /* off the inventory; nothing is revoked */
DECLARE_ENUM(bulk_action, BULK_ACTIONS);

struct bulk_create { /* as the API decodes it */
	const char *action;
	struct strlist certificate_ids; /* ids or numbers; or q */
	const char *q;                  /* a search (model/search.h): newest first, LIMIT_BULK rows a call */
	const char *cursor;             /* of q: what the call before said */
	struct strlist tags;            /* of add-tags and remove-tags */
	const char *owner;              /* of set-owner; "" = nobody */
	const char *reason;             /* of revoke and revoke-and-replace; NULL = none is sent */
	bool by_key;                    /* of these two: signed by the certificate's key */
	bool accept_cost;               /* orders at an authority that charges are meant */
	bool preview;                   /* say what would come of each, and do nothing */
	bool stored;                    /* as a job: service_bulk_store */
};
/*
 * Asks service_authorize for what the action needs (DENIED). INVALID with the field: ids and search, or neither; tags, owner or
 * reason that the action does not take or lacks. end is about the search: a stretch may be short, or empty, and have more behind it.
 */
int service_bulk(struct service *s, const struct actor *a, const struct bulk_create *r, struct row_result_list *ret, struct list_end *end,
		 struct err *err) MUST_CHECK;

/*
 * The same as a job that goes on without whoever asked, over restarts, with all that a search finds (as it was meant when it was asked
 * for). Its result says how many are done; each row's can be read from the first one on.
 */
int service_bulk_store(struct service *s, const struct actor *a, const struct bulk_create *r, struct job *ret, struct err *err) MUST_CHECK;
int service_bulk_rows(struct service *s, const char *job, const struct list_query *q, struct row_result_list *ret, struct list_end *end,
		      struct err *err) MUST_CHECK;
/* The engine's; arg is the service. */
int bulk_stretch(void *arg, struct job *job, bool *ret_more, struct err *err) MUST_CHECK;

#endif
