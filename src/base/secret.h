/* SPDX-License-Identifier: Apache-2.0 */
/*
 * secret.h - bytes that are wiped when freed and that no format can print.
 * Zero is empty. Compare with secret_eq, never with memcmp.
 */
#ifndef BASE_SECRET_H
#define BASE_SECRET_H

#include "base/util.h"

struct secret {
	unsigned char *p; /* followed by a NUL that is not counted */
	size_t n;
};

struct secret secret_copy(const void *p, size_t n);
struct secret secret_from(const char *s);
bool secret_eq(const struct secret *a, const struct secret *b); /* constant time for equal lengths */
void secret_clear(struct secret *s);
#define _cleanup_secret_ __attribute__((cleanup(secret_clear)))

#endif
