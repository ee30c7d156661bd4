/* SPDX-License-Identifier: Apache-2.0 */
/* rule.c - see rule.h. */
#include "store/rule.h"

#include "store/narrow.h"

#define COLUMNS "id, num, suffix, vendor, validation, method, rev, created_ms, updated_ms, deleted_ms"

static const char RULE_ADD[] = "INSERT INTO validation_rule (" COLUMNS ") VALUES ($1, $2, $3, $4, $5, $6, 1, $7, $7, 0)";
static const char RULE_SAME[] =
	"SELECT 1 FROM validation_rule WHERE suffix = $1 AND vendor = $2 AND validation = $3 AND deleted_ms = 0 AND id <> $4";
static const char RULE_PUT[] =
	"UPDATE validation_rule SET suffix = $3, vendor = $4, validation = $5, method = $6, updated_ms = $7, rev = rev + 1"
	" WHERE id = $1 AND deleted_ms = 0 AND ($2 = 0 OR rev = $2) RETURNING rev";
static const char RULE_GET[] = "SELECT " COLUMNS " FROM live_validation_rule WHERE id = $1";
static const char RULE_GET_NUM[] = "SELECT " COLUMNS " FROM live_validation_rule WHERE num = $1";
static const char *const RULE_LIST[] = NARROWED(COLUMNS, "live_validation_rule", "(method = $5 OR $5 = '')", "suffix");
static const char RULE_DELETE[] =
	"UPDATE validation_rule SET deleted_ms = $2, rev = rev + 1 WHERE id = $1 AND deleted_ms = 0 RETURNING rev";
/* One step in the unique index for each label of the name: the caller walks upward. */
static const char RULE_OF[] = "SELECT " COLUMNS " FROM live_validation_rule WHERE suffix = $1 AND vendor = $2 AND validation = $3";

static int validation_rule_from_row(const struct row *r, struct validation_rule *x, struct err *err)
{
	x->id = row_text_dup(r, 0);
	x->num = row_int(r, 1);
	x->suffix = row_text_dup(r, 2);
	x->vendor = row_text_dup(r, 3);
	x->method = row_text_dup(r, 5);
	x->rev = row_int(r, 6);
	x->created_ms = row_int(r, 7);
	x->updated_ms = row_int(r, 8);
	x->deleted_ms = row_int(r, 9);
	if (ROW_ENUM(validation, r, 4, &x->validation, err) < 0)
		return err_wrap(err, "could not read validation rule '%s'", x->id);
	return 0;
}

DEFINE_ROW_FN(validation_rule)
DEFINE_COLLECT(validation_rule)

static int none_alike(struct sql *tx, const struct validation_rule *r, struct err *err)
{
	bool there = false;

	if (sql_exists(tx, RULE_SAME,
		       SQL_VALUES(SQL_TEXT(r->suffix), SQL_TEXT(r->vendor), SQL_TEXT(validation_text(r->validation)), SQL_TEXT(r->id)), &there,
		       err) < 0)
		return err_wrap(err, "could not read validation rules");
	if (!there)
		return 0;
	return err_set_field(err, ERR_CONFLICT, "/suffix", "there is a rule for '%s' by %s%s%s already", r->suffix,
			     validation_text(r->validation), *r->vendor ? " at " : "", r->vendor);
}

int store_rule_add(struct sql *tx, struct validation_rule *r, struct err *err)
{
	int64_t num = 0;

	if (none_alike(tx, r, err) < 0 || store_next_num(tx, "validation_rule", &num, err) < 0)
		return -(int)err->code;
	if (sql_exec(tx, RULE_ADD,
		     SQL_VALUES(SQL_TEXT(r->id), SQL_INT(num), SQL_TEXT(r->suffix), SQL_TEXT(r->vendor),
				SQL_TEXT(validation_text(r->validation)), SQL_TEXT(r->method), SQL_INT(r->created_ms)),
		     NULL, err) < 0)
		return err_wrap(err, "could not store the rule for '%s'", r->suffix);
	r->num = num;
	r->rev = 1;
	r->updated_ms = r->created_ms;
	store_touch(tx, "rule", r->id, 1);
	return 0;
}

int store_rule_put(struct sql *tx, struct validation_rule *r, int64_t expect_rev, struct err *err)
{
	int64_t rev = 0;

	if (none_alike(tx, r, err) < 0)
		return -(int)err->code;
	if (put_rev(tx, RULE_PUT,
		    SQL_VALUES(SQL_TEXT(r->id), SQL_INT(expect_rev), SQL_TEXT(r->suffix), SQL_TEXT(r->vendor),
			       SQL_TEXT(validation_text(r->validation)), SQL_TEXT(r->method), SQL_INT(r->updated_ms)),
		    RULE_GET, "validation rule", r->id, &rev, err) < 0)
		return -(int)err->code;
	r->rev = rev;
	store_touch(tx, "rule", r->id, rev);
	return 0;
}

int store_rule_get(struct sql *q, const char *id, struct validation_rule *ret, struct err *err)
{
	return validation_rule_one(q, RULE_GET, SQL_VALUES(SQL_TEXT(id)), "validation rule", id, ret, err);
}

int store_rule_get_num(struct sql *q, int64_t num, struct validation_rule *ret, struct err *err)
{
	return validation_rule_one(q, RULE_GET_NUM, SQL_VALUES(SQL_INT(num)), "validation rule", num_text(num).s, ret, err);
}

int store_rule_list(struct sql *q, const struct narrow *by, const struct page *p, struct validation_rule_list *ret, struct err *err)
{
	_cleanup_narrowed_ struct narrowed n = { 0 };

	return validation_rule_fetch(q, RULE_LIST[p->order], narrow(by, p, &n), p->limit, ret, err);
}

int store_rule_delete(struct sql *tx, const char *id, int64_t now_ms, struct err *err)
{
	int64_t rev = 0;

	if (put_rev(tx, RULE_DELETE, SQL_VALUES(SQL_TEXT(id), SQL_INT(now_ms)), RULE_GET, "validation rule", id, &rev, err) < 0)
		return -(int)err->code;
	store_touch(tx, "rule", id, rev);
	return 0;
}

static int look(struct sql *q, const char *suffix, const char *vendor, enum validation validation, struct validation_rule *ret,
		struct err *err)
{
	if (validation_rule_one(q, RULE_OF, SQL_VALUES(SQL_TEXT(suffix), SQL_TEXT(vendor), SQL_TEXT(validation_text(validation))), "rule of",
				suffix, ret, err) == 0)
		return 1;
	if (err->code != ERR_NOT_FOUND)
		return -(int)err->code;
	err_clear(err);
	return 0;
}

int store_rule_match(struct sql *q, const char *name, const char *vendor, enum validation validation, struct validation_rule *ret,
		     struct err *err)
{
	for (const char *at = name;;) {
		const char *dot = strchr(at, '.');
		int rc = *vendor ? look(q, at, vendor, validation, ret, err) : 0;

		if (rc == 0)
			rc = look(q, at, "", validation, ret, err);
		if (rc != 0)
			return rc;
		if (!*at)
			return 0;
		at = dot ? dot + 1 : at + strlen(at);
	}
}
