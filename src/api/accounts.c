/* SPDX-License-Identifier: Apache-2.0 */
/* accounts.c - accounts at ACME authorities. */
#include "api/call.h"
#include "base/limits.h"
#include "model/vendor.h"
#include "service/account.h"
#include "service/provider.h"

static const char *const eab_sources[] = { "email", "access-key", NULL };
const struct json_field account_register_fields[] = {
	JF_STR(struct account_register, vendor, .min = 1, .max = 64),
	JF_STR(struct account_register, region, .min = 1, .max = 32),
	JF_STR(struct account_register, directory_url, .min = 1, .max = LIMIT_CA_URL),
	JF_STR(struct account_register, email, .min = 1, .max = LIMIT_EMAIL),
	JF_STR(struct account_register, name, .min = 1, .max = 128),
	JF_BOOL(struct account_register, agree_tos),
	JF_STR(struct account_register, terms_url, .min = 1, .max = LIMIT_CA_URL),
	JF_STR(struct account_register, eab_kid, .min = 1, .max = 512),
	JF_SECRET(struct account_register, eab_hmac_key, .min = 1, .max = 1024),
	JF_STR(struct account_register, eab_from, .one_of = eab_sources),
	JF_SECRET(struct account_register, eab_access_key, .min = 1, .max = 512),
	JF_SECRET(struct account_register, account_key, .min = 1, .max = 16384),
	JF_BOOL(struct account_register, automatic),
	JF_JSON(struct account_register, connection),
	{ 0 }
};
const struct json_field account_update_fields[] = {
	JF_STR(struct account_update_body, name, .max = 128),
	JF_STR(struct account_update_body, preferred_issuer, .max = 200),
	JF_BOOL(struct account_update_body, automatic),
	JF_JSON(struct account_update_body, connection),
	{ 0 }
};
const struct json_field account_contact_fields[] = {
	JF_STR(struct account_contact_body, email, .required = true, .max = LIMIT_EMAIL),
	{ 0 }
};
const struct json_field account_agree_fields[] = {
	JF_STR(struct account_agree_body, terms_url, .min = 1, .max = LIMIT_CA_URL),
	{ 0 }
};
static const char *const authority_choices[] = { "keep", "deactivate", NULL };
static const char *const key_choices[] = { "keep", "destroy", NULL };
const struct json_field account_delete_fields[] = {
	JF_STR(struct account_delete_query, takeover, .min = 1, .max = ULID_LEN),
	JF_STR(struct account_delete_query, authority, .one_of = authority_choices),
	JF_STR(struct account_delete_query, key, .one_of = key_choices),
	{ 0 }
};

static json_t *account_json(const struct account_view *w)
{
	const struct account *a = &w->account;
	const struct vendor *v = vendor_of(a->vendor);
	json_t *o = json_pack("{s:s, s:I, s:s, s:s, s:s, s:s, s:s, s:s, s:s, s:o, s:o, s:I, s:b}", "id", a->id, "num", (json_int_t)a->num,
			      "name", a->name, "label", w->label, "vendor", a->vendor, "vendor_title", vendor_title(a->vendor), "directory_url",
			      a->directory_url, "email", a->email, "status", account_status_text(a->status), "url", json_str_or_null(a->url),
			      "eab_kid", json_str_or_null(a->eab_kid), "eab_bytes", (json_int_t)a->eab_bytes, "eab_held",
			      a->eab_sealed != NULL);
	json_t *more = json_pack("{s:o, s:o, s:b, s:b, s:b, s:b, s:o, s:b, s:o, s:o, s:o, s:o}", "tos_url", json_str_or_null(a->tos_url),
				 "tos_agreed_at", json_time_or_null(a->tos_agreed_ms), "staging", v->staging, "costs_money", v->costs_money,
				 "automatic", a->automatic, "automatic_allowed", account_may_automatically(a), "preferred_issuer",
				 json_str_or_null(a->preferred_issuer), "key_changing", a->next_key_id != NULL, "refreshed_at",
				 json_time_or_null(a->refreshed_ms), "reason", json_text_or_null(a->reason), "created_at",
				 json_time_or_null(a->created_ms), "updated_at", json_time_or_null(a->updated_ms));

	json_object_set_new(more, "connection", service_connection_json(a->connection));
	json_object_update(o, more);
	json_decref(more);
	return o;
}

static const char *const statuses[] = { "registering", "valid", "invalid", NULL };
const struct json_field account_list_fields[] = {
	JF_STR(struct account_list_query, vendor, .min = 1, .max = 64),
	JF_STR(struct account_list_query, status, .one_of = statuses),
	JF_STR(struct account_list_query, q, .min = 1, .max = LIMIT_NAME),
	SORT_FIELD(struct account_list_query),
	PAGE_FIELDS(struct account_list_query),
	{ 0 }
};

int account_list(struct call *c, struct err *err)
{
	_cleanup_account_view_list_ struct account_view_list l = { 0 };
	_cleanup_list_end_ struct list_end end = { 0 };
	const struct account_list_query *f = c->query;
	struct list_query q = page_of(c);
	json_t *items;

	if (service_account_list(c->service, &(struct account_filter){ f->vendor, f->status, f->q }, &q, &l, &end, err) < 0)
		return -(int)err->code;
	items = json_array();
	for (size_t i = 0; i < l.n; i++)
		json_array_append_new(items, account_json(&l.v[i]));
	call_page(c, items, &end);
	return 0;
}

static int answer_account(struct call *c, unsigned status, const char *ref, struct err *err)
{
	_cleanup_account_view_ struct account_view v = { 0 };

	if (service_account_get(c->service, ref, &v, err) < 0)
		return -(int)err->code;
	if (status == 201)
		call_location(c, "accounts", v.account.id);
	call_etag(c, v.account.rev);
	call_json(c, status, account_json(&v));
	return 0;
}

static int registered(struct call *c, const struct job *j, struct err *err)
{
	return answer_account(c, 201, j->subject_id, err);
}

int account_register(struct call *c, struct err *err)
{
	char *job = NULL;

	if (service_account_register(c->service, &c->actor, c->body, &c->once, &job, err) < 0)
		return -(int)err->code;
	call_wait(c, job, registered);
	return 0;
}

int account_get(struct call *c, struct err *err)
{
	return answer_account(c, 200, c->id, err);
}

int account_patch(struct call *c, struct err *err)
{
	const struct account_update_body *b = c->body;
	_cleanup_account_view_ struct account_view v = { 0 };
	struct account_update u = { .name = b->name, .preferred_issuer = b->preferred_issuer,
				    .automatic = json_object_get(c->body_doc, "automatic") ? &b->automatic : NULL,
				    .connection = b->connection };

	if (service_account_update(c->service, &c->actor, c->id, c->match, &u, &v, err) < 0)
		return -(int)err->code;
	call_etag(c, v.account.rev);
	call_json(c, 200, account_json(&v));
	return 0;
}

/* ---- deleting ---- */

static json_t *live_json(const struct order_list *l)
{
	json_t *a = json_array();

	for (size_t i = 0; i < l->n; i++)
		json_array_append_new(a, json_pack("{s:s, s:I, s:o, s:s}", "id", l->v[i].id, "num", (json_int_t)l->v[i].num, "display_names",
						   display_names(&l->v[i].names), "stage", order_stage_text(order_stage(&l->v[i]))));
	return a;
}

static json_t *certificates_json(const struct account_certificate_list *l)
{
	json_t *a = json_array();

	for (size_t i = 0; i < l->n; i++)
		json_array_append_new(a, json_pack("{s:s, s:I, s:o, s:b, s:o}", "id", l->v[i].id, "num", (json_int_t)l->v[i].num,
						   "display_names", display_names(&l->v[i].names), "renewed", l->v[i].managed, "not_after",
						   json_time_or_null(l->v[i].not_after_ms)));
	return a;
}

int account_deletion(struct call *c, struct err *err)
{
	_cleanup_account_deletion_ struct account_deletion d = { 0 };

	if (service_account_deletion(c->service, c->id, &d, err) < 0)
		return -(int)err->code;
	call_json(c, 200, json_pack("{s:s, s:s, s:b, s:I, s:I, s:o, s:I, s:I, s:o, s:b}", "account_id", d.account.account.id, "label",
				    d.account.label, "registered", d.registered, "orders", (json_int_t)d.orders, "live_orders",
				    (json_int_t)d.live_orders, "live", live_json(&d.live_list), "certificates", (json_int_t)d.certificates,
				    "renewed", (json_int_t)d.managed, "certificate_list", certificates_json(&d.certificate_list),
				    "more_certificates", d.certificate_list.more));
	return 0;
}

int account_delete(struct call *c, struct err *err)
{
	const struct account_delete_query *q = c->query;
	struct account_delete how = { .takeover = q->takeover, .deactivate = q->authority && streq(q->authority, "deactivate"),
				      .destroy_key = q->key && streq(q->key, "destroy") };

	if (service_account_delete(c->service, &c->actor, c->id, c->match, &how, err) < 0)
		return -(int)err->code;
	call_empty(c);
	return 0;
}

/* ---- asking the authority ---- */

static int asked(struct call *c, const struct job *j, struct err *err)
{
	return answer_account(c, 200, j->subject_id, err);
}

int account_refresh(struct call *c, struct err *err)
{
	char *job = NULL;

	if (service_account_refresh(c->service, &c->actor, c->id, &job, err) < 0)
		return -(int)err->code;
	call_wait(c, job, asked);
	return 0;
}

int account_contact(struct call *c, struct err *err)
{
	const struct account_contact_body *b = c->body;
	char *job = NULL;

	if (service_account_contact(c->service, &c->actor, c->id, b->email, &job, err) < 0)
		return -(int)err->code;
	call_wait(c, job, asked);
	return 0;
}

int account_agree(struct call *c, struct err *err)
{
	const struct account_agree_body *b = c->body;
	char *job = NULL;

	if (service_account_agree(c->service, &c->actor, c->id, b->terms_url, &job, err) < 0)
		return -(int)err->code;
	call_wait(c, job, asked);
	return 0;
}

int account_rollover(struct call *c, struct err *err)
{
	char *job = NULL;

	if (service_account_rollover(c->service, &c->actor, c->id, &job, err) < 0)
		return -(int)err->code;
	call_wait(c, job, asked);
	return 0;
}
