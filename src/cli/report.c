/* SPDX-License-Identifier: Apache-2.0 */
/* report.c - `report auditor`: what an auditor asks, as tables in a folder, or one of them. */
#include "cli/verb.h"

#include "base/file.h"

#include <stdio.h>

static const char *const parts[] = { "users", "tokens", "certificates", "key-exports", "failed-renewals", "settings", "rights-changes", "removals" };

static const struct cli_option options[] = {
	{ "out", "DIR", "a folder for all tables and index.md; it is made, and must be empty or hold an older report", false },
	{ "show", "PART", "only one, to standard output: users, tokens, certificates, key-exports, failed-renewals, settings, rights-changes, removals", false },
	{ "since", "TIME", "of what happened: from then on, such as 2026-01-01T00:00:00Z", false },
	{ "until", "TIME", "before then", false },
	{ 0 }
};
static const char *const filters[] = { "since", "until", NULL };

/* Page after page: all of one table. */
static int read_table(struct cli *c, const char *file, struct buf *out, struct err *err)
{
	_cleanup_free_ char *base = xasprintf("/reports/auditor/%s", file), *first = cli_list_path(c, base, filters), *path = xstrdup(first);

	for (;;) {
		_cleanup_answer_ struct cli_answer r = { 0 };
		struct cli_call q = { .method = HTTP_GET, .path = path, .max_body = 64 * 1024 * 1024 };
		const char *next;

		if (cli_request(c, &q, &r, err) < 0)
			return -(int)err->code;
		buf_add(out, buf_text(&r.http.body), r.http.body.n);
		next = http_header_get(&r.http, "x-next-cursor");
		if (str_empty(next))
			return buf_check(out, err);
		free(path);
		path = xasprintf("%s%scursor=%s", first, strchr(first, '?') ? "&" : "?", next);
	}
}

static int save(struct cli *c, const char *dir, const char *file, struct err *err)
{
	_cleanup_buf_ struct buf text = BUF_MAX(1024 * 1024 * 1024);
	_cleanup_free_ char *path = path_join(dir, file);

	if (read_table(c, file, &text, err) < 0)
		return -(int)err->code;
	if (file_write_atomic(path, buf_text(&text), text.n, 0600, err) < 0)
		return err_wrap(err, "could not write '%s'", path);
	if (!c->quiet)
		fprintf(stderr, "wrote %s\n", path);
	return 0;
}

static int save_all(struct cli *c, const char *dir, struct err *err)
{
	if (dir_make(dir, 0700, err) < 0)
		return err_wrap(err, "could not make the folder '%s'", dir);
	for (size_t i = 0; i < ARRAY_SIZE(parts); i++) {
		_cleanup_free_ char *file = xasprintf("%s.csv", parts[i]);

		if (save(c, dir, file, err) < 0)
			return -(int)err->code;
	}
	return save(c, dir, "index.md", err);
}

static int show_one(struct cli *c, const char *part, struct err *err)
{
	_cleanup_buf_ struct buf text = BUF_MAX(1024 * 1024 * 1024);
	_cleanup_free_ char *file = xasprintf("%s.csv", part);

	for (size_t i = 0; i < ARRAY_SIZE(parts); i++)
		if (streq(parts[i], part)) {
			if (read_table(c, file, &text, err) < 0)
				return -(int)err->code;
			return cli_hand_out(c, NULL, part, &text, false, err);
		}
	return err_set(err, ERR_INVALID, "the report has no part '%s'; --help lists them", part);
}

static int auditor(struct cli *c, const struct cli_args *a, struct err *err)
{
	if (arg_no_words(a, err) < 0)
		return -(int)err->code;
	if (arg_has(a, "out") == arg_has(a, "show"))
		return err_set(err, ERR_INVALID, "give --out DIR for all tables, or --show PART for one");
	return arg_has(a, "out") ? save_all(c, arg(a, "out"), err) : show_one(c, arg(a, "show"), err);
}

const struct cli_verb report_verbs[] = {
	{ "report", "auditor", "", auditor, options, "what an auditor asks: people, tokens, certificates, exported keys, failures, weak settings; needs the right audit" },
	{ 0 }
};
