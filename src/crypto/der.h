/* SPDX-License-Identifier: Apache-2.0 */
/*
 * der.h - a look at DER before the big parser sees it, and a strict PEM reader (RFC 7468). Inside crypto/ only.
 */
#ifndef CRYPTO_DER_H
#define CRYPTO_DER_H

#include "base/buf.h"

#define DER_DEPTH 16

/* Exactly one element of n bytes, definite minimal lengths throughout, nested at most DER_DEPTH deep. INVALID. */
int der_check(const void *p, size_t n, struct err *err);

struct der_element {
	unsigned char tag; /* first octet of the tag */
	bool constructed;
	const unsigned char *p; /* its contents */
	size_t n;
};
/* The element at *p, which moves behind it. INVALID as der_check. */
int der_next(const unsigned char **p, const unsigned char *end, struct der_element *ret, struct err *err);

/*
 * The next block: 1 and its label and bytes, 0 at the end. Only blanks may stand between blocks; the body is strict base64
 * without header lines. der is reset first. INVALID, TOO_LARGE (der's limit).
 */
int pem_next(struct str *rest, struct str *ret_label, struct buf *der, struct err *err);
/* Writes a block with lines of 64 characters. */
void pem_add(struct buf *out, const char *label, const void *der, size_t n);

#endif
