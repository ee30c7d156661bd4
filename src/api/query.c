/* SPDX-License-Identifier: Apache-2.0 */
/* query.c - the query of a request, by its route's table: each parameter known, given once, within its limits. */
#include "api/call.h"
#include "api/guard.h"

static const struct json_field *field_find(const struct json_field *f, const char *name)
{
	for (; f && f->name; f++)
		if (streq(f->name, name))
			return f;
	return NULL;
}

static int take_parameter(const struct route *r, json_t *doc, const char *p, size_t n, struct err *err)
{
	const char *eq = memchr(p, '=', n);
	size_t name_n = eq ? (size_t)(eq - p) : n;
	_cleanup_free_ char *name = NULL, *value = NULL, *pointer = NULL;
	const struct json_field *f;

	if (!guard_unescape(p, name_n, true, &name) ||
	    !guard_unescape(eq ? eq + 1 : "", eq ? n - name_n - 1 : 0, true, &value))
		return err_set(err, ERR_INVALID, "the query is not well escaped");
	pointer = xasprintf("/%.64s", name);
	f = field_find(r->query, name);
	if (!f)
		return err_set_field(err, ERR_INVALID, pointer, "there is no query parameter '%s' here", pointer + 1);
	if (json_object_get(doc, name))
		return err_set_field(err, ERR_INVALID, pointer, "%s is given twice", f->name);
	if (f->kind == JSON_KIND_INT) {
		int64_t v;
		_cleanup_err_ struct err why = ERR_INIT;

		if (str_to_i64(value, f->min, f->max, &v, &why) < 0)
			return err_set_field(err, ERR_INVALID, pointer, "%s must be a whole number from %" PRId64 " to %" PRId64, f->name, f->min, f->max);
		json_object_set_new(doc, name, json_integer(v));
	} else {
		json_object_set_new(doc, name, json_string(value));
	}
	return 0;
}

int query_decode(const struct route *r, const char *q, json_t **ret_doc, void **ret, struct err *err)
{
	*ret_doc = json_object();
	while (*q) {
		size_t n = strcspn(q, "&");

		if (n && take_parameter(r, *ret_doc, q, n, err) < 0)
			return -(int)err->code;
		q += n + (q[n] == '&');
	}
	if (!r->query)
		return 0;
	*ret = xcalloc(1, r->query_size);
	return json_decode(*ret_doc, r->query, DECODE_STRICT, *ret, err);
}
