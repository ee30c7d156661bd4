/* SPDX-License-Identifier: Apache-2.0 */
/*
 * account.h - accounts at ACME authorities. An account is its directory URL, its external key and its own key: several may share a URL
 * and an e-mail address. What asks the authority something is a job that the engine walks.
 */
#ifndef SERVICE_ACCOUNT_H
#define SERVICE_ACCOUNT_H

#include "base/json.h"
#include "service/service.h"
#include "store/account.h"
#include "store/order.h"
#include "store/takeover.h"

struct account_register {
	const char *vendor, *region, *directory_url; /* a vendor (with one of its regions, or a URL of its), or any directory URL */
	const char *email, *name;
	bool agree_tos;
	const char *terms_url; /* the terms that were shown and agreed to */
	const char *eab_kid;
	struct secret eab_hmac_key;
	const char *eab_from; /* NULL, "email" or "access-key": the vendor is asked for the values */
	struct secret eab_access_key;
	struct secret account_key; /* PEM of an existing account's key: it is found, not made */
	bool automatic;
	json_t *connection; /* object (model/connection.h), JSON null or NULL for none */
};

struct account_view {
	struct account account;
	char *label; /* "email --- vendor", and what tells it from others that read the same */
};
void account_view_done(struct account_view *v);
STORE_LIST(account_view);
#define _cleanup_account_view_ __attribute__((cleanup(account_view_done)))
#define _cleanup_account_view_list_ __attribute__((cleanup(account_view_list_done)))

int service_account_list(struct service *s, const struct account_filter *f, const struct list_query *q, struct account_view_list *ret,
			 struct list_end *end, struct err *err) MUST_CHECK;
int service_account_get(struct service *s, const char *ref, struct account_view *ret, struct err *err) MUST_CHECK;
/* *ret_job: id of the job that registers (or finds) it, owned; its subject is the account. INVALID with the field. */
int service_account_register(struct service *s, const struct actor *a, const struct account_register *r,
			     const struct request_key *key, char **ret_job, struct err *err) MUST_CHECK;

struct account_update { /* NULL: unchanged */
	const char *name;
	const char *preferred_issuer; /* "" = none */
	const bool *automatic;
	json_t *connection; /* JSON null for none */
};
int service_account_update(struct service *s, const struct actor *a, const char *ref, int64_t rev, const struct account_update *u,
			   struct account_view *ret, struct err *err) MUST_CHECK;

/* Jobs about an account that is registered; *ret_job is owned. */
int service_account_refresh(struct service *s, const struct actor *a, const char *ref, char **ret_job, struct err *err) MUST_CHECK;
int service_account_contact(struct service *s, const struct actor *a, const char *ref, const char *email, char **ret_job,
			    struct err *err) MUST_CHECK;
int service_account_agree(struct service *s, const struct actor *a, const char *ref, const char *terms_url, char **ret_job,
			  struct err *err) MUST_CHECK;
int service_account_rollover(struct service *s, const struct actor *a, const char *ref, char **ret_job, struct err *err) MUST_CHECK;

/* --- deleting (account_delete.c) --- */

#define DELETION_SHOWN 50
#define TAKEOVER_NONE "none"

/* What deleting it would do. Lists hold the first DELETION_SHOWN. */
struct account_deletion {
	struct account_view account;
	int64_t orders, live_orders, certificates, managed;
	struct order_list live_list; /* orders that are ended first */
	struct account_certificate_list certificate_list;
	bool registered; /* it can be deactivated at its authority */
};
void account_deletion_done(struct account_deletion *d);
#define _cleanup_account_deletion_ __attribute__((cleanup(account_deletion_done)))
int service_account_deletion(struct service *s, const char *ref, struct account_deletion *ret, struct err *err) MUST_CHECK;

struct account_delete {
	const char *takeover; /* the account that renews its certificates from now on, TAKEOVER_NONE, or NULL = not said */
	bool deactivate;      /* at the authority too: final */
	bool destroy_key;     /* nothing it issued can be revoked by the account any more */
};
/*
 * Live orders are ended, all its orders become invisible, certificates stay. IN_USE with "/takeover" when certificates are renewed by it and
 * nobody was named. TAKEOVER_NONE: they are marked "renewal needs an account" and each raises an alarm.
 */
int service_account_delete(struct service *s, const struct actor *a, const char *ref, int64_t rev, const struct account_delete *d,
			   struct err *err) MUST_CHECK;

#endif
