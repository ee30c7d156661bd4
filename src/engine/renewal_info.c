/* SPDX-License-Identifier: Apache-2.0 */
/*
 * renewal_info.c - renewal information (RFC 9773): one standing job per directory asks for every certificate whose time has come. A
 * window chooses the instant once, and again only when the authority moves it; one that is over means "replace it now".
 */
#include "engine/notice.h"
#include "engine/private.h"
#include "store/renewal.h"

#include "base/log.h"

#define BATCH 64
#define FAILED_MS (6 * HOUR_MS) /* an answer nobody can use */

struct told { /* one answer */
	struct renewal n; /* as it was asked about */
	struct acme_renewal_info info;
	struct err why; /* no window: why */
	int64_t next_ms;
};

struct answers {
	struct told v[BATCH];
	size_t n;
};

static void answers_free(void *p)
{
	struct answers *a = p;

	for (size_t i = 0; i < a->n; i++) {
		renewal_done(&a->v[i].n);
		acme_renewal_info_clear(&a->v[i].info);
		err_clear(&a->v[i].why);
	}
	free(a);
}

/* ---- what an answer means ---- */

static int recall(struct sql *tx, struct engine *e, const struct certificate *c, const struct renewal *n, struct err *err)
{
	_cleanup_free_ char *cause = xasprintf("the authority wants certificates replaced now: its window for them is over%s%s",
					       n->explanation_url ? ", see " : "", n->explanation_url ? n->explanation_url : "");
	struct notice_cause k = {
		.kind = NOTICE_RECALL, .subject_kind = "directory", .subject_id = n->directory_url, .cause = cause,
		.next_step = "They are renewed before all others; make sure that what uses them takes the new ones soon.",
		.certificate = c, .now_ms = engine_now(e),
	};

	return notice_raise(tx, &k, err);
}

/* Renewed when the moment comes, or now; what fails or is paused already keeps its ladder unless the authority is in a hurry. */
static void set_instant(struct engine *e, struct certificate *c, struct renewal *n, const struct acme_renewal_info *i)
{
	struct renewal_dice dice = engine_dice(e);
	int64_t now = engine_now(e);
	bool over = i->end_ms <= now;

	c->renew_at_ms = renewal_when_window(i->start_ms, i->end_ms, &dice);
	n->why = over ? RENEWAL_BY_RECALL : RENEWAL_BY_ARI;
	if (c->pause_reason)
		return;
	if (over)
		c->next_attempt_ms = now;
	else if (!c->attempt)
		c->next_attempt_ms = MAX(c->renew_at_ms, now);
}

static int apply_window(struct sql *tx, struct engine *e, struct certificate *c, struct renewal *n, const struct told *t, struct err *err)
{
	bool moved = n->window_start_ms != t->info.start_ms || n->window_end_ms != t->info.end_ms;
	bool known = n->window_end_ms != 0, over = t->info.end_ms <= engine_now(e);
	bool was_over = known && n->why == RENEWAL_BY_RECALL;

	replace_str(&n->explanation_url, t->info.explanation_url);
	if (!moved)
		return 0;
	n->window_start_ms = t->info.start_ms;
	n->window_end_ms = t->info.end_ms;
	set_instant(e, c, n, &t->info);
	if (over && !was_over && recall(tx, e, c, n, err) < 0)
		return -(int)err->code;
	return store_certificate_plan(tx, c, err);
}

static int apply(struct sql *tx, struct engine *e, const struct told *t, struct err *err)
{
	_cleanup_certificate_ struct certificate c = { 0 };
	_cleanup_renewal_ struct renewal n = { 0 };

	if (renewal_load(tx, t->n.certificate_id, &n, err) < 0)
		return -(int)err->code;
	if (!n.version_id || !t->n.version_id || !streq(n.version_id, t->n.version_id))
		return 0; /* renewed meanwhile: the answer is about the one before */
	if (store_certificate_get(tx, n.certificate_id, &c, err) < 0) {
		if (err->code != ERR_NOT_FOUND)
			return -(int)err->code;
		err_clear(err);
		n.ari_next_ms = 0;
		return store_renewal_put(tx, &n, err);
	}
	n.ari_next_ms = c.not_after_ms <= engine_now(e) ? 0 : t->next_ms; /* nobody asks about what is over */
	free(n.ari_reason);
	n.ari_reason = err_is(&t->why) ? err_to_json_text(&t->why) : NULL;
	n.ari_failures = err_is(&t->why) ? n.ari_failures + 1 : 0;
	if (!err_is(&t->why) && apply_window(tx, e, &c, &n, t, err) < 0)
		return -(int)err->code;
	return store_renewal_put(tx, &n, err);
}

static int apply_all(struct sql *tx, void *arg, struct err *err)
{
	struct job_run *r = arg;
	struct answers *a = r->data;
	int64_t next, due, now = engine_now(r->e);

	for (size_t i = 0; i < a->n; i++)
		if (apply(tx, r->e, &a->v[i], err) < 0)
			return -(int)err->code;
	if (store_certificate_next_due(tx, &due, err) < 0 ||
	    store_job_wake(tx, job_kind_text(JOB_RENEWAL), NULL, MAX(due, now), err) < 0 ||
	    store_renewal_ari_next(tx, r->j.subject_id, &next, err) < 0)
		return -(int)err->code;
	return r->attempts_left_alone ? 0 : store_job_wake(tx, job_kind_text(JOB_RENEWAL_INFO), r->j.subject_id, MAX(next, now), err);
}

/* ---- asking ---- */

struct asking {
	struct job_run *r;
	struct renewal_list l;
};

static int read_due(struct sql *q, void *arg, struct err *err)
{
	struct asking *a = arg;

	return store_renewal_ari_due(q, a->r->j.subject_id, engine_now(a->r->e), BATCH, &a->l, err);
}

static void asking_done(struct asking *a)
{
	renewal_list_done(&a->l);
}

/* True when nobody else need be asked now: the authority, the way to it or our own gate says no. */
static bool whole(const struct job_run *r, const struct err *why)
{
	const struct acme_refusal *f = &r->session.refusal;

	return f->gated || f->scope == ACME_SCOPE_VENDOR || err_not_reached(why) || why->code == ERR_TIMEOUT || why->code == ERR_BUSY ||
	       why->code == ERR_REMOTE_BUSY || why->code == ERR_REMOTE_LIMIT;
}

static void back_off(struct job_run *r, const struct err *why)
{
	const struct acme_refusal *f = r->session.refusal.status || r->session.refusal.gated ? &r->session.refusal : NULL;

	r->attempts_left_alone = true;
	r->j.due_ms = retry_due(r->e, why, f, MIN(r->j.attempts, (int64_t)2));
	if (f && f->gated)
		return;
	free(r->j.reason);
	r->j.reason = err_to_json_text(why);
	r->j.attempts++;
	log_err(LOG_DEBUG, "no renewal information now, it is asked for again", why);
}

static int ask(struct job_run *r, struct answers *got, struct renewal *n)
{
	struct told *t = &got->v[got->n];
	struct err why = ERR_INIT;

	*t = (struct told){ 0 };
	if (acme_renewal_info_get(&r->session, n->ari_id, &t->info, &why) < 0 && whole(r, &why)) {
		back_off(r, &why);
		err_clear(&why);
		return -1;
	}
	t->n = TAKE(*n);
	t->next_ms = engine_now(r->e) + (err_is(&why) ? FAILED_MS : t->info.retry_after_ms);
	t->why = why;
	got->n++;
	return 0;
}

int job_renewal_info(struct job_run *r, struct err *err)
{
	_cleanup_acme_directory_ struct acme_directory d = { 0 };
	_cleanup_(asking_done) struct asking a = { .r = r };
	_cleanup_err_ struct err why = ERR_INIT;
	int64_t end = clock_boot(r->e->clock) + 40 * SECOND_MS, span;
	struct answers *got;

	if (!r->j.subject_id)
		return err_set(err, ERR_INTERNAL, "the job names no directory");
	r->wait = true;
	r->j.due_ms = engine_now(r->e) + DAY_MS;
	if (renewal_held(r->e, &span)) {
		r->j.due_ms = engine_now(r->e) + span + SECOND_MS;
		return 0;
	}
	if (engine_read(r->e, read_due, &a, err) < 0)
		return err_wrap(err, "could not see whose renewal information is due");
	if (job_session_open(r, r->j.subject_id, err) < 0)
		return -(int)err->code;
	if (a.l.n && acme_directory_get(&r->session, &d, &why) < 0) {
		back_off(r, &why);
		return 0;
	}
	if (a.l.n && !d.renewal_info) /* it may offer some tomorrow */
		return 0;
	r->data = got = xcalloc(1, sizeof *got);
	r->data_free = answers_free;
	r->also = apply_all;
	for (size_t i = 0; i < a.l.n && clock_boot(r->e->clock) < end; i++)
		if (ask(r, got, &a.l.v[i]) < 0)
			return 0;
	r->j.attempts = 0;
	free(r->j.reason);
	r->j.reason = NULL;
	return 0;
}
