/* SPDX-License-Identifier: Apache-2.0 */
/* order_list.c - the list of orders: filters and orders, each combination along an index. */
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
/* By the first name, along the index of the same filters. */
#define ORDERS_BY_NAME(where)                                                                                          \
	"SELECT " ORDER_COLUMNS " FROM live_orders WHERE " where " AND " NAMES_KEY " >= $2 AND (" NAMES_KEY ", num) > ($2, $1)" \
	" ORDER BY " NAMES_KEY ", num LIMIT $3"
static const char *const by_name_texts[4] = {
	[0] = ORDERS_BY_NAME("1 = 1"),
	[BY_STATUS] = ORDERS_BY_NAME("status = $4"),
	[BY_ACCOUNT] = ORDERS_BY_NAME("account_id = $4"),
	[BY_STATUS | BY_ACCOUNT] = ORDERS_BY_NAME("status = $4 AND account_id = $5"),
};
/* By status: one list behind the other. */
static const enum order_status status_order[] = { ORDER_INVALID, ORDER_PENDING, ORDER_READY, ORDER_PROCESSING, ORDER_VALID };
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

static int with_part(struct sql *q, const struct order_filter *f, const struct page *p, struct order_list *ret, struct page_mark *ret_end,
		     struct err *err)
{
	_cleanup_search_page_ struct search_page found = { 0 };

	if (store_name_walk(q, named, f->name, p, fits, f, &found, err) < 0)
		return -(int)err->code;
	for (size_t i = 0; i < found.ids.n; i++)
		if (store_order_get(q, found.ids.v[i], order_list_add(ret), err) < 0)
			return -(int)err->code;
	ret->more = found.more;
	*ret_end = (struct page_mark){ .key = found.key };
	return 0;
}

/* Adds to ret until it has one more than the page. */
static int along(struct sql *q, const struct order_filter *f, const struct page *p, struct order_list *ret, struct err *err)
{
	const char *const values[] = { f->status, f->account_id, f->certificate_id };
	struct sql_value v[6] = { SQL_INT(page_key(p)), SQL_TEXT(p->order == PAGE_NAME ? page_text(p) : page_id(p)),
				  SQL_INT(p->limit + 1 - (int)ret->n) };
	size_t n = 3, which = 0;

	for (size_t i = 0; i < ARRAY_SIZE(values); i++)
		if (values[i]) {
			which |= (size_t)1 << i;
			v[n++] = (struct sql_value)SQL_TEXT(values[i]);
		}
	assert(p->order != PAGE_NAME || which < ARRAY_SIZE(by_name_texts));
	if (sql_each(q, p->order == PAGE_NAME ? by_name_texts[which] : texts[which][p->order], (struct sql_values){ v, n }, order_collect, ret, err) < 0)
		return err_wrap(err, "could not list orders");
	return 0;
}

static int along_status(struct sql *q, const struct order_filter *f, const struct page *p, struct order_list *ret, struct err *err)
{
	bool there = !*page_text(p);

	for (size_t i = 0; i < ARRAY_SIZE(status_order) && ret->n <= (size_t)p->limit; i++) {
		const char *status = order_status_text(status_order[i]);
		bool here = streq(status, page_text(p));
		const struct order_filter of = { .status = status, .account_id = f->account_id };
		const struct page within = { .limit = p->limit, .order = PAGE_NEWEST, .started = here, .after_key = p->after_key, .after_id = p->after_id };

		there |= here;
		if (there && same(f->status, status) && along(q, &of, &within, ret, err) < 0)
			return -(int)err->code;
	}
	return 0;
}

/* What the page behind ret goes on from. */
static struct page_mark end_of(const struct page *p, const struct order_list *ret)
{
	const struct order *last = ret->n ? &ret->v[ret->n - 1] : NULL;
	struct page_mark m = { 0 };

	if (!last)
		return m;
	m.key = p->order == PAGE_NAME ? last->num : last->created_ms;
	if (p->order == PAGE_STATUS)
		snprintf(m.text, sizeof m.text, "%s", order_status_text(last->status));
	if (p->order == PAGE_NAME) {
		_cleanup_free_ char *names = names_text(&last->names);

		snprintf(m.text, sizeof m.text, "%.60s", names); /* NAMES_KEY: names of orders are A-labels */
	}
	return m;
}

int store_order_list(struct sql *q, const struct order_filter *f, const struct page *p, struct order_list *ret, struct page_mark *ret_end,
		     struct err *err)
{
	order_list_done(ret);
	if (f->name)
		return with_part(q, f, p, ret, ret_end, err);
	if ((p->order == PAGE_STATUS ? along_status : along)(q, f, p, ret, err) < 0) {
		order_list_done(ret);
		return -(int)err->code;
	}
	ret->more = ret->n > (size_t)p->limit;
	if (ret->more)
		order_list_cut(ret);
	*ret_end = end_of(p, ret);
	return 0;
}
