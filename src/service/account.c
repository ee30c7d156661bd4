/* SPDX-License-Identifier: Apache-2.0 */
/* account.c - see account.h. */
#include "service/account.h"

#include "base/base64.h"
#include "engine/intake.h"
#include "model/vendor.h"
#include "service/internal.h"
#include "store/order.h"

struct account_job {
	const struct service *s;
	const struct actor *actor;
	const char *ref;
	int64_t rev;
	struct page page;
	struct account_list *list;
	struct account *ret;
	struct account_prepared *prepared;
	struct once *once;
	struct audit *audit;
	char *id; /* a result, owned */
	const char *name;
	const char *fresh_id;
	int64_t now_ms;
};

static int list_tx(struct sql *q, void *arg, struct err *err)
{
	struct account_job *j = arg;

	return store_account_list(q, &j->page, j->list, err);
}

int service_account_list(struct service *s, const struct list_query *q, struct account_list *ret, struct list_end *end, struct err *err)
{
	_cleanup_cursor_ struct cursor c = { 0 };
	struct account_job j = { .list = ret };
	const struct account *last;

	if (cursor_open(s, "accounts", "", q, &c, err) < 0)
		return -(int)err->code;
	j.page = c.page;
	if (store_read(s->store, list_tx, &j, err) < 0)
		return -(int)err->code;
	last = ret->n ? &ret->v[ret->n - 1] : NULL;
	cursor_close(s, "accounts", "", ret->more, last ? last->created_ms : 0, NULL, last ? last->id : "", end);
	return 0;
}

static int get_tx(struct sql *q, void *arg, struct err *err)
{
	struct account_job *j = arg;

	account_done(j->ret);
	return SERVICE_GET(q, j->ref, store_account_get, store_account_get_num, j->ret, err);
}

int service_account_get(struct service *s, const char *ref, struct account *ret, struct err *err)
{
	struct account_job j = { .ref = ref, .ret = ret };

	return store_read(s->store, get_tx, &j, err);
}

/* --- registering -------------------------------------------------------------------------------------------------------- */

static int register_tx(struct sql *tx, void *arg, struct err *err)
{
	struct account_job *j = arg;
	_cleanup_free_ char *before = NULL;

	replace_str(&j->id, NULL);
	if (once_find(tx, j->s, j->once, &before, err) < 0)
		return -(int)err->code;
	if (before) {
		j->id = TAKE(before);
		return 0;
	}
	if (account_intake(tx, j->prepared, err) < 0 || store_audit_add(tx, j->audit, err) < 0)
		return -(int)err->code;
	replace_str(&j->id, j->prepared->job.id);
	return once_add(tx, j->s, j->once, "job", j->id, err);
}

static int check_register(const struct account_register *r, struct err *err)
{
	const struct vendor *v = r->vendor && !streq(r->vendor, VENDOR_CUSTOM) ? vendor_find(r->vendor) : NULL;

	if (!r->vendor && !r->directory_url)
		return err_set_field(err, ERR_INVALID, "/vendor", "a vendor or a directory URL is needed");
	if (r->vendor && !streq(r->vendor, VENDOR_CUSTOM) && !v) {
		err_set_field(err, ERR_INVALID, "/vendor", "there is no vendor '%s'", r->vendor);
		return err_hint(err, "GET /vendors lists them; another authority is given by its directory URL.");
	}
	if (v && r->directory_url && !streq(v->directory_url, r->directory_url))
		return err_set_field(err, ERR_INVALID, "/directory_url", "is not that of %s; leave one of the two out", v->title);
	if (v && v->discontinued)
		return err_set_field(err, ERR_INVALID, "/vendor", "%s", v->discontinued);
	if (r->email && (!strchr(r->email, '@') || strpbrk(r->email, " \t,;<>\"") || strchr(r->email, '@') != strrchr(r->email, '@') ||
			 r->email[0] == '@' || str_ends(r->email, "@")))
		return err_set_field(err, ERR_INVALID, "/email", "is not an e-mail address");
	return 0;
}

/* Refused here, while the person looks, and not by the job: authorities hand the key out as base64url text. */
static int check_eab(const struct secret *key, struct err *err)
{
	_cleanup_buf_wipe_ struct buf mac = BUF_MAX(1024);
	_cleanup_err_ struct err why = ERR_INIT;

	if (!key->p)
		return 0;
	if (base64_decode_any(&mac, (const char *)key->p, key->n, &why) < 0 || !mac.n)
		return err_set_field(err, ERR_INVALID, "/eab_hmac_key", "the HMAC key of the external account is not base64url text");
	return 0;
}

int service_account_register(struct service *s, const struct actor *a, const struct account_register *r,
			     const struct request_key *key, char **ret_job, struct err *err)
{
	_cleanup_account_prepared_ struct account_prepared p = { 0 };
	_cleanup_audit_ struct audit audit = { 0 };
	_cleanup_once_ struct once once = { 0 };
	struct account_job j = { .s = s, .actor = a, .prepared = &p, .once = &once, .audit = &audit };
	struct account_request q = {
		.vendor = r->vendor ? r->vendor : VENDOR_CUSTOM,
		.directory_url = r->directory_url,
		.email = r->email,
		.name = r->name,
		.tos_agreed = r->agree_tos,
		.eab_kid = r->eab_kid,
		.eab_hmac = r->eab_hmac_key.p ? &r->eab_hmac_key : NULL,
		.created_by = a->user_id,
		.now_ms = service_now(s),
	};

	if (check_register(r, err) < 0 || check_eab(&r->eab_hmac_key, err) < 0 || account_prepare(s->keys, &q, &p, err) < 0)
		return -(int)err->code;
	once_begin(s, a, key, &once);
	audit_begin(s, a, "account.register", "account", &audit);
	replace_str(&audit.object_id, p.account.id);
	replace_str(&audit.object_name, p.account.name);
	if (store_write(s->store, register_tx, &j, err) < 0) {
		free(j.id);
		return -(int)err->code;
	}
	*ret_job = j.id;
	return 0;
}

/* --- changing ----------------------------------------------------------------------------------------------------------- */

static int rename_tx(struct sql *tx, void *arg, struct err *err)
{
	struct account_job *j = arg;

	account_done(j->ret);
	if (SERVICE_GET(tx, j->ref, store_account_get, store_account_get_num, j->ret, err) < 0 ||
	    rev_check(j->rev, j->ret->rev, "account", err) < 0)
		return -(int)err->code;
	replace_str(&j->audit->object_id, j->ret->id);
	replace_str(&j->audit->object_name, j->ret->name);
	replace_str(&j->ret->name, j->name);
	j->ret->updated_ms = j->now_ms;
	if (store_account_put(tx, j->ret, 0, err) < 0)
		return -(int)err->code;
	return store_audit_add(tx, j->audit, err);
}

int service_account_rename(struct service *s, const struct actor *a, const char *ref, int64_t rev, const char *name,
			   struct account *ret, struct err *err)
{
	_cleanup_audit_ struct audit audit = { 0 };
	struct account_job j = { .ref = ref, .rev = rev, .name = name, .ret = ret, .audit = &audit, .now_ms = service_now(s) };
	_cleanup_json_ json_t *detail = json_pack("{s:s}", "name", name);

	audit_begin(s, a, "account.rename", "account", &audit);
	audit.detail = json_text(detail);
	return store_write(s->store, rename_tx, &j, err);
}

static int delete_tx(struct sql *tx, void *arg, struct err *err)
{
	struct account_job *j = arg;
	_cleanup_account_ struct account acc = { 0 };
	_cleanup_order_list_ struct order_list live = { 0 };

	if (SERVICE_GET(tx, j->ref, store_account_get, store_account_get_num, &acc, err) < 0 ||
	    rev_check(j->rev, acc.rev, "account", err) < 0 ||
	    store_order_unfinished(tx, ORDERS_BY_ACCOUNT, acc.id, &live, err) < 0)
		return -(int)err->code;
	for (size_t i = 0; i < live.n; i++)
		if (!live.v[i].deleted_ms && order_delete(tx, live.v[i].id, j->now_ms, err) < 0)
			return -(int)err->code;
	replace_str(&j->audit->object_id, acc.id);
	replace_str(&j->audit->object_name, acc.name);
	if (store_account_delete(tx, acc.id, j->now_ms, err) < 0)
		return -(int)err->code;
	return store_audit_add(tx, j->audit, err);
}

int service_account_delete(struct service *s, const struct actor *a, const char *ref, int64_t rev, struct err *err)
{
	_cleanup_audit_ struct audit audit = { 0 };
	struct account_job j = { .ref = ref, .rev = rev, .audit = &audit, .now_ms = service_now(s) };

	audit_begin(s, a, "account.delete", "account", &audit);
	return store_write(s->store, delete_tx, &j, err);
}

static int refresh_tx(struct sql *tx, void *arg, struct err *err)
{
	struct account_job *j = arg;
	_cleanup_account_ struct account acc = { 0 };
	char id[ULID_LEN + 1];

	if (SERVICE_GET(tx, j->ref, store_account_get, store_account_get_num, &acc, err) < 0)
		return -(int)err->code;
	if (job_intake(tx,
		       &(struct job_request){ .id = j->fresh_id, .kind = JOB_ACCOUNT_REFRESH, .subject_kind = "account",
					      .subject_id = acc.id, .lane_url = acc.directory_url,
					      .created_by = j->actor->user_id, .now_ms = j->now_ms },
		       id, err) < 0)
		return -(int)err->code;
	replace_str(&j->id, id);
	replace_str(&j->audit->object_id, acc.id);
	replace_str(&j->audit->object_name, acc.name);
	return store_audit_add(tx, j->audit, err);
}

int service_account_refresh(struct service *s, const struct actor *a, const char *ref, char **ret_job, struct err *err)
{
	int64_t now = service_now(s);
	struct ulid fresh = ulid_new(now);
	_cleanup_audit_ struct audit audit = { 0 };
	struct account_job j = { .actor = a, .ref = ref, .fresh_id = fresh.s, .now_ms = now, .audit = &audit };

	audit_begin(s, a, "account.refresh", "account", &audit);
	if (store_write(s->store, refresh_tx, &j, err) < 0) {
		free(j.id);
		return -(int)err->code;
	}
	*ret_job = j.id;
	return 0;
}
