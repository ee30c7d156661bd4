/* SPDX-License-Identifier: Apache-2.0 */
/*
 * migrate.c - numbered migrations, forward only. All that have no row yet are applied in one transaction, in the order of numbers,
 * with the rows that say so: a database is as it was before an upgrade or as it is after it, never between. Branches that
 * grow side by side take numbers apart, and numbers may be missing.
 *
 * The row keeps a checksum of the text as it was embedded, so that a migration changed after it was applied is refused.
 * Words that differ between the databases are tokens: @INT@ @BLOB@ @STRICT@; a line for one of them only begins with @SQLITE@ or
 * @PGSQL@ and is a comment for the other.
 */
#include "store/driver.h"

#include "base/buf.h"
#include "base/str.h"

static const char TABLE[] = "CREATE TABLE IF NOT EXISTS schema_migration (version @INT@ PRIMARY KEY, name TEXT NOT NULL,"
			    " checksum TEXT NOT NULL, applied_ms @INT@ NOT NULL) @STRICT@";
static const char APPLIED[] = "SELECT version, name, checksum FROM schema_migration ORDER BY version";
static const char RECORD[] = "INSERT INTO schema_migration (version, name, checksum, applied_ms) VALUES ($1, $2, $3, $4)";
/* One program migrates at a time; the others wait and find it done. SQLite's BEGIN IMMEDIATE does the same. */
static const char LOCK_PGSQL[] = "SET LOCAL lock_timeout = 0; SET LOCAL statement_timeout = 0;"
				 "SELECT pg_advisory_xact_lock(7237492851)";

static const struct {
	const char *token, *words[2]; /* by dialect */
} tokens[] = {
	{ "@INT@", { [SQL_SQLITE] = "INTEGER", [SQL_PGSQL] = "BIGINT" } },
	{ "@BLOB@", { [SQL_SQLITE] = "BLOB", [SQL_PGSQL] = "BYTEA" } },
	{ "@STRICT@", { [SQL_SQLITE] = "STRICT", [SQL_PGSQL] = "" } },
	{ "@SQLITE@", { [SQL_SQLITE] = "", [SQL_PGSQL] = "--" } },
	{ "@PGSQL@", { [SQL_SQLITE] = "--", [SQL_PGSQL] = "" } },
};

static void translate(const char *text, enum sql_dialect dialect, struct buf *ret)
{
	while (*text) {
		size_t i;

		for (i = 0; i < ARRAY_SIZE(tokens); i++)
			if (str_starts(text, tokens[i].token))
				break;
		if (i < ARRAY_SIZE(tokens)) {
			buf_add_str(ret, tokens[i].words[dialect]);
			text += strlen(tokens[i].token);
		} else {
			buf_add_char(ret, *text++);
		}
	}
}

static int run_text(struct sql *q, const char *text, struct err *err)
{
	_cleanup_buf_ struct buf b = BUF_MAX(1024 * 1024);

	translate(text, q->driver->dialect, &b);
	if (buf_check(&b, err) < 0)
		return -(int)err->code;
	return sql_script(q, buf_text(&b), err);
}

struct checksum {
	char s[17];
};

static struct checksum checksum_of(const char *text) /* FNV-1a: against mistakes, not against malice */
{
	uint64_t h = UINT64_C(0xcbf29ce484222325);
	struct checksum c;

	for (; *text; text++)
		h = (h ^ (unsigned char)*text) * UINT64_C(0x100000001b3);
	snprintf(c.s, sizeof c.s, "%016" PRIx64, h);
	return c;
}

#define MIGRATIONS_MAX 256

struct applied {
	const struct migration *list;
	bool done[MIGRATIONS_MAX]; /* by place in the list */
	int newest;
};

static int applied_row(const struct row *r, void *arg, struct err *err)
{
	struct applied *a = arg;
	int version = (int)row_int(r, 0);
	const struct migration *m = a->list;

	while (m->version && m->version != version)
		m++;
	if (!m->version) {
		err_set(err, ERR_STORE, "database is newer than this program: it has schema %d ('%s')", version, row_text(r, 1));
		return err_hint(err, "Install the program that wrote it, or a later one. To stay with this one, restore the copy that was made before "
				     "the upgrade (beside the database, named after its schema), or a backup of that time.");
	}
	if (!streq(checksum_of(m->text).s, row_text(r, 2)))
		return err_set(err, ERR_STORE, "schema %d ('%s') of the database was made by another text than this program's", version,
			       m->name);
	assert(m - a->list < MIGRATIONS_MAX);
	a->done[m - a->list] = true;
	a->newest = version;
	return 0;
}

struct migrate_job {
	const struct migration *list;
	int64_t now_ms;
	sql_tx_fn *then;
	void *then_arg;
	bool look; /* changes nothing */
	struct schema_state state;
};

static int apply(struct sql *tx, const struct migration *m, int64_t now_ms, struct err *err)
{
	if (run_text(tx, m->text, err) < 0)
		return err_wrap(err, "could not bring the database to schema %d ('%s')", m->version, m->name);
	return sql_exec(tx, RECORD,
			SQL_VALUES(SQL_INT(m->version), SQL_TEXT(m->name), SQL_TEXT(checksum_of(m->text).s), SQL_INT(now_ms)), NULL, err);
}

static int migrate_tx(struct sql *tx, void *arg, struct err *err)
{
	struct migrate_job *job = arg;
	struct applied a = { .list = job->list };

	job->state = (struct schema_state){ 0 };
	if (tx->driver->dialect == SQL_PGSQL && sql_script(tx, LOCK_PGSQL, err) < 0)
		return err_wrap(err, "could not wait for another program's migration");
	if (run_text(tx, TABLE, err) < 0 || sql_each(tx, APPLIED, SQL_NONE, applied_row, &a, err) < 0)
		return -(int)err->code;
	job->state.has = a.newest;
	for (const struct migration *m = job->list; m->version; m++) {
		assert(m - job->list < MIGRATIONS_MAX);
		job->state.needs = m->version;
		if (a.done[m - job->list])
			continue;
		job->state.missing++;
		if (!job->look && apply(tx, m, job->now_ms, err) < 0)
			return -(int)err->code;
	}
	return job->then && job->state.has && job->state.missing ? job->then(tx, job->then_arg, err) : 0;
}

static int run(struct sql *q, struct migrate_job *job, struct err *err)
{
	int rc = sql_tx(q, migrate_tx, job, err);

	stmt_flush(q); /* plans of the old schema */
	return rc < 0 ? err_wrap(err, "could not use the database") : 0;
}

int store_schema_look(struct sql *q, const struct migration *list, struct schema_state *ret, struct err *err)
{
	struct migrate_job job = { .list = list, .look = true };

	if (run(q, &job, err) < 0)
		return -(int)err->code;
	*ret = job.state;
	return 0;
}

int store_migrate(struct sql *q, const struct migration *list, int64_t now_ms, sql_tx_fn *then, void *arg, struct err *err)
{
	struct migrate_job job = { .list = list, .now_ms = now_ms, .then = then, .then_arg = arg };

	return run(q, &job, err);
}

int store_schema_newest(const struct migration *list)
{
	int newest = 0;

	for (; list->version; list++)
		newest = list->version;
	return newest;
}

int store_migrated(struct sql *q, const struct migration *list, struct err *err)
{
	struct applied a = { .list = list };

	if (sql_each(q, APPLIED, SQL_NONE, applied_row, &a, err) < 0)
		return err_wrap(err, "could not read which schema the database has");
	for (const struct migration *m = list; m->version; m++)
		if (!a.done[m - list]) {
			err_set(err, ERR_NEEDS_PERSON, "the database has not been brought to schema %d ('%s') of this program yet", m->version, m->name);
			return err_hint(err, "The server does that when it starts.");
		}
	return 0;
}
