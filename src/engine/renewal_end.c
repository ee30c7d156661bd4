/* SPDX-License-Identifier: Apache-2.0 */
/*
 * renewal_end.c - what the end of an order means for its certificate: when it is renewed next, or tried again, or paused. Runs in
 * the transaction that ends the order, so that there is no moment in which a certificate has neither an order nor an instant.
 */
#include "engine/notice.h"
#include "engine/notify.h"
#include "engine/private.h"
#include "store/renewal.h"

static uint64_t dice_below(void *arg, uint64_t limit)
{
	return engine_below(arg, limit);
}

struct renewal_dice engine_dice(struct engine *e)
{
	return (struct renewal_dice){ dice_below, e };
}

int renewal_load(struct sql *q, const char *certificate_id, struct renewal *ret, struct err *err)
{
	if (store_renewal_get(q, certificate_id, ret, err) == 0)
		return 0;
	if (err->code != ERR_NOT_FOUND)
		return -(int)err->code;
	err_clear(err);
	*ret = (struct renewal){ .certificate_id = xstrdup(certificate_id), .key_max_days = RENEWAL_KEY_DAYS };
	return 0;
}

int64_t renewal_look_again(const struct certificate *c, int64_t now_ms)
{
	int64_t life = c->not_after_ms - c->not_before_ms;

	return now_ms + (life > 0 ? MIN(MAX(life / 20, 10 * MINUTE_MS), (int64_t)DAY_MS) : DAY_MS);
}

/* ---- the authority is asked at once what it would like ---- */

int renewal_info_wanted(struct sql *tx, const char *directory_url, int64_t now_ms, struct err *err)
{
	_cleanup_job_ struct job there = { 0 };
	_cleanup_free_ char *lane = lane_vendor(directory_url);
	_cleanup_json_ json_t *args = json_pack("{s:s}", "directory_url", directory_url);
	_cleanup_free_ char *text = json_text(args), *subject = xstrdup(directory_url);
	struct ulid id = ulid_new(now_ms);
	struct job j = {
		.id = id.s, .kind = JOB_RENEWAL_INFO, .subject_kind = (char[]){ "directory" }, .subject_id = subject, .args = text,
		.state = JOB_QUEUED, .lane = lane, .due_ms = now_ms, .created_ms = now_ms, .updated_ms = now_ms,
	};

	if (store_job_find_live(tx, JOB_RENEWAL_INFO, directory_url, &there, err) == 0)
		return store_job_wake(tx, job_kind_text(JOB_RENEWAL_INFO), directory_url, now_ms, err);
	if (err->code != ERR_NOT_FOUND)
		return -(int)err->code;
	err_clear(err);
	if (store_lane_ensure(tx, lane, lane_cap(lane), err) < 0)
		return -(int)err->code;
	return store_job_add(tx, &j, err);
}

/* ---- issued ---- */

/* The newest that the current one replaces: what is in use until somebody installs the current one. NULL: there is none. */
static const struct version *replaced(const struct version_list *l)
{
	for (size_t i = 1; i < l->n; i++)
		if (l->v[i].state == VERSION_REPLACED)
			return &l->v[i];
	return NULL;
}

/* The first expiry is that of what is in use: until then it has to be installed. */
static int tell_install(struct sql *tx, const struct run *r, const struct certificate *c, struct err *err)
{
	_cleanup_free_ char *cause = xasprintf("certificate %" PRId64 " (%s) was renewed; its key is elsewhere, and so it waits to be installed there",
					       c->num, c->names.n ? c->names.v[0] : "");
	_cleanup_version_list_ struct version_list l = { 0 };
	struct certificate in_use = *c; /* borrowed */
	struct notice_cause n = {
		.kind = NOTICE_INSTALL, .subject_kind = "certificate", .subject_id = c->id, .cause = cause,
		.next_step = "Fetch it and install it where its key is before what is in use expires, or mark it as installed.", .certificate = &in_use,
		.remind_ms = engine_now(r->e) + 7 * DAY_MS, .now_ms = engine_now(r->e),
	};

	if (store_version_list(tx, c->id, &l, err) < 0)
		return -(int)err->code;
	if (replaced(&l))
		in_use.not_after_ms = replaced(&l)->not_after_ms;
	return notice_raise(tx, &n, err);
}

/*
 * Something was issued: whoever was said to refuse everybody does not. The lists stay, for who is told that it is over. What is only delayed
 * is over when the last of its certificates is there: some come hours after the first, each at the next step of its own ladder.
 */
static int causes_over(struct sql *tx, const struct run *r, struct err *err)
{
	int64_t now = engine_now(r->e);

	if (notice_end(tx, NOTICE_ACCOUNT, "account", r->account.id, now, err) < 0 ||
	    notice_end(tx, NOTICE_VENDOR, "directory", r->account.directory_url, now, err) < 0)
		return -(int)err->code;
	return notice_end(tx, NOTICE_RENEWAL_FAILED, "directory", r->account.directory_url, now, err);
}

/* Names, fingerprints and where to get it; never a key. */
static int tell_issued(struct sql *tx, const struct run *r, const struct certificate *c, struct err *err)
{
	_cleanup_version_list_ struct version_list l = { 0 };
	_cleanup_free_ char *path = NULL;
	_cleanup_json_ json_t *d = NULL;
	const struct version *old, *now;

	if (store_version_list(tx, c->id, &l, err) < 0)
		return -(int)err->code;
	if (!l.n)
		return 0;
	now = &l.v[0];
	old = replaced(&l);
	if (r->e->o.public_url)
		path = xasprintf("%s/certificates/%s", r->e->o.public_url, c->id);
	d = json_pack("{s:s, s:I, s:o, s:s, s:s, s:o, s:o, s:o, s:s, s:o}", "certificate_id", c->id, "certificate_num", (json_int_t)c->num,
		      "names", json_strlist(&now->names), "serial", now->serial, "fingerprint", now->fingerprint, "old_fingerprint",
		      json_str_or_null(old ? old->fingerprint : NULL), "not_before", json_time_or_null(now->not_before_ms), "not_after",
		      json_time_or_null(now->not_after_ms), "order_id", r->o.id, "url", json_str_or_null(path));
	return notify_event(tx, old ? EVENT_RENEWED : EVENT_ISSUED, d, r->account.vendor, c->id, engine_now(r->e), err);
}

static int issued(struct sql *tx, struct run *r, struct err *err)
{
	_cleanup_certificate_ struct certificate c = { 0 };
	_cleanup_renewal_ struct renewal n = { 0 };
	int64_t now = engine_now(r->e);

	if (store_certificate_get(tx, r->o.certificate_id, &c, err) < 0 || renewal_load(tx, c.id, &n, err) < 0)
		return -(int)err->code;
	replace_str(&n.version_id, c.version_id);
	replace_str(&n.account_id, r->account.id);
	replace_str(&n.directory_url, r->account.directory_url);
	replace_str(&n.ari_id, r->ari_id);
	replace_str(&n.ari_reason, NULL);
	replace_str(&n.explanation_url, NULL);
	replace_str(&n.reason, NULL);
	n.ari_next_ms = n.ari_id && c.managed ? now : 0;
	n.ari_failures = n.window_start_ms = n.window_end_ms = n.failing_since_ms = 0;
	n.why = RENEWAL_BY_FRACTION;
	n.waits = WAITS_NOTHING;
	n.install_since_ms = r->csr.key_id ? 0 : now;
	if (store_renewal_put(tx, &n, err) < 0 || causes_over(tx, r, err) < 0 || notice_end_certificate(tx, c.id, NULL, now, err) < 0 ||
	    tell_issued(tx, r, &c, err) < 0)
		return -(int)err->code;
	if (n.install_since_ms && r->renewal && tell_install(tx, r, &c, err) < 0)
		return -(int)err->code;
	if (n.ari_next_ms && renewal_info_wanted(tx, n.directory_url, now, err) < 0)
		return -(int)err->code;
	return c.managed ? store_job_wake(tx, job_kind_text(JOB_RENEWAL), NULL, c.next_attempt_ms, err) : 0;
}

/* ---- not issued ---- */

/* The provider that did not take what was to be published there; NULL: it was not that. */
static const char *stuck_at(const struct run *r)
{
	for (size_t i = 0; i < r->records.n; i++)
		if (!r->records.v[i].published_ms && method_way(r->records.v[i].kind, r->records.v[i].method) == PUBLISH_REMOTE)
			return r->records.v[i].method;
	return NULL;
}

/* One cause is one notice: who refuses everybody is told of once, not for each certificate. */
static void cause_of(const struct run *r, const struct err *why, const struct certificate *c, struct notice_cause *n)
{
	const char *provider = stuck_at(r);

	n->kind = NOTICE_RENEWAL_FAILED;
	n->subject_kind = "certificate";
	n->subject_id = c->id;
	n->next_step = "Look at the order's story, mend what it names, and renew the certificate.";
	if (r->account.status != ACCOUNT_VALID || r->account.deleted_ms) {
		n->kind = NOTICE_ACCOUNT;
		n->subject_kind = "account";
		n->subject_id = r->account.id;
		n->next_step = "Make the account valid again, or give its certificates another one.";
	} else if (err_not_reached(why) || why->code == ERR_REMOTE_BUSY || why->code == ERR_REMOTE_LIMIT) {
		n->subject_kind = "directory";
		n->subject_id = r->account.directory_url;
		n->next_step = "It is tried again by itself; see the authority's status page, or give the certificates another account.";
	} else if (provider && !why->remote_type) {
		n->subject_kind = "method";
		n->subject_id = provider;
		n->next_step = "Test the credential of this provider and mend it.";
	}
}

static int tell_failure(struct sql *tx, const struct run *r, const struct certificate *c, bool paused, struct err *err)
{
	_cleanup_json_ json_t *j = json_text_or_null(r->o.reason);
	_cleanup_err_ struct err why = ERR_INIT;
	_cleanup_free_ char *text = NULL, *cause = NULL;
	struct notice_cause n = { .certificate = c, .now_ms = engine_now(r->e) };
	bool joined = false;

	err_from_json(j, &why);
	text = err_is(&why) ? err_text(&why) : xstrdup("the order ended without a certificate");
	cause_of(r, &why, c, &n);
	if (!paused && cause_join(tx, streq(n.subject_kind, "directory") ? n.subject_id : NULL, streq(n.subject_kind, "method") ? n.subject_id : NULL,
				  c, n.now_ms, &joined, err) < 0)
		return -(int)err->code;
	if (joined)
		return 0;
	cause = why.remote && !strstr(text, why.remote) ? xasprintf("%s (%s)", text, why.remote) : xstrdup(text);
	if (paused) {
		n.kind = NOTICE_RENEWAL_PAUSED;
		n.next_step = "Mend what is named, then renew the certificate or take the pause off.";
	}
	n.cause = cause;
	return notice_raise(tx, &n, err);
}

static int failed(struct sql *tx, struct run *r, struct err *err)
{
	_cleanup_certificate_ struct certificate c = { 0 };
	_cleanup_renewal_ struct renewal n = { 0 };
	struct renewal_dice dice = engine_dice(r->e);
	int64_t now = engine_now(r->e), life;
	bool paused = false;

	if (store_certificate_get(tx, r->o.certificate_id, &c, err) < 0) {
		if (err->code != ERR_NOT_FOUND)
			return -(int)err->code;
		err_clear(err); /* off the inventory: nothing to renew any more */
		return 0;
	}
	if (renewal_load(tx, c.id, &n, err) < 0)
		return -(int)err->code;
	life = c.not_after_ms - c.not_before_ms;
	replace_str(&n.reason, r->o.reason);
	if (r->has_version) { /* what came was not what was ordered: never ordered again by itself */
		paused = true;
		c.next_attempt_ms = 0;
	} else if (r->o.deleted_ms || r->o.want_cancel) { /* a person ended it */
		c.next_attempt_ms = renewal_look_again(&c, now);
	} else {
		c.attempt++;
		n.failing_since_ms = n.failing_since_ms ? n.failing_since_ms : now;
		c.next_attempt_ms = now + renewal_ladder(c.attempt, life, &dice);
		if (now - n.failing_since_ms >= RENEWAL_GIVE_UP_MS) {
			paused = true;
			replace_str(&c.pause_reason, r->o.reason);
			c.next_attempt_ms = 0;
		}
		if (c.attempt < RENEWAL_TELL_AFTER && !paused && !renewal_is_late(c.not_before_ms, c.not_after_ms, now))
			goto put;
		if (tell_failure(tx, r, &c, paused, err) < 0)
			return -(int)err->code;
	}
	if (r->has_version && tell_failure(tx, r, &c, true, err) < 0)
		return -(int)err->code;
put:
	if (store_certificate_plan(tx, &c, err) < 0 || store_renewal_put(tx, &n, err) < 0)
		return -(int)err->code;
	return c.next_attempt_ms ? store_job_wake(tx, job_kind_text(JOB_RENEWAL), NULL, c.next_attempt_ms, err) : 0;
}

int renewal_order_ended(struct sql *tx, struct run *r, struct err *err)
{
	if (!r->o.certificate_id)
		return 0;
	return r->o.step == STEP_DONE ? issued(tx, r, err) : failed(tx, r, err);
}

/* ---- an order in the way ---- */

static bool waits_for_person(const struct order *o)
{
	enum order_stage stage = order_stage(o);

	return stage == STAGE_WAITING_PERSON || stage == STAGE_READY || stage == STAGE_SET_ASIDE;
}

int renewal_pass(struct sql *tx, const struct run *r, const char *holder_id, struct err *err)
{
	_cleanup_order_ struct order holder = { 0 };
	_cleanup_certificate_ struct certificate c = { 0 };
	_cleanup_free_ char *text = NULL;
	int64_t now = engine_now(r->e);
	struct ulid id = ulid_new(now);
	struct event ev = { .id = id.s, .subject_kind = (char[]){ "order" }, .at_ms = now, .level = EVENT_WARNING };

	if (!r->o.certificate_id)
		return 0;
	if (store_order_get_any(tx, holder_id, &holder, err) < 0)
		return -(int)err->code;
	if (holder.ended_ms || holder.finalize_sent || holder.want_cancel || holder.deleted_ms || !waits_for_person(&holder))
		return 0;
	if (store_certificate_get(tx, r->o.certificate_id, &c, err) < 0) {
		if (err->code != ERR_NOT_FOUND)
			return -(int)err->code;
		err_clear(err);
		return 0;
	}
	if (now - holder.step_since_ms < DAY_MS && !renewal_is_late(c.not_before_ms, c.not_after_ms, now))
		return 0;
	text = xasprintf("ended by order %" PRId64 ", which renews certificate %" PRId64 " with the same names", r->o.num, c.num);
	ev.subject_id = holder.id;
	ev.text = text;
	if (store_event_add(tx, &ev, err) < 0 || store_order_resume(tx, holder.id, now, err) < 0)
		return -(int)err->code;
	return store_order_ask(tx, holder.id, WANT_CANCEL, now, now, err);
}
