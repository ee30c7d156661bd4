/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The runner against programs and builtins that try everything: whatever they do, the caller gets a sentence in time and
 * nothing of them is left. Run as root, it has a user of its own here too, since root is bound by no limit on processes.
 */
#include "tests/unit/assert.h"

#include "app/runner_private.h"

#include "base/clock.h"
#include "base/file.h"
#include "base/sandbox.h"

#include <arpa/inet.h>
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#define OTHER 65534

static char dir[] = "/tmp/certwright-runner-test-XXXXXX";
static struct strlist programs;
static struct runner_client client;
static pid_t runner;
static int pair[2];

/* ---- a builtin that tries what its input says ---- */

static int reach_out(void)
{
	union addr_in {
		struct sockaddr sa;
		struct sockaddr_in in;
	} a = { .in = { .sin_family = AF_INET, .sin_port = htons(80) } };
	int fd = socket(AF_INET, SOCK_STREAM, 0);

	a.in.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
	return fd >= 0 && connect(fd, &a.sa, sizeof a.in) == 0;
}

static int attempt(struct str input, struct buf *out, struct err *err)
{
	if (str_is(input, "network"))
		return reach_out();
	if (str_is(input, "file"))
		return open("/etc/passwd", O_RDONLY) >= 0;
	if (str_is(input, "exec"))
		return execl("/bin/true", "true", (char *)NULL);
	if (str_is(input, "fork"))
		for (;;)
			(void)fork();
	if (str_is(input, "for ever"))
		for (volatile unsigned n = 0;; n++)
			;
	if (str_is(input, "memory"))
		for (;;) {
			char *p = xmalloc(64 * 1024 * 1024);

			memset(p, 1, 64 * 1024 * 1024);
		}
	if (str_is(input, "crash"))
		abort();
	if (str_is(input, "code")) {
		void *p = mmap(NULL, 4096, PROT_READ | PROT_WRITE | PROT_EXEC, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

		return p != MAP_FAILED;
	}
	if (str_is(input, "refuse"))
		return err_set(err, ERR_INVALID, "the file is not one of these");
	buf_add(out, input.p, input.n);
	return 0;
}

static const struct runner_builtin builtins[] = { { "@attempt", NULL, attempt }, { 0 } };

/* ---- set-up ---- */

static void script(const char *name, const char *text)
{
	_cleanup_free_ char *path = path_join(dir, name), *all = xasprintf("#!/bin/sh\n%s\n", text), *entry = xasprintf("%s=%s", name, path);
	struct err err = ERR_INIT;

	ASSERT_OK(file_write_atomic(path, all, strlen(all), 0755, &err), &err);
	ASSERT_INT(chmod(path, 0755), 0);
	strlist_add(&programs, entry);
}

static void start_runner(void)
{
	struct runner_options *o = xcalloc(1, sizeof *o); /* the child keeps it */
	struct err err = ERR_INIT;

	*o = (struct runner_options){ .programs = &programs, .builtins = builtins, .uid = OTHER, .gid = OTHER, .become = geteuid() == 0 };
	ASSERT_OK(runner_start(o, pair[1], &runner, &err), &err);
	free(o);
}

/* "sleep 617.04711": of this run alone, for tests of other builds may run beside it. */
enum { SLEEP_LONG, SLEEP_LEFT, SLEEP_STUBBORN, SLEEP_BOMB, SLEEP_CROWD, SLEEPERS };
static char sleepers[SLEEPERS][32];

static void sleeper_script(const char *name, const char *before, int which, const char *after)
{
	_cleanup_free_ char *text = xasprintf("%s%s%s", before, sleepers[which], after);

	script(name, text);
}

static int setup(void **state UNUSED)
{
	struct err err = ERR_INIT;
	_cleanup_free_ char *left = NULL;

	for (int i = 0; i < SLEEPERS; i++)
		snprintf(sleepers[i], sizeof sleepers[i], "sleep %d.%07d", 616 + i, (int)getpid());
	if (!mkdtemp(dir) || chmod(dir, 0755) < 0)
		return -1;
	script("hello", "echo \"hello $1 $2\"; echo \"to stderr\" >&2; cat; exit 3");
	script("env", "env | sort; pwd; ulimit -c; ls -l /proc/self/fd | grep -c 'socket:'");
	sleeper_script("sleep", "", SLEEP_LONG, "");
	script("loud", "while :; do echo xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx; done");
	script("signal", "kill -TERM $$");
	left = xasprintf("setsid sh -c 'setsid %s & ", sleepers[SLEEP_LEFT]);
	sleeper_script("leave", left, SLEEP_LEFT, "' >/dev/null 2>&1 & echo left");
	sleeper_script("stubborn", "trap '' TERM HUP INT; setsid sh -c \"trap '' TERM; ", SLEEP_STUBBORN, "\" & wait");
	sleeper_script("bomb", "f() { f | f & }; f; ", SLEEP_BOMB, "");
	sleeper_script("crowd", "for i in $(seq $1); do ", SLEEP_CROWD, " & done; wait; echo all were there");
	script("memory", "exec /usr/bin/python3 -c \"a = b'x' * (10 << 30); print(len(a))\"");
	script("disk", "exec /usr/bin/python3 -c \"\nwith open('big', 'wb') as f:\n  while True: f.write(b'x' * (1 << 20))\"");
	script("closed", "exec 0<&-; exit 0");
	script("scratch", "echo secret > a; mkdir -p d/e; echo x > d/e/f; chmod 0 d/e; ln -s /etc l; pwd; echo \"$CERTWRIGHT_SCRATCH\"; stat -c %a .");
	script("root", "id -u; cat /proc/self/status | grep NoNewPrivs");
	ASSERT_OK(runner_pair(pair, &err), &err);
	client.fd = pair[0];
	start_runner();
	return 0;
}

static int teardown(void **state UNUSED)
{
	int status = 0;

	kill(runner, SIGTERM);
	waitpid(runner, &status, 0);
	runner_wipe(dir);
	strlist_clear(&programs);
	return status;
}

static int run_with(struct program_request q, struct program_result *ret, struct err *err)
{
	ret->out.max = 1024 * 1024;
	return runner_client_run(&client, &q, ret, err);
}

/* Processes whose command line has the text; each gets the signal, if it is one. */
static unsigned signalled(const char *text, int sig)
{
	DIR *d = opendir("/proc");
	unsigned n = 0;

	for (struct dirent *e; d && (e = readdir(d));) {
		_cleanup_free_ char *path = xasprintf("/proc/%s/cmdline", e->d_name);
		char line[512];
		ssize_t got;
		int fd;

		if (*e->d_name < '1' || *e->d_name > '9' || (fd = open(path, O_RDONLY | O_CLOEXEC)) < 0)
			continue;
		got = read(fd, line, sizeof line - 1);
		close(fd);
		for (ssize_t i = 0; i < got; i++)
			line[i] = line[i] ? line[i] : ' ';
		line[got > 0 ? got : 0] = '\0';
		if (strstr(line, text)) {
			n++;
			if (sig)
				(void)kill((pid_t)strtol(e->d_name, NULL, 10), sig);
		}
	}
	closedir(d);
	return n;
}

static unsigned running(const char *text)
{
	return signalled(text, 0);
}

/* Everything that runs from our directory, or sleeps for it. */
static void assert_nothing_is_left(void)
{
	ASSERT_INT(running(dir), 0);
	for (int i = 0; i < SLEEPERS; i++)
		ASSERT_INT(running(sleepers[i]), 0);
}

/* ---- foreign programs ---- */

static void a_program_gets_its_arguments_and_input_and_its_status_comes_back(void **state UNUSED)
{
	struct program_result r = { 0 };
	struct err err = ERR_INIT;
	const char *const args[] = { "two words", "$(id); `id`", NULL };

	ASSERT_OK(run_with((struct program_request){ .name = "hello", .args = args, .input = STR("the input\n") }, &r, &err), &err);
	ASSERT_INT(r.status, 3);
	ASSERT_STR(buf_text(&r.out), "hello two words $(id); `id`\nto stderr\nthe input\n");
	buf_done(&r.out);
	ASSERT_OK(run_with((struct program_request){ .name = "signal" }, &r, &err), &err);
	ASSERT_INT(r.status, 128 + SIGTERM);
	buf_done(&r.out);
	/* one that does not read its input */
	_cleanup_free_ char *big = xcalloc(1, 3 * 1024 * 1024);
	ASSERT_OK(run_with((struct program_request){ .name = "closed", .input = { big, 3 * 1024 * 1024 } }, &r, &err), &err);
	ASSERT_INT(r.status, 0);
	buf_done(&r.out);
}

static void a_program_has_a_clean_environment_and_no_descriptors(void **state UNUSED)
{
	struct program_result r = { 0 };
	struct err err = ERR_INIT;
	const char *const env[] = { "CHALLENGE=a b=c", NULL };

	setenv("CERTWRIGHT_SECRET_OF_OURS", "s3cret", 1);
	ASSERT_OK(run_with((struct program_request){ .name = "env", .env = env }, &r, &err), &err);
	ASSERT_HAS(buf_text(&r.out), "CHALLENGE=a b=c\n");
	ASSERT_HAS(buf_text(&r.out), "PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin\n");
	ASSERT_TRUE(!strstr(buf_text(&r.out), "s3cret"));
	ASSERT_HAS(buf_text(&r.out), "\n/\n0\n0\n"); /* its folder, no core dumps, no sockets */
	buf_done(&r.out);
}

static void a_program_that_is_not_configured_is_refused(void **state UNUSED)
{
	static const char *const names[] = { "nobody", "", "hell", "hello=", "/bin/sh", "@nobody", "../hello" };
	struct program_result r = { 0 };
	struct err err = ERR_INIT;

	for (size_t i = 0; i < ARRAY_SIZE(names); i++)
		ASSERT_FAILS(run_with((struct program_request){ .name = names[i] }, &r, &err), &err, ERR_INVALID);
	ASSERT_FAILS(run_with((struct program_request){ .name = "hello", .env = (const char *const[]){ "novalue", NULL } }, &r, &err), &err, ERR_INVALID);
}

static void a_program_that_others_may_write_is_refused_at_use(void **state UNUSED)
{
	_cleanup_free_ char *path = path_join(dir, "hello");
	struct program_result r = { 0 };
	struct err err = ERR_INIT;

	ASSERT_INT(chmod(path, 0777), 0);
	ASSERT_TRUE(run_with((struct program_request){ .name = "hello" }, &r, &err) < 0);
	_cleanup_free_ char *text = err_text(&err);
	ASSERT_HAS(text, "others may change");
	err_clear(&err);
	ASSERT_INT(chmod(path, 0755), 0);
}

static void one_that_never_ends_is_ended(void **state UNUSED)
{
	struct program_result r = { 0 };
	struct err err = ERR_INIT;
	int64_t begin = clock_boot(&clock_system);

	ASSERT_TRUE(run_with((struct program_request){ .name = "sleep", .timeout_ms = 500 }, &r, &err) < 0);
	ASSERT_HAS(err.detail, "the program 'sleep' was ended after 1 s, its limit");
	ASSERT_FAILS(-(int)err.code, &err, ERR_TIMEOUT);
	ASSERT_TRUE(clock_boot(&clock_system) - begin < 60 * SECOND_MS);
	ASSERT_FAILS(run_with((struct program_request){ .name = "stubborn", .timeout_ms = 500 }, &r, &err), &err, ERR_TIMEOUT);
	assert_nothing_is_left();
}

static void one_that_says_too_much_is_ended(void **state UNUSED)
{
	struct program_result r = { 0 };
	struct err err = ERR_INIT;

	ASSERT_TRUE(run_with((struct program_request){ .name = "loud", .max_output = 100000 }, &r, &err) < 0);
	ASSERT_HAS(err.detail, "wrote more than 100000 bytes");
	ASSERT_FAILS(-(int)err.code, &err, ERR_TOO_LARGE);
	assert_nothing_is_left();
}

static void one_that_leaves_others_behind_takes_them_along(void **state UNUSED)
{
	struct program_result r = { 0 };
	struct err err = ERR_INIT;

	ASSERT_OK(run_with((struct program_request){ .name = "leave" }, &r, &err), &err);
	ASSERT_STR(buf_text(&r.out), "left\n");
	buf_done(&r.out);
	assert_nothing_is_left();
}

static void a_fork_bomb_is_put_out(void **state UNUSED)
{
	struct program_result r = { 0 };
	struct err err = ERR_INIT;
	int64_t begin = clock_boot(&clock_system);

	if (run_with((struct program_request){ .name = "bomb", .timeout_ms = 1500, .max_output = 1024 * 1024 }, &r, &err) < 0)
		ASSERT_TRUE(err.code == ERR_TIMEOUT || err.code == ERR_TOO_LARGE);
	err_clear(&err);
	buf_done(&r.out);
	ASSERT_TRUE(clock_boot(&clock_system) - begin < 120 * SECOND_MS);
	assert_nothing_is_left();
	/* and the next one runs */
	ASSERT_OK(run_with((struct program_request){ .name = "hello" }, &r, &err), &err);
	buf_done(&r.out);
}

static void one_with_too_many_processes_is_ended(void **state UNUSED)
{
	const char *const args[] = { "100", NULL };
	struct program_result r = { 0 };
	struct err err = ERR_INIT;

	ASSERT_TRUE(run_with((struct program_request){ .name = "crowd", .args = args }, &r, &err) < 0);
	ASSERT_HAS(err.detail, "the program 'crowd' ran more than 64 processes at once and was ended");
	ASSERT_FAILS(-(int)err.code, &err, ERR_TOO_LARGE);
	assert_nothing_is_left();
}

#define CROWDS 4
#define CROWD 40
static atomic_uint crowds_over;

static void *one_crowd(void *arg UNUSED)
{
	_cleanup_free_ char *many = xasprintf("%d", CROWD);
	const char *const args[] = { many, NULL };
	struct program_result r = { 0 };
	struct err err = ERR_INIT;
	int rc = run_with((struct program_request){ .name = "crowd", .args = args, .timeout_ms = RUNNER_TIMEOUT_MAX_MS }, &r, &err);
	bool ok = rc == 0 && r.status == 0 && streq(buf_text(&r.out), "all were there\n");

	if (!ok)
		print_error("%s, status %d, said: %s\n", rc < 0 ? err.detail : "ended", r.status, buf_text(&r.out));
	buf_done(&r.out);
	err_clear(&err);
	atomic_fetch_add(&crowds_over, 1);
	return ok ? NULL : (void *)(uintptr_t)1;
}

/* The kernel's limit counts all of a user's; what one job has is no reason that another cannot fork. */
static void jobs_do_not_take_each_others_processes(void **state UNUSED)
{
	const struct timespec moment = { .tv_nsec = 20 * 1000 * 1000 };
	pthread_t t[CROWDS];
	unsigned wrong = 0;

	for (size_t i = 0; i < CROWDS; i++)
		ASSERT_INT(pthread_create(&t[i], NULL, one_crowd, NULL), 0);
	while (atomic_load(&crowds_over) == 0 && running(sleepers[SLEEP_CROWD]) < CROWDS * CROWD)
		nanosleep(&moment, NULL);
	while (atomic_load(&crowds_over) < CROWDS) {
		(void)signalled(sleepers[SLEEP_CROWD], SIGTERM);
		nanosleep(&moment, NULL);
	}
	for (size_t i = 0; i < CROWDS; i++) {
		void *bad = NULL;

		pthread_join(t[i], &bad);
		wrong += bad != NULL;
	}
	ASSERT_INT(wrong, 0);
	assert_nothing_is_left();
}

static void memory_and_files_have_limits(void **state UNUSED)
{
	struct program_result r = { 0 };
	struct err err = ERR_INIT;

	ASSERT_OK(run_with((struct program_request){ .name = "memory" }, &r, &err), &err);
	ASSERT_INT(r.status, 1);
	ASSERT_HAS(buf_text(&r.out), "MemoryError");
	buf_done(&r.out);
	ASSERT_OK(run_with((struct program_request){ .name = "disk", .scratch = true }, &r, &err), &err);
	ASSERT_TRUE(r.status != 0);
	buf_done(&r.out);
}

static void a_private_directory_is_private_and_gone_after(void **state UNUSED)
{
	struct program_result r = { 0 };
	struct err err = ERR_INIT;
	_cleanup_strlist_ struct strlist lines = { 0 };

	ASSERT_OK(run_with((struct program_request){ .name = "scratch", .scratch = true }, &r, &err), &err);
	strlist_split(&lines, buf_text(&r.out), '\n');
	ASSERT_INT(lines.n, 3);
	ASSERT_STR(lines.v[0], lines.v[1]);
	ASSERT_STR(lines.v[2], "700");
	ASSERT_FALSE(file_exists(lines.v[0]));
	ASSERT_TRUE(file_exists("/etc/passwd")); /* the link was not followed */
	buf_done(&r.out);
}

static void nothing_runs_as_root_nor_can_become_it(void **state UNUSED)
{
	struct program_result r = { 0 };
	struct err err = ERR_INIT;

	ASSERT_OK(run_with((struct program_request){ .name = "root" }, &r, &err), &err);
	ASSERT_TRUE(!str_starts(buf_text(&r.out), "0\n"));
	ASSERT_HAS(buf_text(&r.out), "NoNewPrivs:\t1");
	buf_done(&r.out);
}

static void a_caller_that_goes_away_takes_its_job_along(void **state UNUSED)
{
	int64_t until = clock_boot(&clock_system) + 120 * SECOND_MS;
	pid_t pid = fork();

	if (pid == 0) {
		struct program_result r = { 0 };
		struct err err = ERR_INIT;

		(void)run_with((struct program_request){ .name = "sleep" }, &r, &err);
		_exit(0);
	}
	while (!running(sleepers[SLEEP_LONG]) && clock_boot(&clock_system) < until)
		usleep(10000);
	ASSERT_TRUE(running(sleepers[SLEEP_LONG]));
	kill(pid, SIGKILL);
	waitpid(pid, NULL, 0);
	while ((running(sleepers[SLEEP_LONG]) || running(dir)) && clock_boot(&clock_system) < until)
		usleep(10000);
	assert_nothing_is_left();
}

static void *one_of_many(void *arg)
{
	struct program_result r = { 0 };
	struct err err = ERR_INIT;
	_cleanup_free_ char *word = xasprintf("%zu", (size_t)(uintptr_t)arg), *want = xasprintf("hello %s \nto stderr\n", word);
	const char *const args[] = { word, NULL };
	int rc = run_with((struct program_request){ .name = "hello", .args = args }, &r, &err);
	bool ok = rc == 0 && streq(buf_text(&r.out), want);

	if (!ok)
		print_error("job %s: %s, status %d, said: %s\n", word, rc < 0 ? err.detail : "ended", r.status, buf_text(&r.out));
	buf_done(&r.out);
	err_clear(&err);
	return ok ? NULL : (void *)(uintptr_t)1;
}

static void more_jobs_than_places_all_get_their_turn(void **state UNUSED)
{
	pthread_t t[40];

	for (size_t i = 0; i < ARRAY_SIZE(t); i++)
		ASSERT_INT(pthread_create(&t[i], NULL, one_of_many, (void *)(uintptr_t)i), 0);
	for (size_t i = 0; i < ARRAY_SIZE(t); i++) {
		void *wrong = NULL;

		pthread_join(t[i], &wrong);
		ASSERT_TRUE(!wrong);
	}
}

/* ---- builtins ---- */

static void a_builtin_can_only_compute(void **state UNUSED)
{
	static const struct {
		const char *input;
		enum err_code code;
		const char *says;
	} rows[] = {
		{ "network", ERR_INVALID, "made it try to reach outside" }, { "file", ERR_INVALID, "made it try to reach outside" },
		{ "exec", ERR_INVALID, "made it try to reach outside" },    { "fork", ERR_INVALID, "made it try to reach outside" },
		{ "code", ERR_INVALID, "made it try to reach outside" },    { "memory", ERR_INVALID, "needed more than 256 MiB" },
		{ "crash", ERR_INVALID, "could not cope" },		    { "refuse", ERR_INVALID, "the file is not one of these" },
	};

	if (!sandbox_effective())
		skip(); /* system calls are not restricted in such a build */
	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		struct program_result r = { 0 };
		struct err err = ERR_INIT;

		if (run_with((struct program_request){ .name = "@attempt", .input = STR(rows[i].input) }, &r, &err) == 0)
			print_error("'%s' went through\n", rows[i].input);
		ASSERT_HAS(err.detail, rows[i].says);
		ASSERT_FAILS(-(int)err.code, &err, rows[i].code);
	}
}

static void a_builtin_computes(void **state UNUSED)
{
	struct program_result r = { 0 };
	struct err err = ERR_INIT;
	char bytes[] = { 0, 1, 2, (char)0xff, 0 };

	ASSERT_OK(run_with((struct program_request){ .name = "@attempt", .input = { bytes, sizeof bytes } }, &r, &err), &err);
	ASSERT_INT(r.out.n, sizeof bytes);
	ASSERT_MEM(r.out.p, bytes, sizeof bytes);
	buf_done(&r.out);
}

static void a_builtin_that_computes_for_ever_is_ended(void **state UNUSED)
{
	struct program_result r = { 0 };
	struct err err = ERR_INIT;

	ASSERT_TRUE(run_with((struct program_request){ .name = "@attempt", .input = STR("for ever"), .timeout_ms = RUNNER_TIMEOUT_MAX_MS }, &r, &err) < 0);
	ASSERT_HAS(err.detail, "was ended after 5 s of computing");
	ASSERT_FAILS(-(int)err.code, &err, ERR_TIMEOUT);
}

/* ---- the runner's own end ---- */

static void a_killed_runner_leaves_nothing_and_the_next_one_goes_on(void **state UNUSED)
{
	int64_t until = clock_boot(&clock_system) + 120 * SECOND_MS;
	struct program_result r = { 0 };
	struct err err = ERR_INIT;
	pid_t pid = fork();

	if (pid == 0) {
		(void)run_with((struct program_request){ .name = "stubborn", .scratch = true }, &r, &err);
		_exit(err.code == ERR_BUSY ? 0 : 1);
	}
	while (!running(sleepers[SLEEP_STUBBORN]) && clock_boot(&clock_system) < until)
		usleep(10000);
	kill(runner, SIGKILL);
	waitpid(runner, NULL, 0);
	start_runner();
	int status = -1;
	waitpid(pid, &status, 0);
	ASSERT_INT(status, 0); /* told: the server is stopping */
	while ((running(sleepers[SLEEP_STUBBORN]) || running(dir)) && clock_boot(&clock_system) < until)
		usleep(10000);
	assert_nothing_is_left();
	ASSERT_OK(run_with((struct program_request){ .name = "hello" }, &r, &err), &err);
	buf_done(&r.out);
}

/* ---- messages and paths ---- */

static void broken_messages_are_refused_at_every_length(void **state UNUSED)
{
	_cleanup_buf_ struct buf m = BUF_MAX(RUNNER_REQUEST_MAX);
	const char *const args[] = { "a", "", NULL };
	struct program_request q = { .name = "x", .args = args, .env = (const char *const[]){ "A=b", NULL }, .input = STR("in") };
	struct runner_job j = { 0 };
	struct err err = ERR_INIT;

	ASSERT_OK(runner_request_encode(&q, &m, &err), &err);
	ASSERT_OK(runner_request_decode((struct str){ m.p, m.n }, &j, &err), &err);
	ASSERT_STR(j.args[2], "");
	ASSERT_STR(j.env[RUNNER_ENV_OWN], "A=b");
	ASSERT_INT(j.input.n, 2);
	for (size_t n = 0; n < m.n; n++) {
		_cleanup_free_ char *cut = xmemdup(m.p, n ? n : 1);

		ASSERT_FAILS(runner_request_decode((struct str){ cut, n }, &j, &err), &err, ERR_INTERNAL);
	}
	for (size_t i = 0; i < m.n; i++) { /* any byte made wrong: read or refused, never beyond the message */
		_cleanup_free_ char *bad = xmemdup(m.p, m.n);
		_cleanup_err_ struct err e = ERR_INIT;

		bad[i] = (char)0xff;
		(void)runner_request_decode((struct str){ bad, m.n }, &j, &e);
	}
}

static void a_path_must_be_safe(void **state UNUSED)
{
	_cleanup_free_ char *plain = path_join(dir, "plain"), *open_dir = path_join(dir, "open"), *inside = path_join(open_dir, "x");
	struct err err = ERR_INIT;

	ASSERT_OK(file_write_atomic(plain, "", 0, 0644, &err), &err);
	ASSERT_INT(mkdir(open_dir, 0777), 0);
	ASSERT_INT(chmod(open_dir, 0777), 0);
	ASSERT_OK(file_write_atomic(inside, "", 0, 0755, &err), &err);
	ASSERT_OK(runner_program_check("/bin/sh", &err), &err);
	ASSERT_FAILS(runner_program_check("bin/sh", &err), &err, ERR_INVALID);
	ASSERT_FAILS(runner_program_check("/bin", &err), &err, ERR_INVALID);
	ASSERT_FAILS(runner_program_check("/nowhere/sh", &err), &err, ERR_INVALID);
	ASSERT_FAILS(runner_program_check(plain, &err), &err, ERR_INVALID);
	ASSERT_FAILS(runner_program_check(inside, &err), &err, ERR_INVALID);
	ASSERT_TRUE(runner_name_ok("f5-hook_2") && !runner_name_ok("") && !runner_name_ok("A") && !runner_name_ok("-a") && !runner_name_ok("a/b") &&
		    !runner_name_ok("a=b") && !runner_name_ok("abcdefghijklmnopqrstuvwxyz0123456"));
}

/* Where the service manager starts it: its socket listens, each connection is a job. */
static void a_runner_with_a_listening_socket_runs_a_job_per_connection(void **state UNUSED)
{
	_cleanup_free_ char *path = path_join(dir, "runner.sock");
	struct sockaddr_un a = { .sun_family = AF_UNIX };
	struct runner_client unit = { .fd = -1, .path = path };
	int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0), status;
	pid_t pid;

	assert_true(strlen(path) < sizeof a.sun_path);
	memcpy(a.sun_path, path, strlen(path) + 1);
	ASSERT_INT(bind(fd, (struct sockaddr *)&a, sizeof a), 0);
	ASSERT_INT(listen(fd, 16), 0);
	pid = fork();
	if (pid == 0) {
		struct runner_options o = { .programs = &programs, .builtins = builtins };
		struct err why = ERR_INIT;

		prctl(PR_SET_PDEATHSIG, SIGTERM); /* a failed assertion of the parent leaves none behind */
		_exit(runner_serve(&o, fd, &why) < 0);
	}
	close(fd);
	for (int i = 0; i < 3; i++) {
		struct program_result r = { .out.max = 1024 };
		struct program_request q = { .name = "@attempt", .input = { "abc", 3 } };
		struct err err = ERR_INIT;

		ASSERT_OK(runner_client_run(&unit, &q, &r, &err), &err);
		ASSERT_STR(buf_text(&r.out), "abc");
		buf_done(&r.out);
	}
	kill(pid, SIGTERM);
	ASSERT_INT(waitpid(pid, &status, 0), pid);
	ASSERT_INT(status, 0);
	{
		struct program_result r = { .out.max = 1024 };
		struct program_request q = { .name = "@attempt", .input = { "abc", 3 } };
		struct err err = ERR_INIT;

		ASSERT_INT(runner_client_run(&unit, &q, &r, &err), -ERR_BUSY);
		err_clear(&err);
		buf_done(&r.out);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(a_runner_with_a_listening_socket_runs_a_job_per_connection),
		TEST(a_program_gets_its_arguments_and_input_and_its_status_comes_back),
		TEST(a_program_has_a_clean_environment_and_no_descriptors),
		TEST(a_program_that_is_not_configured_is_refused),
		TEST(a_program_that_others_may_write_is_refused_at_use),
		TEST(one_that_never_ends_is_ended),
		TEST(one_that_says_too_much_is_ended),
		TEST(one_that_leaves_others_behind_takes_them_along),
		TEST(a_fork_bomb_is_put_out),
		TEST(one_with_too_many_processes_is_ended),
		TEST(jobs_do_not_take_each_others_processes),
		TEST(memory_and_files_have_limits),
		TEST(a_private_directory_is_private_and_gone_after),
		TEST(nothing_runs_as_root_nor_can_become_it),
		TEST(a_caller_that_goes_away_takes_its_job_along),
		TEST(more_jobs_than_places_all_get_their_turn),
		TEST(a_builtin_can_only_compute),
		TEST(a_builtin_computes),
		TEST(a_builtin_that_computes_for_ever_is_ended),
		TEST(a_killed_runner_leaves_nothing_and_the_next_one_goes_on),
		TEST(broken_messages_are_refused_at_every_length),
		TEST(a_path_must_be_safe),
	};

	signal(SIGPIPE, SIG_IGN);
	return cmocka_run_group_tests(tests, setup, teardown);
}
