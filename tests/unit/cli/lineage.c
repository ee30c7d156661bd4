/* SPDX-License-Identifier: Apache-2.0 */
/* lineage.c - certbot's layout on disk: what stands there after each switch, and what a file system that lacks something leaves standing. */
#include "cli/lineage.h"

#include "base/file.h"
#include "tests/unit/assert.h"

#include <errno.h>
#include <fcntl.h>
#include <ftw.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

static int refuse_with; /* what renameat2 fails with, 0 = it works */

int __real_renameat2(int old_fd, const char *old, int new_fd, const char *new, unsigned flags);
int __wrap_renameat2(int old_fd, const char *old, int new_fd, const char *new, unsigned flags);

int __wrap_renameat2(int old_fd, const char *old, int new_fd, const char *new, unsigned flags)
{
	if (!refuse_with)
		return __real_renameat2(old_fd, old, new_fd, new, flags);
	errno = refuse_with;
	return -1;
}

struct place {
	char dir[64];
	struct lineage l;
	int lock;
};

static void place_new(struct place *p)
{
	struct err err = ERR_INIT;

	snprintf(p->dir, sizeof p->dir, "/tmp/certwright-lineage-XXXXXX");
	assert_non_null(mkdtemp(p->dir));
	p->l = (struct lineage){ .dir = p->dir, .name = "shop.example" };
	p->lock = -1;
	refuse_with = 0;
	ASSERT_OK(lineage_lock(&p->l, &p->lock, &err), &err);
}

static int drop(const char *path, const struct stat *st, int kind, struct FTW *at)
{
	return remove(path);
}

static void place_done(struct place *p)
{
	close(p->lock);
	assert_int_equal(nftw(p->dir, drop, 8, FTW_DEPTH | FTW_PHYS), 0);
}
#define _cleanup_place_ __attribute__((cleanup(place_done)))

static int put(struct place *p, const char *what, const char *etag, bool owe, int64_t *ret_number, struct err *err)
{
	_cleanup_free_ char *cert = xasprintf("cert %s\n", what), *chain = xasprintf("chain %s\n", what), *full = xasprintf("full %s\n", what),
			    *key = xasprintf("key %s\n", what);
	struct lineage_files files = { .cert = STR(cert), .chain = STR(chain), .fullchain = STR(full), .privkey = STR(key) };

	return lineage_switch(&p->l, &files, "https://server/certificates/7", etag, owe, ret_number, err);
}

static void holds(struct place *p, const char *file, const char *text)
{
	_cleanup_free_ char *path = xasprintf("%s/%s", p->dir, file);
	_cleanup_buf_ struct buf b = BUF_MAX(4096);
	struct err err = ERR_INIT;

	ASSERT_OK(file_read(path, &b, &err), &err);
	ASSERT_STR(buf_text(&b), text);
}

static bool there(struct place *p, const char *file)
{
	_cleanup_free_ char *path = xasprintf("%s/%s", p->dir, file);
	struct stat st;

	return lstat(path, &st) == 0;
}

static void all_four_are(struct place *p, const char *what)
{
	static const struct {
		const char *file, *word;
	} files[] = { { "cert", "cert" }, { "chain", "chain" }, { "fullchain", "full" }, { "privkey", "key" } };

	for (size_t i = 0; i < ARRAY_SIZE(files); i++) {
		_cleanup_free_ char *file = xasprintf("live/shop.example/%s.pem", files[i].file), *text = xasprintf("%s %s\n", files[i].word, what);

		holds(p, file, text);
	}
}

static void each_switch_is_a_number_more_and_all_four_change(void **state)
{
	_cleanup_place_ struct place p;
	_cleanup_lineage_state_ struct lineage_state s = { 0 };
	struct err err = ERR_INIT;
	struct stat st;
	int64_t n = 0;
	_cleanup_free_ char *key = NULL;

	place_new(&p);
	ASSERT_OK(put(&p, "one", "\"e1\"", false, &n, &err), &err);
	ASSERT_INT(n, 1);
	all_four_are(&p, "one");
	key = xasprintf("%s/archive/shop.example/privkey1.pem", p.dir);
	assert_int_equal(stat(key, &st), 0);
	ASSERT_INT(st.st_mode & 0777, 0600);
	ASSERT_OK(put(&p, "two", "\"e2\"", true, &n, &err), &err);
	ASSERT_INT(n, 2);
	all_four_are(&p, "two");
	holds(&p, "archive/shop.example/cert1.pem", "cert one\n"); /* what there was stays */
	ASSERT_OK(lineage_read(&p.l, &s, &err), &err);
	ASSERT_TRUE(s.there && s.ours && s.owed);
	ASSERT_STR(s.etag, "\"e2\"");
	ASSERT_OK(lineage_reloaded(&p.l, &err), &err);
	lineage_state_done(&s);
	ASSERT_OK(lineage_read(&p.l, &s, &err), &err);
	ASSERT_FALSE(s.owed);
	ASSERT_TRUE(there(&p, "renewal/shop.example.conf"));
}

static void without_an_exchange_the_old_four_stay_and_a_sentence_says_so(void **state)
{
	static const int errors[] = { EINVAL, ENOSYS, EOPNOTSUPP };

	for (size_t i = 0; i < ARRAY_SIZE(errors); i++) {
		_cleanup_place_ struct place p;
		_cleanup_lineage_state_ struct lineage_state s = { 0 };
		struct err err = ERR_INIT;
		int64_t n = 0;

		place_new(&p);
		refuse_with = errors[i];
		ASSERT_OK(put(&p, "one", "\"e1\"", false, &n, &err), &err); /* an empty place needs no exchange */
		all_four_are(&p, "one");
		ASSERT_INT(put(&p, "two", "\"e2\"", true, &n, &err), -ERR_CONFLICT);
		assert_non_null(strstr(err.detail, "cannot exchange two folders in one step"));
		assert_non_null(strstr(err.hint, "The old certificate stays in use."));
		err_clear(&err);
		all_four_are(&p, "one");

		/* the next run sweeps what lies about, and on another file system goes on */
		refuse_with = 0;
		ASSERT_OK(lineage_read(&p.l, &s, &err), &err);
		ASSERT_STR(s.etag, "\"e1\"");
		ASSERT_FALSE(s.owed);
		ASSERT_FALSE(there(&p, "live/.shop.example.certwright-new"));
		ASSERT_OK(put(&p, "two", "\"e2\"", true, &n, &err), &err);
		all_four_are(&p, "two");
	}
}

static void a_disk_error_at_the_switch_is_said_and_the_old_four_stay(void **state)
{
	_cleanup_place_ struct place p;
	struct err err = ERR_INIT;
	int64_t n = 0;

	place_new(&p);
	ASSERT_OK(put(&p, "one", "\"e1\"", false, &n, &err), &err);
	refuse_with = EIO;
	ASSERT_FAILS(put(&p, "two", "\"e2\"", true, &n, &err), &err, ERR_INVALID);
	all_four_are(&p, "one");
}

static void the_archive_keeps_as_many_as_it_is_told(void **state)
{
	_cleanup_place_ struct place p;
	struct err err = ERR_INIT;
	int64_t n = 0;

	place_new(&p);
	p.l.keep = 2;
	for (int i = 0; i < 4; i++)
		ASSERT_OK(put(&p, i == 3 ? "last" : "some", "\"e\"", false, &n, &err), &err);
	ASSERT_FALSE(there(&p, "archive/shop.example/privkey2.pem"));
	ASSERT_TRUE(there(&p, "archive/shop.example/privkey3.pem"));
	all_four_are(&p, "last");
}

static void one_run_at_a_time_and_only_names_that_are_folders(void **state)
{
	_cleanup_place_ struct place p;
	struct err err = ERR_INIT;
	char *name = NULL;
	int second = -1;

	place_new(&p);
	ASSERT_FAILS(lineage_lock(&p.l, &second, &err), &err, ERR_BUSY);
	ASSERT_OK(lineage_name("*.example.com", &name, &err), &err);
	ASSERT_STR(name, "example.com");
	free(name);
	for (size_t i = 0; i < 5; i++)
		ASSERT_FAILS(lineage_name(((const char *[]){ "", ".hidden", "../up", "a/b", "-rf" })[i], &name, &err), &err, ERR_INVALID);
}

static void what_certbot_renews_itself_is_left_alone(void **state)
{
	_cleanup_place_ struct place p;
	_cleanup_free_ char *path = NULL;
	struct err err = ERR_INIT;
	int64_t n = 0;

	place_new(&p);
	ASSERT_OK(put(&p, "one", "\"e1\"", false, &n, &err), &err);
	ASSERT_OK(lineage_certbot_is_off(&p.l, &err), &err);
	path = xasprintf("%s/renewal/shop.example.conf", p.dir);
	assert_int_equal(unlink(path), 0);
	ASSERT_OK(file_create(path, "version = 2.1.0\n", 16, 0644, &err), &err);
	ASSERT_FAILS(lineage_certbot_is_off(&p.l, &err), &err, ERR_CONFLICT);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(each_switch_is_a_number_more_and_all_four_change),
		TEST(without_an_exchange_the_old_four_stay_and_a_sentence_says_so),
		TEST(a_disk_error_at_the_switch_is_said_and_the_old_four_stay),
		TEST(the_archive_keeps_as_many_as_it_is_told),
		TEST(one_run_at_a_time_and_only_names_that_are_folders),
		TEST(what_certbot_renews_itself_is_left_alone),
	};

	return RUN(tests);
}
