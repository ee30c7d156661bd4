/* SPDX-License-Identifier: Apache-2.0 */
/* outlook.c - waiting until records are seen: the view that the rules choose, not looking at all, and waiting for a person. */
#include "tests/unit/engine/rig.h"

#include <stdio.h>

struct rule {
	struct view_rule *rule;
	struct dns_view *view;
};

static int add_rule(struct sql *tx, void *arg, struct err *err)
{
	struct rule *a = arg;

	if (a->view && store_view_add(tx, a->view, err) < 0)
		return -(int)err->code;
	return store_view_rule_add(tx, a->rule, err);
}

static void rule(struct rig *r, const char *suffix, struct dns_view *view, int64_t wait_s)
{
	struct view_rule x = { .id = xstrdup(ulid_new(r->clock.fake_ms).s), .suffix = xstrdup(suffix), .vendor = xstrdup(""),
			       .view_id = view ? xstrdup(view->id) : NULL, .wait_s = wait_s, .created_ms = r->clock.fake_ms };
	struct rule a = { &x, view };

	ASSERT_OK(store_write(r->store, add_rule, &a, &r->err), &r->err);
	view_rule_done(&x);
}

static struct order_taken by_hand(struct rig *r)
{
	return rig_order(r, &(struct rig_order){ .names = "a.example", .validation = VALIDATION_DNS01, .method = "manual" });
}

static int64_t notices(struct rig *r)
{
	return rig_count(r, "SELECT COUNT(*) FROM notice WHERE kind = 'waiting-for-you' AND ended_ms = 0");
}

static int go_on(struct sql *tx, void *arg, struct err *err)
{
	struct rig *r = arg;
	_cleanup_free_ char *id = rig_text(r, "SELECT id FROM orders");

	return order_want_go_on(tx, id, r->clock.fake_ms, err);
}

/* What a person published: the authority finds it, we do not. */
static void published_out_of_sight(struct rig *r, struct strlist *zone)
{
	_cleanup_free_ char *value = rig_text(r, "SELECT value FROM record");

	strlist_add(zone, value);
	r->zone = zone;
	r->zone_hidden = true;
}

static const char *status(struct rig *r, const struct order_taken *t)
{
	RIG_GET(r, o, t->id);

	return order_status_text(o.status);
}

static void what_each_server_said_stands_at_the_record(void **state)
{
	_cleanup_rig_ struct rig *r = rig_new();
	_cleanup_free_ char *detail = NULL;

	(void)state;
	by_hand(r);
	r->dns_value = "something else";
	rig_run_until(r, r->clock.fake_ms + MINUTE_MS);
	detail = rig_text(r, "SELECT detail FROM record");
	ASSERT_HAS(detail, "\"name\":\"ns1.example\"");
	ASSERT_HAS(detail, "\"state\":\"other\"");
	ASSERT_HAS(detail, "something else");
	r->dns_value = NULL;
}

static void it_goes_on_at_a_persons_word(void **state)
{
	_cleanup_rig_ struct rig *r = rig_new();
	struct order_taken t = by_hand(r);
	_cleanup_strlist_ struct strlist zone = { 0 };

	(void)state;
	rig_run_until(r, r->clock.fake_ms + MINUTE_MS);
	ASSERT_INT(r->ca.accepts, 0);
	published_out_of_sight(r, &zone);
	r->clock.fake_ms += SECOND_MS;
	ASSERT_OK(store_write(r->store, go_on, r, &r->err), &r->err);
	rig_run(r);
	ASSERT_INT(r->ca.accepts, 1);
	ASSERT_STR(status(r, &t), "valid");
	ASSERT_INT(rig_count(r, "SELECT COUNT(*) FROM event WHERE text LIKE 'goes on at a person%'"), 1);
	ASSERT_FAILS(store_write(r->store, go_on, r, &r->err), &r->err, ERR_CONFLICT); /* it does not wait any more */
	r->zone = NULL; /* the person takes it away */
	rig_no_residue(r);
}

static void the_owner_is_told_at_once_at_half_time_and_before_the_end(void **state)
{
	_cleanup_rig_ struct rig *r = rig_new();
	struct order_taken t = by_hand(r);
	int64_t began = r->clock.fake_ms, until, remind;

	(void)state;
	rig_run_until(r, began + MINUTE_MS);
	ASSERT_INT(notices(r), 1);
	{
		RIG_GET(r, o, t.id);

		until = o.give_up_ms;
		ASSERT_TRUE(until > r->clock.fake_ms);
	}
	remind = rig_count(r, "SELECT remind_ms FROM notice");
	ASSERT_TRUE(remind > began && remind < until);
	r->clock.fake_ms = remind;
	rig_run_until(r, remind + 2 * MINUTE_MS);
	ASSERT_INT(notices(r), 1); /* the same one */
	ASSERT_TRUE(rig_count(r, "SELECT remind_ms FROM notice") > remind);
	ASSERT_INT(rig_count(r, "SELECT COUNT(*) FROM event WHERE text LIKE 'still waits for you%'"), 1);
	r->clock.fake_ms = rig_count(r, "SELECT remind_ms FROM notice");
	rig_run_until(r, r->clock.fake_ms + 2 * MINUTE_MS);
	ASSERT_INT(rig_count(r, "SELECT remind_ms FROM notice"), 0);
	ASSERT_INT(rig_count(r, "SELECT COUNT(*) FROM event WHERE text LIKE 'still waits for you%'"), 2);
	rig_delete(r, t.id);
	rig_run(r);
	ASSERT_INT(notices(r), 0);
}

static void the_stages_of_a_wait_are_in_order(void **state)
{
	(void)state;
	ASSERT_INT(person_stage(0, 7 * DAY_MS, DAY_MS), 0);
	ASSERT_INT(person_stage(0, 7 * DAY_MS, 7 * DAY_MS / 2), 1);
	ASSERT_INT(person_stage(0, 7 * DAY_MS, 6 * DAY_MS - 1), 1);
	ASSERT_INT(person_stage(0, 7 * DAY_MS, 6 * DAY_MS), 2);
	ASSERT_INT(person_stage(0, HOUR_MS, HOUR_MS / 2), 1);
	ASSERT_INT(person_stage(0, HOUR_MS, 3 * HOUR_MS / 4), 2);
	ASSERT_INT(person_stage(5, 0, 7), 0);
}

static void a_rule_that_says_do_not_look_asks_nobody(void **state)
{
	_cleanup_rig_ struct rig *r = rig_new();
	struct order_taken t = by_hand(r);
	_cleanup_strlist_ struct strlist zone = { 0 };

	(void)state;
	rule(r, "example", NULL, 30);
	rig_run(r);
	ASSERT_INT(r->looks, 0);
	ASSERT_INT(r->ca.accepts, 0); /* nobody knows when a person has published it */
	published_out_of_sight(r, &zone);
	ASSERT_OK(store_write(r->store, go_on, r, &r->err), &r->err);
	rig_run(r);
	ASSERT_INT(r->looks, 0);
	ASSERT_STR(status(r, &t), "valid");
}

static void a_view_that_cannot_be_used_is_advice_too(void **state)
{
	_cleanup_rig_ struct rig *r = rig_new();
	_cleanup_dns_view_ struct dns_view v = { .id = xstrdup(ulid_new(1).s), .name = xstrdup("broken"), .kind = VIEW_SERVERS,
						 .servers = xstrdup("no address"), .url = xstrdup(""), .created_ms = 1 };
	struct order_taken t = by_hand(r);
	_cleanup_free_ char *detail = NULL;

	(void)state;
	rule(r, "", &v, 0);
	rig_run_until(r, r->clock.fake_ms + MINUTE_MS);
	detail = rig_text(r, "SELECT detail FROM record");
	ASSERT_HAS(detail, "view 'broken' cannot be used");
	{
		RIG_GET(r, o, t.id);

		ASSERT_STR(order_stage_text(order_stage(&o)), "waiting for you");
	}
}

static void nothing_is_asked_before_something_is_published(void **state)
{
	_cleanup_rig_ struct rig *r = rig_new();

	(void)state;
	r->edge_down = true;
	rig_order(r, &(struct rig_order){ .names = "a.example", .validation = VALIDATION_DNS01 });
	rig_run_until(r, r->clock.fake_ms + MINUTE_MS);
	ASSERT_INT(r->looks, 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(what_each_server_said_stands_at_the_record),
		TEST(it_goes_on_at_a_persons_word),
		TEST(the_owner_is_told_at_once_at_half_time_and_before_the_end),
		TEST(the_stages_of_a_wait_are_in_order),
		TEST(a_rule_that_says_do_not_look_asks_nobody),
		TEST(a_view_that_cannot_be_used_is_advice_too),
		TEST(nothing_is_asked_before_something_is_published),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
