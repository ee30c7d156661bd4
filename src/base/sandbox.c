/* SPDX-License-Identifier: Apache-2.0 */
/* sandbox.c - see sandbox.h; seccomp(2), BPF as in linux/filter.h. */
#include "base/sandbox.h"

#include "base/log.h"

#include <errno.h>
#include <linux/audit.h>
#include <linux/filter.h>
#include <linux/seccomp.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/syscall.h>
#include <unistd.h>

#if defined(__x86_64__)
#define ARCH AUDIT_ARCH_X86_64
#elif defined(__aarch64__)
#define ARCH AUDIT_ARCH_AARCH64
#else
#error "the system call filter is written for x86-64 and arm64"
#endif

#ifdef __has_feature
#if __has_feature(address_sanitizer) || __has_feature(thread_sanitizer) || __has_feature(memory_sanitizer)
#define SANITIZED 1
#endif
#endif
#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__)
#define SANITIZED 1
#endif
#ifndef SANITIZED
#define SANITIZED 0
#endif

#define CALLS_MAX 64

int sandbox_prepare(struct err *err)
{
	struct rlimit none = { 0, 0 };

	if (setrlimit(RLIMIT_CORE, &none) < 0)
		return err_set_errno(err, ERR_INTERNAL, "could not switch core dumps off");
	if (prctl(PR_SET_DUMPABLE, 0, 0, 0, 0) < 0)
		return err_set_errno(err, ERR_INTERNAL, "could not make the process undumpable");
	if (prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) < 0)
		return err_set_errno(err, ERR_INTERNAL, "could not give up new privileges");
	return 0;
}

struct program {
	struct sock_filter f[2 * CALLS_MAX + 16];
	unsigned short n;
};

static void add(struct program *p, struct sock_filter f)
{
	assert(p->n < ARRAY_SIZE(p->f));
	p->f[p->n++] = f;
}

#define LOAD(field) ((struct sock_filter)BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offsetof(struct seccomp_data, field)))
#define RETURN(what) ((struct sock_filter)BPF_STMT(BPF_RET | BPF_K, (what)))
#define IF_EQ(value, yes, no) ((struct sock_filter)BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, (unsigned)(value), yes, no))
#define IF_ANY_BIT(bits, yes, no) ((struct sock_filter)BPF_JUMP(BPF_JMP | BPF_JSET | BPF_K, (unsigned)(bits), yes, no))

static void build(struct program *p, const int *calls, size_t n)
{
	add(p, LOAD(arch));
	add(p, IF_EQ(ARCH, 1, 0));
	add(p, RETURN(SECCOMP_RET_KILL_PROCESS));
	add(p, LOAD(nr));
	for (size_t i = 0; i < n; i++) {
		add(p, IF_EQ(calls[i], 0, 1));
		add(p, RETURN(SECCOMP_RET_ALLOW));
	}
	add(p, IF_EQ(__NR_mmap, 1, 0));
	add(p, IF_EQ(__NR_mprotect, 0, 3));
	add(p, LOAD(args[2])); /* prot; little-endian: the lower half */
	add(p, IF_ANY_BIT(PROT_EXEC, 1, 0));
	add(p, RETURN(SECCOMP_RET_ALLOW));
	add(p, RETURN(SECCOMP_RET_KILL_PROCESS));
}

bool sandbox_effective(void)
{
	return !SANITIZED;
}

int sandbox_enter(const int *calls, size_t n, struct err *err)
{
	struct program p = { .n = 0 };
	struct sock_fprog prog;
	long r;

	if (SANITIZED) {
		log_warning("built with a sanitizer: system calls are not restricted");
		return 0;
	}
	assert(n <= CALLS_MAX);
	build(&p, calls, n);
	prog = (struct sock_fprog){ p.n, p.f };
	r = syscall(__NR_seccomp, SECCOMP_SET_MODE_FILTER, SECCOMP_FILTER_FLAG_TSYNC, &prog);
	if (r > 0) {
		errno = EBUSY;
		r = -1; /* the thread that could not follow */
	}
	if (r < 0)
		return err_set_errno(err, ERR_INTERNAL, "could not restrict system calls");
	return 0;
}
