/* SPDX-License-Identifier: Apache-2.0 */
/* bundle.c - `support-bundle`: what somebody who helps needs to see, as a tar.gz. */
#include "cli/verb.h"

static const struct cli_option options[] = {
	{ "out", "FILE", "where it goes; default: standard output", false },
	{ 0 }
};

static int bundle(struct cli *c, const struct cli_args *a, struct err *err)
{
	struct cli_call q = { .method = HTTP_POST, .path = "/support-bundle", .max_body = 64 * 1024 * 1024 };
	_cleanup_answer_ struct cli_answer r = { 0 };

	if (arg_no_words(a, err) < 0 || cli_request(c, &q, &r, err) < 0)
		return -(int)err->code;
	return cli_hand_out(c, arg(a, "out"), NULL, &r.http.body, true, err);
}

const struct cli_verb bundle_verbs[] = {
	{ "support-bundle", NULL, "", bundle, options,
	  "versions, configuration, what the doctor found, metrics, jobs, the last of log and events, in one file without a secret" },
	{ 0 }
};
