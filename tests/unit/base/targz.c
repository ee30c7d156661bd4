/* SPDX-License-Identifier: Apache-2.0 */
/* An archive of base/targz.h as tar(1) and gzip(1) read it, and what happens when it does not fit. */
#include "tests/unit/assert.h"

#include "base/file.h"
#include "base/targz.h"

#include <spawn.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <sys/wait.h>

#define AT_MS INT64_C(1795743900000)
#define FOLDER "certwright-support"

static void run(const char *const *argv)
{
	int status = -1;
	pid_t pid;

	ASSERT_INT(posix_spawnp(&pid, argv[0], NULL, NULL, (char *const *)(uintptr_t)argv, environ), 0);
	ASSERT_INT(waitpid(pid, &status, 0), pid);
	ASSERT_INT(status, 0);
}

static void write_file(const char *path, const struct buf *b)
{
	FILE *f = fopen(path, "we");

	assert_non_null(f);
	ASSERT_INT(fwrite(buf_text(b), 1, b->n, f), b->n);
	ASSERT_INT(fclose(f), 0);
}

static void assert_file(const char *folder, const char *name, const char *p, size_t n)
{
	_cleanup_free_ char *path = xasprintf("%s/" FOLDER "/%s", folder, name);
	_cleanup_buf_ struct buf text = BUF_MAX(1024 * 1024);
	_cleanup_err_ struct err err = ERR_INIT;
	struct stat st;

	ASSERT_OK(file_read(path, &text, &err), &err);
	ASSERT_INT(text.n, n);
	ASSERT_MEM(buf_text(&text), p, n);
	ASSERT_INT(stat(path, &st), 0);
	ASSERT_INT(st.st_mode & 0777, 0600);
	ASSERT_INT(st.st_mtime, AT_MS / 1000);
	ASSERT_INT(unlink(path), 0);
}

/* Sizes at the edges of a tar block (512) and of a stored block of gzip (65535). */
static void tar_reads_every_file_as_it_was(void **state UNUSED)
{
	static const size_t sizes[] = { 0, 1, 511, 512, 513, 65535, 65536, 200000 };
	_cleanup_buf_ struct buf out = BUF_MAX(1024 * 1024), data = BUF_MAX(256 * 1024);
	_cleanup_err_ struct err err = ERR_INIT;
	struct targz t = { .out = &out, .folder = FOLDER, .at_ms = AT_MS };
	char folder[] = "/tmp/certwright-targz-XXXXXX";
	_cleanup_free_ char *archive = NULL, *inner = NULL;

	for (size_t i = 0; i < 200000; i++)
		buf_add_char(&data, (char)(i * 31 + i / 251));
	for (size_t i = 0; i < ARRAY_SIZE(sizes); i++) {
		_cleanup_free_ char *name = xasprintf("f%zu.txt", i);

		targz_add(&t, name, buf_text(&data), sizes[i]);
	}
	targz_end(&t);
	ASSERT_OK(buf_check(&out, &err), &err);

	assert_non_null(mkdtemp(folder));
	archive = xasprintf("%s/a.tar.gz", folder);
	inner = xasprintf("%s/" FOLDER, folder);
	write_file(archive, &out);
	run((const char *const[]){ "gzip", "-t", archive, NULL });
	run((const char *const[]){ "tar", "-xpzf", archive, "-C", folder, "--no-same-owner", NULL });
	for (size_t i = 0; i < ARRAY_SIZE(sizes); i++) {
		_cleanup_free_ char *name = xasprintf("f%zu.txt", i);

		assert_file(folder, name, buf_text(&data), sizes[i]);
	}
	ASSERT_INT(rmdir(inner), 0);
	ASSERT_INT(unlink(archive), 0);
	ASSERT_INT(rmdir(folder), 0);
}

static void what_does_not_fit_is_an_error_of_the_buffer(void **state UNUSED)
{
	for (size_t max = 0; max < 2048; max += 256) {
		_cleanup_buf_ struct buf out = BUF_MAX(max);
		struct targz t = { .out = &out, .folder = FOLDER, .at_ms = AT_MS };
		struct err err = ERR_INIT;

		targz_add(&t, "a.txt", "some text", 9);
		targz_end(&t);
		ASSERT_FAILS(buf_check(&out, &err), &err, ERR_TOO_LARGE);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(tar_reads_every_file_as_it_was),
		TEST(what_does_not_fit_is_an_error_of_the_buffer),
	};

	return RUN(tests);
}
