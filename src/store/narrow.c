/* SPDX-License-Identifier: Apache-2.0 */
/* narrow.c - see narrow.h. */
#include "store/narrow.h"

#include "store/search.h"

void narrowed_done(struct narrowed *n)
{
	free(n->pattern);
	*n = (struct narrowed){ 0 };
}

struct sql_values narrow(const struct narrow *by, const struct page *p, struct narrowed *ret)
{
	static const struct narrow all;
	by = by ? by : &all;
	ret->pattern = store_text_pattern(by->name ? by->name : "");
	ret->v[0] = p->order == PAGE_NAME ? SQL_TEXT(page_text(p)) : SQL_INT(page_key(p));
	ret->v[1] = SQL_TEXT(page_id(p));
	ret->v[2] = SQL_INT(p->limit + 1);
	ret->v[3] = SQL_TEXT(ret->pattern);
	ret->v[4] = SQL_TEXT(by->only ? by->only : "");
	return (struct sql_values){ ret->v, ARRAY_SIZE(ret->v) };
}
