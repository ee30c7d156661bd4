/* SPDX-License-Identifier: Apache-2.0 */
/* cli.c - see cli.h: finds the verb, reads its arguments, connects, runs it, and turns its error into words and a status. */
#include "cli/cli.h"

#include "base/file.h"
#include "cli/verb.h"
#include "net/client.h"

#include <locale.h>
#include <unistd.h>

static const struct cli_verb *const groups[] = { login_verbs,  vendor_verbs, network_verbs, account_verbs,    csr_verbs,   order_verbs,
						 record_verbs, provider_verbs, channel_verbs, rule_verbs, challenge_verbs, debt_verbs, delegation_verbs, certificate_verbs, fetch_verbs, sync_verbs, import_verbs, people_verbs, audit_verbs, renewal_verbs, bulk_verbs, manage_verbs, window_verbs, status_verbs,
						 report_verbs, bundle_verbs, doctor_verbs, view_verbs, view_rule_verbs };

static const struct cli_option common[] = {
	{ "json", NULL, "print the API's own body", false },
	{ "server", "URL", "which server; default: CERTWRIGHT_SERVER, then the one signed in to last", false },
	{ "token-file", "FILE", "API token to use; default: CERTWRIGHT_TOKEN_FILE, then the one `certwright login` keeps", false },
	{ "ca", "FILE", "trust this CA (PEM) for the server's certificate", false },
	{ "fingerprint", "SHA256", "trust the server's certificate with this fingerprint and no other", false },
	{ "quiet", NULL, "no progress lines", false },
	{ "help", NULL, "this text", false },
	{ 0 }
};

/* ---- arguments --------------------------------------------------------------------------------------------------- */

static const struct cli_option *option_find(const struct cli_option *t, const char *name, size_t n)
{
	for (; t && t->name; t++)
		if (strlen(t->name) == n && !strncmp(t->name, name, n))
			return t;
	return NULL;
}

/* Names of files are bytes; all else goes into JSON, where what is no text would be left out in silence. */
static bool is_text(const char *what, const char *s)
{
	return streq(what, "FILE") || streq(what, "F") || utf8_valid(s, strlen(s));
}

static int args_check(const struct cli_verb *v, const struct cli_args *a, struct err *err)
{
	for (size_t i = 0; i < a->names.n; i++) {
		const char *name = a->names.v[i];
		const struct cli_option *o = option_find(a->options, name, strlen(name));

		if (!o)
			o = option_find(common, name, strlen(name));
		if (o && o->value && !is_text(o->value, a->values.v[i]))
			return err_set(err, ERR_INVALID, "the value of '--%s' is not text (UTF-8)", name);
	}
	for (size_t i = 0; i < a->words.n; i++)
		if (!is_text(v->arguments, a->words.v[i]))
			return err_set(err, ERR_INVALID, "argument %zu is not text (UTF-8)", i + 1);
	return 0;
}

static int args_read(struct cli_args *a, int argc, char **argv, struct err *err)
{
	bool only_words = false;

	for (int i = 0; i < argc; i++) {
		const char *s = argv[i], *name = s + 2, *eq;
		const struct cli_option *o;
		size_t n;

		if (only_words || s[0] != '-' || !s[1]) {
			strlist_add(&a->words, s);
			continue;
		}
		if (streq(s, "--")) {
			only_words = true;
			continue;
		}
		if (streq(s, "-h"))
			name = "help";
		else if (s[1] != '-')
			return err_set(err, ERR_INVALID, "unknown option '%s'", s);
		n = strcspn(name, "=");
		eq = name[n] ? name + n + 1 : NULL;
		o = option_find(a->options, name, n);
		if (!o)
			o = option_find(common, name, n);
		if (!o)
			return err_set(err, ERR_INVALID, "unknown option '--%.*s'", (int)n, name);
		if (!o->value && eq)
			return err_set(err, ERR_INVALID, "the option '--%s' takes no value", o->name);
		if (o->value && !eq && i + 1 >= argc)
			return err_set(err, ERR_INVALID, "the option '--%s' needs a value (%s)", o->name, o->value);
		if (!o->repeat && strlist_has(&a->names, o->name))
			return err_set(err, ERR_INVALID, "the option '--%s' is given twice", o->name);
		strlist_add(&a->names, o->name);
		strlist_add(&a->values, !o->value ? "" : eq ? eq : argv[++i]);
	}
	return 0;
}

const char *arg(const struct cli_args *a, const char *name)
{
	for (size_t i = 0; i < a->names.n; i++)
		if (streq(a->names.v[i], name))
			return a->values.v[i];
	return NULL;
}

bool arg_has(const struct cli_args *a, const char *name)
{
	return arg(a, name) != NULL;
}

void arg_list(const struct cli_args *a, const char *name, struct strlist *ret)
{
	for (size_t i = 0; i < a->names.n; i++)
		if (streq(a->names.v[i], name))
			strlist_add(ret, a->values.v[i]);
}

int arg_word(const struct cli_args *a, const char *what, const char **ret, struct err *err)
{
	if (a->words.n == 0 || !*a->words.v[0])
		return err_set(err, ERR_INVALID, "%s is missing", what);
	if (a->words.n > 1)
		return err_set(err, ERR_INVALID, "'%s' is one argument too many", a->words.v[1]);
	*ret = a->words.v[0];
	return 0;
}

int arg_no_words(const struct cli_args *a, struct err *err)
{
	return a->words.n ? err_set(err, ERR_INVALID, "'%s' is one argument too many", a->words.v[0]) : 0;
}

/* ---- help -------------------------------------------------------------------------------------------------------- */

static void print_options(FILE *out, const struct cli_option *t)
{
	for (; t && t->name; t++) {
		_cleanup_free_ char *left = xasprintf("--%s%s%s", t->name, t->value ? " " : "", t->value ? t->value : "");

		fprintf(out, "  %-22s %s%s\n", left, t->help, t->repeat ? " (any number of times)" : "");
	}
}

static void verb_line(FILE *out, const struct cli_verb *v)
{
	_cleanup_free_ char *left = xasprintf("%s%s%s", v->noun, v->action ? " " : "", v->action ? v->action : "");

	fprintf(out, "  %-22s %s\n", left, v->help);
}

static void verb_help(FILE *out, const struct cli_verb *v)
{
	fprintf(out, "usage: certwright %s%s%s%s%s [options]\n\n%s\n\n", v->noun, v->action ? " " : "", v->action ? v->action : "",
		*v->arguments ? " " : "", v->arguments, v->help);
	print_options(out, v->options);
	print_options(out, common);
}

void cli_usage(FILE *out)
{
	fputs("\nthrough the server's API (all take --json and --server):\n", out);
	for (size_t g = 0; g < ARRAY_SIZE(groups); g++)
		for (const struct cli_verb *v = groups[g]; v->noun; v++)
			verb_line(out, v);
}

void cli_document(FILE *out)
{
	fputs("# Command line\n\nThin client of the REST API. Exit status: 0 done, 1 internal, 2 usage or input, 3 not found, 4 conflict,\n"
	      "5 refused by the remote side, 6 not reached or busy, 7 waiting for a person, 8 denied.\n\nCommon options:\n\n```\n",
	      out);
	print_options(out, common);
	fputs("```\n", out);
	for (size_t g = 0; g < ARRAY_SIZE(groups); g++)
		for (const struct cli_verb *v = groups[g]; v->noun; v++) {
			fprintf(out, "\n## certwright %s%s%s%s%s\n\n%s\n", v->noun, v->action ? " " : "", v->action ? v->action : "",
				*v->arguments ? " " : "", v->arguments, v->help);
			if (v->options && v->options->name) {
				fputs("\n```\n", out);
				print_options(out, v->options);
				fputs("```\n", out);
			}
		}
}

static int noun_help(FILE *out, const char *noun)
{
	bool any = false;

	for (size_t g = 0; g < ARRAY_SIZE(groups); g++)
		for (const struct cli_verb *v = groups[g]; v->noun; v++)
			if (streq(v->noun, noun)) {
				if (!any)
					fprintf(out, "usage: certwright %s ...\n\n", noun);
				verb_line(out, v);
				any = true;
			}
	return any ? 0 : -1;
}

/* ---- running ----------------------------------------------------------------------------------------------------- */

static const struct cli_verb *verb_find(int argc, char **argv, int *used)
{
	for (size_t g = 0; g < ARRAY_SIZE(groups); g++)
		for (const struct cli_verb *v = groups[g]; v->noun; v++) {
			if (!streq(v->noun, argv[0]))
				continue;
			*used = 1;
			if (!v->action)
				return v;
			*used = 2;
			if (argc > 1 && streq(v->action, argv[1]))
				return v;
		}
	return NULL;
}

static int complain(const struct cli *c, const struct err *err)
{
	if (c->json) {
		_cleanup_free_ char *text = err_to_json_text(err);

		fprintf(stderr, "%s\n", text);
	} else {
		_cleanup_free_ char *text = err_text(err);

		fprintf(stderr, "certwright: %s\n", text);
		if (err->field && *err->field)
			fprintf(stderr, "  field: %s\n", err->field);
		if (err->remote)
			fprintf(stderr, "  the authority says: %s%s%s%s\n", err->remote, err->remote_type ? " (" : "",
				err->remote_type ? err->remote_type : "", err->remote_type ? ")" : "");
		if (err->hint)
			fprintf(stderr, "  %s\n", err->hint);
	}
	return err_exit_status(err->code);
}

int cli_run(int argc, char **argv)
{
	int used = 0;
	const struct cli_verb *v = verb_find(argc, argv, &used);
	struct cli_args args = { 0 };
	struct cli c = { .args = &args };
	_cleanup_err_ struct err err = ERR_INIT;
	int status;

	if (!v && argc > 1 && (streq(argv[1], "--help") || streq(argv[1], "-h")) && noun_help(stdout, argv[0]) == 0)
		return 0;
	if (!v) {
		if (noun_help(stderr, argv[0]) < 0)
			fprintf(stderr, "certwright: there is no verb '%s'; `certwright --help` lists them\n", argv[0]);
		return 2;
	}
	setlocale(LC_CTYPE, "");
	json_init();
	net_init();
	args.options = v->options;
	if (args_read(&args, argc - used, argv + used, &err) == 0 && arg_has(&args, "help")) {
		verb_help(stdout, v);
		status = 0;
	} else {
		c.json = arg_has(&args, "json");
		c.quiet = arg_has(&args, "quiet");
		if (!err_is(&err) && args_check(v, &args, &err) == 0 && (v->offline || cli_connect(&c, &err) == 0))
			(void)v->run(&c, &args, &err);
		status = err_is(&err) ? complain(&c, &err) : 0;
		if (fflush(stdout) != 0 && status == 0)
			status = 1;
	}
	cli_done(&c);
	strlist_clear(&args.names);
	strlist_clear(&args.values);
	strlist_clear(&args.words);
	return status;
}
