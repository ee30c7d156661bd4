/* SPDX-License-Identifier: Apache-2.0 */
/* orders.c - orders, their story and their certificate. */
#include "api/call.h"
#include "base/limits.h"
#include "model/vendor.h"
#include "service/methods.h"
#include "service/order.h"
#include "service/status.h"

static const char *const key_types[] = { "p256", "p384", "rsa2048", "rsa3072", "rsa4096", NULL };
static const char *const validations[] = { "dns-01", "http-01", NULL };
static const char *const modes[] = { "automatic", "step-by-step", NULL };
static const char *const statuses[] = { "pending", "ready", "processing", "valid", "invalid", NULL };

static const char *const sorts[] = { "newest", "oldest", "name", "status", NULL };

const struct json_field order_create_fields[] = {
	JF_STR(struct order_create, account_id, .required = true, .min = 1, .max = ULID_LEN),
	JF_STR(struct order_create, csr_id, .min = 1, .max = ULID_LEN),
	JF_LIST(struct order_create, names, .min = 1, .max = LIMIT_NAMES, .item_max = LIMIT_TEXT),
	JF_STR(struct order_create, key_type, .one_of = key_types),
	JF_STR(struct order_create, validation, .required = true, .one_of = validations),
	JF_STR(struct order_create, dns, .min = 1, .max = ULID_LEN),
	JF_STR(struct order_create, http, .min = 1, .max = ULID_LEN),
	JF_JSON(struct order_create, methods),
	JF_STR(struct order_create, profile, .min = 1, .max = 64),
	JF_BOOL(struct order_create, profile_fallback),
	JF_STR(struct order_create, preferred_chain, .min = 1, .max = LIMIT_ISSUER),
	JF_STR(struct order_create, not_after, .min = 1, .max = 40),
	JF_STR(struct order_create, mode, .one_of = modes),
	{ 0 }
};
const struct json_field order_preview_fields[] = {
	JF_STR(struct order_create, account_id, .min = 1, .max = ULID_LEN),
	JF_STR(struct order_create, csr_id, .min = 1, .max = ULID_LEN),
	JF_LIST(struct order_create, names, .min = 1, .max = LIMIT_NAMES, .item_max = LIMIT_TEXT),
	JF_STR(struct order_create, validation, .required = true, .one_of = validations),
	JF_STR(struct order_create, dns, .min = 1, .max = ULID_LEN),
	JF_STR(struct order_create, http, .min = 1, .max = ULID_LEN),
	JF_JSON(struct order_create, methods),
	{ 0 }
};
const struct json_field order_query_fields[] = {
	JF_STR(struct order_query, status, .one_of = statuses),
	JF_STR(struct order_query, account_id, .min = 1, .max = ULID_LEN),
	JF_STR(struct order_query, certificate_id, .min = 1, .max = ULID_LEN),
	JF_STR(struct order_query, name, .min = 3, .max = LIMIT_NAME),
	{ .name = "sort", .kind = JSON_KIND_STR, .offset = offsetof(struct order_query, page.sort), .one_of = sorts },
	PAGE_FIELDS(struct order_query),
	{ 0 }
};

static json_t *method_json(const struct name_preview *p)
{
	return json_pack("{s:s, s:s, s:s, s:s, s:s, s:o}", "name", p->m.name, "method", p->m.method, "method_title", p->title, "method_name",
			 p->provider, "by", method_source_text(p->m.by), "rule_id", json_str_or_null(p->m.rule_id));
}

static json_t *methods_json(const struct name_preview_list *l)
{
	json_t *items = json_array();

	for (size_t i = 0; i < l->n; i++)
		json_array_append_new(items, method_json(&l->v[i]));
	return items;
}

static json_t *order_json(const struct order_view *view)
{
	const struct order *o = &view->order;
	const struct vendor *v = vendor_find(view->vendor);
	bool live = !o->ended_ms;
	json_t *j = json_pack("{s:s, s:I, s:s, s:s, s:s, s:s, s:s, s:b, s:o, s:o, s:o, s:o, s:s, s:o, s:o, s:s, s:s, s:s, s:s, s:s, s:s}", "id",
			      o->id, "num", (json_int_t)o->num, "account_id", o->account_id, "account_name", view->account_name,
			      "account_email", view->account_email, "vendor", view->vendor, "vendor_title", vendor_title(view->vendor),
			      "staging", v && v->staging, "certificate_id", json_str_or_null(o->certificate_id), "csr_id",
			      json_str_or_null(o->csr_id), "names", json_strlist(&o->names), "display_names", display_names(&o->names),
			      "validation", validation_text(o->validation), "dns", json_str_or_null(o->dns_method), "http",
			      json_str_or_null(o->http_method), "external_dns", view->external_dns ? view->external_dns : "", "mode",
			      order_mode_text(o->mode), "status", order_status_text(o->status), "step", order_step_text(o->step), "stage",
			      order_stage_text(order_stage(o)), "key_type", o->key_type);

	json_object_set_new(j, "methods", methods_json(&view->methods));
	json_object_set_new(j, "profile", json_str_or_null(o->profile));
	json_object_set_new(j, "profile_fallback", json_boolean(o->options.profile_fallback));
	json_object_set_new(j, "profile_dropped", json_boolean(o->options.profile_dropped));
	json_object_set_new(j, "preferred_chain", json_str_or_null(o->options.preferred_chain));
	json_object_set_new(j, "not_after", json_time_or_null(o->options.not_after_ms));
	json_object_set_new(j, "url", json_str_or_null(o->url));
	json_object_set_new(j, "expires_at", json_time_or_null(o->ca_expires_ms));
	json_object_set_new(j, "give_up_at", json_time_or_null(live ? o->give_up_ms : 0));
	json_object_set_new(j, "next_at", json_time_or_null(live ? o->due_ms : 0));
	json_object_set_new(j, "attempts", json_integer(o->attempts));
	json_object_set_new(j, "waiting_for", json_str_or_null(o->waiting_for));
	json_object_set_new(j, "set_aside", json_boolean(o->set_aside));
	json_object_set_new(j, "reason", json_text_or_null(o->reason));
	json_object_set_new(j, "validation_record", json_str_or_null(view->record));
	json_object_set_new(j, "created_at", json_time_or_null(o->created_ms));
	json_object_set_new(j, "updated_at", json_time_or_null(o->updated_ms));
	json_object_set_new(j, "ended_at", json_time_or_null(o->ended_ms));
	return j;
}

static void answer_order(struct call *c, unsigned status, const struct order_view *v)
{
	if (status == 201)
		call_location(c, "orders", v->order.id);
	call_etag(c, v->order.rev);
	call_json(c, status, order_json(v));
}

int order_list(struct call *c, struct err *err)
{
	const struct order_query *f = c->query;
	_cleanup_order_view_list_ struct order_view_list l = { 0 };
	_cleanup_list_end_ struct list_end end = { 0 };
	struct list_query q = page_of(c);
	json_t *items;

	if (service_order_list(c->service, &(struct order_filter){ f->status, f->account_id, f->certificate_id, f->name }, &q, &l, &end, err) < 0)
		return -(int)err->code;
	items = json_array();
	for (size_t i = 0; i < l.n; i++)
		json_array_append_new(items, order_json(&l.v[i]));
	call_page(c, items, &end);
	return 0;
}

int order_preview(struct call *c, struct err *err)
{
	_cleanup_name_preview_list_ struct name_preview_list l = { 0 };
	json_t *names;

	if (service_order_preview(c->service, c->body, &l, err) < 0)
		return -(int)err->code;
	names = json_array();
	for (size_t i = 0; i < l.n; i++) {
		json_t *j = method_json(&l.v[i]);

		json_object_set_new(j, "offers", l.v[i].offers ? json_incref(l.v[i].offers) : json_array());
		json_object_set_new(j, "ask", json_boolean(l.v[i].ask));
		json_array_append_new(names, j);
	}
	call_json(c, 200, json_pack("{s:o}", "names", names));
	return 0;
}

int order_create(struct call *c, struct err *err)
{
	_cleanup_order_view_ struct order_view v = { 0 };
	bool existing = false;

	if (service_order_create(c->service, &c->actor, c->body, &c->once, &v, &existing, err) < 0)
		return -(int)err->code;
	answer_order(c, existing ? 200 : 201, &v);
	return 0;
}

json_t *event_json(const struct event *e)
{
	return json_pack("{s:s, s:o, s:s, s:s, s:o}", "id", e->id, "at", json_time_or_null(e->at_ms), "level", event_level_text(e->level),
			 "text", e->text, "detail", json_text_or_null(e->detail));
}

static json_t *authz_json(const struct authz *a)
{
	return json_pack("{s:s, s:b, s:s, s:o, s:o, s:o}", "identifier", a->identifier, "wildcard", a->wildcard, "status",
			 authz_status_text(a->status), "challenge_status",
			 json_str_or_null(a->challenge_url ? challenge_status_text(a->challenge_status) : NULL), "expires_at",
			 json_time_or_null(a->expires_ms), "reason", json_text_or_null(a->reason));
}

/* The title of a record's method, from the names' of its order. */
static const char *type_of(const struct name_preview_list *l, const char *method)
{
	for (size_t i = 0; i < l->n; i++)
		if (streq(l->v[i].m.method, method))
			return l->v[i].title;
	return NULL;
}

int order_get(struct call *c, struct err *err)
{
	_cleanup_order_detail_ struct order_detail d = { 0 };
	json_t *j, *authzs, *records, *events;

	if (service_order_get(c->service, c->id, &d, err) < 0)
		return -(int)err->code;
	j = order_json(&d.view);
	authzs = json_array();
	records = json_array();
	events = json_array();
	for (size_t i = 0; i < d.authzs.n; i++)
		json_array_append_new(authzs, authz_json(&d.authzs.v[i]));
	for (size_t i = 0; i < d.records.n; i++)
		json_array_append_new(records, record_json(&d.records.v[i], d.view.order.num, type_of(&d.view.methods, d.records.v[i].method)));
	for (size_t i = 0; i < d.events.n; i++)
		json_array_append_new(events, event_json(&d.events.v[i]));
	json_object_set_new(j, "authorizations", authzs);
	json_object_set_new(j, "records", records);
	json_object_set_new(j, "events", events);
	call_etag(c, d.view.order.rev);
	call_json(c, 200, j);
	return 0;
}

int order_events(struct call *c, struct err *err)
{
	_cleanup_(event_list_done) struct event_list l = { 0 };
	_cleanup_list_end_ struct list_end end = { 0 };
	struct list_query q = page_of(c);
	json_t *items;

	if (service_order_events(c->service, c->id, &q, &l, &end, err) < 0)
		return -(int)err->code;
	items = json_array();
	for (size_t i = 0; i < l.n; i++)
		json_array_append_new(items, event_json(&l.v[i]));
	call_page(c, items, &end);
	return 0;
}

int order_refresh(struct call *c, struct err *err)
{
	_cleanup_order_view_ struct order_view v = { 0 };

	if (service_order_refresh(c->service, &c->actor, c->id, &v, err) < 0)
		return -(int)err->code;
	answer_order(c, 200, &v);
	return 0;
}

int order_go_on(struct call *c, struct err *err)
{
	_cleanup_order_view_ struct order_view v = { 0 };

	if (service_order_go_on(c->service, &c->actor, c->id, &v, err) < 0)
		return -(int)err->code;
	answer_order(c, 200, &v);
	return 0;
}

int order_finalize(struct call *c, struct err *err)
{
	_cleanup_order_view_ struct order_view v = { 0 };

	if (service_order_finalize(c->service, &c->actor, c->id, &v, err) < 0)
		return -(int)err->code;
	answer_order(c, 200, &v);
	return 0;
}

int order_certificate(struct call *c, struct err *err)
{
	_cleanup_free_ char *pem = NULL, *name = NULL;

	if (service_order_certificate(c->service, c->id, &pem, &name, err) < 0)
		return -(int)err->code;
	call_file(c, "application/pem-certificate-chain", name, pem, strlen(pem));
	return 0;
}

int order_remove(struct call *c, struct err *err)
{
	if (service_order_delete(c->service, &c->actor, c->id, c->match, err) < 0)
		return -(int)err->code;
	call_empty(c);
	return 0;
}
