/* SPDX-License-Identifier: Apache-2.0 */
/*
 * heartbeat.c - a request every few minutes to somebody who notices when it does not come: a sign that orders are worked on, not only that a
 * process runs. It is a job, so it goes through the dispatcher, a worker and the store; when one of them stands still, none is sent. None is
 * sent either while the public server has not all challenges.
 */
#include "engine/private.h"

static bool healthy(struct engine *e)
{
	struct engine_status s;
	struct store_health h;

	store_health(e->o.store, &h);
	engine_status(e, &s);
	return h.writable && (!s.feed.offered || s.feed.loaded);
}

static int beat(struct job_run *r, struct err *err)
{
	struct http_request q = { .method = r->e->o.heartbeat_post ? HTTP_POST : HTTP_GET, .url = r->e->o.heartbeat_url, .timeout_ms = 20 * SECOND_MS,
				  .body = { r->e->o.heartbeat_post ? "" : NULL, 0 } };
	_cleanup_http_ struct http_response rsp = { 0 };

	if (http_do(r->w->http, &q, &rsp, err) < 0)
		return err_wrap(err, "could not send the heartbeat");
	if (rsp.status / 100 != 2)
		return err_set(err, ERR_REMOTE_BUSY, "the heartbeat was answered %d", rsp.status);
	return 0;
}

int job_heartbeat(struct job_run *r, struct err *err)
{
	int64_t every = r->e->o.heartbeat_url ? r->e->o.heartbeat_ms : DAY_MS;
	_cleanup_err_ struct err why = ERR_INIT;

	(void)err;
	r->wait = true;
	r->j.due_ms = engine_now(r->e) + every;
	if (!r->e->o.heartbeat_url || !healthy(r->e)) {
		r->attempts_left_alone = true; /* not done: the metric goes on ageing */
		return 0;
	}
	if (beat(r, &why) == 0)
		return 0;
	/* the next one comes in its time: a ladder of growing pauses would be the silence it warns of */
	r->attempts_left_alone = true;
	r->j.attempts++;
	free(r->j.reason);
	r->j.reason = err_to_json_text(&why);
	return 0;
}
