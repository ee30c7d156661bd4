/* SPDX-License-Identifier: Apache-2.0 */
/* guard.c tests src/api/guard.c: request heads, header by header, and percent-decoding. */
#include "tests/unit/assert.h"

#include "api/guard.h"

struct head {
	const char *what;
	bool ok;
	const char *uri, *version;
	const char *headers[8][2];
};

static void heads_are_judged_by_their_headers(void **state)
{
	static const struct head heads[] = {
		{ "plain", true, "/", "HTTP/1.1", { { "Host", "a" } } },
		{ "HTTP/1.0", true, "/", "HTTP/1.0", { { "Host", "a" } } },
		{ "HTTP/0.9", false, "/", "HTTP/0.9", { { "Host", "a" } } },
		{ "HTTP/2.0", false, "/", "HTTP/2.0", { { "Host", "a" } } },
		{ "no host", false, "/", "HTTP/1.1", { { "Accept", "a" } } },
		{ "two hosts", false, "/", "HTTP/1.1", { { "Host", "a" }, { "host", "a" } } },
		{ "empty host", false, "/", "HTTP/1.1", { { "Host", "" } } },
		{ "host with path", false, "/", "HTTP/1.1", { { "Host", "a/b" } } },
		{ "host with user", false, "/", "HTTP/1.1", { { "Host", "u@b" } } },
		{ "IPv6 host", true, "/", "HTTP/1.1", { { "Host", "[::1]:8443" } } },
		{ "length", true, "/", "HTTP/1.1", { { "Host", "a" }, { "Content-Length", "12" } } },
		{ "two lengths", false, "/", "HTTP/1.1", { { "Host", "a" }, { "Content-Length", "12" }, { "content-length", "12" } } },
		{ "plus", false, "/", "HTTP/1.1", { { "Host", "a" }, { "Content-Length", "+1" } } },
		{ "list", false, "/", "HTTP/1.1", { { "Host", "a" }, { "Content-Length", "1, 1" } } },
		{ "huge", false, "/", "HTTP/1.1", { { "Host", "a" }, { "Content-Length", "9999999999999999999999" } } },
		{ "chunked", true, "/", "HTTP/1.1", { { "Host", "a" }, { "Transfer-Encoding", "Chunked" } } },
		{ "chunked in 1.0", false, "/", "HTTP/1.0", { { "Host", "a" }, { "Transfer-Encoding", "chunked" } } },
		{ "both", false, "/", "HTTP/1.1", { { "Host", "a" }, { "Transfer-Encoding", "chunked" }, { "Content-Length", "1" } } },
		{ "gzip", false, "/", "HTTP/1.1", { { "Host", "a" }, { "Transfer-Encoding", "gzip" } } },
		{ "tab before chunked", false, "/", "HTTP/1.1", { { "Host", "a" }, { "Transfer-Encoding", "\tchunked" } } },
		{ "odd name", false, "/", "HTTP/1.1", { { "Host", "a" }, { "X Y", "1" } } },
		{ "colon in name", false, "/", "HTTP/1.1", { { "Host", "a" }, { "X:", "1" } } },
		{ "control character", false, "/", "HTTP/1.1", { { "Host", "a" }, { "X", "a\x01" } } },
		{ "DEL", false, "/", "HTTP/1.1", { { "Host", "a" }, { "X", "a\x7f" } } },
		{ "tab in value", true, "/", "HTTP/1.1", { { "Host", "a" }, { "X", "a\tb" } } },
		{ "two tokens", false, "/", "HTTP/1.1", { { "Host", "a" }, { "Authorization", "x" }, { "authorization", "x" } } },
		{ "two keys", false, "/", "HTTP/1.1", { { "Host", "a" }, { "Idempotency-Key", "x" }, { "Idempotency-Key", "x" } } },
		{ "two accepts", true, "/", "HTTP/1.1", { { "Host", "a" }, { "Accept", "x" }, { "Accept", "y" } } },
		{ "absolute", false, "http://a/", "HTTP/1.1", { { "Host", "a" } } },
		{ "star", false, "*", "HTTP/1.1", { { "Host", "a" } } },
		{ "NUL", false, "/a%00b", "HTTP/1.1", { { "Host", "a" } } },
		{ "space", false, "/a b", "HTTP/1.1", { { "Host", "a" } } },
		{ "fragment", false, "/a#b", "HTTP/1.1", { { "Host", "a" } } },
		{ "high", false, "/\xc3\xa9", "HTTP/1.1", { { "Host", "a" } } },
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(heads); i++) {
		struct guard g = { 0 };
		const char *why = NULL;
		bool ok;

		for (size_t k = 0; k < 8 && heads[i].headers[k][0]; k++)
			guard_header(&g, heads[i].headers[k][0], strlen(heads[i].headers[k][0]), heads[i].headers[k][1],
				     strlen(heads[i].headers[k][1]));
		ok = guard_ok(&g, heads[i].uri, heads[i].version, &why);
		if (ok != heads[i].ok)
			print_error("%s: %s\n", heads[i].what, why ? why : "taken");
		ASSERT_INT(ok, heads[i].ok);
		ASSERT_INT(ok, why == NULL);
	}
}

static void a_nul_inside_a_header_shows_by_its_length(void **state)
{
	struct guard g = { .host = 1 };
	const char *why;

	(void)state;
	guard_header(&g, "X", 1, "ab", 3);
	ASSERT_FALSE(guard_ok(&g, "/", "HTTP/1.1", &why));
}

static void so_many_headers_and_no_more(void **state)
{
	(void)state;
	for (unsigned n = GUARD_HEADERS_MAX - 1; n <= GUARD_HEADERS_MAX + 1; n++) {
		struct guard g = { 0 };
		const char *why;

		guard_header(&g, "Host", 4, "a", 1);
		for (unsigned i = 1; i < n; i++)
			guard_header(&g, "X", 1, "y", 1);
		ASSERT_INT(guard_ok(&g, "/", "HTTP/1.1", &why), n <= GUARD_HEADERS_MAX);
	}
}

static void targets_end_at_their_limit(void **state)
{
	(void)state;
	for (size_t n = GUARD_URI_MAX - 1; n <= GUARD_URI_MAX + 1; n++) {
		_cleanup_free_ char *uri = xmalloc(n + 1);
		struct guard g = { .host = 1 };
		const char *why;

		memset(uri, 'a', n);
		uri[0] = '/';
		uri[n] = '\0';
		ASSERT_INT(guard_ok(&g, uri, "HTTP/1.1", &why), n <= GUARD_URI_MAX);
	}
}

static void escapes_are_undone_strictly(void **state)
{
	static const struct {
		const char *in;
		bool plus;
		const char *out; /* NULL = refused */
	} cases[] = {
		{ "", false, "" },	     { "abc", false, "abc" },	  { "a%20b", false, "a b" }, { "a+b", true, "a b" },
		{ "a+b", false, "a+b" },     { "%C3%A9", false, "\xc3\xa9" }, { "%c3%a9", true, "\xc3\xa9" }, { "%2F", false, "/" },
		{ "%25", false, "%" },	     { "%", false, NULL },	  { "%1", false, NULL },     { "a%4", false, NULL },
		{ "%zz", false, NULL },	     { "%00", false, NULL },	  { "%0a", false, NULL },    { "%7f", false, NULL },
		{ "%ff", false, NULL },	     { "%c0%af", false, NULL },	  { "%ed%a0%80", false, NULL }, { "%-1", false, NULL },
		{ "% 1", false, NULL },	     { "a%41", false, "aA" },
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		_cleanup_free_ char *out = NULL;
		bool ok = guard_unescape(cases[i].in, strlen(cases[i].in), cases[i].plus, &out);

		ASSERT_INT(ok, cases[i].out != NULL);
		ASSERT_STR(out, cases[i].out);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(heads_are_judged_by_their_headers), TEST(a_nul_inside_a_header_shows_by_its_length), TEST(so_many_headers_and_no_more),
		TEST(targets_end_at_their_limit),	 TEST(escapes_are_undone_strictly),
	};

	return RUN(tests);
}
