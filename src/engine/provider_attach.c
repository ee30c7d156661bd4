/* SPDX-License-Identifier: Apache-2.0 */
/* provider_attach.c - puts our answer to challenges on a virtual server of a device, or takes it away: an act that an operator asked for. */
#include "engine/private.h"

static int load(struct sql *q, void *arg, struct err *err)
{
	struct job_run *r = ((struct job_run **)arg)[0];
	struct provider *p = ((struct provider **)arg)[1];

	provider_done(p);
	return store_provider_get(q, r->j.subject_id, p, err);
}

static void expected(json_t *list, struct strlist *ret)
{
	json_t *item;
	size_t i;

	json_array_foreach(list, i, item)
		if (json_string_value(item))
			strlist_add(ret, json_string_value(item));
}

int run_provider_attach(struct job_run *r, struct err *err)
{
	_cleanup_provider_ struct provider row = { 0 };
	_cleanup_provider_use_ struct provider_use use = { 0 };
	_cleanup_strlist_ struct strlist expect = { 0 };
	json_t *seen = json_object_get(r->args, "expect");
	struct publish_attach q = { .server = json_string_value(json_object_get(r->args, "server")),
				    .attach = json_is_true(json_object_get(r->args, "attach")),
				    .expect = json_is_array(seen) ? &expect : NULL };
	json_t *done = NULL;

	if (!r->j.subject_id || !q.server)
		return err_set(err, ERR_INTERNAL, "the job names no provider or no server");
	if (engine_read(r->e, load, (void *[]){ r, &row }, err) < 0 || provider_use_open(r->e, r->w, &row, &use, err) < 0)
		return -(int)err->code;
	if (!use.pub->attach)
		return err_set(err, ERR_INVALID, "'%s' has no virtual servers", row.name);
	expected(seen, &expect);
	if (use.pub->attach(use.self, &use.env, &q, &done, err) < 0)
		return err_wrap(err, "could not change virtual server '%s' of '%s'", q.server, row.name);
	json_decref(r->result);
	r->result = done;
	return 0;
}
