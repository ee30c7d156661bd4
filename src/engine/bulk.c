/* SPDX-License-Identifier: Apache-2.0 */
/* bulk.c - a stored action on many certificates: the engine's frame (leases, retries, the end) around the stretches that service does. */
#include "engine/private.h"

void engine_on_bulk(struct engine *e, engine_bulk_fn *fn, void *arg)
{
	e->bulk = fn;
	e->bulk_arg = arg;
}

int job_bulk(struct job_run *r, struct err *err)
{
	bool more = false;

	if (!r->e->bulk)
		return err_set(err, ERR_INTERNAL, "nobody is here who can do it");
	if (r->e->bulk(r->e->bulk_arg, &r->j, &more, err) < 0)
		return -(int)err->code;
	r->wait = more;
	r->j.due_ms = engine_now(r->e);
	return 0;
}
