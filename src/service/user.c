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

static int get_num(struct sql *q, int64_t num, struct user *ret, struct err *err)
{
	return store_user_get_num(q, num, ret, err);
}

struct user_job {
	const struct service *s;
	const char *ref;
	const struct list_query *query;
	struct page page;
	struct user_list *list;
	struct user *ret;
	int64_t rev;
	struct once *once;
	struct audit *audit;
	const struct user *fresh;
	const char *new_hash; /* update */
	bool has_role;
	enum role role;
	int disabled;
	int64_t now_ms;
};

static int list_tx(struct sql *q, void *arg, struct err *err)
{
	struct user_job *j = arg;

	return store_user_list(q, &j->page, j->list, err);
}

int service_user_list(struct service *s, const struct list_query *q, struct user_list *ret, struct list_end *end, struct err *err)
{
	_cleanup_cursor_ struct cursor c = { 0 };
	struct user_job j = { .list = ret };

	if (cursor_open(s, "users", "", q, &c, err) < 0)
		return -(int)err->code;
	j.page = c.page;
	if (store_read(s->store, list_tx, &j, err) < 0)
		return -(int)err->code;
	cursor_close(s, "users", "", ret->more, ret->n ? ret->v[ret->n - 1].num : 0, NULL, ret->n ? ret->v[ret->n - 1].id : "", end);
	return 0;
}

static int get_tx(struct sql *q, void *arg, struct err *err)
{
	struct user_job *j = arg;

	user_done(j->ret);
	return SERVICE_GET(q, j->ref, store_user_get, get_num, j->ret, err);
}

int service_user_get(struct service *s, const char *ref, struct user *ret, struct err *err)
{
	struct user_job j = { .ref = ref, .ret = ret };

	return store_read(s->store, get_tx, &j, err);
}

static void user_copy(struct user *to, const struct user *from)
{
	user_done(to);
	*to = *from;
	to->id = xstrdup_null(from->id);
	to->name = xstrdup_null(from->name);
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
	if (!role_parse(r->role, &u.role))
		return err_set_field(err, ERR_INVALID, "/role", "there is no role '%s'", r->role);
	if (password_check(&r->password, u.name, err) < 0 || password_hash(&r->password, &u.password_hash, err) < 0)
		return -(int)err->code;
	u.created_ms = u.updated_ms = service_now(s);
	u.id = xstrdup(ulid_new(u.created_ms).s);
	once_begin(s, a, key, &once);
	audit_begin(s, a, "user.create", "user", &audit);
	replace_str(&audit.object_id, u.id);
	replace_str(&audit.object_name, u.name);
	replace_str(&audit.detail, u.role == ROLE_ADMIN ? "{\"role\":\"admin\"}" : u.role == ROLE_OPERATOR ? "{\"role\":\"operator\"}" : "{\"role\":\"viewer\"}");
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
	bool ends_sessions = j->new_hash || j->disabled == 1;

	user_done(u);
	if (SERVICE_GET(tx, j->ref, store_user_get, get_num, u, err) < 0 || rev_check(j->rev, u->rev, "user", err) < 0)
		return -(int)err->code;
	if (((j->has_role && j->role != ROLE_ADMIN) || j->disabled == 1) && keep_an_admin(tx, u, err) < 0)
		return -(int)err->code;
	if (j->has_role)
		u->role = j->role;
	if (j->new_hash)
		replace_str(&u->password_hash, j->new_hash);
	if (j->disabled >= 0)
		u->disabled = j->disabled;
	u->updated_ms = j->now_ms;
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
	_cleanup_json_ json_t *detail = json_object();
	struct user_job j = { .s = s, .ref = ref, .ret = ret, .rev = rev, .audit = &audit, .disabled = r->disabled,
			      .now_ms = service_now(s) };

	if (r->role) {
		if (!role_parse(r->role, &j.role))
			return err_set_field(err, ERR_INVALID, "/role", "there is no role '%s'", r->role);
		j.has_role = true;
		json_object_set_new(detail, "role", json_string(r->role));
	}
	if (r->password.p) {
		_cleanup_user_ struct user u = { 0 };

		if (service_user_get(s, ref, &u, err) < 0 || rev_check(rev, u.rev, "user", err) < 0 ||
		    password_check(&r->password, u.name, err) < 0 || password_hash(&r->password, &hash, err) < 0)
			return -(int)err->code;
		j.new_hash = hash;
		json_object_set_new(detail, "password", json_true());
	}
	if (r->disabled >= 0)
		json_object_set_new(detail, "disabled", json_boolean(r->disabled));
	audit_begin(s, a, "user.update", "user", &audit);
	audit.detail = json_text(detail);
	return store_write(s->store, update_tx, &j, err);
}

static int delete_tx(struct sql *tx, void *arg, struct err *err)
{
	struct user_job *j = arg;
	_cleanup_user_ struct user u = { 0 };

	if (SERVICE_GET(tx, j->ref, store_user_get, get_num, &u, err) < 0 || rev_check(j->rev, u.rev, "user", err) < 0 ||
	    keep_an_admin(tx, &u, err) < 0)
		return -(int)err->code;
	replace_str(&j->audit->object_id, u.id);
	replace_str(&j->audit->object_name, u.name);
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
