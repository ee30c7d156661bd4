/* SPDX-License-Identifier: Apache-2.0 */
/* provider.c - see provider.h. */
#include "store/provider.h"

#include "base/json.h"
#include "base/limits.h"
#include "store/narrow.h"

#define COLUMNS                                                                                                        \
	"id, num, kind, name, fields, secret_names, sealed, connection, status, reason, tested_ms, test, zones, rev, created_ms," \
	" updated_ms, deleted_ms"

static const char PROVIDER_ADD[] =
	"INSERT INTO provider (" COLUMNS ") VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, 1, $14, $14, 0)";
static const char PROVIDER_NAMED[] = "SELECT 1 FROM provider WHERE name = $1 AND deleted_ms = 0 AND id <> $2";
static const char PROVIDER_PUT[] =
	"UPDATE provider SET name = $3, fields = $4, secret_names = $5, sealed = $6, connection = $7, status = $8, reason = $9,"
	" tested_ms = $10, test = $11, zones = $12, updated_ms = $13, rev = rev + 1"
	" WHERE id = $1 AND deleted_ms = 0 AND ($2 = 0 OR rev = $2) RETURNING rev";
static const char PROVIDER_PUT_STATE[] =
	"UPDATE provider SET status = $3, reason = $4, tested_ms = $5, test = $6, zones = $7, updated_ms = $8"
	" WHERE id = $1 AND rev = $2 AND deleted_ms = 0";
static const char PROVIDER_GET[] = "SELECT " COLUMNS " FROM live_provider WHERE id = $1";
static const char PROVIDER_GET_NUM[] = "SELECT " COLUMNS " FROM live_provider WHERE num = $1";
static const char PROVIDER_GET_ANY[] = "SELECT " COLUMNS " FROM provider WHERE id = $1";
static const char *const PROVIDER_LIST[] = NARROWED(COLUMNS, "live_provider", "(status = $5 OR $5 = '')", "name");
static const char PROVIDER_ALL[] = "SELECT " COLUMNS " FROM live_provider ORDER BY name LIMIT $1";
static const char PROVIDER_DELETE[] =
	"UPDATE provider SET deleted_ms = $2, rev = rev + 1 WHERE id = $1 AND deleted_ms = 0 RETURNING rev";

/* A certificate that is renewed by it, an order that still needs it, a rule, a record out there. */
static const char USERS_ORDERS[] =
	"SELECT num FROM orders WHERE ended_ms = 0 AND deleted_ms = 0 AND"
	" (dns_method = $1 OR http_method = $1 OR methods LIKE $2) ORDER BY num LIMIT 5";
static const char USERS_CERTIFICATES[] =
	"SELECT num FROM certificate WHERE deleted_ms = 0 AND managed = 1 AND"
	" (dns_method = $1 OR http_method = $1 OR methods LIKE $2) ORDER BY num LIMIT 5";
static const char USERS_DELEGATIONS[] =
	"SELECT num FROM delegation WHERE deleted_ms = 0 AND provider_id IS NOT NULL AND provider_id = $1 ORDER BY id LIMIT 5";
static const char USERS_RULES[] = "SELECT suffix FROM live_validation_rule WHERE method = $1 ORDER BY suffix LIMIT 5";
static const char USERS_DEBTS[] = "SELECT COUNT(*) FROM debt WHERE method = $1 AND state = 'owed'";

/* Lanes of a provider are dns:<id>:<zone>; ';' is the character after ':'. */
static const char RESUME_ORDERS[] =
	"UPDATE orders SET due_ms = $3 WHERE lane >= $1 AND lane < $2 AND ended_ms = 0 AND set_aside = 0 AND lease_owner IS NULL"
	" AND due_ms > $3";
static const char RESUME_DEBTS[] =
	"UPDATE debt SET due_ms = $3, set_aside = 0, starts = 0 WHERE lane >= $1 AND lane < $2 AND state = 'owed' AND held = 0"
	" AND lease_owner IS NULL";
static const char RESUME_LANES[] = "UPDATE lane SET parked_until_ms = 0, reason = NULL WHERE name >= $1 AND name < $2";

static int provider_from_row(const struct row *r, struct provider *p, struct err *err)
{
	void *sealed = NULL;

	p->id = row_text_dup(r, 0);
	p->num = row_int(r, 1);
	p->kind = row_text_dup(r, 2);
	p->name = row_text_dup(r, 3);
	p->fields = row_text_dup(r, 4);
	strlist_split(&p->secret_names, row_text(r, 5), ',');
	row_blob_dup(r, 6, &sealed, &p->sealed_n);
	p->sealed = sealed;
	p->connection = row_text_dup(r, 7);
	p->reason = row_text_dup(r, 9);
	p->tested_ms = row_int(r, 10);
	p->test = row_text_dup(r, 11);
	p->zones = row_text_dup(r, 12);
	p->rev = row_int(r, 13);
	p->created_ms = row_int(r, 14);
	p->updated_ms = row_int(r, 15);
	p->deleted_ms = row_int(r, 16);
	if (ROW_ENUM(provider_status, r, 8, &p->status, err) < 0)
		return err_wrap(err, "could not read provider '%s'", p->id);
	return 0;
}

DEFINE_ROW_FN(provider)
DEFINE_COLLECT(provider)

static int name_free(struct sql *tx, const struct provider *p, struct err *err)
{
	bool there = false;

	if (sql_exists(tx, PROVIDER_NAMED, SQL_VALUES(SQL_TEXT(p->name), SQL_TEXT(p->id)), &there, err) < 0)
		return err_wrap(err, "could not read providers");
	return there ? err_set_field(err, ERR_CONFLICT, "/name", "there is a provider '%s' already", p->name) : 0;
}

int store_provider_add(struct sql *tx, struct provider *p, struct err *err)
{
	_cleanup_free_ char *secrets = strlist_join(&p->secret_names, ",");
	int64_t num = 0;

	if (name_free(tx, p, err) < 0 || store_next_num(tx, "provider", &num, err) < 0)
		return -(int)err->code;
	if (sql_exec(tx, PROVIDER_ADD,
		     SQL_VALUES(SQL_TEXT(p->id), SQL_INT(num), SQL_TEXT(p->kind), SQL_TEXT(p->name), SQL_TEXT(p->fields),
				SQL_TEXT(secrets ? secrets : ""), SQL_BLOB(p->sealed, p->sealed_n), SQL_TEXT(p->connection),
				SQL_TEXT(provider_status_text(p->status)), SQL_TEXT(p->reason), SQL_INT(p->tested_ms),
				SQL_TEXT(p->test), SQL_TEXT(p->zones), SQL_INT(p->created_ms)),
		     NULL, err) < 0)
		return err_wrap(err, "could not store provider '%s'", p->name);
	p->num = num;
	p->rev = 1;
	p->updated_ms = p->created_ms;
	store_touch(tx, "provider", p->id, 1);
	return 0;
}

int store_provider_put(struct sql *tx, struct provider *p, int64_t expect_rev, struct err *err)
{
	_cleanup_free_ char *secrets = strlist_join(&p->secret_names, ",");
	int64_t rev = 0;

	if (name_free(tx, p, err) < 0)
		return -(int)err->code;
	if (put_rev(tx, PROVIDER_PUT,
		    SQL_VALUES(SQL_TEXT(p->id), SQL_INT(expect_rev), SQL_TEXT(p->name), SQL_TEXT(p->fields),
			       SQL_TEXT(secrets ? secrets : ""), SQL_BLOB(p->sealed, p->sealed_n), SQL_TEXT(p->connection),
			       SQL_TEXT(provider_status_text(p->status)), SQL_TEXT(p->reason), SQL_INT(p->tested_ms),
			       SQL_TEXT(p->test), SQL_TEXT(p->zones), SQL_INT(p->updated_ms)),
		    PROVIDER_GET, "provider", p->id, &rev, err) < 0)
		return -(int)err->code;
	p->rev = rev;
	store_touch(tx, "provider", p->id, rev);
	return 0;
}

int store_provider_put_state(struct sql *tx, const struct provider *p, bool *ret_done, struct err *err)
{
	int64_t changed = 0;

	if (sql_exec(tx, PROVIDER_PUT_STATE,
		     SQL_VALUES(SQL_TEXT(p->id), SQL_INT(p->rev), SQL_TEXT(provider_status_text(p->status)), SQL_TEXT(p->reason),
				SQL_INT(p->tested_ms), SQL_TEXT(p->test), SQL_TEXT(p->zones), SQL_INT(p->updated_ms)),
		     &changed, err) < 0)
		return err_wrap(err, "could not store what was found about provider '%s'", p->name);
	if (ret_done)
		*ret_done = changed > 0;
	if (changed)
		store_touch(tx, "provider", p->id, p->rev);
	return 0;
}

int store_provider_get(struct sql *q, const char *id, struct provider *ret, struct err *err)
{
	return provider_one(q, PROVIDER_GET, SQL_VALUES(SQL_TEXT(id)), "provider", id, ret, err);
}

int store_provider_get_num(struct sql *q, int64_t num, struct provider *ret, struct err *err)
{
	return provider_one(q, PROVIDER_GET_NUM, SQL_VALUES(SQL_INT(num)), "provider", num_text(num).s, ret, err);
}

int store_provider_get_any(struct sql *q, const char *id, struct provider *ret, struct err *err)
{
	return provider_one(q, PROVIDER_GET_ANY, SQL_VALUES(SQL_TEXT(id)), "provider", id, ret, err);
}

int store_provider_list(struct sql *q, const struct narrow *by, const struct page *p, struct provider_list *ret, struct err *err)
{
	_cleanup_narrowed_ struct narrowed n = { 0 };

	return provider_fetch(q, PROVIDER_LIST[p->order], narrow(by, p, &n), p->limit, ret, err);
}

int store_provider_all(struct sql *q, struct provider_list *ret, struct err *err)
{
	return provider_fetch(q, PROVIDER_ALL, SQL_VALUES(SQL_INT(LIMIT_PROVIDERS)), 0, ret, err);
}

int store_provider_delete(struct sql *tx, const char *id, int64_t now_ms, struct err *err)
{
	int64_t rev = 0;

	if (put_rev(tx, PROVIDER_DELETE, SQL_VALUES(SQL_TEXT(id), SQL_INT(now_ms)), PROVIDER_GET, "provider", id, &rev, err) < 0)
		return -(int)err->code;
	store_touch(tx, "provider", id, rev);
	return 0;
}

/* ---- who uses it ---- */

struct users {
	struct strlist *l;
	const char *what;
};

static int user_num(const struct row *r, void *arg, UNUSED struct err *err)
{
	struct users *u = arg;
	_cleanup_free_ char *text = xasprintf("%s %" PRId64, u->what, row_int(r, 0));

	strlist_add(u->l, text);
	return 0;
}

static int user_rule(const struct row *r, void *arg, UNUSED struct err *err)
{
	struct users *u = arg;
	const char *suffix = row_text(r, 0);
	_cleanup_free_ char *text = str_empty(suffix) ? xstrdup("the rule for all names") : xasprintf("the rule for '%s'", suffix);

	strlist_add(u->l, text);
	return 0;
}

int store_provider_users(struct sql *q, const char *id, struct strlist *ret, struct err *err)
{
	_cleanup_free_ char *like = xasprintf("%%\"%s\"%%", id);
	struct users orders = { ret, "order" }, certificates = { ret, "certificate" }, rules = { ret, "rule" }, delegations = { ret, "delegation" };
	int64_t owed = 0;

	strlist_clear(ret);
	if (sql_each(q, USERS_ORDERS, SQL_VALUES(SQL_TEXT(id), SQL_TEXT(like)), user_num, &orders, err) < 0 ||
	    sql_each(q, USERS_CERTIFICATES, SQL_VALUES(SQL_TEXT(id), SQL_TEXT(like)), user_num, &certificates, err) < 0 ||
	    sql_each(q, USERS_DELEGATIONS, SQL_VALUES(SQL_TEXT(id)), user_num, &delegations, err) < 0 ||
	    sql_each(q, USERS_RULES, SQL_VALUES(SQL_TEXT(id)), user_rule, &rules, err) < 0 ||
	    sql_int(q, USERS_DEBTS, SQL_VALUES(SQL_TEXT(id)), &owed, err) < 0)
		return err_wrap(err, "could not see who uses provider '%s'", id);
	if (owed) {
		_cleanup_free_ char *text = xasprintf("%" PRId64 " record%s to withdraw", owed, owed == 1 ? "" : "s");

		strlist_add(ret, text);
	}
	return 0;
}

int store_provider_resume(struct sql *tx, const char *id, int64_t now_ms, struct err *err)
{
	_cleanup_free_ char *from = xasprintf("dns:%s:", id), *to = xasprintf("dns:%s;", id);

	if (sql_exec(tx, RESUME_ORDERS, SQL_VALUES(SQL_TEXT(from), SQL_TEXT(to), SQL_INT(now_ms)), NULL, err) < 0 ||
	    sql_exec(tx, RESUME_DEBTS, SQL_VALUES(SQL_TEXT(from), SQL_TEXT(to), SQL_INT(now_ms)), NULL, err) < 0 ||
	    sql_exec(tx, RESUME_LANES, SQL_VALUES(SQL_TEXT(from), SQL_TEXT(to)), NULL, err) < 0)
		return err_wrap(err, "could not wake what waits for provider '%s'", id);
	store_touch(tx, "lane", NULL, 0);
	return 0;
}
