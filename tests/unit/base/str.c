/* SPDX-License-Identifier: Apache-2.0 */
#include "tests/unit/assert.h"

static void numbers_are_read_whole_or_not_at_all(void **state UNUSED)
{
	static const char *const bad[] = { "", "-", "+1", " 1", "1 ", "0x1", "1e3", "9223372036854775808", "-9223372036854775809", "11", "-1" };
	struct err err = ERR_INIT;
	int64_t v = 5;

	for (size_t i = 0; i < ARRAY_SIZE(bad); i++)
		ASSERT_FAILS(str_to_i64(bad[i], 0, 10, &v, &err), &err, ERR_INVALID);
	ASSERT_INT(v, 5);
	ASSERT_OK(str_to_i64("10", 0, 10, &v, &err), &err);
	ASSERT_INT(v, 10);
	ASSERT_OK(str_to_i64("-9223372036854775808", INT64_MIN, INT64_MAX, &v, &err), &err);
	ASSERT_TRUE(v == INT64_MIN);
	ASSERT_OK(str_to_i64("9223372036854775807", INT64_MIN, INT64_MAX, &v, &err), &err);
	ASSERT_TRUE(v == INT64_MAX);
}

static void remote_text_is_made_safe(void **state UNUSED)
{
	static const struct {
		const char *in, *out;
	} rows[] = {
		{ "plain", "plain" },
		{ "a\r\nb\tc", "a  b c" },
		{ "\x1b[31mred", "?[31mred" },
		{ "b\xc3\xbc" "cher", "b\xc3\xbc" "cher" },
		{ "\xff\xfe", "??" },
		{ "\xe2\x80\xaetxt", "?txt" },  /* right-to-left override */
		{ "\xe2\x80\xa8x", "?x" },      /* line separator */
		{ "\xc0\xaf", "??" },           /* overlong */
		{ "\xed\xa0\x80", "???" },      /* surrogate */
	};

	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		char *s = str_clean(rows[i].in, strlen(rows[i].in), 100);

		ASSERT_STR(s, rows[i].out);
		free(s);
	}
}

static void cleaning_keeps_the_limit_and_whole_characters(void **state UNUSED)
{
	char *s = str_clean("abc\xc3\xbc", 5, 4);

	ASSERT_STR(s, "abc");
	free(s);
}

static void lists_are_sorted_split_and_joined(void **state UNUSED)
{
	struct strlist l = { 0 }, copy = { 0 };
	char *s;

	strlist_split(&l, "b,,a,b,c", ',');
	ASSERT_INT(l.n, 4);
	strlist_sort_unique(&l);
	strlist_copy(&copy, &l);
	ASSERT_TRUE(strlist_equal(&l, &copy));
	s = strlist_join(&l, "|");
	ASSERT_STR(s, "a|b|c");
	free(s);
	ASSERT_TRUE(strlist_has(&l, "c"));
	ASSERT_FALSE(strlist_has(&l, "d"));
	strlist_clear(&copy);
	strlist_clear(&l);
	s = strlist_join(&l, "|");
	ASSERT_STR(s, "");
	free(s);
}

static void comparison_ignores_ascii_case_only(void **state UNUSED)
{
	ASSERT_TRUE(str_case_eq("Retry-After", "retry-AFTER"));
	ASSERT_FALSE(str_case_eq("a", "ab"));
	ASSERT_FALSE(str_case_eq("\xc3\x9c", "\xc3\xbc"));
	ASSERT_TRUE(str_is_base64url("aZ09-_", 6));
	ASSERT_FALSE(str_is_base64url("a/b", 3));
	ASSERT_FALSE(str_is_base64url("a\0b", 3));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(numbers_are_read_whole_or_not_at_all),
		TEST(remote_text_is_made_safe),
		TEST(cleaning_keeps_the_limit_and_whole_characters),
		TEST(lists_are_sorted_split_and_joined),
		TEST(comparison_ignores_ascii_case_only),
	};

	return RUN(tests);
}
