/* SPDX-License-Identifier: Apache-2.0 */
/* records.c - challenge records and delegations. */
#include "api/call.h"
#include "base/limits.h"
#include "service/record.h"
#include "service/status.h"

static const char *const kinds[] = { "dns-01", "http-01", NULL };
static const char *const statuses[] = { "not-ready", "ready", "valid", "invalid", "withdrawn", NULL };

const struct json_field record_query_fields[] = {
	JF_STR(struct record_query, order_id, .min = 1, .max = ULID_LEN),
	JF_STR(struct record_query, kind, .one_of = kinds),
	JF_STR(struct record_query, status, .one_of = statuses),
	JF_STR(struct record_query, domain, .min = 1, .max = LIMIT_NAME),
	SORT_FIELD(struct record_query),
	PAGE_FIELDS(struct record_query),
	{ 0 }
};
const struct json_field delegation_create_fields[] = {
	JF_STR(struct delegation_body, name, .required = true, .min = 1, .max = LIMIT_TEXT),
	JF_STR(struct delegation_body, provider_id, .min = 1, .max = ULID_LEN),
	JF_STR(struct delegation_body, target, .min = 1, .max = LIMIT_TEXT),
	{ 0 }
};

#define WELL_KNOWN "/.well-known/acme-challenge/"

json_t *record_json(const struct record *r, int64_t order_num, const char *type)
{
	bool dns = r->kind == VALIDATION_DNS01;
	_cleanup_free_ char *line = dns ? xasprintf("%s. %" PRId64 " IN TXT \"%s\"", r->domain, r->ttl, r->value) : NULL;
	_cleanup_free_ char *url = !dns && r->token ? xasprintf("http://%s" WELL_KNOWN "%s", r->domain, r->token) : NULL;

	return json_pack("{s:s, s:I, s:s, s:I, s:s, s:s, s:s, s:o, s:o, s:s, s:I, s:s, s:o, s:o, s:o, s:o, s:o, s:o, s:o, s:o, s:o}", "id", r->id, "num",
			 (json_int_t)r->num, "order_id", r->order_id, "order_num", (json_int_t)order_num, "kind", validation_text(r->kind),
			 "type", type ? type : method_title(r->method), "domain", r->domain, "alias", json_str_or_null(r->alias), "token", json_str_or_null(r->token), "value", r->value, "ttl",
			 (json_int_t)r->ttl, "status", record_status_text(r->status), "detail", json_text_or_null(r->detail), "bind_line",
			 json_str_or_null(line), "url", json_str_or_null(url), "path", json_str_or_null(url ? WELL_KNOWN : NULL), "file_name",
			 json_str_or_null(url ? r->token : NULL), "published_at", json_time_or_null(r->published_ms), "ready_at",
			 json_time_or_null(r->ready_ms), "withdrawn_at", json_time_or_null(r->withdrawn_ms), "created_at",
			 json_time_or_null(r->created_ms));
}

int record_list(struct call *c, struct err *err)
{
	const struct record_query *f = c->query;
	_cleanup_record_view_list_ struct record_view_list l = { 0 };
	_cleanup_list_end_ struct list_end end = { 0 };
	struct list_query q = page_of(c);
	json_t *items;

	if (service_record_list(c->service, &(struct record_filter){ .order_id = f->order_id, .kind = f->kind, .status = f->status, .domain = f->domain }, &q, &l, &end, err) < 0)
		return -(int)err->code;
	items = json_array();
	for (size_t i = 0; i < l.n; i++)
		json_array_append_new(items,
				      record_json(&l.v[i].record, l.v[i].order_num, l.v[i].type));
	call_page(c, items, &end);
	return 0;
}

int record_get(struct call *c, struct err *err)
{
	_cleanup_record_view_ struct record_view v = { 0 };

	if (service_record_get(c->service, c->id, &v, err) < 0)
		return -(int)err->code;
	call_json(c, 200, record_json(&v.record, v.order_num, v.type));
	return 0;
}

/* --- delegations -------------------------------------------------------------------------------------------------------- */

/* What the last look found; null before the first. */
static json_t *facts_of(const struct delegation *d)
{
	_cleanup_json_ json_t *looked = json_text_or_null(d->looked);
	json_t *facts = json_object_get(looked, "facts");

	return facts ? json_incref(facts) : json_null();
}

static json_t *delegation_json(const struct call *c, const struct delegation *d)
{
	const char *host = service_config(c->service)->dns_hostname;
	_cleanup_free_ char *zone = xasprintf("_acme-challenge.%s", d->name);
	_cleanup_free_ char *line = d->target ? NULL : xasprintf("%s. 3600 IN NS %s.", zone, str_empty(host) ? "<dns.hostname is not set>" : host);
	_cleanup_free_ char *alias = d->target ? xstrdup(d->target) : service_delegation_alias(c->service, d->name);
	_cleanup_free_ char *cname = alias ? xasprintf("%s. 3600 IN CNAME %s.", zone, alias) : NULL;

	return json_pack("{s:s, s:I, s:s, s:s, s:o, s:o, s:o, s:o, s:o, s:o, s:o, s:o, s:o, s:o}", "id", d->id, "num", (json_int_t)d->num, "name", d->name,
			 "zone", zone, "ns_line", json_str_or_null(line), "cname_line", json_str_or_null(cname), "provider_id",
			 json_str_or_null(d->provider_id), "target", json_str_or_null(d->target), "away", json_str_or_null(d->away), "away_since",
			 json_time_or_null(d->away_ms), "made_for_order", json_str_or_null(d->made_for_order), "facts", facts_of(d), "looked_at",
			 json_time_or_null(d->looked_ms), "created_at", json_time_or_null(d->created_ms));
}

const struct json_field delegation_list_fields[] = {
	JF_STR(struct delegation_list_query, name, .min = 1, .max = LIMIT_NAME),
	SORT_FIELD(struct delegation_list_query),
	PAGE_FIELDS(struct delegation_list_query),
	{ 0 }
};

int delegation_list(struct call *c, struct err *err)
{
	_cleanup_(delegation_list_done) struct delegation_list l = { 0 };
	_cleanup_list_end_ struct list_end end = { 0 };
	struct list_query q = page_of(c);
	json_t *items;

	if (service_delegation_list(c->service, ((const struct delegation_list_query *)c->query)->name, &q, &l, &end, err) < 0)
		return -(int)err->code;
	items = json_array();
	for (size_t i = 0; i < l.n; i++)
		json_array_append_new(items, delegation_json(c, &l.v[i]));
	call_page(c, items, &end);
	return 0;
}

static void answer_delegation(struct call *c, unsigned status, const struct delegation *d)
{
	if (status == 201)
		call_location(c, "delegations", d->id);
	call_etag(c, d->rev);
	call_json(c, status, delegation_json(c, d));
}

int delegation_create(struct call *c, struct err *err)
{
	const struct delegation_body *b = c->body;
	struct delegation_create q = { .name = b->name, .provider = b->provider_id, .target = b->target };
	_cleanup_(delegation_done) struct delegation d = { 0 };

	if (service_delegation_create(c->service, &c->actor, &q, &c->once, &d, err) < 0)
		return -(int)err->code;
	answer_delegation(c, 201, &d);
	return 0;
}

int delegation_get(struct call *c, struct err *err)
{
	_cleanup_(delegation_done) struct delegation d = { 0 };

	if (service_delegation_get(c->service, c->id, &d, err) < 0)
		return -(int)err->code;
	answer_delegation(c, 200, &d);
	return 0;
}

int delegation_delete(struct call *c, struct err *err)
{
	if (service_delegation_delete(c->service, &c->actor, c->id, c->match, err) < 0)
		return -(int)err->code;
	call_empty(c);
	return 0;
}
