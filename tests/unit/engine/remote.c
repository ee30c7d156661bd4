/* SPDX-License-Identifier: Apache-2.0 */
/*
 * remote.c - a publisher that talks to somebody: a provider with a zone in memory, which fails when told to. The registry of this
 * binary is its own: the table of publish/ is not linked where a test brings one.
 */
#include "tests/unit/engine/rig.h"

#include <stdio.h>

static struct {
	struct strlist zone; /* values there */
	struct rig *rig;
	int publishes, withdraws, fail_publish, fail_withdraw, looked_early;
	enum err_code how;
} provider;

static int fake_publish(void *self, const struct publish_env *env, const struct challenge_set *set, struct err *err)
{
	(void)self, (void)env;
	if (engine_crash(provider.rig->engine, "publish"))
		return err_set(err, ERR_BUSY, "killed");
	provider.publishes++;
	provider.looked_early += provider.rig->looks;
	if (provider.fail_publish > 0) {
		provider.fail_publish--;
		return err_set(err, provider.how, "the provider says no");
	}
	for (size_t i = 0; i < set->values.n; i++)
		if (!strlist_has(&provider.zone, set->values.v[i]))
			strlist_add(&provider.zone, set->values.v[i]);
	if (engine_crash(provider.rig->engine, "published"))
		return err_set(err, ERR_BUSY, "killed");
	return 0;
}

static int fake_withdraw(void *self, const struct publish_env *env, const struct challenge_set *set, struct err *err)
{
	struct strlist left = { 0 };

	(void)self, (void)env;
	if (engine_crash(provider.rig->engine, "withdraw"))
		return err_set(err, ERR_BUSY, "killed");
	provider.withdraws++;
	if (provider.fail_withdraw > 0) {
		provider.fail_withdraw--;
		return err_set(err, provider.how, "the provider is out");
	}
	for (size_t i = 0; i < provider.zone.n; i++)
		if (!strlist_has(&set->values, provider.zone.v[i]))
			strlist_add(&left, provider.zone.v[i]);
	strlist_clear(&provider.zone);
	provider.zone = left;
	return 0;
}

extern const struct publisher publisher_delegation, publisher_builtin, publisher_manual;
static const struct publisher publisher_fake = {
	.name = "fake", .title = "Fake", .help = "A provider in memory.", .kinds = KIND_DNS01, .way = PUBLISH_REMOTE, .ttl_s = 60,
	.publish = fake_publish, .withdraw = fake_withdraw,
};
const struct publisher *const publishers[] = { &publisher_delegation, &publisher_builtin, &publisher_manual, &publisher_fake, NULL };

static struct rig *begin(void)
{
	struct rig *r = rig_new();

	strlist_clear(&provider.zone);
	memset(&provider, 0, sizeof provider);
	strlist_add(&provider.zone, "somebody-elses-value");
	provider.rig = r;
	provider.how = ERR_NETWORK;
	r->zone = &provider.zone;
	return r;
}

static struct order_taken order(struct rig *r)
{
	return rig_order(r, &(struct rig_order){ .names = "*.a.example a.example b.example", .validation = VALIDATION_DNS01, .method = "fake" });
}

static void assert_ended(struct rig *r, const struct order_taken *t, const char *status)
{
	{
		RIG_GET(r, o, t->id);

		if (!streq(order_status_text(o.status), status))
			print_error("%s at %s: %s\n", order_status_text(o.status), order_step_text(o.step), o.reason ? o.reason : "-");
		ASSERT_STR(order_status_text(o.status), status);
	}
	ASSERT_INT(provider.zone.n, 1);
	ASSERT_STR(provider.zone.v[0], "somebody-elses-value");
	rig_no_residue(r);
}

static void values_of_one_name_go_together_and_all_are_taken_away(void **state)
{
	_cleanup_rig_ struct rig *r = begin();
	struct order_taken t = order(r);

	rig_run(r);
	assert_ended(r, &t, "valid");
	ASSERT_INT(provider.publishes, 2); /* two owner names, three values */
	ASSERT_INT(provider.withdraws, 3);
}

/* A look of our own before that would be remembered by resolvers as "there is nothing". */
static void nobody_looks_for_a_value_before_it_is_published(void **state)
{
	_cleanup_rig_ struct rig *r = begin();
	struct order_taken t = order(r);

	provider.fail_publish = 1;
	rig_run(r);
	assert_ended(r, &t, "valid");
	ASSERT_INT(provider.looked_early, 0);
	ASSERT_TRUE(r->looks > 0);
}

static void a_provider_that_fails_is_tried_again(void **state)
{
	_cleanup_rig_ struct rig *r = begin();
	struct order_taken t = order(r);

	provider.fail_publish = 2;
	provider.fail_withdraw = 2;
	rig_run_until(r, r->clock.fake_ms + DAY_MS);
	assert_ended(r, &t, "valid");
}

static void a_zone_hidden_from_us_lets_the_authority_decide_after_a_quarter_of_an_hour(void **state)
{
	_cleanup_rig_ struct rig *r = begin();
	struct order_taken t = order(r);
	int64_t start = r->clock.fake_ms;

	r->zone_hidden = true;
	rig_run_until(r, start + 14 * MINUTE_MS);
	ASSERT_INT(r->ca.accepts, 0);
	rig_run_until(r, start + 20 * MINUTE_MS);
	assert_ended(r, &t, "valid");
}

static void what_cannot_be_taken_away_is_shown_to_a_person_and_never_forgotten(void **state)
{
	_cleanup_rig_ struct rig *r = begin();
	struct order_taken t = order(r);

	provider.fail_withdraw = 1000000;
	rig_run_until(r, r->clock.fake_ms + 30 * DAY_MS);
	{
		RIG_GET(r, o, t.id);

		ASSERT_STR(order_status_text(o.status), "valid"); /* the certificate is there all the same */
	}
	ASSERT_INT(rig_count(r, "SELECT COUNT(*) FROM debt WHERE state = 'owed' AND set_aside = 1"), 3);
	ASSERT_TRUE(provider.withdraws < 60);
}

static void a_deleted_order_takes_its_values_away(void **state)
{
	_cleanup_rig_ struct rig *r = begin();
	struct order_taken t = order(r);

	r->zone_hidden = true;
	rig_run_until(r, r->clock.fake_ms + 5 * MINUTE_MS);
	ASSERT_INT(provider.zone.n, 4);
	rig_delete(r, t.id);
	rig_run(r);
	assert_ended(r, &t, "invalid");
}

static void durable_when_killed_at_any_point(void **state)
{
	int64_t n;

	for (n = 1; n < 300; n++) {
		_cleanup_rig_ struct rig *r = begin();
		struct order_taken t = order(r);

		r->crash_in = n;
		rig_run(r);
		if (!r->crashed)
			break;
		rig_engine_close(r);
		rig_engine_open(r);
		rig_run(r);
		assert_ended(r, &t, "valid");
		ASSERT_INT(r->ca.certificates, 1);
	}
	ASSERT_TRUE(n > 40 && n < 300);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(values_of_one_name_go_together_and_all_are_taken_away),
		TEST(nobody_looks_for_a_value_before_it_is_published),
		TEST(a_provider_that_fails_is_tried_again),
		TEST(a_zone_hidden_from_us_lets_the_authority_decide_after_a_quarter_of_an_hour),
		TEST(what_cannot_be_taken_away_is_shown_to_a_person_and_never_forgotten),
		TEST(a_deleted_order_takes_its_values_away),
		TEST(durable_when_killed_at_any_point),
	};
	int rc = RUN(tests);

	strlist_clear(&provider.zone);
	return rc;
}
