/* SPDX-License-Identifier: Apache-2.0 */
/*
 * err.h - one error type, one convention.
 *
 * A function that can fail for more than one reason returns int: 0, or -code; the reason is in the caller's
 * struct err, which is held by value by whoever will consume the error, is never NULL, and is all zero when there is
 * no error. It is set ONCE where the fact is known (err_set) and wrapped on the way up (err_wrap), so that no layer can
 * overwrite its cause. Text: lower case, no full stop, names the kind of object and quotes its name:
 * "could not publish TXT record for 'a.example'". "could not" may work next time, "cannot" never will.
 * A hint, if any, is a sentence of its own, saying what to do.
 *
 * ERR_CODES is the single source for the HTTP status and title at the API edge, for whether the engine retries, for the
 * command line's exit status and for docs/generated/errors.md.
 */
#ifndef BASE_ERR_H
#define BASE_ERR_H

#include "base/util.h"

enum retry_class {
	RETRY_NEVER,  /* asking again cannot help */
	RETRY_NOW,    /* at once, bounded number of times (badNonce) */
	RETRY_LATER,  /* the ladder: 1 min, 10 min, 100 min, daily */
	RETRY_PARK,   /* the scope is parked until retry_at_ms */
	RETRY_REMAKE, /* this order cannot go on, a new one may */
	RETRY_PERSON, /* a person must decide */
};

#define ERR_CODES(X) /* code       HTTP  retry   exit  slug                  title */                                   \
	X(INVALID,          400, NEVER,  2, "invalid",              "Invalid input")                                   \
	X(UNAUTHENTICATED,  401, NEVER,  8, "unauthenticated",      "Sign-in needed")                                  \
	X(DENIED,           403, NEVER,  8, "denied",               "Not allowed")                                     \
	X(NOT_FOUND,        404, NEVER,  3, "not-found",            "No such object")                                  \
	X(METHOD,           405, NEVER,  2, "method-not-allowed",   "Method not allowed")                              \
	X(CONFLICT,         409, NEVER,  4, "conflict",             "Conflicting state")                               \
	X(IN_USE,           409, NEVER,  4, "in-use",               "Object is in use")                                \
	X(CHANGED,          412, NEVER,  4, "changed",              "Object was changed meanwhile")                    \
	X(TOO_LARGE,        413, NEVER,  2, "too-large",            "Too large")                                       \
	X(REUSED_KEY,       422, NEVER,  4, "idempotency-key-reused", "Idempotency key used with another request")     \
	X(NEEDS_MATCH,      428, NEVER,  4, "precondition-required", "If-Match needed")                                \
	X(TOO_MANY,         429, LATER,  6, "too-many-requests",    "Too many requests")                               \
	X(NONCE,            502, NOW,    5, "nonce",                "Nonce not accepted")                              \
	X(NETWORK,          502, LATER,  6, "network",              "Remote service not reached")                      \
	X(UNTRUSTED,        502, LATER,  6, "untrusted",            "Certificate of the remote service not accepted")  \
	X(REMOTE_BUSY,      502, LATER,  6, "remote-busy",          "Remote service failed")                           \
	X(REMOTE_BAD,       502, LATER,  5, "remote-bad-answer",    "Remote service gave an unusable answer")          \
	X(REMOTE_LIMIT,     429, PARK,   5, "remote-limit",         "Rate limited by the remote service")              \
	X(REMOTE_REFUSED,   422, NEVER,  5, "remote-refused",       "Refused by the remote service")                   \
	X(REMOTE_GONE,      502, REMAKE, 5, "remote-gone",          "Order is no longer usable")                       \
	X(NEEDS_PERSON,     409, PERSON, 7, "needs-person",         "A person must decide")                            \
	X(TIMEOUT,          504, LATER,  6, "timeout",              "Took too long")                                   \
	X(BUSY,             503, LATER,  6, "busy",                 "Busy, try again")                                 \
	X(LOST_LEASE,       409, NEVER,  4, "lost-lease",           "Somebody else carries on with this")              \
	X(STORE,            503, LATER,  1, "store",                "Database could not be used")                      \
	X(NO_SPACE,         507, LATER,  1, "no-space",             "No space left")                                   \
	X(INTERNAL,         500, NEVER,  1, "internal",             "Internal error")

enum err_code {
	ERR_NONE,
#define X(code, http, retry, exit, slug, title) ERR_##code,
	ERR_CODES(X)
#undef X
	ERR_COUNT
};

struct err {                 /* all zero = no error */
	enum err_code code;  /* what code may branch on */
	char *detail;        /* one sentence: what could not be done, to which object */
	char *field;         /* JSON pointer to the offending input ("/names/0"), or NULL */
	char *hint;          /* what to do, a sentence of its own, or NULL */
	char *remote;        /* the remote side's own words (problem detail), escaped, or NULL */
	char *remote_type;   /* the remote side's error type, e.g. urn:ietf:params:acme:error:caa, or NULL */
	int64_t retry_at_ms; /* earliest useful retry, unix ms; 0 = not known */
	struct err *cause;   /* what it came from */
};

#define ERR_INIT ((struct err){ 0 })

/* Sets code and sentence; e must be empty (asserted). Returns -code. */
int err_set(struct err *e, enum err_code code, const char *fmt, ...) PRINTF(3, 4);
/* As err_set, with the JSON pointer of the offending input. */
int err_set_field(struct err *e, enum err_code code, const char *field, const char *fmt, ...) PRINTF(4, 5);
/* As err_set with ": <strerror(errno)>" behind it; ENOSPC and EDQUOT become NO_SPACE. */
int err_set_errno(struct err *e, enum err_code code, const char *fmt, ...) PRINTF(3, 4);
/* Puts an outer sentence around e; keeps code, retry_at_ms, field, hint and remote. Returns -code. e must hold an error. */
int err_wrap(struct err *e, const char *fmt, ...) PRINTF(2, 3);
/* Adds the hint or the remote side's words if there are none yet. Return -code. */
int err_hint(struct err *e, const char *fmt, ...) PRINTF(2, 3);
int err_remote(struct err *e, const char *type, const char *words);
/* Moves the error out of from (which becomes empty) into e, which must be empty. Returns -code. */
int err_move(struct err *e, struct err *from);
void err_copy(struct err *to, const struct err *from); /* to must be empty */

static inline bool err_is(const struct err *e)
{
	return e->code != ERR_NONE;
}

/* Nobody was spoken to: no way there, or somebody else answers. */
static inline bool err_not_reached(const struct err *e)
{
	return e->code == ERR_NETWORK || e->code == ERR_UNTRUSTED;
}

void err_clear(struct err *e);
#define _cleanup_err_ __attribute__((cleanup(err_clear)))

/* The chain in one line: "outer: inner: innermost". The result is owned by the caller. */
char *err_text(const struct err *e);
/* The innermost error of the chain. */
const struct err *err_root(const struct err *e);

int err_http_status(enum err_code code);
int err_exit_status(enum err_code code);
enum retry_class err_retry(enum err_code code);
const char *err_slug(enum err_code code);
const char *err_title(enum err_code code);
bool err_from_slug(const char *slug, enum err_code *ret);

#endif
