/* SPDX-License-Identifier: Apache-2.0 */
#include "tests/unit/assert.h"

#include "base/idn.h"

static void names_get_one_canonical_form(void **state UNUSED)
{
	static const struct {
		const char *in, *out;
	} rows[] = {
		{ "Example.COM", "example.com" },        { "example.com.", "example.com" },
		{ "*.Example.com", "*.example.com" },    { "b\xc3\xbc" "cher.example", "xn--bcher-kva.example" },
		{ "xn--bcher-kva.example", "xn--bcher-kva.example" },
	};
	struct err err = ERR_INIT;

	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		char *s = NULL;

		ASSERT_OK(name_canonical(rows[i].in, &s, &err), &err);
		ASSERT_STR(s, rows[i].out);
		free(s);
	}
}

static void what_is_no_host_name_is_refused(void **state UNUSED)
{
	static const char *const bad[] = { "", ".", "com", "a..b", "-a.example", "a-.example", "a_b.example", "192.0.2.1", "*.*.example.com",
					   "w*.example.com", "a.example/..", "a b.example", "*.", "\xff.example", "a.example..", "::1" };
	struct err err = ERR_INIT;
	char *s = NULL;

	for (size_t i = 0; i < ARRAY_SIZE(bad); i++)
		ASSERT_FAILS(name_canonical(bad[i], &s, &err), &err, ERR_INVALID);
}

static void a_wildcard_covers_one_label(void **state UNUSED)
{
	ASSERT_TRUE(name_covered_by("www.example.com", "*.example.com"));
	ASSERT_FALSE(name_covered_by("example.com", "*.example.com"));
	ASSERT_FALSE(name_covered_by("a.b.example.com", "*.example.com"));
	ASSERT_FALSE(name_covered_by("*.example.com", "*.example.com"));
}

static void display_shows_u_labels(void **state UNUSED)
{
	char *s = name_display("*.xn--bcher-kva.example");

	ASSERT_STR(s, "*.b\xc3\xbc" "cher.example");
	free(s);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(names_get_one_canonical_form),
		TEST(what_is_no_host_name_is_refused),
		TEST(a_wildcard_covers_one_label),
		TEST(display_shows_u_labels),
	};

	return RUN(tests);
}
