/* SPDX-License-Identifier: Apache-2.0 */
/* accounts.c - jobs about accounts and directories, with the authority of ca.h: quirks do something, and a rollover survives. */
#include "tests/unit/engine/rig.h"

#include "store/vendor.h"

static int64_t find_first; /* onlyReturnExisting asked */

static int add_account(struct sql *tx, void *arg, struct err *err)
{
	return account_intake(tx, arg, err);
}

static int add_job(struct sql *tx, void *arg, struct err *err)
{
	char id[27];

	return job_intake(tx, arg, id, err);
}

static void start(struct rig *r, enum job_kind kind, const char *args)
{
	struct ulid id = ulid_new(r->clock.fake_ms);
	struct job_request q = { .id = id.s, .kind = kind, .subject_kind = "account", .subject_id = r->account, .args = args,
				 .lane_url = CA_DIRECTORY, .now_ms = r->clock.fake_ms };

	ASSERT_OK(store_write(r->store, add_job, &q, &r->err), &r->err);
}

static char *job_state_of(struct rig *r, const char *sql_kind)
{
	_cleanup_free_ char *sql = xasprintf("SELECT state FROM job WHERE kind = '%s' ORDER BY num DESC LIMIT 1", sql_kind);

	return rig_text(r, sql);
}

struct wanted_key {
	const char *id;
	struct key_row *ret;
};

static int get_key(struct sql *q, void *arg, struct err *err)
{
	struct wanted_key *x = arg;

	key_row_done(x->ret);
	return store_key_get(q, x->id, x->ret, err);
}

/* The account's key here is the one that the authority has, and it is the only one. */
static void assert_one_key(struct rig *r)
{
	_cleanup_free_ char *id = rig_text(r, "SELECT key_id FROM account");
	_cleanup_key_row_ struct key_row k = { 0 };
	_cleanup_key_made_ struct key_made made = { 0 };
	struct wanted_key g = { id, &k };
	struct key_handle h;

	ASSERT_OK(store_read(r->store, get_key, &g, &r->err), &r->err);
	h = (struct key_handle){ "key", k.id, "sealed", k.sealed, k.sealed_n };
	ASSERT_OK(keys_public(r->keys, &h, &made, &r->err), &r->err);
	ASSERT_STR(made.thumbprint, r->ca.thumbprint);
	ASSERT_INT(rig_count(r, "SELECT COUNT(*) FROM account WHERE next_key_id IS NOT NULL"), 0);
	ASSERT_INT(rig_count(r, "SELECT COUNT(*) FROM key WHERE purpose = 'account' AND sealed IS NOT NULL"), 1);
	ASSERT_INT(rig_count(r, "SELECT COUNT(*) FROM lane WHERE name LIKE 'account:%' AND parked_until_ms > 0"), 0);
}

static void a_rollover_changes_the_key_and_destroys_the_old(void **state)
{
	_cleanup_rig_ struct rig *r = rig_new();
	_cleanup_free_ char *job = NULL;

	start(r, JOB_ACCOUNT_ROLLOVER, NULL);
	rig_run(r);
	job = job_state_of(r, "account-rollover");
	ASSERT_STR(job, "done");
	ASSERT_INT(r->ca.key_changes, 1);
	assert_one_key(r);
}

/* Before and after every write and every request; the order that comes behind signs with the key that the authority has. */
static void a_rollover_killed_at_any_point_leaves_a_working_account(void **state)
{
	int64_t n;

	for (n = 1; n < 200; n++) {
		_cleanup_rig_ struct rig *r = rig_new();
		bool crashed;
		struct order_taken t;

		start(r, JOB_ACCOUNT_ROLLOVER, NULL);
		r->crash_in = n;
		rig_run_until(r, r->clock.fake_ms + MINUTE_MS);
		crashed = r->crashed;
		r->crash_in = 0;
		if (crashed) {
			rig_engine_close(r);
			rig_engine_open(r);
			rig_run(r);
		}
		ASSERT_INT(r->ca.key_changes, 1);
		assert_one_key(r);
		t = rig_order(r, &(struct rig_order){ .names = "a.example", .validation = VALIDATION_DNS01 });
		rig_run(r);
		{
			RIG_GET(r, o, t.id);

			if (o.status != ORDER_VALID)
				print_error("killed at point %d: order at %s, %s\n", (int)n, order_step_text(o.step), o.reason ? o.reason : "-");
			ASSERT_STR(order_status_text(o.status), "valid");
		}
		if (!crashed)
			break;
	}
	ASSERT_TRUE(n > 8 && n < 200);
}

static struct {
	const char *path;
	int times, status;
	const char *type;
} bend;

/* status 0: the answer is lost after the authority has acted, -1: before. */
static int bent(struct ca *ca, void *arg UNUSED, const char *method UNUSED, const char *path, struct http_response *ret)
{
	if (!bend.path || !streq(path, bend.path) || !bend.times)
		return 0;
	bend.times--;
	if (bend.status < 0)
		return -1;
	ca_problem(ca, ret, bend.status, bend.type, "no");
	return 1;
}

static void an_account_keeps_its_key_when_the_authority_refuses(void **state)
{
	_cleanup_rig_ struct rig *r = rig_new();
	_cleanup_free_ char *job = NULL;

	bend = (typeof(bend)){ "/key-change", -1, 403, "unauthorized" };
	r->ca.hook = bent;
	start(r, JOB_ACCOUNT_ROLLOVER, NULL);
	rig_run(r);
	job = job_state_of(r, "account-rollover");
	ASSERT_STR(job, "failed");
	ASSERT_INT(r->ca.key_changes, 0);
	assert_one_key(r);
}

static void a_rollover_waits_for_an_authority_that_is_not_reached(void **state)
{
	_cleanup_rig_ struct rig *r = rig_new();

	bend = (typeof(bend)){ "/key-change", 2, -1, NULL };
	r->ca.hook = bent;
	start(r, JOB_ACCOUNT_ROLLOVER, NULL);
	rig_run(r);
	ASSERT_INT(r->ca.key_changes, 1);
	assert_one_key(r);
}

static void an_order_made_meanwhile_goes_on_when_the_key_is_changed(void **state)
{
	_cleanup_rig_ struct rig *r = rig_new();
	struct order_taken o;
	int64_t begun = r->clock.fake_ms;

	bend = (typeof(bend)){ "/key-change", 1, -1, NULL };
	r->ca.hook = bent;
	start(r, JOB_ACCOUNT_ROLLOVER, NULL);
	rig_run_until(r, begun + 100);
	o = rig_order(r, &(struct rig_order){ .names = "meanwhile.example" });
	rig_run_until(r, begun + 10 * MINUTE_MS); /* the second try is after a minute, the account's rest is 15 */
	ASSERT_INT(r->ca.key_changes, 1);
	RIG_GET(r, x, o.id);
	ASSERT_INT(x.status, ORDER_VALID);
	assert_one_key(r);
}

/* ---- quirks ---- */

static int count_find(struct ca *ca, void *arg UNUSED, const char *method UNUSED, const char *path, struct http_response *ret UNUSED)
{
	if (streq(path, "/new-account"))
		find_first++;
	(void)ca;
	return 0;
}

static int put_vendor(struct sql *tx, void *arg, struct err *err)
{
	return sql_exec(tx, "UPDATE account SET vendor = $1", SQL_VALUES(SQL_TEXT(arg)), NULL, err);
}

static void set_vendor(struct rig *r, const char *vendor)
{
	ASSERT_OK(store_write(r->store, put_vendor, (char *)(uintptr_t)vendor, &r->err), &r->err);
}

static void a_vendor_that_changes_no_keys_is_not_asked_to(void **state)
{
	_cleanup_rig_ struct rig *r = rig_new();
	_cleanup_free_ char *job = NULL;
	unsigned before;

	set_vendor(r, "zerossl");
	before = r->ca.requests;
	start(r, JOB_ACCOUNT_ROLLOVER, NULL);
	rig_run_until(r, r->clock.fake_ms + MINUTE_MS);
	job = job_state_of(r, "account-rollover");
	ASSERT_STR(job, "failed");
	ASSERT_INT(r->ca.requests, before);
	assert_one_key(r);
}

static void an_account_that_cannot_be_read_is_asked_for_by_its_key(void **state)
{
	_cleanup_rig_ struct rig *r = rig_new();

	set_vendor(r, "sslcom-ecc");
	r->ca.hook = count_find;
	find_first = 0;
	start(r, JOB_ACCOUNT_REFRESH, NULL);
	rig_run_until(r, r->clock.fake_ms + MINUTE_MS);
	ASSERT_INT(find_first, 1);
	ASSERT_INT(rig_count(r, "SELECT COUNT(*) FROM account WHERE status = 'valid' AND refreshed_ms > 0"), 1);
}

static void an_address_that_is_dropped_is_not_sent(void **state)
{
	_cleanup_rig_ struct rig *r = rig_new();
	_cleanup_free_ char *email = NULL;
	unsigned before;

	set_vendor(r, "letsencrypt");
	before = r->ca.requests;
	start(r, JOB_ACCOUNT_CONTACT, "{\"email\":\"new@a.example\"}");
	rig_run_until(r, r->clock.fake_ms + MINUTE_MS);
	ASSERT_INT(r->ca.requests, before);
	email = rig_text(r, "SELECT email FROM account");
	ASSERT_STR(email, "new@a.example");
	set_vendor(r, "custom");
	start(r, JOB_ACCOUNT_CONTACT, "{\"email\":\"other@a.example\"}");
	rig_run_until(r, r->clock.fake_ms + MINUTE_MS);
	ASSERT_TRUE(r->ca.requests > before);
}

/* A vendor of the registry with the directory of the rig, and what the job of a registration came to. */
static char *register_at(struct rig *r, const char *vendor, const struct secret *pem, bool eab)
{
	struct secret hmac = { (unsigned char *)(char[]){ "c2VjcmV0LWtleS1vZi10aGlydHktdHdvLWJ5dGVzIQ" }, 42 };
	_cleanup_account_prepared_ struct account_prepared p = { 0 };
	struct account_request q = { .vendor = vendor, .directory_url = CA_DIRECTORY, .email = "a@a.example", .tos_agreed = true,
				     .eab_kid = eab ? "kid-1" : NULL, .eab_hmac = eab ? &hmac : NULL, .key_pem = pem, .now_ms = r->clock.fake_ms };

	ASSERT_OK(account_prepare(r->keys, &q, &p, &r->err), &r->err);
	ASSERT_OK(store_write(r->store, add_account, &p, &r->err), &r->err);
	rig_run_until(r, r->clock.fake_ms + MINUTE_MS);
	return job_state_of(r, "account-register");
}

static void a_key_that_may_be_bound_is_looked_for_first(void **state)
{
	static const struct {
		const char *vendor;
		int64_t asked; /* newAccount requests */
	} rows[] = { { "google", 2 }, { "sectigo", 2 }, { "actalis", 1 } };

	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		_cleanup_rig_ struct rig *r = rig_new_empty();
		_cleanup_free_ char *job = NULL;

		r->ca.hook = count_find;
		find_first = 0;
		job = register_at(r, rows[i].vendor, NULL, true);
		ASSERT_STR(job, "done");
		ASSERT_INT(find_first, rows[i].asked);
		ASSERT_INT(rig_count(r, "SELECT COUNT(*) FROM account WHERE eab_sealed IS NULL AND eab_bytes = 31 AND eab_kid = 'kid-1'"), 1);
	}
}

static void what_the_directory_does_not_say_is_known(void **state)
{
	_cleanup_rig_ struct rig *r = rig_new_empty();
	_cleanup_account_prepared_ struct account_prepared p = { 0 };
	struct account_request q = { .vendor = "sslcom-rsa", .directory_url = CA_DIRECTORY, .email = "a@a.example", .tos_agreed = true,
				     .now_ms = r->clock.fake_ms };

	/* the rig's directory asks for no external account, as SSL.com's says of itself */
	ASSERT_FAILS(account_prepare(r->keys, &q, &p, &r->err), &r->err, ERR_INVALID);
	q.vendor = "sslcom-rsa";
	q.email = NULL;
	q.eab_kid = "k";
	q.eab_hmac = &(struct secret){ (unsigned char *)(char[]){ "AAAA" }, 4 };
	ASSERT_FAILS(account_prepare(r->keys, &q, &p, &r->err), &r->err, ERR_INVALID); /* contact-late: asked for now */
}

/* ---- importing ---- */

static const char unknown_key[] =
	"-----BEGIN PRIVATE KEY-----\n"
	"MIGHAgEAMBMGByqGSM49AgEGCCqGSM49AwEHBG0wawIBAQQgevZzL1gdAFr88hb2\n"
	"OF/2NxApJCzGCEDdfSp6VQO30hyhRANCAAQRWz+jn65BtOMvdyHKcvjBeBSDZH2r\n"
	"1RTwjmYSi9R/zpBnuQ4EiMnCqfMPWiZqB4QdbAd0E7oH50VpuZ1P087G\n"
	"-----END PRIVATE KEY-----\n";

static void an_imported_key_never_makes_an_account(void **state)
{
	struct secret pem = { (unsigned char *)(uintptr_t)unknown_key, strlen(unknown_key) };
	_cleanup_rig_ struct rig *r = rig_new_empty();
	_cleanup_free_ char *job = register_at(r, "custom", &pem, false);
	_cleanup_account_prepared_ struct account_prepared p = { 0 };
	struct account_request q = { .vendor = "custom", .directory_url = CA_DIRECTORY, .key_pem = &pem, .now_ms = r->clock.fake_ms };

	ASSERT_STR(job, "failed");
	ASSERT_INT(r->ca.new_accounts, 0);
	ASSERT_OK(account_prepare(r->keys, &q, &p, &r->err), &r->err);
	ASSERT_FAILS(store_write(r->store, add_account, &p, &r->err), &r->err, ERR_CONFLICT);
}

/* ---- the standing job, and directories ---- */

static void accounts_in_use_are_asked_about_daily_and_directories_weekly(void **state)
{
	_cleanup_rig_ struct rig *r = rig_new();
	struct order_taken t = rig_order(r, &(struct rig_order){ .names = "a.example", .validation = VALIDATION_DNS01 });
	int64_t refreshes, checks, begin = r->clock.fake_ms;

	(void)t;
	rig_run_until(r, begin + 3 * DAY_MS + 6 * HOUR_MS);
	refreshes = rig_count(r, "SELECT COUNT(*) FROM job WHERE kind = 'account-refresh' AND state = 'done'");
	checks = rig_count(r, "SELECT COUNT(*) FROM job WHERE kind = 'vendor-check' AND state = 'done'");
	ASSERT_TRUE(refreshes >= 3 && refreshes <= 4);
	ASSERT_INT(checks, 0); /* it was read when the account was registered */
	rig_run_until(r, begin + 8 * DAY_MS);
	ASSERT_INT(rig_count(r, "SELECT COUNT(*) FROM job WHERE kind = 'vendor-check' AND state = 'done'"), 1);
}

static int moved_hook(struct ca *ca, void *arg UNUSED, const char *method UNUSED, const char *path, struct http_response *ret)
{
	if (!streq(path, "/dir"))
		return 0;
	ca_json(ca, ret, 200,
		"{\"newNonce\":\"" CA_URL "/nonce\",\"newAccount\":\"" CA_URL "/new-account\",\"newOrder\":\"" CA_URL "/v2/new-order\","
		"\"revokeCert\":\"" CA_URL "/revoke\",\"renewalInfo\":\"" CA_URL "/ari\",\"meta\":{\"termsOfService\":\"" CA_URL "/tos-2\","
		"\"externalAccountRequired\":true,\"profiles\":{\"short\":\"six days\"}}}");
	return 1;
}

static void what_moved_in_a_directory_is_told(void **state)
{
	_cleanup_rig_ struct rig *r = rig_new();
	struct ulid id = ulid_new(r->clock.fake_ms), id2 = ulid_new(r->clock.fake_ms);
	struct job_request q = { .id = id.s, .kind = JOB_VENDOR_CHECK, .subject_kind = "directory", .subject_id = CA_DIRECTORY,
				 .args = "{\"directory_url\":\"" CA_DIRECTORY "\"}", .lane_url = CA_DIRECTORY, .now_ms = r->clock.fake_ms };
	_cleanup_free_ char *moved = NULL, *before = NULL;

	ASSERT_OK(store_write(r->store, add_job, &q, &r->err), &r->err);
	rig_run_until(r, r->clock.fake_ms + MINUTE_MS);
	before = rig_text(r, "SELECT coalesce(moved, 'nothing') FROM vendor_check");
	ASSERT_STR(before, "nothing");
	r->ca.hook = moved_hook;
	q.id = id2.s;
	ASSERT_OK(store_write(r->store, add_job, &q, &r->err), &r->err);
	rig_run_until(r, r->clock.fake_ms + MINUTE_MS);
	moved = rig_text(r, "SELECT moved FROM vendor_check");
	ASSERT_HAS(moved, "newOrder moved from");
	ASSERT_HAS(moved, "the terms of service moved from");
	ASSERT_HAS(moved, "keyChange is gone");
	ASSERT_HAS(moved, "renewalInfo is new");
	ASSERT_HAS(moved, "an external account is needed now");
	ASSERT_HAS(moved, "profile 'short' is new");
}

static int gone(struct ca *ca, void *arg UNUSED, const char *method UNUSED, const char *path, struct http_response *ret)
{
	if (!str_starts(path, "/account/"))
		return 0;
	ca_json(ca, ret, 200, "{\"status\":\"deactivated\"}");
	return 1;
}

static void a_deactivated_account_alarms_once(void **state)
{
	_cleanup_rig_ struct rig *r = rig_new();

	r->ca.hook = gone;
	start(r, JOB_ACCOUNT_REFRESH, NULL);
	rig_run_until(r, r->clock.fake_ms + MINUTE_MS);
	start(r, JOB_ACCOUNT_REFRESH, NULL);
	rig_run_until(r, r->clock.fake_ms + MINUTE_MS);
	ASSERT_INT(rig_count(r, "SELECT COUNT(*) FROM account WHERE status = 'invalid'"), 1);
	ASSERT_INT(rig_count(r, "SELECT COUNT(*) FROM event WHERE subject_kind = 'account' AND level = 'error'"), 1);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(a_rollover_changes_the_key_and_destroys_the_old),
		TEST(a_rollover_killed_at_any_point_leaves_a_working_account),
		TEST(an_account_keeps_its_key_when_the_authority_refuses),
		TEST(a_rollover_waits_for_an_authority_that_is_not_reached),
		TEST(an_order_made_meanwhile_goes_on_when_the_key_is_changed),
		TEST(a_vendor_that_changes_no_keys_is_not_asked_to),
		TEST(an_account_that_cannot_be_read_is_asked_for_by_its_key),
		TEST(an_address_that_is_dropped_is_not_sent),
		TEST(a_key_that_may_be_bound_is_looked_for_first),
		TEST(what_the_directory_does_not_say_is_known),
		TEST(an_imported_key_never_makes_an_account),
		TEST(accounts_in_use_are_asked_about_daily_and_directories_weekly),
		TEST(what_moved_in_a_directory_is_told),
		TEST(a_deactivated_account_alarms_once),
	};

	return RUN(tests);
}
