/* SPDX-License-Identifier: Apache-2.0 */
/* renewal.c - see renewal.h. */
#include "service/renewal.h"

#include "engine/jobs.h"
#include "service/internal.h"
#include "store/account.h"
#include "store/csr.h"
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

void row_result_done(struct row_result *r)
{
	free(r->ref);
	free(r->certificate_id);
	free(r->order_id);
	free(r->job_id);
	err_clear(&r->err);
	memset(r, 0, sizeof *r);
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

/* --- many at once ------------------------------------------------------------------------------------------------------- */

struct row_job {
	struct service *s;
	const struct actor *actor;
	const char *csr_ref;
	const struct revocation_create *revoke; /* NULL: renew */
	int reason;
	struct ulid order_id, job_id;
	struct audit *audit;
	struct row_result *row;
	int64_t now_ms;
};

static int csr_id_of(struct sql *tx, const char *ref, char **ret, struct err *err)
{
	_cleanup_csr_ struct csr c = { 0 };

	if (SERVICE_GET(tx, ref, store_csr_get, store_csr_get_num, &c, err) < 0) {
		if (err->code != ERR_NOT_FOUND)
			return -(int)err->code;
		err_clear(err);
		return err_set_field(err, ERR_INVALID, "/csr_id", "there is no CSR '%s'", ref);
	}
	*ret = TAKE(c.id);
	return 0;
}

static int row_find(struct sql *tx, struct row_job *j, struct certificate *c, struct err *err)
{
	if (SERVICE_GET(tx, j->row->ref, store_certificate_get, store_certificate_get_num, c, err) < 0)
		return -(int)err->code;
	replace_str(&j->row->certificate_id, c->id);
	j->row->certificate_num = c->num;
	replace_str(&j->audit->object_id, c->id);
	replace_str(&j->audit->object_name, c->names.n ? c->names.v[0] : NULL);
	return 0;
}

static int row_renew(struct sql *tx, struct row_job *j, const struct certificate *c, struct err *err)
{
	_cleanup_free_ char *csr = NULL;
	struct renewal_request q = {
		.order_id = j->order_id.s, .certificate_id = c->id, .requester = j->actor->user_id, .urgent = true, .now_ms = j->now_ms,
	};
	struct order_taken taken = { 0 };

	if (j->csr_ref && csr_id_of(tx, j->csr_ref, &csr, err) < 0)
		return -(int)err->code;
	q.csr_id = csr;
	if (renewal_intake(tx, &q, &taken, err) < 0)
		return -(int)err->code;
	replace_str(&j->row->order_id, taken.id);
	j->row->order_num = taken.num;
	j->row->existing = taken.existing;
	return 0;
}

static int renew_tx(struct sql *tx, void *arg, struct err *err)
{
	struct row_job *j = arg;
	_cleanup_certificate_ struct certificate c = { 0 };

	if (row_find(tx, j, &c, err) < 0 || row_renew(tx, j, &c, err) < 0)
		return -(int)err->code;
	return j->row->existing ? 0 : store_audit_add(tx, j->audit, err);
}

static bool whole_request(enum err_code code)
{
	return code == ERR_STORE || code == ERR_BUSY || code == ERR_NO_SPACE;
}

static int each_row(struct row_job *j, const struct strlist *refs, const char *action, sql_tx_fn *fn, struct row_result_list *ret,
		    struct err *err)
{
	for (size_t i = 0; i < refs->n; i++) {
		_cleanup_audit_ struct audit audit = { 0 };
		struct row_result *row = row_result_list_add(ret);
		int rc;

		row->ref = xstrdup(refs->v[i]);
		audit_begin(j->s, j->actor, action, "certificate", &audit);
		j->row = row;
		j->audit = &audit;
		j->order_id = ulid_new(j->now_ms);
		j->job_id = ulid_new(j->now_ms);
		rc = store_write(j->s->store, fn, j, &row->err);
		j->audit = NULL; /* it ends with its row */
		if (rc < 0 && whole_request(row->err.code) && refs->n == 1)
			return err_move(err, &row->err);
	}
	return 0;
}

int service_renewal_create(struct service *s, const struct actor *a, const struct renewal_create *r, struct row_result_list *ret,
			   struct err *err)
{
	struct row_job j = { .s = s, .actor = a, .csr_ref = r->csr_id, .now_ms = service_now(s) };

	if (r->csr_id && r->certificate_ids.n != 1)
		return err_set_field(err, ERR_INVALID, "/csr_id", "a CSR is for one certificate");
	return each_row(&j, &r->certificate_ids, "certificate.renew", renew_tx, ret, err);
}

/* --- revocation --------------------------------------------------------------------------------------------------------- */

static const struct {
	const char *text;
	int code; /* RFC 5280 5.3.1 */
} reasons[] = { { "unspecified", 0 }, { "key-compromise", 1 }, { "superseded", 4 }, { "cessation-of-operation", 5 } };

static int reason_code(const char *text)
{
	for (size_t i = 0; text && i < ARRAY_SIZE(reasons); i++)
		if (streq(reasons[i].text, text))
			return reasons[i].code;
	return -1;
}

static int revoke_what(struct sql *tx, const struct row_job *j, const struct certificate *c, struct version *ret, struct err *err)
{
	const char *id = j->revoke->version_id ? j->revoke->version_id : c->version_id;

	if (!id)
		return err_set(err, ERR_CONFLICT, "certificate %" PRId64 " has nothing issued yet", c->num);
	if (store_version_get(tx, id, ret, err) < 0)
		return -(int)err->code;
	if (!ret->certificate_id || !streq(ret->certificate_id, c->id))
		return err_set_field(err, ERR_INVALID, "/version_id", "version '%s' is not of certificate %" PRId64, id, c->num);
	if (ret->not_after_ms <= j->now_ms)
		return err_set(err, ERR_CONFLICT, "serial %s has expired, there is nothing to revoke", ret->serial);
	if (j->revoke->by_key && !ret->key_id)
		return err_set_field(err, ERR_CONFLICT, "/by_key", "the key of certificate %" PRId64 " is not kept here", c->num);
	return 0;
}

/* With a replacement the job waits for the order: what is in use goes when there is something to put in its place. */
static int revoke_job(struct sql *tx, struct row_job *j, const struct certificate *c, const struct version *v, struct err *err)
{
	_cleanup_account_ struct account a = { 0 };
	_cleanup_json_ json_t *args = json_pack("{s:b}", "by_key", j->revoke->by_key);
	_cleanup_free_ char *text = NULL;
	char id[27];

	if (!c->account_id)
		return err_set(err, ERR_CONFLICT, "certificate %" PRId64 " was not issued through an account of this server", c->num);
	if (store_account_get_any(tx, c->account_id, &a, err) < 0)
		return -(int)err->code;
	if (j->reason >= 0)
		json_object_set_new(args, "reason", json_integer(j->reason));
	if (j->row->order_id)
		json_object_set_new(args, "after_order", json_string(j->row->order_id));
	text = json_text(args);
	if (job_intake(tx, &(struct job_request){ .id = j->job_id.s, .kind = JOB_REVOKE, .subject_kind = "version",
						  .subject_id = v->id, .args = text, .lane_url = a.directory_url,
						  .created_by = j->actor->user_id, .now_ms = j->now_ms },
		       id, err) < 0)
		return -(int)err->code;
	replace_str(&j->row->job_id, id);
	return 0;
}

static int revoke_tx(struct sql *tx, void *arg, struct err *err)
{
	struct row_job *j = arg;
	_cleanup_certificate_ struct certificate c = { 0 };
	_cleanup_version_ struct version v = { 0 };
	_cleanup_json_ json_t *detail = NULL;

	if (row_find(tx, j, &c, err) < 0 || revoke_what(tx, j, &c, &v, err) < 0)
		return -(int)err->code;
	if (j->revoke->replace && row_renew(tx, j, &c, err) < 0)
		return -(int)err->code;
	if (revoke_job(tx, j, &c, &v, err) < 0)
		return -(int)err->code;
	detail = json_pack("{s:s, s:s, s:s, s:b, s:b}", "version", v.id, "serial", v.serial, "reason",
			   j->revoke->reason ? j->revoke->reason : "none", "by_key", j->revoke->by_key, "replace", j->revoke->replace);
	free(j->audit->detail);
	j->audit->detail = json_text(detail);
	return store_audit_add(tx, j->audit, err);
}

int service_revocation_create(struct service *s, const struct actor *a, const struct revocation_create *r, struct row_result_list *ret,
			      struct err *err)
{
	struct row_job j = { .s = s, .actor = a, .revoke = r, .reason = reason_code(r->reason), .now_ms = service_now(s) };

	if (r->version_id && r->certificate_ids.n != 1)
		return err_set_field(err, ERR_INVALID, "/version_id", "a version is of one certificate");
	return each_row(&j, &r->certificate_ids, "certificate.revoke", revoke_tx, ret, err);
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
