/* SPDX-License-Identifier: Apache-2.0 */
/* expiry.c - how many certificates expire in each of the coming weeks. */
#include "api/call.h"
#include "service/expiry.h"

#define WEEKS_STANDARD 13

const struct json_field expiry_query_fields[] = {
	JF_INT(struct expiry_query, weeks, .min = 1, .max = EXPIRY_WEEKS_MAX),
	{ 0 }
};

int expiry_get(struct call *c, struct err *err)
{
	const struct expiry_query *q = c->query;
	struct expiry e = { 0 };
	json_t *weeks = json_array();

	if (service_expiry(c->service, q->weeks ? (int)q->weeks : WEEKS_STANDARD, &e, err) < 0) {
		json_decref(weeks);
		return -(int)err->code;
	}
	for (int i = 0; i < e.n; i++)
		json_array_append_new(weeks, json_pack("{s:o, s:o, s:I, s:I}", "from", json_time_or_null(e.weeks[i].from_ms), "to",
						       json_time_or_null(e.weeks[i].to_ms), "expire", (json_int_t)e.weeks[i].expire,
						       "unmanaged", (json_int_t)e.weeks[i].unmanaged));
	call_json(c, 200, json_pack("{s:o, s:I}", "weeks", weeks, "expired", (json_int_t)e.expired));
	return 0;
}
