/* SPDX-License-Identifier: Apache-2.0 */
/* record.c - challenge records: what is published for validation, and its history. */
#include "store/record.h"

#include "store/lib.h"

#define COLUMNS                                                                                                        \
	"id, num, order_id, kind, method, domain, token, value, ttl, status, detail, published_ms, ready_ms, withdrawn_ms,"   \
	" rev, created_ms, updated_ms, zone, alias, receipt, key_auth"

static const char RECORD_ADD[] =
	"INSERT INTO record (" COLUMNS ") VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, 0, 0, 1, $13, $13, $14, $15, NULL, $16)";
static const char RECORD_SAME[] =
	"SELECT " COLUMNS " FROM record WHERE order_id = $1 AND kind = $2 AND domain = $3 AND value = $4";
static const char RECORD_PUT[] =
	"UPDATE record SET status = $2, detail = $3, ttl = $4, published_ms = $5, ready_ms = $6, withdrawn_ms = $7,"
	" updated_ms = $8, zone = $9, receipt = $10, rev = rev + 1 WHERE id = $1 RETURNING rev";
static const char RECORD_GET[] = "SELECT " COLUMNS " FROM live_record WHERE id = $1";
static const char RECORD_GET_NUM[] = "SELECT " COLUMNS " FROM live_record WHERE num = $1";
static const char RECORD_GET_ANY[] = "SELECT " COLUMNS " FROM record WHERE id = $1";
static const char RECORD_LIST_ORDER[] = "SELECT " COLUMNS " FROM record WHERE order_id = $1 ORDER BY created_ms, id";
/* A debt that is owed keeps its record: it says what must be withdrawn. */
static const char RECORD_PRUNE[] =
	"DELETE FROM record WHERE id IN (SELECT id FROM record r WHERE status = 'withdrawn' AND withdrawn_ms < $1"
	" AND NOT EXISTS (SELECT 1 FROM debt d WHERE d.record_id = r.id AND d.state = 'owed') LIMIT 500)";

/* Of one order and of one name there are few: what else is asked is judged row by row ('' = any). */
#define ALSO " AND (kind = $5 OR $5 = '') AND (status = $6 OR $6 = '')"
static const char *const RECORD_LIST[] = LISTED(COLUMNS, "live_record", "1 = 1");
static const char *const RECORD_LIST_KIND[] = LISTED(COLUMNS, "live_record", "kind = $4");
static const char *const RECORD_LIST_STATUS[] = LISTED(COLUMNS, "live_record", "status = $4");
/* Along the index of either, the rest walked over: an index of both would cost every order more than it saves a reader. */
static const char *const RECORD_LIST_KIND_STATUS[] = LISTED(COLUMNS, "live_record", "kind = $4 AND status = $5");
static const char *const RECORD_LIST_ORDER_ONLY[] = LISTED(COLUMNS, "live_record", "order_id = $4" ALSO);
static const char *const RECORD_LIST_DOMAIN[] = LISTED(COLUMNS, "live_record", "domain = $4 AND (order_id = $7 OR $7 = '')" ALSO);

static int record_from_row(const struct row *r, struct record *x, struct err *err)
{
	x->id = row_text_dup(r, 0);
	x->num = row_int(r, 1);
	x->order_id = row_text_dup(r, 2);
	x->method = row_text_dup(r, 4);
	x->domain = row_text_dup(r, 5);
	x->token = row_text_dup(r, 6);
	x->value = row_text_dup(r, 7);
	x->ttl = row_int(r, 8);
	x->detail = row_text_dup(r, 10);
	x->published_ms = row_int(r, 11);
	x->ready_ms = row_int(r, 12);
	x->withdrawn_ms = row_int(r, 13);
	x->rev = row_int(r, 14);
	x->created_ms = row_int(r, 15);
	x->updated_ms = row_int(r, 16);
	x->zone = row_text_dup(r, 17);
	x->alias = row_text_dup(r, 18);
	x->receipt = row_text_dup(r, 19);
	x->key_auth = row_text_dup(r, 20);
	if (ROW_ENUM(validation, r, 3, &x->kind, err) < 0 || ROW_ENUM(record_status, r, 9, &x->status, err) < 0)
		return err_wrap(err, "could not read record '%s'", x->id);
	return 0;
}

DEFINE_ROW_FN(record)
DEFINE_COLLECT(record)

/* The row of an earlier run of the same step; 1 when there is one. */
static int find_same(struct sql *tx, const struct record *r, struct record *ret, struct err *err)
{
	if (record_one(tx, RECORD_SAME,
		       SQL_VALUES(SQL_TEXT(r->order_id), SQL_TEXT(validation_text(r->kind)), SQL_TEXT(r->domain),
				  SQL_TEXT(r->value)),
		       "record of", r->domain, ret, err) >= 0)
		return 1;
	if (err->code != ERR_NOT_FOUND)
		return -(int)err->code;
	err_clear(err);
	return 0;
}

int store_record_add(struct sql *tx, struct record *r, struct err *err)
{
	_cleanup_record_ struct record same = { 0 };
	int64_t num = 0;
	int found = find_same(tx, r, &same, err);

	if (found < 0)
		return found;
	if (found) {
		replace_str(&r->id, same.id);
		r->num = same.num;
		r->rev = same.rev;
		return 0;
	}
	if (store_next_num(tx, "record", &num, err) < 0)
		return -(int)err->code;
	if (sql_exec(tx, RECORD_ADD,
		     SQL_VALUES(SQL_TEXT(r->id), SQL_INT(num), SQL_TEXT(r->order_id), SQL_TEXT(validation_text(r->kind)),
				SQL_TEXT(r->method), SQL_TEXT(r->domain), SQL_TEXT(r->token), SQL_TEXT(r->value),
				SQL_INT(r->ttl), SQL_TEXT(record_status_text(r->status)), SQL_TEXT(r->detail),
				SQL_INT(r->published_ms), SQL_INT(r->created_ms), SQL_TEXT(r->zone), SQL_TEXT(r->alias),
				SQL_TEXT(r->key_auth)),
		     NULL, err) < 0)
		return err_wrap(err, "could not store the record of '%s'", r->domain);
	r->num = num;
	r->rev = 1;
	store_touch(tx, "record", r->id, 1);
	return 0;
}

int store_record_put(struct sql *tx, const struct record *r, struct err *err)
{
	int64_t rev = 0;

	if (put_rev(tx, RECORD_PUT,
		    SQL_VALUES(SQL_TEXT(r->id), SQL_TEXT(record_status_text(r->status)), SQL_TEXT(r->detail), SQL_INT(r->ttl),
			       SQL_INT(r->published_ms), SQL_INT(r->ready_ms), SQL_INT(r->withdrawn_ms), SQL_INT(r->updated_ms),
			       SQL_TEXT(r->zone), SQL_TEXT(r->receipt)),
		    RECORD_GET_ANY, "record", r->id, &rev, err) < 0)
		return -(int)err->code;
	store_touch(tx, "record", r->id, rev);
	return 0;
}

int store_record_get(struct sql *q, const char *id, struct record *ret, struct err *err)
{
	return record_one(q, RECORD_GET, SQL_VALUES(SQL_TEXT(id)), "record", id, ret, err);
}

int store_record_get_any(struct sql *q, const char *id, struct record *ret, struct err *err)
{
	return record_one(q, RECORD_GET_ANY, SQL_VALUES(SQL_TEXT(id)), "record", id, ret, err);
}

int store_record_get_num(struct sql *q, int64_t num, struct record *ret, struct err *err)
{
	return record_one(q, RECORD_GET_NUM, SQL_VALUES(SQL_INT(num)), "record", num_text(num).s, ret, err);
}

int store_record_list_order(struct sql *q, const char *order_id, struct record_list *ret, struct err *err)
{
	return record_fetch(q, RECORD_LIST_ORDER, SQL_VALUES(SQL_TEXT(order_id)), 0, ret, err);
}

int store_record_list(struct sql *q, const struct record_filter *f, const struct page *p, struct record_list *ret, struct err *err)
{
	const char *const *texts = RECORD_LIST;
	struct sql_value v[7] = { SQL_INT(page_key(p)), SQL_TEXT(page_id(p)), SQL_INT(p->limit + 1) };
	size_t n = 3;

	if (f->domain || f->order_id) {
		texts = f->domain ? RECORD_LIST_DOMAIN : RECORD_LIST_ORDER_ONLY;
		v[n++] = SQL_TEXT(f->domain ? f->domain : f->order_id);
		v[n++] = SQL_TEXT(f->kind ? f->kind : "");
		v[n++] = SQL_TEXT(f->status ? f->status : "");
		if (f->domain)
			v[n++] = SQL_TEXT(f->order_id ? f->order_id : "");
	} else if (f->kind || f->status) {
		texts = !f->status ? RECORD_LIST_KIND : f->kind ? RECORD_LIST_KIND_STATUS : RECORD_LIST_STATUS;
		if (f->kind)
			v[n++] = SQL_TEXT(f->kind);
		if (f->status)
			v[n++] = SQL_TEXT(f->status);
	}
	return record_fetch(q, texts[p->order], (struct sql_values){ v, n }, p->limit, ret, err);
}

int store_record_prune(struct sql *tx, int64_t withdrawn_before_ms, int64_t *ret_n, struct err *err)
{
	return prune(tx, RECORD_PRUNE, SQL_VALUES(SQL_INT(withdrawn_before_ms)), ret_n, "record", err);
}

static const char RECORD_FIND_TOKEN[] =
	"SELECT " COLUMNS " FROM record WHERE token = $1 AND token IS NOT NULL ORDER BY created_ms DESC LIMIT 1";

int store_record_find_token(struct sql *q, const char *token, struct record *ret, struct err *err)
{
	return record_one(q, RECORD_FIND_TOKEN, SQL_VALUES(SQL_TEXT(token)), "record with token", token, ret, err);
}

static const char RECORD_SHARED[] =
	"SELECT 1 FROM record WHERE domain = $1 AND kind = $2 AND value = $3 AND order_id <> $4 AND status <> 'withdrawn'"
	" AND withdrawn_ms = 0";

int store_record_shared(struct sql *q, const struct record *r, bool *ret, struct err *err)
{
	return sql_exists(q, RECORD_SHARED,
			  SQL_VALUES(SQL_TEXT(r->domain), SQL_TEXT(validation_text(r->kind)), SQL_TEXT(r->value), SQL_TEXT(r->order_id)), ret,
			  err);
}
