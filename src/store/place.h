/* SPDX-License-Identifier: Apache-2.0 */
/*
 * place.h - whether the database is where the server last met it. PostgreSQL is backed up and restored by its own administrator's tools,
 * which tell us nothing; but a dump that is loaded makes new tables, and those have other numbers, in another database or another cluster. So
 * the numbers are kept as a row of the database itself: a row that tells another place than the one it lies in came there from a dump.
 *
 * A copy that keeps every number is not seen here (a snapshot of the disk, a base backup without recovery): `certwright restored` tells of it.
 */
#ifndef STORE_PLACE_H
#define STORE_PLACE_H

#include "base/err.h"

struct sql;

enum store_moved {
	STORE_MOVED_NO,       /* and always of SQLite, which `certwright restore` brings back */
	STORE_MOVED_PROMOTED, /* another timeline: a standby that took over, or recovery to a point in time. What was committed last may be gone */
	STORE_MOVED_LOADED,   /* a dump was loaded */
};
/* In a write: compares, and remembers the place it lies in now. Of several servers that start at once one is told. */
int store_place_look(struct sql *tx, enum store_moved *ret, struct err *err) MUST_CHECK;

/* What store_place_look compares. "-" is a number that PostgreSQL does not tell us: it equals every other. */
enum store_moved store_place_compare(const char *kept, const char *now);

#endif
