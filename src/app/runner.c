/* SPDX-License-Identifier: Apache-2.0 */
/* runner.c - see runner.h: the runner itself. It takes descriptors, forks keepers, counts them and cleans up after them. */
#include "app/log_pair.h"
#include "app/runner_private.h"

#include "base/clock.h"
#include "base/log.h"
#include "base/notify.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <grp.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/file.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/signalfd.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#define HOME_NAME "certwright-runner."
#define END_MS (8 * SECOND_MS)

/* ---- names and paths ----------------------------------------------------------------------------------------------- */

bool runner_name_ok(const char *name)
{
	size_t n = strspn(name, "abcdefghijklmnopqrstuvwxyz0123456789-_");

	return n && n <= 32 && !name[n] && *name != '-' && *name != '_';
}

int runner_program_check(const char *path, struct err *err)
{
	_cleanup_free_ char *folder = NULL;
	struct stat st;

	if (*path != '/')
		return err_set(err, ERR_INVALID, "'%s' is not an absolute path", path);
	if (strlen(path) > 1000)
		return err_set(err, ERR_INVALID, "the path is longer than 1000 bytes");
	if (stat(path, &st) < 0)
		return err_set_errno(err, ERR_INVALID, "'%s'", path);
	if (!S_ISREG(st.st_mode))
		return err_set(err, ERR_INVALID, "'%s' is not a file", path);
	if (!(st.st_mode & 0111))
		return err_set(err, ERR_INVALID, "'%s' is not executable", path);
	if (st.st_mode & (S_IWGRP | S_IWOTH)) {
		err_set(err, ERR_INVALID, "others may change '%s'", path);
		return err_hint(err, "Run `chmod go-w %s`.", path);
	}
	folder = xstrndup(path, (size_t)(strrchr(path, '/') - path));
	if (*folder && stat(folder, &st) == 0 && (st.st_mode & S_IWOTH) && !(st.st_mode & S_ISVTX)) {
		err_set(err, ERR_INVALID, "others may replace '%s': its folder is writable for everybody", path);
		return err_hint(err, "Run `chmod o-w %s`.", folder);
	}
	return 0;
}

/* ---- the place for private directories ------------------------------------------------------------------------------ */

struct runner {
	const struct runner_options *o;
	int control; /* core's requests: descriptors on a pair, or connections when listening */
	bool listening;
	int signal_fd, home_fd;
	char *home;
	pid_t jobs[RUNNER_JOBS];
	size_t n_jobs;
	bool stopping;
};

/* What a killed runner left: its directory is locked by nobody. */
static void sweep(const char *place)
{
	DIR *d = opendir(place);

	for (struct dirent *e; d && (e = readdir(d));) {
		_cleanup_free_ char *path = xasprintf("%s/%s", place, e->d_name);
		_cleanup_close_ int fd = -1;
		struct stat st;

		if (!str_starts(e->d_name, HOME_NAME))
			continue;
		fd = open(path, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
		if (fd >= 0 && fstat(fd, &st) == 0 && st.st_uid == geteuid() && flock(fd, LOCK_EX | LOCK_NB) == 0)
			runner_wipe(path);
	}
	if (d)
		closedir(d);
}

/* In memory if there is such a place: what lies there may be secret. */
static void home_make(struct runner *r)
{
	static const char *const places[] = { "/dev/shm", "/run", "/tmp" };

	for (size_t i = 0; i < ARRAY_SIZE(places) && r->home_fd < 0; i++) {
		_cleanup_free_ char *path = xasprintf("%s/" HOME_NAME "XXXXXX", places[i]);

		sweep(places[i]);
		if (!mkdtemp(path))
			continue;
		r->home_fd = open(path, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
		if (r->home_fd >= 0 && flock(r->home_fd, LOCK_EX | LOCK_NB) == 0)
			replace_str(&r->home, path);
	}
	if (!r->home)
		log_warning("no place for private directories was found, programs that need one are refused");
}

/* ---- jobs ------------------------------------------------------------------------------------------------------------ */

static void job_begin(struct runner *r, int fd)
{
	pid_t self = getpid(), pid = fork();

	if (pid == 0) {
		sigset_t none;

		log_pair_use(-1); /* what runs in a keeper has no way to core's log */
		sigemptyset(&none);
		sigprocmask(SIG_SETMASK, &none, NULL);
		fd = dup2(fd, 3);
		(void)syscall(SYS_close_range, 4, ~0u, 0);
		runner_keep(r->o, fd, r->home ? r->home : "", self);
	}
	if (pid < 0)
		log_warning("could not start a job", "why", strerror(errno)); /* the caller sees its socket closed */
	else
		r->jobs[r->n_jobs++] = pid;
}

/* The end of one keeper; what it left when it was killed itself is ours to clean. */
static void job_end(struct runner *r, pid_t pid, int status)
{
	size_t at = 0;

	while (at < r->n_jobs && r->jobs[at] != pid)
		at++;
	if (at == r->n_jobs)
		return; /* an orphan that came up to us */
	r->jobs[at] = r->jobs[--r->n_jobs];
	if (WIFEXITED(status) && WEXITSTATUS(status) == 0)
		return;
	log_warning("the keeper of a job was killed, its remains are removed", "pid", LOG_NUM(pid));
	runner_kill_descendants(r->jobs, r->n_jobs);
	if (r->home) {
		_cleanup_free_ char *scratch = xasprintf("%s/%d", r->home, (int)pid);

		runner_wipe(scratch);
	}
}

static void reap(struct runner *r)
{
	struct signalfd_siginfo info;
	int status;
	pid_t pid;

	while (read(r->signal_fd, &info, sizeof info) == sizeof info)
		r->stopping |= info.ssi_signo == SIGTERM;
	while ((pid = waitpid(-1, &status, WNOHANG)) > 0)
		job_end(r, pid, status);
}

/* 0 when nobody can send any more. */
static int take(struct runner *r)
{
	union {
		char bytes[CMSG_SPACE(4 * sizeof(int))];
		struct cmsghdr align;
	} rights;
	char bytes[16];
	struct iovec iov = { bytes, sizeof bytes };
	struct msghdr m = { .msg_iov = &iov, .msg_iovlen = 1, .msg_control = rights.bytes, .msg_controllen = sizeof rights.bytes };
	ssize_t n = recvmsg(r->control, &m, MSG_CMSG_CLOEXEC | MSG_DONTWAIT);
	struct cmsghdr *c;

	if (n < 0)
		return errno == EAGAIN || errno == EINTR;
	if (n == 0)
		return 0;
	c = CMSG_FIRSTHDR(&m);
	if (!c || c->cmsg_level != SOL_SOCKET || c->cmsg_type != SCM_RIGHTS)
		return 1;
	for (size_t i = 0; i < (c->cmsg_len - CMSG_LEN(0)) / sizeof(int); i++) {
		int fd;

		memcpy(&fd, CMSG_DATA(c) + i * sizeof fd, sizeof fd);
		if (i == 0)
			job_begin(r, fd);
		close(fd);
	}
	return 1;
}

/* As a unit of its own: the socket is the service manager's, each connection is a job. */
static int take_connection(struct runner *r)
{
	int fd = accept4(r->control, NULL, NULL, SOCK_CLOEXEC);

	if (fd >= 0) {
		job_begin(r, fd);
		close(fd);
	}
	return 1;
}

static void loop(struct runner *r)
{
	int64_t watchdog = notify_watchdog_ms();

	while (!r->stopping) {
		/* with all places taken the next request waits in the socket */
		struct pollfd p[] = { { r->signal_fd, POLLIN, 0 }, { r->n_jobs < RUNNER_JOBS ? r->control : -1, POLLIN, 0 } };

		if (watchdog >= 0)
			notify_send("WATCHDOG=1");
		if (poll(p, ARRAY_SIZE(p), (int)watchdog) < 0)
			continue;
		if (p[0].revents)
			reap(r);
		if (p[1].revents && !(r->listening ? take_connection(r) : take(r)))
			return;
	}
}

static void end(struct runner *r)
{
	int64_t until = clock_boot(&clock_system) + END_MS;

	for (size_t i = 0; i < r->n_jobs; i++)
		(void)kill(r->jobs[i], SIGTERM);
	while (r->n_jobs && clock_boot(&clock_system) < until) {
		struct pollfd p = { r->signal_fd, POLLIN, 0 };

		(void)poll(&p, 1, 100);
		reap(r);
	}
	runner_kill_descendants(NULL, 0);
	if (r->home)
		runner_wipe(r->home);
}

/* ---- life ------------------------------------------------------------------------------------------------------------ */

static void signals_block(void)
{
	sigset_t set;

	signal(SIGPIPE, SIG_IGN);
	signal(SIGINT, SIG_IGN); /* a Ctrl-C is the supervisor's to hear */
	signal(SIGHUP, SIG_IGN);
	sigemptyset(&set);
	sigaddset(&set, SIGTERM);
	sigaddset(&set, SIGCHLD);
	sigprocmask(SIG_SETMASK, &set, NULL);
}

static void become(const struct runner_options *o, pid_t parent)
{
	struct rlimit none = { 0, 0 };

	if (o->become && (setgroups(0, NULL) < 0 || setresgid(o->gid, o->gid, o->gid) < 0 || setresuid(o->uid, o->uid, o->uid) < 0 ||
			  setuid(0) == 0 || geteuid() != o->uid))
		_exit(1);
	(void)setrlimit(RLIMIT_CORE, &none);
	/* after the change of the user, which forgets it */
	if (prctl(PR_SET_PDEATHSIG, SIGTERM) < 0 || getppid() != parent || prctl(PR_SET_CHILD_SUBREAPER, 1) < 0 ||
	    prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) < 0)
		_exit(1);
	(void)prctl(PR_SET_DUMPABLE, 0);
	(void)prctl(PR_SET_NAME, "cw-runner");
	(void)setpgid(0, 0);
	signals_block();
}

static int signals_listen(void)
{
	sigset_t set;

	sigemptyset(&set);
	sigaddset(&set, SIGTERM);
	sigaddset(&set, SIGCHLD);
	return signalfd(-1, &set, SFD_CLOEXEC | SFD_NONBLOCK);
}

/* Core's requests are 3, the way of our lines to core is 4, and nothing else is left. */
static int descriptors(int control)
{
	int log = log_pair_end() < 0 ? -1 : fcntl(log_pair_end(), F_DUPFD_CLOEXEC, 5), last = 3;

	if (dup2(control, 3) < 0 || fcntl(3, F_SETFD, FD_CLOEXEC) < 0)
		return -1;
	if (log >= 0 && dup3(log, ++last, O_CLOEXEC) < 0)
		return -1;
	log_pair_use(log >= 0 ? last : -1);
	log_set_process("runner");
	return (int)syscall(SYS_close_range, last + 1, ~0u, 0);
}

static void run(const struct runner_options *o, int control, pid_t parent) __attribute__((noreturn));
static void run(const struct runner_options *o, int control, pid_t parent)
{
	struct runner r = { .o = o, .control = control, .home_fd = -1 };
	int null = open("/dev/null", O_RDWR);

	if (null < 0 || dup2(null, 0) < 0 || descriptors(control) < 0)
		_exit(1);
	r.control = 3;
	become(o, parent);
	r.signal_fd = signals_listen();
	if (r.signal_fd < 0)
		_exit(1);
	home_make(&r);
	loop(&r);
	end(&r);
	_exit(0);
}

int runner_serve(const struct runner_options *o, int listen_fd, struct err *err)
{
	struct runner r = { .o = o, .control = listen_fd, .listening = true, .home_fd = -1 };

	if (prctl(PR_SET_CHILD_SUBREAPER, 1) < 0 || prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) < 0 || fcntl(listen_fd, F_SETFL, O_NONBLOCK) < 0)
		return err_set_errno(err, ERR_INTERNAL, "could not prepare the runner of foreign programs");
	signals_block();
	r.signal_fd = signals_listen();
	if (r.signal_fd < 0)
		return err_set_errno(err, ERR_INTERNAL, "could not listen for signals");
	home_make(&r);
	log_info("ready");
	notify_send("READY=1");
	loop(&r);
	notify_send("STOPPING=1");
	end(&r);
	return 0;
}

int runner_pair(int pair[2], struct err *err)
{
	if (socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, pair) < 0)
		return err_set_errno(err, ERR_INTERNAL, "could not make the runner's socket pair");
	return 0;
}

int runner_start(const struct runner_options *o, int end_fd, pid_t *ret_pid, struct err *err)
{
	pid_t parent = getpid(), pid = fork();

	if (pid == 0)
		run(o, end_fd, parent);
	if (pid < 0)
		return err_set_errno(err, ERR_INTERNAL, "could not start the runner");
	*ret_pid = pid;
	return 0;
}
