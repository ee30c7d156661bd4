/* SPDX-License-Identifier: Apache-2.0 */
/* webroot.c - a file where a web server serves it: whole, readable, removed after; never where a link or a token leads elsewhere. */
#include "publish/publisher.h"
#include "tests/unit/assert.h"

#include <fcntl.h>
#include <stdio.h>
#include <sys/stat.h>
#include <unistd.h>

#define TOKEN "DGyRejmCefe7v4NfDGDKfA_0123456789"
#define ANSWER TOKEN ".9jg46WB3rR_AHD-EBXdN7cBkH1WOu0tA3M9fm21mqTI"

struct site {
	char root[64], other[64];
	struct strlist roots;
	struct publish_env env;
	const struct publisher *p;
	void *self;
	struct err err;
};

static void must(int rc)
{
	if (rc < 0)
		perror("webroot");
	assert_true(rc >= 0);
}

static void *open_as(struct site *s, const char *name)
{
	struct field_value v = { .name = "webroot", .text = name };
	void *self = NULL;

	s->p->open(&s->env, &v, 1, &self, &s->err);
	return self;
}

static void begin(struct site *s)
{
	_cleanup_free_ char *entry = NULL;

	*s = (struct site){ .root = "/tmp/certwright-webroot-XXXXXX", .other = "/tmp/certwright-other-XXXXXX", .p = publisher_kind("webroot") };
	assert_non_null(mkdtemp(s->root));
	assert_non_null(mkdtemp(s->other));
	entry = xasprintf("shop=%s", s->root);
	strlist_add(&s->roots, "shopping=/nonexistent");
	strlist_add(&s->roots, entry);
	s->env = (struct publish_env){ .clock = &clock_system, .webroots = &s->roots };
	s->self = open_as(s, "shop");
	ASSERT_TRUE(s->self);
}

static void end(struct site *s)
{
	_cleanup_free_ char *rm = xasprintf("%s/.well-known/acme-challenge/" TOKEN, s->root), *dir = xasprintf("%s/.well-known/acme-challenge", s->root),
		       *up = xasprintf("%s/.well-known", s->root);

	s->p->close(s->self);
	unlink(rm);
	rmdir(dir);
	if (rmdir(up) < 0)
		unlink(up);
	must(rmdir(s->root));
	must(rmdir(s->other));
	strlist_clear(&s->roots);
	err_clear(&s->err);
}
#define _cleanup_site_ __attribute__((cleanup(end)))

static struct challenge_set set_of(const char *token, const char *answer)
{
	struct challenge_set set = { .kind = VALIDATION_HTTP01, .zone = "", .name = "shop.example.com", .token = token };

	strlist_add(&set.values, answer);
	return set;
}

static char *place(const struct site *s, const char *file)
{
	return xasprintf("%s/.well-known/acme-challenge/%s", s->root, file);
}

/* NULL when there is none. */
static char *content(const char *path)
{
	char text[1024];
	FILE *f = fopen(path, "re");
	size_t n;

	if (!f)
		return NULL;
	n = fread(text, 1, sizeof text - 1, f);
	fclose(f);
	return xstrndup(text, n);
}

static void put(const char *path, const char *text)
{
	FILE *f = fopen(path, "we");

	assert_non_null(f);
	fputs(text, f);
	fclose(f);
}

static int publish(struct site *s, const struct challenge_set *set)
{
	return s->p->publish(s->self, &s->env, set, &s->err);
}

static int withdraw(struct site *s, const struct challenge_set *set)
{
	return s->p->withdraw(s->self, &s->env, set, &s->err);
}

static void the_file_is_whole_and_readable_whatever_our_umask_and_goes_again(void **state)
{
	_cleanup_site_ struct site s;
	_cleanup_challenge_set_ struct challenge_set set = set_of(TOKEN, ANSWER);
	_cleanup_free_ char *path = NULL, *left = NULL;
	mode_t old = umask(077);
	struct stat st;

	begin(&s);
	path = place(&s, TOKEN);
	left = place(&s, "." TOKEN ".new");
	for (int i = 0; i < 2; i++) { /* twice is fine */
		_cleanup_free_ char *got = NULL;

		ASSERT_OK(publish(&s, &set), &s.err);
		got = content(path);
		ASSERT_STR(got, ANSWER);
		must(stat(path, &st));
		ASSERT_INT(st.st_mode & 07777, 0644);
		put(left, "half of an answ"); /* of a run that was killed */
	}
	for (int i = 0; i < 2; i++)
		ASSERT_OK(withdraw(&s, &set), &s.err);
	ASSERT_INT(access(path, F_OK), -1);
	ASSERT_INT(access(left, F_OK), -1);
	umask(old);
}

static void withdrawing_what_never_was_makes_nothing(void **state)
{
	_cleanup_site_ struct site s;
	_cleanup_challenge_set_ struct challenge_set set = set_of(TOKEN, ANSWER);
	_cleanup_free_ char *up = NULL;

	begin(&s);
	up = xasprintf("%s/.well-known", s.root);
	ASSERT_OK(withdraw(&s, &set), &s.err);
	ASSERT_INT(access(up, F_OK), -1);
}

static void somebody_elses_answer_for_that_token_stays(void **state)
{
	_cleanup_site_ struct site s;
	_cleanup_challenge_set_ struct challenge_set ours = set_of(TOKEN, ANSWER);
	_cleanup_free_ char *path = NULL, *got = NULL;

	begin(&s);
	path = place(&s, TOKEN);
	ASSERT_OK(publish(&s, &ours), &s.err);
	put(path, TOKEN ".of-another-account");
	ASSERT_OK(withdraw(&s, &ours), &s.err);
	got = content(path);
	ASSERT_STR(got, TOKEN ".of-another-account");
}

static void a_link_in_the_way_is_not_followed(void **state)
{
	_cleanup_challenge_set_ struct challenge_set set = set_of(TOKEN, ANSWER);

	for (int deep = 0; deep < 2; deep++) {
		_cleanup_site_ struct site s;
		_cleanup_free_ char *link = NULL, *elsewhere = NULL, *up = NULL;

		begin(&s);
		up = xasprintf("%s/.well-known", s.root);
		if (deep)
			must(mkdir(up, 0755));
		link = deep ? xasprintf("%s/acme-challenge", up) : xstrdup(up);
		must(symlink(s.other, link));
		ASSERT_INT(publish(&s, &set), -ERR_DENIED);
		ASSERT_HAS(s.err.cause->hint, "links are not followed");
		err_clear(&s.err);
		ASSERT_FAILS(withdraw(&s, &set), &s.err, ERR_DENIED);
		elsewhere = xasprintf("%s/" TOKEN, s.other);
		ASSERT_INT(access(elsewhere, F_OK), -1);
		must(unlink(link));
	}
}

static void a_link_in_place_of_the_file_is_replaced_and_its_target_untouched(void **state)
{
	_cleanup_site_ struct site s;
	_cleanup_challenge_set_ struct challenge_set set = set_of(TOKEN, ANSWER);
	_cleanup_free_ char *path = NULL, *left = NULL, *target = NULL, *kept = NULL, *got = NULL;
	struct stat st;

	begin(&s);
	path = place(&s, TOKEN);
	left = place(&s, "." TOKEN ".new");
	target = xasprintf("%s/precious", s.other);
	put(target, "precious");
	ASSERT_OK(publish(&s, &set), &s.err);
	must(unlink(path));
	must(symlink(target, path));
	must(symlink(target, left));
	ASSERT_OK(publish(&s, &set), &s.err);
	kept = content(target);
	ASSERT_STR(kept, "precious");
	must(lstat(path, &st));
	ASSERT_TRUE(S_ISREG(st.st_mode));
	got = content(path);
	ASSERT_STR(got, ANSWER);
	must(unlink(path));
	must(symlink(target, path));
	withdraw(&s, &set); /* a link is not ours: whatever it says, what it leads to stays */
	err_clear(&s.err);
	free(kept);
	kept = content(target);
	ASSERT_STR(kept, "precious");
	must(unlink(target));
}

static void a_token_that_is_no_file_name_is_refused(void **state)
{
	_cleanup_site_ struct site s;
	char longest[202];
	const char *bad[] = { "", ".", "..", "../x", "a/b", "a.b", "a\nb", "caf\xc3\xa9", "%2e%2e", longest };

	begin(&s);
	memset(longest, 'a', sizeof longest - 1);
	longest[sizeof longest - 1] = '\0';
	for (size_t i = 0; i < ARRAY_SIZE(bad); i++) {
		_cleanup_challenge_set_ struct challenge_set set = set_of(bad[i], ANSWER);

		ASSERT_FAILS(publish(&s, &set), &s.err, ERR_INVALID);
		err_clear(&s.err);
		ASSERT_FAILS(withdraw(&s, &set), &s.err, ERR_INVALID);
		err_clear(&s.err);
	}
}

static void only_a_root_that_the_configuration_names_is_opened(void **state)
{
	static const char *const bad[] = { "", "sho", "shop=", "other", "/etc" };
	_cleanup_site_ struct site s;
	_cleanup_challenge_set_ struct challenge_set set = set_of(TOKEN, ANSWER);
	json_t *seen = NULL;
	void *gone;

	begin(&s);
	for (size_t i = 0; i < ARRAY_SIZE(bad); i++) {
		ASSERT_TRUE(!open_as(&s, bad[i]));
		ASSERT_INT(s.err.code, ERR_INVALID);
		ASSERT_STR(s.err.field, "/fields/webroot");
		err_clear(&s.err);
	}
	ASSERT_OK(s.p->look(s.self, &s.env, &seen, &s.err), &s.err);
	ASSERT_STR(json_string_value(json_object_get(seen, "directory")), s.root);
	json_decref(seen);
	gone = open_as(&s, "shopping"); /* its file system is not mounted: that passes */
	ASSERT_INT(s.p->publish(gone, &s.env, &set, &s.err), -ERR_REMOTE_BUSY);
	ASSERT_HAS(s.err.detail, "shop.example.com");
	s.p->close(gone);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(the_file_is_whole_and_readable_whatever_our_umask_and_goes_again),
		TEST(withdrawing_what_never_was_makes_nothing),
		TEST(somebody_elses_answer_for_that_token_stays),
		TEST(a_link_in_the_way_is_not_followed),
		TEST(a_link_in_place_of_the_file_is_replaced_and_its_target_untouched),
		TEST(a_token_that_is_no_file_name_is_refused),
		TEST(only_a_root_that_the_configuration_names_is_opened),
	};

	return RUN(tests);
}
