/* SPDX-License-Identifier: Apache-2.0 */
#include "tests/unit/assert.h"

#include "base/clock.h"
#include "net/http.h"

static void add(struct http_response *r, const char *name, const char *value)
{
	http_header_add(r, name, strlen(name), value, strlen(value));
}

static void retry_after_is_read_in_all_its_forms(void **state UNUSED)
{
	static const int64_t now = INT64_C(1795459531123); /* 2026-11-23T18:45:31.123Z */
	static const struct {
		const char *value;
		int64_t want; /* ms; clamp 1 s … 1 day */
	} rows[] = {
		{ "1", 1000 },
		{ "0", 1000 },
		{ "-1", 1000 },
		{ "-99999", 1000 },
		{ "7", 7000 },
		{ "007", 7000 },
		{ "86400", 86400000 },
		{ "86401", 86400000 },
		{ "1000000000000", 86400000 },
		{ "99999999999999999999999999", 86400000 },
		{ "1.5", 2000 },
		{ "Mon, 23 Nov 2026 18:45:41 GMT", 9877 },
		{ "Monday, 23-Nov-26 18:45:41 GMT", 9877 },
		{ "Mon Nov 23 18:45:41 2026", 9877 },
		{ "Mon, 23 Nov 2020 18:45:41 GMT", 1000 },
		{ "Mon, 23 Nov 2099 18:45:41 GMT", 86400000 },
		{ "Thu, 01 Jan 1970 00:00:00 GMT", 1000 },
		{ "", 0 },
		{ "soon", 0 },
		{ "10 s", 0 },
		{ "1e3", 0 },
		{ "0x10", 0 },
		{ "+5", 0 },
		{ "5,6", 0 },
		{ "-", 0 },
		{ "--5", 0 },
		{ "\xff\xfe", 0 },
		{ "2026-11-23T18:45:41Z", 0 },
		{ "Mon, 31 Feb 2026 18:45:41 GMT", 0 },
		{ "Mon, 23 Nov 2026 25:45:41 GMT", 0 },
		{ "Mon, 23 Nov 2026 18:45:41", 0 },
		{ "Mon, 23 Nov 2026 18:45:41 GMT and then some more and more and more and more", 0 },
		{ NULL, 0 },
	};

	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		int64_t got = http_retry_after_text(rows[i].value, now, SECOND_MS, DAY_MS);

		if (got != rows[i].want)
			print_error("'%s':\n", rows[i].value ? rows[i].value : "(none)");
		ASSERT_INT(got, rows[i].want);
	}
}

static void links_are_found_in_several_headers_and_lists(void **state UNUSED)
{
	_cleanup_http_ struct http_response r = { 0 };
	static const char *const want[] = { "https://ca.example/1", "/2", "/with,comma", "/four", "/words" };

	add(&r, "Link", "<https://ca.example/dir>;rel=\"index\"");
	add(&r, "LINK", " <https://ca.example/1>; rel=\"alternate\" , </2>;rel=alternate;title=\"a, b; rel=\\\"x\\\"\"");
	add(&r, "link", "</with,comma>; title=x ; REL = \"Alternate\", nonsense, <unclosed, </four>;rel=alternate");
	add(&r, "Link", "</four>;rel=alternate");
	add(&r, "Link", "</words>;rel=\"up alternate\"");
	add(&r, "Link", "</first-counts>;rel=up;rel=alternate");
	for (size_t i = 0; i < ARRAY_SIZE(want); i++) {
		_cleanup_free_ char *link = http_link_nth(&r, "alternate", i);

		/* "<unclosed, </four>" is one broken target */
		if (i == 3) {
			ASSERT_STR(link, "unclosed, </four");
			continue;
		}
		if (i == 4) {
			_cleanup_free_ char *four = http_link_nth(&r, "alternate", 4), *words = http_link_nth(&r, "alternate", 5);

			ASSERT_STR(four, "/four");
			ASSERT_STR(words, "/words");
			continue;
		}
		ASSERT_STR(link, want[i]);
	}
	assert_null(http_link_nth(&r, "alternate", 6));
	assert_null(http_link_nth(&r, "help", 0));
	_cleanup_free_ char *index = http_link_nth(&r, "INDEX", 0);
	ASSERT_STR(index, "https://ca.example/dir");
}

static void broken_links_are_no_links(void **state UNUSED)
{
	static const char *const bad[] = { "", "<", "<>", ";rel=up", "<x", "<x>", "<x>;", "<x>;rel", "<x>;rel=", "<x>;rel=\"", "<x>;rel=\"down",
					   "x;rel=up", ",,,,", "<x>;rel=\"upp\"", "<x> rel=up" };

	for (size_t i = 0; i < ARRAY_SIZE(bad); i++) {
		_cleanup_http_ struct http_response r = { 0 };

		add(&r, "Link", bad[i]);
		assert_null(http_link_nth(&r, "up", 0));
	}
}

static void headers_are_found_in_any_case_and_trimmed(void **state UNUSED)
{
	_cleanup_http_ struct http_response r = { 0 };

	add(&r, "Content-TYPE", " \tApplication/JSON ; charset=utf-8 ");
	add(&r, "x", "1");
	add(&r, "X", "2");
	ASSERT_TRUE(http_is_type(&r, "application/json"));
	ASSERT_FALSE(http_is_type(&r, "application/jso"));
	ASSERT_STR(http_header_get(&r, "X"), "1");
	ASSERT_STR(http_header_nth(&r, "x", 1), "2");
	assert_null(http_header_nth(&r, "x", 2));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(retry_after_is_read_in_all_its_forms),
		TEST(links_are_found_in_several_headers_and_lists),
		TEST(broken_links_are_no_links),
		TEST(headers_are_found_in_any_case_and_trimmed),
	};

	return RUN(tests);
}
