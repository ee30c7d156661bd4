/* SPDX-License-Identifier: Apache-2.0 */
/* http.c - what is the same for every client: headers, links, Retry-After. */
#include "net/http.h"

#include "base/clock.h"
#include "net/private.h"

const char *http_method_text(enum http_method m)
{
	static const char *const texts[] = { "GET", "HEAD", "POST", "PUT", "PATCH", "DELETE" };

	return texts[m];
}

const char *net_leg_text(enum net_leg l)
{
	static const char *const texts[] = { "", "URL", "name look-up", "proxy", "TCP", "TLS", "HTTP" };

	return texts[l];
}

const char *http_header_nth(const struct http_response *r, const char *name, size_t i)
{
	for (size_t k = 0; k < r->headers.n; k++)
		if (str_case_eq(r->headers.name[k], name) && i-- == 0)
			return r->headers.value[k];
	return NULL;
}

const char *http_header_get(const struct http_response *r, const char *name)
{
	return http_header_nth(r, name, 0);
}

void http_header_add(struct http_response *r, const char *name, size_t name_n, const char *value, size_t value_n)
{
	size_t i = r->headers.n;

	if (i == r->headers.cap) {
		r->headers.cap = i ? i * 2 : 16;
		r->headers.name = xrealloc(r->headers.name, r->headers.cap * sizeof(char *));
		r->headers.value = xrealloc(r->headers.value, r->headers.cap * sizeof(char *));
	}
	while (value_n && (*value == ' ' || *value == '\t')) {
		value++;
		value_n--;
	}
	while (value_n && (value[value_n - 1] == ' ' || value[value_n - 1] == '\t'))
		value_n--;
	r->headers.name[i] = xstrndup(name, name_n);
	str_lower(r->headers.name[i]);
	r->headers.value[i] = xstrndup(value, value_n);
	r->headers.n++;
}

bool http_is_type(const struct http_response *r, const char *type)
{
	const char *v = http_header_get(r, "content-type");
	size_t n = v ? strcspn(v, "; \t") : 0;

	return v && str_case_is((struct str){ v, n }, type);
}

/* ---- Link (RFC 8288) ---- */

static void skip_blanks(const char **p)
{
	while (**p == ' ' || **p == '\t')
		++*p;
}

/* A token or quoted string at *p, without quotes and escapes. */
static void param_value(const char **p, struct buf *ret)
{
	buf_reset(ret);
	if (**p != '"') {
		size_t n = strcspn(*p, ";, \t");

		buf_add(ret, *p, n);
		*p += n;
		return;
	}
	for (++*p; **p && **p != '"'; ++*p) {
		if (**p == '\\' && (*p)[1])
			++*p;
		buf_add_char(ret, **p);
	}
	if (**p)
		++*p;
}

static bool has_word(const char *list, const char *word)
{
	while (*list) {
		size_t n = strcspn(list, " \t");

		if (str_case_is((struct str){ list, n }, word))
			return true;
		list += n;
		skip_blanks(&list);
	}
	return false;
}

/* One "<target>; params" at *p, which moves behind it. True when its (first) rel has the word. */
static bool one_link(const char **p, const char *rel, struct str *ret_target)
{
	_cleanup_buf_ struct buf value = BUF_MAX(4096);
	bool match = false, seen = false;
	const char *end;

	skip_blanks(p);
	if (**p != '<' || !(end = strchr(*p, '>'))) {
		*p += strcspn(*p, ",");
		return false;
	}
	*ret_target = (struct str){ *p + 1, (size_t)(end - *p - 1) };
	*p = end + 1;
	for (;;) {
		size_t n;
		struct str name;

		skip_blanks(p);
		if (**p != ';')
			break;
		++*p;
		skip_blanks(p);
		n = strcspn(*p, "=;, \t");
		name = (struct str){ *p, n };
		*p += n;
		skip_blanks(p);
		if (**p != '=')
			continue;
		++*p;
		skip_blanks(p);
		param_value(p, &value);
		if (str_case_is(name, "rel") && !seen) {
			seen = true;
			match = has_word(buf_text(&value), rel);
		}
	}
	*p += strcspn(*p, ",");
	return match;
}

char *http_link_nth(const struct http_response *r, const char *rel, size_t i)
{
	for (size_t k = 0; k < r->headers.n; k++) {
		if (!streq(r->headers.name[k], "link"))
			continue;
		for (const char *p = r->headers.value[k]; *p;) {
			struct str target;

			if (one_link(&p, rel, &target) && i-- == 0)
				return xstrndup(target.p, target.n);
			if (*p == ',')
				p++;
		}
	}
	return NULL;
}

/* ---- Retry-After ---- */

int64_t http_retry_after_text(const char *value, int64_t now_ms, int64_t min_ms, int64_t max_ms)
{
	_cleanup_err_ struct err ignored = ERR_INIT;
	int64_t at_ms, span;
	size_t n;

	if (!value || !*value || strlen(value) > 64)
		return 0;
	n = strspn(value, "0123456789");
	if (!value[n])
		span = n > 15 ? max_ms : MIN((int64_t)strtoll(value, NULL, 10) * SECOND_MS, max_ms);
	else if (*value == '-' && value[1] && !value[1 + strspn(value + 1, "0123456789")])
		span = min_ms;
	else if (n && value[n] == '.' && !value[n + 1 + strspn(value + n + 1, "0123456789")]) /* "1.5": seen, not allowed */
		span = n > 15 ? max_ms : MIN((int64_t)strtoll(value, NULL, 10) * SECOND_MS + SECOND_MS, max_ms);
	else if (clock_parse_http(value, now_ms, &at_ms, &ignored) == 0)
		span = clock_add(at_ms, -now_ms);
	else
		return 0;
	return MAX(min_ms, MIN(span, max_ms));
}

int64_t http_retry_after(const struct http_response *r, int64_t now_ms, int64_t min_ms, int64_t max_ms)
{
	return http_retry_after_text(http_header_get(r, "retry-after"), now_ms, min_ms, max_ms);
}

void http_response_done(struct http_response *r)
{
	for (size_t i = 0; i < r->headers.n; i++) {
		free(r->headers.name[i]);
		free(r->headers.value[i]);
	}
	free(r->headers.name);
	free(r->headers.value);
	buf_done(&r->body);
	http_peer_clear(&r->peer);
	*r = (struct http_response){ 0 };
}
