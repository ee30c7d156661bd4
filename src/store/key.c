/* SPDX-License-Identifier: Apache-2.0 */
/* key.c - private keys as sealed bytes; destroyed only when nothing live points to them. */
#include "store/key.h"

#include "store/lib.h"

#define COLUMNS "id, purpose, type, public_hash, sealed, created_ms, destroyed_ms"

static const char KEY_ADD[] = "INSERT INTO key (" COLUMNS ") VALUES ($1, $2, $3, $4, $5, $6, 0)";
static const char KEY_GET[] = "SELECT " COLUMNS " FROM key WHERE id = $1";
static const char KEY_FIND[] = "SELECT " COLUMNS " FROM key WHERE public_hash = $1";
static const char KEY_RESEAL[] = "UPDATE key SET sealed = $2 WHERE id = $1 AND destroyed_ms = 0";
static const char KEY_DESTROY[] =
	"UPDATE key SET sealed = NULL, destroyed_ms = $2 WHERE id = $1 AND destroyed_ms = 0"
	" AND NOT EXISTS (SELECT 1 FROM account WHERE key_id = $1 AND deleted_ms = 0)"
	" AND NOT EXISTS (SELECT 1 FROM csr WHERE key_id = $1 AND deleted_ms = 0)"
	" AND NOT EXISTS (SELECT 1 FROM csr c JOIN orders o ON o.csr_id = c.id WHERE c.key_id = $1 AND o.ended_ms = 0)"
	" AND NOT EXISTS (SELECT 1 FROM version v JOIN certificate t ON t.id = v.certificate_id"
	" WHERE v.key_id = $1 AND t.deleted_ms = 0)"
	" AND NOT EXISTS (SELECT 1 FROM version WHERE key_id = $1 AND certificate_id IS NULL AND state <> 'evidence')";

static int key_row_from_row(const struct row *r, struct key_row *k, struct err *err)
{
	k->id = row_text_dup(r, 0);
	k->type = row_text_dup(r, 2);
	k->public_hash = row_text_dup(r, 3);
	row_blob_dup(r, 4, &k->sealed, &k->sealed_n);
	k->created_ms = row_int(r, 5);
	k->destroyed_ms = row_int(r, 6);
	if (ROW_ENUM(key_purpose, r, 1, &k->purpose, err) < 0)
		return err_wrap(err, "could not read key '%s'", k->id);
	return 0;
}

STORE_LIST(key_row);
DEFINE_ROW_FN(key_row)
DEFINE_COLLECT(key_row)

int store_key_add(struct sql *tx, const struct key_row *k, struct err *err)
{
	if (sql_exec(tx, KEY_ADD,
		     SQL_VALUES(SQL_TEXT(k->id), SQL_TEXT(key_purpose_text(k->purpose)), SQL_TEXT(k->type),
				SQL_TEXT(k->public_hash), SQL_BLOB(k->sealed, k->sealed_n), SQL_INT(k->created_ms)),
		     NULL, err) < 0)
		return err_wrap(err, "could not store the private key");
	store_touch(tx, "key", k->id, 0);
	return 0;
}

int store_key_get(struct sql *q, const char *id, struct key_row *ret, struct err *err)
{
	return key_row_one(q, KEY_GET, SQL_VALUES(SQL_TEXT(id)), "key", id, ret, err);
}

int store_key_find_public(struct sql *q, const char *public_hash, struct key_row *ret, struct err *err)
{
	return key_row_one(q, KEY_FIND, SQL_VALUES(SQL_TEXT(public_hash)), "key with public hash", public_hash, ret, err);
}

int store_key_reseal(struct sql *tx, const char *id, const void *sealed, size_t n, struct err *err)
{
	return exec_named(tx, KEY_RESEAL, SQL_VALUES(SQL_TEXT(id), SQL_BLOB(sealed, n)), ERR_NOT_FOUND, "key", id, err);
}

int store_key_destroy_unused(struct sql *tx, const char *id, int64_t now_ms, bool *ret_destroyed, struct err *err)
{
	int64_t changed = 0;

	if (sql_exec(tx, KEY_DESTROY, SQL_VALUES(SQL_TEXT(id), SQL_INT(now_ms)), &changed, err) < 0)
		return err_wrap(err, "could not destroy key '%s'", id);
	if (changed)
		store_touch(tx, "key", id, 0);
	if (ret_destroyed)
		*ret_destroyed = changed > 0;
	return 0;
}
