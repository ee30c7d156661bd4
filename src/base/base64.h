/* SPDX-License-Identifier: Apache-2.0 */
/* base64.h - RFC 4648 base64 and base64url. Decoding is strict: no blanks, no stray bits, no padding for base64url. */
#ifndef BASE_BASE64_H
#define BASE_BASE64_H

#include "base/buf.h"

void base64url_encode(struct buf *out, const void *p, size_t n); /* no padding */
void base64_encode(struct buf *out, const void *p, size_t n);    /* with padding */
int base64url_decode(struct buf *out, const char *s, size_t n, struct err *err); /* INVALID, TOO_LARGE */
int base64_decode(struct buf *out, const char *s, size_t n, struct err *err);
/* Either alphabet, padded or not, blanks around ignored: EAB keys as vendors hand them out. */
int base64_decode_any(struct buf *out, const char *s, size_t n, struct err *err);

#endif
