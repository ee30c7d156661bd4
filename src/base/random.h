/* SPDX-License-Identifier: Apache-2.0 */
/* random.h - getrandom(2); ends the process when the kernel has none (fail closed). */
#ifndef BASE_RANDOM_H
#define BASE_RANDOM_H

#include "base/util.h"

void random_bytes(void *p, size_t n);
uint64_t random_u64(void);
uint64_t random_below(uint64_t limit);                  /* uniform in [0, limit); limit > 0 */
int64_t random_jitter(int64_t value, unsigned percent); /* uniform in value +- percent %, never negative */

#endif
