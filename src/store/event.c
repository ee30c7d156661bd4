/* SPDX-License-Identifier: Apache-2.0 */
/* event.c - the story of an object, one human sentence a row; pruned. */
#include "store/event.h"

#include "store/lib.h"

#define COLUMNS "id, subject_kind, subject_id, at_ms, level, text, detail"

static const char EVENT_ADD[] = "INSERT INTO event (" COLUMNS ") VALUES ($1, $2, $3, $4, $5, $6, $7)";
static const char EVENT_LIST[] =
	"SELECT " COLUMNS " FROM event WHERE subject_id = $1 AND id > $2 ORDER BY id LIMIT $3";
static const char EVENT_LATEST[] = "SELECT " COLUMNS " FROM event ORDER BY at_ms DESC LIMIT $1";
static const char EVENT_PRUNE[] =
	"DELETE FROM event WHERE id IN (SELECT e.id FROM event e LEFT JOIN orders o ON o.id = e.subject_id AND o.ended_ms = 0"
	" WHERE e.at_ms < $1 AND o.id IS NULL ORDER BY e.at_ms LIMIT 500)";

static int event_from_row(const struct row *r, struct event *e, struct err *err)
{
	e->id = row_text_dup(r, 0);
	e->subject_kind = row_text_dup(r, 1);
	e->subject_id = row_text_dup(r, 2);
	e->at_ms = row_int(r, 3);
	e->text = row_text_dup(r, 5);
	e->detail = row_text_dup(r, 6);
	return ROW_ENUM(event_level, r, 4, &e->level, err);
}

DEFINE_ROW_FN(event)
DEFINE_COLLECT(event)

int store_event_add(struct sql *tx, const struct event *e, struct err *err)
{
	if (sql_exec(tx, EVENT_ADD,
		     SQL_VALUES(SQL_TEXT(e->id), SQL_TEXT(e->subject_kind), SQL_TEXT(e->subject_id), SQL_INT(e->at_ms),
				SQL_TEXT(event_level_text(e->level)), SQL_TEXT(e->text), SQL_TEXT(e->detail)),
		     NULL, err) < 0)
		return err_wrap(err, "could not store an event of %s '%s'", e->subject_kind, e->subject_id);
	store_touch(tx, e->subject_kind, e->subject_id, 0);
	return 0;
}

int store_event_list(struct sql *q, const char *subject_id, const struct page *p, struct event_list *ret, struct err *err)
{
	return event_fetch(q, EVENT_LIST, SQL_VALUES(SQL_TEXT(subject_id), SQL_TEXT(page_id(p)), SQL_INT(p->limit + 1)),
			   p->limit, ret, err);
}

int store_event_prune(struct sql *tx, int64_t before_ms, int64_t *ret_n, struct err *err)
{
	return prune(tx, EVENT_PRUNE, SQL_VALUES(SQL_INT(before_ms)), ret_n, "event", err);
}

int store_event_latest(struct sql *q, int limit, struct event_list *ret, struct err *err)
{
	return event_fetch(q, EVENT_LATEST, SQL_VALUES(SQL_INT(limit)), limit, ret, err);
}
