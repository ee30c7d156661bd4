/* SPDX-License-Identifier: Apache-2.0 */
/* rare_part.c - see rare_part.h. */
#include "store/rare_part.h"

#include "store/lib.h"
#include "store/search.h"

#define TRIGRAM 3
#define TRIGRAMS_MAX 32
#define SAMPLE 250 /* rows of each list that are looked at */
#define ALIKE 8    /* what is up to so many times as frequent as the rarest is asked for with it */
#define RARE 16    /* one row of so many: what is more frequent is not worth a question of its own */

static const char LIST[] = "SELECT f.rowid FROM certificate_names f WHERE certificate_names MATCH $1 AND f.rowid < $2 ORDER BY f.rowid DESC LIMIT $3";

struct list {
	int n;
	int64_t first, last;
};

static int list_row(const struct row *r, void *arg, UNUSED struct err *err)
{
	struct list *l = arg;

	l->last = row_int(r, 0);
	l->first = l->n++ ? l->first : l->last;
	return 0;
}

static int list_of(struct sql *q, const char *text, size_t n, int64_t before, int most, struct list *ret, struct err *err)
{
	_cleanup_free_ char *part = xstrndup(text, n), *pattern = store_search_pattern(SQL_SQLITE, part);

	*ret = (struct list){ 0 };
	return sql_each(q, LIST, SQL_VALUES(SQL_TEXT(pattern), SQL_INT(before), SQL_INT(most)), list_row, ret, err) < 0 ? -(int)err->code : 0;
}

/* In how many rows one has it, by the first of them; a list that is over is rarer than all others. */
static int64_t one_of(const struct list *l, int64_t top)
{
	return l->n < SAMPLE ? INT64_MAX / ALIKE : (top - l->last) / l->n;
}

static bool plain(const char *text)
{
	for (; *text; text++)
		if ((unsigned char)*text & 0x80)
			return false; /* a character must not be cut */
	return true;
}

int store_rare_part(struct sql *q, const char *text, int64_t before, int most, char **ret, struct err *err)
{
	size_t len = strlen(text), n = len < TRIGRAM ? 0 : MIN(len - TRIGRAM + 1, (size_t)TRIGRAMS_MAX), rarest = 0, from, to;
	struct list lists[TRIGRAMS_MAX] = { 0 }, all;
	int64_t top = 0, bar;

	*ret = NULL;
	if (n < 2 || !plain(text))
		return 0;
	for (size_t i = 0; i < n; i++) {
		if (list_of(q, text + i, TRIGRAM, before, SAMPLE, &lists[i], err) < 0)
			return -(int)err->code;
		top = MAX(top, lists[i].first);
	}
	for (size_t i = 1; i < n; i++)
		rarest = one_of(&lists[i], top) > one_of(&lists[rarest], top) ? i : rarest;
	bar = one_of(&lists[rarest], top) / ALIKE;
	if (bar < RARE / ALIKE)
		return 0;
	for (from = rarest; from > 0 && one_of(&lists[from - 1], top) >= bar;)
		from--;
	for (to = rarest; to + 1 < n && one_of(&lists[to + 1], top) >= bar;)
		to++;
	if (to - from + TRIGRAM == len)
		return 0;
	if (list_of(q, text + from, to - from + TRIGRAM, before, most, &all, err) < 0)
		return -(int)err->code;
	*ret = all.n < most ? xstrndup(text + from, to - from + TRIGRAM) : NULL;
	return 0;
}
