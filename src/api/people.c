/* SPDX-License-Identifier: Apache-2.0 */
/* people.c - setup, session, own password, API tokens, users. */
#include "api/call.h"
#include "base/limits.h"
#include "service/session.h"
#include "service/status.h"
#include "service/token.h"
#include "service/user.h"

#define RIGHTS_MAX 8

static const char *const roles[] = { "viewer", "operator", "admin", NULL };

const struct json_field setup_fields[] = {
	JF_SECRET(struct setup_body, setup_token, .required = true, .min = 1, .max = 128),
	JF_STR(struct setup_body, name, .required = true, .min = 1, .max = 64),
	JF_SECRET(struct setup_body, password, .required = true, .min = LIMIT_PASSWORD_MIN, .max = LIMIT_PASSWORD_MAX),
	{ 0 }
};
const struct json_field sign_in_fields[] = {
	JF_STR(struct sign_in_body, name, .required = true, .min = 1, .max = 64),
	JF_SECRET(struct sign_in_body, password, .required = true, .min = 1, .max = LIMIT_PASSWORD_MAX),
	{ 0 }
};
const struct json_field password_fields[] = {
	JF_SECRET(struct password_body, old_password, .required = true, .min = 1, .max = LIMIT_PASSWORD_MAX),
	JF_SECRET(struct password_body, new_password, .required = true, .min = LIMIT_PASSWORD_MIN, .max = LIMIT_PASSWORD_MAX),
	{ 0 }
};
const struct json_field token_create_fields[] = {
	JF_STR(struct token_create, name, .required = true, .min = 1, .max = 64),
	JF_STR(struct token_create, role, .one_of = roles),
	JF_INT(struct token_create, days, .min = 1, .max = 3650),
	JF_LIST(struct token_create, rights, .max = RIGHTS_MAX, .item_max = 32),
	JF_LIST(struct token_create, sources, .max = LIMIT_TOKEN_SOURCES, .item_max = 64),
	JF_STR(struct token_create, certificate, .min = 1, .max = 64),
	JF_STR(struct token_create, reason, .min = 1, .max = 256),
	{ 0 }
};
const struct json_field user_create_fields[] = {
	JF_STR(struct user_create, name, .required = true, .min = 1, .max = 64),
	JF_STR(struct user_create, role, .required = true, .one_of = roles),
	JF_LIST(struct user_create, rights, .max = RIGHTS_MAX, .item_max = 32),
	JF_SECRET(struct user_create, password, .required = true, .min = LIMIT_PASSWORD_MIN, .max = LIMIT_PASSWORD_MAX),
	{ 0 }
};
const struct json_field user_update_fields[] = {
	JF_STR(struct user_update_body, role, .one_of = roles),
	JF_LIST(struct user_update_body, rights, .max = RIGHTS_MAX, .item_max = 32),
	JF_SECRET(struct user_update_body, password, .min = LIMIT_PASSWORD_MIN, .max = LIMIT_PASSWORD_MAX),
	JF_BOOL(struct user_update_body, disabled),
	{ 0 }
};

static json_t *rights_json(unsigned rights)
{
	json_t *l = json_array();

	for (unsigned p = 0; p < permission_count; p++)
		if (rights & RIGHTS_ALL & BIT(p))
			json_array_append_new(l, json_string(permission_text((enum permission)p)));
	return l;
}

json_t *user_json(const struct user *u)
{
	return json_pack("{s:s, s:I, s:s, s:s, s:o, s:s, s:b, s:o, s:o}", "id", u->id, "num", (json_int_t)u->num, "name", u->name, "role",
			 role_text(u->role), "rights", rights_json(u->rights), "source", u->source ? u->source : "local", "disabled", u->disabled, "last_login_at", json_time_or_null(u->last_login_ms),
			 "created_at", json_time_or_null(u->created_ms));
}

/* --- setup and session -------------------------------------------------------------------------------------------------- */

static json_t *session_json(const struct user *u, const struct actor *a)
{
	json_t *permissions = json_array();

	for (unsigned p = 0; p < permission_count; p++)
		if (p != PERM_NONE && may(a->role, a->rights, (enum permission)p))
			json_array_append_new(permissions, json_string(permission_text((enum permission)p)));
	return json_pack("{s:o, s:s, s:o, s:o}", "user", user_json(u), "csrf_token", a->csrf ? a->csrf : "", "permissions", permissions,
			 "expires_at", json_time_or_null(a->expires_ms));
}

int setup_get(struct call *c, struct err *err)
{
	bool needed;

	if (service_setup_needed(c->service, &needed, err) < 0)
		return -(int)err->code;
	call_json(c, 200, json_pack("{s:b, s:s}", "needed", needed, "version", service_config(c->service)->version));
	return 0;
}

int setup_post(struct call *c, struct err *err)
{
	const struct setup_body *b = c->body;
	_cleanup_session_made_ struct session_made made = { 0 };

	if (service_setup(c->service, &c->actor, &b->setup_token, b->name, &b->password, &made, err) < 0)
		return -(int)err->code;
	call_cookie(c, &made.cookie);
	call_json(c, 201, session_json(&made.user, &made.actor));
	return 0;
}

int session_post(struct call *c, struct err *err)
{
	const struct sign_in_body *b = c->body;
	_cleanup_session_made_ struct session_made made = { 0 };

	if (service_sign_in(c->service, &c->actor, b->name, &b->password, &made, err) < 0)
		return -(int)err->code;
	call_cookie(c, &made.cookie);
	call_json(c, 201, session_json(&made.user, &made.actor));
	return 0;
}

int session_get(struct call *c, struct err *err)
{
	_cleanup_user_ struct user u = { 0 };

	if (service_self(c->service, &c->actor, &u, err) < 0)
		return -(int)err->code;
	call_json(c, 200, session_json(&u, &c->actor));
	return 0;
}

int session_delete(struct call *c, struct err *err)
{
	if (service_sign_out(c->service, &c->actor, err) < 0)
		return -(int)err->code;
	call_cookie(c, NULL);
	call_empty(c);
	return 0;
}

int password_put(struct call *c, struct err *err)
{
	const struct password_body *b = c->body;

	if (service_password_change(c->service, &c->actor, &b->old_password, &b->new_password, err) < 0)
		return -(int)err->code;
	call_empty(c);
	return 0;
}

/* --- tokens ------------------------------------------------------------------------------------------------------------- */

static json_t *token_json(const struct token_view *v)
{
	const struct token *t = &v->token;
	json_t *j = json_pack("{s:s, s:I, s:s, s:s, s:s, s:s, s:o, s:o, s:s, s:o, s:o, s:o, s:o}", "id", t->id, "num", (json_int_t)t->num, "name", t->name,
			 "user_id", t->user_id, "user_name", v->user_name, "role", role_text(t->role), "rights",
			 rights_json(t->rights), "sources", json_strlist(&t->sources), "prefix", t->prefix,
			 "created_at", json_time_or_null(t->created_ms), "expires_at", json_time_or_null(t->expires_ms), "used_at",
			 json_time_or_null(t->used_ms), "revoked_at", json_time_or_null(t->revoked_ms));

	json_object_set_new(j, "certificate_id", json_str_or_null(t->certificate_id));
	json_object_set_new(j, "certificate_name", json_str_or_null(v->certificate_name));
	json_object_set_new(j, "reason", json_str_or_null(t->reason));
	return j;
}

/* Tokens end, so they go by that too. */
static const char *const token_sorts[] = { "newest", "oldest", "name", "expires", NULL };
const struct json_field token_list_fields[] = {
	JF_STR(struct named_query, name, .min = 1, .max = LIMIT_NAME),
	{ .name = "sort", .kind = JSON_KIND_STR, .offset = offsetof(struct named_query, page.sort), .one_of = token_sorts },
	PAGE_FIELDS(struct named_query),
	{ 0 }
};

int token_list(struct call *c, struct err *err)
{
	_cleanup_token_view_list_ struct token_view_list l = { 0 };
	_cleanup_list_end_ struct list_end end = { 0 };
	struct list_query q = named_page_of(c);
	json_t *items;

	if (service_token_list(c->service, &c->actor, &q, &l, &end, err) < 0)
		return -(int)err->code;
	items = json_array();
	for (size_t i = 0; i < l.n; i++)
		json_array_append_new(items, token_json(&l.v[i]));
	call_page(c, items, &end);
	return 0;
}

int token_create(struct call *c, struct err *err)
{
	_cleanup_token_view_ struct token_view v = { 0 };
	_cleanup_secret_ struct secret text = { 0 };

	if (service_token_create(c->service, &c->actor, c->body, &text, &v, err) < 0)
		return -(int)err->code;
	call_location(c, "tokens", v.token.id);
	call_json(c, 201, json_pack("{s:s#, s:o}", "token", (const char *)text.p, text.n, "info", token_json(&v)));
	return 0;
}

int token_get(struct call *c, struct err *err)
{
	_cleanup_token_view_ struct token_view v = { 0 };

	if (service_token_get(c->service, &c->actor, c->id, &v, err) < 0)
		return -(int)err->code;
	call_json(c, 200, token_json(&v));
	return 0;
}

int token_delete(struct call *c, struct err *err)
{
	if (service_token_revoke(c->service, &c->actor, c->id, err) < 0)
		return -(int)err->code;
	call_empty(c);
	return 0;
}

/* --- users -------------------------------------------------------------------------------------------------------------- */

const struct json_field user_list_fields[] = { NAMED_FIELDS, ONLY_FIELD("role", .one_of = roles), { 0 } };

int user_list(struct call *c, struct err *err)
{
	_cleanup_(user_list_done) struct user_list l = { 0 };
	_cleanup_list_end_ struct list_end end = { 0 };
	struct list_query q = named_page_of(c);
	json_t *items;

	if (service_user_list(c->service, &q, &l, &end, err) < 0)
		return -(int)err->code;
	items = json_array();
	for (size_t i = 0; i < l.n; i++)
		json_array_append_new(items, user_json(&l.v[i]));
	call_page(c, items, &end);
	return 0;
}

static void answer_user(struct call *c, unsigned status, const struct user *u)
{
	call_etag(c, u->rev);
	call_json(c, status, user_json(u));
}

int user_create(struct call *c, struct err *err)
{
	_cleanup_user_ struct user u = { 0 };

	if (service_user_create(c->service, &c->actor, c->body, &c->once, &u, err) < 0)
		return -(int)err->code;
	call_location(c, "users", u.id);
	answer_user(c, 201, &u);
	return 0;
}

int user_get(struct call *c, struct err *err)
{
	_cleanup_user_ struct user u = { 0 };

	if (service_user_get(c->service, c->id, &u, err) < 0)
		return -(int)err->code;
	answer_user(c, 200, &u);
	return 0;
}

int user_patch(struct call *c, struct err *err)
{
	const struct user_update_body *b = c->body;
	struct user_update r = { .role = b->role, .password = b->password,
				 .rights = json_object_get(c->body_doc, "rights") ? &b->rights : NULL,
				 .disabled = json_object_get(c->body_doc, "disabled") ? b->disabled : -1 };
	_cleanup_user_ struct user u = { 0 };

	if (service_user_update(c->service, &c->actor, c->id, c->match, &r, &u, err) < 0)
		return -(int)err->code;
	answer_user(c, 200, &u);
	return 0;
}

int user_delete(struct call *c, struct err *err)
{
	if (service_user_delete(c->service, &c->actor, c->id, c->match, err) < 0)
		return -(int)err->code;
	call_empty(c);
	return 0;
}

/* --- sessions ----------------------------------------------------------------------------------------------------------- */

static int answer_sessions(struct call *c, const char *ref, struct err *err)
{
	_cleanup_session_list_ struct session_list l = { 0 };
	json_t *items;

	if (service_session_list(c->service, &c->actor, ref, &l, err) < 0)
		return -(int)err->code;
	items = json_array();
	for (size_t i = 0; i < l.n; i++) {
		const struct session *s = &l.v[i];
		bool current = c->actor.session_hash && streq(c->actor.session_hash, s->hash);

		json_array_append_new(items, json_pack("{s:s, s:s, s:o, s:o, s:o, s:o, s:b}", "id", s->id, "user_id", s->user_id, "address",
						       json_str_or_null(s->address), "created_at", json_time_or_null(s->created_ms), "seen_at",
						       json_time_or_null(s->seen_ms), "expires_at", json_time_or_null(s->expires_ms), "current",
						       current));
	}
	call_json(c, 200, json_pack("{s:o}", "items", items));
	return 0;
}

int session_list(struct call *c, struct err *err)
{
	return answer_sessions(c, NULL, err);
}

int user_sessions(struct call *c, struct err *err)
{
	return answer_sessions(c, c->id, err);
}

int session_end(struct call *c, struct err *err)
{
	if (service_session_end(c->service, &c->actor, c->id, err) < 0)
		return -(int)err->code;
	call_empty(c);
	return 0;
}

int user_sessions_end(struct call *c, struct err *err)
{
	if (service_sessions_end(c->service, &c->actor, c->id, err) < 0)
		return -(int)err->code;
	call_empty(c);
	return 0;
}
