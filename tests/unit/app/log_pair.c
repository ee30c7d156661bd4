/* SPDX-License-Identifier: Apache-2.0 */
/* What the supervisor and the runner log, at core's end of the pair. */
#include "tests/unit/assert.h"

#include "app/log_pair.h"
#include "base/log_foreign.h"

#include <stdio.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <unistd.h>

static struct {
	long pid;
	char line[256];
} got[8];
static size_t n_got;

static void sink(UNUSED void *arg, UNUSED enum log_level level, long pid, const char *line, size_t n)
{
	if (pid == LOG_OWN || n_got == ARRAY_SIZE(got))
		return;
	got[n_got].pid = pid;
	snprintf(got[n_got++].line, sizeof got->line, "%.*s", (int)n, line);
}

/* Another process on the same end; returns its id. */
static pid_t said_by(const char *process, const char *message)
{
	pid_t pid = fork();
	int status;

	if (pid == 0) {
		log_pair_use(dup(log_pair_end()));
		log_set_process(process);
		log_info(message);
		log_pair_use(-1);
		log_info("and this stays local");
		_exit(0);
	}
	ASSERT_TRUE(waitpid(pid, &status, 0) == pid && status == 0);
	return pid;
}

static void lines_come_with_who_sent_them_and_nobody_speaks_for_another(void **state UNUSED)
{
	struct err err = ERR_INIT;
	pid_t runner;
	int core;

	log_init(LOG_INFO, LOG_LOGFMT, "supervisor");
	ASSERT_OK(log_pair_make(&core, &err), &err);
	log_info("ready");
	runner = said_by("runner", "a job was killed");
	said_by("supervisor", "a runner that says it is the supervisor");
	said_by("core", "a runner that says it is core");
	said_by("runner", "audit");
	ASSERT_INT(send(log_pair_end(), "rubbish", 7, 0), 7);
	log_add_sink(sink, NULL);
	log_pair_read(core, getpid());
	log_drop_sink(sink, NULL);
	ASSERT_INT(n_got, 2);
	ASSERT_INT(got[0].pid, getpid());
	ASSERT_HAS(got[0].line, "\"msg\":\"ready\"");
	ASSERT_INT(got[1].pid, runner);
	ASSERT_HAS(got[1].line, "\"process\":\"runner\",\"msg\":\"a job was killed\"");
	log_pair_use(-1);
	close(core);
}

static void nobody_waits_for_a_core_that_is_away(void **state UNUSED)
{
	int pair[2];

	ASSERT_INT(socketpair(AF_UNIX, SOCK_SEQPACKET, 0, pair), 0);
	log_pair_use(pair[1]);
	for (int i = 0; i < 1000; i++)
		log_info("a line that finds no room");
	log_pair_use(-1);
	close(pair[0]);
	close(pair[1]);
}

/* As a unit: the socket is not there, then there, then another one. */
static void a_runner_that_is_a_unit_sends_its_lines_as_soon_as_somebody_listens(void **state UNUSED)
{
	struct sockaddr_un at = { .sun_family = AF_UNIX };
	struct err err = ERR_INIT;
	char dir[] = "/tmp/certwright-log-test-XXXXXX";

	ASSERT_TRUE(mkdtemp(dir) != NULL);
	snprintf(at.sun_path, sizeof at.sun_path, "%s/log.sock", dir);
	log_set_process("runner");
	log_pair_connect(at.sun_path);
	log_info("nobody listens");
	for (int i = 0; i < 2; i++) {
		int core = socket(AF_UNIX, SOCK_DGRAM, 0);

		(void)unlink(at.sun_path);
		ASSERT_INT(bind(core, (const struct sockaddr *)&at, sizeof at), 0);
		ASSERT_OK(log_pair_listen(core, &err), &err);
		n_got = 0;
		log_info("somebody listens");
		log_add_sink(sink, NULL);
		log_pair_read(core, 1);
		log_drop_sink(sink, NULL);
		ASSERT_INT(n_got, 1);
		ASSERT_INT(got[0].pid, getpid());
		ASSERT_HAS(got[0].line, "\"process\":\"runner\",\"msg\":\"somebody listens\"");
		close(core);
	}
	log_pair_use(-1);
	(void)unlink(at.sun_path);
	(void)rmdir(dir);
}

int main(void)
{
	const struct CMUnitTest tests[] = { TEST(lines_come_with_who_sent_them_and_nobody_speaks_for_another), TEST(nobody_waits_for_a_core_that_is_away),
					    TEST(a_runner_that_is_a_unit_sends_its_lines_as_soon_as_somebody_listens) };

	return RUN(tests);
}
