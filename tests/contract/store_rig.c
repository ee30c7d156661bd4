/* SPDX-License-Identifier: Apache-2.0 */
/* store_rig.c - the rig of the store's contract suite. */
#include "tests/contract/store_rig.h"

#include "store/driver.h"

#include <dirent.h>
#include <sys/stat.h>

struct pg rig_pg;
bool rig_pgsql;
const char *rig_no_pg;

static void make_database(struct rig *rig)
{
	static int n;
	_cleanup_free_ char *url = pg_url(&rig_pg, "postgres"), *text = NULL;
	struct pgsql_config *c = NULL;
	struct sql *q = NULL;

	rig->database = xasprintf("t%d", ++n);
	text = xasprintf("CREATE DATABASE %s", rig->database);
	ASSERT_OK(pgsql_config_new(url, NULL, &c, &rig->err), &rig->err);
	ASSERT_OK(pgsql_connect(c, false, &q, &rig->err), &rig->err);
	ASSERT_OK(sql_script(q, text, &rig->err), &rig->err);
	sql_close(q);
	pgsql_config_free(c);
	rig->url = pg_url(&rig_pg, rig->database);
}

static int add_parents(struct sql *tx, void *arg, struct err *err)
{
	struct rig *rig = arg;

	if (sql_exec(tx, "INSERT INTO key (id, purpose, type, public_hash, created_ms) VALUES ($1, 'account', 'p256', $1, 1)",
		     SQL_VALUES(SQL_TEXT(rig->key_id)), NULL, err) < 0)
		return -(int)err->code;
	return sql_exec(tx,
			"INSERT INTO account (id, num, name, vendor, directory_url, email, status, key_id, created_ms, updated_ms)"
			" VALUES ($1, 1000000, 'a', 'custom', 'https://ca.example/dir', 'a@b.example', 'valid', $2, 1, 1)",
			SQL_VALUES(SQL_TEXT(rig->account_id), SQL_TEXT(rig->key_id)), NULL, err);
}

void rig_open(struct rig *rig)
{
	ASSERT_OK(store_open(&(struct store_options){ .url = rig->url }, &rig->store, &rig->err), &rig->err);
}

void rig_close(struct rig *rig)
{
	store_close(rig->store);
	rig->store = NULL;
}

struct rig *rig_new(void)
{
	struct rig *rig = xcalloc(1, sizeof *rig);

	if (rig_pgsql) {
		make_database(rig);
	} else {
		char template[] = "/tmp/cw-store-XXXXXX";

		assert(mkdtemp(template));
		rig->dir = xstrdup(template);
		rig->file = xasprintf("%s/certwright.db", rig->dir);
		rig->url = xasprintf("sqlite:%s", rig->file);
	}
	rig_open(rig);
	rig->key_id = xstrdup(ulid_new(1).s);
	rig->account_id = xstrdup(ulid_new(1).s);
	WRITE(rig, add_parents, rig);
	return rig;
}

void rig_free(struct rig **p)
{
	struct rig *rig = *p;

	if (!rig)
		return;
	rig_close(rig);
	if (rig->dir) {
		DIR *d = opendir(rig->dir);
		struct dirent *e;

		while (d && (e = readdir(d))) {
			char *path = xasprintf("%s/%s", rig->dir, e->d_name);

			unlink(path);
			free(path);
		}
		if (d)
			closedir(d);
		rmdir(rig->dir);
	}
	free(rig->url);
	free(rig->dir);
	free(rig->file);
	free(rig->database);
	free(rig->key_id);
	free(rig->account_id);
	err_clear(&rig->err);
	free(rig);
	*p = NULL;
}

struct order rig_order(struct rig *rig, int i, const char *lane, int64_t due_ms)
{
	struct order o = { .validation = VALIDATION_DNS01, .step = STEP_CREATE };
	char *name = xasprintf("n%d.example", i);

	o.id = xstrdup(ulid_new(1000).s);
	o.account_id = xstrdup(rig->account_id);
	strlist_add(&o.names, name);
	o.names_hash = xasprintf("names-%d", i);
	o.key_type = xstrdup("p256");
	o.dns_method = xstrdup(METHOD_DELEGATION);
	o.request_hash = xasprintf("request-%d", i);
	o.turn_hash = xasprintf("turn-%d", i);
	o.lane = xstrdup(lane);
	o.due_ms = due_ms;
	o.created_ms = o.step_since_ms = 1000 + i;
	free(name);
	return o;
}

static int add_order(struct sql *tx, void *arg, struct err *err)
{
	return store_order_add(tx, arg, err);
}

void rig_add_order(struct rig *rig, struct order *o)
{
	WRITE(rig, add_order, o);
}

struct statement {
	const char *text;
	int64_t n;
};

static int exec_fn(struct sql *tx, void *arg, struct err *err)
{
	struct statement *s = arg;

	return sql_exec(tx, s->text, SQL_NONE, &s->n, err);
}

static int int_fn(struct sql *q, void *arg, struct err *err)
{
	struct statement *s = arg;

	return sql_int(q, s->text, SQL_NONE, &s->n, err);
}

int64_t rig_exec(struct rig *rig, const char *text)
{
	struct statement s = { .text = text };

	WRITE(rig, exec_fn, &s);
	return s.n;
}

int64_t rig_int(struct rig *rig, const char *text)
{
	struct statement s = { .text = text };

	READ(rig, int_fn, &s);
	return s.n;
}

static int sqlite_group(UNUSED void **state)
{
	rig_pgsql = false;
	return 0;
}

static int pgsql_group(UNUSED void **state)
{
	rig_pgsql = true;
	return 0;
}

int rig_main(const char *name, const struct CMUnitTest *tests, size_t n)
{
	_cleanup_free_ char *sqlite = xasprintf("%s on SQLite", name), *pgsql = xasprintf("%s on PostgreSQL", name);
	int failed = _cmocka_run_group_tests(sqlite, tests, n, sqlite_group, NULL);

	if (pg_start(&rig_pg, &rig_no_pg))
		failed += _cmocka_run_group_tests(pgsql, tests, n, pgsql_group, NULL);
	else
		print_message("SKIPPED: %s: %s\n", pgsql, rig_no_pg);
	pg_stop(&rig_pg);
	return failed;
}
