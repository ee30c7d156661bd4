/* SPDX-License-Identifier: Apache-2.0 */
/*
 * durable.c - one order to the end, the engine killed at its n-th store write or HTTP call (before it, and after it but before the
 * result is known), for n = 1, 2, 3, ... until n is not reached; and the same with that call failing instead. After each the
 * order ends valid, the authority issued one certificate, and nothing is left behind.
 */
#include "tests/unit/engine/rig.h"

#include "base/sandbox.h"

#include <stdio.h>

#define POINTS_MAX 400

struct course {
	const char *what;
	struct rig_order order;
	bool reuse;
	int polls;
};

static const struct course courses[] = {
	{ "dns-01 with apex, wildcard and a second name", { .names = "*.a.example a.example b.example", .validation = VALIDATION_DNS01 }, false, 1 },
	{ "http-01", { .names = "a.example b.example", .validation = VALIDATION_HTTP01 }, false, 0 },
	{ "step by step", { .names = "a.example", .validation = VALIDATION_DNS01, .mode = MODE_STEP_BY_STEP }, false, 1 },
	{ "proved before", { .names = "a.example", .validation = VALIDATION_DNS01 }, true, 1 },
};

/* All points; with sanitizers, which are several times slower and look for other faults, every third one. */
static int64_t stride(void)
{
	return sandbox_effective() ? 1 : 3;
}

static struct rig *begin(const struct course *c, struct order_taken *ret)
{
	struct rig *r = rig_new();

	r->ca.reuse_valid = c->reuse;
	r->ca.authz_polls = r->ca.order_polls = c->polls;
	*ret = rig_order(r, &c->order);
	return r;
}

static void to_the_end(struct rig *r, const struct course *c, const struct order_taken *t)
{
	rig_run(r);
	if (r->crashed || c->order.mode == MODE_AUTOMATIC)
		return;
	{
		RIG_GET(r, o, t->id);

		if (o.status == ORDER_READY && !o.want_finalize)
			rig_finalize(r, t->id);
	}
	rig_run(r);
}

static void check(struct rig *r, const struct course *c, const struct order_taken *t, int64_t n)
{
	RIG_GET(r, o, t->id);

	if (o.status != ORDER_VALID || r->ca.certificates != 1)
		print_error("%s, point %d: %s at %s, %u certificates: %s\n", c->what, (int)n, order_status_text(o.status), order_step_text(o.step),
			    r->ca.certificates, o.reason ? o.reason : "-");
	ASSERT_STR(order_status_text(o.status), "valid");
	ASSERT_INT(r->ca.certificates, 1);
	ASSERT_INT(r->ca.finalizes, 1);
	ASSERT_INT(rig_count(r, "SELECT COUNT(*) FROM version WHERE state = 'current'"), 1);
	ASSERT_INT(rig_count(r, "SELECT COUNT(*) FROM certificate"), 1);
	ASSERT_INT(rig_count(r, "SELECT COUNT(*) FROM csr WHERE public_hash IN (SELECT public_hash FROM version)"), 1);
	rig_no_residue(r);
}

static void kill_at_every_point(const struct course *c)
{
	int64_t n;

	for (n = 1; n < POINTS_MAX; n += stride()) {
		struct order_taken t;
		_cleanup_rig_ struct rig *r = begin(c, &t);

		r->crash_in = n;
		to_the_end(r, c, &t);
		if (!r->crashed)
			break;
		rig_engine_close(r);
		rig_engine_open(r);
		to_the_end(r, c, &t);
		check(r, c, &t, n);
	}
	ASSERT_TRUE(n > 15 && n < POINTS_MAX);
}

/* A second death soon after the restart. */
static void kill_twice(const struct course *c)
{
	for (int64_t n = 5; n < 60; n += 6 * stride()) {
		struct order_taken t;
		_cleanup_rig_ struct rig *r = begin(c, &t);

		for (int k = 0; k < 2; k++) {
			r->crash_in = k ? 4 : n;
			to_the_end(r, c, &t);
			if (!r->crashed)
				return;
			rig_engine_close(r);
			rig_engine_open(r);
		}
		to_the_end(r, c, &t);
		check(r, c, &t, n);
	}
}

struct failing {
	int64_t in;
	bool hit;
};

static struct failing failing;

static bool fail_write(void *arg, const char *point)
{
	(void)arg, (void)point;
	if (failing.in > 0 && --failing.in == 0)
		failing.hit = true;
	else
		return false;
	return true;
}

static void fail_every_write(const struct course *c)
{
	int64_t n;

	for (n = 1; n < POINTS_MAX; n += stride()) {
		struct order_taken t;
		_cleanup_rig_ struct rig *r = begin(c, &t);

		failing = (struct failing){ .in = n };
		r->engine->fail_at = fail_write;
		r->tolerant = true;
		to_the_end(r, c, &t);
		if (!failing.hit)
			break;
		check(r, c, &t, n);
	}
	ASSERT_TRUE(n > 4 && n < POINTS_MAX);
}

static int fail_call(struct ca *ca, void *arg, const char *method, const char *path, struct http_response *ret)
{
	(void)ca, (void)arg, (void)method, (void)path;
	if (failing.in <= 0 || --failing.in > 0)
		return 0;
	failing.hit = true;
	http_response_done(ret);
	return -1;
}

static void fail_every_call(const struct course *c)
{
	int64_t n;

	for (n = 1; n < POINTS_MAX; n += stride()) {
		struct order_taken t;
		_cleanup_rig_ struct rig *r = begin(c, &t);

		failing = (struct failing){ .in = n };
		r->ca.hook = fail_call;
		to_the_end(r, c, &t);
		if (!failing.hit)
			break;
		check(r, c, &t, n);
	}
	ASSERT_TRUE(n > 4 && n < POINTS_MAX);
}

/* The authority did it, and the answer is lost. */
static bool lose_answer(void *arg, const char *point)
{
	(void)arg;
	if (!streq(point, "https") || failing.in <= 0 || --failing.in > 0)
		return false;
	failing.hit = true;
	return true;
}

static void lose_every_answer(const struct course *c)
{
	int64_t n;

	for (n = 1; n < POINTS_MAX; n += stride()) {
		struct order_taken t;
		_cleanup_rig_ struct rig *r = begin(c, &t);

		failing = (struct failing){ .in = n };
		r->ca.crash = lose_answer;
		to_the_end(r, c, &t);
		if (!failing.hit)
			break;
		check(r, c, &t, n);
	}
	ASSERT_TRUE(n > 4 && n < POINTS_MAX);
}

static void durable_when_killed_at_any_point(void **state)
{
	for (size_t i = 0; i < ARRAY_SIZE(courses); i++)
		kill_at_every_point(&courses[i]);
}

static void durable_when_killed_again_while_it_recovers(void **state)
{
	for (size_t i = 0; i < ARRAY_SIZE(courses); i++)
		kill_twice(&courses[i]);
}

static void durable_when_any_write_fails(void **state)
{
	for (size_t i = 0; i < ARRAY_SIZE(courses); i++)
		fail_every_write(&courses[i]);
}

static void durable_when_any_call_fails(void **state)
{
	for (size_t i = 0; i < ARRAY_SIZE(courses); i++)
		fail_every_call(&courses[i]);
}

static void durable_when_any_answer_is_lost(void **state)
{
	for (size_t i = 0; i < ARRAY_SIZE(courses); i++)
		lose_every_answer(&courses[i]);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(durable_when_killed_at_any_point),
		TEST(durable_when_killed_again_while_it_recovers),
		TEST(durable_when_any_write_fails),
		TEST(durable_when_any_call_fails),
		TEST(durable_when_any_answer_is_lost),
	};

	return RUN(tests);
}
