/* SPDX-License-Identifier: Apache-2.0 */
/*
 * object.c - what the verbs list, show and delete of most collections do (verb.h).
 */
#include "cli/verb.h"

int cli_list(struct cli *c, const struct cli_args *a, const char *collection, const char *const *filters, const struct cli_column *columns,
	     struct err *err)
{
	_cleanup_free_ char *path = cli_list_path(c, collection, filters);
	_cleanup_answer_ struct cli_answer r = { 0 };

	if (arg_no_words(a, err) < 0 || cli_get(c, path, &r, err) < 0)
		return -(int)err->code;
	cli_print_list(c, r.doc, columns);
	return 0;
}

int cli_read(struct cli *c, const struct cli_args *a, const char *what, const char *collection, struct cli_answer *ret, struct err *err)
{
	_cleanup_free_ char *path = NULL;
	const char *id;

	if (arg_word(a, what, &id, err) < 0)
		return -(int)err->code;
	path = cli_path(collection, id, "");
	return cli_get(c, path, ret, err);
}

int cli_show(struct cli *c, const struct cli_args *a, const char *what, const char *collection, const struct cli_column *fields, struct err *err)
{
	_cleanup_answer_ struct cli_answer r = { 0 };

	if (cli_read(c, a, what, collection, &r, err) < 0)
		return -(int)err->code;
	cli_print_object(c, &r, fields);
	return 0;
}

int cli_remove(struct cli *c, const struct cli_args *a, const char *what, const char *collection, struct err *err)
{
	const char *id;

	if (arg_word(a, what, &id, err) < 0 || cli_delete(c, collection, id, err) < 0)
		return -(int)err->code;
	cli_print_done(c, "deleted");
	return 0;
}
