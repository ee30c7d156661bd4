/* SPDX-License-Identifier: Apache-2.0 */
/*
 * acmesh.c - a DNS hook of acme.sh (dnsapi/dns_x.sh), unchanged, from the administrator's own copy, in the runner.
 *
 * The program that [programs] names is acme.sh itself: called with a word that is no option it runs that word, so "eval" makes a
 * library of it. The text that is evaluated is the constant below and nothing is ever put into it: hook, name and value come in
 * the environment, as do the credentials. The working directory is private and wiped, since hooks write credentials in clear.
 *
 * A hook's success is not enough (some look only at curl's status), so the engine's look at the name servers counts. Hooks that
 * remove or replace the whole record set (dns_nsupdate, dns_pdns) do so: nothing here can keep them from it. One runs at a time.
 */
#include "publish/acmesh.h"
#include "publish/program.h"
#include "publish/txt.h"

#define OPTIONS_MAX 40
#define INFO_MAX (64 * 1024)
#define NAME_MAX_BYTES 128
#define HELP_MAX 300

extern const struct publisher publisher_acmesh;

static const char script[] = "umask 077\n"
			     "LE_WORKING_DIR=$CERTWRIGHT_SCRATCH LE_CONFIG_HOME=$CERTWRIGHT_SCRATCH DOMAIN_CONF=$CERTWRIGHT_SCRATCH/domain.conf\n"
			     "export LE_WORKING_DIR LE_CONFIG_HOME DOMAIN_CONF\n"
			     ": >\"$DOMAIN_CONF\"\n"
			     "_initpath >/dev/null || exit 91\n"
			     "f=$(_findHook \"\" dnsapi \"$CW_HOOK\")\n"
			     "[ -f \"$f\" ] || exit 92\n"
			     ". \"$f\" || exit 93\n"
			     "[ \"$CW_ACT\" != info ] || { eval \"printf %s \\\"\\$${CW_HOOK}_info\\\"\"; exit 0; }\n"
			     "command -v \"${CW_HOOK}_$CW_ACT\" >/dev/null || exit 94\n"
			     "\"${CW_HOOK}_$CW_ACT\" \"$CW_FQDN\" \"$CW_VALUE\"\n";

struct acmesh {
	struct program_hook program;
	char *hook;
};

static void close_(void *self)
{
	struct acmesh *x = self;

	if (!x)
		return;
	program_hook_done(&x->program);
	free(x->hook);
	free(x);
}

bool acmesh_hook_ok(const char *hook)
{
	return str_starts(hook, "dns_") && hook[4] && strlen(hook) <= 64 && !hook[strspn(hook, "abcdefghijklmnopqrstuvwxyz0123456789_")];
}

static int open_(const struct publish_env *env, const struct field_value *values, size_t n, void **ret_self, struct err *err)
{
	const char *hook = field_text(values, n, "hook");
	struct acmesh *x;

	(void)env;
	if (str_empty(hook) || !acmesh_hook_ok(hook))
		return err_set_field(err, ERR_INVALID, "/fields/hook", "the hook is the name of a file of dnsapi without .sh, like dns_pdns");
	x = xcalloc(1, sizeof *x);
	x->hook = xstrdup(hook);
	if (program_hook_open(values, n, "options", &x->program, err) < 0) {
		close_(x);
		return -(int)err->code;
	}
	*ret_self = x;
	return 0;
}

static void set_up(struct program_env *e, const char *hook, const char *act, const char *fqdn, const char *value)
{
	program_env_add(e, "HOME", "/nonexistent");
	program_env_add(e, "NO_TIMESTAMP", "1");
	program_env_add(e, "CW_HOOK", hook);
	program_env_add(e, "CW_ACT", act);
	program_env_add(e, "CW_FQDN", fqdn);
	program_env_add(e, "CW_VALUE", value);
}

static const char *const args[] = { "eval", script, NULL };

/* What our own text ended with, before the hook was called. */
static int not_begun(const char *program, const char *hook, int status, struct err *err)
{
	static const char *const says[] = {
		[91] = "acme.sh, the program '%s', could not be set up for the hook '%s'",
		[92] = "acme.sh, the program '%s', has no hook '%s'",
		[93] = "acme.sh, the program '%s', could not read the hook '%s'",
		[94] = "acme.sh, the program '%s', has a hook '%s' without the function for this",
	};
	_cleanup_free_ char *text = NULL;

	for (int i = 91; i <= 94; i++)
		if (status == i) {
			static const char mark[] = "%s";
			const char *a = strstr(says[i], mark), *b = strstr(a + 2, mark);

			text = xasprintf("%.*s%s%.*s%s%s", (int)(a - says[i]), says[i], program, (int)(b - a - 2), a + 2, hook, b + 2);
			return err_set(err, ERR_INVALID, "%s", text);
		}
	return 0;
}

int acmesh_info_read(const struct publish_env *env, const char *program, const char *hook, struct acmesh_info *ret, struct err *err)
{
	_cleanup_program_env_ struct program_env e = { 0 };
	struct program_result res = { .out = BUF_MAX(INFO_MAX) };
	struct program_request q = { .name = program, .args = args, .timeout_ms = 10 * SECOND_MS, .max_output = INFO_MAX, .scratch = true };
	int r;

	if (!env->run_program)
		return err_set(err, ERR_BUSY, "there is no runner for the program '%s'", program);
	set_up(&e, hook, "info", "", "");
	q.env = (const char *const *)e.v;
	r = env->run_program(env->program_arg, &q, &res, err);
	if (r == 0 && res.status && !(r = not_begun(program, hook, res.status, err)))
		r = err_set(err, ERR_REMOTE_BAD, "the program '%s' ended with status %d: is it acme.sh?", program, res.status);
	if (r == 0)
		acmesh_info_parse(buf_text(&res.out), res.out.n, ret);
	buf_done(&res.out);
	return r;
}

/* The hook failed: name what it needs and was not given. */
static void say_missing(const struct acmesh *x, const struct publish_env *env, struct err *err)
{
	_cleanup_acmesh_info_ struct acmesh_info info = { 0 };
	_cleanup_err_ struct err ignored = { 0 };

	if (acmesh_info_read(env, x->program.name, x->hook, &info, &ignored) < 0)
		return;
	for (size_t i = 0; i < info.n; i++)
		if (!info.options[i].optional && !program_env_has(&x->program.env, info.options[i].name)) {
			err_hint(err, "The hook asks for %s (%s), which is not among the options.", info.options[i].name, info.options[i].help);
			return;
		}
}

static int run(void *self, const struct program_visit *v, const char *act, const struct challenge_set *set, size_t i, struct err *err)
{
	const struct acmesh *x = self;
	_cleanup_program_env_ struct program_env e = { 0 };
	_cleanup_free_ char *fqdn = name_plain(set->name), *words = NULL;
	int status = 0;

	program_env_copy(&e, &x->program.env);
	set_up(&e, x->hook, act, fqdn, set->values.v[i]);
	if (program_run(v, args, &e, &status, &words, err) < 0)
		return -(int)err->code;
	if (status && not_begun(v->program, x->hook, status, err) == 0) {
		program_failed(v, status, words, err);
		say_missing(x, v->env, err);
	}
	return status ? -(int)err->code : 0;
}

static int publish(void *self, const struct publish_env *env, const struct challenge_set *set, struct err *err)
{
	struct acmesh *x = self;

	return program_each(&(struct program_each){ &x->program, env, &publisher_acmesh, true, run, x }, "add", set, "let the hook add", err);
}

static int withdraw(void *self, const struct publish_env *env, const struct challenge_set *set, struct err *err)
{
	struct acmesh *x = self;

	return program_each(&(struct program_each){ &x->program, env, &publisher_acmesh, true, run, x }, "rm", set, "let the hook remove", err);
}

/* ---- dns_x_info ---- */

static bool option_char(char c)
{
	return (c >= 'A' && c <= 'Z') || (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || c == '_';
}

/* Default: "60" or Default "60". */
static char *default_of(const char *help)
{
	const char *p = strcasestr(help, "default"), *end;

	if (!p)
		return NULL;
	p += 7 + (p[7] == ':');
	while (*p == ' ')
		p++;
	if (*p != '"' && *p != '\'')
		return NULL;
	end = strchr(p + 1, *p);
	return end ? xstrndup(p + 1, (size_t)(end - p - 1)) : NULL;
}

static bool option_name(const char *p, size_t n)
{
	for (size_t i = 0; i < n; i++)
		if (!option_char(p[i]))
			return false;
	return n && n <= NAME_MAX_BYTES;
}

static void add_option(struct acmesh_info *i, struct acmesh_option *take)
{
	i->options = xrealloc(i->options, (i->n + 1) * sizeof *i->options);
	i->options[i->n++] = TAKE(*take);
}

static void take_option(struct acmesh_info *i, const char *p, size_t n, bool alternative)
{
	size_t k = 0;
	struct acmesh_option o = { 0 };

	while (k < n && p[k] != ' ' && p[k] != '\t')
		k++;
	if (!option_name(p, k) || i->n >= OPTIONS_MAX)
		return;
	o.name = xstrndup(p, k);
	while (k < n && (p[k] == ' ' || p[k] == '\t'))
		k++;
	o.help = str_clean(p + k, n - k, HELP_MAX);
	o.standard = default_of(o.help);
	o.optional = alternative || o.standard || strcasestr(o.help, "optional");
	add_option(i, &o);
}

static bool begins(struct str line, const char *word)
{
	return line.n >= strlen(word) && !memcmp(line.p, word, strlen(word));
}

/* "Author: ..." at the beginning of a line, which ends a list of options; most hooks indent those, not all. */
static bool headed(struct str line)
{
	const char *space = memchr(line.p, ' ', line.n);
	size_t n = space ? (size_t)(space - line.p) : line.n;

	return n && line.p[n - 1] == ':';
}

/* [{"name": "X_Token", "usage": "...", "required": "1"}, ...], as dns_czechia has it. */
static void parse_json(const char *text, size_t n, struct acmesh_info *ret)
{
	_cleanup_json_ json_t *list = NULL;
	_cleanup_err_ struct err ignored = { 0 };
	json_t *item;
	size_t i;

	if (json_parse(text, n, &list, &ignored) < 0)
		return;
	json_array_foreach(list, i, item) {
		const char *name = json_string_value(json_object_get(item, "name")), *usage = json_string_value(json_object_get(item, "usage"));
		json_t *required = json_object_get(item, "required");
		struct acmesh_option o = { 0 };

		if (!name || !option_name(name, strlen(name)) || ret->n >= OPTIONS_MAX)
			continue;
		o.name = xstrdup(name);
		o.help = str_clean(usage ? usage : "", usage ? strlen(usage) : 0, HELP_MAX);
		o.standard = default_of(o.help);
		o.optional = o.standard || json_is_false(required) || (json_is_string(required) && streq(json_string_value(required), "0"));
		add_option(ret, &o);
	}
}

static void parse_text(const char *text, size_t n, struct acmesh_info *ret)
{
	enum { TITLE, HEAD, OPTIONS, ALTERNATIVE } where = TITLE;
	const char *end = text + n;

	for (const char *p = text, *next; p < end; p = next) {
		const char *eol = memchr(p, '\n', (size_t)(end - p));
		struct str line = { p, (size_t)((eol ? eol : end) - p) };

		next = eol ? eol + 1 : end;
		if (where == TITLE) {
			ret->title = str_clean(line.p, line.n, 100);
			where = HEAD;
		} else if (begins(line, "Options:")) {
			where = OPTIONS;
		} else if (begins(line, "OptionsAlt:")) {
			where = ALTERNATIVE;
		} else if (begins(line, "Site: ") && !ret->site) {
			ret->site = str_clean(line.p + 6, line.n - 6, 200);
		} else if (headed(line)) {
			where = HEAD;
		} else if (where >= OPTIONS) {
			while (line.n && *line.p == ' ')
				line = (struct str){ line.p + 1, line.n - 1 };
			take_option(ret, line.p, line.n, where == ALTERNATIVE);
		}
	}
}

void acmesh_info_parse(const char *text, size_t n, struct acmesh_info *ret)
{
	*ret = (struct acmesh_info){ 0 };
	(n && *text == '[' ? parse_json : parse_text)(text, n, ret);
}

void acmesh_info_done(struct acmesh_info *i)
{
	for (size_t k = 0; k < i->n; k++) {
		free(i->options[k].name);
		free(i->options[k].help);
		free(i->options[k].standard);
	}
	free(i->options);
	free(i->title);
	free(i->site);
	*i = (struct acmesh_info){ 0 };
}

static json_t *info_json(const struct acmesh_info *info, const struct program_env *given)
{
	json_t *list = json_array();

	for (size_t i = 0; i < info->n; i++) {
		const struct acmesh_option *o = &info->options[i];

		json_array_append_new(list, json_pack("{s:s, s:s, s:o, s:b, s:b}", "name", o->name, "help", o->help, "default",
						      json_str_or_null(o->standard), "required", !o->optional, "given",
						      program_env_has(given, o->name)));
	}
	return json_pack("{s:o, s:o, s:o}", "title", json_str_or_null(info->title), "site", json_str_or_null(info->site), "options", list);
}

static int options(void *self, const struct publish_env *env, json_t **ret, struct err *err)
{
	const struct acmesh *x = self;
	_cleanup_acmesh_info_ struct acmesh_info info = { 0 };

	if (acmesh_info_read(env, x->program.name, x->hook, &info, err) < 0)
		return -(int)err->code;
	*ret = info_json(&info, &x->program.env);
	return 0;
}

static const struct field fields[] = {
	{ .name = "program", .flags = FIELD_REQUIRED | FIELD_PROGRAM | FIELD_ENDPOINT, .max = 64,
	  .help = "The acme.sh of this host, as the administrator has named it in [programs] of the configuration file" },
	{ .name = "hook", .flags = FIELD_REQUIRED | FIELD_ENDPOINT, .max = 64, .help = "Name of the file in its folder dnsapi without .sh: dns_pdns" },
	{ .name = "options", .flags = FIELD_SECRET | FIELD_LINES,
	  .help = "What the hook's documentation asks for, NAME=value, one a line; CA_BUNDLE=/path.pem for a private CA" },
	{ 0 },
};

const struct publisher publisher_acmesh = {
	.name = "acmesh",
	.title = "acme.sh hook",
	.help = "A DNS hook of acme.sh from your own copy of it, run unchanged in a process with limits. Some hooks replace or remove the whole "
		"record set of the name: prefer a provider of Certwright's own where there is one.",
	.rights = "What the hook's documentation says (wiki dnsapi and dnsapi2 of acme.sh); limit it to the zones in question where the vendor can.",
	.site = "https://github.com/acmesh-official/acme.sh/wiki/dnsapi",
	.kinds = KIND_DNS01,
	.way = PUBLISH_REMOTE,
	.ttl_s = 60,
	.propagation_s = 60,
	.timeout_s = 55,
	.fields = fields,
	.open = open_,
	.close = close_,
	.publish = publish,
	.withdraw = withdraw,
	.options = options,
	.options_field = "options",
};
