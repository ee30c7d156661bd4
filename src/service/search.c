/* SPDX-License-Identifier: Apache-2.0 */
/* search.c - the inventory, narrowed down to what somebody typed (model/search.h); see certificate.h. */
#include "service/certificate.h"
#include "service/internal.h"
#include "store/search.h"

struct search_job {
	const struct search *search;
	bool by_expiry;
	const struct page *page;
	int64_t now_ms;
	struct search_page *found;
	struct certificate_view_list *list;
};

static int search_tx(struct sql *q, void *arg, struct err *err)
{
	struct search_job *j = arg;

	certificate_view_list_done(j->list);
	if (store_search(q, j->search, j->by_expiry, j->page, j->now_ms, j->found, err) < 0)
		return -(int)err->code;
	for (size_t i = 0; i < j->found->ids.n; i++) {
		struct certificate_view *v = certificate_view_list_add(j->list);

		if (store_certificate_get(q, j->found->ids.v[i], &v->certificate, err) < 0 || certificate_view_fill(q, v, err) < 0)
			return -(int)err->code;
	}
	return 0;
}

int service_certificate_search(struct service *s, const char *text, const char *sort, const struct list_query *q,
			       struct certificate_view_list *ret, struct list_end *end, struct err *err)
{
	_cleanup_search_ struct search search = { 0 };
	_cleanup_search_page_ struct search_page found = { 0 };
	_cleanup_cursor_ struct cursor c = { 0 };
	struct search_job j = { .search = &search, .page = &c.page, .now_ms = service_now(s), .found = &found, .list = ret };
	_cleanup_free_ char *filter = NULL;

	if (sort && !streq(sort, "created") && !streq(sort, "expires"))
		return err_set_field(err, ERR_INVALID, "/sort", "is 'created' or 'expires' for a search");
	if (search_parse(text, j.now_ms, &search, err) < 0)
		return -(int)err->code;
	j.by_expiry = sort ? streq(sort, "expires") : search_by_expiry(&search);
	filter = xasprintf("%s %s", j.by_expiry ? "expires" : "created", text);
	if (cursor_open(s, "search", filter, q, &c, err) < 0 || store_read(s->store, search_tx, &j, err) < 0)
		return -(int)err->code;
	cursor_close(s, "search", filter, found.more, found.key, NULL, found.id ? found.id : "", end);
	return 0;
}
