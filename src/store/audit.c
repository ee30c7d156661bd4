/* SPDX-License-Identifier: Apache-2.0 */
/* audit.c - who did what, in the transaction of the deed; what was created under an Idempotency-Key. */
#include "store/audit.h"

#include "store/lib.h"

#define COLUMNS                                                                                                        \
	"id, at_ms, actor_kind, actor_id, actor_name, action, object_kind, object_id, object_name, detail, address, request_id," \
	" token_id, token_name, reason, before_json, after_json"

static const char AUDIT_ADD[] = "INSERT INTO audit (" COLUMNS ") VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12,"
				" $13, $14, $15, $16, $17)";

/* One index leads, what else was asked for is looked at row by row; $5 object, $6 actor, $7 action, "" = any. */
#define LIST(leads)                                                                                                    \
	LISTED_BY("at_ms", COLUMNS, "audit",                                                                           \
		  leads " AND at_ms >= $4 AND ($5 = '' OR object_id = $5 OR object_name = $5) AND ($6 = '' OR actor_name = $6)" \
			" AND ($7 = '' OR action = $7) AND ($8 = 0 OR at_ms < $8)")
static const char *const AUDIT_LIST[2] = LIST("at_ms >= $4");
static const char *const AUDIT_LIST_OBJECT[2] = LIST("object_id = $5");
static const char *const AUDIT_LIST_OBJECT_NAME[2] = LIST("object_name = $5");
static const char *const AUDIT_LIST_ACTOR[2] = LIST("actor_name = $6");
static const char *const AUDIT_LIST_ACTION[2] = LIST("action = $7");
static const char *const AUDIT_LIST_ACTOR_ACTION[2] = LIST("actor_name = $6 AND action = $7");

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
	a->token_id = row_text_dup(r, 12);
	a->token_name = row_text_dup(r, 13);
	a->reason = row_text_dup(r, 14);
	a->before = row_text_dup(r, 15);
	a->after = row_text_dup(r, 16);
	return 0;
}

DEFINE_ROW_FN(audit)
DEFINE_COLLECT(audit)

int store_audit_add(struct sql *tx, const struct audit *a, struct err *err)
{
	if (sql_exec(tx, AUDIT_ADD,
		     SQL_VALUES(SQL_TEXT(a->id), SQL_INT(a->at_ms), SQL_TEXT(a->actor_kind), SQL_TEXT(a->actor_id),
				SQL_TEXT(a->actor_name), SQL_TEXT(a->action), SQL_TEXT(a->object_kind), SQL_TEXT(a->object_id),
				SQL_TEXT(a->object_name), SQL_TEXT(a->detail), SQL_TEXT(a->address), SQL_TEXT(a->request_id),
				SQL_TEXT(a->token_id), SQL_TEXT(a->token_name), SQL_TEXT(a->reason), SQL_TEXT(a->before),
				SQL_TEXT(a->after)),
		     NULL, err) < 0)
		return err_wrap(err, "could not write the audit row of '%s'", a->action);
	store_touch(tx, "audit", NULL, 0);
	store_tell_audit(tx, a);
	return 0;
}

int store_audit_system(struct sql *tx, int64_t now_ms, const char *action, const char *object_kind, const char *object_id,
		       const char *object_name, const char *reason, const char *after, struct err *err)
{
	struct ulid id = ulid_new(now_ms);
	struct audit a = { .at_ms = now_ms };
	_cleanup_audit_ struct audit row = { 0 };

	a.id = id.s;
	audit_copy(&row, &a);
	row.actor_kind = xstrdup("system");
	row.actor_name = xstrdup("system");
	row.action = xstrdup(action);
	row.object_kind = xstrdup_null(object_kind);
	row.object_id = xstrdup_null(object_id);
	row.object_name = xstrdup_null(object_name);
	row.reason = xstrdup_null(reason);
	row.after = xstrdup_null(after);
	return store_audit_add(tx, &row, err);
}

static const char *const *list_text(const struct audit_filter *f, bool object, bool actor, bool action)
{
	if (object)
		return ulid_valid(f->object) ? AUDIT_LIST_OBJECT : AUDIT_LIST_OBJECT_NAME;
	if (actor)
		return action ? AUDIT_LIST_ACTOR_ACTION : AUDIT_LIST_ACTOR;
	return action ? AUDIT_LIST_ACTION : AUDIT_LIST;
}

int store_audit_list(struct sql *q, const struct audit_filter *f, const struct page *p, struct audit_list *ret, struct err *err)
{
	bool object = !str_empty(f->object), actor = !str_empty(f->actor), action = !str_empty(f->action);
	/* the newest of what came before until; the oldest from since on */
	int64_t from = p->started ? p->after_key : p->order == PAGE_OLDEST ? f->since_ms - 1 : f->until_ms ? f->until_ms : INT64_MAX;

	return audit_fetch(q, list_text(f, object, actor, action)[p->order],
			   SQL_VALUES(SQL_INT(from), SQL_TEXT(page_id(p)), SQL_INT(p->limit + 1), SQL_INT(f->since_ms),
				      SQL_TEXT(object ? f->object : ""), SQL_TEXT(actor ? f->actor : ""),
				      SQL_TEXT(action ? f->action : ""), SQL_INT(f->until_ms)),
			   p->limit, ret, err);
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
