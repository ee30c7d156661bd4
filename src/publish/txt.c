/* SPDX-License-Identifier: Apache-2.0 */
/* txt.c - see txt.h. */
#include "publish/txt.h"

#include "base/idn.h"

#define TXT_MAX 4096 /* of one value; ours have 43 bytes */

char *txt_quote(const char *value)
{
	struct buf b = BUF_MAX(TXT_MAX);

	buf_add_char(&b, '"');
	for (const char *p = value; *p; p++) {
		if (*p == '"' || *p == '\\')
			buf_add_char(&b, '\\');
		buf_add_char(&b, *p);
	}
	buf_add_char(&b, '"');
	return buf_take(&b);
}

static bool digit(char c)
{
	return c >= '0' && c <= '9';
}

/* One byte of a character string; *p moves on. */
static char next_char(const char **p)
{
	const char *s = *p;

	if (*s != '\\' || !s[1]) {
		*p = s + 1;
		return *s;
	}
	if (digit(s[1]) && digit(s[2]) && digit(s[3])) {
		*p = s + 4;
		return (char)((s[1] - '0') * 100 + (s[2] - '0') * 10 + (s[3] - '0'));
	}
	*p = s + 2;
	return s[1];
}

bool txt_same(const char *rdata, const char *value)
{
	const char *p = rdata;
	bool quoted = false;

	while (*p) {
		if (*p == '"') {
			quoted = !quoted;
			p++;
		} else if (!quoted && (*p == ' ' || *p == '\t')) {
			p++;
		} else if (next_char(&p) != *value++ || !value[-1]) {
			return false;
		}
	}
	return !*value;
}

bool txt_ours(const struct challenge_set *set, const char *rdata)
{
	for (size_t i = 0; i < set->values.n; i++)
		if (txt_same(rdata, set->values.v[i]))
			return true;
	return false;
}

bool txt_there(const struct strlist *rdata, const char *value)
{
	for (size_t i = 0; i < rdata->n; i++)
		if (txt_same(rdata->v[i], value))
			return true;
	return false;
}

bool txt_merge(struct strlist *rdata, const struct challenge_set *set)
{
	size_t before = rdata->n;

	for (size_t i = 0; i < set->values.n; i++)
		if (!txt_there(rdata, set->values.v[i])) {
			_cleanup_free_ char *quoted = txt_quote(set->values.v[i]);

			strlist_add(rdata, quoted);
		}
	return rdata->n != before;
}

bool txt_remove(struct strlist *rdata, const struct challenge_set *set)
{
	struct strlist rest = { 0 };
	bool changed;

	for (size_t i = 0; i < rdata->n; i++)
		if (!txt_ours(set, rdata->v[i]))
			strlist_add(&rest, rdata->v[i]);
	changed = rest.n != rdata->n;
	strlist_clear(rdata);
	*rdata = rest;
	return changed;
}

const char *name_up(const char *name)
{
	const char *dot = strchr(name, '.');

	return dot && dot[1] ? dot + 1 : NULL;
}

bool name_same(const char *a, const char *b)
{
	_cleanup_free_ char *x = name_plain(a), *y = name_plain(b);

	return streq(x, y);
}

/* Some vendors show U-labels where a zone has them. Labels with a leading underscore are kept: they are no part of a host name. */
static char *a_labels(const char *name)
{
	_cleanup_err_ struct err ignored = { 0 };
	_cleanup_free_ char *canonical = NULL;
	const char *host = name;

	while (*host == '_' && strchr(host, '.'))
		host = strchr(host, '.') + 1;
	if (name_canonical(host, &canonical, &ignored) < 0)
		return xstrdup(name);
	return xasprintf("%.*s%s", (int)(host - name), name, canonical);
}

char *name_plain(const char *name)
{
	size_t n = strlen(name);
	_cleanup_free_ char *s = xstrndup(name, n - (n && name[n - 1] == '.'));

	str_lower(s);
	for (const char *p = s; *p; p++)
		if ((unsigned char)*p >= 0x80)
			return a_labels(s);
	return TAKE(s);
}

void zone_add(struct strlist *zones, const char *name)
{
	_cleanup_free_ char *plain = name_plain(name);

	strlist_add(zones, plain);
}

/* ---- RAW mode ---- */

const char *const txt_modes[] = { "default", "RAW", NULL };

bool txt_raw_mode(const struct field_value *values, size_t n)
{
	const char *mode = field_text(values, n, "mode");

	return mode && streq(mode, "RAW");
}

int txt_raw_of(const struct challenge_set *set, size_t i, struct txt_raw *ret, struct err *err)
{
	static const char label[] = "_acme-challenge.";
	char *name;

	if (i >= set->auths.n)
		return err_set(err, ERR_NEEDS_PERSON, "the key authorization of a value at '%s' is not known, which RAW mode needs; remove it by hand",
			       set->name);
	name = name_plain(set->name);
	ret->domain = str_starts(name, label) ? xstrdup(name + strlen(label)) : xstrdup(name);
	free(name);
	ret->key_auth = set->auths.v[i];
	ret->token = xstrndup(ret->key_auth, strcspn(ret->key_auth, "."));
	return 0;
}

void txt_raw_done(struct txt_raw *r)
{
	free(r->domain);
	free(r->token);
}
