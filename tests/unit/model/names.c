/* SPDX-License-Identifier: Apache-2.0 */
#include "tests/unit/assert.h"

#include "base/limits.h"
#include "model/certificate.h"
#include "model/order.h"
#include "model/user.h"

static void names_are_canonical_sorted_and_unique(void **state UNUSED)
{
	struct strlist in = { 0 }, out = { 0 };
	struct err err = ERR_INIT;
	char *s;

	strlist_split(&in, "www.Example.com,*.b.example,example.com.,WWW.example.com", ',');
	ASSERT_OK(names_canonical(&in, "/names", &out, &err), &err);
	s = names_text(&out);
	ASSERT_STR(s, "*.b.example\nexample.com\nwww.example.com");
	free(s);
	strlist_clear(&in);
	strlist_clear(&out);
}

static void the_error_points_at_the_name(void **state UNUSED)
{
	static const struct {
		const char *names, *field;
	} rows[] = {
		{ "", "/names" },
		{ "a.example,b_c.example", "/names/1" },
		{ "*.example.com,www.example.com", "/names/1" },
		{ "www.example.com,*.example.com", "/names/0" },
	};
	struct strlist out = { 0 };
	struct err err = ERR_INIT;

	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		struct strlist in = { 0 };
		int r;

		strlist_split(&in, rows[i].names, ',');
		r = names_canonical(&in, "/names", &out, &err);
		ASSERT_STR(err.field, rows[i].field);
		ASSERT_FAILS(r, &err, ERR_INVALID);
		strlist_clear(&in);
	}
	ASSERT_INT(out.n, 0);
}

static void the_limit_of_names_is_exact(void **state UNUSED)
{
	struct strlist in = { 0 }, out = { 0 };
	struct err err = ERR_INIT;
	char *name;

	for (int i = 0; i < LIMIT_NAMES; i++) {
		name = xasprintf("n%d.example", i);
		strlist_add(&in, name);
		free(name);
	}
	ASSERT_OK(names_canonical(&in, "/names", &out, &err), &err);
	strlist_clear(&out);
	strlist_add(&in, "one-more.example");
	ASSERT_FAILS(names_canonical(&in, "/names", &out, &err), &err, ERR_INVALID);
	strlist_clear(&in);
}

static void an_unknown_text_is_no_state(void **state UNUSED)
{
	enum order_status s = ORDER_VALID;

	ASSERT_FALSE(order_status_parse("", &s));
	ASSERT_FALSE(order_status_parse("p", &s));
	ASSERT_FALSE(order_status_parse("pendingx", &s));
	ASSERT_FALSE(order_status_parse(NULL, &s));
	ASSERT_INT(s, ORDER_VALID);
	ASSERT_TRUE(order_status_parse("processing", &s));
	ASSERT_INT(s, ORDER_PROCESSING);
}

static void a_role_may_what_its_row_says(void **state UNUSED)
{
	ASSERT_TRUE(may(ROLE_VIEWER, 0, PERM_VIEW));
	ASSERT_FALSE(may(ROLE_VIEWER, 0, PERM_ORDER));
	ASSERT_TRUE(may(ROLE_OPERATOR, 0, PERM_ORDER));
	ASSERT_FALSE(may(ROLE_OPERATOR, 0, PERM_ACCOUNT));
	ASSERT_TRUE(may(ROLE_ADMIN, 0, PERM_ADMIN));
	for (unsigned p = 0; p < permission_count; p++)
		ASSERT_INT(may(ROLE_PULL, 0, (enum permission)p), p == PERM_NONE || p == PERM_PULL);
	ASSERT_FALSE(may((enum role)role_count, RIGHTS_ALL, PERM_NONE));
	ASSERT_FALSE(may(ROLE_ADMIN, RIGHTS_ALL, (enum permission)permission_count));
}

static void no_role_has_a_right_and_a_right_is_nothing_but_itself(void **state UNUSED)
{
	for (unsigned r = 0; r < role_count; r++)
		for (unsigned p = 0; p < permission_count; p++)
			for (unsigned rights = 0; rights < BIT(permission_count); rights++) {
				bool want = RIGHTS_ALL & BIT(p) ? (rights & BIT(p)) != 0 : may(r, 0, p);

				ASSERT_INT(may(r, rights, p), want);
			}
}

static void rights_come_back_from_their_text(void **state UNUSED)
{
	static const char *const bad[] = { "admin", "audit  revoke", " audit", "Audit", "audit,revoke", "view" };
	unsigned got = 0;

	for (unsigned rights = 0; rights < BIT(permission_count); rights++) {
		char *text = rights_text(rights);

		ASSERT_TRUE(rights_parse(text, &got));
		ASSERT_INT(got, rights & RIGHTS_ALL);
		free(text);
	}
	got = 77;
	for (size_t i = 0; i < ARRAY_SIZE(bad); i++)
		ASSERT_FALSE(rights_parse(bad[i], &got));
	ASSERT_INT(got, 77);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(names_are_canonical_sorted_and_unique),
		TEST(the_error_points_at_the_name),
		TEST(the_limit_of_names_is_exact),
		TEST(an_unknown_text_is_no_state),
		TEST(a_role_may_what_its_row_says),
		TEST(no_role_has_a_right_and_a_right_is_nothing_but_itself),
		TEST(rights_come_back_from_their_text),
	};

	return RUN(tests);
}
