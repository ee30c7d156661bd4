/* SPDX-License-Identifier: Apache-2.0 */
/*
 * renewal_window.c - maintenance windows: a renewal that is due waits for the next one, at a random moment of its first three
 * quarters. A window that would come too late is overruled, and so is every window when the authority wants the certificate replaced
 * now (DECISIONS 54); both are told.
 */
#include "base/cron.h"
#include "base/log.h"
#include "engine/notice.h"
#include "engine/private.h"
#include "store/inventory.h"
#include "store/renewal.h"

enum of_whom { OF_ITSELF, OF_A_TAG, OF_ALL };

static bool is_for(const struct renewal_window *w, enum of_whom whom, const struct renewal *n, const struct certificate_notes *notes)
{
	switch (whom) {
	case OF_ITSELF:
		return n->window_id && streq(w->id, n->window_id);
	case OF_A_TAG:
		return w->tag && strlist_has(&notes->tags, w->tag);
	case OF_ALL:
		break;
	}
	return w->is_default;
}

/* Its own, else that of one of its tags (of several the one made first), else the default one; *ret_found false: whenever it likes. */
static int window_of(struct sql *tx, const struct certificate *c, const struct renewal *n, struct renewal_window *ret, bool *ret_found,
		     struct err *err)
{
	_cleanup_renewal_window_list_ struct renewal_window_list l = { 0 };
	_cleanup_certificate_notes_ struct certificate_notes notes = { 0 };

	*ret_found = false;
	if (store_renewal_window_list(tx, &l, err) < 0 || (l.n && store_notes_get(tx, c->id, &notes, err) < 0))
		return -(int)err->code;
	for (enum of_whom whom = OF_ITSELF; whom <= OF_ALL; whom++)
		for (size_t i = 0; i < l.n; i++)
			if (is_for(&l.v[i], whom, n, &notes)) {
				*ret = TAKE(l.v[i]);
				*ret_found = true;
				return 0;
			}
	return 0;
}

static int overrule(struct sql *tx, const struct certificate *c, const struct renewal_window *w, const char *why, int64_t now, struct err *err)
{
	_cleanup_free_ char *cause = xasprintf("certificate %" PRId64 " (%s) is renewed outside its maintenance window '%s': %s", c->num,
					       c->names.n ? c->names.v[0] : "", w->name, why);
	struct notice_cause n = {
		.kind = NOTICE_WINDOW, .subject_kind = "certificate", .subject_id = c->id, .cause = cause, .certificate = c, .now_ms = now,
		.next_step = "See that what uses it takes the new one at a good time.",
	};

	return notice_raise(tx, &n, err);
}

int renewal_window_stops(struct sql *tx, struct engine *e, struct certificate *c, struct renewal *n, struct err *err)
{
	_cleanup_renewal_window_ struct renewal_window w = { 0 };
	_cleanup_zone_ struct zone *z = NULL;
	_cleanup_err_ struct err why = ERR_INIT;
	struct cron cron;
	bool found;
	int64_t now = engine_now(e), span, next;

	if (window_of(tx, c, n, &w, &found, err) < 0)
		return -(int)err->code;
	if (!found)
		return 0;
	if (cron_parse(w.cron, &cron, &why) < 0 || zone_load(w.zone, &z, &why) < 0) {
		log_err(LOG_WARNING, "a maintenance window cannot be read, renewals go on without it", &why);
		return 0;
	}
	span = w.minutes * MINUTE_MS;
	if (cron_inside(&cron, z, span, now))
		return 0;
	if (n->why == RENEWAL_BY_RECALL || n->why == RENEWAL_BY_REVOCATION)
		return overrule(tx, c, &w, "the authority wants it replaced now", now, err);
	next = cron_next(&cron, z, now);
	if (!next || next > c->not_after_ms - (c->not_after_ms - c->not_before_ms) / 10)
		return overrule(tx, c, &w, "the next one would come too late", now, err);
	n->waits = WAITS_WINDOW;
	c->next_attempt_ms = next + (int64_t)engine_below(e, (uint64_t)MAX(span / 4 * 3, 1));
	return 1;
}
