/* SPDX-License-Identifier: Apache-2.0 */
/*
 * program.h - how the rest of the product asks for a foreign program to be run. It never does so itself: the request goes
 * to the runner, a process with a uid of its own (app/runner.h), which knows the path behind a name from the [programs]
 * table of the configuration. Arguments are no place for secrets (others on the host can read them); input is.
 */
#ifndef BASE_PROGRAM_H
#define BASE_PROGRAM_H

#include "base/buf.h"

struct program_request {         /* all borrowed during the call */
	const char *name;        /* key of the [programs] table of the configuration: the path is named there only */
	const char *const *args; /* after argv[0]; NULL-ended; may be NULL */
	const char *const *env;  /* "NAME=value", NULL-ended; nothing else is in the environment but PATH */
	struct str input;        /* its standard input; may hold secrets */
	int64_t timeout_ms;      /* 0 = 60 s */
	size_t max_output;       /* 0 = 64 KiB; what comes after is dropped and the program ended */
	bool scratch;            /* a private directory, wiped after; its path is in $CERTWRIGHT_SCRATCH and is the working directory */
};

struct program_result {
	int status;     /* exit status, or 128+signal */
	struct buf out; /* stdout and stderr as they came */
};

/* 0 whatever the status; TIMEOUT, INVALID (name not configured), TOO_LARGE (output), BUSY (no runner now), INTERNAL. */
typedef int program_run_fn(void *arg, const struct program_request *q, struct program_result *ret, struct err *err);

#endif
