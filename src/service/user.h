/* SPDX-License-Identifier: Apache-2.0 */
/* user.h - people. Names are lower case; the last enabled administrator cannot be lost. */
#ifndef SERVICE_USER_H
#define SERVICE_USER_H

#include "service/service.h"
#include "store/user.h"

struct user_create {
	const char *name, *role;
	struct secret password;
};
struct user_update { /* NULL, empty, -1: stays */
	const char *role;
	struct secret password;
	int disabled; /* -1, 0, 1 */
};

/* Lower case, 1 to 64 of a-z 0-9 . _ - @ +. INVALID with "/name". *ret is owned. */
int user_name_canonical(const char *name, char **ret, struct err *err) MUST_CHECK;

int service_user_list(struct service *s, const struct list_query *q, struct user_list *ret, struct list_end *end,
		      struct err *err) MUST_CHECK;
int service_user_get(struct service *s, const char *ref, struct user *ret, struct err *err) MUST_CHECK;
/* Slow. */
int service_user_create(struct service *s, const struct actor *a, const struct user_create *r, const struct request_key *key,
			struct user *ret, struct err *err) MUST_CHECK;
/* Slow. A new password or a disabled user: the sessions end. */
int service_user_update(struct service *s, const struct actor *a, const char *ref, int64_t rev, const struct user_update *r,
			struct user *ret, struct err *err) MUST_CHECK;
int service_user_delete(struct service *s, const struct actor *a, const char *ref, int64_t rev, struct err *err) MUST_CHECK;

#endif
