/* SPDX-License-Identifier: Apache-2.0 */
/* renewal.c - see renewal.h. */
#include "service/renewal.h"

#include "service/internal.h"
#include "store/order.h"

#include <stdio.h>

#define NOTICES 200
#define NOTICE_CERTIFICATES 20
#define EVENTS_SHOWN 100

void renewal_view_done(struct renewal_view *v)
{
	certificate_done(&v->certificate);
	renewal_done(&v->renewal);
	free(v->order_id);
	free(v->order_stage);
	memset(v, 0, sizeof *v);
}

struct renewal_job {
	struct service *s;
	const struct actor *actor;
	const char *ref;
	struct page page;
	struct renewal_view_list *list;
	struct renewal_view *view;
	struct event_list *events;
	const struct renewal_update *update;
	struct audit *audit;
	struct renewal_pause *pause;
	bool on;
	struct notice_view_list *notices;
	int64_t now_ms;
};

/* --- the schedule ------------------------------------------------------------------------------------------------------- */

static int view_fill(struct sql *q, struct renewal_view *v, struct err *err)
{
	_cleanup_order_ struct order o = { 0 };
	_cleanup_err_ struct err none = ERR_INIT;

	if (store_renewal_get(q, v->certificate.id, &v->renewal, &none) < 0 && none.code != ERR_NOT_FOUND)
		return err_move(err, &none);
	err_clear(&none);
	if (store_order_find_renewal(q, v->certificate.id, &v->order_id, &none) < 0)
		return none.code == ERR_NOT_FOUND ? 0 : err_move(err, &none);
	if (store_order_get_any(q, v->order_id, &o, err) < 0)
		return -(int)err->code;
	v->order_num = o.num;
	v->order_stage = xstrdup(order_stage_text(order_stage(&o)));
	return 0;
}

static int list_tx(struct sql *q, void *arg, struct err *err)
{
	struct renewal_job *j = arg;
	_cleanup_certificate_list_ struct certificate_list l = { 0 };

	renewal_view_list_done(j->list);
	if (store_certificate_schedule(q, &j->page, &l, err) < 0)
		return -(int)err->code;
	for (size_t i = 0; i < l.n; i++) {
		struct renewal_view *v = renewal_view_list_add(j->list);

		v->certificate = TAKE(l.v[i]);
		if (view_fill(q, v, err) < 0)
			return -(int)err->code;
	}
	j->list->more = l.more;
	return 0;
}

int service_renewal_list(struct service *s, const struct list_query *q, struct renewal_view_list *ret, struct list_end *end,
			 struct err *err)
{
	_cleanup_cursor_ struct cursor c = { 0 };
	struct renewal_job j = { .list = ret };
	const struct certificate *last;

	if (cursor_open(s, "renewals", "", q, &c, err) < 0)
		return -(int)err->code;
	j.page = c.page;
	if (store_read(s->store, list_tx, &j, err) < 0)
		return -(int)err->code;
	last = ret->n ? &ret->v[ret->n - 1].certificate : NULL;
	cursor_close(s, "renewals", "", ret->more, last ? last->renew_at_ms : 0, NULL, last ? last->id : "", end);
	return 0;
}

static int view_read(struct sql *q, const char *ref, struct renewal_view *v, struct err *err)
{
	renewal_view_done(v);
	if (SERVICE_GET(q, ref, store_certificate_get, store_certificate_get_num, &v->certificate, err) < 0)
		return -(int)err->code;
	return view_fill(q, v, err);
}

static int get_tx(struct sql *q, void *arg, struct err *err)
{
	struct renewal_job *j = arg;
	const struct page page = { .limit = EVENTS_SHOWN };

	if (view_read(q, j->ref, j->view, err) < 0)
		return -(int)err->code;
	return store_event_list(q, j->view->certificate.id, &page, j->events, err);
}

int service_renewal_get(struct service *s, const char *ref, struct renewal_view *ret, struct event_list *ret_events, struct err *err)
{
	struct renewal_job j = { .ref = ref, .view = ret, .events = ret_events };

	return store_read(s->store, get_tx, &j, err);
}

static int window_there(struct sql *tx, const char *id, struct err *err)
{
	_cleanup_renewal_window_ struct renewal_window w = { 0 };

	if (store_renewal_window_get(tx, id, &w, err) == 0)
		return 0;
	if (err->code != ERR_NOT_FOUND)
		return -(int)err->code;
	err_clear(err);
	return err_set_field(err, ERR_INVALID, "/window_id", "there is no maintenance window '%s'", id);
}

static int update_tx(struct sql *tx, void *arg, struct err *err)
{
	struct renewal_job *j = arg;
	const struct renewal_update *u = j->update;
	_cleanup_renewal_view_ struct renewal_view v = { 0 };

	if (view_read(tx, j->ref, &v, err) < 0)
		return -(int)err->code;
	replace_str(&j->audit->object_id, v.certificate.id);
	replace_str(&j->audit->object_name, v.certificate.names.n ? v.certificate.names.v[0] : NULL);
	if (u->key_max_days || u->window_id) {
		if (!v.renewal.certificate_id) {
			v.renewal.certificate_id = xstrdup(v.certificate.id);
			v.renewal.key_max_days = 398;
		}
		if (u->key_max_days)
			v.renewal.key_max_days = u->key_max_days;
		if (u->window_id && *u->window_id && window_there(tx, u->window_id, err) < 0)
			return -(int)err->code;
		if (u->window_id)
			replace_str(&v.renewal.window_id, *u->window_id ? u->window_id : NULL);
		if (store_renewal_put(tx, &v.renewal, err) < 0)
			return -(int)err->code;
	}
	if ((u->installed && renewal_installed(tx, v.certificate.id, j->now_ms, err) < 0) ||
	    (u->retry && renewal_retry(tx, v.certificate.id, j->now_ms, err) < 0) || store_audit_add(tx, j->audit, err) < 0)
		return -(int)err->code;
	return view_read(tx, v.certificate.id, j->view, err);
}

int service_renewal_update(struct service *s, const struct actor *a, const char *ref, const struct renewal_update *u,
			   struct renewal_view *ret, struct err *err)
{
	_cleanup_audit_ struct audit audit = { 0 };
	struct renewal_job j = { .ref = ref, .view = ret, .update = u, .audit = &audit, .now_ms = service_now(s) };
	_cleanup_json_ json_t *detail = json_pack("{s:b, s:b}", "installed", u->installed, "retry", u->retry);

	if (u->key_max_days)
		json_object_set_new(detail, "key_max_days", json_integer(u->key_max_days));
	if (u->window_id)
		json_object_set_new(detail, "window_id", json_string(u->window_id));
	audit_begin(s, a, "certificate.renewal", "certificate", &audit);
	audit.detail = json_text(detail);
	return store_write(s->store, update_tx, &j, err);
}

/* --- stopping all ------------------------------------------------------------------------------------------------------- */

static int pause_get_tx(struct sql *q, void *arg, struct err *err)
{
	struct renewal_job *j = arg;

	return renewal_pause_get(q, j->now_ms, j->pause, &j->on, err);
}

int service_pause_get(struct service *s, struct renewal_pause *ret, bool *ret_on, struct err *err)
{
	struct renewal_job j = { .pause = ret, .now_ms = service_now(s) };

	if (store_read(s->store, pause_get_tx, &j, err) < 0)
		return -(int)err->code;
	*ret_on = j.on;
	return 0;
}

static int pause_put_tx(struct sql *tx, void *arg, struct err *err)
{
	struct renewal_job *j = arg;

	if ((j->pause ? renewal_pause_set(tx, j->pause, j->now_ms, err) : renewal_resume(tx, j->now_ms, err)) < 0)
		return -(int)err->code;
	return store_audit_add(tx, j->audit, err);
}

static int resume(struct service *s, const struct actor *a, struct err *err)
{
	_cleanup_audit_ struct audit audit = { 0 };
	struct renewal_job j = { .audit = &audit, .now_ms = service_now(s) };

	audit_begin(s, a, "renewals.resume", "server", &audit);
	return store_write(s->store, pause_put_tx, &j, err);
}

int service_pause_put(struct service *s, const struct actor *a, const struct pause_put *p, struct err *err)
{
	_cleanup_renewal_pause_ struct renewal_pause pause = { 0 };
	_cleanup_audit_ struct audit audit = { 0 };
	struct renewal_job j = { .pause = &pause, .audit = &audit, .now_ms = service_now(s) };
	_cleanup_json_ json_t *detail = NULL;
	_cleanup_err_ struct err why = ERR_INIT;

	if (!p->stopped)
		return resume(s, a, err);
	if (!p->reason || !p->reason[strspn(p->reason, " \t\r\n")])
		return err_set_field(err, ERR_INVALID, "/reason", "say why renewals are stopped; everybody sees it");
	if (p->until && clock_parse(p->until, &pause.until_ms, &why) < 0)
		return err_set_field(err, ERR_INVALID, "/until", "'%s' is not an instant like 2026-12-31T18:00:00Z", p->until);
	if (p->until && pause.until_ms <= j.now_ms)
		return err_set_field(err, ERR_INVALID, "/until", "that instant is over");
	pause.since_ms = j.now_ms;
	pause.reason = xstrdup(p->reason);
	pause.by = xstrdup(a->user_name ? a->user_name : "somebody");
	audit_begin(s, a, "renewals.pause", "server", &audit);
	detail = json_pack("{s:s, s:o}", "reason", p->reason, "until", json_str_or_null(p->until));
	audit.detail = json_text(detail);
	return store_write(s->store, pause_put_tx, &j, err);
}

/* --- notices ------------------------------------------------------------------------------------------------------------ */

static int notices_tx(struct sql *q, void *arg, struct err *err)
{
	struct renewal_job *j = arg;
	_cleanup_notice_list_ struct notice_list l = { 0 };

	notice_view_list_done(j->notices);
	if (store_notice_open(q, NOTICES, &l, err) < 0)
		return -(int)err->code;
	for (size_t i = 0; i < l.n; i++) {
		struct notice_view *v = notice_view_list_add(j->notices);
		_cleanup_strlist_ struct strlist ids = { 0 };

		v->notice = TAKE(l.v[i]);
		if (store_notice_certificates(q, v->notice.id, NOTICE_CERTIFICATES, &ids, err) < 0)
			return -(int)err->code;
		for (size_t k = 0; k < ids.n; k++) {
			_cleanup_err_ struct err none = ERR_INIT;
			struct certificate c = { 0 };

			if (store_certificate_get(q, ids.v[k], &c, &none) == 0)
				*certificate_list_add(&v->certificates) = c;
			else if (none.code != ERR_NOT_FOUND)
				return err_move(err, &none);
		}
	}
	return 0;
}

int service_notice_list(struct service *s, struct notice_view_list *ret, struct err *err)
{
	struct renewal_job j = { .notices = ret };

	return store_read(s->store, notices_tx, &j, err);
}
