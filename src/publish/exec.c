/* SPDX-License-Identifier: Apache-2.0 */
/*
 * exec.c - a program of the host's administrator, called as lego's provider "exec" calls it: PROGRAM present FQDN. VALUE and
 * PROGRAM cleanup FQDN. VALUE, or in RAW mode PROGRAM present -- DOMAIN TOKEN KEYAUTH; status 0 is success. So a script written for
 * lego serves here unchanged.
 */
#include "publish/program.h"
#include "publish/txt.h"

extern const struct publisher publisher_exec;

struct exec {
	struct program_hook hook;
	bool raw;
};

static void close_(void *self)
{
	struct exec *x = self;

	if (!x)
		return;
	program_hook_done(&x->hook);
	free(x);
}

static int open_(const struct publish_env *env, const struct field_value *values, size_t n, void **ret_self, struct err *err)
{
	struct exec *x = xcalloc(1, sizeof *x);

	(void)env;
	x->raw = txt_raw_mode(values, n);
	if (program_hook_open(values, n, "environment", &x->hook, err) < 0) {
		close_(x);
		return -(int)err->code;
	}
	*ret_self = x;
	return 0;
}

static int run(void *self, const struct program_visit *v, const char *act, const struct challenge_set *set, size_t i, struct err *err)
{
	const struct exec *x = self;
	_cleanup_txt_raw_ struct txt_raw raw = { 0 };
	_cleanup_free_ char *name = name_plain(set->name), *fqdn = xasprintf("%s.", name), *words = NULL;
	const char *plain[] = { act, fqdn, set->values.v[i], NULL };
	int status = 0;

	if (x->raw && txt_raw_of(set, i, &raw, err) < 0)
		return -(int)err->code;
	if (program_run(v, x->raw ? (const char *const[]){ act, "--", raw.domain, raw.token, raw.key_auth, NULL } : plain, &x->hook.env, &status,
			&words, err) < 0)
		return -(int)err->code;
	return status ? program_failed(v, status, words, err) : 0;
}

static int publish(void *self, const struct publish_env *env, const struct challenge_set *set, struct err *err)
{
	struct exec *x = self;

	return program_each(&(struct program_each){ &x->hook, env, &publisher_exec, false, run, x }, "present", set, "present", err);
}

static int withdraw(void *self, const struct publish_env *env, const struct challenge_set *set, struct err *err)
{
	struct exec *x = self;

	return program_each(&(struct program_each){ &x->hook, env, &publisher_exec, false, run, x }, "cleanup", set, "clean up", err);
}

static const struct field fields[] = {
	{ .name = "program", .flags = FIELD_REQUIRED | FIELD_PROGRAM | FIELD_ENDPOINT, .max = 64,
	  .help = "One of those that the host's administrator has named in [programs] of the configuration file" },
	{ .name = "environment", .flags = FIELD_SECRET | FIELD_LINES,
	  .help = "NAME=value, one a line: credentials of the script; nothing else is in its environment but PATH" },
	{ .name = "mode", .standard = "default", .choices = txt_modes,
	  .help = "RAW: PROGRAM present -- DOMAIN TOKEN KEYAUTH, for scripts that make the value themselves (lego's EXEC_MODE=RAW)" },
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
