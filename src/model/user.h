/* SPDX-License-Identifier: Apache-2.0 */
/* user.h - people, sessions, API tokens, audit rows; roles and what each may do. */
#ifndef MODEL_USER_H
#define MODEL_USER_H

#include "model/enum.h"

#define ROLES(X)                                                                                                       \
	X(ROLE_VIEWER, "viewer")     /* sees everything but secrets */                                                 \
	X(ROLE_OPERATOR, "operator") /* orders, CSRs, records */                                                       \
	X(ROLE_ADMIN, "admin")       /* accounts, users, settings, key export */
DECLARE_ENUM(role, ROLES);

/* Every route names one of these in the route table. */
#define PERMISSIONS(X)                                                                                                 \
	X(PERM_NONE, "none")             /* without sign-in */                                                         \
	X(PERM_SELF, "self")             /* signed in; one's own session, password, tokens */                          \
	X(PERM_VIEW, "view")                                                                                           \
	X(PERM_ORDER, "order")           /* create and drive orders and CSRs, delegations */                           \
	X(PERM_ACCOUNT, "account")       /* register and delete accounts */                                            \
	X(PERM_KEY_EXPORT, "key-export") /* a private key leaves */                                                    \
	X(PERM_ADMIN, "admin")           /* users, everybody's tokens, audit */
DECLARE_ENUM(permission, PERMISSIONS);

bool role_may(enum role role, enum permission perm); /* the one authorization table */

struct user {
	char *id;
	int64_t num;
	char *name;
	enum role role;
	char *password_hash;
	int64_t failures, locked_until_ms;
	bool disabled;
	int64_t last_login_ms, rev, created_ms, updated_ms, deleted_ms;
};
void user_done(struct user *u);
#define _cleanup_user_ __attribute__((cleanup(user_done)))

struct session {
	char *hash, *user_id, *csrf, *address;
	int64_t created_ms, seen_ms, expires_ms;
};
void session_done(struct session *s);
#define _cleanup_session_ __attribute__((cleanup(session_done)))

struct token {
	char *id;
	int64_t num;
	char *name, *user_id;
	enum role role;
	char *hash, *prefix;
	int64_t created_ms, expires_ms, used_ms, revoked_ms;
};
void token_done(struct token *t);
#define _cleanup_token_ __attribute__((cleanup(token_done)))

struct audit {
	char *id;
	int64_t at_ms;
	char *actor_kind; /* "user", "token", "setup", "engine" */
	char *actor_id, *actor_name;
	char *action; /* "order.create" */
	char *object_kind, *object_id, *object_name;
	char *detail; /* JSON, never a secret */
	char *address, *request_id;
};
void audit_done(struct audit *a);
#define _cleanup_audit_ __attribute__((cleanup(audit_done)))

#endif
