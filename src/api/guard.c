/* SPDX-License-Identifier: Apache-2.0 */
/* guard.c - see guard.h. RFC 9112 (message framing), RFC 9110 5.6.2 (tokens). */
#include "api/guard.h"

/* Headers that may stand in a request once at most, since two would be two truths. */
static const char *const once[] = { "Authorization", "Cookie", "Content-Type", "If-Match", "Idempotency-Key", "X-CSRF-Token" };

static bool is_token(const char *s, size_t n)
{
	if (!n)
		return false;
	for (size_t i = 0; i < n; i++) {
		unsigned char c = (unsigned char)s[i];

		if (c <= 32 || c >= 127 || strchr("\"(),/:;<=>?@[\\]{}", c))
			return false;
	}
	return true;
}

static bool all_digits(const char *s)
{
	size_t n = strlen(s);

	return n > 0 && n <= 15 && strspn(s, "0123456789") == n;
}

void guard_header(struct guard *g, const char *name, size_t name_n, const char *value, size_t value_n)
{
	_Static_assert(ARRAY_SIZE(once) == ARRAY_SIZE(((struct guard *)0)->credentials), "one counter each");

	g->bytes += name_n + value_n + 4;
	if (++g->headers > GUARD_HEADERS_MAX || !is_token(name, name_n) || strlen(name) != name_n) {
		g->bad = true;
		return;
	}
	if (value && strlen(value) != value_n)
		g->bad = true;
	for (const char *p = value; p && *p; p++)
		if (((unsigned char)*p < 32 && *p != '\t') || *p == 127)
			g->bad = true;
	if (str_case_eq(name, "Content-Length")) {
		g->content_length++;
		if (!value || !all_digits(value))
			g->bad = true;
	} else if (str_case_eq(name, "Host")) {
		g->host++;
		if (str_empty(value) || strpbrk(value, " \t/\\@,?#"))
			g->bad = true;
	} else if (str_case_eq(name, "Transfer-Encoding")) {
		g->transfer_encoding++;
		if (!value || !str_case_eq(value, "chunked"))
			g->bad = true;
	}
	for (size_t i = 0; i < ARRAY_SIZE(once); i++)
		if (str_case_eq(name, once[i]))
			g->credentials[i]++;
}

bool guard_ok(const struct guard *g, const char *uri, const char *version, const char **ret_why)
{
	const char *why = NULL;

	if (g->bad)
		why = "a header is malformed";
	else if (g->content_length > 1 || g->transfer_encoding > 1 || (g->content_length && g->transfer_encoding))
		why = "the length of the body is ambiguous";
	else if (g->host != 1)
		why = "exactly one Host header is needed";
	else if (!streq(version, "HTTP/1.1") && !streq(version, "HTTP/1.0"))
		why = "only HTTP/1.1 is spoken here";
	else if (g->transfer_encoding && !streq(version, "HTTP/1.1"))
		why = "chunked bodies need HTTP/1.1";
	else if (uri[0] != '/')
		why = "the request target must be a path";
	else if (strlen(uri) > GUARD_URI_MAX)
		why = "the request target is too long";
	for (size_t i = 0; !why && i < ARRAY_SIZE(once); i++)
		if (g->credentials[i] > 1)
			why = "a header that may stand once is repeated";
	for (const char *p = uri; !why && *p; p++) {
		if ((unsigned char)*p <= 32 || (unsigned char)*p >= 127 || *p == '#' || *p == '\\')
			why = "the request target has a character that must be escaped";
		else if (p[0] == '%' && p[1] == '0' && p[2] == '0')
			why = "the request target has a NUL";
	}
	*ret_why = why;
	return !why;
}

static int hex(char c)
{
	if (c >= '0' && c <= '9')
		return c - '0';
	if (c >= 'a' && c <= 'f')
		return c - 'a' + 10;
	if (c >= 'A' && c <= 'F')
		return c - 'A' + 10;
	return -1;
}

bool guard_unescape(const char *s, size_t n, bool plus, char **ret)
{
	_cleanup_free_ char *out = xmalloc(n + 1);
	size_t k = 0;

	for (size_t i = 0; i < n; i++) {
		int c = (unsigned char)s[i];

		if (c == '%') {
			int hi = i + 2 < n ? hex(s[i + 1]) : -1, lo = i + 2 < n ? hex(s[i + 2]) : -1;

			if (hi < 0 || lo < 0)
				return false;
			c = hi * 16 + lo;
			i += 2;
		} else if (c == '+' && plus) {
			c = ' ';
		}
		if (c < 32 || c == 127)
			return false;
		out[k++] = (char)c;
	}
	out[k] = '\0';
	if (!utf8_valid(out, k))
		return false;
	*ret = TAKE(out);
	return true;
}
