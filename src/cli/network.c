/* SPDX-License-Identifier: Apache-2.0 */
/* network.c - `network look`: which certificate a host shows, before it is pinned. */
#include "cli/verb.h"

#include "base/file.h"

#include <stdio.h>

static const struct cli_option look_options[] = {
	{ "connection", "FILE", "route and private networks that are meant: the API's object as JSON", false },
	{ 0 }
};

static int look(struct cli *c, const struct cli_args *a, struct err *err)
{
	static const struct cli_column fields[] = { { "Subject", "subject", 0 }, { "Issuer", "issuer", 0 }, { "Names", "names", 0 },
						    { "Valid from", "not_before", 0 }, { "Valid until", "not_after", 0 },
						    { "SHA-256 fingerprint", "fingerprint", 0 }, { 0 } };
	_cleanup_buf_ struct buf text = BUF_MAX(128 * 1024);
	_cleanup_answer_ struct cli_answer r = { 0 };
	_cleanup_json_ json_t *body = json_object();
	struct cli_call q = { .method = HTTP_POST, .path = "/network/look", .body = body };
	const json_t *shown = NULL;
	json_t *connection = NULL;
	const char *url;

	if (arg_word(a, "the URL", &url, err) < 0)
		return -(int)err->code;
	if (arg_has(a, "connection")) {
		if (file_read(arg(a, "connection"), &text, err) < 0 || json_parse(buf_text(&text), text.n, &connection, err) < 0)
			return err_wrap(err, "could not read the connection");
		json_object_set_new(body, "connection", connection);
	}
	json_object_set_new(body, "url", json_string(url));
	if (cli_request(c, &q, &r, err) < 0)
		return -(int)err->code;
	if (r.http.status == 202) {
		if (cli_job_wait(c, &r, err) < 0)
			return -(int)err->code;
		shown = json_object_get(r.doc, "result");
	}
	if (c->json)
		cli_print_json(&r);
	else
		cli_print_fields(shown ? shown : r.doc, fields);
	if (!c->json && !c->quiet)
		fprintf(stderr, "Compare the fingerprint with the one the host's administrator names; then put it into the connection as \"fingerprint\".\n");
	return 0;
}

const struct cli_verb network_verbs[] = {
	{ "network", "look", "URL", look, look_options, "which certificate a host shows, to compare it before it is pinned" },
	{ 0 }
};
