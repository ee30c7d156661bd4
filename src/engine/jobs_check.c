/* SPDX-License-Identifier: Apache-2.0 */
/* jobs_check.c - the job that looks whether everything is right with this server (checks.h). What it found is kept until the next. */
#include "engine/checks.h"

#include "engine/private.h"

static int keep(struct sql *tx, void *arg, struct err *err)
{
	struct job_run *r = arg;

	return store_meta_set(tx, META_CHECKS, r->data, err);
}

int job_server_check(struct job_run *r, struct err *err)
{
	struct checks_options o = { .table = r->e->o.checks, .where = CHECK_IN_SERVER, .e = r->e, .arg = r->e->o.checks_arg };
	_cleanup_json_ json_t *doc = NULL;

	if (!o.table)
		return err_set(err, ERR_INTERNAL, "this server was started without a table of checks");
	doc = checks_document(r->e->node, engine_now(r->e), checks_run(&o));
	r->result = json_incref(json_object_get(doc, "counts")); /* jobs are shown to more people than the rows */
	r->data = json_text(doc);
	r->data_free = free;
	r->also = keep;
	return 0;
}
