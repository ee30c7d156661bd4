/* SPDX-License-Identifier: Apache-2.0 */
/* order.c - orders (DESIGN 3): rows of people and of the engine in one table, written by different columns. */
#include "store/order.h"

#include "store/kept.h"
#include "store/lib.h"
#include "store/rows.h"

static const char ORDER_ADD[] =
	"INSERT INTO orders (" ORDER_COLUMNS ") VALUES ($1, 0, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15,"
	" $16, 0, $17, $18, NULL, NULL, NULL, 0, 0, $19, $20, 0, 0, 0, $21, $22, NULL, 0, $23, $24, 0, 0, 0, 0, 1, $25, $25,"
	" 0, 0, $26, 0)";
static const char ORDER_GET[] = "SELECT " ORDER_COLUMNS " FROM live_orders WHERE id = $1";
static const char ORDER_GET_NUM[] = "SELECT " ORDER_COLUMNS " FROM live_orders WHERE num = $1";
static const char ORDER_GET_ANY[] = "SELECT " ORDER_COLUMNS " FROM orders WHERE id = $1";
static const char ORDER_FIND_REQUEST[] =
	"SELECT " ORDER_COLUMNS " FROM orders WHERE request_hash = $1 AND ended_ms = 0 AND deleted_ms = 0";

/* SQLite's index of substrings; PostgreSQL keeps its own (migration 0017). */
static const char ORDER_ADD_NAMES[] = "INSERT INTO order_names (rowid, names) VALUES ($1, $2)";

static const char ORDERS_UNFINISHED_ACCOUNT[] =
	"SELECT " ORDER_COLUMNS " FROM orders WHERE account_id = $1 AND ended_ms = 0 ORDER BY created_ms, id";
static const char ORDERS_UNFINISHED_CERTIFICATE[] =
	"SELECT " ORDER_COLUMNS " FROM orders WHERE certificate_id = $1 AND ended_ms = 0 ORDER BY created_ms, id";

/* The end of a lease makes due what people asked for meanwhile; in work, the wish waits for that end. */
#define ASK                                                                                                            \
	", due_ms = CASE WHEN lease_owner IS NULL AND due_ms > $3 THEN $3 ELSE due_ms END, rev = rev + 1"                     \
	" WHERE id = $1 AND ended_ms = 0 AND deleted_ms = 0 RETURNING rev"
static const char *const order_asks[] = {
	[WANT_FINALIZE] = "UPDATE orders SET want_finalize = $2" ASK,
	[WANT_REFRESH] = "UPDATE orders SET want_refresh = $2" ASK,
	[WANT_CANCEL] = "UPDATE orders SET want_cancel = $2" ASK,
};
static const char ORDER_GO_ON[] = "UPDATE orders SET go_on_ms = $2, want_refresh = $2" ASK;
static const char ORDER_GO_ON_GET[] = "SELECT go_on_ms FROM orders WHERE id = $1";
static const char *const order_serves[] = {
	[WANT_FINALIZE] = "UPDATE orders SET want_finalize = 0 WHERE id = $1 AND gen = $2 AND want_finalize = $3",
	[WANT_REFRESH] = "UPDATE orders SET want_refresh = 0 WHERE id = $1 AND gen = $2 AND want_refresh = $3",
	[WANT_CANCEL] = "UPDATE orders SET want_cancel = 0 WHERE id = $1 AND gen = $2 AND want_cancel = $3",
};
static const char ORDER_DELETE[] =
	"UPDATE orders SET deleted_ms = $2, want_cancel = CASE WHEN ended_ms = 0 THEN $2 ELSE want_cancel END,"
	" due_ms = CASE WHEN ended_ms = 0 AND lease_owner IS NULL AND due_ms > $2 THEN $2 ELSE due_ms END, rev = rev + 1"
	" WHERE id = $1 AND deleted_ms = 0 RETURNING rev, status, account_id";

/*
 * Writing an order: SQLite renews the entries of every index that a statement names a column of, changed or not, and an order has a dozen.
 * So the fence goes first with what no index knows, which is all that most steps change (and locks the row on PostgreSQL); then the row is
 * read, and of the rest only what differs is written. LEASE: when someone asked for something meanwhile, it is due at once.
 */
static const char ORDER_PUT[] =
	"UPDATE orders SET step = $3, url = $4, finalize_url = $5, certificate_url = $6, finalize_sent = $7, ca_expires_ms = $8, give_up_ms = $9,"
	" step_since_ms = $10, polls = $11, attempts = $12, reason = $13, updated_ms = $14, key_type = $15, look_after_ms = $16,"
	" lease_until_ms = $17, starts = CASE WHEN $17 = 0 THEN 0 ELSE 1 END"
	" WHERE id = $1 AND gen = $2 AND NOT ($7 = 1 AND finalize_sent = 0 AND want_cancel > 0)";
static const char ORDER_WAS[] =
	"SELECT rev, status, account_id, deleted_ms, certificate_id, csr_id, holds_turn, waiting_for, set_aside, ended_ms, lane, due_ms"
	" FROM orders WHERE id = $1";
static const char ORDER_PUT_TIES[] = "UPDATE orders SET certificate_id = $2, csr_id = $3, holds_turn = $4, waiting_for = $5 WHERE id = $1";
static const char ORDER_PUT_STATE[] = "UPDATE orders SET status = $2, set_aside = $3, ended_ms = $4 WHERE id = $1";
static const char ORDER_PUT_LEASE[] =
	"UPDATE orders SET lane = $2, due_ms = CASE WHEN $4 = 0 AND (want_finalize <> $5 OR want_cancel <> $7 OR (want_refresh <> $6 AND $8 <= $9))"
	" THEN $9 ELSE $3 END, lease_owner = CASE WHEN $4 = 0 THEN NULL ELSE lease_owner END WHERE id = $1";
static const char ORDER_CANCELLED[] = "SELECT 1 FROM orders WHERE id = $1 AND gen = $2 AND want_cancel > 0 AND finalize_sent = 0";
static const char ORDER_POLL[] =
	"UPDATE orders SET polls = $3, starts = 0, lease_owner = NULL, lease_until_ms = 0,"
	" due_ms = CASE WHEN want_finalize <> $6 OR want_cancel <> $8 OR (want_refresh <> $7 AND $9 <= $5) THEN $5 ELSE $4 END,"
	" look_after_ms = $9"
	" WHERE id = $1 AND gen = $2";

static const char TURN_TAKE[] = "UPDATE orders SET holds_turn = 1 WHERE id = $1 AND gen = $2 AND NOT EXISTS"
				" (SELECT 1 FROM orders h WHERE h.turn_hash = $3 AND h.holds_turn = 1 AND h.id <> $1)";
static const char TURN_HOLDER[] = "SELECT id, num FROM orders WHERE turn_hash = $1 AND holds_turn = 1 AND id <> $2";
static const char TURN_FENCE[] = "SELECT 1 FROM orders WHERE id = $1 AND gen = $2";
static const char WAKE_WAITERS[] =
	"UPDATE orders SET due_ms = $2 WHERE waiting_for = $1 AND ended_ms = 0 AND lease_owner IS NULL AND due_ms > $2";

/* The turn came free between the look at it and this write: nobody would wake the one that waits. */
static const char WAKE_UNHELD[] =
	"UPDATE orders SET due_ms = $2 WHERE id = $1 AND ended_ms = 0 AND lease_owner IS NULL AND due_ms > $2"
	" AND NOT EXISTS (SELECT 1 FROM orders h WHERE h.turn_hash = orders.turn_hash AND h.holds_turn = 1 AND h.id <> $1)";

int order_from_row(const struct row *r, struct order *o, struct err *err)
{
	o->id = row_text_dup(r, 0);
	o->gen = row_int(r, 1);
	o->num = row_int(r, 2);
	o->account_id = row_text_dup(r, 3);
	o->certificate_id = row_text_dup(r, 4);
	o->csr_id = row_text_dup(r, 5);
	row_names(r, 6, &o->names);
	o->names_hash = row_text_dup(r, 7);
	o->dns_method = row_text_dup(r, 9);
	o->http_method = row_text_dup(r, 10);
	o->profile = row_text_dup(r, 11);
	o->key_type = row_text_dup(r, 12);
	o->requester = row_text_dup(r, 14);
	o->request_hash = row_text_dup(r, 15);
	o->turn_hash = row_text_dup(r, 16);
	o->holds_turn = row_bool(r, 17);
	o->url = row_text_dup(r, 20);
	o->finalize_url = row_text_dup(r, 21);
	o->certificate_url = row_text_dup(r, 22);
	o->finalize_sent = row_bool(r, 23);
	o->ca_expires_ms = row_int(r, 24);
	o->give_up_ms = row_int(r, 25);
	o->step_since_ms = row_int(r, 26);
	o->polls = row_int(r, 27);
	o->attempts = row_int(r, 28);
	o->starts = row_int(r, 29);
	o->lane = row_text_dup(r, 30);
	o->due_ms = row_int(r, 31);
	o->lease_owner = row_text_dup(r, 32);
	o->lease_until_ms = row_int(r, 33);
	o->waiting_for = row_text_dup(r, 34);
	o->reason = row_text_dup(r, 35);
	o->want_finalize = row_int(r, 36);
	o->want_refresh = row_int(r, 37);
	o->want_cancel = row_int(r, 38);
	o->set_aside = row_bool(r, 39);
	o->rev = row_int(r, 40);
	o->created_ms = row_int(r, 41);
	o->updated_ms = row_int(r, 42);
	o->ended_ms = row_int(r, 43);
	o->deleted_ms = row_int(r, 44);
	o->methods = row_text_dup(r, 45);
	o->look_after_ms = row_int(r, 46);
	if (ROW_ENUM(validation, r, 8, &o->validation, err) < 0 || ROW_ENUM(order_mode, r, 13, &o->mode, err) < 0 ||
	    ROW_ENUM(order_status, r, 18, &o->status, err) < 0 || ROW_ENUM(order_step, r, 19, &o->step, err) < 0)
		return err_wrap(err, "could not read order '%s'", o->id);
	return 0;
}

DEFINE_ROW_FN(order)
DEFINE_COLLECT(order)

/* The kept counts of orders (kept.h). */
static void count(struct sql *tx, const char *status, const char *account_id, int64_t delta)
{
	char what[32];

	snprintf(what, sizeof what, "order.%s", status);
	store_count(tx, what, 0, account_id, delta);
}

/* Its status was that, and is this now; NULL: it is counted no more. */
static void count_move(struct sql *tx, const char *was, const char *now, const char *account_id)
{
	if (now && streq(was, now))
		return;
	count(tx, was, account_id, -1);
	if (now)
		count(tx, now, account_id, 1);
}

struct deleted {
	struct sql *tx;
	int64_t rev;
};

static int deleted_row(const struct row *r, void *arg, UNUSED struct err *err)
{
	struct deleted *d = arg;

	d->rev = row_int(r, 0);
	count_move(d->tx, row_text(r, 1), NULL, row_text(r, 2));
	return 0;
}

/* What the row says before the rest of an order is written, against what it shall say. */
struct writing {
	struct sql *tx;
	const struct order *o;
	int64_t rev, due_ms;
	bool ties, state, lease;
};

static bool same_text(const char *a, const char *b)
{
	return a && b ? streq(a, b) : a == b;
}

static int was_row(const struct row *r, void *arg, UNUSED struct err *err)
{
	struct writing *w = arg;
	const struct order *o = w->o;

	w->rev = row_int(r, 0);
	w->ties = !same_text(row_text(r, 4), o->certificate_id) || !same_text(row_text(r, 5), o->csr_id) || row_bool(r, 6) != o->holds_turn ||
		  !same_text(row_text(r, 7), o->waiting_for);
	w->state = !streq(row_text(r, 1), order_status_text(o->status)) || row_bool(r, 8) != o->set_aside || row_int(r, 9) != o->ended_ms;
	w->lease = w->lease || !streq(row_text(r, 10), o->lane) || row_int(r, 11) != w->due_ms;
	if (!row_int(r, 3))
		count_move(w->tx, row_text(r, 1), order_status_text(o->status), row_text(r, 2));
	return 0;
}

int store_order_add(struct sql *tx, struct order *o, struct err *err)
{
	_cleanup_free_ char *names = names_text(&o->names);
	int64_t num = 0;

	if (store_next_num(tx, "order", &num, err) < 0)
		return -(int)err->code;
	if (sql_exec(tx, ORDER_ADD,
		     SQL_VALUES(SQL_TEXT(o->id), SQL_INT(num), SQL_TEXT(o->account_id), SQL_TEXT(o->certificate_id),
				SQL_TEXT(o->csr_id), SQL_TEXT(names), SQL_TEXT(o->names_hash),
				SQL_TEXT(validation_text(o->validation)), SQL_TEXT(o->dns_method), SQL_TEXT(o->http_method),
				SQL_TEXT(o->profile), SQL_TEXT(o->key_type), SQL_TEXT(order_mode_text(o->mode)),
				SQL_TEXT(o->requester), SQL_TEXT(o->request_hash), SQL_TEXT(o->turn_hash),
				SQL_TEXT(order_status_text(o->status)), SQL_TEXT(order_step_text(o->step)),
				SQL_INT(o->give_up_ms), SQL_INT(o->step_since_ms), SQL_TEXT(o->lane), SQL_INT(o->due_ms),
				SQL_TEXT(o->waiting_for), SQL_TEXT(o->reason), SQL_INT(o->created_ms), SQL_TEXT(o->methods)),
		     NULL, err) < 0)
		return err_wrap(err, "could not store order '%s'", o->id);
	if (sql_dialect(tx) == SQL_SQLITE && sql_exec(tx, ORDER_ADD_NAMES, SQL_VALUES(SQL_INT(num), SQL_TEXT(names)), NULL, err) < 0)
		return err_wrap(err, "could not store the names of order '%s'", o->id);
	o->num = num;
	o->rev = 1;
	o->updated_ms = o->created_ms;
	count(tx, order_status_text(o->status), o->account_id, 1);
	store_touch(tx, "order", o->id, 1);
	return 0;
}

int store_order_get(struct sql *q, const char *id, struct order *ret, struct err *err)
{
	return order_one(q, ORDER_GET, SQL_VALUES(SQL_TEXT(id)), "order", id, ret, err);
}

int store_order_get_num(struct sql *q, int64_t num, struct order *ret, struct err *err)
{
	return order_one(q, ORDER_GET_NUM, SQL_VALUES(SQL_INT(num)), "order", num_text(num).s, ret, err);
}

static const char ORDER_COUNT[] =
	"SELECT CAST(COALESCE(SUM(k.n), 0) AS BIGINT) FROM kept k JOIN account a ON a.id = k.who"
	" WHERE k.what = 'order.' || $1 AND k.hour = 0 AND a.deleted_ms = 0";

int store_order_count(struct sql *q, enum order_status status, int64_t *ret, struct err *err)
{
	return sql_int(q, ORDER_COUNT, SQL_VALUES(SQL_TEXT(order_status_text(status))), ret, err);
}

int store_order_get_any(struct sql *q, const char *id, struct order *ret, struct err *err)
{
	return order_one(q, ORDER_GET_ANY, SQL_VALUES(SQL_TEXT(id)), "order", id, ret, err);
}

int store_order_find_request(struct sql *q, const char *request_hash, struct order *ret, struct err *err)
{
	return order_one(q, ORDER_FIND_REQUEST, SQL_VALUES(SQL_TEXT(request_hash)), "live order of request", request_hash,
			 ret, err);
}

int store_order_unfinished(struct sql *q, enum order_of of, const char *id, struct order_list *ret, struct err *err)
{
	const char *text = of == ORDERS_OF_ACCOUNT ? ORDERS_UNFINISHED_ACCOUNT : ORDERS_UNFINISHED_CERTIFICATE;

	return order_fetch(q, text, SQL_VALUES(SQL_TEXT(id)), 0, ret, err);
}

int store_order_ask(struct sql *tx, const char *id, enum order_want want, int64_t now_ms, int64_t due_ms, struct err *err)
{
	_cleanup_order_ struct order o = { 0 };
	int64_t rev = 0;

	if (store_order_get(tx, id, &o, err) < 0)
		return -(int)err->code;
	if (o.ended_ms)
		return err_set(err, ERR_CONFLICT, "order '%s' is over: it is %s", id, order_status_text(o.status));
	if (sql_int(tx, order_asks[want], SQL_VALUES(SQL_TEXT(id), SQL_INT(now_ms), SQL_INT(due_ms)), &rev, err) < 0) {
		if (err->code != ERR_NOT_FOUND)
			return err_wrap(err, "could not write order '%s'", id);
		err_clear(err); /* ended between the two statements */
		return err_set(err, ERR_CONFLICT, "order '%s' is over", id);
	}
	store_touch(tx, "order", id, rev);
	return 0;
}

int store_order_go_on(struct sql *tx, const char *id, int64_t now_ms, struct err *err)
{
	int64_t rev = 0;

	if (sql_int(tx, ORDER_GO_ON, SQL_VALUES(SQL_TEXT(id), SQL_INT(now_ms), SQL_INT(now_ms)), &rev, err) < 0) {
		if (err->code != ERR_NOT_FOUND)
			return err_wrap(err, "could not write order '%s'", id);
		err_clear(err);
		return err_set(err, ERR_CONFLICT, "order '%s' is over", id);
	}
	store_touch(tx, "order", id, rev);
	return 0;
}

int store_order_go_on_get(struct sql *q, const char *id, int64_t *ret_ms, struct err *err)
{
	if (sql_int(q, ORDER_GO_ON_GET, SQL_VALUES(SQL_TEXT(id)), ret_ms, err) < 0)
		return err_wrap(err, "could not read order '%s'", id);
	return 0;
}

int store_order_served(struct sql *tx, const struct order *o, enum order_want want, struct err *err)
{
	int64_t seen = want == WANT_FINALIZE ? o->want_finalize : want == WANT_REFRESH ? o->want_refresh : o->want_cancel;

	if (sql_exec(tx, order_serves[want], SQL_VALUES(SQL_TEXT(o->id), SQL_INT(o->gen), SQL_INT(seen)), NULL, err) < 0)
		return err_wrap(err, "could not write order '%s'", o->id);
	return 0;
}

int store_order_delete(struct sql *tx, const char *id, int64_t now_ms, struct err *err)
{
	struct deleted d = { .tx = tx };

	if (sql_one(tx, ORDER_DELETE, SQL_VALUES(SQL_TEXT(id), SQL_INT(now_ms)), deleted_row, &d, err) < 0) {
		if (err->code != ERR_NOT_FOUND)
			return err_wrap(err, "could not delete order '%s'", id);
		err_clear(err);
		return err_set(err, ERR_NOT_FOUND, "no such order '%s'", id);
	}
	store_touch(tx, "order", id, d.rev);
	return 0;
}

/* The fence let nothing pass: because of a wish to cancel, or because the lease is lost. */
static int refused(struct sql *tx, const struct order *o, struct err *err)
{
	bool cancelled = false;

	if (sql_exists(tx, ORDER_CANCELLED, SQL_VALUES(SQL_TEXT(o->id), SQL_INT(o->gen)), &cancelled, err) < 0)
		return err_wrap(err, "could not read order '%s'", o->id);
	if (cancelled)
		return err_set(err, ERR_CHANGED, "order '%s' was cancelled before finalize was sent", o->id);
	return err_set(err, ERR_LOST_LEASE, "somebody else carries on with order '%s'", o->id);
}

static int put_rest(struct sql *tx, const struct writing *w, int64_t lease_ms, int64_t now_ms, struct err *err)
{
	const struct order *o = w->o;

	if (w->ties && sql_exec(tx, ORDER_PUT_TIES,
				SQL_VALUES(SQL_TEXT(o->id), SQL_TEXT(o->certificate_id), SQL_TEXT(o->csr_id), SQL_BOOL(o->holds_turn),
					   SQL_TEXT(o->waiting_for)),
				NULL, err) < 0)
		return -(int)err->code;
	if (w->state && sql_exec(tx, ORDER_PUT_STATE,
				 SQL_VALUES(SQL_TEXT(o->id), SQL_TEXT(order_status_text(o->status)), SQL_BOOL(o->set_aside), SQL_INT(o->ended_ms)),
				 NULL, err) < 0)
		return -(int)err->code;
	if (!w->lease)
		return 0;
	return sql_exec(tx, ORDER_PUT_LEASE,
			SQL_VALUES(SQL_TEXT(o->id), SQL_TEXT(o->lane), SQL_INT(w->due_ms), SQL_INT(lease_ms), SQL_INT(o->want_finalize),
				   SQL_INT(o->want_refresh), SQL_INT(o->want_cancel), SQL_INT(o->look_after_ms), SQL_INT(now_ms)),
			NULL, err);
}

int store_order_put(struct sql *tx, const struct order *o, enum lease_then then, int64_t now_ms, struct err *err)
{
	int64_t lease = then == LEASE_KEEP ? o->lease_until_ms : 0, mine = 0;
	struct writing w = { .tx = tx, .o = o, .due_ms = then == LEASE_KEEP ? o->lease_until_ms : o->due_ms, .lease = then != LEASE_KEEP };

	if (sql_exec(tx, ORDER_PUT,
		     SQL_VALUES(SQL_TEXT(o->id), SQL_INT(o->gen), SQL_TEXT(order_step_text(o->step)), SQL_TEXT(o->url),
				SQL_TEXT(o->finalize_url), SQL_TEXT(o->certificate_url), SQL_BOOL(o->finalize_sent), SQL_INT(o->ca_expires_ms),
				SQL_INT(o->give_up_ms), SQL_INT(o->step_since_ms), SQL_INT(o->polls), SQL_INT(o->attempts), SQL_TEXT(o->reason),
				SQL_INT(now_ms), SQL_TEXT(o->key_type), SQL_INT(o->look_after_ms), SQL_INT(lease)),
		     &mine, err) < 0)
		return err_wrap(err, "could not write order '%s'", o->id);
	if (!mine)
		return refused(tx, o, err);
	if (sql_one(tx, ORDER_WAS, SQL_VALUES(SQL_TEXT(o->id)), was_row, &w, err) < 0 || put_rest(tx, &w, lease, now_ms, err) < 0)
		return err_wrap(err, "could not write order '%s'", o->id);
	store_touch(tx, "order", o->id, w.rev);
	return 0;
}

int store_order_poll(struct sql *tx, const struct order *o, int64_t now_ms, struct err *err)
{
	return exec_named(tx, ORDER_POLL,
			  SQL_VALUES(SQL_TEXT(o->id), SQL_INT(o->gen), SQL_INT(o->polls), SQL_INT(o->due_ms), SQL_INT(now_ms),
				     SQL_INT(o->want_finalize), SQL_INT(o->want_refresh), SQL_INT(o->want_cancel), SQL_INT(o->look_after_ms)),
			  ERR_LOST_LEASE, "order", o->id, err);
}

struct holder {
	char *id;
	int64_t num;
};

static int holder_row(const struct row *r, void *arg, UNUSED struct err *err)
{
	struct holder *h = arg;

	replace_str(&h->id, row_text(r, 0));
	h->num = row_int(r, 1);
	return 0;
}

struct take {
	const struct order *o;
	int64_t changed;
};

static int take_turn(struct sql *tx, void *arg, struct err *err)
{
	struct take *t = arg;

	return sql_exec(tx, TURN_TAKE, SQL_VALUES(SQL_TEXT(t->o->id), SQL_INT(t->o->gen), SQL_TEXT(t->o->turn_hash)),
			&t->changed, err);
}

int store_order_take_turn(struct sql *tx, const struct order *o, char **ret_holder, int64_t *ret_holder_num, struct err *err)
{
	struct take t = { .o = o };
	struct holder h = { 0 };
	bool mine = false;

	/* in a savepoint on PostgreSQL, where another transaction may take it at the same moment */
	if ((sql_dialect(tx) == SQL_SQLITE ? take_turn(tx, &t, err) : sql_tx(tx, take_turn, &t, err)) < 0) {
		if (err->code != ERR_CONFLICT)
			return err_wrap(err, "could not take the turn for order '%s'", o->id);
		err_clear(err);
	}
	if (!t.changed) {
		if (sql_exists(tx, TURN_FENCE, SQL_VALUES(SQL_TEXT(o->id), SQL_INT(o->gen)), &mine, err) < 0)
			return -(int)err->code;
		if (!mine)
			return err_set(err, ERR_LOST_LEASE, "somebody else carries on with order '%s'", o->id);
		if (sql_one(tx, TURN_HOLDER, SQL_VALUES(SQL_TEXT(o->turn_hash), SQL_TEXT(o->id)), holder_row, &h, err) < 0)
			return err->code == ERR_NOT_FOUND ? (err_clear(err), err_set(err, ERR_BUSY, "the turn of order '%s' is "
											 "changing hands", o->id))
							  : -(int)err->code;
	}
	*ret_holder = h.id;
	*ret_holder_num = h.num;
	return 0;
}

int store_order_wake_waiters(struct sql *tx, const char *id, int64_t now_ms, struct err *err)
{
	int64_t changed = 0;

	if (sql_exec(tx, WAKE_WAITERS, SQL_VALUES(SQL_TEXT(id), SQL_INT(now_ms)), &changed, err) < 0)
		return err_wrap(err, "could not wake the orders that wait for '%s'", id);
	if (changed)
		store_touch(tx, "order", NULL, 0);
	return 0;
}

int store_order_wake_unheld(struct sql *tx, const char *id, int64_t now_ms, struct err *err)
{
	int64_t changed = 0;

	if (sql_exec(tx, WAKE_UNHELD, SQL_VALUES(SQL_TEXT(id), SQL_INT(now_ms)), &changed, err) < 0)
		return err_wrap(err, "could not wake order '%s'", id);
	if (changed)
		store_touch(tx, "order", NULL, 0);
	return 0;
}

static const char ORDER_TO_LANE[] =
	"UPDATE orders SET lane = $2 WHERE id = $1 AND want_cancel > 0 AND ended_ms = 0 AND lease_owner IS NULL"
	" AND finalize_sent = 0";

int store_order_to_lane(struct sql *tx, const char *id, const char *lane, struct err *err)
{
	if (sql_exec(tx, ORDER_TO_LANE, SQL_VALUES(SQL_TEXT(id), SQL_TEXT(lane)), NULL, err) < 0)
		return err_wrap(err, "could not write order '%s'", id);
	return 0;
}

/* One park is a person's day from the order that met it; those that met it at the same time differ by moments. */
static const char WAKE_ACCOUNT[] =
	"UPDATE orders SET due_ms = $2 WHERE account_id = $1 AND ended_ms = 0 AND set_aside = 0 AND lease_owner IS NULL AND due_ms > $2"
	" AND ((due_ms >= $3 AND due_ms <= $4) OR reason LIKE '%\"code\":\"needs-person\"%')";

int store_order_wake_account(struct sql *tx, const char *account_id, int64_t parked_until_ms, int64_t now_ms, struct err *err)
{
	if (sql_exec(tx, WAKE_ACCOUNT,
		     SQL_VALUES(SQL_TEXT(account_id), SQL_INT(now_ms), SQL_INT(parked_until_ms - MINUTE_MS), SQL_INT(parked_until_ms)), NULL,
		     err) < 0)
		return err_wrap(err, "could not wake the orders of account '%s'", account_id);
	return 0;
}

static const char ORDER_RESUME[] =
	"UPDATE orders SET set_aside = 0, starts = 0, due_ms = $2, rev = rev + 1 WHERE id = $1 AND set_aside = 1 AND ended_ms = 0"
	" RETURNING rev";

int store_order_resume(struct sql *tx, const char *id, int64_t now_ms, struct err *err)
{
	int64_t rev = 0;

	if (sql_int(tx, ORDER_RESUME, SQL_VALUES(SQL_TEXT(id), SQL_INT(now_ms)), &rev, err) < 0) {
		if (err->code != ERR_NOT_FOUND)
			return err_wrap(err, "could not write order '%s'", id);
		err_clear(err);
		return 0;
	}
	store_touch(tx, "order", id, rev);
	return 0;
}
