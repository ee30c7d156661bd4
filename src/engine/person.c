/* SPDX-License-Identifier: Apache-2.0 */
/*
 * person.c - an order that waits for a person: one notice while it lasts, said at once, at half time and a day before the end.
 * The notice is raised and ended in the transaction of what it is about.
 */
#include "engine/notice.h"
#include "engine/private.h"

static int64_t half(int64_t since_ms, int64_t until_ms)
{
	return since_ms + (until_ms - since_ms) / 2;
}

/* A day before; of a wait shorter than two days halfway of what is left after half time. */
static int64_t last_call(int64_t since_ms, int64_t until_ms)
{
	return MAX(until_ms - DAY_MS, half(since_ms, until_ms) + (until_ms - since_ms) / 4);
}

int person_stage(int64_t since_ms, int64_t until_ms, int64_t now_ms)
{
	if (until_ms <= since_ms)
		return 0;
	return now_ms >= last_call(since_ms, until_ms) ? 2 : now_ms >= half(since_ms, until_ms) ? 1 : 0;
}

static int64_t remind_at(int64_t since_ms, int64_t until_ms, int64_t now_ms)
{
	switch (person_stage(since_ms, until_ms, now_ms)) {
	case 0:
		return until_ms > since_ms ? half(since_ms, until_ms) : 0;
	case 1:
		return last_call(since_ms, until_ms);
	default:
		return 0;
	}
}

static int raise_notice(struct sql *tx, struct run *r, struct err *err)
{
	int64_t now = engine_now(r->e);
	char until[CLOCK_TEXT];
	_cleanup_free_ char *cause = xasprintf("order %" PRId64 " of '%s' waits for you to publish its %s", r->o.num,
					       r->o.names.n ? r->o.names.v[0] : "", r->o.validation == VALIDATION_DNS01 ? "TXT records" : "files");
	_cleanup_free_ char *next = NULL;
	_cleanup_certificate_ struct certificate c = { 0 };
	struct notice_cause n = { .kind = NOTICE_WAITING_FOR_YOU, .subject_kind = "order", .subject_id = r->o.id, .cause = cause, .now_ms = now,
				  .remind_ms = remind_at(r->o.step_since_ms, r->o.give_up_ms, now) };

	next = r->o.give_up_ms ? xasprintf("Publish what the order shows, before %s; it is seen by itself, and the order goes on.",
					   clock_format(r->o.give_up_ms, until)) :
				 xstrdup("Publish what the order shows; it is seen by itself, and the order goes on.");
	n.next_step = next;
	if (r->o.certificate_id) {
		if (store_certificate_get(tx, r->o.certificate_id, &c, err) == 0)
			n.certificate = &c;
		else if (err->code != ERR_NOT_FOUND)
			return -(int)err->code;
		else
			err_clear(err);
	}
	return notice_raise(tx, &n, err);
}

int person_flush(struct sql *tx, struct run *r, struct err *err)
{
	if (r->person_over)
		return notice_end(tx, NOTICE_WAITING_FOR_YOU, "order", r->o.id, engine_now(r->e), err);
	if (r->person_told && r->o.step == STEP_PROPAGATE)
		return raise_notice(tx, r, err);
	return 0;
}
