/* SPDX-License-Identifier: Apache-2.0 */
/* assets.c - which file answers which path, and the nonce in the page. Holds with and without a built page. */
#include "tests/unit/assert.h"

#include "api/assets.h"

static void the_table_is_sorted_and_complete(void **state)
{
	for (size_t i = 0; i < ui_assets_count; i++) {
		assert_true(!i || strcmp(ui_assets[i - 1].path, ui_assets[i].path) < 0);
		assert_true(ui_assets[i].path[0] == '/');
		assert_true(ui_assets[i].size > 0);
		assert_true(ui_assets[i].etag[0] == '"');
		assert_ptr_equal(ui_asset_find(ui_assets[i].path), &ui_assets[i]);
		if (ui_assets[i].gzip)
			assert_true(ui_assets[i].data[0] == 0x1f && ui_assets[i].data[1] == 0x8b);
		assert_false(ui_assets[i].page && (ui_assets[i].gzip || ui_assets[i].immutable));
	}
	assert_null(ui_assets[ui_assets_count].path);
}

static void pages_get_index_and_all_else_nothing(void **state)
{
	static const char *const pages[] = { "/", "/orders", "/orders/12", "/integrations/acme/accounts" };
	static const char *const none[] = { "", "*", "/api", "/api/v1/none", "/healthz", "/metrics/", "/readyz", "/assets/",
					    "/assets/none.js", "/none.php", "/../etc/passwd.", "orders" };

	for (size_t i = 0; i < ARRAY_SIZE(pages); i++) {
		const struct ui_asset *a = ui_asset_find(pages[i]);

		assert_true(ui_assets_count ? a && a->page : !a);
	}
	for (size_t i = 0; i < ARRAY_SIZE(none); i++)
		assert_null(ui_asset_find(none[i]));
}

static void every_mark_becomes_the_nonce(void **state)
{
	static const char text[] = "<meta nonce=\"__CSP_NONCE__\"><script nonce=\"__CSP_NONCE__\">__CSP_NONC";
	struct ui_asset a = { .data = (const unsigned char *)text, .size = strlen(text), .page = true };
	_cleanup_buf_ struct buf out = BUF_MAX(1024), small = BUF_MAX(10), csp = BUF_MAX(1024);
	_cleanup_err_ struct err err = { 0 };

	ASSERT_OK(ui_page_render(&a, "abc_-1", &out, &err), &err);
	ASSERT_STR(buf_text(&out), "<meta nonce=\"abc_-1\"><script nonce=\"abc_-1\">__CSP_NONC");
	ASSERT_FAILS(ui_page_render(&a, "abc", &small, &err), &err, ERR_TOO_LARGE);
	ui_csp_add(&csp, "abc_-1");
	assert_non_null(strstr(buf_text(&csp), "script-src 'self' 'nonce-abc_-1';"));
	assert_null(strstr(buf_text(&csp), "unsafe"));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(the_table_is_sorted_and_complete),
		TEST(pages_get_index_and_all_else_nothing),
		TEST(every_mark_becomes_the_nonce),
	};

	return RUN(tests);
}
