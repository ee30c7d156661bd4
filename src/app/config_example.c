/* SPDX-License-Identifier: Apache-2.0 */
/* config_example.c - the commented configuration file, made from the table of keys. */
#include "app/config.h"

#include <stdio.h>

#define WIDTH 100

static const char *value_of(const struct strlist *set, const char *key)
{
	size_t n = strlen(key);

	for (size_t i = set ? set->n : 0; i-- > 0;)
		if (!strncmp(set->v[i], key, n) && set->v[i][n] == '=')
			return set->v[i] + n + 1;
	return NULL;
}

/* Words in comment lines of a readable width. */
static void comment(FILE *out, const char *text)
{
	size_t column = 0;

	for (const char *p = text; *p; p += strspn(p, " ")) {
		size_t n = strcspn(p, " ");

		if (column && column + 1 + n > WIDTH)
			column = 0, fputc('\n', out);
		column += (size_t)fprintf(out, "%s%.*s", column ? " " : "# ", (int)n, p);
		p += n;
	}
	fputc('\n', out);
}

static void limits(FILE *out, const struct config_key *k)
{
	if (k->type == CONFIG_INT)
		fprintf(out, "# %" PRId64 " to %" PRId64 "%s%s.\n", k->min, k->max, k->unit ? " " : "", k->unit ? k->unit : "");
	if (k->words)
		fprintf(out, "# One of: %s.\n", k->words);
	if (k->type == CONFIG_BOOL)
		fputs("# yes or no.\n", out);
}

int config_example(FILE *out, const struct strlist *set, struct err *err)
{
	struct config_input in = { .state = CONFIG_STATE_DEFAULT, .set = set };
	_cleanup_config_ struct config checked = { 0 };
	size_t section = 0;
	const char *last = "";

	if (config_read(&in, &checked, NULL, err) < 0)
		return -(int)err->code;
	fputs("# Configuration of Certwright. Flag > environment > this file > default. `certwright config check` shows every problem\n"
	      "# with its line, `certwright config show` what is in force. Secrets are only named by the path of a file.\n",
	      out);
	for (const struct config_key *k = config_keys; k->name; k++) {
		const char *name = strchr(k->name, '.') + 1, *value = value_of(set, k->name);
		size_t n = strcspn(k->name, ".");

		if (n != section || strncmp(last, k->name, n))
			fprintf(out, "\n[%.*s]\n", (int)n, k->name);
		section = n;
		last = k->name;
		fputc('\n', out);
		comment(out, k->help);
		limits(out, k);
		if (value)
			fprintf(out, "%s =%s%s\n", name, *value ? " " : "", value);
		else
			fprintf(out, "#%s =%s%s\n", name, k->def ? " " : "", k->def ? k->def : "");
	}
	fputs("\n[programs]\n\n"
	      "# Foreign programs that an integration may run, by the name it is asked for. The path is absolute, executable and not\n"
	      "# writable by others.\n#name = /usr/local/bin/program\n",
	      out);
	return 0;
}
