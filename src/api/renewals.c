/* SPDX-License-Identifier: Apache-2.0 */
/* renewals.c - the schedule, renewing and revoking many at once, stopping all of it, and notices. */
#include "api/call.h"
#include "api/problem.h"
#include "base/limits.h"
#include "service/renewal.h"
#include "service/status.h"

static const char *const reasons[] = { "unspecified", "key-compromise", "superseded", "cessation-of-operation", NULL };

const struct json_field renewal_create_fields[] = {
	JF_LIST(struct renewal_create, certificate_ids, .required = true, .min = 1, .max = LIMIT_API_PAGE, .item_max = ULID_LEN),
	JF_STR(struct renewal_create, csr_id, .min = 1, .max = ULID_LEN),
	JF_BOOL(struct renewal_create, accept_cost),
	{ 0 }
};
const struct json_field renewal_update_fields[] = {
	JF_BOOL(struct renewal_update, installed),
	JF_BOOL(struct renewal_update, retry),
	JF_INT(struct renewal_update, key_max_days, .min = 1, .max = 36500),
	JF_STR(struct renewal_update, window_id, .max = ULID_LEN),
	{ 0 }
};
const struct json_field revocation_create_fields[] = {
	JF_LIST(struct revocation_create, certificate_ids, .required = true, .min = 1, .max = LIMIT_API_PAGE, .item_max = ULID_LEN),
	JF_STR(struct revocation_create, version_id, .min = 1, .max = ULID_LEN),
	JF_STR(struct revocation_create, reason, .one_of = reasons),
	JF_BOOL(struct revocation_create, by_key),
	JF_BOOL(struct revocation_create, replace),
	JF_BOOL(struct revocation_create, accept_cost),
	{ 0 }
};
const struct json_field renewal_pause_fields[] = {
	JF_BOOL(struct pause_put, stopped, .required = true),
	JF_STR(struct pause_put, reason, .min = 1, .max = 256),
	JF_STR(struct pause_put, until, .min = 1, .max = 40),
	{ 0 }
};

static json_t *renewal_json(const struct renewal_view *v)
{
	const struct certificate *c = &v->certificate;
	const struct renewal *n = &v->renewal;
	json_t *j = json_pack("{s:s, s:I, s:o, s:o, s:b, s:s, s:s, s:b, s:I}", "certificate_id", c->id, "certificate_num", (json_int_t)c->num,
			      "names", json_strlist(&c->names), "display_names", display_names(&c->names), "managed", c->managed, "why",
			      renewal_why_text(n->why), "waits", renewal_waits_text(n->waits), "paused", c->pause_reason != NULL,
			      "failures", (json_int_t)c->attempt);
	bool problem = c->pause_reason || c->attempt || n->waits != WAITS_NOTHING;

	json_object_set_new(j, "renew_at", json_time_or_null(c->renew_at_ms));
	json_object_set_new(j, "next_attempt_at", json_time_or_null(v->order_id ? 0 : c->next_attempt_ms));
	json_object_set_new(j, "not_after", json_time_or_null(c->not_after_ms));
	json_object_set_new(j, "window_start", json_time_or_null(n->window_start_ms));
	json_object_set_new(j, "window_end", json_time_or_null(n->window_end_ms));
	json_object_set_new(j, "explanation_url", json_str_or_null(n->explanation_url));
	json_object_set_new(j, "information_at", json_time_or_null(n->ari_next_ms));
	json_object_set_new(j, "information_reason", json_text_or_null(n->ari_reason));
	json_object_set_new(j, "order_id", json_str_or_null(v->order_id));
	json_object_set_new(j, "order_num", v->order_id ? json_integer(v->order_num) : json_null());
	json_object_set_new(j, "order_stage", json_str_or_null(v->order_stage));
	json_object_set_new(j, "tried_at", json_time_or_null(n->tried_ms));
	json_object_set_new(j, "failing_since", json_time_or_null(n->failing_since_ms));
	json_object_set_new(j, "reason", json_text_or_null(c->pause_reason ? c->pause_reason : problem ? n->reason : NULL));
	json_object_set_new(j, "waiting_to_be_installed_since", json_time_or_null(n->install_since_ms));
	json_object_set_new(j, "key_policy", json_string(c->key_policy));
	json_object_set_new(j, "key_max_days", json_integer(n->key_max_days));
	json_object_set_new(j, "window_id", json_str_or_null(n->window_id));
	return j;
}

int renewal_list(struct call *c, struct err *err)
{
	_cleanup_renewal_view_list_ struct renewal_view_list l = { 0 };
	_cleanup_list_end_ struct list_end end = { 0 };
	struct list_query q = page_of(c);
	json_t *items;

	if (service_renewal_list(c->service, &q, &l, &end, err) < 0)
		return -(int)err->code;
	items = json_array();
	for (size_t i = 0; i < l.n; i++)
		json_array_append_new(items, renewal_json(&l.v[i]));
	call_page(c, items, &end);
	return 0;
}

int renewal_get(struct call *c, struct err *err)
{
	_cleanup_renewal_view_ struct renewal_view v = { 0 };
	_cleanup_(event_list_done) struct event_list events = { 0 };
	json_t *j, *items;

	if (service_renewal_get(c->service, c->id, &v, &events, err) < 0)
		return -(int)err->code;
	j = renewal_json(&v);
	items = json_array();
	for (size_t i = 0; i < events.n; i++)
		json_array_append_new(items, event_json(&events.v[i]));
	json_object_set_new(j, "events", items);
	call_json(c, 200, j);
	return 0;
}

int renewal_patch(struct call *c, struct err *err)
{
	_cleanup_renewal_view_ struct renewal_view v = { 0 };

	if (service_renewal_update(c->service, &c->actor, c->id, c->body, &v, err) < 0)
		return -(int)err->code;
	call_json(c, 200, renewal_json(&v));
	return 0;
}

/* One row of an answer about many: what was made, or why not, in the words of a problem document. */
static json_t *row_json(const struct row_result *r)
{
	json_t *j = json_pack("{s:s, s:o, s:o, s:o, s:o, s:o, s:o, s:b, s:o}", "ref", r->ref, "certificate_id", json_str_or_null(r->certificate_id),
			      "certificate_num", r->certificate_num ? json_integer(r->certificate_num) : json_null(), "display_names",
			      display_names(&r->names), "order_id",
			      json_str_or_null(r->order_id), "order_num", r->order_num ? json_integer(r->order_num) : json_null(), "job_id",
			      json_str_or_null(r->job_id), "existing", r->existing, "reason", json_null());
	_cleanup_free_ char *text = NULL;

	if (!err_is(&r->err))
		return j;
	text = err_to_json_text(&r->err);
	json_object_set_new(j, "reason", json_text_or_null(text));
	return j;
}

json_t *rows_json(const struct row_result_list *l)
{
	json_t *items = json_array();

	for (size_t i = 0; i < l->n; i++)
		json_array_append_new(items, row_json(&l->v[i]));
	return items;
}

static void answer_rows(struct call *c, const struct row_result_list *l)
{
	call_json(c, 200, json_pack("{s:o}", "items", rows_json(l)));
}

int renewal_create(struct call *c, struct err *err)
{
	_cleanup_row_result_list_ struct row_result_list l = { 0 };

	if (service_renewal_create(c->service, &c->actor, c->body, &l, err) < 0)
		return -(int)err->code;
	answer_rows(c, &l);
	return 0;
}

int revocation_create(struct call *c, struct err *err)
{
	_cleanup_row_result_list_ struct row_result_list l = { 0 };

	if (service_revocation_create(c->service, &c->actor, c->body, &l, err) < 0)
		return -(int)err->code;
	answer_rows(c, &l);
	return 0;
}

int pause_get(struct call *c, struct err *err)
{
	_cleanup_renewal_pause_ struct renewal_pause p = { 0 };
	bool on = false;

	if (service_pause_get(c->service, &p, &on, err) < 0)
		return -(int)err->code;
	call_json(c, 200,
		  json_pack("{s:b, s:o, s:o, s:o, s:o}", "stopped", on, "reason", json_str_or_null(on ? p.reason : NULL), "by",
			    json_str_or_null(on ? p.by : NULL), "since", json_time_or_null(on ? p.since_ms : 0), "until",
			    json_time_or_null(on ? p.until_ms : 0)));
	return 0;
}

int pause_put(struct call *c, struct err *err)
{
	return service_pause_put(c->service, &c->actor, c->body, err) < 0 ? -(int)err->code : pause_get(c, err);
}

int notice_list(struct call *c, struct err *err)
{
	_cleanup_notice_view_list_ struct notice_view_list l = { 0 };
	json_t *items;

	if (service_notice_list(c->service, &l, err) < 0)
		return -(int)err->code;
	items = json_array();
	for (size_t i = 0; i < l.n; i++) {
		const struct notice *n = &l.v[i].notice;
		json_t *certificates = json_array();

		for (size_t k = 0; k < l.v[i].certificates.n; k++) {
			const struct certificate *x = &l.v[i].certificates.v[k];

			json_array_append_new(certificates, json_pack("{s:s, s:I, s:o, s:o}", "id", x->id, "num", (json_int_t)x->num, "display_names",
								      display_names(&x->names), "not_after", json_time_or_null(x->not_after_ms)));
		}
		json_array_append_new(items, json_pack("{s:s, s:I, s:s, s:s, s:s, s:s, s:o, s:I, s:o, s:o, s:o, s:o}", "id", n->id, "num",
						       (json_int_t)n->num, "kind", notice_kind_text(n->kind), "subject_kind", n->subject_kind,
						       "subject_id", n->subject_id, "cause", n->cause, "next_step",
						       json_str_or_null(n->next_step), "touched", (json_int_t)n->touched, "first_expiry",
						       json_time_or_null(n->first_expiry_ms), "raised_at", json_time_or_null(n->raised_ms),
						       "changed_at", json_time_or_null(n->changed_ms), "certificates", certificates));
	}
	call_json(c, 200, json_pack("{s:o}", "items", items));
	return 0;
}
