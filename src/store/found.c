/* SPDX-License-Identifier: Apache-2.0 */
/* found.c - see found.h. */
#include "store/found.h"

#include "base/util.h"
#include "store/driver.h"

#include <stdlib.h>

static const char REGISTERED[] = "SELECT id, directory_url FROM account WHERE deleted_ms = 0 AND url IS NOT NULL ORDER BY id";
static const char KNOWS[] = "SELECT count(*) FROM orders WHERE account_id = $1 AND url = $2";
static const char HOLD[] = "UPDATE orders SET due_ms = $1 WHERE url IS NULL AND ended_ms = 0 AND due_ms < $1";
static const char ADOPT[] = "UPDATE orders SET url = $3, due_ms = $4 WHERE url IS NULL AND ended_ms = 0 AND lease_owner IS NULL AND account_id = $1"
			    " AND csr_id IN (SELECT id FROM csr WHERE public_hash = $2) RETURNING id";
static const char CSR[] = "SELECT id, key_id FROM csr WHERE public_hash = $1 AND deleted_ms = 0 ORDER BY created_ms DESC LIMIT 1";
static const char LINEAGE[] = "SELECT id FROM certificate WHERE account_id = $1 AND names_hash = $2 AND managed = 1 AND deleted_ms = 0"
			      " ORDER BY created_ms DESC LIMIT 1";

void found_csr_done(struct found_csr *c)
{
	free(c->id);
	free(c->key_id);
	*c = (struct found_csr){ 0 };
}

static int id_row(const struct row *r, void *arg, UNUSED struct err *err)
{
	replace_str(arg, row_text(r, 0));
	return 0;
}

static int csr_row(const struct row *r, void *arg, UNUSED struct err *err)
{
	struct found_csr *c = arg;

	replace_str(&c->id, row_text(r, 0));
	replace_str(&c->key_id, row_text(r, 1));
	return 0;
}

struct pairs {
	struct strlist *ids, *directories;
};

static int pair_row(const struct row *r, void *arg, UNUSED struct err *err)
{
	struct pairs *p = arg;

	strlist_add(p->ids, row_text(r, 0));
	strlist_add(p->directories, row_text(r, 1));
	return 0;
}

int store_accounts_registered(struct sql *q, struct strlist *ret_ids, struct strlist *ret_directories, struct err *err)
{
	struct pairs p = { ret_ids, ret_directories };

	strlist_clear(ret_ids);
	strlist_clear(ret_directories);
	if (sql_each(q, REGISTERED, SQL_NONE, pair_row, &p, err) < 0)
		return err_wrap(err, "could not list the accounts");
	return 0;
}

/* "No row" is an answer. */
static int none(struct err *err, const char *what)
{
	if (err->code != ERR_NOT_FOUND)
		return err_wrap(err, "could not look for %s", what);
	err_clear(err);
	return 0;
}

int store_order_knows_url(struct sql *q, const char *account_id, const char *url, bool *ret, struct err *err)
{
	int64_t n = 0;

	if (sql_int(q, KNOWS, SQL_VALUES(SQL_TEXT(account_id), SQL_TEXT(url)), &n, err) < 0)
		return err_wrap(err, "could not look for an order");
	*ret = n > 0;
	return 0;
}

int store_orders_hold(struct sql *tx, int64_t until_ms, struct err *err)
{
	if (sql_exec(tx, HOLD, SQL_VALUES(SQL_INT(until_ms)), NULL, err) < 0)
		return err_wrap(err, "could not hold orders back");
	return 0;
}

int store_order_adopt(struct sql *tx, const char *account_id, const char *public_hash, const char *url, int64_t now_ms, char **ret_id, struct err *err)
{
	if (sql_one(tx, ADOPT, SQL_VALUES(SQL_TEXT(account_id), SQL_TEXT(public_hash), SQL_TEXT(url), SQL_INT(now_ms)), id_row, ret_id, err) < 0)
		return none(err, "an order");
	store_touch(tx, "order", *ret_id, 0);
	return 0;
}

int store_csr_of_key(struct sql *q, const char *public_hash, struct found_csr *ret, struct err *err)
{
	return sql_one(q, CSR, SQL_VALUES(SQL_TEXT(public_hash)), csr_row, ret, err) < 0 ? none(err, "a CSR") : 0;
}

int store_certificate_of_names(struct sql *q, const char *account_id, const char *names_hash, char **ret_id, struct err *err)
{
	return sql_one(q, LINEAGE, SQL_VALUES(SQL_TEXT(account_id), SQL_TEXT(names_hash)), id_row, ret_id, err) < 0 ? none(err, "a certificate") : 0;
}
