/* SPDX-License-Identifier: Apache-2.0 */
/* reload.c - see reload.h. */
#include "cli/reload.h"

#include "base/clock.h"
#include "base/proc.h"

#include <errno.h>
#include <signal.h>
#include <spawn.h>
#include <sys/wait.h>
#include <unistd.h>

#define RELOAD_MS (5 * MINUTE_MS)

/* Ours without what is ours alone, and certbot's two. The texts are owned by the list. */
static void environment(const char *lineage, const struct strlist *domains, struct strlist *ret)
{
	_cleanup_free_ char *names = strlist_join(domains, " "), *one = xasprintf("RENEWED_LINEAGE=%s", lineage),
			    *two = xasprintf("RENEWED_DOMAINS=%s", names);

	for (char **e = environ; e && *e; e++)
		if (!str_starts(*e, "RENEWED_") && !str_starts(*e, "CERTWRIGHT_TOKEN"))
			strlist_add(ret, *e);
	strlist_add(ret, one);
	strlist_add(ret, two);
}

static int spawn(const struct strlist *words, const struct strlist *env, bool to_stderr, pid_t *ret)
{
	_cleanup_free_ char **argv = xcalloc(words->n + 1, sizeof *argv), **envp = xcalloc(env->n + 1, sizeof *envp);
	posix_spawn_file_actions_t files;
	posix_spawnattr_t attr;
	sigset_t none;
	int rc;

	memcpy(argv, words->v, words->n * sizeof *argv);
	memcpy(envp, env->v, env->n * sizeof *envp);
	sigemptyset(&none);
	posix_spawn_file_actions_init(&files);
	posix_spawn_file_actions_addopen(&files, STDIN_FILENO, "/dev/null", 0, 0);
	if (to_stderr)
		posix_spawn_file_actions_adddup2(&files, STDERR_FILENO, STDOUT_FILENO);
	posix_spawnattr_init(&attr);
	posix_spawnattr_setsigmask(&attr, &none);
	posix_spawnattr_setflags(&attr, POSIX_SPAWN_SETSIGMASK);
	rc = posix_spawnp(ret, argv[0], &files, &attr, argv, envp);
	posix_spawnattr_destroy(&attr);
	posix_spawn_file_actions_destroy(&files);
	return rc;
}

int reload_run(const struct strlist *words, const char *lineage, const struct strlist *domains, bool to_stderr, struct err *err)
{
	_cleanup_strlist_ struct strlist env = { 0 };
	_cleanup_free_ char *text = NULL;
	pid_t pid;
	int status;

	environment(lineage, domains, &env);
	errno = spawn(words, &env, to_stderr, &pid);
	if (errno)
		return err_set_errno(err, ERR_INTERNAL, "could not run '%s'", words->v[0]);
	status = proc_wait(pid, RELOAD_MS);
	if (WIFEXITED(status) && WEXITSTATUS(status) == 0)
		return 0;
	text = proc_status_text(status);
	return err_set(err, ERR_INTERNAL, "'%s' %s", words->v[0], text);
}
