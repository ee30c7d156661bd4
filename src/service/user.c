/* SPDX-License-Identifier: Apache-2.0 */
/* user.c - see user.h. */
#include "service/user.h"

#include "keys/password.h"
#include "service/internal.h"

int user_name_canonical(const char *name, char **ret, struct err *err)
{
	size_t n = strlen(name);
	_cleanup_free_ char *out = NULL;

	if (!n || n > 64)
		return err_set_field(err, ERR_INVALID, "/name", "must have 1 to 64 characters");
	out = xstrdup(name);
	str_lower(out);
	if (strspn(out, "abcdefghijklmnopqrstuvwxyz0123456789._-@+") != n)
		return err_set_field(err, ERR_INVALID, "/name", "may have letters a-z, digits and . _ - @ + only");
	*ret = TAKE(out);
	return 0;
}

/* By id, number or name. */
static int find_user(struct sql *q, const char *ref, struct user *ret, struct err *err)
{
	_cleanup_err_ struct err why = ERR_INIT, odd = ERR_INIT;
	_cleanup_free_ char *name = NULL;
	int64_t num = 0;

	if (ref_parse(ref, "/id", &num, &why) == 0)
		return num ? store_user_get_num(q, num, ret, err) : store_user_get(q, ref, ret, err);
	if (user_name_canonical(ref, &name, &odd) < 0)
		return err_move(err, &why);
	return store_user_find(q, name, ret, err);
}

struct user_job {
	const struct service *s;
	const char *ref;
	const struct list_query *query;
	struct page page;
	struct narrow by;
	struct user_list *list;
	struct user *ret;
	int64_t rev;
	struct once *once;
	struct audit *audit;
	const struct user *fresh;
	const char *new_hash; /* update */
	bool has_role, has_rights;
	enum role role;
	unsigned rights;
	int disabled;
	int64_t now_ms;
};

static int list_tx(struct sql *q, void *arg, struct err *err)
{
	struct user_job *j = arg;

	return store_user_list(q, &j->by, &j->page, j->list, err);
}

int service_user_list(struct service *s, const struct list_query *q, struct user_list *ret, struct list_end *end, struct err *err)
{
	_cleanup_listing_ struct listing l = { .s = s, .name = "users", .also = BIT(PAGE_NAME) };
	struct user_job j = { .list = ret, .by = q->by };
	const struct user *last;

	if (listing_open(&l, q, NULL, 0, err) < 0)
		return -(int)err->code;
	j.page = l.cursor.page;
	if (store_read(s->store, list_tx, &j, err) < 0)
		return -(int)err->code;
	last = ret->n ? &ret->v[ret->n - 1] : NULL;
	listing_close_named(&l, ret->more, last ? last->created_ms : 0, last ? last->name : NULL, last ? last->id : NULL, end);
	return 0;
}

static int get_tx(struct sql *q, void *arg, struct err *err)
{
	struct user_job *j = arg;

	user_done(j->ret);
	return find_user(q, j->ref, j->ret, err);
}

int service_user_get(struct service *s, const char *ref, struct user *ret, struct err *err)
{
	struct user_job j = { .ref = ref, .ret = ret };

	return store_read(s->store, get_tx, &j, err);
}

/* What the audit says of a user. */
static json_t *user_terms(const struct user *u)
{
	_cleanup_free_ char *rights = rights_text(u->rights);

	return json_pack("{s:s, s:s, s:b}", "role", role_text(u->role), "rights", rights, "disabled", u->disabled);
}

static void user_copy(struct user *to, const struct user *from)
{
	user_done(to);
	*to = *from;
	to->id = xstrdup_null(from->id);
	to->name = xstrdup_null(from->name);
	to->source = xstrdup_null(from->source);
	to->password_hash = xstrdup_null(from->password_hash);
}

static int create_tx(struct sql *tx, void *arg, struct err *err)
{
	struct user_job *j = arg;
	_cleanup_free_ char *before = NULL;

	if (once_find(tx, j->s, j->once, &before, err) < 0)
		return -(int)err->code;
	user_done(j->ret);
	if (before)
		return store_user_get(tx, before, j->ret, err);
	user_copy(j->ret, j->fresh);
	if (store_user_add(tx, j->ret, err) < 0) {
		if (err->code != ERR_CONFLICT)
			return -(int)err->code;
		err_clear(err);
		return err_set_field(err, ERR_CONFLICT, "/name", "there is a user '%s' already", j->fresh->name);
	}
	if (store_audit_add(tx, j->audit, err) < 0)
		return -(int)err->code;
	return once_add(tx, j->s, j->once, "user", j->ret->id, err);
}

int service_user_create(struct service *s, const struct actor *a, const struct user_create *r, const struct request_key *key,
			struct user *ret, struct err *err)
{
	_cleanup_user_ struct user u = { .rev = 1 };
	_cleanup_audit_ struct audit audit = { 0 };
	_cleanup_once_ struct once once = { 0 };
	struct user_job j = { .s = s, .ret = ret, .once = &once, .audit = &audit, .fresh = &u };

	if (user_name_canonical(r->name, &u.name, err) < 0)
		return -(int)err->code;
	if (!role_parse(r->role, &u.role) || u.role == ROLE_PULL)
		return err_set_field(err, ERR_INVALID, "/role", "there is no role '%s'", r->role);
	if (rights_from_list(&r->rights, "/rights", &u.rights, err) < 0)
		return -(int)err->code;
	if (password_check(&r->password, u.name, err) < 0 || password_hash(&r->password, &u.password_hash, err) < 0)
		return -(int)err->code;
	u.created_ms = u.updated_ms = service_now(s);
	u.id = xstrdup(ulid_new(u.created_ms).s);
	u.source = xstrdup("local");
	once_begin(s, a, key, &once);
	audit_begin(s, a, "user.create", "user", &audit);
	replace_str(&audit.object_id, u.id);
	replace_str(&audit.object_name, u.name);
	audit_change(&audit, NULL, user_terms(&u));
	return store_write(s->store, create_tx, &j, err);
}

/* Somebody must be left who may administer. */
static int keep_an_admin(struct sql *tx, const struct user *before, struct err *err)
{
	int64_t n = 0;

	if (before->role != ROLE_ADMIN || before->disabled)
		return 0;
	if (store_user_count_admins(tx, &n, err) < 0)
		return -(int)err->code;
	if (n < 2)
		return err_set(err, ERR_CONFLICT, "'%s' is the last enabled administrator", before->name);
	return 0;
}

static int update_tx(struct sql *tx, void *arg, struct err *err)
{
	struct user_job *j = arg;
	struct user *u = j->ret;
	json_t *before, *after;
	bool ends_sessions = j->new_hash || j->disabled == 1;

	user_done(u);
	if (find_user(tx, j->ref, u, err) < 0 || rev_check(j->rev, u->rev, "user", err) < 0)
		return -(int)err->code;
	if (((j->has_role && j->role != ROLE_ADMIN) || j->disabled == 1) && keep_an_admin(tx, u, err) < 0)
		return -(int)err->code;
	before = user_terms(u);
	if (j->has_role)
		u->role = j->role;
	if (j->has_rights)
		u->rights = j->rights;
	if (j->new_hash)
		replace_str(&u->password_hash, j->new_hash);
	if (j->disabled >= 0)
		u->disabled = j->disabled;
	u->updated_ms = j->now_ms;
	after = user_terms(u);
	if (j->new_hash)
		json_object_set_new(after, "password", json_string("changed"));
	audit_change(j->audit, before, after);
	replace_str(&j->audit->object_id, u->id);
	replace_str(&j->audit->object_name, u->name);
	if (store_user_put(tx, u, 0, err) < 0 || store_audit_add(tx, j->audit, err) < 0)
		return -(int)err->code;
	return ends_sessions ? store_session_del_user(tx, u->id, NULL, err) : 0;
}

int service_user_update(struct service *s, const struct actor *a, const char *ref, int64_t rev, const struct user_update *r,
			struct user *ret, struct err *err)
{
	_cleanup_audit_ struct audit audit = { 0 };
	_cleanup_free_ char *hash = NULL;
	struct user_job j = { .s = s, .ref = ref, .ret = ret, .rev = rev, .audit = &audit, .disabled = r->disabled,
			      .now_ms = service_now(s) };

	if (r->role) {
		if (!role_parse(r->role, &j.role) || j.role == ROLE_PULL)
			return err_set_field(err, ERR_INVALID, "/role", "there is no role '%s'", r->role);
		j.has_role = true;
	}
	if (r->rights) {
		if (rights_from_list(r->rights, "/rights", &j.rights, err) < 0)
			return -(int)err->code;
		j.has_rights = true;
	}
	if (r->password.p) {
		_cleanup_user_ struct user u = { 0 };

		if (service_user_get(s, ref, &u, err) < 0 || rev_check(rev, u.rev, "user", err) < 0 ||
		    password_check(&r->password, u.name, err) < 0 || password_hash(&r->password, &hash, err) < 0)
			return -(int)err->code;
		j.new_hash = hash;
	}
	audit_begin(s, a, "user.update", "user", &audit);
	return store_write(s->store, update_tx, &j, err);
}

static int delete_tx(struct sql *tx, void *arg, struct err *err)
{
	struct user_job *j = arg;
	_cleanup_user_ struct user u = { 0 };

	if (find_user(tx, j->ref, &u, err) < 0 || rev_check(j->rev, u.rev, "user", err) < 0 ||
	    keep_an_admin(tx, &u, err) < 0)
		return -(int)err->code;
	replace_str(&j->audit->object_id, u.id);
	replace_str(&j->audit->object_name, u.name);
	audit_change(j->audit, user_terms(&u), NULL);
	if (store_user_delete(tx, u.id, j->now_ms, err) < 0)
		return -(int)err->code;
	return store_audit_add(tx, j->audit, err);
}

int service_user_delete(struct service *s, const struct actor *a, const char *ref, int64_t rev, struct err *err)
{
	_cleanup_audit_ struct audit audit = { 0 };
	struct user_job j = { .s = s, .ref = ref, .rev = rev, .audit = &audit, .now_ms = service_now(s) };

	audit_begin(s, a, "user.delete", "user", &audit);
	return store_write(s->store, delete_tx, &j, err);
}

/* --- sessions ----------------------------------------------------------------------------------------------------------- */

struct session_job {
	const struct actor *actor;
	const char *ref; /* of the user, or the session's id */
	bool own;
	struct session_list *list;
	struct audit *audit;
	int64_t now_ms;
};

static int sessions_tx(struct sql *q, void *arg, struct err *err)
{
	struct session_job *j = arg;
	_cleanup_user_ struct user u = { 0 };

	if (find_user(q, j->own ? j->actor->user_id : j->ref, &u, err) < 0)
		return -(int)err->code;
	return store_session_list(q, u.id, j->now_ms, j->now_ms - SESSION_IDLE_MS, LIMIT_API_PAGE, j->list, err);
}

int service_session_list(struct service *s, const struct actor *a, const char *ref, struct session_list *ret, struct err *err)
{
	struct session_job j = { .actor = a, .ref = ref, .own = !ref, .list = ret, .now_ms = service_now(s) };

	return store_read(s->store, sessions_tx, &j, err);
}

static int end_session_tx(struct sql *tx, void *arg, struct err *err)
{
	struct session_job *j = arg;
	_cleanup_session_ struct session one = { 0 };
	_cleanup_user_ struct user u = { 0 };

	if (store_session_by_id(tx, j->ref, &one, err) < 0)
		return -(int)err->code;
	if (!streq(one.user_id, j->actor->user_id) && !may(j->actor->role, j->actor->rights, PERM_ADMIN))
		return err_set(err, ERR_NOT_FOUND, "no such session '%s'", j->ref);
	if (store_user_get(tx, one.user_id, &u, err) < 0 || store_session_del(tx, one.hash, err) < 0)
		return -(int)err->code;
	replace_str(&j->audit->object_id, u.id);
	replace_str(&j->audit->object_name, u.name);
	audit_change(j->audit, json_pack("{s:s, s:o}", "session", one.id, "address", json_str_or_null(one.address)), NULL);
	return store_audit_add(tx, j->audit, err);
}

int service_session_end(struct service *s, const struct actor *a, const char *id, struct err *err)
{
	_cleanup_audit_ struct audit audit = { 0 };
	struct session_job j = { .actor = a, .ref = id, .audit = &audit };

	if (!ulid_valid(id))
		return err_set_field(err, ERR_INVALID, "/id", "this is not the id of a session (26 characters)");
	audit_begin(s, a, "session.end", "user", &audit);
	return store_write(s->store, end_session_tx, &j, err);
}

static int end_sessions_tx(struct sql *tx, void *arg, struct err *err)
{
	struct session_job *j = arg;
	_cleanup_user_ struct user u = { 0 };

	if (find_user(tx, j->ref, &u, err) < 0 || store_session_del_user(tx, u.id, NULL, err) < 0)
		return -(int)err->code;
	replace_str(&j->audit->object_id, u.id);
	replace_str(&j->audit->object_name, u.name);
	return store_audit_add(tx, j->audit, err);
}

int service_sessions_end(struct service *s, const struct actor *a, const char *ref, struct err *err)
{
	_cleanup_audit_ struct audit audit = { 0 };
	struct session_job j = { .actor = a, .ref = ref, .audit = &audit };

	audit_begin(s, a, "session.end-all", "user", &audit);
	return store_write(s->store, end_sessions_tx, &j, err);
}
