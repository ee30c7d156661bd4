/* SPDX-License-Identifier: Apache-2.0 */
/* rule.c - validation rules and debts; see provider.h. */
#include "base/idn.h"
#include "engine/provider.h"
#include "model/vendor.h"
#include "service/internal.h"
#include "service/provider.h"
#include "store/order.h"

struct rule_job {
	const struct service *s;
	const char *ref;
	int64_t rev, now_ms;
	struct page page;
	struct narrow by;
	struct validation_rule_list *list;
	struct validation_rule *row, *ret;
	struct once *once;
	struct audit *audit;
};

static int list_tx(struct sql *q, void *arg, struct err *err)
{
	struct rule_job *j = arg;

	return store_rule_list(q, &j->by, &j->page, j->list, err);
}

int service_rule_list(struct service *s, const struct list_query *q, struct validation_rule_list *ret, struct list_end *end,
		      struct err *err)
{
	_cleanup_listing_ struct listing l = { .s = s, .name = "rules", .also = BIT(PAGE_NAME) };
	struct rule_job j = { .list = ret, .by = q->by };
	const struct validation_rule *last;

	if (listing_open(&l, q, NULL, 0, err) < 0)
		return -(int)err->code;
	j.page = l.cursor.page;
	if (store_read(s->store, list_tx, &j, err) < 0)
		return -(int)err->code;
	last = ret->n ? &ret->v[ret->n - 1] : NULL;
	listing_close_named(&l, ret->more, last ? last->created_ms : 0, last ? last->suffix : NULL, last ? last->id : NULL, end);
	return 0;
}

static int find(struct sql *q, const char *ref, struct validation_rule *ret, struct err *err)
{
	validation_rule_done(ret);
	return SERVICE_GET(q, ref, store_rule_get, store_rule_get_num, ret, err);
}

static int get_tx(struct sql *q, void *arg, struct err *err)
{
	struct rule_job *j = arg;

	return find(q, j->ref, j->ret, err);
}

int service_rule_get(struct service *s, const char *ref, struct validation_rule *ret, struct err *err)
{
	struct rule_job j = { .ref = ref, .ret = ret };

	return store_read(s->store, get_tx, &j, err);
}

/* --- what was typed ------------------------------------------------------------------------------------------------------ */

/* "*.example.com", ".example.com" and "example.com" mean the same; "*" and "" mean every name. */
static int take_suffix(const char *typed, struct validation_rule *r, struct err *err)
{
	const char *name = str_starts(typed, "*.") ? typed + 2 : *typed == '.' ? typed + 1 : streq(typed, "*") ? "" : typed;
	char *canonical = NULL;

	if (!*name) {
		replace_str(&r->suffix, "");
		return 0;
	}
	if (name_canonical(name, &canonical, err) < 0) {
		replace_str(&err->field, "/suffix");
		return -(int)err->code;
	}
	free(r->suffix);
	r->suffix = canonical;
	return 0;
}

static int take(const struct rule_save *q, struct validation_rule *r, struct err *err)
{
	if (q->suffix && take_suffix(q->suffix, r, err) < 0)
		return -(int)err->code;
	if (q->vendor && *q->vendor && !streq(q->vendor, VENDOR_CUSTOM) && !vendor_find(q->vendor))
		return err_set_field(err, ERR_INVALID, "/vendor", "there is no vendor '%.64s'", q->vendor);
	if (q->vendor)
		replace_str(&r->vendor, q->vendor);
	if (q->validation && !validation_parse(q->validation, &r->validation))
		return err_set_field(err, ERR_INVALID, "/validation", "there is no validation '%.32s'", q->validation);
	if (q->method)
		replace_str(&r->method, q->method);
	return 0;
}

/* What the audit says of a rule. */
static json_t *terms(const struct validation_rule *r)
{
	return json_pack("{s:s, s:s, s:s, s:s}", "suffix", r->suffix, "vendor", r->vendor, "validation", validation_text(r->validation), "method",
			 r->method);
}

static void tell(struct audit *audit, const struct validation_rule *r, json_t *take_before, json_t *take_after)
{
	audit_object(audit, r->id, *r->suffix ? r->suffix : "*", take_before, take_after);
}

/* --- changing ------------------------------------------------------------------------------------------------------------ */

static int create_tx(struct sql *tx, void *arg, struct err *err)
{
	struct rule_job *j = arg;
	_cleanup_free_ char *before = NULL;

	validation_rule_done(j->ret);
	if (once_find(tx, j->s, j->once, &before, err) < 0)
		return -(int)err->code;
	if (before)
		return store_rule_get(tx, before, j->ret, err);
	if (method_check(tx, j->row->method, j->row->validation, "/method", err) < 0 || store_rule_add(tx, j->row, err) < 0 ||
	    store_audit_add(tx, j->audit, err) < 0 || once_add(tx, j->s, j->once, "rule", j->row->id, err) < 0)
		return -(int)err->code;
	return store_rule_get(tx, j->row->id, j->ret, err);
}

int service_rule_create(struct service *s, const struct actor *a, const struct rule_save *q, const struct request_key *key,
			struct validation_rule *ret, struct err *err)
{
	_cleanup_validation_rule_ struct validation_rule r = { .created_ms = service_now(s) };
	_cleanup_audit_ struct audit audit = { 0 };
	_cleanup_once_ struct once once = { 0 };
	struct rule_job j = { .s = s, .row = &r, .ret = ret, .once = &once, .audit = &audit };

	r.id = xstrdup(ulid_new(r.created_ms).s);
	r.vendor = xstrdup("");
	if (take(q, &r, err) < 0)
		return -(int)err->code;
	once_begin(s, a, key, &once);
	audit_begin(s, a, "rule.create", "rule", &audit);
	tell(&audit, &r, NULL, terms(&r));
	return store_write(s->store, create_tx, &j, err);
}

static int update_tx(struct sql *tx, void *arg, struct err *err)
{
	struct rule_job *j = arg;

	if (method_check(tx, j->row->method, j->row->validation, "/method", err) < 0 || store_rule_put(tx, j->row, j->rev, err) < 0 ||
	    store_audit_add(tx, j->audit, err) < 0)
		return -(int)err->code;
	validation_rule_done(j->ret);
	return store_rule_get(tx, j->row->id, j->ret, err);
}

int service_rule_update(struct service *s, const struct actor *a, const char *ref, int64_t rev, const struct rule_save *q,
			struct validation_rule *ret, struct err *err)
{
	_cleanup_validation_rule_ struct validation_rule r = { 0 };
	_cleanup_audit_ struct audit audit = { 0 };
	_cleanup_json_ json_t *before = NULL;
	struct rule_job j = { .s = s, .row = &r, .ret = ret, .audit = &audit };

	if (service_rule_get(s, ref, &r, err) < 0 || rev_check(rev, r.rev, "validation rule", err) < 0)
		return -(int)err->code;
	before = terms(&r);
	if (take(q, &r, err) < 0)
		return -(int)err->code;
	j.rev = r.rev;
	r.updated_ms = service_now(s);
	audit_begin(s, a, "rule.update", "rule", &audit);
	tell(&audit, &r, json_incref(before), terms(&r));
	return store_write(s->store, update_tx, &j, err);
}

static int delete_tx(struct sql *tx, void *arg, struct err *err)
{
	struct rule_job *j = arg;
	_cleanup_validation_rule_ struct validation_rule r = { 0 };

	if (find(tx, j->ref, &r, err) < 0 || rev_check(j->rev, r.rev, "validation rule", err) < 0)
		return -(int)err->code;
	tell(j->audit, &r, terms(&r), NULL);
	return store_rule_delete(tx, r.id, j->now_ms, err) < 0 ? -(int)err->code : store_audit_add(tx, j->audit, err);
}

int service_rule_delete(struct service *s, const struct actor *a, const char *ref, int64_t rev, struct err *err)
{
	_cleanup_audit_ struct audit audit = { 0 };
	struct rule_job j = { .ref = ref, .rev = rev, .audit = &audit, .now_ms = service_now(s) };

	audit_begin(s, a, "rule.delete", "rule", &audit);
	return store_write(s->store, delete_tx, &j, err);
}

/* --- debts --------------------------------------------------------------------------------------------------------------- */

struct debts_job {
	struct page page;
	struct debt_view_list *list;
	const char *id;
	struct audit *audit;
	int64_t now_ms;
};

void debt_view_done(struct debt_view *v)
{
	debt_done(&v->debt);
	free(v->title);
	free(v->name);
	*v = (struct debt_view){ 0 };
}

static int debt_names(struct sql *q, struct debt_view *v, struct err *err)
{
	_cleanup_order_ struct order o = { 0 };

	if (store_order_get_any(q, v->debt.order_id, &o, err) < 0)
		return -(int)err->code;
	v->order_num = o.num;
	if (v->debt.kind == DEBT_DEACTIVATE_AUTHZ) {
		v->title = xstrdup("ACME");
		v->name = xstrdup("ACME");
		return 0;
	}
	return method_names(q, v->debt.method, &v->title, &v->name, err);
}

static int debts_tx(struct sql *q, void *arg, struct err *err)
{
	struct debts_job *j = arg;
	_cleanup_debt_list_ struct debt_list l = { 0 };

	debt_view_list_done(j->list);
	if (store_debt_list_owed(q, &j->page, &l, err) < 0)
		return -(int)err->code;
	for (size_t i = 0; i < l.n; i++) {
		struct debt_view *v = debt_view_list_add(j->list);

		v->debt = TAKE(l.v[i]);
		if (debt_names(q, v, err) < 0)
			return -(int)err->code;
	}
	j->list->more = l.more;
	return 0;
}

int service_debt_list(struct service *s, const struct list_query *q, struct debt_view_list *ret, struct list_end *end, struct err *err)
{
	_cleanup_cursor_ struct cursor c = { 0 };
	struct debts_job j = { .list = ret };
	const struct debt *last;

	if (cursor_open(s, "debts", "", q, &c, err) < 0)
		return -(int)err->code;
	j.page = c.page;
	if (store_read(s->store, debts_tx, &j, err) < 0)
		return -(int)err->code;
	last = ret->n ? &ret->v[ret->n - 1].debt : NULL;
	cursor_close(s, "debts", "", ret->more, last ? last->created_ms : 0, NULL, last ? last->id : "", end);
	return 0;
}

static int retry_tx(struct sql *tx, void *arg, struct err *err)
{
	struct debts_job *j = arg;
	_cleanup_(debt_view_done) struct debt_view v = { 0 };
	const struct debt *d = &v.debt;

	if (store_debt_get(tx, j->id, &v.debt, err) < 0)
		return -(int)err->code;
	if (d->paid)
		return err_set(err, ERR_CONFLICT, "nothing is owed there any more");
	if (d->held)
		return err_set(err, ERR_CONFLICT, "its order still needs what is published; it is withdrawn when that ends");
	if (debt_names(tx, &v, err) < 0)
		return -(int)err->code;
	replace_str(&j->audit->object_id, d->id);
	free(j->audit->object_name);
	j->audit->object_name = xasprintf("%s, order %" PRId64, v.name, v.order_num);
	return store_debt_retry(tx, d->id, j->now_ms, err) < 0 ? -(int)err->code : store_audit_add(tx, j->audit, err);
}

int service_debt_retry(struct service *s, const struct actor *a, const char *id, struct err *err)
{
	_cleanup_audit_ struct audit audit = { 0 };
	struct debts_job j = { .id = id, .audit = &audit, .now_ms = service_now(s) };

	audit_begin(s, a, "debt.retry", "debt", &audit);
	return store_write(s->store, retry_tx, &j, err);
}
