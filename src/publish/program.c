/* SPDX-License-Identifier: Apache-2.0 */
/* program.c - see program.h. */
#include "publish/program.h"

#include "base/limits.h"

#define LINES_MAX_ 100
#define OUTPUT_MAX (64 * 1024)
#define WORDS_MAX 500 /* of the end: that is where a program says why */

static bool name_ok(struct str s)
{
	static const char *const ours[] = { "PATH", "IFS", "ENV", "BASH_ENV", "SHELLOPTS", "HOME", "CERTWRIGHT_SCRATCH" };

	if (!s.n || s.n > 128 || (s.p[0] >= '0' && s.p[0] <= '9'))
		return false;
	for (size_t i = 0; i < s.n; i++)
		if (!((s.p[i] >= 'A' && s.p[i] <= 'Z') || (s.p[i] >= 'a' && s.p[i] <= 'z') || (s.p[i] >= '0' && s.p[i] <= '9') || s.p[i] == '_'))
			return false;
	for (size_t i = 0; i < ARRAY_SIZE(ours); i++)
		if (str_is(s, ours[i]))
			return false;
	return s.n < 3 || (memcmp(s.p, "LD_", 3) != 0 && memcmp(s.p, "CW_", 3) != 0);
}

static struct str trimmed(struct str s)
{
	while (s.n && (*s.p == ' ' || *s.p == '\t')) {
		s.p++;
		s.n--;
	}
	while (s.n && (s.p[s.n - 1] == ' ' || s.p[s.n - 1] == '\t' || s.p[s.n - 1] == '\r'))
		s.n--;
	return s;
}

static struct str unquoted(struct str s)
{
	if (s.n >= 2 && (s.p[0] == '"' || s.p[0] == '\'') && s.p[s.n - 1] == s.p[0])
		return (struct str){ s.p + 1, s.n - 2 };
	return s;
}

static void add(struct program_env *e, struct str name, struct str value)
{
	char *line = xmalloc(name.n + value.n + 2);

	memcpy(line, name.p, name.n);
	line[name.n] = '=';
	if (value.n)
		memcpy(line + name.n + 1, value.p, value.n);
	line[name.n + 1 + value.n] = 0;
	for (size_t i = 0; i < e->n; i++)
		if (!strncmp(e->v[i], line, name.n + 1)) {
			explicit_bzero(e->v[i], strlen(e->v[i]));
			free(e->v[i]);
			e->v[i] = line;
			return;
		}
	e->v = xrealloc(e->v, (e->n + 2) * sizeof *e->v);
	e->v[e->n++] = line;
	e->v[e->n] = NULL;
}

int program_env_parse(const struct secret *lines, struct program_env *ret, struct err *err)
{
	_cleanup_program_env_ struct program_env e = { 0 };
	struct str rest = { lines ? (const char *)lines->p : "", lines ? lines->n : 0 };

	for (int number = 1; rest.n; number++) {
		const char *end = memchr(rest.p, '\n', rest.n), *eq;
		struct str line = { rest.p, end ? (size_t)(end - rest.p) : rest.n }, name;

		rest.p += line.n + (end ? 1 : 0);
		rest.n -= line.n + (end ? 1 : 0);
		line = trimmed(line);
		if (!line.n || *line.p == '#')
			continue;
		if (line.n > 7 && !memcmp(line.p, "export ", 7))
			line = trimmed((struct str){ line.p + 7, line.n - 7 });
		eq = memchr(line.p, '=', line.n);
		name = trimmed((struct str){ line.p, eq ? (size_t)(eq - line.p) : line.n });
		if (!eq || !name_ok(name))
			return err_set(err, ERR_INVALID, "line %d is not NAME=value with a name that may be set", number);
		if (e.n >= LINES_MAX_)
			return err_set(err, ERR_INVALID, "more than %d variables", LINES_MAX_);
		add(&e, name, unquoted(trimmed((struct str){ eq + 1, line.n - (size_t)(eq + 1 - line.p) })));
	}
	*ret = TAKE(e);
	return 0;
}

void program_env_add(struct program_env *e, const char *name, const char *value)
{
	add(e, STR(name), STR(value));
}

bool program_env_has(const struct program_env *e, const char *name)
{
	size_t n = strlen(name);

	for (size_t i = 0; i < e->n; i++)
		if (!strncmp(e->v[i], name, n) && e->v[i][n] == '=')
			return e->v[i][n + 1] != 0;
	return false;
}

void program_env_copy(struct program_env *to, const struct program_env *from)
{
	*to = (struct program_env){ .v = xcalloc(from->n + 1, sizeof *to->v), .n = from->n };
	for (size_t i = 0; i < from->n; i++)
		to->v[i] = xstrdup(from->v[i]);
}

void program_env_done(struct program_env *e)
{
	for (size_t i = 0; i < e->n; i++) {
		explicit_bzero(e->v[i], strlen(e->v[i]));
		free(e->v[i]);
	}
	free(e->v);
	*e = (struct program_env){ 0 };
}

static void hide(char *text, size_t n, const struct program_env *e)
{
	for (size_t i = 0; e && i < e->n; i++) {
		const char *value = strchr(e->v[i], '=') + 1;
		size_t k = strlen(value);

		for (char *at = text; k >= 4 && (at = memmem(at, n - (size_t)(at - text), value, k)); at += k)
			memset(at, '*', k);
	}
}

int program_run(const struct program_visit *v, const char *const *args, const struct program_env *e, int *ret_status, char **ret_words,
		struct err *err)
{
	struct program_request q = { .name = v->program, .args = args, .max_output = OUTPUT_MAX, .scratch = v->scratch,
				     .timeout_ms = v->until_ms - clock_boot(v->env->clock) };
	struct program_result res = { .out = BUF_MAX(OUTPUT_MAX) };
	const char **env = xcalloc((e ? e->n : 0) + 1, sizeof *env);
	size_t from;
	int r;

	for (size_t i = 0; e && i < e->n; i++)
		env[i] = e->v[i];
	q.env = env;
	if (q.timeout_ms <= 0)
		r = err_set(err, ERR_TIMEOUT, "the program '%s' took too long", v->program);
	else if (!v->env->run_program)
		r = err_set(err, ERR_BUSY, "there is no runner for the program '%s'", v->program);
	else
		r = v->env->run_program(v->env->program_arg, &q, &res, err);
	free(env);
	if (r == 0) {
		if (res.out.p)
			hide(res.out.p, res.out.n, v->secrets);
		from = res.out.n > WORDS_MAX ? res.out.n - WORDS_MAX : 0;
		*ret_words = str_clean(buf_text(&res.out) + from, res.out.n - from, WORDS_MAX);
		*ret_status = res.status;
	}
	buf_done_wipe(&res.out);
	return r;
}

int program_failed(const struct program_visit *v, int status, const char *words, struct err *err)
{
	if (status > 128)
		err_set(err, ERR_REMOTE_BUSY, "the program '%s' was ended by signal %d", v->program, status - 128);
	else
		err_set(err, ERR_REMOTE_BUSY, "the program '%s' ended with status %d", v->program, status);
	return *words ? err_remote(err, NULL, words) : -(int)err->code;
}

int program_hook_open(const struct field_value *values, size_t n, const char *lines, struct program_hook *ret, struct err *err)
{
	const char *name = field_text(values, n, "program");

	*ret = (struct program_hook){ 0 };
	if (str_empty(name))
		return err_set_field(err, ERR_INVALID, "/fields/program", "the program is missing");
	if (program_env_parse(field_secret(values, n, lines), &ret->env, err) < 0) {
		_cleanup_free_ char *field = xasprintf("/fields/%s", lines);

		replace_str(&err->field, field);
		return err_wrap(err, "the environment of the program '%s' cannot be used", name);
	}
	ret->name = xstrdup(name);
	return 0;
}

void program_hook_done(struct program_hook *h)
{
	free(h->name);
	program_env_done(&h->env);
	*h = (struct program_hook){ 0 };
}

int program_each(const struct program_each *e, const char *act, const struct challenge_set *set, const char *what, struct err *err)
{
	struct program_visit v = { .env = e->env, .program = e->hook->name, .secrets = &e->hook->env, .scratch = e->scratch,
				   .until_ms = clock_boot(e->env->clock) + e->publisher->timeout_s * SECOND_MS };

	for (size_t i = 0; i < set->values.n; i++)
		if (e->run(e->self, &v, act, set, i, err) < 0)
			return err_wrap(err, "could not %s '%s'", what, set->name);
	return 0;
}
