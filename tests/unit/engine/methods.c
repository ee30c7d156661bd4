/* SPDX-License-Identifier: Apache-2.0 */
/* methods.c - the table that decides how a name is proved: who comes before whom, and what is refused. */
#include "engine/provider.h"
#include "tests/unit/engine/rig.h"

struct deciding {
	struct methods_request q;
	struct name_methods got;
};

static int decide(struct sql *q, void *arg, struct err *err)
{
	struct deciding *d = arg;

	name_methods_done(&d->got);
	return methods_decide(q, &d->q, &d->got, err);
}

static int add_rule(struct sql *tx, void *arg, struct err *err)
{
	return store_rule_add(tx, arg, err);
}

static void rule(struct rig *r, const char *suffix, const char *vendor, enum validation v, const char *method)
{
	_cleanup_validation_rule_ struct validation_rule x = { .id = xstrdup(ulid_new(r->clock.fake_ms).s), .suffix = xstrdup(suffix),
							       .vendor = xstrdup(vendor), .validation = v, .method = xstrdup(method),
							       .created_ms = r->clock.fake_ms };

	ASSERT_OK(store_write(r->store, add_rule, &x, &r->err), &r->err);
}

static int add_delegation(struct sql *tx, void *arg, struct err *err)
{
	bool made;

	return delegation_intake(tx, arg, &made, err);
}

static void delegate(struct rig *r, const char *name)
{
	_cleanup_(delegation_done) struct delegation d = { .id = xstrdup(ulid_new(r->clock.fake_ms).s), .name = xstrdup(name),
							   .created_ms = r->clock.fake_ms };

	ASSERT_OK(store_write(r->store, add_delegation, &d, &r->err), &r->err);
}

static void the_first_that_says_something_decides(void **state)
{
	static const struct {
		const char *name, *vendor, *order, *own;
		enum validation v;
		const char *method;
		enum method_source by;
	} rows[] = {
		/* name > order > rule > delegation > default */
		{ "a.rule.example", "x", "manual", "delegation", VALIDATION_DNS01, "delegation", METHOD_BY_NAME },
		{ "a.rule.example", "x", "delegation", NULL, VALIDATION_DNS01, "delegation", METHOD_BY_ORDER },
		{ "a.rule.example", "x", NULL, NULL, VALIDATION_DNS01, "manual", METHOD_BY_RULE },
		{ "rule.example", "x", NULL, NULL, VALIDATION_DNS01, "manual", METHOD_BY_RULE },
		{ "*.rule.example", "x", NULL, NULL, VALIDATION_DNS01, "manual", METHOD_BY_RULE },
		{ "myrule.example", "x", NULL, NULL, VALIDATION_DNS01, "manual", METHOD_BY_DEFAULT }, /* an end at a dot only */
		{ "b.deep.rule.example", "x", NULL, NULL, VALIDATION_DNS01, "delegation", METHOD_BY_RULE }, /* the longest suffix */
		{ "a.rule.example", "special", NULL, NULL, VALIDATION_DNS01, "delegation", METHOD_BY_RULE }, /* the vendor's own */
		{ "mine.example", "x", NULL, NULL, VALIDATION_DNS01, "delegation", METHOD_BY_DELEGATION },
		{ "www.mine.example", "x", NULL, NULL, VALIDATION_DNS01, "manual", METHOD_BY_DEFAULT }, /* a delegation is for one name */
		{ "*.mine.example", "x", NULL, NULL, VALIDATION_DNS01, "delegation", METHOD_BY_DELEGATION },
		{ "none.example", "x", NULL, NULL, VALIDATION_DNS01, "manual", METHOD_BY_DEFAULT },
		{ "none.example", "x", NULL, NULL, VALIDATION_HTTP01, "builtin", METHOD_BY_DEFAULT },
		{ "a.rule.example", "x", NULL, NULL, VALIDATION_HTTP01, "builtin", METHOD_BY_DEFAULT }, /* rules are of one validation */
	};
	_cleanup_rig_ struct rig *r = rig_new();

	rule(r, "rule.example", "", VALIDATION_DNS01, "manual");
	rule(r, "rule.example", "special", VALIDATION_DNS01, "delegation");
	rule(r, "deep.rule.example", "", VALIDATION_DNS01, "delegation");
	delegate(r, "mine.example");
	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		_cleanup_name_methods_ struct name_methods own = { 0 };
		_cleanup_strlist_ struct strlist names = { 0 };
		struct deciding d = { .q = { .names = &names, .validation = rows[i].v, .vendor = rows[i].vendor, .order_method = rows[i].order,
					     .chosen = &own, .field_order = "/dns", .field_names = "/methods" } };

		strlist_add(&names, rows[i].name);
		if (rows[i].own)
			name_methods_add(&own, rows[i].name, rows[i].own, METHOD_BY_NAME);
		ASSERT_OK(store_read(r->store, decide, &d, &r->err), &r->err);
		if (!streq(d.got.v[0].method, rows[i].method) || d.got.v[0].by != rows[i].by)
			print_error("row %zu: %s by %s\n", i, d.got.v[0].method, method_source_text(d.got.v[0].by));
		ASSERT_STR(d.got.v[0].method, rows[i].method);
		ASSERT_INT(d.got.v[0].by, rows[i].by);
		name_methods_done(&d.got);
	}
}

static void a_rule_for_every_name_is_the_last_of_the_rules(void **state)
{
	_cleanup_rig_ struct rig *r = rig_new();
	_cleanup_strlist_ struct strlist names = { 0 };
	struct deciding d = { .q = { .names = &names, .validation = VALIDATION_DNS01, .vendor = "x", .field_order = "/dns", .field_names = "/methods" } };

	rule(r, "", "", VALIDATION_DNS01, "delegation");
	rule(r, "hand.example", "", VALIDATION_DNS01, "manual");
	strlist_add(&names, "any.example");
	strlist_add(&names, "x.hand.example");
	ASSERT_OK(store_read(r->store, decide, &d, &r->err), &r->err);
	ASSERT_STR(d.got.v[0].method, "delegation");
	ASSERT_STR(d.got.v[1].method, "manual");
	ASSERT_STR(methods_common(&d.got), METHOD_SEVERAL);
	name_methods_done(&d.got);
}

static void what_cannot_be_meant_is_refused_by_field(void **state)
{
	static const struct { const char *name, *own_name, *own, *second, *order, *field; } rows[] = {
		{ "a.example", "b.example", "manual", NULL, NULL, "/methods" },      /* not in the order */
		{ "a.example", "a.example", "pigeon", NULL, NULL, "/methods" },      /* no such method */
		{ "a.example", NULL, NULL, NULL, "01JD0000000000000000000000", "/dns" }, /* no such provider */
		{ "a.example", "a.example", "builtin", NULL, NULL, "/methods" },     /* not of this validation */
		{ "a.example", "a.example", "manual", "delegation", NULL, "/methods" }, /* a name and its wildcard apart */
	};
	_cleanup_rig_ struct rig *r = rig_new();

	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		_cleanup_name_methods_ struct name_methods own = { 0 };
		_cleanup_strlist_ struct strlist names = { 0 };
		struct deciding d = { .q = { .names = &names, .validation = VALIDATION_DNS01, .vendor = "x", .order_method = rows[i].order,
					     .chosen = &own, .field_order = "/dns", .field_names = "/methods" } };

		strlist_add(&names, rows[i].name);
		if (rows[i].own)
			name_methods_add(&own, rows[i].own_name, rows[i].own, METHOD_BY_NAME);
		if (rows[i].second) {
			strlist_add(&names, "*.a.example");
			name_methods_add(&own, "*.a.example", rows[i].second, METHOD_BY_NAME);
		}
		ASSERT_INT(store_read(r->store, decide, &d, &r->err), -ERR_INVALID);
		ASSERT_STR(r->err.field, rows[i].field);
		err_clear(&r->err);
		name_methods_done(&d.got);
	}
}

static void the_stored_decision_is_read_back_and_a_renewal_keeps_what_was_chosen(void **state)
{
	_cleanup_name_methods_ struct name_methods m = { 0 }, back = { 0 }, kept = { 0 };
	_cleanup_free_ char *text = NULL, *order = NULL;
	struct err err = { 0 };

	name_methods_add(&m, "a.example", "manual", METHOD_BY_NAME);
	name_methods_add(&m, "b.example", "delegation", METHOD_BY_ORDER);
	name_methods_add(&m, "c.example", "manual", METHOD_BY_RULE)->rule_id = xstrdup("R");
	text = name_methods_text(&m);
	ASSERT_OK(name_methods_parse(text, &back, &err), &err);
	ASSERT_INT(back.n, 3);
	ASSERT_STR(name_methods_find(&back, "c.example")->rule_id, "R");
	methods_explicit(&back, &kept, &order);
	ASSERT_INT(kept.n, 1);
	ASSERT_STR(kept.v[0].name, "a.example");
	ASSERT_STR(order, "delegation");
	name_methods_done(&back);
	ASSERT_INT(name_methods_parse("{\"a\":{\"method\":\"x\",\"by\":\"guess\"}}", &back, &err), -ERR_INTERNAL);
	err_clear(&err);
	ASSERT_INT(name_methods_parse("[]", &back, &err), -ERR_INTERNAL);
	err_clear(&err);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(the_first_that_says_something_decides),
		TEST(a_rule_for_every_name_is_the_last_of_the_rules),
		TEST(what_cannot_be_meant_is_refused_by_field),
		TEST(the_stored_decision_is_read_back_and_a_renewal_keeps_what_was_chosen),
	};

	return RUN(tests);
}
