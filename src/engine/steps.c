/* SPDX-License-Identifier: Apache-2.0 */
/* steps.c - the step table, and the one function that walks it. See steps.h; DESIGN 3; RFC 8555 7.1.6. */
#include "engine/private.h"

#include "base/crash.h"
#include "base/log.h"

#define ANYTIME (BIT(STEP_ABANDON) | BIT(STEP_FAILED))
/* What the CA may say about the order whenever it is asked (order_follow). */
#define FOLLOWS (BIT(STEP_CONFIRM) | BIT(STEP_FINALIZE) | BIT(STEP_COLLECT) | BIT(STEP_DOWNLOAD))

const struct order_step_row order_steps[order_step_count] = {
	[STEP_QUEUED] = { "queued", step_queued, BIT(STEP_CREATE) | ANYTIME, 30 * DAY_MS,
			  "the order before it for the same names did not end" },
	[STEP_CREATE] = { "create", step_create, BIT(STEP_AUTHORIZE) | FOLLOWS | ANYTIME, 7 * DAY_MS,
			  "the authority did not take the order" },
	[STEP_AUTHORIZE] = { "authorize", step_authorize, BIT(STEP_PUBLISH) | BIT(STEP_CREATE) | FOLLOWS | ANYTIME, 7 * DAY_MS,
			     "the authorizations could not be read" },
	[STEP_PUBLISH] = { "publish", step_publish, BIT(STEP_PROPAGATE) | BIT(STEP_ACCEPT) | BIT(STEP_CREATE) | ANYTIME, 0,
			   "the challenges could not be published" },
	[STEP_PROPAGATE] = { "propagate", step_propagate, BIT(STEP_ACCEPT) | BIT(STEP_CREATE) | ANYTIME, 0,
			     "the records were not seen at all authoritative servers" },
	[STEP_ACCEPT] = { "accept", step_accept, BIT(STEP_VALIDATE) | BIT(STEP_CONFIRM) | BIT(STEP_CREATE) | ANYTIME, DAY_MS,
			  "the authority could not be told to look" },
	[STEP_VALIDATE] = { "validate", step_validate, BIT(STEP_ACCEPT) | FOLLOWS | ANYTIME, 2 * DAY_MS, "the authority did not validate the names" },
	[STEP_CONFIRM] = { "confirm", step_confirm, BIT(STEP_AUTHORIZE) | FOLLOWS | ANYTIME, 0, "the order was not finalized in time" },
	[STEP_FINALIZE] = { "finalize", step_finalize, BIT(STEP_CREATE) | FOLLOWS | ANYTIME, 7 * DAY_MS, "the order could not be finalized" },
	[STEP_COLLECT] = { "collect", step_collect, FOLLOWS | ANYTIME, 7 * DAY_MS, "the authority did not issue the certificate" },
	[STEP_DOWNLOAD] = { "download", step_download, FOLLOWS | BIT(STEP_DONE) | ANYTIME, 30 * DAY_MS,
			    "the certificate could not be fetched" },
	[STEP_ABANDON] = { "abandon", step_abandon, BIT(STEP_FAILED), 0, NULL },
	[STEP_DONE] = { "done", NULL, 0, 0, NULL },
	[STEP_FAILED] = { "failed", NULL, 0, 0, NULL },
};

/* ---- ending without a certificate ---- */

/*
 * An authorization to be given back. One that the authority is looking at already is about to be decided by itself, and some
 * authorities do not take it well to be told otherwise in the middle: it becomes a debt that looks again later.
 */
static struct authz *to_give_back(const struct run *r, bool accepted_too)
{
	for (size_t i = 0; i < r->authz.n; i++)
		if (r->authz.v[i].status == AUTHZ_PENDING && (accepted_too || !r->authz.v[i].accepted))
			return &r->authz.v[i];
	return NULL;
}

static void end_failed(struct run *r)
{
	r->o.status = ORDER_INVALID;
	r->o.ended_ms = engine_now(r->e);
	r->o.ca_expires_ms = 0;
	r->o.holds_turn = false;
	r->release_turn = true;
	r->end_debts = true;
	r->deactivate_debts = r->o.url && to_give_back(r, true);
	replace_str(&r->o.waiting_for, NULL);
}

void run_fail(struct run *r, struct verdict *v, struct err *why)
{
	_cleanup_free_ char *text = err_text(why);
	json_t *detail = NULL;

	if (why->remote)
		detail = json_pack("{s:o, s:o}", "remote", json_str_or_null(why->remote), "type", json_str_or_null(why->remote_type));
	free(r->o.reason);
	r->o.reason = err_to_json_text(why);
	run_event(r, EVENT_ERROR, detail ? json_text(detail) : NULL, "%s", text);
	json_decref(detail);
	*v = (struct verdict){ .next = STEP_FAILED, .due_ms = engine_now(r->e) };
	/* authorizations nobody needs any more are given back while the turn is still ours; later when nobody may ask now */
	if (!r->o.url || !to_give_back(r, false) || r->o.step == STEP_ABANDON || parked_until(r->e, r->vendor_lane))
		return;
	v->next = STEP_ABANDON;
	r->o.status = ORDER_INVALID;
}

/* One authorization at a time; what cannot be deactivated now becomes a debt, and the order ends. */
int step_abandon(struct run *r, struct verdict *v, UNUSED struct err *err)
{
	_cleanup_err_ struct err why = { 0 };
	struct authz *a = to_give_back(r, false);
	struct acme_session *s;

	if (!a) {
		*v = (struct verdict){ .next = STEP_FAILED, .due_ms = engine_now(r->e) };
		return 0;
	}
	/* no order is held up by its own funeral: it has the turn for its names */
	s = run_session(r, &why);
	if (!s || (acme_authz_deactivate(s, a->url, &why) < 0 && why.code != ERR_REMOTE_GONE)) {
		log_debug("could not deactivate an authorization, it becomes a debt", "url", a->url);
		*v = (struct verdict){ .next = STEP_FAILED, .due_ms = engine_now(r->e) };
		return 0;
	}
	a->status = AUTHZ_DEACTIVATED;
	authz_changed(r, a);
	*v = (struct verdict){ .next = STEP_ABANDON, .due_ms = engine_now(r->e), .keep = true };
	return 0;
}

/* ---- before a step ---- */

static bool wants(const struct run *r, enum order_want w)
{
	switch (w) {
	case WANT_FINALIZE:
		return r->o.want_finalize;
	case WANT_REFRESH:
		return r->o.want_refresh;
	case WANT_CANCEL:
		return r->o.want_cancel;
	}
	return false;
}

/*
 * Its account, or one of its names, waits: so does the order. A person who asks for a look after having done what was asked
 * for gets one, and if that succeeds the others go on too.
 */
static bool parked(struct run *r, struct verdict *v)
{
	_cleanup_free_ char *account = NULL;
	int64_t until;

	if (!parked_any(r->e))
		return false;
	account = xasprintf(LANE_ACCOUNT "%s", r->account.id);
	until = parked_until(r->e, account);
	if (until && r->o.want_refresh > r->o.updated_ms) {
		free(r->through);
		r->through = TAKE(account);
		return false;
	}
	for (size_t i = 0; i < r->o.names.n; i++) {
		_cleanup_free_ char *name = xasprintf(LANE_IDENTIFIER "%s %s", r->o.names.v[i], r->account.directory_url);
		int64_t its = parked_until(r->e, name);

		if (its && !r->through && r->o.want_refresh > r->o.updated_ms) {
			r->through = TAKE(name);
			continue;
		}
		until = MAX(until, its);
	}
	if (!until)
		return false;
	*v = (struct verdict){ .next = r->o.step, .due_ms = until, .waiting = true };
	return true;
}

/* True when the order is not walked on: cancelled, given up, or its account waits. */
static bool before_step(struct run *r, struct verdict *v, struct err *why)
{
	const struct order_step_row *row = &order_steps[r->o.step];
	int64_t now = engine_now(r->e);

	if (r->o.step == STEP_ABANDON)
		return false;
	if (wants(r, WANT_CANCEL) && !r->o.finalize_sent) {
		r->served |= BIT(WANT_CANCEL);
		if (r->o.deleted_ms)
			err_set(why, ERR_CONFLICT, "order %" PRId64 " was cancelled", r->o.num);
		else /* renewal_pass */
			err_set(why, ERR_CONFLICT, "order %" PRId64 " was ended: it waited for a person, and a certificate with the same names is to be renewed",
				r->o.num);
		run_fail(r, v, why);
		return true;
	}
	if (!r->o.give_up_ms || now < r->o.give_up_ms)
		return parked(r, v);
	/* a provider's zone may be hidden from us: then the CA decides (DECISIONS 23) */
	if (r->o.step == STEP_PROPAGATE) {
		if (!run_waits_for_person(r)) {
			run_event(r, EVENT_WARNING, NULL, "the records were not seen everywhere in time; the authority is asked to look all the same");
			*v = (struct verdict){ .next = STEP_ACCEPT, .due_ms = now };
			return true;
		}
	}
	err_set(why, ERR_TIMEOUT, "gave up order %" PRId64 ": %s", r->o.num, row->gives_up);
	run_fail(r, v, why);
	return true;
}

/* ---- after a step ---- */

/* Something beside the order's own columns is to be stored. */
static bool run_marked(const struct run *r)
{
	if (r->events.n || r->has_new_csr || r->release_turn)
		return true;
	for (size_t i = 0; i < r->authz.n; i++)
		if (r->authz_dirty[i])
			return true;
	for (size_t i = 0; i < r->records.n; i++)
		if (r->record_dirty[i])
			return true;
	return false;
}

static int64_t stage_deadline(const struct run *r, enum order_step step)
{
	int64_t now = engine_now(r->e), span = order_steps[step].give_up_ms;
	int64_t ca = r->o.ca_expires_ms ? r->o.ca_expires_ms : now + 7 * DAY_MS;

	/* over already: it says so itself, or our clock is wrong */
	ca = MAX(ca, now + 10 * MINUTE_MS);
	if (step == STEP_PROPAGATE) {
		return run_waits_for_person(r) ? ca : now + 15 * MINUTE_MS;
	}
	if (!order_steps[step].run || step == STEP_ABANDON)
		return 0;
	return span ? now + span : ca;
}

/*
 * From finalize on the steps may lead back to each other (an authority that has lost the CSR, or calls the order ready and then not):
 * neither patience nor the pace of looking begins anew with each round, or it would go on for ever and as fast as it can.
 */
static bool same_stretch(const struct run *r, enum order_step next, bool finalize_was_sent)
{
	const unsigned stretch = BIT(STEP_CONFIRM) | BIT(STEP_FINALIZE) | BIT(STEP_COLLECT);

	return finalize_was_sent && r->o.give_up_ms && stretch & BIT(r->o.step) && stretch & BIT(next);
}

static void enter(struct run *r, enum order_step next, bool finalize_was_sent)
{
	int64_t now = engine_now(r->e);
	/* a remake keeps count of itself until the authorizations of the new order could be read */
	bool counts_on = next == STEP_CREATE || (r->o.step == STEP_CREATE && next == STEP_AUTHORIZE);
	bool same = same_stretch(r, next, finalize_was_sent);

	r->person_over |= r->o.step == STEP_PROPAGATE && next != STEP_PROPAGATE;
	r->o.step = next;
	r->o.step_since_ms = now;
	if (!counts_on)
		r->o.attempts = 0;
	if (!same) {
		r->o.polls = 0;
		r->o.give_up_ms = stage_deadline(r, next);
	}
	if (next == STEP_FAILED)
		end_failed(r);
}

static void apply(struct run *r, const struct verdict *v, bool failed, bool finalize_was_sent)
{
	if (v->next != r->o.step) {
		enter(r, v->next, finalize_was_sent);
		if (!failed && v->next != STEP_ABANDON && v->next != STEP_FAILED)
			replace_str(&r->o.reason, NULL);
	} else if (!failed && !v->waiting && !v->keep) {
		r->o.attempts = 0;
	}
	r->o.due_ms = v->due_ms;
}

/* An answer of this run asked not to be asked again so soon; what came after it, our own gate or an error, knows nothing of that. */
static void obey(struct run *r, struct verdict *v)
{
	const unsigned asks = BIT(STEP_VALIDATE) | BIT(STEP_CONFIRM) | BIT(STEP_COLLECT);

	if (r->retry_after_ms && !v->keep && asks & BIT(v->next))
		v->due_ms = clock_add(engine_now(r->e), run_wait(r, MAX(v->due_ms - engine_now(r->e), 0)));
}

/*
 * One step. 0 and *ret_go_on: the lease is kept and the next step is due; else the lease has ended. -code: nothing was
 * stored (LOST_LEASE, or the store), the run is to be dropped.
 */
int order_run_once(struct run *r, bool *ret_go_on, struct err *err)
{
	const struct order_step_row *row = &order_steps[r->o.step];
	struct verdict v = { .next = r->o.step, .due_ms = engine_now(r->e) };
	_cleanup_err_ struct err why = { 0 };
	_cleanup_free_ char *lane = NULL;
	enum order_step before = r->o.step;
	bool failed = false, ran = false, now_due, same, finalize_was_sent = r->o.finalize_sent;

	*ret_go_on = false;
	run_follow_clock(r);
	r->deadline_boot_ms = engine_deadline(r->e, r->lease_boot_ms);
	r->session.deadline_boot_ms = r->deadline_boot_ms;
	__atomic_add_fetch(&r->e->steps, 1, __ATOMIC_RELAXED);
	CRASH_POINT_OF("step", order_step_text(r->o.step), r->o.names.n ? r->o.names.v[0] : NULL);
	if (!row->run)
		return err_set(err, ERR_INTERNAL, "order %" PRId64 " has ended and was claimed", r->o.num);
	if (run_load(r, &why) < 0) {
		verdict_for_error(r, &why, &v);
		failed = true;
	} else if (before_step(r, &v, &why)) {
		failed = err_is(&why);
	} else if (row->run(r, &v, &why) < 0) {
		if (r->e->crashed || stop_raised(&r->e->abort))
			return err_move(err, &why); /* no verdict: we are ending */
		verdict_for_error(r, &why, &v);
		failed = true;
	} else {
		ran = true;
	}
	/* it answers again, and is only not done yet: what was wrong before is over */
	if (ran && v.waiting && r->o.attempts && r->o.step > STEP_AUTHORIZE) {
		r->o.attempts = 0;
		replace_str(&r->o.reason, NULL);
		r->dirty = true;
	}
	obey(r, &v);
	r->unpark = !failed && r->through;
	assert(v.next == r->o.step || row->may_go & BIT(v.next));
	now_due = v.due_ms <= engine_now(r->e) && order_steps[v.next].run;
	if (v.waiting && v.next == r->o.step && !r->dirty && !failed && !r->served && !r->n_parks && !r->unpark) {
		r->o.due_ms = v.due_ms;
		r->o.polls++;
		return 1; /* a poll that changed nothing: one column */
	}
	if (v.waiting)
		r->o.polls++;
	apply(r, &v, failed, finalize_was_sent);
	/* kept back only while the lease is long enough for another step, and in the lane that was claimed */
	lane = run_step_lane(r, r->o.step);
	same = streq(lane, r->o.lane) || !str_starts(lane, LANE_DNS);
	if (v.keep && same && now_due && !r->served && !r->unpark && r->lease_boot_ms - clock_boot(r->e->clock) > 2 * r->e->step_ms) {
		r->dirty = r->dirty || r->o.step != before || run_marked(r);
		*ret_go_on = true;
		return 0;
	}
	*ret_go_on = now_due && streq(lane, r->o.lane);
	if (!streq(lane, r->o.lane)) {
		replace_str(&r->o.lane, lane);
		r->new_lane = true;
	}
	return run_flush(r, *ret_go_on ? LEASE_KEEP : LEASE_END, err);
}

struct poll_job {
	const struct order *o;
	int64_t now_ms;
};

static int poll_write(struct sql *tx, void *arg, struct err *err)
{
	struct poll_job *j = arg;

	if (store_order_poll(tx, j->o, j->now_ms, err) < 0)
		return -(int)err->code;
	return j->o->step == STEP_QUEUED ? store_order_wake_unheld(tx, j->o->id, j->now_ms, err) : 0;
}

/* A lost lease after something was published at a provider: whoever withdrew it meanwhile has to do it once more. */
static int reopen(struct sql *tx, void *arg, struct err *err)
{
	struct run *r = arg;

	for (size_t i = 0; i < r->debts.n; i++)
		if (store_debt_reopen(tx, r->debts.v[i].id, engine_now(r->e), err) < 0)
			return -(int)err->code;
	return 0;
}

static int release(struct sql *tx, void *arg, struct err *err)
{
	struct run *r = arg;

	return store_lease_release(tx, "orders", r->o.id, r->o.gen, engine_now(r->e), err);
}

/* The process ends within a step: the order is given back as it is, and the next start looks before it acts. */
static void give_back(struct run *r)
{
	_cleanup_err_ struct err why = { 0 };

	if (engine_write(r->e, release, r, &why) < 0)
		log_err(LOG_DEBUG, "could not give an order back, its lease ends by itself", &why);
}

static void lost(struct run *r)
{
	_cleanup_err_ struct err why = { 0 };

	log_warning("another worker carries on with this order, this result is dropped");
	if (r->published_now && engine_write(r->e, reopen, r, &why) < 0)
		log_err(LOG_WARNING, "could not note what is to be withdrawn", &why);
}

void order_run(struct engine *e, struct worker *w, struct order *take_order, int64_t lease_boot_ms)
{
	struct run r;
	bool go_on = true;

	run_init(&r, e, w, take_order, lease_boot_ms);
	LOG_SCOPE("order", r.o.id);
	while (go_on) {
		_cleanup_err_ struct err err = { 0 };
		int rc = order_run_once(&r, &go_on, &err);

		if (rc == 1) {
			run_follow_clock(&r);
			struct poll_job j = { &r.o, engine_now(e) };

			rc = engine_write(e, poll_write, &j, &err);
		}
		if (rc < 0) {
			go_on = false;
			if (e->crashed)
				break;
			if (stop_raised(&e->abort))
				give_back(&r);
			else if (err.code == ERR_LOST_LEASE)
				lost(&r);
			else if (err.code == ERR_CHANGED) /* deleted in the instant before finalize: given back, the wish is served next */
				give_back(&r);
			else
				log_err(LOG_ERROR, "could not store what an order came to; it is done again when its lease ends", &err);
			break;
		}
		if (r.o.ended_ms) {
			_cleanup_free_ char *names = strlist_join(&r.o.names, ", ");

			if (r.o.step == STEP_DONE)
				log_info("certificate issued", "names", names);
			else
				log_warning("order ended without a certificate", "names", names, "reason", r.o.reason);
			__atomic_add_fetch(r.o.step == STEP_DONE ? &e->orders_valid : &e->orders_failed, 1, __ATOMIC_RELAXED);
		}
		if (go_on && stop_raised(&e->stop) && !r.dirty) {
			/* an orderly stop: the next step is another worker's */
			_cleanup_err_ struct err why = { 0 };

			if (run_flush(&r, LEASE_END, &why) < 0)
				log_err(LOG_WARNING, "could not give an order back", &why);
			go_on = false;
		}
	}
	run_done(&r);
}
