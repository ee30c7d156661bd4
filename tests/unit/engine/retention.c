/* SPDX-License-Identifier: Apache-2.0 */
/* retention.c - what is kept how long, on a virtual clock: nothing of an order that is not over goes, and the audit never. */
#include "store/audit.h"
#include "tests/unit/engine/rig.h"

#include <stdio.h>

#define MANY 2300

struct fill {
	const char *subject;
	int64_t at_ms;
	int n;
	struct ulid *ids;
};

static int add_events(struct sql *tx, void *arg, struct err *err)
{
	const struct fill *f = arg;

	for (int i = 0; i < f->n; i++) {
		struct event e = { .id = f->ids[i].s, .subject_kind = (char[]){ "order" }, .subject_id = (char *)(uintptr_t)f->subject, .at_ms = f->at_ms + i,
				   .level = EVENT_INFO, .text = (char[]){ "something happened" } };

		if (store_event_add(tx, &e, err) < 0)
			return -(int)err->code;
	}
	return 0;
}

static void events(struct rig *r, const char *subject, int64_t at_ms, int n)
{
	struct fill f = { subject, at_ms, n, xcalloc((size_t)n, sizeof(struct ulid)) };

	for (int i = 0; i < n; i++)
		f.ids[i] = ulid_new(at_ms);
	ASSERT_OK(store_write(r->store, add_events, &f, &r->err), &r->err);
	free(f.ids);
}

static int add_asked(struct sql *tx, void *arg, struct err *err)
{
	const struct rig *r = arg;
	_cleanup_delegation_ struct delegation d = { .id = xstrdup(ulid_new(r->clock.fake_ms).s), .name = xstrdup("asked.example"), .created_ms = r->clock.fake_ms };
	struct asked old = { .network = (char[]){ "192.0.2.0/24" }, .transport = (char[]){ "udp" }, .qtype = (char[]){ "TXT" }, .outcome = (char[]){ "empty" }, .times = 3,
			     .first_ms = r->clock.fake_ms, .last_ms = r->clock.fake_ms }, late = old;

	bool made = false;

	late.transport = (char[]){ "tcp" };
	late.last_ms += 20 * DAY_MS;
	if (store_delegation_ensure(tx, &d, &made, err) < 0 || store_asked_add(tx, d.id, &old, err) < 0)
		return -(int)err->code;
	return store_asked_add(tx, d.id, &late, err);
}

static int add_audit(struct sql *tx, void *arg, struct err *err)
{
	const struct rig *r = arg;
	_cleanup_audit_ struct audit a = { .id = xstrdup(ulid_new(1000).s), .at_ms = 1000, .actor_kind = xstrdup("user"), .actor_name = xstrdup("old"),
					   .action = xstrdup("order.create") };

	(void)r;
	return store_audit_add(tx, &a, err);
}

/* Moves to the instant and lets what goes by itself go. */
static void to(struct rig *r, int64_t ms)
{
	r->clock.fake_ms = ms;
	rig_run_until(r, ms + 2 * DAY_MS);
}

static void the_story_of_what_is_over_is_kept_for_two_years(void **state UNUSED)
{
	_cleanup_rig_ struct rig *r = rig_new();
	struct order_taken done = rig_order(r, &(struct rig_order){ .names = "over.example", .validation = VALIDATION_HTTP01 });
	int64_t begin = r->clock.fake_ms, written;

	rig_run(r);
	events(r, done.id, begin, MANY);
	written = rig_count(r, "SELECT count(*) FROM event");
	to(r, begin + 700 * DAY_MS);
	ASSERT_TRUE(rig_count(r, "SELECT count(*) FROM event") >= written);
	to(r, begin + 735 * DAY_MS);
	ASSERT_INT(rig_count(r, "SELECT count(*) FROM event WHERE text = 'something happened'"), 0);
	ASSERT_TRUE(rig_count(r, "SELECT count(*) FROM job WHERE kind = 'prune' AND ok_ms > 0 AND attempts = 0") == 1);
}

struct cut {
	int64_t before_ms, n;
};

static int cut(struct sql *tx, void *arg, struct err *err)
{
	struct cut *c = arg;

	return store_event_prune(tx, c->before_ms, &c->n, err);
}

static void an_order_that_is_not_over_keeps_its_story_and_a_batch_is_small(void **state UNUSED)
{
	_cleanup_rig_ struct rig *r = rig_new();
	struct order_taken waits = rig_order(r, &(struct rig_order){ .names = "waits.example", .validation = VALIDATION_DNS01, .method = "manual" });
	struct cut c = { .before_ms = r->clock.fake_ms - 730 * DAY_MS };
	static const int64_t gone[] = { 500, 500, 200, 0 };

	events(r, waits.id, r->clock.fake_ms - 1000 * DAY_MS, 700);
	events(r, "01JZZZZZZZZZZZZZZZZZZZZZZZ", r->clock.fake_ms - 999 * DAY_MS, 1200);
	for (size_t i = 0; i < ARRAY_SIZE(gone); i++) {
		ASSERT_OK(store_write(r->store, cut, &c, &r->err), &r->err);
		ASSERT_INT(c.n, gone[i]);
	}
	ASSERT_INT(rig_count(r, "SELECT count(*) FROM event WHERE text = 'something happened'"), 700);
}

static void what_was_asked_goes_after_a_month_and_the_audit_never(void **state UNUSED)
{
	_cleanup_rig_ struct rig *r = rig_new();
	int64_t begin = r->clock.fake_ms;

	ASSERT_OK(store_write(r->store, add_asked, r, &r->err), &r->err);
	ASSERT_OK(store_write(r->store, add_audit, r, &r->err), &r->err);
	to(r, begin + 31 * DAY_MS);
	ASSERT_INT(rig_count(r, "SELECT count(*) FROM asked"), 1);
	to(r, begin + 53 * DAY_MS);
	ASSERT_INT(rig_count(r, "SELECT count(*) FROM asked"), 0);
	to(r, begin + 4000 * DAY_MS);
	ASSERT_INT(rig_count(r, "SELECT count(*) FROM audit WHERE actor_name = 'old'"), 1);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(the_story_of_what_is_over_is_kept_for_two_years),
		TEST(an_order_that_is_not_over_keeps_its_story_and_a_batch_is_small),
		TEST(what_was_asked_goes_after_a_month_and_the_audit_never),
	};

	return RUN(tests);
}
