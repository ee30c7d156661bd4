/* SPDX-License-Identifier: Apache-2.0 */
/* name_walk.c - see name_walk.h. */
#include "store/name_walk.h"

#include "store/lib.h"

struct walk {
	bool (*fits)(const struct row *r, const void *arg);
	const void *arg;
	size_t limit;
	int seen;
	struct search_page *page;
};

static int walk_row(const struct row *r, void *arg, UNUSED struct err *err)
{
	struct walk *w = arg;
	const char *id = row_text(r, 1);

	w->seen++;
	if (w->page->more) /* one more than wanted was found: the rest is of no interest */
		return 0;
	if (id && (!w->fits || w->fits(r, w->arg))) {
		if (w->page->ids.n == w->limit) {
			w->page->more = true;
			return 0;
		}
		strlist_add(&w->page->ids, id);
	}
	w->page->key = row_int(r, 0);
	return 0;
}

int store_name_walk(struct sql *q, name_walk_texts texts, const char *part, const struct page *p,
		    bool (*fits)(const struct row *r, const void *arg), const void *arg, struct search_page *ret, struct err *err)
{
	_cleanup_free_ char *pattern = store_search_pattern(sql_dialect(q), part);
	struct walk w = { .fits = fits, .arg = arg, .limit = (size_t)p->limit, .page = ret };

	search_page_done(ret);
	if (sql_each(q, texts[sql_dialect(q)][p->order], SQL_VALUES(SQL_INT(page_key(p)), SQL_TEXT(pattern), SQL_INT(STORE_SEARCH_WALK)), walk_row,
		     &w, err) < 0)
		return err_wrap(err, "could not look for names");
	ret->more |= w.seen == STORE_SEARCH_WALK;
	return 0;
}
