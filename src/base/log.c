/* SPDX-License-Identifier: Apache-2.0 */
/* log.c - see log.h. Builds the whole line in a fixed buffer and writes it with one write(2). */
#include "base/log.h"

#include "base/buf.h"
#include "base/clock.h"

#include <pthread.h>
#include <stdarg.h>
#include <stdio.h>
#include <unistd.h>

#define LINE_MAX_BYTES 8192

static enum log_level min_level = LOG_INFO;
static enum log_format format = LOG_LOGFMT;
static char process_name[32] = "certwright";
static _Thread_local struct log_scope *scope;

static const char *const level_names[] = { "debug", "info", "warning", "error" };

void log_init(enum log_level level, enum log_format f, const char *process)
{
	format = f;
	log_set_process(process);
	log_set_level(level);
}

void log_set_process(const char *process)
{
	snprintf(process_name, sizeof process_name, "%s", process);
}

void log_set_level(enum log_level level)
{
	__atomic_store_n(&min_level, level, __ATOMIC_RELAXED);
}

bool log_level_parse(const char *s, enum log_level *ret)
{
	for (unsigned i = 0; i < ARRAY_SIZE(level_names); i++)
		if (streq(s, level_names[i])) {
			*ret = (enum log_level)i;
			return true;
		}
	return false;
}

bool log_enabled(enum log_level level)
{
	return level >= __atomic_load_n(&min_level, __ATOMIC_RELAXED);
}

static bool plain(const char *s)
{
	if (!*s)
		return false;
	for (; *s; s++)
		if ((unsigned char)*s <= ' ' || (unsigned char)*s >= 0x7f || *s == '"' || *s == '=' || *s == '\\')
			return false;
	return true;
}

static void add_pair(struct buf *b, enum log_format f, const char *key, const char *value)
{
	size_t n = strlen(value);

	if (n > 4096)
		n = 4096;
	if (f == LOG_JSON) {
		buf_add_str(b, b->n > 1 ? "," : "");
		buf_add_json(b, key, strlen(key));
		buf_add_char(b, ':');
		buf_add_json(b, value, n);
		return;
	}
	buf_addf(b, "%s%s=", b->n ? " " : "", key);
	if (plain(value))
		buf_add(b, value, n);
	else
		buf_add_json(b, value, n);
}

static void add_scopes(struct buf *b, enum log_format f, const struct log_scope *s)
{
	if (!s)
		return;
	add_scopes(b, f, s->outer);
	for (const struct log_scope *o = s->outer; o; o = o->outer)
		if (streq(o->key, s->key) && streq(o->value, s->value))
			return; /* pushed by two layers: said once */
	add_pair(b, f, s->key, s->value);
}

struct line {
	enum log_level level;
	const char *time, *message;
	va_list *pairs;
};

/* Without its newline. */
static void build(struct buf *b, enum log_format f, const struct line *l)
{
	const char *key;
	va_list ap;

	if (f == LOG_JSON)
		buf_add_char(b, '{');
	add_pair(b, f, "time", l->time);
	add_pair(b, f, "level", level_names[l->level]);
	add_pair(b, f, "process", process_name);
	add_pair(b, f, "msg", l->message);
	add_scopes(b, f, scope);
	va_copy(ap, *l->pairs);
	while ((key = va_arg(ap, const char *))) {
		const char *value = va_arg(ap, const char *);

		if (value)
			add_pair(b, f, key, value);
	}
	va_end(ap);
	if (f == LOG_JSON)
		buf_add_char(b, '}');
}

static void to_stderr(struct buf *b)
{
	static const char cut[] = "log line too long, cut\n";
	const char *p = b->failed ? cut : b->p;
	size_t n = b->failed ? sizeof cut - 1 : b->n;

	if (write(STDERR_FILENO, p, n) < 0)
		return; /* nowhere left to say it */
}

/* ---- sinks ---- */

static struct sink {
	log_sink_fn *fn;
	void *arg;
} sinks[4];
static size_t sinks_n; /* atomic: read without the lock to see whether there are any */
static pthread_rwlock_t sinks_lock = PTHREAD_RWLOCK_INITIALIZER;

void log_add_sink(log_sink_fn *fn, void *arg)
{
	pthread_rwlock_wrlock(&sinks_lock);
	assert(sinks_n < ARRAY_SIZE(sinks));
	sinks[sinks_n] = (struct sink){ fn, arg };
	__atomic_add_fetch(&sinks_n, 1, __ATOMIC_RELEASE);
	pthread_rwlock_unlock(&sinks_lock);
}

void log_drop_sink(log_sink_fn *fn, void *arg)
{
	pthread_rwlock_wrlock(&sinks_lock);
	for (size_t i = 0; i < sinks_n; i++)
		if (sinks[i].fn == fn && sinks[i].arg == arg) {
			sinks[i] = sinks[sinks_n - 1];
			__atomic_sub_fetch(&sinks_n, 1, __ATOMIC_RELEASE);
			break;
		}
	pthread_rwlock_unlock(&sinks_lock);
}

void log_to_sinks(enum log_level level, long pid, const char *line, size_t n)
{
	pthread_rwlock_rdlock(&sinks_lock);
	for (size_t i = 0; i < sinks_n; i++)
		sinks[i].fn(sinks[i].arg, level, pid, line, n);
	pthread_rwlock_unlock(&sinks_lock);
}

/* n: without the newline. */
static void to_sinks(enum log_level level, const struct buf *b, size_t n)
{
	if (!b->failed)
		log_to_sinks(level, LOG_OWN, b->p, n);
}

void log_line(enum log_level level, const char *message, ...)
{
	_cleanup_buf_ struct buf b = BUF_MAX(LINE_MAX_BYTES * 4), json = BUF_MAX(LINE_MAX_BYTES * 4);
	bool sunk = __atomic_load_n(&sinks_n, __ATOMIC_ACQUIRE) > 0;
	char when[CLOCK_TEXT];
	va_list ap;
	struct line l = { level, NULL, message, &ap };
	size_t n;

	if (!log_enabled(level))
		return;
	l.time = clock_format(clock_now(&clock_system), when);
	va_start(ap, message);
	build(&b, format, &l);
	if (sunk && format != LOG_JSON)
		build(&json, LOG_JSON, &l);
	va_end(ap);
	n = b.n;
	buf_add_char(&b, '\n');
	to_stderr(&b); /* first: what came to a collector stands in the local log, too */
	if (sunk)
		to_sinks(level, format == LOG_JSON ? &b : &json, format == LOG_JSON ? n : json.n);
}

void log_err(enum log_level level, const char *message, const struct err *e)
{
	_cleanup_free_ char *text = err_text(e);

	log_line(level, message, "error", text, "code", err_slug(e->code), "remote", e->remote, "hint", e->hint, (char *)NULL);
}

void log_scope_push(struct log_scope *s, const char *key, const char *value)
{
	s->key = key;
	snprintf(s->value, sizeof s->value, "%s", value ? value : "-");
	s->outer = scope;
	scope = s;
}

void log_scope_pop(struct log_scope *s)
{
	scope = s->outer;
}

const char *log_num(struct log_num *n, int64_t v)
{
	snprintf(n->s, sizeof n->s, "%" PRId64, v);
	return n->s;
}
