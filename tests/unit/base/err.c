/* SPDX-License-Identifier: Apache-2.0 */
#include "tests/unit/assert.h"

#include <errno.h>

static void a_wrapped_error_keeps_its_cause(void **state UNUSED)
{
	struct err err = ERR_INIT;
	char *text;

	ASSERT_INT(err_set(&err, ERR_REMOTE_LIMIT, "too many orders"), -(int)ERR_REMOTE_LIMIT);
	err.retry_at_ms = 77;
	err_remote(&err, "urn:x", "slow down");
	ASSERT_INT(err_wrap(&err, "could not order '%s'", "a.example"), -(int)ERR_REMOTE_LIMIT);
	ASSERT_INT(err.code, ERR_REMOTE_LIMIT);
	ASSERT_INT(err.retry_at_ms, 77);
	ASSERT_STR(err.remote, "slow down");
	ASSERT_STR(err_root(&err)->detail, "too many orders");
	text = err_text(&err);
	ASSERT_STR(text, "could not order 'a.example': too many orders");
	free(text);
	err_clear(&err);
	ASSERT_FALSE(err_is(&err));
}

static void a_copy_is_whole_and_independent(void **state UNUSED)
{
	struct err err = ERR_INIT, copy = ERR_INIT, moved = ERR_INIT;

	err_set_field(&err, ERR_INVALID, "/names/0", "bad name");
	err_hint(&err, "Take another.");
	err_wrap(&err, "could not make CSR");
	err_copy(&copy, &err);
	ASSERT_INT(err_move(&moved, &err), -(int)ERR_INVALID);
	ASSERT_FALSE(err_is(&err));
	err_clear(&moved);
	ASSERT_STR(copy.field, "/names/0");
	ASSERT_STR(copy.hint, "Take another.");
	ASSERT_STR(copy.cause->detail, "bad name");
	err_clear(&copy);
}

static void every_code_has_a_row(void **state UNUSED)
{
	for (unsigned i = 1; i < ERR_COUNT; i++) {
		enum err_code back = ERR_NONE;

		ASSERT_TRUE(err_http_status((enum err_code)i) >= 400);
		ASSERT_TRUE(err_exit_status((enum err_code)i) >= 1 && err_exit_status((enum err_code)i) <= 8);
		ASSERT_TRUE(strlen(err_title((enum err_code)i)) > 0);
		ASSERT_TRUE(err_from_slug(err_slug((enum err_code)i), &back));
		ASSERT_INT(back, i);
	}
}

static void a_full_disk_is_told_apart(void **state UNUSED)
{
	struct err err = ERR_INIT;

	errno = ENOSPC;
	ASSERT_INT(err_set_errno(&err, ERR_INTERNAL, "could not write '%s'", "f"), -(int)ERR_NO_SPACE);
	ASSERT_HAS(err.detail, "could not write 'f': No space");
	err_clear(&err);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(a_wrapped_error_keeps_its_cause),
		TEST(a_copy_is_whole_and_independent),
		TEST(every_code_has_a_row),
		TEST(a_full_disk_is_told_apart),
	};

	return RUN(tests);
}
