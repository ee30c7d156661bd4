/* SPDX-License-Identifier: Apache-2.0 */
/* What each call sends and what it makes of a well-meant answer: the rows of RFC 8555 that a client can show. */
#include "tests/unit/acme/fake.h"

#include <stdio.h>

static const struct answer good_order = { 201, ORDER_HEAD "Replay-Nonce: next\r\n",
					  ORDER_BODY("pending", ",\"expires\":\"2026-11-30T18:45:31.123456789Z\""), ERR_NONE };

#define ONE(a) (&(a)), 1
#define ORDER_URL "https://ca.example/order/1"

/* ---- transport ---- */

static void a_post_is_signed_with_account_and_nonce(void **state UNUSED)
{
	_cleanup_world_ struct world w;
	_cleanup_strlist_ struct strlist names = two_names();
	_cleanup_acme_order_ struct acme_order o = { 0 };

	world_init(&w, ONE(good_order));
	ASSERT_OK(acme_order_new(&w.s, &(struct acme_order_request){ .names = &names }, &o, &w.err), &w.err);
	ASSERT_INT(w.fake.n_asked, 3); /* directory, nonce, order */
	ASSERT_INT(w.fake.asked[1].method, HTTP_HEAD);
	ASSERT_STR(w.fake.asked[1].url, "https://ca.example/nonce");
	ASSERT_STR(last_asked(&w)->content_type, "application/jose+json");
	ASSERT_STR(last_asked(&w)->body, "url=https://ca.example/new-order nonce=nonce-1 kid=https://ca.example/acct/1 payload="
					 "{\"identifiers\":[{\"type\":\"dns\",\"value\":\"a.test\"},{\"type\":\"dns\",\"value\":\"B.test\"}]}");
	ASSERT_INT(w.s.requests, 3);
}

static void reading_is_a_post_with_empty_payload(void **state UNUSED)
{
	static const struct answer a = { 200, JSON, ORDER_BODY("pending", ""), ERR_NONE };
	_cleanup_world_ struct world w;
	_cleanup_acme_order_ struct acme_order o = { 0 };

	world_init(&w, ONE(a));
	ASSERT_OK(acme_order_get(&w.s, ORDER_URL, NULL, &o, &w.err), &w.err);
	ASSERT_INT(last_asked(&w)->method, HTTP_POST);
	ASSERT_HAS(last_asked(&w)->body, "payload=(empty)");
}

static void the_next_nonce_comes_from_every_answer(void **state UNUSED)
{
	static const struct answer script[] = {
		{ 200, JSON "Replay-Nonce: from-ok\r\n", ORDER_BODY("pending", ""), ERR_NONE },
		{ 403, PROBLEM "Replay-Nonce: from-error\r\n", P("unauthorized", ""), ERR_NONE },
		{ 200, JSON, ORDER_BODY("pending", ""), ERR_NONE },
	};
	_cleanup_world_ struct world w;
	_cleanup_acme_order_ struct acme_order o = { 0 };

	world_init(&w, script, 3);
	ASSERT_OK(acme_order_get(&w.s, ORDER_URL, NULL, &o, &w.err), &w.err);
	acme_order_clear(&o);
	ASSERT_FAILS(acme_order_get(&w.s, ORDER_URL, NULL, &o, &w.err), &w.err, ERR_REMOTE_REFUSED);
	ASSERT_HAS(last_asked(&w)->body, "nonce=from-ok ");
	ASSERT_OK(acme_order_get(&w.s, ORDER_URL, NULL, &o, &w.err), &w.err);
	ASSERT_HAS(last_asked(&w)->body, "nonce=from-error ");
	ASSERT_INT(acme_ca_nonces(w.s.ca), 0);
}

static void a_bad_nonce_is_retried_with_the_one_of_the_error(void **state UNUSED)
{
	static const struct answer script[] = {
		{ 400, PROBLEM "Replay-Nonce: e1\r\n", P("badNonce", ""), ERR_NONE },
		{ 400, PROBLEM "Replay-Nonce: e2\r\n", P("badNonce", ""), ERR_NONE },
		{ 400, PROBLEM "Replay-Nonce: \r\n", P("badNonce", ""), ERR_NONE }, /* empty: a new one is fetched */
		{ 200, JSON, ORDER_BODY("pending", ""), ERR_NONE },
	};
	_cleanup_world_ struct world w;
	_cleanup_acme_order_ struct acme_order o = { 0 };

	world_init(&w, script, 4);
	ASSERT_OK(acme_order_get(&w.s, ORDER_URL, NULL, &o, &w.err), &w.err);
	ASSERT_INT(w.s.nonce_tries, 3);
	ASSERT_HAS(w.fake.asked[2].body, "nonce=nonce-1 ");
	ASSERT_HAS(w.fake.asked[3].body, "nonce=e1 ");
	ASSERT_HAS(w.fake.asked[4].body, "nonce=e2 ");
	ASSERT_INT(w.fake.asked[5].method, HTTP_HEAD);
	ASSERT_HAS(w.fake.asked[6].body, "nonce=nonce-2 ");
}

static void ten_bad_nonces_are_enough(void **state UNUSED)
{
	static const struct answer a = { 400, PROBLEM "Replay-Nonce: again\r\n", P("badNonce", ""), ERR_NONE };
	_cleanup_world_ struct world w;
	_cleanup_acme_order_ struct acme_order o = { 0 };

	world_init(&w, ONE(a));
	ASSERT_FAILS(acme_order_get(&w.s, ORDER_URL, NULL, &o, &w.err), &w.err, ERR_NONCE);
	ASSERT_INT(w.fake.at, LIMIT_NONCE_TRIES);
}

static void a_missing_or_empty_nonce_is_an_error(void **state UNUSED)
{
	static const struct answer bad[] = {
		{ 200, "", NULL, ERR_NONE },
		{ 204, "Replay-Nonce: \r\n", NULL, ERR_NONE },
		{ 200, "Replay-Nonce: not base64url!\r\n", NULL, ERR_NONE },
		{ 200, "Replay-Nonce: a=\r\n", NULL, ERR_NONE },
	};

	for (size_t i = 0; i < ARRAY_SIZE(bad); i++) {
		_cleanup_world_ struct world w;
		_cleanup_acme_order_ struct acme_order o = { 0 };

		world_init(&w, bad, 1);
		w.fake.nonce = &bad[i];
		ASSERT_FAILS(acme_order_get(&w.s, ORDER_URL, NULL, &o, &w.err), &w.err, ERR_REMOTE_BAD);
		ASSERT_INT(w.fake.at, 0); /* nothing is signed with it */
	}
}

static void the_pool_of_nonces_is_bounded_and_ages(void **state UNUSED)
{
	_cleanup_world_ struct world w;
	char text[32];
	char *taken;

	world_init(&w, ONE(good_order));
	for (int i = 0; i < 40; i++) {
		snprintf(text, sizeof text, "n%d", i);
		acme_nonce_put(w.s.ca, text, 1000 + i);
		acme_nonce_put(w.s.ca, text, 1000 + i); /* for one use only */
	}
	ASSERT_INT(acme_ca_nonces(w.s.ca), LIMIT_NONCES);
	taken = acme_nonce_take(w.s.ca, 2000);
	ASSERT_STR(taken, "n39"); /* the newest first */
	free(taken);
	taken = acme_nonce_take(w.s.ca, 1038 + LIMIT_NONCE_AGE_S * 1000);
	ASSERT_STR(taken, "n38");
	free(taken);
	assert_null(acme_nonce_take(w.s.ca, 1039 + LIMIT_NONCE_AGE_S * 1000));
	ASSERT_INT(acme_ca_nonces(w.s.ca), 0);
}

struct gate_log {
	enum acme_kind kinds[20];
	size_t n;
	int refuse; /* kind, -1 = none */
};

static int gate(void *data, enum acme_kind kind, struct err *err)
{
	struct gate_log *g = data;

	g->kinds[g->n++] = kind;
	if ((int)kind != g->refuse)
		return 0;
	err_set(err, ERR_REMOTE_LIMIT, "the lane is parked");
	err->retry_at_ms = 77;
	return -ERR_REMOTE_LIMIT;
}

static void the_gate_is_asked_before_each_request(void **state UNUSED)
{
	static const struct answer script[] = { { 400, PROBLEM "Replay-Nonce: e1\r\n", P("badNonce", ""), ERR_NONE },
						{ 201, ORDER_HEAD, ORDER_BODY("pending", ""), ERR_NONE } };
	static const enum acme_kind want[] = { ACME_KIND_DIRECTORY, ACME_KIND_NONCE, ACME_KIND_ORDER_NEW, ACME_KIND_ORDER_NEW };
	_cleanup_world_ struct world w;
	_cleanup_strlist_ struct strlist names = two_names();
	_cleanup_acme_order_ struct acme_order o = { 0 };
	struct gate_log log = { .refuse = -1 };
	size_t before;

	world_init(&w, script, 2);
	w.s.gate = gate;
	w.s.gate_data = &log;
	ASSERT_OK(acme_order_new(&w.s, &(struct acme_order_request){ .names = &names }, &o, &w.err), &w.err);
	ASSERT_INT(log.n, ARRAY_SIZE(want));
	for (size_t i = 0; i < log.n; i++)
		ASSERT_INT(log.kinds[i], want[i]);
	before = w.fake.n_asked;
	log.refuse = ACME_KIND_ORDER;
	acme_order_clear(&o);
	ASSERT_INT(acme_order_get(&w.s, ORDER_URL, NULL, &o, &w.err), -ERR_REMOTE_LIMIT);
	ASSERT_STR(w.err.detail, "the lane is parked");
	ASSERT_TRUE(w.s.refusal.gated);
	ASSERT_INT(w.s.refusal.retry_at_ms, 77);
	ASSERT_INT(w.fake.n_asked, before + 1); /* the nonce only */
}

static void a_step_that_has_no_time_left_sends_nothing(void **state UNUSED)
{
	_cleanup_world_ struct world w;
	_cleanup_acme_directory_ struct acme_directory d = { 0 };

	world_init(&w, ONE(good_order));
	w.s.deadline_boot_ms = clock_boot(&w.clock);
	ASSERT_FAILS(acme_directory_get(&w.s, &d, &w.err), &w.err, ERR_TIMEOUT);
	ASSERT_INT(w.fake.n_asked, 0);
}

/* ---- directory ---- */

static void the_directory_is_kept_for_a_day(void **state UNUSED)
{
	_cleanup_world_ struct world w;
	_cleanup_acme_directory_ struct acme_directory d = { 0 };

	world_init(&w, ONE(good_order));
	for (int i = 0; i < 3; i++) {
		acme_directory_clear(&d);
		ASSERT_OK(acme_directory_get(&w.s, &d, &w.err), &w.err);
	}
	ASSERT_INT(w.fake.n_asked, 1);
	ASSERT_INT(w.fake.asked[0].method, HTTP_GET);
	assert_null(w.fake.asked[0].body);
	ASSERT_STR(d.renewal_info, "https://ca.example/ari");
	ASSERT_STR(d.tos_url, "https://ca.example/tos");
	ASSERT_INT(d.n_profiles, 1);
	ASSERT_STR(d.profiles[0].description, "The default");
	w.clock.fake_ms += DAY_MS;
	acme_directory_clear(&d);
	ASSERT_OK(acme_directory_get(&w.s, &d, &w.err), &w.err);
	ASSERT_INT(w.fake.n_asked, 2);
}

static void a_404_makes_the_directory_be_read_again(void **state UNUSED)
{
	static const struct answer a = { 404, PROBLEM, P("malformed", ""), ERR_NONE };
	_cleanup_world_ struct world w;
	_cleanup_strlist_ struct strlist names = two_names();
	_cleanup_acme_order_ struct acme_order o = { 0 };
	_cleanup_acme_directory_ struct acme_directory d = { 0 };
	size_t before;

	world_init(&w, ONE(a));
	ASSERT_FAILS(acme_order_new(&w.s, &(struct acme_order_request){ .names = &names }, &o, &w.err), &w.err, ERR_REMOTE_REFUSED);
	before = w.fake.n_asked;
	ASSERT_OK(acme_directory_get(&w.s, &d, &w.err), &w.err);
	ASSERT_INT(w.fake.n_asked, before + 1);
}

static void a_poor_directory_is_enough(void **state UNUSED)
{
	static const struct answer rows[] = {
		{ 200, JSON, "{\"newNonce\":\"/n\",\"newAccount\":\"a\",\"newOrder\":\"//ca.example/o\",\"keyChange\":null,\"meta\":null}", ERR_NONE },
		{ 200, "", "{\"newNonce\":\"/n\",\"newAccount\":\"/a\",\"newOrder\":\"/o\",\"meta\":{\"profiles\":null,\"home\":7}}", ERR_NONE },
		{ 203, "Content-Type: Application/JSON; charset=utf-8\r\n",
		  "{\"newNonce\":\"/n\",\"newAccount\":\"/a\",\"newOrder\":\"/o\",\"xyz\":{\"new\":[]},\"meta\":\"x\",\"revokeCert\":\"\"}", ERR_NONE },
	};

	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		_cleanup_world_ struct world w;
		_cleanup_acme_directory_ struct acme_directory d = { 0 };

		world_init(&w, ONE(good_order));
		w.fake.directory = &rows[i];
		ASSERT_OK(acme_directory_get(&w.s, &d, &w.err), &w.err);
		ASSERT_STR(d.new_nonce, "https://ca.example/n");
		ASSERT_STR(d.new_order, "https://ca.example/o");
		assert_null(d.key_change);
		assert_null(d.revoke_cert);
	}
}

/* ---- accounts ---- */

static void registering_sends_what_a_person_agreed_to(void **state UNUSED)
{
	static const struct answer a = {
		201, "Location: /acct/9\r\n" JSON,
		"{\"status\":\"valid\",\"contact\":[\"mailto:a@b.test\"],\"orders\":\"/acct/9/orders\",\"termsOfServiceAgreed\":true}", ERR_NONE
	};
	_cleanup_world_ struct world w;
	_cleanup_strlist_ struct strlist mails = { 0 };
	_cleanup_acme_account_ struct acme_account acct = { 0 };

	strlist_add(&mails, "a@b.test");
	world_init(&w, ONE(a));
	w.s.account_url = NULL;
	ASSERT_OK(acme_account_register(&w.s, &(struct acme_registration){ &mails, true, false }, &acct, &w.err), &w.err);
	ASSERT_STR(acct.url, "https://ca.example/acct/9");
	ASSERT_TRUE(acct.created && acct.tos_agreed);
	ASSERT_STR(acct.contacts.v[0], "a@b.test");
	ASSERT_STR(acct.orders_url, "https://ca.example/acct/9/orders");
	ASSERT_HAS(last_asked(&w)->body, " jwk= payload={\"termsOfServiceAgreed\":true,\"contact\":[\"mailto:a@b.test\"]}");
}

/* step-ca sends a bare list there; nothing of ours depends on it. */
static void the_orders_of_an_account_may_be_anything(void **state UNUSED)
{
	static const char *const orders[] = { "null", "[\"1\",\"2\"]", "{}", "7", "\"\"" };

	for (size_t i = 0; i < ARRAY_SIZE(orders); i++) {
		_cleanup_free_ char *body = xasprintf("{\"status\":\"valid\",\"orders\":%s}", orders[i]);
		const struct answer a = { 201, "Location: /acct/9\r\n" JSON, body, ERR_NONE };
		_cleanup_world_ struct world w;
		_cleanup_acme_account_ struct acme_account acct = { 0 };

		world_init(&w, ONE(a));
		ASSERT_OK(acme_account_register(&w.s, &(struct acme_registration){ .tos_agreed = true }, &acct, &w.err), &w.err);
		assert_null(acct.orders_url);
	}
}

static void terms_are_not_agreed_to_by_themselves(void **state UNUSED)
{
	static const struct answer a = { 200, "Location: /acct/9\r\n", NULL, ERR_NONE }; /* an empty body is enough */
	_cleanup_world_ struct world w;
	_cleanup_acme_account_ struct acme_account acct = { 0 };

	world_init(&w, ONE(a));
	ASSERT_OK(acme_account_register(&w.s, &(struct acme_registration){ .eab = true }, &acct, &w.err), &w.err);
	ASSERT_FALSE(acct.created);
	ASSERT_INT(acct.status, ACME_ACCOUNT_VALID);
	assert_null(strstr(last_asked(&w)->body, "termsOfServiceAgreed"));
	assert_null(strstr(last_asked(&w)->body, "contact"));
	ASSERT_HAS(last_asked(&w)->body, "\"externalAccountBinding\":{\"protected\":\"https://ca.example/new-acct\"");
}

static void a_contact_is_one_plain_address(void **state UNUSED)
{
	static const char *const bad[] = { "", "a", "a@b,c@d", "a@b?subject=x", "a@b%0d", "a b@c", "a@b\r\n", "<a@b>" };
	_cleanup_world_ struct world w;

	world_init(&w, ONE(good_order));
	for (size_t i = 0; i < ARRAY_SIZE(bad); i++) {
		_cleanup_strlist_ struct strlist mails = { 0 };
		_cleanup_acme_account_ struct acme_account acct = { 0 };

		strlist_add(&mails, bad[i]);
		ASSERT_FAILS(acme_account_register(&w.s, &(struct acme_registration){ &mails, true, false }, &acct, &w.err), &w.err, ERR_INVALID);
	}
}

static void an_account_is_found_but_never_made(void **state UNUSED)
{
	static const struct answer found = { 200, "Location: https://ca.example/acct/7\r\n" JSON, "{\"status\":\"deactivated\"}", ERR_NONE };
	static const struct answer none = { 400, PROBLEM, P("accountDoesNotExist", ""), ERR_NONE };
	_cleanup_world_ struct world w, v;
	_cleanup_acme_account_ struct acme_account acct = { 0 }, other = { 0 };

	world_init(&w, ONE(found));
	world_init(&v, ONE(none));
	ASSERT_OK(acme_account_find(&w.s, &acct, &w.err), &w.err);
	ASSERT_STR(acct.url, "https://ca.example/acct/7");
	ASSERT_INT(acct.status, ACME_ACCOUNT_DEACTIVATED);
	ASSERT_HAS(last_asked(&w)->body, "payload={\"onlyReturnExisting\":true}");
	ASSERT_FAILS(acme_account_find(&v.s, &other, &v.err), &v.err, ERR_NOT_FOUND);
}

static void an_account_is_updated_and_deactivated(void **state UNUSED)
{
	static const struct answer a = { 200, JSON, "{\"status\":\"valid\",\"contact\":null}", ERR_NONE };
	_cleanup_world_ struct world w;
	_cleanup_strlist_ struct strlist none = { 0 };
	_cleanup_acme_account_ struct acme_account acct = { 0 };

	world_init(&w, ONE(a));
	ASSERT_OK(acme_account_update(&w.s, &none, false, &acct, &w.err), &w.err);
	ASSERT_HAS(last_asked(&w)->body, "url=https://ca.example/acct/1 ");
	ASSERT_HAS(last_asked(&w)->body, "payload={\"contact\":[]}");
	acme_account_clear(&acct);
	ASSERT_OK(acme_account_update(&w.s, NULL, true, &acct, &w.err), &w.err);
	ASSERT_HAS(last_asked(&w)->body, "payload={\"termsOfServiceAgreed\":true}");
	ASSERT_OK(acme_account_deactivate(&w.s, &w.err), &w.err);
	ASSERT_HAS(last_asked(&w)->body, "payload={\"status\":\"deactivated\"}");
}

static void a_key_change_names_the_account_that_has_the_key(void **state UNUSED)
{
	static const struct answer ok = { 200, "", NULL, ERR_NONE };
	static const struct answer taken = { 409, PROBLEM "Location: /acct/8\r\n", P("malformed", ",\"detail\":\"key in use\""), ERR_NONE };
	_cleanup_world_ struct world w, v;

	world_init(&w, ONE(ok));
	world_init(&v, ONE(taken));
	ASSERT_OK(acme_key_change(&w.s, &w.err), &w.err);
	ASSERT_STR(last_asked(&w)->body, "rollover url=https://ca.example/key-change nonce=nonce-1 account=https://ca.example/acct/1");
	ASSERT_FAILS(acme_key_change(&v.s, &v.err), &v.err, ERR_CONFLICT);
	ASSERT_STR(v.s.refusal.location, "https://ca.example/acct/8");
}

/* ---- orders ---- */

static void an_order_is_decoded_whatever_its_order(void **state UNUSED)
{
	_cleanup_world_ struct world w;
	_cleanup_strlist_ struct strlist names = two_names();
	_cleanup_acme_order_ struct acme_order o = { 0 };

	world_init(&w, ONE(good_order));
	ASSERT_OK(acme_order_new(&w.s, &(struct acme_order_request){ .names = &names }, &o, &w.err), &w.err);
	ASSERT_STR(o.url, ORDER_URL);
	ASSERT_INT(o.status, ACME_ORDER_PENDING);
	ASSERT_STR(o.names.v[0], "a.test");
	ASSERT_INT(o.authz_urls.n, 2);
	ASSERT_INT(o.expires_ms, clock_civil(2026, 11, 30, 18, 45, 31) + 123);
	assert_null(o.error.type);
}

static void an_order_can_ask_for_more(void **state UNUSED)
{
	static const struct answer a = {
		200, ORDER_HEAD,
		"{\"status\":\"ready\",\"identifiers\":[{\"type\":\"ip\",\"value\":\"2001:DB8:0::1\"},{\"type\":\"dns\",\"value\":\"*.A.test\"}],"
		"\"authorizations\":[],\"finalize\":\"/f\",\"profile\":\"shortlived\",\"replaces\":\"aa.bb\",\"notAfter\":\"2026-12-01T00:00:00Z\"}",
		ERR_NONE
	};
	_cleanup_world_ struct world w;
	_cleanup_strlist_ struct strlist names = { 0 };
	_cleanup_acme_order_ struct acme_order o = { 0 };

	strlist_add(&names, "2001:db8::1");
	strlist_add(&names, "*.a.test");
	world_init(&w, ONE(a));
	ASSERT_OK(acme_order_new(&w.s, &(struct acme_order_request){ &names, "shortlived", "aa.bb", clock_civil(2026, 12, 1, 0, 0, 0) + 123 }, &o,
				 &w.err),
		  &w.err);
	ASSERT_HAS(last_asked(&w)->body, "{\"type\":\"ip\",\"value\":\"2001:db8::1\"},{\"type\":\"dns\",\"value\":\"*.a.test\"}],"
					 "\"profile\":\"shortlived\",\"replaces\":\"aa.bb\",\"notAfter\":\"2026-12-01T00:00:00Z\"}");
	ASSERT_STR(o.profile, "shortlived");
	ASSERT_STR(o.replaces, "aa.bb");
	ASSERT_FALSE(o.dropped_replaces);
	ASSERT_INT(o.not_after_ms, clock_civil(2026, 12, 1, 0, 0, 0));
}

static void replaces_never_costs_a_renewal(void **state UNUSED)
{
	static const struct {
		int status;
		const char *body;
		bool again;
	} rows[] = {
		{ 409, P("alreadyReplaced", ""), true },
		{ 403, P("unauthorized", ""), true },
		{ 401, P("unauthorized", ""), true },
		{ 404, P("malformed", ",\"detail\":\"ARI Feature not enabled\""), true },
		{ 409, P("conflict", ""), true },
		{ 400, P("malformed", ""), true },
		{ 400, "<html>", true },
		{ 429, P("rateLimited", ""), false },
		{ 429, "<html>", false },
		{ 403, P("rateLimited", ""), false },
		{ 403, P("userActionRequired", ""), false },
		{ 500, P("serverInternal", ""), false },
		{ 503, "", false },
		{ 408, "", false },
	};

	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		const struct answer script[] = { { rows[i].status, PROBLEM, rows[i].body, ERR_NONE }, good_order };
		_cleanup_world_ struct world w;
		_cleanup_strlist_ struct strlist names = two_names();
		_cleanup_acme_order_ struct acme_order o = { 0 };
		struct acme_order_request q = { .names = &names, .replaces = "aa.bb" };

		world_init(&w, script, 2);
		if (rows[i].again) {
			ASSERT_OK(acme_order_new(&w.s, &q, &o, &w.err), &w.err);
			ASSERT_TRUE(o.dropped_replaces);
			assert_null(strstr(last_asked(&w)->body, "replaces"));
			ASSERT_INT(w.fake.at, 2);
		} else {
			ASSERT_TRUE(acme_order_new(&w.s, &q, &o, &w.err) < 0);
			ASSERT_INT(w.fake.at, 1);
		}
	}
}

static void replaces_is_sent_only_where_it_is_known(void **state UNUSED)
{
	static const struct answer d = { 200, JSON, "{\"newNonce\":\"/n\",\"newAccount\":\"/a\",\"newOrder\":\"/o\"}", ERR_NONE };
	_cleanup_world_ struct world w;
	_cleanup_strlist_ struct strlist names = two_names();
	_cleanup_acme_order_ struct acme_order o = { 0 };

	world_init(&w, ONE(good_order));
	w.fake.directory = &d;
	ASSERT_OK(acme_order_new(&w.s, &(struct acme_order_request){ .names = &names, .replaces = "aa.bb" }, &o, &w.err), &w.err);
	assert_null(strstr(last_asked(&w)->body, "replaces"));
}

static void finalize_needs_no_location_and_any_2xx_will_do(void **state UNUSED)
{
	static const struct {
		int status;
		const char *body;
		enum acme_order_status want;
	} rows[] = {
		{ 200, ORDER_BODY("processing", ""), ACME_ORDER_PROCESSING },
		{ 201, ORDER_BODY("valid", ",\"certificate\":\"/cert/1\""), ACME_ORDER_VALID },
		{ 202, ORDER_BODY("ready", ""), ACME_ORDER_READY },
		{ 200, ORDER_BODY("invalid", ",\"error\":" P("badCSR", ",\"detail\":\"no\"")), ACME_ORDER_INVALID },
	};

	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		const struct answer a = { rows[i].status, JSON "Retry-After: 7\r\n", rows[i].body, ERR_NONE };
		_cleanup_world_ struct world w;
		_cleanup_strlist_ struct strlist names = two_names();
		_cleanup_acme_order_ struct acme_order o = { 0 };

		world_init(&w, ONE(a));
		ASSERT_OK(acme_order_finalize(&w.s, ORDER_URL, "https://ca.example/finalize/1", "\x30\x01\xff", 3, &names, &o, &w.err), &w.err);
		ASSERT_INT(o.status, rows[i].want);
		ASSERT_STR(o.url, ORDER_URL);
		ASSERT_INT(o.retry_after_ms, 7000);
		ASSERT_HAS(last_asked(&w)->body, "payload={\"csr\":\"MAH_\"}");
		if (o.status == ACME_ORDER_INVALID)
			ASSERT_STR(o.error.detail, "no");
	}
}

static void a_silent_finalize_is_looked_up(void **state UNUSED)
{
	static const struct answer script[] = { { 200, "", NULL, ERR_NONE }, { 200, JSON, ORDER_BODY("processing", ""), ERR_NONE } };
	_cleanup_world_ struct world w;
	_cleanup_acme_order_ struct acme_order o = { 0 };

	world_init(&w, script, 2);
	ASSERT_OK(acme_order_finalize(&w.s, ORDER_URL, "https://ca.example/finalize/1", "x", 1, NULL, &o, &w.err), &w.err);
	ASSERT_STR(last_asked(&w)->url, ORDER_URL);
	ASSERT_INT(o.status, ACME_ORDER_PROCESSING);
}

/* ---- authorizations ---- */

#define AUTHZ_URL "https://ca.example/authz/1"

static void an_authorization_keeps_what_it_does_not_know(void **state UNUSED)
{
	static const struct answer a = {
		200, JSON "Retry-After: 3\r\n",
		"{\"status\":\"pending\",\"wildcard\":true,\"identifier\":{\"type\":\"dns\",\"value\":\"A.test\"},\"challenges\":["
		"{\"type\":\"dns-persist-01\",\"issuer-domain-names\":[\"ca.example\"],\"url\":\"/c/0\"},"
		"{\"type\":\"made-up-99\",\"token\":7,\"status\":\"dancing\",\"url\":\"https://10.0.0.1/\"}," CHALLENGE(
			"dns-01", "/c/1", TOKEN, "pending") "," CHALLENGE("http-01", "https://ca.example/c/2", TOKEN, "processing") "]}",
		ERR_NONE
	};
	_cleanup_world_ struct world w;
	_cleanup_acme_authz_ struct acme_authz z = { 0 };

	world_init(&w, ONE(a));
	ASSERT_OK(acme_authz_get(&w.s, AUTHZ_URL, &z, &w.err), &w.err);
	ASSERT_STR(z.name, "a.test");
	ASSERT_TRUE(z.wildcard);
	ASSERT_INT(z.retry_after_ms, 3000);
	ASSERT_INT(z.n_challenges, 4);
	ASSERT_STR(z.challenges[1].type_text, "made-up-99");
	assert_null(z.challenges[1].url);
	ASSERT_STR(acme_authz_challenge(&z, ACME_CHALLENGE_DNS01)->url, "https://ca.example/c/1");
	ASSERT_STR(acme_authz_challenge(&z, ACME_CHALLENGE_DNS01)->token, TOKEN);
	ASSERT_INT(acme_authz_challenge(&z, ACME_CHALLENGE_HTTP01)->status, ACME_CHALLENGE_PROCESSING);
}

static void a_valid_authorization_needs_no_challenges(void **state UNUSED)
{
#define VALID "{\"status\":\"valid\",\"identifier\":{\"type\":\"dns\",\"value\":\"a.test\"}"
	static const char *const bodies[] = { VALID "}", VALID ",\"challenges\":null}", VALID ",\"challenges\":[{\"type\":\"dns-01\"}]}" };

	for (size_t i = 0; i < ARRAY_SIZE(bodies); i++) {
		const struct answer a = { 200, JSON, bodies[i], ERR_NONE };
		_cleanup_world_ struct world w;
		_cleanup_acme_authz_ struct acme_authz z = { 0 };

		world_init(&w, ONE(a));
		ASSERT_OK(acme_authz_get(&w.s, AUTHZ_URL, &z, &w.err), &w.err);
		ASSERT_INT(z.status, ACME_AUTHZ_VALID);
		assert_null(acme_authz_challenge(&z, ACME_CHALLENGE_DNS01));
	}
}

static void failed_challenges_tell_why(void **state UNUSED)
{
	static const struct answer a = {
		200, JSON,
		AUTHZ("invalid", "{\"type\":\"http-01\",\"url\":\"/c/1\",\"token\":\"" TOKEN "\",\"status\":\"invalid\",\"error\":" P(
					 "connection", ",\"detail\":\"Timeout\\u0007 during connect\",\"status\":400,\"subproblems\":[{\"type\":\"x\","
						       "\"detail\":\"y\",\"identifier\":{\"type\":\"dns\",\"value\":\"a.test\"}}]") "}"),
		ERR_NONE
	};
	_cleanup_world_ struct world w;
	_cleanup_acme_authz_ struct acme_authz z = { 0 };
	_cleanup_free_ char *text = NULL;

	world_init(&w, ONE(a));
	ASSERT_OK(acme_authz_get(&w.s, AUTHZ_URL, &z, &w.err), &w.err);
	ASSERT_STR(z.challenges[0].error.type, "urn:ietf:params:acme:error:connection");
	assert_null(strchr(z.challenges[0].error.detail, '\a'));
	text = acme_problem_text(&z.challenges[0].error);
	ASSERT_HAS(text, "connection: Timeout");
	ASSERT_HAS(text, "; a.test: x: y");
}

static void a_challenge_is_accepted_with_an_empty_object(void **state UNUSED)
{
	static const struct answer rows[] = { { 200, JSON "Retry-After: 10\r\n", CHALLENGE("dns-01", "/c/1", TOKEN, "processing"), ERR_NONE },
					      { 202, "Content-Type: text/plain\r\nRetry-After: 10\r\n", "accepted", ERR_NONE },
					      { 200, "Retry-After: 10\r\n", "", ERR_NONE } };

	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		_cleanup_world_ struct world w;
		_cleanup_acme_challenge_ struct acme_challenge c = { 0 };

		world_init(&w, ONE(rows[i]));
		ASSERT_OK(acme_challenge_accept(&w.s, "https://ca.example/c/1", &c, &w.err), &w.err);
		ASSERT_HAS(last_asked(&w)->body, "payload={}");
		ASSERT_INT(c.retry_after_ms, 10000);
		ASSERT_INT(c.status, i ? 0 : ACME_CHALLENGE_PROCESSING);
	}
}

static void an_authorization_is_deactivated(void **state UNUSED)
{
	static const struct answer a = { 200, "", NULL, ERR_NONE };
	_cleanup_world_ struct world w;

	world_init(&w, ONE(a));
	ASSERT_OK(acme_authz_deactivate(&w.s, AUTHZ_URL, &w.err), &w.err);
	ASSERT_HAS(last_asked(&w)->body, "payload={\"status\":\"deactivated\"}");
}

/* ---- certificates ---- */

static void a_chain_is_downloaded_with_its_alternates(void **state UNUSED)
{
	static const struct answer a = {
		200,
		"Content-Type: application/pem-certificate-chain\r\n"
		"Link: </cert/1/1>;rel=\"alternate\", <https://evil.example/>;rel=\"alternate\"\r\n"
		"Link: <https://ca.example/cert/1/2>;rel=\"alternate\"\r\nLink: </directory>;rel=\"index\"\r\n",
		"\r\n-----BEGIN CERTIFICATE-----\r\nMAMC\r\nAQE=\r\n-----END CERTIFICATE-----\r\n\r\n" CERT, ERR_NONE
	};
	_cleanup_world_ struct world w;
	_cleanup_acme_chain_ struct acme_chain c = { 0 };

	world_init(&w, ONE(a));
	ASSERT_OK(acme_certificate_get(&w.s, "https://ca.example/cert/1", &c, &w.err), &w.err);
	ASSERT_STR(last_asked(&w)->accept, "application/pem-certificate-chain");
	ASSERT_STR(c.pem, CERT CERT);
	ASSERT_INT(c.n_certificates, 2);
	ASSERT_INT(c.alternates.n, 2);
	ASSERT_STR(c.alternates.v[0], "https://ca.example/cert/1/1");
	ASSERT_STR(c.alternates.v[1], "https://ca.example/cert/1/2");
}

static void revoking_twice_is_success(void **state UNUSED)
{
	static const struct answer script[] = { { 200, "", NULL, ERR_NONE },
						{ 400, PROBLEM, P("alreadyRevoked", ""), ERR_NONE },
						{ 400, PROBLEM, P("badRevocationReason", ""), ERR_NONE } };
	_cleanup_world_ struct world w;

	world_init(&w, script, 3);
	ASSERT_OK(acme_revoke(&w.s, "\x30\x01\xff", 3, 1, false, &w.err), &w.err);
	ASSERT_HAS(last_asked(&w)->body, "kid=https://ca.example/acct/1 payload={\"certificate\":\"MAH_\",\"reason\":1}");
	ASSERT_OK(acme_revoke(&w.s, "\x30\x01\xff", 3, ACME_REASON_NONE, true, &w.err), &w.err);
	ASSERT_HAS(last_asked(&w)->body, "jwk= payload={\"certificate\":\"MAH_\"}");
	ASSERT_FAILS(acme_revoke(&w.s, "\x30\x01\xff", 3, 5, false, &w.err), &w.err, ERR_INVALID);
	ASSERT_FAILS(acme_revoke(&w.s, "x", 1, 7, false, &w.err), &w.err, ERR_INVALID);
	ASSERT_FAILS(acme_revoke(&w.s, "x", 1, 6, false, &w.err), &w.err, ERR_INVALID);
}

static void renewal_information_is_a_plain_get(void **state UNUSED)
{
	static const struct {
		const char *headers;
		int64_t want_ms;
	} rows[] = { { "Retry-After: 21600\r\n", 21600000 },
		     { "", 21600000 },
		     { "Retry-After: 1\r\n", 60000 },
		     { "Retry-After: 9999999\r\n", 86400000 },
		     { "Retry-After: nonsense\r\n", 21600000 } };

	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		const struct answer a = { 200, rows[i].headers,
					  "{\"suggestedWindow\":{\"start\":\"2026-12-01T00:00:00Z\",\"end\":\"2026-12-02T00:00:00.5+01:00\"},"
					  "\"explanationURL\":\"https://other.example/why\"}",
					  ERR_NONE };
		_cleanup_world_ struct world w;
		_cleanup_acme_renewal_info_ struct acme_renewal_info r = { 0 };

		world_init(&w, ONE(a));
		ASSERT_OK(acme_renewal_info_get(&w.s, "aYhba4dGQEHhs3uEe6CuLN4ByNQ.AIdlQyE", &r, &w.err), &w.err);
		ASSERT_INT(w.fake.n_asked, 2); /* no nonce */
		ASSERT_INT(last_asked(&w)->method, HTTP_GET);
		ASSERT_STR(last_asked(&w)->url, "https://ca.example/ari/aYhba4dGQEHhs3uEe6CuLN4ByNQ.AIdlQyE");
		ASSERT_INT(r.start_ms, clock_civil(2026, 12, 1, 0, 0, 0));
		ASSERT_INT(r.end_ms, clock_civil(2026, 12, 1, 23, 0, 0) + 500);
		ASSERT_STR(r.explanation_url, "https://other.example/why");
		ASSERT_INT(r.retry_after_ms, rows[i].want_ms);
	}
}

static void the_clock_of_the_ca_is_compared(void **state UNUSED)
{
	static const struct answer a = { 200, JSON "Date: Mon, 23 Nov 2026 18:50:31 GMT\r\n", GOOD_DIRECTORY, ERR_NONE };
	_cleanup_world_ struct world w;
	_cleanup_acme_directory_ struct acme_directory d = { 0 };

	world_init(&w, ONE(good_order));
	w.fake.directory = &a;
	ASSERT_OK(acme_directory_get(&w.s, &d, &w.err), &w.err);
	ASSERT_INT(acme_ca_skew_ms(w.s.ca), 300000);
}

/* The CA takes neither the profile nor an end: asked again without, one thing at a time, and the caller is told. */
static void what_an_order_can_do_without_is_left_out(void **state UNUSED)
{
	static const struct answer script[] = {
		{ 400, PROBLEM, P("invalidProfile", ""), 0 },
		{ 400, PROBLEM, P("malformed", ",\"detail\":\"notAfter is not supported\""), 0 },
		{ 201, ORDER_HEAD, ORDER_BODY("pending", ""), 0 },
	};
	_cleanup_strlist_ struct strlist names = two_names();
	_cleanup_world_ struct world w;
	_cleanup_acme_order_ struct acme_order o = { 0 };
	struct acme_order_request q = { .names = &names, .profile = "tlsclient", .profile_optional = true, .not_after_ms = clock_civil(2026, 12, 1, 0, 0, 0) };

	world_init(&w, script, ARRAY_SIZE(script));
	ASSERT_OK(acme_order_new(&w.s, &q, &o, &w.err), &w.err);
	ASSERT_TRUE(o.dropped_profile && o.dropped_not_after && !o.dropped_replaces);
	ASSERT_INT(w.fake.at, 3);
	assert_null(strstr(last_asked(&w)->body, "profile"));
	assert_null(strstr(last_asked(&w)->body, "notAfter"));
}

static void a_profile_that_was_not_optional_is_not_left_out(void **state UNUSED)
{
	static const struct answer a = { 400, PROBLEM, P("invalidProfile", ""), 0 };
	_cleanup_strlist_ struct strlist names = two_names();
	_cleanup_world_ struct world w;
	_cleanup_acme_order_ struct acme_order o = { 0 };

	world_init(&w, &a, 1);
	ASSERT_FAILS(acme_order_new(&w.s, &(struct acme_order_request){ .names = &names, .profile = "tlsclient" }, &o, &w.err), &w.err, ERR_REMOTE_REFUSED);
	ASSERT_INT(w.fake.at, 1);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(a_post_is_signed_with_account_and_nonce),
		TEST(reading_is_a_post_with_empty_payload),
		TEST(the_next_nonce_comes_from_every_answer),
		TEST(a_bad_nonce_is_retried_with_the_one_of_the_error),
		TEST(ten_bad_nonces_are_enough),
		TEST(a_missing_or_empty_nonce_is_an_error),
		TEST(the_pool_of_nonces_is_bounded_and_ages),
		TEST(the_gate_is_asked_before_each_request),
		TEST(a_step_that_has_no_time_left_sends_nothing),
		TEST(the_directory_is_kept_for_a_day),
		TEST(a_404_makes_the_directory_be_read_again),
		TEST(a_poor_directory_is_enough),
		TEST(registering_sends_what_a_person_agreed_to),
		TEST(the_orders_of_an_account_may_be_anything),
		TEST(terms_are_not_agreed_to_by_themselves),
		TEST(a_contact_is_one_plain_address),
		TEST(an_account_is_found_but_never_made),
		TEST(an_account_is_updated_and_deactivated),
		TEST(a_key_change_names_the_account_that_has_the_key),
		TEST(an_order_is_decoded_whatever_its_order),
		TEST(an_order_can_ask_for_more),
		TEST(what_an_order_can_do_without_is_left_out),
		TEST(a_profile_that_was_not_optional_is_not_left_out),
		TEST(replaces_never_costs_a_renewal),
		TEST(replaces_is_sent_only_where_it_is_known),
		TEST(finalize_needs_no_location_and_any_2xx_will_do),
		TEST(a_silent_finalize_is_looked_up),
		TEST(an_authorization_keeps_what_it_does_not_know),
		TEST(a_valid_authorization_needs_no_challenges),
		TEST(failed_challenges_tell_why),
		TEST(a_challenge_is_accepted_with_an_empty_object),
		TEST(an_authorization_is_deactivated),
		TEST(a_chain_is_downloaded_with_its_alternates),
		TEST(revoking_twice_is_success),
		TEST(renewal_information_is_a_plain_get),
		TEST(the_clock_of_the_ca_is_compared),
	};

	return RUN(tests);
}
