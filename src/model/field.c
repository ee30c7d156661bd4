/* SPDX-License-Identifier: Apache-2.0 */
/* field.c - see field.h. */
#include "model/field.h"

#include "base/limits.h"

#define LINES_MAX (16 * 1024)

static const struct field_value *value_of(const struct field_value *v, size_t n, const char *name)
{
	for (size_t i = 0; i < n; i++)
		if (streq(v[i].name, name))
			return &v[i];
	return NULL;
}

const char *field_text(const struct field_value *v, size_t n, const char *name)
{
	const struct field_value *f = value_of(v, n, name);

	return f ? f->text : NULL;
}

const struct secret *field_secret(const struct field_value *v, size_t n, const char *name)
{
	const struct field_value *f = value_of(v, n, name);

	return f ? f->secret : NULL;
}

int64_t field_number(const struct field_value *v, size_t n, const char *name)
{
	const char *text = field_text(v, n, name);
	_cleanup_err_ struct err ignored = { 0 };
	int64_t number = 0;

	if (!text || str_to_i64(text, INT64_MIN, INT64_MAX, &number, &ignored) < 0)
		return 0;
	return number;
}

bool field_bool(const struct field_value *v, size_t n, const char *name)
{
	const char *text = field_text(v, n, name);

	return text && streq(text, "true");
}

const struct field *field_find(const struct field *table, const char *name)
{
	for (const struct field *f = table; f && f->name; f++)
		if (streq(f->name, name))
			return f;
	return NULL;
}

size_t field_count(const struct field *table)
{
	size_t n = 0;

	while (table && table[n].name)
		n++;
	return n;
}

char *field_label(const struct field *f)
{
	char *label = xstrdup(f->title ? f->title : f->name);

	if (f->title)
		return label;
	for (char *p = label; *p; p++)
		if (*p == '_')
			*p = ' ';
	if (*label >= 'a' && *label <= 'z')
		*label = (char)(*label - 'a' + 'A');
	return label;
}

static int64_t longest(const struct field *f)
{
	return f->max ? f->max : f->flags & FIELD_LINES ? LINES_MAX : LIMIT_TEXT;
}

/* What may not be in any value: NUL, control characters, broken UTF-8. */
static bool clean(const struct field *f, const char *text, size_t n)
{
	if (!utf8_valid(text, n))
		return false;
	for (size_t i = 0; i < n; i++) {
		unsigned char c = (unsigned char)text[i];

		if (c == 0x7f || (c < 0x20 && !(f->flags & FIELD_LINES && (c == '\n' || c == '\r' || c == '\t'))))
			return false;
	}
	return true;
}

static bool one_of(const char *const *list, const char *text)
{
	for (; *list; list++)
		if (streq(*list, text))
			return true;
	return false;
}

/* scheme://host[:port][/path]: no blanks, nobody's name in it, no fragment. net/url.h reads it for good when it is used. */
static bool is_url(const char *s)
{
	const char *host = str_starts(s, "https://") ? s + 8 : str_starts(s, "http://") ? s + 7 : NULL;
	size_t n = host ? strcspn(host, "/?#") : 0;

	return n && !memchr(host, '@', n) && host[0] != ':' && !strpbrk(s, " \"<>\\^`{|}#");
}

static bool is_host(const char *s)
{
	static const char set[] = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789-._:[]";

	return s[strspn(s, set)] == 0;
}

int field_check(const struct field *f, const char *text, size_t n, struct err *err)
{
	_cleanup_free_ char *pointer = xasprintf("/fields/%s", f->name);
	_cleanup_err_ struct err why = { 0 };
	int64_t number;

	if (!n)
		return f->flags & FIELD_REQUIRED ? err_set_field(err, ERR_INVALID, pointer, "'%s' is needed", f->name) : 0;
	if (!clean(f, text, n))
		return err_set_field(err, ERR_INVALID, pointer, "'%s' holds characters that cannot be part of it", f->name);
	if (f->flags & FIELD_NUMBER) {
		if (str_to_i64(text, f->min, f->max ? f->max : INT64_MAX, &number, &why) < 0)
			return err_set_field(err, ERR_INVALID, pointer, "'%s' is a number from %lld to %lld", f->name, (long long)f->min,
					     (long long)(f->max ? f->max : INT64_MAX));
		return 0;
	}
	if ((int64_t)n > longest(f))
		return err_set_field(err, ERR_TOO_LARGE, pointer, "'%s' is longer than %lld bytes", f->name, (long long)longest(f));
	if ((int64_t)n < f->min)
		return err_set_field(err, ERR_INVALID, pointer, "'%s' is shorter than %lld bytes", f->name, (long long)f->min);
	if (f->choices && !one_of(f->choices, text))
		return err_set_field(err, ERR_INVALID, pointer, "'%s' is not one of the values it may have", f->name);
	if (f->flags & FIELD_BOOL && !streq(text, "true") && !streq(text, "false"))
		return err_set_field(err, ERR_INVALID, pointer, "'%s' is true or false", f->name);
	if (f->flags & FIELD_URL && !is_url(text))
		return err_set_field(err, ERR_INVALID, pointer, "'%s' is a URL that begins with https:// or http://", f->name);
	if (f->flags & FIELD_HTTPS && !str_starts(text, "https://"))
		return err_set_field(err, ERR_INVALID, pointer, "'%s' begins with https://: who is spoken to is always verified", f->name);
	if (f->flags & FIELD_HOST && !is_host(text))
		return err_set_field(err, ERR_INVALID, pointer, "'%s' is a host name or an address", f->name);
	return 0;
}
