/* SPDX-License-Identifier: Apache-2.0 */
/* Messages for a collector: RFC 5424 with the length of RFC 5425 before it, and the target's text. */
#include "tests/unit/assert.h"

#include "app/syslog.h"

#define FRONT "{\"time\":\"2026-11-27T01:45:00.000Z\",\"level\":\"info\",\"process\":\"core\",\"msg\":"

/* The message without its length, which is checked. */
static char *formatted(enum log_level level, const char *line, size_t n, const char *host)
{
	_cleanup_buf_ struct buf out = BUF_MAX(128 * 1024);
	char *end = NULL;
	unsigned long length;

	syslog_format(level, line, n, host, 42, &out);
	length = strtoul(buf_text(&out), &end, 10);
	assert_true(*end == ' ');
	ASSERT_INT(length, out.n - (size_t)(end + 1 - buf_text(&out)));
	return xstrdup(end + 1);
}

static void assert_line(enum log_level level, const char *line, const char *host, const char *wanted)
{
	_cleanup_free_ char *got = formatted(level, line, strlen(line), host), *whole = xasprintf("%s%s", wanted, line);

	ASSERT_STR(got, whole);
}

#define T "2026-11-27T01:45:00.000Z"

static void a_line_has_the_fields_of_rfc_5424(void **state UNUSED)
{
	assert_line(LOG_INFO, FRONT "\"order issued\"}", "h.example", "<30>1 " T " h.example certwright 42 order-issued - ");
	assert_line(LOG_DEBUG, FRONT "\"x\"}", "h", "<31>1 " T " h certwright 42 x - ");
	assert_line(LOG_WARNING, FRONT "\"x\"}", "h", "<28>1 " T " h certwright 42 x - ");
	assert_line(LOG_ERROR, FRONT "\"x\"}", "h", "<27>1 " T " h certwright 42 x - ");
	assert_line(LOG_INFO, FRONT "\"audit\"}", "h", "<110>1 " T " h certwright 42 audit - ");
}

static void what_is_not_known_is_a_dash(void **state UNUSED)
{
	assert_line(LOG_INFO, "", "", "<30>1 - - certwright 42 - - ");
	assert_line(LOG_INFO, "{}", "h", "<30>1 - h certwright 42 - - ");
	assert_line(LOG_INFO, FRONT "\"\"}", "h", "<30>1 " T " h certwright 42 - - ");
}

static void a_message_id_is_at_most_32_plain_characters(void **state UNUSED)
{
	assert_line(LOG_INFO, FRONT "\"0123456789012345678901234567890123456789\"}", "h", "<30>1 " T " h certwright 42 01234567890123456789012345678901 - ");
	assert_line(LOG_INFO, FRONT "\"a\xc3\xa9\xff]b\"}", "h", "<30>1 " T " h certwright 42 a----b - "); /* also invalid UTF-8 */
	assert_line(LOG_INFO, FRONT "\"a\x01\tb\"}", "h", "<30>1 " T " h certwright 42 a--b - ");
	assert_line(LOG_INFO, FRONT "\"cut\\nhere\"}", "h", "<30>1 " T " h certwright 42 cut - ");
	assert_line(LOG_INFO, FRONT "\"no end", "h", "<30>1 " T " h certwright 42 no-end - ");
}

/* log.c writes at most 32 KiB; the next message must begin where the length says whatever comes. */
static void a_line_too_long_keeps_the_frame_whole(void **state UNUSED)
{
	_cleanup_free_ char *line = xmalloc(100 * 1024), *got = NULL;

	memset(line, 'x', 100 * 1024);
	memcpy(line, FRONT "\"big\"", strlen(FRONT "\"big\""));
	got = formatted(LOG_INFO, line, 100 * 1024, "h");
	ASSERT_STR(got, "<30>1 " T " h certwright 42 big - ");
}

static void messages_follow_each_other_without_a_newline(void **state UNUSED)
{
	_cleanup_buf_ struct buf out = BUF_MAX(1024);

	syslog_format(LOG_INFO, "{}", 2, "h", 1, &out);
	syslog_format(LOG_INFO, "{}", 2, "h", 1, &out);
	ASSERT_STR(buf_text(&out), "29 <30>1 - h certwright 1 - - {}29 <30>1 - h certwright 1 - - {}");
}

static void a_target_is_a_host_and_perhaps_a_port(void **state UNUSED)
{
	static const struct {
		const char *text, *host;
		uint16_t port;
	} rows[] = {
		{ "syslog://logs.example", "logs.example", 6514 },
		{ "syslog://LOGS.example:1", "logs.example", 1 },
		{ "syslog://192.0.2.1:65535", "192.0.2.1", 65535 },
		{ "syslog://[2001:db8::1]", "2001:db8::1", 6514 },
		{ "syslog://[2001:db8::1]:514", "2001:db8::1", 514 },
	};
	static const char *const wrong[] = { "", "syslog://", "logs.example", "https://logs.example", "syslog://a.example:0", "syslog://a.example:65536",
					     "syslog://a.example:x", "syslog://a.example/x", "syslog://u@a.example", "syslog://a b" };
	struct err err = ERR_INIT;
	uint16_t port = 0;

	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		_cleanup_free_ char *host = NULL;

		ASSERT_OK(syslog_target_parse(rows[i].text, &host, &port, &err), &err);
		ASSERT_STR(host, rows[i].host);
		ASSERT_INT(port, rows[i].port);
	}
	for (size_t i = 0; i < ARRAY_SIZE(wrong); i++) {
		char *host = NULL;

		ASSERT_FAILS(syslog_target_parse(wrong[i], &host, &port, &err), &err, ERR_INVALID);
		assert_null(host);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(a_line_has_the_fields_of_rfc_5424),
		TEST(what_is_not_known_is_a_dash),
		TEST(a_message_id_is_at_most_32_plain_characters),
		TEST(a_line_too_long_keeps_the_frame_whole),
		TEST(messages_follow_each_other_without_a_newline),
		TEST(a_target_is_a_host_and_perhaps_a_port),
	};

	return RUN(tests);
}
