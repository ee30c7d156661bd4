/* SPDX-License-Identifier: Apache-2.0 */
/*
 * lease.c - claiming due rows of orders, job and debt with a fencing number; the one place where the two databases get
 * different texts (SKIP LOCKED; who is alone may look first).
 */
#include "store/lease.h"

#include "base/json.h"
#include "base/limits.h"
#include "base/str.h"
#include "store/lib.h"
#include "store/rows.h"

#define LIVE_ORDERS "ended_ms = 0 AND set_aside = 0"
#define LIVE_JOBS "ended_ms = 0 AND set_aside = 0"
#define LIVE_DEBTS "state = 'owed' AND held = 0 AND set_aside = 0"

#define DUE(what, table, live)                                                                                         \
	"SELECT " what " FROM " table " WHERE lane = $1 AND due_ms <= $2 AND " live                                           \
	" AND starts >= $3 AND starts <= $4 ORDER BY due_ms LIMIT $5"
#define TAKE_ROW(owner, until)                                                                                         \
	" SET gen = gen + 1, starts = starts + 1, lease_owner = " owner ", lease_until_ms = " until ", due_ms = " until
/* SQLite's writer is alone: it looks, and mostly there is nothing; a claim in one statement would set up three tables of its own first. */
#define LOOK_SQLITE(table, live) DUE("id", table, live)
#define TAKE_SQLITE(table, more) "UPDATE " table TAKE_ROW("$2", "$3") more " WHERE id = $1"
#define GET_SQLITE(table, columns) "SELECT " columns " FROM " table " WHERE id = $1"
#define CLAIM_PGSQL(table, live, more, columns)                                                                        \
	"WITH due AS MATERIALIZED (" DUE("id AS due_id", table, live) " FOR UPDATE SKIP LOCKED) UPDATE " table TAKE_ROW("$6", "$7") more    \
	" FROM due WHERE id = due_id RETURNING " columns

#define ASIDE(table)                                                                                                   \
	"UPDATE " table " SET set_aside = 1, reason = $3, lease_owner = NULL, lease_until_ms = 0 WHERE id = $1 AND gen = $2"
#define FORMER(table)                                                                                                  \
	"UPDATE " table " SET lease_owner = NULL, lease_until_ms = 0, due_ms = $3"                                            \
	" WHERE lease_owner IS NOT NULL AND substr(lease_owner, 1, length($1)) = $1 AND lease_owner <> $2"
#define RELEASE(table)                                                                                                 \
	"UPDATE " table " SET lease_owner = NULL, lease_until_ms = 0, due_ms = $3,"                                           \
	" starts = CASE WHEN starts > 0 THEN starts - 1 ELSE 0 END WHERE id = $1 AND gen = $2"
#define UNBEGUN(table) "UPDATE " table " SET starts = starts - 1 WHERE id = $1 AND gen >= $2 AND starts > 0"
#define EXTEND(table) "UPDATE " table " SET lease_until_ms = $3, due_ms = $3 WHERE id = $1 AND gen = $2"

static int take_order(const struct row *r, struct claimed *c, struct err *err);
static int take_job(const struct row *r, struct claimed *c, struct err *err);
static int take_debt(const struct row *r, struct claimed *c, struct err *err);

enum { T_DEBT, T_ORDERS, T_JOB, T_COUNT }; /* in the order they are claimed */
static const struct claim_table {
	const char *name, *claim, *look, *take_one, *get, *aside, *former, *release, *unbegun, *extend; /* claim: PostgreSQL; the next three: SQLite */
	int (*take)(const struct row *r, struct claimed *c, struct err *err);
} tables[T_COUNT] = {
	[T_DEBT] = { "debt", CLAIM_PGSQL("debt", LIVE_DEBTS, "", DEBT_COLUMNS), LOOK_SQLITE("debt", LIVE_DEBTS), TAKE_SQLITE("debt", ""),
		     GET_SQLITE("debt", DEBT_COLUMNS), ASIDE("debt"), FORMER("debt"), RELEASE("debt"), UNBEGUN("debt"), EXTEND("debt"),
		     take_debt },
	[T_ORDERS] = { "orders", CLAIM_PGSQL("orders", LIVE_ORDERS, "", ORDER_COLUMNS), LOOK_SQLITE("orders", LIVE_ORDERS),
		       TAKE_SQLITE("orders", ""), GET_SQLITE("orders", ORDER_COLUMNS), ASIDE("orders"), FORMER("orders"), RELEASE("orders"),
		       UNBEGUN("orders"), EXTEND("orders"), take_order },
	[T_JOB] = { "job", CLAIM_PGSQL("job", LIVE_JOBS, ", state = 'running'", JOB_COLUMNS), LOOK_SQLITE("job", LIVE_JOBS),
		    TAKE_SQLITE("job", ", state = 'running'"), GET_SQLITE("job", JOB_COLUMNS), ASIDE("job"), FORMER("job"), RELEASE("job"),
		    UNBEGUN("job"), EXTEND("job"), take_job },
};

struct walk {
	const struct claim_table *table;
	struct claimed *claimed;
	struct aside_row {
		char *id, *why;
		int64_t gen;
	} *aside;
	size_t n_aside;
};

static void walk_aside(struct walk *w, const char *id, int64_t gen, char *why)
{
	w->aside = xrealloc(w->aside, (w->n_aside + 1) * sizeof *w->aside);
	w->aside[w->n_aside++] = (struct aside_row){ .id = xstrdup(id), .why = why, .gen = gen };
}

static void walk_done(struct walk *w)
{
	for (size_t i = 0; i < w->n_aside; i++) {
		free(w->aside[i].id);
		free(w->aside[i].why);
	}
	free(w->aside);
}
#define _cleanup_walk_ __attribute__((cleanup(walk_done)))

/* Columns 0 and 1 are id and gen in every column list. A row that was started too often comes back as -ERR_CONFLICT. */
static int claim_row(const struct row *r, void *arg, UNUSED struct err *err)
{
	struct walk *w = arg;
	struct err why = ERR_INIT;

	if (w->table->take(r, w->claimed, &why) >= 0)
		return 0;
	walk_aside(w, row_text(r, 0), row_int(r, 1), err_text(&why));
	err_clear(&why);
	return 0;
}

static int worn(int64_t starts, struct err *err)
{
	if (starts <= LIMIT_STARTS)
		return 0;
	return err_set(err, ERR_NEEDS_PERSON, "it was started %d times and never came to an end: it is set aside", LIMIT_STARTS);
}

static int take_order(const struct row *r, struct claimed *c, struct err *err)
{
	if (order_from_row(r, order_list_add(&c->orders), err) >= 0 && worn(c->orders.v[c->orders.n - 1].starts, err) >= 0)
		return 0;
	order_list_cut(&c->orders);
	return -(int)err->code;
}

static int take_job(const struct row *r, struct claimed *c, struct err *err)
{
	if (job_from_row(r, job_list_add(&c->jobs), err) >= 0 && worn(c->jobs.v[c->jobs.n - 1].starts, err) >= 0)
		return 0;
	job_list_cut(&c->jobs);
	return -(int)err->code;
}

static int take_debt(const struct row *r, struct claimed *c, struct err *err)
{
	if (debt_from_row(r, debt_list_add(&c->debts), err) >= 0 && worn(c->debts.v[c->debts.n - 1].starts, err) >= 0)
		return 0;
	debt_list_cut(&c->debts);
	return -(int)err->code;
}

static int set_aside(struct sql *tx, struct walk *w, struct err *err)
{
	for (size_t i = 0; i < w->n_aside; i++) {
		struct aside_row *a = &w->aside[i];
		_cleanup_err_ struct err why = ERR_INIT;
		_cleanup_free_ char *reason = NULL;
		struct aside *told;

		err_set(&why, ERR_NEEDS_PERSON, "%s", a->why);
		reason = err_to_json_text(&why);
		if (sql_exec(tx, w->table->aside, SQL_VALUES(SQL_TEXT(a->id), SQL_INT(a->gen), SQL_TEXT(reason)), NULL, err) < 0)
			return err_wrap(err, "could not set %s '%s' aside", w->table->name, a->id);
		told = aside_list_add(&w->claimed->aside);
		told->table = w->table->name;
		told->id = TAKE(a->id);
		told->why = TAKE(a->why);
		store_touch(tx, streq(w->table->name, "orders") ? "order" : w->table->name, told->id, 0);
	}
	return 0;
}

static size_t claimed_count(const struct claimed *c)
{
	return c->orders.n + c->jobs.n + c->debts.n;
}

static int id_row(const struct row *r, void *arg, UNUSED struct err *err)
{
	strlist_add(arg, row_text(r, 0));
	return 0;
}

static int claim_alone(struct sql *tx, struct sql_values due, const struct claim *c, struct walk *w, struct err *err)
{
	_cleanup_strlist_ struct strlist ids = { 0 };

	if (sql_each(tx, w->table->look, due, id_row, &ids, err) < 0)
		return -(int)err->code;
	for (size_t i = 0; i < ids.n; i++)
		if (sql_exec(tx, w->table->take_one, SQL_VALUES(SQL_TEXT(ids.v[i]), SQL_TEXT(c->owner), SQL_INT(c->lease_until_ms)), NULL, err) < 0 ||
		    sql_one(tx, w->table->get, SQL_VALUES(SQL_TEXT(ids.v[i])), claim_row, w, err) < 0)
			return -(int)err->code;
	return 0;
}

static int claim_lane(struct sql *tx, const struct claim *c, const struct claim_lane *lane, int max, struct claimed *ret,
		      struct err *err)
{
	int64_t least = c->who == CLAIM_SUSPECTS ? 1 : 0, most = c->who == CLAIM_FRESH ? 0 : INT64_MAX;
	size_t before = claimed_count(ret);

	for (size_t t = 0; t < T_COUNT && claimed_count(ret) - before < (size_t)max; t++) {
		_cleanup_walk_ struct walk w = { .table = &tables[t], .claimed = ret };
		int64_t n = max - (int64_t)(claimed_count(ret) - before);
		struct sql_values due = SQL_VALUES(SQL_TEXT(lane->name), SQL_INT(c->now_ms), SQL_INT(least), SQL_INT(most), SQL_INT(n));
		struct sql_values all = SQL_VALUES(SQL_TEXT(lane->name), SQL_INT(c->now_ms), SQL_INT(least), SQL_INT(most), SQL_INT(n),
						   SQL_TEXT(c->owner), SQL_INT(c->lease_until_ms));
		int rc = sql_dialect(tx) == SQL_SQLITE ? claim_alone(tx, due, c, &w, err)
						       : sql_each(tx, tables[t].claim, all, claim_row, &w, err);

		if (rc < 0)
			return err_wrap(err, "could not claim work of lane '%s'", lane->name);
		if (set_aside(tx, &w, err) < 0)
			return -(int)err->code;
	}
	return 0;
}

void claimed_done(struct claimed *c)
{
	order_list_done(&c->orders);
	job_list_done(&c->jobs);
	debt_list_done(&c->debts);
	aside_list_done(&c->aside);
}

int store_claim(struct sql *tx, const struct claim *c, struct claimed *ret, struct err *err)
{
	claimed_done(ret);
	for (size_t i = 0; i < c->n_lanes; i++) {
		int left = c->max - (int)claimed_count(ret);

		if (left <= 0)
			break;
		if (claim_lane(tx, c, &c->lanes[i], MIN(left, c->lanes[i].max), ret, err) < 0) {
			claimed_done(ret);
			return -(int)err->code;
		}
	}
	return 0;
}

int store_lease_end_former(struct sql *tx, const char *node, const char *owner, int64_t now_ms, int64_t *ret_n, struct err *err)
{
	_cleanup_free_ char *from = xasprintf("%s/", node);
	int64_t n = 0, changed = 0;

	for (size_t t = 0; t < T_COUNT; t++) {
		if (sql_exec(tx, tables[t].former,
			     SQL_VALUES(SQL_TEXT(from), SQL_TEXT(owner), SQL_INT(now_ms)), &changed, err) < 0)
			return err_wrap(err, "could not end the leases of this node's former start");
		n += changed;
	}
	if (ret_n)
		*ret_n = n;
	return 0;
}

/* $1 by, $2 now. What is nearer to now than to what the clock said before was written after it had been set. */
#define MOVED(column)                                                                                                  \
	column " = CASE WHEN " column " > 0 AND " column " < 4102444800000000 AND abs(" column " - ($2 - $1)) < abs(" column " - $2)" \
	       " THEN " column " + $1 ELSE " column " END"

int store_work_shift(struct sql *tx, int64_t by_ms, int64_t now_ms, bool *ret, struct err *err)
{
	static const char *const texts[] = {
		"UPDATE orders SET " MOVED("due_ms") ", " MOVED("give_up_ms") ", " MOVED("step_since_ms") ", " MOVED("lease_until_ms") ", "
		MOVED("want_refresh") ", " MOVED("go_on_ms") ", "
		MOVED("look_after_ms") ", " MOVED("updated_ms") " WHERE ended_ms = 0",
		"UPDATE job SET " MOVED("due_ms") ", " MOVED("give_up_ms") ", " MOVED("lease_until_ms") " WHERE ended_ms = 0",
		"UPDATE debt SET " MOVED("due_ms") ", " MOVED("lease_until_ms") " WHERE state = 'owed'",
		"UPDATE lane SET " MOVED("parked_until_ms") " WHERE parked_until_ms > 0",
	};

	*ret = sql_dialect(tx) == SQL_SQLITE;
	if (!*ret)
		return 0;
	for (size_t i = 0; i < ARRAY_SIZE(texts); i++)
		if (sql_exec(tx, texts[i], SQL_VALUES(SQL_INT(by_ms), SQL_INT(now_ms)), NULL, err) < 0)
			return err_wrap(err, "could not move what waits to the new time");
	return 0;
}

static const struct claim_table *table_named(const char *name)
{
	for (size_t t = 0; t < T_COUNT; t++)
		if (streq(tables[t].name, name))
			return &tables[t];
	assert(!"a table of work");
	return NULL;
}

int store_lease_release(struct sql *tx, const char *table, const char *id, int64_t gen, int64_t now_ms, struct err *err)
{
	return exec_named(tx, table_named(table)->release, SQL_VALUES(SQL_TEXT(id), SQL_INT(gen), SQL_INT(now_ms)),
			  ERR_LOST_LEASE, table, id, err);
}

int store_lease_unbegun(struct sql *tx, const char *table, const char *id, int64_t gen, struct err *err)
{
	if (sql_exec(tx, table_named(table)->unbegun, SQL_VALUES(SQL_TEXT(id), SQL_INT(gen)), NULL, err) < 0)
		return err_wrap(err, "could not write %s '%s'", table, id);
	return 0;
}

int store_lease_extend(struct sql *tx, const char *table, const char *id, int64_t gen, int64_t lease_until_ms, struct err *err)
{
	return exec_named(tx, table_named(table)->extend, SQL_VALUES(SQL_TEXT(id), SQL_INT(gen), SQL_INT(lease_until_ms)),
			  ERR_LOST_LEASE, table, id, err);
}
