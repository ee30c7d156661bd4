/* SPDX-License-Identifier: Apache-2.0 */
/* account.h - accounts at ACME authorities: registering and refreshing are jobs that the engine walks. */
#ifndef SERVICE_ACCOUNT_H
#define SERVICE_ACCOUNT_H

#include "service/service.h"
#include "store/account.h"

struct account_register {
	const char *vendor, *directory_url; /* one of them */
	const char *email, *name;
	bool agree_tos;
	const char *eab_kid;
	struct secret eab_hmac_key;
};

int service_account_list(struct service *s, const struct list_query *q, struct account_list *ret, struct list_end *end,
			 struct err *err) MUST_CHECK;
int service_account_get(struct service *s, const char *ref, struct account *ret, struct err *err) MUST_CHECK;
/* *ret_job: id of the job that registers it, owned; its subject is the account. INVALID with the field. */
int service_account_register(struct service *s, const struct actor *a, const struct account_register *r,
			     const struct request_key *key, char **ret_job, struct err *err) MUST_CHECK;
int service_account_rename(struct service *s, const struct actor *a, const char *ref, int64_t rev, const char *name,
			   struct account *ret, struct err *err) MUST_CHECK;
/* Its live orders are cancelled and become invisible; certificates stay. */
int service_account_delete(struct service *s, const struct actor *a, const char *ref, int64_t rev, struct err *err) MUST_CHECK;
int service_account_refresh(struct service *s, const struct actor *a, const char *ref, char **ret_job, struct err *err) MUST_CHECK;

#endif
