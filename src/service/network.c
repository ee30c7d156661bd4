/* SPDX-License-Identifier: Apache-2.0 */
/* network.c - see network.h. */
#include "service/network.h"

#include "engine/door.h"
#include "engine/intake.h"
#include "service/internal.h"

struct look {
	const struct actor *actor;
	const char *id, *args;
	char got[ULID_LEN + 1];
	int64_t now_ms;
};

static int look_tx(struct sql *tx, void *arg, struct err *err)
{
	struct look *l = arg;

	return job_intake(tx, &(struct job_request){ .id = l->id, .kind = JOB_NETWORK_LOOK, .args = l->args, .created_by = l->actor->user_id,
						     .now_ms = l->now_ms }, l->got, err);
}

int service_network_look(struct service *s, const struct actor *a, const char *url, json_t *connection, char **ret_job, struct err *err)
{
	_cleanup_connection_ struct connection c = { 0 };
	_cleanup_free_ char *text = NULL, *args = NULL;
	_cleanup_json_ json_t *doc = NULL;
	struct ulid id = ulid_new(service_now(s));
	struct look l = { .actor = a, .id = id.s, .now_ms = service_now(s) };

	if (!str_starts(url, "https://"))
		return err_set_field(err, ERR_INVALID, "/url", "only https:// has a certificate to look at");
	if (connection && !json_is_null(connection) && connection_decode(connection, "/connection", false, &c, err) < 0)
		return -(int)err->code;
	free(c.fingerprint); /* it is what is looked for */
	c.fingerprint = NULL;
	if (engine_door_check(s->engine, &c, url, true, err) < 0) {
		if (!err->field)
			err->field = xstrdup(c.allow ? "/connection" : "/url");
		return -(int)err->code;
	}
	text = connection_text(&c);
	doc = json_pack("{s:s, s:o}", "url", url, "connection", json_str_or_null(text));
	args = json_text(doc);
	l.args = args;
	if (store_write(s->store, look_tx, &l, err) < 0)
		return -(int)err->code;
	*ret_job = xstrdup(l.got);
	return 0;
}
