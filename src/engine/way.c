/* SPDX-License-Identifier: Apache-2.0 */
/* way.c - how the authority of an account is reached: the account's stored connection, put on every request of its sessions. */
#include "engine/door.h"
#include "engine/private.h"

void way_done(struct way *w)
{
	connection_done(&w->connection);
	*w = (struct way){ 0 };
}

struct http *way_open(struct way *w, struct http *inner, const char *connection, const char *url, struct err *err)
{
	way_done(w);
	if (connection_parse(connection, &w->connection, err) < 0 || door_open(&w->connection, url, &w->rule, err) < 0) {
		err_wrap(err, "the account's connection cannot be used");
		return NULL;
	}
	return connection_empty(&w->connection) ? inner : ruled_init(&w->ruled, inner, &w->rule);
}

int engine_door_check(struct engine *e, struct connection *c, const char *url, bool confirm, struct err *err)
{
	return door_check(e ? e->o.policy : NULL, c, url, confirm, err);
}
