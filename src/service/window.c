/* SPDX-License-Identifier: Apache-2.0 */
/* window.c - see window.h. */
#include "service/window.h"

#include "base/cron.h"
#include "engine/renewal.h"
#include "model/work.h"
#include "service/import.h"
#include "service/internal.h"

struct window_job {
	struct service *s;
	const char *ref;
	int64_t rev, now_ms;
	struct window_view *view;
	struct window_view_list *list;
	struct renewal_window *fresh;
	struct audit *audit;
};

static void fill_next(struct window_view *v, int64_t now)
{
	_cleanup_err_ struct err no = ERR_INIT;
	_cleanup_zone_ struct zone *z = NULL;
	struct cron c;

	if (cron_parse(v->window.cron, &c, &no) < 0 || zone_load(v->window.zone, &z, &no) < 0)
		return;
	v->open = cron_inside(&c, z, v->window.minutes * MINUTE_MS, now) != 0;
	v->next_ms = v->open ? 0 : cron_next(&c, z, now);
}

static int list_tx(struct sql *q, void *arg, struct err *err)
{
	struct window_job *j = arg;
	_cleanup_renewal_window_list_ struct renewal_window_list l = { 0 };

	window_view_list_done(j->list);
	if (store_renewal_window_list(q, &l, err) < 0)
		return -(int)err->code;
	for (size_t i = 0; i < l.n; i++)
		window_view_list_add(j->list)->window = TAKE(l.v[i]);
	return 0;
}

int service_window_list(struct service *s, struct window_view_list *ret, struct err *err)
{
	struct window_job j = { .list = ret };

	if (store_read(s->store, list_tx, &j, err) < 0)
		return -(int)err->code;
	for (size_t i = 0; i < ret->n; i++)
		fill_next(&ret->v[i], service_now(s));
	return 0;
}

static int get_tx(struct sql *q, void *arg, struct err *err)
{
	struct window_job *j = arg;

	window_view_done(j->view);
	return SERVICE_GET(q, j->ref, store_renewal_window_get, store_renewal_window_get_num, &j->view->window, err);
}

int service_window_get(struct service *s, const char *ref, struct window_view *ret, struct err *err)
{
	struct window_job j = { .ref = ref, .view = ret };

	if (store_read(s->store, get_tx, &j, err) < 0)
		return -(int)err->code;
	fill_next(ret, service_now(s));
	return 0;
}

/* What the audit says of a window. */
static json_t *terms(const struct renewal_window *w)
{
	return json_pack("{s:s, s:s, s:I, s:s, s:o, s:b}", "name", w->name, "cron", w->cron, "minutes", (json_int_t)w->minutes, "zone", w->zone,
			 "tag", json_str_or_null(w->tag), "is_default", w->is_default);
}

static int create_tx(struct sql *tx, void *arg, struct err *err)
{
	struct window_job *j = arg;
	_cleanup_renewal_window_list_ struct renewal_window_list l = { 0 };

	if (store_renewal_window_list(tx, &l, err) < 0)
		return -(int)err->code;
	for (size_t i = 0; i < l.n; i++) {
		if (streq(l.v[i].name, j->fresh->name))
			return err_set_field(err, ERR_CONFLICT, "/name", "there is a maintenance window '%s'", l.v[i].name);
		if (l.v[i].tag && j->fresh->tag && streq(l.v[i].tag, j->fresh->tag))
			return err_set_field(err, ERR_CONFLICT, "/tag", "maintenance window '%s' is for the tag '%s' already", l.v[i].name, l.v[i].tag);
		if (l.v[i].is_default && j->fresh->is_default)
			return err_set_field(err, ERR_CONFLICT, "/is_default", "'%s' is the default maintenance window; delete it first", l.v[i].name);
	}
	if (store_renewal_window_add(tx, j->fresh, err) < 0 || store_audit_add(tx, j->audit, err) < 0)
		return -(int)err->code;
	return 0;
}

int service_window_create(struct service *s, const struct actor *a, const struct window_create *r, struct window_view *ret, struct err *err)
{
	_cleanup_renewal_window_ struct renewal_window w = { 0 };
	_cleanup_audit_ struct audit audit = { 0 };
	_cleanup_zone_ struct zone *z = NULL;
	_cleanup_free_ char *text = NULL;
	_cleanup_err_ struct err why = ERR_INIT;
	_cleanup_strlist_ struct strlist tags = { 0 };
	const struct strlist given = { .v = (char *[]){ (char *)(uintptr_t)r->tag }, .n = r->tag != NULL };
	struct cron cron;
	int64_t now = service_now(s);
	struct window_job j = { .fresh = &w, .audit = &audit, .now_ms = now };
	const char *zone = r->zone ? r->zone : "UTC";

	if (cron_parse(r->cron, &cron, &why) < 0) {
		text = err_text(&why);
		err_set_field(err, ERR_INVALID, "/cron", "%s", text);
		return why.hint ? err_hint(err, "%s", why.hint) : -ERR_INVALID;
	}
	if (zone_load(zone, &z, &why) < 0) {
		text = err_text(&why);
		err_set_field(err, ERR_INVALID, "/zone", "%s", text);
		return why.hint ? err_hint(err, "%s", why.hint) : -ERR_INVALID;
	}
	if (r->tag && r->is_default)
		return err_set_field(err, ERR_INVALID, "/tag", "a window is for the certificates with a tag, or for all without one of their own");
	if (service_tags(&given, &tags, err) < 0) {
		replace_str(&err->field, "/tag");
		return -(int)err->code;
	}
	if (!cron_next(&cron, z, now))
		return err_set_field(err, ERR_INVALID, "/cron", "'%s' names no day within 400 days", r->cron);
	w = (struct renewal_window){
		.id = xstrdup(ulid_new(now).s), .name = xstrdup(r->name), .cron = xstrdup(r->cron), .minutes = r->minutes,
		.zone = xstrdup(zone), .is_default = r->is_default, .tag = tags.n ? xstrdup(tags.v[0]) : NULL,
		.created_ms = now,
	};
	audit_begin(s, a, "window.create", "window", &audit);
	audit_object(&audit, w.id, w.name, NULL, terms(&w));
	if (store_write(s->store, create_tx, &j, err) < 0)
		return -(int)err->code;
	ret->window = TAKE(w);
	fill_next(ret, now);
	return 0;
}

static int delete_tx(struct sql *tx, void *arg, struct err *err)
{
	struct window_job *j = arg;
	_cleanup_renewal_window_ struct renewal_window w = { 0 };

	if (SERVICE_GET(tx, j->ref, store_renewal_window_get, store_renewal_window_get_num, &w, err) < 0 ||
	    rev_check(j->rev, w.rev, "maintenance window", err) < 0)
		return -(int)err->code;
	audit_object(j->audit, w.id, w.name, terms(&w), NULL);
	if (store_renewal_window_delete(tx, w.id, j->now_ms, err) < 0)
		return -(int)err->code;
	return store_audit_add(tx, j->audit, err);
}

int service_window_delete(struct service *s, const struct actor *a, const char *ref, int64_t rev, struct err *err)
{
	_cleanup_audit_ struct audit audit = { 0 };
	struct window_job j = { .ref = ref, .rev = rev, .audit = &audit, .now_ms = service_now(s) };

	audit_begin(s, a, "window.delete", "window", &audit);
	return store_write(s->store, delete_tx, &j, err);
}
