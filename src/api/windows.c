/* SPDX-License-Identifier: Apache-2.0 */
/* windows.c - maintenance windows of renewals. */
#include "api/call.h"
#include "base/limits.h"
#include "service/window.h"

const struct json_field window_create_fields[] = {
	JF_STR(struct window_create, name, .required = true, .min = 1, .max = 64),
	JF_STR(struct window_create, cron, .required = true, .min = 9, .max = 200),
	JF_STR(struct window_create, zone, .min = 1, .max = 64),
	JF_INT(struct window_create, minutes, .required = true, .min = 10, .max = 10080),
	JF_STR(struct window_create, tag, .min = 1, .max = 64),
	JF_BOOL(struct window_create, is_default),
	{ 0 }
};

static json_t *window_json(const struct window_view *v)
{
	const struct renewal_window *w = &v->window;

	return json_pack("{s:s, s:I, s:s, s:s, s:I, s:s, s:o, s:b, s:b, s:o, s:o}", "id", w->id, "num", (json_int_t)w->num, "name", w->name, "cron",
			 w->cron, "minutes", (json_int_t)w->minutes, "zone", w->zone, "tag", json_str_or_null(w->tag), "is_default", w->is_default, "open", v->open, "next_at",
			 json_time_or_null(v->next_ms), "created_at", json_time_or_null(w->created_ms));
}

int window_list(struct call *c, struct err *err)
{
	_cleanup_window_view_list_ struct window_view_list l = { 0 };
	json_t *items;

	if (service_window_list(c->service, &l, err) < 0)
		return -(int)err->code;
	items = json_array();
	for (size_t i = 0; i < l.n; i++)
		json_array_append_new(items, window_json(&l.v[i]));
	call_json(c, 200, json_pack("{s:o}", "items", items));
	return 0;
}

int window_get(struct call *c, struct err *err)
{
	_cleanup_window_view_ struct window_view v = { 0 };

	if (service_window_get(c->service, c->id, &v, err) < 0)
		return -(int)err->code;
	call_etag(c, v.window.rev);
	call_json(c, 200, window_json(&v));
	return 0;
}

int window_create(struct call *c, struct err *err)
{
	_cleanup_window_view_ struct window_view v = { 0 };

	if (service_window_create(c->service, &c->actor, c->body, &v, err) < 0)
		return -(int)err->code;
	call_location(c, "renewal-windows", v.window.id);
	call_etag(c, v.window.rev);
	call_json(c, 201, window_json(&v));
	return 0;
}

int window_delete(struct call *c, struct err *err)
{
	if (service_window_delete(c->service, &c->actor, c->id, c->match, err) < 0)
		return -(int)err->code;
	call_empty(c);
	return 0;
}
