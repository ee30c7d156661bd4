/* SPDX-License-Identifier: Apache-2.0 */
/* lane.c - lanes (DESIGN 3, rules 8 and 9): parked until when, and what is due in each. */
#include "store/lane.h"

#include "store/lib.h"

static const char LANE_ENSURE[] =
	"INSERT INTO lane (name, cap) VALUES ($1, $2) ON CONFLICT (name) DO UPDATE SET cap = $2 WHERE lane.cap <> $2";
static const char LANE_PARK[] =
	"UPDATE lane SET parked_until_ms = $2, reason = $3 WHERE name = $1 AND parked_until_ms < $2";
static const char LANE_UNPARK[] = "UPDATE lane SET parked_until_ms = 0, reason = NULL WHERE name = $1 AND parked_until_ms > 0";
static const char LANE_GET[] = "SELECT name, cap, parked_until_ms, reason FROM lane WHERE name = $1";
static const char LANE_LIST[] = "SELECT name, cap, parked_until_ms, reason FROM lane ORDER BY name";
/* Each subselect is one step in an index (lane, due_ms); rows in work are few and have an index of their own. */
static const char LANE_LOADS[] =
	"SELECT name, cap, parked_until_ms, reason,"
	" (SELECT MIN(due_ms) FROM orders WHERE lane = name AND ended_ms = 0 AND set_aside = 0),"
	" (SELECT MIN(due_ms) FROM job WHERE lane = name AND ended_ms = 0 AND set_aside = 0),"
	" (SELECT MIN(due_ms) FROM debt WHERE lane = name AND state = 'owed' AND held = 0 AND set_aside = 0)"
	" FROM lane";
static const char LANE_LEASED[] =
	"SELECT lane, COUNT(*) FROM ("
	"SELECT lane FROM orders WHERE lease_owner IS NOT NULL AND lease_until_ms > $1"
	" UNION ALL SELECT lane FROM job WHERE lease_owner IS NOT NULL AND lease_until_ms > $1"
	" UNION ALL SELECT lane FROM debt WHERE lease_owner IS NOT NULL AND lease_until_ms > $1) AS leased GROUP BY lane";

static int lane_from_row(const struct row *r, struct lane *l, UNUSED struct err *err)
{
	l->name = row_text_dup(r, 0);
	l->cap = row_int(r, 1);
	l->parked_until_ms = row_int(r, 2);
	l->reason = row_text_dup(r, 3);
	return 0;
}

DEFINE_ROW_FN(lane)
DEFINE_COLLECT(lane)

int store_lane_ensure(struct sql *tx, const char *name, int64_t cap, struct err *err)
{
	if (sql_exec(tx, LANE_ENSURE, SQL_VALUES(SQL_TEXT(name), SQL_INT(cap)), NULL, err) < 0)
		return err_wrap(err, "could not make lane '%s'", name);
	return 0;
}

int store_lane_park(struct sql *tx, const char *name, int64_t until_ms, const char *reason, struct err *err)
{
	if (sql_exec(tx, LANE_PARK, SQL_VALUES(SQL_TEXT(name), SQL_INT(until_ms), SQL_TEXT(reason)), NULL, err) < 0)
		return err_wrap(err, "could not park lane '%s'", name);
	store_touch(tx, "lane", NULL, 0);
	return 0;
}

int store_lane_unpark(struct sql *tx, const char *name, struct err *err)
{
	int64_t changed = 0;

	if (sql_exec(tx, LANE_UNPARK, SQL_VALUES(SQL_TEXT(name)), &changed, err) < 0)
		return err_wrap(err, "could not free lane '%s'", name);
	if (changed)
		store_touch(tx, "lane", NULL, 0);
	return 0;
}

int store_lane_get(struct sql *q, const char *name, struct lane *ret, struct err *err)
{
	return lane_one(q, LANE_GET, SQL_VALUES(SQL_TEXT(name)), "lane", name, ret, err);
}

int store_lane_list(struct sql *q, struct lane_list *ret, struct err *err)
{
	return lane_fetch(q, LANE_LIST, SQL_NONE, 0, ret, err);
}

static int load_row(const struct row *r, void *arg, struct err *err)
{
	struct lane_load *l = lane_load_list_add(arg);

	l->due_ms = INT64_MAX;
	for (int i = 4; i <= 6; i++)
		if (!row_is_null(r, i) && row_int(r, i) < l->due_ms)
			l->due_ms = row_int(r, i);
	return lane_from_row(r, &l->lane, err);
}

static int leased_row(const struct row *r, void *arg, UNUSED struct err *err)
{
	struct lane_load_list *list = arg;

	for (size_t i = 0; i < list->n; i++)
		if (streq(list->v[i].lane.name, row_text(r, 0)))
			list->v[i].leased = row_int(r, 1);
	return 0;
}

static int longest_due_first(const void *pa, const void *pb)
{
	const struct lane_load *a = pa, *b = pb;

	if (a->due_ms != b->due_ms)
		return a->due_ms < b->due_ms ? -1 : 1;
	return strcmp(a->lane.name, b->lane.name);
}

int store_lane_loads(struct sql *q, int64_t now_ms, struct lane_load_list *ret, struct err *err)
{
	lane_load_list_done(ret);
	if (sql_each(q, LANE_LOADS, SQL_NONE, load_row, ret, err) < 0 ||
	    sql_each(q, LANE_LEASED, SQL_VALUES(SQL_INT(now_ms)), leased_row, ret, err) < 0) {
		lane_load_list_done(ret);
		return err_wrap(err, "could not see what is due");
	}
	if (ret->n)
		qsort(ret->v, ret->n, sizeof *ret->v, longest_due_first);
	return 0;
}

static const char LANE_PRUNE[] =
	"DELETE FROM lane WHERE parked_until_ms > 0 AND parked_until_ms < $1"
	" AND NOT EXISTS (SELECT 1 FROM orders o WHERE o.lane = name AND o.ended_ms = 0)"
	" AND NOT EXISTS (SELECT 1 FROM job j WHERE j.lane = name AND j.ended_ms = 0)"
	" AND NOT EXISTS (SELECT 1 FROM debt d WHERE d.lane = name AND d.state = 'owed')";

int store_lane_prune(struct sql *tx, int64_t before_ms, int64_t *ret_n, struct err *err)
{
	if (sql_exec(tx, LANE_PRUNE, SQL_VALUES(SQL_INT(before_ms)), ret_n, err) < 0)
		return err_wrap(err, "could not forget lanes");
	return 0;
}
