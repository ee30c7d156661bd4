/* SPDX-License-Identifier: Apache-2.0 */
/* meta.c - named texts, numbers handed out in the transaction that uses them. */
#include "store/driver.h"

static const char META_GET[] = "SELECT value FROM meta WHERE name = $1";
static const char META_SET[] = "INSERT INTO meta (name, value) VALUES ($1, $2) ON CONFLICT (name) DO UPDATE SET value = $2";
static const char COUNTER_ADD[] = "INSERT INTO counter (name, n) VALUES ($1, $2)"
				  " ON CONFLICT (name) DO UPDATE SET n = counter.n + $2 RETURNING n";
static const char COUNTER_GET[] = "SELECT n FROM counter WHERE name = $1";
static const char COUNTER_SET[] = "INSERT INTO counter (name, n) VALUES ($1, $2) ON CONFLICT (name) DO UPDATE SET n = $2";

static int text_row(const struct row *r, void *arg, UNUSED struct err *err)
{
	replace_str(arg, row_text(r, 0));
	return 0;
}

int store_meta_get(struct sql *q, const char *name, char **ret, struct err *err)
{
	char *value = NULL;

	if (sql_one(q, META_GET, SQL_VALUES(SQL_TEXT(name)), text_row, &value, err) < 0)
		return err_wrap(err, "could not read setting '%s'", name);
	*ret = value;
	return 0;
}

int store_meta_set(struct sql *tx, const char *name, const char *value, struct err *err)
{
	if (sql_exec(tx, META_SET, SQL_VALUES(SQL_TEXT(name), SQL_TEXT(value)), NULL, err) < 0)
		return err_wrap(err, "could not write setting '%s'", name);
	return 0;
}

/* 1 when there is such a counter. */
static int stored(struct sql *q, const char *name, int64_t *ret, struct err *err)
{
	*ret = 0;
	if (sql_int(q, COUNTER_GET, SQL_VALUES(SQL_TEXT(name)), ret, err) >= 0)
		return 1;
	if (err->code != ERR_NOT_FOUND)
		return err_wrap(err, "could not read the last number of '%s'", name);
	err_clear(err);
	return 0;
}

static struct number *handed_out(struct sql *tx, const char *name)
{
	for (unsigned i = 0; i < tx->numbers.n; i++)
		if (streq(tx->numbers.v[i].name, name))
			return &tx->numbers.v[i];
	return NULL;
}

/* On PostgreSQL the row itself is the lock, under which numbers become visible in their order. */
int store_next_num(struct sql *tx, const char *name, int64_t *ret, struct err *err)
{
	struct number *had = handed_out(tx, name);
	struct number first = { .n = 0 };

	if (!had && (sql_dialect(tx) != SQL_SQLITE || tx->numbers.n == NUMBERS_MAX)) {
		if (sql_int(tx, COUNTER_ADD, SQL_VALUES(SQL_TEXT(name), SQL_INT(1)), ret, err) < 0)
			return err_wrap(err, "could not take the next number of '%s'", name);
		return 0;
	}
	if (!had) {
		assert(tx->depth > 0 && strlen(name) < sizeof first.name);
		snprintf(first.name, sizeof first.name, "%s", name);
		if (stored(tx, name, &first.n, err) < 0)
			return -(int)err->code;
		had = &tx->numbers.v[tx->numbers.n++];
		*had = first;
	}
	*ret = ++had->n;
	return 0;
}

int store_last_num(struct sql *q, const char *name, int64_t *ret, struct err *err)
{
	const struct number *had = handed_out(q, name);

	if (had)
		*ret = had->n;
	else if (stored(q, name, ret, err) < 0)
		return -(int)err->code;
	return 0;
}

int store_numbers_flush(struct sql *tx, struct err *err)
{
	for (unsigned i = 0; i < tx->numbers.n; i++)
		if (sql_exec(tx, COUNTER_SET, SQL_VALUES(SQL_TEXT(tx->numbers.v[i].name), SQL_INT(tx->numbers.v[i].n)), NULL, err) < 0)
			return err_wrap(err, "could not store the last number of '%s'", tx->numbers.v[i].name);
	tx->numbers.n = 0;
	return 0;
}
