/* SPDX-License-Identifier: Apache-2.0 */
/* fetch.c - `certificate fetch`: a certificate as hosts fetch it, with a token that may do nothing else (GET /download). */
#include "base/file.h"
#include "base/limits.h"
#include "cli/verb.h"
#include "net/url.h"

#include <stdio.h>
#include <unistd.h>

#define TAG_MAX 256

static const struct cli_option options[] = {
	{ "format", "F", "pem (the certificate), chain, fullchain (default), der, zip; with the key: key, combined (fullchain and key), pkcs12, pkcs12-legacy", false },
	{ "password-file", "FILE", "the password of a PKCS#12 file, on its first line", false },
	{ "etag", "FILE", "what was fetched last is noted here; as long as nothing is new, nothing is fetched or written", false },
	{ "out", "FILE", "where to (0600 with a key); default: standard output", false },
	{ 0 }
};

static bool has_key(const char *format)
{
	return streq(format, "key") || streq(format, "combined") || str_starts(format, "pkcs12");
}

static bool is_text(const char *format)
{
	return streq(format, "pem") || streq(format, "chain") || streq(format, "fullchain") || streq(format, "key") || streq(format, "combined");
}

static void first_line(struct buf *b)
{
	size_t n = strcspn(buf_text(b), "\r\n");

	if (n < b->n) {
		b->p[n] = '\0';
		b->n = n;
	}
}

/* The tag in the file, for what is there still: without --out's file the tag says nothing. */
static int read_tag(const char *path, const char *out, struct buf *tag, struct err *err)
{
	_cleanup_err_ struct err why = ERR_INIT;

	if (!path || !file_exists(path) || (out && !streq(out, "-") && !file_exists(out)))
		return 0;
	if (file_read(path, tag, &why) < 0)
		return err_move(err, &why);
	first_line(tag);
	return 0;
}

static int read_password(const char *path, struct buf *ret, struct err *err)
{
	if (!path)
		return 0;
	if (file_read(path, ret, err) < 0)
		return -(int)err->code;
	first_line(ret);
	return 0;
}

static int note_tag(const char *path, const struct cli_answer *r, struct err *err)
{
	const char *tag = http_header_get(&r->http, "etag");
	_cleanup_free_ char *line = NULL;

	if (!path || !tag)
		return 0;
	line = xasprintf("%.200s\n", tag);
	return file_write_atomic(path, line, strlen(line), 0644, err);
}

static int fetch(struct cli *c, const struct cli_args *a, struct err *err)
{
	const char *format = arg(a, "format") ? arg(a, "format") : "fullchain", *out = arg(a, "out"), *id;
	_cleanup_buf_ struct buf tag = BUF_MAX(TAG_MAX);
	_cleanup_buf_wipe_ struct buf password = BUF_MAX(1024);
	_cleanup_answer_ struct cli_answer r = { 0 };
	_cleanup_free_ char *base = NULL, *path = NULL;
	_cleanup_buf_ struct buf escaped = BUF_MAX(512);
	struct cli_call q = { .method = HTTP_GET };

	if (arg_word(a, "the certificate's id", &id, err) < 0)
		return -(int)err->code;
	if (!out && isatty(STDOUT_FILENO) && (has_key(format) || !is_text(format)))
		return err_set(err, ERR_INVALID, "%s does not belong on a terminal: give --out FILE", has_key(format) ? "a private key" : "this format");
	if (read_tag(arg(a, "etag"), out, &tag, err) < 0 || read_password(arg(a, "password-file"), &password, err) < 0)
		return -(int)err->code;
	url_escape(&escaped, format, MIN(strlen(format), (size_t)64));
	base = cli_path("download", id, "/");
	q.path = path = xasprintf("%s%s", base, buf_text(&escaped));
	q.if_none_match = tag.n ? buf_text(&tag) : NULL;
	q.pkcs12_password = password.n ? buf_text(&password) : NULL;
	if (cli_request(c, &q, &r, err) < 0)
		return -(int)err->code;
	if (r.http.status == 304) {
		if (c->json)
			printf("{\"unchanged\":true}\n");
		else
			fputs("nothing new\n", stderr);
		return 0;
	}
	if (cli_hand_out(c, out, is_text(format) ? format : NULL, &r.http.body, has_key(format), err) < 0)
		return -(int)err->code;
	return note_tag(arg(a, "etag"), &r, err);
}

const struct cli_verb fetch_verbs[] = {
	{ "certificate", "fetch", "ID", fetch, options, "fetch a certificate as hosts do, with a token made for it; the server notes who has it" },
	{ 0 }
};
