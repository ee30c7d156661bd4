/* SPDX-License-Identifier: Apache-2.0 */
/* runner_private.h - between the files of the runner only: its messages, and the keeper of one job. */
#ifndef APP_RUNNER_PRIVATE_H
#define APP_RUNNER_PRIVATE_H

#include "app/runner.h"

#define RUNNER_ARGS 256

/* A request as the keeper holds it; the texts point into the message. */
struct runner_job {
	const char *name;
	const char *args[RUNNER_ARGS + 2]; /* args[0] is left free for the program's name */
	const char *env[RUNNER_ARGS + 4];  /* the first are left free for PATH and the scratch directory */
	size_t n_args, n_env;
	struct str input;
	int64_t timeout_ms;
	size_t max_output;
	bool scratch;
};
#define RUNNER_ENV_OWN 2 /* places left free in env */

/* One message: 4 bytes of length, then this. TOO_LARGE, INVALID. */
int runner_request_encode(const struct program_request *q, struct buf *out, struct err *err);
int runner_request_decode(struct str message, struct runner_job *ret, struct err *err);
/* The answer: a result, or an error when e holds one. */
void runner_reply_encode(const struct program_result *r, const struct err *e, struct buf *out);
/* The error in the message, or 0 with the result. INTERNAL when the message is broken. */
int runner_reply_decode(struct str message, struct program_result *ret, struct err *err);

/* Reads a message of at most max bytes until boot time until_ms. TIMEOUT, TOO_LARGE, BUSY (the other side is gone). */
int runner_message_read(int fd, size_t max, int64_t until_ms, struct buf *ret, struct err *err);
int runner_message_write(int fd, struct str message, int64_t until_ms, struct err *err);

/* Runs one job to its end and answers on fd; never returns. home is the directory for scratch ("" = none), parent the runner. */
void runner_keep(const struct runner_options *o, int fd, const char *home, pid_t parent) __attribute__((noreturn));
/* Kills every descendant of this process and reaps it; keep lists children to leave alone. */
void runner_kill_descendants(const pid_t *keep, size_t n);
/* Removes a directory with all that is in it, following nothing. */
void runner_wipe(const char *path);

#endif
