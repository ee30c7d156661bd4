/* SPDX-License-Identifier: Apache-2.0 */
/*
 * renewal_check.c - two who look whether renewals will work and whether they are tried. The daily job asks about the accounts of all
 * that is due within 30 days, and tells of what only people can do. The watchdog is the dispatcher's and needs no job, so it
 * notices too when the jobs themselves stand still.
 */
#include "base/log.h"
#include "engine/notice.h"
#include "engine/private.h"
#include "engine/renewal.h"
#include "model/vendor.h"
#include "store/renewal.h"

#define AHEAD_MS (30 * DAY_MS)
#define PAGE 200
#define WATCH_MOST 2000
#define WATCH_EVERY_MS (10 * MINUTE_MS)
#define UNTRIED_MS HOUR_MS /* due for so long without an attempt */
#define DELAYED_MS DAY_MS  /* an order that is under way for so long */

bool renewal_may_pay(const struct account *a)
{
	return account_may_automatically(a);
}

/* ---- daily ---- */

struct check {
	struct job_run *r;
	struct page page;
	char *after_id;
	struct certificate_list l;
	struct strlist accounts; /* whose state is asked for */
};

static int read_page(struct sql *q, void *arg, struct err *err)
{
	struct check *k = arg;

	return store_certificate_schedule(q, &k->page, &k->l, err);
}

static int check_account(struct sql *tx, struct check *k, const struct certificate *c, struct err *err)
{
	_cleanup_account_ struct account a = { 0 };
	_cleanup_free_ char *cause = NULL;
	struct notice_cause n = {
		.kind = NOTICE_ACCOUNT, .subject_kind = "account", .subject_id = c->account_id, .certificate = c,
		.next_step = "Make the account valid again, or give its certificates another one.", .now_ms = engine_now(k->r->e),
	};

	if (!c->account_id)
		return 0;
	if (store_account_get_any(tx, c->account_id, &a, err) < 0)
		return -(int)err->code;
	if (!a.deleted_ms && a.status != ACCOUNT_INVALID) {
		if (!strlist_has(&k->accounts, a.id))
			strlist_add(&k->accounts, a.id);
		return notice_end(tx, NOTICE_ACCOUNT, "account", a.id, n.now_ms, err);
	}
	cause = xasprintf(a.deleted_ms ? "account '%s' was deleted, and certificates are to be renewed from it" :
					 "account '%s' is not valid any more, and certificates are to be renewed from it", a.name);
	n.cause = cause;
	return notice_raise(tx, &n, err);
}

static int check_order(struct sql *tx, struct check *k, const struct certificate *c, struct err *err)
{
	_cleanup_free_ char *id = NULL, *text = NULL, *cause = NULL;
	_cleanup_order_ struct order o = { 0 };
	_cleanup_account_ struct account a = { 0 };
	_cleanup_err_ struct err none = ERR_INIT, why = ERR_INIT;
	_cleanup_json_ json_t *reason = NULL;
	int64_t now = engine_now(k->r->e);
	bool joined = false;
	struct notice_cause n = {
		.kind = NOTICE_RENEWAL_DELAYED, .subject_kind = "certificate", .subject_id = c->id, .certificate = c, .now_ms = now,
		.next_step = "Look at the order: it says what it waits for.",
	};

	if (store_order_find_renewal(tx, c->id, &id, &none) < 0)
		return none.code == ERR_NOT_FOUND ? 0 : err_move(err, &none);
	if (store_order_get_any(tx, id, &o, err) < 0 || store_account_get_any(tx, o.account_id, &a, err) < 0)
		return -(int)err->code;
	if (!o.set_aside && now - o.created_ms < DELAYED_MS && !renewal_is_late(c->not_before_ms, c->not_after_ms, now))
		return 0;
	if (cause_join(tx, a.directory_url, o.dns_method ? o.dns_method : o.http_method, c, now, &joined, err) < 0 || joined)
		return err_is(err) ? -(int)err->code : 0;
	reason = json_text_or_null(o.reason);
	err_from_json(reason, &why);
	text = err_is(&why) ? err_text(&why) : xasprintf("it is %s", order_stage_text(order_stage(&o)));
	if (err_not_reached(&why) || why.code == ERR_REMOTE_BUSY || why.code == ERR_REMOTE_LIMIT || why.code == ERR_TIMEOUT) {
		n.subject_kind = "directory";
		n.subject_id = a.directory_url;
		n.next_step = "It is tried again by itself; see the authority's status page, or give the certificates another account.";
		cause = xasprintf("renewals at %s are under way for more than a day: %s", vendor_title(a.vendor), text);
	} else {
		cause = xasprintf("the renewal of certificate %" PRId64 " (%s) is under way for more than a day: %s", c->num,
				  c->names.n ? c->names.v[0] : "", text);
	}
	n.cause = cause;
	return notice_raise(tx, &n, err);
}

static int check_page(struct sql *tx, void *arg, struct err *err)
{
	struct check *k = arg;

	for (size_t i = 0; i < k->l.n; i++)
		if (check_account(tx, k, &k->l.v[i], err) < 0 || check_order(tx, k, &k->l.v[i], err) < 0)
			return -(int)err->code;
	return 0;
}

static int check_managed(struct check *k, struct err *err)
{
	int64_t until = engine_now(k->r->e) + AHEAD_MS;
	bool more = true;

	k->page = (struct page){ .limit = PAGE };
	while (more) {
		const struct certificate *last;

		if (engine_read(k->r->e, read_page, k, err) < 0 || engine_write(k->r->e, check_page, k, err) < 0)
			return err_wrap(err, "could not look at what is due within 30 days");
		last = k->l.n ? &k->l.v[k->l.n - 1] : NULL;
		more = k->l.more && last && last->renew_at_ms < until;
		if (last) {
			replace_str(&k->after_id, last->id);
			k->page = (struct page){ .limit = PAGE, .started = true, .after_key = last->renew_at_ms, .after_id = k->after_id };
		}
	}
	return 0;
}

/*
 * Told three times, each for all that are so far: a third of the lifetime left (and under 30 days), a tenth left, over. A certificate is
 * in one of the three.
 */
static const struct expiring {
	const char *subject, *cause;
	int64_t share; /* of the lifetime that is left at most; 0 = it is over */
} expiring[] = {
	{ "watched-expired", "certificates that are only watched here have expired", 0 },
	{ "watched-soon", "certificates that are only watched here have less than a tenth of their lifetime left", 10 },
	{ "watched", "certificates that are only watched here expire within 30 days", 3 },
};

static int tell_expiring(struct sql *tx, const struct certificate *c, int64_t now, struct err *err)
{
	int64_t left = c->not_after_ms - now, life = c->not_after_ms - c->not_before_ms;
	size_t stage = 0;

	while (stage < ARRAY_SIZE(expiring) && (expiring[stage].share ? left > life / expiring[stage].share : left > 0))
		stage++;
	for (size_t i = 0; i < ARRAY_SIZE(expiring); i++) {
		const struct notice_cause n = {
			.kind = NOTICE_EXPIRING, .subject_kind = "server", .subject_id = expiring[i].subject, .certificate = c,
			.cause = expiring[i].cause, .next_step = "Renew them where they are managed, or take them over (Manage).", .now_ms = now,
			.moves = stage < ARRAY_SIZE(expiring),
		};

		if ((i == stage ? notice_raise(tx, &n, err) : notice_leave(tx, &n, err)) < 0)
			return -(int)err->code;
	}
	return 0;
}

/* Certificates that are only watched: nobody here renews them. */
static int check_watched(struct sql *tx, void *arg, struct err *err)
{
	struct check *k = arg;
	_cleanup_certificate_list_ struct certificate_list l = { 0 };
	int64_t now = engine_now(k->r->e);

	if (store_certificate_watched(tx, now - AHEAD_MS, now + AHEAD_MS, WATCH_MOST, &l, err) < 0)
		return -(int)err->code;
	for (size_t i = 0; i < l.n; i++)
		if (l.v[i].status == CERTIFICATE_ACTIVE && tell_expiring(tx, &l.v[i], now, err) < 0)
			return -(int)err->code;
	return 0;
}

/* An account that was closed at the authority is known today, not on the day. */
static int ask_accounts(struct sql *tx, void *arg, struct err *err)
{
	struct check *k = arg;
	int64_t now = engine_now(k->r->e);

	for (size_t i = 0; i < k->accounts.n; i++) {
		_cleanup_account_ struct account a = { 0 };
		struct ulid id = ulid_new(now);
		char taken[27];

		if (store_account_get_any(tx, k->accounts.v[i], &a, err) < 0)
			return -(int)err->code;
		if (a.deleted_ms || a.status != ACCOUNT_VALID || !a.url)
			continue;
		if (job_intake(tx, &(struct job_request){ .id = id.s, .kind = JOB_ACCOUNT_REFRESH, .subject_kind = "account",
							  .subject_id = a.id, .lane_url = a.directory_url, .now_ms = now },
			       taken, err) < 0)
			return -(int)err->code;
	}
	return 0;
}

static int review(struct sql *tx, void *arg, struct err *err)
{
	struct check *k = arg;

	return causes_review(tx, engine_now(k->r->e), err);
}

static void check_done(struct check *k)
{
	certificate_list_done(&k->l);
	strlist_clear(&k->accounts);
	free(k->after_id);
}

int job_renewal_check(struct job_run *r, struct err *err)
{
	_cleanup_(check_done) struct check k = { .r = r };

	r->wait = true;
	r->j.due_ms = engine_now(r->e) + engine_jitter(r->e, DAY_MS, 10);
	if (check_managed(&k, err) < 0)
		return -(int)err->code;
	if (engine_write(r->e, review, &k, err) < 0 || engine_write(r->e, check_watched, &k, err) < 0 || engine_write(r->e, ask_accounts, &k, err) < 0)
		return err_wrap(err, "could not look ahead at renewals");
	return 0;
}

/* ---- the watchdog ---- */

struct watch {
	struct engine *e;
	struct certificate_list l;
	bool paused, open;
	size_t untried;
};

static bool untried(const struct certificate *c, const struct renewal *n, int64_t now)
{
	if (c->pause_reason || c->status == CERTIFICATE_SET_ASIDE || n->waits != WAITS_NOTHING)
		return false;
	return n->tried_ms < c->renew_at_ms && (!c->next_attempt_ms || c->next_attempt_ms < now - UNTRIED_MS);
}

static int watch_tx(struct sql *tx, void *arg, struct err *err)
{
	struct watch *w = arg;
	int64_t now = engine_now(w->e);

	w->untried = 0;
	for (size_t i = 0; i < w->l.n; i++) {
		const struct certificate *c = &w->l.v[i];
		_cleanup_renewal_ struct renewal n = { 0 };
		struct notice_cause k = {
			.kind = NOTICE_NOT_TRIED, .subject_kind = "server", .subject_id = "scheduler", .certificate = c, .now_ms = now,
			.cause = "certificates are due to be renewed for more than an hour, and nothing was tried",
			.next_step = "Look at the jobs and the log of the server; renew what expires first by hand.",
		};

		if (renewal_load(tx, c->id, &n, err) < 0)
			return -(int)err->code;
		if (!untried(c, &n, now))
			continue;
		w->untried++;
		if (notice_raise(tx, &k, err) < 0)
			return -(int)err->code;
	}
	if (!w->untried && notice_end(tx, NOTICE_NOT_TRIED, "server", "scheduler", now, err) < 0)
		return -(int)err->code;
	return renewal_standing(tx, w->e, err); /* one that was set aside gets another row */
}

static int watch_read(struct sql *q, void *arg, struct err *err)
{
	struct watch *w = arg;
	struct renewal_pause p = { 0 };
	int64_t now = engine_now(w->e);
	int rc = renewal_pause_get(q, now, &p, &w->paused, err);

	renewal_pause_done(&p);
	return rc < 0 ? rc : store_certificate_overdue(q, now - UNTRIED_MS, WATCH_MOST, &w->l, err);
}

void renewal_watch(struct engine *e)
{
	struct watch w = { .e = e };
	_cleanup_err_ struct err why = ERR_INIT;
	int64_t boot = clock_boot(e->clock), span;

	if (boot < e->watch_boot_ms || renewal_held(e, &span))
		return;
	e->watch_boot_ms = boot + WATCH_EVERY_MS;
	if (engine_read(e, watch_read, &w, &why) < 0 || (!w.paused && engine_write(e, watch_tx, &w, &why) < 0))
		log_err(LOG_WARNING, "could not look whether renewals are tried", &why);
	if (w.untried)
		log_error("certificates are due and nothing was tried", "certificates", LOG_NUM((int64_t)w.untried));
	certificate_list_done(&w.l);
}
