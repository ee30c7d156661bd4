/* SPDX-License-Identifier: Apache-2.0 */
/*
 * syslog.h - log.target: every line of the log also goes to a collector, as RFC 5424 over TLS (RFC 5425, octet counting). The line itself is the
 * JSON object of the local log.
 *
 * Nobody waits for the collector: lines go into a queue bounded in memory, and a thread of its own sends them. While the collector is down the
 * queue fills; what does not fit is counted, and the count is the first line when it is back. The local log has every line anyway.
 */
#ifndef APP_SYSLOG_H
#define APP_SYSLOG_H

#include "base/buf.h"
#include "base/log.h"
#include "net/policy.h"

#define SYSLOG_LINES 8192
#define SYSLOG_BYTES (4 * 1024 * 1024)
#define SYSLOG_FOREIGN 1024 /* of other processes (base/log_foreign.h): who floods us with lines displaces none of core's */
#define SYSLOG_PORT 6514

/* "syslog://HOST", "syslog://HOST:PORT", "syslog://[2001:db8::1]:6514": *ret_host is owned. INVALID. */
int syslog_target_parse(const char *text, char **ret_host, uint16_t *ret_port, struct err *err);

/* One message with its length before it; pid 0 is not known. line is what log.c makes: a JSON object that begins with time, level, process, msg. */
void syslog_format(enum log_level level, const char *line, size_t n, const char *host, long pid, struct buf *out);

struct syslog;
struct syslog_options { /* borrowed for the call */
	const char *target;
	const char *ca_file;     /* PEM: these CAs only; NULL = the system's and net.trust */
	const char *fingerprint; /* pinned key; or NULL */
	struct net_policy *policy; /* a reference is taken */
};
/* From now on lines are sent. Before the threads that log; ended after them. */
int syslog_start(const struct syslog_options *o, struct syslog **ret, struct err *err) MUST_CHECK;
/* Sends for a moment what is left. NULL is fine. */
void syslog_stop(struct syslog *s);

#endif
