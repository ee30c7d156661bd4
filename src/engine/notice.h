/* SPDX-License-Identifier: Apache-2.0 */
/*
 * notice.h - "tell somebody". One cause is one open notice, with the list of the certificates it touches; raising it again adds a
 * certificate or words it anew and tells nobody twice. Whoever sends reads the table (store/notice.h). All run inside the
 * caller's transaction and may run twice.
 */
#ifndef ENGINE_NOTICE_H
#define ENGINE_NOTICE_H

#include "model/certificate.h"
#include "model/renewal.h"
#include "store/sql.h"

struct notice_cause { /* all borrowed */
	enum notice_kind kind;
	const char *subject_kind, *subject_id;
	const char *cause;     /* a sentence: what is wrong, in the words of who says so */
	const char *next_step; /* a sentence: what to do, or NULL */
	const struct certificate *certificate; /* it touches this one, or NULL */
	int64_t remind_ms;     /* when it should be said again, 0 = not by itself */
	int64_t now_ms;
	bool moves; /* notice_leave: it goes on to another notice, so nobody is told that this one is over */
};

int notice_raise(struct sql *tx, const struct notice_cause *c, struct err *err) MUST_CHECK;
/* The cause is gone. Nothing open is fine. */
int notice_end(struct sql *tx, enum notice_kind kind, const char *subject_kind, const char *subject_id, int64_t now_ms, struct err *err) MUST_CHECK;
/*
 * c->certificate joins the open notice of that kind and subject, in its own words: what is told already is not told once more under
 * another kind. *ret_joined false: there is none.
 */
int notice_join(struct sql *tx, const struct notice_cause *c, bool *ret_joined, struct err *err) MUST_CHECK;
/* c->certificate leaves the notice of that cause, which ends when it was the last. Not in it, or nothing open: fine. */
int notice_leave(struct sql *tx, const struct notice_cause *c, struct err *err) MUST_CHECK;
/*
 * This certificate is well again, or gone: it leaves all open notices, and those that touch no other end. kind: only of that
 * kind, or NULL.
 */
int notice_end_certificate(struct sql *tx, const char *certificate_id, const enum notice_kind *kind, int64_t now_ms, struct err *err) MUST_CHECK;

#endif
