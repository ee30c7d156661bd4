/* SPDX-License-Identifier: Apache-2.0 */
/* renewal.c - when certificates are renewed, by whom, and what people are told; on a fake clock against the authority of ca.h. */
#include "engine/renewal.h"
#include "engine/notice.h"
#include "store/notice.h"
#include "store/renewal.h"
#include "tests/unit/engine/rig.h"

#include <stdio.h>
#include <time.h>

/* ---- helps ---- */

static uint64_t any(void *arg, uint64_t limit)
{
	uint64_t *x = arg;

	*x = *x * UINT64_C(6364136223846793005) + UINT64_C(1442695040888963407);
	return limit ? (*x >> 20) % limit : 0;
}

static char *issue(struct rig *r, const char *name)
{
	struct order_taken t = rig_order(r, &(struct rig_order){ .names = name, .validation = VALIDATION_HTTP01 });

	rig_run_until(r, r->clock.fake_ms + 5 * MINUTE_MS);
	RIG_GET(r, o, t.id);
	ASSERT_STR(order_status_text(o.status), "valid");
	return xstrdup(o.certificate_id);
}

struct asking {
	const char *id;
	struct certificate c;
	struct renewal n;
};

static int read_both(struct sql *q, void *arg, struct err *err)
{
	struct asking *a = arg;

	certificate_done(&a->c);
	renewal_done(&a->n);
	if (store_certificate_get(q, a->id, &a->c, err) < 0)
		return -(int)err->code;
	return store_renewal_get(q, a->id, &a->n, err);
}

static void asking_done(struct asking *a)
{
	certificate_done(&a->c);
	renewal_done(&a->n);
}
#define LOOK(r, name, cert)                                                                                            \
	_cleanup_(asking_done) struct asking name = { .id = cert };                                                    \
	ASSERT_OK(store_read((r)->store, read_both, &name, &(r)->err), &(r)->err)

struct renewing {
	struct renewal_request q;
	struct order_taken taken;
};

static int renew_tx(struct sql *tx, void *arg, struct err *err)
{
	struct renewing *w = arg;

	return renewal_intake(tx, &w->q, &w->taken, err);
}

static int renew(struct rig *r, const char *certificate, const char *csr, struct order_taken *ret)
{
	struct ulid id = ulid_new(r->clock.fake_ms);
	struct renewing w = { .q = { .order_id = id.s, .certificate_id = certificate, .csr_id = csr, .requester = "somebody",
				     .now_ms = r->clock.fake_ms } };
	int rc = store_write(r->store, renew_tx, &w, &r->err);

	*ret = w.taken;
	return rc;
}

static int64_t orders(struct rig *r)
{
	return rig_count(r, "SELECT COUNT(*) FROM orders");
}

static int64_t open_notices(struct rig *r)
{
	return rig_count(r, "SELECT COUNT(*) FROM notice WHERE ended_ms = 0");
}

static int exec_tx(struct sql *tx, void *arg, struct err *err)
{
	return sql_exec(tx, arg, SQL_NONE, NULL, err);
}

static void exec(struct rig *r, const char *sql)
{
	char text[512];

	snprintf(text, sizeof text, "%s", sql);
	ASSERT_OK(store_write(r->store, exec_tx, text, &r->err), &r->err);
}

/* ---- the arithmetic ---- */

static void a_third_of_the_lifetime_is_left_and_half_of_a_short_one(void **state)
{
	static const int64_t lives[] = { 12 * HOUR_MS, 160 * HOUR_MS, 45 * DAY_MS, 64 * DAY_MS, 90 * DAY_MS, 199 * DAY_MS, 398 * DAY_MS };
	uint64_t seed = 7;
	const struct renewal_dice d = { any, &seed };

	for (size_t i = 0; i < ARRAY_SIZE(lives); i++)
		for (int k = 0; k < 2000; k++) {
			int64_t from = INT64_C(1790000000000) + k * 977, to = from + lives[i];
			int64_t at = renewal_when_fraction(from, to, &d), left = to - at;

			if (lives[i] < 10 * DAY_MS) {
				ASSERT_TRUE(left <= lives[i] / 2 + HOUR_MS && left >= lives[i] * 44 / 100 - HOUR_MS);
			} else {
				ASSERT_TRUE(left <= lives[i] * 37 / 100 + HOUR_MS && left >= lives[i] * 30 / 100 - HOUR_MS);
			}
			ASSERT_TRUE(at - from >= lives[i] / 2 - HOUR_MS); /* never in the first half */
			if (lives[i] > DAY_MS)
				ASSERT_TRUE(at % HOUR_MS >= 2 * MINUTE_MS && at % HOUR_MS <= 58 * MINUTE_MS);
		}
}

static void a_thousand_made_in_one_second_are_spread_over_days(void **state)
{
	uint64_t seed = 42;
	const struct renewal_dice d = { any, &seed };
	int64_t first = INT64_MAX, last = 0, from = INT64_C(1790000000000);
	unsigned hours[24 * 90] = { 0 }, worst = 0;

	for (int i = 0; i < 1000; i++) {
		int64_t at = renewal_when_fraction(from + i, from + i + 90 * DAY_MS, &d);
		unsigned *h = &hours[(at - from) / HOUR_MS];

		first = MIN(first, at);
		last = MAX(last, at);
		*h += 1;
		worst = MAX(worst, *h);
	}
	ASSERT_TRUE(last - first > 5 * DAY_MS);
	ASSERT_TRUE(worst < 40);
}

static void the_moment_of_a_window_lies_in_it(void **state)
{
	uint64_t seed = 3;
	const struct renewal_dice d = { any, &seed };

	for (int i = 0; i < 1000; i++) {
		int64_t at = renewal_when_window(1000, 1010, &d);

		ASSERT_TRUE(at >= 1000 && at < 1010);
	}
}

static void the_ladder_ends_at_once_a_day(void **state)
{
	uint64_t seed = 3;
	const struct renewal_dice d = { any, &seed };
	static const struct {
		int64_t failures, life, span;
	} rows[] = {
		{ 1, 90 * DAY_MS, MINUTE_MS },      { 2, 90 * DAY_MS, 10 * MINUTE_MS }, { 3, 90 * DAY_MS, 100 * MINUTE_MS },
		{ 4, 90 * DAY_MS, DAY_MS },         { 99, 90 * DAY_MS, DAY_MS },        { 4, 6 * DAY_MS, 6 * HOUR_MS },
		{ 99, 12 * HOUR_MS, 36 * MINUTE_MS },
	};

	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		int64_t span = renewal_ladder(rows[i].failures, rows[i].life, &d);

		ASSERT_TRUE(span >= rows[i].span * 79 / 100 && span <= rows[i].span * 121 / 100);
	}
}

/* ---- by a person ---- */

static void a_renewal_replaces_the_version_when_the_new_one_is_there(void **state)
{
	_cleanup_rig_ struct rig *r = rig_new();
	_cleanup_free_ char *id = issue(r, "a.example b.example"), *before = NULL, *after = NULL, *k1 = NULL, *k2 = NULL;
	struct order_taken t, again;

	before = rig_text(r, "SELECT serial FROM version WHERE state = 'current'");
	k1 = rig_text(r, "SELECT public_hash FROM version WHERE state = 'current'");
	ASSERT_OK(renew(r, id, NULL, &t), &r->err);
	ASSERT_FALSE(t.existing);
	ASSERT_OK(renew(r, id, NULL, &again), &r->err); /* one live renewal per certificate */
	ASSERT_TRUE(again.existing);
	ASSERT_STR(again.id, t.id);
	ASSERT_INT(rig_count(r, "SELECT COUNT(*) FROM version WHERE state = 'current'"), 1);
	rig_run_until(r, r->clock.fake_ms + 5 * MINUTE_MS);
	RIG_GET(r, o, t.id);
	ASSERT_STR(order_status_text(o.status), "valid");
	ASSERT_STR(o.certificate_id, id);
	after = rig_text(r, "SELECT serial FROM version WHERE state = 'current'");
	k2 = rig_text(r, "SELECT public_hash FROM version WHERE state = 'current'");
	ASSERT_FALSE(streq(before, after));
	ASSERT_FALSE(streq(k1, k2)); /* a new key of the same type */
	ASSERT_INT(rig_count(r, "SELECT COUNT(*) FROM version WHERE state = 'replaced'"), 1);
	ASSERT_INT(rig_count(r, "SELECT COUNT(*) FROM certificate"), 1);
	rig_no_residue(r);
}

static void a_failed_renewal_leaves_what_is_there(void **state)
{
	_cleanup_rig_ struct rig *r = rig_new();
	_cleanup_free_ char *id = issue(r, "a.example"), *before = NULL, *after = NULL;
	struct order_taken t;

	before = rig_text(r, "SELECT serial FROM version WHERE state = 'current'");
	r->ca.wrong_key = "names";
	ASSERT_OK(renew(r, id, NULL, &t), &r->err);
	rig_run_until(r, r->clock.fake_ms + 5 * MINUTE_MS);
	after = rig_text(r, "SELECT serial FROM version WHERE state = 'current'");
	ASSERT_STR(before, after);
	ASSERT_INT(rig_count(r, "SELECT COUNT(*) FROM certificate WHERE status = 'set-aside' AND next_attempt_ms = 0"), 1);
	ASSERT_INT(rig_count(r, "SELECT COUNT(*) FROM notice WHERE kind = 'renewal-paused' AND ended_ms = 0"), 1);
	r->ca.wrong_key = NULL;
	rig_run_until(r, r->clock.fake_ms + 40 * DAY_MS); /* never ordered again by itself */
	ASSERT_INT(orders(r), 2);
}

struct fetch_key {
	const char *id;
	struct key_row *ret;
};

static int fetch_key(struct sql *q, void *arg, struct err *err)
{
	struct fetch_key *f = arg;

	return store_key_get(q, f->id, f->ret, err);
}

static void only_watched_ones_are_not_renewed(void **state)
{
	_cleanup_rig_ struct rig *r = rig_new();
	_cleanup_free_ char *id = issue(r, "a.example");
	struct order_taken t;

	exec(r, "UPDATE certificate SET managed = 0, account_id = NULL, validation = ''");
	ASSERT_FAILS(renew(r, id, NULL, &t), &r->err, ERR_CONFLICT);
	rig_run_until(r, r->clock.fake_ms + 75 * DAY_MS);
	ASSERT_INT(orders(r), 1);
	ASSERT_INT(rig_count(r, "SELECT COUNT(*) FROM notice WHERE kind = 'expiring' AND subject_id = 'watched' AND ended_ms = 0"), 1);
	rig_run_until(r, r->clock.fake_ms + 10 * DAY_MS);
	ASSERT_INT(rig_count(r, "SELECT COUNT(*) FROM notice WHERE kind = 'expiring' AND subject_id = 'watched-soon' AND ended_ms = 0"), 1);
	rig_run_until(r, r->clock.fake_ms + 10 * DAY_MS);
	ASSERT_INT(rig_count(r, "SELECT COUNT(*) FROM notice WHERE kind = 'expiring' AND subject_id = 'watched-expired' AND ended_ms = 0"), 1);
	ASSERT_INT(open_notices(r), 1); /* one of the three at a time */
}

/* Its automatic renewal is switched off: it has all that an order needs. */
static void what_is_switched_off_is_renewed_when_a_person_says_so_and_stays_switched_off(void **state)
{
	_cleanup_rig_ struct rig *r = rig_new();
	_cleanup_free_ char *id = issue(r, "a.example");
	struct order_taken t;

	exec(r, "UPDATE certificate SET managed = 0, renew_at_ms = 0, next_attempt_ms = 0");
	rig_run_until(r, r->clock.fake_ms + 70 * DAY_MS);
	ASSERT_INT(orders(r), 1);
	ASSERT_OK(renew(r, id, NULL, &t), &r->err);
	rig_run_until(r, r->clock.fake_ms + 5 * MINUTE_MS);
	ASSERT_INT(r->ca.certificates, 2);
	ASSERT_INT(rig_count(r, "SELECT COUNT(*) FROM certificate WHERE managed = 0"), 1);
	ASSERT_INT(rig_count(r, "SELECT COUNT(*) FROM renewal WHERE ari_next_ms > 0"), 0);
	rig_run_until(r, r->clock.fake_ms + 70 * DAY_MS);
	ASSERT_INT(orders(r), 2);
}

static int put_csr(struct sql *tx, void *arg, struct err *err)
{
	return store_csr_add(tx, arg, err);
}

/* O, OU and C of the CSR before are asked for again although the key is a new one. */
static void a_new_key_keeps_the_organisation_of_the_csr_before(void **state)
{
	_cleanup_rig_ struct rig *r = rig_new();
	_cleanup_free_ char *id = issue(r, "a.example"), *key = rig_text(r, "SELECT key_id FROM csr"), *was = rig_text(r, "SELECT public_hash FROM csr"),
			    *now = NULL, *subject = NULL;
	_cleanup_(key_row_done) struct key_row k = { 0 };
	struct csr_subject s = { .o = (char[]){ "Bank, Example" }, .ou = (char[]){ "Web" }, .c = (char[]){ "DE" } };
	struct csr_request q = { .subject = &s };
	_cleanup_csr_ struct csr c = { 0 };
	struct ulid cid = ulid_new(r->clock.fake_ms);
	struct fetch_key f = { key, &k };
	struct order_taken t;

	ASSERT_OK(store_read(r->store, fetch_key, &f, &r->err), &r->err);
	strlist_add(&c.names, "a.example");
	q.names = &c.names;
	q.key = (struct key_handle){ "key", k.id, "sealed", k.sealed, k.sealed_n };
	ASSERT_OK(keys_sign_csr(r->keys, &q, (unsigned char **)&c.der, &c.der_n, &r->err), &r->err);
	c.id = xstrdup(cid.s);
	c.names_hash = xstrdup("x");
	c.subject = xstrdup("");
	c.key_type = xstrdup("p256");
	c.public_hash = xstrdup(was);
	c.key_id = xstrdup(key);
	c.created_ms = r->clock.fake_ms;
	ASSERT_OK(store_write(r->store, put_csr, &c, &r->err), &r->err);
	exec(r, "UPDATE certificate SET csr_id = (SELECT id FROM csr ORDER BY num DESC LIMIT 1)");
	for (int i = 0; i < 2; i++) { /* and the one after that, too */
		ASSERT_OK(renew(r, id, NULL, &t), &r->err);
		rig_run_until(r, r->clock.fake_ms + 5 * MINUTE_MS);
	}
	ASSERT_INT(r->ca.certificates, 3);
	subject = rig_text(r, "SELECT subject FROM csr ORDER BY num DESC LIMIT 1");
	now = rig_text(r, "SELECT public_hash FROM csr ORDER BY num DESC LIMIT 1");
	ASSERT_STR(subject, "O=Bank, Example, OU=Web, C=DE");
	ASSERT_TRUE(!streq(now, was));
}

/* ---- by itself ---- */

static void it_is_renewed_by_itself_and_again(void **state)
{
	_cleanup_rig_ struct rig *r = rig_new();
	_cleanup_free_ char *id = issue(r, "a.example");
	LOOK(r, a, id);

	ASSERT_STR(renewal_why_text(a.n.why), "fraction");
	ASSERT_TRUE(a.c.renew_at_ms > a.c.not_before_ms + 55 * DAY_MS && a.c.renew_at_ms < a.c.not_after_ms - 25 * DAY_MS);
	rig_run_until(r, a.c.renew_at_ms - MINUTE_MS);
	ASSERT_INT(orders(r), 1);
	rig_run_until(r, a.c.renew_at_ms + HOUR_MS);
	ASSERT_INT(orders(r), 2);
	ASSERT_INT(r->ca.certificates, 2);
	rig_run_until(r, a.c.renew_at_ms + 65 * DAY_MS);
	ASSERT_INT(orders(r), 3);
	ASSERT_INT(open_notices(r), 0);
	ASSERT_INT(rig_count(r, "SELECT COUNT(*) FROM certificate"), 1);
	rig_no_residue(r);
}

static void the_authoritys_window_chooses_the_moment_once(void **state)
{
	_cleanup_rig_ struct rig *r = rig_new_empty();

	r->ca.ari = true;
	rig_account(r);
	_cleanup_free_ char *id = issue(r, "a.example");
	LOOK(r, a, id);

	ASSERT_STR(renewal_why_text(a.n.why), "ari");
	ASSERT_INT(r->ca.ari_requests, 1); /* right after issuance */
	ASSERT_TRUE(a.c.renew_at_ms >= a.n.window_start_ms && a.c.renew_at_ms < a.n.window_end_ms);
	rig_run_until(r, r->clock.fake_ms + 3 * DAY_MS);
	ASSERT_TRUE(r->ca.ari_requests >= 12 && r->ca.ari_requests <= 14); /* as its Retry-After says */
	LOOK(r, b, id);
	ASSERT_INT(b.c.renew_at_ms, a.c.renew_at_ms);
	rig_run_until(r, a.c.renew_at_ms + HOUR_MS);
	ASSERT_INT(orders(r), 2);
	ASSERT_STR(r->ca.replaces, a.n.ari_id);
	ASSERT_INT(rig_count(r, "SELECT COUNT(*) FROM event WHERE text LIKE '%replacement%'"), 0);
}

static void a_window_that_is_over_means_now(void **state)
{
	_cleanup_rig_ struct rig *r = rig_new_empty();

	r->ca.ari = true;
	rig_account(r);
	_cleanup_free_ UNUSED char *id = issue(r, "a.example");

	rig_run_until(r, r->clock.fake_ms + DAY_MS);
	r->ca.window_start_ms = r->clock.fake_ms - 2 * DAY_MS;
	r->ca.window_end_ms = r->clock.fake_ms - DAY_MS;
	r->ca.window_serial = r->ca.serial;
	r->ca.explanation = "https://ca.example/why";
	r->ca.refuses_replaces = true; /* and says that it is replaced already */
	/* only the next question brings the news; then it is a matter of minutes */
	for (int i = 0; i < 8 * 60 && orders(r) < 2; i++)
		rig_run_until(r, r->clock.fake_ms + MINUTE_MS);
	ASSERT_INT(orders(r), 2);
	ASSERT_INT(rig_count(r, "SELECT COUNT(*) FROM notice WHERE kind = 'recall' AND touched = 1"), 1);
	ASSERT_INT(rig_count(r, "SELECT COUNT(*) FROM notice WHERE cause LIKE '%https://ca.example/why%'"), 1);
	rig_run_until(r, r->clock.fake_ms + 5 * MINUTE_MS);
	ASSERT_INT(r->ca.certificates, 2);
	ASSERT_INT(rig_count(r, "SELECT COUNT(*) FROM event WHERE text LIKE '%as the replacement%'"), 1);
	ASSERT_INT(open_notices(r), 0);
	rig_run_until(r, r->clock.fake_ms + 2 * DAY_MS); /* no loop */
	ASSERT_INT(orders(r), 2);
}

static void an_authority_that_always_wants_it_now_gets_two_a_day(void **state)
{
	_cleanup_rig_ struct rig *r = rig_new_empty();

	r->ca.ari = true;
	rig_account(r);
	r->ca.window_start_ms = r->clock.fake_ms - 2 * DAY_MS;
	r->ca.window_end_ms = r->clock.fake_ms - DAY_MS;
	_cleanup_free_ UNUSED char *id = issue(r, "a.example");

	rig_run_until(r, r->clock.fake_ms + 10 * DAY_MS);
	if (r->ca.certificates < 5 || r->ca.certificates > 22)
		print_error("%u certificates\n", r->ca.certificates);
	ASSERT_TRUE(r->ca.certificates >= 5 && r->ca.certificates <= 22);
	ASSERT_INT(rig_count(r, "SELECT COUNT(*) FROM notice WHERE kind = 'recall' AND ended_ms = 0"), 1);
}

static int no_info(struct ca *ca, void *arg, const char *method, const char *path, struct http_response *ret)
{
	if (!str_starts(path, "/renewal-info/"))
		return 0;
	ca->ari_requests++;
	if (streq(arg, "404"))
		ca_problem(ca, ret, 404, "malformed", "certificate not found");
	else if (streq(arg, "empty"))
		ca_json(ca, ret, 200, "{\"suggestedWindow\":{\"start\":\"2026-11-26T00:00:00Z\",\"end\":\"2026-11-26T00:00:00Z\"}}");
	else
		ca_problem(ca, ret, 503, "serverInternal", "busy");
	return 1;
}

static void without_a_usable_window_the_fraction_stands(void **state)
{
	static const char *const answers[] = { "404", "empty", "503" };

	for (size_t i = 0; i < ARRAY_SIZE(answers); i++) {
		_cleanup_rig_ struct rig *r = rig_new_empty();
		_cleanup_free_ char *id = NULL;

		r->ca.ari = true;
		rig_account(r);
		r->ca.hook = no_info;
		r->ca.hook_arg = (void *)(uintptr_t)answers[i];
		id = issue(r, "a.example");
		LOOK(r, a, id);
		ASSERT_STR(renewal_why_text(a.n.why), "fraction");
		rig_run_until(r, r->clock.fake_ms + DAY_MS);
		if (r->ca.ari_requests < 2 || r->ca.ari_requests > 20)
			print_error("%s: %u requests\n", answers[i], r->ca.ari_requests);
		ASSERT_TRUE(r->ca.ari_requests >= 2 && r->ca.ari_requests <= 20); /* neither given up nor hammered */
		r->ca.hook = NULL;
		rig_run_until(r, r->clock.fake_ms + 2 * DAY_MS);
		LOOK(r, b, id);
		ASSERT_STR(renewal_why_text(b.n.why), "ari");
	}
}

/* ---- what fails ---- */

static int refuse_order(struct ca *ca, void *arg, const char *method, const char *path, struct http_response *ret)
{
	int64_t *at = arg;

	if (!streq(path, "/new-order"))
		return 0;
	at[0]++;
	if (at[0] < 63)
		at[at[0]] = clock_now(ca->clock);
	ca_problem(ca, ret, 403, "rejectedIdentifier", "policy forbids a.example");
	return 1;
}

static void what_fails_is_tried_daily_and_paused_after_thirty_days(void **state)
{
	_cleanup_rig_ struct rig *r = rig_new();
	_cleanup_free_ char *id = issue(r, "a.example"), *cause = NULL;
	int64_t at[64] = { 0 };
	LOOK(r, a, id);

	r->ca.hook = refuse_order;
	r->ca.hook_arg = at;
	rig_run_until(r, a.c.renew_at_ms + 5 * MINUTE_MS);
	ASSERT_INT(at[0], 2); /* at once, and a minute later */
	ASSERT_INT(open_notices(r), 0);
	rig_run_until(r, a.c.renew_at_ms + 20 * MINUTE_MS);
	ASSERT_INT(at[0], 3);
	ASSERT_INT(rig_count(r, "SELECT COUNT(*) FROM notice WHERE kind = 'renewal-failed' AND ended_ms = 0"), 1);
	cause = rig_text(r, "SELECT cause FROM notice WHERE kind = 'renewal-failed'");
	ASSERT_TRUE(strstr(cause, "policy forbids a.example") != NULL);
	rig_run_until(r, a.c.renew_at_ms + 29 * DAY_MS);
	ASSERT_TRUE(at[0] >= 30 && at[0] <= 36);
	for (int i = 6; i < 30; i++)
		ASSERT_TRUE(at[i] - at[i - 1] > 15 * HOUR_MS); /* no storm */
	ASSERT_INT(rig_count(r, "SELECT COUNT(*) FROM notice WHERE kind = 'renewal-failed'"), 1); /* told once */
	rig_run_until(r, a.c.renew_at_ms + 45 * DAY_MS);
	ASSERT_TRUE(at[0] <= 37);
	ASSERT_INT(rig_count(r, "SELECT COUNT(*) FROM certificate WHERE pause_reason IS NOT NULL AND next_attempt_ms = 0"), 1);
	ASSERT_INT(rig_count(r, "SELECT COUNT(*) FROM notice WHERE kind = 'renewal-paused' AND ended_ms = 0"), 1);
}

static void what_works_again_ends_its_notice(void **state)
{
	_cleanup_rig_ struct rig *r = rig_new();
	_cleanup_free_ char *id = issue(r, "a.example");
	int64_t at[64] = { 0 };
	LOOK(r, a, id);

	r->ca.hook = refuse_order;
	r->ca.hook_arg = at;
	rig_run_until(r, a.c.renew_at_ms + 3 * DAY_MS);
	ASSERT_INT(open_notices(r), 1);
	r->ca.hook = NULL;
	rig_run_until(r, r->clock.fake_ms + 2 * DAY_MS);
	ASSERT_INT(r->ca.certificates, 2);
	ASSERT_INT(open_notices(r), 0);
	LOOK(r, b, id);
	ASSERT_INT(b.c.attempt, 0);
	ASSERT_INT(b.n.failing_since_ms, 0);
}

/* ---- what does not happen by itself ---- */

static void by_hand_means_that_nobody_orders_at_night(void **state)
{
	_cleanup_rig_ struct rig *r = rig_new();
	_cleanup_free_ char *id = issue(r, "a.example");
	struct order_taken t;

	exec(r, "UPDATE certificate SET http_method = 'manual'");
	rig_run_until(r, r->clock.fake_ms + 75 * DAY_MS);
	ASSERT_INT(orders(r), 1);
	ASSERT_INT(rig_count(r, "SELECT COUNT(*) FROM notice WHERE kind = 'waiting-for-you' AND ended_ms = 0 AND remind_ms > 0"), 1);
	ASSERT_INT(rig_count(r, "SELECT COUNT(*) FROM renewal WHERE waits = 'person'"), 1);
	ASSERT_INT(rig_count(r, "SELECT COUNT(*) FROM notice WHERE kind = 'renewal-not-tried'"), 0);
	ASSERT_OK(renew(r, id, NULL, &t), &r->err); /* one button */
	ASSERT_INT(orders(r), 2);
}

static void an_uploaded_csr_is_used_again_until_its_key_is_too_old(void **state)
{
	_cleanup_rig_ struct rig *r = rig_new();
	_cleanup_free_ UNUSED char *id = issue(r, "a.example");

	exec(r, "UPDATE csr SET key_id = NULL");
	exec(r, "UPDATE certificate SET key_policy = 'reuse'");
	exec(r, "UPDATE renewal SET key_max_days = 100");
	rig_run_until(r, r->clock.fake_ms + 65 * DAY_MS);
	ASSERT_INT(r->ca.certificates, 2);
	ASSERT_INT(rig_count(r, "SELECT COUNT(DISTINCT public_hash) FROM version"), 1);
	ASSERT_INT(rig_count(r, "SELECT COUNT(*) FROM renewal WHERE install_since_ms > 0"), 1);
	ASSERT_INT(rig_count(r, "SELECT COUNT(*) FROM notice WHERE kind = 'waiting-to-be-installed' AND ended_ms = 0"), 1);
	rig_run_until(r, r->clock.fake_ms + 65 * DAY_MS); /* day 130 */
	ASSERT_INT(r->ca.certificates, 2);
	ASSERT_INT(rig_count(r, "SELECT COUNT(*) FROM notice WHERE kind = 'csr-needed' AND ended_ms = 0"), 1);
}

static int mark_installed(struct sql *tx, void *arg, struct err *err)
{
	return renewal_installed(tx, arg, 1, err);
}

static void what_was_fetched_waits_no_more(void **state)
{
	_cleanup_rig_ struct rig *r = rig_new();
	_cleanup_free_ char *id = issue(r, "a.example");

	exec(r, "UPDATE csr SET key_id = NULL");
	exec(r, "UPDATE certificate SET key_policy = 'reuse'");
	rig_run_until(r, r->clock.fake_ms + 65 * DAY_MS);
	ASSERT_INT(open_notices(r), 1);
	ASSERT_OK(store_write(r->store, mark_installed, id, &r->err), &r->err);
	ASSERT_INT(open_notices(r), 0);
	ASSERT_INT(rig_count(r, "SELECT COUNT(*) FROM renewal WHERE install_since_ms > 0"), 0);
}

static void an_account_that_is_gone_is_told_of_before_the_day(void **state)
{
	_cleanup_rig_ struct rig *r = rig_new();
	_cleanup_free_ char *id = issue(r, "a.example");
	LOOK(r, a, id);

	exec(r, "UPDATE account SET status = 'invalid'");
	rig_run_until(r, a.c.renew_at_ms - 31 * DAY_MS);
	rig_run_until(r, a.c.renew_at_ms - 20 * DAY_MS);
	ASSERT_INT(rig_count(r, "SELECT COUNT(*) FROM notice WHERE kind = 'account-needs-attention' AND ended_ms = 0 AND first_expiry_ms > 0"), 1);
	exec(r, "UPDATE account SET status = 'valid'");
	rig_run_until(r, r->clock.fake_ms + 3 * DAY_MS);
	ASSERT_INT(open_notices(r), 0);
}

/* ---- stopped, held, missed ---- */

static int stop_all(struct sql *tx, void *arg, struct err *err)
{
	struct rig *r = arg;
	struct renewal_pause p = { .reason = (char[]){ "freeze" }, .by = (char[]){ "ann" }, .since_ms = r->clock.fake_ms };

	return renewal_pause_set(tx, &p, r->clock.fake_ms, err);
}

static int resume_all(struct sql *tx, void *arg, struct err *err)
{
	struct rig *r = arg;

	return renewal_resume(tx, r->clock.fake_ms, err);
}

static void what_costs_money_is_not_ordered_by_itself_until_somebody_allowed_it(void **state)
{
	_cleanup_rig_ struct rig *r = rig_new();
	_cleanup_free_ char *id = issue(r, "a.example");
	LOOK(r, a, id);

	exec(r, "UPDATE account SET vendor = 'digicert'");
	rig_run_until(r, a.c.renew_at_ms + HOUR_MS);
	ASSERT_INT(orders(r), 1);
	ASSERT_INT(rig_count(r, "SELECT COUNT(*) FROM notice WHERE kind = 'payment-not-allowed' AND ended_ms = 0 AND touched = 1"), 1);
	exec(r, "UPDATE account SET automatic = 1");
	rig_run_until(r, a.c.renew_at_ms + 8 * DAY_MS);
	ASSERT_INT(r->ca.certificates, 2);
	ASSERT_INT(open_notices(r), 0);
}

static void stopped_is_stopped_and_said_so(void **state)
{
	_cleanup_rig_ struct rig *r = rig_new();
	_cleanup_free_ char *id = issue(r, "a.example"), *cause = NULL;
	struct order_taken t;

	ASSERT_OK(store_write(r->store, stop_all, r, &r->err), &r->err);
	rig_run_until(r, r->clock.fake_ms + 70 * DAY_MS);
	ASSERT_INT(orders(r), 1);
	cause = rig_text(r, "SELECT cause FROM notice WHERE kind = 'renewals-stopped' AND ended_ms = 0");
	ASSERT_TRUE(strstr(cause, "ann") && strstr(cause, "freeze"));
	ASSERT_OK(renew(r, id, NULL, &t), &r->err); /* people still may */
	ASSERT_OK(store_write(r->store, resume_all, r, &r->err), &r->err);
	rig_run_until(r, r->clock.fake_ms + 5 * MINUTE_MS);
	ASSERT_INT(r->ca.certificates, 2);
	ASSERT_INT(open_notices(r), 0);
}

static void a_clock_that_jumped_renews_nothing(void **state)
{
	_cleanup_rig_ struct rig *r = rig_new();
	_cleanup_free_ char *id = issue(r, "a.example");
	LOOK(r, a, id);

	/* as the dispatcher notes it: 70 days ahead for a minute */
	r->clock.fake_ms = a.c.renew_at_ms + DAY_MS;
	r->engine->hold_until_ms = r->clock.fake_ms + 15 * MINUTE_MS;
	rig_run_until(r, r->clock.fake_ms + 14 * MINUTE_MS);
	ASSERT_INT(orders(r), 1);
	rig_run_until(r, r->clock.fake_ms + 5 * MINUTE_MS); /* it stays: the world has moved on */
	ASSERT_INT(orders(r), 2);
}

static int many(struct sql *tx, void *arg, struct err *err)
{
	struct rig *r = arg;

	for (int i = 0; i < 300; i++) {
		struct ulid id = ulid_new(r->clock.fake_ms);
		_cleanup_free_ char *name = xasprintf("n%d.example", i);
		_cleanup_certificate_ struct certificate c = {
			.id = xstrdup(id.s), .source = xstrdup("issued"), .names_hash = xstrdup(name), .account_id = xstrdup(r->account),
			.validation = xstrdup("http-01"), .http_method = xstrdup("builtin"), .key_policy = xstrdup("new"),
			.key_type = xstrdup("p256"), .managed = true, .status = CERTIFICATE_ACTIVE, .not_before_ms = r->clock.fake_ms - 60 * DAY_MS,
			.not_after_ms = r->clock.fake_ms + 30 * DAY_MS, .renew_at_ms = r->clock.fake_ms - DAY_MS - i,
			.next_attempt_ms = r->clock.fake_ms - DAY_MS - i, .created_ms = r->clock.fake_ms,
		};

		strlist_add(&c.names, name);
		if (store_certificate_add(tx, &c, err) < 0)
			return -(int)err->code;
	}
	return 0;
}

static uint64_t seeded(void *arg, uint64_t limit)
{
	static uint64_t seed = 99;

	(void)arg;
	return any(&seed, limit);
}

static void what_was_missed_is_spread_and_not_a_storm(void **state)
{
	_cleanup_rig_ struct rig *r = rig_new();
	int64_t start = r->clock.fake_ms;

	r->engine->o.random = seeded;
	r->ca.recycle = true;
	ASSERT_OK(store_write(r->store, many, r, &r->err), &r->err);
	rig_run_until(r, start + 10 * MINUTE_MS);
	ASSERT_TRUE(orders(r) < 100); /* about a sixth */
	rig_run_until(r, start + 30 * MINUTE_MS);
	ASSERT_TRUE(orders(r) > 90 && orders(r) < 210);
	rig_run_until(r, start + 70 * MINUTE_MS);
	ASSERT_INT(orders(r), 300);
	ASSERT_INT(open_notices(r), 0);
}

static void the_watchdog_needs_no_job(void **state)
{
	_cleanup_rig_ struct rig *r = rig_new();
	_cleanup_free_ char *id = issue(r, "a.example");
	LOOK(r, a, id);

	exec(r, "UPDATE job SET set_aside = 1 WHERE kind LIKE 'renewal%'"); /* the scheduler stands still */
	rig_run_until(r, a.c.renew_at_ms + 2 * HOUR_MS);
	ASSERT_INT(orders(r), 1);
	renewal_watch(r->engine);
	ASSERT_INT(rig_count(r, "SELECT COUNT(*) FROM notice WHERE kind = 'renewal-not-tried' AND ended_ms = 0 AND touched = 1"), 1);
	exec(r, "UPDATE job SET set_aside = 0, due_ms = 1 WHERE kind LIKE 'renewal%'");
	rig_run_until(r, r->clock.fake_ms + 30 * MINUTE_MS);
	ASSERT_INT(orders(r), 2);
	renewal_watch(r->engine);
	ASSERT_INT(open_notices(r), 0);
}

static int make_window(struct sql *tx, void *arg, struct err *err)
{
	return store_renewal_window_add(tx, arg, err);
}

/* Three in the morning of that day, each year, as cron says it. */
static void window_at(struct rig *r, int64_t day_ms)
{
	time_t t = (time_t)(day_ms / SECOND_MS);
	_cleanup_free_ char *sql = NULL;
	struct tm tm;

	gmtime_r(&t, &tm);
	sql = xasprintf("UPDATE renewal_window SET cron = '0 3 %d %d *'", tm.tm_mday, tm.tm_mon + 1);
	exec(r, sql);
}

/* It opens three days after the renewal is due: the order is made in it, not before, and nobody has to be told. */
static void a_window_is_waited_for(void **state)
{
	_cleanup_rig_ struct rig *r = rig_new();
	_cleanup_free_ char *id = issue(r, "a.example");
	struct ulid wid = ulid_new(r->clock.fake_ms);
	struct renewal_window w = { .id = wid.s, .name = (char[]){ "once" }, .cron = (char[]){ "0 3 1 1 *" }, .minutes = 120,
				    .zone = (char[]){ "UTC" }, .is_default = true, .created_ms = r->clock.fake_ms };
	LOOK(r, a, id);
	int64_t opens = (a.c.renew_at_ms / DAY_MS + 3) * DAY_MS + 3 * HOUR_MS;

	ASSERT_OK(store_write(r->store, make_window, &w, &r->err), &r->err);
	window_at(r, opens);
	rig_run_until(r, a.c.renew_at_ms + MINUTE_MS);
	LOOK(r, b, id);
	ASSERT_STR(renewal_waits_text(b.n.waits), "window");
	ASSERT_TRUE(b.c.next_attempt_ms >= opens && b.c.next_attempt_ms < opens + 2 * HOUR_MS);
	rig_run_until(r, opens - MINUTE_MS);
	ASSERT_INT(orders(r), 1);
	rig_run_until(r, opens + 2 * HOUR_MS);
	ASSERT_INT(r->ca.certificates, 2);
	ASSERT_INT(open_notices(r), 0);
}

/* It opens when less than a tenth of the lifetime is left, or only when all is over: it is not waited for, and that is told. */
static void a_window_that_comes_too_late_is_overruled_and_told(void **state)
{
	for (int late = 0; late < 2; late++) {
		_cleanup_rig_ struct rig *r = rig_new();
		_cleanup_free_ char *id = issue(r, "a.example");
		struct ulid wid = ulid_new(r->clock.fake_ms);
		struct renewal_window w = { .id = wid.s, .name = (char[]){ "once" }, .cron = (char[]){ "0 3 1 1 *" }, .minutes = 120,
					    .zone = (char[]){ "UTC" }, .is_default = true, .created_ms = r->clock.fake_ms };
		LOOK(r, a, id);
		int64_t tenth = (a.c.not_after_ms - a.c.not_before_ms) / 10;

		ASSERT_OK(store_write(r->store, make_window, &w, &r->err), &r->err);
		window_at(r, late ? a.c.not_after_ms + 20 * DAY_MS : a.c.not_after_ms - tenth + 2 * DAY_MS);
		rig_run_until(r, a.c.renew_at_ms + HOUR_MS);
		ASSERT_INT(r->ca.certificates, 2);
		ASSERT_INT(rig_count(r, "SELECT COUNT(*) FROM notice WHERE kind = 'window-overruled' AND touched = 1"), 1);
	}
}

static void the_window_of_a_tag_goes_before_the_default_and_its_own_before_both(void **state)
{
	_cleanup_rig_ struct rig *r = rig_new();
	_cleanup_free_ char *id = issue(r, "a.example");
	/* each day at another hour: where the renewal waits tells whose window it is */
	static const char *const crons[] = { "0 1 * * *", "0 9 * * *", "0 17 * * *" };
	static const int hours[] = { 1, 9, 17 };
	char ids[3][27];
	LOOK(r, a, id);

	for (int i = 0; i < 3; i++) {
		struct ulid wid = ulid_new(r->clock.fake_ms);
		_cleanup_free_ char *name = xasprintf("w%d", i), *cron = xstrdup(crons[i]);
		struct renewal_window w = { .id = wid.s, .name = name, .cron = cron, .minutes = 60, .zone = (char[]){ "UTC" },
					    .is_default = i == 0, .tag = i == 1 ? (char[]){ "edge" } : NULL, .created_ms = r->clock.fake_ms + i };

		snprintf(ids[i], sizeof ids[i], "%s", wid.s);
		ASSERT_OK(store_write(r->store, make_window, &w, &r->err), &r->err);
	}
	for (int i = 0; i < 3; i++) {
		int64_t noon = a.c.renew_at_ms / DAY_MS * DAY_MS + DAY_MS * (i + 1) + 12 * HOUR_MS;
		int64_t into;

		if (i == 1)
			exec(r, "INSERT INTO certificate_tag (certificate_id, tag, num) SELECT id, 'edge', num FROM certificate");
		if (i == 2)
			exec(r, "UPDATE renewal SET window_id = (SELECT id FROM renewal_window WHERE name = 'w2')");
		r->clock.fake_ms = noon;
		exec(r, "UPDATE certificate SET next_attempt_ms = 1");
		exec(r, "UPDATE job SET due_ms = 1 WHERE kind = 'renewal'");
		ASSERT_TRUE(engine_run_due(r->engine, &r->err) >= 0);
		LOOK(r, b, id);
		ASSERT_STR(renewal_waits_text(b.n.waits), "window");
		into = b.c.next_attempt_ms % DAY_MS;
		ASSERT_TRUE(into >= hours[i] * HOUR_MS && into < (hours[i] + 1) * HOUR_MS);
	}
	ASSERT_INT(orders(r), 1);
}

static void a_renewal_does_not_wait_for_ever_behind_somebody(void **state)
{
	_cleanup_rig_ struct rig *r = rig_new();
	_cleanup_free_ char *id = issue(r, "a.example");
	struct order_taken held, t;

	held = rig_order(r, &(struct rig_order){ .names = "a.example", .validation = VALIDATION_HTTP01, .method = "manual" });
	rig_run_until(r, r->clock.fake_ms + 5 * MINUTE_MS);
	ASSERT_OK(renew(r, id, NULL, &t), &r->err);
	rig_run_until(r, r->clock.fake_ms + 20 * HOUR_MS);
	RIG_GET(r, o, t.id);
	ASSERT_STR(order_status_text(o.status), "pending");
	ASSERT_STR(order_step_text(o.step), "queued");
	rig_run_until(r, r->clock.fake_ms + 5 * HOUR_MS);
	RIG_GET(r, h, held.id);
	ASSERT_STR(order_status_text(h.status), "invalid");
	ASSERT_TRUE(strstr(h.reason, "is to be renewed") != NULL);
	RIG_GET(r, p, t.id);
	ASSERT_STR(order_status_text(p.status), "valid");
}

/* ---- revocation ---- */

struct revoking {
	struct job_request q;
	char id[27];
};

static int revoke_tx(struct sql *tx, void *arg, struct err *err)
{
	struct revoking *w = arg;

	return job_intake(tx, &w->q, w->id, err);
}

static void revoke_it(struct rig *r, const char *args)
{
	_cleanup_free_ char *version = rig_text(r, "SELECT id FROM version WHERE state = 'current'");
	struct ulid id = ulid_new(r->clock.fake_ms);
	struct revoking w = { .q = { .id = id.s, .kind = JOB_REVOKE, .subject_kind = "version", .subject_id = version, .args = args,
				     .lane_url = CA_DIRECTORY, .now_ms = r->clock.fake_ms } };

	ASSERT_OK(store_write(r->store, revoke_tx, &w, &r->err), &r->err);
	rig_run_until(r, r->clock.fake_ms + 2 * MINUTE_MS);
}

static int revoke_says(struct ca *ca, void *arg, const char *method, const char *path, struct http_response *ret)
{
	if (!streq(path, "/revoke"))
		return 0;
	ca->revocations++;
	ca_problem(ca, ret, 400, arg, "no");
	return 1;
}

static void the_account_or_the_key_revokes(void **state)
{
	_cleanup_rig_ struct rig *r = rig_new();
	_cleanup_free_ UNUSED char *id = issue(r, "a.example");
	_cleanup_free_ char *status = NULL;

	revoke_it(r, "{\"by_key\":true,\"reason\":1}");
	ASSERT_INT(r->ca.revocations, 1);
	ASSERT_TRUE(r->ca.revoked_by_key);
	ASSERT_INT(r->ca.revoked_reason, 1);
	status = rig_text(r, "SELECT status FROM certificate");
	ASSERT_STR(status, "revoked");
	ASSERT_INT(rig_count(r, "SELECT COUNT(*) FROM version WHERE revoked_ms > 0"), 1);
	rig_run_until(r, r->clock.fake_ms + 80 * DAY_MS); /* on purpose: nobody renews it by itself */
	ASSERT_INT(orders(r), 1);
	revoke_it(r, "{}");
	ASSERT_INT(r->ca.revocations, 2);
	ASSERT_FALSE(r->ca.revoked_by_key);
	ASSERT_INT(r->ca.revoked_reason, -1);
}

static void what_is_revoked_already_is_revoked(void **state)
{
	_cleanup_rig_ struct rig *r = rig_new();
	_cleanup_free_ UNUSED char *id = issue(r, "a.example");
	_cleanup_free_ char *status = NULL;

	r->ca.hook = revoke_says;
	r->ca.hook_arg = (char[]){ "alreadyRevoked" };
	revoke_it(r, "{\"by_key\":false}");
	status = rig_text(r, "SELECT status FROM certificate");
	ASSERT_STR(status, "revoked");
}

static void a_reason_that_is_not_taken_is_offered_again_without(void **state)
{
	_cleanup_rig_ struct rig *r = rig_new();
	_cleanup_free_ UNUSED char *id = issue(r, "a.example");
	_cleanup_free_ char *status = NULL, *reason = NULL;

	r->ca.hook = revoke_says;
	r->ca.hook_arg = (char[]){ "badRevocationReason" };
	revoke_it(r, "{\"reason\":5}");
	status = rig_text(r, "SELECT status FROM certificate");
	ASSERT_STR(status, "active");
	reason = rig_text(r, "SELECT reason FROM job WHERE kind = 'certificate-revoke'");
	ASSERT_TRUE(strstr(reason, "without a reason") != NULL);
	ASSERT_INT(r->ca.revocations, 1);
}

static void replaced_first_and_then_revoked(void **state)
{
	_cleanup_rig_ struct rig *r = rig_new();
	_cleanup_free_ char *id = issue(r, "a.example"), *args = NULL, *status = NULL;
	struct order_taken t;

	ASSERT_OK(renew(r, id, NULL, &t), &r->err);
	args = xasprintf("{\"after_order\":\"%s\"}", t.id);
	revoke_it(r, args);
	ASSERT_INT(r->ca.revocations, 1);
	ASSERT_INT(rig_count(r, "SELECT COUNT(*) FROM version WHERE state = 'replaced' AND revoked_ms > 0"), 1);
	ASSERT_INT(rig_count(r, "SELECT COUNT(*) FROM version WHERE state = 'current' AND revoked_ms = 0"), 1);
	status = rig_text(r, "SELECT status FROM certificate");
	ASSERT_STR(status, "active");
}

static void without_a_replacement_nothing_is_revoked(void **state)
{
	_cleanup_rig_ struct rig *r = rig_new();
	_cleanup_free_ char *id = issue(r, "a.example"), *args = NULL;
	int64_t at[64] = { 0 };
	struct order_taken t;

	r->ca.hook = refuse_order;
	r->ca.hook_arg = at;
	ASSERT_OK(renew(r, id, NULL, &t), &r->err);
	args = xasprintf("{\"after_order\":\"%s\"}", t.id);
	revoke_it(r, args);
	ASSERT_INT(r->ca.revocations, 0);
	ASSERT_INT(rig_count(r, "SELECT COUNT(*) FROM job WHERE kind = 'certificate-revoke' AND state = 'failed'"), 1);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(a_third_of_the_lifetime_is_left_and_half_of_a_short_one),
		TEST(a_thousand_made_in_one_second_are_spread_over_days),
		TEST(the_moment_of_a_window_lies_in_it),
		TEST(the_ladder_ends_at_once_a_day),
		TEST(a_renewal_replaces_the_version_when_the_new_one_is_there),
		TEST(a_failed_renewal_leaves_what_is_there),
		TEST(only_watched_ones_are_not_renewed),
		TEST(what_is_switched_off_is_renewed_when_a_person_says_so_and_stays_switched_off),
		TEST(a_new_key_keeps_the_organisation_of_the_csr_before),
		TEST(it_is_renewed_by_itself_and_again),
		TEST(the_authoritys_window_chooses_the_moment_once),
		TEST(a_window_that_is_over_means_now),
		TEST(an_authority_that_always_wants_it_now_gets_two_a_day),
		TEST(without_a_usable_window_the_fraction_stands),
		TEST(what_fails_is_tried_daily_and_paused_after_thirty_days),
		TEST(what_works_again_ends_its_notice),
		TEST(by_hand_means_that_nobody_orders_at_night),
		TEST(an_uploaded_csr_is_used_again_until_its_key_is_too_old),
		TEST(what_was_fetched_waits_no_more),
		TEST(an_account_that_is_gone_is_told_of_before_the_day),
		TEST(what_costs_money_is_not_ordered_by_itself_until_somebody_allowed_it),
		TEST(stopped_is_stopped_and_said_so),
		TEST(a_clock_that_jumped_renews_nothing),
		TEST(what_was_missed_is_spread_and_not_a_storm),
		TEST(the_watchdog_needs_no_job),
		TEST(a_window_is_waited_for),
		TEST(a_window_that_comes_too_late_is_overruled_and_told),
		TEST(the_window_of_a_tag_goes_before_the_default_and_its_own_before_both),
		TEST(a_renewal_does_not_wait_for_ever_behind_somebody),
		TEST(the_account_or_the_key_revokes),
		TEST(what_is_revoked_already_is_revoked),
		TEST(a_reason_that_is_not_taken_is_offered_again_without),
		TEST(replaced_first_and_then_revoked),
		TEST(without_a_replacement_nothing_is_revoked),
	};

	return RUN(tests);
}
