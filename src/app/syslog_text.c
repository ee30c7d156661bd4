/* SPDX-License-Identifier: Apache-2.0 */
/* syslog_text.c - of syslog.h: the target's text, and a message of RFC 5424 with its length before it (RFC 5425 4.3). */
#include "app/syslog.h"

#include "base/addr.h"
#include "base/idn.h"

#define FACILITY_DAEMON 3
#define FACILITY_AUDIT 13

/* ---- the target ---- */

int syslog_target_parse(const char *text, char **ret_host, uint16_t *ret_port, struct err *err)
{
	static const char scheme[] = "syslog://";
	size_t n = str_starts(text, scheme) ? strlen(scheme) : 0;
	const char *host = text + n, *colon = strrchr(host, ':'), *end = strchr(host, ']');
	bool has_port = colon && (!end || colon > end);
	_cleanup_free_ char *bare = NULL, *canonical = NULL;
	_cleanup_err_ struct err no = ERR_INIT;
	int64_t port = SYSLOG_PORT;
	union addr a;

	if (!n || !*host || strpbrk(host, "/?#@ "))
		return err_set(err, ERR_INVALID, "'%s' is not syslog://HOST or syslog://HOST:PORT", text);
	if (has_port && str_to_i64(colon + 1, 1, 65535, &port, &no) < 0)
		return err_set(err, ERR_INVALID, "'%s' has no port", text);
	bare = *host == '[' && end ? xstrndup(host + 1, (size_t)(end - host - 1)) : xstrndup(host, has_port ? (size_t)(colon - host) : strlen(host));
	if (addr_parse_ip(bare, &a, &no) < 0) {
		if (name_canonical(bare, &canonical, err) < 0)
			return -(int)err->code;
		free(bare);
		bare = TAKE(canonical);
	}
	*ret_host = TAKE(bare);
	*ret_port = (uint16_t)port;
	return 0;
}

/* ---- a message ---- */

/* The text member of that name at the front of a line that log.c made; what is escaped in it ends it. */
static struct str front_member(const char *line, size_t n, const char *name)
{
	_cleanup_free_ char *lead = xasprintf("\"%s\":\"", name);
	const char *at = memmem(line, MIN(n, (size_t)512), lead, strlen(lead));
	size_t begin = at ? (size_t)(at - line) + strlen(lead) : n, end = begin;

	while (end < n && line[end] != '"' && line[end] != '\\')
		end++;
	return (struct str){ line + begin, end - begin };
}

/* "order issued" -> "order-issued": the event names of docs/generated/log-events.md; PRINTUSASCII, 32 at most. */
static void put_message_id(struct buf *out, struct str msg)
{
	size_t n = 0;

	for (; n < msg.n && n < 32; n++) {
		char c = msg.p[n];
		bool plain = (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9');

		buf_add_char(out, plain ? c : '-');
	}
	if (!n)
		buf_add_char(out, '-');
}

void syslog_format(enum log_level level, const char *line, size_t n, const char *host, long pid, struct buf *out)
{
	static const int severity[] = { [LOG_DEBUG] = 7, [LOG_INFO] = 6, [LOG_WARNING] = 4, [LOG_ERROR] = 3 };
	struct str at = front_member(line, n, "time"), msg = front_member(line, n, "msg");
	int facility = msg.n == 5 && !memcmp(msg.p, "audit", 5) ? FACILITY_AUDIT : FACILITY_DAEMON;
	_cleanup_buf_ struct buf one = BUF_MAX(64 * 1024);

	buf_addf(&one, "<%d>1 ", facility * 8 + severity[level]);
	buf_add(&one, at.n ? at.p : "-", at.n ? at.n : 1);
	buf_addf(&one, " %s certwright ", *host ? host : "-");
	if (pid > 0)
		buf_addf(&one, "%ld ", pid);
	else
		buf_add_str(&one, "- ");
	put_message_id(&one, msg);
	buf_add_str(&one, " - ");
	buf_add(&one, line, n);
	buf_addf(out, "%zu ", one.n);
	buf_add(out, buf_text(&one), one.n);
}
