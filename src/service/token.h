/* SPDX-License-Identifier: Apache-2.0 */
/* token.h - API tokens: cw_..., shown once, hashed, named, expiring, revocable, with a role of at most the maker's. */
#ifndef SERVICE_TOKEN_H
#define SERVICE_TOKEN_H

#include "service/service.h"
#include "store/user.h"

struct token_create {
	const char *name, *role; /* role NULL = the maker's */
	int64_t days;            /* 0 = 90 */
	struct strlist rights;   /* none unless named, and of the maker's only */
	struct strlist sources;  /* CIDRs; empty = from anywhere */
	const char *certificate; /* id or number: it fetches this one and does nothing else (role pull; then role must be NULL) */
	const char *reason;      /* with certificate and the right key-export: why the key leaves, for the audit of each fetch */
};

struct token_view {
	struct token token;
	char *user_name;
	char *certificate_name; /* role pull: its first name; NULL when it is deleted */
};
void token_view_done(struct token_view *v);
STORE_LIST(token_view);
#define _cleanup_token_view_ __attribute__((cleanup(token_view_done)))
#define _cleanup_token_view_list_ __attribute__((cleanup(token_view_list_done)))

/*
 * Who this token is. UNAUTHENTICATED, also from an address (ret->address) that is not one of its sources. Role and rights are what
 * the token and its user both have now.
 */
int service_token_auth(struct service *s, const char *text, struct actor *ret, struct err *err) MUST_CHECK;

/* One's own; administrators see and revoke everybody's (others: NOT_FOUND). */
int service_token_list(struct service *s, const struct actor *a, const struct list_query *q, struct token_view_list *ret,
		       struct list_end *end, struct err *err) MUST_CHECK;
int service_token_get(struct service *s, const struct actor *a, const char *ref, struct token_view *ret, struct err *err) MUST_CHECK;
int service_token_create(struct service *s, const struct actor *a, const struct token_create *r, struct secret *ret_text,
			 struct token_view *ret, struct err *err) MUST_CHECK;
int service_token_revoke(struct service *s, const struct actor *a, const char *ref, struct err *err) MUST_CHECK;

#endif
