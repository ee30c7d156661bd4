/* SPDX-License-Identifier: Apache-2.0 */
/* takeover.c - see takeover.h. Of the certificate's columns only account_id and pause_reason are written. */
#include "store/takeover.h"

#include "store/lib.h"

static const char LIST[] = "SELECT id, num, names, managed, not_after_ms FROM certificate WHERE account_id = $1 AND deleted_ms = 0"
			   " ORDER BY id";
static const char LIST_SOME[] = "SELECT id, num, names, managed, not_after_ms FROM certificate WHERE id IN (SELECT id FROM certificate"
				" WHERE account_id = $1 AND deleted_ms = 0 LIMIT $2)";
static const char COUNT[] = "SELECT count(*) FROM certificate WHERE account_id = $1 AND deleted_ms = 0";
static const char COUNT_MANAGED[] = "SELECT count(*) FROM certificate WHERE account_id = $1 AND deleted_ms = 0 AND managed = 1";
static const char TAKE_OVER[] =
	"UPDATE certificate SET account_id = $2, pause_reason = NULL, updated_ms = $3, rev = rev + 1 WHERE account_id = $1 AND deleted_ms = 0";
static const char ORPHAN[] =
	"UPDATE certificate SET pause_reason = $2, updated_ms = $3, rev = rev + 1 WHERE account_id = $1 AND deleted_ms = 0 AND managed = 1";

void account_certificate_done(struct account_certificate *c)
{
	free(c->id);
	strlist_clear(&c->names);
	*c = (struct account_certificate){ 0 };
}

static int account_certificate_from_row(const struct row *r, struct account_certificate *c, UNUSED struct err *err)
{
	c->id = row_text_dup(r, 0);
	c->num = row_int(r, 1);
	row_names(r, 2, &c->names);
	c->managed = row_bool(r, 3);
	c->not_after_ms = row_int(r, 4);
	return 0;
}

DEFINE_ROW_FN(account_certificate)
DEFINE_COLLECT(account_certificate)

int store_account_certificates(struct sql *q, const char *account_id, int limit, struct account_certificate_list *ret, struct err *err)
{
	if (!limit)
		return account_certificate_fetch(q, LIST, SQL_VALUES(SQL_TEXT(account_id)), 0, ret, err);
	return account_certificate_fetch(q, LIST_SOME, SQL_VALUES(SQL_TEXT(account_id), SQL_INT(limit + 1)), limit, ret, err);
}

int store_account_certificate_count(struct sql *q, const char *account_id, int64_t *ret_all, int64_t *ret_managed, struct err *err)
{
	if (sql_int(q, COUNT, SQL_VALUES(SQL_TEXT(account_id)), ret_all, err) < 0)
		return -(int)err->code;
	return sql_int(q, COUNT_MANAGED, SQL_VALUES(SQL_TEXT(account_id)), ret_managed, err);
}

int store_account_takeover(struct sql *tx, const char *account_id, const char *to_id, int64_t now_ms, struct err *err)
{
	if (sql_exec(tx, TAKE_OVER, SQL_VALUES(SQL_TEXT(account_id), SQL_TEXT(to_id), SQL_INT(now_ms)), NULL, err) < 0)
		return err_wrap(err, "could not give the certificates to another account");
	store_touch(tx, "certificate", NULL, 0);
	return 0;
}

int store_account_orphan(struct sql *tx, const char *account_id, const char *reason, int64_t now_ms, struct err *err)
{
	if (sql_exec(tx, ORPHAN, SQL_VALUES(SQL_TEXT(account_id), SQL_TEXT(reason), SQL_INT(now_ms)), NULL, err) < 0)
		return err_wrap(err, "could not mark the certificates of the account");
	store_touch(tx, "certificate", NULL, 0);
	return 0;
}
