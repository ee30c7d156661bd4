/* SPDX-License-Identifier: Apache-2.0 */
/* copy.c - see copy.h. */
#include "store/copy.h"

#include "store/driver.h"

static const char FACTS[] = "SELECT (SELECT max(version) FROM schema_migration), (SELECT count(*) FROM account WHERE deleted_ms = 0),"
			    " (SELECT count(*) FROM certificate), (SELECT count(*) FROM version), (SELECT count(*) FROM key),"
			    " (SELECT count(*) FROM orders), (SELECT count(*) FROM orders WHERE status IN ('pending', 'ready', 'processing')),"
			    " (SELECT count(*) FROM users)";
static const char END_SESSIONS[] = "DELETE FROM session";
static const char END_TOKENS[] = "UPDATE token SET revoked_ms = $1 WHERE revoked_ms = 0";
static const char END_SETUP[] = "DELETE FROM setup_token";

static int facts_row(const struct row *r, void *arg, UNUSED struct err *err)
{
	*(struct store_facts *)arg = (struct store_facts){
		.schema = row_int(r, 0), .accounts = row_int(r, 1), .certificates = row_int(r, 2), .versions = row_int(r, 3),
		.keys = row_int(r, 4), .orders = row_int(r, 5), .live_orders = row_int(r, 6), .users = row_int(r, 7),
	};
	return 0;
}

int store_facts(struct sql *q, struct store_facts *ret, struct err *err)
{
	if (sql_one(q, FACTS, SQL_NONE, facts_row, ret, err) < 0)
		return err_wrap(err, "could not count what is in the database");
	return 0;
}

int store_end_sign_ins(struct sql *tx, int64_t now_ms, struct err *err)
{
	if (sql_exec(tx, END_SESSIONS, SQL_NONE, NULL, err) < 0 || sql_exec(tx, END_TOKENS, SQL_VALUES(SQL_INT(now_ms)), NULL, err) < 0 ||
	    sql_exec(tx, END_SETUP, SQL_NONE, NULL, err) < 0)
		return err_wrap(err, "could not end sessions and tokens");
	return 0;
}
