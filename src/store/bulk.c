/* SPDX-License-Identifier: Apache-2.0 */
/* bulk.c - see bulk.h. */
#include "store/bulk.h"

#include "store/lib.h"

/* A job whose rows get done is not what ends the process: it is not set aside for that. */
static const char PROGRESS[] = "UPDATE job SET result = $3, updated_ms = $4, starts = 0 WHERE id = $1 AND gen = $2";
static const char ROW_ADD[] = "INSERT INTO bulk_row (job_id, position, result) VALUES ($1, $2, $3)";
static const char ROW_LIST[] = "SELECT position, result FROM bulk_row WHERE job_id = $1 AND position > $2 ORDER BY position LIMIT $3";

int store_bulk_row_add(struct sql *tx, const struct job *j, int64_t position, const char *result, const char *progress, int64_t now_ms,
		       struct err *err)
{
	if (exec_named(tx, PROGRESS, SQL_VALUES(SQL_TEXT(j->id), SQL_INT(j->gen), SQL_TEXT(progress), SQL_INT(now_ms)), ERR_LOST_LEASE, "job", j->id,
		       err) < 0)
		return -(int)err->code;
	if (sql_exec(tx, ROW_ADD, SQL_VALUES(SQL_TEXT(j->id), SQL_INT(position), SQL_TEXT(result)), NULL, err) < 0)
		return err_wrap(err, "could not store a row of job '%s'", j->id);
	store_touch(tx, "job", j->id, 0);
	return 0;
}

static int bulk_row_from_row(const struct row *r, struct bulk_row *b, UNUSED struct err *err)
{
	b->position = row_int(r, 0);
	b->result = row_text_dup(r, 1);
	return 0;
}

DEFINE_ROW_FN(bulk_row)
DEFINE_COLLECT(bulk_row)

int store_bulk_row_list(struct sql *q, const char *job_id, const struct page *p, struct bulk_row_list *ret, struct err *err)
{
	return bulk_row_fetch(q, ROW_LIST, SQL_VALUES(SQL_TEXT(job_id), SQL_INT(page_key_asc(p)), SQL_INT(p->limit + 1)), p->limit, ret, err);
}
