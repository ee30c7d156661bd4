/* SPDX-License-Identifier: Apache-2.0 */
/* local.c - see local.h. */
#include "service/local.h"

#include "engine/notice.h"
#include "service/internal.h"
#include "store/safekeeping.h"

struct local_job {
	struct audit *audit;
	int64_t now_ms, bytes;
};

static int escrow_tx(struct sql *tx, void *arg, struct err *err)
{
	struct local_job *j = arg;

	return store_escrow_made(tx, j->now_ms, err) < 0 ? -(int)err->code : store_audit_add(tx, j->audit, err);
}

static int backup_tx(struct sql *tx, void *arg, struct err *err)
{
	struct local_job *j = arg;

	if (store_backup_made(tx, j->now_ms, j->bytes, err) < 0 || notice_end(tx, NOTICE_BACKUP, "server", "backup", j->now_ms, err) < 0)
		return -(int)err->code;
	return store_audit_add(tx, j->audit, err);
}

static int local_write(struct store *store, const struct clock *clock, const char *action, json_t *detail, int64_t bytes, sql_tx_fn *fn, struct err *err)
{
	struct service offline = { .store = store, .clock = clock ? clock : &clock_system };
	struct actor host = { .kind = ACTOR_HOST, .user_name = (char[]){ "host" } };
	_cleanup_audit_ struct audit audit = { 0 };
	struct local_job j = { .audit = &audit, .now_ms = service_now(&offline), .bytes = bytes };

	audit_begin(&offline, &host, action, "server", &audit);
	audit.object_id = xstrdup("server");
	audit.object_name = xstrdup("server");
	audit.detail = json_text_take(detail);
	return store_write(store, fn, &j, err);
}

int service_local_escrow(struct store *store, const struct clock *clock, const char *what, const char *key_ids, struct err *err)
{
	if (local_write(store, clock, "key.escrow", json_pack("{s:s, s:s}", "copy", what, "keys", key_ids), 0, escrow_tx, err) < 0)
		return err_wrap(err, "could not note that the master key was copied");
	return 0;
}

int service_local_backup(struct store *store, const struct clock *clock, const char *file, int64_t bytes, struct err *err)
{
	if (local_write(store, clock, "backup.create", json_pack("{s:s, s:I}", "file", file, "bytes", (json_int_t)bytes), bytes, backup_tx, err) < 0)
		return err_wrap(err, "could not note that a backup was made");
	return 0;
}
