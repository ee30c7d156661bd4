/* SPDX-License-Identifier: Apache-2.0 */
/* renewal.c - see renewal.h. */
#include "store/renewal.h"

#include "store/lib.h"

#define COLUMNS                                                                                                        \
	"certificate_id, version_id, account_id, directory_url, ari_id, ari_next_ms, ari_failures, ari_reason,"               \
	" window_start_ms, window_end_ms, explanation_url, why, waits, tried_ms, failing_since_ms, reason, install_since_ms," \
	" key_max_days, window_id"

static const char RENEWAL_GET[] = "SELECT " COLUMNS " FROM renewal WHERE certificate_id = $1";
static const char RENEWAL_PUT[] =
	"INSERT INTO renewal (" COLUMNS ") VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15, $16, $17,"
	" $18, $19) ON CONFLICT (certificate_id) DO UPDATE SET version_id = $2, account_id = $3, directory_url = $4, ari_id = $5,"
	" ari_next_ms = $6, ari_failures = $7, ari_reason = $8, window_start_ms = $9, window_end_ms = $10, explanation_url = $11,"
	" why = $12, waits = $13, tried_ms = $14, failing_since_ms = $15, reason = $16, install_since_ms = $17,"
	" key_max_days = $18, window_id = $19";
static const char RENEWAL_ARI_DUE[] =
	"SELECT " COLUMNS " FROM renewal WHERE directory_url = $1 AND ari_next_ms > 0 AND ari_next_ms <= $2"
	" ORDER BY ari_next_ms LIMIT $3";
static const char RENEWAL_ARI_NEXT[] = "SELECT MIN(ari_next_ms) FROM renewal WHERE directory_url = $1 AND ari_next_ms > 0";
/* One step in the index for each directory. */
static const char RENEWAL_DIRECTORY_AFTER[] =
	"SELECT MIN(directory_url) FROM renewal WHERE directory_url > $1 AND ari_next_ms > 0";

static int renewal_from_row(const struct row *r, struct renewal *n, struct err *err)
{
	n->certificate_id = row_text_dup(r, 0);
	n->version_id = row_text_dup(r, 1);
	n->account_id = row_text_dup(r, 2);
	n->directory_url = row_text_dup(r, 3);
	n->ari_id = row_text_dup(r, 4);
	n->ari_next_ms = row_int(r, 5);
	n->ari_failures = row_int(r, 6);
	n->ari_reason = row_text_dup(r, 7);
	n->window_start_ms = row_int(r, 8);
	n->window_end_ms = row_int(r, 9);
	n->explanation_url = row_text_dup(r, 10);
	n->tried_ms = row_int(r, 13);
	n->failing_since_ms = row_int(r, 14);
	n->reason = row_text_dup(r, 15);
	n->install_since_ms = row_int(r, 16);
	n->key_max_days = row_int(r, 17);
	n->window_id = row_text_dup(r, 18);
	if (ROW_ENUM(renewal_why, r, 11, &n->why, err) < 0 || ROW_ENUM(renewal_waits, r, 12, &n->waits, err) < 0)
		return err_wrap(err, "could not read the renewal of certificate '%s'", n->certificate_id);
	return 0;
}

DEFINE_ROW_FN(renewal)
DEFINE_COLLECT(renewal)

int store_renewal_get(struct sql *q, const char *certificate_id, struct renewal *ret, struct err *err)
{
	return renewal_one(q, RENEWAL_GET, SQL_VALUES(SQL_TEXT(certificate_id)), "renewal of certificate", certificate_id, ret, err);
}

int store_renewal_put(struct sql *tx, const struct renewal *n, struct err *err)
{
	if (sql_exec(tx, RENEWAL_PUT,
		     SQL_VALUES(SQL_TEXT(n->certificate_id), SQL_TEXT(n->version_id), SQL_TEXT(n->account_id),
				SQL_TEXT(n->directory_url), SQL_TEXT(n->ari_id), SQL_INT(n->ari_next_ms), SQL_INT(n->ari_failures),
				SQL_TEXT(n->ari_reason), SQL_INT(n->window_start_ms), SQL_INT(n->window_end_ms),
				SQL_TEXT(n->explanation_url), SQL_TEXT(renewal_why_text(n->why)),
				SQL_TEXT(renewal_waits_text(n->waits)), SQL_INT(n->tried_ms), SQL_INT(n->failing_since_ms),
				SQL_TEXT(n->reason), SQL_INT(n->install_since_ms), SQL_INT(n->key_max_days), SQL_TEXT(n->window_id)),
		     NULL, err) < 0)
		return err_wrap(err, "could not store the renewal of certificate '%s'", n->certificate_id);
	store_touch(tx, "certificate", n->certificate_id, 0);
	return 0;
}

int store_renewal_ari_due(struct sql *q, const char *directory_url, int64_t now_ms, int limit, struct renewal_list *ret, struct err *err)
{
	return renewal_fetch(q, RENEWAL_ARI_DUE, SQL_VALUES(SQL_TEXT(directory_url), SQL_INT(now_ms), SQL_INT(limit)), 0, ret, err);
}

int store_renewal_ari_next(struct sql *q, const char *directory_url, int64_t *ret_ms, struct err *err)
{
	int64_t at = 0;

	if (sql_int(q, RENEWAL_ARI_NEXT, SQL_VALUES(SQL_TEXT(directory_url)), &at, err) < 0)
		return err_wrap(err, "could not see when renewal information is due");
	*ret_ms = at ? at : INT64_MAX;
	return 0;
}

static int text_row(const struct row *r, void *arg, UNUSED struct err *err)
{
	char **text = arg;

	free(*text);
	*text = row_text_dup(r, 0);
	return 0;
}

int store_renewal_directories(struct sql *q, struct strlist *ret, struct err *err)
{
	_cleanup_free_ char *at = xstrdup("");

	strlist_clear(ret);
	for (;;) {
		_cleanup_free_ char *next = NULL;

		if (sql_one(q, RENEWAL_DIRECTORY_AFTER, SQL_VALUES(SQL_TEXT(at)), text_row, &next, err) < 0)
			return err_wrap(err, "could not list the directories of renewals");
		if (!next)
			return 0;
		strlist_add(ret, next);
		replace_str(&at, next);
	}
}

static const char RENEWAL_FAILING[] = "SELECT " COLUMNS " FROM renewal WHERE failing_since_ms > 0 ORDER BY failing_since_ms LIMIT $1";

int store_renewal_failing(struct sql *q, int limit, struct renewal_list *ret, struct err *err)
{
	return renewal_fetch(q, RENEWAL_FAILING, SQL_VALUES(SQL_INT(limit)), limit, ret, err);
}

/* ---- the certificate's own columns ---- */

static const char PLAN[] =
	"UPDATE certificate SET renew_at_ms = $2, attempt = $3, next_attempt_ms = $4, pause_reason = $5"
	" WHERE id = $1 AND deleted_ms = 0";
static const char NEXT_DUE[] =
	"SELECT MIN(next_attempt_ms) FROM certificate WHERE deleted_ms = 0 AND managed = 1 AND next_attempt_ms > 0";
static const char DUE_COUNT[] =
	"SELECT COUNT(*) FROM (SELECT 1 FROM certificate WHERE deleted_ms = 0 AND managed = 1 AND next_attempt_ms > 0"
	" AND next_attempt_ms <= $1 LIMIT $2) AS due";
static const char ORDER_OF[] =
	"SELECT id FROM orders WHERE certificate_id = $1 AND ended_ms = 0 AND deleted_ms = 0";
static const char WAKE_JOB[] =
	"UPDATE job SET due_ms = $2 WHERE kind = $1 AND subject_id IS NULL AND ended_ms = 0 AND lease_owner IS NULL AND due_ms > $2";
static const char WAKE_JOB_OF[] =
	"UPDATE job SET due_ms = $2 WHERE kind = $1 AND subject_id = $3 AND ended_ms = 0 AND lease_owner IS NULL AND due_ms > $2";

int store_certificate_plan(struct sql *tx, const struct certificate *c, struct err *err)
{
	if (sql_exec(tx, PLAN,
		     SQL_VALUES(SQL_TEXT(c->id), SQL_INT(c->renew_at_ms), SQL_INT(c->attempt), SQL_INT(c->next_attempt_ms),
				SQL_TEXT(c->pause_reason)),
		     NULL, err) < 0)
		return err_wrap(err, "could not store when certificate '%s' is renewed", c->id);
	store_touch(tx, "certificate", c->id, 0);
	return 0;
}

int store_certificate_next_due(struct sql *q, int64_t *ret_ms, struct err *err)
{
	int64_t at = 0;

	if (sql_int(q, NEXT_DUE, SQL_NONE, &at, err) < 0)
		return err_wrap(err, "could not see when the next renewal is due");
	*ret_ms = at ? at : INT64_MAX;
	return 0;
}

int store_certificate_due_count(struct sql *q, int64_t now_ms, int limit, int64_t *ret, struct err *err)
{
	return sql_int(q, DUE_COUNT, SQL_VALUES(SQL_INT(now_ms), SQL_INT(limit)), ret, err);
}

int store_order_find_renewal(struct sql *q, const char *certificate_id, char **ret_id, struct err *err)
{
	char *id = NULL;

	if (one_named(q, ORDER_OF, SQL_VALUES(SQL_TEXT(certificate_id)), text_row, &id, "live order of certificate", certificate_id, err) < 0)
		return -(int)err->code;
	free(*ret_id);
	*ret_id = id;
	return 0;
}

int store_job_wake(struct sql *tx, const char *kind, const char *subject_id, int64_t due_ms, struct err *err)
{
	int64_t changed = 0;
	int rc = subject_id ? sql_exec(tx, WAKE_JOB_OF, SQL_VALUES(SQL_TEXT(kind), SQL_INT(due_ms), SQL_TEXT(subject_id)), &changed, err) :
			      sql_exec(tx, WAKE_JOB, SQL_VALUES(SQL_TEXT(kind), SQL_INT(due_ms)), &changed, err);

	if (rc < 0)
		return err_wrap(err, "could not wake job '%s'", kind);
	if (changed)
		store_touch(tx, "job", NULL, 0);
	return 0;
}

/* ---- maintenance windows ---- */

#define WINDOW_COLUMNS "id, num, name, cron, minutes, zone, tag, is_default, rev, created_ms, updated_ms, deleted_ms"

static const char WINDOW_ADD[] =
	"INSERT INTO renewal_window (" WINDOW_COLUMNS ") VALUES ($1, $2, $3, $4, $5, $6, $7, $8, 1, $9, $9, 0)";
static const char WINDOW_GET[] = "SELECT " WINDOW_COLUMNS " FROM renewal_window WHERE id = $1 AND deleted_ms = 0";
static const char WINDOW_GET_NUM[] = "SELECT " WINDOW_COLUMNS " FROM renewal_window WHERE num = $1 AND deleted_ms = 0";
static const char WINDOW_LIST[] =
	"SELECT " WINDOW_COLUMNS " FROM renewal_window WHERE deleted_ms = 0 ORDER BY created_ms, id LIMIT 200";
static const char WINDOW_DELETE[] =
	"UPDATE renewal_window SET deleted_ms = $2, rev = rev + 1 WHERE id = $1 AND deleted_ms = 0 RETURNING rev";

static int renewal_window_from_row(const struct row *r, struct renewal_window *w, UNUSED struct err *err)
{
	w->id = row_text_dup(r, 0);
	w->num = row_int(r, 1);
	w->name = row_text_dup(r, 2);
	w->cron = row_text_dup(r, 3);
	w->minutes = row_int(r, 4);
	w->zone = row_text_dup(r, 5);
	w->tag = row_text_dup(r, 6);
	w->is_default = row_bool(r, 7);
	w->rev = row_int(r, 8);
	w->created_ms = row_int(r, 9);
	w->updated_ms = row_int(r, 10);
	w->deleted_ms = row_int(r, 11);
	return 0;
}

DEFINE_ROW_FN(renewal_window)
DEFINE_COLLECT(renewal_window)

int store_renewal_window_add(struct sql *tx, struct renewal_window *w, struct err *err)
{
	int64_t num = 0;

	if (store_next_num(tx, "renewal_window", &num, err) < 0)
		return -(int)err->code;
	if (sql_exec(tx, WINDOW_ADD,
		     SQL_VALUES(SQL_TEXT(w->id), SQL_INT(num), SQL_TEXT(w->name), SQL_TEXT(w->cron), SQL_INT(w->minutes),
				SQL_TEXT(w->zone), SQL_TEXT(w->tag), SQL_BOOL(w->is_default), SQL_INT(w->created_ms)),
		     NULL, err) < 0)
		return err_wrap(err, "could not store maintenance window '%s'", w->name);
	w->num = num;
	w->rev = 1;
	w->updated_ms = w->created_ms;
	return 0;
}

int store_renewal_window_get(struct sql *q, const char *id, struct renewal_window *ret, struct err *err)
{
	return renewal_window_one(q, WINDOW_GET, SQL_VALUES(SQL_TEXT(id)), "maintenance window", id, ret, err);
}

int store_renewal_window_get_num(struct sql *q, int64_t num, struct renewal_window *ret, struct err *err)
{
	return renewal_window_one(q, WINDOW_GET_NUM, SQL_VALUES(SQL_INT(num)), "maintenance window", num_text(num).s, ret, err);
}

int store_renewal_window_list(struct sql *q, struct renewal_window_list *ret, struct err *err)
{
	return renewal_window_fetch(q, WINDOW_LIST, SQL_NONE, 0, ret, err);
}

int store_renewal_window_delete(struct sql *tx, const char *id, int64_t now_ms, struct err *err)
{
	int64_t rev = 0;

	return put_rev(tx, WINDOW_DELETE, SQL_VALUES(SQL_TEXT(id), SQL_INT(now_ms)), WINDOW_GET, "maintenance window", id, &rev, err);
}
