/* SPDX-License-Identifier: Apache-2.0 */
/* store_place.c - a database that lies elsewhere than its row says was loaded from a dump; SQLite never is. */
#include "tests/contract/store_rig.h"

#include "store/place.h"

static int look_fn(struct sql *tx, void *arg, struct err *err)
{
	return store_place_look(tx, arg, err);
}

static enum store_moved look(struct rig *rig)
{
	enum store_moved moved = STORE_MOVED_PROMOTED;

	WRITE(rig, look_fn, &moved);
	return moved;
}

static void a_database_that_stays_where_it_is_was_not_moved(UNUSED void **state)
{
	_cleanup_rig_ struct rig *rig = rig_new();

	ASSERT_INT(look(rig), STORE_MOVED_NO);
	ASSERT_INT(look(rig), STORE_MOVED_NO);
	rig_close(rig);
	rig_open(rig);
	ASSERT_INT(look(rig), STORE_MOVED_NO);
}

/* `change` turns the row into that of another place. */
static void told_once(const char *change, enum store_moved wanted)
{
	_cleanup_rig_ struct rig *rig = rig_new();

	(void)look(rig);
	ASSERT_INT(rig_exec(rig, change), rig_pgsql ? 1 : 0);
	ASSERT_INT(look(rig), rig_pgsql ? wanted : STORE_MOVED_NO);
	ASSERT_INT(look(rig), STORE_MOVED_NO);
}

static void another_table_or_database_or_cluster_is_told_once(UNUSED void **state)
{
	told_once("UPDATE meta SET value = '1 2 3 4' WHERE name = 'store.place'", STORE_MOVED_LOADED);
	told_once("UPDATE meta SET value = 'of a later version' WHERE name = 'store.place'", STORE_MOVED_LOADED);
	told_once("UPDATE meta SET value = value || '9' WHERE name = 'store.place'", STORE_MOVED_PROMOTED);
}

static void places_are_compared_number_by_number(UNUSED void **state)
{
	static const struct {
		const char *kept, *now;
		enum store_moved moved;
	} cases[] = {
		{ "7 5 20 1", "7 5 20 1", STORE_MOVED_NO },
		{ "7 5 20 1", "7 5 20 2", STORE_MOVED_PROMOTED },
		{ "7 5 20 1", "8 5 20 1", STORE_MOVED_LOADED },
		{ "7 5 20 1", "7 6 20 1", STORE_MOVED_LOADED },
		{ "7 5 20 1", "7 5 21 2", STORE_MOVED_LOADED },
		{ "7 5 20 1", "- 5 20 -", STORE_MOVED_NO }, /* it may no longer be asked */
		{ "- 5 20 -", "7 5 20 3", STORE_MOVED_NO }, /* and now it may */
		{ "- 5 20 -", "- 5 21 -", STORE_MOVED_LOADED },
		{ "", "7 5 20 1", STORE_MOVED_LOADED },
	};

	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		if (store_place_compare(cases[i].kept, cases[i].now) != cases[i].moved)
			print_message("%s -> %s\n", cases[i].kept, cases[i].now);
		ASSERT_INT(store_place_compare(cases[i].kept, cases[i].now), cases[i].moved);
	}
}

int main(void)
{
	static const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_database_that_stays_where_it_is_was_not_moved),
		cmocka_unit_test(another_table_or_database_or_cluster_is_told_once),
		cmocka_unit_test(places_are_compared_number_by_number),
	};

	return rig_main("store_place", tests, ARRAY_SIZE(tests));
}
