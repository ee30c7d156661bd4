/* SPDX-License-Identifier: Apache-2.0 */
/* listing.c - see internal.h: what every list shares, whatever it is of. */
#include "service/internal.h"

static const char *const orders[] = { [PAGE_NEWEST] = "newest", [PAGE_OLDEST] = "oldest", [PAGE_NAME] = "name", [PAGE_EXPIRES] = "expires",
				      [PAGE_STATUS] = "status" };

void listing_done(struct listing *l)
{
	cursor_done(&l->cursor);
	free(l->filter);
	*l = (struct listing){ 0 };
}

/* What it was narrowed to and how it is ordered, as one text that no other combination has. */
static char *filter_text(const char *sort, const struct list_query *q, const char *const *values, size_t n)
{
	struct buf b = BUF_MAX(8192);

	buf_addf(&b, "%s\n%s\n%s", sort, q->by.name ? q->by.name : "", q->by.only ? q->by.only : "");
	for (size_t i = 0; i < n; i++)
		buf_addf(&b, "\n%s", values[i] ? values[i] : "");
	return buf_take(&b);
}

static int read_order(const struct listing *l, const char *sort, enum page_order *ret, struct err *err)
{
	_cleanup_buf_ struct buf b = BUF_MAX(128);

	for (size_t i = 0; i < ARRAY_SIZE(orders); i++) {
		if (i > PAGE_OLDEST && !(l->also & BIT(i)))
			continue;
		buf_addf(&b, "%s'%s'", b.n ? " or " : "", orders[i]);
		if (!sort || streq(sort, orders[i])) {
			*ret = (enum page_order)i;
			return 0;
		}
	}
	return err_set_field(err, ERR_INVALID, "/sort", "is %s", buf_text(&b));
}

int listing_open(struct listing *l, const struct list_query *q, const char *const *values, size_t n, struct err *err)
{
	enum page_order order = PAGE_NEWEST;

	if (read_order(l, q->sort, &order, err) < 0)
		return -(int)err->code;
	l->filter = filter_text(orders[order], q, values, n);
	if (cursor_open(l->s, l->name, l->filter, q, &l->cursor, err) < 0)
		return -(int)err->code;
	l->cursor.page.order = order;
	return 0;
}

void listing_close(const struct listing *l, bool more, int64_t key, const char *id, struct list_end *ret)
{
	cursor_close(l->s, l->name, l->filter, more, key, NULL, id ? id : "", ret);
}

void listing_close_named(const struct listing *l, bool more, int64_t key, const char *name, const char *id, struct list_end *ret)
{
	cursor_close(l->s, l->name, l->filter, more, key, l->cursor.page.order == PAGE_NAME ? name : NULL, id ? id : "", ret);
}

void listing_close_at(const struct listing *l, bool more, const struct page_mark *at, const char *id, struct list_end *ret)
{
	cursor_close(l->s, l->name, l->filter, more, at->key, *at->text ? at->text : NULL, id ? id : "", ret);
}
