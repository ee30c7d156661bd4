/* SPDX-License-Identifier: Apache-2.0 */
/* audit.c - `audit list`: who did what, as lines, as the API's body, or as a table for spreadsheets. */
#include "cli/verb.h"

#include <stdio.h>

static const struct cli_option options[] = {
	{ "since", "TIME", "from then on, such as 2026-11-23T00:00:00Z", false },
	{ "until", "TIME", "before then", false },
	{ "actor", "NAME", "a user's name; system for what the server did by itself, host for what was done on it", false },
	{ "object", "O", "an id, or the name the object had then", false },
	{ "action", "A", "such as certificate.export-key", false },
	CLI_SORT,
	{ "csv", NULL, "everything as CSV, page after page", false },
	{ "limit", "N", "rows of a page, up to 200 (with --csv 10000)", false },
	{ "cursor", "C", "the next page", false },
	{ 0 }
};
static const char *const filters[] = { "since", "until", "actor", "object", "action", "sort", NULL };

/* The first page with its head line, the others without. */
static int as_csv(struct cli *c, struct err *err)
{
	_cleanup_free_ char *first = cli_list_path(c, "/audit.csv", filters), *path = xstrdup(first);
	bool begun = false;

	for (;;) {
		_cleanup_answer_ struct cli_answer r = { 0 };
		struct cli_call q = { .method = HTTP_GET, .path = path, .max_body = 64 * 1024 * 1024 };
		const char *text, *next;

		if (cli_request(c, &q, &r, err) < 0)
			return -(int)err->code;
		text = buf_text(&r.http.body);
		if (begun && strchr(text, '\n'))
			text = strchr(text, '\n') + 1;
		if (fputs(text, stdout) < 0)
			return err_set_errno(err, ERR_INTERNAL, "could not write to standard output");
		next = http_header_get(&r.http, "x-next-cursor");
		if (str_empty(next) || arg_has(c->args, "limit"))
			return 0;
		begun = true;
		free(path);
		path = xasprintf("%s%scursor=%s", first, strchr(first, '?') ? "&" : "?", next);
	}
}

static int audit(struct cli *c, const struct cli_args *a, struct err *err)
{
	static const struct cli_column columns[] = { { "AT", "at", 0 }, { "WHO", "actor_name", 30 }, { "TOKEN", "token_name", 20 }, { "DID", "action", 0 },
						     { "TO", "object_kind", 0 }, { "NAME", "object_name", 40 }, { "WHY", "reason", 40 },
						     { "FROM", "address", 0 }, { 0 } };
	_cleanup_free_ char *path = cli_list_path(c, "/audit", filters);
	_cleanup_answer_ struct cli_answer r = { 0 };

	if (arg_no_words(a, err) < 0)
		return -(int)err->code;
	if (arg_has(a, "csv") && c->json)
		return err_set(err, ERR_INVALID, "--csv and --json exclude each other");
	if (arg_has(a, "csv") && arg_has(a, "cursor"))
		return err_set(err, ERR_INVALID, "--csv begins at the beginning: narrow it with --until");
	if (arg_has(a, "csv"))
		return as_csv(c, err);
	if (cli_get(c, path, &r, err) < 0)
		return -(int)err->code;
	cli_print_list(c, r.doc, columns);
	return 0;
}

const struct cli_verb audit_verbs[] = {
	{ "audit", "list", "", audit, options, "who did what, newest first; needs the right audit" },
	{ 0 }
};
