/* SPDX-License-Identifier: Apache-2.0 */
/* txt.c - values in the forms that provider APIs write them in, ours among those of others. */
#include "publish/txt.h"
#include "tests/unit/assert.h"

static void a_value_is_the_same_in_every_form(void **state)
{
	static const struct { const char *rdata, *value; bool same; } rows[] = {
		{ "abc", "abc", true },		{ "\"abc\"", "abc", true },	 { "\"a\" \"bc\"", "abc", true },
		{ "\"a\"\t\"b\" c", "abc", true }, { "\"a\\\"b\"", "a\"b", true },	 { "\"a\\098c\"", "abc", true },
		{ "\"a b\"", "a b", true },	{ "abcd", "abc", false },	 { "\"ab\"", "abc", false },
		{ "\"abc", "abc", true },	{ "", "abc", false },		 { "\"\"", "", true },
		{ "abc\\", "abc", false },	{ "\"abc\"x", "abc", false },	 { "ABC", "abc", false },
	};

	for (size_t i = 0; i < ARRAY_SIZE(rows); i++)
		if (txt_same(rows[i].rdata, rows[i].value) != rows[i].same) {
			print_error("%s and %s\n", rows[i].rdata, rows[i].value);
			fail();
		}
}

static void a_quoted_value_is_read_back_as_it_was(void **state)
{
	static const char *const values[] = { "", "abc", "a\"b\\c", "a b", "\\098" };

	for (size_t i = 0; i < ARRAY_SIZE(values); i++) {
		_cleanup_free_ char *q = txt_quote(values[i]);

		ASSERT_TRUE(txt_same(q, values[i]));
	}
}

static void ours_are_merged_once_and_removed_alone(void **state)
{
	struct challenge_set set = { .kind = VALIDATION_DNS01 };
	_cleanup_strlist_ struct strlist rdata = { 0 };

	strlist_add(&rdata, "\"v=spf1\" \"-all\"");
	strlist_add(&rdata, "one");
	strlist_add(&set.values, "one");
	strlist_add(&set.values, "two");
	ASSERT_TRUE(txt_merge(&rdata, &set));
	ASSERT_FALSE(txt_merge(&rdata, &set));
	ASSERT_INT(rdata.n, 3);
	ASSERT_STR(rdata.v[2], "\"two\"");
	ASSERT_TRUE(txt_remove(&rdata, &set));
	ASSERT_FALSE(txt_remove(&rdata, &set));
	ASSERT_INT(rdata.n, 1);
	ASSERT_STR(rdata.v[0], "\"v=spf1\" \"-all\"");
	challenge_set_done(&set);
}

static void names_are_walked_to_the_top(void **state)
{
	_cleanup_free_ char *plain = name_plain("_ACME-challenge.Example.COM.");
	const char *at = plain;

	ASSERT_STR(plain, "_acme-challenge.example.com");
	at = name_up(at);
	ASSERT_STR(at, "example.com");
	at = name_up(at);
	ASSERT_STR(at, "com");
	ASSERT_TRUE(!name_up(at) && !name_up("") && !name_up("a."));
	ASSERT_TRUE(name_same("m\xc3\xbcller.example", "xn--mller-kva.example"));
	ASSERT_TRUE(name_same("_acme-challenge.m\xc3\xbcller.example.", "_acme-challenge.xn--mller-kva.example"));
	ASSERT_TRUE(!name_same("_acme-challenge.\xff.example", "_acme-challenge.example"));
	ASSERT_TRUE(name_same("a.Example.", "A.example") && !name_same("a.example", "b.example"));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(a_value_is_the_same_in_every_form),
		TEST(a_quoted_value_is_read_back_as_it_was),
		TEST(ours_are_merged_once_and_removed_alone),
		TEST(names_are_walked_to_the_top),
	};

	return RUN(tests);
}
