/* SPDX-License-Identifier: Apache-2.0 */
/*
 * import.c - `import PATH...`: files and folders of certificates made elsewhere into the inventory, and `certificate note`.
 * Each file is a request of its own, and what is there already is known by its fingerprint: run it again after an interruption.
 */
#include "base/base64.h"
#include "base/file.h"
#include "base/limits.h"
#include "cli/verb.h"

#include <dirent.h>
#include <errno.h>
#include <stdio.h>
#include <sys/stat.h>

#define DEPTH_MAX 16

static const struct cli_option import_options[] = {
	{ "with-keys", NULL, "keep the private keys in the files", false },
	{ "password-file", "FILE", "the password of PKCS#12 files and encrypted keys, on its first line", false },
	{ "owner", "TEXT", "whose they are", false },
	{ "tag", "TAG", "a tag for all of them", true },
	{ "notes", "TEXT", "a note for all of them", false },
	{ "csv", "FILE", "name,owner,tags by line: for certificates with that name, instead of --owner and --tag", false },
	{ 0 }
};

struct run {
	struct cli *c;
	const struct cli_args *args;
	struct secret password;
	struct strlist csv; /* name, owner, tags, one after the other */
	json_t *results;
	unsigned files, imported, known, failed;
};

static void say(struct run *r, const char *path, const char *result, const char *names, const char *why)
{
	json_array_append_new(r->results, json_pack("{s:s, s:s, s:s, s:s}", "file", path, "result", result, "names", names, "reason", why));
	if (!r->c->json)
		printf("%-10s %s%s%s%s%s\n", result, path, *names ? ": " : "", names, *why ? " - " : "", why);
}

static const char *text_of(const json_t *object, const char *member)
{
	const char *s = json_string_value(json_object_get(object, member));

	return s ? s : "";
}

/* Owner and tags of the list, by the certificate's names. */
static int note(struct run *r, const json_t *row, struct err *err)
{
	_cleanup_json_ json_t *body = NULL;
	_cleanup_answer_ struct cli_answer answer = { 0 };
	const json_t *names = json_object_get(row, "names");

	for (size_t i = 0; i + 2 < r->csv.n; i += 3)
		for (size_t k = 0; k < json_array_size(names); k++) {
			_cleanup_strlist_ struct strlist tags = { 0 };

			if (!streq(json_string_value(json_array_get(names, k)), r->csv.v[i]))
				continue;
			strlist_split(&tags, r->csv.v[i + 2], ' ');
			body = json_pack("{s:s, s:s, s:o}", "owner", r->csv.v[i + 1], "notes", arg(r->args, "notes") ? arg(r->args, "notes") : "",
					 "tags", json_strlist(&tags));
			return cli_patch(r->c, "certificates", text_of(row, "certificate_id"), body, &answer, err);
		}
	return 0;
}

/* Nobody has said whose it is: the run before was interrupted between the certificate and its owner, or had no list. */
static int note_bare(struct run *r, const json_t *row, struct err *err)
{
	_cleanup_free_ char *path = xasprintf("/certificates/%s", text_of(row, "certificate_id"));
	_cleanup_answer_ struct cli_answer answer = { 0 };

	if (!r->csv.n)
		return 0;
	if (cli_get(r->c, path, &answer, err) < 0)
		return -(int)err->code;
	return *text_of(answer.doc, "owner") || json_array_size(json_object_get(answer.doc, "tags")) ? 0 : note(r, row, err);
}

static void show_row(struct run *r, const char *path, const json_t *row)
{
	_cleanup_free_ char *names = cli_member(row, "names");
	_cleanup_err_ struct err err = ERR_INIT;
	const json_t *reason = json_object_get(row, "reason");
	const char *result = text_of(row, "result");

	if (streq(result, "failed"))
		cli_reason_error(reason, &err);
	else if (streq(result, "imported") && note(r, row, &err) < 0)
		err_wrap(&err, "imported, but owner and tags are not set");
	else if (streq(result, "known") && note_bare(r, row, &err) < 0)
		err_wrap(&err, "it was there already, but owner and tags are not set");
	r->imported += streq(result, "imported") || streq(result, "key-added");
	r->known += streq(result, "known");
	r->failed += err_is(&err);
	say(r, path, result, *names ? names : text_of(row, "subject"), err_is(&err) ? err.detail : "");
}

static json_t *request_of(const struct run *r, const struct buf *file)
{
	_cleanup_strlist_ struct strlist tags = { 0 };
	_cleanup_buf_wipe_ struct buf text = BUF_MAX(LIMIT_API_BODY);
	json_t *body;

	if (memmem(buf_text(file), file->n, "-----BEGIN ", 11) && utf8_valid(buf_text(file), file->n))
		buf_add(&text, buf_text(file), file->n);
	else
		base64_encode(&text, buf_text(file), file->n);
	body = json_pack("{s:s%, s:b}", "content", buf_text(&text), text.n, "with_keys", arg_has(r->args, "with-keys"));
	if (!body)
		return NULL;
	arg_list(r->args, "tag", &tags);
	json_object_set_new(body, "tags", json_strlist(&tags));
	if (r->password.n)
		json_object_set_new(body, "password", json_stringn((const char *)r->password.p, r->password.n));
	if (arg(r->args, "owner"))
		json_object_set_new(body, "owner", json_string(arg(r->args, "owner")));
	if (arg(r->args, "notes"))
		json_object_set_new(body, "notes", json_string(arg(r->args, "notes")));
	return body;
}

static int send_file(struct run *r, const char *path, struct err *err)
{
	_cleanup_buf_wipe_ struct buf file = BUF_MAX(LIMIT_IMPORT);
	_cleanup_json_ json_t *body = NULL;
	_cleanup_answer_ struct cli_answer answer = { 0 };
	struct cli_call q = { .method = HTTP_POST, .path = "/imports" };
	json_t *items;

	if (file_read(path, &file, err) < 0)
		return -(int)err->code;
	q.body = body = request_of(r, &file);
	if (!body)
		return err_set(err, ERR_INVALID, "it cannot be sent: a text in it or in the options is not UTF-8");
	if (cli_request(r->c, &q, &answer, err) < 0)
		return -(int)err->code;
	items = json_object_get(answer.doc, "items");
	for (size_t i = 0; i < json_array_size(items); i++)
		show_row(r, path, json_array_get(items, i));
	return 0;
}

/* An error of one file is a line; one that all would have (no server, not signed in) ends the run. */
static int one_file(struct run *r, const char *path, struct err *err)
{
	_cleanup_err_ struct err why = ERR_INIT;

	r->files++;
	if (send_file(r, path, &why) == 0)
		return 0;
	if (why.code == ERR_UNAUTHENTICATED || why.code == ERR_DENIED || err_not_reached(&why))
		return err_move(err, &why);
	r->failed++;
	say(r, path, "failed", "", why.detail);
	return 0;
}

static bool looks_like_one(const char *name)
{
	static const char *const ends[] = { ".pem", ".crt", ".cer", ".cert", ".der", ".p12", ".pfx" };
	const char *dot = strrchr(name, '.');

	for (size_t i = 0; dot && i < ARRAY_SIZE(ends); i++)
		if (!strcasecmp(dot, ends[i]))
			return true;
	return false;
}

static int walk(struct run *r, const char *path, unsigned depth, bool named, struct err *err)
{
	_cleanup_strlist_ struct strlist names = { 0 };
	struct stat st;
	DIR *d;

	if (stat(path, &st) < 0)
		return err_set_errno(err, ERR_NOT_FOUND, "could not look at '%s'", path);
	if (!S_ISDIR(st.st_mode))
		return named || (S_ISREG(st.st_mode) && looks_like_one(path)) ? one_file(r, path, err) : 0;
	if (depth == DEPTH_MAX)
		return err_set(err, ERR_INVALID, "'%s' is nested more than %d folders deep", path, DEPTH_MAX);
	d = opendir(path);
	if (!d)
		return err_set_errno(err, ERR_DENIED, "could not open the folder '%s'", path);
	for (struct dirent *e; (e = readdir(d));)
		if (*e->d_name != '.')
			strlist_add(&names, e->d_name);
	closedir(d);
	strlist_sort_unique(&names);
	for (size_t i = 0; i < names.n; i++) {
		_cleanup_free_ char *below = xasprintf("%s/%s", path, names.v[i]);

		if (walk(r, below, depth + 1, false, err) < 0)
			return -(int)err->code;
	}
	return 0;
}

/* ---- the list of owners --------------------------------------------------------------------------------------------- */

/* name,owner,tags - RFC 4180 quotes; tags are separated by blanks; a first line that begins with "name," is a heading. */
static int csv_field(const char **p, char **ret, struct err *err)
{
	struct buf b = BUF_MAX(LIMIT_TEXT);
	bool quoted = **p == '"';

	*p += quoted;
	while (**p && (quoted || !strchr(",\r\n", **p))) {
		if (quoted && **p == '"' && (*p)[1] != '"') {
			(*p)++;
			quoted = false;
			break;
		}
		*p += quoted && **p == '"';
		buf_add_char(&b, *(*p)++);
	}
	if (quoted || buf_check(&b, err) < 0) {
		buf_done(&b);
		return err_is(err) ? -(int)err->code : err_set(err, ERR_INVALID, "a quoted field has no end");
	}
	*ret = b.n ? buf_take(&b) : xstrdup("");
	buf_done(&b);
	return 0;
}

static int csv_read(const char *text, struct strlist *ret, struct err *err)
{
	unsigned line = 1;

	for (const char *p = text; *p; line++) {
		for (unsigned field = 0; field < 3; field++) {
			_cleanup_free_ char *value = NULL;

			if (csv_field(&p, &value, err) < 0)
				return err_wrap(err, "line %u cannot be read", line);
			strlist_add(ret, value);
			if (field < 2 && *p != ',')
				return err_set(err, ERR_INVALID, "line %u has no three fields: name,owner,tags", line);
			p += field < 2;
		}
		if (*p && !strchr("\r\n", *p))
			return err_set(err, ERR_INVALID, "line %u has more than three fields: tags are separated by blanks", line);
		p += strspn(p, "\r\n");
	}
	return 0;
}

static int load(struct run *r, struct err *err)
{
	_cleanup_buf_wipe_ struct buf password = BUF_MAX(1024), csv = BUF_MAX(4 * 1024 * 1024);
	const char *file = arg(r->args, "password-file");

	if (file && file_read(file, &password, err) < 0)
		return -(int)err->code;
	r->password = secret_copy(buf_text(&password), strcspn(buf_text(&password), "\r\n"));
	file = arg(r->args, "csv");
	if (!file)
		return 0;
	if (file_read(file, &csv, err) < 0)
		return -(int)err->code;
	return csv_read(buf_text(&csv), &r->csv, err) < 0 ? err_wrap(err, "could not read '%s'", file) : 0;
}

static int finish(struct run *r, struct err *err)
{
	if (r->c->json) {
		_cleanup_json_ json_t *doc = json_pack("{s:i, s:i, s:i, s:i, s:O}", "files", (int)r->files, "imported", (int)r->imported, "known",
						       (int)r->known, "failed", (int)r->failed, "items", r->results);
		_cleanup_free_ char *text = json_text(doc);

		printf("%s\n", text);
	} else {
		printf("%u files: %u imported, %u known already, %u failed\n", r->files, r->imported, r->known, r->failed);
	}
	if (!r->failed)
		return 0;
	return err_set(err, ERR_INVALID, "%u could not be imported; the others are in the inventory", r->failed);
}

static int import(struct cli *c, const struct cli_args *a, struct err *err)
{
	struct run r = { .c = c, .args = a, .results = json_array() };
	int rc = a->words.n ? load(&r, err) : err_set(err, ERR_INVALID, "at least one file or folder is needed");

	for (size_t i = 0; rc == 0 && i < a->words.n; i++)
		rc = walk(&r, a->words.v[i], 0, true, err);
	if (rc == 0)
		rc = finish(&r, err);
	secret_clear(&r.password);
	strlist_clear(&r.csv);
	json_decref(r.results);
	return rc;
}

/* ---- certificate note ------------------------------------------------------------------------------------------------ */

static const struct cli_option note_options[] = {
	{ "owner", "TEXT", "whose it is; \"\" takes it away", false },
	{ "notes", "TEXT", "a note; \"\" takes it away", false },
	{ "tag", "TAG", "one of its tags: all are replaced; \"\" alone takes all away", true },
	{ 0 }
};

static int note_verb(struct cli *c, const struct cli_args *a, struct err *err)
{
	_cleanup_answer_ struct cli_answer now = { 0 }, r = { 0 };
	_cleanup_json_ json_t *body = NULL;
	_cleanup_free_ char *path = NULL;
	_cleanup_strlist_ struct strlist tags = { 0 };
	const char *id;

	if (arg_word(a, "the certificate's id", &id, err) < 0)
		return -(int)err->code;
	path = cli_path("certificates", id, "");
	if (cli_get(c, path, &now, err) < 0)
		return -(int)err->code;
	body = json_pack("{s:s, s:s, s:O}", "owner", arg(a, "owner") ? arg(a, "owner") : text_of(now.doc, "owner"), "notes",
			 arg(a, "notes") ? arg(a, "notes") : text_of(now.doc, "notes"), "tags", json_object_get(now.doc, "tags"));
	if (!body)
		return err_set(err, ERR_INVALID, "--owner or --notes is not UTF-8 text");
	arg_list(a, "tag", &tags);
	if (tags.n && !*tags.v[0] && tags.n == 1)
		json_object_set_new(body, "tags", json_array());
	else if (tags.n)
		json_object_set_new(body, "tags", json_strlist(&tags));
	if (cli_patch(c, "certificates", id, body, &r, err) < 0)
		return -(int)err->code;
	if (c->json)
		cli_print_json(&r);
	else
		cli_print_done(c, "noted");
	return 0;
}

const struct cli_verb import_verbs[] = {
	{ "import", NULL, "PATH...", import, import_options, "take certificates made elsewhere into the inventory: files (PEM, DER, PKCS#12) and folders" },
	{ "certificate", "note", "ID", note_verb, note_options, "set a certificate's owner, tags and notes" },
	{ 0 }
};
