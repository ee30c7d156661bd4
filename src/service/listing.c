/* SPDX-License-Identifier: Apache-2.0 */
/* listing.c - see internal.h: what every list shares, whatever it is of. */
#include "service/internal.h"

static const char *const sorts[] = { "newest", "oldest", NULL };

void listing_done(struct listing *l)
{
	cursor_done(&l->cursor);
	free(l->filter);
	*l = (struct listing){ 0 };
}

/* What it was narrowed to and how it is ordered, as one text that no other combination has. */
static char *filter_text(const char *sort, const char *const *values, size_t n)
{
	struct buf b = BUF_MAX(8192);

	buf_add_str(&b, sort);
	for (size_t i = 0; i < n; i++)
		buf_addf(&b, "\n%s", values[i] ? values[i] : "");
	return buf_take(&b);
}

int listing_open(const struct service *s, const char *name, const struct list_query *q, const char *const *values, size_t n, struct listing *ret,
		 struct err *err)
{
	const char *sort = q->sort ? q->sort : sorts[0];

	*ret = (struct listing){ .s = s, .name = name };
	if (!streq(sort, sorts[0]) && !streq(sort, sorts[1]))
		return err_set_field(err, ERR_INVALID, "/sort", "is 'newest' or 'oldest'");
	ret->filter = filter_text(sort, values, n);
	if (cursor_open(s, name, ret->filter, q, &ret->cursor, err) < 0)
		return -(int)err->code;
	ret->cursor.page.oldest = streq(sort, sorts[1]);
	return 0;
}

void listing_close(const struct listing *l, bool more, int64_t key, const char *id, struct list_end *ret)
{
	cursor_close(l->s, l->name, l->filter, more, key, NULL, id ? id : "", ret);
}
