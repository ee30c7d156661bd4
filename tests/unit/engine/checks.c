/* SPDX-License-Identifier: Apache-2.0 */
/* The walk over a table of checks: order, limits, and what hangs. */
#include "engine/checks.h"

#include "base/clock.h"
#include "tests/unit/assert.h"

#include <poll.h>
#include <unistd.h>

static int never[2]; /* nothing is ever written there until the test ends */

static void says_ok(struct check *c)
{
	check_say(c, CHECK_OK, "", NULL, "fine");
}

static void says_two(struct check *c)
{
	_cleanup_err_ struct err why = ERR_INIT;

	check_say(c, CHECK_WARNING, "a", "Do this.", "%s\x1b[31m", "half");
	err_set(&why, ERR_NETWORK, "TCP: nobody there");
	err_hint(&why, "Look there.");
	check_err(c, CHECK_ERROR, "b", NULL, &why);
}

static void hangs(struct check *c)
{
	char byte;

	if (read(never[0], &byte, 1) < 0)
		return;
	check_say(c, CHECK_OK, "", NULL, "too late to be seen");
}

static void says_item(struct check *c)
{
	check_say(c, CHECK_OK, c->item, NULL, "%s", (const char *)c->arg);
}

static int three(struct engine *e UNUSED, struct strlist *ret, struct err *err UNUSED)
{
	strlist_add(ret, "one");
	strlist_add(ret, "two");
	strlist_add(ret, "three");
	return 0;
}

static int none(struct engine *e UNUSED, struct strlist *ret UNUSED, struct err *err UNUSED)
{
	return 0;
}

static int broken(struct engine *e UNUSED, struct strlist *ret UNUSED, struct err *err)
{
	return err_set(err, ERR_STORE, "the database is gone");
}

static const char *member(const json_t *rows, size_t i, const char *name)
{
	return json_string_value(json_object_get(json_array_get(rows, i), name));
}

static void rows_come_in_the_order_of_the_table_and_only_those_of_the_place(void **state UNUSED)
{
	static const struct check_def table[] = {
		{ "first", "", CHECK_ON_HOST | CHECK_IN_SERVER, says_ok },
		{ "elsewhere", "", CHECK_IN_SERVER, says_ok },
		{ "items", "", CHECK_ON_HOST, says_item, three, "none" },
		{ "nothing", "", CHECK_ON_HOST, says_item, none, "there is none" },
		{ "broken", "", CHECK_ON_HOST, says_item, broken, "none" },
		{ "two", "", CHECK_ON_HOST, says_two },
		{ 0 }
	};
	const struct checks_options o = { .table = table, .where = CHECK_ON_HOST, .arg = (void *)(uintptr_t)"told" };
	_cleanup_json_ json_t *rows = checks_run(&o);
	static const char *const expected[][3] = { { "first", "", "ok" }, { "items", "one", "ok" }, { "items", "two", "ok" }, { "items", "three", "ok" },
						   { "nothing", "", "ok" }, { "broken", "", "not-checked" }, { "two", "a", "warning" }, { "two", "b", "error" } };
	int64_t n[check_state_count];

	assert_int_equal(json_array_size(rows), ARRAY_SIZE(expected));
	for (size_t i = 0; i < ARRAY_SIZE(expected); i++) {
		ASSERT_STR(member(rows, i, "check"), expected[i][0]);
		ASSERT_STR(member(rows, i, "about"), expected[i][1]);
		ASSERT_STR(member(rows, i, "state"), expected[i][2]);
		ASSERT_STR(member(rows, i, "where"), "host");
	}
	assert_null(strchr(member(rows, 6, "text"), '\x1b'));
	ASSERT_STR(member(rows, 7, "text"), "TCP: nobody there");
	ASSERT_STR(member(rows, 7, "todo"), "Look there.");
	checks_count(rows, n);
	assert_int_equal(n[CHECK_OK], 5);
	assert_int_equal(n[CHECK_UNKNOWN], 1);
}

static void what_hangs_is_given_up_and_stops_nothing(void **state UNUSED)
{
	static struct check_def table[3 * CHECK_AT_ONCE + 1]; /* a look that was given up still has its row */
	const struct checks_options o = { .table = table, .where = CHECK_ON_HOST, .limit_ms = 1500 }; /* what does not hang has to come to its end within */
	int64_t begun = clock_boot(&clock_system);
	_cleanup_json_ json_t *rows = NULL;

	/* more than there are threads hang, and those behind them come to their turn */
	for (size_t i = 0; i < 3 * CHECK_AT_ONCE; i++)
		table[i] = (struct check_def){ "look", "", CHECK_ON_HOST, i < 2 * CHECK_AT_ONCE ? hangs : says_ok };
	rows = checks_run(&o);
	assert_true(clock_boot(&clock_system) - begun < 60 * SECOND_MS);
	assert_int_equal(json_array_size(rows), 3 * CHECK_AT_ONCE);
	for (size_t i = 0; i < 3 * CHECK_AT_ONCE; i++)
		ASSERT_STR(member(rows, i, "state"), i < 2 * CHECK_AT_ONCE ? "not-checked" : "ok");
	assert_non_null(strstr(member(rows, 0, "text"), "longer than its time"));
}

static void all_of_them_have_one_end(void **state UNUSED)
{
	static struct check_def table[2 * CHECK_AT_ONCE + 1];
	const struct checks_options o = { .table = table, .where = CHECK_ON_HOST, .limit_ms = 60000, .all_ms = 1500 };
	_cleanup_json_ json_t *rows = NULL;

	for (size_t i = 0; i < 2 * CHECK_AT_ONCE; i++)
		table[i] = (struct check_def){ "look", "", CHECK_ON_HOST, hangs };
	rows = checks_run(&o);
	assert_non_null(strstr(member(rows, 0, "text"), "given up"));
	assert_non_null(strstr(member(rows, 2 * CHECK_AT_ONCE - 1, "text"), "no time left"));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(rows_come_in_the_order_of_the_table_and_only_those_of_the_place),
		TEST(what_hangs_is_given_up_and_stops_nothing),
		TEST(all_of_them_have_one_end),
	};
	int failed;

	json_init();
	if (pipe(never) < 0)
		return 1;
	failed = RUN(tests);
	close(never[1]); /* those that hang end now, and free what they had */
	poll(NULL, 0, 200);
	return failed;
}
