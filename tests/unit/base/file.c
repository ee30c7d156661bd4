/* SPDX-License-Identifier: Apache-2.0 */
#include "tests/unit/assert.h"

#include "base/file.h"

#include <sys/stat.h>
#include <unistd.h>

static char dir[] = "/tmp/certwright-test-XXXXXX";

static int make_dir(void **state UNUSED)
{
	return mkdtemp(dir) ? 0 : -1;
}

static int remove_dir(void **state UNUSED)
{
	return rmdir(dir);
}

static void a_file_is_replaced_whole_and_with_its_mode(void **state UNUSED)
{
	char *path = path_join(dir, "f");
	struct buf b = BUF_MAX(100);
	struct err err = ERR_INIT;
	struct stat st;

	ASSERT_OK(file_write_atomic(path, "one", 3, 0600, &err), &err);
	ASSERT_OK(file_write_atomic(path, "three", 5, 0640, &err), &err);
	ASSERT_OK(file_read(path, &b, &err), &err);
	ASSERT_STR(buf_text(&b), "three");
	ASSERT_INT(stat(path, &st), 0);
	ASSERT_INT(st.st_mode & 0777, 0640);
	ASSERT_FAILS(file_create(path, "x", 1, 0600, &err), &err, ERR_CONFLICT);
	ASSERT_INT(unlink(path), 0);
	buf_done(&b);
	free(path);
}

static void reading_keeps_the_limit(void **state UNUSED)
{
	char *path = path_join(dir, "g");
	struct err err = ERR_INIT;
	struct buf small = BUF_MAX(4), fits = BUF_MAX(5);
	struct secret s = { 0 };

	ASSERT_OK(file_create(path, "1234\n", 5, 0600, &err), &err);
	ASSERT_FAILS(file_read(path, &small, &err), &err, ERR_TOO_LARGE);
	ASSERT_OK(file_read(path, &fits, &err), &err);
	ASSERT_OK(file_read_secret(path, 4, &s, &err), &err);
	ASSERT_INT(s.n, 4);
	secret_clear(&s);
	ASSERT_FAILS(file_read_secret(path, 3, &s, &err), &err, ERR_TOO_LARGE);
	ASSERT_INT(unlink(path), 0);
	buf_done(&small);
	buf_done(&fits);
	free(path);
}

static void only_regular_files_are_read(void **state UNUSED)
{
	struct buf b = BUF_MAX(10);
	struct err err = ERR_INIT;

	ASSERT_FAILS(file_read(dir, &b, &err), &err, ERR_INVALID);
	ASSERT_FAILS(file_read("/dev/zero", &b, &err), &err, ERR_INVALID);
	ASSERT_FAILS(file_read("/nowhere/at/all", &b, &err), &err, ERR_NOT_FOUND);
	buf_done(&b);
}

static void folders_are_made_with_their_parents(void **state UNUSED)
{
	char *a = path_join(dir, "a"), *b = path_join(a, "b");
	struct err err = ERR_INIT;

	ASSERT_OK(dir_make(b, 0700, &err), &err);
	ASSERT_OK(dir_make(b, 0700, &err), &err);
	ASSERT_INT(rmdir(b), 0);
	ASSERT_INT(rmdir(a), 0);
	free(a);
	free(b);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(a_file_is_replaced_whole_and_with_its_mode),
		TEST(reading_keeps_the_limit),
		TEST(only_regular_files_are_read),
		TEST(folders_are_made_with_their_parents),
	};

	return cmocka_run_group_tests(tests, make_dir, remove_dir);
}
