/* SPDX-License-Identifier: Apache-2.0 */
/* Tests of keys/recipient.h, and of archives that are sealed for recipients (keys/archive.h). */
#include "keys/archive.h"
#include "keys/recipient.h"

#include "tests/unit/assert.h"

#include <sys/mman.h>
#include <unistd.h>

#define HEAD (6 + 2 * 112 + 24) /* two recipients */

struct pair {
	struct secret text;
	char *public;
	struct identity identity;
};
static struct pair one, two, other;

static void pair_make(struct pair *p)
{
	_cleanup_err_ struct err err = ERR_INIT;

	ASSERT_OK(recipient_make(&p->text, &p->public, &err), &err);
	ASSERT_OK(identity_parse(&p->text, &p->identity, &err), &err);
}

static int made(void)
{
	int fd = memfd_create("archive", MFD_CLOEXEC);
	const struct recipient to[] = { one.identity.public, two.identity.public };
	_cleanup_archive_ struct archive *a = NULL;
	_cleanup_err_ struct err err = ERR_INIT;

	ASSERT_OK(archive_create_for(fd, to, 2, &a, &err), &err);
	ASSERT_OK(archive_write(a, "what is in it", 13, &err), &err);
	ASSERT_OK(archive_finish(a, &err), &err);
	return fd;
}

static int opened(int fd, const struct identity *with, char **ret_why)
{
	_cleanup_archive_ struct archive *a = NULL;
	_cleanup_err_ struct err err = ERR_INIT;
	char bytes[14] = "";

	(void)lseek(fd, 0, SEEK_SET);
	if (archive_open(fd, &(struct archive_opener){ .identity = with }, &a, &err) < 0 || archive_read(a, bytes, 13, &err) < 0 ||
	    archive_end(a, &err) < 0) {
		replace_str(ret_why, err.detail);
		return -(int)err.code;
	}
	ASSERT_STR(bytes, "what is in it");
	return 0;
}

static void the_two_halves_of_a_pair_belong_together(void **state UNUSED)
{
	_cleanup_err_ struct err err = ERR_INIT;
	_cleanup_free_ char *again = recipient_text(&one.identity.public);
	struct recipient r;

	ASSERT_STR(again, one.public);
	ASSERT_OK(recipient_parse(one.public, &r, &err), &err);
	assert_memory_equal(r.key, one.identity.public.key, RECIPIENT_BYTES);
	assert_string_not_equal(one.public, two.public);
}

static void every_mistyped_letter_is_found(void **state UNUSED)
{
	for (size_t i = 0; one.public[i]; i++) {
		_cleanup_free_ char *text = xstrdup(one.public);
		_cleanup_err_ struct err err = ERR_INIT;
		struct recipient r;

		text[i] = text[i] == 'A' ? 'B' : 'A';
		ASSERT_INT(recipient_parse(text, &r, &err), -ERR_INVALID);
	}
}

static void either_recipient_opens_it_and_nobody_else(void **state UNUSED)
{
	_cleanup_free_ char *why = NULL;
	int fd = made();

	ASSERT_INT(opened(fd, &one.identity, &why), 0);
	ASSERT_INT(opened(fd, &two.identity, &why), 0);
	ASSERT_INT(opened(fd, &other.identity, &why), -ERR_DENIED);
	assert_non_null(strstr(why, one.public));
	assert_non_null(strstr(why, two.public));
	ASSERT_INT(opened(fd, NULL, &why), -ERR_DENIED);
	assert_non_null(strstr(why, "no secret half was given"));
	close(fd);
}

static void any_changed_byte_of_the_head_is_refused(void **state UNUSED)
{
	_cleanup_free_ char *why = NULL;

	for (off_t at = 0; at < HEAD; at++) {
		int fd = made();
		unsigned char byte;

		ASSERT_INT(pread(fd, &byte, 1, at), 1);
		byte ^= 0x10;
		ASSERT_INT(pwrite(fd, &byte, 1, at), 1);
		assert_true(opened(fd, &one.identity, &why) < 0);
		close(fd);
	}
}

static void a_cut_head_is_refused(void **state UNUSED)
{
	_cleanup_free_ char *why = NULL;
	int fd = made();

	for (off_t n = HEAD; n >= 0; n--) {
		ASSERT_INT(ftruncate(fd, n), 0);
		assert_true(opened(fd, &one.identity, &why) < 0);
	}
	close(fd);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(the_two_halves_of_a_pair_belong_together),
		TEST(every_mistyped_letter_is_found),
		TEST(either_recipient_opens_it_and_nobody_else),
		TEST(any_changed_byte_of_the_head_is_refused),
		TEST(a_cut_head_is_refused),
	};
	int failed;

	pair_make(&one);
	pair_make(&two);
	pair_make(&other);
	failed = cmocka_run_group_tests(tests, NULL, NULL);
	secret_clear(&one.text);
	secret_clear(&two.text);
	secret_clear(&other.text);
	free(one.public);
	free(two.public);
	free(other.public);
	return failed;
}
