/* SPDX-License-Identifier: Apache-2.0 */
/* proc.c - see proc.h. Between fork and exec only async-signal-safe calls are made, on memory prepared before. */
#include "base/proc.h"

#include "base/clock.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#define HIGH_FD 200 /* descriptors are parked above this while they are put in place */

/* Decimal text of the pid, without stdio. */
static void put_pid(char *to, pid_t pid)
{
	char digits[16];
	size_t n = 0;

	do
		digits[n++] = (char)('0' + pid % 10);
	while ((pid /= 10));
	while (n)
		*to++ = digits[--n];
	*to = '\0';
}

struct child {
	const struct proc_start *s;
	char *const *argv;
	char *const *envp;
	char *pid_at; /* inside envp: where LISTEN_PID's value goes */
	pid_t parent;
	int report; /* write end: errno of what failed */
};

static void child_fail(const struct child *c, int what)
{
	int report[2] = { what, errno };

	if (write(c->report, report, sizeof report) < 0)
		_exit(127);
	_exit(127);
}

/* Puts program, report and the descriptors where they belong and closes all else. */
static void child_descriptors(struct child *c, int *program)
{
	int parked[PROC_FDS_MAX], null = open("/dev/null", O_RDONLY), next = 3;

	if (null < 0 || dup2(null, 0) < 0)
		child_fail(c, 1);
	if (c->s->out >= 0 && (dup2(c->s->out, 1) < 0 || dup2(c->s->out, 2) < 0))
		child_fail(c, 1);
	*program = fcntl(c->s->program, F_DUPFD_CLOEXEC, HIGH_FD);
	c->report = fcntl(c->report, F_DUPFD_CLOEXEC, HIGH_FD);
	if (*program < 0 || c->report < 0)
		child_fail(c, 1);
	for (size_t i = 0; i < c->s->n_fds; i++)
		if ((parked[i] = fcntl(c->s->fds[i].fd, F_DUPFD_CLOEXEC, HIGH_FD)) < 0)
			child_fail(c, 1);
	for (size_t i = 0; i < c->s->n_fds; i++, next++)
		if (dup2(parked[i], next) < 0) /* without close-on-exec */
			child_fail(c, 1);
	if (syscall(SYS_close_range, next, HIGH_FD - 1, 0) < 0)
		for (int fd = next; fd < HIGH_FD; fd++)
			close(fd);
	/* what lies above HIGH_FD goes at exec: parked ones, program, report */
	(void)syscall(SYS_close_range, HIGH_FD, ~0u, 1u << 2 /* CLOSE_RANGE_CLOEXEC */);
}

static void child_run(struct child *c)
{
	struct sigaction dfl = { .sa_handler = SIG_DFL };
	sigset_t none;
	int program = -1;

	for (int sig = 1; sig < NSIG; sig++)
		sigaction(sig, &dfl, NULL);
	sigemptyset(&none);
	sigprocmask(SIG_SETMASK, &none, NULL);
	if (setpgid(0, 0) < 0)
		child_fail(c, 2);
	if (c->s->death_signal && prctl(PR_SET_PDEATHSIG, c->s->death_signal) < 0)
		child_fail(c, 2);
	if (c->s->death_signal && getppid() != c->parent)
		_exit(127);
	child_descriptors(c, &program);
	put_pid(c->pid_at, getpid());
	syscall(SYS_execveat, program, "", c->argv, c->envp, AT_EMPTY_PATH);
	child_fail(c, 3);
}

int proc_start(const struct proc_start *s, pid_t *ret, struct err *err)
{
	_cleanup_free_ char **envp = xcalloc((s->env ? s->env->n : 0) + 4, sizeof *envp);
	_cleanup_strlist_ struct strlist names = { 0 };
	_cleanup_free_ char *joined = NULL, *fds = NULL, *fdnames = NULL;
	char listen_pid[32] = "LISTEN_PID=";
	static const char *const steps[] = { "", "descriptors", "process group", "exec" };
	int pipe_fds[2], report[2] = { 0, 0 };
	struct child c = { .s = s, .envp = envp, .parent = getpid() };
	size_t n = 0;
	ssize_t got;
	pid_t pid;

	assert(s->n_fds <= PROC_FDS_MAX);
	memcpy(&c.argv, &s->argv, sizeof c.argv); /* exec's prototype lacks the const */
	for (size_t i = 0; i < s->n_fds; i++)
		strlist_add(&names, s->fds[i].name);
	joined = strlist_join(&names, ":");
	fds = xasprintf("LISTEN_FDS=%zu", s->n_fds);
	fdnames = xasprintf("LISTEN_FDNAMES=%s", joined);
	for (size_t i = 0; s->env && i < s->env->n; i++)
		envp[n++] = s->env->v[i];
	if (s->n_fds) {
		envp[n++] = fds;
		envp[n++] = fdnames;
		envp[n++] = listen_pid;
	}
	c.pid_at = listen_pid + strlen(listen_pid);
	if (pipe2(pipe_fds, O_CLOEXEC) < 0)
		return err_set_errno(err, ERR_INTERNAL, "could not make a pipe");
	c.report = pipe_fds[1];
	pid = fork();
	if (pid < 0) {
		close(pipe_fds[0]);
		close(pipe_fds[1]);
		return err_set_errno(err, ERR_INTERNAL, "could not start '%s'", s->argv[0]);
	}
	if (pid == 0)
		child_run(&c);
	close(pipe_fds[1]);
	do
		got = read(pipe_fds[0], report, sizeof report);
	while (got < 0 && errno == EINTR);
	close(pipe_fds[0]);
	if (got == sizeof report) {
		waitpid(pid, NULL, 0);
		errno = report[1];
		return err_set_errno(err, ERR_INTERNAL, "could not start '%s' (%s)", s->argv[0],
				     report[0] > 0 && report[0] < (int)ARRAY_SIZE(steps) ? steps[report[0]] : "?");
	}
	*ret = pid;
	return 0;
}

int proc_wait(pid_t pid, int64_t timeout_ms)
{
	int64_t until = timeout_ms < 0 ? INT64_MAX : clock_boot(&clock_system) + timeout_ms;
	int status = 0;
	bool killed = false;

	for (;;) {
		pid_t r = waitpid(pid, &status, killed || timeout_ms < 0 ? 0 : WNOHANG);

		if (r == pid)
			return status;
		if (r < 0 && errno != EINTR)
			return 0;
		if (r == 0 && clock_boot(&clock_system) >= until) {
			kill(pid, SIGKILL);
			killed = true;
		} else if (r == 0) {
			nanosleep(&(struct timespec){ .tv_nsec = 10 * 1000 * 1000 }, NULL);
		}
	}
}

char *proc_status_text(int status)
{
	if (WIFSIGNALED(status))
		return xasprintf("was killed by signal %d (%s)", WTERMSIG(status), strsignal(WTERMSIG(status)));
	return xasprintf("ended with status %d", WEXITSTATUS(status));
}
