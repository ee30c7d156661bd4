/* SPDX-License-Identifier: Apache-2.0 */
/*
 * search.h - what people type to find certificates: terms separated by blanks, all of which must hold.
 *
 *	expires<14d vendor:digicert tag:prod key:rsa2048 name:*.example.com "Team Web"
 *
 * key:value with one of the keys of search_keys, expires<WHEN and expires>WHEN (12h, 14d, 2w from now, or a day: 2027-01-31), and words
 * without a key, which are looked for in all names. "..." keeps blanks together. Text in, a struct of values out; no SQL.
 */
#ifndef MODEL_SEARCH_H
#define MODEL_SEARCH_H

#include "base/err.h"
#include "base/str.h"

#define SEARCH_WORDS 8

#define SEARCH_STATUSES(X)                                                                                             \
	X(SEARCH_ACTIVE, "active") X(SEARCH_EXPIRING, "expiring") X(SEARCH_EXPIRED, "expired") X(SEARCH_REVOKED, "revoked")   \
	X(SEARCH_SET_ASIDE, "set-aside") X(SEARCH_WAITING, "waiting") /* issued, waiting to be installed */

enum search_status {
	SEARCH_ANY,
#define X(value, text) value,
	SEARCH_STATUSES(X)
#undef X
};

struct search {
	struct strlist words; /* lower case, each in at least one name; 3 characters or more */
	char *name;           /* exact, or ".example.com" when suffix is true */
	bool suffix;
	char *vendor, *tag, *owner, *key, *source;
	int managed; /* -1 = either */
	enum search_status status;
	int64_t after_ms, before_ms; /* bounds of notAfter, exclusive; 0 = none */
};

extern const char *const search_keys; /* "status, expires, ..." for sentences */

/* INVALID with field "/q" and a sentence that says which term and why. *ret is to be empty and is untouched on failure. */
int search_parse(const char *text, int64_t now_ms, struct search *ret, struct err *err) MUST_CHECK;
void search_done(struct search *s);
#define _cleanup_search_ __attribute__((cleanup(search_done)))
/* No term at all. */
bool search_empty(const struct search *s);
/* About when they expire: the list is best ordered by that. */
bool search_by_expiry(const struct search *s);

struct search_subject { /* of one certificate, borrowed */
	const char *names, *vendor, *owner, *key_type, *source, *status;
	bool managed, tagged, waiting;
	int64_t not_before_ms, not_after_ms;
};
bool search_matches(const struct search *s, const struct search_subject *c, int64_t now_ms);

#endif
