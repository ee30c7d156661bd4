/* SPDX-License-Identifier: Apache-2.0 */
/* debt.c - debts before deeds (DESIGN 3, rule 6): what must be withdrawn, and who is at it. */
#include "store/debt.h"

#include "base/str.h"
#include "store/lib.h"
#include "store/rows.h"

static const char DEBT_ADD[] =
	"INSERT INTO debt (" DEBT_COLUMNS ") VALUES ($1, 0, $2, $3, $4, $5, $6, 'owed', $7, $8, $9, NULL, 0, 0, 0, 0, NULL, $10, 0)";
static const char DEBT_GET[] = "SELECT " DEBT_COLUMNS " FROM debt WHERE id = $1";
static const char DEBT_RELEASE_ORDER[] =
	"UPDATE debt SET held = 0, due_ms = $2 WHERE order_id = $1 AND state = 'owed' AND held = 1";
static const char DEBT_REOPEN[] =
	"UPDATE debt SET state = 'owed', paid_ms = 0, held = 0, set_aside = 0, starts = 0,"
	" due_ms = CASE WHEN lease_owner IS NULL THEN $2 ELSE due_ms END WHERE id = $1";
static const char DEBT_PUT[] =
	"UPDATE debt SET state = $3, paid_ms = $4, due_ms = $5, attempts = $6, set_aside = $7, reason = $8, lane = $9, starts = 0,"
	" lease_owner = CASE WHEN $10 = 0 THEN NULL ELSE lease_owner END, lease_until_ms = $10 WHERE id = $1 AND gen = $2";
static const char DEBT_PAY[] =
	"UPDATE debt SET state = 'paid', paid_ms = $2, held = 0, lease_owner = NULL, lease_until_ms = 0"
	" WHERE id = $1 AND state = 'owed'";
static const char DEBT_LIST_ORDER[] = "SELECT " DEBT_COLUMNS " FROM debt WHERE order_id = $1 ORDER BY created_ms, id";
static const char DEBT_PLACE[] = "UPDATE debt SET what = $2, lane = $3 WHERE record_id = $1 AND state = 'owed'";
static const char DEBT_LIST_OWED[] = "SELECT " DEBT_COLUMNS " FROM debt WHERE state = 'owed' AND (created_ms, id) > ($1, $2)"
				     " ORDER BY created_ms, id LIMIT $3";
static const char DEBT_RETRY[] =
	"UPDATE debt SET set_aside = 0, starts = 0, due_ms = CASE WHEN lease_owner IS NULL THEN $2 ELSE due_ms END"
	" WHERE id = $1 AND state = 'owed' AND held = 0";
static const char DEBT_OWED[] = "SELECT COUNT(*) FROM debt WHERE state = 'owed'";
static const char DEBT_ASIDE[] = "SELECT COUNT(*) FROM debt WHERE state = 'owed' AND set_aside = 1";
static const char DEBT_PRUNE_PAID[] =
	"DELETE FROM debt WHERE id IN (SELECT id FROM debt WHERE state = 'paid' AND paid_ms < $1 LIMIT 500)";

int debt_from_row(const struct row *r, struct debt *d, struct err *err)
{
	const char *state = row_text(r, 7);

	d->id = row_text_dup(r, 0);
	d->gen = row_int(r, 1);
	d->order_id = row_text_dup(r, 2);
	d->record_id = row_text_dup(r, 3);
	d->method = row_text_dup(r, 5);
	d->what = row_text_dup(r, 6);
	d->paid = streq(state, "paid");
	d->held = row_bool(r, 8);
	d->lane = row_text_dup(r, 9);
	d->due_ms = row_int(r, 10);
	d->lease_owner = row_text_dup(r, 11);
	d->lease_until_ms = row_int(r, 12);
	d->starts = row_int(r, 13);
	d->attempts = row_int(r, 14);
	d->set_aside = row_bool(r, 15);
	d->reason = row_text_dup(r, 16);
	d->created_ms = row_int(r, 17);
	d->paid_ms = row_int(r, 18);
	if (!d->paid && !streq(state, "owed"))
		return err_set(err, ERR_STORE, "debt '%s' has an unknown state '%s'", d->id, state);
	if (ROW_ENUM(debt_kind, r, 4, &d->kind, err) < 0)
		return err_wrap(err, "could not read debt '%s'", d->id);
	return 0;
}

DEFINE_ROW_FN(debt)
DEFINE_COLLECT(debt)

int store_debt_add(struct sql *tx, const struct debt *d, struct err *err)
{
	if (sql_exec(tx, DEBT_ADD,
		     SQL_VALUES(SQL_TEXT(d->id), SQL_TEXT(d->order_id), SQL_TEXT(d->record_id),
				SQL_TEXT(debt_kind_text(d->kind)), SQL_TEXT(d->method), SQL_TEXT(d->what), SQL_BOOL(d->held),
				SQL_TEXT(d->lane), SQL_INT(d->due_ms), SQL_INT(d->created_ms)),
		     NULL, err) < 0)
		return err_wrap(err, "could not note what order '%s' must withdraw", d->order_id);
	store_touch(tx, "debt", d->id, 0);
	return 0;
}

int store_debt_get(struct sql *q, const char *id, struct debt *ret, struct err *err)
{
	return debt_one(q, DEBT_GET, SQL_VALUES(SQL_TEXT(id)), "debt", id, ret, err);
}

int store_debt_release_order(struct sql *tx, const char *order_id, int64_t now_ms, struct err *err)
{
	int64_t changed = 0;

	if (sql_exec(tx, DEBT_RELEASE_ORDER, SQL_VALUES(SQL_TEXT(order_id), SQL_INT(now_ms)), &changed, err) < 0)
		return err_wrap(err, "could not release the debts of order '%s'", order_id);
	if (changed)
		store_touch(tx, "debt", NULL, 0);
	return 0;
}

int store_debt_reopen(struct sql *tx, const char *id, int64_t now_ms, struct err *err)
{
	store_touch(tx, "debt", id, 0);
	return exec_named(tx, DEBT_REOPEN, SQL_VALUES(SQL_TEXT(id), SQL_INT(now_ms)), ERR_NOT_FOUND, "debt", id, err);
}

int store_debt_put(struct sql *tx, const struct debt *d, enum lease_then then, int64_t now_ms, struct err *err)
{
	int64_t lease = then == LEASE_KEEP ? d->lease_until_ms : 0;

	if (exec_named(tx, DEBT_PUT,
		       SQL_VALUES(SQL_TEXT(d->id), SQL_INT(d->gen), SQL_TEXT(d->paid ? "paid" : "owed"),
				  SQL_INT(d->paid ? now_ms : 0), SQL_INT(lease ? lease : d->due_ms), SQL_INT(d->attempts),
				  SQL_BOOL(d->set_aside), SQL_TEXT(d->reason), SQL_TEXT(d->lane), SQL_INT(lease)),
		       ERR_LOST_LEASE, "debt", d->id, err) < 0)
		return -(int)err->code;
	store_touch(tx, "debt", d->id, 0);
	return 0;
}

int store_debt_pay(struct sql *tx, const char *id, int64_t now_ms, struct err *err)
{
	if (sql_exec(tx, DEBT_PAY, SQL_VALUES(SQL_TEXT(id), SQL_INT(now_ms)), NULL, err) < 0)
		return err_wrap(err, "could not write debt '%s'", id);
	return 0;
}

int store_debt_list_order(struct sql *q, const char *order_id, struct debt_list *ret, struct err *err)
{
	return debt_fetch(q, DEBT_LIST_ORDER, SQL_VALUES(SQL_TEXT(order_id)), 0, ret, err);
}

int store_debt_place(struct sql *tx, const char *record_id, const char *what, const char *lane, struct err *err)
{
	if (sql_exec(tx, DEBT_PLACE, SQL_VALUES(SQL_TEXT(record_id), SQL_TEXT(what), SQL_TEXT(lane)), NULL, err) < 0)
		return err_wrap(err, "could not note where record '%s' is withdrawn", record_id);
	return 0;
}

int store_debt_list_owed(struct sql *q, const struct page *p, struct debt_list *ret, struct err *err)
{
	return debt_fetch(q, DEBT_LIST_OWED, SQL_VALUES(SQL_INT(page_key_asc(p)), SQL_TEXT(page_id(p)), SQL_INT(p->limit + 1)), p->limit,
			  ret, err);
}

int store_debt_retry(struct sql *tx, const char *id, int64_t now_ms, struct err *err)
{
	store_touch(tx, "debt", id, 0);
	return exec_named(tx, DEBT_RETRY, SQL_VALUES(SQL_TEXT(id), SQL_INT(now_ms)), ERR_CONFLICT, "unpaid and released debt", id, err);
}

int store_debt_owed(struct sql *q, int64_t *ret_n, struct err *err)
{
	return sql_int(q, DEBT_OWED, SQL_NONE, ret_n, err);
}

int store_debt_aside(struct sql *q, int64_t *ret_n, struct err *err)
{
	return sql_int(q, DEBT_ASIDE, SQL_NONE, ret_n, err);
}

int store_debt_prune(struct sql *tx, int64_t paid_before_ms, int64_t *ret_n, struct err *err)
{
	return prune(tx, DEBT_PRUNE_PAID, SQL_VALUES(SQL_INT(paid_before_ms)), ret_n, "debt", err);
}
