/* SPDX-License-Identifier: Apache-2.0 */
/*
 * jobs_rollover.c - changing an account's key (RFC 8555 7.3.5) so that a crash, or an answer that is lost, at any point leaves an account
 * that works.
 *
 * The new key is stored beside the old one before anything is sent, and the account's orders wait (its lane is parked) until
 * the authority's answer is stored: an order that signed with the other key would be refused for good. Which key the
 * authority has is never guessed. Each run asks with the new key first, and only when that is unknown there sends the change, signed by
 * the old one. The old key is destroyed in the transaction in which the new one takes its place.
 */
#include "engine/private.h"

#include "base/crash.h"
#include "model/vendor.h"

#define PARK_MS (15 * MINUTE_MS)

static char *account_lane(const struct job_run *r)
{
	return xasprintf(LANE_ACCOUNT "%s", r->account.id);
}

/*
 * For PARK_MS, and anew when half of it is over: whoever was put off to the former end then looks again and is put off to the new one,
 * since unpark() wakes those of the last end only.
 */
static int park(struct sql *tx, const struct job_run *r, struct err *err)
{
	_cleanup_free_ char *lane = account_lane(r), *reason = NULL;
	_cleanup_lane_ struct lane l = { 0 };
	_cleanup_err_ struct err why = ERR_INIT;
	int64_t now = engine_now(r->e);

	if (store_lane_ensure(tx, lane, lane_cap(lane), err) < 0 || store_lane_get(tx, lane, &l, err) < 0)
		return -(int)err->code;
	if (l.parked_until_ms > now + PARK_MS / 2)
		return 0;
	err_set(&why, ERR_BUSY, "the key of account '%s' is being changed", r->account.name);
	reason = err_to_json_text(&why);
	return lane_resume(tx, lane, now, err) < 0 ? -(int)err->code : store_lane_park(tx, lane, now + PARK_MS, reason, err);
}

static int unpark(struct sql *tx, const struct job_run *r, struct err *err)
{
	_cleanup_free_ char *lane = account_lane(r);

	return lane_resume(tx, lane, engine_now(r->e), err);
}

/* The new key becomes durable, and the account's orders wait. */
static int keep_next(struct sql *tx, void *arg, struct err *err)
{
	struct job_run *r = arg;

	if (job_mine(tx, r, err) < 0 || store_key_add(tx, &r->next_key, err) < 0 ||
	    store_account_result(tx, &r->account, engine_now(r->e), err) < 0)
		return -(int)err->code;
	return park(tx, r, err);
}

static int make_next(struct job_run *r, struct err *err)
{
	_cleanup_key_made_ struct key_made made = { 0 };
	struct ulid id = ulid_new(engine_now(r->e));
	struct key_place place = { "key", id.s, "sealed" };

	if (keys_generate(r->e->o.keys, KEY_ACCOUNT, KEY_P256, &place, r->account.directory_url, &made, err) < 0)
		return err_wrap(err, "could not make the account's new key");
	r->next_key = (struct key_row){
		.id = xstrdup(id.s), .purpose = KEY_ACCOUNT, .type = xstrdup(made.type.s), .public_hash = xstrdup(made.public_hash),
		.sealed = xmemdup(made.sealed, made.sealed_n), .sealed_n = made.sealed_n, .created_ms = engine_now(r->e),
	};
	replace_str(&r->account.next_key_id, id.s);
	if (engine_write(r->e, keep_next, r, err) < 0)
		return err_wrap(err, "could not store the account's new key");
	CRASH_POINT_OF("job", "rollover-key-stored", r->account.email);
	return 0;
}

struct busy {
	struct job_run *r;
	bool busy;
};

/* Still parked, also when this took long; and who works with the old key right now? */
static int quiet(struct sql *tx, void *arg, struct err *err)
{
	struct busy *b = arg;

	if (job_mine(tx, b->r, err) < 0 || park(tx, b->r, err) < 0)
		return -(int)err->code;
	return store_account_busy(tx, b->r->account.id, engine_now(b->r->e), &b->busy, err);
}

/* The authority has the new key: it is the account's, and the old one is gone. */
static int take_place(struct sql *tx, void *arg, struct err *err)
{
	struct job_run *r = arg;
	bool destroyed;

	if (store_account_result(tx, &r->account, engine_now(r->e), err) < 0 ||
	    store_key_destroy_unused(tx, r->key.id, engine_now(r->e), &destroyed, err) < 0)
		return -(int)err->code;
	return unpark(tx, r, err);
}

static int changed(struct job_run *r, const char *how)
{
	replace_str(&r->account.key_id, r->next_key.id);
	replace_str(&r->account.next_key_id, NULL);
	r->account.refreshed_ms = engine_now(r->e);
	r->also = take_place;
	job_tell(r, "account", r->account.id, EVENT_INFO, "%s", how);
	return 0;
}

/* Does the authority know the new key? It is not asked to make an account of it. */
static int probe_new(struct job_run *r, bool *ret_known, struct err *err)
{
	_cleanup_acme_account_ struct acme_account a = { 0 };
	_cleanup_err_ struct err why = ERR_INIT;
	struct acme_keys_signer by_new;
	struct acme_session s = r->session;
	int rc;

	signer_init(&by_new, r->e->o.keys, &r->next_key, &r->account);
	s.signer = &by_new.acme;
	s.account_url = NULL;
	s.refusal = (struct acme_refusal){ 0 };
	rc = acme_account_find(&s, &a, &why);
	acme_session_done(&s);
	*ret_known = rc == 0;
	if (rc == 0 && !streq(a.url, r->account.url))
		return err_set(err, ERR_CONFLICT, "the new key belongs to another account: %s", a.url);
	if (rc == 0 || why.code == ERR_NOT_FOUND)
		return 0;
	err_move(err, &why);
	return err_wrap(err, "could not ask the authority about the new key");
}

static int send_change(struct job_run *r, struct err *err)
{
	struct key_handle next = { "key", r->next_key.id, "sealed", r->next_key.sealed, r->next_key.sealed_n };
	int rc;

	r->signer.new_account = &next;
	rc = acme_key_change(&r->session, err);
	r->signer.new_account = NULL;
	CRASH_POINT_OF("job", "rollover-answered", r->account.email);
	if (rc == 0)
		return changed(r, "account key changed");
	/* 409: somebody has this key. Ours, when the answer of an earlier try was lost. */
	if (err->code == ERR_CONFLICT && r->session.refusal.location && streq(r->session.refusal.location, r->account.url)) {
		err_clear(err);
		return changed(r, "account key changed; the authority had it already");
	}
	return err_wrap(err, "could not change the key of account '%s'", r->account.name);
}

int job_account_rollover(struct job_run *r, struct err *err)
{
	struct busy b = { .r = r };
	const struct vendor *v;
	bool known = false, fresh;

	if (job_account_subject(r, err) < 0)
		return -(int)err->code;
	v = vendor_of(r->account.vendor);
	if (!r->account.url)
		return err_set(err, ERR_CONFLICT, "account '%s' is not registered", r->account.name);
	if (vendor_has(v, QUIRK_NO_KEY_CHANGE) && !r->account.next_key_id)
		return err_set(err, ERR_REMOTE_REFUSED, "%s does not change the keys of accounts", v->title);
	fresh = !r->account.next_key_id;
	if (fresh && make_next(r, err) < 0)
		return -(int)err->code;
	if (engine_write(r->e, quiet, &b, err) < 0)
		return err_wrap(err, "could not see whether somebody uses the account");
	if (b.busy || fresh) { /* who has claimed an order of the account just now has seen it parked, or shows up as busy */
		r->wait = true;
		r->j.due_ms = engine_now(r->e) + SECOND_MS;
		return 0;
	}
	if (probe_new(r, &known, err) < 0)
		return -(int)err->code;
	CRASH_POINT_OF("job", "rollover-probed", r->account.email);
	if (known)
		return changed(r, "account key changed; the authority had it already");
	return send_change(r, err);
}

/* The authority has refused: the account stays with its old key, and the new one is of no use. */
static int drop_next(struct sql *tx, void *arg, struct err *err)
{
	struct job_run *r = arg;
	bool destroyed;

	if (store_account_result(tx, &r->account, engine_now(r->e), err) < 0 ||
	    store_key_destroy_unused(tx, r->next_key.id, engine_now(r->e), &destroyed, err) < 0)
		return -(int)err->code;
	return unpark(tx, r, err);
}

void job_rollover_failed(struct job_run *r, const struct err *why)
{
	_cleanup_free_ char *text = err_text(why);

	job_tell(r, "account", r->account.id, EVENT_ERROR, "%s", text);
	/* no answer: which key the authority has is not known. Both stay, and the standing job asks again. */
	if (!r->account.next_key_id || !r->next_key.id || (err_retry(why->code) != RETRY_NEVER && err_retry(why->code) != RETRY_PERSON))
		return;
	replace_str(&r->account.next_key_id, NULL);
	r->also = drop_next;
}
