/* SPDX-License-Identifier: Apache-2.0 */
/* view.c - views of DNS and their rules; see view.h. */
#include "service/view.h"

#include "base/idn.h"
#include "base/ulid.h"
#include "engine/outlook.h"
#include "model/vendor.h"
#include "service/internal.h"

struct view_job {
	struct service *s;
	const char *ref;
	int64_t rev, now_ms;
	struct page page;
	struct narrow by;
	struct dns_view_list *views;
	struct view_rule_list *rules;
	struct dns_view *view, *view_row;
	struct view_rule *rule, *rule_row;
	const struct view_save *save;
	const struct view_rule_save *rule_save;
	struct once *once;
	struct audit *audit;
};

/* --- views --------------------------------------------------------------------------------------------------------------- */

static int views_tx(struct sql *q, void *arg, struct err *err)
{
	struct view_job *j = arg;

	return store_view_list(q, &j->by, &j->page, j->views, err);
}

int service_view_list(struct service *s, const struct list_query *q, struct dns_view_list *ret, struct list_end *end, struct err *err)
{
	_cleanup_listing_ struct listing l = { .s = s, .name = "views", .also = BIT(PAGE_NAME) };
	struct view_job j = { .views = ret, .by = q->by };
	const struct dns_view *last;

	if (listing_open(&l, q, NULL, 0, err) < 0)
		return -(int)err->code;
	j.page = l.cursor.page;
	if (store_read(s->store, views_tx, &j, err) < 0)
		return -(int)err->code;
	last = ret->n ? &ret->v[ret->n - 1] : NULL;
	listing_close_named(&l, ret->more, last ? last->created_ms : 0, last ? last->name : NULL, last ? last->id : NULL, end);
	return 0;
}

static int view_tx(struct sql *q, void *arg, struct err *err)
{
	struct view_job *j = arg;

	dns_view_done(j->view);
	return SERVICE_GET(q, j->ref, store_view_get, store_view_get_num, j->view, err);
}

int service_view_get(struct service *s, const char *ref, struct dns_view *ret, struct err *err)
{
	struct view_job j = { .ref = ref, .view = ret };

	return store_read(s->store, view_tx, &j, err);
}

json_t *service_view_connection(const struct dns_view *v)
{
	_cleanup_connection_ struct connection c = { 0 };
	_cleanup_err_ struct err no = ERR_INIT;

	return connection_parse(v->connection, &c, &no) < 0 ? json_null() : connection_encode(&c);
}

static int take_view(const struct view_save *q, struct dns_view *v, bool create, struct err *err)
{
	if (q->name)
		replace_str(&v->name, q->name);
	if (q->kind && !view_kind_parse(q->kind, &v->kind))
		return err_set_field(err, ERR_INVALID, "/kind", "there is no kind of view '%.32s'", q->kind);
	if (q->has_servers) {
		free(v->servers);
		v->servers = strlist_join(&q->servers, ", ");
	}
	if (q->url)
		replace_str(&v->url, q->url);
	if (create || q->has_direct) /* where there is HTTPS only, nobody else can be asked */
		v->direct = q->has_direct ? q->direct : v->kind != VIEW_DOH;
	if (v->kind != VIEW_SERVERS)
		replace_str(&v->servers, "");
	if (v->kind != VIEW_DOH)
		replace_str(&v->url, "");
	return 0;
}

/* Servers, or URL with its way out. */
static int check_view(struct service *s, const struct view_save *q, struct dns_view *v, struct err *err)
{
	_cleanup_connection_ struct connection c = { 0 };

	if (q->connection ? connection_decode(q->connection, "/connection", false, &c, err) < 0 : connection_parse(v->connection, &c, err) < 0)
		return -(int)err->code;
	if (outlook_check(s->engine, v, &c, q->connection != NULL, err) < 0)
		return -(int)err->code;
	free(v->connection);
	v->connection = v->kind == VIEW_DOH ? connection_text(&c) : NULL;
	return 0;
}

/* What the audit says of a view. */
static json_t *view_terms(const struct dns_view *v)
{
	return json_pack("{s:s, s:s, s:s, s:s, s:b, s:o}", "name", v->name, "kind", view_kind_text(v->kind), "servers", v->servers, "url", v->url,
			 "direct", v->direct, "connection", service_view_connection(v));
}

static int view_create_tx(struct sql *tx, void *arg, struct err *err)
{
	struct view_job *j = arg;
	_cleanup_free_ char *before = NULL;

	dns_view_done(j->view);
	if (once_find(tx, j->s, j->once, &before, err) < 0)
		return -(int)err->code;
	if (before)
		return store_view_get(tx, before, j->view, err);
	if (store_view_add(tx, j->view_row, err) < 0 || store_audit_add(tx, j->audit, err) < 0 ||
	    once_add(tx, j->s, j->once, "view", j->view_row->id, err) < 0)
		return -(int)err->code;
	return store_view_get(tx, j->view_row->id, j->view, err);
}

int service_view_create(struct service *s, const struct actor *a, const struct view_save *q, const struct request_key *key,
			struct dns_view *ret, struct err *err)
{
	_cleanup_dns_view_ struct dns_view v = { .created_ms = service_now(s), .servers = xstrdup(""), .url = xstrdup("") };
	_cleanup_audit_ struct audit audit = { 0 };
	_cleanup_once_ struct once once = { 0 };
	struct view_job j = { .s = s, .view_row = &v, .view = ret, .once = &once, .audit = &audit };

	v.id = xstrdup(ulid_new(v.created_ms).s);
	if (take_view(q, &v, true, err) < 0 || check_view(s, q, &v, err) < 0)
		return -(int)err->code;
	once_begin(s, a, key, &once);
	audit_begin(s, a, "view.create", "view", &audit);
	audit_object(&audit, v.id, v.name, NULL, view_terms(&v));
	return store_write(s->store, view_create_tx, &j, err);
}

static int view_update_tx(struct sql *tx, void *arg, struct err *err)
{
	struct view_job *j = arg;
	_cleanup_json_ json_t *before = NULL;

	if (view_tx(tx, j, err) < 0 || rev_check(j->rev, j->view->rev, "view", err) < 0)
		return -(int)err->code;
	before = view_terms(j->view);
	if (take_view(j->save, j->view, false, err) < 0 || check_view(j->s, j->save, j->view, err) < 0)
		return -(int)err->code;
	j->view->updated_ms = j->now_ms;
	audit_object(j->audit, j->view->id, j->view->name, json_incref(before), view_terms(j->view));
	if (store_view_put(tx, j->view, 0, err) < 0)
		return -(int)err->code;
	return store_audit_add(tx, j->audit, err);
}

int service_view_update(struct service *s, const struct actor *a, const char *ref, int64_t rev, const struct view_save *q,
			struct dns_view *ret, struct err *err)
{
	_cleanup_audit_ struct audit audit = { 0 };
	struct view_job j = { .s = s, .ref = ref, .rev = rev, .save = q, .view = ret, .audit = &audit, .now_ms = service_now(s) };

	audit_begin(s, a, "view.update", "view", &audit);
	return store_write(s->store, view_update_tx, &j, err);
}

static int view_delete_tx(struct sql *tx, void *arg, struct err *err)
{
	struct view_job *j = arg;
	_cleanup_dns_view_ struct dns_view v = { 0 };

	j->view = &v;
	if (view_tx(tx, j, err) < 0 || rev_check(j->rev, v.rev, "view", err) < 0)
		return -(int)err->code;
	audit_object(j->audit, v.id, v.name, view_terms(&v), NULL);
	if (store_view_delete(tx, v.id, j->now_ms, err) < 0)
		return -(int)err->code;
	return store_audit_add(tx, j->audit, err);
}

int service_view_delete(struct service *s, const struct actor *a, const char *ref, int64_t rev, struct err *err)
{
	_cleanup_audit_ struct audit audit = { 0 };
	struct view_job j = { .ref = ref, .rev = rev, .audit = &audit, .now_ms = service_now(s) };

	audit_begin(s, a, "view.delete", "view", &audit);
	return store_write(s->store, view_delete_tx, &j, err);
}

/* --- rules --------------------------------------------------------------------------------------------------------------- */

static int rules_tx(struct sql *q, void *arg, struct err *err)
{
	struct view_job *j = arg;

	return store_view_rule_list(q, &j->by, &j->page, j->rules, err);
}

int service_view_rule_list(struct service *s, const struct list_query *q, struct view_rule_list *ret, struct list_end *end, struct err *err)
{
	_cleanup_listing_ struct listing l = { .s = s, .name = "view-rules", .also = BIT(PAGE_NAME) };
	struct view_job j = { .rules = ret, .by = q->by };
	const struct view_rule *last;

	if (listing_open(&l, q, NULL, 0, err) < 0)
		return -(int)err->code;
	j.page = l.cursor.page;
	if (store_read(s->store, rules_tx, &j, err) < 0)
		return -(int)err->code;
	last = ret->n ? &ret->v[ret->n - 1] : NULL;
	listing_close_named(&l, ret->more, last ? last->created_ms : 0, last ? last->suffix : NULL, last ? last->id : NULL, end);
	return 0;
}

static int rule_tx(struct sql *q, void *arg, struct err *err)
{
	struct view_job *j = arg;

	view_rule_done(j->rule);
	return SERVICE_GET(q, j->ref, store_view_rule_get, store_view_rule_get_num, j->rule, err);
}

int service_view_rule_get(struct service *s, const char *ref, struct view_rule *ret, struct err *err)
{
	struct view_job j = { .ref = ref, .rule = ret };

	return store_read(s->store, rule_tx, &j, err);
}

/* "*.example.com", ".example.com" and "example.com" mean the same; "*" and "" mean every name. */
static int take_suffix(const char *typed, struct view_rule *r, struct err *err)
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

static int take_rule(struct sql *q, const struct view_rule_save *save, struct view_rule *r, struct err *err)
{
	if (save->suffix && take_suffix(save->suffix, r, err) < 0)
		return -(int)err->code;
	if (save->vendor && *save->vendor && !streq(save->vendor, VENDOR_CUSTOM) && !vendor_find(save->vendor))
		return err_set_field(err, ERR_INVALID, "/vendor", "there is no vendor '%.64s'", save->vendor);
	if (save->vendor)
		replace_str(&r->vendor, save->vendor);
	if (save->has_wait)
		r->wait_s = save->wait_s;
	if (save->view_id && *save->view_id) {
		_cleanup_dns_view_ struct dns_view v = { 0 };

		if (SERVICE_GET(q, save->view_id, store_view_get, store_view_get_num, &v, err) < 0) {
			if (err->code != ERR_NOT_FOUND && err->code != ERR_INVALID)
				return -(int)err->code;
			err_clear(err);
			return err_set_field(err, ERR_INVALID, "/view_id", "there is no view '%.64s'", save->view_id);
		}
		replace_str(&r->view_id, v.id);
	} else if (save->view_id) {
		replace_str(&r->view_id, NULL);
	}
	return 0;
}

static json_t *rule_terms(const struct view_rule *r)
{
	return json_pack("{s:s, s:s, s:o, s:I}", "suffix", r->suffix, "vendor", r->vendor, "view_id", json_str_or_null(r->view_id), "wait_s",
			 (json_int_t)r->wait_s);
}

static void tell_rule(struct audit *audit, const struct view_rule *r, json_t *take_before, json_t *take_after)
{
	audit_object(audit, r->id, *r->suffix ? r->suffix : "*", take_before, take_after);
}

static int rule_create_tx(struct sql *tx, void *arg, struct err *err)
{
	struct view_job *j = arg;
	_cleanup_free_ char *before = NULL;

	view_rule_done(j->rule);
	if (once_find(tx, j->s, j->once, &before, err) < 0)
		return -(int)err->code;
	if (before)
		return store_view_rule_get(tx, before, j->rule, err);
	if (take_rule(tx, j->rule_save, j->rule_row, err) < 0)
		return -(int)err->code;
	tell_rule(j->audit, j->rule_row, NULL, rule_terms(j->rule_row));
	if (store_view_rule_add(tx, j->rule_row, err) < 0 || store_audit_add(tx, j->audit, err) < 0 ||
	    once_add(tx, j->s, j->once, "view-rule", j->rule_row->id, err) < 0)
		return -(int)err->code;
	return store_view_rule_get(tx, j->rule_row->id, j->rule, err);
}

int service_view_rule_create(struct service *s, const struct actor *a, const struct view_rule_save *q, const struct request_key *key,
			     struct view_rule *ret, struct err *err)
{
	_cleanup_view_rule_ struct view_rule r = { .created_ms = service_now(s), .vendor = xstrdup(""), .suffix = xstrdup("") };
	_cleanup_audit_ struct audit audit = { 0 };
	_cleanup_once_ struct once once = { 0 };
	struct view_job j = { .s = s, .rule_row = &r, .rule = ret, .rule_save = q, .once = &once, .audit = &audit };

	r.id = xstrdup(ulid_new(r.created_ms).s);
	once_begin(s, a, key, &once);
	audit_begin(s, a, "view-rule.create", "view-rule", &audit);
	return store_write(s->store, rule_create_tx, &j, err);
}

static int rule_update_tx(struct sql *tx, void *arg, struct err *err)
{
	struct view_job *j = arg;
	_cleanup_json_ json_t *before = NULL;

	if (rule_tx(tx, j, err) < 0 || rev_check(j->rev, j->rule->rev, "view rule", err) < 0)
		return -(int)err->code;
	before = rule_terms(j->rule);
	if (take_rule(tx, j->rule_save, j->rule, err) < 0)
		return -(int)err->code;
	j->rule->updated_ms = j->now_ms;
	tell_rule(j->audit, j->rule, json_incref(before), rule_terms(j->rule));
	if (store_view_rule_put(tx, j->rule, 0, err) < 0)
		return -(int)err->code;
	return store_audit_add(tx, j->audit, err);
}

int service_view_rule_update(struct service *s, const struct actor *a, const char *ref, int64_t rev, const struct view_rule_save *q,
			     struct view_rule *ret, struct err *err)
{
	_cleanup_audit_ struct audit audit = { 0 };
	struct view_job j = { .s = s, .ref = ref, .rev = rev, .rule_save = q, .rule = ret, .audit = &audit, .now_ms = service_now(s) };

	audit_begin(s, a, "view-rule.update", "view-rule", &audit);
	return store_write(s->store, rule_update_tx, &j, err);
}

static int rule_delete_tx(struct sql *tx, void *arg, struct err *err)
{
	struct view_job *j = arg;
	_cleanup_view_rule_ struct view_rule r = { 0 };

	j->rule = &r;
	if (rule_tx(tx, j, err) < 0 || rev_check(j->rev, r.rev, "view rule", err) < 0)
		return -(int)err->code;
	tell_rule(j->audit, &r, rule_terms(&r), NULL);
	if (store_view_rule_delete(tx, r.id, j->now_ms, err) < 0)
		return -(int)err->code;
	return store_audit_add(tx, j->audit, err);
}

int service_view_rule_delete(struct service *s, const struct actor *a, const char *ref, int64_t rev, struct err *err)
{
	_cleanup_audit_ struct audit audit = { 0 };
	struct view_job j = { .ref = ref, .rev = rev, .audit = &audit, .now_ms = service_now(s) };

	audit_begin(s, a, "view-rule.delete", "view-rule", &audit);
	return store_write(s->store, rule_delete_tx, &j, err);
}
