/* SPDX-License-Identifier: Apache-2.0 */
/*
 * program.h - what publishers that run a foreign program share: the program with the environment from a pasted list, one run for each
 * value within the time budget of a visit, and the program's last words without the values of that list.
 */
#ifndef PUBLISH_PROGRAM_H
#define PUBLISH_PROGRAM_H

#include "publish/publisher.h"

/* "NAME=value" lines, owned; values are wiped. */
struct program_env {
	char **v; /* NULL-ended, as struct program_request wants it */
	size_t n;
};
/* Blank lines and those with # are skipped, "export " and quotes around a value too. INVALID names the line, never a value. */
int program_env_parse(const struct secret *lines, struct program_env *ret, struct err *err);
void program_env_add(struct program_env *e, const char *name, const char *value); /* replaces */
bool program_env_has(const struct program_env *e, const char *name);
void program_env_copy(struct program_env *to, const struct program_env *from);
void program_env_done(struct program_env *e);
#define _cleanup_program_env_ __attribute__((cleanup(program_env_done)))

struct program_visit { /* borrowed */
	const struct publish_env *env;
	const char *program;
	const struct program_env *secrets; /* whose values are in no error */
	int64_t until_ms;                  /* boot clock */
	bool scratch;
};

/* One run; ret_status is its exit status and ret_words its last words, owned. 0 whatever the status. */
int program_run(const struct program_visit *v, const char *const *args, const struct program_env *e, int *ret_status, char **ret_words,
		struct err *err);
/* A configured program: its name in [programs] and the lines of its environment. */
struct program_hook {
	char *name;
	struct program_env env;
};
/* From the field "program" and the secret of that name; INVALID with the field. */
int program_hook_open(const struct field_value *values, size_t n, const char *lines, struct program_hook *ret, struct err *err);
void program_hook_done(struct program_hook *h);

struct program_each {
	const struct program_hook *hook;
	const struct publish_env *env;
	const struct publisher *publisher; /* whose timeout_s it is */
	bool scratch;
	/* One value, by program_run with v. */
	int (*run)(void *self, const struct program_visit *v, const char *act, const struct challenge_set *set, size_t i, struct err *err);
	void *self;
};
/* run for each value of the set, until one fails; failing says "could not <what> 'NAME'". */
int program_each(const struct program_each *e, const char *act, const struct challenge_set *set, const char *what, struct err *err);
/* REMOTE_BUSY: it ended so, with its words. */
int program_failed(const struct program_visit *v, int status, const char *words, struct err *err);

#endif
