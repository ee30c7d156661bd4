/* SPDX-License-Identifier: Apache-2.0 */
/* place.c - see place.h. The row is "CLUSTER DATABASE TABLE TIMELINE", four numbers of PostgreSQL. */
#include "store/place.h"

#include "base/str.h"
#include "store/driver.h"

#define PLACE "store.place"
#define NUMBERS 4
#define TIMELINE 3 /* the last of them */

static const char MAY_ASK[] = "SELECT CASE WHEN has_function_privilege('pg_control_system()', 'EXECUTE')"
			      " AND has_function_privilege('pg_control_checkpoint()', 'EXECUTE') THEN 1 ELSE 0 END";
static const char CLUSTER[] = "SELECT s.system_identifier::text, c.timeline_id::text FROM pg_control_system() s, pg_control_checkpoint() c";
static const char TABLES[] = "SELECT d.oid::text, 'meta'::regclass::oid::text FROM pg_database d WHERE d.datname = current_database()";
static const char KEPT[] = "SELECT value FROM meta WHERE name = '" PLACE "'";
static const char KEEP_FIRST[] = "INSERT INTO meta (name, value) VALUES ('" PLACE "', $1) ON CONFLICT (name) DO NOTHING";
static const char KEEP_NEXT[] = "UPDATE meta SET value = $1 WHERE name = '" PLACE "' AND value = $2";

struct pair {
	char *v[2];
};

static void pair_done(struct pair *p)
{
	free(p->v[0]);
	free(p->v[1]);
}
#define _cleanup_pair_ __attribute__((cleanup(pair_done)))

static int pair_row(const struct row *r, void *arg, UNUSED struct err *err)
{
	struct pair *p = arg;

	for (int i = 0; i < 2; i++)
		replace_str(&p->v[i], row_text(r, i));
	return 0;
}

static int kept_row(const struct row *r, void *arg, UNUSED struct err *err)
{
	replace_str(arg, row_text(r, 0));
	return 0;
}

static int place_now(struct sql *q, char **ret, struct err *err)
{
	_cleanup_pair_ struct pair cluster = { 0 }, tables = { 0 };
	int64_t may = 0;

	if (sql_int(q, MAY_ASK, SQL_NONE, &may, err) < 0 || (may && sql_one(q, CLUSTER, SQL_NONE, pair_row, &cluster, err) < 0) ||
	    sql_one(q, TABLES, SQL_NONE, pair_row, &tables, err) < 0)
		return err_wrap(err, "could not ask where the database lies");
	*ret = xasprintf("%s %s %s %s", may ? cluster.v[0] : "-", tables.v[0], tables.v[1], may ? cluster.v[1] : "-");
	return 0;
}

enum store_moved store_place_compare(const char *kept, const char *now)
{
	_cleanup_strlist_ struct strlist a = { 0 }, b = { 0 };
	enum store_moved moved = STORE_MOVED_NO;

	strlist_split(&a, kept, ' ');
	strlist_split(&b, now, ' ');
	if (a.n != NUMBERS || b.n != NUMBERS)
		return STORE_MOVED_LOADED; /* of a version that kept something else, or by hand: the careful way */
	for (size_t i = 0; i < NUMBERS; i++)
		if (!streq(a.v[i], b.v[i]) && !streq(a.v[i], "-") && !streq(b.v[i], "-"))
			moved = MAX(moved, i == TIMELINE ? STORE_MOVED_PROMOTED : STORE_MOVED_LOADED);
	return moved;
}

static int remember(struct sql *tx, const char *kept, const char *now, enum store_moved *ret, struct err *err)
{
	int64_t changed = 0;

	if (kept && streq(kept, now))
		return 0;
	if (!kept)
		return sql_exec(tx, KEEP_FIRST, SQL_VALUES(SQL_TEXT(now)), NULL, err);
	if (sql_exec(tx, KEEP_NEXT, SQL_VALUES(SQL_TEXT(now), SQL_TEXT(kept)), &changed, err) < 0)
		return -(int)err->code;
	if (changed)
		*ret = store_place_compare(kept, now);
	return 0;
}

int store_place_look(struct sql *tx, enum store_moved *ret, struct err *err)
{
	_cleanup_free_ char *kept = NULL, *now = NULL;

	*ret = STORE_MOVED_NO;
	if (sql_dialect(tx) != SQL_PGSQL)
		return 0;
	if (place_now(tx, &now, err) < 0 || sql_each(tx, KEPT, SQL_NONE, kept_row, &kept, err) < 0 || remember(tx, kept, now, ret, err) < 0)
		return err_wrap(err, "could not compare where the database lies");
	return 0;
}
