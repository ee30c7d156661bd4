/* SPDX-License-Identifier: Apache-2.0 */
/*
 * selftest.c - the test build of edge only (certwright-edge-selftest): a query for NAME.selftest.invalid makes the thread that
 * reads it do the forbidden thing, so that a test can see the sandbox end the process. Never part of the product.
 */
#include "edge/edge.h"

#include <fcntl.h>
#include <pthread.h>
#include <sched.h>
#include <sys/mman.h>
#include <sys/ptrace.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <unistd.h>

static void *nothing(void *arg)
{
	return arg;
}

static void do_open(void)
{
	if (open("/etc/passwd", O_RDONLY) < 0)
		return;
}

static void do_socket(void)
{
	socket(AF_INET, SOCK_STREAM, 0);
}

static void do_connect(void)
{
	struct sockaddr_in in = { .sin_family = AF_INET, .sin_port = htons(9), .sin_addr.s_addr = htonl(INADDR_LOOPBACK) };

	connect(0, (struct sockaddr *)&in, sizeof in);
}

static void do_bind(void)
{
	struct sockaddr_in in = { .sin_family = AF_INET };

	bind(0, (struct sockaddr *)&in, sizeof in);
}

static void do_execve(void)
{
	char *argv[] = { NULL };

	execve("/bin/true", argv, argv);
}

static void do_ptrace(void)
{
	ptrace(PTRACE_TRACEME, 0, NULL, NULL);
}

static void do_clone(void)
{
	pthread_t thread;

	pthread_create(&thread, NULL, nothing, NULL);
}

static void do_fork(void)
{
	if (fork() == 0)
		_exit(0);
}

static void do_mmap(void)
{
	mmap(NULL, 4096, PROT_READ | PROT_WRITE | PROT_EXEC, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
}

static void do_mprotect(void)
{
	static _Alignas(4096) char page[4096];

	mprotect(page, sizeof page, PROT_READ | PROT_EXEC);
}

static void do_kill(void)
{
	syscall(__NR_kill, getppid(), 0);
}

static void do_x32(void)
{
#ifdef __x86_64__
	syscall(0x40000000 | __NR_getpid);
#else
	syscall(__NR_openat, -1, "", 0);
#endif
}

static void do_nothing(void)
{
}

static const struct {
	const char *label;
	void (*run)(void);
} deeds[] = {
	{ "open", do_open },     { "socket", do_socket },     { "connect", do_connect }, { "bind", do_bind },
	{ "execve", do_execve }, { "ptrace", do_ptrace },     { "clone", do_clone },     { "fork", do_fork },
	{ "mmap", do_mmap },     { "mprotect", do_mprotect }, { "kill", do_kill },       { "x32", do_x32 },
	{ "nothing", do_nothing },
};

void selftest_query(const struct dns_query *q)
{
	char text[DNS_NAME_TEXT];

	dns_name_text(&q->qname, text);
	for (size_t i = 0; i < ARRAY_SIZE(deeds); i++) {
		size_t n = strlen(deeds[i].label);

		if (!strncmp(text, deeds[i].label, n) && streq(text + n, ".selftest.invalid"))
			deeds[i].run();
	}
}
