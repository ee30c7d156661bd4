/* SPDX-License-Identifier: Apache-2.0 */
/* user.h - people, their sessions and API tokens, one-time setup tokens. Hashes come from the caller. */
#ifndef STORE_USER_H
#define STORE_USER_H

#include "model/user.h"
#include "store/list.h"
#include "store/store.h"

STORE_LIST(user);
#define _cleanup_user_list_ __attribute__((cleanup(user_list_done)))
STORE_LIST(token);
#define _cleanup_token_list_ __attribute__((cleanup(token_list_done)))

STORE_LIST(session);
#define _cleanup_session_list_ __attribute__((cleanup(session_list_done)))

int store_user_add(struct sql *tx, struct user *u, struct err *err) MUST_CHECK; /* hands out u->num; CONFLICT: the name */
int store_user_get(struct sql *q, const char *id, struct user *ret, struct err *err) MUST_CHECK;
int store_user_get_num(struct sql *q, int64_t num, struct user *ret, struct err *err) MUST_CHECK;
int store_user_find(struct sql *q, const char *name, struct user *ret, struct err *err) MUST_CHECK;
int store_user_put(struct sql *tx, struct user *u, int64_t expect_rev, struct err *err) MUST_CHECK; /* raises rev */
/* Counters of sign-in: failures, locked_until_ms, last_login_ms; rev stays. */
int store_user_put_login(struct sql *tx, const struct user *u, struct err *err) MUST_CHECK;
/* By newest, oldest or name; only: the role. */
int store_user_list(struct sql *q, const struct narrow *by, const struct page *p, struct user_list *ret, struct err *err) MUST_CHECK;
int store_user_delete(struct sql *tx, const char *id, int64_t now_ms, struct err *err) MUST_CHECK; /* sessions, tokens end */
int store_user_count(struct sql *q, int64_t *ret, struct err *err) MUST_CHECK;
int store_user_count_admins(struct sql *q, int64_t *ret, struct err *err) MUST_CHECK; /* live and not disabled */

int store_session_add(struct sql *tx, const struct session *s, struct err *err) MUST_CHECK;
int store_session_get(struct sql *q, const char *hash, struct session *ret, struct err *err) MUST_CHECK; /* expired ones too */
int store_session_by_id(struct sql *q, const char *id, struct session *ret, struct err *err) MUST_CHECK;
/* Newest first, those that are neither over nor silent since seen_after_ms. */
int store_session_list(struct sql *q, const char *user_id, int64_t now_ms, int64_t seen_after_ms, int limit, struct session_list *ret,
		       struct err *err) MUST_CHECK;
int store_session_seen(struct sql *tx, const char *hash, int64_t seen_ms, int64_t expires_ms, struct err *err) MUST_CHECK;
int store_session_del(struct sql *tx, const char *hash, struct err *err) MUST_CHECK; /* fine when it is not there */
/* All of a user but except_hash (may be NULL). */
int store_session_del_user(struct sql *tx, const char *user_id, const char *except_hash, struct err *err) MUST_CHECK;
int store_session_prune(struct sql *tx, int64_t expired_before_ms, int64_t *ret_n, struct err *err) MUST_CHECK;

/* Where a user has signed in well before. */
int store_known_source_put(struct sql *tx, const char *user_id, const char *source, int64_t now_ms, struct err *err) MUST_CHECK;
int store_known_source_has(struct sql *q, const char *user_id, const char *source, bool *ret, struct err *err) MUST_CHECK;
int store_known_source_prune(struct sql *tx, int64_t before_ms, int64_t *ret_n, struct err *err) MUST_CHECK;

int store_token_add(struct sql *tx, struct token *t, struct err *err) MUST_CHECK; /* hands out t->num */
int store_token_get(struct sql *q, const char *id, struct token *ret, struct err *err) MUST_CHECK;
int store_token_get_num(struct sql *q, int64_t num, struct token *ret, struct err *err) MUST_CHECK;
int store_token_find(struct sql *q, const char *hash, struct token *ret, struct err *err) MUST_CHECK; /* revoked ones too */
int store_token_used(struct sql *tx, const char *id, int64_t now_ms, struct err *err) MUST_CHECK;
int store_token_revoke(struct sql *tx, const char *id, int64_t now_ms, struct err *err) MUST_CHECK;
/* Those that fetch this one; fine when there is none. */
int store_token_revoke_of_certificate(struct sql *tx, const char *certificate_id, int64_t now_ms, struct err *err) MUST_CHECK;
/* By newest, oldest, name or end; only: the id of the user it belongs to. */
int store_token_list(struct sql *q, const struct narrow *by, const struct page *p, struct token_list *ret, struct err *err) MUST_CHECK;

int store_setup_token_add(struct sql *tx, const char *hash, int64_t now_ms, int64_t expires_ms, struct err *err) MUST_CHECK;
/* Uses it up: DENIED when unknown, used or expired. */
int store_setup_token_use(struct sql *tx, const char *hash, int64_t now_ms, struct err *err) MUST_CHECK;

#endif
