/* SPDX-License-Identifier: Apache-2.0 */
/* pg.c - starts and stops a private PostgreSQL for tests. */
#include "tests/contract/pg.h"

#include "base/util.h"

#include <dirent.h>
#include <fcntl.h>
#include <pwd.h>
#include <signal.h>
#include <sys/stat.h>
#include <sys/wait.h>

static char *find_bin(const char *name)
{
	DIR *d = opendir("/usr/lib/postgresql");
	char *found = NULL;
	struct dirent *e;

	while (d && (e = readdir(d))) {
		char *path = xasprintf("/usr/lib/postgresql/%s/bin/%s", e->d_name, name);

		if (!found && !access(path, X_OK))
			found = path;
		else
			free(path);
	}
	if (d)
		closedir(d);
	return found;
}

/* Runs as postgres when we are root (the server refuses root); output goes to the log of the directory. */
static pid_t spawn(const struct pg *pg, char *const argv[])
{
	struct passwd *pw = getpwnam("postgres");
	pid_t pid = fork();

	if (pid == 0) {
		char *log = xasprintf("%s/log", pg->dir);
		int fd;

		if (geteuid() == 0 && (!pw || setgid(pw->pw_gid) < 0 || setuid(pw->pw_uid) < 0))
			_exit(126);
		fd = open(log, O_WRONLY | O_CREAT | O_APPEND, 0600);
		dup2(fd, 1);
		dup2(fd, 2);
		if (chdir(pg->dir) < 0)
			_exit(126);
		execv(argv[0], argv);
		_exit(127);
	}
	return pid;
}

static bool run_to_end(const struct pg *pg, char *const argv[])
{
	pid_t pid = spawn(pg, argv);
	int status = -1;

	return pid > 0 && waitpid(pid, &status, 0) == pid && WIFEXITED(status) && WEXITSTATUS(status) == 0;
}

#define ARG(s) xstrdup(s)

bool pg_run(struct pg *pg)
{
	_cleanup_free_ char *bin = find_bin("postgres"), *ready = find_bin("pg_isready"), *data = xasprintf("%s/data", pg->dir);
	char *argv[] = { bin,	    ARG("-D"), data,	   ARG("-k"), pg->dir,	  ARG("-c"), ARG("listen_addresses="),
			 ARG("-c"), ARG("fsync=off"), ARG("-c"), ARG("shared_buffers=16MB"), ARG("-c"),
			 ARG("max_connections=100"), NULL };
	char *ask[] = { ready, ARG("-q"), ARG("-h"), pg->dir, ARG("-d"), ARG("postgres"), ARG("-U"), ARG("cw"), NULL };
	bool ok = false;

	pg->pid = spawn(pg, argv);
	for (int i = 0; i < 2400 && !ok; i++) {
		ok = run_to_end(pg, ask);
		if (!ok)
			usleep(50 * 1000);
	}
	for (size_t i = 0; i < ARRAY_SIZE(argv); i++)
		if (argv[i] != bin && argv[i] != data && argv[i] != pg->dir)
			free(argv[i]);
	for (size_t i = 1; i < ARRAY_SIZE(ask); i++)
		if (ask[i] != pg->dir)
			free(ask[i]);
	return ok;
}

bool pg_start(struct pg *pg, const char **why)
{
	_cleanup_free_ char *initdb = find_bin("initdb"), *data = NULL;
	struct passwd *pw = getpwnam("postgres");
	char template[] = "/tmp/cw-pg-XXXXXX";
	bool ok;

	*why = "PostgreSQL's server is not installed (package postgresql)";
	if (!initdb)
		return false;
	*why = "there is no user postgres to run the server as";
	if (geteuid() == 0 && !pw)
		return false;
	*why = "could not make a temporary directory";
	if (!mkdtemp(template))
		return false;
	pg->dir = xstrdup(template);
	if (geteuid() == 0 && chown(pg->dir, pw->pw_uid, pw->pw_gid) < 0)
		return false;
	data = xasprintf("%s/data", pg->dir);
	{
		char *argv[] = { initdb, ARG("-D"), data, ARG("-A"), ARG("trust"), ARG("-U"), ARG("cw"), ARG("--no-sync"),
				 ARG("-E"), ARG("UTF8"), NULL };

		ok = run_to_end(pg, argv);
		for (size_t i = 1; i < ARRAY_SIZE(argv); i++)
			if (argv[i] != data)
				free(argv[i]);
	}
	*why = "PostgreSQL's initdb failed";
	if (!ok)
		return false;
	*why = "PostgreSQL's server did not start";
	return pg_run(pg);
}

void pg_kill(struct pg *pg, int signo)
{
	if (pg->pid <= 0)
		return;
	kill(pg->pid, signo);
	waitpid(pg->pid, NULL, 0);
	pg->pid = 0;
}

void pg_stop(struct pg *pg)
{
	pg_kill(pg, SIGINT);
	if (pg->dir) {
		pid_t pid = fork();

		if (pid == 0) {
			execl("/bin/rm", "rm", "-rf", pg->dir, (char *)NULL);
			_exit(127);
		}
		waitpid(pid, NULL, 0);
	}
	free(pg->dir);
	memset(pg, 0, sizeof *pg);
}

char *pg_url(const struct pg *pg, const char *database)
{
	char *host = xstrdup(pg->dir), *url;
	size_t slashes = 0, n = 0;
	char *quoted;

	for (char *p = host; *p; p++)
		slashes += *p == '/';
	quoted = xmalloc(strlen(host) + 2 * slashes + 1);
	for (char *p = host; *p; p++) {
		if (*p == '/') {
			memcpy(quoted + n, "%2F", 3);
			n += 3;
		} else {
			quoted[n++] = *p;
		}
	}
	quoted[n] = 0;
	url = xasprintf("postgresql://cw@/%s?host=%s", database, quoted);
	free(host);
	free(quoted);
	return url;
}
