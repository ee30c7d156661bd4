/* SPDX-License-Identifier: Apache-2.0 */
#include "tests/unit/assert.h"

#include "base/json.h"
#include "base/log_foreign.h"

#include <fcntl.h>
#include <unistd.h>

static char text[16384];

/* What fn writes to standard error. */
static const char *caught(void (*fn)(void))
{
	int fds[2], saved = dup(2);
	ssize_t n;

	assert(pipe2(fds, O_NONBLOCK) == 0);
	dup2(fds[1], 2);
	fn();
	dup2(saved, 2);
	close(saved);
	close(fds[1]);
	n = read(fds[0], text, sizeof text - 1);
	text[n > 0 ? n : 0] = '\0';
	close(fds[0]);
	return text;
}

static void hostile_line(void)
{
	LOG_SCOPE("order", "01X");
	log_info("order refused", "detail", "bad\nname=\"x\"\x1b[2J", "absent", NULL, "n", LOG_NUM(7));
}

static void scoped_twice_line(void)
{
	LOG_SCOPE("request", "01R");
	LOG_SCOPE("order", "01X");
	LOG_SCOPE("request", "01R");
	log_info("said");
}

static void a_context_that_two_layers_push_is_said_once(void **state)
{
	const char *line;

	log_init(LOG_INFO, LOG_LOGFMT, "test");
	line = caught(scoped_twice_line);
	ASSERT_HAS(line, "request=01R order=01X");
	ASSERT_TRUE(strstr(strstr(line, "request=") + 1, "request=") == NULL);
}

static void quiet_line(void)
{
	log_debug("not shown");
}

static void a_remote_text_cannot_break_the_line(void **state UNUSED)
{
	log_init(LOG_INFO, LOG_LOGFMT, "core");
	ASSERT_HAS(caught(hostile_line), " msg=\"order refused\" order=01X detail=\"bad\\nname=\\\"x\\\"\\u001b[2J\" n=7\n");
	ASSERT_STR(strchr(text, '\n'), "\n");
	ASSERT_FALSE(strstr(text, "absent"));
	ASSERT_STR(caught(quiet_line), "");
}

static void json_lines_are_json(void **state UNUSED)
{
	struct err err = ERR_INIT;
	json_t *j = NULL;

	log_init(LOG_INFO, LOG_JSON, "core");
	caught(hostile_line);
	ASSERT_OK(json_parse(text, strlen(text), &j, &err), &err);
	ASSERT_STR(json_string_value(json_object_get(j, "detail")), "bad\nname=\"x\"\x1b[2J");
	ASSERT_STR(json_string_value(json_object_get(j, "order")), "01X");
	ASSERT_STR(json_string_value(json_object_get(j, "process")), "core");
	json_decref(j);
}

static unsigned foreign;

static void foreign_sink(UNUSED void *arg, UNUSED enum log_level level, long pid, UNUSED const char *line, UNUSED size_t n)
{
	foreign += pid == 7;
}

#define FRONT "{\"time\":\"t\",\"level\":\"info\",\"process\":\"edge\",\"msg\":\"m\""

static void only_what_is_a_line_of_that_process_is_passed_on(void **state UNUSED)
{
	static const char *const good[] = { FRONT "}", FRONT ",\"a\":\"b\",\"c\":\"\\\"\\u001b\xc3\xbc\"}" };
	static const char *const bad[] = {
		"", "{}", FRONT, FRONT ",}", FRONT "} ", FRONT "}}", FRONT ",\"a\":1}", FRONT ",\"a\":\"b\nc\"}", FRONT ",\"a\":\"\\x\"}",
		FRONT ",\"a\":\"\\u12\"}", FRONT ",\"a\":\"\xff\"}", FRONT ",\"a\":\"b}", FRONT ",\"a\":\"b\\", FRONT "\"a\":\"b\"}", FRONT ",\"a\"}",
		"{\"time\":\"t\",\"level\":\"info\",\"process\":\"core\",\"msg\":\"m\"}", "{\"time\":\"t\",\"level\":\"info\",\"process\":\"edge\",\"msg\":\"audit\"}",
		"{\"time\":\"t\",\"level\":\"loud\",\"process\":\"edge\",\"msg\":\"m\"}", "{\"level\":\"info\",\"time\":\"t\",\"process\":\"edge\",\"msg\":\"m\"}",
	};
	static char longer[LOG_FOREIGN_MAX + 1];

	log_init(LOG_INFO, LOG_JSON, "test");
	log_add_sink(foreign_sink, NULL);
	for (size_t i = 0; i < ARRAY_SIZE(good); i++)
		ASSERT_TRUE(log_foreign("edge", 7, good[i], strlen(good[i])));
	ASSERT_INT(foreign, ARRAY_SIZE(good));
	for (size_t i = 0; i < ARRAY_SIZE(bad); i++)
		if (log_foreign("edge", 7, bad[i], strlen(bad[i])))
			fail_msg("row %zu was passed on", i);
	ASSERT_FALSE(log_foreign("edge", 7, longer, sizeof longer));
	ASSERT_INT(foreign, ARRAY_SIZE(good));
	log_drop_sink(foreign_sink, NULL);
}

int main(void)
{
	const struct CMUnitTest tests[] = { TEST(a_remote_text_cannot_break_the_line), TEST(json_lines_are_json),
					    TEST(a_context_that_two_layers_push_is_said_once),
					    TEST(only_what_is_a_line_of_that_process_is_passed_on) };

	return RUN(tests);
}
