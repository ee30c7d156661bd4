/* SPDX-License-Identifier: Apache-2.0 */
/* orders.c - whole orders on a fake clock against the authority of ca.h. */
#include "tests/unit/engine/rig.h"

#include <stdio.h>

static void assert_valid(struct rig *r, const char *id)
{
	RIG_GET(r, o, id);

	if (o.status != ORDER_VALID)
		print_error("order is %s at %s: %s\n", order_status_text(o.status), order_step_text(o.step), o.reason ? o.reason : "-");
	ASSERT_STR(order_status_text(o.status), "valid");
	ASSERT_STR(order_step_text(o.step), "done");
	ASSERT_TRUE(o.certificate_id != NULL);
	ASSERT_TRUE(o.ended_ms > 0);
}

static void an_order_by_dns_ends_valid_and_leaves_nothing(void **state)
{
	_cleanup_rig_ struct rig *r = rig_new();
	struct order_taken t = rig_order(r, &(struct rig_order){ .names = "a.example", .validation = VALIDATION_DNS01 });

	ASSERT_FALSE(t.existing);
	rig_run(r);
	assert_valid(r, t.id);
	rig_no_residue(r);
	ASSERT_INT(r->ca.certificates, 1);
	ASSERT_INT(rig_count(r, "SELECT COUNT(*) FROM version WHERE state = 'current'"), 1);
	ASSERT_INT(rig_count(r, "SELECT COUNT(*) FROM delegation WHERE name = 'a.example'"), 1);
	ASSERT_INT(rig_count(r, "SELECT COUNT(*) FROM feed_item WHERE kind = 'zone' AND live = 1 AND name = '_acme-challenge.a.example'"), 1);
}

static void an_order_by_http_ends_valid_and_leaves_nothing(void **state)
{
	_cleanup_rig_ struct rig *r = rig_new();
	struct order_taken t = rig_order(r, &(struct rig_order){ .names = "a.example", .validation = VALIDATION_HTTP01 });

	rig_run(r);
	assert_valid(r, t.id);
	rig_no_residue(r);
}

static void apex_and_wildcard_share_one_name_with_two_values(void **state)
{
	_cleanup_rig_ struct rig *r = rig_new();
	struct order_taken t = rig_order(r, &(struct rig_order){ .names = "*.a.example a.example b.example", .validation = VALIDATION_DNS01 });

	r->ca.authz_polls = 3;
	r->ca.order_polls = 3;
	rig_run(r);
	assert_valid(r, t.id);
	rig_no_residue(r);
	ASSERT_INT(rig_count(r, "SELECT COUNT(*) FROM record WHERE domain = '_acme-challenge.a.example'"), 2);
}

static void a_certificate_costs_at_most_twelve_transactions(void **state)
{
	_cleanup_rig_ struct rig *r = rig_new();
	char csr[27];
	uint64_t before;

	rig_csr(r, "a.example", KEY_P256, csr);
	r->ca.authz_polls = 1;
	r->ca.order_polls = 1;
	before = r->engine->transactions;
	rig_order(r, &(struct rig_order){ .csr_id = csr, .validation = VALIDATION_DNS01 });
	rig_run_until(r, r->clock.fake_ms + MINUTE_MS);
	ASSERT_INT(r->ca.certificates, 1);
	ASSERT_TRUE(1 + r->engine->transactions - before <= 12);
	ASSERT_TRUE(r->ca.requests <= 12);
}

static void step_by_step_stops_at_ready_and_goes_on_when_told(void **state)
{
	_cleanup_rig_ struct rig *r = rig_new();
	struct order_taken t = rig_order(r, &(struct rig_order){ .names = "a.example", .validation = VALIDATION_DNS01, .mode = MODE_STEP_BY_STEP });
	unsigned requests;

	rig_run(r);
	{
		RIG_GET(r, o, t.id);

		ASSERT_STR(order_status_text(o.status), "ready");
		ASSERT_STR(order_stage_text(order_stage(&o)), "ready to finalize");
		ASSERT_FALSE(o.finalize_sent);
		ASSERT_INT(r->ca.finalizes, 0);
	}
	requests = r->ca.requests;
	rig_run_until(r, r->clock.fake_ms + DAY_MS);
	ASSERT_TRUE(r->ca.requests - requests <= 4); /* it does not poll while it waits for a person; the account is asked about once */
	rig_finalize(r, t.id);
	rig_run(r);
	assert_valid(r, t.id);
	rig_no_residue(r);
}

/* "Not ready" to a finalize that was asked for: it is sent again by itself, nobody has to ask twice. */
static int not_ready_once(struct ca *ca, void *arg, const char *method, const char *path, struct http_response *ret)
{
	int *left = arg;

	(void)method;
	if (!str_starts(path, "/finalize/") || !*left)
		return 0;
	--*left;
	ca_problem(ca, ret, 403, "orderNotReady", "not yet");
	return 1;
}

static int challenge_swallowed(struct ca *ca, void *arg, const char *method, const char *path, struct http_response *ret)
{
	int *left = arg;

	if (!streq(method, "POST") || !str_starts(path, "/chal/") || !*left)
		return 0;
	--*left;
	ca_json(ca, ret, 200, "<html>");
	return 1;
}

/* Something between us and the authority answered in its place: it never heard that it should look. */
static void an_authority_that_never_heard_is_told_again(void **state)
{
	static const char *const names[] = { "a.example", "a.example b.example" };

	for (size_t i = 0; i < ARRAY_SIZE(names); i++) {
		_cleanup_rig_ struct rig *r = rig_new();
		struct order_taken t;
		int left = 1;

		r->ca.hook = challenge_swallowed;
		r->ca.hook_arg = &left;
		t = rig_order(r, &(struct rig_order){ .names = names[i], .validation = VALIDATION_DNS01 });
		rig_run(r);
		ASSERT_INT(left, 0);
		assert_valid(r, t.id);
		rig_no_residue(r);
	}
}

static void step_by_step_a_finalize_that_came_too_early_is_sent_again(void **state)
{
	_cleanup_rig_ struct rig *r = rig_new();
	struct order_taken t = rig_order(r, &(struct rig_order){ .names = "a.example", .validation = VALIDATION_DNS01, .mode = MODE_STEP_BY_STEP });
	int left = 1;

	rig_run(r);
	r->ca.hook = not_ready_once;
	r->ca.hook_arg = &left;
	rig_finalize(r, t.id);
	rig_run(r);
	ASSERT_INT(left, 0);
	assert_valid(r, t.id);
	rig_no_residue(r);
}

struct late {
	const char *id, *holder;
	int64_t now_ms;
};

/* What a worker writes that has met a holder which has gone meanwhile. */
static int wait_late(struct sql *tx, void *arg, struct err *err)
{
	struct late *l = arg;
	_cleanup_order_ struct order o = { 0 };

	if (store_order_get(tx, l->id, &o, err) < 0)
		return -(int)err->code;
	o.step = STEP_QUEUED;
	o.holds_turn = false;
	replace_str(&o.waiting_for, l->holder);
	o.due_ms = l->now_ms + 5 * MINUTE_MS;
	if (store_order_put(tx, &o, LEASE_END, l->now_ms, err) < 0)
		return -(int)err->code;
	return store_order_wake_unheld(tx, l->id, l->now_ms, err);
}

static void an_order_that_begins_to_wait_when_the_turn_has_come_free_starts_at_once(void **state)
{
	_cleanup_rig_ struct rig *r = rig_new();
	struct order_taken a = rig_order(r, &(struct rig_order){ .names = "a.example", .validation = VALIDATION_DNS01, .key_type = "p256" });
	struct order_taken b;
	struct late l = { .holder = a.id };

	rig_run(r);
	assert_valid(r, a.id);
	b = rig_order(r, &(struct rig_order){ .names = "a.example", .validation = VALIDATION_DNS01, .key_type = "p384" });
	l.id = b.id;
	l.now_ms = r->clock.fake_ms;
	ASSERT_OK(store_write(r->store, wait_late, &l, &r->err), &r->err);
	rig_run_until(r, l.now_ms + MINUTE_MS);
	assert_valid(r, b.id);
}

static void an_order_nobody_finalizes_is_given_up_when_the_ca_forgets_it(void **state)
{
	_cleanup_rig_ struct rig *r = rig_new();
	struct order_taken t = rig_order(r, &(struct rig_order){ .names = "a.example", .validation = VALIDATION_DNS01, .mode = MODE_STEP_BY_STEP });

	rig_run_until(r, r->clock.fake_ms + 8 * DAY_MS);
	{
		RIG_GET(r, o, t.id);

		ASSERT_STR(order_status_text(o.status), "invalid");
		ASSERT_HAS(o.reason, "not finalized in time");
	}
	rig_no_residue(r);
}

static void the_same_request_gets_the_live_order(void **state)
{
	_cleanup_rig_ struct rig *r = rig_new();
	struct rig_order q = { .names = "a.example", .validation = VALIDATION_DNS01, .mode = MODE_STEP_BY_STEP };
	struct order_taken a = rig_order(r, &q), b = rig_order(r, &q), c;

	ASSERT_TRUE(b.existing);
	ASSERT_STR(a.id, b.id);
	rig_delete(r, a.id);
	rig_run(r);
	c = rig_order(r, &q);
	ASSERT_FALSE(c.existing);
}

static void the_same_names_with_another_csr_wait_their_turn_and_start_by_themselves(void **state)
{
	_cleanup_rig_ struct rig *r = rig_new();
	struct order_taken a = rig_order(r, &(struct rig_order){ .names = "a.example", .validation = VALIDATION_DNS01, .key_type = "p256" });
	struct order_taken b = rig_order(r, &(struct rig_order){ .names = "a.example", .validation = VALIDATION_DNS01, .key_type = "rsa2048" });

	ASSERT_FALSE(b.existing);
	{
		RIG_GET(r, o, b.id);

		ASSERT_STR(order_stage_text(order_stage(&o)), "waiting for another order");
		ASSERT_STR(o.waiting_for, a.id);
	}
	rig_run(r);
	assert_valid(r, a.id);
	assert_valid(r, b.id);
	rig_no_residue(r);
	ASSERT_INT(r->ca.certificates, 2);
	ASSERT_INT(rig_count(r, "SELECT COUNT(DISTINCT key_type) FROM version WHERE state = 'current'"), 2);
	ASSERT_INT(rig_count(r, "SELECT COUNT(*) FROM version v JOIN csr c ON c.public_hash = v.public_hash"), 2);
}

static bool not_b(void *arg, const char *type, const char *name, const char *token, const char *value)
{
	(void)arg, (void)type, (void)token, (void)value;
	return !streq(name, "_acme-challenge.b.example");
}

static void a_name_that_cannot_be_proved_ends_with_the_cas_own_words(void **state)
{
	_cleanup_rig_ struct rig *r = rig_new();
	struct order_taken t;

	t = rig_order(r, &(struct rig_order){ .names = "a.example b.example", .validation = VALIDATION_DNS01 });
	r->ca.published = not_b;
	rig_run(r);
	{
		RIG_GET(r, o, t.id);

		ASSERT_STR(order_status_text(o.status), "invalid");
		ASSERT_HAS(o.reason, "No dns-01 record found for b.example");
	}
	rig_no_residue(r);
	ASSERT_INT(r->ca.certificates, 0);
}

static void proved_names_are_not_published_again(void **state)
{
	_cleanup_rig_ struct rig *r = rig_new();
	struct order_taken t = rig_order(r, &(struct rig_order){ .names = "a.example", .validation = VALIDATION_DNS01 });

	r->ca.reuse_valid = true;
	rig_run(r);
	assert_valid(r, t.id);
	ASSERT_INT(rig_count(r, "SELECT COUNT(*) FROM record"), 0);
	ASSERT_INT(r->ca.accepts, 0);
}

static void a_deleted_order_is_cancelled_and_gives_its_authorizations_back(void **state)
{
	_cleanup_rig_ struct rig *r = rig_new();
	struct order_taken t = rig_order(r, &(struct rig_order){ .names = "a.example", .validation = VALIDATION_DNS01, .method = "manual" });

	rig_run(r);
	rig_delete(r, t.id);
	rig_run(r);
	{
		RIG_GET(r, o, t.id);

		ASSERT_STR(order_status_text(o.status), "invalid");
		ASSERT_HAS(o.reason, "cancelled");
	}
	ASSERT_INT(r->ca.deactivations, 1);
	rig_no_residue(r);
}

static void by_hand_it_waits_until_all_servers_have_the_value(void **state)
{
	_cleanup_rig_ struct rig *r = rig_new();
	struct order_taken t = rig_order(r, &(struct rig_order){ .names = "a.example", .validation = VALIDATION_DNS01, .method = "manual" });
	_cleanup_free_ char *value = NULL;

	rig_run(r);
	{
		RIG_GET(r, o, t.id);

		ASSERT_STR(order_stage_text(order_stage(&o)), "waiting for you");
		ASSERT_INT(r->ca.accepts, 0);
		ASSERT_TRUE(r->looks > 10);
	}
	value = rig_text(r, "SELECT value FROM record");
	r->dns_value = value;
	rig_run(r);
	assert_valid(r, t.id);
	rig_no_residue(r);
	r->dns_value = NULL;
}

static void without_edge_it_waits_and_goes_on_when_edge_is_back(void **state)
{
	_cleanup_rig_ struct rig *r = rig_new();
	struct order_taken t = rig_order(r, &(struct rig_order){ .names = "a.example", .validation = VALIDATION_DNS01 });

	r->edge_down = true;
	rig_run_until(r, r->clock.fake_ms + MINUTE_MS);
	ASSERT_INT(r->ca.accepts, 0);
	{
		RIG_GET(r, o, t.id);

		ASSERT_STR(order_step_text(o.step), "publish");
		ASSERT_HAS(o.reason, "edge is not connected");
	}
	r->edge_down = false;
	rig_run_until(r, r->clock.fake_ms + MINUTE_MS);
	assert_valid(r, t.id);
}

static int others_publish(struct sql *tx, void *arg, struct err *err)
{
	char value[32];

	for (int i = 0; i < LIMIT_TXT_VALUES; i++) {
		snprintf(value, sizeof value, "of another order %d", i);
		if (store_feed_item_put(tx, EDGE_TXT, "_acme-challenge.a.example", value, 5, *(int64_t *)arg, NULL, err) < 0)
			return -(int)err->code;
	}
	return 0;
}

static int one_withdraws(struct sql *tx, void *arg, struct err *err)
{
	return store_feed_item_del(tx, EDGE_TXT, "_acme-challenge.a.example", "of another order 7", *(int64_t *)arg, NULL, err);
}

static void an_order_whose_value_does_not_fit_into_the_answer_waits_and_says_so(void **state)
{
	_cleanup_rig_ struct rig *r = rig_new();
	struct order_taken t;

	ASSERT_OK(store_write(r->store, others_publish, &r->clock.fake_ms, &r->err), &r->err);
	t = rig_order(r, &(struct rig_order){ .names = "a.example", .validation = VALIDATION_DNS01 });
	rig_run_until(r, r->clock.fake_ms + 5 * MINUTE_MS);
	{
		RIG_GET(r, o, t.id);

		ASSERT_STR(order_step_text(o.step), "publish");
		ASSERT_HAS(o.reason, "250 values of other orders are at '_acme-challenge.a.example' already");
		ASSERT_INT(r->ca.accepts, 0);
	}
	ASSERT_OK(store_write(r->store, one_withdraws, &r->clock.fake_ms, &r->err), &r->err);
	rig_run(r);
	assert_valid(r, t.id);
}

static void another_certificate_than_ordered_is_kept_as_evidence_and_set_aside(void **state)
{
	static const char *const wrong[] = { "key", "names" };

	for (size_t i = 0; i < 2; i++) {
		_cleanup_rig_ struct rig *r = rig_new();
		struct order_taken t = rig_order(r, &(struct rig_order){ .names = "a.example", .validation = VALIDATION_DNS01 });

		r->ca.wrong_key = wrong[i];
		rig_run_until(r, r->clock.fake_ms + 30 * DAY_MS);
		{
			RIG_GET(r, o, t.id);

			ASSERT_STR(order_status_text(o.status), "invalid");
			ASSERT_STR(order_stage_text(order_stage(&o)), "set aside");
		}
		ASSERT_INT(rig_count(r, "SELECT COUNT(*) FROM version WHERE state = 'evidence'"), 1);
		ASSERT_INT(rig_count(r, "SELECT COUNT(*) FROM version WHERE state = 'current'"), 0);
		ASSERT_INT(rig_count(r, "SELECT COUNT(*) FROM certificate WHERE status = 'set-aside'"), 1);
		ASSERT_INT(r->ca.certificates, 1); /* never ordered anew by itself */
		rig_no_residue(r);
	}
}

static void a_hundred_orders_end_valid(void **state)
{
	_cleanup_rig_ struct rig *r = rig_new();

	for (int i = 0; i < 100; i++) {
		char name[64];

		snprintf(name, sizeof name, "n%d.example", i);
		rig_order(r, &(struct rig_order){ .names = name, .validation = i % 2 ? VALIDATION_DNS01 : VALIDATION_HTTP01 });
	}
	rig_run(r);
	ASSERT_INT(rig_count(r, "SELECT COUNT(*) FROM orders WHERE status = 'valid'"), 100);
	ASSERT_INT(r->ca.certificates, 100);
	rig_no_residue(r);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(an_order_by_dns_ends_valid_and_leaves_nothing),
		TEST(an_order_by_http_ends_valid_and_leaves_nothing),
		TEST(apex_and_wildcard_share_one_name_with_two_values),
		TEST(a_certificate_costs_at_most_twelve_transactions),
		TEST(step_by_step_stops_at_ready_and_goes_on_when_told),
		TEST(an_authority_that_never_heard_is_told_again),
		TEST(step_by_step_a_finalize_that_came_too_early_is_sent_again),
		TEST(an_order_that_begins_to_wait_when_the_turn_has_come_free_starts_at_once),
		TEST(an_order_nobody_finalizes_is_given_up_when_the_ca_forgets_it),
		TEST(the_same_request_gets_the_live_order),
		TEST(the_same_names_with_another_csr_wait_their_turn_and_start_by_themselves),
		TEST(a_name_that_cannot_be_proved_ends_with_the_cas_own_words),
		TEST(proved_names_are_not_published_again),
		TEST(a_deleted_order_is_cancelled_and_gives_its_authorizations_back),
		TEST(by_hand_it_waits_until_all_servers_have_the_value),
		TEST(without_edge_it_waits_and_goes_on_when_edge_is_back),
		TEST(an_order_whose_value_does_not_fit_into_the_answer_waits_and_says_so),
		TEST(another_certificate_than_ordered_is_kept_as_evidence_and_set_aside),
		TEST(a_hundred_orders_end_valid),
	};

	return RUN(tests);
}
