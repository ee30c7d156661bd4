/* SPDX-License-Identifier: Apache-2.0 */
/* syslog_text.c - any bytes as a line for the collector: the length before it is right, and the header is RFC 5424's. And as a target. */
#include "tests/fuzz/fuzz.h"

#include "app/syslog.h"

/* The message after its length; all of out is that one message. */
static const char *framed(const struct buf *out)
{
	char *end = NULL;
	unsigned long n = strtoul(buf_text(out), &end, 10);

	HOLDS(!out->failed && *end == ' ' && n == out->n - (size_t)(end + 1 - buf_text(out)));
	return end + 1;
}

static void message_id(const char *data, size_t n)
{
	static const char lead[] = "<27>1 T h certwright 1 ";
	_cleanup_buf_ struct buf line = BUF_MAX(1024 * 1024), out = BUF_MAX(128 * 1024);
	const char *id, *end;

	buf_add_str(&line, "{\"time\":\"T\",\"msg\":");
	buf_add_json(&line, data, n);
	buf_add_char(&line, '}');
	syslog_format(LOG_ERROR, buf_text(&line), line.n, "h", 1, &out);
	id = framed(&out) + strlen(lead);
	HOLDS(str_starts(id - strlen(lead), lead) || str_starts(id - strlen(lead), "<107>1 T"));
	if (!str_starts(id - strlen(lead), lead))
		return; /* an audit line */
	end = strchr(id, ' ');
	HOLDS(end && end > id && end - id <= 32 && str_starts(end, " - "));
	for (; id < end; id++)
		HOLDS(*id > ' ' && *id < 0x7f);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n)
{
	_cleanup_free_ char *text = n ? xstrndup((const char *)data, n) : xstrdup(""), *host = NULL;
	_cleanup_buf_ struct buf out = BUF_MAX(128 * 1024);
	_cleanup_err_ struct err err = ERR_INIT;
	uint16_t port = 0;

	syslog_format(LOG_INFO, (const char *)data, n, "h", 1, &out);
	(void)framed(&out);
	message_id((const char *)data, n);
	if (syslog_target_parse(text, &host, &port, &err) == 0)
		HOLDS(host && *host && port);
	return 0;
}
