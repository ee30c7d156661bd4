/* SPDX-License-Identifier: Apache-2.0 */
/*
 * log.h - a constant message plus pairs, one line each on stderr; logfmt on a terminal, JSON lines otherwise.
 *
 *	log_info("order issued", "serial", serial);
 *	LOG_SCOPE("order", o->id);        pushes context for everything below it in that thread
 *
 * Levels: error = an operator must act; warning = handled, says how; info = what the owner of a certificate cares about;
 * debug = anything. Values are text; NULL values are left out. Remote text is escaped here. Layers from base to acme,
 * store and publish return errors and do not log above debug: the consumer logs once. Thread-safe.
 */
#ifndef BASE_LOG_H
#define BASE_LOG_H

#include "base/err.h"

enum log_level { LOG_DEBUG, LOG_INFO, LOG_WARNING, LOG_ERROR };
enum log_format { LOG_LOGFMT, LOG_JSON };

void log_init(enum log_level level, enum log_format format, const char *process); /* process name in every line */
void log_set_process(const char *process); /* after a fork, before there are threads */
void log_set_level(enum log_level level);
bool log_level_parse(const char *s, enum log_level *ret);
bool log_enabled(enum log_level level);

/* Pairs of const char * ended by NULL: use the macros. */
void log_line(enum log_level level, const char *message, ...) __attribute__((sentinel));
#define log_debug(...) (log_enabled(LOG_DEBUG) ? log_line(LOG_DEBUG, __VA_ARGS__, (char *)NULL) : (void)0)
#define log_info(...) log_line(LOG_INFO, __VA_ARGS__, (char *)NULL)
#define log_warning(...) log_line(LOG_WARNING, __VA_ARGS__, (char *)NULL)
#define log_error(...) log_line(LOG_ERROR, __VA_ARGS__, (char *)NULL)
/* One line for an error: message, the chain as "error", its slug as "code", hint and remote words if any. */
void log_err(enum log_level level, const char *message, const struct err *e);

/*
 * Others that get every line, as one JSON object without its newline, whatever the format on stderr. A sink must not wait, and must not log while
 * it holds what it needs. Add before the threads that log; drop after them.
 */
#define LOG_OWN (-1) /* pid of a line of this process; another is log_foreign's, 0 when it is not known */
typedef void log_sink_fn(void *arg, enum log_level level, long pid, const char *line, size_t n);
void log_add_sink(log_sink_fn *fn, void *arg); /* at most 4 */
void log_to_sinks(enum log_level level, long pid, const char *line, size_t n); /* for log_foreign.c */
void log_drop_sink(log_sink_fn *fn, void *arg); /* fine when it was not added; then no call of it begins */

struct log_scope {
	const char *key;
	char value[64];
	struct log_scope *outer;
};
void log_scope_push(struct log_scope *s, const char *key, const char *value);
void log_scope_pop(struct log_scope *s);
#define LOG_SCOPE_NAME2(line) log_scope_##line
#define LOG_SCOPE_NAME(line) LOG_SCOPE_NAME2(line)
#define LOG_SCOPE(key, value)                                                                                          \
	__attribute__((cleanup(log_scope_pop))) struct log_scope LOG_SCOPE_NAME(__LINE__);                             \
	log_scope_push(&LOG_SCOPE_NAME(__LINE__), key, value)

/* For numbers in pairs: log_info("x", "n", LOG_NUM(n)). The text lives until the end of the full expression's block. */
struct log_num {
	char s[24];
};
const char *log_num(struct log_num *n, int64_t v);
#define LOG_NUM(v) log_num(&(struct log_num){ { 0 } }, (int64_t)(v))

#endif
