/* SPDX-License-Identifier: Apache-2.0 */
/*
 * runner_job.c - the keeper of one job: a process between the runner and what is run, which outlives it, kills what is left
 * of it and wipes its directory. It is a "child subreaper", so that a descendant that leaves the process group (setsid,
 * double fork) becomes its child and is found.
 */
#include "app/runner_private.h"

#include "base/clock.h"
#include "base/sandbox.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/signalfd.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#define PATH_FOR_PROGRAMS "PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"
#define REQUEST_MS (10 * SECOND_MS)
#define KILL_MS (5 * SECOND_MS)
#define COUNT_MS 200

/* ---- directories --------------------------------------------------------------------------------------------------- */

static void wipe_at(int dir, const char *name, unsigned depth)
{
	int fd = openat(dir, name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
	DIR *d;

	if (fd < 0 && errno == EACCES && fchmodat(dir, name, 0700, 0) == 0)
		fd = openat(dir, name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
	d = fd < 0 ? NULL : fdopendir(fd);
	if (d) {
		(void)fchmod(fd, 0700);
		for (struct dirent *e; (e = readdir(d));) {
			if (streq(e->d_name, ".") || streq(e->d_name, ".."))
				continue;
			if (unlinkat(fd, e->d_name, 0) < 0 && (errno == EISDIR || errno == EPERM) && depth < 200)
				wipe_at(fd, e->d_name, depth + 1);
		}
		closedir(d);
	} else if (fd >= 0) {
		close(fd);
	}
	(void)unlinkat(dir, name, AT_REMOVEDIR);
}

void runner_wipe(const char *path)
{
	wipe_at(AT_FDCWD, path, 0);
}

/* ---- killing ------------------------------------------------------------------------------------------------------- */

static bool listed(const pid_t *l, size_t n, pid_t pid)
{
	for (size_t i = 0; i < n; i++)
		if (l[i] == pid)
			return true;
	return false;
}

struct children {
	char text[16384]; /* numbers with blanks between, as the kernel lists them */
	char *next;
};

static void children_of(pid_t pid, pid_t thread, struct children *ret)
{
	char path[64];
	ssize_t got;
	int fd;

	snprintf(path, sizeof path, "/proc/%d/task/%d/children", (int)pid, (int)thread);
	fd = open(path, O_RDONLY | O_CLOEXEC);
	got = fd < 0 ? 0 : read(fd, ret->text, sizeof ret->text - 1);
	if (fd >= 0)
		close(fd);
	ret->text[got > 0 ? got : 0] = '\0';
	ret->next = ret->text;
}

/* 0 at the end. */
static pid_t next_child(struct children *c)
{
	c->next += strspn(c->next, " ");
	return (pid_t)strtol(c->next, &c->next, 10);
}

/* Kills every child that is not listed and reaps what is dead; whether there was one. */
static bool kill_children(const pid_t *keep, size_t n)
{
	struct children c;
	bool found = false;

	children_of(getpid(), getpid(), &c);
	for (pid_t pid; (pid = next_child(&c)) > 0;)
		if (pid > 1 && !listed(keep, n, pid)) {
			(void)kill(pid, SIGKILL);
			(void)waitpid(pid, NULL, WNOHANG);
			found = true;
		}
	return found;
}

void runner_kill_descendants(const pid_t *keep, size_t n)
{
	int64_t until = clock_boot(&clock_system) + KILL_MS;

	/* a killed parent's children come up to us: again until there are none */
	while (kill_children(keep, n) && clock_boot(&clock_system) < until)
		nanosleep(&(struct timespec){ .tv_nsec = 1000 * 1000 }, NULL);
}

/* ---- counting ------------------------------------------------------------------------------------------------------ */

struct crowd {
	pid_t pid[RUNNER_PROCESSES + 2]; /* this process and as many as may be, and one more */
	size_t n;
};

static void add_children(struct crowd *c, pid_t pid, pid_t thread)
{
	struct children found;

	children_of(pid, thread, &found);
	for (pid_t child; c->n < ARRAY_SIZE(c->pid) && (child = next_child(&found)) > 0;)
		c->pid[c->n++] = child;
}

/* Whether more processes descend from this one than a job may have. The kernel has no such limit: RLIMIT_NPROC is the user's. */
static bool too_many_descend(void)
{
	struct crowd c = { .pid = { getpid() }, .n = 1 };

	for (size_t i = 0; i < c.n && c.n < ARRAY_SIZE(c.pid); i++) {
		char path[32];
		DIR *d;

		snprintf(path, sizeof path, "/proc/%d/task", (int)c.pid[i]);
		d = opendir(path);
		for (struct dirent *e; d && (e = readdir(d));)
			if (*e->d_name != '.')
				add_children(&c, c.pid[i], (pid_t)strtol(e->d_name, NULL, 10));
		if (d)
			closedir(d);
	}
	return c.n == ARRAY_SIZE(c.pid);
}

/* ---- the child ----------------------------------------------------------------------------------------------------- */

static unsigned own_threads(void)
{
	DIR *d = opendir("/proc");
	unsigned n = 0;

	for (struct dirent *e; d && (e = readdir(d));) {
		char path[300], line[256];
		struct stat st;
		FILE *f;

		if (*e->d_name < '1' || *e->d_name > '9')
			continue;
		snprintf(path, sizeof path, "/proc/%s/status", e->d_name);
		f = fopen(path, "re");
		if (!f)
			continue;
		if (fstat(fileno(f), &st) == 0) {
			unsigned uid = ~0u, threads = 0;

			while (fgets(line, sizeof line, f)) {
				if (str_starts(line, "Uid:"))
					uid = (unsigned)strtoul(line + 4, NULL, 10);
				if (str_starts(line, "Threads:"))
					threads = (unsigned)strtoul(line + 8, NULL, 10);
			}
			n += uid == getuid() ? threads : 0;
		}
		fclose(f);
	}
	if (d)
		closedir(d);
	return n;
}

static void limit(int what, rlim_t value)
{
	struct rlimit l = { value, value }, now;

	if (getrlimit((__rlimit_resource_t)what, &now) == 0 && now.rlim_max != RLIM_INFINITY && now.rlim_max < value)
		l = (struct rlimit){ now.rlim_max, now.rlim_max };
	if (setrlimit((__rlimit_resource_t)what, &l) < 0)
		_exit(126);
}

static bool can_fork(void)
{
	pid_t pid = fork();

	if (pid == 0)
		_exit(0);
	return pid > 0 && waitpid(pid, NULL, 0) == pid;
}

/*
 * Only against what multiplies faster than it is counted: the kernel holds it against all processes of the user, other jobs and, where
 * the runner has no user of its own, the server among them, also those that begin later. So it leaves room for every job at its most. Where it
 * counts what we do not see (the same number in other containers), it would let nothing start, and is left away.
 */
static void limit_processes(rlim_t seen)
{
	struct rlimit l, was;

	if (getrlimit(RLIMIT_NPROC, &was) < 0)
		_exit(126);
	l = (struct rlimit){ MIN(was.rlim_cur, seen + (rlim_t)RUNNER_JOBS * RUNNER_PROCESSES), was.rlim_max };
	if (setrlimit(RLIMIT_NPROC, &l) < 0)
		_exit(126);
	if (!can_fork())
		l.rlim_cur = was.rlim_cur;
	l.rlim_max = l.rlim_cur;
	if (setrlimit(RLIMIT_NPROC, &l) < 0)
		_exit(126);
}

/* Nobody's signals, no way up, dead with its keeper. */
static void child_begin(pid_t keeper, const int fds[3])
{
	struct sigaction dfl = { .sa_handler = SIG_DFL };
	sigset_t none;

	for (int sig = 1; sig < NSIG; sig++)
		sigaction(sig, &dfl, NULL);
	sigemptyset(&none);
	sigprocmask(SIG_SETMASK, &none, NULL);
	if (setsid() < 0 || prctl(PR_SET_PDEATHSIG, SIGKILL) < 0 || getppid() != keeper || prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) < 0)
		_exit(126);
	for (int i = 0; i < 3; i++)
		if (fcntl(fds[i], F_DUPFD_CLOEXEC, 100) < 0)
			_exit(126);
	for (int i = 0; i < 3; i++)
		if (dup2(100 + i, i) < 0)
			_exit(126);
	(void)syscall(SYS_close_range, 3, ~0u, 0);
	limit(RLIMIT_CORE, 0);
	umask(0077);
}

static void child_exec(struct runner_job *j, const char *path, const char *scratch, unsigned seen)
{
	char *const *argv, *const *env;

	limit(RLIMIT_CPU, RUNNER_CPU_S);
	limit(RLIMIT_AS, RUNNER_MEMORY);
	limit(RLIMIT_FSIZE, RUNNER_FILE);
	limit(RLIMIT_NOFILE, 256);
	limit_processes(seen);
	if (chdir(*scratch ? scratch : "/") < 0)
		_exit(126);
	memcpy(&argv, &(const char *const *){ j->args }, sizeof argv); /* exec's prototype lacks the const */
	memcpy(&env, &(const char *const *){ j->env + (*scratch ? 0 : 1) }, sizeof env);
	execve(path, argv, env);
	fprintf(stderr, "could not be started: %s\n", strerror(errno));
	_exit(127);
}

/* First byte 0: what follows is the output; otherwise an encoded error. */
static void child_builtin(const struct runner_builtin *b, struct str input, size_t max_output)
{
	static const int calls[] = { __NR_write, __NR_brk, __NR_munmap, __NR_mremap, __NR_madvise, __NR_futex, __NR_clock_gettime, __NR_getrandom,
				     __NR_rt_sigprocmask, __NR_rt_sigreturn, __NR_getpid, __NR_gettid, __NR_tgkill, __NR_exit, __NR_exit_group };
	_cleanup_buf_ struct buf out = BUF_MAX(max_output), message = BUF_MAX(max_output + 8192);
	struct program_result r = { 0 };
	struct err err = ERR_INIT;
	bool confined = sandbox_effective();

	if (b->prepare)
		b->prepare();
	limit(RLIMIT_CPU, RUNNER_BUILTIN_CPU_S);
	if (confined)
		limit(RLIMIT_AS, RUNNER_BUILTIN_MEMORY);
	limit(RLIMIT_FSIZE, 0);
	limit(RLIMIT_NOFILE, 3);
	/* not even asked where it can only log that it does nothing: the log's descriptor is the answer's here */
	if ((!confined || sandbox_enter(calls, ARRAY_SIZE(calls), &err) == 0) && b->run(input, &out, &err) == 0)
		(void)buf_check(&out, &err);
	r.out = out;
	runner_reply_encode(&r, &err, &message);
	for (size_t at = 0; at < message.n;) {
		ssize_t n = write(1, buf_text(&message) + at, message.n - at);

		if (n <= 0)
			_exit(1);
		at += (size_t)n;
	}
	_exit(0);
}

/* ---- the keeper ---------------------------------------------------------------------------------------------------- */

struct keeper {
	struct runner_job job;
	const struct runner_builtin *builtin;
	char *path, *scratch, *scratch_env;
	int fd, signal_fd, in, out;
	pid_t pid;
	int status;
	bool ended, gone, late, too_much, too_many, told;
	struct buf output;
};

static int find(struct keeper *k, const struct runner_options *o, struct err *err)
{
	size_t n = strlen(k->job.name);

	if (*k->job.name == '@') {
		for (k->builtin = o->builtins; k->builtin && k->builtin->name; k->builtin++)
			if (streq(k->builtin->name, k->job.name))
				return 0;
		return err_set(err, ERR_INVALID, "there is no builtin job '%.64s'", k->job.name);
	}
	for (size_t i = 0; i < o->programs->n; i++)
		if (!strncmp(o->programs->v[i], k->job.name, n) && o->programs->v[i][n] == '=') {
			k->path = xstrdup(o->programs->v[i] + n + 1);
			/* again, at the time of use: it may have been replaced since the start */
			if (runner_program_check(k->path, err) < 0)
				return err_wrap(err, "the program '%.64s' is not run", k->job.name);
			return 0;
		}
	err_set(err, ERR_INVALID, "the program '%.64s' is not configured", k->job.name);
	return err_hint(err, "An administrator of the host names its path: [programs] %.64s = /path in the configuration file.", k->job.name);
}

static int make_scratch(struct keeper *k, const char *home, struct err *err)
{
	if (!k->job.scratch || k->builtin)
		return 0;
	if (!*home)
		return err_set(err, ERR_INTERNAL, "the runner has no place for private directories");
	k->scratch = xasprintf("%s/%d", home, (int)getpid());
	k->scratch_env = xasprintf("CERTWRIGHT_SCRATCH=%s", k->scratch);
	if (mkdir(k->scratch, 0700) < 0)
		return err_set_errno(err, ERR_INTERNAL, "could not make a private directory for the program '%.64s'", k->job.name);
	return 0;
}

static int start(struct keeper *k, struct err *err)
{
	int in[2] = { -1, -1 }, out[2] = { -1, -1 }, rc = 0;
	unsigned seen = own_threads();
	pid_t keeper = getpid();

	k->job.args[0] = k->path;
	k->job.env[0] = k->scratch_env;
	k->job.env[1] = PATH_FOR_PROGRAMS;
	if (pipe2(in, O_CLOEXEC) < 0 || pipe2(out, O_CLOEXEC) < 0)
		rc = err_set_errno(err, ERR_INTERNAL, "could not make a pipe");
	k->pid = rc == 0 ? fork() : -1;
	if (k->pid == 0) {
		child_begin(keeper, (const int[]){ in[0], out[1], out[1] });
		if (k->builtin)
			child_builtin(k->builtin, k->job.input, k->job.max_output);
		child_exec(&k->job, k->path, k->scratch ? k->scratch : "", seen);
	}
	if (k->pid < 0 && rc == 0)
		rc = err_set_errno(err, ERR_INTERNAL, "could not start the program '%.64s'", k->job.name);
	close_p(&in[0]);
	close_p(&out[1]);
	if (rc < 0) {
		close_p(&in[1]);
		close_p(&out[0]);
		return rc;
	}
	k->in = in[1];
	k->out = out[0];
	fcntl(k->in, F_SETFL, O_NONBLOCK);
	fcntl(k->out, F_SETFL, O_NONBLOCK);
	return 0;
}

static void drop(int *fd)
{
	close_p(fd);
	*fd = -1;
}

static void feed(struct keeper *k)
{
	ssize_t n = k->builtin ? 0 : write(k->in, k->job.input.p, k->job.input.n); /* a builtin has its input in memory */

	if (n > 0)
		k->job.input = (struct str){ k->job.input.p + n, k->job.input.n - (size_t)n };
	if ((n < 0 && errno != EAGAIN && errno != EINTR) || !k->job.input.n || k->builtin)
		drop(&k->in);
}

static void drain(struct keeper *k)
{
	char text[16384];
	ssize_t n;

	while ((n = read(k->out, text, sizeof text)) > 0) {
		buf_add(&k->output, text, (size_t)n);
		k->too_much |= k->output.failed;
	}
	if (n == 0)
		drop(&k->out);
}

static void on_signal(struct keeper *k)
{
	struct signalfd_siginfo info;
	siginfo_t child = { 0 };

	while (read(k->signal_fd, &info, sizeof info) == sizeof info)
		k->told |= info.ssi_signo == SIGTERM;
	/* it is left unreaped: its process group keeps its number until all of it was killed */
	k->ended = waitid(P_PID, (id_t)k->pid, &child, WEXITED | WNOHANG | WNOWAIT) == 0 && child.si_pid == k->pid;
}

static void watch(struct keeper *k)
{
	int64_t counted = clock_boot(&clock_system), until = counted + k->job.timeout_ms;

	while (!k->ended && !k->gone && !k->late && !k->too_much && !k->too_many && !k->told) {
		struct pollfd p[] = { { k->fd, POLLIN | POLLRDHUP, 0 }, { k->signal_fd, POLLIN, 0 }, { k->in, POLLOUT, 0 }, { k->out, POLLIN, 0 } };
		int64_t now = clock_boot(&clock_system);

		k->late = now >= until;
		if (!k->builtin && now - counted >= COUNT_MS) {
			k->too_many = too_many_descend();
			counted = now;
		}
		if (poll(p, ARRAY_SIZE(p), (int)MIN(MAX(until - now, 0), COUNT_MS)) < 0)
			continue;
		if (p[1].revents)
			on_signal(k);
		if (k->in >= 0 && p[2].revents)
			feed(k);
		if (k->out >= 0 && p[3].revents)
			drain(k);
		k->gone = p[0].revents != 0; /* core says nothing after its request */
	}
}

static int verdict(struct keeper *k, struct program_result *r, struct err *err)
{
	const char *name = k->job.name;
	int sig = k->ended && WIFSIGNALED(k->status) ? WTERMSIG(k->status) : 0;

	if (k->told)
		return err_set(err, ERR_BUSY, "the program '%s' was ended because the server is stopping", name);
	if (k->too_much)
		return err_set(err, ERR_TOO_LARGE, "the program '%s' wrote more than %zu bytes and was ended", name, k->job.max_output);
	if (k->too_many)
		return err_set(err, ERR_TOO_LARGE, "the program '%s' ran more than %d processes at once and was ended", name, RUNNER_PROCESSES);
	if (k->late)
		return err_set(err, ERR_TIMEOUT, "the program '%s' was ended after %" PRId64 " s, its limit", name,
			       (k->job.timeout_ms + 999) / 1000);
	if (!k->builtin) {
		r->status = sig ? 128 + sig : WEXITSTATUS(k->status);
		r->out = k->output;
		return 0;
	}
	if (sig == SIGXCPU || (sig == SIGKILL))
		return err_set(err, ERR_TIMEOUT, "the job '%s' was ended after %d s of computing, its limit", name, RUNNER_BUILTIN_CPU_S);
	if (sig == SIGSYS)
		return err_set(err, ERR_INVALID, "the job '%s' was ended: what it was given made it try to reach outside", name);
	if (sig)
		return err_set(err, ERR_INVALID, "the job '%s' could not cope with what it was given, or needed more than %d MiB (%s)", name,
			       RUNNER_BUILTIN_MEMORY / 1024 / 1024, strsignal(sig));
	return runner_reply_decode((struct str){ buf_text(&k->output), k->output.n }, r, err);
}

static void keeper_signals(struct keeper *k)
{
	sigset_t set;

	sigemptyset(&set);
	sigaddset(&set, SIGTERM);
	sigaddset(&set, SIGCHLD);
	sigprocmask(SIG_BLOCK, &set, NULL);
	signal(SIGPIPE, SIG_IGN);
	k->signal_fd = signalfd(-1, &set, SFD_CLOEXEC | SFD_NONBLOCK);
}

void runner_keep(const struct runner_options *o, int fd, const char *home, pid_t parent)
{
	static struct keeper k;
	struct program_result r = { 0 };
	struct buf message = BUF_MAX(RUNNER_REQUEST_MAX), reply = BUF_MAX(RUNNER_OUTPUT_MAX + 8192);
	struct err err = ERR_INIT;
	int64_t now = clock_boot(&clock_system);

	k.fd = fd;
	k.in = k.out = -1;
	keeper_signals(&k);
	if (k.signal_fd < 0 || prctl(PR_SET_PDEATHSIG, SIGTERM) < 0 || getppid() != parent || prctl(PR_SET_CHILD_SUBREAPER, 1) < 0)
		_exit(1);
	if (runner_message_read(fd, RUNNER_REQUEST_MAX, now + REQUEST_MS, &message, &err) == 0 &&
	    runner_request_decode((struct str){ buf_text(&message), message.n }, &k.job, &err) == 0 && find(&k, o, &err) == 0 &&
	    make_scratch(&k, home, &err) == 0) {
		k.output.max = k.job.max_output + (k.builtin ? 8192 : 0);
		r.out.max = RUNNER_OUTPUT_MAX;
		if (start(&k, &err) == 0) {
			watch(&k);
			(void)kill(-k.pid, SIGKILL); /* the whole group at once: no fork escapes that */
			(void)waitpid(k.pid, &k.status, 0);
			runner_kill_descendants(NULL, 0);
			if (k.out >= 0)
				drain(&k);
			(void)verdict(&k, &r, &err);
		}
	}
	if (k.scratch)
		runner_wipe(k.scratch);
	runner_reply_encode(&r, &err, &reply);
	err_clear(&err);
	(void)runner_message_write(fd, (struct str){ buf_text(&reply), reply.n }, clock_boot(&clock_system) + REQUEST_MS, &err);
	buf_done_wipe(&message);
	_exit(0);
}
