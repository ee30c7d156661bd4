/* SPDX-License-Identifier: Apache-2.0 */
/*
 * guard.h - what a request head must be, beyond what the HTTP library checks: the walls against request smuggling and
 * ambiguous credentials. Pure, so that it can be tested byte by byte.
 */
#ifndef API_GUARD_H
#define API_GUARD_H

#include "base/str.h"

struct guard {
	unsigned content_length, host, transfer_encoding, credentials[6], headers;
	size_t bytes;
	bool bad;
};

#define GUARD_HEADERS_MAX 100
#define GUARD_URI_MAX 4096

/* Each header as it comes; lengths are those the library counted, so a NUL inside shows. */
void guard_header(struct guard *g, const char *name, size_t name_n, const char *value, size_t value_n);
/* True when the head may be looked at; else *ret_why (a constant) says what is wrong. */
bool guard_ok(const struct guard *g, const char *uri, const char *version, const char **ret_why);

/*
 * Percent-decoding of one path segment or query part. False: broken escape, control character, invalid UTF-8.
 * plus: '+' means a blank (queries). The result is owned by the caller.
 */
bool guard_unescape(const char *s, size_t n, bool plus, char **ret);

#endif
