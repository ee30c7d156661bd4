/* SPDX-License-Identifier: Apache-2.0 */
/* notify.c - the outbox: who is told what, and the job that tells it. See notify.h; DECISIONS 53. */
#include "engine/notify_private.h"

#include "base/crash.h"
#include "base/log.h"
#include "store/channel.h"
#include "store/inventory.h"
#include "store/notice.h"
#include "store/renewal.h"
#include "store/search.h"

#define KEEP_MS (7 * DAY_MS)  /* a message that nobody took for so long is dropped, and counted */
#define DIGEST_AFTER_MS (20 * HOUR_MS) /* what was told a moment ago is in no digest */
#define BATCH 20
#define BATCH_MS (40 * SECOND_MS)

/* ---- rows ---- */

int notify_wanted(struct sql *tx, const char *channel_id, int64_t due_ms, int64_t now_ms, struct err *err)
{
	_cleanup_job_ struct job there = { 0 };
	_cleanup_free_ char *lane = xasprintf(LANE_NOTIFY "%s", channel_id), *subject = xstrdup(channel_id);
	struct ulid id = ulid_new(now_ms);
	struct job j = {
		.id = id.s, .kind = JOB_NOTIFY, .subject_kind = (char[]){ "channel" }, .subject_id = subject, .args = (char[]){ "{}" },
		.state = JOB_QUEUED, .lane = lane, .due_ms = due_ms, .created_ms = now_ms, .updated_ms = now_ms,
	};

	if (store_job_find_live(tx, JOB_NOTIFY, channel_id, &there, err) == 0)
		return store_job_wake(tx, job_kind_text(JOB_NOTIFY), channel_id, due_ms, err);
	if (err->code != ERR_NOT_FOUND)
		return -(int)err->code;
	err_clear(err);
	return store_lane_ensure(tx, lane, lane_cap(lane), err) < 0 ? -(int)err->code : store_job_add(tx, &j, err);
}

int notify_standing(struct sql *tx, int64_t now_ms, struct err *err)
{
	_cleanup_channel_list_ struct channel_list l = { 0 };

	if (store_channel_all(tx, &l, err) < 0)
		return -(int)err->code;
	for (size_t i = 0; i < l.n; i++)
		if (notify_wanted(tx, l.v[i].id, now_ms + MINUTE_MS, now_ms, err) < 0)
			return -(int)err->code;
	return 0;
}

/* A channel that is failing keeps to its ladder: news do not make a server that is down answer. */
static int put(struct sql *tx, const struct channel *ch, struct outbox *o, struct err *err)
{
	struct ulid id = ulid_new(o->created_ms);

	o->id = id.s;
	o->channel_id = ch->id;
	if (store_outbox_add(tx, o, err) < 0)
		return -(int)err->code;
	return ch->status == CHANNEL_FAILING ? 0 : notify_wanted(tx, ch->id, o->due_ms, o->created_ms, err);
}

static int ended(struct sql *tx, const struct channel *ch, struct outbox *o, struct err *err)
{
	_cleanup_free_ char *waiting = NULL;
	bool told = false;

	if (store_outbox_told(tx, ch->id, o->notice_id, &told, &waiting, err) < 0)
		return -(int)err->code;
	if (waiting && store_outbox_end(tx, waiting, OUTBOX_SKIPPED, NULL, o->created_ms, NULL, err) < 0)
		return -(int)err->code;
	return told ? put(tx, ch, o, err) : 0;
}

int notify_notice(struct sql *tx, const struct notice *n, enum outbox_phase phase, int64_t now_ms, struct err *err)
{
	_cleanup_channel_list_ struct channel_list l = { 0 };
	_cleanup_free_ char *event = xstrdup(notice_kind_text(n->kind)), *notice = xstrdup(n->id);

	if (store_channel_all(tx, &l, err) < 0)
		return -(int)err->code;
	for (size_t i = 0; i < l.n; i++) {
		struct outbox o = { .event = event, .phase = phase, .notice_id = notice, .created_ms = now_ms, .due_ms = now_ms };

		if (phase == PHASE_RAISED)
			o.due_ms += NOTIFY_GATHER_MS;
		if (!l.v[i].enabled || !channel_wants(&l.v[i], event))
			continue;
		if (phase == PHASE_ENDED ? ended(tx, &l.v[i], &o, err) < 0 : put(tx, &l.v[i], &o, err) < 0)
			return -(int)err->code;
	}
	return 0;
}

int notify_about(struct sql *q, const struct channel *ch, const char *vendor, const char *certificate_id, int64_t now_ms, bool *ret, struct err *err)
{
	_cleanup_certificate_notes_ struct certificate_notes notes = { 0 };
	_cleanup_search_ struct search s = { 0 };

	*ret = !channel_narrow(ch);
	if (*ret)
		return 0;
	if (store_notes_get(q, certificate_id, &notes, err) < 0)
		return -(int)err->code;
	*ret = channel_about(ch, vendor, &notes.tags, notes.owner);
	if (!*ret || !ch->search)
		return 0;
	if (search_parse(ch->search, now_ms, &s, err) < 0)
		return err_wrap(err, "could not read the search of notification channel '%s'", ch->name);
	return store_search_finds(q, &s, certificate_id, now_ms, ret, err);
}

int notify_event(struct sql *tx, const char *event, json_t *detail, const char *vendor, const char *certificate_id, int64_t now_ms,
		 struct err *err)
{
	_cleanup_channel_list_ struct channel_list l = { 0 };
	_cleanup_free_ char *text = NULL, *name = xstrdup(event);

	if (store_channel_all(tx, &l, err) < 0)
		return -(int)err->code;
	for (size_t i = 0; i < l.n; i++) {
		struct outbox o = { .event = name, .phase = PHASE_HAPPENED, .created_ms = now_ms, .due_ms = now_ms };
		bool about;

		if (!l.v[i].enabled || !channel_wants(&l.v[i], event))
			continue;
		if (notify_about(tx, &l.v[i], vendor, certificate_id, now_ms, &about, err) < 0)
			return -(int)err->code;
		if (!about)
			continue;
		if (!text)
			text = json_text(detail);
		o.detail = text;
		if (put(tx, &l.v[i], &o, err) < 0)
			return -(int)err->code;
	}
	return 0;
}

/* ---- the job of one channel ---- */

struct turn {
	struct job_run *r;
	struct channel ch;
	struct outbox o;
	struct told told;
	enum outbox_state state;
	bool none;
};

static void turn_done(struct turn *t)
{
	channel_done(&t->ch);
	outbox_done(&t->o);
	told_done(&t->told);
}

/* The channel, rid of what nobody will ask for any more, and with the digest that is due. */
static int prepare(struct sql *tx, void *arg, struct err *err)
{
	struct turn *t = arg;
	_cleanup_strlist_ struct strlist open = { 0 };
	int64_t now = engine_now(t->r->e), dropped = 0;
	struct outbox o = { .event = (char[]){ EVENT_DIGEST }, .phase = PHASE_DIGEST, .created_ms = now, .due_ms = now };
	struct ulid id = ulid_new(now);
	bool digest;

	channel_done(&t->ch);
	if (store_channel_get(tx, t->r->j.subject_id, &t->ch, err) < 0 ||
	    store_outbox_drop(tx, t->ch.id, now - KEEP_MS, LIMIT_OUTBOX, now, &dropped, err) < 0)
		return -(int)err->code;
	digest = t->ch.enabled && t->ch.digest_ms <= now;
	if (!dropped && !digest)
		return 0;
	t->ch.dropped += dropped;
	if (digest) {
		t->ch.digest_ms = MAX(t->ch.digest_ms + DAY_MS, now + HOUR_MS);
		if (store_outbox_open_notices(tx, t->ch.id, now - DIGEST_AFTER_MS, 1, &open, err) < 0)
			return -(int)err->code;
		o.id = id.s;
		o.channel_id = t->ch.id;
		if (open.n && store_outbox_add(tx, &o, err) < 0)
			return -(int)err->code;
	}
	return store_channel_put_state(tx, &t->ch, err);
}

static int next(struct sql *q, void *arg, struct err *err)
{
	struct turn *t = arg;

	outbox_done(&t->o);
	told_done(&t->told);
	t->none = false;
	if (store_outbox_next(q, t->ch.id, &t->o, err) < 0) {
		if (err->code != ERR_NOT_FOUND)
			return -(int)err->code;
		err_clear(err);
		t->none = true;
		return 0;
	}
	t->none = t->o.due_ms > engine_now(t->r->e);
	return t->none ? 0 : told_make(q, t->r->e, &t->ch, &t->o, &t->told, err);
}

/* Sent, or not to be sent. The channel as it is by now: somebody may have changed it meanwhile. */
static int mark(struct sql *tx, void *arg, struct err *err)
{
	struct turn *t = arg;
	_cleanup_channel_ struct channel c = { 0 };
	int64_t now = engine_now(t->r->e);

	if (store_outbox_end(tx, t->o.id, t->state, t->told.subject, now, NULL, err) < 0)
		return -(int)err->code;
	if (t->state != OUTBOX_SENT)
		return 0;
	if (t->o.notice_id && store_notice_told(tx, t->o.notice_id, now, err) < 0)
		return -(int)err->code;
	if (store_channel_get(tx, t->ch.id, &c, err) < 0) {
		if (err->code != ERR_NOT_FOUND)
			return -(int)err->code;
		err_clear(err);
		return 0;
	}
	c.status = CHANNEL_OK;
	replace_str(&c.reason, NULL);
	c.sent_ms = now;
	return store_channel_put_state(tx, &c, err);
}

struct failure {
	struct job_run *r;
	const struct err *why;
};

static int note_failure(struct sql *tx, void *arg, struct err *err)
{
	struct failure *f = arg;
	_cleanup_channel_ struct channel c = { 0 };

	if (store_channel_get(tx, f->r->j.subject_id, &c, err) < 0)
		return -(int)err->code;
	c.status = CHANNEL_FAILING;
	free(c.reason);
	c.reason = err_to_json_text(f->why);
	return store_channel_put_state(tx, &c, err);
}

/* In the transaction that ends the run: when the next message is due, those that came meanwhile included. */
static int plan(struct sql *tx, void *arg, struct err *err)
{
	struct job_run *r = arg;
	_cleanup_outbox_ struct outbox o = { 0 };

	if (store_outbox_next(tx, r->j.subject_id, &o, err) == 0)
		return store_job_wake(tx, job_kind_text(JOB_NOTIFY), r->j.subject_id, o.due_ms, err);
	if (err->code != ERR_NOT_FOUND)
		return -(int)err->code;
	err_clear(err);
	return 0;
}

static int send_one(struct turn *t, struct err *err)
{
	_cleanup_err_ struct err again = ERR_INIT;
	enum net_leg leg;

	t->state = t->told.skip ? OUTBOX_SKIPPED : OUTBOX_SENT;
	if (!t->told.skip && channel_send(t->r, &t->ch, t->o.id, t->o.event, &t->told, &leg, err) < 0) {
		struct failure f = { t->r, err };

		if (err->code != ERR_BUSY && engine_write(t->r->e, note_failure, &f, &again) < 0 && again.code != ERR_NOT_FOUND)
			log_err(LOG_WARNING, "could not note that a notification channel fails", &again);
		return -(int)err->code;
	}
	CRASH_POINT("notify-sent");
	return engine_write(t->r->e, mark, t, err);
}

int job_notify(struct job_run *r, struct err *err)
{
	_cleanup_(turn_done) struct turn t = { .r = r };
	int64_t end = clock_boot(r->e->clock) + BATCH_MS;

	if (engine_write(r->e, prepare, &t, err) < 0) {
		if (err->code != ERR_NOT_FOUND)
			return -(int)err->code;
		err_clear(err); /* deleted */
		r->j.state = JOB_DONE;
		r->j.ended_ms = engine_now(r->e);
		return 0;
	}
	r->wait = true;
	r->j.due_ms = engine_now(r->e) + DAY_MS;
	if (!t.ch.enabled)
		return 0;
	for (int i = 0; i < BATCH && clock_boot(r->e->clock) < end; i++) {
		if (engine_read(r->e, next, &t, err) < 0)
			return err_wrap(err, "could not read what is to be told to '%s'", t.ch.name);
		if (t.none)
			break;
		if (send_one(&t, err) < 0)
			return err_wrap(err, "could not tell '%s'", t.ch.name);
	}
	r->j.due_ms = MIN(r->j.due_ms, MAX(t.ch.digest_ms, engine_now(r->e)));
	r->also = plan;
	return 0;
}

/* ---- Send test ---- */

static int load(struct sql *q, void *arg, struct err *err)
{
	struct turn *t = arg;

	channel_done(&t->ch);
	return store_channel_get(q, t->r->j.subject_id, &t->ch, err);
}

/* What a test came to; a channel that is well again sends at once what waits. */
static int tested(struct sql *tx, void *arg, struct err *err)
{
	struct job_run *r = arg;
	_cleanup_channel_ struct channel c = { 0 };
	json_t *reason = json_object_get(r->result, "reason");
	int64_t now = engine_now(r->e);

	if (store_channel_get(tx, r->j.subject_id, &c, err) < 0) {
		if (err->code != ERR_NOT_FOUND)
			return -(int)err->code;
		err_clear(err);
		return 0;
	}
	c.tested_ms = now;
	c.status = json_is_object(reason) ? CHANNEL_FAILING : CHANNEL_OK;
	free(c.reason);
	c.reason = json_is_object(reason) ? json_text(reason) : NULL;
	if (store_channel_put_state(tx, &c, err) < 0)
		return -(int)err->code;
	return c.status == CHANNEL_OK ? notify_wanted(tx, c.id, now, now, err) : 0;
}

int job_channel_test(struct job_run *r, struct err *err)
{
	_cleanup_(turn_done) struct turn t = { .r = r };
	_cleanup_err_ struct err why = ERR_INIT;
	enum net_leg leg = NET_LEG_NONE;

	if (engine_read(r->e, load, &t, err) < 0)
		return -(int)err->code;
	told_test(r->e, &t.ch, &t.told);
	if (channel_send(r, &t.ch, r->j.id, EVENT_TEST, &t.told, &leg, &why) < 0 && r->e->crashed)
		return err_move(err, &why);
	json_decref(r->result);
	r->result = json_pack("{s:b, s:s, s:o}", "sent", !err_is(&why), "leg", net_leg_text(leg), "reason",
			      err_is(&why) ? err_to_json(&why) : json_null());
	r->also = tested;
	return 0;
}
