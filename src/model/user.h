/* SPDX-License-Identifier: Apache-2.0 */
/*
 * user.h - people, sessions, API tokens, audit rows; roles and rights, and what each may do.
 *
 * A role says what somebody does here every day. A right is what nobody has by a role, not even an administrator: reading the
 * audit, revoking, taking a private key away. Administrators grant rights, to each user by name, and the audit says so.
 */
#ifndef MODEL_USER_H
#define MODEL_USER_H

#include "model/enum.h"

#define ROLES(X)                                                                                                       \
	X(ROLE_PULL, "pull")         /* of tokens only: fetches the one certificate it was made for, nothing else */          \
	X(ROLE_VIEWER, "viewer")     /* sees everything but secrets */                                                 \
	X(ROLE_OPERATOR, "operator") /* orders, CSRs, records */                                                       \
	X(ROLE_ADMIN, "admin")       /* accounts, users, settings */
DECLARE_ENUM(role, ROLES);

/* Every route names one of these in the route table. */
#define PERMISSIONS(X)                                                                                                 \
	X(PERM_NONE, "none")             /* without sign-in */                                                         \
	X(PERM_SELF, "self")             /* signed in; one's own session, password, tokens */                          \
	X(PERM_PULL, "pull")             /* fetch a certificate; a token of the role pull: its own */                   \
	X(PERM_VIEW, "view")                                                                                           \
	X(PERM_ORDER, "order")           /* create and drive orders and CSRs, delegations */                           \
	X(PERM_ACCOUNT, "account")       /* register and delete accounts */                                            \
	X(PERM_ADMIN, "admin")           /* users, everybody's tokens, settings */                                      \
	X(PERM_AUDIT, "audit")           /* a right: read who did what */                                              \
	X(PERM_REVOKE, "revoke")         /* a right: revoke certificates */                                            \
	X(PERM_KEY_EXPORT, "key-export") /* a right: a private key leaves */
DECLARE_ENUM(permission, PERMISSIONS);

#define RIGHTS_ALL (BIT(PERM_AUDIT) | BIT(PERM_REVOKE) | BIT(PERM_KEY_EXPORT))

/* The one authorization table: a right is had by being granted, all else by the role. rights is a set of BIT(PERM_...). */
bool may(enum role role, unsigned rights, enum permission perm);
/* "audit key-export", owned; and back: false for a text that names something else. */
char *rights_text(unsigned rights);
bool rights_parse(const char *text, unsigned *ret);
/* A list of names; INVALID with field. */
int rights_from_list(const struct strlist *names, const char *field, unsigned *ret, struct err *err) MUST_CHECK;

struct user {
	char *id;
	int64_t num;
	char *name;
	enum role role;
	unsigned rights;
	char *source; /* "local": whose password is kept here */
	char *password_hash;
	int64_t failures, locked_until_ms;
	bool disabled;
	int64_t last_login_ms, rev, created_ms, updated_ms, deleted_ms;
};
void user_done(struct user *u);
#define _cleanup_user_ __attribute__((cleanup(user_done)))

struct session {
	char *id, *hash, *user_id, *csrf, *address;
	int64_t created_ms, seen_ms, expires_ms;
};
void session_done(struct session *s);
#define _cleanup_session_ __attribute__((cleanup(session_done)))

struct token {
	char *id;
	int64_t num;
	char *name, *user_id;
	enum role role;
	unsigned rights;
	struct strlist sources; /* CIDRs it may be used from; empty = anywhere */
	char *certificate_id;   /* role pull: the one certificate it fetches; else NULL */
	char *reason;           /* why it may carry that one's key away; NULL without key-export */
	char *hash, *prefix;
	int64_t created_ms, expires_ms, used_ms, revoked_ms;
};
void token_done(struct token *t);
#define _cleanup_token_ __attribute__((cleanup(token_done)))

struct audit {
	char *id;
	int64_t at_ms;
	char *actor_kind; /* "user", "token", "host", "system", "nobody" */
	char *actor_id, *actor_name; /* the user; of a token its owner; "system" is the server by itself */
	char *token_id, *token_name;
	char *reason; /* of what the system does; why a key leaves */
	char *action; /* "order.create" */
	char *object_kind, *object_id, *object_name;
	char *detail, *before, *after; /* JSON, never a secret: those are "changed" */
	char *address, *request_id;
};
void audit_done(struct audit *a);
void audit_copy(struct audit *to, const struct audit *from); /* to must be empty */
#define _cleanup_audit_ __attribute__((cleanup(audit_done)))

#endif
