/* SPDX-License-Identifier: Apache-2.0 */
/* delegation.c - zones _acme-challenge.<name> that Certwright serves; each stays until a person removes it. */
#include "store/delegation.h"

#include "store/lib.h"
#include "store/search.h"

#define ADDED "id, num, name, made_for_order, rev, created_ms, deleted_ms, provider_id, target"
#define COLUMNS ADDED ", looked, looked_ms, look_due_ms, good_ms, away, away_ms"

static const char DELEGATION_ADD[] = "INSERT INTO delegation (" ADDED ") VALUES ($1, $2, $3, $4, 1, $5, 0, $6, $7)";
static const char DELEGATION_GET[] = "SELECT " COLUMNS " FROM live_delegation WHERE id = $1";
static const char DELEGATION_GET_NUM[] = "SELECT " COLUMNS " FROM live_delegation WHERE num = $1";
static const char DELEGATION_FIND[] = "SELECT " COLUMNS " FROM live_delegation WHERE name = $1";
/* $4 a pattern, '' = any: as many as somebody has delegated by hand. */
static const char *const DELEGATION_LIST[2] = LISTED(COLUMNS, "live_delegation", "($4 = '' OR name LIKE $4 ESCAPE '!')");
static const char DELEGATION_DELETE[] =
	"UPDATE delegation SET deleted_ms = $2, rev = rev + 1 WHERE id = $1 AND deleted_ms = 0 RETURNING rev";

static const char DELEGATION_LOOKED[] = "UPDATE delegation SET looked = $2, looked_ms = $3, good_ms = $4,"
				      " away = $5, away_ms = $6 WHERE id = $1 AND deleted_ms = 0";
static const char DELEGATION_DUE[] = "SELECT " COLUMNS " FROM live_delegation WHERE look_due_ms <= $1 ORDER BY look_due_ms, id LIMIT $2";
static const char DELEGATION_NEXT_LOOK[] = "UPDATE delegation SET look_due_ms = $2 WHERE id = $1";


static int delegation_from_row(const struct row *r, struct delegation *d, UNUSED struct err *err)
{
	d->id = row_text_dup(r, 0);
	d->num = row_int(r, 1);
	d->name = row_text_dup(r, 2);
	d->made_for_order = row_text_dup(r, 3);
	d->rev = row_int(r, 4);
	d->created_ms = row_int(r, 5);
	d->deleted_ms = row_int(r, 6);
	d->provider_id = row_text_dup(r, 7);
	d->target = row_text_dup(r, 8);
	d->looked = row_text_dup(r, 9);
	d->looked_ms = row_int(r, 10);
	d->look_due_ms = row_int(r, 11);
	d->good_ms = row_int(r, 12);
	d->away = row_text_dup(r, 13);
	d->away_ms = row_int(r, 14);
	return 0;
}

DEFINE_ROW_FN(delegation)
DEFINE_COLLECT(delegation)

int store_delegation_ensure(struct sql *tx, struct delegation *d, bool *ret_made, struct err *err)
{
	struct delegation there = { 0 };
	int64_t num = 0;

	if (ret_made)
		*ret_made = false;
	if (store_delegation_find(tx, d->name, &there, err) >= 0) {
		delegation_done(d);
		*d = there;
		return 0;
	}
	if (err->code != ERR_NOT_FOUND)
		return -(int)err->code;
	err_clear(err);
	if (store_next_num(tx, "delegation", &num, err) < 0)
		return -(int)err->code;
	if (sql_exec(tx, DELEGATION_ADD,
		     SQL_VALUES(SQL_TEXT(d->id), SQL_INT(num), SQL_TEXT(d->name), SQL_TEXT(d->made_for_order),
				SQL_INT(d->created_ms), SQL_TEXT(d->provider_id), SQL_TEXT(d->target)),
		     NULL, err) < 0)
		return err_wrap(err, "could not store the delegation of '%s'", d->name);
	d->num = num;
	d->rev = 1;
	if (ret_made)
		*ret_made = true;
	store_touch(tx, "delegation", d->id, 1);
	return 0;
}

int store_delegation_get(struct sql *q, const char *id, struct delegation *ret, struct err *err)
{
	return delegation_one(q, DELEGATION_GET, SQL_VALUES(SQL_TEXT(id)), "delegation", id, ret, err);
}

int store_delegation_get_num(struct sql *q, int64_t num, struct delegation *ret, struct err *err)
{
	return delegation_one(q, DELEGATION_GET_NUM, SQL_VALUES(SQL_INT(num)), "delegation", num_text(num).s, ret, err);
}

int store_delegation_find(struct sql *q, const char *name, struct delegation *ret, struct err *err)
{
	return delegation_one(q, DELEGATION_FIND, SQL_VALUES(SQL_TEXT(name)), "delegation of", name, ret, err);
}

int store_delegation_list(struct sql *q, const char *name, const struct page *p, struct delegation_list *ret, struct err *err)
{
	_cleanup_free_ char *pattern = name ? store_text_pattern(name) : xstrdup("");

	return delegation_fetch(q, DELEGATION_LIST[p->order],
				SQL_VALUES(SQL_INT(page_key(p)), SQL_TEXT(page_id(p)), SQL_INT(p->limit + 1), SQL_TEXT(pattern)), p->limit, ret, err);
}

int store_delegation_delete(struct sql *tx, const char *id, int64_t now_ms, struct err *err)
{
	int64_t rev = 0;

	if (put_rev(tx, DELEGATION_DELETE, SQL_VALUES(SQL_TEXT(id), SQL_INT(now_ms)), DELEGATION_GET, "delegation", id, &rev,
		    err) < 0)
		return -(int)err->code;
	store_touch(tx, "delegation", id, rev);
	return 0;
}

int store_delegation_looked(struct sql *tx, const struct delegation *d, struct err *err)
{
	if (sql_exec(tx, DELEGATION_LOOKED,
		     SQL_VALUES(SQL_TEXT(d->id), SQL_TEXT(d->looked), SQL_INT(d->looked_ms), SQL_INT(d->good_ms), SQL_TEXT(d->away),
				SQL_INT(d->away_ms)),
		     NULL, err) < 0)
		return err_wrap(err, "could not store what was seen of a delegation");
	store_touch(tx, "delegation", d->id, 0);
	return 0;
}

int store_delegation_due(struct sql *q, int64_t now_ms, int limit, struct delegation_list *ret, struct err *err)
{
	return delegation_fetch(q, DELEGATION_DUE, SQL_VALUES(SQL_INT(now_ms), SQL_INT(limit + 1)), limit, ret, err);
}

int store_delegation_next_look(struct sql *tx, const char *id, int64_t due_ms, struct err *err)
{
	return sql_exec(tx, DELEGATION_NEXT_LOOK, SQL_VALUES(SQL_TEXT(id), SQL_INT(due_ms)), NULL, err);
}
