/* SPDX-License-Identifier: Apache-2.0 */
/*
 * ulid.h - ids: 26 characters of Crockford base32, time first, monotone within the process, thread-safe.
 * Made before the row is written (they are associated data of sealed columns). Never used for order of visibility.
 */
#ifndef BASE_ULID_H
#define BASE_ULID_H

#include "base/util.h"

#define ULID_LEN 26
struct ulid {
	char s[ULID_LEN + 1];
};

struct ulid ulid_new(int64_t now_ms);
bool ulid_valid(const char *s); /* exactly 26 characters of the upper-case alphabet */

#endif
