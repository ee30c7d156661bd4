/* SPDX-License-Identifier: Apache-2.0 */
/* account.c - accounts at ACME authorities. */
#include "store/account.h"

#include "store/lib.h"

#define COLUMNS                                                                                                        \
	"id, num, name, vendor, directory_url, email, status, url, key_id, eab_kid, eab_sealed, tos_url, tos_agreed_ms,"      \
	" preferred_issuer, reason, rev, created_ms, updated_ms, deleted_ms"

static const char ACCOUNT_ADD[] =
	"INSERT INTO account (" COLUMNS ") VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15, 1, $16, $16, 0)";
static const char ACCOUNT_GET[] = "SELECT " COLUMNS " FROM live_account WHERE id = $1";
static const char ACCOUNT_GET_ANY[] = "SELECT " COLUMNS " FROM account WHERE id = $1";
static const char ACCOUNT_GET_NUM[] = "SELECT " COLUMNS " FROM live_account WHERE num = $1";
static const char ACCOUNT_PUT[] =
	"UPDATE account SET name = $3, vendor = $4, directory_url = $5, email = $6, status = $7, url = $8, key_id = $9,"
	" eab_kid = $10, eab_sealed = $11, tos_url = $12, tos_agreed_ms = $13, preferred_issuer = $14, reason = $15,"
	" updated_ms = $16, rev = rev + 1 WHERE id = $1 AND ($2 = 0 OR rev = $2) RETURNING rev";
static const char ACCOUNT_LIST[] = "SELECT " COLUMNS " FROM live_account WHERE (created_ms, id) < ($1, $2)"
				   " ORDER BY created_ms DESC, id DESC LIMIT $3";
static const char ACCOUNT_DELETE[] =
	"UPDATE account SET deleted_ms = $2, rev = rev + 1 WHERE id = $1 AND deleted_ms = 0 RETURNING rev";

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
		   SQL_TEXT((a)->preferred_issuer), SQL_TEXT((a)->reason), SQL_INT(last))

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

int store_account_list(struct sql *q, const struct page *p, struct account_list *ret, struct err *err)
{
	return account_fetch(q, ACCOUNT_LIST,
			     SQL_VALUES(SQL_INT(page_key_desc(p)), SQL_TEXT(page_id(p)), SQL_INT(p->limit + 1)), p->limit, ret,
			     err);
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
