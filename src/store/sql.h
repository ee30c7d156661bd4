/* SPDX-License-Identifier: Apache-2.0 */
/*
 * sql.h - the SQL core: one statement text for SQLite and PostgreSQL, typed values in, typed columns out.
 *
 * Four calls: sql_exec (no rows wanted), sql_one (exactly one row), sql_each (any number), sql_tx (all or nothing).
 * A struct sql is one connection, used by one thread at a time: aggregates get it from store_write or store_read and never
 * keep it. Placeholders are $1 to $16, each value given once and in that order; a placeholder may be used several times.
 * Statements are cached per connection by their text, so texts are constants (or put together from constants), never
 * built from input.
 *
 *	static const char ORDER_GET[] = "SELECT id, num FROM order_live WHERE id = $1";
 *	sql_one(q, ORDER_GET, SQL_VALUES(SQL_TEXT(id)), order_from_row, &o, err)
 *
 * Errors: NOT_FOUND (sql_one without a row), CONFLICT (a unique index), IN_USE (a foreign key), INVALID (a CHECK),
 * NO_SPACE (disk full), BUSY (locked, time-out, serialization: worth another try), STORE (all else), INTERNAL (wrong use).
 * After a failed statement PostgreSQL refuses the rest of the transaction: return the error, or run the statement that may
 * fail in a sql_tx of its own (a savepoint), or write ON CONFLICT DO NOTHING.
 */
#ifndef STORE_SQL_H
#define STORE_SQL_H

#include "base/err.h"

#include <limits.h>

struct sql; /* a connection */
struct row; /* the current row, valid during the callback only */

enum sql_type { SQL_TYPE_NULL, SQL_TYPE_TEXT, SQL_TYPE_INT, SQL_TYPE_BLOB };

struct sql_value {
	enum sql_type type;
	const void *p; /* borrowed until the call returns */
	size_t n;
	int64_t i;
};

#define SQL_MAX_VALUES 64

struct sql_values {
	const struct sql_value *v;
	size_t n;
};

static inline struct sql_value sql_value_text(const char *s)
{
	if (!s)
		return (struct sql_value){ .type = SQL_TYPE_NULL };
	return (struct sql_value){ .type = SQL_TYPE_TEXT, .p = s, .n = strlen(s) };
}

static inline struct sql_value sql_value_blob(const void *p, size_t n)
{
	if (!p)
		return (struct sql_value){ .type = SQL_TYPE_NULL };
	return (struct sql_value){ .type = SQL_TYPE_BLOB, .p = p, .n = n };
}

#define SQL_TEXT(s) sql_value_text(s)                                       /* a NULL pointer is SQL's NULL */
#define SQL_INT(v) ((struct sql_value){ .type = SQL_TYPE_INT, .i = (v) })
#define SQL_BOOL(v) SQL_INT((v) ? 1 : 0)
#define SQL_BLOB(p, n) sql_value_blob((p), (n))                             /* a NULL pointer is SQL's NULL */
#define SQL_NULL ((struct sql_value){ .type = SQL_TYPE_NULL })
#define SQL_INT_OR_NULL(v) ((v) ? SQL_INT(v) : SQL_NULL)                    /* 0 is stored as NULL */
#define SQL_VALUES(...)                                                                                                \
	((struct sql_values){ (const struct sql_value[]){ __VA_ARGS__ },                                               \
			      sizeof((const struct sql_value[]){ __VA_ARGS__ }) / sizeof(struct sql_value) })
#define SQL_NONE ((struct sql_values){ NULL, 0 })

/* Called for a row. A negative return ends the walk and is returned by the call, so err must be set then. */
typedef int sql_row_fn(const struct row *r, void *arg, struct err *err);
typedef int sql_tx_fn(struct sql *tx, void *arg, struct err *err);

/* Runs one statement. ret_changed (may be NULL): rows inserted, updated or deleted. Rows returned are dropped. */
int sql_exec(struct sql *q, const char *text, struct sql_values v, int64_t *ret_changed, struct err *err) MUST_CHECK;
/* The first row goes to fn; none: NOT_FOUND "no such object" (wrap it with the object's kind and name). */
int sql_one(struct sql *q, const char *text, struct sql_values v, sql_row_fn *fn, void *arg, struct err *err) MUST_CHECK;
/*
 * fn for each row; it returns SQL_ENOUGH when the rest is of no interest. Other statements may run inside fn, also the same one.
 * Returns the number of rows, or -code.
 */
#define SQL_ENOUGH INT_MAX
int sql_each(struct sql *q, const char *text, struct sql_values v, sql_row_fn *fn, void *arg, struct err *err) MUST_CHECK;
/* One integer (COUNT, RETURNING num); NOT_FOUND without a row, NULL is 0. */
int sql_int(struct sql *q, const char *text, struct sql_values v, int64_t *ret, struct err *err) MUST_CHECK;
/* True in *ret when there is a row. */
int sql_exists(struct sql *q, const char *text, struct sql_values v, bool *ret, struct err *err) MUST_CHECK;
/* All that fn does or nothing: a transaction, or a savepoint when already inside one. */
int sql_tx(struct sql *q, sql_tx_fn *fn, void *arg, struct err *err) MUST_CHECK;
/* Several statements without values, separated by semicolons: migrations and settings. */
int sql_script(struct sql *q, const char *text, struct err *err) MUST_CHECK;

/* Columns count from 0. Text and blob are borrowed until the callback returns. */
bool row_is_null(const struct row *r, int column);
const char *row_text(const struct row *r, int column);              /* NULL for NULL */
char *row_text_dup(const struct row *r, int column);                /* owned by the caller; NULL for NULL */
int64_t row_int(const struct row *r, int column);                   /* 0 for NULL */
bool row_bool(const struct row *r, int column);
const void *row_blob(const struct row *r, int column, size_t *ret_n); /* NULL and 0 for NULL; not NULL when empty */
int row_columns(const struct row *r);

/* The two dialects, for the listed exceptions (claiming with SKIP LOCKED, substring search). */
enum sql_dialect { SQL_SQLITE, SQL_PGSQL };
enum sql_dialect sql_dialect(const struct sql *q);

#endif
