/* SPDX-License-Identifier: Apache-2.0 */
/*
 * sandbox.h - a process locks itself in: no new privileges, no core dumps, and a seccomp allow-list for all its threads.
 *
 * The filter is written by hand (no libseccomp) for x86-64 and arm64. A system call that is not in the list ends the
 * process; so do those of another architecture or ABI. mmap and mprotect are only allowed without PROT_EXEC, whether
 * listed or not listed they are judged that way.
 */
#ifndef BASE_SANDBOX_H
#define BASE_SANDBOX_H

#include "base/err.h"

/* Before threads run: no core dumps, not traceable by others of the same user, no new privileges. */
int sandbox_prepare(struct err *err);

/* After all threads run: calls is a list of __NR_ numbers, the most frequent first; applies to every thread.
 * INTERNAL when the kernel refuses. Does nothing but say so in a sanitizer build, which needs calls of its own. */
int sandbox_enter(const int *calls, size_t n, struct err *err);

/* False in a sanitizer build: system calls and address space cannot be restricted there. */
bool sandbox_effective(void);

#endif
