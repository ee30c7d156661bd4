/* SPDX-License-Identifier: Apache-2.0 */
/* vendor.c - overrides of the vendor registry, and what directories said. */
#include "store/vendor.h"

#include "store/lib.h"

static const char SETTING_GET[] = "SELECT key, directory_url, rev, updated_ms FROM vendor_setting WHERE key = $1";
static const char SETTING_LIST[] = "SELECT key, directory_url, rev, updated_ms FROM vendor_setting ORDER BY key";
static const char SETTING_PUT[] =
	"INSERT INTO vendor_setting (key, directory_url, rev, updated_ms) VALUES ($1, $2, $3, $4) ON CONFLICT (key) DO UPDATE"
	" SET directory_url = excluded.directory_url, rev = excluded.rev, updated_ms = excluded.updated_ms";

#define CHECK_COLUMNS "directory_url, facts, facts_ms, moved, moved_ms, checked_ms, reason"
static const char CHECK_GET[] = "SELECT " CHECK_COLUMNS " FROM vendor_check WHERE directory_url = $1";
static const char CHECK_LIST[] = "SELECT " CHECK_COLUMNS " FROM vendor_check ORDER BY directory_url";
static const char CHECK_PUT[] =
	"INSERT INTO vendor_check (" CHECK_COLUMNS ") VALUES ($1, $2, $3, $4, $5, $6, $7) ON CONFLICT (directory_url) DO UPDATE"
	" SET facts = excluded.facts, facts_ms = excluded.facts_ms, moved = excluded.moved, moved_ms = excluded.moved_ms,"
	" checked_ms = excluded.checked_ms, reason = excluded.reason";
static const char CHECK_DUE[] =
	"SELECT DISTINCT a.directory_url FROM account a LEFT JOIN vendor_check c ON c.directory_url = a.directory_url"
	" WHERE a.deleted_ms = 0 AND (c.checked_ms IS NULL OR c.checked_ms < $1) LIMIT 100";

void vendor_setting_done(struct vendor_setting *s)
{
	free(s->key);
	free(s->directory_url);
	*s = (struct vendor_setting){ 0 };
}

void vendor_check_done(struct vendor_check *c)
{
	free(c->directory_url);
	free(c->facts);
	free(c->moved);
	free(c->reason);
	*c = (struct vendor_check){ 0 };
}

static int vendor_setting_from_row(const struct row *r, struct vendor_setting *s, UNUSED struct err *err)
{
	s->key = row_text_dup(r, 0);
	s->directory_url = row_text_dup(r, 1);
	s->rev = row_int(r, 2);
	s->updated_ms = row_int(r, 3);
	return 0;
}

static int vendor_check_from_row(const struct row *r, struct vendor_check *c, UNUSED struct err *err)
{
	c->directory_url = row_text_dup(r, 0);
	c->facts = row_text_dup(r, 1);
	c->facts_ms = row_int(r, 2);
	c->moved = row_text_dup(r, 3);
	c->moved_ms = row_int(r, 4);
	c->checked_ms = row_int(r, 5);
	c->reason = row_text_dup(r, 6);
	return 0;
}

DEFINE_ROW_FN(vendor_setting)
DEFINE_COLLECT(vendor_setting)
DEFINE_ROW_FN(vendor_check)
DEFINE_COLLECT(vendor_check)

int store_vendor_setting_get(struct sql *q, const char *key, struct vendor_setting *ret, struct err *err)
{
	if (vendor_setting_one(q, SETTING_GET, SQL_VALUES(SQL_TEXT(key)), "vendor", key, ret, err) == 0)
		return 0;
	if (err->code != ERR_NOT_FOUND)
		return -(int)err->code;
	err_clear(err);
	*ret = (struct vendor_setting){ .key = xstrdup(key) };
	return 0;
}

int store_vendor_setting_put(struct sql *tx, struct vendor_setting *s, int64_t expect_rev, struct err *err)
{
	_cleanup_vendor_setting_ struct vendor_setting there = { 0 };

	if (store_vendor_setting_get(tx, s->key, &there, err) < 0)
		return -(int)err->code;
	if (expect_rev && expect_rev != MAX(there.rev, 1))
		return err_set(err, ERR_CHANGED, "vendor '%s' was changed meanwhile", s->key);
	s->rev = MAX(there.rev, 1) + 1;
	if (sql_exec(tx, SETTING_PUT, SQL_VALUES(SQL_TEXT(s->key), SQL_TEXT(s->directory_url), SQL_INT(s->rev), SQL_INT(s->updated_ms)),
		     NULL, err) < 0)
		return err_wrap(err, "could not store the setting of vendor '%s'", s->key);
	store_touch(tx, "vendor", s->key, s->rev);
	return 0;
}

int store_vendor_setting_list(struct sql *q, struct vendor_setting_list *ret, struct err *err)
{
	return vendor_setting_fetch(q, SETTING_LIST, SQL_NONE, 0, ret, err);
}

int store_vendor_check_get(struct sql *q, const char *directory_url, struct vendor_check *ret, struct err *err)
{
	return vendor_check_one(q, CHECK_GET, SQL_VALUES(SQL_TEXT(directory_url)), "reading of directory", directory_url, ret, err);
}

int store_vendor_check_put(struct sql *tx, const struct vendor_check *c, struct err *err)
{
	if (sql_exec(tx, CHECK_PUT,
		     SQL_VALUES(SQL_TEXT(c->directory_url), SQL_TEXT(c->facts), SQL_INT(c->facts_ms), SQL_TEXT(c->moved),
				SQL_INT(c->moved_ms), SQL_INT(c->checked_ms), SQL_TEXT(c->reason)),
		     NULL, err) < 0)
		return err_wrap(err, "could not store what directory '%s' says", c->directory_url);
	store_touch(tx, "vendor-check", c->directory_url, 0);
	return 0;
}

int store_vendor_check_list(struct sql *q, struct vendor_check_list *ret, struct err *err)
{
	return vendor_check_fetch(q, CHECK_LIST, SQL_NONE, 0, ret, err);
}

static int add_url(const struct row *r, void *arg, UNUSED struct err *err)
{
	strlist_add(arg, row_text(r, 0));
	return 0;
}

int store_vendor_check_due(struct sql *q, int64_t before_ms, struct strlist *ret, struct err *err)
{
	strlist_clear(ret);
	if (sql_each(q, CHECK_DUE, SQL_VALUES(SQL_INT(before_ms)), add_url, ret, err) < 0)
		return err_wrap(err, "could not list the directories of accounts");
	return 0;
}
