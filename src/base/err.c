/* SPDX-License-Identifier: Apache-2.0 */
/* err.c - see err.h. */
#include "base/err.h"

#include <errno.h>
#include <stdarg.h>
#include <stdio.h>

struct err_row {
	const char *slug, *title;
	int http, exit;
	enum retry_class retry;
};

static const struct err_row rows[ERR_COUNT] = {
	[ERR_NONE] = { "none", "No error", 200, 0, RETRY_NEVER },
#define X(code, http_, retry_, exit_, slug_, title_) [ERR_##code] = { slug_, title_, http_, exit_, RETRY_##retry_ },
	ERR_CODES(X)
#undef X
};

static const struct err_row *row(enum err_code code)
{
	assert((unsigned)code < ERR_COUNT);
	return &rows[code];
}

PRINTF(1, 0) static char *vformat(const char *fmt, va_list ap)
{
	char *s = NULL;

	if (vasprintf(&s, fmt, ap) < 0)
		abort();
	return s;
}

int err_set(struct err *e, enum err_code code, const char *fmt, ...)
{
	va_list ap;

	assert(!err_is(e) && code != ERR_NONE);
	va_start(ap, fmt);
	e->detail = vformat(fmt, ap);
	va_end(ap);
	e->code = code;
	return -(int)code;
}

int err_set_field(struct err *e, enum err_code code, const char *field, const char *fmt, ...)
{
	va_list ap;

	assert(!err_is(e) && code != ERR_NONE);
	va_start(ap, fmt);
	e->detail = vformat(fmt, ap);
	va_end(ap);
	e->field = xstrdup_null(field);
	e->code = code;
	return -(int)code;
}

int err_set_errno(struct err *e, enum err_code code, const char *fmt, ...)
{
	int no = errno;
	char text[128];
	va_list ap;
	_cleanup_free_ char *front = NULL;

	assert(!err_is(e) && code != ERR_NONE);
	va_start(ap, fmt);
	front = vformat(fmt, ap);
	va_end(ap);
	e->detail = xasprintf("%s: %s", front, strerror_r(no, text, sizeof text));
	e->code = no == ENOSPC || no == EDQUOT ? ERR_NO_SPACE : code;
	return -(int)e->code;
}

int err_wrap(struct err *e, const char *fmt, ...)
{
	struct err *cause = xmalloc(sizeof *cause);
	va_list ap;

	assert(err_is(e));
	*cause = *e;
	*e = (struct err){ .code = cause->code, .retry_at_ms = cause->retry_at_ms, .cause = cause };
	va_start(ap, fmt);
	e->detail = vformat(fmt, ap);
	va_end(ap);
	e->field = xstrdup_null(cause->field);
	e->hint = xstrdup_null(cause->hint);
	e->remote = xstrdup_null(cause->remote);
	e->remote_type = xstrdup_null(cause->remote_type);
	return -(int)e->code;
}

int err_hint(struct err *e, const char *fmt, ...)
{
	va_list ap;

	assert(err_is(e));
	if (!e->hint) {
		va_start(ap, fmt);
		e->hint = vformat(fmt, ap);
		va_end(ap);
	}
	return -(int)e->code;
}

int err_remote(struct err *e, const char *type, const char *words)
{
	assert(err_is(e));
	if (!e->remote)
		e->remote = xstrdup_null(words);
	if (!e->remote_type)
		e->remote_type = xstrdup_null(type);
	return -(int)e->code;
}

int err_move(struct err *e, struct err *from)
{
	assert(!err_is(e));
	*e = TAKE(*from);
	return -(int)e->code;
}

void err_copy(struct err *to, const struct err *from)
{
	assert(!err_is(to));
	*to = (struct err){ .code = from->code,
			    .detail = xstrdup_null(from->detail),
			    .field = xstrdup_null(from->field),
			    .hint = xstrdup_null(from->hint),
			    .remote = xstrdup_null(from->remote),
			    .remote_type = xstrdup_null(from->remote_type),
			    .retry_at_ms = from->retry_at_ms };
	if (from->cause) {
		to->cause = xcalloc(1, sizeof *to->cause);
		err_copy(to->cause, from->cause);
	}
}

void err_clear(struct err *e)
{
	struct err *c = e->cause;

	while (c) {
		struct err *next = c->cause;

		free(c->detail);
		free(c->field);
		free(c->hint);
		free(c->remote);
		free(c->remote_type);
		free(c);
		c = next;
	}
	free(e->detail);
	free(e->field);
	free(e->hint);
	free(e->remote);
	free(e->remote_type);
	memset(e, 0, sizeof *e);
}

char *err_text(const struct err *e)
{
	char *s;

	if (!err_is(e))
		return xstrdup("no error");
	s = xstrdup(e->detail ? e->detail : err_title(e->code));
	for (const struct err *c = e->cause; c; c = c->cause) {
		char *longer = xasprintf("%s: %s", s, c->detail ? c->detail : err_title(c->code));

		free(s);
		s = longer;
	}
	return s;
}

const struct err *err_root(const struct err *e)
{
	while (e->cause)
		e = e->cause;
	return e;
}

int err_http_status(enum err_code code)
{
	return row(code)->http;
}

int err_exit_status(enum err_code code)
{
	return row(code)->exit;
}

enum retry_class err_retry(enum err_code code)
{
	return row(code)->retry;
}

const char *err_slug(enum err_code code)
{
	return row(code)->slug;
}

const char *err_title(enum err_code code)
{
	return row(code)->title;
}

bool err_from_slug(const char *slug, enum err_code *ret)
{
	for (unsigned i = 1; i < ERR_COUNT; i++)
		if (!strcmp(rows[i].slug, slug)) {
			*ret = (enum err_code)i;
			return true;
		}
	return false;
}
