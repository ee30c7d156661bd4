/* SPDX-License-Identifier: Apache-2.0 */
/* log.c - see log.h. Builds the whole line in a fixed buffer and writes it with one write(2). */
#include "base/log.h"

#include "base/buf.h"
#include "base/clock.h"

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
	snprintf(process_name, sizeof process_name, "%s", process);
	log_set_level(level);
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

static void add_pair(struct buf *b, const char *key, const char *value)
{
	size_t n = strlen(value);

	if (n > 4096)
		n = 4096;
	if (format == LOG_JSON) {
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

static void add_scopes(struct buf *b, const struct log_scope *s)
{
	if (!s)
		return;
	add_scopes(b, s->outer);
	for (const struct log_scope *o = s->outer; o; o = o->outer)
		if (streq(o->key, s->key) && streq(o->value, s->value))
			return; /* pushed by two layers: said once */
	add_pair(b, s->key, s->value);
}

static void begin(struct buf *b, enum log_level level, const char *message)
{
	char when[CLOCK_TEXT];

	if (format == LOG_JSON)
		buf_add_char(b, '{');
	add_pair(b, "time", clock_format(clock_now(&clock_system), when));
	add_pair(b, "level", level_names[level]);
	add_pair(b, "process", process_name);
	add_pair(b, "msg", message);
	add_scopes(b, scope);
}

static void end(struct buf *b)
{
	if (format == LOG_JSON)
		buf_add_char(b, '}');
	buf_add_char(b, '\n');
	if (b->failed) {
		static const char cut[] = "log line too long, cut\n";

		if (write(STDERR_FILENO, cut, sizeof cut - 1) < 0)
			return;
	} else if (write(STDERR_FILENO, b->p, b->n) < 0) {
		return; /* nowhere left to say it */
	}
}

void log_line(enum log_level level, const char *message, ...)
{
	_cleanup_buf_ struct buf b = BUF_MAX(LINE_MAX_BYTES * 4);
	va_list ap;
	const char *key;

	if (!log_enabled(level))
		return;
	begin(&b, level, message);
	va_start(ap, message);
	while ((key = va_arg(ap, const char *))) {
		const char *value = va_arg(ap, const char *);

		if (value)
			add_pair(&b, key, value);
	}
	va_end(ap);
	end(&b);
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
