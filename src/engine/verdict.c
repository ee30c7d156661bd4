/* SPDX-License-Identifier: Apache-2.0 */
/*
 * verdict.c - from an error to what happens next. The class comes from the table of base/err.h, the scope from what the CA said
 * (DESIGN 3 rule 8): one name over its limit never stops fifty others, and a vendor that is down is asked by nobody.
 */
#include "engine/private.h"

#include <stdarg.h>
#include <stdio.h>

#define REMAKES_MAX 3
#define PERSON_WAIT_MS DAY_MS

int64_t retry_due(const struct engine *e, const struct err *why, const struct acme_refusal *refusal, int64_t attempts)
{
	int64_t now = engine_now(e), due = now + retry_clock(e, attempts), told = why->retry_at_ms;

	if (refusal && refusal->retry_at_ms > told)
		told = refusal->retry_at_ms;
	if (told > now + 7 * DAY_MS)
		told = now + 7 * DAY_MS;
	/* our own gate: nothing was wrong, go on as soon as there is room */
	if (refusal && refusal->gated && told)
		return told;
	return MAX(due, told);
}

char *refusal_lane(const struct account *a, const char *vendor_lane, const struct acme_refusal *f)
{
	switch (f->scope) {
	case ACME_SCOPE_VENDOR:
		return xstrdup(vendor_lane);
	case ACME_SCOPE_ACCOUNT:
		return xasprintf(LANE_ACCOUNT "%s", a->id);
	case ACME_SCOPE_IDENTIFIER:
		return f->identifier ? xasprintf(LANE_IDENTIFIER "%s %s", f->identifier, a->directory_url) : NULL;
	case ACME_SCOPE_REGISTRATION:
		return xasprintf(LANE_REGISTER "%s", a->directory_url);
	case ACME_SCOPE_NONE:
	case ACME_SCOPE_NAMES:
		return NULL;
	}
	return NULL;
}

/* The CA's own words beside the sentence. */
static json_t *words(const struct err *why)
{
	return json_pack("{s:o, s:o}", "remote", json_str_or_null(why->remote), "type", json_str_or_null(why->remote_type));
}

static void tell(struct run *r, const struct err *why, int64_t due_ms)
{
	_cleanup_free_ char *text = err_text(why);
	_cleanup_json_ json_t *detail = why->remote ? words(why) : NULL;
	char when[CLOCK_TEXT];

	/* a ladder tells its first rungs; later ones are in the reason */
	if (r->o.attempts > 4)
		return;
	run_event(r, EVENT_WARNING, detail ? json_text(detail) : NULL, "%s; trying again at %s", text, clock_format(due_ms, when));
}

static void set_reason(struct run *r, const struct err *why)
{
	free(r->o.reason);
	r->o.reason = err_to_json_text(why);
}

static void wait_until(struct run *r, const struct err *why, struct verdict *v, int64_t due_ms)
{
	r->o.attempts++;
	set_reason(r, why);
	v->next = r->o.step;
	v->due_ms = due_ms;
	tell(r, why, due_ms);
}

/* Our own gate: no error, but what takes longer than a moment is told, once. */
static void held_back(struct run *r, const struct err *why, int64_t due_ms, struct verdict *v)
{
	const char *words = err_root(why)->detail;
	bool told = r->o.reason && words && strstr(r->o.reason, words);
	char when[CLOCK_TEXT];

	*v = (struct verdict){ .next = r->o.step, .due_ms = due_ms, .waiting = told || due_ms < engine_now(r->e) + MINUTE_MS };
	if (v->waiting)
		return;
	set_reason(r, why);
	run_event(r, EVENT_WARNING, NULL, "%s; goes on at %s", words, clock_format(due_ms, when));
}

static void later(struct run *r, const struct err *why, const struct acme_refusal *f, struct verdict *v)
{
	int64_t due = retry_due(r->e, why, f, r->o.attempts);
	char *lane = f ? refusal_lane(&r->account, r->vendor_lane, f) : NULL;

	if (f && f->gated) {
		held_back(r, why, due, v);
		free(lane);
		return;
	}
	if (lane)
		run_park(r, lane, due, why);
	wait_until(r, why, v, due);
}

/*
 * Once the CSR was sent a certificate may exist, and what stands between us and the authority may be who says otherwise: it is asked
 * for again a few times before the order ends, and as long as the stage lasts where the authority has said that it is there.
 */
static bool ask_for_it_again(const struct run *r)
{
	return r->o.finalize_sent && (r->o.step == STEP_DOWNLOAD || (r->o.step == STEP_COLLECT && r->o.attempts < REMAKES_MAX));
}

/* What may be handed out again with the next order, and would stay pending if it is not. */
static void owe_authorizations(struct run *r)
{
	for (size_t i = 0; r->o.url && i < r->authz.n; i++) {
		struct authz *a = &r->authz.v[i];

		if (a->status != AUTHZ_PENDING)
			continue;
		strlist_add(&r->give_back, a->url);
		a->status = AUTHZ_DEACTIVATED; /* not ours to look at any more; the new order's takes its place */
		authz_changed(r, a);
	}
}

/* The CA order cannot go on. Before the CA has looked, the same wish may have another try with a new CA order. */
static void remake(struct run *r, struct err *why, struct verdict *v)
{
	_cleanup_free_ char *text = err_text(why);

	if (r->o.finalize_sent || r->o.attempts >= REMAKES_MAX || r->o.step == STEP_CREATE || r->o.step > STEP_ACCEPT) {
		run_fail(r, v, why);
		return;
	}
	set_reason(r, why);
	run_event(r, EVENT_WARNING, NULL, "%s; ordering anew", text);
	owe_authorizations(r);
	replace_str(&r->o.url, NULL);
	r->o.ca_expires_ms = r->o.look_after_ms = 0;
	replace_str(&r->o.finalize_url, NULL);
	strlist_clear(&r->urls);
	r->urls_known = false;
	r->o.attempts++;
	v->next = STEP_CREATE;
	v->due_ms = r->o.attempts == 1 ? engine_now(r->e) : engine_now(r->e) + retry_clock(r->e, r->o.attempts - 2);
}

/* Somebody has to do something; look again once a day, and at once when asked to. */
static void person(struct run *r, const struct err *why, const struct acme_refusal *f, struct verdict *v)
{
	int64_t due = engine_now(r->e) + PERSON_WAIT_MS;
	char *lane = f ? refusal_lane(&r->account, r->vendor_lane, f) : NULL;

	if (lane)
		run_park(r, lane, due, why);
	wait_until(r, why, v, due);
}

void verdict_for_error(struct run *r, struct err *why, struct verdict *v)
{
	const struct acme_refusal *f = r->session.refusal.scope || r->session.refusal.status || r->session.refusal.gated ?
		&r->session.refusal : NULL;

	*v = (struct verdict){ .next = r->o.step };
	__atomic_add_fetch(&r->e->errors, 1, __ATOMIC_RELAXED);
	if (f && f->users_input && err_retry(why->code) == RETRY_NEVER && f->problem.detail)
		err_remote(why, f->problem.type, f->problem.detail);
	switch (err_retry(why->code)) {
	case RETRY_NOW:
	case RETRY_LATER:
	case RETRY_PARK:
		later(r, why, f, v);
		return;
	case RETRY_REMAKE:
		if (ask_for_it_again(r))
			later(r, why, NULL, v);
		else
			remake(r, why, v);
		return;
	case RETRY_PERSON:
		person(r, why, f, v);
		return;
	case RETRY_NEVER:
		/* its answer to our asking, or something of our own: not its verdict on the order */
		if (((f && f->status) || why->code == ERR_INTERNAL) && ask_for_it_again(r))
			later(r, why, NULL, v);
		else
			run_fail(r, v, why);
		return;
	}
	abort();
}

int verdict_go(struct verdict *v, const struct run *r, enum order_step next, bool keep)
{
	*v = (struct verdict){ .next = next, .due_ms = engine_now(r->e), .keep = keep };
	return 0;
}

int verdict_wait(struct verdict *v, const struct run *r, int64_t span_ms)
{
	*v = (struct verdict){ .next = r->o.step, .due_ms = engine_now(r->e) + span_ms, .waiting = true };
	return 0;
}

int problem_err(struct err *err, const struct acme_problem *p, const char *fmt, ...)
{
	_cleanup_free_ char *words = acme_problem_text(p);
	char text[512];
	va_list ap;

	va_start(ap, fmt);
	vsnprintf(text, sizeof text, fmt, ap);
	va_end(ap);
	err_set(err, ERR_REMOTE_REFUSED, "%s", text);
	return err_remote(err, p->type, words ? words : "no reason was given");
}
