/* SPDX-License-Identifier: Apache-2.0 */
/*
 * buf.h - bytes with a limit from birth.
 *
 *	_cleanup_buf_ struct buf b = BUF_MAX(64 * 1024);
 *	buf_add_str(&b, "hello ");
 *	buf_addf(&b, "%d", 7);
 *	if (buf_check(&b, err) < 0) ...
 *
 * A buffer is always NUL-terminated. Appending past the limit sets the sticky error and appends nothing; so append
 * freely and ask once. Quoting belongs to the builder (buf_add_json), never to the caller. A zero struct is an empty
 * buffer with limit 0: set the limit with BUF_MAX.
 */
#ifndef BASE_BUF_H
#define BASE_BUF_H

#include "base/str.h"

#include <stdarg.h>

struct buf {
	char *p;    /* NULL while nothing was added: use buf_text() */
	size_t n;   /* bytes, without the final NUL */
	size_t cap;
	size_t max;
	bool failed;
};

#define BUF_MAX(limit) { .max = (limit) }

void buf_add(struct buf *b, const void *p, size_t n);
void buf_add_str(struct buf *b, const char *s);
void buf_add_char(struct buf *b, char c);
void buf_addf(struct buf *b, const char *fmt, ...) PRINTF(2, 3);
void buf_add_json(struct buf *b, const char *s, size_t n); /* with its quotes; invalid UTF-8 becomes U+FFFD */
void buf_add_csv(struct buf *b, const char *s); /* a cell with its quotes (RFC 4180), never a spreadsheet's formula; NULL is empty */
void buf_add_hex(struct buf *b, const void *p, size_t n);   /* lower case */
void buf_reset(struct buf *b);                              /* empty again, same limit, error gone */
int buf_check(const struct buf *b, struct err *err);        /* TOO_LARGE when anything did not fit */

static inline const char *buf_text(const struct buf *b)
{
	return b->p ? b->p : "";
}

char *buf_take(struct buf *b); /* the text, owned by the caller; b becomes empty with its limit kept */
void buf_done(struct buf *b);
void buf_done_wipe(struct buf *b); /* wipes first: for text that held a secret */
#define _cleanup_buf_ __attribute__((cleanup(buf_done)))
#define _cleanup_buf_wipe_ __attribute__((cleanup(buf_done_wipe)))

#endif
