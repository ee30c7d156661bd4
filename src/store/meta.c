/* SPDX-License-Identifier: Apache-2.0 */
/* meta.c - named texts, numbers handed out in the transaction that uses them. */
#include "store/driver.h"

static const char META_GET[] = "SELECT value FROM meta WHERE name = $1";
static const char META_SET[] = "INSERT INTO meta (name, value) VALUES ($1, $2) ON CONFLICT (name) DO UPDATE SET value = $2";
static const char COUNTER_ADD[] = "INSERT INTO counter (name, n) VALUES ($1, $2)"
				  " ON CONFLICT (name) DO UPDATE SET n = counter.n + $2 RETURNING n";
static const char COUNTER_GET[] = "SELECT n FROM counter WHERE name = $1";

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

int store_next_num(struct sql *tx, const char *name, int64_t *ret, struct err *err)
{
	if (sql_int(tx, COUNTER_ADD, SQL_VALUES(SQL_TEXT(name), SQL_INT(1)), ret, err) < 0)
		return err_wrap(err, "could not take the next number of '%s'", name);
	return 0;
}

int store_last_num(struct sql *q, const char *name, int64_t *ret, struct err *err)
{
	int64_t n = 0;

	if (sql_int(q, COUNTER_GET, SQL_VALUES(SQL_TEXT(name)), &n, err) < 0) {
		if (err->code != ERR_NOT_FOUND)
			return err_wrap(err, "could not read the last number of '%s'", name);
		err_clear(err);
	}
	*ret = n;
	return 0;
}
