/* SPDX-License-Identifier: Apache-2.0 */
/* certificates.c - the inventory. */
#include "api/call.h"
#include "base/limits.h"
#include "model/vendor.h"
#include "service/certificate.h"
#include "service/status.h"

static const char *const sorts[] = { "created", "expires", "name", "issuer", "owner", "status", "issued", NULL };
static const char *const formats[] = { "pem", "chain", "fullchain", "der", "pkcs12", "pkcs12-legacy", "zip", NULL };

const struct json_field certificate_query_fields[] = {
	JF_STR(struct certificate_query, sort, .one_of = sorts),
	JF_STR(struct certificate_query, q, .max = 512),
	PAGE_FIELDS(struct certificate_query),
	{ 0 }
};
const struct json_field certificate_export_fields[] = {
	JF_STR(struct certificate_export, format, .required = true, .one_of = formats),
	JF_BOOL(struct certificate_export, with_key),
	JF_SECRET(struct certificate_export, password, .max = 256),
	JF_STR(struct certificate_export, reason, .min = 1, .max = 256),
	{ 0 }
};

static json_t *certificate_json(const struct certificate_view *view, int64_t now)
{
	const struct certificate *c = &view->certificate;
	const struct vendor *v = view->vendor ? vendor_find(view->vendor) : NULL;
	const struct version *cur = &view->current;
	json_t *j = json_pack("{s:s, s:I, s:s, s:o, s:o, s:s, s:s, s:o, s:o, s:s, s:b, s:o, s:o, s:b, s:s, s:b}", "id", c->id, "num",
			      (json_int_t)c->num, "source", c->source, "names", json_strlist(&c->names), "display_names",
			      display_names(&c->names), "status", certificate_status_text(c->status), "health",
			      service_certificate_health(c, now), "issuer", json_str_or_null(cur->issuer), "serial",
			      json_str_or_null(cur->serial), "key_type", cur->key_type ? cur->key_type : c->key_type, "has_key",
			      cur->key_id != NULL, "account_id", json_str_or_null(c->account_id), "vendor_title",
			      json_str_or_null(view->vendor ? vendor_title(view->vendor) : NULL), "staging", v && v->staging, "validation",
			      c->validation, "managed", c->managed);

	json_object_set_new(j, "subject", json_str_or_null(cur->subject));
	json_object_set_new(j, "fingerprint", json_str_or_null(cur->fingerprint));
	json_object_set_new(j, "owner", json_str_or_null(view->notes.owner));
	json_object_set_new(j, "tags", json_strlist(&view->notes.tags));
	json_object_set_new(j, "fetched_by", json_str_or_null(view->notes.fetched_by));
	json_object_set_new(j, "fetched_at", json_time_or_null(view->notes.fetched_ms));
	json_object_set_new(j, "not_before", json_time_or_null(c->not_before_ms));
	json_object_set_new(j, "not_after", json_time_or_null(c->not_after_ms));
	json_object_set_new(j, "renew_at", json_time_or_null(c->renew_at_ms));
	json_object_set_new(j, "order_id", json_str_or_null(cur->order_id));
	json_object_set_new(j, "created_at", json_time_or_null(c->created_ms));
	json_object_set_new(j, "updated_at", json_time_or_null(c->updated_ms));
	return j;
}

static json_t *version_json(const struct version *v)
{
	return json_pack("{s:s, s:s, s:s, s:s, s:s, s:o, s:s, s:s, s:o, s:o, s:o, s:o, s:o}", "id", v->id, "state",
			 version_state_text(v->state), "serial", v->serial, "subject", v->subject, "issuer", v->issuer, "names",
			 json_strlist(&v->names), "fingerprint", v->fingerprint, "key_type", v->key_type, "not_before",
			 json_time_or_null(v->not_before_ms), "not_after", json_time_or_null(v->not_after_ms), "order_id",
			 json_str_or_null(v->order_id), "reason", json_text_or_null(v->reason), "created_at",
			 json_time_or_null(v->created_ms));
}

int certificate_list(struct call *c, struct err *err)
{
	const struct certificate_query *f = c->query;
	_cleanup_certificate_view_list_ struct certificate_view_list l = { 0 };
	_cleanup_list_end_ struct list_end end = { 0 };
	struct list_query q = page_of(c);
	int64_t now = service_time(c->service);
	json_t *items;
	int r;

	if (f->q)
		r = service_certificate_search(c->service, f->q, f->sort, &q, &l, &end, err);
	else
		r = service_certificate_list(c->service, f->sort, &q, &l, &end, err);
	if (r < 0)
		return r;
	items = json_array();
	for (size_t i = 0; i < l.n; i++)
		json_array_append_new(items, certificate_json(&l.v[i], now));
	call_page(c, items, &end);
	return 0;
}

int certificate_get(struct call *c, struct err *err)
{
	_cleanup_certificate_detail_ struct certificate_detail d = { 0 };
	json_t *j, *versions;

	if (service_certificate_get(c->service, c->id, &d, err) < 0)
		return -(int)err->code;
	j = certificate_json(&d.view, service_time(c->service));
	versions = json_array();
	for (size_t i = 0; i < d.versions.n; i++)
		json_array_append_new(versions, version_json(&d.versions.v[i]));
	json_object_set_new(j, "versions", versions);
	json_object_set_new(j, "notes", json_str_or_null(d.view.notes.notes));
	json_object_set_new(j, "sha1", json_str_or_null(d.sha1));
	json_object_set_new(j, "chain", json_str_or_null(d.view.current.chain));
	call_etag(c, d.view.certificate.rev);
	call_json(c, 200, j);
	return 0;
}

int certificate_export(struct call *c, struct err *err)
{
	_cleanup_exported_ struct exported e = { 0 };

	if (service_certificate_export(c->service, &c->actor, c->id, c->body, &e, err) < 0)
		return -(int)err->code;
	call_file(c, "application/octet-stream", e.name, e.body.p, e.body.n);
	return 0;
}

int certificate_delete(struct call *c, struct err *err)
{
	if (service_certificate_delete(c->service, &c->actor, c->id, c->match, err) < 0)
		return -(int)err->code;
	call_empty(c);
	return 0;
}
