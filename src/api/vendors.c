/* SPDX-License-Identifier: Apache-2.0 */
/* vendors.c - the vendor registry, readings of directories, and what vendors say of CSRs. */
#include "api/call.h"
#include "base/limits.h"
#include "service/vendor.h"

const struct json_field vendor_update_fields[] = {
	JF_STR(struct vendor_update_body, directory_url, .required = true, .max = LIMIT_CA_URL),
	{ 0 }
};
const struct json_field vendor_check_fields[] = {
	JF_BOOL(struct vendor_check_body, all),
	{ 0 }
};
const struct json_field directory_read_fields[] = {
	JF_STR(struct directory_read_body, vendor, .min = 1, .max = 64),
	JF_STR(struct directory_read_body, region, .min = 1, .max = 32),
	JF_STR(struct directory_read_body, directory_url, .min = 1, .max = LIMIT_CA_URL),
	{ 0 }
};
static json_t *texts(const char *const *l)
{
	json_t *a = json_array();

	for (size_t i = 0; l && l[i]; i++)
		json_array_append_new(a, json_string(l[i]));
	return a;
}

static json_t *regions(const struct vendor *v)
{
	json_t *a = json_array();

	for (const struct vendor_region *r = v->regions; r && r->key; r++)
		json_array_append_new(a, json_pack("{s:s, s:s, s:s, s:o}", "key", r->key, "title", r->title, "directory_url", r->directory_url,
						   "note", json_str_or_null(r->note)));
	return a;
}

static json_t *profiles(const struct vendor *v)
{
	json_t *a = json_array();

	for (const struct vendor_profile *p = v->profiles; p && p->name; p++)
		json_array_append_new(a, json_pack("{s:s, s:i, s:b, s:o}", "name", p->name, "names_max", p->names_max, "addresses", p->addresses,
						   "note", json_str_or_null(p->note)));
	return a;
}

static json_t *quirks(const struct vendor *v)
{
	json_t *a = json_array();

	for (int q = 0; q < vendor_quirk_count; q++)
		if (vendor_has(v, (enum vendor_quirk)q))
			json_array_append_new(a, json_pack("{s:s, s:s}", "name", vendor_quirk_text((enum vendor_quirk)q), "help",
							   vendor_quirk_help((enum vendor_quirk)q)));
	return a;
}

static json_t *reading_json(const struct vendor_check *c)
{
	json_t *moved = json_text_or_null(c->moved);

	if (!json_is_array(moved)) {
		json_decref(moved);
		moved = json_array();
	}
	return json_pack("{s:s, s:o, s:o, s:o, s:o, s:o, s:o}", "directory_url", c->directory_url, "facts", json_text_or_null(c->facts),
			 "facts_at", json_time_or_null(c->facts_ms), "moved", moved, "moved_at", json_time_or_null(c->moved_ms), "checked_at",
			 json_time_or_null(c->checked_ms), "reason", json_text_or_null(c->reason));
}

static json_t *vendor_json(const struct vendor_view *w)
{
	const struct vendor *v = w->vendor;
	json_t *o = json_pack("{s:s, s:s, s:s, s:o, s:b, s:o, s:o, s:b}", "key", v->key, "title", v->title, "directory_url", w->directory_url,
			      "builtin_url", json_str_or_null(*v->directory_url ? v->directory_url : NULL), "overridden", w->overridden,
			      "regions", regions(v), "profiles", profiles(v), "staging", v->staging);
	json_t *eab = json_pack("{s:b, s:b, s:o, s:o, s:o, s:b}", "eab_required", v->eab_required, "eab_fetch", v->eab_url != NULL, "eab_steps",
				texts(v->eab_steps), "eab_life", json_str_or_null(v->eab_life), "eab_help", json_str_or_null(v->eab_help),
				"contact_required", v->contact_required);
	json_t *can = json_pack("{s:b, s:b, s:o, s:i, s:s, s:b, s:b, s:o, s:o, s:o}", "wildcards", v->wildcards, "addresses", v->addresses,
				"key_types", texts(v->key_types), "names_max", v->names_max ? v->names_max : LIMIT_NAMES, "ari",
				vendor_answer_text(v->ari), "not_after", v->not_after, "costs_money", v->costs_money, "price",
				json_str_or_null(v->price), "lifetime", json_str_or_null(v->lifetime), "limits", json_str_or_null(v->limits));
	json_t *rest = json_pack("{s:o, s:o, s:o, s:o, s:o, s:o, s:I, s:o}", "terms_url", json_str_or_null(v->terms_url), "docs_url",
				 json_str_or_null(v->docs_url), "notes", texts(v->notes), "quirks", quirks(v), "discontinued",
				 json_str_or_null(v->discontinued), "discontinued_since", json_str_or_null(v->discontinued_since), "accounts",
				 (json_int_t)w->accounts, "reading", w->check.directory_url ? reading_json(&w->check) : json_null());

	json_object_update(o, eab);
	json_object_update(o, can);
	json_object_update(o, rest);
	json_decref(eab);
	json_decref(can);
	json_decref(rest);
	return o;
}

int vendor_list(struct call *c, struct err *err)
{
	_cleanup_vendor_view_list_ struct vendor_view_list l = { 0 };
	json_t *items;

	if (service_vendor_list(c->service, &l, err) < 0)
		return -(int)err->code;
	items = json_array();
	for (size_t i = 0; i < l.n; i++)
		json_array_append_new(items, vendor_json(&l.v[i]));
	call_json(c, 200, json_pack("{s:o}", "items", items));
	return 0;
}

int vendor_get(struct call *c, struct err *err)
{
	_cleanup_vendor_view_ struct vendor_view v = { 0 };

	if (service_vendor_get(c->service, c->id, &v, err) < 0)
		return -(int)err->code;
	call_etag(c, v.rev);
	call_json(c, 200, vendor_json(&v));
	return 0;
}

int vendor_patch(struct call *c, struct err *err)
{
	const struct vendor_update_body *b = c->body;
	_cleanup_vendor_view_ struct vendor_view v = { 0 };

	if (service_vendor_update(c->service, &c->actor, c->id, c->match, b->directory_url, &v, err) < 0)
		return -(int)err->code;
	call_etag(c, v.rev);
	call_json(c, 200, vendor_json(&v));
	return 0;
}

int vendor_check_all(struct call *c, struct err *err)
{
	const struct vendor_check_body *b = c->body;
	_cleanup_strlist_ struct strlist jobs = { 0 };

	if (service_vendor_check_all(c->service, &c->actor, b->all, &jobs, err) < 0)
		return -(int)err->code;
	call_json(c, 200, json_pack("{s:o}", "jobs", json_strlist(&jobs)));
	return 0;
}

static int directory_was_read(struct call *c, const struct job *j, struct err *err)
{
	_cleanup_vendor_check_ struct vendor_check k = { 0 };

	if (service_vendor_reading(c->service, j->subject_id, &k, err) < 0)
		return -(int)err->code;
	call_json(c, 200, reading_json(&k));
	return 0;
}

int directory_read(struct call *c, struct err *err)
{
	const struct directory_read_body *b = c->body;
	char *job = NULL;

	if (service_vendor_check(c->service, &c->actor, b->vendor, b->region, b->directory_url, &job, err) < 0)
		return -(int)err->code;
	call_wait(c, job, directory_was_read);
	return 0;
}
