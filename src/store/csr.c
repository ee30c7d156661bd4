/* SPDX-License-Identifier: Apache-2.0 */
/* csr.c - certificate signing requests, made here or elsewhere. */
#include "store/csr.h"

#include "base/buf.h"
#include "store/lib.h"
#include "store/name_walk.h"

#define COLUMNS                                                                                                        \
	"id, num, source, names, names_hash, subject, key_type, public_hash, key_id, der, made_for_order, created_by, rev,"   \
	" created_ms, deleted_ms"

static const char CSR_ADD[] =
	"INSERT INTO csr (" COLUMNS ") VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, 1, $13, 0)";
static const char CSR_GET[] = "SELECT " COLUMNS " FROM live_csr WHERE id = $1";
static const char CSR_GET_ANY[] = "SELECT " COLUMNS " FROM csr WHERE id = $1";
static const char CSR_GET_NUM[] = "SELECT " COLUMNS " FROM live_csr WHERE num = $1";
static const char *const CSR_LIST[2] = LISTED(COLUMNS, "live_csr", "1 = 1");
static const char *const CSR_LIST_KEY[2] = LISTED(COLUMNS, "live_csr", "key_type = $4");
static name_walk_texts csr_named = NAME_WALK("csr_names", "csr", "CASE WHEN o.deleted_ms = 0 THEN o.id ELSE NULL END, o.key_type", "");
/* SQLite's index of substrings; PostgreSQL keeps its own (migration 0021). */
static const char CSR_ADD_NAMES[] = "INSERT INTO csr_names (rowid, names) VALUES ($1, $2)";
static const char CSR_USERS[] = "SELECT 'order', num FROM orders WHERE csr_id = $1 AND ended_ms = 0"
				" UNION ALL SELECT 'certificate', num FROM certificate WHERE csr_id = $1 AND deleted_ms = 0"
				" LIMIT 10";
static const char CSR_DELETE[] =
	"UPDATE csr SET deleted_ms = $2, rev = rev + 1 WHERE id = $1 AND deleted_ms = 0 RETURNING rev";

static int csr_from_row(const struct row *r, struct csr *c, struct err *err)
{
	c->id = row_text_dup(r, 0);
	c->num = row_int(r, 1);
	row_names(r, 3, &c->names);
	c->names_hash = row_text_dup(r, 4);
	c->subject = row_text_dup(r, 5);
	c->key_type = row_text_dup(r, 6);
	c->public_hash = row_text_dup(r, 7);
	c->key_id = row_text_dup(r, 8);
	row_blob_dup(r, 9, &c->der, &c->der_n);
	c->made_for_order = row_text_dup(r, 10);
	c->created_by = row_text_dup(r, 11);
	c->rev = row_int(r, 12);
	c->created_ms = row_int(r, 13);
	c->deleted_ms = row_int(r, 14);
	if (ROW_ENUM(csr_source, r, 2, &c->source, err) < 0)
		return err_wrap(err, "could not read CSR '%s'", c->id);
	return 0;
}

DEFINE_ROW_FN(csr)
DEFINE_COLLECT(csr)

int store_csr_add(struct sql *tx, struct csr *c, struct err *err)
{
	_cleanup_free_ char *names = names_text(&c->names);
	int64_t num = 0;

	if (store_next_num(tx, "csr", &num, err) < 0)
		return -(int)err->code;
	if (sql_exec(tx, CSR_ADD,
		     SQL_VALUES(SQL_TEXT(c->id), SQL_INT(num), SQL_TEXT(csr_source_text(c->source)), SQL_TEXT(names),
				SQL_TEXT(c->names_hash), SQL_TEXT(c->subject ? c->subject : ""), SQL_TEXT(c->key_type),
				SQL_TEXT(c->public_hash), SQL_TEXT(c->key_id), SQL_BLOB(c->der, c->der_n),
				SQL_TEXT(c->made_for_order), SQL_TEXT(c->created_by), SQL_INT(c->created_ms)),
		     NULL, err) < 0)
		return err_wrap(err, "could not store the CSR");
	if (sql_dialect(tx) == SQL_SQLITE && sql_exec(tx, CSR_ADD_NAMES, SQL_VALUES(SQL_INT(num), SQL_TEXT(names)), NULL, err) < 0)
		return err_wrap(err, "could not store the names of CSR '%s'", c->id);
	c->num = num;
	c->rev = 1;
	store_touch(tx, "csr", c->id, 1);
	return 0;
}

int store_csr_get(struct sql *q, const char *id, struct csr *ret, struct err *err)
{
	return csr_one(q, CSR_GET, SQL_VALUES(SQL_TEXT(id)), "CSR", id, ret, err);
}

int store_csr_get_any(struct sql *q, const char *id, struct csr *ret, struct err *err)
{
	return csr_one(q, CSR_GET_ANY, SQL_VALUES(SQL_TEXT(id)), "CSR", id, ret, err);
}

int store_csr_get_num(struct sql *q, int64_t num, struct csr *ret, struct err *err)
{
	return csr_one(q, CSR_GET_NUM, SQL_VALUES(SQL_INT(num)), "CSR", num_text(num).s, ret, err);
}

static bool key_fits(const struct row *r, const void *key_type)
{
	return !key_type || streq(row_text(r, 2), key_type);
}

static int by_name(struct sql *q, const struct csr_filter *f, const struct page *p, struct csr_list *ret, int64_t *ret_key, struct err *err)
{
	_cleanup_search_page_ struct search_page found = { 0 };

	csr_list_done(ret);
	if (store_name_walk(q, csr_named, f->name, p, key_fits, f->key_type, &found, err) < 0)
		return -(int)err->code;
	for (size_t i = 0; i < found.ids.n; i++)
		if (store_csr_get(q, found.ids.v[i], csr_list_add(ret), err) < 0)
			return -(int)err->code;
	ret->more = found.more;
	*ret_key = found.key;
	return 0;
}

int store_csr_list(struct sql *q, const struct csr_filter *f, const struct page *p, struct csr_list *ret, int64_t *ret_key, struct err *err)
{
	const struct sql_value v[] = { SQL_INT(page_key(p)), SQL_TEXT(page_id(p)), SQL_INT(p->limit + 1), SQL_TEXT(f->key_type) };

	if (f->name)
		return by_name(q, f, p, ret, ret_key, err);
	if (csr_fetch(q, (f->key_type ? CSR_LIST_KEY : CSR_LIST)[p->order], (struct sql_values){ v, f->key_type ? 4 : 3 }, p->limit, ret, err) < 0)
		return -(int)err->code;
	*ret_key = ret->n ? ret->v[ret->n - 1].created_ms : 0;
	return 0;
}

static int user_row(const struct row *r, void *arg, UNUSED struct err *err)
{
	struct buf *b = arg;

	buf_addf(b, "%s%s %" PRId64, b->n ? ", " : "", row_text(r, 0), row_int(r, 1));
	return 0;
}

int store_csr_delete(struct sql *tx, const char *id, int64_t now_ms, struct err *err)
{
	_cleanup_buf_ struct buf users = BUF_MAX(1024);
	int64_t rev = 0;

	if (sql_each(tx, CSR_USERS, SQL_VALUES(SQL_TEXT(id)), user_row, &users, err) < 0)
		return err_wrap(err, "could not see what uses CSR '%s'", id);
	if (users.n)
		return err_set(err, ERR_IN_USE, "CSR '%s' is in use by %s", id, buf_text(&users));
	if (put_rev(tx, CSR_DELETE, SQL_VALUES(SQL_TEXT(id), SQL_INT(now_ms)), CSR_GET, "CSR", id, &rev, err) < 0)
		return -(int)err->code;
	store_touch(tx, "csr", id, rev);
	return 0;
}

static const char CSR_USES_PUBLIC[] = "SELECT 1 FROM csr WHERE public_hash = $1";

int store_csr_uses_public(struct sql *q, const char *public_hash, bool *ret, struct err *err)
{
	return sql_exists(q, CSR_USES_PUBLIC, SQL_VALUES(SQL_TEXT(public_hash)), ret, err);
}
