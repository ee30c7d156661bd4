/* SPDX-License-Identifier: Apache-2.0 */
/*
 * narrow.h - lists of what people name themselves (users, tokens, providers, rules, views, channels): the newest or the oldest first,
 * or by name; narrowed to a part of the name and to one word (a role, a status, a kind: the list says which). Such tables are small:
 * the order goes along an index, and what is narrowed away is walked over.
 */
#ifndef STORE_NARROW_H
#define STORE_NARROW_H

#include "store/lib.h"

/*
 * The texts by page.order: $1 and $2 the item seen last, $3 how many, $4 the part of the name, $5 the word ('' = any). where asks for
 * the word; name is the column.
 */
#define NARROWED(columns, from, where, name) { NARROWED_TEXTS(columns, from, where, name) }
#define NARROWED_TEXTS(columns, from, where, name)                                                                     \
	"SELECT " columns " FROM " from " WHERE " where PART(name) " AND (created_ms, id) < ($1, $2) ORDER BY created_ms DESC, id DESC LIMIT $3", \
	"SELECT " columns " FROM " from " WHERE " where PART(name) " AND (created_ms, id) > ($1, $2) ORDER BY created_ms, id LIMIT $3",           \
	"SELECT " columns " FROM " from " WHERE " where PART(name) " AND lower(" name ") >= lower($1)"                                            \
	" AND (lower(" name "), id) > (lower($1), $2) ORDER BY lower(" name "), id LIMIT $3"
#define PART(name) " AND lower(" name ") LIKE lower($4) ESCAPE '!'"

struct narrowed {
	char *pattern;
	struct sql_value v[5];
};
void narrowed_done(struct narrowed *n);
#define _cleanup_narrowed_ __attribute__((cleanup(narrowed_done)))

/* What the texts are called with; by may be NULL. The answer borrows from all three. */
struct sql_values narrow(const struct narrow *by, const struct page *p, struct narrowed *ret);

#endif
