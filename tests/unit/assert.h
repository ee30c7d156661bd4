/* SPDX-License-Identifier: Apache-2.0 */
/*
 * assert.h - thin wrappers over cmocka's assertions that show both values. Include this instead of cmocka.h.
 * Test names are sentences: static void finalize_waits_as_told(void **state).
 */
#ifndef TESTS_UNIT_ASSERT_H
#define TESTS_UNIT_ASSERT_H

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "base/err.h"
#include "base/str.h"

#define TEST(fn) cmocka_unit_test(fn)
#define RUN(tests) cmocka_run_group_tests(tests, NULL, NULL)

static inline void assert_ok_(int r, const struct err *e, const char *expr, const char *file, int line)
{
	if (r < 0) {
		char *text = err_text(e);

		print_error("%s failed: %s\n", expr, text);
		free(text);
		_fail(file, line);
	}
}

static inline void assert_fails_(int r, struct err *e, enum err_code code, const char *expr, const char *file, int line)
{
	if (r != -(int)code || e->code != code) {
		char *text = err_text(e);

		print_error("%s returned %d (%s: %s), wanted %s\n", expr, r, err_slug(e->code), text, err_slug(code));
		free(text);
		_fail(file, line);
	}
	err_clear(e);
}

static inline void assert_str_(const char *a, const char *b, const char *file, int line)
{
	if ((!a) != (!b) || (a && !streq(a, b))) {
		print_error("\"%s\" is not \"%s\"\n", a ? a : "(null)", b ? b : "(null)");
		_fail(file, line);
	}
}

static inline void assert_int_(int64_t a, int64_t b, const char *expr, const char *file, int line)
{
	if (a != b) {
		print_error("%s is %" PRId64 ", wanted %" PRId64 "\n", expr, a, b);
		_fail(file, line);
	}
}

static inline void assert_has_(const char *text, const char *part, const char *file, int line)
{
	if (!text || !strstr(text, part)) {
		print_error("\"%s\" does not contain \"%s\"\n", text ? text : "(null)", part);
		_fail(file, line);
	}
}

/* The call succeeds; on failure its error is shown. */
#define ASSERT_OK(call, e) assert_ok_((call), (e), #call, __FILE__, __LINE__)
/* The call fails with just this code; the error is cleared. */
#define ASSERT_FAILS(call, e, code) assert_fails_((call), (e), (code), #call, __FILE__, __LINE__)
#define ASSERT_STR(a, b) assert_str_((a), (b), __FILE__, __LINE__)
#define ASSERT_INT(a, b) assert_int_((int64_t)(a), (int64_t)(b), #a, __FILE__, __LINE__)
#define ASSERT_TRUE(x) _assert_true((uintptr_t)(x), #x, __FILE__, __LINE__)
#define ASSERT_FALSE(x) _assert_true((uintptr_t)(!(x)), "not " #x, __FILE__, __LINE__)
#define ASSERT_MEM(a, b, n) assert_memory_equal(a, b, n)
/* The text contains the part. */
#define ASSERT_HAS(text, part) assert_has_((text), (part), __FILE__, __LINE__)

#endif
