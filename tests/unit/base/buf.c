/* SPDX-License-Identifier: Apache-2.0 */
#include "tests/unit/assert.h"

#include "base/buf.h"
#include "base/random.h"

static void the_limit_is_exact_and_the_error_sticks(void **state UNUSED)
{
	struct buf b = BUF_MAX(4);
	struct err err = ERR_INIT;

	buf_add_str(&b, "abc");
	ASSERT_OK(buf_check(&b, &err), &err);
	buf_add_char(&b, 'd');
	ASSERT_OK(buf_check(&b, &err), &err);
	buf_add_char(&b, 'e');
	ASSERT_STR(buf_text(&b), "abcd");
	buf_add_str(&b, "");
	ASSERT_FAILS(buf_check(&b, &err), &err, ERR_TOO_LARGE);
	buf_reset(&b);
	ASSERT_OK(buf_check(&b, &err), &err);
	ASSERT_STR(buf_text(&b), "");
	buf_done(&b);
}

static void formatted_text_longer_than_the_stack_buffer_fits(void **state UNUSED)
{
	struct buf b = BUF_MAX(2000);

	buf_addf(&b, "%1000d", 7);
	ASSERT_INT(b.n, 1000);
	ASSERT_INT(b.p[999], '7');
	buf_addf(&b, "%1001d", 7);
	ASSERT_TRUE(b.failed);
	ASSERT_INT(b.n, 1000);
	buf_done(&b);
}

static void json_text_is_quoted(void **state UNUSED)
{
	static const char in[] = "a\"\\\n\x01\x7f\xc3\xbc\xff" "b";
	struct buf b = BUF_MAX(100);

	buf_add_json(&b, in, sizeof in - 1);
	ASSERT_STR(buf_text(&b), "\"a\\\"\\\\\\n\\u0001\\u007f\xc3\xbc\\ufffd" "b\"");
	buf_done(&b);
}

static void taking_leaves_an_empty_buffer_with_its_limit(void **state UNUSED)
{
	struct buf b = BUF_MAX(10);
	char *s;

	buf_add_str(&b, "x");
	s = buf_take(&b);
	ASSERT_STR(s, "x");
	ASSERT_INT(b.max, 10);
	ASSERT_STR(buf_text(&b), "");
	free(s);
	s = buf_take(&b);
	ASSERT_STR(s, "");
	free(s);
}

static void random_calls_keep_the_invariants(void **state UNUSED)
{
	for (int round = 0; round < 200; round++) {
		struct buf b = BUF_MAX(random_below(300));
		char model[301];
		size_t n = 0;
		bool failed = false;

		for (int i = 0; i < 40; i++) {
			char part[64];
			size_t len = random_below(sizeof part);

			memset(part, 'a' + i % 26, len);
			buf_add(&b, part, len);
			failed = failed || n + len > b.max;
			if (!failed) {
				memcpy(model + n, part, len);
				n += len;
			}
			ASSERT_INT(b.n, n);
			ASSERT_INT(b.failed, failed);
			ASSERT_INT(strlen(buf_text(&b)), n);
		}
		ASSERT_MEM(buf_text(&b), model, n);
		buf_done(&b);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(the_limit_is_exact_and_the_error_sticks),
		TEST(formatted_text_longer_than_the_stack_buffer_fits),
		TEST(json_text_is_quoted),
		TEST(taking_leaves_an_empty_buffer_with_its_limit),
		TEST(random_calls_keep_the_invariants),
	};

	return RUN(tests);
}
