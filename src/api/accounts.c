/* SPDX-License-Identifier: Apache-2.0 */
/* accounts.c - vendors and accounts. */
#include "api/call.h"
#include "base/limits.h"
#include "model/vendor.h"
#include "service/account.h"

const struct json_field account_register_fields[] = {
	JF_STR(struct account_register, vendor, .min = 1, .max = 64),
	JF_STR(struct account_register, directory_url, .min = 1, .max = 2048),
	JF_STR(struct account_register, email, .min = 1, .max = LIMIT_EMAIL),
	JF_STR(struct account_register, name, .min = 1, .max = 128),
	JF_BOOL(struct account_register, agree_tos),
	JF_STR(struct account_register, eab_kid, .min = 1, .max = 512),
	JF_SECRET(struct account_register, eab_hmac_key, .min = 1, .max = 1024),
	{ 0 }
};
const struct json_field account_update_fields[] = {
	JF_STR(struct name_body, name, .required = true, .min = 1, .max = 128),
	{ 0 }
};

int vendor_list(struct call *c, struct err *err)
{
	json_t *items = json_array();

	(void)err;
	for (size_t i = 0; i < vendors_count; i++) {
		const struct vendor *v = &vendors[i];

		json_array_append_new(items, json_pack("{s:s, s:s, s:s, s:b, s:b, s:b, s:b, s:b, s:o, s:o}", "key", v->key, "title", v->title,
						       "directory_url", v->directory_url, "staging", v->staging, "eab_required",
						       v->eab_required, "contact_required", v->contact_required, "wildcards", v->wildcards,
						       "costs_money", v->costs_money, "discontinued", json_str_or_null(v->discontinued),
						       "eab_help", json_str_or_null(v->eab_help)));
	}
	call_json(c, 200, json_pack("{s:o}", "items", items));
	return 0;
}

static json_t *account_json(const struct account *a)
{
	const struct vendor *v = vendor_find(a->vendor);

	return json_pack("{s:s, s:I, s:s, s:s, s:s, s:s, s:s, s:s, s:o, s:o, s:o, s:o, s:b, s:o, s:o, s:o}", "id", a->id, "num",
			 (json_int_t)a->num, "name", a->name, "vendor", a->vendor, "vendor_title", vendor_title(a->vendor), "directory_url",
			 a->directory_url, "email", a->email, "status", account_status_text(a->status), "url", json_str_or_null(a->url),
			 "eab_kid", json_str_or_null(a->eab_kid), "tos_url", json_str_or_null(a->tos_url), "tos_agreed_at",
			 json_time_or_null(a->tos_agreed_ms), "staging", v && v->staging, "reason", json_text_or_null(a->reason),
			 "created_at", json_time_or_null(a->created_ms), "updated_at", json_time_or_null(a->updated_ms));
}

int account_list(struct call *c, struct err *err)
{
	_cleanup_account_list_ struct account_list l = { 0 };
	_cleanup_list_end_ struct list_end end = { 0 };
	struct list_query q = page_of(c);
	json_t *items;

	if (service_account_list(c->service, &q, &l, &end, err) < 0)
		return -(int)err->code;
	items = json_array();
	for (size_t i = 0; i < l.n; i++)
		json_array_append_new(items, account_json(&l.v[i]));
	call_page(c, items, &end);
	return 0;
}

static int answer_account(struct call *c, unsigned status, const char *ref, struct err *err)
{
	_cleanup_account_ struct account a = { 0 };

	if (service_account_get(c->service, ref, &a, err) < 0)
		return -(int)err->code;
	if (status == 201)
		call_location(c, "accounts", a.id);
	call_etag(c, a.rev);
	call_json(c, status, account_json(&a));
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
	const struct name_body *b = c->body;
	_cleanup_account_ struct account a = { 0 };

	if (service_account_rename(c->service, &c->actor, c->id, c->match, b->name, &a, err) < 0)
		return -(int)err->code;
	call_etag(c, a.rev);
	call_json(c, 200, account_json(&a));
	return 0;
}

int account_delete(struct call *c, struct err *err)
{
	if (service_account_delete(c->service, &c->actor, c->id, c->match, err) < 0)
		return -(int)err->code;
	call_empty(c);
	return 0;
}

static int refreshed(struct call *c, const struct job *j, struct err *err)
{
	return answer_account(c, 200, j->subject_id, err);
}

int account_refresh(struct call *c, struct err *err)
{
	char *job = NULL;

	if (service_account_refresh(c->service, &c->actor, c->id, &job, err) < 0)
		return -(int)err->code;
	call_wait(c, job, refreshed);
	return 0;
}
