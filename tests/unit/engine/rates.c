/* SPDX-License-Identifier: Apache-2.0 */
/* rates.c - staying below what authorities publish: by the second, over days of a virtual clock, over restarts; and what is parked where. */
#include "model/vendor.h"
#include "store/rate.h"
#include "tests/unit/engine/rig.h"

#include <stdio.h>

/* ---- the arithmetic, against the authority's own ---- */

/* Whoever sends whenever our bucket lets him is never refused by one that is filled as published, and gets most of what there is. */
static void whoever_asks_us_first_is_never_refused(void **state)
{
	static const char *const vendors_known[] = { "letsencrypt", "letsencrypt-staging", "zerossl", "google", "sslcom-rsa", "digicert" };

	for (size_t n = 0; n < ARRAY_SIZE(vendors_known); n++) {
		const struct vendor_rates *v = vendor_rates_find(vendors_known[n]);

		for (unsigned k = 0; k < RATE_KIND_COUNT; k++) {
			struct rate theirs = v->published[k], ours = rate_below((enum rate_kind)k, theirs);
			struct rate_bucket mine = { 0 }, its = { 0 };
			int64_t now = INT64_C(1795459531000), end = now + 20 * theirs.period_ms, sent = 0;

			while (theirs.number && now < end) {
				int64_t wait;

				rate_fill(&mine, ours, now);
				wait = rate_wait(&mine, ours);
				if (wait) {
					now += wait;
					continue;
				}
				rate_take(&mine);
				rate_fill(&its, theirs, now);
				if (rate_wait(&its, theirs))
					print_error("%s: %s refused after %" PRId64 "\n", v->key, rate_kind_text((enum rate_kind)k), sent);
				ASSERT_INT(rate_wait(&its, theirs), 0);
				rate_take(&its);
				sent++;
			}
			if (theirs.number)
				ASSERT_TRUE(sent >= 20 * (int64_t)theirs.number * 7 / 10);
		}
	}
}

static void a_bucket_loses_nothing_to_rounding_and_gains_nothing_from_a_clock_that_went_back(void **state)
{
	struct rate r = { 5, 7 * DAY_MS, 4 };
	struct rate_bucket b = { 0 };
	int64_t now = INT64_C(1795459531000);

	rate_fill(&b, r, now);
	for (int i = 0; i < 4; i++)
		rate_take(&b);
	ASSERT_TRUE(rate_wait(&b, r) > 33 * HOUR_MS && rate_wait(&b, r) < 34 * HOUR_MS);
	for (int64_t t = 0; t < 34 * HOUR_MS; t += 1700) /* looked at every other second */
		rate_fill(&b, r, now + t);
	ASSERT_INT(rate_wait(&b, r), 0);
	rate_fill(&b, r, now - 10 * DAY_MS);
	ASSERT_TRUE(b.level >= 1000 && b.level < 2000); /* nothing gained, nothing lost */
}

/* ---- the engine under such limits ---- */

static int set_vendor(struct sql *tx, void *arg, struct err *err)
{
	return sql_exec(tx, "UPDATE account SET vendor = $1", SQL_VALUES(SQL_TEXT(arg)), NULL, err);
}

static struct rig *limited_rig(void)
{
	struct rig *r = rig_new();
	char key[] = "letsencrypt";

	ASSERT_OK(store_write(r->store, set_vendor, key, &r->err), &r->err);
	return r;
}

static struct order_taken order_again(struct rig *r, const char *names)
{
	char csr[27];

	rig_csr(r, names, KEY_P256, csr);
	return rig_order(r, &(struct rig_order){ .names = names, .validation = VALIDATION_DNS01, .csr_id = csr });
}

static void one_name_over_its_weekly_limit_waits_while_fifty_others_are_issued_and_a_restart_forgets_nothing(void **state)
{
	_cleanup_rig_ struct rig *r = limited_rig();
	int64_t start = r->clock.fake_ms;
	struct order_taken last;

	for (int i = 0; i < 4; i++) {
		order_again(r, "a.example");
		rig_run_until(r, start + (i + 1) * 2 * MINUTE_MS);
	}
	ASSERT_INT(r->ca.certificates, 4);
	last = order_again(r, "a.example");
	for (int i = 0; i < 50; i++) {
		_cleanup_free_ char *name = xasprintf("x.n%d.example", i);

		rig_order(r, &(struct rig_order){ .names = name, .validation = VALIDATION_DNS01 });
	}
	rig_run_until(r, start + 30 * MINUTE_MS);
	ASSERT_INT(r->ca.certificates, 54);
	{
		RIG_GET(r, o, last.id);

		ASSERT_STR(order_status_text(o.status), "pending");
		ASSERT_HAS(o.reason, "allows 5 certificates of the same names in 7 days");
		ASSERT_TRUE(o.due_ms > start + 33 * HOUR_MS && o.due_ms < start + 35 * HOUR_MS);
	}
	rig_engine_close(r);
	rig_engine_open(r);
	rig_run_until(r, start + 30 * HOUR_MS);
	ASSERT_INT(r->ca.certificates, 54);
	rig_run_until(r, start + 36 * HOUR_MS);
	ASSERT_INT(r->ca.certificates, 55);
	rig_no_residue(r);
}

static void one_registered_domain_over_its_weekly_limit_stops_no_other(void **state)
{
	_cleanup_rig_ struct rig *r = limited_rig();
	int64_t start = r->clock.fake_ms;

	for (int i = 0; i < 52; i++) {
		_cleanup_free_ char *name = xasprintf("n%d.shop.co.uk", i);

		rig_order(r, &(struct rig_order){ .names = name, .validation = VALIDATION_DNS01 });
	}
	rig_order(r, &(struct rig_order){ .names = "n1.other.co.uk", .validation = VALIDATION_DNS01 });
	rig_run_until(r, start + HOUR_MS);
	ASSERT_INT(r->ca.certificates, 49); /* 48 of the 50, and the other domain's */
	ASSERT_INT(rig_count(r, "SELECT COUNT(*) FROM orders WHERE ended_ms = 0 AND reason LIKE '%registered domain%'"), 4);
	rig_run_until(r, start + 2 * DAY_MS);
	ASSERT_INT(r->ca.certificates, 53);
}

static void what_an_unknown_authority_may_be_asked_is_its_own_matter(void **state)
{
	_cleanup_rig_ struct rig *r = rig_new();
	struct gate g = { .e = r->engine, .directory_url = CA_DIRECTORY, .vendor = VENDOR_CUSTOM };

	for (int i = 0; i < 1000; i++)
		ASSERT_OK(lane_gate(&g, ACME_KIND_ORDER_NEW, &r->err), &r->err);
	ASSERT_INT(rig_count(r, "SELECT COUNT(*) FROM rate_bucket"), 0);
}

static void those_who_are_sent_away_are_told_different_instants(void **state)
{
	_cleanup_rig_ struct rig *r = rig_new();
	struct gate g = { .e = r->engine, .directory_url = CA_DIRECTORY, .vendor = "letsencrypt" };
	int64_t before = 0;

	while (lane_gate(&g, ACME_KIND_ORDER, &r->err) == 0)
		;
	for (int i = 0; i < 100; i++) {
		int64_t at = r->err.retry_at_ms;

		ASSERT_STR(err_slug(r->err.code), "busy");
		ASSERT_TRUE(at >= before);
		before = at;
		err_clear(&r->err);
		ASSERT_TRUE(lane_gate(&g, ACME_KIND_ORDER, &r->err) < 0);
	}
	ASSERT_TRUE(before >= r->clock.fake_ms + 400); /* a hundred of them at two hundred a second */
	err_clear(&r->err);
}

/* ---- what is parked ---- */

static bool paused;

static int pausing(struct ca *ca, void *arg, const char *method, const char *path, struct http_response *ret)
{
	(void)arg, (void)method;
	if (!paused || !streq(path, "/new-order"))
		return 0;
	ca_json(ca, ret, 429, "{\"type\":\"urn:ietf:params:acme:error:rateLimited\",\"status\":429,\"detail\":\"Your account is temporarily prevented from "
		"requesting certificates for a.example. Please visit: https://portal.example/unpause?jwt=abc\",\"subproblems\":[{\"type\":"
		"\"urn:ietf:params:acme:error:rateLimited\",\"identifier\":{\"type\":\"dns\",\"value\":\"a.example\"}}]}");
	http_header_add(ret, "content-type", 12, "application/problem+json", 24);
	return 1;
}

static void a_paused_name_waits_for_a_person_with_the_link_and_goes_on_when_asked(void **state)
{
	_cleanup_rig_ struct rig *r = rig_new();
	int64_t start = r->clock.fake_ms;
	struct order_taken a, b;

	paused = true;
	r->ca.hook = pausing;
	a = rig_order(r, &(struct rig_order){ .names = "a.example", .validation = VALIDATION_DNS01 });
	rig_run_until(r, start + MINUTE_MS);
	paused = false;
	b = rig_order(r, &(struct rig_order){ .names = "b.example", .validation = VALIDATION_DNS01 });
	rig_run_until(r, start + 2 * MINUTE_MS);
	{
		RIG_GET(r, oa, a.id);
		RIG_GET(r, ob, b.id);

		ASSERT_STR(order_status_text(oa.status), "pending");
		ASSERT_HAS(oa.reason, "needs-person");
		ASSERT_HAS(oa.reason, "https://portal.example/unpause?jwt=abc, then");
		ASSERT_STR(order_status_text(ob.status), "valid");
	}
	ASSERT_INT(rig_count(r, "SELECT COUNT(*) FROM lane WHERE name LIKE 'name:a.example%' AND parked_until_ms > 0"), 1);
	rig_refresh(r, a.id);
	rig_run_until(r, start + 4 * MINUTE_MS);
	{
		RIG_GET(r, oa, a.id);

		ASSERT_STR(order_status_text(oa.status), "valid");
	}
	ASSERT_INT(rig_count(r, "SELECT COUNT(*) FROM lane WHERE name LIKE 'name:%' AND parked_until_ms > 0"), 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(whoever_asks_us_first_is_never_refused),
		TEST(a_bucket_loses_nothing_to_rounding_and_gains_nothing_from_a_clock_that_went_back),
		TEST(one_name_over_its_weekly_limit_waits_while_fifty_others_are_issued_and_a_restart_forgets_nothing),
		TEST(one_registered_domain_over_its_weekly_limit_stops_no_other),
		TEST(what_an_unknown_authority_may_be_asked_is_its_own_matter),
		TEST(those_who_are_sent_away_are_told_different_instants),
		TEST(a_paused_name_waits_for_a_person_with_the_link_and_goes_on_when_asked),
	};

	return RUN(tests);
}
