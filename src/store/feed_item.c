/* SPDX-License-Identifier: Apache-2.0 */
/* feed_item.c - what edge answers with, numbered so that the feed is "everything after n". */
#include "store/feed_item.h"

#include "store/lib.h"

#define COLUMNS "id, seq, kind, name, value, ttl, live, changed_ms"

static const char ITEM_GET[] = "SELECT " COLUMNS " FROM feed_item WHERE kind = $1 AND name = $2 AND value = $3";
static const char ITEM_PUT[] =
	"INSERT INTO feed_item (" COLUMNS ") VALUES ($1, $2, $3, $4, $5, $6, 1, $7)"
	" ON CONFLICT (kind, name, value) DO UPDATE SET seq = $2, ttl = $6, live = 1, changed_ms = $7";
static const char ITEM_AGAIN[] = "UPDATE feed_item SET seq = $2, ttl = $3, live = 1, changed_ms = $4 WHERE id = $1";
static const char ITEM_DEL[] = "UPDATE feed_item SET seq = $2, live = 0, changed_ms = $3 WHERE id = $1";
static const char ITEM_LIST[] = "SELECT " COLUMNS " FROM feed_item WHERE seq > $1 ORDER BY seq LIMIT $2";
static const char ITEM_LIST_LIVE[] = "SELECT " COLUMNS " FROM feed_item WHERE seq > $1 AND live = 1 ORDER BY seq LIMIT $2";
static const char ITEM_BEFORE[] =
	"SELECT COUNT(*) FROM feed_item WHERE kind = $1 AND name = $2 AND live = 1 AND seq <"
	" (SELECT seq FROM feed_item WHERE kind = $1 AND name = $2 AND value = $3)";
static const char ITEM_PRUNE[] =
	"DELETE FROM feed_item WHERE id IN (SELECT id FROM feed_item WHERE seq <= $1 AND live = 0 AND changed_ms < $2"
	" ORDER BY seq LIMIT 500)";

static int edge_item_from_row(const struct row *r, struct edge_item *i, struct err *err)
{
	i->id = row_int(r, 0);
	i->seq = row_int(r, 1);
	i->name = row_text_dup(r, 3);
	i->value = row_text_dup(r, 4);
	i->ttl = row_int(r, 5);
	i->live = row_bool(r, 6);
	i->changed_ms = row_int(r, 7);
	if (ROW_ENUM(edge_kind, r, 2, &i->kind, err) < 0)
		return err_wrap(err, "could not read what edge answers for '%s'", i->name);
	return 0;
}

DEFINE_ROW_FN(edge_item)
DEFINE_COLLECT(edge_item)

/* 1 when there is a row, dead or alive. */
static int find(struct sql *q, enum edge_kind kind, const char *name, const char *value, struct edge_item *ret,
		struct err *err)
{
	if (edge_item_one(q, ITEM_GET, SQL_VALUES(SQL_TEXT(edge_kind_text(kind)), SQL_TEXT(name), SQL_TEXT(value)), "feed item",
			  name, ret, err) >= 0)
		return 1;
	if (err->code != ERR_NOT_FOUND)
		return -(int)err->code;
	err_clear(err);
	return 0;
}

static int insert(struct sql *tx, enum edge_kind kind, const char *name, const char *value, int64_t ttl, int64_t seq,
		  int64_t now_ms, struct err *err)
{
	int64_t id = 0;

	if (store_next_num(tx, "feed_item", &id, err) < 0)
		return -(int)err->code;
	return sql_exec(tx, ITEM_PUT,
			SQL_VALUES(SQL_INT(id), SQL_INT(seq), SQL_TEXT(edge_kind_text(kind)), SQL_TEXT(name), SQL_TEXT(value),
				   SQL_INT(ttl), SQL_INT(now_ms)),
			NULL, err);
}

int store_feed_item_put(struct sql *tx, enum edge_kind kind, const char *name, const char *value, int64_t ttl,
			int64_t now_ms, int64_t *ret_seq, struct err *err)
{
	_cleanup_edge_item_ struct edge_item i = { 0 };
	int found = find(tx, kind, name, value, &i, err);
	int64_t seq = i.seq;

	if (found < 0)
		return found;
	if (!found || !i.live || i.ttl != ttl) {
		if (store_next_num(tx, "feed", &seq, err) < 0)
			return -(int)err->code;
		if ((found ? sql_exec(tx, ITEM_AGAIN, SQL_VALUES(SQL_INT(i.id), SQL_INT(seq), SQL_INT(ttl), SQL_INT(now_ms)),
				      NULL, err)
			   : insert(tx, kind, name, value, ttl, seq, now_ms, err)) < 0)
			return err_wrap(err, "could not publish '%s'", name);
		store_touch(tx, "feed", NULL, seq);
	}
	if (ret_seq)
		*ret_seq = seq;
	return 0;
}

int store_feed_item_del(struct sql *tx, enum edge_kind kind, const char *name, const char *value, int64_t now_ms,
			int64_t *ret_seq, struct err *err)
{
	_cleanup_edge_item_ struct edge_item i = { 0 };
	int found = find(tx, kind, name, value, &i, err);
	int64_t seq = i.seq;

	if (found < 0)
		return found;
	if (!found) {
		if (store_feed_item_last_seq(tx, &seq, err) < 0)
			return -(int)err->code;
	} else if (i.live) {
		if (store_next_num(tx, "feed", &seq, err) < 0 ||
		    sql_exec(tx, ITEM_DEL, SQL_VALUES(SQL_INT(i.id), SQL_INT(seq), SQL_INT(now_ms)), NULL, err) < 0)
			return err_wrap(err, "could not withdraw '%s'", name);
		store_touch(tx, "feed", NULL, seq);
	}
	if (ret_seq)
		*ret_seq = seq;
	return 0;
}

int store_feed_item_list(struct sql *q, int64_t after_seq, bool live_only, int limit, struct edge_item_list *ret,
			 struct err *err)
{
	return edge_item_fetch(q, live_only ? ITEM_LIST_LIVE : ITEM_LIST,
			       SQL_VALUES(SQL_INT(after_seq), SQL_INT(limit ? limit + 1 : INT64_MAX)), limit, ret, err);
}

int store_feed_item_before(struct sql *q, enum edge_kind kind, const char *name, const char *value, int64_t *ret, struct err *err)
{
	return sql_int(q, ITEM_BEFORE, SQL_VALUES(SQL_TEXT(edge_kind_text(kind)), SQL_TEXT(name), SQL_TEXT(value)), ret, err);
}

int store_feed_item_last_seq(struct sql *q, int64_t *ret, struct err *err)
{
	return store_last_num(q, "feed", ret, err);
}

int store_feed_item_prune(struct sql *tx, int64_t seq, int64_t changed_before_ms, int64_t *ret_n, struct err *err)
{
	return prune(tx, ITEM_PRUNE, SQL_VALUES(SQL_INT(seq), SQL_INT(changed_before_ms)), ret_n, "feed_item", err);
}
