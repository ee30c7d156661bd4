/* SPDX-License-Identifier: Apache-2.0 */
/*
 * remote.c - a publisher that talks to somebody: a provider with a zone in memory, which fails when told to. The registry of this
 * binary is its own: the table of publish/ is not linked where a test brings one.
 */
#include "tests/unit/engine/rig.h"

#include <stdio.h>

static struct {
	struct strlist zone; /* values there */
	struct strlist zones_of; /* "name zone value" as published */
	struct rig *rig;
	int publishes, withdraws, fail_publish, fail_withdraw, looked_early;
	char id[ULID_LEN + 1], other[ULID_LEN + 1];
	int opens, finds, find_fails;
	bool without_zone;   /* something was written before its zone was known */
	enum err_code how;
} provider;

static void assert_token(const char *self)
{
	ASSERT_STR(self, "s3cret");
}

static int fake_open(const struct publish_env *env, const struct field_value *v, size_t n, void **ret_self, struct err *err)
{
	const struct secret *token = field_secret(v, n, "token");

	(void)env, (void)err;
	ASSERT_INT(n, 2);
	ASSERT_STR(field_text(v, n, "url"), "https://dns.example");
	provider.opens++;
	*ret_self = token ? xstrdup((const char *)token->p) : xstrdup("");
	return 0;
}

static void fake_close(void *self)
{
	provider.opens--;
	free(self);
}

static int fake_find(void *self, const struct publish_env *env, const char *name, char **ret_zone, struct err *err)
{
	(void)env;
	assert_token(self);
	provider.finds++;
	if (provider.find_fails > 0) {
		provider.find_fails--;
		return err_set(err, provider.how, "the provider does not know the zone");
	}
	*ret_zone = xstrdup(str_ends(name, "a.example") ? "a.example" : "example");
	return 0;
}

static int fake_zones(void *self, const struct publish_env *env, struct strlist *ret, struct err *err)
{
	(void)env, (void)err;
	assert_token(self);
	if (provider.find_fails > 0) {
		provider.find_fails--;
		return err_set(err, provider.how, "the provider says no");
	}
	strlist_add(ret, "example");
	strlist_add(ret, "a.example");
	return 0;
}

static int fake_publish(void *self, const struct publish_env *env, const struct challenge_set *set, struct err *err)
{
	(void)env;
	assert_token(self);
	provider.without_zone |= str_empty(set->zone);
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

	(void)env;
	assert_token(self);
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
	.rights = "Write TXT records of the zone", .publish = fake_publish, .withdraw = fake_withdraw, .open = fake_open, .close = fake_close,
	.zones = fake_zones, .find_zone = fake_find,
	.fields = (const struct field[]){
		{ .name = "url", .flags = FIELD_URL | FIELD_ENDPOINT | FIELD_REQUIRED, .help = "h" },
		{ .name = "token", .flags = FIELD_SECRET | FIELD_REQUIRED, .help = "h" }, { 0 } },
};
const struct publisher *const publishers[] = { &publisher_delegation, &publisher_builtin, &publisher_manual, &publisher_fake, NULL };

static int add_provider(struct sql *tx, void *arg, struct err *err)
{
	return store_provider_add(tx, arg, err);
}

static void configure(struct rig *r, const char *name, const char *url, char ret_id[ULID_LEN + 1])
{
	struct ulid id = ulid_new(r->clock.fake_ms);
	_cleanup_provider_ struct provider p = { .id = xstrdup(id.s), .kind = xstrdup("fake"), .name = xstrdup(name),
						 .fields = xasprintf("{\"url\":\"%s\"}", url), .created_ms = r->clock.fake_ms };
	_cleanup_json_ json_t *secrets = json_pack("{s:s}", "token", "s3cret");

	strlist_add(&p.secret_names, "token");
	ASSERT_OK(provider_seal(r->keys, p.id, "https://dns.example", secrets, &p.sealed, &p.sealed_n, &r->err), &r->err);
	ASSERT_OK(store_write(r->store, add_provider, &p, &r->err), &r->err);
	memcpy(ret_id, id.s, sizeof id.s);
}

static struct rig *begin(void)
{
	struct rig *r = rig_new();

	strlist_clear(&provider.zone);
	memset(&provider, 0, sizeof provider);
	strlist_add(&provider.zone, "somebody-elses-value");
	provider.rig = r;
	provider.how = ERR_NETWORK;
	r->zone = &provider.zone;
	configure(r, "first", "https://dns.example", provider.id);
	return r;
}

static struct order_taken order(struct rig *r)
{
	return rig_order(r, &(struct rig_order){ .names = "*.a.example a.example b.example", .validation = VALIDATION_DNS01, .method = provider.id });
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
	ASSERT_INT(provider.opens, 0);
	ASSERT_FALSE(provider.without_zone);
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

struct resume {
	const char *id;
	int64_t now_ms;
	enum provider_status status;
};

static int resume(struct sql *tx, void *arg, struct err *err)
{
	struct resume *a = arg;
	_cleanup_provider_ struct provider p = { 0 };

	if (store_provider_get(tx, a->id, &p, err) < 0)
		return -(int)err->code;
	p.status = a->status;
	if (store_provider_put_state(tx, &p, NULL, err) < 0)
		return -(int)err->code;
	return store_provider_resume(tx, a->id, a->now_ms, err);
}

static void a_refused_credential_parks_the_provider_says_so_once_and_its_orders_resume(void **state)
{
	_cleanup_rig_ struct rig *r = begin();
	struct order_taken t = order(r), u;
	struct resume a = { .id = provider.id, .status = PROVIDER_OK };

	u = rig_order(r, &(struct rig_order){ .names = "c.example", .validation = VALIDATION_DNS01, .method = provider.id });
	provider.fail_publish = 1;
	provider.how = ERR_UNAUTHENTICATED;
	rig_run_until(r, r->clock.fake_ms + 5 * HOUR_MS);
	ASSERT_INT(provider.publishes, 1); /* nobody asks again with it */
	ASSERT_INT(rig_count(r, "SELECT COUNT(*) FROM provider WHERE status = 'refused'"), 1);
	ASSERT_INT(rig_count(r, "SELECT COUNT(*) FROM event WHERE subject_kind = 'provider'"), 1);
	ASSERT_INT(rig_count(r, "SELECT COUNT(*) FROM orders WHERE step = 'publish' AND reason LIKE '%Test and save%'"), 2);
	ASSERT_INT(rig_count(r, "SELECT COUNT(*) FROM notice WHERE kind = 'credential-refused' AND ended_ms = 0"), 1); /* for both */
	a.now_ms = r->clock.fake_ms;
	ASSERT_OK(store_write(r->store, resume, &a, &r->err), &r->err);
	rig_run(r);
	assert_ended(r, &t, "valid");
	assert_ended(r, &u, "valid");
	rig_run_until(r, r->clock.fake_ms + 2 * DAY_MS); /* the daily look */
	ASSERT_INT(rig_count(r, "SELECT COUNT(*) FROM notice WHERE kind = 'credential-refused' AND ended_ms > 0"), 1);
	ASSERT_INT(rig_count(r, "SELECT COUNT(*) FROM notice WHERE ended_ms = 0"), 0);
}

static void a_credential_that_is_refused_while_withdrawing_is_owed_until_there_is_a_good_one(void **state)
{
	_cleanup_rig_ struct rig *r = begin();
	struct order_taken t = order(r);
	struct resume a = { .id = provider.id, .status = PROVIDER_OK };

	provider.fail_withdraw = 1000000;
	provider.how = ERR_UNAUTHENTICATED;
	rig_run_until(r, r->clock.fake_ms + 9 * DAY_MS);
	ASSERT_INT(rig_count(r, "SELECT COUNT(*) FROM debt WHERE state = 'owed' AND set_aside = 1"), 3);
	ASSERT_INT(rig_count(r, "SELECT COUNT(*) FROM event WHERE subject_kind = 'provider'"), 1);
	ASSERT_INT(rig_count(r, "SELECT COUNT(*) FROM notice WHERE kind = 'debt-unpaid' AND ended_ms = 0"), 1); /* three, told once */
	provider.fail_withdraw = 0;
	a.now_ms = r->clock.fake_ms;
	ASSERT_OK(store_write(r->store, resume, &a, &r->err), &r->err);
	rig_run(r);
	assert_ended(r, &t, "valid");
	ASSERT_INT(rig_count(r, "SELECT COUNT(*) FROM notice WHERE kind = 'debt-unpaid' AND ended_ms > 0"), 1);
}

static void a_zone_that_the_credential_may_not_write_waits_for_a_person_with_the_right_it_needs(void **state)
{
	_cleanup_rig_ struct rig *r = begin();
	struct order_taken t = order(r);

	provider.fail_publish = 1;
	provider.how = ERR_DENIED;
	rig_run_until(r, r->clock.fake_ms + HOUR_MS);
	{
		RIG_GET(r, o, t.id);

		ASSERT_STR(order_step_text(o.step), "publish");
		ASSERT_HAS(o.reason, "Write TXT records of the zone");
	}
	ASSERT_INT(rig_count(r, "SELECT COUNT(*) FROM provider WHERE status = 'new'"), 1); /* it is not the provider's fault */
	rig_run_until(r, r->clock.fake_ms + 2 * DAY_MS);
	assert_ended(r, &t, "valid");
}

static void names_of_one_order_go_by_two_providers_and_by_our_own_dns(void **state)
{
	_cleanup_rig_ struct rig *r = begin();
	_cleanup_name_methods_ struct name_methods chosen = { 0 };
	struct order_taken t;

	configure(r, "second", "https://dns.example", provider.other);
	name_methods_add(&chosen, "a.example", provider.id, METHOD_BY_NAME);
	name_methods_add(&chosen, "b.example", provider.other, METHOD_BY_NAME);
	t = rig_order(r, &(struct rig_order){ .names = "*.a.example a.example b.example c.example", .validation = VALIDATION_DNS01,
					      .chosen = &chosen });
	rig_run(r);
	assert_ended(r, &t, "valid");
	{
		RIG_GET(r, o, t.id);
		_cleanup_name_methods_ struct name_methods m = { 0 };

		ASSERT_STR(o.dns_method, METHOD_SEVERAL);
		ASSERT_OK(name_methods_parse(o.methods, &m, &r->err), &r->err);
		ASSERT_STR(name_methods_find(&m, "*.a.example")->method, provider.id); /* the same record as the name's */
		ASSERT_STR(name_methods_find(&m, "b.example")->method, provider.other);
		ASSERT_STR(name_methods_find(&m, "c.example")->method, METHOD_DELEGATION);
		ASSERT_INT(name_methods_find(&m, "c.example")->by, METHOD_BY_ORDER);
	}
	ASSERT_INT(rig_count(r, "SELECT COUNT(DISTINCT method) FROM record"), 3);
	ASSERT_INT(rig_count(r, "SELECT COUNT(*) FROM certificate WHERE methods IS NOT NULL"), 1);
}

static void secrets_never_go_to_another_address_than_they_were_entered_for(void **state)
{
	_cleanup_rig_ struct rig *r = begin();
	struct order_taken t;
	char id[ULID_LEN + 1];

	configure(r, "moved", "https://trap.example", id);
	t = rig_order(r, &(struct rig_order){ .names = "d.example", .validation = VALIDATION_DNS01, .method = id });
	rig_run_until(r, r->clock.fake_ms + HOUR_MS);
	{
		RIG_GET(r, o, t.id);

		ASSERT_HAS(o.reason, "entered for another address");
	}
	ASSERT_INT(provider.publishes + provider.finds + provider.opens, 0);
}

/* ---- Test and save ---- */

struct job_ask {
	struct job_request q;
	char id[27];
};

static int ask_job(struct sql *tx, void *arg, struct err *err)
{
	struct job_ask *a = arg;

	return job_intake(tx, &a->q, a->id, err);
}

static void ask_test(struct rig *r, const char *args)
{
	struct ulid id = ulid_new(r->clock.fake_ms);
	_cleanup_free_ char *lane = xasprintf("provider-test:%s", provider.id);
	struct job_ask a = { .q = { .id = id.s, .kind = JOB_PROVIDER_TEST, .subject_kind = "provider", .subject_id = provider.id, .args = args,
				    .lane = lane, .now_ms = r->clock.fake_ms } };

	ASSERT_OK(store_write(r->store, ask_job, &a, &r->err), &r->err);
	rig_run(r);
}

static void a_test_finds_its_probe_and_takes_it_away(void **state)
{
	_cleanup_rig_ struct rig *r = begin();

	ask_test(r, "{\"zone\":\"a.example\"}");
	ASSERT_INT(rig_count(r, "SELECT COUNT(*) FROM provider WHERE status = 'ok' AND zones = '[\"a.example\",\"example\"]' AND tested_ms > 0"), 1);
	ASSERT_INT(rig_count(r, "SELECT COUNT(*) FROM job WHERE state = 'done' AND result LIKE '%\"seen\":true%'"), 1);
	ASSERT_INT(provider.publishes, 1);
	ASSERT_INT(provider.zone.n, 1);
}

static void a_test_that_only_reads_writes_nothing(void **state)
{
	_cleanup_rig_ struct rig *r = begin();

	ask_test(r, "{}");
	ASSERT_INT(rig_count(r, "SELECT COUNT(*) FROM provider WHERE status = 'ok'"), 1);
	ASSERT_INT(provider.publishes + provider.withdraws, 0);
}

static void a_test_says_what_is_refused_and_leaves_nothing(void **state)
{
	static const struct { enum err_code how; const char *status; } rows[] = {
		{ ERR_UNAUTHENTICATED, "refused" }, { ERR_DENIED, "failed" }, { ERR_NETWORK, "failed" },
	};

	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		_cleanup_rig_ struct rig *r = begin();
		_cleanup_free_ char *sql = xasprintf("SELECT COUNT(*) FROM provider WHERE status = '%s' AND reason IS NOT NULL", rows[i].status);

		provider.how = rows[i].how;
		provider.fail_publish = 1;
		ask_test(r, "{\"zone\":\"a.example\"}");
		ASSERT_INT(rig_count(r, sql), 1);
		ASSERT_INT(provider.zone.n, 1);
	}
}

static void a_probe_that_is_never_seen_is_taken_away_and_said(void **state)
{
	_cleanup_rig_ struct rig *r = begin();

	r->zone_hidden = true;
	ask_test(r, "{\"zone\":\"a.example\"}");
	rig_run_until(r, r->clock.fake_ms + 5 * MINUTE_MS);
	ASSERT_INT(rig_count(r, "SELECT COUNT(*) FROM job WHERE kind = 'provider-test' AND state = 'done' AND result LIKE '%\"seen\":false%'"), 1);
	ASSERT_INT(rig_count(r, "SELECT COUNT(*) FROM provider WHERE status = 'failed'"), 1);
	ASSERT_INT(provider.zone.n, 1);
}

static void a_probe_that_cannot_be_removed_is_said_at_once_and_removed_when_that_works(void **state)
{
	static const struct { enum err_code how; const char *status; } rows[] = { { ERR_NETWORK, "failed" }, { ERR_UNAUTHENTICATED, "refused" } };

	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		_cleanup_rig_ struct rig *r = begin();
		_cleanup_free_ char *sql = xasprintf("SELECT COUNT(*) FROM provider WHERE status = '%s' AND reason LIKE '%%probe may still be there%%'",
						     rows[i].status);

		provider.how = rows[i].how;
		provider.fail_withdraw = 1000;
		ask_test(r, "{\"zone\":\"a.example\"}");
		ASSERT_INT(rig_count(r, sql), 1);
		ASSERT_INT(rig_count(r, "SELECT COUNT(*) FROM job WHERE kind = 'provider-test' AND state = 'done'"), 1);
		ASSERT_INT(rig_count(r, "SELECT COUNT(*) FROM job WHERE kind = 'provider-withdraw' AND state NOT IN ('done', 'failed')"), 1);
		ASSERT_INT(provider.zone.n, 2);
		/* what was wrong is mended: the next test waits for nothing */
		provider.fail_withdraw = 0;
		ask_test(r, "{\"zone\":\"a.example\"}");
		ASSERT_INT(rig_count(r, "SELECT COUNT(*) FROM provider WHERE status = 'ok'"), 1);
		ASSERT_INT(rig_count(r, "SELECT COUNT(*) FROM job WHERE kind = 'provider-test' AND state = 'done'"), 2);
		rig_run_until(r, r->clock.fake_ms + 2 * DAY_MS);
		ASSERT_INT(rig_count(r, "SELECT COUNT(*) FROM job WHERE kind = 'provider-withdraw' AND state = 'done'"), 1);
		ASSERT_INT(rig_count(r, "SELECT COUNT(*) FROM provider WHERE status = 'ok'"), 1);
		ASSERT_INT(provider.zone.n, 1);
	}
}

static void a_test_killed_at_any_point_leaves_no_probe(void **state)
{
	int64_t n;

	for (n = 1; n < 600; n++) {
		_cleanup_rig_ struct rig *r = begin();

		r->crash_in = n;
		ask_test(r, "{\"zone\":\"a.example\"}");
		if (!r->crashed)
			break;
		rig_engine_close(r);
		rig_engine_open(r);
		rig_run(r);
		ASSERT_INT(provider.zone.n, 1);
		ASSERT_INT(rig_count(r, "SELECT COUNT(*) FROM provider WHERE status = 'ok'"), 1);
	}
	ASSERT_TRUE(n > 4 && n < 600);
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
		TEST(a_refused_credential_parks_the_provider_says_so_once_and_its_orders_resume),
		TEST(a_credential_that_is_refused_while_withdrawing_is_owed_until_there_is_a_good_one),
		TEST(a_zone_that_the_credential_may_not_write_waits_for_a_person_with_the_right_it_needs),
		TEST(names_of_one_order_go_by_two_providers_and_by_our_own_dns),
		TEST(secrets_never_go_to_another_address_than_they_were_entered_for),
		TEST(a_test_finds_its_probe_and_takes_it_away),
		TEST(a_test_that_only_reads_writes_nothing),
		TEST(a_test_says_what_is_refused_and_leaves_nothing),
		TEST(a_probe_that_is_never_seen_is_taken_away_and_said),
		TEST(a_probe_that_cannot_be_removed_is_said_at_once_and_removed_when_that_works),
		TEST(a_test_killed_at_any_point_leaves_no_probe),
		TEST(durable_when_killed_at_any_point),
	};
	int rc = RUN(tests);

	strlist_clear(&provider.zone);
	return rc;
}
