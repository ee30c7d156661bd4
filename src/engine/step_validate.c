/* SPDX-License-Identifier: Apache-2.0 */
/* step_validate.c - the CA is told to look, and watched while it does (RFC 8555 7.5.1, 8). */
#include "engine/private.h"

/* ---- telling the CA to look ---- */

static void proved(struct run *r, struct authz *a)
{
	struct record *rec = run_record(r, a, NULL);

	a->status = AUTHZ_VALID;
	replace_str(&a->reason, NULL);
	authz_changed(r, a);
	if (rec && rec->status != RECORD_VALID) {
		rec->status = RECORD_VALID;
		record_changed(r, rec, 0);
	}
}

/* As the CA has it now; 1 when our challenge is no longer open: it was told before. */
static int look_again(struct run *r, struct authz *a, struct err *err)
{
	_cleanup_acme_authz_ struct acme_authz now = { 0 };

	if (authz_read_again(r, a, &now, err) < 0)
		return -(int)err->code;
	if (a->status != AUTHZ_PENDING && a->status != AUTHZ_VALID)
		return authz_refused(r, &now, a, err);
	if (a->status == AUTHZ_VALID)
		proved(r, a);
	else if (a->challenge_status != CHALLENGE_PROCESSING && a->challenge_status != CHALLENGE_VALID)
		return 0;
	a->accepted = true;
	authz_changed(r, a);
	return 1;
}

/* Told, and the answer lost on the way (or by a client that sent it twice): the CA refuses what it has begun already. */
static int tell_ca(struct run *r, struct authz *a, struct acme_challenge *c, struct err *err)
{
	struct acme_session *s = run_session(r, err);
	_cleanup_err_ struct err why = { 0 };

	if (!s)
		return -(int)err->code;
	if (acme_challenge_accept(s, a->challenge_url, c, err) == 0)
		return 0;
	if (err->code == ERR_REMOTE_REFUSED && !r->e->crashed && look_again(r, a, &why) == 1) {
		err_clear(err);
		return 1;
	}
	return err_wrap(err, "could not tell the authority to look at '%s'", a->identifier);
}

int step_accept(struct run *r, struct verdict *v, struct err *err)
{
	int rc;

	for (size_t i = 0; i < r->authz.n; i++) {
		struct authz *a = &r->authz.v[i];
		_cleanup_acme_challenge_ struct acme_challenge c = { 0 };

		if (!run_needs(r, a))
			continue;
		if (!r->authz_seen[i]) /* looks before it acts: perhaps it was told before the crash */
			return look_again(r, a, err) < 0 ? -(int)err->code : verdict_go(v, r, STEP_ACCEPT, true);
		rc = tell_ca(r, a, &c, err);
		if (rc < 0)
			return rc;
		if (rc == 1)
			return verdict_go(v, r, STEP_ACCEPT, true);
		a->accepted = true;
		if (c.status)
			a->challenge_status = challenge_status_of(c.status);
		r->retry_after_ms = MAX(r->retry_after_ms, c.retry_after_ms);
		authz_changed(r, a);
		return verdict_go(v, r, STEP_ACCEPT, true);
	}
	run_event(r, EVENT_INFO, NULL, "told the authority to look");
	*v = (struct verdict){ .next = STEP_VALIDATE, .due_ms = engine_now(r->e) + run_wait(r, poll_clock(r->e, 0)) };
	return 0;
}

/* ---- watching it ---- */

static struct authz *next_pending(struct run *r, size_t *ret_pending)
{
	struct authz *first = NULL;

	*ret_pending = 0;
	for (size_t i = 0; i < r->authz.n; i++)
		if (r->authz.v[i].status == AUTHZ_PENDING) {
			++*ret_pending;
			first = first ? first : &r->authz.v[i];
		}
	return first;
}

static int still_waiting(struct run *r, struct verdict *v)
{
	return verdict_wait(v, r, run_wait(r, poll_clock(r->e, r->o.polls + 1)));
}

/* The word may have been lost on its way (an answer of something between us and the CA): waits grow with the order's age. */
bool told_long_ago(const struct run *r)
{
	int64_t now = engine_now(r->e);

	return now - r->o.step_since_ms >= MAX(MINUTE_MS, (now - r->o.created_ms) / 4);
}

/* Each is looked at again, and told again if the CA has not begun with it (RFC 8555 8.2): not before it wants to be asked again. */
static int tell_again(struct run *r, struct verdict *v)
{
	int64_t span = run_wait(r, 0);

	for (size_t i = 0; i < r->authz.n; i++) {
		struct authz *a = &r->authz.v[i];

		if (a->status != AUTHZ_PENDING)
			continue;
		a->accepted = false;
		r->authz_seen[i] = 0;
		authz_changed(r, a);
	}
	*v = (struct verdict){ .next = STEP_ACCEPT, .due_ms = engine_now(r->e) + span };
	return 0;
}

static int validate_one(struct run *r, struct authz *a, struct verdict *v, struct err *err)
{
	_cleanup_acme_authz_ struct acme_authz now = { 0 };
	enum challenge_status before = a->challenge_status;
	_cleanup_free_ char *said = xstrdup_null(a->reason);
	unsigned char dirty = r->authz_dirty[a - r->authz.v];
	size_t pending;

	if (authz_read_again(r, a, &now, err) < 0)
		return -(int)err->code;
	if (a->status == AUTHZ_VALID) {
		proved(r, a);
		run_event(r, EVENT_INFO, NULL, "the authority has validated '%s'", a->identifier);
		next_pending(r, &pending);
		return verdict_go(v, r, pending ? STEP_VALIDATE : STEP_CONFIRM, true);
	}
	if (a->status != AUTHZ_PENDING)
		return authz_refused(r, &now, a, err);
	if (r->hunting)
		return 1;
	if (a->challenge_status == CHALLENGE_PENDING && told_long_ago(r))
		return tell_again(r, v);
	/* nothing new: a poll that changes nothing writes one column */
	if (a->challenge_status == before && streq(a->reason ? a->reason : "", said ? said : ""))
		r->authz_dirty[a - r->authz.v] = dirty;
	else
		r->dirty = true;
	return still_waiting(r, v);
}

/* Several names: one look at the order says whether all are through; the authorizations are read only to learn who is not. */
static int validate_many(struct run *r, struct verdict *v, struct err *err)
{
	_cleanup_acme_order_ struct acme_order o = { 0 };
	struct acme_session *s = run_session(r, err);

	if (!s || acme_order_get(s, r->o.url, &r->o.names, &o, err) < 0)
		return err_wrap(err, "could not read the order");
	r->retry_after_ms = MAX(r->retry_after_ms, o.retry_after_ms);
	if (o.status == ACME_ORDER_PENDING)
		return told_long_ago(r) ? tell_again(r, v) : still_waiting(r, v);
	if (o.status == ACME_ORDER_INVALID) {
		r->hunting = true;
		memset(r->authz_seen, 0, sizeof r->authz_seen);
		return verdict_go(v, r, STEP_VALIDATE, true);
	}
	for (size_t i = 0; i < r->authz.n; i++)
		if (r->authz.v[i].status == AUTHZ_PENDING)
			proved(r, &r->authz.v[i]);
	run_event(r, EVENT_INFO, NULL, "the authority has validated all names");
	return order_follow(r, &o, v, err) < 0 ? -(int)err->code : 0;
}

int step_validate(struct run *r, struct verdict *v, struct err *err)
{
	size_t pending;
	struct authz *a = next_pending(r, &pending);
	int rc;

	if (!a)
		return verdict_go(v, r, STEP_CONFIRM, true);
	if (!r->hunting)
		return pending == 1 ? validate_one(r, a, v, err) : validate_many(r, v, err);
	for (size_t i = 0; i < r->authz.n; i++) {
		if (r->authz_seen[i] || r->authz.v[i].status != AUTHZ_PENDING)
			continue;
		rc = validate_one(r, &r->authz.v[i], v, err);
		if (rc == 1)
			return verdict_go(v, r, STEP_VALIDATE, true);
		if (rc == 0 && v->next == STEP_CONFIRM)
			break;
		return rc;
	}
	/* no authorization tells: the order itself may */
	return verdict_go(v, r, STEP_CONFIRM, true);
}
