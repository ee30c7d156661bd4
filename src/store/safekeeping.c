/* SPDX-License-Identifier: Apache-2.0 */
/* safekeeping.c - see safekeeping.h. Two texts of meta: "INSTANT WHAT". */
#include "store/safekeeping.h"

#include "base/str.h"
#include "base/util.h"
#include "store/driver.h"

#include <inttypes.h>
#include <stdlib.h>

#define ESCROW "escrow.made" /* instant, META_KEYS at that time */
#define BACKUP "backup.made" /* instant, size */

static const char ANY_ACCOUNT[] = "SELECT count(*) FROM (SELECT id FROM account WHERE deleted_ms = 0 LIMIT 1) AS one";

/* *ret stays NULL when there is none. */
static int text_of(struct sql *q, const char *name, char **ret, struct err *err)
{
	_cleanup_err_ struct err why = ERR_INIT;

	if (store_meta_get(q, name, ret, &why) < 0 && why.code != ERR_NOT_FOUND)
		return err_move(err, &why);
	return 0;
}

int store_safekeeping(struct sql *q, struct safekeeping *ret, struct err *err)
{
	_cleanup_free_ char *keys = NULL, *escrow = NULL, *backup = NULL;
	struct safekeeping s = { 0 };
	int64_t accounts = 0;
	char *rest;

	if (text_of(q, META_KEYS, &keys, err) < 0 || text_of(q, ESCROW, &escrow, err) < 0 || text_of(q, BACKUP, &backup, err) < 0 ||
	    sql_int(q, ANY_ACCOUNT, SQL_NONE, &accounts, err) < 0)
		return err_wrap(err, "could not read what is known of backups and copies of the master key");
	if (escrow && keys) {
		int64_t at = strtoll(escrow, &rest, 10);

		s.escrow_ms = *rest == ' ' && streq(rest + 1, keys) ? at : 0;
	}
	if (backup) {
		s.backup_ms = strtoll(backup, &rest, 10);
		s.backup_bytes = strtoll(rest, NULL, 10);
	}
	s.something_to_lose = accounts > 0;
	*ret = s;
	return 0;
}

int store_escrow_made(struct sql *tx, int64_t now_ms, struct err *err)
{
	_cleanup_free_ char *keys = NULL, *text = NULL;

	if (text_of(tx, META_KEYS, &keys, err) < 0)
		return -(int)err->code;
	text = xasprintf("%" PRId64 " %s", now_ms, keys ? keys : "");
	return store_meta_set(tx, ESCROW, text, err);
}

int store_backup_made(struct sql *tx, int64_t now_ms, int64_t bytes, struct err *err)
{
	_cleanup_free_ char *text = xasprintf("%" PRId64 " %" PRId64, now_ms, bytes);

	return store_meta_set(tx, BACKUP, text, err);
}
