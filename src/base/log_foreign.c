/* SPDX-License-Identifier: Apache-2.0 */
/* log_foreign.c - see log_foreign.h. */
#include "base/log_foreign.h"

#include "base/str.h"

struct reader {
	const char *p, *end;
};

static bool take_char(struct reader *r, char c)
{
	if (r->p == r->end || *r->p != c)
		return false;
	r->p++;
	return true;
}

/* From the backslash to the last character of the escape. */
static bool take_escape(struct reader *r)
{
	size_t digits = r->end - r->p > 1 && r->p[1] == 'u' ? 4 : 0;

	if ((size_t)(r->end - r->p) < 2 + digits || !strchr("\"\\/bfnrtu", r->p[1]) || !r->p[1])
		return false;
	for (size_t i = 0; i < digits; i++)
		if (!strchr("0123456789abcdefABCDEF", r->p[2 + i]) || !r->p[2 + i])
			return false;
	r->p += 1 + digits;
	return true;
}

/* A JSON string; *ret is what stands between the quotes, with its escapes. */
static bool take_text(struct reader *r, struct str *ret)
{
	const char *begin = r->p + 1;

	if (!take_char(r, '"'))
		return false;
	for (; r->p < r->end && *r->p != '"'; r->p++) {
		if ((unsigned char)*r->p < ' ' || *r->p == 0x7f)
			return false;
		if (*r->p == '\\' && !take_escape(r))
			return false;
	}
	*ret = (struct str){ begin, (size_t)(r->p - begin) };
	return take_char(r, '"');
}

/* "name":"text" and what stands before the next. */
static bool take_member(struct reader *r, struct str *ret_name, struct str *ret_text)
{
	if (!take_text(r, ret_name) || !take_char(r, ':') || !take_text(r, ret_text))
		return false;
	return r->p == r->end - 1 || (take_char(r, ',') && r->p < r->end && *r->p == '"');
}

static bool level_of(struct str text, enum log_level *ret)
{
	char word[16] = "";

	if (text.n >= sizeof word)
		return false;
	memcpy(word, text.p, text.n);
	return log_level_parse(word, ret);
}

static bool is_line(const char *process, const char *line, size_t n, enum log_level *ret)
{
	static const char *const front[] = { "time", "level", "process", "msg" };
	struct reader r = { line, line + n };
	struct str name, text[ARRAY_SIZE(front)] = { { 0 } }, other;

	if (n > LOG_FOREIGN_MAX || !utf8_valid(line, n) || !take_char(&r, '{'))
		return false;
	for (size_t i = 0; i < ARRAY_SIZE(front); i++)
		if (!take_member(&r, &name, &text[i]) || !str_is(name, front[i]))
			return false;
	while (r.p < r.end - 1)
		if (!take_member(&r, &name, &other))
			return false;
	return take_char(&r, '}') && r.p == r.end && str_is(text[2], process) && !str_is(text[3], "audit") && level_of(text[1], ret);
}

bool log_foreign(const char *process, long pid, const char *line, size_t n)
{
	enum log_level level;

	if (!is_line(process, line, n, &level))
		return false;
	if (log_enabled(level))
		log_to_sinks(level, pid, line, n);
	return true;
}
