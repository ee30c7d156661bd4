/* SPDX-License-Identifier: Apache-2.0 */
/*
 * name_walk.h - what has a part of a name: along the index of substrings, by number (which is the order of creation), the newest or the
 * oldest first, and what else is asked judged row by row, over at most STORE_SEARCH_WALK rows a call. A page may be short, or
 * empty, and still have more behind it. For files of this folder.
 */
#ifndef STORE_NAME_WALK_H
#define STORE_NAME_WALK_H

#include "store/search.h"
#include "store/sql.h"

/*
 * Texts by dialect and direction: $1 the number to go on behind, $2 the pattern, $3 how many rows. Columns: number, id (NULL when the row
 * is hidden from people), then what fits() looks at.
 */
#define NAME_WALK_SQLITE(index, table, columns, joins, way, order)                                                     \
	"SELECT o.num, " columns " FROM " index " f CROSS JOIN " table " o " joins " WHERE " index " MATCH $2 AND f.rowid " way " $1" \
	" AND o.num = f.rowid ORDER BY f.rowid" order " LIMIT $3"
#define NAME_WALK_PGSQL(table, columns, joins, way, order)                                                             \
	"SELECT o.num, " columns " FROM " table " o " joins " WHERE o.names LIKE $2 AND o.num " way " $1 ORDER BY o.num" order " LIMIT $3"
#define NAME_WALK(index, table, columns, joins)                                                                        \
	{                                                                                                              \
		[SQL_SQLITE] = { NAME_WALK_SQLITE(index, table, columns, joins, "<", " DESC"),                         \
				 NAME_WALK_SQLITE(index, table, columns, joins, ">", "") },                            \
		[SQL_PGSQL] = { NAME_WALK_PGSQL(table, columns, joins, "<", " DESC"), NAME_WALK_PGSQL(table, columns, joins, ">", "") }, \
	}
typedef const char *const name_walk_texts[2][2];

/* part: three characters or more. fits NULL: all. ret->key is the number of the last row that was looked at. */
int store_name_walk(struct sql *q, name_walk_texts texts, const char *part, const struct page *p,
		    bool (*fits)(const struct row *r, const void *arg), const void *arg, struct search_page *ret, struct err *err) MUST_CHECK;

#endif
