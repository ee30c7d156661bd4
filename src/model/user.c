/* SPDX-License-Identifier: Apache-2.0 */
/* user.c - see user.h. */
#include "model/user.h"

DEFINE_ENUM(role, ROLES)
DEFINE_ENUM(permission, PERMISSIONS)

bool may(enum role role, unsigned rights, enum permission perm)
{
	static const unsigned table[role_count] = {
		[ROLE_PULL] = BIT(PERM_NONE) | BIT(PERM_PULL),
		[ROLE_VIEWER] = BIT(PERM_NONE) | BIT(PERM_SELF) | BIT(PERM_PULL) | BIT(PERM_VIEW),
		[ROLE_OPERATOR] = BIT(PERM_NONE) | BIT(PERM_SELF) | BIT(PERM_PULL) | BIT(PERM_VIEW) | BIT(PERM_ORDER),
		[ROLE_ADMIN] = BIT(PERM_NONE) | BIT(PERM_SELF) | BIT(PERM_PULL) | BIT(PERM_VIEW) | BIT(PERM_ORDER) | BIT(PERM_ACCOUNT) | BIT(PERM_ADMIN),
	};

	if ((unsigned)role >= role_count || (unsigned)perm >= permission_count)
		return false;
	return ((table[role] | (rights & RIGHTS_ALL)) & BIT(perm)) != 0;
}

char *rights_text(unsigned rights)
{
	_cleanup_strlist_ struct strlist l = { 0 };

	for (unsigned p = 0; p < permission_count; p++)
		if (rights & RIGHTS_ALL & BIT(p))
			strlist_add(&l, permission_text((enum permission)p));
	return strlist_join(&l, " ");
}

static bool right_parse(const char *name, unsigned *rights)
{
	enum permission p;

	if (!permission_parse(name, &p) || !(RIGHTS_ALL & BIT(p)))
		return false;
	*rights |= BIT(p);
	return true;
}

bool rights_parse(const char *text, unsigned *ret)
{
	unsigned rights = 0;

	while (text && *text) {
		size_t n = strcspn(text, " ");
		_cleanup_free_ char *name = xstrndup(text, n);

		if (!right_parse(name, &rights))
			return false;
		text += n + (text[n] == ' ');
	}
	*ret = rights;
	return true;
}

int rights_from_list(const struct strlist *names, const char *field, unsigned *ret, struct err *err)
{
	unsigned rights = 0;

	for (size_t i = 0; i < names->n; i++)
		if (!right_parse(names->v[i], &rights)) {
			_cleanup_free_ char *safe = str_clean(names->v[i], strlen(names->v[i]), 40);

			return err_set_field(err, ERR_INVALID, field, "there is no right '%s': audit, revoke and key-export are", safe);
		}
	*ret = rights;
	return 0;
}

void user_done(struct user *u)
{
	free(u->id);
	free(u->name);
	free(u->source);
	free(u->password_hash);
	*u = (struct user){ 0 };
}

void session_done(struct session *s)
{
	free(s->id);
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
	free(t->certificate_id);
	free(t->reason);
	free(t->hash);
	free(t->prefix);
	strlist_clear(&t->sources);
	*t = (struct token){ 0 };
}

void audit_done(struct audit *a)
{
	free(a->id);
	free(a->actor_kind);
	free(a->actor_id);
	free(a->actor_name);
	free(a->token_id);
	free(a->token_name);
	free(a->reason);
	free(a->action);
	free(a->object_kind);
	free(a->object_id);
	free(a->object_name);
	free(a->detail);
	free(a->before);
	free(a->after);
	free(a->address);
	free(a->request_id);
	*a = (struct audit){ 0 };
}

void audit_copy(struct audit *to, const struct audit *from)
{
	*to = (struct audit){
		.id = xstrdup_null(from->id),
		.at_ms = from->at_ms,
		.actor_kind = xstrdup_null(from->actor_kind),
		.actor_id = xstrdup_null(from->actor_id),
		.actor_name = xstrdup_null(from->actor_name),
		.token_id = xstrdup_null(from->token_id),
		.token_name = xstrdup_null(from->token_name),
		.reason = xstrdup_null(from->reason),
		.action = xstrdup_null(from->action),
		.object_kind = xstrdup_null(from->object_kind),
		.object_id = xstrdup_null(from->object_id),
		.object_name = xstrdup_null(from->object_name),
		.detail = xstrdup_null(from->detail),
		.before = xstrdup_null(from->before),
		.after = xstrdup_null(from->after),
		.address = xstrdup_null(from->address),
		.request_id = xstrdup_null(from->request_id),
	};
}
