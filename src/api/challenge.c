/* SPDX-License-Identifier: Apache-2.0 */
/* challenge.c - ready texts for redirecting and forwarding HTTP-01 challenges. */
#include "api/call.h"
#include "base/limits.h"
#include "service/challenge.h"

const struct json_field challenge_text_fields[] = {
	JF_STR(struct challenge_text_query, host, .min = 1, .max = LIMIT_NAME),
	{ 0 }
};

int challenge_texts(struct call *c, struct err *err)
{
	const struct challenge_text_query *q = c->query;
	const char *host = q->host ? q->host : "certwright.example.com";
	json_t *items;

	if (challenge_host_check(host, err) < 0)
		return -(int)err->code;
	items = json_array();
	for (const struct challenge_text *t = challenge_texts_all; t->name; t++) {
		_cleanup_free_ char *text = challenge_text_for(t, host);

		json_array_append_new(items, json_pack("{s:s, s:s, s:s, s:s, s:s}", "name", t->name, "way", t->way, "title", t->title, "help", t->help,
						       "text", text));
	}
	call_json(c, 200, json_pack("{s:s, s:o}", "host", host, "items", items));
	return 0;
}
