/* SPDX-License-Identifier: Apache-2.0 */
/*
 * weeks.c - six weeks alone: 300 certificates of every kind, an authority that is down for three days, an account that is refused for
 * a day, a full disk for an hour, a clock 40 days ahead for a minute, and nobody who looks. What was renewed, every notice and every mail.
 */
#include "engine/notify.h"
#include "engine/renewal.h"
#include "store/renewal.h"
#include "tests/unit/engine/mailed.h"
#include "tests/unit/engine/rig.h"

#include <stdio.h>

#define ALL 300
#define MESSAGES_MOST 25

static int64_t ahead_ms; /* the wall clock is off by that */

static int64_t wall(const struct clock *c)
{
	return c->fake_ms + ahead_ms;
}

static uint64_t dice(void *arg, uint64_t limit)
{
	static uint64_t x = 4711;

	(void)arg;
	x = x * UINT64_C(6364136223846793005) + UINT64_C(1442695040888963407);
	return limit ? (x >> 16) % limit : 0;
}

static int down(struct ca *ca, void *arg, const char *method, const char *path, struct http_response *ret)
{
	return *(bool *)arg ? -1 : 0;
}

/* The mails of these weeks: the day and the subject of each. */
struct mails {
	struct rig *r;
	struct strlist l;
};

/* Each says why, what expires first and what to do; what is over only what and since when. */
static void body_is_complete(const struct mail_request *q)
{
	static const char *const begun[] = { "What happened\r\n  ", "First expiry\r\n  ", "What to do\r\n  ", "Certificates (", NULL };
	static const char *const digest[] = { "Still open\r\n", "expire", "To do: ", NULL }, *const over[] = { "What is over\r\n  ", "Until\r\n  ", NULL };
	_cleanup_free_ char *text = mail_body(q);
	const char *const *must = strstr(text, begun[0]) ? begun : strstr(text, over[0]) ? over : digest;

	for (; *must; must++)
		if (!strstr(text, *must))
			fail_msg("'%s' is not in:\n%s", *must, text);
}

static int take(void *arg, const struct mail_request *q, enum net_leg *leg, UNUSED struct err *err)
{
	struct mails *m = arg;
	_cleanup_free_ char *subject = mail_subject(q), *line = NULL;
	char at[CLOCK_TEXT];

	line = xasprintf("%.10s %s", clock_format(engine_now(m->r->engine), at), subject);
	strlist_add(&m->l, line);
	body_is_complete(q);
	*leg = NET_LEG_NONE;
	return 0;
}

static bool disk_full(void *arg, const char *point)
{
	return *(bool *)arg;
}

/* What an inventory of some weeks looks like: expiries spread over the next 90 days. */
static int fill(struct sql *tx, void *arg, struct err *err)
{
	struct rig *r = arg;
	const char *csr = r->dns_value; /* borrowed for the id of an uploaded CSR's like */

	for (int i = 0; i < ALL; i++) {
		struct ulid id = ulid_new(r->clock.fake_ms), v = ulid_new(r->clock.fake_ms);
		bool hand = i % 50 == 1, watched = i % 50 == 2, elsewhere = i % 150 == 3;
		int64_t na = r->clock.fake_ms + 31 * DAY_MS + i * (59 * DAY_MS / ALL);
		_cleanup_free_ char *name = xasprintf("n%d.example", i);
		_cleanup_certificate_ struct certificate c = {
			.id = xstrdup(id.s), .source = xstrdup("issued"), .names_hash = xstrdup(name), .account_id = watched ? NULL : xstrdup(r->account),
			.csr_id = elsewhere ? xstrdup(csr) : NULL, .validation = xstrdup("http-01"),
			.http_method = xstrdup(hand ? "manual" : "builtin"), .key_policy = xstrdup(elsewhere ? "reuse" : "new"),
			.key_type = xstrdup("p256"), .managed = !watched, .status = CERTIFICATE_ACTIVE, .not_before_ms = na - 90 * DAY_MS,
			.not_after_ms = na, .renew_at_ms = watched ? 0 : na - 30 * DAY_MS, .next_attempt_ms = watched ? 0 : na - 30 * DAY_MS,
			.version_id = NULL, .created_ms = r->clock.fake_ms,
		};

		(void)v;
		strlist_add(&c.names, elsewhere ? "csr.example" : name);
		if (store_certificate_add(tx, &c, err) < 0)
			return -(int)err->code;
	}
	return 0;
}

static int exec_tx(struct sql *tx, void *arg, struct err *err)
{
	return sql_exec(tx, arg, SQL_NONE, NULL, err);
}

static void exec(struct rig *r, const char *sql)
{
	ASSERT_OK(store_write(r->store, exec_tx, (void *)(uintptr_t)sql, &r->err), &r->err);
}

static void run_days(struct rig *r, int n)
{
	for (int i = 0; i < n * 2; i++) {
		rig_run_until(r, r->clock.fake_ms + 12 * HOUR_MS);
		renewal_watch(r->engine);
	}
}

/* What a person is told in these weeks: when, kind, how many certificates, the first expiry, whether it is over; cause; next step. */
#define RENEW \
	"Renew it: the order shows the record to set."
#define INSTALL \
	"Fetch it and install it where its key is before what is in use expires, or mark it as installed."
#define THERE \
	"Renew them where they are managed, or take them over (Manage)."
#define BY_ITSELF \
	"It is tried again by itself; see the authority's status page, or give the certificates another account."
#define ACCOUNT \
	"Make the account valid again, or give its certificates another one."
static const struct {
	const char *what, *cause, *next_step;
} told[] = {
	{ "2026-09-22 waiting-for-you 1 2026-10-22", "certificate 2 (n1.example) is to be renewed and its names are validated by hand", RENEW },
	{ "2026-09-23 waiting-to-be-installed 1 2026-12-22", "certificate 4 (csr.example) was renewed; its key is elsewhere, and so it waits to be installed there", INSTALL },
	{ "2026-09-23 expiring 3 2026-11-11", "certificates that are only watched here expire within 30 days", THERE },
	{ "2026-09-29 renewal-delayed 1 2026-10-29, over", "renewals at Custom are under way for more than a day: could not place the order at https://ca.example/dir: could not read the directory: TCP: connection reset", BY_ITSELF },
	{ "2026-10-02 waiting-for-you 1 2026-11-01", "certificate 52 (n51.example) is to be renewed and its names are validated by hand", RENEW },
	{ "2026-10-05 account-needs-attention 200 2026-10-22, over", "account 'a@b.example --- Custom' is not valid any more, and certificates are to be renewed from it", ACCOUNT },
	{ "2026-10-12 waiting-for-you 1 2026-11-11", "certificate 102 (n101.example) is to be renewed and its names are validated by hand", RENEW },
	{ "2026-10-14 expiring 1 2026-10-22, over", "certificates that are only watched here have less than a tenth of their lifetime left", THERE },
	{ "2026-10-22 waiting-for-you 1 2026-11-21", "certificate 152 (n151.example) is to be renewed and its names are validated by hand", RENEW },
	{ "2026-10-22 waiting-to-be-installed 1 2027-01-20", "certificate 154 (csr.example) was renewed; its key is elsewhere, and so it waits to be installed there", INSTALL },
	{ "2026-10-23 expiring 2 2026-10-22", "certificates that are only watched here have expired", THERE },
	{ "2026-10-24 expiring 1 2026-11-01, over", "certificates that are only watched here have less than a tenth of their lifetime left", THERE },
	{ "2026-11-01 waiting-for-you 1 2026-12-01", "certificate 202 (n201.example) is to be renewed and its names are validated by hand", RENEW },
};

static int row_is_told(const struct row *row, void *arg, struct err *err)
{
	char raised[CLOCK_TEXT], first[CLOCK_TEXT], what[128];
	int *n = arg;

	snprintf(what, sizeof(what), "%.10s %s %" PRId64 " %.10s%s", clock_format(row_int(row, 4), raised), row_text(row, 0), row_int(row, 1),
		 row_int(row, 5) ? clock_format(row_int(row, 5), first) : "-", row_int(row, 6) ? ", over" : "");
	print_message("  %s\n     %s\n     %s\n", what, row_text(row, 2), row_text(row, 3));
	ASSERT_TRUE(*n < (int)ARRAY_SIZE(told));
	assert_string_equal(what, told[*n].what);
	assert_string_equal(row_text(row, 2), told[*n].cause);
	assert_string_equal(row_text(row, 3), told[*n].next_step);
	++*n;
	return 0;
}

static int all_are_told(struct sql *q, void *arg, struct err *err)
{
	return sql_each(q, "SELECT kind, touched, cause, next_step, raised_ms, first_expiry_ms, ended_ms FROM notice ORDER BY raised_ms, id", SQL_NONE,
			row_is_told, arg, err);
}

/* Every mail of these weeks, digests and ends included. */
static const char *const mailed[] = {
	"2026-09-22 Waiting for you: n1.example, expires in 29 days",
	"2026-09-23 Issued, waiting to be installed: csr.example, expires in 89 days",
	"2026-09-23 Expiring: n2.example, expires in 29 days",
	"2026-09-29 Renewal takes long: n31.example, expires in 28 days",
	"2026-10-01 Still open: 4 notices, the next expires in 21 days",
	"2026-10-02 Over: Renewal takes long: n37.example",
	"2026-10-02 Waiting for you: n51.example, expires in 29 days",
	"2026-10-05 Account needs attention: n51.example, expires in 26 days",
	"2026-10-06 Over: Account needs attention: n1.example and 199 more",
	"2026-10-12 Waiting for you: n101.example, expires in 29 days",
	"2026-10-14 Expiring: n2.example, expires in 8 days",
	"2026-10-20 [urgent] Still open: 6 notices, the next expires in 2 days",
	"2026-10-21 [urgent] Still open: 6 notices, the next expires in 1 day",
	"2026-10-22 Waiting for you: n151.example, expires in 29 days",
	"2026-10-22 [urgent] Still open: 7 notices, the next expires in 4 hours",
	"2026-10-22 Issued, waiting to be installed: csr.example, expires in 89 days",
	"2026-10-23 [urgent] Expiring: n2.example, expired less than an hour ago",
	"2026-10-23 [urgent] Still open: 8 notices, the next expires in 9 days",
	"2026-10-24 Expiring: n52.example, expires in 8 days",
	"2026-10-30 [urgent] Still open: 9 notices, the next expires in 2 days",
	"2026-10-31 [urgent] Still open: 9 notices, the next expires in 1 day",
	"2026-11-01 Waiting for you: n201.example, expires in 29 days",
	"2026-11-01 [urgent] Still open: 10 notices, the next expires within the hour",
	"2026-11-02 [urgent] Still open: 9 notices, the next expires in 8 days",
};
_Static_assert(ARRAY_SIZE(mailed) < MESSAGES_MOST, "a person reads them all");

static void mails_are_these(const struct strlist *l)
{
	for (size_t i = 0; i < l->n; i++) {
		print_message("%s\n", l->v[i]);
		ASSERT_TRUE(i < ARRAY_SIZE(mailed));
		ASSERT_STR(l->v[i], mailed[i]);
	}
	ASSERT_INT(l->n, ARRAY_SIZE(mailed));
}

static void nobody_looks_for_six_weeks(void **state)
{
	_cleanup_rig_ struct rig *r = rig_new();
	struct mails mails = { .r = r };
	bool is_down = false, is_full = false;
	char csr[27];
	int messages = 0;
	int64_t before, due;

	r->clock.wall_ms = wall;
	r->ca.recycle = true;
	r->ca.hook = down;
	r->ca.hook_arg = &is_down;
	r->engine->o.random = dice;
	rig_csr(r, "csr.example", KEY_P256, csr);
	exec(r, "UPDATE csr SET key_id = NULL");
	r->dns_value = csr;
	ASSERT_OK(store_write(r->store, fill, r, &r->err), &r->err);
	r->dns_value = NULL;
	r->engine->o.send_mail = take;
	r->engine->o.send_mail_arg = &mails;
	rig_mail_channel(r);

	run_days(r, 7);
	is_down = true; /* the authority, for three days */
	run_days(r, 3);
	is_down = false;
	run_days(r, 4);
	exec(r, "UPDATE account SET status = 'invalid'"); /* refused for a day */
	run_days(r, 1);
	exec(r, "UPDATE account SET status = 'valid'");
	run_days(r, 5);
	r->engine->fail_at = disk_full; /* for an hour */
	r->engine->crash_arg = &is_full;
	r->engine->crash_at = NULL;
	is_full = true;
	for (int i = 0; i < 1800; i++) { /* as the dispatcher does */
		if (engine_run_due(r->engine, &r->err) < 0)
			err_clear(&r->err);
		r->clock.fake_ms += 2 * SECOND_MS;
	}
	is_full = false;
	r->engine->fail_at = NULL;
	run_days(r, 5);
	before = rig_count(r, "SELECT COUNT(*) FROM orders");
	engine_watch_clock(r->engine);
	ahead_ms = 40 * DAY_MS; /* for a minute */
	engine_watch_clock(r->engine);
	ASSERT_TRUE(engine_run_due(r->engine, &r->err) >= 0);
	r->clock.fake_ms += MINUTE_MS;
	ahead_ms = 0;
	engine_watch_clock(r->engine);
	ASSERT_TRUE(engine_run_due(r->engine, &r->err) >= 0);
	ASSERT_INT(rig_count(r, "SELECT COUNT(*) FROM orders"), before); /* it renewed nothing */
	run_days(r, 17);

	due = rig_count(r, "SELECT COUNT(*) FROM certificate WHERE managed = 1 AND http_method = 'builtin'");
	print_message("six weeks: %" PRId64 " renewed of %" PRId64 " that renew by themselves, %" PRId64 " orders\n",
		      rig_count(r, "SELECT COUNT(*) FROM certificate WHERE version_id IS NOT NULL"), due, rig_count(r, "SELECT COUNT(*) FROM orders"));
	ASSERT_OK(store_read(r->store, all_are_told, &messages, &r->err), &r->err);
	ASSERT_INT(messages, ARRAY_SIZE(told));
	mails_are_these(&mails.l);
	strlist_clear(&mails.l);
	/* nothing that renews by itself has expired or is about to */
	ASSERT_INT(rig_count(r, "SELECT COUNT(*) FROM certificate WHERE managed = 1 AND http_method = 'builtin' AND not_after_ms < 1790000000000 + 52 * 86400000"), 0);
	ASSERT_INT(rig_count(r, "SELECT COUNT(*) FROM (SELECT certificate_id FROM version GROUP BY certificate_id HAVING COUNT(*) > 1)"), 0);
	ASSERT_INT(rig_count(r, "SELECT COUNT(*) FROM notice WHERE kind = 'renewal-not-tried'"), 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = { TEST(nobody_looks_for_six_weeks) };

	return RUN(tests);
}
