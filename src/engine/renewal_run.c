/* SPDX-License-Identifier: Apache-2.0 */
/*
 * renewal_run.c - the scheduler: a standing job that asks an index which certificates are due and makes their orders, a few in a
 * second, each in a transaction of its own. What cannot be renewed by itself is told to somebody, and looked at again later.
 */
#include "engine/notice.h"
#include "engine/notify.h"
#include "engine/private.h"
#include "engine/renewal.h"
#include "model/vendor.h"
#include "store/renewal.h"

#include "base/log.h"

#define AT_ONCE 50                  /* orders a run; an authority's bucket holds as many */
#define PAUSE_MS (12 * SECOND_MS)   /* between two runs with work: four a second */
#define CALM_MS HOUR_MS             /* it looks at least so often */
#define LATE_MS (10 * MINUTE_MS)    /* who is due for longer was missed */
#define ISSUED_MOST 2               /* by itself, in a day */
#define CROWD 20                    /* so many that were missed are spread */

bool renewal_held(struct engine *e, int64_t *ret_span_ms)
{
	int64_t now = clock_boot(e->clock);
	bool held;

	pthread_mutex_lock(&e->lock);
	held = e->hold_until_ms > now;
	*ret_span_ms = held ? e->hold_until_ms - now : 0;
	pthread_mutex_unlock(&e->lock);
	return held;
}

/* ---- one certificate ---- */

struct renew {
	struct engine *e;
	const char *certificate_id;
	struct ulid order_id;
	bool made; /* out: an order */
};

struct look {
	struct renew *job;
	struct certificate c;
	struct renewal n;
	int64_t now_ms;
};

static void look_done(struct look *l)
{
	certificate_done(&l->c);
	renewal_done(&l->n);
}

static int store_look(struct sql *tx, struct look *l, struct err *err)
{
	if (store_certificate_plan(tx, &l->c, err) < 0)
		return -(int)err->code;
	return store_renewal_put(tx, &l->n, err);
}

/* Nothing happens by itself: somebody is told, and told again. */
static int wait_for(struct sql *tx, struct look *l, enum renewal_waits waits, struct notice_cause *n, struct err *err)
{
	_cleanup_err_ struct err why = ERR_INIT;

	err_set(&why, ERR_NEEDS_PERSON, "%s", n->cause);
	err_hint(&why, "%s", n->next_step);
	l->n.waits = waits;
	free(l->n.reason);
	l->n.reason = err_to_json_text(&why);
	l->c.next_attempt_ms = MIN(renewal_remind(l->c.renew_at_ms, l->c.not_after_ms, l->now_ms),
				   MAX(renewal_look_again(&l->c, l->now_ms), l->now_ms + DAY_MS));
	n->certificate = &l->c;
	n->now_ms = l->now_ms;
	n->remind_ms = renewal_remind(l->c.renew_at_ms, l->c.not_after_ms, l->now_ms);
	return notice_raise(tx, n, err);
}

/* 1: it waits. */
static int account_stops(struct sql *tx, struct look *l, struct err *err)
{
	_cleanup_account_ struct account a = { 0 };
	_cleanup_free_ char *cause = NULL;
	struct notice_cause n = {
		.kind = NOTICE_ACCOUNT, .subject_kind = "account", .subject_id = l->c.account_id ? l->c.account_id : "none",
		.next_step = "Make the account valid again, or give its certificates another one.",
	};
	enum renewal_waits waits = WAITS_ACCOUNT;

	if (!l->c.account_id) {
		cause = xstrdup("a managed certificate has no account to order from");
	} else if (store_account_get_any(tx, l->c.account_id, &a, err) < 0) {
		return -(int)err->code;
	} else if (a.deleted_ms) {
		cause = xasprintf("account '%s' was deleted, and certificates are to be renewed from it", a.name);
	} else if (a.status == ACCOUNT_INVALID) {
		cause = xasprintf("account '%s' is not valid any more, and certificates are to be renewed from it", a.name);
	} else if (!renewal_may_pay(&a)) {
		cause = xasprintf("renewing from account '%s' costs money at %s, and nobody allowed that to happen by itself", a.name,
				  vendor_title(a.vendor));
		n.kind = NOTICE_PAYMENT;
		n.next_step = "Renew by hand, or allow automatic renewals for this account.";
		waits = WAITS_PERMISSION;
	}
	if (!cause)
		return 0;
	n.cause = cause;
	return wait_for(tx, l, waits, &n, err) < 0 ? -(int)err->code : 1;
}

static bool by_hand(const struct certificate *c)
{
	const char *method = streq(c->validation, "dns-01") ? c->dns_method : c->http_method;

	if (method && streq(method, METHOD_SEVERAL))
		return c->methods && strstr(c->methods, "\"" METHOD_MANUAL "\""); /* one of them */
	return method && streq(method, METHOD_MANUAL);
}

static int hand_stops(struct sql *tx, struct look *l, struct err *err)
{
	_cleanup_free_ char *cause = NULL;
	struct notice_cause n = {
		.kind = NOTICE_WAITING_FOR_YOU, .subject_kind = "certificate", .subject_id = l->c.id,
		.next_step = "Renew it: the order shows the record to set.",
	};

	if (!by_hand(&l->c))
		return 0;
	cause = xasprintf("certificate %" PRId64 " (%s) is to be renewed and its names are validated by hand", l->c.num,
			  l->c.names.n ? l->c.names.v[0] : "");
	n.cause = cause;
	return wait_for(tx, l, WAITS_PERSON, &n, err) < 0 ? -(int)err->code : 1;
}

static int csr_stops(struct sql *tx, struct look *l, struct err *err)
{
	_cleanup_csr_ struct csr csr = { 0 };
	_cleanup_free_ char *cause = NULL;
	struct notice_cause n = {
		.kind = NOTICE_CSR_NEEDED, .subject_kind = "certificate", .subject_id = l->c.id,
		.next_step = "Make a new key and CSR where the certificate is used, upload the CSR, and renew with it.",
	};
	int64_t most = l->n.key_max_days * DAY_MS;

	if (!streq(l->c.key_policy, "reuse"))
		return 0;
	if (!l->c.csr_id || store_csr_get(tx, l->c.csr_id, &csr, err) < 0) {
		if (l->c.csr_id && err->code != ERR_NOT_FOUND)
			return -(int)err->code;
		err_clear(err);
		cause = xasprintf("certificate %" PRId64 " is to be renewed with the CSR it was made with, which is not there any more", l->c.num);
	} else if (!csr.key_id && most && l->now_ms - csr.created_ms > most) {
		cause = xasprintf("the key of certificate %" PRId64 " (%s) is elsewhere and in use for more than %" PRId64 " days", l->c.num,
				  l->c.names.n ? l->c.names.v[0] : "", l->n.key_max_days);
	} else {
		return 0;
	}
	n.cause = cause;
	return wait_for(tx, l, WAITS_CSR, &n, err) < 0 ? -(int)err->code : 1;
}

struct taking {
	struct renewal_request q;
	struct order_taken taken;
};

static int take(struct sql *tx, void *arg, struct err *err)
{
	struct taking *t = arg;

	return renewal_intake(tx, &t->q, &t->taken, err);
}

static bool rows_fail(enum err_code code)
{
	return code == ERR_BUSY || code == ERR_STORE || code == ERR_NO_SPACE || code == ERR_INTERNAL;
}

/* What an order cannot even be made for counts as a failure. */
static int refused(struct sql *tx, struct look *l, const struct err *why, struct err *err)
{
	struct renewal_dice dice = engine_dice(l->job->e);
	_cleanup_free_ char *text = err_text(why);
	struct notice_cause n = {
		.kind = NOTICE_RENEWAL_FAILED, .subject_kind = "certificate", .subject_id = l->c.id, .cause = text,
		.next_step = why->hint ? why->hint : "Mend what is named, and renew the certificate.", .certificate = &l->c,
		.now_ms = l->now_ms,
	};

	l->c.attempt++;
	l->n.failing_since_ms = l->n.failing_since_ms ? l->n.failing_since_ms : l->now_ms;
	free(l->n.reason);
	l->n.reason = err_to_json_text(why);
	l->c.next_attempt_ms = l->now_ms + MAX(renewal_ladder(l->c.attempt, l->c.not_after_ms - l->c.not_before_ms, &dice), (int64_t)HOUR_MS);
	if (l->now_ms - l->n.failing_since_ms >= RENEWAL_GIVE_UP_MS) {
		n.kind = NOTICE_RENEWAL_PAUSED;
		replace_str(&l->c.pause_reason, l->n.reason);
		l->c.next_attempt_ms = 0;
	}
	return notice_raise(tx, &n, err);
}

static int order(struct sql *tx, struct look *l, struct err *err)
{
	struct taking t = { .q = {
		.order_id = l->job->order_id.s, .certificate_id = l->c.id, .now_ms = l->now_ms,
		.urgent = l->n.why == RENEWAL_BY_RECALL || l->n.why == RENEWAL_BY_REVOCATION ||
			  renewal_is_late(l->c.not_before_ms, l->c.not_after_ms, l->now_ms),
	} };
	_cleanup_err_ struct err why = ERR_INIT;

	if (sql_tx(tx, take, &t, &why) < 0) {
		if (rows_fail(why.code))
			return err_move(err, &why);
		return refused(tx, l, &why, err);
	}
	l->job->made = !t.taken.existing;
	l->n.waits = WAITS_NOTHING;
	l->n.tried_ms = l->now_ms;
	l->c.next_attempt_ms = renewal_look_again(&l->c, l->now_ms); /* the order's end says better */
	return 0;
}

/*
 * Two within a day (a quarter of a short life) are enough, whoever wants more: an authority whose window is always over, a clock that
 * cannot be trusted, a mistake of ours. Its limits of equal certificates are a few in a week.
 */
static int enough(struct sql *tx, struct look *l, struct err *err)
{
	int64_t life = l->c.not_after_ms - l->c.not_before_ms, span = MIN((int64_t)DAY_MS, MAX(life / 4, (int64_t)MINUTE_MS)), n = 0;

	if (store_version_count(tx, l->c.id, l->now_ms - span, &n, err) < 0)
		return -(int)err->code;
	if (n < ISSUED_MOST)
		return 0;
	l->c.next_attempt_ms = l->now_ms + span;
	return 1;
}

static int renew_tx(struct sql *tx, void *arg, struct err *err)
{
	struct renew *j = arg;
	_cleanup_(look_done) struct look l = { .job = j, .now_ms = engine_now(j->e) };
	_cleanup_free_ char *live = NULL;
	_cleanup_err_ struct err none = ERR_INIT;
	int stops;

	j->made = false;
	if (store_certificate_get(tx, j->certificate_id, &l.c, err) < 0)
		return err->code == ERR_NOT_FOUND ? (err_clear(err), 0) : -(int)err->code;
	if (!l.c.managed || !l.c.next_attempt_ms || l.c.next_attempt_ms > l.now_ms)
		return 0; /* somebody was here before */
	if (renewal_load(tx, l.c.id, &l.n, err) < 0)
		return -(int)err->code;
	if (l.c.status == CERTIFICATE_SET_ASIDE) {
		l.c.next_attempt_ms = 0;
		return store_certificate_plan(tx, &l.c, err);
	}
	if (store_order_find_renewal(tx, l.c.id, &live, &none) == 0) {
		l.c.next_attempt_ms = renewal_look_again(&l.c, l.now_ms);
		return store_certificate_plan(tx, &l.c, err);
	}
	if (none.code != ERR_NOT_FOUND)
		return err_move(err, &none);
	stops = enough(tx, &l, err);
	if (!stops)
		stops = account_stops(tx, &l, err);
	if (!stops)
		stops = hand_stops(tx, &l, err);
	if (!stops)
		stops = csr_stops(tx, &l, err);
	if (!stops)
		stops = renewal_window_stops(tx, j->e, &l.c, &l.n, err);
	if (stops < 0 || (!stops && order(tx, &l, err) < 0))
		return -(int)err->code;
	return store_look(tx, &l, err);
}

/* ---- a crowd: the server was off, or a clock was wrong, or somebody was paused for long ---- */

struct crowd {
	struct engine *e;
	int64_t late;
};

static int spread_one(struct sql *tx, struct crowd *k, struct certificate *c, struct err *err)
{
	_cleanup_renewal_ struct renewal n = { 0 };
	struct renewal_dice dice = engine_dice(k->e);
	int64_t now = engine_now(k->e), span, left = c->not_after_ms - now;
	bool urgent;

	if (renewal_load(tx, c->id, &n, err) < 0)
		return -(int)err->code;
	urgent = n.why != RENEWAL_BY_FRACTION && n.why != RENEWAL_BY_ARI;
	urgent = urgent || renewal_is_late(c->not_before_ms, c->not_after_ms, now);
	span = renewal_spread(k->late, urgent);
	if (left > 0)
		span = MIN(span, MAX(left / 4, (int64_t)MINUTE_MS));
	c->next_attempt_ms = now + (int64_t)dice.below(dice.arg, (uint64_t)span);
	return store_certificate_plan(tx, c, err);
}

static int spread_tx(struct sql *tx, void *arg, struct err *err)
{
	struct crowd *k = arg;
	_cleanup_certificate_list_ struct certificate_list l = { 0 };
	int64_t now = engine_now(k->e);

	if (store_certificate_due_count(tx, now - LATE_MS, 100000, &k->late, err) < 0)
		return -(int)err->code;
	if (k->late < CROWD)
		return 0;
	if (store_certificate_due(tx, now - LATE_MS, 500, &l, err) < 0)
		return -(int)err->code;
	for (size_t i = 0; i < l.n; i++)
		if (spread_one(tx, k, &l.v[i], err) < 0)
			return -(int)err->code;
	return 0;
}

static int spread(struct job_run *r, struct err *err)
{
	struct crowd k = { .e = r->e };
	int64_t end = clock_boot(r->e->clock) + 20 * SECOND_MS;

	do {
		if (engine_write(r->e, spread_tx, &k, err) < 0)
			return err_wrap(err, "could not spread the renewals that were missed");
		if (k.late >= CROWD)
			log_info("renewals that were missed are spread", "certificates", LOG_NUM(k.late));
	} while (k.late >= CROWD && clock_boot(r->e->clock) < end);
	return 0;
}

/* ---- the job ---- */

struct due {
	struct engine *e;
	struct certificate_list l;
	struct renewal_pause pause;
	bool paused;
};

static int read_due(struct sql *q, void *arg, struct err *err)
{
	struct due *d = arg;
	int64_t now = engine_now(d->e);

	if (renewal_pause_get(q, now, &d->pause, &d->paused, err) < 0)
		return -(int)err->code;
	return store_certificate_due(q, now, AT_ONCE + 1, &d->l, err);
}

static void due_done(struct due *d)
{
	certificate_list_done(&d->l);
	renewal_pause_done(&d->pause);
}

/* With the job's own row: whatever became due meanwhile is seen. */
static int look_next(struct sql *tx, void *arg, struct err *err)
{
	struct job_run *r = arg;
	int64_t next, now = engine_now(r->e);

	if (store_certificate_next_due(tx, &next, err) < 0)
		return -(int)err->code;
	return store_job_wake(tx, job_kind_text(JOB_RENEWAL), NULL, MAX(next, now + SECOND_MS), err);
}

int job_renewal(struct job_run *r, struct err *err)
{
	_cleanup_(due_done) struct due d = { .e = r->e };
	int64_t span;

	r->wait = true;
	r->j.due_ms = engine_now(r->e) + CALM_MS;
	if (renewal_held(r->e, &span)) {
		r->j.due_ms = engine_now(r->e) + span + SECOND_MS;
		return 0;
	}
	if (engine_read(r->e, read_due, &d, err) < 0)
		return err_wrap(err, "could not see which certificates are to be renewed");
	if (d.paused) {
		if (d.pause.until_ms)
			r->j.due_ms = MIN(r->j.due_ms, d.pause.until_ms);
		return 0;
	}
	if (d.l.n > CROWD) {
		if (spread(r, err) < 0)
			return -(int)err->code;
		due_done(&d);
		if (engine_read(r->e, read_due, &d, err) < 0)
			return err_wrap(err, "could not see which certificates are to be renewed");
	}
	for (size_t i = 0; i < d.l.n && i < AT_ONCE; i++) {
		struct renew j = { .e = r->e, .certificate_id = d.l.v[i].id, .order_id = ulid_new(engine_now(r->e)) };

		if (engine_write(r->e, renew_tx, &j, err) < 0)
			return err_wrap(err, "could not renew certificate %" PRId64, d.l.v[i].num);
	}
	if (d.l.n > AT_ONCE)
		r->j.due_ms = engine_now(r->e) + PAUSE_MS;
	else
		r->also = look_next;
	return 0;
}

/* ---- standing jobs ---- */

static int standing(struct sql *tx, struct engine *e, enum job_kind kind, int64_t due_ms, struct err *err)
{
	_cleanup_job_ struct job there = { 0 };
	int64_t now = engine_now(e);
	struct ulid id = ulid_new(now);
	struct job j = {
		.id = id.s, .kind = kind, .args = (char[]){ "{}" }, .state = JOB_QUEUED, .lane = (char[]){ LANE_LOCAL }, .due_ms = due_ms,
		.created_ms = now, .updated_ms = now,
	};

	if (store_job_find_live(tx, kind, NULL, &there, err) == 0)
		return 0;
	if (err->code != ERR_NOT_FOUND)
		return -(int)err->code;
	err_clear(err);
	return store_job_add(tx, &j, err);
}

int renewal_standing(struct sql *tx, struct engine *e, struct err *err)
{
	_cleanup_strlist_ struct strlist directories = { 0 };
	int64_t now = engine_now(e);

	if (standing(tx, e, JOB_RENEWAL, now + MINUTE_MS, err) < 0 || standing(tx, e, JOB_RENEWAL_CHECK, now + HOUR_MS, err) < 0 ||
	    store_renewal_directories(tx, &directories, err) < 0)
		return -(int)err->code;
	for (size_t i = 0; i < directories.n; i++) {
		_cleanup_job_ struct job there = { 0 };
		_cleanup_err_ struct err none = ERR_INIT;

		if (store_job_find_live(tx, JOB_RENEWAL_INFO, directories.v[i], &there, &none) == 0)
			continue;
		if (none.code != ERR_NOT_FOUND)
			return err_move(err, &none);
		if (renewal_info_wanted(tx, directories.v[i], now + MINUTE_MS, err) < 0)
			return -(int)err->code;
	}
	return notify_standing(tx, now, err);
}
