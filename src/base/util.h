/* SPDX-License-Identifier: Apache-2.0 */
/*
 * util.h - the handful of macros and allocation wrappers that every file uses.
 *
 * Running out of memory ends the process (every step is durable, so that is a restart, not a loss):
 * the x*alloc functions never return NULL. Sizes that come from outside are capped before they get here.
 */
#ifndef BASE_UTIL_H
#define BASE_UTIL_H

#include <assert.h>
#include <inttypes.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#define ARRAY_SIZE(a) (sizeof(a) / sizeof((a)[0]))
#define BIT(n) (1u << (n))
#define PRINTF(f, a) __attribute__((format(printf, f, a)))
#define MUST_CHECK __attribute__((warn_unused_result))
#define UNUSED __attribute__((unused))

/* For conditions that cannot be; they are asserted and left out of coverage. */
#define NEVER(x) (assert(!(x)), false)

/* Ownership leaves the variable, which becomes its empty state (all zero). */
#define TAKE(x)                                                                                                        \
	({                                                                                                             \
		__typeof__(x) *take_p_ = &(x);                                                                         \
		__typeof__(x) take_v_ = *take_p_;                                                                      \
		memset(take_p_, 0, sizeof *take_p_);                                                                   \
		take_v_;                                                                                               \
	})

#define MIN(a, b) ((a) < (b) ? (a) : (b))
#define MAX(a, b) ((a) > (b) ? (a) : (b))

/* Defines the function behind a cleanup attribute: DEFINE_CLEANUP(struct buf, buf_done) makes buf_done_p. */
#define DEFINE_CLEANUP(type, fn)                                                                                       \
	static inline void fn##_p(type *p)                                                                             \
	{                                                                                                              \
		fn(p);                                                                                                 \
	}                                                                                                              \
	struct swallow_semicolon_##fn

#define _cleanup_(fn) __attribute__((cleanup(fn)))

void *xmalloc(size_t n) __attribute__((malloc, returns_nonnull));
void *xcalloc(size_t n, size_t size) __attribute__((malloc, returns_nonnull));
void *xrealloc(void *p, size_t n) __attribute__((returns_nonnull));
char *xstrdup(const char *s) __attribute__((malloc, returns_nonnull));          /* s must not be NULL */
char *xstrdup_null(const char *s);                                               /* NULL stays NULL */
char *xstrndup(const char *s, size_t n) __attribute__((malloc, returns_nonnull));
void *xmemdup(const void *p, size_t n) __attribute__((malloc, returns_nonnull));
char *xasprintf(const char *fmt, ...) PRINTF(1, 2) __attribute__((malloc, returns_nonnull));

static inline void free_p(void *p)
{
	free(*(void **)p);
}
#define _cleanup_free_ __attribute__((cleanup(free_p)))

void close_p(int *fd); /* closes when >= 0 */
#define _cleanup_close_ __attribute__((cleanup(close_p)))

/* Frees *p and gives it a copy of s (or NULL). */
void replace_str(char **p, const char *s);

#endif
