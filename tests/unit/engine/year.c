/* SPDX-License-Identifier: Apache-2.0 */
/*
 * year.c - a simulated year: the real engine and SQLite under a virtual clock, certificates of 45 and of 6 days, an authority that
 * offers renewal information and now and then says 503. Nothing expires, nothing is renewed twice, no hour is a storm.
 *
 *	year [DAYS [CERTIFICATES]]      without arguments a short one, for the unit tests; `make simulate` runs 365 500
 */
#include "tests/unit/engine/rig.h"

#include <stdio.h>

static int64_t days = 40, certificates = 40;

static uint64_t dice(void *arg, uint64_t limit)
{
	static uint64_t x = 20261126;

	(void)arg;
	x = x * UINT64_C(6364136223846793005) + UINT64_C(1442695040888963407);
	return limit ? (x >> 16) % limit : 0;
}

static int64_t lifetime(const struct strlist *names)
{
	return names->v[0][0] == 's' ? 6 * DAY_MS : 45 * DAY_MS;
}

/* One in a hundred orders meets a server that is busy. */
static int busy(struct ca *ca, void *arg, const char *method, const char *path, struct http_response *ret)
{
	unsigned *refused = arg;

	if (!streq(path, "/new-order") || dice(NULL, 100))
		return 0;
	++*refused;
	ca_problem(ca, ret, 503, "serverInternal", "busy");
	ca_header(ret, "retry-after", "60");
	return 1;
}

static void order_all(struct rig *r)
{
	for (int64_t i = 0; i < certificates; i++) {
		char name[64];

		snprintf(name, sizeof name, "%c%" PRId64 ".example", i % 2 ? 's' : 'l', i);
		rig_order(r, &(struct rig_order){ .names = name, .validation = i % 3 ? VALIDATION_HTTP01 : VALIDATION_DNS01 });
	}
}

static void a_year_passes(void **state)
{
	_cleanup_rig_ struct rig *r = rig_new_empty();
	int64_t start, end, expired, twice, orders, worst, versions, worked = clock_boot(&clock_system);
	unsigned refused = 0, infos;

	r->ca.ari = true;
	r->ca.recycle = true;
	r->ca.retry_after_s = 86400;
	r->ca.lifetime = lifetime;
	r->ca.hook = busy;
	r->ca.hook_arg = &refused;
	rig_account(r);
	r->engine->o.random = dice;
	order_all(r);
	start = r->clock.fake_ms;
	for (int64_t d = 0; d < days; d++)
		for (int half = 0; half < 2; half++)
			rig_run_until(r, r->clock.fake_ms + 12 * HOUR_MS);
	end = r->clock.fake_ms;
	ASSERT_INT(rig_count(r, "SELECT COUNT(*) FROM certificate WHERE version_id IS NOT NULL"), certificates);
	/* each version has a successor before it ends, unless it is still good */
	expired = rig_count(r, "SELECT COUNT(*) FROM version v WHERE v.not_after_ms < (SELECT MAX(created_ms) FROM version) AND NOT EXISTS"
			       " (SELECT 1 FROM version w WHERE w.certificate_id = v.certificate_id AND w.created_ms > v.created_ms"
			       " AND w.created_ms < v.not_after_ms)");
	/* and none in the first two fifths of its life */
	twice = rig_count(r, "SELECT COUNT(*) FROM version v WHERE EXISTS (SELECT 1 FROM version w WHERE w.certificate_id = v.certificate_id"
			     " AND w.id <> v.id AND w.created_ms >= v.created_ms AND w.created_ms - v.created_ms < (v.not_after_ms - v.not_before_ms) / 5 * 2)");
	orders = rig_count(r, "SELECT COUNT(*) FROM orders");
	versions = rig_count(r, "SELECT COUNT(*) FROM version");
	worst = rig_count(r, "SELECT MAX(n) FROM (SELECT COUNT(*) AS n FROM orders WHERE certificate_id IS NOT NULL AND created_ms > (SELECT MIN(created_ms) FROM orders) + 7200000"
			     " GROUP BY created_ms / 3600000)");
	infos = r->ca.ari_requests;
	print_message("%" PRId64 " days, %" PRId64 " certificates: %" PRId64 " orders, %" PRId64 " issued, %u refused with 503; %.1f requests per certificate and %.1f "
		      "questions for renewal information; worst hour %" PRId64 " orders; %.0f s\n", days, certificates, orders, versions, refused,
		      (double)(r->ca.requests - infos) / (double)versions, (double)infos / (double)versions, worst,
		      (double)(clock_boot(&clock_system) - worked) / 1000);
	ASSERT_INT(expired, 0);
	ASSERT_INT(twice, 0);
	ASSERT_INT(versions, orders);
	ASSERT_INT(rig_count(r, "SELECT COUNT(*) FROM notice WHERE ended_ms = 0"), 0);
	ASSERT_TRUE(worst <= 4 + certificates / 10); /* an even year has one in two hours per hundred */
	ASSERT_TRUE((end - start) / DAY_MS >= days);
	rig_no_residue(r);
}

int main(int argc, char **argv)
{
	const struct CMUnitTest tests[] = { TEST(a_year_passes) };

	if (argc > 1)
		days = strtoll(argv[1], NULL, 10);
	if (argc > 2)
		certificates = strtoll(argv[2], NULL, 10);
	return RUN(tests);
}
