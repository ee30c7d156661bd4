/* SPDX-License-Identifier: Apache-2.0 */
/* backup_watch.c - whether the last backup has become too old. It is made by a command on the host; here is only told. */
#include "engine/notice.h"
#include "engine/private.h"
#include "store/safekeeping.h"

struct watch {
	struct engine *e;
	int64_t next_ms;
};

static int watch_tx(struct sql *tx, void *arg, struct err *err)
{
	struct watch *w = arg;
	int64_t now = engine_now(w->e), after = w->e->o.backup_warn_ms;
	_cleanup_free_ char *cause = NULL;
	struct safekeeping kept;

	w->next_ms = INT64_MAX;
	if (store_safekeeping(tx, &kept, err) < 0)
		return -(int)err->code;
	if (!kept.backup_ms)
		return 0; /* a warning on every page says so; nobody was promised one */
	if (now < kept.backup_ms + after) {
		w->next_ms = kept.backup_ms + after;
		return notice_end(tx, NOTICE_BACKUP, "server", "backup", now, err);
	}
	cause = xasprintf("No backup was made for %" PRId64 " hours.", after / HOUR_MS);
	return notice_raise(tx,
			    &(struct notice_cause){ .kind = NOTICE_BACKUP, .subject_kind = "server", .subject_id = "backup", .cause = cause,
						    .next_step = "Look at `systemctl status certwright-backup.service`, or run `certwright backup`.",
						    .now_ms = now },
			    err);
}

int backup_watch(struct engine *e, int64_t *ret_next_ms, struct err *err)
{
	struct watch w = { .e = e, .next_ms = INT64_MAX };

	if (e->o.backup_warn_ms && engine_write(e, watch_tx, &w, err) < 0)
		return err_wrap(err, "could not look at the age of the last backup");
	*ret_next_ms = w.next_ms;
	return 0;
}
