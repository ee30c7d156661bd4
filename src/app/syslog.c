/* SPDX-License-Identifier: Apache-2.0 */
/* syslog.c - see syslog.h. */
#include "app/syslog.h"

#include "base/clock.h"
#include "base/file.h"
#include "base/pool.h"
#include "base/stop.h"
#include "net/stream.h"

#include <poll.h>
#include <pthread.h>
#include <unistd.h>

#define WRITE_MS (10 * SECOND_MS)
#define STOP_MS (2 * SECOND_MS)
#define BATCH_BYTES (64 * 1024)

struct queued {
	struct queued *next;
	enum log_level level;
	long pid; /* 0: not known */
	bool foreign;
	size_t n;
	char line[];
};

struct syslog {
	char *host, *ca_pem, *fingerprint, name[256];
	uint16_t port;
	struct net_policy *policy;
	struct stop stop;
	struct wake wake;
	uint64_t thread;

	pthread_mutex_t lock; /* of the queue; held for a moment, never across I/O */
	struct queued *first, **last;
	size_t lines, bytes, foreign;
	uint64_t lost;

	/* the thread's */
	struct net_stream *stream;
	int64_t pause_ms;
	bool told; /* that it is not reached */
};

/* ---- the queue ---- */

/* Called by whoever logs: nothing here waits for anything but the lock. */
static void push(void *arg, enum log_level level, long pid, const char *line, size_t n)
{
	struct syslog *s = arg;
	struct queued *q = NULL;

	pthread_mutex_lock(&s->lock);
	if (s->lines >= SYSLOG_LINES || s->bytes + n > SYSLOG_BYTES || (pid != LOG_OWN && s->foreign >= SYSLOG_FOREIGN)) {
		s->lost++;
	} else {
		q = xmalloc(sizeof *q + n);
		*q = (struct queued){ .level = level, .pid = pid == LOG_OWN ? (long)getpid() : pid, .foreign = pid != LOG_OWN, .n = n };
		s->foreign += q->foreign;
		memcpy(q->line, line, n);
		*s->last = q;
		s->last = &q->next;
		s->lines++;
		s->bytes += n;
	}
	pthread_mutex_unlock(&s->lock);
	if (q)
		wake_up(&s->wake);
}

/* The first lines as messages; they stay in the queue until they are sent. Returns how many. */
static size_t peek(struct syslog *s, struct buf *out)
{
	size_t n = 0;

	pthread_mutex_lock(&s->lock);
	if (s->lost) {
		char at[CLOCK_TEXT];
		_cleanup_free_ char *line = xasprintf("{\"time\":\"%s\",\"level\":\"warning\",\"process\":\"core\",\"msg\":\"lines were not sent to the collector\",\"lines\":\"%" PRIu64 "\"}",
						     clock_format(clock_now(&clock_system), at), s->lost);

		syslog_format(LOG_WARNING, line, strlen(line), s->name, (long)getpid(), out);
	}
	for (const struct queued *q = s->first; q && out->n < BATCH_BYTES; q = q->next, n++)
		syslog_format(q->level, q->line, q->n, s->name, q->pid, out);
	pthread_mutex_unlock(&s->lock);
	return n;
}

static void drop(struct syslog *s, size_t n, uint64_t lost)
{
	pthread_mutex_lock(&s->lock);
	s->lost -= MIN(lost, s->lost);
	for (; n && s->first; n--) {
		struct queued *q = s->first;

		s->first = q->next;
		s->lines--;
		s->bytes -= q->n;
		s->foreign -= q->foreign;
		free(q);
	}
	if (!s->first)
		s->last = &s->first;
	pthread_mutex_unlock(&s->lock);
}

static uint64_t lost_now(struct syslog *s)
{
	uint64_t n;

	pthread_mutex_lock(&s->lock);
	n = s->lost;
	pthread_mutex_unlock(&s->lock);
	return n;
}

/* ---- sending ---- */

static void trouble(struct syslog *s, const struct err *why)
{
	net_stream_close(TAKE(s->stream));
	s->pause_ms = s->pause_ms ? MIN(2 * s->pause_ms, (int64_t)MINUTE_MS) : SECOND_MS;
	if (!s->told)
		log_err(LOG_WARNING, "the log collector is not reached; lines wait for it", why);
	s->told = true;
}

static bool connected(struct syslog *s)
{
	const struct net_rule rule = { .ca_pem = s->ca_pem, .fingerprint = s->fingerprint };
	_cleanup_err_ struct err why = ERR_INIT;
	enum net_leg leg;

	if (s->stream)
		return true;
	if (net_stream_open(s->policy, &s->stop, s->host, s->port, &rule, &s->stream, &leg, &why) < 0) {
		trouble(s, &why);
		return false;
	}
	s->pause_ms = 0;
	if (s->told)
		log_info("the log collector is reached again", "host", s->host);
	s->told = false;
	return true;
}

/* False: not now. */
static bool send_some(struct syslog *s)
{
	_cleanup_buf_ struct buf out = BUF_MAX(1024 * 1024);
	_cleanup_err_ struct err why = ERR_INIT;
	uint64_t lost = lost_now(s);
	size_t n;

	if (!connected(s))
		return false;
	n = peek(s, &out);
	if (!out.n)
		return false;
	if (net_stream_write(s->stream, buf_text(&out), out.n, WRITE_MS, &why) < 0) {
		trouble(s, &why);
		return false;
	}
	drop(s, n, lost);
	return true;
}

static void sender(void *arg)
{
	struct syslog *s = arg;
	int64_t end;

	while (!stop_raised(&s->stop)) {
		while (send_some(s) && !stop_raised(&s->stop))
			;
		if (s->pause_ms)
			(void)poll(&(struct pollfd){ .fd = s->stop.fd, .events = POLLIN }, 1, (int)s->pause_ms);
		else
			(void)wake_wait(&s->wake, &s->stop, -1);
	}
	end = clock_boot(&clock_system) + STOP_MS;
	while (s->stream && clock_boot(&clock_system) < end && send_some(s))
		;
}

/* ---- life ---- */

static int trust_read(const char *path, char **ret, struct err *err)
{
	_cleanup_buf_ struct buf pem = BUF_MAX(256 * 1024);

	if (!path)
		return 0;
	if (file_read(path, &pem, err) < 0)
		return err_wrap(err, "could not read log.target_ca");
	*ret = buf_take(&pem);
	return 0;
}

int syslog_start(const struct syslog_options *o, struct syslog **ret, struct err *err)
{
	struct syslog *s = xcalloc(1, sizeof *s);

	pthread_mutex_init(&s->lock, NULL);
	stop_init(&s->stop);
	wake_init(&s->wake);
	s->last = &s->first;
	s->policy = net_policy_ref(o->policy);
	s->fingerprint = xstrdup_null(o->fingerprint);
	(void)gethostname(s->name, sizeof s->name - 1);
	if (syslog_target_parse(o->target, &s->host, &s->port, err) < 0 || trust_read(o->ca_file, &s->ca_pem, err) < 0 ||
	    thread_start(&s->thread, "syslog", sender, s, err) < 0) {
		syslog_stop(s);
		return -(int)err->code;
	}
	log_add_sink(push, s);
	*ret = s;
	return 0;
}

void syslog_stop(struct syslog *s)
{
	if (!s)
		return;
	log_drop_sink(push, s);
	stop_raise(&s->stop);
	if (s->thread)
		thread_join(s->thread);
	net_stream_close(s->stream);
	drop(s, SIZE_MAX, 0);
	net_policy_unref(s->policy);
	stop_done(&s->stop);
	wake_done(&s->wake);
	pthread_mutex_destroy(&s->lock);
	free(s->host);
	free(s->ca_pem);
	free(s->fingerprint);
	free(s);
}
