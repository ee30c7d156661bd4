/* SPDX-License-Identifier: Apache-2.0 */
/* Tests src/keys/archive.c: every size comes back, and nothing that was cut, changed or lengthened does. */
#include "keys/archive.h"

#include "tests/unit/assert.h"

#include <sys/mman.h>
#include <unistd.h>

#define HEAD 61
#define SEALED (ARCHIVE_BLOCK + 17)

static struct secret words;

static int made(size_t n)
{
	int fd = memfd_create("archive", MFD_CLOEXEC);
	_cleanup_free_ unsigned char *bytes = xmalloc(n + 1);
	_cleanup_archive_ struct archive *a = NULL;
	struct err err = ERR_INIT;

	memset(bytes, 0x5a, n);
	ASSERT_OK(archive_create(fd, &words, &a, &err), &err);
	for (size_t at = 0; at < n; at += MIN(n - at, 70001))
		ASSERT_OK(archive_write(a, bytes + at, MIN(n - at, 70001), &err), &err);
	ASSERT_OK(archive_finish(a, &err), &err);
	return fd;
}

/* 0, or -code, of reading n bytes and the end. */
static int reread(int fd, size_t n)
{
	_cleanup_free_ unsigned char *bytes = xmalloc(n + 1);
	_cleanup_archive_ struct archive *a = NULL;
	_cleanup_err_ struct err err = ERR_INIT;

	(void)lseek(fd, 0, SEEK_SET);
	if (archive_open(fd, &(struct archive_opener){ .passphrase = &words }, &a, &err) < 0 || archive_read(a, bytes, n, &err) < 0 || archive_end(a, &err) < 0)
		return -(int)err.code;
	for (size_t i = 0; i < n; i++)
		ASSERT_INT(bytes[i], 0x5a);
	return 0;
}

static void every_size_comes_back(void **state UNUSED)
{
	static const size_t sizes[] = { 0, ARCHIVE_BLOCK, 2 * ARCHIVE_BLOCK + 1 }; /* few: each key costs 256 MiB */

	for (size_t i = 0; i < ARRAY_SIZE(sizes); i++) {
		int fd = made(sizes[i]);

		ASSERT_INT(reread(fd, sizes[i]), 0);
		if (i == 1) {
			ASSERT_INT(reread(fd, sizes[i] + 1), -ERR_INVALID);
			ASSERT_INT(reread(fd, sizes[i] - 1), -ERR_INVALID);
		}
		close(fd);
	}
}

static void a_cut_archive_is_refused(void **state UNUSED)
{
	static const off_t lengths[] = { HEAD + SEALED + 18, HEAD + SEALED, HEAD, HEAD - 1, 0 };
	int fd = made(ARCHIVE_BLOCK + 2);

	for (size_t i = 0; i < ARRAY_SIZE(lengths); i++) {
		ASSERT_INT(ftruncate(fd, lengths[i]), 0);
		assert_true(reread(fd, ARCHIVE_BLOCK + 2) < 0);
	}
	close(fd);
}

static void a_changed_head_is_refused_without_hours_of_work(void **state UNUSED)
{
	static const size_t places[] = { 0, 4, 5, 28, 36 };

	for (size_t i = 0; i < ARRAY_SIZE(places); i++) {
		int fd = made(3);
		unsigned char byte;

		ASSERT_INT(pread(fd, &byte, 1, (off_t)places[i]), 1);
		byte ^= 0xff; /* a salt is random: whatever it was, it is another one */
		ASSERT_INT(pwrite(fd, &byte, 1, (off_t)places[i]), 1);
		assert_true(reread(fd, 3) < 0);
		close(fd);
	}
}

static void another_passphrase_is_denied(void **state UNUSED)
{
	int fd = made(3);
	struct secret right = words;

	words = secret_from("another passphrase");
	ASSERT_INT(reread(fd, 3), -ERR_DENIED);
	secret_clear(&words);
	words = right;
	close(fd);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(every_size_comes_back),
		TEST(a_cut_archive_is_refused),
		TEST(a_changed_head_is_refused_without_hours_of_work),
		TEST(another_passphrase_is_denied),
	};
	int failed;

	words = secret_from("correct horse battery staple");
	failed = cmocka_run_group_tests(tests, NULL, NULL);
	secret_clear(&words);
	return failed;
}
