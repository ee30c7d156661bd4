/* SPDX-License-Identifier: Apache-2.0 */
/*
 * exec.c - a program of the host's administrator, called as lego's provider "exec" calls it: PROGRAM present FQDN. VALUE and
 * PROGRAM cleanup FQDN. VALUE, status 0 is success. So a script written for lego serves here unchanged.
 *
 * lego's other mode (RAW: domain, token, key authorization) is not offered: what has to be withdrawn is kept as the value of the
 * record, and the key authorization cannot be had from it again.
 */
#include "publish/program.h"
#include "publish/txt.h"

extern const struct publisher publisher_exec;

struct exec {
	char *program;
	struct program_env env;
};

static void close_(void *self)
{
	struct exec *x = self;

	if (!x)
		return;
	free(x->program);
	program_env_done(&x->env);
	free(x);
}

static int open_(const struct publish_env *env, const struct field_value *values, size_t n, void **ret_self, struct err *err)
{
	const char *program = field_text(values, n, "program");
	struct exec *x = xcalloc(1, sizeof *x);

	(void)env;
	if (str_empty(program)) {
		close_(x);
		return err_set_field(err, ERR_INVALID, "/fields/program", "the program is missing");
	}
	x->program = xstrdup(program);
	if (program_env_parse(field_secret(values, n, "environment"), &x->env, err) < 0) {
		replace_str(&err->field, "/fields/environment");
		close_(x);
		return err_wrap(err, "the environment of the program '%s' cannot be used", program);
	}
	*ret_self = x;
	return 0;
}

static int run(const struct exec *x, const struct publish_env *env, const char *act, const struct challenge_set *set, struct err *err)
{
	struct program_visit v = { .env = env, .program = x->program, .secrets = &x->env,
				   .until_ms = clock_boot(env->clock) + publisher_exec.timeout_s * SECOND_MS };
	_cleanup_free_ char *name = name_plain(set->name), *fqdn = xasprintf("%s.", name);

	for (size_t i = 0; i < set->values.n; i++) {
		const char *args[] = { act, fqdn, set->values.v[i], NULL };
		_cleanup_free_ char *words = NULL;
		int status = 0;

		if (program_run(&v, args, &x->env, &status, &words, err) < 0)
			return -(int)err->code;
		if (status)
			return program_failed(&v, status, words, err);
	}
	return 0;
}

static int publish(void *self, const struct publish_env *env, const struct challenge_set *set, struct err *err)
{
	if (run(self, env, "present", set, err) < 0)
		return err_wrap(err, "could not present '%s'", set->name);
	return 0;
}

static int withdraw(void *self, const struct publish_env *env, const struct challenge_set *set, struct err *err)
{
	if (run(self, env, "cleanup", set, err) < 0)
		return err_wrap(err, "could not clean up '%s'", set->name);
	return 0;
}

static const struct field fields[] = {
	{ .name = "program", .flags = FIELD_REQUIRED | FIELD_PROGRAM | FIELD_ENDPOINT, .max = 64,
	  .help = "One of those that the host's administrator has named in [programs] of the configuration file" },
	{ .name = "environment", .flags = FIELD_SECRET | FIELD_LINES,
	  .help = "NAME=value, one a line: credentials of the script; nothing else is in its environment but PATH" },
	{ 0 },
};

const struct publisher publisher_exec = {
	.name = "exec",
	.title = "Program",
	.help = "A program of your own: PROGRAM present FQDN. VALUE and PROGRAM cleanup FQDN. VALUE, as lego's exec calls it.",
	.rights = "The program is run as the user run.runner_user, who needs the right to execute it and to read what it reads; it gets no other "
		  "right. It must only succeed when the record is set.",
	.site = "https://go-acme.github.io/lego/dns/exec/",
	.kinds = KIND_DNS01,
	.way = PUBLISH_REMOTE,
	.ttl_s = 60,
	.propagation_s = 60,
	.timeout_s = 55,
	.fields = fields,
	.open = open_,
	.close = close_,
	.publish = publish,
	.withdraw = withdraw,
};
