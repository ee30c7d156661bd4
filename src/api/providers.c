/* SPDX-License-Identifier: Apache-2.0 */
/* providers.c - External DNS providers and their kinds, validation rules, and what is owed. */
#include "api/call.h"
#include "base/limits.h"
#include "service/provider.h"
#include "service/record.h"

static const char *const validations[] = { "dns-01", "http-01", NULL };

const struct json_field provider_create_fields[] = {
	JF_STR(struct provider_save, kind, .required = true, .min = 1, .max = 64),
	JF_STR(struct provider_save, name, .required = true, .min = 1, .max = 100),
	JF_JSON(struct provider_save, fields, .required = true),
	JF_JSON(struct provider_save, connection),
	{ 0 }
};
const struct json_field provider_update_fields[] = {
	JF_STR(struct provider_save, name, .min = 1, .max = 100),
	JF_JSON(struct provider_save, fields),
	JF_JSON(struct provider_save, connection),
	{ 0 }
};
const struct json_field provider_test_fields[] = {
	JF_STR(struct provider_test_body, zone, .min = 1, .max = LIMIT_NAME),
	JF_BOOL(struct provider_test_body, write),
	{ 0 }
};
const struct json_field provider_attach_fields[] = {
	JF_STR(struct provider_attach_body, server, .required = true, .min = 1, .max = 255),
	JF_BOOL(struct provider_attach_body, attach, .required = true),
	JF_LIST(struct provider_attach_body, expect, .required = true, .max = 64, .item_max = 255),
	{ 0 }
};
const struct json_field provider_options_fields[] = {
	JF_STR(struct provider_options_body, kind, .required = true, .min = 1, .max = 64),
	JF_JSON(struct provider_options_body, fields, .required = true),
	{ 0 }
};
const struct json_field rule_create_fields[] = {
	JF_STR(struct rule_save, suffix, .required = true, .max = LIMIT_NAME),
	JF_STR(struct rule_save, vendor, .max = 64),
	JF_STR(struct rule_save, validation, .required = true, .one_of = validations),
	JF_STR(struct rule_save, method, .required = true, .min = 1, .max = ULID_LEN),
	{ 0 }
};
const struct json_field rule_update_fields[] = {
	JF_STR(struct rule_save, suffix, .max = LIMIT_NAME),
	JF_STR(struct rule_save, vendor, .max = 64),
	JF_STR(struct rule_save, validation, .one_of = validations),
	JF_STR(struct rule_save, method, .min = 1, .max = ULID_LEN),
	{ 0 }
};

/* --- kinds --------------------------------------------------------------------------------------------------------------- */

static json_t *choices_json(const struct service *s, const struct field *f)
{
	_cleanup_strlist_ struct strlist named = { 0 };
	json_t *l;

	service_named(s, f, &named);
	l = json_strlist(&named);
	for (size_t i = 0; f->choices && f->choices[i]; i++)
		json_array_append_new(l, json_string(f->choices[i]));
	return l;
}

static const char *input_of(const struct field *f)
{
	return f->flags & FIELD_SECRET	? "secret" :
	       f->flags & FIELD_BOOL	? "boolean" :
	       f->flags & FIELD_NUMBER	? "number" :
	       f->flags & FIELD_LINES	? "lines" :
	       f->flags & FIELD_PROGRAM ? "program" :
	       f->flags & FIELD_WEBROOT ? "webroot" :
	       f->flags & FIELD_URL	? "url" :
	       f->flags & FIELD_HOST	? "host" :
					  "text";
}

static json_t *field_json(const struct service *s, const struct field *f)
{
	_cleanup_free_ char *label = field_label(f);

	return json_pack("{s:s, s:s, s:s, s:b, s:s, s:b, s:b, s:o, s:o, s:I, s:I}", "name", f->name, "label", label, "input", input_of(f), "multiline",
			 !!(f->flags & FIELD_LINES), "help", f->help, "required", !!(f->flags & FIELD_REQUIRED), "endpoint",
			 !!(f->flags & FIELD_ENDPOINT), "default", json_str_or_null(f->standard), "choices", choices_json(s, f), "min",
			 (json_int_t)f->min, "max",
			 (json_int_t)(f->max		       ? f->max :
				      f->flags & FIELD_NUMBER ? 0 :
				      f->flags & FIELD_LINES  ? 16 * 1024 :
								LIMIT_TEXT));
}

static json_t *kind_json(const struct service *s, const struct provider_kind *k)
{
	json_t *fields = json_array(), *validation = json_array(), *grants = json_array();

	for (const struct field *f = k->fields; f->name; f++)
		json_array_append_new(fields, field_json(s, f));
	if (k->dns)
		json_array_append_new(validation, json_string("dns-01"));
	if (k->http)
		json_array_append_new(validation, json_string("http-01"));
	for (const struct grant *g = k->grants; g && g->where; g++)
		json_array_append_new(grants, json_pack("{s:s, s:s, s:s}", "where", g->where, "language", g->language, "text", g->text));
	return json_pack("{s:s, s:s, s:s, s:s, s:o, s:o, s:o, s:b, s:b, s:b, s:o, s:o}", "name", k->name, "title", k->title, "help", k->help, "rights",
			 k->rights, "grants", grants, "site", json_str_or_null(k->site), "validations", validation, "lists_zones", k->lists_zones,
			 "reads", k->reads, "attaches", k->attaches, "options_field", json_str_or_null(k->options_field), "fields", fields);
}

int provider_kind_list(struct call *c, struct err *err)
{
	const struct provider_kind *all;
	size_t n = service_provider_kinds(&all);
	json_t *items = json_array();

	(void)err;
	for (size_t i = 0; i < n; i++)
		json_array_append_new(items, kind_json(c->service, &all[i]));
	call_json(c, 200, json_pack("{s:o}", "items", items));
	return 0;
}

/* --- providers ----------------------------------------------------------------------------------------------------------- */

/* Every row of the kind's table: the text, or for a secret whether it is set. */
static json_t *values_json(const struct provider *p, const struct provider_kind *k)
{
	_cleanup_json_ json_t *stored = json_text_or_null(p->fields);
	json_t *out = json_object();

	for (const struct field *f = k ? k->fields : NULL; f && f->name; f++) {
		json_t *v = json_object_get(stored, f->name);

		if (f->flags & FIELD_SECRET)
			json_object_set_new(out, f->name, strlist_has(&p->secret_names, f->name) ? json_string("set") : json_null());
		else if (v)
			json_object_set(out, f->name, v);
		else
			json_object_set_new(out, f->name, json_null());
	}
	return out;
}

static json_t *provider_json(const struct provider *p)
{
	const struct provider_kind *k = service_provider_kind(p->kind);
	_cleanup_free_ char *label = service_probe_label(p->id), *value = service_probe_value(p->id);
	json_t *zones = json_text_or_null(p->zones);

	if (!json_is_array(zones)) {
		json_decref(zones);
		zones = json_array();
	}
	return json_pack("{s:s, s:I, s:s, s:s, s:s, s:o, s:o, s:s, s:o, s:o, s:o, s:o, s:s, s:s, s:o, s:o}", "id", p->id, "num", (json_int_t)p->num, "kind",
			 p->kind, "title", k ? k->title : p->kind, "name", p->name, "fields", values_json(p, k), "connection",
			 service_connection_json(p->connection), "status", provider_status_text(p->status), "reason", json_text_or_null(p->reason),
			 "tested_at", json_time_or_null(p->tested_ms), "test", json_text_or_null(p->test), "zones", zones, "probe_label", label, "probe_value", value, "created_at",
			 json_time_or_null(p->created_ms), "updated_at", json_time_or_null(p->updated_ms));
}

static void answer_provider(struct call *c, unsigned status, const struct provider *p)
{
	if (status == 201)
		call_location(c, "providers", p->id);
	call_etag(c, p->rev);
	call_json(c, status, provider_json(p));
}

static const char *const provider_statuses[] = { "new", "ok", "failed", "refused", NULL };
const struct json_field provider_list_fields[] = { NAMED_FIELDS, ONLY_FIELD("status", .one_of = provider_statuses), { 0 } };

int provider_list(struct call *c, struct err *err)
{
	_cleanup_provider_list_ struct provider_list l = { 0 };
	_cleanup_list_end_ struct list_end end = { 0 };
	struct list_query q = named_page_of(c);
	json_t *items;

	if (service_provider_list(c->service, &q, &l, &end, err) < 0)
		return -(int)err->code;
	items = json_array();
	for (size_t i = 0; i < l.n; i++)
		json_array_append_new(items, provider_json(&l.v[i]));
	call_page(c, items, &end);
	return 0;
}

int provider_create(struct call *c, struct err *err)
{
	_cleanup_provider_ struct provider p = { 0 };

	if (service_provider_create(c->service, &c->actor, c->body, &c->once, &p, err) < 0)
		return -(int)err->code;
	answer_provider(c, 201, &p);
	return 0;
}

int provider_get(struct call *c, struct err *err)
{
	_cleanup_provider_ struct provider p = { 0 };
	_cleanup_strlist_ struct strlist users = { 0 };
	json_t *j;

	if (service_provider_get(c->service, c->id, &p, err) < 0 || service_provider_users(c->service, p.id, &users, err) < 0)
		return -(int)err->code;
	j = provider_json(&p);
	json_object_set_new(j, "used_by", json_strlist(&users));
	call_etag(c, p.rev);
	call_json(c, 200, j);
	return 0;
}

int provider_patch(struct call *c, struct err *err)
{
	_cleanup_provider_ struct provider p = { 0 };

	if (service_provider_update(c->service, &c->actor, c->id, c->match, c->body, &p, err) < 0)
		return -(int)err->code;
	answer_provider(c, 200, &p);
	return 0;
}

int provider_delete(struct call *c, struct err *err)
{
	if (service_provider_delete(c->service, &c->actor, c->id, c->match, err) < 0)
		return -(int)err->code;
	call_empty(c);
	return 0;
}

/* The test is over: what it found is the provider's. */
static int tested(struct call *c, const struct job *j, struct err *err)
{
	_cleanup_provider_ struct provider p = { 0 };

	if (service_provider_get(c->service, j->subject_id, &p, err) < 0)
		return -(int)err->code;
	answer_provider(c, 200, &p);
	return 0;
}

int provider_test(struct call *c, struct err *err)
{
	const struct provider_test_body *b = c->body;
	char *job = NULL;

	if (service_provider_test(c->service, &c->actor, c->id, b->zone, b->write, &job, err) < 0)
		return -(int)err->code;
	call_wait(c, job, tested);
	return 0;
}

/* The job's own answer. */
static int answered(struct call *c, const struct job *j, struct err *err)
{
	(void)err;
	call_json(c, 200, json_text_or_null(j->result));
	return 0;
}

int provider_attach(struct call *c, struct err *err)
{
	const struct provider_attach_body *b = c->body;
	char *job = NULL;

	if (service_provider_attach(c->service, &c->actor, c->id, b->server, b->attach, &b->expect, &job, err) < 0)
		return -(int)err->code;
	call_wait(c, job, answered);
	return 0;
}

int provider_options(struct call *c, struct err *err)
{
	const struct provider_options_body *b = c->body;
	char *job = NULL;

	if (service_provider_options(c->service, &c->actor, b->kind, b->fields, &job, err) < 0)
		return -(int)err->code;
	call_wait(c, job, answered);
	return 0;
}

/* --- rules --------------------------------------------------------------------------------------------------------------- */

static int rule_json(struct call *c, const struct validation_rule *r, json_t **ret, struct err *err)
{
	_cleanup_free_ char *title = NULL, *name = NULL;

	if (service_method_names(c->service, r->method, &title, &name, err) < 0)
		return -(int)err->code;
	*ret = json_pack("{s:s, s:I, s:s, s:s, s:s, s:s, s:s, s:s, s:o}", "id", r->id, "num", (json_int_t)r->num, "suffix", r->suffix, "vendor",
			 r->vendor, "validation", validation_text(r->validation), "method", r->method, "method_title", title, "method_name",
			 name, "created_at", json_time_or_null(r->created_ms));
	return 0;
}

static int answer_rule(struct call *c, unsigned status, const struct validation_rule *r, struct err *err)
{
	json_t *j = NULL;

	if (rule_json(c, r, &j, err) < 0)
		return -(int)err->code;
	if (status == 201)
		call_location(c, "rules", r->id);
	call_etag(c, r->rev);
	call_json(c, status, j);
	return 0;
}

const struct json_field rule_list_fields[] = { NAMED_FIELDS, ONLY_FIELD("method", .min = 1, .max = LIMIT_NAME), { 0 } };

int rule_list(struct call *c, struct err *err)
{
	_cleanup_validation_rule_list_ struct validation_rule_list l = { 0 };
	_cleanup_list_end_ struct list_end end = { 0 };
	_cleanup_json_ json_t *items = json_array();
	struct list_query q = named_page_of(c);

	if (service_rule_list(c->service, &q, &l, &end, err) < 0)
		return -(int)err->code;
	for (size_t i = 0; i < l.n; i++) {
		json_t *j = NULL;

		if (rule_json(c, &l.v[i], &j, err) < 0)
			return -(int)err->code;
		json_array_append_new(items, j);
	}
	call_page(c, TAKE(items), &end);
	return 0;
}

int rule_create(struct call *c, struct err *err)
{
	_cleanup_validation_rule_ struct validation_rule r = { 0 };

	if (service_rule_create(c->service, &c->actor, c->body, &c->once, &r, err) < 0)
		return -(int)err->code;
	return answer_rule(c, 201, &r, err);
}

int rule_get(struct call *c, struct err *err)
{
	_cleanup_validation_rule_ struct validation_rule r = { 0 };

	if (service_rule_get(c->service, c->id, &r, err) < 0)
		return -(int)err->code;
	return answer_rule(c, 200, &r, err);
}

int rule_patch(struct call *c, struct err *err)
{
	_cleanup_validation_rule_ struct validation_rule r = { 0 };

	if (service_rule_update(c->service, &c->actor, c->id, c->match, c->body, &r, err) < 0)
		return -(int)err->code;
	return answer_rule(c, 200, &r, err);
}

int rule_delete(struct call *c, struct err *err)
{
	if (service_rule_delete(c->service, &c->actor, c->id, c->match, err) < 0)
		return -(int)err->code;
	call_empty(c);
	return 0;
}

/* --- debts --------------------------------------------------------------------------------------------------------------- */

static json_t *debt_json(const struct debt_view *v)
{
	const struct debt *d = &v->debt;
	_cleanup_json_ json_t *what = json_text_or_null(d->what);
	const char *name = json_string_value(json_object_get(what, "name")), *url = json_string_value(json_object_get(what, "url"));

	return json_pack("{s:s, s:s, s:s, s:I, s:s, s:s, s:o, s:o, s:o, s:b, s:b, s:I, s:o, s:o, s:o}", "id", d->id, "kind",
			 debt_kind_text(d->kind), "order_id", d->order_id, "order_num", (json_int_t)v->order_num, "type", v->title, "provider",
			 v->name, "name", json_str_or_null(name ? name : url), "zone",
			 json_str_or_null(json_string_value(json_object_get(what, "zone"))), "value",
			 json_str_or_null(json_string_value(json_object_get(what, "value"))), "held", d->held, "set_aside", d->set_aside, "attempts",
			 (json_int_t)d->attempts, "next_at", json_time_or_null(d->held || d->set_aside ? 0 : d->due_ms), "reason",
			 json_text_or_null(d->reason), "created_at", json_time_or_null(d->created_ms));
}

int debt_list(struct call *c, struct err *err)
{
	_cleanup_debt_view_list_ struct debt_view_list l = { 0 };
	_cleanup_list_end_ struct list_end end = { 0 };
	struct list_query q = page_of(c);
	json_t *items;

	if (service_debt_list(c->service, &q, &l, &end, err) < 0)
		return -(int)err->code;
	items = json_array();
	for (size_t i = 0; i < l.n; i++)
		json_array_append_new(items, debt_json(&l.v[i]));
	call_page(c, items, &end);
	return 0;
}

int debt_retry(struct call *c, struct err *err)
{
	if (service_debt_retry(c->service, &c->actor, c->id, err) < 0)
		return -(int)err->code;
	call_empty(c);
	return 0;
}
