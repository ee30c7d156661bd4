/* SPDX-License-Identifier: Apache-2.0 */
/* json.c - see json.h. */
#include "base/json.h"

#include "base/clock.h"
#include "base/limits.h"
#include "base/random.h"

#include <malloc.h>

static void wiping_free(void *p)
{
	if (p)
		explicit_bzero(p, malloc_usable_size(p));
	free(p);
}

void json_init(void)
{
	json_set_alloc_funcs(malloc, wiping_free);
	json_object_seed((size_t)random_u64() | 1);
}

void json_decref_p(json_t **j)
{
	json_decref(*j);
}

/* Depth by scanning: jansson's own limit is fixed at 2048. Strings are skipped with their escapes. */
static bool too_deep(const char *s, size_t n)
{
	unsigned depth = 0;
	bool in_string = false;

	for (size_t i = 0; i < n; i++) {
		char c = s[i];

		if (in_string) {
			if (c == '\\')
				i++;
			else if (c == '"')
				in_string = false;
		} else if (c == '"') {
			in_string = true;
		} else if (c == '{' || c == '[') {
			if (++depth > LIMIT_JSON_DEPTH)
				return true;
		} else if ((c == '}' || c == ']') && depth) {
			depth--;
		}
	}
	return false;
}

int json_parse(const char *text, size_t n, json_t **ret, struct err *err)
{
	json_error_t je;
	json_t *j;

	if (too_deep(text, n))
		return err_set(err, ERR_INVALID, "JSON is nested deeper than %d levels", LIMIT_JSON_DEPTH);
	j = json_loadb(text, n, JSON_REJECT_DUPLICATES, &je);
	if (!j) {
		_cleanup_free_ char *why = str_clean(je.text, strlen(je.text), 120);

		return err_set(err, ERR_INVALID, "not valid JSON at line %d, column %d: %s", je.line, je.column, why);
	}
	*ret = j;
	return 0;
}

static int bad(const struct json_field *f, struct err *err, const char *what)
{
	_cleanup_free_ char *pointer = xasprintf("/%s", f->name);

	return err_set_field(err, ERR_INVALID, pointer, "%s %s", f->name, what);
}

static int check_one_of(const struct json_field *f, const char *s, struct err *err)
{
	_cleanup_buf_ struct buf list = BUF_MAX(1024);
	_cleanup_free_ char *what = NULL, *shown = NULL;

	if (!f->one_of)
		return 0;
	for (size_t i = 0; f->one_of[i]; i++) {
		if (streq(f->one_of[i], s))
			return 0;
		buf_addf(&list, "%s%s", i ? ", " : "", f->one_of[i]);
	}
	shown = str_clean(s, strlen(s), 60);
	what = xasprintf("must be one of %s, not '%s'", buf_text(&list), shown);
	return bad(f, err, what);
}

static int check_text(const struct json_field *f, const json_t *v, const char **ret, struct err *err)
{
	const char *s = json_string_value(v);
	size_t n, max = f->max ? (size_t)f->max : LIMIT_TEXT;

	if (!s)
		return bad(f, err, "must be a text");
	n = json_string_length(v);
	if (n < (size_t)f->min || n > max) {
		_cleanup_free_ char *what = n > max ? xasprintf("is longer than %zu bytes", max)
					   : n      ? xasprintf("is shorter than %d bytes", (int)f->min)
						    : xstrdup("must not be empty");
		return bad(f, err, what);
	}
	*ret = s;
	return check_one_of(f, s, err);
}

static int decode_list(const struct json_field *f, const json_t *v, struct strlist *ret, struct err *err)
{
	size_t max = f->max ? (size_t)f->max : LIMIT_NAMES, item_max = f->item_max ? (size_t)f->item_max : LIMIT_TEXT;

	if (!json_is_array(v))
		return bad(f, err, "must be a list");
	if (json_array_size(v) < (size_t)f->min || json_array_size(v) > max) {
		_cleanup_free_ char *what = xasprintf("must have from %d to %zu members", (int)f->min, max);

		return bad(f, err, what);
	}
	for (size_t i = 0; i < json_array_size(v); i++) {
		const json_t *item = json_array_get(v, i);
		const char *s = json_string_value(item);

		if (!s || !*s || json_string_length(item) > item_max) {
			_cleanup_free_ char *pointer = xasprintf("/%s/%zu", f->name, i);

			return err_set_field(err, ERR_INVALID, pointer, "member %zu of %s must be a text of 1 to %zu bytes", i + 1,
					     f->name, item_max);
		}
		strlist_add(ret, s);
	}
	return 0;
}

static int decode_one(const struct json_field *f, json_t *v, char *at, struct err *err)
{
	const char *s = NULL;

	switch (f->kind) {
	case JSON_KIND_STR:
		if (check_text(f, v, &s, err) < 0)
			return -(int)err->code;
		memcpy(at, &s, sizeof s);
		return 0;
	case JSON_KIND_SECRET: {
		struct secret secret;

		if (check_text(f, v, &s, err) < 0)
			return -(int)err->code;
		secret = secret_copy(s, json_string_length(v));
		memcpy(at, &secret, sizeof secret);
		return 0;
	}
	case JSON_KIND_INT: {
		int64_t n = json_integer_value(v);

		if (!json_is_integer(v))
			return bad(f, err, "must be a whole number");
		if ((f->min || f->max) && (n < f->min || n > f->max)) {
			_cleanup_free_ char *what = xasprintf("must be from %" PRId64 " to %" PRId64, f->min, f->max);

			return bad(f, err, what);
		}
		memcpy(at, &n, sizeof n);
		return 0;
	}
	case JSON_KIND_BOOL: {
		bool b = json_is_true(v);

		if (!json_is_boolean(v))
			return bad(f, err, "must be true or false");
		memcpy(at, &b, sizeof b);
		return 0;
	}
	case JSON_KIND_LIST: {
		struct strlist l = { 0 };
		int r = decode_list(f, v, &l, err);

		memcpy(at, &l, sizeof l); /* also on failure: json_decode_free finds it */
		return r;
	}
	case JSON_KIND_JSON:
		memcpy(at, &v, sizeof v);
		return 0;
	}
	abort();
}

static const struct json_field *find(const struct json_field *fields, const char *name)
{
	for (; fields->name; fields++)
		if (streq(fields->name, name))
			return fields;
	return NULL;
}

int json_decode(json_t *doc, const struct json_field *fields, enum decode_mode mode, void *ret, struct err *err)
{
	const char *key;
	json_t *v;

	if (!json_is_object(doc))
		return err_set_field(err, ERR_INVALID, "", "must be a JSON object");
	if (mode == DECODE_STRICT)
		json_object_foreach(doc, key, v) {
			if (!find(fields, key)) {
				_cleanup_free_ char *shown = str_clean(key, strlen(key), 60);
				_cleanup_free_ char *pointer = xasprintf("/%s", shown);

				return err_set_field(err, ERR_INVALID, pointer, "unknown member '%s'", shown);
			}
		}
	for (const struct json_field *f = fields; f->name; f++) {
		v = json_object_get(doc, f->name);
		if (v && json_is_null(v) && (f->nullable || mode == DECODE_LENIENT))
			v = NULL;
		if (!v && f->required)
			return bad(f, err, "is missing");
		if (v && decode_one(f, v, (char *)ret + f->offset, err) < 0)
			return -(int)err->code;
	}
	return 0;
}

void json_decode_free(const struct json_field *fields, void *s)
{
	for (; fields->name; fields++) {
		if (fields->kind == JSON_KIND_LIST)
			strlist_clear((struct strlist *)(void *)((char *)s + fields->offset));
		else if (fields->kind == JSON_KIND_SECRET)
			secret_clear((struct secret *)(void *)((char *)s + fields->offset));
	}
}

char *json_text(const json_t *doc)
{
	char *s = json_dumps(doc, JSON_COMPACT | JSON_ENCODE_ANY), *copy;

	assert(s);
	copy = xstrdup(s);
	wiping_free(s);
	return copy;
}

json_t *json_str_or_null(const char *s)
{
	json_t *j = s ? json_string(s) : json_null();

	if (!j) { /* not UTF-8: it came from outside and was stored unclean */
		_cleanup_free_ char *clean = str_clean(s, strlen(s), strlen(s));

		j = json_string(clean);
	}
	return j;
}

json_t *json_time_or_null(int64_t ms)
{
	char buf[CLOCK_TEXT];

	return ms ? json_string(clock_format(ms, buf)) : json_null();
}

json_t *json_strlist(const struct strlist *l)
{
	json_t *a = json_array();

	for (size_t i = 0; i < l->n; i++)
		json_array_append_new(a, json_str_or_null(l->v[i]));
	return a;
}

json_t *json_text_or_null(const char *s)
{
	_cleanup_err_ struct err ignored = ERR_INIT;
	json_t *j;

	if (!s || json_parse(s, strlen(s), &j, &ignored) < 0)
		return json_null();
	return j;
}

json_t *err_to_json(const struct err *e)
{
	json_t *j, *chain;

	if (!err_is(e))
		return json_null();
	chain = json_array();
	for (const struct err *c = e->cause; c; c = c->cause)
		json_array_append_new(chain, json_str_or_null(c->detail));
	j = json_pack("{s:s, s:s, s:o, s:o}", "code", err_slug(e->code), "title", err_title(e->code), "detail",
		      json_str_or_null(e->detail), "chain", chain);
	if (e->field)
		json_object_set_new(j, "field", json_str_or_null(e->field));
	if (e->hint)
		json_object_set_new(j, "hint", json_str_or_null(e->hint));
	if (e->remote)
		json_object_set_new(j, "remote", json_str_or_null(e->remote));
	if (e->remote_type)
		json_object_set_new(j, "remote_type", json_str_or_null(e->remote_type));
	if (e->retry_at_ms)
		json_object_set_new(j, "retry_at", json_time_or_null(e->retry_at_ms));
	return j;
}

void err_from_json(const json_t *reason, struct err *ret)
{
	const json_t *chain = json_object_get(reason, "chain");
	const char *code = json_string_value(json_object_get(reason, "code")), *detail = json_string_value(json_object_get(reason, "detail"));
	const char *field = json_string_value(json_object_get(reason, "field")), *hint = json_string_value(json_object_get(reason, "hint"));
	const char *remote = json_string_value(json_object_get(reason, "remote"));
	const char *remote_type = json_string_value(json_object_get(reason, "remote_type"));
	const char *retry_at = json_string_value(json_object_get(reason, "retry_at"));
	enum err_code c = ERR_INTERNAL;
	int64_t at_ms;
	_cleanup_err_ struct err no = ERR_INIT;

	if (code)
		(void)err_from_slug(code, &c);
	for (size_t i = json_array_size(chain); i > 0; i--) {
		const char *text = json_string_value(json_array_get(chain, i - 1));

		if (!text)
			continue;
		if (err_is(ret))
			err_wrap(ret, "%s", text);
		else
			err_set(ret, c, "%s", text);
	}
	if (err_is(ret))
		err_wrap(ret, "%s", detail ? detail : err_title(c));
	else
		err_set(ret, c, "%s", detail ? detail : "no reason was given");
	replace_str(&ret->field, field);
	replace_str(&ret->hint, hint);
	replace_str(&ret->remote, remote);
	replace_str(&ret->remote_type, remote_type);
	if (retry_at && clock_parse(retry_at, &at_ms, &no) == 0)
		ret->retry_at_ms = at_ms;
}

char *err_to_json_text(const struct err *e)
{
	_cleanup_json_ json_t *j = err_to_json(e);

	return json_is_null(j) ? NULL : json_text(j);
}
