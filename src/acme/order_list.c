/* SPDX-License-Identifier: Apache-2.0 */
/* order_list.c - the list of an account's orders (RFC 8555 7.1.2.1), where an authority offers it. */
#include "acme/private.h"

#include "base/limits.h"

int acme_order_list(struct acme_session *s, const char *url, struct strlist *ret, char **ret_next, struct err *err)
{
	_cleanup_http_ struct http_response r = { 0 };
	_cleanup_json_ json_t *doc = NULL;
	_cleanup_strlist_ struct strlist urls = { 0 };
	_cleanup_free_ char *ref = NULL, *next = NULL;
	struct acme_call c = { .kind = ACME_KIND_ACCOUNT, .what = "list the account's orders", .url = url };
	const json_t *list, *item;
	size_t i;

	acme_begin(s);
	if (acme_post(s, &c, &r, err) < 0 || acme_answer_json(s, &c, &r, &doc, err) < 0)
		return -(int)err->code;
	list = json_object_get(doc, "orders");
	if (!json_is_array(list))
		return acme_answer_unusable(&c, err, "there is no list of orders in it");
	json_array_foreach(list, i, item) {
		_cleanup_free_ char *pinned = NULL;

		if (!json_is_string(item))
			return acme_answer_unusable(&c, err, "a member of the list is no text");
		if (acme_pin(s, url, json_string_value(item), &pinned, err) < 0)
			return -(int)err->code;
		strlist_add(&urls, pinned);
	}
	ref = http_link_nth(&r, "next", 0);
	if (ref && acme_pin(s, url, ref, &next, err) < 0)
		return -(int)err->code;
	for (i = 0; i < urls.n; i++)
		strlist_add(ret, urls.v[i]);
	*ret_next = TAKE(next);
	return 0;
}
