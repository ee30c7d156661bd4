/* SPDX-License-Identifier: Apache-2.0 */
/*
 * stuck.c - authorities that contradict themselves, for a while or for ever. However they do it: what is asked of them stays bounded,
 * an order either goes on or says why it waits, and it ends.
 */
#include "tests/unit/engine/rig.h"

#include <stdio.h>

/* What the authority does, how often (-1: always), and what was asked of it meanwhile. */
struct odd {
	const char *path;
	int times, status;
	const char *type; /* of a problem; NULL: an empty body */
	const char *say;  /* an order that says this status instead of its own */
	unsigned met;
};

static int odd(struct ca *ca, void *arg, const char *method, const char *path, struct http_response *ret)
{
	struct odd *o = arg;

	if (!str_starts(path, o->path) || !streq(method, "POST") || !o->times)
		return 0;
	if (o->times > 0)
		o->times--;
	o->met++;
	if (o->type) {
		ca_problem(ca, ret, o->status, o->type, "said so");
	} else if (o->say) {
		const char *i = strrchr(path, '/');
		_cleanup_free_ char *text = xasprintf("{\"status\":\"%s\",\"expires\":\"2036-01-01T00:00:00Z\",\"identifiers\":[{\"type\":\"dns\",\"value\":\"a.example\"}],"
						      "\"authorizations\":[\"" CA_URL "/authz/0\"],\"finalize\":\"" CA_URL "/finalize%s\"}", o->say, i);

		ca_json(ca, ret, 200, text);
	} else {
		ca_json(ca, ret, o->status, "");
	}
	return 1;
}

static struct rig *odd_rig(struct odd *o, struct order_taken *ret)
{
	struct rig *r = rig_new();

	r->ca.hook = odd;
	r->ca.hook_arg = o;
	*ret = rig_order(r, &(struct rig_order){ .names = "a.example", .validation = VALIDATION_DNS01 });
	return r;
}

static void assert_status(struct rig *r, const char *id, const char *status)
{
	RIG_GET(r, o, id);

	if (!streq(order_status_text(o.status), status))
		print_error("%s at %s: %s\n", order_status_text(o.status), order_step_text(o.step), o.reason ? o.reason : "-");
	ASSERT_STR(order_status_text(o.status), status);
}

/* Without walking through every look in between: its patience is a stored instant. */
static void in_ten_days(struct rig *r)
{
	r->clock.fake_ms += 10 * DAY_MS;
	rig_run(r);
}

static void ready_to_those_who_look_and_not_ready_to_those_who_finalize_is_tried_ever_more_seldom(void **state)
{
	struct odd o = { .path = "/finalize/", .times = -1, .status = 403, .type = "orderNotReady" };
	struct order_taken t;
	_cleanup_rig_ struct rig *r = odd_rig(&o, &t);

	rig_run(r);
	ASSERT_TRUE(o.met >= 5 && o.met <= 10);
	ASSERT_TRUE(r->ca.requests < 40);
	{
		RIG_GET(r, now, t.id);

		ASSERT_HAS(now.reason, "refuses to finalize it");
		ASSERT_TRUE(now.due_ms > r->clock.fake_ms);
	}
	rig_run_until(r, r->clock.fake_ms + 9 * DAY_MS);
	assert_status(r, t.id, "invalid");
	ASSERT_TRUE(o.met <= 25);
	rig_no_residue(r);
}

static void not_ready_a_few_times_costs_seconds(void **state)
{
	struct odd o = { .path = "/finalize/", .times = 3, .status = 403, .type = "orderNotReady" };
	struct order_taken t;
	_cleanup_rig_ struct rig *r = odd_rig(&o, &t);

	rig_run_until(r, r->clock.fake_ms + 10 * SECOND_MS);
	assert_status(r, t.id, "valid");
	ASSERT_INT(r->ca.certificates, 1);
}

static void a_finalize_that_is_answered_ready_for_ever_ends_within_its_patience(void **state)
{
	struct odd o = { .path = "/finalize/", .times = -1, .say = "ready" };
	struct order_taken t;
	_cleanup_rig_ struct rig *r = odd_rig(&o, &t);
	unsigned first;

	rig_run(r);
	first = o.met;
	ASSERT_TRUE(first >= 4 && first <= 8);
	ASSERT_TRUE(rig_count(r, "SELECT COUNT(*) FROM event WHERE text LIKE '%still calls the order ready%'") >= 3);
	o.times = 0;
	rig_run_until(r, r->clock.fake_ms + 5 * HOUR_MS);
	assert_status(r, t.id, "valid"); /* whenever it comes to its senses */
	ASSERT_INT(r->ca.certificates, 1);
}

static void a_finalize_that_is_never_taken_ends_the_order_with_a_reason(void **state)
{
	struct odd o = { .path = "/finalize/", .times = -1, .say = "ready" };
	struct order_taken t;
	_cleanup_rig_ struct rig *r = odd_rig(&o, &t);

	rig_run(r);
	{
		RIG_GET(r, now, t.id);

		ASSERT_TRUE(now.give_up_ms <= now.created_ms + 7 * DAY_MS + MINUTE_MS); /* not seven days from the last round */
	}
	in_ten_days(r);
	assert_status(r, t.id, "invalid");
	ASSERT_TRUE(o.met <= 20);
	{
		RIG_GET(r, now, t.id);

		ASSERT_HAS(now.reason, "gave up");
	}
	rig_no_residue(r);
}

static void a_finalize_answered_with_nothing_is_sent_again_within_half_a_minute(void **state)
{
	struct odd o = { .path = "/finalize/", .times = 1, .status = 204 };
	struct order_taken t;
	_cleanup_rig_ struct rig *r = odd_rig(&o, &t);

	rig_run_until(r, r->clock.fake_ms + 30 * SECOND_MS);
	assert_status(r, t.id, "valid");
	ASSERT_INT(rig_count(r, "SELECT COUNT(*) FROM event WHERE text LIKE '%still calls the order ready%'"), 1);
	ASSERT_INT(r->ca.certificates, 1);
}

/* Ready when asked once, pending when asked again: each look leads somewhere else, none of them fast. */
static int flaps(struct ca *ca, void *arg, const char *method, const char *path, struct http_response *ret)
{
	struct odd *o = arg;

	if (str_starts(path, "/finalize/")) {
		ca_problem(ca, ret, 403, "orderNotReady", "not yet");
		o->met++;
		return 1;
	}
	if (!str_starts(path, "/order/"))
		return 0;
	o->say = o->say && streq(o->say, "ready") ? "pending" : "ready";
	o->path = "/order/";
	o->times = 1;
	return odd(ca, o, method, path, ret);
}

static void an_order_that_flaps_between_ready_and_pending_is_no_reason_for_a_storm(void **state)
{
	struct odd o = { .path = "/none/" };
	struct order_taken t;
	_cleanup_rig_ struct rig *r = odd_rig(&o, &t);

	r->ca.hook = flaps;
	rig_run_until(r, r->clock.fake_ms + 10 * MINUTE_MS);
	ASSERT_TRUE(r->ca.requests < 80);
	in_ten_days(r);
	assert_status(r, t.id, "invalid");
	rig_no_residue(r);
}

static void pending_though_all_is_proved_tells_a_person_and_ends(void **state)
{
	struct odd o = { .path = "/none/" };
	struct order_taken t;
	_cleanup_rig_ struct rig *r = odd_rig(&o, &t);

	r->ca.never_ready = true;
	rig_run(r);
	ASSERT_TRUE(rig_count(r, "SELECT COUNT(*) FROM event WHERE text LIKE '%pending although all names were proved%'") >= 3);
	in_ten_days(r);
	assert_status(r, t.id, "invalid");
	ASSERT_TRUE(rig_count(r, "SELECT COUNT(*) FROM event WHERE text LIKE '%pending although all names were proved%'") < 60);
	rig_no_residue(r);
}

static void pending_until_its_authorization_is_proved_once_more_goes_on(void **state)
{
	struct odd o = { .path = "/none/" };
	struct order_taken t;
	_cleanup_rig_ struct rig *r = odd_rig(&o, &t);

	r->ca.never_ready = true;
	rig_run_until(r, r->clock.fake_ms + 30 * SECOND_MS);
	/* it has forgotten the proof */
	r->ca.authzs[0].status = r->ca.authzs[0].challenge_status = "pending";
	r->ca.never_ready = false;
	rig_run_until(r, r->clock.fake_ms + 10 * MINUTE_MS);
	assert_status(r, t.id, "valid");
	ASSERT_INT(r->ca.certificates, 1);
	rig_no_residue(r);
}

/* ---- a certificate that exists is not given up ---- */

static void a_certificate_is_asked_for_again_whatever_the_refusal(void **state)
{
	static const struct { const char *path; int status; const char *type; } rows[] = {
		{ "/cert/", 404, "malformed" }, { "/cert/", 403, "unauthorized" }, { "/cert/", 400, "malformed" }, { "/cert/", 410, "malformed" },
	};

	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		struct odd o = { .path = rows[i].path, .times = 4, .status = rows[i].status, .type = rows[i].type };
		struct order_taken t;
		_cleanup_rig_ struct rig *r = odd_rig(&o, &t);

		rig_run_until(r, r->clock.fake_ms + 3 * DAY_MS);
		ASSERT_INT(o.met, 4);
		assert_status(r, t.id, "valid");
		ASSERT_INT(r->ca.new_orders, 1);
		ASSERT_INT(r->ca.certificates, 1);
		rig_no_residue(r);
	}
}

static void an_order_that_is_not_found_after_finalize_is_looked_for_three_times(void **state)
{
	static const struct { int times; const char *end; } rows[] = { { 2, "valid" }, { -1, "invalid" } };

	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		struct odd o = { .path = "/none/", .times = rows[i].times, .status = 404, .type = "malformed" };
		struct order_taken t;
		_cleanup_rig_ struct rig *r = odd_rig(&o, &t);

		r->ca.order_polls = 2;
		while (!r->ca.finalizes)
			ASSERT_TRUE(engine_run_due(r->engine, &r->err) >= 0 && (r->clock.fake_ms = MAX(r->clock.fake_ms, engine_next_due(r->engine))));
		o.path = "/order/";
		rig_run_until(r, r->clock.fake_ms + 5 * HOUR_MS);
		assert_status(r, t.id, rows[i].end);
		ASSERT_TRUE(o.met <= 4);
		ASSERT_INT(r->ca.new_orders, 1);
		rig_no_residue(r);
	}
}

/* ---- wishes and debts ---- */

static int delete_before_finalize(struct ca *ca, void *arg, const char *method, const char *path, struct http_response *ret)
{
	struct { struct rig *r; const char *id; } *who = arg;

	(void)method, (void)ret;
	/* the answer that says "ready": the worker has looked at the wishes, and has not yet said that it will finalize */
	if (who->id && str_starts(path, "/order/") && ca->accepts) {
		rig_delete(who->r, who->id);
		who->id = NULL;
	}
	return 0;
}

static void a_delete_in_the_instant_before_finalize_stops_it(void **state)
{
	struct odd o = { .path = "/none/" };
	struct order_taken t;
	_cleanup_rig_ struct rig *r = odd_rig(&o, &t);
	struct { struct rig *r; const char *id; } who = { r, t.id };

	r->ca.hook = delete_before_finalize;
	r->ca.hook_arg = &who;
	rig_run(r);
	ASSERT_TRUE(!who.id);
	assert_status(r, t.id, "invalid");
	ASSERT_INT(r->ca.finalizes, 0);
	{
		RIG_GET(r, now, t.id);

		ASSERT_HAS(now.reason, "cancelled");
		ASSERT_TRUE(!now.finalize_sent);
	}
	rig_no_residue(r);
}

static void an_order_made_anew_gives_back_what_the_first_was_handed(void **state)
{
	struct odd o = { .path = "/none/" };
	struct order_taken t;
	_cleanup_rig_ struct rig *r = odd_rig(&o, &t);

	r->edge_down = true; /* nothing is published yet */
	rig_run_until(r, r->clock.fake_ms + SECOND_MS);
	ASSERT_INT(rig_count(r, "SELECT COUNT(*) FROM authz WHERE status = 'pending'"), 1);
	r->ca.orders[0].status = "invalid"; /* as far as newOrder is concerned: another one is made */
	o.path = "/chal/";
	o.status = 404;
	o.type = "malformed";
	o.times = 1;
	r->edge_down = false;
	rig_run(r);
	ASSERT_INT(o.met, 1);
	assert_status(r, t.id, "valid");
	ASSERT_INT(r->ca.new_orders, 2);
	ASSERT_STR(r->ca.authzs[0].status, "deactivated");
	ASSERT_STR(r->ca.authzs[1].status, "valid");
	rig_no_residue(r);
}

static void an_authorization_that_another_order_has_now_is_not_taken_from_it(void **state)
{
	struct odd o = { .path = "/chal/", .times = 1, .status = 404, .type = "malformed" };
	struct order_taken t;
	_cleanup_rig_ struct rig *r = odd_rig(&o, &t);

	/* as Boulder: the order that is still pending is handed out again, with the same authorization */
	r->ca.authz_polls = 100;
	rig_run_until(r, r->clock.fake_ms + 20 * MINUTE_MS);
	ASSERT_INT(o.met, 1);
	ASSERT_INT(r->ca.new_orders, 2);
	ASSERT_INT(r->ca.deactivations, 0);
	rig_run(r);
	assert_status(r, t.id, "valid");
	ASSERT_INT(r->ca.deactivations, 0);
	rig_no_residue(r);
}

static void an_abandoned_order_gives_its_turn_back_even_if_nobody_can_be_asked(void **state)
{
	struct odd o = { .path = "/authz/", .times = 0, .status = 503 };
	struct order_taken t;
	_cleanup_rig_ struct rig *r = odd_rig(&o, &t);

	r->edge_down = true;
	rig_run_until(r, r->clock.fake_ms + SECOND_MS);
	o.times = -1;
	rig_delete(r, t.id);
	rig_run_until(r, r->clock.fake_ms + SECOND_MS);
	ASSERT_INT(rig_count(r, "SELECT COUNT(*) FROM orders WHERE ended_ms = 0 OR holds_turn = 1"), 0);
	ASSERT_INT(rig_count(r, "SELECT COUNT(*) FROM debt WHERE state = 'owed' AND kind = 'deactivate-authz'"), 1);
	o.times = 0;
	rig_run_until(r, r->clock.fake_ms + DAY_MS);
	ASSERT_INT(r->ca.deactivations, 1);
	rig_no_residue(r);
}

static void a_debt_that_meets_a_busy_vendor_parks_it_for_all(void **state)
{
	struct odd o = { .path = "/authz/", .times = 0, .status = 503 };
	struct order_taken t;
	_cleanup_rig_ struct rig *r = odd_rig(&o, &t);
	unsigned asked;

	r->edge_down = true;
	rig_run_until(r, r->clock.fake_ms + SECOND_MS);
	o.times = -1;
	rig_delete(r, t.id);
	rig_run_until(r, r->clock.fake_ms + SECOND_MS);
	ASSERT_INT(rig_count(r, "SELECT COUNT(*) FROM debt WHERE state = 'owed' AND attempts = 1"), 1);
	ASSERT_INT(rig_count(r, "SELECT COUNT(*) FROM lane WHERE name LIKE 'vendor:%' AND parked_until_ms > 0"), 1);
	asked = r->ca.requests;
	r->edge_down = false;
	rig_order(r, &(struct rig_order){ .names = "b.example", .validation = VALIDATION_DNS01 });
	rig_run_until(r, r->clock.fake_ms + 20 * SECOND_MS);
	ASSERT_INT(r->ca.requests, asked);
	o.times = 0;
	rig_run(r);
	ASSERT_INT(rig_count(r, "SELECT COUNT(*) FROM orders WHERE status = 'valid'"), 1);
	rig_no_residue(r);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(ready_to_those_who_look_and_not_ready_to_those_who_finalize_is_tried_ever_more_seldom),
		TEST(not_ready_a_few_times_costs_seconds),
		TEST(a_finalize_that_is_answered_ready_for_ever_ends_within_its_patience),
		TEST(a_finalize_that_is_never_taken_ends_the_order_with_a_reason),
		TEST(a_finalize_answered_with_nothing_is_sent_again_within_half_a_minute),
		TEST(an_order_that_flaps_between_ready_and_pending_is_no_reason_for_a_storm),
		TEST(pending_though_all_is_proved_tells_a_person_and_ends),
		TEST(pending_until_its_authorization_is_proved_once_more_goes_on),
		TEST(a_certificate_is_asked_for_again_whatever_the_refusal),
		TEST(an_order_that_is_not_found_after_finalize_is_looked_for_three_times),
		TEST(a_delete_in_the_instant_before_finalize_stops_it),
		TEST(an_order_made_anew_gives_back_what_the_first_was_handed),
		TEST(an_authorization_that_another_order_has_now_is_not_taken_from_it),
		TEST(an_abandoned_order_gives_its_turn_back_even_if_nobody_can_be_asked),
		TEST(a_debt_that_meets_a_busy_vendor_parks_it_for_all),
	};

	return RUN(tests);
}
