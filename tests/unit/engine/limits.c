/* SPDX-License-Identifier: Apache-2.0 */
/*
 * limits.c - thousands of orders due at once at an authority that counts as Let's Encrypt publishes (August 2026): by the second, by
 * account, by registered domain and by set of names, on a virtual clock. The numbers stand here once more, since the authority is the
 * judge: it refuses with 429 whatever is over, and none may be. LIMITS_ORDERS says how many (2,000; the suite runs 500).
 */
#include "tests/unit/engine/rig.h"

#include <stdio.h>
#include <stdlib.h>

#define PER_DOMAIN 60 /* ten more than a week has */
#define DOMAINS_MOST 400

/* As published: number in period_ms, burst at once; filled like theirs. */
struct counted {
	double number, period_ms, burst, level;
	int64_t at_ms;
};

struct published {
	struct rig *r;
	struct counted directory, nonce, new_order, other, orders, domain[DOMAINS_MOST];
	unsigned refused, most_in_a_second, in_this_second;
	int64_t this_second;
	int64_t busy_ms; /* the last request */
};

static bool take(struct counted *c, int64_t now_ms)
{
	c->level = c->at_ms ? MIN(c->burst, c->level + (double)(now_ms - c->at_ms) * c->number / c->period_ms) : c->burst;
	c->at_ms = now_ms;
	if (c->level < 1)
		return false;
	c->level -= 1;
	return true;
}

static void note(struct published *p, int64_t now_ms)
{
	p->busy_ms = now_ms;
	if (p->this_second != now_ms / SECOND_MS)
		p->in_this_second = 0;
	p->this_second = now_ms / SECOND_MS;
	p->in_this_second++;
	p->most_in_a_second = MAX(p->most_in_a_second, p->in_this_second);
}

static struct counted *domain_of(struct published *p, const char *name)
{
	const char *d = strstr(name, ".d");
	unsigned long n = d ? strtoul(d + 2, NULL, 10) : DOMAINS_MOST;

	assert_true(n < DOMAINS_MOST);
	return &p->domain[n];
}

static int counts(struct ca *ca, void *arg, const char *method, const char *path, struct http_response *ret)
{
	struct published *p = arg;
	int64_t now = p->r->clock.fake_ms;
	bool room;

	(void)method;
	note(p, now);
	if (streq(path, "/dir"))
		room = take(&p->directory, now);
	else if (streq(path, "/nonce"))
		room = take(&p->nonce, now);
	else if (streq(path, "/new-order"))
		room = take(&p->new_order, now) && take(&p->orders, now);
	else if (str_starts(path, "/finalize/"))
		room = take(&p->other, now) && take(domain_of(p, ca->orders[strtoul(path + 10, NULL, 10)].names.v[0]), now);
	else
		room = take(&p->other, now);
	if (room)
		return 0;
	p->refused++;
	print_error("refused: %s\n", path);
	ca_problem(ca, ret, 429, "rateLimited", "too many");
	return 1;
}

static int set_vendor(struct sql *tx, void *arg, struct err *err)
{
	return sql_exec(tx, arg, SQL_NONE, NULL, err);
}

static void thousands_of_orders_due_at_once_meet_no_limit_by_the_second_or_by_the_week(void **state)
{
	_cleanup_rig_ struct rig *r = rig_new();
	struct published *p = xcalloc(1, sizeof *p);
	int orders = getenv("LIMITS_ORDERS") ? (int)strtol(getenv("LIMITS_ORDERS"), NULL, 10) : 500;
	char sql[] = "UPDATE account SET vendor = 'letsencrypt'";
	int64_t start = r->clock.fake_ms, worked = clock_boot(&clock_system);

	*p = (struct published){ .r = r, .directory = { 40, SECOND_MS, 40 }, .nonce = { 20, SECOND_MS, 10 }, .new_order = { 300, SECOND_MS, 200 },
				 .other = { 250, SECOND_MS, 125 }, .orders = { 300, 3 * HOUR_MS, 300 } };
	for (size_t i = 0; i < DOMAINS_MOST; i++)
		p->domain[i] = (struct counted){ 50, 7 * DAY_MS, 50 };
	ASSERT_OK(store_write(r->store, set_vendor, sql, &r->err), &r->err);
	for (int i = 0; i < orders; i++) {
		_cleanup_free_ char *name = xasprintf("n%d.d%d.example", i, i / PER_DOMAIN);

		rig_order(r, &(struct rig_order){ .names = name, .validation = VALIDATION_HTTP01, .method = METHOD_BUILTIN });
	}
	r->ca.recycle = true;
	r->ca.hook = counts;
	r->ca.hook_arg = p;
	while (rig_count(r, "SELECT COUNT(*) FROM orders WHERE ended_ms = 0") && r->clock.fake_ms < start + 21 * DAY_MS)
		rig_run_until(r, MAX(engine_next_due(r->engine), r->clock.fake_ms) + SECOND_MS);
	print_message("%d orders of %d registered domains: %u requests, at most %u in a second, all over after %.1f virtual hours; %.0f s\n", orders,
		      (orders + PER_DOMAIN - 1) / PER_DOMAIN, r->ca.requests, p->most_in_a_second, (double)(p->busy_ms - start) / HOUR_MS,
		      (double)(clock_boot(&clock_system) - worked) / 1000);
	ASSERT_INT(p->refused, 0);
	ASSERT_TRUE(r->ca.requests < 10 * (unsigned)orders); /* who has to wait does so without asking */
	ASSERT_INT(rig_count(r, "SELECT COUNT(*) FROM orders WHERE status = 'valid'"), orders);
	ASSERT_INT(r->ca.certificates, orders);
	/* held back, and not for longer than the limits ask: two weeks' worth of a domain takes under ten days */
	ASSERT_TRUE(p->busy_ms - start > DAY_MS && p->busy_ms - start < 10 * DAY_MS);
	rig_no_residue(r);
	free(p);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(thousands_of_orders_due_at_once_meet_no_limit_by_the_second_or_by_the_week),
	};

	return RUN(tests);
}
