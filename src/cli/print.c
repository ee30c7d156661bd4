/* SPDX-License-Identifier: Apache-2.0 */
/* print.c - lists, fields and reasons on a terminal; everything that came over the network is made harmless first. */
#include "base/file.h"
#include "cli/verb.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <sys/stat.h>
#include <unistd.h>

#define CELL_MAX 4096

static char *value_text(const json_t *v)
{
	if (json_is_string(v))
		return str_clean(json_string_value(v), json_string_length(v), CELL_MAX);
	if (json_is_integer(v))
		return xasprintf("%" JSON_INTEGER_FORMAT, json_integer_value(v));
	if (json_is_boolean(v))
		return xstrdup(json_is_true(v) ? "yes" : "no");
	if (json_is_array(v)) {
		_cleanup_strlist_ struct strlist l = { 0 };
		size_t i;
		json_t *item;

		json_array_foreach(v, i, item) {
			_cleanup_free_ char *text = value_text(item);

			strlist_add(&l, text);
		}
		return strlist_join(&l, ", ");
	}
	return xstrdup("");
}

char *cli_member(const json_t *object, const char *name)
{
	return value_text(json_object_get(object, name));
}

static size_t characters(const char *s)
{
	size_t n = 0;

	for (; *s; s++)
		n += ((unsigned char)*s & 0xc0) != 0x80;
	return n;
}

static void cut(char *s, size_t max)
{
	size_t n = 0;

	if (!max || characters(s) <= max)
		return;
	for (char *p = s; *p; p++)
		if (((unsigned char)*p & 0xc0) != 0x80 && n++ == max - 1) {
			memmove(p, "~", 2);
			return;
		}
}

void cli_print_rows(const json_t *items, const struct cli_column *columns, const char *indent)
{
	size_t width[16] = { 0 }, n_columns = 0, i;
	json_t *row;

	for (; columns[n_columns].title; n_columns++)
		width[n_columns] = characters(columns[n_columns].title);
	assert(n_columns <= ARRAY_SIZE(width));
	json_array_foreach(items, i, row)
		for (size_t k = 0; k < n_columns; k++) {
			_cleanup_free_ char *text = cli_member(row, columns[k].member);

			cut(text, columns[k].max);
			width[k] = MAX(width[k], characters(text));
		}
	printf("%s", indent);
	for (size_t k = 0; k < n_columns; k++)
		printf("%s%*s", columns[k].title, k + 1 < n_columns ? (int)(width[k] - characters(columns[k].title) + 2) : 0, "");
	printf("\n");
	json_array_foreach(items, i, row) {
		printf("%s", indent);
		for (size_t k = 0; k < n_columns; k++) {
			_cleanup_free_ char *text = cli_member(row, columns[k].member);

			cut(text, columns[k].max);
			printf("%s%*s", text, k + 1 < n_columns ? (int)(width[k] - characters(text) + 2) : 0, "");
		}
		printf("\n");
	}
}

void cli_print_list(const struct cli *c, const json_t *page, const struct cli_column *columns)
{
	const json_t *items = json_object_get(page, "items");

	if (c->json) {
		_cleanup_free_ char *text = json_text(page);

		printf("%s\n", text);
		return;
	}
	if (!json_array_size(items)) {
		printf("none\n");
		return;
	}
	cli_print_rows(items, columns, "");
	if (json_is_true(json_object_get(page, "has_more"))) {
		_cleanup_free_ char *cursor = cli_member(page, "cursor");

		printf("more: --cursor %s\n", cursor);
	}
}

void cli_print_fields(const json_t *object, const struct cli_column *fields)
{
	size_t width = 0;

	for (const struct cli_column *f = fields; f->title; f++)
		width = MAX(width, characters(f->title));
	for (const struct cli_column *f = fields; f->title; f++) {
		_cleanup_free_ char *text = cli_member(object, f->member);

		if (*text)
			printf("%s:%*s %s\n", f->title, (int)(width - characters(f->title)), "", text);
	}
}

void cli_print_reason(const json_t *reason, const char *indent)
{
	_cleanup_err_ struct err why = ERR_INIT;

	if (!json_is_object(reason))
		return;
	cli_reason_error(reason, &why);
	printf("%sreason: %s\n", indent, why.detail);
	if (why.remote)
		printf("%s  the authority says: %s\n", indent, why.remote);
	if (why.hint)
		printf("%s  %s\n", indent, why.hint);
}

void cli_print_json(const struct cli_answer *a)
{
	printf("%.*s\n", (int)a->http.body.n, buf_text(&a->http.body));
}

void cli_print_object(const struct cli *c, const struct cli_answer *a, const struct cli_column *fields)
{
	if (c->json) {
		cli_print_json(a);
		return;
	}
	cli_print_fields(a->doc, fields);
	cli_print_reason(json_object_get(a->doc, "reason"), "");
}

void cli_print_done(const struct cli *c, const char *text)
{
	printf("%s\n", c->json ? "{}" : text);
}

/* A device, a pipe: written as it is, never replaced. */
static int write_special(const char *path, const struct buf *body, struct err *err)
{
	_cleanup_close_ int fd = open(path, O_WRONLY | O_CLOEXEC | O_NOCTTY);

	if (fd < 0 || fd_write_all(fd, buf_text(body), body->n) < 0)
		return err_set_errno(err, ERR_INVALID, "could not write to '%s'", path);
	return 0;
}

static int write_out(const char *path, const struct buf *body, bool secret, struct err *err)
{
	struct stat st;

	if (path && !streq(path, "-")) {
		if (stat(path, &st) == 0 && S_ISDIR(st.st_mode))
			return err_set(err, ERR_INVALID, "'%s' is a folder", path);
		if (stat(path, &st) == 0 && !S_ISREG(st.st_mode))
			return write_special(path, body, err);
		return file_write_atomic(path, buf_text(body), body->n, secret ? 0600 : 0644, err);
	}
	if (fwrite(buf_text(body), 1, body->n, stdout) != body->n || fflush(stdout) != 0)
		return err_set_errno(err, ERR_INTERNAL, "could not write to standard output");
	return 0;
}

int cli_hand_out(const struct cli *c, const char *path, const char *member, const struct buf *body, bool secret, struct err *err)
{
	if (c->json && !path && member) {
		_cleanup_json_ json_t *doc = json_pack("{s:s%}", member, buf_text(body), body->n);
		_cleanup_free_ char *text = doc ? json_text(doc) : NULL;

		if (!text)
			return err_set(err, ERR_REMOTE_BAD, "the server's answer is no text");
		printf("%s\n", text);
		return 0;
	}
	if (write_out(path, body, secret, err) < 0)
		return -(int)err->code;
	if (path && !streq(path, "-")) {
		_cleanup_free_ char *said = xasprintf("wrote '%s'", path);

		cli_print_done(c, said);
	}
	return 0;
}
