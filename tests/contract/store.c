/* SPDX-License-Identifier: Apache-2.0 */
/* store.c - what the store promises, on SQLite and on PostgreSQL: the same tests run against both. */
#include "tests/contract/store_rig.h"

#include "base/limits.h"
#include "store/driver.h"
#include "store/job.h"
#include "store/debt.h"
#include "store/lane.h"

#include <pthread.h>
#include <signal.h>
#include <stdatomic.h>
#include <sys/wait.h>

/* the core */

static int set_meta(struct sql *tx, void *arg, struct err *err)
{
	return store_meta_set(tx, "a", arg, err);
}

static int get_meta(struct sql *q, void *arg, struct err *err)
{
	return store_meta_get(q, "a", arg, err);
}

static void a_named_text_is_kept_over_a_restart(void **state)
{
	_cleanup_rig_ struct rig *rig = rig_new();
	char one[] = "one", two[] = "two";
	char *got = NULL;

	ASSERT_FAILS(store_read(rig->store, get_meta, &got, &rig->err), &rig->err, ERR_NOT_FOUND);
	WRITE(rig, set_meta, one);
	WRITE(rig, set_meta, two);
	rig_close(rig);
	rig_open(rig);
	READ(rig, get_meta, &got);
	ASSERT_STR(got, "two");
	free(got);
}

struct value {
	int64_t i;
	const char *text;
	const void *blob;
	size_t n;
};

static int value_row(const struct row *r, void *arg, struct err *err)
{
	const struct value *want = arg;
	size_t n = 99;
	const void *p;

	ASSERT_STR(row_text(r, 0), want->text);
	ASSERT_INT(row_is_null(r, 0), want->text == NULL);
	ASSERT_INT(row_int(r, 1), want->i);
	p = row_blob(r, 2, &n);
	ASSERT_INT(n, want->n);
	ASSERT_INT(p == NULL, want->blob == NULL);
	if (n)
		ASSERT_MEM(p, want->blob, n);
	return 0;
}

static int values_back_and_forth(struct sql *tx, void *arg, struct err *err)
{
	static const struct value values[] = {
		{ 0, "", "", 0 },
		{ INT64_MAX, "caf\xc3\xa9 '\";--", "\x00\x01\xff\\x", 5 },
		{ INT64_MIN, NULL, NULL, 0 },
		{ -1, "$1 %s \\", "abc", 3 },
	};

	ASSERT_OK(sql_script(tx, sql_dialect(tx) == SQL_SQLITE
					 ? "CREATE TABLE v (id INTEGER PRIMARY KEY, t TEXT, i INTEGER NOT NULL, b BLOB) STRICT"
					 : "CREATE TABLE v (id BIGINT PRIMARY KEY, t TEXT, i BIGINT NOT NULL, b BYTEA)",
			     err),
		  err);
	for (size_t k = 0; k < ARRAY_SIZE(values); k++) {
		struct value v = values[k];
		int64_t n = 0;

		/* in another order than they are numbered: bound by name */
		ASSERT_OK(sql_exec(tx, "INSERT INTO v (b, i, id, t) VALUES ($4, $3, $1, $2)",
				   SQL_VALUES(SQL_INT((int64_t)k), SQL_TEXT(v.text), SQL_INT(v.i), SQL_BLOB(v.blob, v.n)), &n, err),
			  err);
		ASSERT_INT(n, 1);
		ASSERT_OK(sql_one(tx, "SELECT t, i, b FROM v WHERE id = $1", SQL_VALUES(SQL_INT((int64_t)k)), value_row, &v, err),
			  err);
	}
	return 0;
}

static void values_come_back_as_they_went_in(void **state)
{
	_cleanup_rig_ struct rig *rig = rig_new();

	WRITE(rig, values_back_and_forth, NULL);
}

static int nested_row(const struct row *r, void *arg, struct err *err)
{
	int64_t n = 0;

	if (sql_int(((void **)arg)[0], "SELECT COUNT(*) FROM counter", SQL_NONE, &n, err) < 0)
		return -(int)err->code;
	*(int64_t *)((void **)arg)[1] += n;
	return row_columns(r) == 1 ? 0 : err_set(err, ERR_INTERNAL, "one column");
}

static int same_statement_twice(struct sql *tx, void *arg, struct err *err)
{
	int64_t sum = 0;
	void *args[] = { tx, &sum };

	ASSERT_OK(sql_exec(tx, "INSERT INTO counter (name, n) VALUES ('x', 1), ('y', 1)", SQL_NONE, NULL, err), err);
	ASSERT_INT(sql_each(tx, "SELECT COUNT(*) FROM counter", SQL_NONE, nested_row, args, err), 1);
	ASSERT_INT(sum, 2);
	return 0;
}

static void a_statement_may_run_inside_its_own_rows(void **state)
{
	_cleanup_rig_ struct rig *rig = rig_new();

	WRITE(rig, same_statement_twice, NULL);
}

static int next_and_undo(struct sql *tx, UNUSED void *arg, struct err *err)
{
	int64_t n = 0;

	ASSERT_OK(store_next_num(tx, "old", &n, err), err);
	ASSERT_INT(n, 2);
	ASSERT_OK(store_next_num(tx, "new", &n, err), err);
	ASSERT_INT(n, 1);
	return err_set(err, ERR_CONFLICT, "undone");
}

static int numbers_of_one_transaction(struct sql *tx, UNUSED void *arg, struct err *err)
{
	char name[] = "n00";
	int64_t n = 0;

	ASSERT_OK(store_next_num(tx, "old", &n, err), err);
	ASSERT_INT(sql_tx(tx, next_and_undo, NULL, err), -ERR_CONFLICT);
	err_clear(err);
	ASSERT_OK(store_last_num(tx, "old", &n, err), err);
	ASSERT_INT(n, 1);
	ASSERT_OK(store_last_num(tx, "new", &n, err), err);
	ASSERT_INT(n, 0);
	for (int i = 0; i < 2 * 20; i++) { /* more names than are remembered */
		name[1] = (char)('0' + i % 20 / 10);
		name[2] = (char)('0' + i % 10);
		ASSERT_OK(store_next_num(tx, name, &n, err), err);
		ASSERT_INT(n, 1 + i / 20);
	}
	return 0;
}

static void a_number_of_what_was_undone_is_handed_out_again(void **state)
{
	_cleanup_rig_ struct rig *rig = rig_new();

	WRITE(rig, numbers_of_one_transaction, NULL);
	ASSERT_INT(rig_int(rig, "SELECT n FROM counter WHERE name = 'old'"), 1);
	ASSERT_INT(rig_int(rig, "SELECT count(*) FROM counter WHERE name = 'new'"), 0);
	ASSERT_INT(rig_int(rig, "SELECT count(*) FROM counter WHERE n = 2 AND name LIKE 'n__'"), 20);
}

static int texts_at_one_address(struct sql *q, UNUSED void *arg, struct err *err)
{
	char text[] = "SELECT 1";
	int64_t n = 0;

	for (int i = 0; i < 40; i++) {
		text[7] = (char)('1' + i % 9);
		ASSERT_OK(sql_int(q, text, SQL_NONE, &n, err), err);
		ASSERT_INT(n, 1 + i % 9);
	}
	return 0;
}

static void a_statement_is_known_by_its_text_not_by_where_it_stands(void **state)
{
	_cleanup_rig_ struct rig *rig = rig_new();

	READ(rig, texts_at_one_address, NULL);
}

static const struct {
	const char *text;
	enum err_code code;
} refusals[] = {
	{ "INSERT INTO meta (name, value) VALUES ('a', 'b'), ('a', 'c')", ERR_CONFLICT },
	{ "INSERT INTO authz (id, order_id, identifier, wildcard, url, status, position) VALUES ('a', 'no', 'a', 0, 'u', 'x', 0)",
	  ERR_IN_USE },
	{ "INSERT INTO meta (name, value) VALUES ('a', NULL)", ERR_INVALID },
	{ "SELECT no_such_column FROM meta", ERR_INTERNAL },
	{ "SELECT value FROM meta WHERE name = $1", ERR_INTERNAL }, /* no value given */
};

static int run_refused(struct sql *tx, void *arg, struct err *err)
{
	return sql_exec(tx, arg, SQL_NONE, NULL, err);
}

static void refusals_have_their_codes(void **state)
{
	_cleanup_rig_ struct rig *rig = rig_new();

	for (size_t i = 0; i < ARRAY_SIZE(refusals); i++) {
		char *text = xstrdup(refusals[i].text);

		ASSERT_FAILS(store_write(rig->store, run_refused, text, &rig->err), &rig->err, refusals[i].code);
		free(text);
	}
}

static void a_reader_cannot_write(void **state)
{
	_cleanup_rig_ struct rig *rig = rig_new();
	char text[] = "INSERT INTO meta (name, value) VALUES ('a', 'b')";

	ASSERT_TRUE(store_read(rig->store, run_refused, text, &rig->err) < 0);
	err_clear(&rig->err);
	ASSERT_INT(rig_int(rig, "SELECT COUNT(*) FROM meta"), 0);
}

static int inner(struct sql *tx, void *arg, struct err *err)
{
	if (sql_exec(tx, "INSERT INTO meta (name, value) VALUES ('inner', 'x')", SQL_NONE, NULL, err) < 0)
		return -(int)err->code;
	store_count(tx, "c", 0, "", 10);
	store_touch(tx, "inner", NULL, 0);
	return sql_exec(tx, "INSERT INTO meta (name, value) VALUES ('outer', 'again')", SQL_NONE, NULL, err);
}

static int outer(struct sql *tx, void *arg, struct err *err)
{
	struct err why = ERR_INIT;

	if (sql_exec(tx, "INSERT INTO meta (name, value) VALUES ('outer', 'x')", SQL_NONE, NULL, err) < 0)
		return -(int)err->code;
	store_count(tx, "c", 0, "", 1);
	store_touch(tx, "outer", "id", 3);
	ASSERT_FAILS(sql_tx(tx, inner, NULL, &why), &why, ERR_CONFLICT);
	return 0;
}

struct told {
	int calls;
	size_t n;
	struct touch last;
};

static void tell(const struct touch *touched, size_t n, void *arg)
{
	struct told *t = arg;

	t->calls++;
	t->n = n;
	t->last = touched[n - 1];
}

static int count_c(struct sql *q, void *arg, struct err *err)
{
	return store_count_get(q, "c", 0, "", arg, err);
}

static void a_failed_savepoint_leaves_nothing_behind(void **state)
{
	_cleanup_rig_ struct rig *rig = rig_new();
	struct told told = { 0 };
	int64_t c = 0;

	store_on_commit(rig->store, tell, &told);
	WRITE(rig, outer, NULL);
	ASSERT_INT(rig_int(rig, "SELECT COUNT(*) FROM meta"), 1);
	READ(rig, count_c, &c);
	ASSERT_INT(c, 1);
	ASSERT_INT(told.calls, 1);
	ASSERT_INT(told.n, 1);
	ASSERT_STR(told.last.kind, "outer");
	ASSERT_STR(told.last.id, "id");
	ASSERT_INT(told.last.rev, 3);
}

static int touch_much(struct sql *tx, void *arg, struct err *err)
{
	for (int i = 0; i < *(int *)arg; i++) {
		char id[12];

		snprintf(id, sizeof id, "%d", i);
		store_touch(tx, "order", id, i);
		store_touch(tx, "order", id, i + 1);
	}
	return 0;
}

static void touches_are_merged_and_limited(void **state)
{
	_cleanup_rig_ struct rig *rig = rig_new();
	struct told told = { 0 };
	int n = 3;

	store_on_commit(rig->store, tell, &told);
	WRITE(rig, touch_much, &n);
	ASSERT_INT(told.n, 3);
	ASSERT_STR(told.last.id, "2");
	ASSERT_INT(told.last.rev, 3);
	n = STORE_TOUCHES_MAX + 1;
	WRITE(rig, touch_much, &n);
	ASSERT_INT(told.n, 1);
	ASSERT_STR(told.last.id, "");
	n = 0;
	WRITE(rig, touch_much, &n);
	ASSERT_INT(told.calls, 2); /* nothing touched, nobody told */
}

/* many writers */

#define THREADS 32
#define EACH 25

struct crowd {
	struct rig *rig;
	int who;
	_Atomic int *acknowledged;
};

static int write_or_fail(struct sql *tx, void *arg, struct err *err)
{
	struct value *v = arg;
	int64_t num = 0;

	if (store_next_num(tx, "crowd", &num, err) < 0)
		return -(int)err->code;
	if (sql_exec(tx, "INSERT INTO meta (name, value) VALUES ($1, 'x')", SQL_VALUES(SQL_TEXT(v->text)), NULL, err) < 0)
		return -(int)err->code;
	if (v->i % 5 == 4)
		return err_set(err, ERR_CONFLICT, "every fifth fails");
	store_count(tx, "crowd.rows", 0, "", 1);
	return 0;
}

static void *crowd_main(void *arg)
{
	struct crowd *c = arg;

	for (int i = 0; i < EACH; i++) {
		_cleanup_err_ struct err err = ERR_INIT;
		char name[32];
		struct value v = { .i = i, .text = name };

		snprintf(name, sizeof name, "%d-%d", c->who, i);
		if (store_write(c->rig->store, write_or_fail, &v, &err) >= 0)
			atomic_fetch_add(c->acknowledged, 1);
	}
	return NULL;
}

static int crowd_count(struct sql *q, void *arg, struct err *err)
{
	return store_count_get(q, "crowd.rows", 0, "", arg, err);
}

static void thirty_two_threads_commit_together_and_failures_stay_alone(void **state)
{
	_cleanup_rig_ struct rig *rig = rig_new();
	pthread_t threads[THREADS];
	struct crowd crowd[THREADS];
	_Atomic int acknowledged = 0;
	struct store_health before, after;
	int64_t kept = 0, good = THREADS * EACH * 4 / 5;

	store_health(rig->store, &before);
	for (int i = 0; i < THREADS; i++) {
		crowd[i] = (struct crowd){ rig, i, &acknowledged };
		pthread_create(&threads[i], NULL, crowd_main, &crowd[i]);
	}
	for (int i = 0; i < THREADS; i++)
		pthread_join(threads[i], NULL);
	store_health(rig->store, &after);
	ASSERT_INT(acknowledged, good);
	ASSERT_INT(rig_int(rig, "SELECT COUNT(*) FROM meta"), good);
	ASSERT_INT(rig_int(rig, "SELECT n FROM counter WHERE name = 'crowd'"), good); /* numbers without gaps */
	READ(rig, crowd_count, &kept);
	ASSERT_INT(kept, good);
	ASSERT_INT(after.writes - before.writes, good);
	ASSERT_INT(after.failed - before.failed, THREADS * EACH - good);
	if (!rig_pgsql) /* grouping gains at least a factor of two with 32 writers */
		ASSERT_TRUE(2 * (after.commits - before.commits) < after.writes - before.writes);
	ASSERT_INT(after.state, STORE_OK);
}

static int add_number(struct sql *tx, void *arg, struct err *err)
{
	return sql_exec(tx, "INSERT INTO meta (name, value) VALUES ($1, 'x')", SQL_VALUES(SQL_TEXT(arg)), NULL, err);
}

/* The child writes rows and acknowledges each on a pipe; the parent kills it and looks for every acknowledged row. */
static void what_was_acknowledged_survives_a_kill(void **state)
{
	_cleanup_rig_ struct rig *rig = rig_new();
	int pipe_fds[2], n = 0, last = -1;
	pid_t pid;

	rig_close(rig);
	assert(pipe(pipe_fds) == 0);
	pid = fork();
	if (pid == 0) {
		struct err err = ERR_INIT;
		struct store *s = NULL;

		if (store_open(&(struct store_options){ .url = rig->url }, &s, &err) < 0)
			_exit(1);
		for (int i = 0;; i++) {
			char name[16];

			snprintf(name, sizeof name, "%d", i);
			if (store_write(s, add_number, name, &err) < 0 || write(pipe_fds[1], &i, sizeof i) != sizeof i)
				_exit(1);
		}
	}
	close(pipe_fds[1]);
	while (n < 200 && read(pipe_fds[0], &last, sizeof last) == sizeof last)
		n++;
	ASSERT_INT(n, 200);
	kill(pid, SIGKILL);
	waitpid(pid, NULL, 0);
	while (read(pipe_fds[0], &last, sizeof last) == sizeof last)
		;
	close(pipe_fds[0]);
	rig_open(rig);
	ASSERT_TRUE(rig_int(rig, "SELECT COUNT(*) FROM meta") >= last + 1);
	ASSERT_OK(store_check(rig->store, &rig->err), &rig->err);
}

/* migrations */

static const struct migration two_steps[] = {
	{ 1, "one", "CREATE TABLE t1 (id @INT@ PRIMARY KEY, b @BLOB@) @STRICT@;" },
	{ 2, "two", "ALTER TABLE t1 ADD COLUMN x TEXT; CREATE TABLE t2 (id @INT@) @STRICT@;" },
	{ 0 },
};
static const struct migration broken_step[] = {
	{ 1, "one", "CREATE TABLE t1 (id @INT@ PRIMARY KEY, b @BLOB@) @STRICT@;" },
	{ 2, "two", "CREATE TABLE t3 (id @INT@) @STRICT@; CREATE TABLE t1 (id @INT@) @STRICT@;" },
	{ 0 },
};
static const struct migration one_step[] = {
	{ 1, "one", "CREATE TABLE t1 (id @INT@ PRIMARY KEY, b @BLOB@) @STRICT@;" },
	{ 0 },
};
static const struct migration other_text[] = {
	{ 1, "one", "CREATE TABLE t1 (id @INT@ PRIMARY KEY) @STRICT@;" },
	{ 2, "two", "ALTER TABLE t1 ADD COLUMN x TEXT; CREATE TABLE t2 (id @INT@) @STRICT@;" },
	{ 0 },
};

static const struct migration with_a_gap[] = {
	{ 1, "one", "CREATE TABLE t1 (id @INT@ PRIMARY KEY, b @BLOB@) @STRICT@;" },
	{ 3, "three", "CREATE TABLE t4 (id @INT@) @STRICT@;" },
	{ 0 },
};
static const struct migration gap_filled[] = {
	{ 1, "one", "CREATE TABLE t1 (id @INT@ PRIMARY KEY, b @BLOB@) @STRICT@;" },
	{ 2, "two", "ALTER TABLE t1 ADD COLUMN x TEXT; CREATE TABLE t2 (id @INT@) @STRICT@;" },
	{ 3, "three", "CREATE TABLE t4 (id @INT@) @STRICT@;" },
	{ 0 },
};

static const struct migration third_is_broken[] = {
	{ 1, "one", "CREATE TABLE t1 (id @INT@ PRIMARY KEY, b @BLOB@) @STRICT@;" },
	{ 2, "two", "ALTER TABLE t1 ADD COLUMN x TEXT; CREATE TABLE t2 (id @INT@) @STRICT@;" },
	{ 3, "three", "CREATE TABLE t3 (id @INT@) @STRICT@; CREATE TABLE t1 (id @INT@) @STRICT@;" },
	{ 0 },
};

static struct sql *bare_connection(struct rig *rig)
{
	struct sql *q = NULL;

	if (rig_pgsql) {
		struct pgsql_config *c = NULL;

		ASSERT_OK(pgsql_config_new(rig->url, NULL, &c, &rig->err), &rig->err);
		ASSERT_OK(pgsql_connect(c, false, &q, &rig->err), &rig->err);
		pgsql_config_free(c);
		ASSERT_OK(sql_script(q, "CREATE SCHEMA m; SET search_path = m", &rig->err), &rig->err);
	} else {
		char *path = xasprintf("%s-m", rig->file);

		ASSERT_OK(sqlite_prepare_file(path, &rig->err), &rig->err);
		ASSERT_OK(sqlite_connect(path, SQLITE_ROLE_WRITER, &q, &rig->err), &rig->err);
		free(path);
	}
	return q;
}

static void a_migration_with_a_lower_number_that_comes_later_is_applied(void **state)
{
	_cleanup_rig_ struct rig *rig = rig_new();
	struct sql *q = bare_connection(rig);
	int64_t n = 0;

	ASSERT_OK(store_migrate(q, with_a_gap, 5, NULL, NULL, &rig->err), &rig->err);
	ASSERT_OK(store_migrate(q, gap_filled, 6, NULL, NULL, &rig->err), &rig->err);
	ASSERT_OK(store_migrate(q, gap_filled, 7, NULL, NULL, &rig->err), &rig->err);
	ASSERT_OK(sql_int(q, "SELECT applied_ms FROM schema_migration WHERE version = 2", SQL_NONE, &n, &rig->err), &rig->err);
	ASSERT_INT(n, 6);
	sql_close(q);
}

static void migrations_go_forward_once_and_refuse_what_they_do_not_know(void **state)
{
	_cleanup_rig_ struct rig *rig = rig_new();
	struct sql *q = bare_connection(rig);
	int64_t n = 0;
	bool there = true;

	ASSERT_OK(store_migrate(q, one_step, 5, NULL, NULL, &rig->err), &rig->err);
	ASSERT_FAILS(store_migrate(q, broken_step, 6, NULL, NULL, &rig->err), &rig->err, ERR_INTERNAL);
	ASSERT_FAILS(sql_exists(q, "SELECT 1 FROM t3", SQL_NONE, &there, &rig->err), &rig->err, ERR_INTERNAL); /* rolled back */
	ASSERT_OK(store_migrate(q, two_steps, 7, NULL, NULL, &rig->err), &rig->err);
	ASSERT_OK(store_migrate(q, two_steps, 8, NULL, NULL, &rig->err), &rig->err);
	ASSERT_OK(sql_int(q, "SELECT COUNT(*) FROM schema_migration", SQL_NONE, &n, &rig->err), &rig->err);
	ASSERT_INT(n, 2);
	ASSERT_OK(sql_int(q, "SELECT applied_ms FROM schema_migration WHERE version = 2", SQL_NONE, &n, &rig->err), &rig->err);
	ASSERT_INT(n, 7);

	ASSERT_TRUE(store_migrate(q, one_step, 9, NULL, NULL, &rig->err) == -ERR_STORE);
	ASSERT_HAS(err_root(&rig->err)->detail, "newer than this program");
	err_clear(&rig->err);
	ASSERT_TRUE(store_migrate(q, other_text, 9, NULL, NULL, &rig->err) == -ERR_STORE);
	ASSERT_HAS(err_root(&rig->err)->detail, "another text");
	err_clear(&rig->err);
	sql_close(q);
}

static void all_that_is_missing_is_one_transaction(void **state)
{
	_cleanup_rig_ struct rig *rig = rig_new();
	struct sql *q = bare_connection(rig);
	struct schema_state s;
	bool there = true;

	ASSERT_OK(store_migrate(q, one_step, 5, NULL, NULL, &rig->err), &rig->err);
	ASSERT_FAILS(store_migrate(q, third_is_broken, 6, NULL, NULL, &rig->err), &rig->err, ERR_INTERNAL);
	ASSERT_FAILS(sql_exists(q, "SELECT 1 FROM t2", SQL_NONE, &there, &rig->err), &rig->err, ERR_INTERNAL);
	ASSERT_OK(store_schema_look(q, two_steps, &s, &rig->err), &rig->err);
	ASSERT_INT(s.has, 1);
	ASSERT_INT(s.needs, 2);
	ASSERT_INT(s.missing, 1);
	sql_close(q);
}

static void a_newer_schema_is_refused_at_start(void **state)
{
	_cleanup_rig_ struct rig *rig = rig_new();

	rig_exec(rig, "INSERT INTO schema_migration (version, name, checksum, applied_ms) VALUES (9999, 'later', 'x', 1)");
	rig_close(rig);
	ASSERT_TRUE(store_open(&(struct store_options){ .url = rig->url }, &rig->store, &rig->err) == -ERR_STORE);
	ASSERT_HAS(err_root(&rig->err)->detail, "schema 9999");
	err_clear(&rig->err);
}

/* claiming */

static int claim_fn(struct sql *tx, void *arg, struct err *err)
{
	void **args = arg;

	return store_claim(tx, args[0], args[1], err);
}

static void claim(struct rig *rig, const struct claim *c, struct claimed *ret)
{
	struct claim copy = *c;
	void *args[] = { &copy, ret };

	WRITE(rig, claim_fn, args);
}

static const struct claim_lane lane_a[] = { { "a", 10 } };
static const struct claim claim_a = { .lanes = lane_a, .n_lanes = 1, .max = 10, .owner = "n/1", .now_ms = 5000, .lease_until_ms = 9000 };

struct put {
	struct order *o;
	enum lease_then then;
	int64_t now_ms;
};

static int put_fn(struct sql *tx, void *arg, struct err *err)
{
	struct put *p = arg;

	return store_order_put(tx, p->o, p->then, p->now_ms, err);
}

static int get_order_fn(struct sql *q, void *arg, struct err *err)
{
	void **args = arg;

	return store_order_get_any(q, args[0], args[1], err);
}

static struct order get_order(struct rig *rig, char *id)
{
	struct order o = { 0 };
	void *args[] = { id, &o };

	READ(rig, get_order_fn, args);
	return o;
}

static void a_claim_fences_counts_and_leases(void **state)
{
	_cleanup_rig_ struct rig *rig = rig_new();
	_cleanup_order_ struct order due = rig_order(rig, 1, "a", 4000), later = rig_order(rig, 2, "a", 6000),
				     other = rig_order(rig, 3, "b", 4000), after = { 0 };
	_cleanup_claimed_ struct claimed got = { 0 }, none = { 0 };
	struct order *o;

	rig_add_order(rig, &due);
	rig_add_order(rig, &later);
	rig_add_order(rig, &other);
	ASSERT_INT(due.num, 1);
	ASSERT_INT(other.num, 3);
	claim(rig, &claim_a, &got);
	ASSERT_INT(got.orders.n, 1);
	o = &got.orders.v[0];
	ASSERT_STR(o->id, due.id);
	ASSERT_INT(o->gen, 1);
	ASSERT_INT(o->starts, 1);
	ASSERT_STR(o->lease_owner, "n/1");
	ASSERT_INT(o->due_ms, 9000);
	ASSERT_STR(o->names.v[0], "n1.example");
	claim(rig, &claim_a, &none);
	ASSERT_INT(none.orders.n, 0);

	/* the next step of the same run keeps the lease, the last ends it */
	o->step = STEP_AUTHORIZE;
	replace_str(&o->url, "https://ca.example/order/1");
	o->due_ms = 7000;
	WRITE(rig, put_fn, (&(struct put){ o, LEASE_KEEP, 5100 }));
	after = get_order(rig, due.id);
	ASSERT_STR(after.lease_owner, "n/1");
	ASSERT_INT(after.due_ms, 9000);
	ASSERT_INT(after.starts, 1); /* the next step of this run counts as started */
	ASSERT_INT(after.step, STEP_AUTHORIZE);
	ASSERT_STR(after.url, "https://ca.example/order/1");
	order_done(&after);
	WRITE(rig, put_fn, (&(struct put){ o, LEASE_END, 5200 }));
	after = get_order(rig, due.id);
	ASSERT_TRUE(!after.lease_owner);
	ASSERT_INT(after.due_ms, 7000);
	ASSERT_INT(after.rev, 1);
}

static void a_lost_lease_writes_nothing(void **state)
{
	_cleanup_rig_ struct rig *rig = rig_new();
	_cleanup_order_ struct order o = rig_order(rig, 1, "a", 4000), after = { 0 };
	_cleanup_claimed_ struct claimed first = { 0 }, second = { 0 };
	struct claim late = claim_a;
	struct put put;

	rig_add_order(rig, &o);
	claim(rig, &claim_a, &first);
	late.now_ms = 9000; /* the lease has ended */
	late.owner = "m/1";
	late.lease_until_ms = 20000;
	claim(rig, &late, &second);
	ASSERT_INT(second.orders.n, 1);
	ASSERT_INT(second.orders.v[0].gen, 2);
	ASSERT_INT(second.orders.v[0].starts, 2);
	first.orders.v[0].status = ORDER_INVALID;
	put = (struct put){ &first.orders.v[0], LEASE_END, 9100 };
	ASSERT_FAILS(store_write(rig->store, put_fn, &put, &rig->err), &rig->err, ERR_LOST_LEASE);
	after = get_order(rig, o.id);
	ASSERT_INT(after.status, ORDER_PENDING);
	ASSERT_STR(after.lease_owner, "m/1");
}

static void a_row_started_three_times_without_a_verdict_is_set_aside(void **state)
{
	_cleanup_rig_ struct rig *rig = rig_new();
	_cleanup_order_ struct order bad = rig_order(rig, 1, "a", 4000), good = rig_order(rig, 2, "a", 4001), after = { 0 };
	struct claim c = claim_a;

	rig_add_order(rig, &bad);
	for (int i = 1; i <= LIMIT_STARTS; i++) {
		_cleanup_claimed_ struct claimed got = { 0 };

		claim(rig, &c, &got);
		ASSERT_INT(got.orders.n, 1);
		ASSERT_INT(got.orders.v[0].starts, i);
		c.now_ms += 100000;
		c.lease_until_ms += 100000;
	}
	rig_add_order(rig, &good);
	{
		_cleanup_claimed_ struct claimed got = { 0 }, none = { 0 };

		claim(rig, &c, &got);
		ASSERT_INT(got.orders.n, 1);
		ASSERT_STR(got.orders.v[0].id, good.id);
		ASSERT_INT(got.aside.n, 1);
		ASSERT_STR(got.aside.v[0].id, bad.id);
		c.now_ms += 1000000;
		claim(rig, &c, &none);
		ASSERT_INT(none.aside.n, 0); /* told once */
	}
	after = get_order(rig, bad.id);
	ASSERT_TRUE(after.set_aside);
	ASSERT_HAS(after.reason, "set aside");
}

static void a_row_that_cannot_be_read_is_set_aside_alone(void **state)
{
	_cleanup_rig_ struct rig *rig = rig_new();
	_cleanup_order_ struct order bad = rig_order(rig, 1, "a", 4000), good = rig_order(rig, 2, "a", 4001);
	_cleanup_claimed_ struct claimed got = { 0 };

	rig_add_order(rig, &bad);
	rig_add_order(rig, &good);
	rig_exec(rig, "UPDATE orders SET step = 'from-the-future' WHERE num = 1");
	claim(rig, &claim_a, &got);
	ASSERT_INT(got.orders.n, 1);
	ASSERT_STR(got.orders.v[0].id, good.id);
	ASSERT_INT(got.aside.n, 1);
	ASSERT_HAS(got.aside.v[0].why, "from-the-future");
}

static int end_former(struct sql *tx, void *arg, struct err *err)
{
	return store_lease_end_former(tx, "n", "n/2", 5500, arg, err);
}

static void suspects_of_a_former_start_are_due_at_once_and_apart(void **state)
{
	_cleanup_rig_ struct rig *rig = rig_new();
	_cleanup_order_ struct order mine = rig_order(rig, 1, "a", 4000), fresh = rig_order(rig, 2, "a", 4000),
				     foreign = rig_order(rig, 3, "b", 4000);
	struct claim_lane lane_b[] = { { "b", 1 } };
	struct claim c = claim_a, n2 = claim_a;
	int64_t n = 0;

	rig_add_order(rig, &mine);
	rig_add_order(rig, &foreign);
	{
		_cleanup_claimed_ struct claimed got = { 0 };

		claim(rig, &c, &got);
		c.lanes = lane_b;
		c.owner = "nn/1"; /* another node whose name begins the same */
		claim(rig, &c, &got);
	}
	rig_add_order(rig, &fresh);
	WRITE(rig, end_former, &n);
	ASSERT_INT(n, 1);
	n2.owner = "n/2";
	n2.now_ms = 5500;
	{
		_cleanup_claimed_ struct claimed got = { 0 };

		n2.who = CLAIM_FRESH;
		claim(rig, &n2, &got);
		ASSERT_INT(got.orders.n, 1);
		ASSERT_STR(got.orders.v[0].id, fresh.id);
		n2.who = CLAIM_SUSPECTS;
		n2.max = 1;
		claim(rig, &n2, &got);
		ASSERT_INT(got.orders.n, 1);
		ASSERT_STR(got.orders.v[0].id, mine.id);
		ASSERT_INT(got.orders.v[0].starts, 2);
	}
}

static int release_fn(struct sql *tx, void *arg, struct err *err)
{
	struct order *o = arg;

	return store_lease_release(tx, "orders", o->id, o->gen, 5001, err);
}

static void an_orderly_stop_gives_the_row_back_uncounted(void **state)
{
	_cleanup_rig_ struct rig *rig = rig_new();
	_cleanup_order_ struct order o = rig_order(rig, 1, "a", 4000), after = { 0 };
	_cleanup_claimed_ struct claimed got = { 0 };

	rig_add_order(rig, &o);
	claim(rig, &claim_a, &got);
	WRITE(rig, release_fn, &got.orders.v[0]);
	after = get_order(rig, o.id);
	ASSERT_INT(after.starts, 0);
	ASSERT_INT(after.due_ms, 5001);
	ASSERT_TRUE(!after.lease_owner);
	ASSERT_INT(after.gen, 1);
}

static int unbegun_fn(struct sql *tx, void *arg, struct err *err)
{
	struct order *o = arg;

	return store_lease_unbegun(tx, "orders", o->id, o->gen, err);
}

static void a_claim_never_begun_is_no_start_even_when_another_has_the_row_by_now(void **state)
{
	_cleanup_rig_ struct rig *rig = rig_new();
	_cleanup_order_ struct order o = rig_order(rig, 1, "a", 4000), after = { 0 };
	_cleanup_claimed_ struct claimed mine = { 0 }, theirs = { 0 };
	struct claim later = claim_a;

	rig_add_order(rig, &o);
	claim(rig, &claim_a, &mine);
	later.owner = "other/1";
	later.now_ms = claim_a.lease_until_ms + 1;
	later.lease_until_ms = later.now_ms + 1000;
	claim(rig, &later, &theirs);
	ASSERT_INT(theirs.orders.v[0].starts, 2);
	WRITE(rig, unbegun_fn, &mine.orders.v[0]);
	after = get_order(rig, o.id);
	ASSERT_INT(after.starts, 1);
	ASSERT_STR(after.lease_owner, "other/1"); /* whose lease it is has not changed */
	ASSERT_INT(after.gen, theirs.orders.v[0].gen);
}

/* Eight threads claim 400 orders three at a time: each is handed out once. */
struct claimer {
	struct rig *rig;
	_Atomic int *taken;
	_Atomic int *twice;
	_Atomic unsigned char *seen;
	int who;
};

static void *claimer_main(void *arg)
{
	struct claimer *c = arg;
	char owner[16];
	struct claim claim_3 = claim_a;

	snprintf(owner, sizeof owner, "n%d/1", c->who);
	claim_3.owner = owner;
	claim_3.max = 3;
	for (;;) {
		_cleanup_claimed_ struct claimed got = { 0 };
		_cleanup_err_ struct err err = ERR_INIT;
		void *args[] = { &claim_3, &got };

		if (store_write(c->rig->store, claim_fn, args, &err) < 0 || !got.orders.n)
			return NULL;
		for (size_t i = 0; i < got.orders.n; i++) {
			atomic_fetch_add(c->taken, 1);
			if (atomic_fetch_add(&c->seen[got.orders.v[i].num], 1))
				atomic_fetch_add(c->twice, 1);
		}
	}
}

static int add_many(struct sql *tx, void *arg, struct err *err)
{
	for (int i = 0; i < 400; i++) {
		_cleanup_order_ struct order o = rig_order(arg, i, "a", 1000 + i);

		if (store_order_add(tx, &o, err) < 0)
			return -(int)err->code;
	}
	return 0;
}

static void eight_threads_never_get_the_same_order(void **state)
{
	_cleanup_rig_ struct rig *rig = rig_new();
	_Atomic unsigned char seen[401] = { 0 };
	_Atomic int taken = 0, twice = 0;
	struct claimer claimers[8];
	pthread_t threads[8];

	WRITE(rig, add_many, rig);
	for (int i = 0; i < 8; i++) {
		claimers[i] = (struct claimer){ rig, &taken, &twice, seen, i };
		pthread_create(&threads[i], NULL, claimer_main, &claimers[i]);
	}
	for (int i = 0; i < 8; i++)
		pthread_join(threads[i], NULL);
	ASSERT_INT(twice, 0);
	ASSERT_INT(taken, 400);
}

/* orders */

struct ask {
	char *id;
	enum order_want want;
	int64_t now_ms;
};

static int ask_fn(struct sql *tx, void *arg, struct err *err)
{
	struct ask *a = arg;

	return store_order_ask(tx, a->id, a->want, a->now_ms, a->now_ms, err);
}

static void a_wish_made_during_the_work_makes_the_order_due(void **state)
{
	_cleanup_rig_ struct rig *rig = rig_new();
	_cleanup_order_ struct order o = rig_order(rig, 1, "a", 4000), after = { 0 };
	_cleanup_claimed_ struct claimed got = { 0 };

	rig_add_order(rig, &o);
	claim(rig, &claim_a, &got);
	WRITE(rig, ask_fn, (&(struct ask){ o.id, WANT_FINALIZE, 5050 }));
	got.orders.v[0].due_ms = INT64_C(99999999);
	WRITE(rig, put_fn, (&(struct put){ &got.orders.v[0], LEASE_END, 5100 }));
	after = get_order(rig, o.id);
	ASSERT_INT(after.due_ms, 5100);
	ASSERT_INT(after.want_finalize, 5050);
	ASSERT_INT(after.rev, 2);
	order_done(&after);
	WRITE(rig, ask_fn, (&(struct ask){ o.id, WANT_REFRESH, 5060 }));
	after = get_order(rig, o.id);
	ASSERT_INT(after.due_ms, 5060);
	order_done(&after);

	/* it has ended: nothing can be asked */
	{
		_cleanup_claimed_ struct claimed again = { 0 };
		struct claim c = claim_a;

		c.now_ms = 6000;
		claim(rig, &c, &again);
		ASSERT_INT(again.orders.n, 1);
		again.orders.v[0].ended_ms = 6100;
		again.orders.v[0].status = ORDER_INVALID;
		WRITE(rig, put_fn, (&(struct put){ &again.orders.v[0], LEASE_END, 6100 }));
	}
	ASSERT_FAILS(store_write(rig->store, ask_fn, (&(struct ask){ o.id, WANT_CANCEL, 7000 }), &rig->err), &rig->err,
		     ERR_CONFLICT);
}

static int find_request(struct sql *q, void *arg, struct err *err)
{
	return store_order_find_request(q, "request-1", arg, err);
}

static int delete_fn(struct sql *tx, void *arg, struct err *err)
{
	return store_order_delete(tx, arg, 7777, err);
}

static int get_live(struct sql *q, void *arg, struct err *err)
{
	_cleanup_order_ struct order o = { 0 };

	return store_order_get(q, arg, &o, err);
}

static int add_order_fn(struct sql *tx, void *arg, struct err *err)
{
	return store_order_add(tx, arg, err);
}

static void one_request_has_one_live_order_and_delete_hides_it(void **state)
{
	_cleanup_rig_ struct rig *rig = rig_new();
	_cleanup_order_ struct order a = rig_order(rig, 1, "a", 4000), b = rig_order(rig, 1, "a", 4000), found = { 0 },
				     after = { 0 };

	rig_add_order(rig, &a);
	ASSERT_FAILS(store_write(rig->store, add_order_fn, &b, &rig->err), &rig->err, ERR_CONFLICT);
	READ(rig, find_request, &found);
	ASSERT_STR(found.id, a.id);
	WRITE(rig, delete_fn, a.id);
	ASSERT_FAILS(store_read(rig->store, get_live, a.id, &rig->err), &rig->err, ERR_NOT_FOUND);
	ASSERT_FAILS(store_write(rig->store, delete_fn, a.id, &rig->err), &rig->err, ERR_NOT_FOUND);
	after = get_order(rig, a.id);
	ASSERT_INT(after.want_cancel, 7777); /* the engine carries it to its end */
	WRITE(rig, add_order_fn, &b);
	ASSERT_INT(b.num, 2); /* numbers of failed writes are not used up */
}

struct turn {
	struct order *o;
	char *holder;
	int64_t num;
};

static int turn_fn(struct sql *tx, void *arg, struct err *err)
{
	struct turn *t = arg;

	free(t->holder);
	t->holder = NULL;
	return store_order_take_turn(tx, t->o, &t->holder, &t->num, err);
}

static int wake_fn(struct sql *tx, void *arg, struct err *err)
{
	return store_order_wake_waiters(tx, arg, 5300, err);
}

static void orders_of_one_name_set_take_turns(void **state)
{
	_cleanup_rig_ struct rig *rig = rig_new();
	_cleanup_order_ struct order a = rig_order(rig, 1, "a", 4000), b = rig_order(rig, 2, "a", 4001), after = { 0 };
	_cleanup_claimed_ struct claimed got = { 0 };
	struct turn first = { 0 }, second = { 0 };

	replace_str(&b.turn_hash, a.turn_hash);
	rig_add_order(rig, &a);
	rig_add_order(rig, &b);
	claim(rig, &claim_a, &got);
	ASSERT_INT(got.orders.n, 2);
	first.o = streq(got.orders.v[0].id, a.id) ? &got.orders.v[0] : &got.orders.v[1];
	second.o = first.o == &got.orders.v[0] ? &got.orders.v[1] : &got.orders.v[0];
	WRITE(rig, turn_fn, &first);
	ASSERT_TRUE(!first.holder);
	WRITE(rig, turn_fn, &first); /* a step may run twice */
	ASSERT_TRUE(!first.holder);
	WRITE(rig, turn_fn, &second);
	ASSERT_STR(second.holder, a.id);
	ASSERT_INT(second.num, 1);
	replace_str(&second.o->waiting_for, second.holder);
	second.o->due_ms = 90000000;
	WRITE(rig, put_fn, (&(struct put){ second.o, LEASE_END, 5200 }));
	first.o->holds_turn = false;
	WRITE(rig, put_fn, (&(struct put){ first.o, LEASE_END, 5300 }));
	WRITE(rig, wake_fn, a.id);
	after = get_order(rig, b.id);
	ASSERT_INT(after.due_ms, 5300);
	WRITE(rig, turn_fn, &second);
	ASSERT_TRUE(!second.holder);
	free(first.holder);
	free(second.holder);
}

struct listing {
	struct order_filter filter;
	struct page page;
	struct order_list list;
	struct page_mark end;
};

static int list_fn(struct sql *q, void *arg, struct err *err)
{
	struct listing *l = arg;

	return store_order_list(q, &l->filter, &l->page, &l->list, &l->end, err);
}

/* How many orders all its pages show, each once and in order. */
static int pages_of(struct rig *rig, struct listing *l)
{
	char id[ULID_LEN + 1] = "";
	int64_t created = 0;
	int n = 0;

	do {
		READ(rig, list_fn, l);
		for (size_t i = 0; i < l->list.n; i++) {
			const struct order *o = &l->list.v[i];

			if (n++) {
				int64_t by = o->created_ms != created ? o->created_ms - created : strcmp(o->id, id);

				ASSERT_TRUE(l->page.order == PAGE_OLDEST ? by > 0 : by < 0);
			}
			created = o->created_ms;
			snprintf(id, sizeof id, "%s", o->id);
		}
		l->page.after_key = l->end.key;
		l->page.started = true;
		l->page.after_id = id;
	} while (l->list.more);
	order_list_done(&l->list);
	return n;
}

static void pages_by_cursor_show_every_live_order_once(void **state)
{
	_cleanup_rig_ struct rig *rig = rig_new();
	const struct {
		struct order_filter filter;
		int want;
	} table[] = {
		{ { 0 }, 24 },
		{ { .status = "pending" }, 24 },
		{ { .status = "valid" }, 0 },
		{ { .account_id = rig->account_id }, 24 },
		{ { .account_id = rig->account_id, .status = "pending" }, 24 },
		{ { .account_id = rig->account_id, .status = "valid" }, 0 },
		{ { .name = "example" }, 24 },
		{ { .name = "example", .status = "pending", .account_id = rig->account_id }, 24 },
		{ { .name = "example", .status = "valid" }, 0 },
		{ { .name = "elsewhere" }, 0 },
		{ { .name = "%\"_\\" }, 0 },
		{ { .certificate_id = "none" }, 0 },
		{ { .certificate_id = "none", .status = "pending" }, 0 },
	};

	for (int i = 0; i < 25; i++) {
		_cleanup_order_ struct order o = rig_order(rig, i, "a", 4000);

		o.created_ms = 1000 + i / 10; /* many in the same millisecond */
		rig_add_order(rig, &o);
		if (i == 7)
			WRITE(rig, delete_fn, o.id);
	}
	for (size_t t = 0; t < 2 * ARRAY_SIZE(table); t++) {
		struct listing l = { .filter = table[t / 2].filter, .page = { .limit = 7, .order = (t % 2) ? PAGE_OLDEST : PAGE_NEWEST } };

		ASSERT_INT(pages_of(rig, &l), table[t / 2].want);
	}
	rig_exec(rig, "UPDATE account SET deleted_ms = 5");
	{
		struct listing l = { .page = { .limit = 7 } };

		READ(rig, list_fn, &l);
		ASSERT_INT(l.list.n, 0); /* orders of a deleted account are invisible */
		order_list_done(&l.list);
	}
}

static int place_of(enum order_status s)
{
	static const int places[] = { [ORDER_INVALID] = 0, [ORDER_PENDING] = 1, [ORDER_READY] = 2, [ORDER_PROCESSING] = 3, [ORDER_VALID] = 4 };

	return places[s];
}

/* Whether b may stand behind a. */
static bool stands_behind(enum page_order order, const struct order *a, const struct order *b)
{
	int by = order == PAGE_NAME ? strcmp(b->names.v[0], a->names.v[0]) : place_of(b->status) - place_of(a->status);
	int64_t time = a->created_ms - b->created_ms;

	if (by)
		return by > 0;
	if (order == PAGE_NAME)
		return b->num > a->num;
	return time ? time > 0 : strcmp(b->id, a->id) < 0;
}

static void orders_by_name_and_by_status_stand_once_and_in_order_whatever_the_page_is_long(void **state)
{
	_cleanup_rig_ struct rig *rig = rig_new();
	const struct order_filter filters[] = { { 0 }, { .status = "valid" }, { .account_id = rig->account_id }, { .account_id = rig->account_id, .status = "invalid" } };
	static const int want[] = { 40, 8, 40, 8 };

	for (int i = 0; i < 40; i++) {
		_cleanup_order_ struct order o = rig_order(rig, i, "a", 4000);

		o.status = (enum order_status)(i % 5);
		strlist_clear(&o.names);
		strlist_add(&o.names, (const char *const[]){ "a.example", "b.example", "*.b.example" }[i * 7 % 3]); /* many of the same name */
		o.created_ms = 1000 + i / 10;
		rig_add_order(rig, &o);
	}
	for (size_t t = 0; t < 2 * 4 * ARRAY_SIZE(filters); t++) {
		struct listing l = { .filter = filters[t / 8], .page = { .limit = (const int[]){ 1, 3, 7, 100 }[t / 2 % 4], .order = (t % 2) ? PAGE_STATUS : PAGE_NAME } };
		_cleanup_order_ struct order last = { 0 };
		struct page_mark end;
		int n = 0;

		do {
			READ(rig, list_fn, &l);
			for (size_t i = 0; i < l.list.n; i++) {
				ASSERT_TRUE(!n++ || stands_behind(l.page.order, i ? &l.list.v[i - 1] : &last, &l.list.v[i]));
			}
			ASSERT_TRUE(l.list.n);
			order_done(&last);
			last = TAKE(l.list.v[l.list.n - 1]);
			end = l.end;
			l.page.started = true;
			l.page.after_key = end.key;
			l.page.after_text = end.text;
			l.page.after_id = last.id;
		} while (l.list.more);
		ASSERT_INT(n, want[t / 8]);
		order_list_done(&l.list);
	}
}

/* lanes, jobs, debts */

static int lanes_fn(struct sql *tx, void *arg, struct err *err)
{
	if (store_lane_ensure(tx, "a", 4, err) < 0 || store_lane_ensure(tx, "b", 2, err) < 0 ||
	    store_lane_ensure(tx, "c", 2, err) < 0 || store_lane_ensure(tx, "b", 3, err) < 0 ||
	    store_lane_park(tx, "b", 8000, "{}", err) < 0)
		return -(int)err->code;
	return store_lane_park(tx, "b", 7000, "{}", err);
}

static int loads_fn(struct sql *q, void *arg, struct err *err)
{
	return store_lane_loads(q, 5000, arg, err);
}

static void a_lane_shows_what_is_due_and_in_work(void **state)
{
	_cleanup_rig_ struct rig *rig = rig_new();
	_cleanup_order_ struct order a = rig_order(rig, 1, "a", 4000), b = rig_order(rig, 2, "b", 3000);
	_cleanup_lane_load_list_ struct lane_load_list loads = { 0 };
	_cleanup_claimed_ struct claimed got = { 0 };

	WRITE(rig, lanes_fn, NULL);
	rig_add_order(rig, &a);
	rig_add_order(rig, &b);
	claim(rig, &claim_a, &got);
	READ(rig, loads_fn, &loads);
	ASSERT_INT(loads.n, 3);
	ASSERT_STR(loads.v[0].lane.name, "b");
	ASSERT_INT(loads.v[0].due_ms, 3000);
	ASSERT_INT(loads.v[0].lane.parked_until_ms, 8000); /* never shortened */
	ASSERT_INT(loads.v[0].lane.cap, 3);
	ASSERT_STR(loads.v[1].lane.name, "a");
	ASSERT_INT(loads.v[1].due_ms, 9000);
	ASSERT_INT(loads.v[1].leased, 1);
	ASSERT_INT(loads.v[2].due_ms, INT64_MAX);
}

static int jobs_and_debts(struct sql *tx, void *arg, struct err *err)
{
	struct order *o = arg;
	char id[] = "01JOB", what[] = "{}", lane[] = "a", debt[] = "01DEBT", held[] = "01HELD", method[] = "delegation";
	struct job j = { .id = id, .kind = JOB_VENDOR_CHECK, .lane = lane, .due_ms = 4000, .created_ms = 1 };
	struct debt d = { .id = debt, .order_id = o->id, .kind = DEBT_WITHDRAW_DNS, .method = method, .what = what, .lane = lane,
			  .due_ms = 4000, .created_ms = 1 };

	if (store_order_add(tx, o, err) < 0 || store_job_add(tx, &j, err) < 0 || store_debt_add(tx, &d, err) < 0)
		return -(int)err->code;
	d.id = held;
	d.held = true;
	return store_debt_add(tx, &d, err);
}

static int finish_both(struct sql *tx, void *arg, struct err *err)
{
	struct claimed *got = arg;

	got->jobs.v[0].state = JOB_DONE;
	got->jobs.v[0].ended_ms = 6000;
	got->debts.v[0].paid = true;
	if (store_job_put(tx, &got->jobs.v[0], LEASE_END, 6000, err) < 0)
		return -(int)err->code;
	return store_debt_put(tx, &got->debts.v[0], LEASE_END, 6000, err);
}

static int owed_fn(struct sql *q, void *arg, struct err *err)
{
	return store_debt_owed(q, arg, err);
}

static int release_debts(struct sql *tx, void *arg, struct err *err)
{
	return store_debt_release_order(tx, arg, 7000, err);
}

static void jobs_and_debts_are_claimed_like_orders_and_held_debts_are_not(void **state)
{
	_cleanup_rig_ struct rig *rig = rig_new();
	_cleanup_order_ struct order o = rig_order(rig, 1, "z", 4000);
	_cleanup_claimed_ struct claimed got = { 0 };
	struct claim c = claim_a;
	int64_t owed = 0;

	WRITE(rig, jobs_and_debts, &o);
	claim(rig, &claim_a, &got);
	ASSERT_INT(got.jobs.n, 1);
	ASSERT_INT(got.jobs.v[0].state, JOB_RUNNING);
	ASSERT_INT(got.debts.n, 1);
	ASSERT_STR(got.debts.v[0].id, "01DEBT");
	WRITE(rig, finish_both, &got);
	ASSERT_FAILS(store_write(rig->store, finish_both, (got.jobs.v[0].gen = 9, &got), &rig->err), &rig->err, ERR_LOST_LEASE);
	READ(rig, owed_fn, &owed);
	ASSERT_INT(owed, 1);
	c.now_ms = 7000;
	claim(rig, &c, &got);
	ASSERT_INT(got.debts.n + got.jobs.n, 0);
	WRITE(rig, release_debts, o.id);
	claim(rig, &c, &got);
	ASSERT_INT(got.debts.n, 1);
	ASSERT_STR(got.debts.v[0].id, "01HELD");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(a_named_text_is_kept_over_a_restart),
		TEST(values_come_back_as_they_went_in),
		TEST(a_statement_may_run_inside_its_own_rows),
		TEST(a_number_of_what_was_undone_is_handed_out_again),
		TEST(a_statement_is_known_by_its_text_not_by_where_it_stands),
		TEST(refusals_have_their_codes),
		TEST(a_reader_cannot_write),
		TEST(a_failed_savepoint_leaves_nothing_behind),
		TEST(touches_are_merged_and_limited),
		TEST(thirty_two_threads_commit_together_and_failures_stay_alone),
		TEST(what_was_acknowledged_survives_a_kill),
		TEST(a_migration_with_a_lower_number_that_comes_later_is_applied),
		TEST(migrations_go_forward_once_and_refuse_what_they_do_not_know),
		TEST(all_that_is_missing_is_one_transaction),
		TEST(a_newer_schema_is_refused_at_start),
		TEST(a_claim_fences_counts_and_leases),
		TEST(a_lost_lease_writes_nothing),
		TEST(a_row_started_three_times_without_a_verdict_is_set_aside),
		TEST(a_row_that_cannot_be_read_is_set_aside_alone),
		TEST(suspects_of_a_former_start_are_due_at_once_and_apart),
		TEST(an_orderly_stop_gives_the_row_back_uncounted), TEST(a_claim_never_begun_is_no_start_even_when_another_has_the_row_by_now),
		TEST(eight_threads_never_get_the_same_order),
		TEST(a_wish_made_during_the_work_makes_the_order_due),
		TEST(one_request_has_one_live_order_and_delete_hides_it),
		TEST(orders_of_one_name_set_take_turns),
		TEST(pages_by_cursor_show_every_live_order_once),
		TEST(orders_by_name_and_by_status_stand_once_and_in_order_whatever_the_page_is_long),
		TEST(a_lane_shows_what_is_due_and_in_work),
		TEST(jobs_and_debts_are_claimed_like_orders_and_held_debts_are_not),
	};

	return rig_main("store", tests, ARRAY_SIZE(tests));
}
