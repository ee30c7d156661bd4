/* SPDX-License-Identifier: Apache-2.0 */
/*
 * proc.h - starting another program: exactly the descriptors given, a clean environment, no inherited signal state.
 * For the supervisor, the runner and the command line only.
 *
 * The child gets the descriptors of fds as 3, 4, 5, ... in order, with LISTEN_FDS, LISTEN_FDNAMES and LISTEN_PID as systemd
 * passes them; standard input is /dev/null, standard output and error are ours; everything else is closed. It is the leader of
 * a process group of its own (a Ctrl-C on the terminal reaches only us) and gets death_signal when we die.
 */
#ifndef BASE_PROC_H
#define BASE_PROC_H

#include "base/str.h"

#include <sys/types.h>

#define PROC_FDS_MAX 64

struct proc_fd {
	int fd;           /* borrowed */
	const char *name; /* letters, digits and '-' */
};

struct proc_start {                 /* all borrowed during the call */
	int program;                /* descriptor of the program's file (O_PATH), so that its folder need not be entered */
	const char *const *argv;    /* ended by NULL */
	const struct strlist *env;  /* NAME=VALUE, the whole environment but for LISTEN_* */
	const struct proc_fd *fds;
	size_t n_fds;
	int death_signal;           /* 0 = none */
	int out;                    /* its standard output and error; -1 = ours */
};

/* INTERNAL with what failed, found out before the call returns: a program that cannot be executed is an error here. */
int proc_start(const struct proc_start *s, pid_t *ret, struct err *err);

/* Waits for the end of a child; sends SIGKILL when timeout_ms (-1 = none) is over. Returns its wait status. */
int proc_wait(pid_t pid, int64_t timeout_ms);
/* "ended with status 3", "was killed by signal 9 (Killed)". The text is owned by the caller. */
char *proc_status_text(int status);

#endif
