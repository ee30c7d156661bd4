/* SPDX-License-Identifier: Apache-2.0 */
/* check.c - see check.h. */
#include "service/check.h"

#include "engine/checks.h"
#include "engine/intake.h"
#include "service/internal.h"
#include "store/job.h"

struct start {
	const struct actor *actor;
	const char *id;
	int64_t now_ms;
	char got[ULID_LEN + 1];
};

static int start_tx(struct sql *tx, void *arg, struct err *err)
{
	struct start *s = arg;
	_cleanup_job_ struct job there = { 0 };

	if (store_job_find_live(tx, JOB_SERVER_CHECK, NULL, &there, err) == 0) {
		snprintf(s->got, sizeof s->got, "%s", there.id);
		return 0;
	}
	if (err->code != ERR_NOT_FOUND)
		return -(int)err->code;
	err_clear(err);
	return job_intake(tx, &(struct job_request){ .id = s->id, .kind = JOB_SERVER_CHECK, .created_by = s->actor->user_id, .now_ms = s->now_ms }, s->got, err);
}

int service_check_start(struct service *s, const struct actor *a, char **ret_job, struct err *err)
{
	struct ulid id = ulid_new(service_now(s));
	struct start j = { .actor = a, .id = id.s, .now_ms = service_now(s) };

	if (store_write(s->store, start_tx, &j, err) < 0)
		return -(int)err->code;
	*ret_job = xstrdup(j.got);
	return 0;
}

static int last_tx(struct sql *q, void *arg, struct err *err)
{
	_cleanup_err_ struct err why = ERR_INIT;
	char **ret = arg;

	replace_str(ret, NULL);
	return store_meta_get(q, META_CHECKS, ret, &why) < 0 && why.code != ERR_NOT_FOUND ? err_move(err, &why) : 0;
}

int service_check_last(struct service *s, json_t **ret, struct err *err)
{
	_cleanup_free_ char *text = NULL;

	if (store_read(s->store, last_tx, &text, err) < 0)
		return err_wrap(err, "could not read what the last checks found");
	if (text && json_parse(text, strlen(text), ret, err) < 0)
		return err_wrap(err, "what the last checks found cannot be read");
	if (!text) {
		*ret = checks_document("", 0, json_array());
		json_object_set_new(*ret, "node", json_null());
	}
	return 0;
}
