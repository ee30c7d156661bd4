/* SPDX-License-Identifier: Apache-2.0 */
/* job.c - jobs: every outward act that is not an order. */
#include "store/job.h"

#include "store/lib.h"
#include "store/rows.h"

static const char JOB_ADD[] =
	"INSERT INTO job (" JOB_COLUMNS ") VALUES ($1, 0, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, NULL, 0, 0, 0, 0, $13,"
	" $14, $14, 0, 0)";
static const char JOB_GET[] = "SELECT " JOB_COLUMNS " FROM job WHERE id = $1";
static const char JOB_GET_NUM[] = "SELECT " JOB_COLUMNS " FROM job WHERE num = $1";
static const char JOB_PUT[] =
	"UPDATE job SET subject_id = $3, args = $4, state = $5, result = $6, reason = $7, lane = $8, due_ms = $9,"
	" give_up_ms = $10, attempts = $11, set_aside = $12, ended_ms = $13, updated_ms = $14, starts = 0,"
	" lease_owner = CASE WHEN $15 = 0 THEN NULL ELSE lease_owner END, lease_until_ms = $15, ok_ms = $16 WHERE id = $1 AND gen = $2";
static const char *const job_lists[4][2] = {
	LISTED(JOB_COLUMNS, "job", "1 = 1"),
	LISTED(JOB_COLUMNS, "job", "kind = $4"),
	LISTED(JOB_COLUMNS, "job", "state = $4"),
	LISTED(JOB_COLUMNS, "job", "kind = $4 AND state = $5"),
};
static const char JOB_LIST_SUBJECT[] = "SELECT " JOB_COLUMNS " FROM job WHERE subject_id = $4 AND (created_ms, id) < ($1, $2)"
				       " ORDER BY created_ms DESC, id DESC LIMIT $3";
static const char JOB_FIND[] = "SELECT " JOB_COLUMNS " FROM job WHERE subject_id = $2 AND kind = $1 AND ended_ms = 0"
			       " ORDER BY created_ms LIMIT 1";
static const char JOB_FIND_ALONE[] = "SELECT " JOB_COLUMNS " FROM job WHERE kind = $1 AND subject_id IS NULL AND ended_ms = 0"
				     " ORDER BY created_ms LIMIT 1";
static const char JOB_PRUNE_OLD[] =
	"DELETE FROM job WHERE id IN (SELECT id FROM job WHERE ended_ms > 0 AND ended_ms < $1 AND created_ms < $1"
	" ORDER BY created_ms LIMIT 500)";

int job_from_row(const struct row *r, struct job *j, struct err *err)
{
	j->id = row_text_dup(r, 0);
	j->gen = row_int(r, 1);
	j->num = row_int(r, 2);
	j->subject_kind = row_text_dup(r, 4);
	j->subject_id = row_text_dup(r, 5);
	j->args = row_text_dup(r, 6);
	j->result = row_text_dup(r, 8);
	j->reason = row_text_dup(r, 9);
	j->lane = row_text_dup(r, 10);
	j->due_ms = row_int(r, 11);
	j->give_up_ms = row_int(r, 12);
	j->lease_owner = row_text_dup(r, 13);
	j->lease_until_ms = row_int(r, 14);
	j->starts = row_int(r, 15);
	j->attempts = row_int(r, 16);
	j->set_aside = row_bool(r, 17);
	j->created_by = row_text_dup(r, 18);
	j->created_ms = row_int(r, 19);
	j->updated_ms = row_int(r, 20);
	j->ended_ms = row_int(r, 21);
	j->ok_ms = row_int(r, 22);
	if (ROW_ENUM(job_kind, r, 3, &j->kind, err) < 0 || ROW_ENUM(job_state, r, 7, &j->state, err) < 0)
		return err_wrap(err, "could not read job '%s'", j->id);
	return 0;
}

DEFINE_ROW_FN(job)
DEFINE_COLLECT(job)

int store_job_add(struct sql *tx, struct job *j, struct err *err)
{
	int64_t num = 0;

	if (store_next_num(tx, "job", &num, err) < 0)
		return -(int)err->code;
	if (sql_exec(tx, JOB_ADD,
		     SQL_VALUES(SQL_TEXT(j->id), SQL_INT(num), SQL_TEXT(job_kind_text(j->kind)), SQL_TEXT(j->subject_kind),
				SQL_TEXT(j->subject_id), SQL_TEXT(j->args ? j->args : "{}"), SQL_TEXT(job_state_text(j->state)),
				SQL_TEXT(j->result), SQL_TEXT(j->reason), SQL_TEXT(j->lane), SQL_INT(j->due_ms),
				SQL_INT(j->give_up_ms), SQL_TEXT(j->created_by), SQL_INT(j->created_ms)),
		     NULL, err) < 0)
		return err_wrap(err, "could not store job '%s'", j->id);
	j->num = num;
	store_touch(tx, "job", j->id, 0);
	return 0;
}

int store_job_get(struct sql *q, const char *id, struct job *ret, struct err *err)
{
	return job_one(q, JOB_GET, SQL_VALUES(SQL_TEXT(id)), "job", id, ret, err);
}

int store_job_get_num(struct sql *q, int64_t num, struct job *ret, struct err *err)
{
	return job_one(q, JOB_GET_NUM, SQL_VALUES(SQL_INT(num)), "job", num_text(num).s, ret, err);
}

int store_job_put(struct sql *tx, const struct job *j, enum lease_then then, int64_t now_ms, struct err *err)
{
	int64_t lease = then == LEASE_KEEP ? j->lease_until_ms : 0;

	if (exec_named(tx, JOB_PUT,
		       SQL_VALUES(SQL_TEXT(j->id), SQL_INT(j->gen), SQL_TEXT(j->subject_id), SQL_TEXT(j->args ? j->args : "{}"),
				  SQL_TEXT(job_state_text(j->state)), SQL_TEXT(j->result), SQL_TEXT(j->reason),
				  SQL_TEXT(j->lane), SQL_INT(lease ? lease : j->due_ms), SQL_INT(j->give_up_ms),
				  SQL_INT(j->attempts), SQL_BOOL(j->set_aside), SQL_INT(j->ended_ms), SQL_INT(now_ms),
				  SQL_INT(lease), SQL_INT(j->ok_ms)),
		       ERR_LOST_LEASE, "job", j->id, err) < 0)
		return -(int)err->code;
	store_touch(tx, "job", j->id, 0);
	return 0;
}

int store_job_list(struct sql *q, const struct job_filter *f, const struct page *p, struct job_list *ret, struct err *err)
{
	struct sql_value v[5] = { SQL_INT(page_key(p)), SQL_TEXT(page_id(p)), SQL_INT(p->limit + 1) };
	size_t n = 3;

	if (f->kind)
		v[n++] = SQL_TEXT(f->kind);
	if (f->state)
		v[n++] = SQL_TEXT(f->state);
	return job_fetch(q, job_lists[(f->kind ? 1 : 0) + (f->state ? 2 : 0)][p->order], (struct sql_values){ v, n }, p->limit, ret, err);
}

int store_job_list_subject(struct sql *q, const char *subject_id, const struct page *p, struct job_list *ret,
			   struct err *err)
{
	return job_fetch(q, JOB_LIST_SUBJECT,
			 SQL_VALUES(SQL_INT(page_key_desc(p)), SQL_TEXT(page_id(p)), SQL_INT(p->limit + 1),
				    SQL_TEXT(subject_id)),
			 p->limit, ret, err);
}

int store_job_find_live(struct sql *q, enum job_kind kind, const char *subject_id, struct job *ret, struct err *err)
{
	const char *k = job_kind_text(kind);

	if (!subject_id)
		return job_one(q, JOB_FIND_ALONE, SQL_VALUES(SQL_TEXT(k)), "live job of kind", k, ret, err);
	return job_one(q, JOB_FIND, SQL_VALUES(SQL_TEXT(k), SQL_TEXT(subject_id)), "live job about", subject_id, ret, err);
}

static const char JOB_COUNT_LIVE[] = "SELECT count(*) FROM job WHERE ended_ms = 0";
static const char JOB_COUNT_FAILED[] = "SELECT count(*) FROM job WHERE state = 'failed'";

int store_job_count(struct sql *q, int64_t *ret_live, int64_t *ret_failed, struct err *err)
{
	if (sql_int(q, JOB_COUNT_LIVE, SQL_NONE, ret_live, err) < 0)
		return -(int)err->code;
	return sql_int(q, JOB_COUNT_FAILED, SQL_NONE, ret_failed, err);
}

int store_job_prune(struct sql *tx, int64_t ended_before_ms, int64_t *ret_n, struct err *err)
{
	return prune(tx, JOB_PRUNE_OLD, SQL_VALUES(SQL_INT(ended_before_ms)), ret_n, "job", err);
}

/* ---- how it goes ---- */

static const char JOB_OK[] = "SELECT max(ok_ms) FROM job WHERE kind = $1";
static const char JOB_LIVE_KIND[] = "SELECT count(*) FROM job WHERE kind = $1 AND ended_ms = 0";
static const char JOB_TROUBLED[] = "SELECT " JOB_COLUMNS " FROM job WHERE ended_ms = 0 AND reason IS NOT NULL AND attempts > 0"
				   " ORDER BY created_ms DESC LIMIT $1";

int store_job_facts(struct sql *q, struct job_fact ret[job_kind_count], struct err *err)
{
	for (unsigned k = 0; k < job_kind_count; k++) {
		const struct sql_values kind = SQL_VALUES(SQL_TEXT(job_kind_text((enum job_kind)k)));

		if (sql_int(q, JOB_OK, kind, &ret[k].ok_ms, err) < 0 || sql_int(q, JOB_LIVE_KIND, kind, &ret[k].live, err) < 0)
			return err_wrap(err, "could not read how jobs go");
	}
	return 0;
}

int store_job_list_troubled(struct sql *q, int limit, struct job_list *ret, struct err *err)
{
	return job_fetch(q, JOB_TROUBLED, SQL_VALUES(SQL_INT(limit)), limit, ret, err);
}
