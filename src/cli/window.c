/* SPDX-License-Identifier: Apache-2.0 */
/* window.c - `window list | show | create | delete`: maintenance windows of renewals. */
#include "cli/verb.h"

static const struct cli_column fields[] = {
	{ "Id", "id", 0 },     { "Number", "num", 0 },		{ "Name", "name", 0 }, { "Begins (cron)", "cron", 0 }, { "Minutes", "minutes", 0 },
	{ "Zone", "zone", 0 }, { "For the tag", "tag", 0 }, { "Default", "is_default", 0 }, { "Open now", "open", 0 }, { "Opens at", "next_at", 0 }, { 0 }
};

static int list(struct cli *c, const struct cli_args *a, struct err *err)
{
	static const struct cli_column columns[] = { { "NUM", "num", 0 }, { "NAME", "name", 30 }, { "BEGINS", "cron", 0 }, { "MINUTES", "minutes", 0 },
						     { "ZONE", "zone", 0 }, { "TAG", "tag", 20 }, { "DEFAULT", "is_default", 0 }, { "OPENS AT", "next_at", 0 }, { 0 } };
	_cleanup_answer_ struct cli_answer r = { 0 };

	if (arg_no_words(a, err) < 0 || cli_get(c, "/renewal-windows", &r, err) < 0)
		return -(int)err->code;
	cli_print_list(c, r.doc, columns);
	return 0;
}

static const struct cli_option create_options[] = {
	{ "name", "N", "what people call it", false },
	{ "cron", "FIELDS", "when it begins: minute hour day month weekday, as '0 2 * * sat'", false },
	{ "minutes", "N", "how long it lasts, 10 to 10080", false },
	{ "zone", "ZONE", "whose clocks: Europe/Berlin; default UTC", false },
	{ "tag", "TAG", "for the certificates with this tag", false },
	{ "default", NULL, "for all certificates without one of their own", false },
	{ 0 }
};

static int create(struct cli *c, const struct cli_args *a, struct err *err)
{
	_cleanup_answer_ struct cli_answer r = { 0 };
	_cleanup_json_ json_t *body = NULL;
	struct cli_call q = { .method = HTTP_POST, .path = "/renewal-windows" };
	int64_t minutes;

	if (arg_no_words(a, err) < 0)
		return -(int)err->code;
	if (!arg(a, "name") || !arg(a, "cron") || !arg(a, "minutes"))
		return err_set(err, ERR_INVALID, "--name, --cron and --minutes are needed");
	if (str_to_i64(arg(a, "minutes"), 10, 10080, &minutes, err) < 0)
		return err_wrap(err, "--minutes");
	q.body = body = json_pack("{s:s, s:s, s:I, s:b}", "name", arg(a, "name"), "cron", arg(a, "cron"), "minutes", (json_int_t)minutes,
				  "is_default", arg_has(a, "default"));
	if (!body)
		return err_set(err, ERR_INVALID, "--name and --cron are UTF-8 text");
	if (arg(a, "zone"))
		json_object_set_new(body, "zone", json_string(arg(a, "zone")));
	if (arg(a, "tag"))
		json_object_set_new(body, "tag", json_string(arg(a, "tag")));
	if (cli_request(c, &q, &r, err) < 0)
		return -(int)err->code;
	cli_print_object(c, &r, fields);
	return 0;
}

static int show(struct cli *c, const struct cli_args *a, struct err *err)
{
	return cli_show(c, a, "the window's id", "renewal-windows", fields, err);
}

static int del(struct cli *c, const struct cli_args *a, struct err *err)
{
	const char *id;

	if (arg_word(a, "the window's id", &id, err) < 0 || cli_delete(c, "renewal-windows", id, err) < 0)
		return -(int)err->code;
	cli_print_done(c, "deleted; renewals that waited for it go on at their next attempt");
	return 0;
}

const struct cli_verb window_verbs[] = {
	{ "window", "list", "", list, NULL, "maintenance windows: when renewals may run" },
	{ "window", "show", "ID", show, NULL, "one maintenance window, and when it opens next" },
	{ "window", "create", "", create, create_options, "make a maintenance window" },
	{ "window", "delete", "ID", del, NULL, "delete a maintenance window" },
	{ 0 }
};
