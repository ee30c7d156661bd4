/* SPDX-License-Identifier: Apache-2.0 */
/* pull.c tests how If-None-Match is read (src/service/pull.c): it comes from outside. */
#include "tests/unit/assert.h"

#include "service/pull.h"

static void a_tag_is_matched_weakly_and_whole(void **state)
{
	static const struct {
		const char *list, *etag;
		bool matches;
	} cases[] = {
		{ "\"a-pem\"", "\"a-pem\"", true },
		{ "W/\"a-pem\"", "\"a-pem\"", true },
		{ "\"a-zip\"", "W/\"a-zip\"", true },
		{ "W/\"a-zip\"", "W/\"a-zip\"", true },
		{ "\"x\", \"a-pem\"", "\"a-pem\"", true },
		{ " \t,, \"x\" ,W/\"y\",\"a-pem\" ", "\"a-pem\"", true },
		{ "*", "\"a-pem\"", true },
		{ "\"x\", *", "\"a-pem\"", true },
		{ "", "\"a-pem\"", false },
		{ "a-pem", "\"a-pem\"", false },
		{ "\"a-pem", "\"a-pem\"", false },
		{ "\"a-pe\"", "\"a-pem\"", false },
		{ "\"a-pemm\"", "\"a-pem\"", false },
		{ "\"A-PEM\"", "\"a-pem\"", false },
		{ "\"", "\"a-pem\"", false },
		{ "W/", "\"a-pem\"", false },
		{ "w/\"a-pem\"", "\"a-pem\"", false },
		{ "x, \"a-pem\"", "\"a-pem\"", false },
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(cases); i++)
		ASSERT_INT(pull_etag_matches(cases[i].list, cases[i].etag), cases[i].matches);
}

int main(void)
{
	const struct CMUnitTest tests[] = { TEST(a_tag_is_matched_weakly_and_whole) };

	return RUN(tests);
}
