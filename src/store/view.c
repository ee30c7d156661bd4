/* SPDX-License-Identifier: Apache-2.0 */
/* view.c - see view.h. */
#include "store/view.h"

#include "store/narrow.h"

#define VIEW_COLUMNS "id, num, name, kind, servers, url, direct, connection, rev, created_ms, updated_ms, deleted_ms"

static const char VIEW_ADD[] = "INSERT INTO dns_view (" VIEW_COLUMNS ") VALUES ($1, $2, $3, $4, $5, $6, $7, $8, 1, $9, $9, 0)";
static const char VIEW_SAME[] = "SELECT 1 FROM dns_view WHERE name = $1 AND deleted_ms = 0 AND id <> $2";
static const char VIEW_PUT[] =
	"UPDATE dns_view SET name = $3, kind = $4, servers = $5, url = $6, direct = $7, connection = $8, updated_ms = $9, rev = rev + 1"
	" WHERE id = $1 AND deleted_ms = 0 AND ($2 = 0 OR rev = $2) RETURNING rev";
static const char VIEW_GET[] = "SELECT " VIEW_COLUMNS " FROM dns_view WHERE id = $1 AND deleted_ms = 0";
static const char VIEW_GET_NUM[] = "SELECT " VIEW_COLUMNS " FROM dns_view WHERE num = $1 AND deleted_ms = 0";
static const char *const VIEW_LIST[] = NARROWED(VIEW_COLUMNS, "dns_view", "deleted_ms = 0 AND (kind = $5 OR $5 = '')", "name");
static const char VIEW_DELETE[] = "UPDATE dns_view SET deleted_ms = $2, rev = rev + 1 WHERE id = $1 AND deleted_ms = 0 RETURNING rev";
static const char VIEW_USED[] = "SELECT num FROM view_rule WHERE view_id = $1 AND deleted_ms = 0 LIMIT 1";

#define RULE_COLUMNS "id, num, suffix, vendor, view_id, wait_s, rev, created_ms, updated_ms, deleted_ms"

static const char RULE_ADD[] = "INSERT INTO view_rule (" RULE_COLUMNS ") VALUES ($1, $2, $3, $4, $5, $6, 1, $7, $7, 0)";
static const char RULE_SAME[] = "SELECT 1 FROM view_rule WHERE suffix = $1 AND vendor = $2 AND deleted_ms = 0 AND id <> $3";
static const char RULE_PUT[] =
	"UPDATE view_rule SET suffix = $3, vendor = $4, view_id = $5, wait_s = $6, updated_ms = $7, rev = rev + 1"
	" WHERE id = $1 AND deleted_ms = 0 AND ($2 = 0 OR rev = $2) RETURNING rev";
static const char RULE_GET[] = "SELECT " RULE_COLUMNS " FROM view_rule WHERE id = $1 AND deleted_ms = 0";
static const char RULE_GET_NUM[] = "SELECT " RULE_COLUMNS " FROM view_rule WHERE num = $1 AND deleted_ms = 0";
static const char *const RULE_LIST[] = NARROWED(RULE_COLUMNS, "view_rule", "deleted_ms = 0 AND (view_id = $5 OR $5 = '')", "suffix");
static const char RULE_DELETE[] = "UPDATE view_rule SET deleted_ms = $2, rev = rev + 1 WHERE id = $1 AND deleted_ms = 0 RETURNING rev";
/* One step in the unique index for each label of the name: the caller walks upward. */
static const char RULE_OF[] = "SELECT " RULE_COLUMNS " FROM view_rule WHERE suffix = $1 AND vendor = $2 AND deleted_ms = 0";

#define ASKED_COLUMNS "network, transport, qtype, outcome, times, first_ms, last_ms"

static const char ASKED_ADD[] =
	"INSERT INTO asked (delegation_id, " ASKED_COLUMNS ") VALUES ($1, $2, $3, $4, $5, $6, $7, $8)"
	" ON CONFLICT (delegation_id, network, transport, qtype, outcome) DO UPDATE SET times = asked.times + excluded.times,"
	" last_ms = excluded.last_ms";
static const char ASKED_LIST[] = "SELECT " ASKED_COLUMNS " FROM asked WHERE delegation_id = $1 ORDER BY last_ms DESC LIMIT $2";
static const char ASKED_OLD[] = "SELECT last_ms FROM asked WHERE delegation_id = $1 ORDER BY last_ms DESC LIMIT 1 OFFSET $2";
static const char ASKED_PRUNE[] =
	"DELETE FROM asked WHERE (delegation_id, network, transport, qtype, outcome) IN (SELECT delegation_id, network, transport, qtype, outcome"
	" FROM asked WHERE last_ms < $1 ORDER BY last_ms LIMIT 500)";
static const char ASKED_CUT[] = "DELETE FROM asked WHERE delegation_id = $1 AND last_ms <= $2";

static int dns_view_from_row(const struct row *r, struct dns_view *v, struct err *err)
{
	v->id = row_text_dup(r, 0);
	v->num = row_int(r, 1);
	v->name = row_text_dup(r, 2);
	v->servers = row_text_dup(r, 4);
	v->url = row_text_dup(r, 5);
	v->direct = row_int(r, 6) != 0;
	v->connection = row_text_dup(r, 7);
	v->rev = row_int(r, 8);
	v->created_ms = row_int(r, 9);
	v->updated_ms = row_int(r, 10);
	v->deleted_ms = row_int(r, 11);
	if (ROW_ENUM(view_kind, r, 3, &v->kind, err) < 0)
		return err_wrap(err, "could not read view '%s'", v->name);
	return 0;
}

static int view_rule_from_row(const struct row *r, struct view_rule *x, UNUSED struct err *err)
{
	x->id = row_text_dup(r, 0);
	x->num = row_int(r, 1);
	x->suffix = row_text_dup(r, 2);
	x->vendor = row_text_dup(r, 3);
	x->view_id = row_text_dup(r, 4);
	x->wait_s = row_int(r, 5);
	x->rev = row_int(r, 6);
	x->created_ms = row_int(r, 7);
	x->updated_ms = row_int(r, 8);
	x->deleted_ms = row_int(r, 9);
	return 0;
}

static int asked_from_row(const struct row *r, struct asked *a, UNUSED struct err *err)
{
	*a = (struct asked){ .network = row_text_dup(r, 0), .transport = row_text_dup(r, 1), .qtype = row_text_dup(r, 2),
			     .outcome = row_text_dup(r, 3), .times = row_int(r, 4), .first_ms = row_int(r, 5), .last_ms = row_int(r, 6) };
	return 0;
}

DEFINE_ROW_FN(dns_view)
DEFINE_COLLECT(dns_view)
DEFINE_ROW_FN(view_rule)
DEFINE_COLLECT(view_rule)
DEFINE_ROW_FN(asked)
DEFINE_COLLECT(asked)

/* --- views --- */

static int name_is_free(struct sql *tx, const struct dns_view *v, struct err *err)
{
	bool there = false;

	if (sql_exists(tx, VIEW_SAME, SQL_VALUES(SQL_TEXT(v->name), SQL_TEXT(v->id)), &there, err) < 0)
		return err_wrap(err, "could not read views");
	return there ? err_set_field(err, ERR_CONFLICT, "/name", "there is a view '%s' already", v->name) : 0;
}

int store_view_add(struct sql *tx, struct dns_view *v, struct err *err)
{
	int64_t num = 0;

	if (name_is_free(tx, v, err) < 0 || store_next_num(tx, "dns_view", &num, err) < 0)
		return -(int)err->code;
	if (sql_exec(tx, VIEW_ADD,
		     SQL_VALUES(SQL_TEXT(v->id), SQL_INT(num), SQL_TEXT(v->name), SQL_TEXT(view_kind_text(v->kind)), SQL_TEXT(v->servers),
				SQL_TEXT(v->url), SQL_INT(v->direct), SQL_TEXT(v->connection), SQL_INT(v->created_ms)),
		     NULL, err) < 0)
		return err_wrap(err, "could not store view '%s'", v->name);
	v->num = num;
	v->rev = 1;
	v->updated_ms = v->created_ms;
	store_touch(tx, "view", v->id, 1);
	return 0;
}

int store_view_put(struct sql *tx, struct dns_view *v, int64_t expect_rev, struct err *err)
{
	int64_t rev = 0;

	if (name_is_free(tx, v, err) < 0)
		return -(int)err->code;
	if (put_rev(tx, VIEW_PUT,
		    SQL_VALUES(SQL_TEXT(v->id), SQL_INT(expect_rev), SQL_TEXT(v->name), SQL_TEXT(view_kind_text(v->kind)),
			       SQL_TEXT(v->servers), SQL_TEXT(v->url), SQL_INT(v->direct), SQL_TEXT(v->connection), SQL_INT(v->updated_ms)),
		    VIEW_GET, "view", v->id, &rev, err) < 0)
		return -(int)err->code;
	v->rev = rev;
	store_touch(tx, "view", v->id, rev);
	return 0;
}

int store_view_get(struct sql *q, const char *id, struct dns_view *ret, struct err *err)
{
	return dns_view_one(q, VIEW_GET, SQL_VALUES(SQL_TEXT(id)), "view", id, ret, err);
}

int store_view_get_num(struct sql *q, int64_t num, struct dns_view *ret, struct err *err)
{
	return dns_view_one(q, VIEW_GET_NUM, SQL_VALUES(SQL_INT(num)), "view", num_text(num).s, ret, err);
}

int store_view_list(struct sql *q, const struct narrow *by, const struct page *p, struct dns_view_list *ret, struct err *err)
{
	_cleanup_narrowed_ struct narrowed n = { 0 };

	return dns_view_fetch(q, VIEW_LIST[p->order], narrow(by, p, &n), p->limit, ret, err);
}

int store_view_delete(struct sql *tx, const char *id, int64_t now_ms, struct err *err)
{
	int64_t rev = 0, rule = 0;

	if (sql_int(tx, VIEW_USED, SQL_VALUES(SQL_TEXT(id)), &rule, err) >= 0)
		return err_set(err, ERR_IN_USE, "the view is used by rule %" PRId64, rule);
	if (err->code != ERR_NOT_FOUND)
		return err_wrap(err, "could not read the rules of views");
	err_clear(err);
	if (put_rev(tx, VIEW_DELETE, SQL_VALUES(SQL_TEXT(id), SQL_INT(now_ms)), VIEW_GET, "view", id, &rev, err) < 0)
		return -(int)err->code;
	store_touch(tx, "view", id, rev);
	return 0;
}

/* --- rules --- */

static int none_alike(struct sql *tx, const struct view_rule *r, struct err *err)
{
	bool there = false;

	if (sql_exists(tx, RULE_SAME, SQL_VALUES(SQL_TEXT(r->suffix), SQL_TEXT(r->vendor), SQL_TEXT(r->id)), &there, err) < 0)
		return err_wrap(err, "could not read the rules of views");
	if (!there)
		return 0;
	return err_set_field(err, ERR_CONFLICT, "/suffix", "there is a rule for '%s'%s%s already", r->suffix, *r->vendor ? " at " : "", r->vendor);
}

int store_view_rule_add(struct sql *tx, struct view_rule *r, struct err *err)
{
	int64_t num = 0;

	if (none_alike(tx, r, err) < 0 || store_next_num(tx, "view_rule", &num, err) < 0)
		return -(int)err->code;
	if (sql_exec(tx, RULE_ADD,
		     SQL_VALUES(SQL_TEXT(r->id), SQL_INT(num), SQL_TEXT(r->suffix), SQL_TEXT(r->vendor), SQL_TEXT(r->view_id), SQL_INT(r->wait_s),
				SQL_INT(r->created_ms)),
		     NULL, err) < 0)
		return err_wrap(err, "could not store the rule for '%s'", r->suffix);
	r->num = num;
	r->rev = 1;
	r->updated_ms = r->created_ms;
	store_touch(tx, "view-rule", r->id, 1);
	return 0;
}

int store_view_rule_put(struct sql *tx, struct view_rule *r, int64_t expect_rev, struct err *err)
{
	int64_t rev = 0;

	if (none_alike(tx, r, err) < 0)
		return -(int)err->code;
	if (put_rev(tx, RULE_PUT,
		    SQL_VALUES(SQL_TEXT(r->id), SQL_INT(expect_rev), SQL_TEXT(r->suffix), SQL_TEXT(r->vendor), SQL_TEXT(r->view_id),
			       SQL_INT(r->wait_s), SQL_INT(r->updated_ms)),
		    RULE_GET, "view rule", r->id, &rev, err) < 0)
		return -(int)err->code;
	r->rev = rev;
	store_touch(tx, "view-rule", r->id, rev);
	return 0;
}

int store_view_rule_get(struct sql *q, const char *id, struct view_rule *ret, struct err *err)
{
	return view_rule_one(q, RULE_GET, SQL_VALUES(SQL_TEXT(id)), "view rule", id, ret, err);
}

int store_view_rule_get_num(struct sql *q, int64_t num, struct view_rule *ret, struct err *err)
{
	return view_rule_one(q, RULE_GET_NUM, SQL_VALUES(SQL_INT(num)), "view rule", num_text(num).s, ret, err);
}

int store_view_rule_list(struct sql *q, const struct narrow *by, const struct page *p, struct view_rule_list *ret, struct err *err)
{
	_cleanup_narrowed_ struct narrowed n = { 0 };

	return view_rule_fetch(q, RULE_LIST[p->order], narrow(by, p, &n), p->limit, ret, err);
}

int store_view_rule_delete(struct sql *tx, const char *id, int64_t now_ms, struct err *err)
{
	int64_t rev = 0;

	if (put_rev(tx, RULE_DELETE, SQL_VALUES(SQL_TEXT(id), SQL_INT(now_ms)), RULE_GET, "view rule", id, &rev, err) < 0)
		return -(int)err->code;
	store_touch(tx, "view-rule", id, rev);
	return 0;
}

static int look(struct sql *q, const char *suffix, const char *vendor, struct view_rule *ret, struct err *err)
{
	if (view_rule_one(q, RULE_OF, SQL_VALUES(SQL_TEXT(suffix), SQL_TEXT(vendor)), "view rule of", suffix, ret, err) == 0)
		return 1;
	if (err->code != ERR_NOT_FOUND)
		return -(int)err->code;
	err_clear(err);
	return 0;
}

int store_view_rule_match(struct sql *q, const char *name, const char *vendor, struct view_rule *ret, struct err *err)
{
	for (const char *at = name;;) {
		const char *dot = strchr(at, '.');
		int rc = *vendor ? look(q, at, vendor, ret, err) : 0;

		if (rc == 0)
			rc = look(q, at, "", ret, err);
		if (rc != 0)
			return rc;
		if (!*at)
			return 0;
		at = dot ? dot + 1 : at + strlen(at);
	}
}

/* --- what was asked --- */

int store_asked_add(struct sql *tx, const char *delegation_id, const struct asked *a, struct err *err)
{
	int64_t old = 0;

	if (sql_exec(tx, ASKED_ADD,
		     SQL_VALUES(SQL_TEXT(delegation_id), SQL_TEXT(a->network), SQL_TEXT(a->transport), SQL_TEXT(a->qtype), SQL_TEXT(a->outcome),
				SQL_INT(a->times), SQL_INT(a->first_ms), SQL_INT(a->last_ms)),
		     NULL, err) < 0)
		return err_wrap(err, "could not store what was asked");
	if (sql_int(tx, ASKED_OLD, SQL_VALUES(SQL_TEXT(delegation_id), SQL_INT(ASKED_KEPT)), &old, err) < 0) {
		if (err->code != ERR_NOT_FOUND)
			return err_wrap(err, "could not read what was asked");
		err_clear(err);
		return 0;
	}
	if (sql_exec(tx, ASKED_CUT, SQL_VALUES(SQL_TEXT(delegation_id), SQL_INT(old)), NULL, err) < 0)
		return err_wrap(err, "could not prune what was asked");
	return 0;
}

int store_asked_list(struct sql *q, const char *delegation_id, int limit, struct asked_list *ret, struct err *err)
{
	return asked_fetch(q, ASKED_LIST, SQL_VALUES(SQL_TEXT(delegation_id), SQL_INT(limit)), 0, ret, err);
}

int store_asked_prune(struct sql *tx, int64_t asked_before_ms, int64_t *ret_n, struct err *err)
{
	return prune(tx, ASKED_PRUNE, SQL_VALUES(SQL_INT(asked_before_ms)), ret_n, "asked", err);
}
