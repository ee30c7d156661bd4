/* SPDX-License-Identifier: Apache-2.0 */
/* notice.c - see notice.h. */
#include "engine/notice.h"

#include "base/ulid.h"
#include "engine/notify.h"
#include "store/notice.h"

static int find_or_add(struct sql *tx, const struct notice_cause *c, struct notice *ret, bool *ret_new, struct err *err)
{
	*ret_new = false;
	if (store_notice_find(tx, c->kind, c->subject_kind, c->subject_id, ret, err) == 0)
		return 0;
	if (err->code != ERR_NOT_FOUND)
		return -(int)err->code;
	err_clear(err);
	*ret = (struct notice){
		.id = xstrdup(ulid_new(c->now_ms).s), .kind = c->kind, .subject_kind = xstrdup(c->subject_kind),
		.subject_id = xstrdup(c->subject_id), .cause = xstrdup(c->cause), .next_step = xstrdup_null(c->next_step),
		.raised_ms = c->now_ms, .changed_ms = c->now_ms, .remind_ms = c->remind_ms,
	};
	*ret_new = true;
	return store_notice_add(tx, ret, err);
}

static bool same(const char *a, const char *b)
{
	return a && b ? streq(a, b) : a == b;
}

int notice_raise(struct sql *tx, const struct notice_cause *c, struct err *err)
{
	_cleanup_notice_ struct notice n = { 0 };
	bool fresh, joined = false, changed;

	if (find_or_add(tx, c, &n, &fresh, err) < 0)
		return -(int)err->code;
	if (c->certificate &&
	    store_notice_touch(tx, n.id, c->certificate->id, c->certificate->not_after_ms, c->now_ms, &joined, err) < 0)
		return -(int)err->code;
	changed = fresh || joined || !same(n.cause, c->cause) || !same(n.next_step, c->next_step) || n.remind_ms != c->remind_ms;
	if (!changed)
		return 0;
	replace_str(&n.cause, c->cause);
	replace_str(&n.next_step, c->next_step);
	n.changed_ms = c->now_ms;
	n.remind_ms = c->remind_ms;
	if (store_notice_sum(tx, n.id, &n.touched, &n.first_expiry_ms, err) < 0)
		return -(int)err->code;
	if (store_notice_put(tx, &n, err) < 0)
		return -(int)err->code;
	return fresh ? notify_notice(tx, &n, PHASE_RAISED, c->now_ms, err) : 0;
}

int notice_join(struct sql *tx, const struct notice_cause *c, bool *ret_joined, struct err *err)
{
	_cleanup_notice_ struct notice n = { 0 };
	struct notice_cause as = *c;

	*ret_joined = false;
	if (store_notice_find(tx, c->kind, c->subject_kind, c->subject_id, &n, err) < 0) {
		if (err->code != ERR_NOT_FOUND)
			return -(int)err->code;
		err_clear(err);
		return 0;
	}
	as.cause = n.cause;
	as.next_step = n.next_step;
	as.remind_ms = n.remind_ms;
	*ret_joined = true;
	return notice_raise(tx, &as, err);
}

static int end_quietly(struct sql *tx, struct notice *n, int64_t now_ms, struct err *err)
{
	n->ended_ms = now_ms;
	n->changed_ms = now_ms;
	n->remind_ms = 0;
	return store_notice_put(tx, n, err);
}

static int end_one(struct sql *tx, struct notice *n, int64_t now_ms, struct err *err)
{
	return end_quietly(tx, n, now_ms, err) < 0 ? -(int)err->code : notify_notice(tx, n, PHASE_ENDED, now_ms, err);
}

int notice_end(struct sql *tx, enum notice_kind kind, const char *subject_kind, const char *subject_id, int64_t now_ms, struct err *err)
{
	_cleanup_notice_ struct notice n = { 0 };

	if (store_notice_find(tx, kind, subject_kind, subject_id, &n, err) < 0) {
		if (err->code != ERR_NOT_FOUND)
			return -(int)err->code;
		err_clear(err);
		return 0;
	}
	return end_one(tx, &n, now_ms, err);
}

/* The list of an ended notice stays: whoever is told that it is over is told of what. */
static int leave(struct sql *tx, struct notice *n, const char *certificate_id, int64_t now_ms, bool quietly, struct err *err)
{
	if (n->touched <= 1 && quietly)
		return end_quietly(tx, n, now_ms, err);
	if (n->touched <= 1)
		return end_one(tx, n, now_ms, err);
	if (store_notice_untouch(tx, n->id, certificate_id, err) < 0 ||
	    store_notice_sum(tx, n->id, &n->touched, &n->first_expiry_ms, err) < 0)
		return -(int)err->code;
	n->changed_ms = now_ms;
	return store_notice_put(tx, n, err);
}

int notice_leave(struct sql *tx, const struct notice_cause *c, struct err *err)
{
	_cleanup_notice_list_ struct notice_list l = { 0 };

	if (store_notice_of(tx, c->certificate->id, &l, err) < 0)
		return -(int)err->code;
	for (size_t i = 0; i < l.n; i++)
		if (l.v[i].kind == c->kind && streq(l.v[i].subject_kind, c->subject_kind) && streq(l.v[i].subject_id, c->subject_id))
			return leave(tx, &l.v[i], c->certificate->id, c->now_ms, c->moves, err);
	return 0;
}

int notice_end_certificate(struct sql *tx, const char *certificate_id, const enum notice_kind *kind, int64_t now_ms, struct err *err)
{
	_cleanup_notice_list_ struct notice_list l = { 0 };

	if (store_notice_of(tx, certificate_id, &l, err) < 0)
		return -(int)err->code;
	for (size_t i = 0; i < l.n; i++)
		if ((!kind || l.v[i].kind == *kind) && leave(tx, &l.v[i], certificate_id, now_ms, false, err) < 0)
			return -(int)err->code;
	return 0;
}
