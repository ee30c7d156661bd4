/* SPDX-License-Identifier: Apache-2.0 */
/* rows.c - see rows.h. */
#include "service/rows.h"

void row_result_done(struct row_result *r)
{
	free(r->ref);
	free(r->certificate_id);
	free(r->order_id);
	free(r->job_id);
	strlist_clear(&r->names);
	err_clear(&r->err);
	memset(r, 0, sizeof *r);
}

int row_find(struct sql *tx, struct row_job *j, struct certificate *c, struct err *err)
{
	if (SERVICE_GET(tx, j->row->ref, store_certificate_get, store_certificate_get_num, c, err) < 0)
		return -(int)err->code;
	replace_str(&j->row->certificate_id, c->id);
	j->row->certificate_num = c->num;
	strlist_clear(&j->row->names);
	strlist_copy(&j->row->names, &c->names);
	replace_str(&j->audit->object_id, c->id);
	replace_str(&j->audit->object_name, c->names.n ? c->names.v[0] : NULL);
	return 0;
}

bool row_is_stores(const struct err *e)
{
	return e->code == ERR_STORE || e->code == ERR_BUSY || e->code == ERR_NO_SPACE;
}

void row_begin(struct row_job *j, struct row_result *row, const char *action, struct audit *audit)
{
	audit_begin(j->s, j->actor, action, "certificate", audit);
	j->row = row;
	j->audit = audit;
	j->order_id = ulid_new(j->now_ms);
	j->job_id = ulid_new(j->now_ms);
}

/* ---- judged, and undone: what a preview says is what would have been done ---- */

struct trial {
	sql_tx_fn *fn;
	struct row_job *job;
	bool worked;
};

static int trial_inner(struct sql *tx, void *arg, struct err *err)
{
	struct trial *t = arg;

	if (t->fn(tx, t->job, err) < 0)
		return -(int)err->code;
	t->worked = true;
	return err_set(err, ERR_CONFLICT, "only looked at"); /* undoes the savepoint */
}

static int trial_tx(struct sql *tx, void *arg, struct err *err)
{
	struct trial *t = arg;
	struct row_result *row = t->job->row;

	t->worked = false;
	if (sql_tx(tx, trial_inner, t, err) == 0 || !t->worked)
		return -(int)err->code;
	err_clear(err);
	if (!row->existing) { /* there is none */
		replace_str(&row->order_id, NULL);
		row->order_num = 0;
	}
	replace_str(&row->job_id, NULL);
	return 0;
}

static int row_run(struct row_job *j, sql_tx_fn *fn, struct err *err)
{
	struct trial t = { .fn = fn, .job = j };

	return j->preview ? store_write(j->s->store, trial_tx, &t, err) : store_write(j->s->store, fn, j, err);
}

/* The store takes nothing at the moment: the rest would only be refused one by one. */
static void not_tried(const struct strlist *refs, size_t from, const struct err *why, struct row_result_list *ret)
{
	for (size_t i = from; i < refs->n; i++) {
		struct row_result *row = row_result_list_add(ret);

		row->ref = xstrdup(refs->v[i]);
		err_copy(&row->err, why);
		err_wrap(&row->err, "not tried, like all behind the first that could not be stored");
	}
}

int rows_each(struct row_job *j, const struct strlist *refs, const char *action, sql_tx_fn *fn, struct row_result_list *ret, struct err *err)
{
	for (size_t i = 0; i < refs->n; i++) {
		_cleanup_audit_ struct audit audit = { 0 };
		struct row_result *row = row_result_list_add(ret);
		int rc;

		row->ref = xstrdup(refs->v[i]);
		row_begin(j, row, action, &audit);
		rc = row_run(j, fn, &row->err);
		j->audit = NULL; /* it ends with its row */
		if (rc < 0 && row_is_stores(&row->err)) {
			if (i == 0)
				return err_move(err, &row->err);
			not_tried(refs, i + 1, &row->err, ret);
			return 0;
		}
	}
	return 0;
}
