/* SPDX-License-Identifier: Apache-2.0 */
/*
 * rare_part.h - which part of a text the index of substrings is asked for (SQLite). A phrase of trigrams walks the lists of all its
 * trigrams: of "333333.pool" in a million names of one pool three of a million rows each, 70 ms and more, though "333333." has ten rows.
 * So the first rows of each trigram's list are looked at, the rarest and what stands beside it is asked for instead, when that leaves
 * rows that one call can walk over; the whole text is judged row by row in any case. For files of this folder.
 */
#ifndef STORE_RARE_PART_H
#define STORE_RARE_PART_H

#include "store/sql.h"

/* *ret: the part, owned, of which less than most rows before that number have it; NULL: the whole is as good. */
int store_rare_part(struct sql *q, const char *text, int64_t before, int most, char **ret, struct err *err) MUST_CHECK;

#endif
