/* SPDX-License-Identifier: Apache-2.0 */
/* Tests of keys/escrow.h: what was printed comes back, and every slip of a typing hand is found and named. */
#include "keys/escrow.h"

#include "base/file.h"
#include "keys/keys.h"
#include "tests/unit/assert.h"

#include <ctype.h>
#include <stdlib.h>
#include <sys/stat.h>

static char folder[] = "/tmp/certwright-escrow-XXXXXX";
static char *file;
static struct secret printed;
static char *id;

static int begin(void **state UNUSED)
{
	_cleanup_err_ struct err err = ERR_INIT;

	assert_non_null(mkdtemp(folder));
	file = path_join(folder, "master.key");
	ASSERT_OK(keys_master_create(file, &err), &err);
	ASSERT_OK(escrow_text(file, &printed, &id, &err), &err);
	return 0;
}

static int end(void **state UNUSED)
{
	(void)unlink(file);
	(void)rmdir(folder);
	secret_clear(&printed);
	free(file);
	free(id);
	return 0;
}

/* 0, or the code; *ret_why is the sentence. */
static int typed(const char *text, struct secret *ret, char **ret_why)
{
	_cleanup_secret_ struct secret given = secret_from(text);
	_cleanup_err_ struct err err = ERR_INIT;
	_cleanup_free_ char *of = NULL;
	int rc = escrow_read(&given, ret, &of, &err);

	if (rc == 0)
		ASSERT_STR(of, id);
	replace_str(ret_why, err.detail);
	return rc;
}

static void what_was_printed_comes_back_as_the_same_file(void **state UNUSED)
{
	_cleanup_secret_ struct secret back = { 0 }, was = { 0 };
	_cleanup_err_ struct err err = ERR_INIT;
	_cleanup_free_ char *why = NULL;

	ASSERT_INT(typed((const char *)printed.p, &back, &why), 0);
	ASSERT_OK(file_read_secret(file, 4096, &was, &err), &err);
	ASSERT_INT((int)back.n, (int)was.n + 1); /* and its end of line */
	assert_memory_equal(back.p, was.p, was.n);
}

static void small_letters_no_numbers_no_dashes_and_one_line_are_as_good(void **state UNUSED)
{
	_cleanup_secret_ struct secret back = { 0 };
	_cleanup_free_ char *why = NULL, *text = xcalloc(printed.n + 1, 1);
	size_t n = 0;

	for (size_t i = 0; i < printed.n; i++) {
		char c = (char)printed.p[i];

		if (c == '-' || (i + 2 < printed.n && printed.p[i + 1] == ' ' && printed.p[i + 2] == ' '))
			continue;
		text[n++] = c == '\n' ? ' ' : c == '0' ? 'o' : c == '1' ? 'l' : (char)tolower((unsigned char)c);
	}
	ASSERT_INT(typed(text, &back, &why), 0);
}

static void each_wrong_sign_is_found_in_its_group(void **state UNUSED)
{
	int group = 0, tried = 0;

	for (size_t i = 0; i < printed.n; i++) {
		_cleanup_secret_ struct secret back = { 0 };
		_cleanup_free_ char *why = NULL, *text = xstrndup((const char *)printed.p, printed.n), *named = NULL;

		if (i == 0 || text[i - 1] == '\n')
			group++;
		if (!isalnum((unsigned char)text[i]) || (text[i + 1] == ' '))
			continue;
		text[i] = text[i] == 'Z' ? 'Y' : text[i] == '9' ? '8' : (char)(text[i] + 1);
		if (strchr("ILOU:", text[i]))
			text[i] = '2';
		if (text[i] == (char)printed.p[i])
			continue;
		named = xasprintf("group %d ", group);
		assert_int_not_equal(typed(text, &back, &why), 0);
		assert_non_null(strstr(why, named));
		tried++;
	}
	assert_true(tried > 60);
}

static void groups_in_each_others_place_are_found(void **state UNUSED)
{
	_cleanup_secret_ struct secret back = { 0 };
	_cleanup_free_ char *why = NULL, *text = xstrndup((const char *)printed.p, printed.n);
	char first[9];

	memcpy(first, text + 3, 9); /* "1  ABCD-EFGH\n" is 13 signs */
	memcpy(text + 3, text + 16, 9);
	memcpy(text + 16, first, 9);
	assert_int_not_equal(typed(text, &back, &why), 0);
	assert_non_null(strstr(why, "another group's place"));
}

static void too_few_too_many_and_other_signs_are_told(void **state UNUSED)
{
	_cleanup_secret_ struct secret back = { 0 };
	_cleanup_free_ char *why = NULL, *half = xstrndup((const char *)printed.p, 13 * 4), *twice = xasprintf("%s%s", (const char *)printed.p, (const char *)printed.p);

	assert_int_not_equal(typed(half, &back, &why), 0);
	ASSERT_STR(why, "4 of 9 groups were typed");
	assert_int_not_equal(typed(twice, &back, &why), 0);
	ASSERT_STR(why, "more than 9 groups were typed");
	assert_int_not_equal(typed("1  AB*D-EFGH", &back, &why), 0);
	ASSERT_STR(why, "group 1 holds a sign that is in no group");
	assert_int_not_equal(typed("1  ABCD-EFG", &back, &why), 0);
	ASSERT_STR(why, "group 1 has 7 letters and digits instead of 8");
	assert_int_not_equal(typed("", &back, &why), 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(what_was_printed_comes_back_as_the_same_file),
		TEST(small_letters_no_numbers_no_dashes_and_one_line_are_as_good),
		TEST(each_wrong_sign_is_found_in_its_group),
		TEST(groups_in_each_others_place_are_found),
		TEST(too_few_too_many_and_other_signs_are_told),
	};
	return cmocka_run_group_tests(tests, begin, end);
}
