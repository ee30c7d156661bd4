/* SPDX-License-Identifier: Apache-2.0 */
/* audit.c - who did what, in the transaction of the deed; what was created under an Idempotency-Key. */
#include "store/audit.h"

#include "store/lib.h"

#define COLUMNS                                                                                                        \
	"id, at_ms, actor_kind, actor_id, actor_name, action, object_kind, object_id, object_name, detail, address, request_id"

static const char AUDIT_ADD[] =
	"INSERT INTO audit (" COLUMNS ") VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12)";
static const char AUDIT_LIST[] =
	"SELECT " COLUMNS " FROM audit WHERE (at_ms, id) < ($1, $2) ORDER BY at_ms DESC, id DESC LIMIT $3";
static const char AUDIT_LIST_OBJECT[] = "SELECT " COLUMNS " FROM audit WHERE object_id = $4 AND (at_ms, id) < ($1, $2)"
					" ORDER BY at_ms DESC, id DESC LIMIT $3";

static int audit_from_row(const struct row *r, struct audit *a, UNUSED struct err *err)
{
	a->id = row_text_dup(r, 0);
	a->at_ms = row_int(r, 1);
	a->actor_kind = row_text_dup(r, 2);
	a->actor_id = row_text_dup(r, 3);
	a->actor_name = row_text_dup(r, 4);
	a->action = row_text_dup(r, 5);
	a->object_kind = row_text_dup(r, 6);
	a->object_id = row_text_dup(r, 7);
	a->object_name = row_text_dup(r, 8);
	a->detail = row_text_dup(r, 9);
	a->address = row_text_dup(r, 10);
	a->request_id = row_text_dup(r, 11);
	return 0;
}

DEFINE_ROW_FN(audit)
DEFINE_COLLECT(audit)

int store_audit_add(struct sql *tx, const struct audit *a, struct err *err)
{
	if (sql_exec(tx, AUDIT_ADD,
		     SQL_VALUES(SQL_TEXT(a->id), SQL_INT(a->at_ms), SQL_TEXT(a->actor_kind), SQL_TEXT(a->actor_id),
				SQL_TEXT(a->actor_name), SQL_TEXT(a->action), SQL_TEXT(a->object_kind), SQL_TEXT(a->object_id),
				SQL_TEXT(a->object_name), SQL_TEXT(a->detail), SQL_TEXT(a->address), SQL_TEXT(a->request_id)),
		     NULL, err) < 0)
		return err_wrap(err, "could not write the audit row of '%s'", a->action);
	store_touch(tx, "audit", NULL, 0);
	return 0;
}

int store_audit_list(struct sql *q, const char *object_id, const struct page *p, struct audit_list *ret, struct err *err)
{
	struct sql_value v[] = { SQL_INT(page_key_desc(p)), SQL_TEXT(page_id(p)), SQL_INT(p->limit + 1), SQL_TEXT(object_id) };

	return audit_fetch(q, object_id ? AUDIT_LIST_OBJECT : AUDIT_LIST, (struct sql_values){ v, object_id ? 4 : 3 }, p->limit,
			   ret, err);
}

/* Idempotency-Key (DECISIONS 26) */

#define IDEMPOTENCY_COLUMNS "user_id, route, key, body_hash, object_kind, object_id, created_ms"

static const char IDEMPOTENCY_FIND[] = "SELECT " IDEMPOTENCY_COLUMNS " FROM idempotency"
				       " WHERE user_id = $1 AND route = $2 AND key = $3 AND created_ms > $4";
static const char IDEMPOTENCY_EXPIRE[] =
	"DELETE FROM idempotency WHERE user_id = $1 AND route = $2 AND key = $3 AND created_ms < $4";
static const char IDEMPOTENCY_ADD[] =
	"INSERT INTO idempotency (" IDEMPOTENCY_COLUMNS ") VALUES ($1, $2, $3, $4, $5, $6, $7)";
static const char IDEMPOTENCY_PRUNE[] = "DELETE FROM idempotency WHERE created_ms < $1";

void idempotency_done(struct idempotency *i)
{
	free(i->user_id);
	free(i->route);
	free(i->key);
	free(i->body_hash);
	free(i->object_kind);
	free(i->object_id);
	memset(i, 0, sizeof *i);
}

static int idempotency_from_row(const struct row *r, struct idempotency *i, UNUSED struct err *err)
{
	i->user_id = row_text_dup(r, 0);
	i->route = row_text_dup(r, 1);
	i->key = row_text_dup(r, 2);
	i->body_hash = row_text_dup(r, 3);
	i->object_kind = row_text_dup(r, 4);
	i->object_id = row_text_dup(r, 5);
	i->created_ms = row_int(r, 6);
	return 0;
}

STORE_LIST(idempotency);
DEFINE_ROW_FN(idempotency)
DEFINE_COLLECT(idempotency)

int store_idempotency_find(struct sql *q, const char *user_id, const char *route, const char *key, int64_t after_ms,
			   struct idempotency *ret, struct err *err)
{
	return idempotency_one(q, IDEMPOTENCY_FIND,
			       SQL_VALUES(SQL_TEXT(user_id), SQL_TEXT(route), SQL_TEXT(key), SQL_INT(after_ms)),
			       "answer to idempotency key", key, ret, err);
}

int store_idempotency_add(struct sql *tx, const struct idempotency *i, int64_t expired_before_ms, struct err *err)
{
	if (sql_exec(tx, IDEMPOTENCY_EXPIRE,
		     SQL_VALUES(SQL_TEXT(i->user_id), SQL_TEXT(i->route), SQL_TEXT(i->key), SQL_INT(expired_before_ms)), NULL,
		     err) < 0 ||
	    sql_exec(tx, IDEMPOTENCY_ADD,
		     SQL_VALUES(SQL_TEXT(i->user_id), SQL_TEXT(i->route), SQL_TEXT(i->key), SQL_TEXT(i->body_hash),
				SQL_TEXT(i->object_kind), SQL_TEXT(i->object_id), SQL_INT(i->created_ms)),
		     NULL, err) < 0)
		return err_wrap(err, "could not note idempotency key '%s'", i->key);
	return 0;
}

int store_idempotency_prune(struct sql *tx, int64_t before_ms, int64_t *ret_n, struct err *err)
{
	return prune(tx, IDEMPOTENCY_PRUNE, SQL_VALUES(SQL_INT(before_ms)), ret_n, "idempotency", err);
}
