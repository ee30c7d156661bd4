/* SPDX-License-Identifier: Apache-2.0 */
/* census.h - how many rows each table has, for a support bundle: counted up to a million, so that nobody waits for it. */
#ifndef STORE_CENSUS_H
#define STORE_CENSUS_H

#include "base/err.h"

struct sql;

#define CENSUS_MOST 1000000 /* "1000000" means: or more */

struct census_row {
	const char *table;
	int64_t rows;
};
#define CENSUS_TABLES 24
/* *ret_n <= CENSUS_TABLES; *ret_schema: the newest migration. */
int store_census(struct sql *q, struct census_row ret[CENSUS_TABLES], size_t *ret_n, int64_t *ret_schema, struct err *err) MUST_CHECK;

#endif
