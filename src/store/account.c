/* SPDX-License-Identifier: Apache-2.0 */
/* account.c - accounts at ACME authorities. */
#include "store/account.h"

#include "store/lib.h"
#include "store/search.h"

#define COLUMNS                                                                                                        \
	"id, num, name, vendor, directory_url, email, status, url, key_id, eab_kid, eab_sealed, tos_url, tos_agreed_ms,"      \
	" preferred_issuer, reason, rev, created_ms, updated_ms, deleted_ms, automatic, next_key_id, eab_bytes, connection, refreshed_ms"

static const char ACCOUNT_ADD[] =
	"INSERT INTO account (" COLUMNS ") VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15, 1, $16, $16, 0,"
	" $17, $18, $19, $20, $21)";
static const char ACCOUNT_GET[] = "SELECT " COLUMNS " FROM live_account WHERE id = $1";
static const char ACCOUNT_GET_ANY[] = "SELECT " COLUMNS " FROM account WHERE id = $1";
static const char ACCOUNT_GET_NUM[] = "SELECT " COLUMNS " FROM live_account WHERE num = $1";
static const char ACCOUNT_PUT[] =
	"UPDATE account SET name = $3, vendor = $4, directory_url = $5, email = $6, status = $7, url = $8, key_id = $9,"
	" eab_kid = $10, eab_sealed = $11, tos_url = $12, tos_agreed_ms = $13, preferred_issuer = $14, reason = $15,"
	" updated_ms = $16, automatic = $17, next_key_id = $18, eab_bytes = $19, connection = $20, refreshed_ms = $21, rev = rev + 1"
	" WHERE id = $1 AND ($2 = 0 OR rev = $2) RETURNING rev";
/* Accounts are few: what is asked for is looked at row by row. $4 vendor, $5 status, $6 a pattern; '' = any. */
static const char *const ACCOUNT_LIST[2] = LISTED(
	COLUMNS, "live_account",
	"($4 = '' OR vendor = $4) AND ($5 = '' OR status = $5) AND ($6 = '' OR lower(name) LIKE $6 ESCAPE '!' OR lower(email) LIKE $6 ESCAPE '!'"
	" OR lower(directory_url) LIKE $6 ESCAPE '!' OR lower(eab_kid) LIKE $6 ESCAPE '!')");
static const char ACCOUNT_DELETE[] =
	"UPDATE account SET deleted_ms = $2, rev = rev + 1 WHERE id = $1 AND deleted_ms = 0 RETURNING rev";

static const char ACCOUNT_RESULT[] =
	"UPDATE account SET status = $2, url = $3, key_id = $4, next_key_id = $5, eab_kid = $6, eab_sealed = $7, eab_bytes = $8,"
	" tos_url = $9, tos_agreed_ms = $10, reason = $11, refreshed_ms = $12, updated_ms = $13 WHERE id = $1";
static const char ACCOUNT_CONTACT[] = "UPDATE account SET email = $2, name = $3, updated_ms = $4, rev = rev + 1 WHERE id = $1";
static const char ACCOUNT_STALE[] =
	"SELECT " COLUMNS " FROM account WHERE deleted_ms = 0 AND refreshed_ms < $1 AND status = 'valid' AND (EXISTS (SELECT 1 FROM"
	" certificate c WHERE c.account_id = account.id AND c.deleted_ms = 0) OR EXISTS (SELECT 1 FROM orders o WHERE"
	" o.account_id = account.id AND o.created_ms > $2)) ORDER BY refreshed_ms, id LIMIT $3";
static const char ACCOUNT_ROLLING[] = "SELECT " COLUMNS " FROM account WHERE next_key_id IS NOT NULL AND deleted_ms = 0";
static const char ACCOUNT_KEY_SPENT[] =
	"SELECT " COLUMNS " FROM account WHERE deleted_ms > 0"
	" AND EXISTS (SELECT 1 FROM key k WHERE k.id = account.key_id AND k.destroyed_ms = 0)"
	" AND NOT EXISTS (SELECT 1 FROM orders o WHERE o.account_id = account.id AND o.ended_ms = 0)"
	" AND NOT EXISTS (SELECT 1 FROM orders o JOIN version v ON v.order_id = o.id AND v.state <> 'evidence'"
	" WHERE o.account_id = account.id AND v.not_after_ms > $1)";
static const char ACCOUNT_BUSY[] =
	"SELECT 1 FROM orders WHERE lease_owner IS NOT NULL AND lease_until_ms > $2 AND account_id = $1 UNION ALL"
	" SELECT 1 FROM debt d JOIN orders o ON o.id = d.order_id WHERE d.lease_owner IS NOT NULL AND d.lease_until_ms > $2"
	" AND o.account_id = $1";
static const char ACCOUNT_ORDERS[] = "SELECT count(*) FROM orders WHERE account_id = $1 AND deleted_ms = 0";
static const char ACCOUNT_ORDERS_LIVE[] = "SELECT count(*) FROM orders WHERE account_id = $1 AND ended_ms = 0 AND deleted_ms = 0";

static const char ACCOUNT_COUNT_VENDOR[] = "SELECT count(*) FROM account WHERE vendor = $1 AND deleted_ms = 0";
static const char ACCOUNT_COUNT_DIRECTORY[] = "SELECT count(*) FROM account WHERE directory_url = $1 AND deleted_ms = 0";
static const char ACCOUNT_DIRECTORIES[] = "SELECT DISTINCT directory_url FROM account WHERE deleted_ms = 0 ORDER BY directory_url";
static const char ACCOUNT_CONNECTION[] =
	"SELECT connection FROM account WHERE id = (SELECT max(id) FROM account WHERE directory_url = $1 AND deleted_ms = 0"
	" AND connection IS NOT NULL)";
static const char ACCOUNT_TWINS[] = "SELECT count(*) FROM account WHERE vendor = $1 AND email = $2 AND deleted_ms = 0";

static int account_from_row(const struct row *r, struct account *a, struct err *err)
{
	a->id = row_text_dup(r, 0);
	a->num = row_int(r, 1);
	a->name = row_text_dup(r, 2);
	a->vendor = row_text_dup(r, 3);
	a->directory_url = row_text_dup(r, 4);
	a->email = row_text_dup(r, 5);
	a->url = row_text_dup(r, 7);
	a->key_id = row_text_dup(r, 8);
	a->eab_kid = row_text_dup(r, 9);
	row_blob_dup(r, 10, &a->eab_sealed, &a->eab_sealed_n);
	a->tos_url = row_text_dup(r, 11);
	a->tos_agreed_ms = row_int(r, 12);
	a->preferred_issuer = row_text_dup(r, 13);
	a->reason = row_text_dup(r, 14);
	a->rev = row_int(r, 15);
	a->created_ms = row_int(r, 16);
	a->updated_ms = row_int(r, 17);
	a->deleted_ms = row_int(r, 18);
	a->automatic = row_bool(r, 19);
	a->next_key_id = row_text_dup(r, 20);
	a->eab_bytes = row_int(r, 21);
	a->connection = row_text_dup(r, 22);
	a->refreshed_ms = row_int(r, 23);
	if (ROW_ENUM(account_status, r, 6, &a->status, err) < 0)
		return err_wrap(err, "could not read account '%s'", a->id);
	return 0;
}

DEFINE_ROW_FN(account)
DEFINE_COLLECT(account)

/* From the third value on ADD and PUT are the same. */
#define VALUES(a, second, last)                                                                                        \
	SQL_VALUES(SQL_TEXT((a)->id), SQL_INT(second), SQL_TEXT((a)->name), SQL_TEXT((a)->vendor),                            \
		   SQL_TEXT((a)->directory_url), SQL_TEXT((a)->email), SQL_TEXT(account_status_text((a)->status)),             \
		   SQL_TEXT((a)->url), SQL_TEXT((a)->key_id), SQL_TEXT((a)->eab_kid),                                           \
		   SQL_BLOB((a)->eab_sealed, (a)->eab_sealed_n), SQL_TEXT((a)->tos_url), SQL_INT((a)->tos_agreed_ms),           \
		   SQL_TEXT((a)->preferred_issuer), SQL_TEXT((a)->reason), SQL_INT(last), SQL_BOOL((a)->automatic),      \
		   SQL_TEXT((a)->next_key_id), SQL_INT((a)->eab_bytes), SQL_TEXT((a)->connection), SQL_INT((a)->refreshed_ms))

int store_account_add(struct sql *tx, struct account *a, struct err *err)
{
	int64_t num = 0;

	if (store_next_num(tx, "account", &num, err) < 0)
		return -(int)err->code;
	if (sql_exec(tx, ACCOUNT_ADD, VALUES(a, num, a->created_ms), NULL, err) < 0)
		return err_wrap(err, "could not store account '%s'", a->name);
	a->num = num;
	a->rev = 1;
	a->updated_ms = a->created_ms;
	store_touch(tx, "account", a->id, 1);
	return 0;
}

int store_account_get(struct sql *q, const char *id, struct account *ret, struct err *err)
{
	return account_one(q, ACCOUNT_GET, SQL_VALUES(SQL_TEXT(id)), "account", id, ret, err);
}

int store_account_get_any(struct sql *q, const char *id, struct account *ret, struct err *err)
{
	return account_one(q, ACCOUNT_GET_ANY, SQL_VALUES(SQL_TEXT(id)), "account", id, ret, err);
}

int store_account_get_num(struct sql *q, int64_t num, struct account *ret, struct err *err)
{
	return account_one(q, ACCOUNT_GET_NUM, SQL_VALUES(SQL_INT(num)), "account", num_text(num).s, ret, err);
}

int store_account_put(struct sql *tx, struct account *a, int64_t expect_rev, struct err *err)
{
	int64_t rev = 0;

	if (put_rev(tx, ACCOUNT_PUT, VALUES(a, expect_rev, a->updated_ms), ACCOUNT_GET_ANY, "account", a->id, &rev, err) < 0)
		return -(int)err->code;
	a->rev = rev;
	store_touch(tx, "account", a->id, rev);
	return 0;
}

int store_account_result(struct sql *tx, const struct account *a, int64_t now_ms, struct err *err)
{
	if (exec_named(tx, ACCOUNT_RESULT,
		       SQL_VALUES(SQL_TEXT(a->id), SQL_TEXT(account_status_text(a->status)), SQL_TEXT(a->url), SQL_TEXT(a->key_id),
				  SQL_TEXT(a->next_key_id), SQL_TEXT(a->eab_kid), SQL_BLOB(a->eab_sealed, a->eab_sealed_n),
				  SQL_INT(a->eab_bytes), SQL_TEXT(a->tos_url), SQL_INT(a->tos_agreed_ms), SQL_TEXT(a->reason),
				  SQL_INT(a->refreshed_ms), SQL_INT(now_ms)),
		       ERR_NOT_FOUND, "account", a->id, err) < 0)
		return -(int)err->code;
	store_touch(tx, "account", a->id, a->rev);
	return 0;
}

int store_account_contact(struct sql *tx, const char *id, const char *email, const char *name, int64_t now_ms, struct err *err)
{
	if (exec_named(tx, ACCOUNT_CONTACT, SQL_VALUES(SQL_TEXT(id), SQL_TEXT(email), SQL_TEXT(name), SQL_INT(now_ms)), ERR_NOT_FOUND,
		       "account", id, err) < 0)
		return -(int)err->code;
	store_touch(tx, "account", id, 0);
	return 0;
}

int store_account_stale(struct sql *q, int64_t before_ms, int64_t used_ms, int limit, struct account_list *ret, struct err *err)
{
	return account_fetch(q, ACCOUNT_STALE, SQL_VALUES(SQL_INT(before_ms), SQL_INT(used_ms), SQL_INT(limit)), 0, ret, err);
}

int store_account_rolling(struct sql *q, struct account_list *ret, struct err *err)
{
	return account_fetch(q, ACCOUNT_ROLLING, SQL_NONE, 0, ret, err);
}

int store_account_key_spent(struct sql *q, int64_t now_ms, struct account_list *ret, struct err *err)
{
	return account_fetch(q, ACCOUNT_KEY_SPENT, SQL_VALUES(SQL_INT(now_ms)), 0, ret, err);
}

int store_account_busy(struct sql *q, const char *id, int64_t now_ms, bool *ret, struct err *err)
{
	return sql_exists(q, ACCOUNT_BUSY, SQL_VALUES(SQL_TEXT(id), SQL_INT(now_ms)), ret, err);
}

int store_account_orders(struct sql *q, const char *id, int64_t *ret_all, int64_t *ret_live, struct err *err)
{
	if (sql_int(q, ACCOUNT_ORDERS, SQL_VALUES(SQL_TEXT(id)), ret_all, err) < 0)
		return -(int)err->code;
	return sql_int(q, ACCOUNT_ORDERS_LIVE, SQL_VALUES(SQL_TEXT(id)), ret_live, err);
}

int store_account_count_vendor(struct sql *q, const char *vendor, int64_t *ret, struct err *err)
{
	return sql_int(q, ACCOUNT_COUNT_VENDOR, SQL_VALUES(SQL_TEXT(vendor)), ret, err);
}

int store_account_count_directory(struct sql *q, const char *directory_url, int64_t *ret, struct err *err)
{
	return sql_int(q, ACCOUNT_COUNT_DIRECTORY, SQL_VALUES(SQL_TEXT(directory_url)), ret, err);
}

static int connection_row(const struct row *r, void *arg, UNUSED struct err *err)
{
	char **ret = arg;

	*ret = row_text_dup(r, 0);
	return 0;
}

int store_account_connection(struct sql *q, const char *directory_url, char **ret, struct err *err)
{
	int n;

	*ret = NULL;
	n = sql_each(q, ACCOUNT_CONNECTION, SQL_VALUES(SQL_TEXT(directory_url)), connection_row, ret, err);
	return n < 0 ? n : 0;
}

static int directory_row(const struct row *r, void *arg, UNUSED struct err *err)
{
	strlist_add(arg, row_text(r, 0));
	return 0;
}

int store_account_directories(struct sql *q, struct strlist *ret, struct err *err)
{
	strlist_clear(ret);
	if (sql_each(q, ACCOUNT_DIRECTORIES, SQL_NONE, directory_row, ret, err) < 0)
		return err_wrap(err, "could not list the directories of accounts");
	return 0;
}

int store_account_twins(struct sql *q, const char *email, const char *vendor, int64_t *ret, struct err *err)
{
	return sql_int(q, ACCOUNT_TWINS, SQL_VALUES(SQL_TEXT(vendor), SQL_TEXT(email)), ret, err);
}

int store_account_list(struct sql *q, const struct account_filter *f, const struct page *p, struct account_list *ret, struct err *err)
{
	_cleanup_free_ char *pattern = f->text ? store_text_pattern(f->text) : xstrdup("");

	return account_fetch(q, ACCOUNT_LIST[p->order],
			     SQL_VALUES(SQL_INT(page_key(p)), SQL_TEXT(page_id(p)), SQL_INT(p->limit + 1), SQL_TEXT(f->vendor ? f->vendor : ""),
					SQL_TEXT(f->status ? f->status : ""), SQL_TEXT(pattern)),
			     p->limit, ret, err);
}

int store_account_delete(struct sql *tx, const char *id, int64_t now_ms, struct err *err)
{
	int64_t rev = 0;

	if (put_rev(tx, ACCOUNT_DELETE, SQL_VALUES(SQL_TEXT(id), SQL_INT(now_ms)), ACCOUNT_GET, "account", id, &rev, err) < 0)
		return -(int)err->code;
	store_touch(tx, "account", id, rev);
	store_touch(tx, "order", NULL, 0); /* its orders become invisible */
	return 0;
}
