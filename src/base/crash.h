/* SPDX-License-Identifier: Apache-2.0 */
/*
 * crash.h - named points at which a test build (-Dcrash_hooks=true) dies or fails on demand. In the product they are nothing.
 *
 * CERTWRIGHT_CRASH_FILE names a file with lines "action point count", action being kill or fail:
 *
 *	kill store-committed 7        SIGKILL at the 7th time this process passes that point
 *	fail http-send 3              FAIL_POINT is true the 3rd time
 *	fail http-send 3+             ... and every time after that
 *	kill step-finalize@NAME 1+    SIGKILL each time a point that says whom it is about says NAME; with + the line stays
 *
 * The file is read again whenever it was replaced, and passes count from then. Before a kill the line that caused it is taken out of
 * the file, so that the next process goes on with the rest: two lines are a crash and another one during recovery. A test
 * knows from a line that is still there that N was not reached.
 */
#ifndef BASE_CRASH_H
#define BASE_CRASH_H

#include <stdbool.h>

#ifdef CERTWRIGHT_CRASH_HOOKS
void crash_point(const char *name);
bool fail_point(const char *name);
/* The point "kind-what" about one object: also counted as "kind-what@of". */
void crash_point_of(const char *kind, const char *what, const char *of);
#define CRASH_POINT(name) crash_point(name)
#define FAIL_POINT(name) fail_point(name)
#define CRASH_POINT_OF(kind, what, of) crash_point_of(kind, what, of)
#else
#define CRASH_POINT(name) ((void)0)
#define FAIL_POINT(name) false
#define CRASH_POINT_OF(kind, what, of) ((void)0)
#endif

#endif
