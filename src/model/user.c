/* SPDX-License-Identifier: Apache-2.0 */
/* user.c - see user.h. */
#include "model/user.h"

DEFINE_ENUM(role, ROLES)
DEFINE_ENUM(permission, PERMISSIONS)

bool role_may(enum role role, enum permission perm)
{
	static const unsigned table[role_count] = {
		[ROLE_VIEWER] = BIT(PERM_NONE) | BIT(PERM_SELF) | BIT(PERM_VIEW),
		[ROLE_OPERATOR] = BIT(PERM_NONE) | BIT(PERM_SELF) | BIT(PERM_VIEW) | BIT(PERM_ORDER),
		[ROLE_ADMIN] = BIT(PERM_NONE) | BIT(PERM_SELF) | BIT(PERM_VIEW) | BIT(PERM_ORDER) | BIT(PERM_ACCOUNT) |
			       BIT(PERM_KEY_EXPORT) | BIT(PERM_ADMIN),
	};

	return (unsigned)role < role_count && (table[role] & BIT(perm));
}

void user_done(struct user *u)
{
	free(u->id);
	free(u->name);
	free(u->password_hash);
	*u = (struct user){ 0 };
}

void session_done(struct session *s)
{
	free(s->hash);
	free(s->user_id);
	free(s->csrf);
	free(s->address);
	*s = (struct session){ 0 };
}

void token_done(struct token *t)
{
	free(t->id);
	free(t->name);
	free(t->user_id);
	free(t->hash);
	free(t->prefix);
	*t = (struct token){ 0 };
}

void audit_done(struct audit *a)
{
	free(a->id);
	free(a->actor_kind);
	free(a->actor_id);
	free(a->actor_name);
	free(a->action);
	free(a->object_kind);
	free(a->object_id);
	free(a->object_name);
	free(a->detail);
	free(a->address);
	free(a->request_id);
	*a = (struct audit){ 0 };
}
