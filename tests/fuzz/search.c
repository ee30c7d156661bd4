/* SPDX-License-Identifier: Apache-2.0 */
/* search.c - anything typed into the search of the inventory. */
#include "tests/fuzz/fuzz.h"

#include "base/util.h"
#include "model/search.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n)
{
	char *text = xstrndup((const char *)data, n);
	struct search s = { 0 };
	struct err err = ERR_INIT;
	const struct search_subject c = { .names = "a.example.com\nb.example.com", .key_type = "p256", .source = "issued", .status = "active" };

	if (search_parse(text, 1, &s, &err) == 0) {
		HOLDS(s.words.n <= SEARCH_WORDS);
		for (size_t i = 0; i < s.words.n; i++)
			HOLDS(strlen(s.words.v[i]) >= 3);
		HOLDS(!search_empty(&s) || search_matches(&s, &c, 1));
		(void)search_matches(&s, &c, 1);
	} else {
		HOLDS(err.code == ERR_INVALID || err.code == ERR_TOO_LARGE);
	}
	search_done(&s);
	err_clear(&err);
	free(text);
	return 0;
}
