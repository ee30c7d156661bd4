/* SPDX-License-Identifier: Apache-2.0 */
/*
 * stored.c - an action on many certificates as a job (bulk.h): it goes on without whoever asked for it, over restarts, and each row's
 * result can be read later.
 *
 * A row, its result and how far the job has come are one transaction that names the job's lease: whatever ends the server in between, no
 * row is done twice and none is left out. The right to do it is asked for in that transaction too: who lost it meanwhile does not one row more.
 */
#include "service/bulk.h"

#include "engine/engine.h"
#include "service/rows.h"
#include "store/bulk.h"
#include "store/search.h"
#include "store/user.h"

#define STRETCH_MS 3000   /* of work, then the job's place in the queue is given up */
#define FOUND_AT_ONCE 100

/* ---- the request, as the job keeps it ---- */

static const char *text_of(const json_t *o, const char *name)
{
	return json_string_value(json_object_get(o, name));
}

static json_t *request_json(const struct actor *a, const struct bulk_create *r)
{
	json_t *o = json_pack("{s:s, s:o, s:o, s:o, s:o, s:o, s:b, s:b}", "action", r->action, "ids", json_strlist(&r->certificate_ids), "q",
			      json_str_or_null(r->q), "tags", json_strlist(&r->tags), "owner", json_str_or_null(r->owner), "reason",
			      json_str_or_null(r->reason), "by_key", r->by_key, "accept_cost", r->accept_cost);

	json_object_set_new(o, "actor", json_pack("{s:b, s:o, s:o, s:o, s:o, s:o, s:o}", "token", a->kind == ACTOR_TOKEN, "user_id",
						  json_str_or_null(a->user_id), "user_name", json_str_or_null(a->user_name), "token_id",
						  json_str_or_null(a->token_id), "token_name", json_str_or_null(a->token_name), "address",
						  json_str_or_null(a->address), "request_id", json_str_or_null(a->request_id)));
	return o;
}

static void list_of(const json_t *array, struct strlist *ret)
{
	const json_t *item;
	size_t i;

	json_array_foreach(array, i, item)
		if (json_is_string(item))
			strlist_add(ret, json_string_value(item));
}

struct stored {
	json_t *doc;
	struct bulk_create request; /* its texts are doc's */
	struct actor actor;
};

static void stored_done(struct stored *w)
{
	strlist_clear(&w->request.certificate_ids);
	strlist_clear(&w->request.tags);
	actor_clear(&w->actor);
	json_decref(w->doc);
}

static int stored_read(const struct job *job, struct stored *w, struct err *err)
{
	const json_t *a;

	if (json_parse(job->args, strlen(job->args), &w->doc, err) < 0)
		return err_wrap(err, "could not read what job %" PRId64 " is to do", job->num);
	w->request = (struct bulk_create){
		.action = text_of(w->doc, "action"), .q = text_of(w->doc, "q"), .owner = text_of(w->doc, "owner"), .reason = text_of(w->doc, "reason"),
		.by_key = json_is_true(json_object_get(w->doc, "by_key")), .accept_cost = json_is_true(json_object_get(w->doc, "accept_cost")),
	};
	list_of(json_object_get(w->doc, "ids"), &w->request.certificate_ids);
	list_of(json_object_get(w->doc, "tags"), &w->request.tags);
	a = json_object_get(w->doc, "actor");
	w->actor = (struct actor){
		.kind = json_is_true(json_object_get(a, "token")) ? ACTOR_TOKEN : ACTOR_SESSION, .user_id = xstrdup_null(text_of(a, "user_id")),
		.user_name = xstrdup_null(text_of(a, "user_name")), .token_id = xstrdup_null(text_of(a, "token_id")),
		.token_name = xstrdup_null(text_of(a, "token_name")), .address = xstrdup_null(text_of(a, "address")),
		.request_id = xstrdup_null(text_of(a, "request_id")),
	};
	return w->request.action ? 0 : err_set(err, ERR_INTERNAL, "job %" PRId64 " does not say what it is to do", job->num);
}

/* ---- what who asked for it may do at this moment ---- */

static int read_whose(struct sql *q, const struct actor *a, struct user *ret_user, struct token *ret_token, struct err *err)
{
	if (store_user_get(q, a->user_id ? a->user_id : "", ret_user, err) >= 0 &&
	    (a->kind != ACTOR_TOKEN || store_token_get(q, a->token_id ? a->token_id : "", ret_token, err) >= 0))
		return 0;
	if (err->code != ERR_NOT_FOUND)
		return -(int)err->code;
	err_clear(err);
	return err_set(err, ERR_DENIED, "who asked for it is not there any more");
}

static int rights_now(struct sql *q, struct actor *a, int64_t now_ms, struct err *err)
{
	_cleanup_user_ struct user u = { 0 };
	_cleanup_token_ struct token t = { 0 };

	if (read_whose(q, a, &u, &t, err) < 0)
		return -(int)err->code;
	if (u.disabled)
		return err_set(err, ERR_DENIED, "user '%s' was disabled meanwhile", u.name);
	if (a->kind == ACTOR_TOKEN && (t.revoked_ms || now_ms >= t.expires_ms))
		return err_set(err, ERR_DENIED, "token '%s' was revoked or has expired meanwhile", t.name);
	a->role = a->kind == ACTOR_TOKEN ? MIN(t.role, u.role) : u.role;
	a->rights = a->kind == ACTOR_TOKEN ? t.rights & u.rights : u.rights;
	return 0;
}

struct rights {
	struct actor *actor;
	int64_t now_ms;
};

static int rights_tx(struct sql *q, void *arg, struct err *err)
{
	struct rights *r = arg;

	return rights_now(q, r->actor, r->now_ms, err);
}

/* ---- how far it has come: the job's result ---- */

struct progress {
	int64_t done, refused, before; /* before: of a search, the number behind which it goes on; 0 = from the newest */
};

static struct progress progress_read(const struct job *job)
{
	_cleanup_json_ json_t *o = json_text_or_null(job->result);

	return (struct progress){
		.done = json_integer_value(json_object_get(o, "done")), .refused = json_integer_value(json_object_get(o, "refused")),
		.before = json_integer_value(json_object_get(o, "before")),
	};
}

static char *progress_text(const struct progress *p, int64_t total)
{
	_cleanup_json_ json_t *o = json_pack("{s:s, s:I, s:I, s:o, s:I}", "kind", "bulk", "done", (json_int_t)p->done, "refused", (json_int_t)p->refused,
					     "total", total ? json_integer(total) : json_null(), "before", (json_int_t)p->before);

	return json_text(o);
}

/* ---- one row ---- */

static char *row_text_of(const struct row_result *r)
{
	_cleanup_json_ json_t *o = json_pack("{s:s, s:o, s:I, s:o, s:o, s:I, s:o, s:b}", "ref", r->ref, "certificate_id",
					     json_str_or_null(r->certificate_id), "certificate_num", (json_int_t)r->certificate_num, "names",
					     json_strlist(&r->names), "order_id", json_str_or_null(r->order_id), "order_num", (json_int_t)r->order_num,
					     "job_id", json_str_or_null(r->job_id), "existing", r->existing);

	if (err_is(&r->err))
		json_object_set_new(o, "reason", err_to_json(&r->err));
	return json_text(o);
}

static void row_of_text(const char *text, struct row_result *r)
{
	_cleanup_json_ json_t *o = json_text_or_null(text);
	const json_t *reason = json_object_get(o, "reason");

	r->ref = xstrdup(text_of(o, "ref") ? text_of(o, "ref") : "");
	r->certificate_id = xstrdup_null(text_of(o, "certificate_id"));
	r->certificate_num = json_integer_value(json_object_get(o, "certificate_num"));
	list_of(json_object_get(o, "names"), &r->names);
	r->order_id = xstrdup_null(text_of(o, "order_id"));
	r->order_num = json_integer_value(json_object_get(o, "order_num"));
	r->job_id = xstrdup_null(text_of(o, "job_id"));
	r->existing = json_is_true(json_object_get(o, "existing"));
	if (json_is_object(reason))
		err_from_json(reason, &r->err);
}

struct one {
	const struct bulk_plan *plan;
	struct row_job *rows;
	struct actor *actor;
	const struct job *job;
	struct progress was, is;
	int64_t total;
	char *text; /* of is */
};

static int one_tx(struct sql *tx, void *arg, struct err *err)
{
	struct one *o = arg;
	struct row_result *row = o->rows->row;
	_cleanup_free_ char *result = NULL;

	if (rights_now(tx, o->actor, o->rows->now_ms, err) < 0 || bulk_plan_authorize(o->plan, o->actor, err) < 0)
		return -(int)err->code;
	err_clear(&row->err);
	o->is = o->was;
	if (sql_tx(tx, o->plan->fn, o->rows, &row->err) < 0) {
		if (row_is_stores(&row->err))
			return err_move(err, &row->err); /* the job waits, the row is tried again */
		replace_str(&row->order_id, NULL);
		replace_str(&row->job_id, NULL);
		row->order_num = 0;
		row->existing = false;
		o->is.refused++;
	} else {
		o->is.done++;
	}
	if (row->certificate_num)
		o->is.before = row->certificate_num;
	result = row_text_of(row);
	free(o->text);
	o->text = progress_text(&o->is, o->total);
	return store_bulk_row_add(tx, o->job, o->is.done + o->is.refused, result, o->text, o->rows->now_ms, err);
}

struct work {
	struct service *s;
	struct job *job;
	struct bulk_plan plan;
	struct actor *actor;
	struct progress at;
	int64_t total, until_ms;
};

static int do_one(struct work *w, const char *ref, struct err *err)
{
	_cleanup_audit_ struct audit audit = { 0 };
	struct row_result row = { .ref = xstrdup(ref) };
	struct row_job *rows = &w->plan.rows;
	struct one o = { .plan = &w->plan, .rows = rows, .actor = w->actor, .job = w->job, .was = w->at, .total = w->total };
	int rc;

	rows->now_ms = service_now(w->s);
	row_begin(rows, &row, w->plan.audit, &audit);
	rc = store_write_patient(w->s->store, one_tx, &o, err);
	if (rc >= 0) {
		w->at = o.is;
		replace_str(&w->job->result, o.text);
	}
	free(o.text);
	row_result_done(&row);
	return rc < 0 ? rc : 0;
}

/* ---- the stretches ---- */

static bool over_time(const struct work *w)
{
	return clock_boot(&clock_system) >= w->until_ms;
}

static int do_named(struct work *w, const struct strlist *ids, bool *ret_more, struct err *err)
{
	for (size_t i = (size_t)(w->at.done + w->at.refused); i < ids->n; i++) {
		if (over_time(w)) {
			*ret_more = true;
			return 0;
		}
		if (do_one(w, ids->v[i], err) < 0)
			return -(int)err->code;
	}
	return 0;
}

struct find {
	const struct search *search;
	struct page page;
	int64_t now_ms;
	struct search_page found;
};

static int find_tx(struct sql *q, void *arg, struct err *err)
{
	struct find *f = arg;

	return store_search(q, f->search, false, &f->page, f->now_ms, &f->found, err);
}

/* What the search means was settled when it was asked for: "within 14 days" is 14 days from then. */
static int do_found(struct work *w, const char *q, bool *ret_more, struct err *err)
{
	_cleanup_search_ struct search search = { 0 };
	struct find f = { .search = &search, .page = { .limit = FOUND_AT_ONCE }, .now_ms = w->job->created_ms };
	int rc = search_parse(q, w->job->created_ms, &search, err);

	*ret_more = true;
	while (rc >= 0 && *ret_more && !over_time(w)) {
		f.page.started = w->at.before > 0;
		f.page.after_key = w->at.before;
		rc = store_read(w->s->store, find_tx, &f, err);
		for (size_t i = 0; rc >= 0 && i < f.found.ids.n && !over_time(w); i++)
			rc = do_one(w, f.found.ids.v[i], err);
		if (over_time(w))
			break;
		*ret_more = f.found.more;
		if (f.found.more)
			w->at.before = f.found.key;
	}
	search_page_done(&f.found);
	free(w->job->result);
	w->job->result = progress_text(&w->at, w->total);
	return rc < 0 ? -(int)err->code : 0;
}

int bulk_stretch(void *arg, struct job *job, bool *ret_more, struct err *err)
{
	__attribute__((cleanup(stored_done))) struct stored stored = { 0 };
	struct work w = { .s = arg, .job = job, .actor = &stored.actor, .at = progress_read(job), .until_ms = clock_boot(&clock_system) + STRETCH_MS };
	int rc;

	*ret_more = false;
	if (stored_read(job, &stored, err) < 0 ||
	    store_read(w.s->store, rights_tx, &(struct rights){ w.actor, service_now(w.s) }, err) < 0)
		return -(int)err->code;
	w.total = (int64_t)stored.request.certificate_ids.n;
	rc = bulk_plan_make(w.s, w.actor, &stored.request, &w.plan, err);
	if (rc >= 0)
		rc = stored.request.q ? do_found(&w, stored.request.q, ret_more, err) : do_named(&w, &stored.request.certificate_ids, ret_more, err);
	bulk_plan_done(&w.plan);
	return rc;
}

/* ---- asked for, and read ---- */

struct store_job_tx {
	const struct job_request *request;
	struct job *ret;
	struct audit *audit;
};

static int store_tx(struct sql *tx, void *arg, struct err *err)
{
	struct store_job_tx *j = arg;
	char id[27];

	job_done(j->ret);
	if (job_intake(tx, j->request, id, err) < 0 || store_job_get(tx, id, j->ret, err) < 0)
		return -(int)err->code;
	replace_str(&j->audit->object_id, id);
	return store_audit_add(tx, j->audit, err);
}

int service_bulk_store(struct service *s, const struct actor *a, const struct bulk_create *r, struct job *ret, struct err *err)
{
	_cleanup_json_ json_t *doc = NULL, *detail = NULL;
	_cleanup_free_ char *args = NULL;
	_cleanup_search_ struct search search = { 0 };
	_cleanup_audit_ struct audit audit = { 0 };
	struct ulid id = ulid_new(service_now(s));
	struct bulk_plan plan = { 0 };
	struct job_request q = { .id = id.s, .kind = JOB_BULK, .created_by = a->user_id, .now_ms = service_now(s) };
	int rc = bulk_plan_make(s, a, r, &plan, err);

	bulk_plan_done(&plan);
	if (rc < 0 || (r->q && search_parse(r->q, q.now_ms, &search, err) < 0))
		return -(int)err->code;
	if (r->preview || r->cursor)
		return err_set_field(err, ERR_INVALID, r->preview ? "/preview" : "/cursor", "what is stored is done, all of it");
	doc = request_json(a, r);
	q.args = args = json_text(doc);
	audit_begin(s, a, "certificate.bulk", "job", &audit);
	detail = json_pack("{s:s, s:o, s:I}", "action", r->action, "search", json_str_or_null(r->q), "certificates", (json_int_t)r->certificate_ids.n);
	audit.detail = json_text(detail);
	return store_write(s->store, store_tx, &(struct store_job_tx){ &q, ret, &audit }, err);
}

struct rows_read {
	const char *ref;
	const struct page *page;
	struct bulk_row_list rows;
};

static int rows_tx(struct sql *q, void *arg, struct err *err)
{
	struct rows_read *r = arg;
	_cleanup_job_ struct job j = { 0 };

	if (SERVICE_GET(q, r->ref, store_job_get, store_job_get_num, &j, err) < 0)
		return -(int)err->code;
	return store_bulk_row_list(q, j.id, r->page, &r->rows, err);
}

int service_bulk_rows(struct service *s, const char *ref, const struct list_query *q, struct row_result_list *ret, struct list_end *end,
		      struct err *err)
{
	_cleanup_cursor_ struct cursor c = { 0 };
	struct rows_read r = { .ref = ref, .page = &c.page };

	if (cursor_open(s, "job-rows", ref, q, &c, err) < 0)
		return -(int)err->code;
	if (store_read(s->store, rows_tx, &r, err) < 0) {
		bulk_row_list_done(&r.rows);
		return -(int)err->code;
	}
	for (size_t i = 0; i < r.rows.n; i++)
		row_of_text(r.rows.v[i].result, row_result_list_add(ret));
	cursor_close(s, "job-rows", ref, r.rows.more, r.rows.n ? r.rows.v[r.rows.n - 1].position : 0, NULL, "", end);
	bulk_row_list_done(&r.rows);
	return 0;
}
