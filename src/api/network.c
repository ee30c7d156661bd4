/* SPDX-License-Identifier: Apache-2.0 */
/* network.c - the look at a host's certificate before it is pinned. */
#include "api/call.h"

#include "base/limits.h"
#include "service/network.h"

const struct json_field network_look_fields[] = {
	JF_STR(struct network_look_body, url, .required = true, .min = 1, .max = LIMIT_CA_URL),
	JF_JSON(struct network_look_body, connection),
	{ 0 }
};

static int looked(struct call *c, const struct job *j, struct err *err)
{
	json_t *result = json_text_or_null(j->result);

	if (!json_is_object(result)) {
		json_decref(result);
		return err_set(err, ERR_INTERNAL, "the look left no result");
	}
	call_json(c, 200, result);
	return 0;
}

int network_look(struct call *c, struct err *err)
{
	const struct network_look_body *b = c->body;
	char *job = NULL;

	if (service_network_look(c->service, &c->actor, b->url, b->connection, &job, err) < 0)
		return -(int)err->code;
	call_wait(c, job, looked);
	return 0;
}
