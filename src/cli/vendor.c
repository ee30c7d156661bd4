/* SPDX-License-Identifier: Apache-2.0 */
/* vendor.c - `vendor list`: the certificate authorities that are known by name. */
#include "cli/verb.h"

static int list(struct cli *c, const struct cli_args *a, struct err *err)
{
	static const struct cli_column columns[] = { { "NAME", "key", 0 },	      { "VENDOR", "title", 0 },	    { "STAGING", "staging", 0 },
						     { "EAB NEEDED", "eab_required", 0 }, { "WILDCARDS", "wildcards", 0 }, { "DIRECTORY", "directory_url", 0 },
						     { 0 } };
	_cleanup_answer_ struct cli_answer r = { 0 };

	if (arg_no_words(a, err) < 0 || cli_get(c, "/vendors", &r, err) < 0)
		return -(int)err->code;
	cli_print_list(c, r.doc, columns);
	return 0;
}

const struct cli_verb vendor_verbs[] = {
	{ "vendor", "list", "", list, NULL, "the authorities known by name" },
	{ 0 }
};
