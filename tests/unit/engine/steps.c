/* SPDX-License-Identifier: Apache-2.0 */
/* steps.c - the table, the clocks, verdicts by class and scope, fencing, starts, cancel and give-up. */
#include "tests/unit/engine/rig.h"

#include <stdio.h>
#include <unistd.h>

/* ---- the table ---- */

static void every_step_has_a_row_with_its_own_name(void **state)
{
	for (unsigned i = 0; i < order_step_count; i++) {
		ASSERT_STR(order_steps[i].name, order_step_text((enum order_step)i));
		ASSERT_TRUE(!order_steps[i].run == (i == STEP_DONE || i == STEP_FAILED));
		if (order_steps[i].run && i != STEP_ABANDON) {
			ASSERT_TRUE(order_steps[i].may_go & BIT(STEP_FAILED));
			ASSERT_TRUE(order_steps[i].may_go & BIT(STEP_ABANDON));
			ASSERT_TRUE(order_steps[i].gives_up != NULL);
		}
	}
	for (unsigned i = 0; i < job_kind_count; i++)
		ASSERT_TRUE(job_rows[i].run && job_rows[i].title);
}

static unsigned reachable(enum order_step from)
{
	unsigned seen = BIT(from), before = 0;

	while (seen != before) {
		before = seen;
		for (unsigned i = 0; i < order_step_count; i++)
			if (seen & BIT(i))
				seen |= order_steps[i].may_go;
	}
	return seen;
}

static void every_step_is_reached_from_the_queue_and_reaches_an_end(void **state)
{
	ASSERT_INT(reachable(STEP_QUEUED), BIT(order_step_count) - 1);
	for (unsigned i = 0; i < order_step_count; i++) {
		ASSERT_TRUE(reachable((enum order_step)i) & (BIT(STEP_FAILED) | BIT(STEP_DONE)));
		ASSERT_TRUE(i == STEP_DONE || i == STEP_FAILED || order_steps[i].may_go);
	}
	ASSERT_INT(order_steps[STEP_DONE].may_go, 0);
	ASSERT_INT(order_steps[STEP_FAILED].may_go, 0);
	/* done only through a stored certificate */
	for (unsigned i = 0; i < order_step_count; i++)
		ASSERT_INT(!!(order_steps[i].may_go & BIT(STEP_DONE)), i == STEP_DOWNLOAD);
}

/* ---- clocks ---- */

static uint64_t lowest(void *arg, uint64_t limit)
{
	(void)arg, (void)limit;
	return 0;
}

static uint64_t highest(void *arg, uint64_t limit)
{
	(void)arg;
	return limit - 1;
}

static void the_three_clocks_keep_their_tables_and_jitter(void **state)
{
	static const int64_t poll[] = { 20, 100, 500, 2000, 5000, 10000, 30000, 30000 };
	static const int64_t dns[] = { 2000, 5000, 10000, 20000, 30000, 30000 };
	static const int64_t retry[] = { 60000, 600000, 6000000, 86400000, 86400000 };
	struct engine low = { .o.random = lowest }, high = { .o.random = highest };

	for (size_t i = 0; i < ARRAY_SIZE(poll); i++) {
		ASSERT_INT(poll_clock(&low, (int64_t)i), poll[i] * 8 / 10);
		ASSERT_INT(poll_clock(&high, (int64_t)i), poll[i] * 12 / 10);
	}
	for (size_t i = 0; i < ARRAY_SIZE(dns); i++) {
		ASSERT_INT(propagation_clock(&low, (int64_t)i), dns[i] * 8 / 10);
		ASSERT_INT(propagation_clock(&high, (int64_t)i), dns[i] * 12 / 10);
	}
	for (size_t i = 0; i < ARRAY_SIZE(retry); i++) {
		ASSERT_INT(retry_clock(&low, (int64_t)i), retry[i] / 2);
		ASSERT_INT(retry_clock(&high, (int64_t)i), retry[i] * 3 / 2);
	}
}

/* ---- what the authority says, and what comes of it ---- */

struct bend {
	const char *path; /* prefix */
	int times;        /* how often it is bent, -1 = always */
	int status;
	const char *type, *detail, *retry_after, *raw;
};
static struct bend bend;

static int bent(struct ca *ca, void *arg, const char *method, const char *path, struct http_response *ret)
{
	(void)arg, (void)method;
	if (!bend.path || !str_starts(path, bend.path) || !bend.times)
		return 0;
	if (bend.times > 0)
		bend.times--;
	if (bend.raw) {
		ret->status = bend.status;
		ret->body.max = 4096;
		buf_add_str(&ret->body, bend.raw);
		ca_header(ret, "content-type", "text/html");
	} else {
		ca_problem(ca, ret, bend.status, bend.type, bend.detail);
	}
	if (bend.retry_after)
		ca_header(ret, "retry-after", bend.retry_after);
	return 1;
}

static struct rig *bent_rig(struct bend b, struct order_taken *ret)
{
	struct rig *r = rig_new();

	bend = b;
	r->ca.hook = bent;
	*ret = rig_order(r, &(struct rig_order){ .names = "a.example", .validation = VALIDATION_DNS01 });
	return r;
}

static void what_may_pass_is_tried_again_and_ends_valid(void **state)
{
	static const struct bend bends[] = {
		{ "/new-order", 2, 500, "serverInternal", "oops", NULL, NULL },
		{ "/new-order", 1, 502, NULL, NULL, NULL, "<html>bad gateway</html>" },
		{ "/new-order", 1, 429, "rateLimited", "too many", "120", NULL },
		{ "/new-order", 3, 400, "badNonce", "again", NULL, NULL },
		{ "/authz/", 1, 503, NULL, NULL, "30", "<html>later</html>" },
		{ "/chal/", 1, 500, "serverInternal", "oops", NULL, NULL },
		{ "/finalize/", 1, 500, "serverInternal", "oops", NULL, NULL },
		{ "/order/", 1, 500, "serverInternal", "oops", NULL, NULL },
		{ "/cert/", 1, 200, NULL, NULL, NULL, "not a certificate" },
		{ "/cert/", 2, 500, "serverInternal", "oops", NULL, NULL },
	};

	for (size_t i = 0; i < ARRAY_SIZE(bends); i++) {
		struct order_taken t;
		_cleanup_rig_ struct rig *r = bent_rig(bends[i], &t);

		rig_run_until(r, r->clock.fake_ms + 6 * HOUR_MS);
		{
			RIG_GET(r, o, t.id);

			if (o.status != ORDER_VALID)
				print_error("%s %d: %s at %s: %s\n", bends[i].path, bends[i].status, order_status_text(o.status),
					    order_step_text(o.step), o.reason ? o.reason : "-");
			ASSERT_STR(order_status_text(o.status), "valid");
		}
		ASSERT_INT(r->ca.certificates, 1);
		rig_no_residue(r);
	}
}

static void what_cannot_pass_ends_with_the_reason(void **state)
{
	static const struct bend bends[] = {
		{ "/new-order", -1, 400, "rejectedIdentifier", "forbidden by policy", NULL, NULL },
		{ "/finalize/", -1, 400, "badCSR", "the CSR is weak", NULL, NULL },
		{ "/new-order", -1, 403, "caa", "CAA forbids it", NULL, NULL },
	};

	for (size_t i = 0; i < ARRAY_SIZE(bends); i++) {
		struct order_taken t;
		_cleanup_rig_ struct rig *r = bent_rig(bends[i], &t);

		rig_run_until(r, r->clock.fake_ms + 6 * HOUR_MS);
		{
			RIG_GET(r, o, t.id);

			ASSERT_STR(order_status_text(o.status), "invalid");
			ASSERT_HAS(o.reason, bends[i].detail);
		}
		rig_no_residue(r);
	}
}

static void a_rate_limit_on_one_set_of_names_stops_nobody_else(void **state)
{
	struct order_taken a, b;
	_cleanup_rig_ struct rig *r = bent_rig((struct bend){ "/new-order", 1, 429, "rateLimited", "too many certificates for a.example", "3600", NULL }, &a);
	int64_t start = r->clock.fake_ms;

	b = rig_order(r, &(struct rig_order){ .names = "b.example", .validation = VALIDATION_DNS01 });
	rig_run_until(r, start + 10 * MINUTE_MS);
	{
		RIG_GET(r, oa, a.id);
		RIG_GET(r, ob, b.id);

		ASSERT_STR(order_status_text(oa.status), "pending");
		ASSERT_TRUE(oa.due_ms >= start + HOUR_MS);
		ASSERT_HAS(oa.reason, "too many certificates");
		ASSERT_STR(order_status_text(ob.status), "valid");
	}
	rig_run_until(r, start + 2 * HOUR_MS);
	{
		RIG_GET(r, oa, a.id);

		ASSERT_STR(order_status_text(oa.status), "valid");
	}
}

static void a_vendor_that_is_down_is_parked_as_a_whole(void **state)
{
	struct order_taken a;
	_cleanup_rig_ struct rig *r = bent_rig((struct bend){ "/new-order", -1, 503, NULL, NULL, "1800", "<html>maintenance</html>" }, &a);
	int64_t start = r->clock.fake_ms;
	unsigned asked;

	ASSERT_TRUE(engine_run_due(r->engine, &r->err) > 0);
	asked = r->ca.requests;
	ASSERT_INT(rig_count(r, "SELECT COUNT(*) FROM lane WHERE name LIKE 'vendor:%' AND parked_until_ms > 0"), 1);
	rig_order(r, &(struct rig_order){ .names = "b.example", .validation = VALIDATION_DNS01 });
	rig_run_until(r, start + 29 * MINUTE_MS);
	ASSERT_INT(r->ca.requests, asked); /* nobody asks it */
	ASSERT_INT(rig_count(r, "SELECT COUNT(*) FROM notice WHERE kind = 'vendor-parked' AND ended_ms = 0"), 1);
	bend.times = 0;
	rig_run_until(r, start + 4 * HOUR_MS);
	ASSERT_INT(rig_count(r, "SELECT COUNT(*) FROM orders WHERE status = 'valid'"), 2);
	ASSERT_INT(rig_count(r, "SELECT COUNT(*) FROM notice WHERE kind = 'vendor-parked' AND ended_ms > 0"), 1);
	ASSERT_INT(rig_count(r, "SELECT COUNT(*) FROM notice WHERE ended_ms = 0"), 0);
}

static void an_order_cancelled_while_its_authority_is_parked_withdraws_at_once_and_owes_the_rest(void **state)
{
	struct order_taken a;
	_cleanup_rig_ struct rig *r = bent_rig((struct bend){ "/order/", -1, 503, NULL, NULL, "86400", "<html>maintenance</html>" }, &a);
	int64_t start = r->clock.fake_ms;

	bend.path = "/authz/";
	bend.times = 0;
	r->ca.authz_polls = 1000;
	rig_run_until(r, start + 10 * SECOND_MS);
	ASSERT_TRUE(rig_count(r, "SELECT COUNT(*) FROM feed_item WHERE live = 1 AND kind = 'txt'") == 1);
	bend.times = -1;
	rig_run_until(r, start + 2 * MINUTE_MS);
	ASSERT_INT(rig_count(r, "SELECT COUNT(*) FROM lane WHERE name LIKE 'vendor:%' AND parked_until_ms > 0"), 1);
	ASSERT_INT(rig_count(r, "SELECT COUNT(*) FROM orders WHERE ended_ms = 0"), 1);
	rig_delete(r, a.id);
	rig_run_until(r, start + 3 * MINUTE_MS);
	ASSERT_INT(rig_count(r, "SELECT COUNT(*) FROM orders WHERE ended_ms = 0"), 0);
	ASSERT_INT(rig_count(r, "SELECT COUNT(*) FROM feed_item WHERE live = 1 AND kind = 'txt'"), 0);
	ASSERT_INT(rig_count(r, "SELECT COUNT(*) FROM debt WHERE state = 'owed' AND kind = 'deactivate-authz'"), 1);
	ASSERT_INT(r->ca.deactivations, 0);
	bend.times = 0;
	rig_run_until(r, start + 2 * DAY_MS);
	ASSERT_INT(r->ca.deactivations, 1);
	rig_no_residue(r);
}

static void new_terms_park_the_account_until_a_person_has_agreed(void **state)
{
	struct order_taken a, b;
	_cleanup_rig_ struct rig *r = bent_rig((struct bend){ "/new-order", -1, 403, "userActionRequired", "agree to the new terms", NULL, NULL }, &a);
	unsigned asked;

	ASSERT_TRUE(engine_run_due(r->engine, &r->err) > 0);
	asked = r->ca.requests;
	b = rig_order(r, &(struct rig_order){ .names = "b.example", .validation = VALIDATION_DNS01 });
	rig_run_until(r, r->clock.fake_ms + HOUR_MS);
	ASSERT_INT(r->ca.requests, asked);
	bend.times = 0;
	rig_refresh(r, a.id);
	rig_run_until(r, r->clock.fake_ms + MINUTE_MS);
	{
		RIG_GET(r, o, a.id);

		ASSERT_STR(order_status_text(o.status), "valid");
	}
	rig_refresh(r, b.id);
	rig_run_until(r, r->clock.fake_ms + MINUTE_MS);
	{
		RIG_GET(r, o, b.id);

		ASSERT_STR(order_status_text(o.status), "valid");
	}
}

static int agree_now(struct sql *tx, void *arg, struct err *err)
{
	(void)arg;
	return sql_exec(tx, "UPDATE account SET tos_agreed_ms = tos_agreed_ms + 1", SQL_NONE, NULL, err);
}

/* A person agrees while the authority's refusal is on its way. */
static int agreed_meanwhile(struct ca *ca, void *arg, const char *method, const char *path, struct http_response *ret)
{
	struct rig *r = arg;
	bool refuses = bend.times && str_starts(path, bend.path);

	if (refuses)
		ASSERT_OK(store_write(r->store, agree_now, NULL, &r->err), &r->err);
	return bent(ca, NULL, method, path, ret);
}

static void terms_that_are_agreed_to_while_a_refusal_is_on_its_way_hold_nothing_up(void **state)
{
	struct order_taken a, b;
	_cleanup_rig_ struct rig *r = bent_rig((struct bend){ "/new-order", 1, 403, "userActionRequired", "agree to the new terms", NULL, NULL }, &a);

	r->ca.hook = agreed_meanwhile;
	r->ca.hook_arg = r;
	b = rig_order(r, &(struct rig_order){ .names = "b.example", .validation = VALIDATION_DNS01 });
	rig_run_until(r, r->clock.fake_ms + 5 * MINUTE_MS);
	ASSERT_INT(rig_count(r, "SELECT COUNT(*) FROM lane WHERE parked_until_ms > 0"), 0);
	{
		RIG_GET(r, first, a.id);
		RIG_GET(r, second, b.id);

		ASSERT_STR(order_status_text(first.status), "valid");
		ASSERT_STR(order_status_text(second.status), "valid");
	}
	rig_no_residue(r);
}

static int used_up(struct ca *ca, void *arg, const char *method, const char *path, struct http_response *ret)
{
	int *left = arg;

	(void)ret;
	if (streq(method, "POST") && streq(path, "/new-order"))
		ca->reuse_valid = false;
	if (str_starts(path, "/authz/") && *left > 0) {
		struct ca_authz *a = &ca->authzs[strtoul(path + 7, NULL, 10)];

		a->status = a->challenge_status = "invalid";
		--*left;
	}
	return 0;
}

static void an_order_that_comes_with_a_failed_authorization_is_made_anew_a_few_times(void **state)
{
	static const struct { int bad; const char *status; } rows[] = { { 1, "valid" }, { 2, "valid" }, { 100, "invalid" } };

	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		_cleanup_rig_ struct rig *r = rig_new();
		int left = rows[i].bad;
		struct order_taken t;

		r->ca.hook = used_up;
		r->ca.hook_arg = &left;
		t = rig_order(r, &(struct rig_order){ .names = "a.example", .validation = VALIDATION_DNS01 });
		rig_run(r);
		{
			RIG_GET(r, o, t.id);

			if (!streq(order_status_text(o.status), rows[i].status))
				print_error("%d: %s\n", rows[i].bad, o.reason ? o.reason : "-");
			ASSERT_STR(order_status_text(o.status), rows[i].status);
		}
		ASSERT_TRUE(r->ca.new_orders <= 4);
		rig_no_residue(r);
	}
}

static void the_poll_obeys_retry_after(void **state)
{
	_cleanup_rig_ struct rig *r = rig_new();
	struct order_taken t = rig_order(r, &(struct rig_order){ .names = "a.example", .validation = VALIDATION_DNS01 });
	int64_t start = r->clock.fake_ms;

	r->ca.authz_polls = 1000;
	rig_run_until(r, start + 10 * MINUTE_MS);
	/* 20 ms, 100 ms, 500 ms, 2 s, 5 s, 10 s, then 30 s: some 25 polls in ten minutes, not hundreds */
	ASSERT_TRUE(r->ca.requests < 40);
	{
		RIG_GET(r, o, t.id);

		ASSERT_STR(order_step_text(o.step), "validate");
	}
	r->ca.authz_polls = 0;
}

/* ---- an authority that never ends what it could not prove, and says so beside it ---- */

#define PAUSE_S 90

struct slow_ca {
	struct rig *r;
	const char *status; /* of the challenge, as it is told */
	int64_t last_ms;    /* of the last answer that asked to wait */
	unsigned asked, too_soon;
};

static int says_why(struct ca *ca, void *arg, const char *method, const char *path, struct http_response *ret)
{
	struct slow_ca *a = arg;
	size_t i = str_starts(path, "/authz/") ? strtoul(path + 7, NULL, 10) : 0;
	int64_t now = a->r->clock.fake_ms;
	char text[1024];

	(void)method;
	if (!str_starts(path, "/authz/") || !a->status || streq(ca->authzs[i].challenge_status, "pending"))
		return 0;
	a->too_soon += a->last_ms && now < a->last_ms + PAUSE_S * SECOND_MS;
	a->last_ms = now;
	a->asked++;
	snprintf(text, sizeof text,
		 "{\"status\":\"pending\",\"identifier\":{\"type\":\"dns\",\"value\":\"a.example\"},\"expires\":\"2030-01-01T00:00:00Z\","
		 "\"challenges\":[{\"type\":\"dns-01\",\"url\":\"" CA_URL "/chal/%zu/dns-01\",\"token\":\"%s\","
		 "\"status\":\"%s\",\"error\":{\"type\":\"urn:ietf:params:acme:error:dns\",\"detail\":\"SERVFAIL, trying again\"}}]}",
		 i, ca->authzs[i].token, a->status);
	ca_json(ca, ret, 200, text);
	ca_header(ret, "retry-after", "90");
	return 1;
}

static void an_authority_that_never_ends_what_it_cannot_prove_is_asked_as_rarely_as_it_wants_and_its_words_are_shown(void **state)
{
	static const char *const statuses[] = { "processing", "pending" }; /* one goes on by itself, one wants to be told again */

	for (size_t i = 0; i < ARRAY_SIZE(statuses); i++) {
		_cleanup_rig_ struct rig *r = rig_new();
		struct order_taken t = rig_order(r, &(struct rig_order){ .names = "a.example", .validation = VALIDATION_DNS01 });
		struct slow_ca a = { .r = r, .status = statuses[i] };
		_cleanup_free_ char *reason = NULL;

		r->ca.authz_polls = 1000;
		r->ca.hook = says_why;
		r->ca.hook_arg = &a;
		rig_run_until(r, r->clock.fake_ms + HOUR_MS);
		ASSERT_INT(a.too_soon, 0);
		ASSERT_TRUE(a.asked > 10 && a.asked <= HOUR_MS / (PAUSE_S * SECOND_MS) + 1);
		reason = rig_text(r, "SELECT reason FROM authz");
		ASSERT_TRUE(reason && strstr(reason, "SERVFAIL, trying again"));
		a.status = NULL;
		r->ca.authz_polls = 0;
		for (size_t k = 0; k < r->ca.n_authzs; k++)
			r->ca.authzs[k].polls_left = 0;
		rig_run(r);
		{
			RIG_GET(r, o, t.id);

			ASSERT_STR(order_status_text(o.status), "valid");
		}
	}
}

struct look {
	const char *id;
	int64_t now_ms;
};

static int look_tx(struct sql *tx, void *arg, struct err *err)
{
	struct look *l = arg;

	return order_want_refresh(tx, l->id, l->now_ms, err);
}

static void a_person_cannot_make_an_order_ask_before_the_authority_wants_to_be_asked(void **state)
{
	_cleanup_rig_ struct rig *r = rig_new();
	struct order_taken t = rig_order(r, &(struct rig_order){ .names = "a.example", .validation = VALIDATION_DNS01 });
	struct slow_ca a = { .r = r, .status = "processing" };
	int refused = 0;

	r->ca.authz_polls = 1000;
	r->ca.hook = says_why;
	r->ca.hook_arg = &a;
	for (int i = 0; i < 200; i++) { /* every seven seconds, whatever it is doing */
		struct look l = { t.id, 0 };
		_cleanup_err_ struct err err = ERR_INIT;

		rig_run_until(r, r->clock.fake_ms + 7 * SECOND_MS);
		l.now_ms = r->clock.fake_ms;
		if (store_write(r->store, look_tx, &l, &err) == 0)
			continue;
		refused++;
		ASSERT_INT(err.code, ERR_TOO_MANY);
		ASSERT_TRUE(err.retry_at_ms > l.now_ms && err.retry_at_ms <= a.last_ms + PAUSE_S * SECOND_MS);
		ASSERT_HAS(err.hint, "asked not to be asked");
	}
	ASSERT_INT(a.too_soon, 0);
	ASSERT_TRUE(refused > 100 && a.asked > 10);
}

/* The order is invalid, and on the way to the authorization that says why one asks to wait and the next fails. */
static int waits_then_fails(struct ca *ca, void *arg, const char *method, const char *path, struct http_response *ret)
{
	struct slow_ca *a = arg;
	int64_t now = a->r->clock.fake_ms;
	char text[1024];

	(void)method;
	if (!ca->accepts || ca->accepts < 2)
		return 0;
	if (str_starts(path, "/order/"))
		ca->orders[0].status = "invalid";
	if (str_starts(path, "/authz/1")) {
		ca_problem(ca, ret, 500, "serverInternal", "oops");
		return 1;
	}
	if (!str_starts(path, "/authz/0"))
		return 0;
	a->too_soon += a->last_ms && now < a->last_ms + HOUR_MS;
	a->last_ms = now;
	a->asked++;
	snprintf(text, sizeof text,
		 "{\"status\":\"pending\",\"identifier\":{\"type\":\"dns\",\"value\":\"%s\"},\"expires\":\"2030-01-01T00:00:00Z\","
		 "\"challenges\":[{\"type\":\"dns-01\",\"url\":\"" CA_URL "/chal/0/dns-01\",\"token\":\"%s\",\"status\":\"processing\"}]}",
		 ca->authzs[0].name, ca->authzs[0].token);
	ca_json(ca, ret, 200, text);
	ca_header(ret, "retry-after", "3600");
	return 1;
}

static void an_error_does_not_make_an_order_ask_sooner_than_it_was_told(void **state)
{
	_cleanup_rig_ struct rig *r = rig_new();
	struct slow_ca a = { .r = r };

	rig_order(r, &(struct rig_order){ .names = "a.example b.example", .validation = VALIDATION_DNS01 });
	r->ca.authz_polls = 1000;
	r->ca.hook = waits_then_fails;
	r->ca.hook_arg = &a;
	rig_run_until(r, r->clock.fake_ms + 5 * HOUR_MS);
	ASSERT_TRUE(a.asked >= 2);
	ASSERT_INT(a.too_soon, 0);
}

/* ---- fences and starts ---- */

struct steal {
	const char *id;
};

static int steal(struct sql *tx, void *arg, struct err *err)
{
	const struct steal *s = arg;

	return sql_exec(tx, "UPDATE orders SET gen = gen + 1 WHERE id = $1", SQL_VALUES(SQL_TEXT(s->id)), NULL, err);
}

struct thief {
	struct rig *r;
	struct steal s;
	bool done;
};

static int take_lease(struct ca *ca, void *arg, const char *method, const char *path, struct http_response *ret)
{
	struct thief *a = arg;

	(void)ca, (void)ret, (void)method;
	if (!a->done && streq(path, "/new-order")) {
		a->done = true;
		ASSERT_OK(store_write(a->r->store, steal, &a->s, &a->r->err), &a->r->err);
	}
	return 0;
}

static void the_result_of_a_worker_without_its_lease_is_dropped(void **state)
{
	_cleanup_rig_ struct rig *r = rig_new();
	struct order_taken t = rig_order(r, &(struct rig_order){ .names = "a.example", .validation = VALIDATION_DNS01, .key_type = "p256" });
	struct thief a = { r, { t.id }, false };

	r->ca.hook = take_lease;
	r->ca.hook_arg = &a;
	ASSERT_TRUE(engine_run_due(r->engine, &r->err) > 0);
	{
		RIG_GET(r, o, t.id);

		ASSERT_TRUE(a.done);
		ASSERT_TRUE(o.url == NULL); /* what it learnt was not written */
	}
	rig_run(r); /* the lease ends and somebody else carries on */
	{
		RIG_GET(r, o, t.id);

		ASSERT_STR(order_status_text(o.status), "valid");
	}
	ASSERT_INT(r->ca.certificates, 1);
}

static int die_here(struct ca *ca, void *arg, const char *method, const char *path, struct http_response *ret)
{
	struct rig *r = arg;

	(void)ca, (void)ret, (void)method;
	if (streq(path, "/finalize/0")) {
		r->crashed = true;
		r->engine->crashed = true;
		return -1;
	}
	return 0;
}

static void an_order_that_ends_the_process_is_set_aside_and_the_others_end_valid(void **state)
{
	_cleanup_rig_ struct rig *r = rig_new();
	struct order_taken bad = rig_order(r, &(struct rig_order){ .names = "bad.example", .validation = VALIDATION_DNS01 });
	int restarts = 0;

	r->ca.hook = die_here;
	r->ca.hook_arg = r;
	for (int i = 0; i < 20; i++) {
		char name[32];

		snprintf(name, sizeof name, "good%d.example", i);
		rig_order(r, &(struct rig_order){ .names = name, .validation = VALIDATION_DNS01 });
	}
	for (restarts = 0; restarts < 10; restarts++) {
		rig_run(r);
		if (!r->crashed)
			break;
		rig_engine_close(r);
		rig_engine_open(r);
	}
	ASSERT_TRUE(restarts >= 2 && restarts <= 4);
	ASSERT_INT(rig_count(r, "SELECT COUNT(*) FROM orders WHERE status = 'valid'"), 20);
	{
		RIG_GET(r, o, bad.id);

		ASSERT_TRUE(o.set_aside);
		ASSERT_HAS(o.reason, "never came to an end");
	}
	/* the cause is mended, a person asks for another look */
	r->ca.hook = NULL;
	rig_refresh(r, bad.id);
	rig_run(r);
	{
		RIG_GET(r, o, bad.id);

		ASSERT_STR(order_status_text(o.status), "valid");
	}
	rig_no_residue(r);
}

static void asking_for_a_look_is_limited(void **state)
{
	_cleanup_rig_ struct rig *r = rig_new();
	struct order_taken t = rig_order(r, &(struct rig_order){ .names = "a.example", .validation = VALIDATION_DNS01, .method = "manual" });
	int looks;

	rig_run_until(r, r->clock.fake_ms + MINUTE_MS);
	looks = r->looks;
	rig_refresh(r, t.id);
	ASSERT_TRUE(engine_run_due(r->engine, &r->err) > 0);
	ASSERT_TRUE(r->looks > looks);
	r->clock.fake_ms += 6 * SECOND_MS;
	rig_refresh(r, t.id);
}

/* ---- jobs ---- */

static int add_account(struct sql *tx, void *arg, struct err *err)
{
	return account_intake(tx, arg, err);
}

static void registration(const char *path, int status, const char *type, const char *want_account, const char *want_job)
{
	_cleanup_rig_ struct rig *r = rig_new_empty();
	_cleanup_account_prepared_ struct account_prepared p = { 0 };
	struct account_request q = {
		.vendor = "custom", .directory_url = CA_DIRECTORY, .tos_agreed = !path || !streq(path, "tos"), .now_ms = r->clock.fake_ms,
	};
	_cleanup_free_ char *account = NULL, *job = NULL;

	bend = (struct bend){ path, -1, status, type, "no", NULL, NULL };
	r->ca.hook = bent;
	ASSERT_OK(account_prepare(r->keys, &q, &p, &r->err), &r->err);
	ASSERT_OK(store_write(r->store, add_account, &p, &r->err), &r->err);
	rig_run_until(r, r->clock.fake_ms + 10 * MINUTE_MS);
	account = rig_text(r, "SELECT status FROM account");
	job = rig_text(r, "SELECT state FROM job WHERE kind = 'account-register'");
	ASSERT_STR(account, want_account);
	ASSERT_STR(job, want_job);
}

static void a_registration_ends_valid_or_says_why(void **state)
{
	registration(NULL, 0, NULL, "valid", "done");
	registration("tos", 0, NULL, "invalid", "failed");
	registration("/new-account", 400, "unsupportedContact", "invalid", "failed");
	registration("/new-account", 500, "serverInternal", "registering", "queued");
}

static void a_registration_killed_at_any_point_makes_one_account(void **state)
{
	int64_t n;

	for (n = 1; n < 100; n++) {
		_cleanup_rig_ struct rig *r = rig_new_empty();
		_cleanup_account_prepared_ struct account_prepared p = { 0 };
		struct account_request q = { .vendor = "custom", .directory_url = CA_DIRECTORY, .tos_agreed = true, .now_ms = r->clock.fake_ms };
		bool crashed;

		ASSERT_OK(account_prepare(r->keys, &q, &p, &r->err), &r->err);
		ASSERT_OK(store_write(r->store, add_account, &p, &r->err), &r->err);
		r->crash_in = n;
		rig_run_until(r, r->clock.fake_ms + MINUTE_MS);
		crashed = r->crashed;
		if (crashed) {
			rig_engine_close(r);
			rig_engine_open(r);
			rig_run(r);
		}
		ASSERT_INT(rig_count(r, "SELECT COUNT(*) FROM account WHERE status = 'valid' AND url IS NOT NULL"), 1);
		ASSERT_INT(r->ca.new_accounts, 1);
		if (!crashed)
			break;
	}
	ASSERT_TRUE(n > 4 && n < 100);
}

static void a_csr_is_made_by_a_job(void **state)
{
	_cleanup_rig_ struct rig *r = rig_new();
	_cleanup_free_ char *names = NULL;
	char id[27];

	rig_csr(r, "b.example a.example", KEY_P384, id);
	ASSERT_INT(rig_count(r, "SELECT COUNT(*) FROM csr c JOIN key k ON k.id = c.key_id WHERE c.key_type = 'p384' AND c.public_hash = k.public_hash"), 1);
	names = rig_text(r, "SELECT names FROM csr");
	ASSERT_STR(names, "a.example\nb.example");
}

/* ---- intake ---- */

struct bad_order {
	struct order_request q;
	struct order_taken t;
};

static int take_bad(struct sql *tx, void *arg, struct err *err)
{
	struct bad_order *b = arg;

	return order_intake(tx, &b->q, &b->t, err);
}

static void impossible_orders_are_refused_by_field_before_anything_is_stored(void **state)
{
	static const struct {
		const char *names, *account, *csr, *dns, *http, *key;
		enum validation validation;
		const char *field;
	} rows[] = {
		{ "*.a.example", NULL, NULL, NULL, NULL, NULL, VALIDATION_HTTP01, "/names/0" },
		{ "*.a.example b.a.example", NULL, NULL, NULL, NULL, NULL, VALIDATION_DNS01, NULL },
		{ "a.example", "nobody", NULL, NULL, NULL, NULL, VALIDATION_DNS01, "/account_id" },
		{ "a.example", NULL, "nothing", NULL, NULL, NULL, VALIDATION_DNS01, "/csr_id" },
		{ "a.example", NULL, NULL, "carrier-pigeon", NULL, NULL, VALIDATION_DNS01, "/dns" },
		{ "a.example", NULL, NULL, "builtin", NULL, NULL, VALIDATION_DNS01, "/dns" },
		{ "a.example", NULL, NULL, NULL, "delegation", NULL, VALIDATION_HTTP01, "/http" },
		{ "a.example", NULL, NULL, NULL, "builtin", NULL, VALIDATION_DNS01, "/http" },
		{ "a.example", NULL, NULL, NULL, NULL, "rsa1024", VALIDATION_DNS01, "/key_type" },
		{ "", NULL, NULL, NULL, NULL, NULL, VALIDATION_DNS01, "/names" },
	};
	_cleanup_rig_ struct rig *r = rig_new();

	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		_cleanup_strlist_ struct strlist names = { 0 };
		struct bad_order b = { .q = {
			.id = "01JD0000000000000000000000", .account_id = rows[i].account ? rows[i].account : r->account, .names = &names,
			.csr_id = rows[i].csr, .validation = rows[i].validation, .dns_method = rows[i].dns, .http_method = rows[i].http,
			.key_type = rows[i].key, .now_ms = r->clock.fake_ms,
		} };

		strlist_split(&names, rows[i].names, ' ');
		ASSERT_TRUE(store_write(r->store, take_bad, &b, &r->err) == -ERR_INVALID);
		if (rows[i].field)
			ASSERT_STR(err_root(&r->err)->field ? err_root(&r->err)->field : r->err.field, rows[i].field);
		err_clear(&r->err);
	}
	ASSERT_INT(rig_count(r, "SELECT COUNT(*) FROM orders"), 0);
	ASSERT_INT(r->ca.requests, 0);
}

/* ---- the real runner ---- */

/* ca.h is for one thread: the real runner gets it behind a lock, and beside it an authority that accepts and never answers. */
struct front {
	struct http http; /* first */
	struct rig *r;
	pthread_mutex_t lock;
	bool let_go;
	int hanging;
};

static int front_perform(struct http *h, const struct http_request *q, struct http_response *ret, struct err *err)
{
	struct front *f = (struct front *)h;
	int rc;

	if (str_starts(q->url, "https://hang.example")) {
		__atomic_add_fetch(&f->hanging, 1, __ATOMIC_RELAXED);
		while (!__atomic_load_n(&f->let_go, __ATOMIC_ACQUIRE))
			usleep(1000);
		return err_set(err, ERR_TIMEOUT, "HTTP: no answer");
	}
	pthread_mutex_lock(&f->lock);
	rc = f->r->ca.http.perform(&f->r->ca.http, q, ret, err);
	pthread_mutex_unlock(&f->lock);
	return rc;
}

static int copy_account(struct sql *tx, void *arg, struct err *err)
{
	struct rig *r = arg;
	struct account a = { 0 };
	int rc;

	if (store_account_get(tx, r->account, &a, err) < 0)
		return -(int)err->code;
	replace_str(&a.id, "01JD00000000000000000000AA");
	replace_str(&a.directory_url, "https://hang.example/dir");
	rc = store_account_add(tx, &a, err);
	account_done(&a);
	return rc;
}

static void run_threads(struct rig *r, struct front *f, unsigned workers)
{
	struct engine_options o;

	*f = (struct front){ .http = { .perform = front_perform }, .r = r };
	pthread_mutex_init(&f->lock, NULL);
	o = r->engine->o;
	rig_engine_close(r);
	r->ca.crash = NULL;
	r->ca.clock = &clock_system;
	o.store = r->store;
	o.clock = NULL;
	o.workers = workers;
	o.http = &f->http;
	r->clock.fake_ms = clock_now(&clock_system);
	ASSERT_OK(engine_open(&o, &r->engine, &r->err), &r->err);
	ASSERT_OK(engine_start(r->engine, &r->err), &r->err);
}

static void wait_valid(struct rig *r, int64_t n)
{
	int64_t until = clock_boot(&clock_system) + 240 * SECOND_MS;

	while (rig_count(r, "SELECT COUNT(*) FROM orders WHERE status = 'valid'") < n && clock_boot(&clock_system) < until)
		usleep(20000);
	ASSERT_INT(rig_count(r, "SELECT COUNT(*) FROM orders WHERE status = 'valid'"), n);
}

static void threads_carry_many_orders_to_the_end(void **state)
{
	_cleanup_rig_ struct rig *r = rig_new();
	struct front f;

	run_threads(r, &f, 16);
	for (int i = 0; i < 60; i++) {
		char name[32];

		snprintf(name, sizeof name, "n%d.example", i);
		rig_order(r, &(struct rig_order){ .names = name, .validation = i % 2 ? VALIDATION_DNS01 : VALIDATION_HTTP01 });
	}
	wait_valid(r, 60);
	engine_stop(r->engine, 240 * SECOND_MS);
	rig_no_residue(r);
	ASSERT_INT(r->ca.certificates, 60);
}

/* The dispatcher may hold rows it has just claimed when the workers are gone already. */
static void whenever_it_is_told_to_stop_no_lease_is_left_to_wait_for(void **state)
{
	for (int round = 0; round < 60; round++) {
		_cleanup_rig_ struct rig *r = rig_new();
		struct front f;

		run_threads(r, &f, 4);
		for (int i = 0; i < 4; i++) {
			char name[32];

			snprintf(name, sizeof name, "n%d.example", i);
			rig_order(r, &(struct rig_order){ .names = name, .validation = VALIDATION_HTTP01 });
			usleep((unsigned)(37 * round % 400));
		}
		engine_stop(r->engine, 240 * SECOND_MS);
		ASSERT_INT(rig_count(r, "SELECT COUNT(*) FROM orders WHERE lease_owner IS NOT NULL"), 0);
		ASSERT_INT(rig_count(r, "SELECT COUNT(*) FROM debt WHERE lease_owner IS NOT NULL"), 0);
	}
}

static void an_authority_that_never_answers_changes_nothing_for_the_others(void **state)
{
	_cleanup_rig_ struct rig *r = rig_new();
	struct front f;
	char own[27];

	ASSERT_OK(store_write(r->store, copy_account, r, &r->err), &r->err);
	run_threads(r, &f, 8);
	snprintf(own, sizeof own, "%s", r->account);
	snprintf(r->account, sizeof r->account, "01JD00000000000000000000AA");
	for (int i = 0; i < 20; i++) {
		char name[32];

		snprintf(name, sizeof name, "h%d.example", i);
		rig_order(r, &(struct rig_order){ .names = name, .validation = VALIDATION_DNS01 });
	}
	while (__atomic_load_n(&f.hanging, __ATOMIC_RELAXED) < 4)
		usleep(1000);
	snprintf(r->account, sizeof r->account, "%s", own);
	for (int i = 0; i < 20; i++) {
		char name[32];

		snprintf(name, sizeof name, "n%d.example", i);
		rig_order(r, &(struct rig_order){ .names = name, .validation = VALIDATION_DNS01 });
	}
	wait_valid(r, 20);
	ASSERT_INT(f.hanging, 4); /* half of the workers, not one more */
	__atomic_store_n(&f.let_go, true, __ATOMIC_RELEASE);
	engine_stop(r->engine, 240 * SECOND_MS);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(every_step_has_a_row_with_its_own_name),
		TEST(every_step_is_reached_from_the_queue_and_reaches_an_end),
		TEST(the_three_clocks_keep_their_tables_and_jitter),
		TEST(what_may_pass_is_tried_again_and_ends_valid),
		TEST(what_cannot_pass_ends_with_the_reason),
		TEST(a_rate_limit_on_one_set_of_names_stops_nobody_else),
		TEST(a_vendor_that_is_down_is_parked_as_a_whole),
		TEST(an_order_cancelled_while_its_authority_is_parked_withdraws_at_once_and_owes_the_rest),
		TEST(new_terms_park_the_account_until_a_person_has_agreed),
		TEST(terms_that_are_agreed_to_while_a_refusal_is_on_its_way_hold_nothing_up),
		TEST(an_order_that_comes_with_a_failed_authorization_is_made_anew_a_few_times),
		TEST(the_poll_obeys_retry_after),
		TEST(an_authority_that_never_ends_what_it_cannot_prove_is_asked_as_rarely_as_it_wants_and_its_words_are_shown),
		TEST(a_person_cannot_make_an_order_ask_before_the_authority_wants_to_be_asked),
		TEST(an_error_does_not_make_an_order_ask_sooner_than_it_was_told),
		TEST(the_result_of_a_worker_without_its_lease_is_dropped),
		TEST(an_order_that_ends_the_process_is_set_aside_and_the_others_end_valid),
		TEST(asking_for_a_look_is_limited),
		TEST(a_registration_ends_valid_or_says_why),
		TEST(a_registration_killed_at_any_point_makes_one_account),
		TEST(a_csr_is_made_by_a_job),
		TEST(impossible_orders_are_refused_by_field_before_anything_is_stored),
		TEST(threads_carry_many_orders_to_the_end),
		TEST(whenever_it_is_told_to_stop_no_lease_is_left_to_wait_for),
		TEST(an_authority_that_never_answers_changes_nothing_for_the_others),
	};

	return RUN(tests);
}
