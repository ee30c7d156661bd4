/* SPDX-License-Identifier: Apache-2.0 */
/*
 * user.h - people and their sessions. Names are lower case; the last enabled administrator cannot be lost. Where a user is meant, the
 * id, the number or the name does. Rights are granted by administrators, also to themselves: the audit says so.
 */
#ifndef SERVICE_USER_H
#define SERVICE_USER_H

#include "service/service.h"
#include "store/user.h"

struct user_create {
	const char *name, *role;
	struct strlist rights;
	struct secret password;
};
struct user_update { /* NULL, empty, -1: stays */
	const char *role;
	const struct strlist *rights; /* all that the user has from now on */
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

/* Of the user (id, number or name); ref NULL = one's own. At most 200, newest first. */
int service_session_list(struct service *s, const struct actor *a, const char *ref, struct session_list *ret, struct err *err) MUST_CHECK;
/* One's own; administrators end everybody's (others: NOT_FOUND). */
int service_session_end(struct service *s, const struct actor *a, const char *id, struct err *err) MUST_CHECK;
int service_sessions_end(struct service *s, const struct actor *a, const char *ref, struct err *err) MUST_CHECK;

#endif
