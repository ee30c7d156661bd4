/* SPDX-License-Identifier: Apache-2.0 */
/* What a support bundle leaves of e-mail addresses, and the name of its folder. */
#include "tests/unit/assert.h"

#include "service/bundle.h"

static void of_an_address_only_what_stands_behind_the_at_is_left(void **state UNUSED)
{
	static const char *const rows[][2] = {
		{ "", "" },
		{ "no address", "no address" },
		{ "ann@example.com", "…@example.com" },
		{ "to <ann.b+c@example.com>, bob@example.org.", "to <…@example.com>, …@example.org." },
		{ "\"mailto:ann@example.com\"", "\"mailto:…@example.com\"" },
		{ "{\"a\":\"x@b.example\",\"c\":\"y@d.example\"}", "{\"a\":\"…@b.example\",\"c\":\"…@d.example\"}" },
		{ "a@b@c", "…@…@c" }, /* b is also what stands before one */
		{ "@example.com", "@example.com" },
		{ "ends with ann@", "ends with ann@" },
		{ "ann@ example", "ann@ example" },
	};

	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		_cleanup_buf_ struct buf out = BUF_MAX(1024);

		bundle_mask(rows[i][0], strlen(rows[i][0]), &out);
		ASSERT_STR(buf_text(&out), rows[i][1]);
	}
}

static void a_folder_has_the_time_in_its_name(void **state UNUSED)
{
	_cleanup_free_ char *folder = bundle_folder(INT64_C(1795743900000));

	ASSERT_STR(folder, "certwright-support-20261127T014500Z");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(of_an_address_only_what_stands_behind_the_at_is_left),
		TEST(a_folder_has_the_time_in_its_name),
	};

	return RUN(tests);
}
