/* SPDX-License-Identifier: Apache-2.0 */
/* Samples of the state folder's growth, and of what is kept about a failed start. */
#include "tests/unit/assert.h"

#include "app/disk.h"
#include "app/last_error.h"
#include "base/clock.h"
#include "base/file.h"

#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

struct folder {
	char path[64];
};

static struct folder folder_new(void)
{
	struct folder f = { "/tmp/certwright-disk-XXXXXX" };

	assert_non_null(mkdtemp(f.path));
	return f;
}

static void folder_end(struct folder *f, const char *const *names)
{
	for (; *names; names++) {
		_cleanup_free_ char *path = path_join(f->path, *names);

		(void)unlink(path);
	}
	assert_int_equal(rmdir(f->path), 0);
}

static char *growth_of(const struct folder *f)
{
	_cleanup_free_ char *path = path_join(f->path, "growth");
	_cleanup_buf_ struct buf text = BUF_MAX(64 * 1024);
	_cleanup_err_ struct err err = ERR_INIT;

	ASSERT_OK(file_read(path, &text, &err), &err);
	return buf_take(&text);
}

static size_t lines(const char *text)
{
	size_t n = 0;

	for (; *text; text++)
		n += *text == '\n';
	return n;
}

static void a_sample_a_day_is_kept_for_two_months(void **state UNUSED)
{
	struct folder f = folder_new();
	const int64_t begin = INT64_C(1790000000000);
	_cleanup_free_ char *text = NULL;
	char at[32];
	int64_t rate;

	assert_false(disk_growth(f.path, &rate));
	disk_sample(f.path, begin);
	disk_sample(f.path, begin + HOUR_MS); /* a restart on the same day */
	assert_false(disk_growth(f.path, &rate));
	for (int day = 1; day <= 70; day++)
		disk_sample(f.path, begin + day * DAY_MS);
	text = growth_of(&f);
	assert_int_equal(lines(text), 60);
	snprintf(at, sizeof at, "%" PRId64 " ", begin + 11 * DAY_MS);
	assert_true(str_starts(text, at));
	assert_true(disk_growth(f.path, &rate));
	folder_end(&f, (const char *const[]){ "growth", NULL });
}

static void growth_goes_by_the_oldest_and_the_newest_and_nonsense_is_left_out(void **state UNUSED)
{
	struct folder f = folder_new();
	_cleanup_free_ char *path = path_join(f.path, "growth");
	_cleanup_err_ struct err err = ERR_INIT;
	static const char text[] = "x\n1790000000000 1000 5\n-1 2 3\n1790000000000\n1790086400000 999999 4\n1790172800000 21000 3\nno newline 1 2";
	int64_t rate = 0;

	ASSERT_OK(file_write_atomic(path, text, strlen(text), 0600, &err), &err);
	assert_true(disk_growth(f.path, &rate));
	assert_int_equal(rate, 10000);
	folder_end(&f, (const char *const[]){ "growth", NULL });
}

static void the_clock_may_go_back(void **state UNUSED)
{
	struct folder f = folder_new();
	int64_t rate;

	disk_sample(f.path, INT64_C(1790000000000));
	disk_sample(f.path, INT64_C(1700000000000));
	assert_false(disk_growth(f.path, &rate));
	folder_end(&f, (const char *const[]){ "growth", NULL });
}

static void why_a_start_failed_is_kept_until_one_goes_well(void **state UNUSED)
{
	struct folder f = folder_new();
	_cleanup_err_ struct err err = ERR_INIT;
	_cleanup_free_ char *path = path_join(f.path, "last-error");
	json_t *doc;
	struct stat st;

	assert_null(last_error_read(f.path));
	err_set(&err, ERR_CONFLICT, "could not listen on [::]:53: the port is in use");
	err_hint(&err, "Stop the other one.");
	last_error_keep(f.path, "core", &err);
	assert_int_equal(stat(path, &st), 0);
	assert_int_equal(st.st_mode & 07777, 0600);
	doc = last_error_read(f.path);
	ASSERT_STR(json_string_value(json_object_get(doc, "error")), "could not listen on [::]:53: the port is in use");
	ASSERT_STR(json_string_value(json_object_get(doc, "hint")), "Stop the other one.");
	json_decref(doc);
	last_error_over(f.path);
	assert_null(last_error_read(f.path));
	folder_end(&f, (const char *const[]){ NULL });
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(a_sample_a_day_is_kept_for_two_months),
		TEST(growth_goes_by_the_oldest_and_the_newest_and_nonsense_is_left_out),
		TEST(the_clock_may_go_back),
		TEST(why_a_start_failed_is_kept_until_one_goes_well),
	};

	json_init();
	return RUN(tests);
}
