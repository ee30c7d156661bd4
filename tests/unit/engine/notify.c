/* SPDX-License-Identifier: Apache-2.0 */
/* notify.c - one cause is one message; a sink that is down is asked ever more rarely and loses nothing. */
#include "engine/notice.h"
#include "engine/notify.h"
#include "store/notice.h"
#include "tests/unit/engine/mailed.h"
#include "tests/unit/engine/rig.h"

#include <stdio.h>
#include <stdlib.h>
#include <time.h>

struct sink {
	struct rig *r;
	unsigned tries, taken;
	bool down;
	struct strlist subjects;
	char *body; /* of the last */
};

static int take(void *arg, const struct mail_request *q, enum net_leg *leg, struct err *err)
{
	struct sink *s = arg;
	_cleanup_free_ char *subject = mail_subject(q);

	s->tries++;
	*leg = NET_LEG_TCP;
	if (s->down)
		return err_set(err, ERR_NETWORK, "TCP: could not connect");
	*leg = NET_LEG_NONE;
	s->taken++;
	strlist_add(&s->subjects, subject);
	free(s->body);
	s->body = mail_body(q);
	return 0;
}

static void sink_done(struct sink *s)
{
	strlist_clear(&s->subjects);
	free(s->body);
}

static void sink_in(struct rig *r, struct sink *s)
{
	s->r = r;
	r->engine->o.send_mail = take;
	r->engine->o.send_mail_arg = s;
	rig_mail_channel(r);
}

struct cause {
	struct rig *r;
	const char *id;
};

static int raise_it(struct sql *tx, void *arg, struct err *err)
{
	struct cause *c = arg;
	struct notice_cause n = { .kind = NOTICE_ACCOUNT, .subject_kind = "account", .subject_id = c->id, .cause = "the account is gone",
				  .next_step = "Make another one.", .now_ms = engine_now(c->r->engine) };

	return notice_raise(tx, &n, err);
}

static int end_it(struct sql *tx, void *arg, struct err *err)
{
	struct cause *c = arg;

	return notice_end(tx, NOTICE_ACCOUNT, "account", c->id, engine_now(c->r->engine), err);
}

static void happens(struct rig *r, sql_tx_fn *fn, const char *id)
{
	struct cause c = { r, id };

	ASSERT_OK(store_write(r->store, fn, &c, &r->err), &r->err);
}

static void after(struct rig *r, int64_t span_ms)
{
	rig_run_until(r, engine_now(r->engine) + span_ms);
}

static void a_cause_is_told_once_when_it_began_and_once_when_it_is_over(void **state)
{
	_cleanup_rig_ struct rig *r = rig_new();
	struct sink s = { 0 };

	sink_in(r, &s);
	happens(r, raise_it, "a");
	happens(r, raise_it, "a");
	ASSERT_INT(s.tries, 0);
	after(r, 2 * MINUTE_MS);
	ASSERT_INT(s.taken, 1);
	ASSERT_STR(s.subjects.v[0], "Account needs attention");
	happens(r, raise_it, "a");
	after(r, HOUR_MS);
	ASSERT_INT(s.taken, 1);
	happens(r, end_it, "a");
	after(r, MINUTE_MS);
	ASSERT_INT(s.taken, 2);
	ASSERT_STR(s.subjects.v[1], "Over: Account needs attention");
	sink_done(&s);
}

/* 2026-09-21, 14:13:20 UTC; somebody in Berlin reads it, and then somebody in Auckland, where it is the next day. */
static void times_are_in_the_zone_of_the_server_and_in_utc(void **state)
{
	static const struct {
		const char *zone, *since;
	} zones[] = { { "UTC", "Since\r\n  2026-09-21 14:13 UTC\r\n" },
		      { "CET-1CEST,M3.5.0,M10.5.0/3", "Since\r\n  2026-09-21 16:13 CEST (14:13 UTC)\r\n" },
		      { "NZST-12", "Since\r\n  2026-09-22 02:13 NZST (2026-09-21 14:13 UTC)\r\n" } };
	_cleanup_free_ char *before = xstrdup_null(getenv("TZ"));

	for (size_t i = 0; i < ARRAY_SIZE(zones); i++) {
		_cleanup_rig_ struct rig *r = rig_new();
		struct sink s = { 0 };

		setenv("TZ", zones[i].zone, 1);
		tzset();
		sink_in(r, &s);
		happens(r, raise_it, "a");
		after(r, 2 * MINUTE_MS);
		ASSERT_INT(s.taken, 1);
		if (!strstr(s.body, zones[i].since))
			fail_msg("'%s' is not in:\n%s", zones[i].since, s.body);
		sink_done(&s);
	}
	before ? setenv("TZ", before, 1) : unsetenv("TZ");
	tzset();
}

static void what_mends_itself_before_it_was_told_is_not_told(void **state)
{
	_cleanup_rig_ struct rig *r = rig_new();
	struct sink s = { 0 };

	sink_in(r, &s);
	happens(r, raise_it, "a");
	happens(r, end_it, "a");
	after(r, HOUR_MS);
	ASSERT_INT(s.tries, 0);
	sink_done(&s);
}

static void what_is_open_comes_in_one_digest_a_day(void **state)
{
	_cleanup_rig_ struct rig *r = rig_new();
	struct sink s = { 0 };

	sink_in(r, &s);
	happens(r, raise_it, "a");
	happens(r, raise_it, "b");
	after(r, 3 * DAY_MS + HOUR_MS);
	ASSERT_INT(s.taken, 2 + 3);
	ASSERT_STR(s.subjects.v[4], "Still open: 2 notices");
	happens(r, end_it, "a");
	happens(r, end_it, "b");
	after(r, 3 * DAY_MS);
	ASSERT_INT(s.taken, 2 + 3 + 2);
	sink_done(&s);
}

static int ask_a_person(struct sql *tx, void *arg, struct err *err)
{
	struct cause *c = arg;
	struct certificate cert = { .id = (char *)(uintptr_t)c->id, .not_after_ms = engine_now(c->r->engine) + 30 * DAY_MS };
	struct notice_cause n = { .kind = NOTICE_WAITING_FOR_YOU, .subject_kind = "certificate", .subject_id = c->id, .cause = "its names are validated by hand",
				  .next_step = "Renew it.", .certificate = &cert, .remind_ms = 1, .now_ms = engine_now(c->r->engine) };

	return notice_raise(tx, &n, err);
}

/* Thirty days to its expiry: the digests of the 7th, 14th and 21st day name it, those of its last three days, and the one after. */
static void who_has_to_act_is_told_again_weekly_and_then_daily(void **state)
{
	_cleanup_rig_ struct rig *r = rig_new();
	struct sink s = { 0 };

	sink_in(r, &s);
	after(r, HOUR_MS); /* the digest comes an hour before each full day of it */
	happens(r, ask_a_person, "c1");
	for (int day = 1; day <= 40; day++) {
		static const int told[] = { 7, 14, 21, 28, 29, 30, 31, 38 };
		unsigned want = 1;

		for (size_t i = 0; i < ARRAY_SIZE(told); i++)
			want += told[i] <= day;
		after(r, DAY_MS - (day == 1 ? 30 * MINUTE_MS : 0));
		if (s.taken != want)
			print_error("day %d\n", day);
		ASSERT_INT(s.taken, want);
	}
	ASSERT_STR(s.subjects.v[1], "Still open: 1 notice, expires in 23 days");
	happens(r, raise_it, "a"); /* what is not a person's turn is said daily */
	after(r, 2 * DAY_MS);
	ASSERT_STR(s.subjects.v[s.subjects.n - 1], "[urgent] Still open: 2 notices");
	sink_done(&s);
}

/* No digest on the day it was due, since the server was off: the next one names it. */
static void a_week_that_ended_while_the_server_was_off_is_not_forgotten(void **state)
{
	_cleanup_rig_ struct rig *r = rig_new();
	struct sink s = { 0 };

	sink_in(r, &s);
	happens(r, ask_a_person, "c1");
	after(r, 6 * DAY_MS + HOUR_MS);
	ASSERT_INT(s.taken, 1);
	r->clock.fake_ms += 3 * DAY_MS;
	after(r, 2 * HOUR_MS);
	ASSERT_INT(s.taken, 2);
	after(r, 2 * DAY_MS);
	ASSERT_INT(s.taken, 2);
	sink_done(&s);
}

static void a_sink_that_is_down_for_hours_is_asked_rarely_and_gets_everything_in_the_end(void **state)
{
	_cleanup_rig_ struct rig *r = rig_new();
	struct sink s = { .down = true };

	sink_in(r, &s);
	for (int i = 0; i < 8; i++) {
		_cleanup_free_ char *id = xasprintf("cause-%d", i);

		happens(r, raise_it, id);
		after(r, HOUR_MS);
	}
	ASSERT_TRUE(s.tries >= 5 && s.tries <= 30);
	s.down = false;
	after(r, 2 * HOUR_MS);
	ASSERT_INT(s.taken, 8);
	sink_done(&s);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_cause_is_told_once_when_it_began_and_once_when_it_is_over),
		cmocka_unit_test(times_are_in_the_zone_of_the_server_and_in_utc),
		cmocka_unit_test(what_mends_itself_before_it_was_told_is_not_told),
		cmocka_unit_test(what_is_open_comes_in_one_digest_a_day),
		cmocka_unit_test(who_has_to_act_is_told_again_weekly_and_then_daily),
		cmocka_unit_test(a_week_that_ended_while_the_server_was_off_is_not_forgotten),
		cmocka_unit_test(a_sink_that_is_down_for_hours_is_asked_rarely_and_gets_everything_in_the_end),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
