/* SPDX-License-Identifier: Apache-2.0 */
/*
 * kept.c - the standing job that compares the kept counts with what there is (store/kept.h) and notes the names that are in no block yet
 * (store/name_block.h): when the engine starts, then every night.
 */
#include "engine/private.h"

#include "base/log.h"
#include "store/kept.h"
#include "store/name_block.h"

int job_count(struct job_run *r, struct err *err)
{
	struct kept_mended m = { 0 };

	if (store_kept_mend(r->e->o.store, &m, err) < 0)
		return -(int)err->code;
	if (m.rows) {
		_cleanup_free_ char *rows = xasprintf("%zu", m.rows);

		log_warning("kept counts were not what was counted; they are now", "rows", rows, "first", m.first);
	}
	if (store_name_blocks_mend(r->e->o.store, err) < 0)
		return -(int)err->code;
	r->wait = true;
	r->j.due_ms = engine_now(r->e) + engine_jitter(r->e, DAY_MS, 10);
	return 0;
}
