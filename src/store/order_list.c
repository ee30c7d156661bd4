/* SPDX-License-Identifier: Apache-2.0 */
/* order_list.c - the list of orders: every filter with every other, the newest or the oldest first, each along an index. */
#include "store/name_walk.h"
#include "store/order.h"

#include "store/lib.h"
#include "store/rows.h"

enum { BY_STATUS = 1, BY_ACCOUNT = 2, BY_CERTIFICATE = 4 };

/* Values behind the page's three come in the order of the bits. A certificate has few orders: its index leads, the rest is looked at. */
#define ORDERS(where) LISTED(ORDER_COLUMNS, "live_orders", where)
static const char *const texts[8][2] = {
	[0] = ORDERS("1 = 1"),
	[BY_STATUS] = ORDERS("status = $4"),
	[BY_ACCOUNT] = ORDERS("account_id = $4"),
	[BY_STATUS | BY_ACCOUNT] = ORDERS("status = $4 AND account_id = $5"),
	[BY_CERTIFICATE] = ORDERS("certificate_id = $4"),
	[BY_STATUS | BY_CERTIFICATE] = ORDERS("status || '' = $4 AND certificate_id = $5"),
	[BY_ACCOUNT | BY_CERTIFICATE] = ORDERS("account_id || '' = $4 AND certificate_id = $5"),
	[BY_STATUS | BY_ACCOUNT | BY_CERTIFICATE] = ORDERS("status || '' = $4 AND account_id || '' = $5 AND certificate_id = $6"),
};
static name_walk_texts named =
	NAME_WALK("order_names", "orders",
		  "CASE WHEN o.deleted_ms = 0 AND a.deleted_ms = 0 THEN o.id ELSE NULL END, o.status, o.account_id, o.certificate_id",
		  "LEFT JOIN account a ON a.id = o.account_id");

DEFINE_ROW_FN(order)
DEFINE_COLLECT(order)

static bool same(const char *wanted, const char *is)
{
	return !wanted || (is && streq(wanted, is));
}

static bool fits(const struct row *r, const void *arg)
{
	const struct order_filter *f = arg;

	return same(f->status, row_text(r, 2)) && same(f->account_id, row_text(r, 3)) && same(f->certificate_id, row_text(r, 4));
}

static int by_name(struct sql *q, const struct order_filter *f, const struct page *p, struct order_list *ret, int64_t *ret_key, struct err *err)
{
	_cleanup_search_page_ struct search_page found = { 0 };

	order_list_done(ret);
	if (store_name_walk(q, named, f->name, p, fits, f, &found, err) < 0)
		return -(int)err->code;
	for (size_t i = 0; i < found.ids.n; i++)
		if (store_order_get(q, found.ids.v[i], order_list_add(ret), err) < 0)
			return -(int)err->code;
	ret->more = found.more;
	*ret_key = found.key;
	return 0;
}

int store_order_list(struct sql *q, const struct order_filter *f, const struct page *p, struct order_list *ret, int64_t *ret_key, struct err *err)
{
	const char *const values[] = { f->status, f->account_id, f->certificate_id };
	struct sql_value v[6] = { SQL_INT(page_key(p)), SQL_TEXT(page_id(p)), SQL_INT(p->limit + 1) };
	size_t n = 3, which = 0;

	if (f->name)
		return by_name(q, f, p, ret, ret_key, err);
	for (size_t i = 0; i < ARRAY_SIZE(values); i++)
		if (values[i]) {
			which |= (size_t)1 << i;
			v[n++] = (struct sql_value)SQL_TEXT(values[i]);
		}
	if (order_fetch(q, texts[which][p->order], (struct sql_values){ v, n }, p->limit, ret, err) < 0)
		return -(int)err->code;
	*ret_key = ret->n ? ret->v[ret->n - 1].created_ms : 0;
	return 0;
}
