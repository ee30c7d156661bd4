/* SPDX-License-Identifier: Apache-2.0 */
/*
 * runner.h - the process in which foreign programs and risky parsing run, so that neither is ever inside core.
 *
 *	supervisor forks it first, before it binds or opens anything, under a uid of its own (run.runner_user); it holds one
 *	socket pair end and nothing else, reads no configuration and parses nothing itself
 *	core       sends one end of a fresh socket pair per job over the other end (runner_client_run)
 *	runner     forks a keeper per job, which reads the request, runs the job, kills what is left of it and wipes its scratch
 *
 * A foreign program gets: its arguments, PATH and the given environment, the input on a pipe, no other descriptor, no way to new
 * privileges, limits on CPU time, memory, file size, descriptors and processes. It may use the network (that is what hooks
 * are for). When it ends, is too late, says too much or core goes away, its process group and every descendant of it is killed,
 * also one that left the group. A builtin is a function of this program ("@name"), run without exec in a process that may
 * do nothing but compute: a system call outside a short list ends it.
 */
#ifndef APP_RUNNER_H
#define APP_RUNNER_H

#include "base/program.h"

#include <sys/types.h>

#define RUNNER_REQUEST_MAX (4 * 1024 * 1024) /* everything of one request */
#define RUNNER_OUTPUT_MAX (4 * 1024 * 1024)
#define RUNNER_OUTPUT_DEFAULT (64 * 1024)
#define RUNNER_TIMEOUT_MS (60 * 1000)        /* when the request names none */
#define RUNNER_TIMEOUT_MAX_MS (10 * 60 * 1000)
#define RUNNER_JOBS 16                       /* at once; further ones wait */

/* Limits of one job. */
#define RUNNER_CPU_S 60
#define RUNNER_MEMORY (512 * 1024 * 1024)
#define RUNNER_FILE (64 * 1024 * 1024)
#define RUNNER_PROCESSES 64 /* counted by its keeper, five times a second; a program is one with the processes it starts */
#define RUNNER_BUILTIN_CPU_S 5
#define RUNNER_BUILTIN_MEMORY (256 * 1024 * 1024)

struct runner_builtin {
	const char *name;      /* "@pkcs12"; NULL ends the table */
	void (*prepare)(void); /* before the lock goes on: loads what needs files. May be NULL */
	/* Input from outside, at most what base/limits.h says; an error's code and sentence reach the caller. */
	int (*run)(struct str input, struct buf *out, struct err *err);
};
extern const struct runner_builtin runner_builtins[];

struct runner_options {                        /* borrowed */
	const struct strlist *programs;        /* "name=/absolute/path" */
	const struct runner_builtin *builtins; /* ended by a NULL name; NULL = none */
	uid_t uid;                             /* to become, with gid and no other group; */
	gid_t gid;                             /* used when become is true */
	bool become;
};

/* core's end and the runner's, both kept by the supervisor: so they outlive core and runner, and requests wait meanwhile. */
int runner_pair(int pair[2], struct err *err);
/* Forks the runner on its end (borrowed). */
int runner_start(const struct runner_options *o, int end, pid_t *ret_pid, struct err *err);

/*
 * Instead of both, where the service manager starts the runner: serves listen_fd (borrowed), a listening SOCK_STREAM socket that
 * core alone may connect to, one connection per job, until SIGTERM.
 */
int runner_serve(const struct runner_options *o, int listen_fd, struct err *err);

/* The program of that name as the configuration names it, or why it cannot be used: absolute, executable, not writable by others. */
int runner_program_check(const char *path, struct err *err);
bool runner_name_ok(const char *name); /* of a [programs] key: a-z, 0-9, '-', '_' */

/* Core's side: a program_run_fn. arg is a struct runner_client. */
struct runner_client {
	int fd;           /* core's end, borrowed; -1: there is no runner, */
	const char *path; /* or it is a unit of its own and listens here; borrowed */
};
int runner_client_run(void *arg, const struct program_request *q, struct program_result *ret, struct err *err);

#endif
