/* SPDX-License-Identifier: Apache-2.0 */
#include "tests/unit/assert.h"

#include "base/clock.h"
#include "model/search.h"

#define NOW (1000 * DAY_MS)

static const struct search_subject one = {
	.names = "*.shop.example.com\nshop.example.com\nxn--bcher-kva.example.com", .vendor = "digicert", .owner = "Team Web", .key_type = "rsa2048",
	.source = "issued", .status = "active", .managed = true, .tagged = true, .not_before_ms = NOW - 80 * DAY_MS, .not_after_ms = NOW + 10 * DAY_MS,
};

static bool finds(const char *text)
{
	_cleanup_search_ struct search s = { 0 };
	struct err err = ERR_INIT;

	ASSERT_OK(search_parse(text, NOW, &s, &err), &err);
	return search_matches(&s, &one, NOW);
}

static void what_is_asked_for_is_found_and_nothing_else(void **state UNUSED)
{
	static const struct {
		const char *text;
		bool found;
	} rows[] = {
		{ "", true }, { "  ", true },
		{ "expires<14d vendor:digicert tag:prod key:rsa2048 name:*.example.com", true },
		{ "expires<9d", false }, { "expires<241h", true }, { "expires<2w", true }, { "expires>1w", true }, { "expires>2w", false },
		{ "expires<1972-10-08", true }, { "expires<1972-10-01", false }, { "expires>1w expires<2w", true },
		{ "vendor:letsencrypt", false }, { "owner:\"Team Web\"", true }, { "owner:Team", false },
		{ "key:RSA2048", true }, { "key:p256", false }, { "managed:yes", true }, { "managed:no", false },
		{ "name:shop.example.com", true }, { "name:SHOP.example.com", true }, { "name:example.com", false }, { "name:*.example.com", true },
		{ "name:*.shop.example.com", true }, { "name:*hop.example.com", true }, { "name:*.example.org", false }, { "name:b\xc3\xbc" "cher.example.com", true },
		{ "shop", true }, { "SHOP", true }, { "shop bcher", true }, { "shop missing", false }, { "\"shop.ex\"", true },
		{ "status:expiring", true }, { "status:active", false }, { "status:expired", false }, { "status:revoked", false }, { "status:waiting", false },
		{ "source:issued", true }, { "source:imported", false },
	};

	for (size_t i = 0; i < ARRAY_SIZE(rows); i++)
		if (finds(rows[i].text) != rows[i].found)
			fail_msg("'%s' %s", rows[i].text, rows[i].found ? "did not find it" : "found it");
}

static void what_cannot_be_meant_is_refused_with_the_term(void **state UNUSED)
{
	static const char *const bad[] = {
		"expires=1d", "expires<", "expires<1", "expires<1y", "expires<-1d", "expires<2027-13-01", "expires<99999999d", "expires<1d expires<2d",
		"vendor:", "vendor:a vendor:b", "colour:red", "Vendor:digicert", "ab", "name:*", "name:*.a", "name:a*b.example.com", "name:a.example.com name:b.example.com",
		"managed:maybe", "managed:yes managed:no", "status:fine", "status:active status:expired", "\"no end", "one two three four five sixth seven eight nine",
	};

	for (size_t i = 0; i < ARRAY_SIZE(bad); i++) {
		struct search s = { 0 };
		struct err err = ERR_INIT;

		if (search_parse(bad[i], NOW, &s, &err) == 0)
			fail_msg("'%s' was taken", bad[i]);
		ASSERT_INT(err.code, ERR_INVALID);
		ASSERT_STR(err.field, "/q");
		err_clear(&err);
	}
}

static void a_search_about_expiry_says_so(void **state UNUSED)
{
	static const struct {
		const char *text;
		bool by_expiry;
	} rows[] = { { "expires<1d", true }, { "status:expired", true }, { "status:expiring", true }, { "status:revoked", false }, { "shop", false } };

	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		_cleanup_search_ struct search s = { 0 };
		struct err err = ERR_INIT;

		ASSERT_OK(search_parse(rows[i].text, NOW, &s, &err), &err);
		ASSERT_TRUE(search_by_expiry(&s) == rows[i].by_expiry);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(what_is_asked_for_is_found_and_nothing_else),
		cmocka_unit_test(what_cannot_be_meant_is_refused_with_the_term),
		cmocka_unit_test(a_search_about_expiry_says_so),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
