/* SPDX-License-Identifier: Apache-2.0 */
/* Tests of src/app/host.c, src/base/proc.c and the supervisor's pauses: lock, ports, and what a started program gets. */
#include "tests/unit/assert.h"

#include "app/host.h"
#include "app/supervisor.h"
#include "base/addr.h"
#include "base/buf.h"
#include "base/file.h"
#include "base/proc.h"

#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

static char dir[] = "/tmp/certwright-host-XXXXXX";

static uint16_t bound_port(int fd)
{
	union addr a;
	socklen_t n = sizeof a;

	ASSERT_INT(getsockname(fd, &a.sa, &n), 0);
	return addr_port(&a);
}

static void a_state_folder_has_one_server(void **state)
{
	struct host_user nobody = { 0 };
	struct err err = ERR_INIT;
	int first = -1, second = -1;

	ASSERT_OK(host_state_lock(dir, &nobody, 0, &first, &err), &err);
	ASSERT_INT(host_state_lock(dir, &nobody, 0, &second, &err), -ERR_CONFLICT);
	ASSERT_HAS(err.detail, "another server uses");
	ASSERT_HAS(err.detail, "test_app_host");
	err_clear(&err);
	close(first);
	ASSERT_OK(host_state_lock(dir, &nobody, 0, &second, &err), &err);
	close(second);
}

static void a_folder_others_may_write_is_refused(void **state)
{
	_cleanup_free_ char *open_dir = path_join(dir, "open");
	struct host_user nobody = { 0 };
	struct err err = ERR_INIT;

	ASSERT_INT(mkdir(open_dir, 0777), 0);
	ASSERT_INT(chmod(open_dir, 0777), 0);
	ASSERT_FAILS(host_state_make(open_dir, &nobody, &err), &err, ERR_INVALID);
	ASSERT_INT(chmod(open_dir, 0700), 0);
	ASSERT_OK(host_state_make(open_dir, &nobody, &err), &err);
	rmdir(open_dir);
}

static void a_port_in_use_is_named_with_its_holder(void **state)
{
	_cleanup_strlist_ struct strlist any = { 0 }, same = { 0 };
	struct host_sockets first = { 0 }, second = { 0 };
	struct err err = ERR_INIT;
	char text[ADDR_TEXT];

	for (int kind = HOST_UDP; kind <= HOST_TCP; kind++) {
		strlist_clear(&any);
		strlist_clear(&same);
		strlist_add(&any, "127.0.0.1:0");
		ASSERT_OK(host_bind(&any, (enum host_socket)kind, &first, &err), &err);
		snprintf(text, sizeof text, "127.0.0.1:%u", bound_port(first.fd[0]));
		strlist_add(&same, text);
		ASSERT_INT(host_bind(&same, (enum host_socket)kind, &second, &err), -ERR_CONFLICT);
		ASSERT_HAS(err.detail, text);
		ASSERT_HAS(err.detail, "test_app_host");
		err_clear(&err);
		host_sockets_close(&first);
	}
}

static void every_address_leaves_out_the_one_somebody_has(void **state)
{
	_cleanup_strlist_ struct strlist one = { 0 }, all = { 0 };
	struct host_sockets first = { 0 }, rest = { 0 };
	struct err err = ERR_INIT;
	char text[ADDR_TEXT];

	/* 127.0.0.2 as a local resolver's address: the wildcard collides, 127.0.0.1 is still free */
	strlist_add(&one, "127.0.0.2:0");
	ASSERT_OK(host_bind(&one, HOST_UDP, &first, &err), &err);
	snprintf(text, sizeof text, "0.0.0.0:%u", bound_port(first.fd[0]));
	strlist_add(&all, text);
	ASSERT_OK(host_bind(&all, HOST_UDP, &rest, &err), &err);
	ASSERT_TRUE(rest.n >= 1);
	host_sockets_close(&first);
	host_sockets_close(&rest);
}

static void long_folders_still_get_their_socket(void **state)
{
	char name[120];
	_cleanup_free_ char *deep = NULL, *path = NULL, *real = NULL;
	struct err err = ERR_INIT;
	int dir_fd = -1, fd = -1;

	memset(name, 'd', sizeof name);
	name[sizeof name - 1] = '\0';
	deep = path_join(dir, name);
	ASSERT_OK(dir_make(deep, 0700, &err), &err);
	path = host_socket_path(deep, "feed.sock", &dir_fd);
	ASSERT_OK(host_bind_unix(path, &fd, &err), &err);
	real = path_join(deep, "feed.sock");
	ASSERT_INT(access(real, F_OK), 0);
	close(fd);
	close(dir_fd);
	unlink(real);
	rmdir(deep);
}

/* Runs the shell with what proc_start gives it and returns what it printed. */
static char *run_shell(const char *script, const struct proc_fd *fds, size_t n, const struct strlist *env)
{
	const char *argv[] = { "sh", "-c", script, NULL };
	_cleanup_close_ int program = open("/bin/sh", O_PATH | O_CLOEXEC);
	_cleanup_buf_ struct buf out = BUF_MAX(65536);
	struct proc_start s = { .program = program, .argv = argv, .env = env, .fds = fds, .n_fds = n };
	struct err err = ERR_INIT;
	char part[4096];
	int pipe_fds[2];
	ssize_t got;
	pid_t pid;

	ASSERT_INT(pipe2(pipe_fds, O_CLOEXEC), 0);
	s.out = pipe_fds[1];
	ASSERT_OK(proc_start(&s, &pid, &err), &err);
	close(pipe_fds[1]);
	while ((got = read(pipe_fds[0], part, sizeof part)) > 0)
		buf_add(&out, part, (size_t)got);
	close(pipe_fds[0]);
	ASSERT_INT(proc_wait(pid, 120000), 0);
	return buf_take(&out);
}

static void a_program_gets_just_what_it_is_given(void **state)
{
	_cleanup_strlist_ struct strlist env = { 0 };
	_cleanup_close_ int a = open("/dev/null", O_RDONLY), b = open("/dev/zero", O_RDONLY), not_given = open("/dev/null", O_RDONLY);
	const struct proc_fd fds[] = { { b, "zero" }, { a, "null" } };
	_cleanup_free_ char *text = NULL;

	ASSERT_TRUE(not_given >= 0);
	setenv("SECRET_OF_THE_SHELL", "x", 1);
	strlist_add(&env, "PATH=/usr/bin:/bin");
	text = run_shell("echo $LISTEN_FDS $LISTEN_FDNAMES; [ $LISTEN_PID = $$ ] && echo mine; readlink /proc/$$/fd/3 /proc/$$/fd/4;"
			 "[ -e /proc/$$/fd/5 ] && echo leaked; env | grep -c SECRET; kill -0 -$$ && echo leader; exit 0",
			 fds, 2, &env);
	ASSERT_STR(text, "2 zero:null\nmine\n/dev/zero\n/dev/null\n0\nleader\n");
}

static void a_program_that_cannot_start_is_an_error_at_once(void **state)
{
	const char *argv[] = { "x", NULL };
	_cleanup_close_ int program = open("/etc/passwd", O_PATH | O_CLOEXEC);
	struct proc_start s = { .program = program, .argv = argv, .out = -1 };
	struct err err = ERR_INIT;
	pid_t pid;

	ASSERT_FAILS(proc_start(&s, &pid, &err), &err, ERR_INTERNAL);
}

static void a_child_that_does_not_end_is_killed(void **state)
{
	const char *argv[] = { "sleep", "60", NULL };
	_cleanup_close_ int program = open("/bin/sleep", O_PATH | O_CLOEXEC);
	struct proc_start s = { .program = program, .argv = argv, .out = -1 };
	_cleanup_free_ char *text = NULL;
	struct err err = ERR_INIT;
	pid_t pid;
	int status;

	ASSERT_OK(proc_start(&s, &pid, &err), &err);
	status = proc_wait(pid, 50);
	ASSERT_TRUE(WIFSIGNALED(status) && WTERMSIG(status) == SIGKILL);
	text = proc_status_text(status);
	ASSERT_STR(text, "was killed by signal 9 (Killed)");
}

static void pauses_grow_and_stay_bounded(void **state)
{
	static const int64_t want[] = { 100, 200, 400, 800, 1600, 3200, 6400, 12800, 25600, 30000, 30000 };

	for (unsigned i = 0; i < ARRAY_SIZE(want); i++)
		ASSERT_INT(supervisor_pause_ms(i), want[i]);
	ASSERT_INT(supervisor_pause_ms(1000000), 30000);
}

static int make_dir(void **state)
{
	return mkdtemp(dir) ? 0 : -1;
}

static int remove_dir(void **state)
{
	_cleanup_free_ char *path = path_join(dir, "lock");

	(void)unlink(path);
	return rmdir(dir);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(a_state_folder_has_one_server),
		TEST(a_folder_others_may_write_is_refused),
		TEST(a_port_in_use_is_named_with_its_holder),
		TEST(every_address_leaves_out_the_one_somebody_has),
		TEST(long_folders_still_get_their_socket),
		TEST(a_program_gets_just_what_it_is_given),
		TEST(a_program_that_cannot_start_is_an_error_at_once),
		TEST(a_child_that_does_not_end_is_killed),
		TEST(pauses_grow_and_stay_bounded),
	};

	return cmocka_run_group_tests(tests, make_dir, remove_dir);
}
