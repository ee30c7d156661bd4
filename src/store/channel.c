/* SPDX-License-Identifier: Apache-2.0 */
/* channel.c - see channel.h. */
#include "store/channel.h"

#include "base/limits.h"
#include "store/narrow.h"

#define COLUMNS                                                                                                        \
	"id, num, kind, name, enabled, settings, events, vendors, sealed, connection, status, reason, tested_ms, sent_ms,"  \
	" digest_ms, dropped, rev, created_ms, updated_ms, deleted_ms, tags, owners, search"

static const char ADD[] = "INSERT INTO channel (" COLUMNS ") VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, 'new', NULL, 0, 0,"
			  " $11, 0, 1, $12, $12, 0, $13, $14, $15)";
static const char SAME[] = "SELECT 1 FROM channel WHERE name = $1 AND deleted_ms = 0 AND id <> $2";
static const char COUNT[] = "SELECT COUNT(*) FROM live_channel";
static const char PUT[] =
	"UPDATE channel SET name = $3, enabled = $4, settings = $5, events = $6, vendors = $7, sealed = $8, connection = $9,"
	" updated_ms = $10, tags = $11, owners = $12, search = $13, rev = rev + 1 WHERE id = $1 AND deleted_ms = 0 AND ($2 = 0 OR rev = $2) RETURNING rev";
static const char PUT_STATE[] =
	"UPDATE channel SET status = $2, reason = $3, tested_ms = $4, sent_ms = $5, digest_ms = $6, dropped = $7 WHERE id = $1";
static const char GET[] = "SELECT " COLUMNS " FROM live_channel WHERE id = $1";
static const char GET_NUM[] = "SELECT " COLUMNS " FROM live_channel WHERE num = $1";
static const char *const LIST[] = NARROWED(COLUMNS, "live_channel", "(kind = $5 OR $5 = '')", "name");
static const char ALL[] = "SELECT " COLUMNS " FROM live_channel ORDER BY created_ms, id";
static const char DELETE[] =
	"UPDATE channel SET deleted_ms = $2, sealed = NULL, rev = rev + 1 WHERE id = $1 AND deleted_ms = 0 RETURNING rev";
static const char GIVE_UP[] =
	"UPDATE outbox SET state = 'dropped', ended_ms = $2 WHERE channel_id = $1 AND state = 'waiting'";

static int channel_from_row(const struct row *r, struct channel *c, struct err *err)
{
	void *sealed = NULL;

	c->id = row_text_dup(r, 0);
	c->num = row_int(r, 1);
	c->name = row_text_dup(r, 3);
	c->enabled = row_int(r, 4) != 0;
	c->settings = row_text_dup(r, 5);
	row_names(r, 6, &c->events);
	row_names(r, 7, &c->vendors);
	row_blob_dup(r, 8, &sealed, &c->sealed_n);
	c->sealed = sealed;
	c->connection = row_text_dup(r, 9);
	c->reason = row_text_dup(r, 11);
	c->tested_ms = row_int(r, 12);
	c->sent_ms = row_int(r, 13);
	c->digest_ms = row_int(r, 14);
	c->dropped = row_int(r, 15);
	c->rev = row_int(r, 16);
	c->created_ms = row_int(r, 17);
	c->updated_ms = row_int(r, 18);
	c->deleted_ms = row_int(r, 19);
	row_names(r, 20, &c->tags);
	row_names(r, 21, &c->owners);
	c->search = row_text_dup(r, 22);
	if (ROW_ENUM(channel_kind, r, 2, &c->kind, err) < 0 || ROW_ENUM(channel_status, r, 10, &c->status, err) < 0)
		return err_wrap(err, "could not read notification channel '%s'", c->id);
	return 0;
}

DEFINE_ROW_FN(channel)
DEFINE_COLLECT(channel)

static int name_free(struct sql *tx, const struct channel *c, struct err *err)
{
	bool there = false;

	if (sql_exists(tx, SAME, SQL_VALUES(SQL_TEXT(c->name), SQL_TEXT(c->id)), &there, err) < 0)
		return err_wrap(err, "could not read notification channels");
	return there ? err_set_field(err, ERR_CONFLICT, "/name", "there is a notification channel '%s' already", c->name) : 0;
}

int store_channel_add(struct sql *tx, struct channel *c, struct err *err)
{
	_cleanup_free_ char *events = names_text(&c->events), *vendors = names_text(&c->vendors), *tags = names_text(&c->tags),
			    *owners = names_text(&c->owners);
	int64_t num = 0, n = 0;

	if (name_free(tx, c, err) < 0)
		return -(int)err->code;
	if (sql_int(tx, COUNT, SQL_NONE, &n, err) < 0 || store_next_num(tx, "channel", &num, err) < 0)
		return err_wrap(err, "could not count notification channels");
	if (n >= LIMIT_CHANNELS)
		return err_set(err, ERR_CONFLICT, "there are %d notification channels already; delete one first", LIMIT_CHANNELS);
	if (sql_exec(tx, ADD,
		     SQL_VALUES(SQL_TEXT(c->id), SQL_INT(num), SQL_TEXT(channel_kind_text(c->kind)), SQL_TEXT(c->name), SQL_INT(c->enabled),
				SQL_TEXT(c->settings), SQL_TEXT(events), SQL_TEXT(vendors), SQL_BLOB(c->sealed, c->sealed_n),
				SQL_TEXT(c->connection), SQL_INT(c->digest_ms), SQL_INT(c->created_ms),
				SQL_TEXT(tags), SQL_TEXT(owners), SQL_TEXT(c->search)),
		     NULL, err) < 0)
		return err_wrap(err, "could not store notification channel '%s'", c->name);
	c->num = num;
	c->rev = 1;
	store_touch(tx, "channel", c->id, 1);
	return 0;
}

int store_channel_put(struct sql *tx, struct channel *c, int64_t expect_rev, struct err *err)
{
	_cleanup_free_ char *events = names_text(&c->events), *vendors = names_text(&c->vendors), *tags = names_text(&c->tags),
			    *owners = names_text(&c->owners);
	int64_t rev = 0;

	if (name_free(tx, c, err) < 0)
		return -(int)err->code;
	if (put_rev(tx, PUT,
		    SQL_VALUES(SQL_TEXT(c->id), SQL_INT(expect_rev), SQL_TEXT(c->name), SQL_INT(c->enabled), SQL_TEXT(c->settings),
			       SQL_TEXT(events), SQL_TEXT(vendors), SQL_BLOB(c->sealed, c->sealed_n), SQL_TEXT(c->connection),
			       SQL_INT(c->updated_ms), SQL_TEXT(tags), SQL_TEXT(owners), SQL_TEXT(c->search)),
		    GET, "notification channel", c->id, &rev, err) < 0)
		return -(int)err->code;
	c->rev = rev;
	store_touch(tx, "channel", c->id, rev);
	return 0;
}

int store_channel_put_state(struct sql *tx, const struct channel *c, struct err *err)
{
	if (sql_exec(tx, PUT_STATE,
		     SQL_VALUES(SQL_TEXT(c->id), SQL_TEXT(channel_status_text(c->status)), SQL_TEXT(c->reason), SQL_INT(c->tested_ms),
				SQL_INT(c->sent_ms), SQL_INT(c->digest_ms), SQL_INT(c->dropped)),
		     NULL, err) < 0)
		return err_wrap(err, "could not write notification channel '%s'", c->name);
	store_touch(tx, "channel", c->id, 0);
	return 0;
}

int store_channel_get(struct sql *q, const char *id, struct channel *ret, struct err *err)
{
	return channel_one(q, GET, SQL_VALUES(SQL_TEXT(id)), "notification channel", id, ret, err);
}

int store_channel_get_num(struct sql *q, int64_t num, struct channel *ret, struct err *err)
{
	return channel_one(q, GET_NUM, SQL_VALUES(SQL_INT(num)), "notification channel", num_text(num).s, ret, err);
}

int store_channel_list(struct sql *q, const struct narrow *by, const struct page *p, struct channel_list *ret, struct err *err)
{
	_cleanup_narrowed_ struct narrowed n = { 0 };

	return channel_fetch(q, LIST[p->order], narrow(by, p, &n), p->limit, ret, err);
}

int store_channel_all(struct sql *q, struct channel_list *ret, struct err *err)
{
	return channel_fetch(q, ALL, SQL_NONE, 0, ret, err);
}

int store_channel_delete(struct sql *tx, const char *id, int64_t now_ms, struct err *err)
{
	int64_t rev = 0;

	if (put_rev(tx, DELETE, SQL_VALUES(SQL_TEXT(id), SQL_INT(now_ms)), GET, "notification channel", id, &rev, err) < 0)
		return -(int)err->code;
	if (sql_exec(tx, GIVE_UP, SQL_VALUES(SQL_TEXT(id), SQL_INT(now_ms)), NULL, err) < 0)
		return err_wrap(err, "could not give up what waits for a notification channel");
	store_touch(tx, "channel", id, rev);
	return 0;
}

/* --- outbox --------------------------------------------------------------------------------------------------------------- */

#define OUTBOX_COLUMNS "id, channel_id, event, phase, notice_id, detail, subject, state, created_ms, due_ms, ended_ms"

static const char OUTBOX_ADD[] =
	"INSERT INTO outbox (" OUTBOX_COLUMNS ") VALUES ($1, $2, $3, $4, $5, $6, NULL, 'waiting', $7, $8, 0)";
static const char OUTBOX_NEXT[] =
	"SELECT " OUTBOX_COLUMNS " FROM outbox WHERE channel_id = $1 AND state = 'waiting' ORDER BY due_ms, id LIMIT 1";
static const char OUTBOX_COUNT[] = "SELECT COUNT(*) FROM outbox WHERE channel_id = $1 AND state = 'waiting'";
static const char OUTBOX_END[] =
	"UPDATE outbox SET state = $2, subject = $3, ended_ms = $4 WHERE id = $1 AND state = 'waiting'";
static const char OUTBOX_TOLD[] =
	"SELECT " OUTBOX_COLUMNS " FROM outbox WHERE notice_id = $1 AND channel_id = $2 AND phase = 'raised'"
	" AND (state = 'sent' OR state = 'waiting')";
static const char OUTBOX_DROP_OLD[] =
	"UPDATE outbox SET state = 'dropped', ended_ms = $3 WHERE channel_id = $1 AND state = 'waiting' AND created_ms < $2";
static const char OUTBOX_DROP_MANY[] =
	"UPDATE outbox SET state = 'dropped', ended_ms = $3 WHERE id IN (SELECT id FROM outbox WHERE channel_id = $1 AND"
	" state = 'waiting' ORDER BY due_ms, id LIMIT $2)";
static const char OUTBOX_LIST[] =
	"SELECT " OUTBOX_COLUMNS " FROM outbox WHERE channel_id = $1 AND (created_ms, id) < ($2, $3)"
	" ORDER BY created_ms DESC, id DESC LIMIT $4";
/* What a channel was told of a cause that lasts stays: the digests and the end of it go by that. */
static const char OUTBOX_PRUNE[] = "DELETE FROM outbox WHERE id IN (SELECT o.id FROM outbox o WHERE o.ended_ms > 0 AND o.ended_ms < $1"
				   " AND NOT EXISTS (SELECT 1 FROM notice n WHERE n.id = o.notice_id AND n.ended_ms = 0)"
				   " ORDER BY ended_ms LIMIT 500)";
static const char OUTBOX_OPEN[] =
	"SELECT n.id FROM notice n WHERE n.ended_ms = 0 AND EXISTS (SELECT 1 FROM outbox o WHERE o.notice_id = n.id AND"
	" o.channel_id = $1 AND o.phase = 'raised' AND o.state = 'sent' AND o.ended_ms < $2) ORDER BY n.raised_ms, n.id LIMIT $3";
static const char OUTBOX_LAST_TOLD[] =
	"SELECT coalesce((SELECT created_ms FROM outbox WHERE channel_id = $1 AND created_ms < $2 AND phase IN ('digest', 'raised') AND state = 'sent'"
	" ORDER BY created_ms DESC, id DESC LIMIT 1), 0)";
static const char NOTICE_TOLD[] = "UPDATE notice SET told_ms = $2 WHERE id = $1";

static int outbox_from_row(const struct row *r, struct outbox *o, struct err *err)
{
	o->id = row_text_dup(r, 0);
	o->channel_id = row_text_dup(r, 1);
	o->event = row_text_dup(r, 2);
	o->notice_id = row_text_dup(r, 4);
	o->detail = row_text_dup(r, 5);
	o->subject = row_text_dup(r, 6);
	o->created_ms = row_int(r, 8);
	o->due_ms = row_int(r, 9);
	o->ended_ms = row_int(r, 10);
	if (ROW_ENUM(outbox_phase, r, 3, &o->phase, err) < 0 || ROW_ENUM(outbox_state, r, 7, &o->state, err) < 0)
		return err_wrap(err, "could not read message '%s'", o->id);
	return 0;
}

DEFINE_ROW_FN(outbox)
DEFINE_COLLECT(outbox)

int store_outbox_add(struct sql *tx, const struct outbox *o, struct err *err)
{
	if (sql_exec(tx, OUTBOX_ADD,
		     SQL_VALUES(SQL_TEXT(o->id), SQL_TEXT(o->channel_id), SQL_TEXT(o->event), SQL_TEXT(outbox_phase_text(o->phase)),
				SQL_TEXT(o->notice_id), SQL_TEXT(o->detail), SQL_INT(o->created_ms), SQL_INT(o->due_ms)),
		     NULL, err) < 0)
		return err_wrap(err, "could not store a message");
	return 0;
}

int store_outbox_next(struct sql *q, const char *channel_id, struct outbox *ret, struct err *err)
{
	return outbox_one(q, OUTBOX_NEXT, SQL_VALUES(SQL_TEXT(channel_id)), "message for channel", channel_id, ret, err);
}

int store_outbox_waiting(struct sql *q, const char *channel_id, int64_t *ret_n, struct err *err)
{
	if (sql_int(q, OUTBOX_COUNT, SQL_VALUES(SQL_TEXT(channel_id)), ret_n, err) < 0)
		return err_wrap(err, "could not count what waits for a notification channel");
	return 0;
}

int store_outbox_end(struct sql *tx, const char *id, enum outbox_state state, const char *subject, int64_t now_ms, bool *ret_done,
		     struct err *err)
{
	int64_t changed = 0;

	if (sql_exec(tx, OUTBOX_END, SQL_VALUES(SQL_TEXT(id), SQL_TEXT(outbox_state_text(state)), SQL_TEXT(subject), SQL_INT(now_ms)),
		     &changed, err) < 0)
		return err_wrap(err, "could not end message '%s'", id);
	if (ret_done)
		*ret_done = changed > 0;
	return 0;
}

int store_outbox_told(struct sql *q, const char *channel_id, const char *notice_id, bool *ret_told, char **ret_waiting_id,
		      struct err *err)
{
	_cleanup_outbox_list_ struct outbox_list l = { 0 };

	*ret_told = false;
	*ret_waiting_id = NULL;
	if (outbox_fetch(q, OUTBOX_TOLD, SQL_VALUES(SQL_TEXT(notice_id), SQL_TEXT(channel_id)), 0, &l, err) < 0)
		return -(int)err->code;
	for (size_t i = 0; i < l.n; i++) {
		if (l.v[i].state == OUTBOX_SENT)
			*ret_told = true;
		else if (!*ret_waiting_id)
			*ret_waiting_id = xstrdup(l.v[i].id);
	}
	return 0;
}

int store_outbox_drop(struct sql *tx, const char *channel_id, int64_t made_before_ms, int64_t keep, int64_t now_ms, int64_t *ret_n,
		      struct err *err)
{
	int64_t old = 0, many = 0, waiting = 0;

	if (sql_exec(tx, OUTBOX_DROP_OLD, SQL_VALUES(SQL_TEXT(channel_id), SQL_INT(made_before_ms), SQL_INT(now_ms)), &old, err) < 0 ||
	    store_outbox_waiting(tx, channel_id, &waiting, err) < 0)
		return err_wrap(err, "could not drop messages");
	if (waiting > keep &&
	    sql_exec(tx, OUTBOX_DROP_MANY, SQL_VALUES(SQL_TEXT(channel_id), SQL_INT(waiting - keep), SQL_INT(now_ms)), &many, err) < 0)
		return err_wrap(err, "could not drop messages");
	*ret_n = old + many;
	return 0;
}

int store_outbox_list(struct sql *q, const char *channel_id, const struct page *p, struct outbox_list *ret, struct err *err)
{
	return outbox_fetch(q, OUTBOX_LIST,
			    SQL_VALUES(SQL_TEXT(channel_id), SQL_INT(page_key_desc(p)), SQL_TEXT(page_id(p)), SQL_INT(p->limit + 1)),
			    p->limit, ret, err);
}

int store_outbox_prune(struct sql *tx, int64_t ended_before_ms, int64_t *ret_n, struct err *err)
{
	return prune(tx, OUTBOX_PRUNE, SQL_VALUES(SQL_INT(ended_before_ms)), ret_n, "outbox", err);
}

static int id_row(const struct row *r, void *arg, UNUSED struct err *err)
{
	strlist_add(arg, row_text(r, 0));
	return 0;
}

int store_outbox_open_notices(struct sql *q, const char *channel_id, int64_t told_before_ms, int limit, struct strlist *ret,
			      struct err *err)
{
	strlist_clear(ret);
	if (sql_each(q, OUTBOX_OPEN, SQL_VALUES(SQL_TEXT(channel_id), SQL_INT(told_before_ms), SQL_INT(limit)), id_row, ret, err) < 0)
		return err_wrap(err, "could not list what a channel was told");
	return 0;
}

int store_outbox_last_told(struct sql *q, const char *channel_id, int64_t before_ms, int64_t *ret_ms, struct err *err)
{
	*ret_ms = 0;
	if (sql_int(q, OUTBOX_LAST_TOLD, SQL_VALUES(SQL_TEXT(channel_id), SQL_INT(before_ms)), ret_ms, err) < 0)
		return err_wrap(err, "could not see when the last digest was made");
	return 0;
}

int store_notice_told(struct sql *tx, const char *id, int64_t now_ms, struct err *err)
{
	if (sql_exec(tx, NOTICE_TOLD, SQL_VALUES(SQL_TEXT(id), SQL_INT(now_ms)), NULL, err) < 0)
		return err_wrap(err, "could not write a notice");
	return 0;
}
