/* SPDX-License-Identifier: Apache-2.0 */
/*
 * driver_pgsql.c - PostgreSQL through libpq: prepared statements, READ COMMITTED, time limits and keepalives on every
 * connection. Values and columns travel as text, blobs in as binary. What is worth another try is told by SQLSTATE.
 */
#include "store/driver.h"

#include "base/crash.h"
#include "base/file.h"
#include "base/str.h"

#include <libpq-fe.h>

#define OID_INT8 20
#define OID_TEXT 25
#define OID_BYTEA 17
#define SERVER_MIN 130000

struct pgsql {
	struct sql sql;
	PGconn *conn;
	unsigned next_name, begun;
	struct pgsql_prepared *dead; /* prepared on the server, to be deallocated */
};

struct pgsql_prepared {
	struct pgsql_prepared *next;
	char name[16];
	unsigned params;
};

struct pgsql_config {
	char *url;
	struct secret password;
};

struct pgsql_row { /* what row->handle points to */
	PGresult *result;
	unsigned char *blob; /* last one decoded */
};

static const struct sql_driver driver_pgsql;

static struct pgsql *of(struct sql *q)
{
	return (struct pgsql *)q;
}

/* errors */

static const struct {
	const char *state; /* SQLSTATE or its class (two characters) */
	enum err_code code;
	bool retry;
	const char *words;
} states[] = {
	{ "23505", ERR_CONFLICT, .words = "exists already" },
	{ "08P01", ERR_INTERNAL, .words = "statement was used wrongly" },
	{ "23503", ERR_IN_USE, .words = "is pointed to, or points to what is not there" },
	{ "23001", ERR_IN_USE, .words = "is pointed to" },
	{ "23", ERR_INVALID, .words = "value was refused" },
	{ "22", ERR_INVALID, .words = "value was refused" },
	{ "40001", ERR_BUSY, .retry = true, .words = "transactions were in each other's way" },
	{ "40P01", ERR_BUSY, .retry = true, .words = "transactions were in each other's way" },
	{ "55P03", ERR_BUSY, .words = "waited too long for a lock" },
	{ "57014", ERR_BUSY, .words = "statement took too long" },
	{ "53300", ERR_BUSY, .words = "too many connections" },
	{ "53100", ERR_NO_SPACE, .words = "no space left for the database" },
	{ "53", ERR_BUSY, .words = "database is short of resources" },
	{ "57", ERR_STORE, .words = "database is being stopped" },
	{ "58", ERR_STORE, .words = "disk error in the database" },
	{ "XX", ERR_STORE, .words = "database is damaged" },
	{ "25006", ERR_STORE, .words = "database is read-only" },
	{ "08", ERR_STORE, .words = "connection to the database was lost" },
	{ "28", ERR_STORE, .words = "database refused the sign-in" },
	{ "3D000", ERR_STORE, .words = "no such database" },
};

static int fail_words(struct pgsql *c, const char *state, const char *message, struct err *err)
{
	_cleanup_free_ char *clean = str_clean(message, strlen(message), 400);
	size_t n = strlen(clean);

	while (n && (clean[n - 1] == ' ' || clean[n - 1] == '\n'))
		clean[--n] = 0;
	/* what libpq says by itself has no SQLSTATE; 57P0x are a server's last words */
	if (PQstatus(c->conn) == CONNECTION_BAD || !state || !strncmp(state, "57P0", 4)) {
		c->sql.lost = true;
		return err_set(err, ERR_STORE, "connection to the database was lost: %s", clean);
	}
	for (size_t i = 0; i < ARRAY_SIZE(states); i++) {
		if (strncmp(states[i].state, state, strlen(states[i].state)) != 0)
			continue;
		c->sql.retry |= states[i].retry;
		c->sql.raced |= states[i].code == ERR_CONFLICT;
		c->sql.full |= states[i].code == ERR_NO_SPACE;
		return err_set(err, states[i].code, "%s: %s", states[i].words, clean);
	}
	return err_set(err, ERR_INTERNAL, "%s", clean);
}

static int fail(struct pgsql *c, const PGresult *result, struct err *err)
{
	const char *state = result ? PQresultErrorField(result, PG_DIAG_SQLSTATE) : NULL;
	const char *primary = result ? PQresultErrorField(result, PG_DIAG_MESSAGE_PRIMARY) : NULL;

	return fail_words(c, state, primary ? primary : PQerrorMessage(c->conn), err);
}

static void result_clear(PGresult **r)
{
	PQclear(*r);
}
#define _cleanup_result_ __attribute__((cleanup(result_clear)))

/* statements */

static int prepare(struct pgsql *c, const char *text, struct sql_values v, struct pgsql_prepared **ret, struct err *err)
{
	struct pgsql_prepared *p = xcalloc(1, sizeof *p);
	Oid types[SQL_MAX_VALUES] = { 0 };
	_cleanup_result_ PGresult *result = NULL;

	for (size_t i = 0; i < v.n; i++)
		types[i] = v.v[i].type == SQL_TYPE_INT	  ? OID_INT8
			   : v.v[i].type == SQL_TYPE_TEXT ? OID_TEXT
			   : v.v[i].type == SQL_TYPE_BLOB ? OID_BYTEA
							  : 0;
	snprintf(p->name, sizeof p->name, "s%u", c->next_name++);
	p->params = (unsigned)v.n;
	result = PQprepare(c->conn, p->name, text, (int)v.n, types);
	if (PQresultStatus(result) != PGRES_COMMAND_OK) {
		free(p);
		return fail(c, result, err);
	}
	*ret = p;
	return 0;
}

static void deallocate_dead(struct pgsql *c)
{
	while (c->dead && PQtransactionStatus(c->conn) != PQTRANS_INERROR) {
		struct pgsql_prepared *p = c->dead;
		char text[40];

		c->dead = p->next;
		snprintf(text, sizeof text, "DEALLOCATE %s", p->name);
		PQclear(PQexec(c->conn, text));
		free(p);
	}
}

static int give_rows(PGresult *result, int max_rows, sql_row_fn *fn, void *arg, struct err *err)
{
	int n = PQntuples(result);
	int r = 0;

	if (!fn)
		return 0;
	if (max_rows && n > max_rows)
		n = max_rows;
	for (int i = 0; i < n && r >= 0 && r != SQL_ENOUGH; i++) {
		struct pgsql_row at = { .result = result };

		r = fn(&(struct row){ .driver = &driver_pgsql, .handle = &at, .index = i }, arg, err);
		PQfreemem(at.blob);
	}
	return r < 0 ? r : n;
}

static int pgsql_run(struct sql *q, const char *text, struct sql_values v, int max_rows, sql_row_fn *fn, void *arg,
		     int64_t *ret_changed, struct err *err)
{
	struct pgsql *c = of(q);
	struct stmt *s = stmt_find(q, text);
	struct pgsql_prepared *p;
	const char *values[SQL_MAX_VALUES] = { 0 };
	char numbers[SQL_MAX_VALUES][24];
	int lengths[SQL_MAX_VALUES] = { 0 }, formats[SQL_MAX_VALUES] = { 0 };
	_cleanup_result_ PGresult *result = NULL;
	ExecStatusType status;

	if (v.n > SQL_MAX_VALUES)
		return err_set(err, ERR_INTERNAL, "more than %d values", SQL_MAX_VALUES);
	if (!s) {
		deallocate_dead(c);
		if (prepare(c, text, v, &p, err) < 0)
			return -(int)err->code;
		s = stmt_add(q, text, p);
	}
	p = s->handle;
	if (p->params != v.n)
		return err_set(err, ERR_INTERNAL, "%zu values for %u placeholders in statement: %.80s", v.n, p->params, text);
	for (size_t i = 0; i < v.n; i++) {
		if (v.v[i].type == SQL_TYPE_INT) {
			snprintf(numbers[i], sizeof numbers[i], "%" PRId64, v.v[i].i);
			values[i] = numbers[i];
		} else if (v.v[i].type != SQL_TYPE_NULL) {
			values[i] = v.v[i].p;
			lengths[i] = (int)v.v[i].n;
			formats[i] = v.v[i].type == SQL_TYPE_BLOB;
		}
	}
	result = PQexecPrepared(c->conn, p->name, (int)v.n, values, lengths, formats, 0);
	status = PQresultStatus(result);
	if (status != PGRES_COMMAND_OK && status != PGRES_TUPLES_OK)
		return fail(c, result, err);
	if (ret_changed) {
		const char *n = PQcmdTuples(result);
		struct err ignored = ERR_INIT;

		*ret_changed = 0;
		if (*n && str_to_i64(n, 0, INT64_MAX, ret_changed, &ignored) < 0)
			err_clear(&ignored);
	}
	return give_rows(result, max_rows, fn, arg, err);
}

static int pgsql_script(struct sql *q, const char *text, struct err *err)
{
	struct pgsql *c = of(q);
	_cleanup_result_ PGresult *result = PQexec(c->conn, text);
	ExecStatusType status = PQresultStatus(result);

	if (status != PGRES_COMMAND_OK && status != PGRES_TUPLES_OK && status != PGRES_EMPTY_QUERY)
		return fail(c, result, err);
	return 0;
}

static bool pgsql_in_tx(struct sql *q)
{
	PGTransactionStatusType s = PQtransactionStatus(of(q)->conn);

	return s == PQTRANS_INTRANS || s == PQTRANS_INERROR;
}

static void pgsql_finalize(struct sql *q, void *handle)
{
	struct pgsql *c = of(q);
	struct pgsql_prepared *p = handle;

	p->next = c->dead;
	c->dead = p;
}

static void pgsql_close(struct sql *q)
{
	struct pgsql *c = of(q);

	while (c->dead) {
		struct pgsql_prepared *p = c->dead;

		c->dead = p->next;
		free(p);
	}
	PQfinish(c->conn);
	free(c);
}

static bool cell_is_null(const struct row *r, int column)
{
	return PQgetisnull(((struct pgsql_row *)r->handle)->result, r->index, column);
}

static const char *cell_text(const struct row *r, int column)
{
	return PQgetvalue(((struct pgsql_row *)r->handle)->result, r->index, column);
}

static int64_t cell_int(const struct row *r, int column)
{
	return strtoll(cell_text(r, column), NULL, 10); /* a number column: the server wrote it */
}

static const void *cell_blob(const struct row *r, int column, size_t *ret_n)
{
	struct pgsql_row *at = r->handle;

	PQfreemem(at->blob);
	at->blob = PQunescapeBytea((const unsigned char *)cell_text(r, column), ret_n);
	assert(at->blob);
	return at->blob;
}

static int cell_count(const struct row *r)
{
	return PQnfields(((struct pgsql_row *)r->handle)->result);
}

static const struct sql_driver driver_pgsql = {
	.dialect = SQL_PGSQL,
	.run = pgsql_run,
	.script = pgsql_script,
	.in_tx = pgsql_in_tx,
	.finalize = pgsql_finalize,
	.close = pgsql_close,
	.is_null = cell_is_null,
	.text = cell_text,
	.integer = cell_int,
	.blob = cell_blob,
	.columns = cell_count,
};

/* opening */

void pgsql_config_free(struct pgsql_config *c)
{
	if (!c)
		return;
	free(c->url);
	secret_clear(&c->password);
	free(c);
}

int pgsql_config_new(const char *url, const char *password_file, struct pgsql_config **ret, struct err *err)
{
	char *words = NULL;
	PQconninfoOption *options = PQconninfoParse(url, &words);
	struct pgsql_config *c;

	if (!options) {
		err_set(err, ERR_INVALID, "store.url cannot be read: %s", words ? words : "out of memory");
		PQfreemem(words);
		return -(int)err->code;
	}
	for (PQconninfoOption *o = options; o->keyword; o++) {
		if (streq(o->keyword, "password") && o->val && *o->val) {
			explicit_bzero(o->val, strlen(o->val));
			PQconninfoFree(options);
			err_set(err, ERR_INVALID, "store.url contains a password");
			return err_hint(err, "Put it into a file of mode 0600 and name that in store.password_file.");
		}
	}
	PQconninfoFree(options);
	c = xcalloc(1, sizeof *c);
	c->url = xstrdup(url);
	if (password_file && file_read_secret(password_file, 4096, &c->password, err) < 0) {
		pgsql_config_free(c);
		return err_wrap(err, "could not read store.password_file");
	}
	*ret = c;
	return 0;
}

/* Later keywords win over what the expanded dbname says; those before it are defaults a url may change. */
static PGconn *connect_with(const struct pgsql_config *c)
{
	const char *password = c->password.n ? (const char *)c->password.p : NULL;
	_cleanup_free_ char *name = xasprintf(PGSQL_NAME "%d", store_schema_newest(store_migrations));
	const char *keys[] = { "connect_timeout", "keepalives", "keepalives_idle", "keepalives_interval", "keepalives_count",
			       "tcp_user_timeout", "application_name", "dbname", "target_session_attrs", "client_encoding",
			       password ? "password" : NULL, NULL };
	const char *values[] = { "10", "1", "30", "10", "3", "30000", name, c->url, "read-write", "UTF8", password, NULL };

	return PQconnectdbParams(keys, values, 1);
}

static void no_notice(UNUSED void *arg, UNUSED const PGresult *result)
{
}

static const char SETTINGS[] = "SET statement_timeout = '30s'; SET lock_timeout = '10s';"
			       "SET idle_in_transaction_session_timeout = '60s';"
			       "SET default_transaction_isolation = 'read committed'; SET synchronous_commit = on;"
			       "SET bytea_output = 'hex'; SET timezone = 'UTC'";

static const char SETTINGS_READER[] = "SET default_transaction_read_only = on";

int pgsql_connect(const struct pgsql_config *config, bool read_only, struct sql **ret, struct err *err)
{
	struct pgsql *c = xcalloc(1, sizeof *c);

	c->sql.driver = &driver_pgsql;
	c->conn = connect_with(config);
	if (PQstatus(c->conn) != CONNECTION_OK) {
		const char *message = PQerrorMessage(c->conn);
		_cleanup_free_ char *words = str_clean(message, strlen(message), 400);

		sql_close(&c->sql);
		return err_set(err, ERR_STORE, "could not reach PostgreSQL: %s", words);
	}
	if (PQserverVersion(c->conn) < SERVER_MIN) {
		int version = PQserverVersion(c->conn);

		sql_close(&c->sql);
		return err_set(err, ERR_STORE, "PostgreSQL is too old: version %d, at least %d is needed", version / 10000,
			       SERVER_MIN / 10000);
	}
	PQsetNoticeReceiver(c->conn, no_notice, NULL);
	c->sql.read_only = read_only;
	if (pgsql_script(&c->sql, SETTINGS, err) < 0 || (read_only && pgsql_script(&c->sql, SETTINGS_READER, err) < 0)) {
		sql_close(&c->sql);
		return err_wrap(err, "could not prepare a connection to PostgreSQL");
	}
	*ret = &c->sql;
	return 0;
}

/* transactions whose outcome can be asked later */

#define PRUNE_EVERY 1000 /* transactions of a connection */

/* One round trip. The mark is the transaction's first row. */
static const char BEGIN_MARKED[] =
	"BEGIN; INSERT INTO write_mark (id, at_ms) VALUES (gen_random_uuid()::text,"
	" (extract(epoch FROM clock_timestamp()) * 1000)::bigint) RETURNING id, pg_current_xact_id()::text";
static const char PRUNE_MARKS[] =
	"DELETE FROM write_mark WHERE at_ms < (extract(epoch FROM clock_timestamp()) * 1000)::bigint - 3600000";
static const char STILL_RUNS[] = "SELECT 1 WHERE pg_xact_status($1::text::xid8) = 'in progress'";
static const char IS_MARKED[] = "SELECT 1 FROM write_mark WHERE id = $1";

int pgsql_begin(struct sql *q, struct pgsql_mark *ret, struct err *err)
{
	struct pgsql *c = of(q);
	_cleanup_result_ PGresult *result = NULL;

	if (++c->begun % PRUNE_EVERY == 0 && pgsql_script(q, PRUNE_MARKS, err) < 0)
		return -(int)err->code;
	result = PQexec(c->conn, BEGIN_MARKED);
	if (PQresultStatus(result) != PGRES_TUPLES_OK || PQntuples(result) != 1)
		return fail(c, result, err);
	snprintf(ret->id, sizeof ret->id, "%s", PQgetvalue(result, 0, 0));
	snprintf(ret->xid, sizeof ret->xid, "%s", PQgetvalue(result, 0, 1));
	return 0;
}

int pgsql_commit(struct sql *q, struct err *err)
{
	struct pgsql *c = of(q);
	_cleanup_result_ PGresult *result = NULL;

	CRASH_POINT("store-commit");
	if (FAIL_POINT("store-commit"))
		return err_set(err, ERR_BUSY, "the commit was made to fail");
	result = PQexec(c->conn, "COMMIT");
	CRASH_POINT("store-committed");
	if (PQresultStatus(result) != PGRES_COMMAND_OK)
		return fail(c, result, err);
	if (!streq(PQcmdStatus(result), "COMMIT")) /* a failed statement was swallowed: the server says ROLLBACK */
		return err_set(err, ERR_INTERNAL, "transaction was rolled back because a failed statement was ignored in it");
	return 0;
}

void pgsql_rollback(struct sql *q)
{
	struct pgsql *c = of(q);

	if (PQstatus(c->conn) == CONNECTION_OK && pgsql_in_tx(q))
		PQclear(PQexec(c->conn, "ROLLBACK"));
	if (PQstatus(c->conn) != CONNECTION_OK || pgsql_in_tx(q))
		c->sql.lost = true;
}

/*
 * Two statements, in this order: once it does not run any more, a later statement sees its mark or never will. A server
 * that does not know the number (restored from a crash, another one after a fail-over) refuses the question: it does not run.
 */
int pgsql_outcome(struct sql *q, const struct pgsql_mark *mark, enum pgsql_outcome *ret, struct err *err)
{
	bool runs = false, marked = false;

	if (sql_exists(q, STILL_RUNS, SQL_VALUES(SQL_TEXT(mark->xid)), &runs, err) < 0) {
		if (q->lost)
			return -(int)err->code;
		err_clear(err);
	}
	if (!runs && sql_exists(q, IS_MARKED, SQL_VALUES(SQL_TEXT(mark->id)), &marked, err) < 0)
		return -(int)err->code;
	*ret = runs ? PGSQL_RUNNING : marked ? PGSQL_COMMITTED : PGSQL_ABORTED;
	return 0;
}
