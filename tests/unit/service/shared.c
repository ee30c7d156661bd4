/* SPDX-License-Identifier: Apache-2.0 */
/* shared.c tests what all use cases of src/service share: cursors, authorization, references, throttles, names of users. */
#include "tests/unit/assert.h"

#include "base/limits.h"
#include "service/internal.h"
#include "service/throttle.h"
#include "service/user.h"

#include <stdio.h>

static struct service rig(const char *key)
{
	return (struct service){ .mac_key = secret_from(key), .clock = &clock_system };
}

static char *cursor_of(const struct service *s, const char *list, const char *filter)
{
	struct list_end end = { 0 };

	cursor_close(s, list, filter, true, INT64_C(1795465321464), "a text", "01JZZZZZZZZZZZZZZZZZZZZZZZ", &end);
	ASSERT_TRUE(end.has_more && end.cursor);
	return end.cursor;
}

static void a_cursor_comes_back_as_it_was(void **state)
{
	struct service s = rig("key");
	_cleanup_free_ char *text = cursor_of(&s, "orders", "1 valid");
	_cleanup_cursor_ struct cursor c = { 0 };
	_cleanup_err_ struct err err = ERR_INIT;

	(void)state;
	ASSERT_OK(cursor_open(&s, "orders", "1 valid", &(struct list_query){ .limit = 7, .cursor = text }, &c, &err), &err);
	ASSERT_INT(c.page.limit, 7);
	ASSERT_TRUE(c.page.started);
	ASSERT_INT(c.page.after_key, INT64_C(1795465321464));
	ASSERT_STR(c.page.after_text, "a text");
	ASSERT_STR(c.page.after_id, "01JZZZZZZZZZZZZZZZZZZZZZZZ");
	secret_clear(&s.mac_key);
}

static void a_cursor_of_another_list_filter_or_server_is_refused(void **state)
{
	struct service s = rig("key"), other = rig("other");
	_cleanup_free_ char *text = cursor_of(&s, "orders", "1 valid");
	const struct {
		struct service *s;
		const char *list, *filter;
	} cases[] = { { &s, "csrs", "1 valid" }, { &s, "orders", "1 invalid" }, { &s, "orders", "" }, { &other, "orders", "1 valid" } };
	_cleanup_err_ struct err err = ERR_INIT;

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		_cleanup_cursor_ struct cursor c = { 0 };

		ASSERT_INT(cursor_open(cases[i].s, cases[i].list, cases[i].filter, &(struct list_query){ .cursor = text }, &c, &err), -ERR_INVALID);
		ASSERT_STR(err.field, "/cursor");
		err_clear(&err);
	}
	secret_clear(&s.mac_key);
	secret_clear(&other.mac_key);
}

static void no_changed_byte_of_a_cursor_is_taken(void **state)
{
	struct service s = rig("key");
	_cleanup_free_ char *text = cursor_of(&s, "orders", "");
	size_t n = strlen(text);
	_cleanup_err_ struct err err = ERR_INIT;

	(void)state;
	for (size_t i = 0; i < n; i++) {
		_cleanup_cursor_ struct cursor c = { 0 };
		char was = text[i];

		text[i] = was == 'A' ? 'B' : 'A';
		ASSERT_FAILS(cursor_open(&s, "orders", "", &(struct list_query){ .cursor = text }, &c, &err), &err, ERR_INVALID);
		text[i] = was;
	}
	for (size_t i = 0; i < n; i++) {
		_cleanup_cursor_ struct cursor c = { 0 };
		_cleanup_free_ char *cut = xstrndup(text, i);

		ASSERT_FAILS(cursor_open(&s, "orders", "", &(struct list_query){ .cursor = cut }, &c, &err), &err, ERR_INVALID);
	}
	secret_clear(&s.mac_key);
}

static void pages_have_their_limits(void **state)
{
	struct service s = rig("key");
	_cleanup_err_ struct err err = ERR_INIT;

	(void)state;
	for (int limit = -1; limit <= LIMIT_API_PAGE + 1; limit++) {
		_cleanup_cursor_ struct cursor c = { 0 };
		int r = cursor_open(&s, "x", "", &(struct list_query){ .limit = limit }, &c, &err);

		ASSERT_INT(r == 0, limit >= 0 && limit <= LIMIT_API_PAGE);
		if (!r)
			ASSERT_INT(c.page.limit, limit ? limit : LIMIT_API_PAGE_DEFAULT);
		err_clear(&err);
	}
	secret_clear(&s.mac_key);
}

static void references_are_ids_or_numbers(void **state)
{
	static const struct {
		const char *ref;
		int64_t num; /* -1 = refused */
	} cases[] = {
		{ "01JZZZZZZZZZZZZZZZZZZZZZZZ", 0 }, { "1", 1 }, { "42", 42 }, { "999999999999", INT64_C(999999999999) },
		{ "9999999999999", -1 }, { "0", -1 }, { "01", -1 }, { "-1", -1 }, { "+1", -1 }, { " 1", -1 }, { "", -1 }, { "x", -1 },
		{ "01jzzzzzzzzzzzzzzzzzzzzzzz", -1 }, { "01JZZZZZZZZZZZZZZZZZZZZZZ", -1 }, { "../1", -1 },
	};
	_cleanup_err_ struct err err = ERR_INIT;

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		int64_t num = -2;
		int r = ref_parse(cases[i].ref, "/id", &num, &err);

		if (cases[i].num < 0) {
			ASSERT_FAILS(r, &err, ERR_INVALID);
		} else {
			ASSERT_OK(r, &err);
			ASSERT_INT(num, cases[i].num);
		}
	}
}

static void authorization_is_the_table_of_roles(void **state)
{
	_cleanup_err_ struct err err = ERR_INIT;

	(void)state;
	for (unsigned p = 0; p < permission_count; p++) {
		struct actor nobody = { 0 }, host = { .kind = ACTOR_HOST };

		ASSERT_INT(service_authorize(&nobody, p, &err), p == PERM_NONE ? 0 : -ERR_UNAUTHENTICATED);
		err_clear(&err);
		ASSERT_OK(service_authorize(&host, p, &err), &err);
		for (unsigned role = 0; role < role_count; role++)
			for (int kind = ACTOR_SESSION; kind <= ACTOR_TOKEN; kind++) {
				for (unsigned rights = 0; rights < BIT(permission_count); rights += BIT(PERM_AUDIT)) {
					struct actor a = { .kind = (enum actor_kind)kind, .role = role, .rights = rights };

					ASSERT_INT(service_authorize(&a, p, &err), may(role, rights, p) ? 0 : -ERR_DENIED);
					err_clear(&err);
				}
			}
	}
}

static void five_failures_then_one_a_minute(void **state)
{
	struct throttle *t = throttle_new(5, MINUTE_MS, 64);
	int64_t now = INT64_C(1795465321464);

	(void)state;
	for (int i = 0; i < 5; i++) {
		ASSERT_INT(throttle_check(t, "ann", now), 0);
		throttle_failed(t, "ann", now);
	}
	ASSERT_INT(throttle_check(t, "ann", now), now + MINUTE_MS);
	ASSERT_INT(throttle_check(t, "bob", now), 0);
	ASSERT_INT(throttle_check(t, "ann", now + MINUTE_MS - 1), now + MINUTE_MS);
	ASSERT_INT(throttle_check(t, "ann", now + MINUTE_MS), 0);
	throttle_failed(t, "ann", now + MINUTE_MS);
	ASSERT_INT(throttle_check(t, "ann", now + MINUTE_MS), now + 2 * MINUTE_MS);
	throttle_forgive(t, "ann");
	ASSERT_INT(throttle_check(t, "ann", now), 0);
	throttle_free(t);
}

static void a_guesser_of_one_account_gets_under_a_hundred_tries_an_hour(void **state)
{
	struct throttle *t = throttle_new(5, MINUTE_MS, 64);
	int64_t now = INT64_C(1795465321464);
	int tried = 0;

	(void)state;
	for (int i = 0; i < 100000; i++) { /* spread over an hour */
		if (!throttle_check(t, "ann", now)) {
			throttle_failed(t, "ann", now);
			tried++;
		}
		now += 36;
	}
	ASSERT_TRUE(tried >= 60 && tried <= 70);
	throttle_free(t);
}

static void throttles_stay_bounded_under_a_flood_of_names(void **state)
{
	struct throttle *t = throttle_new(5, MINUTE_MS, 64);
	int64_t now = INT64_C(1795465321464);

	(void)state;
	for (int i = 0; i < 100000; i++) {
		char name[32];

		snprintf(name, sizeof name, "user%d", i);
		throttle_failed(t, name, now + i);
	}
	throttle_free(t);
}

static void user_names_are_lower_case_and_plain(void **state)
{
	static const char *const good[][2] = { { "Ann", "ann" }, { "a.b-c_d@e+f", "a.b-c_d@e+f" }, { "1", "1" } };
	static const char *const bad[] = { "", "a b", "a\n", "\xc3\xa9", "a/b", "<b>", "a'b",
					   "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa" };
	_cleanup_err_ struct err err = ERR_INIT;

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(good); i++) {
		_cleanup_free_ char *name = NULL;

		ASSERT_OK(user_name_canonical(good[i][0], &name, &err), &err);
		ASSERT_STR(name, good[i][1]);
	}
	for (size_t i = 0; i < ARRAY_SIZE(bad); i++) {
		_cleanup_free_ char *name = NULL;

		ASSERT_FAILS(user_name_canonical(bad[i], &name, &err), &err, ERR_INVALID);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(a_cursor_comes_back_as_it_was),
		TEST(a_cursor_of_another_list_filter_or_server_is_refused),
		TEST(no_changed_byte_of_a_cursor_is_taken),
		TEST(pages_have_their_limits),
		TEST(references_are_ids_or_numbers),
		TEST(authorization_is_the_table_of_roles),
		TEST(five_failures_then_one_a_minute),
		TEST(a_guesser_of_one_account_gets_under_a_hundred_tries_an_hour),
		TEST(throttles_stay_bounded_under_a_flood_of_names),
		TEST(user_names_are_lower_case_and_plain),
	};

	return RUN(tests);
}
