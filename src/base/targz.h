/* SPDX-License-Identifier: Apache-2.0 */
/*
 * targz.h - a tar.gz in memory: some text files in one folder. The gzip stores what it is given (RFC 1951 3.2.4) and compresses nothing, so that
 * no library is needed for it.
 *
 *	struct targz t = { .out = &buf, .folder = "certwright-support", .at_ms = now };
 *	targz_add(&t, "config.txt", text, n);
 *	targz_end(&t);
 *	buf_check(&buf, err)
 */
#ifndef BASE_TARGZ_H
#define BASE_TARGZ_H

#include "base/buf.h"

struct targz {
	struct buf *out;    /* borrowed; begins empty */
	const char *folder; /* letters, digits, '-'; short */
	int64_t at_ms;
	struct buf tar;
};

/* name is short, of letters, digits, '.', '-'. */
void targz_add(struct targz *t, const char *name, const void *p, size_t n);
void targz_end(struct targz *t);

#endif
