/* SPDX-License-Identifier: Apache-2.0 */
/* inventory.c - what people bring into the inventory and note down there. */
#include "api/call.h"
#include "base/limits.h"
#include "service/import.h"

const struct json_field import_fields[] = {
	JF_STR(struct import_create, content, .required = true, .min = 1, .max = LIMIT_API_BODY),
	JF_SECRET(struct import_create, password, .max = 1024),
	JF_BOOL(struct import_create, with_keys),
	JF_STR(struct import_create, owner, .min = 1, .max = LIMIT_EMAIL),
	JF_STR(struct import_create, notes, .min = 1, .max = LIMIT_TEXT),
	JF_LIST(struct import_create, tags, .max = LIMIT_TAGS, .item_max = 64),
	{ 0 }
};
const struct json_field notes_fields[] = {
	JF_STR(struct notes_update, owner, .required = true, .max = LIMIT_EMAIL),
	JF_STR(struct notes_update, notes, .required = true, .max = LIMIT_TEXT),
	JF_LIST(struct notes_update, tags, .required = true, .max = LIMIT_TAGS, .item_max = 64),
	{ 0 }
};

static json_t *row_json(const struct import_row *r)
{
	_cleanup_free_ char *reason = err_is(&r->err) ? err_to_json_text(&r->err) : NULL;

	return json_pack("{s:s, s:o, s:o, s:o, s:o, s:o, s:o, s:b, s:o}", "result", r->result, "certificate_id",
			 json_str_or_null(r->certificate_id), "certificate_num",
			 r->certificate_num ? json_integer(r->certificate_num) : json_null(), "names", json_strlist(&r->names), "subject",
			 json_str_or_null(r->subject), "fingerprint", json_str_or_null(r->fingerprint), "not_after",
			 json_time_or_null(r->not_after_ms), "has_key", r->has_key, "reason", json_text_or_null(reason));
}

int import_create(struct call *c, struct err *err)
{
	_cleanup_import_row_list_ struct import_row_list l = { 0 };
	json_t *items;

	if (service_import(c->service, &c->actor, c->body, &l, err) < 0)
		return -(int)err->code;
	items = json_array();
	for (size_t i = 0; i < l.n; i++)
		json_array_append_new(items, row_json(&l.v[i]));
	call_json(c, 200, json_pack("{s:o}", "items", items));
	return 0;
}

int certificate_patch(struct call *c, struct err *err)
{
	return service_notes_update(c->service, &c->actor, c->id, c->body, c->match, err) < 0 ? -(int)err->code : certificate_get(c, err);
}
