/* SPDX-License-Identifier: Apache-2.0 */
/* view.c - which resolvers we look through. */
#include "resolve/resolve.h"

#include "base/file.h"

static int add_text(struct resolve_view *v, const char *s, struct err *err)
{
	union addr a;
	_cleanup_err_ struct err why = { 0 };

	if (v->n == RESOLVE_RESOLVERS)
		return 0;
	if (addr_parse(s, &a, &why) < 0) {
		if (addr_parse_ip(s, &a, err) < 0)
			return err_wrap(err, "'%s' is not the address of a DNS resolver", s);
		if (a.sa.sa_family == AF_INET)
			a.in.sin_port = htons(53);
		else
			a.in6.sin6_port = htons(53);
	}
	v->resolvers[v->n++] = a;
	return 0;
}

static int from_system(struct resolve_view *v, struct err *err)
{
	_cleanup_buf_ struct buf text = BUF_MAX(64 * 1024);
	_cleanup_strlist_ struct strlist lines = { 0 };

	if (file_read("/etc/resolv.conf", &text, err) < 0)
		return err_wrap(err, "could not learn the system's DNS resolvers");
	strlist_split(&lines, buf_text(&text), '\n');
	for (size_t i = 0; i < lines.n; i++) {
		_cleanup_strlist_ struct strlist words = { 0 };
		_cleanup_err_ struct err why = { 0 };
		char *line = lines.v[i];

		for (char *p = line; *p; p++)
			if (*p == '\t' || *p == '\r')
				*p = ' ';
		strlist_split(&words, line, ' ');
		if (words.n < 2 || !streq(words.v[0], "nameserver"))
			continue;
		if (add_text(v, words.v[1], &why) < 0)
			continue; /* a scope id, say: others do */
	}
	if (!v->n)
		return err_set(err, ERR_INVALID, "/etc/resolv.conf names no DNS resolver");
	return 0;
}

int resolve_view_parse(const char *text, bool ask_view, struct resolve_view *ret, struct err *err)
{
	struct resolve_view v = { .ask_view = ask_view };
	_cleanup_strlist_ struct strlist parts = { 0 };

	if (str_empty(text)) {
		if (from_system(&v, err) < 0)
			return -(int)err->code;
		*ret = v;
		return 0;
	}
	strlist_split(&parts, text, ',');
	for (size_t i = 0; i < parts.n; i++) {
		char *s = parts.v[i];

		while (*s == ' ')
			s++;
		for (size_t n = strlen(s); n && s[n - 1] == ' '; n--)
			s[n - 1] = '\0';
		if (*s && add_text(&v, s, err) < 0)
			return -(int)err->code;
	}
	if (!v.n)
		return err_set(err, ERR_INVALID, "no DNS resolver is named");
	*ret = v;
	return 0;
}
