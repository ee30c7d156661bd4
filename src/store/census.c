/* SPDX-License-Identifier: Apache-2.0 */
/* census.c - see census.h. */
#include "store/census.h"

#include "base/util.h"
#include "store/driver.h"

#define TABLE(name) { name, "SELECT count(*) FROM (SELECT 1 FROM " name " LIMIT 1000000) AS some" }

static const struct {
	const char *table, *sql;
} tables[] = {
	TABLE("account"), TABLE("asked"),    TABLE("audit"),   TABLE("authz"),  TABLE("certificate"), TABLE("channel"), TABLE("csr"),    TABLE("debt"),
	TABLE("delegation"), TABLE("event"), TABLE("feed_item"), TABLE("job"), TABLE("lane"),	     TABLE("notice"),  TABLE("orders"), TABLE("outbox"),
	TABLE("provider"),   TABLE("record"), TABLE("renewal"), TABLE("session"), TABLE("token"),    TABLE("users"),   TABLE("version"), TABLE("dns_view"),
};
_Static_assert(ARRAY_SIZE(tables) <= CENSUS_TABLES, "there is room for all");

static const char SCHEMA[] = "SELECT max(version) FROM schema_migration";

int store_census(struct sql *q, struct census_row ret[CENSUS_TABLES], size_t *ret_n, int64_t *ret_schema, struct err *err)
{
	for (size_t i = 0; i < ARRAY_SIZE(tables); i++) {
		ret[i].table = tables[i].table;
		if (sql_int(q, tables[i].sql, SQL_NONE, &ret[i].rows, err) < 0)
			return err_wrap(err, "could not count the rows of '%s'", tables[i].table);
	}
	*ret_n = ARRAY_SIZE(tables);
	return sql_int(q, SCHEMA, SQL_NONE, ret_schema, err);
}
