/* SPDX-License-Identifier: Apache-2.0 */
/* supervisor.c - see supervisor.h. */
#include "app/supervisor.h"

#include "app/last_error.h"

#include "app/edge_program.h"
#include "app/host.h"
#include "app/log_pair.h"

#include "base/clock.h"
#include "base/file.h"
#include "base/notify.h"
#include "base/proc.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <sys/signalfd.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#define LOCK_WAIT_MS (6 * SECOND_MS) /* a former server that is still ending */
#define CORE_STOP_MS (75 * SECOND_MS) /* a step takes at most 60 s */
#define EDGE_STOP_MS (5 * SECOND_MS)
#define RUNNER_STOP_MS (10 * SECOND_MS)
#define RUNNER_USER "certwright-runner"
#define STEADY_MS (60 * SECOND_MS)    /* ran so long: the pauses begin anew */

struct part {
	const char *name;      /* "core", "edge" */
	int program;           /* O_PATH */
	struct strlist argv;
	const struct strlist *env;
	struct proc_fd fds[PROC_FDS_MAX];
	size_t n_fds;
	int death_signal;

	pid_t pid;             /* 0: not running */
	unsigned failures;     /* in a row */
	int64_t started_ms;
	int64_t restart_ms;    /* boot time; 0 = not due */
	bool wanted;
};

struct supervisor {
	const struct config *config;
	struct host_sockets dns_udp, dns_tcp, http01, https;
	int lock_fd, feed_fd, report_fd, state_fd, signal_fd;
	int core_socket;       /* our end; -1 while core does not run */
	int log_fd;            /* core's end of log_pair.h */
	struct strlist env;
	struct part core, edge;
	struct part runner;     /* forked, not executed */
	struct runner_options runner_options;
	int runner_pair[2];     /* core's end and the runner's, both kept: they outlive core and runner */
	bool ready;            /* core was ready once */
	bool stopping;
	int status;
};

int64_t supervisor_pause_ms(unsigned n)
{
	return n > 8 ? 30 * SECOND_MS : MIN(INT64_C(100) << n, 30 * SECOND_MS);
}

/* ---- preparation ------------------------------------------------------------------------------------------------- */

/* Only what the programs understand; nothing of the administrator's shell. */
static void environment(const struct config *c, struct strlist *env)
{
	static const char *const proxy[] = { "HTTPS_PROXY", "https_proxy", "ALL_PROXY", "all_proxy", "NO_PROXY", "no_proxy" };
	static const char *const pass[] = { "PATH", "LANG", "LC_ALL", "TZ", "CREDENTIALS_DIRECTORY", "ASAN_OPTIONS", "UBSAN_OPTIONS", "TSAN_OPTIONS",
					    "PGHOST", "PGPORT", "PGSSLMODE", "PGSSLROOTCERT" };
	extern char **environ;

	for (size_t i = 0; i < ARRAY_SIZE(pass); i++) {
		const char *value = getenv(pass[i]);
		_cleanup_free_ char *text = value ? xasprintf("%s=%s", pass[i], value) : NULL;

		if (text)
			strlist_add(env, text);
	}
	for (size_t i = 0; c->net_proxy && streq(c->net_proxy, "environment") && i < ARRAY_SIZE(proxy); i++) {
		const char *value = getenv(proxy[i]);
		_cleanup_free_ char *text = value ? xasprintf("%s=%s", proxy[i], value) : NULL;

		if (text)
			strlist_add(env, text);
	}
	for (char **e = environ; *e; e++)
		if (str_starts(*e, "CERTWRIGHT_"))
			strlist_add(env, *e);
}

static void part_fd(struct part *p, const char *name, int fd)
{
	assert(p->n_fds < PROC_FDS_MAX);
	p->fds[p->n_fds++] = (struct proc_fd){ .fd = fd, .name = name };
}

static int part_sockets(struct part *p, const char *name, const struct host_sockets *s, struct err *err)
{
	if (p->n_fds + s->n + 4 > PROC_FDS_MAX)
		return err_set(err, ERR_INVALID, "too many listening addresses");
	for (size_t i = 0; i < s->n; i++)
		part_fd(p, name, s->fd[i]);
	return 0;
}

/* The runner's user: the one that was named, else certwright-runner where there is one, else ours. */
static int runner_user(const struct config *c, const struct host_user *ours, struct runner_options *o, struct err *err)
{
	_cleanup_err_ struct err no = ERR_INIT;
	struct host_user user = { 0 };
	int rc;

	if (!ours->drop) {
		if (c->programs.n)
			log_warning("not started by root: foreign programs run as the same user as the server and can read its files");
		return 0;
	}
	*o = (struct runner_options){ .programs = o->programs, .builtins = o->builtins, .uid = ours->uid, .gid = ours->gid, .become = true };
	rc = host_user_find(c->run_runner_user ? c->run_runner_user : RUNNER_USER, &user, &no);
	if (rc == 0) {
		o->uid = user.uid;
		o->gid = user.gid;
	} else if (c->run_runner_user) {
		err_move(err, &no);
		return err_wrap(err, "run.runner_user");
	} else if (c->programs.n) {
		log_warning("there is no user " RUNNER_USER ": foreign programs run as the same user as the server and can read its files");
	}
	host_user_done(&user);
	return 0;
}

static int runner_begin(struct supervisor *s, struct err *err)
{
	s->runner.restart_ms = 0;
	if (runner_start(&s->runner_options, s->runner_pair[1], &s->runner.pid, err) < 0)
		return -(int)err->code;
	s->runner.started_ms = clock_boot(&clock_system);
	return 0;
}

/* Everything that needs root, then no root. */
static int prepare_public(struct supervisor *s, struct err *err)
{
	const struct config *c = s->config;
	struct host_user user = { 0 };
	int rc;

	if (host_user_find(c->run_user, &user, err) < 0)
		return -(int)err->code;
	rc = log_pair_make(&s->log_fd, err);
	if (rc == 0)
		rc = runner_user(c, &user, &s->runner_options, err);
	if (rc == 0)
		rc = runner_pair(s->runner_pair, err);
	if (rc == 0)
		rc = runner_begin(s, err); /* before there is anything it could inherit */
	if (rc == 0)
		rc = host_state_make(c->state, &user, err);
	if (rc == 0)
		rc = host_state_lock(c->state, &user, LOCK_WAIT_MS, &s->lock_fd, err);
	if (rc == 0)
		rc = host_bind(&c->api_listen, HOST_TCP, &s->https, err);
	if (rc == 0)
		rc = host_bind(&c->dns_listen, HOST_UDP, &s->dns_udp, err);
	if (rc == 0)
		rc = host_bind(&c->dns_listen, HOST_TCP, &s->dns_tcp, err);
	if (rc == 0)
		rc = host_bind(&c->http01_listen, HOST_TCP, &s->http01, err);
	if (rc == 0)
		rc = program_open("/proc/self/exe", &s->core.program, err);
	if (rc == 0 && (c->dns_listen.n || c->http01_listen.n)) {
		s->edge.wanted = true;
		rc = edge_program_open(&s->edge.program, err);
	}
	if (rc == 0)
		rc = host_user_become(&user, err);
	if (s->runner_options.uid == geteuid())
		s->runner_options.become = false; /* it can be started again */
	host_user_done(&user);
	return rc;
}

static int prepare(struct supervisor *s, const struct config_input *in, struct err *err)
{
	_cleanup_free_ char *feed = NULL, *report = NULL;

	if (prepare_public(s, err) < 0)
		return -(int)err->code;
	s->core.argv = (struct strlist){ 0 };
	strlist_add(&s->core.argv, "certwright");
	strlist_add(&s->core.argv, "core");
	config_arguments(in, s->config, &s->core.argv);
	if (part_sockets(&s->core, "https", &s->https, err) < 0)
		return -(int)err->code;
	part_fd(&s->core, "lock", s->lock_fd);
	part_fd(&s->core, "runner", s->runner_pair[0]);
	part_fd(&s->core, "log", s->log_fd);
	part_fd(&s->core, "supervisor", -1); /* made at each start */
	if (!s->edge.wanted)
		return 0;
	feed = host_socket_path(s->config->state, "feed.sock", &s->state_fd);
	report = host_socket_path(s->config->state, "report.sock", &s->state_fd);
	if (host_bind_unix(feed, &s->feed_fd, err) < 0 || host_bind_unix(report, &s->report_fd, err) < 0)
		return -(int)err->code;
	edge_program_arguments(&s->edge.argv, s->config, true);
	if (part_sockets(&s->edge, "dns-udp", &s->dns_udp, err) < 0 || part_sockets(&s->edge, "dns-tcp", &s->dns_tcp, err) < 0 ||
	    part_sockets(&s->edge, "http01", &s->http01, err) < 0)
		return -(int)err->code;
	part_fd(&s->edge, "feed", s->feed_fd);
	part_fd(&s->edge, "report", s->report_fd);
	return 0;
}

/* ---- starting and ending ----------------------------------------------------------------------------------------- */

static int part_start(struct supervisor *s, struct part *p, struct err *err)
{
	int pair[2] = { -1, -1 }, rc;
	struct proc_start start = { .program = p->program, .env = &s->env, .fds = p->fds, .n_fds = p->n_fds,
				    .death_signal = p->death_signal, .out = -1 };
	_cleanup_free_ const char **argv = xcalloc(p->argv.n + 1, sizeof *argv);

	for (size_t i = 0; i < p->argv.n; i++)
		argv[i] = p->argv.v[i];
	start.argv = argv;
	if (p == &s->core) {
		if (socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, pair) < 0)
			return err_set_errno(err, ERR_INTERNAL, "could not make a socket pair");
		p->fds[p->n_fds - 1].fd = pair[1];
			}
	rc = proc_start(&start, &p->pid, err);
	if (p == &s->core) {
		close(pair[1]);
		if (rc < 0)
			close(pair[0]);
		else
			s->core_socket = pair[0];
	}
	p->restart_ms = 0;
	if (rc < 0)
		return rc;
	p->started_ms = clock_boot(&clock_system);
	log_debug("started", "part", p->name, "pid", LOG_NUM(p->pid));
	return 0;
}

static void part_plan(struct part *p)
{
	int64_t now = clock_boot(&clock_system), pause;

	if (p->started_ms && now - p->started_ms >= STEADY_MS)
		p->failures = 0;
	pause = supervisor_pause_ms(p->failures++);
	p->restart_ms = now + pause;
}

static void part_try(struct supervisor *s, struct part *p)
{
	_cleanup_err_ struct err err = ERR_INIT;

	if (part_start(s, p, &err) < 0) {
		log_err(LOG_ERROR, "could not start a part of the server", &err);
		p->started_ms = 0;
		part_plan(p);
	}
}

/* On the same pair: core does not notice, what it asked for meanwhile waits in the socket. */
static void runner_again(struct supervisor *s)
{
	_cleanup_err_ struct err err = ERR_INIT;

	if (runner_begin(s, &err) < 0) {
		log_err(LOG_ERROR, "could not start the runner of foreign programs", &err);
		part_plan(&s->runner);
	}
}

static void core_gone(struct supervisor *s)
{
	if (s->core_socket >= 0)
		close(s->core_socket);
	s->core_socket = -1;
}

static void part_ended(struct supervisor *s, struct part *p, int status)
{
	_cleanup_free_ char *how = proc_status_text(status);

	p->pid = 0;
	if (p == &s->core)
		core_gone(s);
	if (p == &s->runner && s->runner_options.become && !s->stopping) {
		log_error("the runner of foreign programs ended; the server ends too, to be started anew with it", "how", how);
		s->status = 1;
		s->stopping = true;
		return;
	}
	if (s->stopping) {
		if (WIFSIGNALED(status) ? WTERMSIG(status) != SIGTERM : WEXITSTATUS(status) != 0)
			log_warning("ended while stopping", "part", p->name, "how", how);
		return;
	}
	if (p == &s->core && !s->ready && WIFEXITED(status)) {
		/* it has said why; another try would say the same */
		s->status = WEXITSTATUS(status) ? WEXITSTATUS(status) : 1;
		s->stopping = true;
		return;
	}
	part_plan(p);
	log_error("a part of the server ended, it is started again", "part", p->name, "how", how, "pause_ms",
		  LOG_NUM(p->restart_ms - clock_boot(&clock_system)));
}

static void reap(struct supervisor *s)
{
	int status;
	pid_t pid;

	while ((pid = waitpid(-1, &status, WNOHANG)) > 0) {
		if (pid == s->core.pid)
			part_ended(s, &s->core, status);
		else if (pid == s->edge.pid)
			part_ended(s, &s->edge, status);
		else if (pid == s->runner.pid)
			part_ended(s, &s->runner, status);
	}
}

/* Core first: edge answers for it to the end. */
static void stop_all(struct supervisor *s)
{
	struct part *const order[] = { &s->core, &s->edge, &s->runner };
	const int64_t patience[] = { CORE_STOP_MS, EDGE_STOP_MS, RUNNER_STOP_MS };

	notify_send("STOPPING=1");
	for (size_t i = 0; i < ARRAY_SIZE(order); i++) {
		struct part *p = order[i];
		int64_t until = clock_boot(&clock_system) + patience[i];
		bool killed = false;

		if (!p->pid)
			continue;
		if (p == &s->runner) { /* of another user, it hears no signal of ours; without anybody left to ask it, it ends */
			close_p(&s->runner_pair[0]);
			close_p(&s->runner_pair[1]);
			s->runner_pair[0] = s->runner_pair[1] = -1;
		}
		kill(p->pid, SIGTERM);
		while (p->pid) {
			struct pollfd poll_fd = { .fd = s->signal_fd, .events = POLLIN };
			struct signalfd_siginfo info;

			(void)poll(&poll_fd, 1, 200);
			while (read(s->signal_fd, &info, sizeof info) == sizeof info)
				if ((info.ssi_signo == SIGTERM || info.ssi_signo == SIGINT) && !killed) {
					log_warning("told to stop again: ending at once", "part", p->name);
					until = 0;
				}
			reap(s);
			if (p->pid && !killed && clock_boot(&clock_system) >= until) {
				if (kill(p->pid, SIGKILL) < 0)
					break; /* our own end is its death signal */
				killed = true;
			}
		}
	}
}

/* ---- the loop ---------------------------------------------------------------------------------------------------- */

static void on_core_says(struct supervisor *s)
{
	char text[256];
	ssize_t n = recv(s->core_socket, text, sizeof text - 1, MSG_DONTWAIT);

	if (n < 0 && (errno == EAGAIN || errno == EINTR))
		return;
	if (n <= 0) {
		core_gone(s);
		return;
	}
	text[n] = '\0';
	if (streq(text, "READY=1")) {
		if (!s->ready)
			notify_send("READY=1");
		s->ready = true;
		log_info(s->core.failures ? "core is ready again" : "ready");
	}
}

static void on_signal(struct supervisor *s)
{
	struct signalfd_siginfo info;

	while (read(s->signal_fd, &info, sizeof info) == sizeof info) {
		if (info.ssi_signo == SIGTERM || info.ssi_signo == SIGINT)
			s->stopping = true;
		else if (info.ssi_signo == SIGHUP && s->core.pid)
			kill(s->core.pid, SIGHUP);
	}
	reap(s);
}

static int64_t next_wait(const struct supervisor *s)
{
	int64_t now = clock_boot(&clock_system), wait = notify_watchdog_ms();
	const struct part *const parts[] = { &s->core, &s->edge, &s->runner };

	if (wait < 0)
		wait = 60 * SECOND_MS;
	for (size_t i = 0; i < ARRAY_SIZE(parts); i++)
		if (parts[i]->restart_ms)
			wait = MIN(wait, MAX(parts[i]->restart_ms - now, 0));
	return wait;
}

static void watch(struct supervisor *s)
{
	while (!s->stopping) {
		struct pollfd fds[] = { { .fd = s->signal_fd, .events = POLLIN }, { .fd = s->core_socket, .events = POLLIN } };
		int64_t now;

		if (poll(fds, ARRAY_SIZE(fds), (int)next_wait(s)) < 0 && errno != EINTR)
			log_error("could not wait for signals", "why", strerror(errno));
		if (fds[1].revents && s->core_socket >= 0)
			on_core_says(s);
		if (fds[0].revents)
			on_signal(s);
		if (notify_watchdog_ms() >= 0)
			notify_send("WATCHDOG=1");
		now = clock_boot(&clock_system);
		if (!s->stopping && s->edge.restart_ms && s->edge.restart_ms <= now)
			part_try(s, &s->edge);
		if (!s->stopping && s->runner.restart_ms && s->runner.restart_ms <= now)
			runner_again(s);
		if (!s->stopping && s->core.restart_ms && s->core.restart_ms <= now)
			part_try(s, &s->core);
	}
}

static int signals(struct err *err)
{
	sigset_t set;
	int fd;

	sigemptyset(&set);
	sigaddset(&set, SIGTERM);
	sigaddset(&set, SIGINT);
	sigaddset(&set, SIGHUP);
	sigaddset(&set, SIGCHLD);
	sigprocmask(SIG_BLOCK, &set, NULL);
	fd = signalfd(-1, &set, SFD_CLOEXEC | SFD_NONBLOCK);
	if (fd < 0)
		return err_set_errno(err, ERR_INTERNAL, "could not listen for signals");
	return fd;
}

static void done(struct supervisor *s)
{
	const int fds[] = { s->log_fd, s->runner_pair[0], s->runner_pair[1], s->lock_fd, s->feed_fd, s->report_fd, s->state_fd, s->signal_fd, s->core_socket, s->core.program, s->edge.program };

	for (size_t i = 0; i < ARRAY_SIZE(fds); i++)
		if (fds[i] >= 0)
			close(fds[i]);
	host_sockets_close(&s->https);
	host_sockets_close(&s->dns_udp);
	host_sockets_close(&s->dns_tcp);
	host_sockets_close(&s->http01);
	strlist_clear(&s->core.argv);
	strlist_clear(&s->edge.argv);
	strlist_clear(&s->env);
}

int supervisor_run(const struct config_input *in, const struct config *c, const struct runner_builtin *builtins)
{
	_cleanup_err_ struct err err = ERR_INIT;
	struct supervisor s = { .config = c, .log_fd = -1, .lock_fd = -1, .feed_fd = -1, .report_fd = -1, .state_fd = -1, .signal_fd = -1, .core_socket = -1,
				.core = { .name = "core", .program = -1, .death_signal = SIGTERM, .wanted = true },
				.edge = { .name = "edge", .program = -1, .death_signal = SIGKILL }, .runner = { .name = "runner" },
				.runner_options = { .programs = &c->programs, .builtins = builtins }, .runner_pair = { -1, -1 } };

	environment(c, &s.env);
	s.signal_fd = signals(&err);
	if (s.signal_fd < 0 || prepare(&s, in, &err) < 0) {
		log_err(LOG_ERROR, "could not start", &err);
		if (s.lock_fd >= 0) /* else it is another server's folder */
			last_error_keep(c->state, "supervisor", &err);
		done(&s);
		return err_exit_status(err.code);
	}
	if (s.edge.wanted)
		part_try(&s, &s.edge);
	part_try(&s, &s.core);
	watch(&s);
	stop_all(&s);
	done(&s);
	log_info("stopped");
	return s.status;
}
