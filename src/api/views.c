/* SPDX-License-Identifier: Apache-2.0 */
/* views.c - views of DNS and their rules, preflight, and looks at delegations. */
#include "api/call.h"
#include "base/limits.h"
#include "service/view.h"

static const char *const kinds[] = { "system", "servers", "doh", NULL };
static const char *const validations[] = { "dns-01", "http-01", NULL };
static const char *const which[] = { "missing", "all", NULL };

#define VIEW_FIELDS                                                                                                    \
	JF_LIST(struct view_save, servers, .max = 4, .item_max = 64), JF_STR(struct view_save, url, .max = LIMIT_CA_URL),      \
		JF_BOOL(struct view_save, direct), JF_JSON(struct view_save, connection)

const struct json_field view_create_fields[] = {
	JF_STR(struct view_save, name, .required = true, .min = 1, .max = 100),
	JF_STR(struct view_save, kind, .required = true, .one_of = kinds),
	VIEW_FIELDS,
	{ 0 }
};
const struct json_field view_update_fields[] = {
	JF_STR(struct view_save, name, .min = 1, .max = 100),
	JF_STR(struct view_save, kind, .one_of = kinds),
	VIEW_FIELDS,
	{ 0 }
};
const struct json_field view_rule_create_fields[] = {
	JF_STR(struct view_rule_save, suffix, .required = true, .max = LIMIT_NAME),
	JF_STR(struct view_rule_save, vendor, .max = 64),
	JF_STR(struct view_rule_save, view_id, .max = ULID_LEN),
	JF_INT(struct view_rule_save, wait_s, .min = 0, .max = 86400),
	{ 0 }
};
const struct json_field view_rule_update_fields[] = {
	JF_STR(struct view_rule_save, suffix, .max = LIMIT_NAME),
	JF_STR(struct view_rule_save, vendor, .max = 64),
	JF_STR(struct view_rule_save, view_id, .max = ULID_LEN),
	JF_INT(struct view_rule_save, wait_s, .min = 0, .max = 86400),
	{ 0 }
};
const struct json_field preflight_fields[] = {
	JF_LIST(struct preflight_request, names, .required = true, .min = 1, .max = LIMIT_NAMES, .item_max = LIMIT_TEXT),
	JF_STR(struct preflight_request, account_id, .min = 1, .max = ULID_LEN),
	JF_STR(struct preflight_request, validation, .one_of = validations),
	JF_STR(struct preflight_request, dns, .min = 1, .max = ULID_LEN),
	JF_STR(struct preflight_request, http, .min = 1, .max = ULID_LEN),
	{ 0 }
};
const struct json_field delegation_paste_fields[] = {
	JF_STR(struct delegation_paste_body, text, .required = true, .min = 1, .max = 128 * 1024),
	JF_STR(struct delegation_paste_body, provider_id, .min = 1, .max = ULID_LEN),
	JF_STR(struct delegation_paste_body, zone, .min = 1, .max = LIMIT_TEXT),
	{ 0 }
};
const struct json_field delegation_lines_fields[] = {
	JF_STR(struct delegation_lines_query, which, .one_of = which),
	{ 0 }
};

/* --- views --------------------------------------------------------------------------------------------------------------- */

static json_t *view_json(const struct dns_view *v)
{
	_cleanup_strlist_ struct strlist servers = { 0 };

	for (const char *p = v->servers; *p;) {
		size_t n = strcspn(p, ", ");
		_cleanup_free_ char *one = xstrndup(p, n);

		if (n)
			strlist_add(&servers, one);
		p += n + strspn(p + n, ", ");
	}
	return json_pack("{s:s, s:I, s:s, s:s, s:o, s:o, s:b, s:o, s:o, s:o}", "id", v->id, "num", (json_int_t)v->num, "name", v->name, "kind",
			 view_kind_text(v->kind), "servers", json_strlist(&servers), "url", json_str_or_null(*v->url ? v->url : NULL), "direct",
			 v->direct, "connection", service_view_connection(v), "created_at", json_time_or_null(v->created_ms), "updated_at",
			 json_time_or_null(v->updated_ms));
}

static void answer_view(struct call *c, unsigned status, const struct dns_view *v)
{
	if (status == 201)
		call_location(c, "views", v->id);
	call_etag(c, v->rev);
	call_json(c, status, view_json(v));
}

const struct json_field view_list_fields[] = { NAMED_FIELDS, ONLY_FIELD("kind", .one_of = kinds), { 0 } };

int view_list(struct call *c, struct err *err)
{
	_cleanup_dns_view_list_ struct dns_view_list l = { 0 };
	_cleanup_list_end_ struct list_end end = { 0 };
	struct list_query q = named_page_of(c);
	json_t *items;

	if (service_view_list(c->service, &q, &l, &end, err) < 0)
		return -(int)err->code;
	items = json_array();
	for (size_t i = 0; i < l.n; i++)
		json_array_append_new(items, view_json(&l.v[i]));
	call_page(c, items, &end);
	return 0;
}

/* Which members came: an absent one stays as it is. */
static struct view_save *view_save_of(struct call *c)
{
	struct view_save *q = c->body;

	q->has_servers = json_object_get(c->body_doc, "servers") != NULL;
	q->has_direct = json_object_get(c->body_doc, "direct") != NULL;
	return q;
}

int view_create(struct call *c, struct err *err)
{
	_cleanup_dns_view_ struct dns_view v = { 0 };

	if (service_view_create(c->service, &c->actor, view_save_of(c), &c->once, &v, err) < 0)
		return -(int)err->code;
	answer_view(c, 201, &v);
	return 0;
}

int view_get(struct call *c, struct err *err)
{
	_cleanup_dns_view_ struct dns_view v = { 0 };

	if (service_view_get(c->service, c->id, &v, err) < 0)
		return -(int)err->code;
	answer_view(c, 200, &v);
	return 0;
}

int view_patch(struct call *c, struct err *err)
{
	_cleanup_dns_view_ struct dns_view v = { 0 };

	if (service_view_update(c->service, &c->actor, c->id, c->match, view_save_of(c), &v, err) < 0)
		return -(int)err->code;
	answer_view(c, 200, &v);
	return 0;
}

int view_delete(struct call *c, struct err *err)
{
	if (service_view_delete(c->service, &c->actor, c->id, c->match, err) < 0)
		return -(int)err->code;
	call_empty(c);
	return 0;
}

/* --- rules --------------------------------------------------------------------------------------------------------------- */

static json_t *view_rule_json(const struct view_rule *r)
{
	return json_pack("{s:s, s:I, s:s, s:s, s:o, s:I, s:o, s:o}", "id", r->id, "num", (json_int_t)r->num, "suffix", r->suffix, "vendor",
			 r->vendor, "view_id", json_str_or_null(r->view_id), "wait_s", (json_int_t)r->wait_s, "created_at",
			 json_time_or_null(r->created_ms), "updated_at", json_time_or_null(r->updated_ms));
}

static void answer_rule(struct call *c, unsigned status, const struct view_rule *r)
{
	if (status == 201)
		call_location(c, "view-rules", r->id);
	call_etag(c, r->rev);
	call_json(c, status, view_rule_json(r));
}

const struct json_field view_rule_list_fields[] = { NAMED_FIELDS, ONLY_FIELD("view_id", .min = ULID_LEN, .max = ULID_LEN), { 0 } };

int view_rule_list(struct call *c, struct err *err)
{
	_cleanup_view_rule_list_ struct view_rule_list l = { 0 };
	_cleanup_list_end_ struct list_end end = { 0 };
	struct list_query q = named_page_of(c);
	json_t *items;

	if (service_view_rule_list(c->service, &q, &l, &end, err) < 0)
		return -(int)err->code;
	items = json_array();
	for (size_t i = 0; i < l.n; i++)
		json_array_append_new(items, view_rule_json(&l.v[i]));
	call_page(c, items, &end);
	return 0;
}

static struct view_rule_save *rule_save_of(struct call *c)
{
	struct view_rule_save *q = c->body;

	q->has_wait = json_object_get(c->body_doc, "wait_s") != NULL;
	return q;
}

int view_rule_create(struct call *c, struct err *err)
{
	_cleanup_view_rule_ struct view_rule r = { 0 };

	if (service_view_rule_create(c->service, &c->actor, rule_save_of(c), &c->once, &r, err) < 0)
		return -(int)err->code;
	answer_rule(c, 201, &r);
	return 0;
}

int view_rule_get(struct call *c, struct err *err)
{
	_cleanup_view_rule_ struct view_rule r = { 0 };

	if (service_view_rule_get(c->service, c->id, &r, err) < 0)
		return -(int)err->code;
	answer_rule(c, 200, &r);
	return 0;
}

int view_rule_patch(struct call *c, struct err *err)
{
	_cleanup_view_rule_ struct view_rule r = { 0 };

	if (service_view_rule_update(c->service, &c->actor, c->id, c->match, rule_save_of(c), &r, err) < 0)
		return -(int)err->code;
	answer_rule(c, 200, &r);
	return 0;
}

int view_rule_delete(struct call *c, struct err *err)
{
	if (service_view_rule_delete(c->service, &c->actor, c->id, c->match, err) < 0)
		return -(int)err->code;
	call_empty(c);
	return 0;
}

/* --- looks --------------------------------------------------------------------------------------------------------------- */

static int preflight_done(struct call *c, const struct job *j, struct err *err)
{
	(void)err;
	call_json(c, 200, json_text_or_null(j->result));
	return 0;
}

int preflight(struct call *c, struct err *err)
{
	char *job = NULL;

	if (service_preflight(c->service, &c->actor, c->body, &job, err) < 0)
		return -(int)err->code;
	call_wait(c, job, preflight_done);
	return 0;
}

static int delegation_checked(struct call *c, const struct job *j, struct err *err)
{
	free(c->id);
	c->id = xstrdup(j->subject_id);
	return delegation_get(c, err);
}

int delegation_check(struct call *c, struct err *err)
{
	char *job = NULL;

	if (service_delegation_check(c->service, &c->actor, c->id, &job, err) < 0)
		return -(int)err->code;
	call_wait(c, job, delegation_checked);
	return 0;
}

int delegation_asked(struct call *c, struct err *err)
{
	_cleanup_asked_list_ struct asked_list l = { 0 };
	json_t *items;

	if (service_delegation_asked(c->service, c->id, &l, err) < 0)
		return -(int)err->code;
	items = json_array();
	for (size_t i = 0; i < l.n; i++)
		json_array_append_new(items, json_pack("{s:s, s:s, s:s, s:s, s:I, s:o, s:o}", "network", l.v[i].network, "transport",
						       l.v[i].transport, "type", l.v[i].qtype, "answer", l.v[i].outcome, "times",
						       (json_int_t)l.v[i].times, "first_at", json_time_or_null(l.v[i].first_ms), "last_at",
						       json_time_or_null(l.v[i].last_ms)));
	call_json(c, 200, json_pack("{s:o}", "items", items));
	return 0;
}

int delegation_paste(struct call *c, struct err *err)
{
	const struct delegation_paste_body *b = c->body;
	struct delegation_paste p = { .text = b->text, .provider = b->provider_id, .zone = b->zone };
	_cleanup_delegation_line_list_ struct delegation_line_list l = { 0 };
	json_t *items;

	if (service_delegation_paste(c->service, &c->actor, &p, &l, err) < 0)
		return -(int)err->code;
	items = json_array();
	for (size_t i = 0; i < l.n; i++)
		json_array_append_new(items, json_pack("{s:I, s:s, s:o, s:o, s:o, s:s, s:o}", "line", (json_int_t)l.v[i].line, "typed", l.v[i].typed, "id",
						       json_str_or_null(l.v[i].id), "name", json_str_or_null(l.v[i].name), "target",
						       json_str_or_null(l.v[i].target), "result", l.v[i].result, "detail", json_str_or_null(l.v[i].detail)));
	call_json(c, 200, json_pack("{s:o}", "items", items));
	return 0;
}

int delegation_lines(struct call *c, struct err *err)
{
	const struct delegation_lines_query *q = c->query;
	_cleanup_free_ char *text = NULL;

	if (service_delegation_lines(c->service, !q->which || streq(q->which, "missing"), &text, err) < 0)
		return -(int)err->code;
	call_file(c, "text/plain; charset=utf-8", "acme-challenge.zone", text, strlen(text));
	return 0;
}
