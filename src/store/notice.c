/* SPDX-License-Identifier: Apache-2.0 */
/* notice.c - see notice.h. */
#include "store/notice.h"

#include "store/lib.h"

#define NOTICE_COLUMNS                                                                                                 \
	"id, num, kind, subject_kind, subject_id, cause, next_step, touched, first_expiry_ms, raised_ms, changed_ms, told_ms," \
	" remind_ms, ended_ms"

static const char NOTICE_ADD[] =
	"INSERT INTO notice (" NOTICE_COLUMNS ") VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $10, 0, $11, 0)";
static const char NOTICE_FIND[] = "SELECT " NOTICE_COLUMNS " FROM notice WHERE kind = $1 AND subject_kind = $2 AND subject_id = $3"
				  " AND ended_ms = 0";
static const char NOTICE_GET[] = "SELECT " NOTICE_COLUMNS " FROM notice WHERE id = $1";
static const char NOTICE_PUT[] =
	"UPDATE notice SET cause = $2, next_step = $3, touched = $4, first_expiry_ms = $5, changed_ms = $6, remind_ms = $7,"
	" ended_ms = $8 WHERE id = $1";
static const char NOTICE_TOUCH[] =
	"INSERT INTO notice_certificate (notice_id, certificate_id, not_after_ms, added_ms) VALUES ($1, $2, $3, $4)"
	" ON CONFLICT (notice_id, certificate_id) DO NOTHING";
static const char NOTICE_UNTOUCH[] = "DELETE FROM notice_certificate WHERE notice_id = $1 AND certificate_id = $2";
static const char NOTICE_SUM[] = "SELECT COUNT(*), MIN(not_after_ms) FROM notice_certificate WHERE notice_id = $1";
static const char NOTICE_OF[] =
	"SELECT " NOTICE_COLUMNS " FROM notice WHERE ended_ms = 0 AND id IN"
	" (SELECT notice_id FROM notice_certificate WHERE certificate_id = $1)";
static const char NOTICE_OPEN[] = "SELECT " NOTICE_COLUMNS " FROM notice WHERE ended_ms = 0 ORDER BY raised_ms, id LIMIT $1";
static const char NOTICE_CERTIFICATES[] =
	"SELECT certificate_id FROM notice_certificate WHERE notice_id = $1 ORDER BY not_after_ms, certificate_id";
#define OLD "SELECT id FROM notice WHERE ended_ms > 0 AND ended_ms < $1 ORDER BY ended_ms LIMIT 500"
static const char NOTICE_PRUNE_LIST[] = "DELETE FROM notice_certificate WHERE notice_id IN (" OLD ")";
static const char NOTICE_PRUNE[] = "DELETE FROM notice WHERE id IN (" OLD ")";

static int notice_from_row(const struct row *r, struct notice *n, struct err *err)
{
	n->id = row_text_dup(r, 0);
	n->num = row_int(r, 1);
	n->subject_kind = row_text_dup(r, 3);
	n->subject_id = row_text_dup(r, 4);
	n->cause = row_text_dup(r, 5);
	n->next_step = row_text_dup(r, 6);
	n->touched = row_int(r, 7);
	n->first_expiry_ms = row_int(r, 8);
	n->raised_ms = row_int(r, 9);
	n->changed_ms = row_int(r, 10);
	n->told_ms = row_int(r, 11);
	n->remind_ms = row_int(r, 12);
	n->ended_ms = row_int(r, 13);
	if (ROW_ENUM(notice_kind, r, 2, &n->kind, err) < 0)
		return err_wrap(err, "could not read notice '%s'", n->id);
	return 0;
}

DEFINE_ROW_FN(notice)
DEFINE_COLLECT(notice)

int store_notice_find(struct sql *q, enum notice_kind kind, const char *subject_kind, const char *subject_id, struct notice *ret,
		      struct err *err)
{
	return notice_one(q, NOTICE_FIND, SQL_VALUES(SQL_TEXT(notice_kind_text(kind)), SQL_TEXT(subject_kind), SQL_TEXT(subject_id)),
			  "open notice about", subject_id, ret, err);
}

int store_notice_get(struct sql *q, const char *id, struct notice *ret, struct err *err)
{
	return notice_one(q, NOTICE_GET, SQL_VALUES(SQL_TEXT(id)), "notice", id, ret, err);
}

int store_notice_add(struct sql *tx, struct notice *n, struct err *err)
{
	int64_t num = 0;

	if (store_next_num(tx, "notice", &num, err) < 0)
		return -(int)err->code;
	if (sql_exec(tx, NOTICE_ADD,
		     SQL_VALUES(SQL_TEXT(n->id), SQL_INT(num), SQL_TEXT(notice_kind_text(n->kind)), SQL_TEXT(n->subject_kind),
				SQL_TEXT(n->subject_id), SQL_TEXT(n->cause), SQL_TEXT(n->next_step), SQL_INT(n->touched),
				SQL_INT(n->first_expiry_ms), SQL_INT(n->raised_ms), SQL_INT(n->remind_ms)),
		     NULL, err) < 0)
		return err_wrap(err, "could not store a notice");
	n->num = num;
	store_touch(tx, "notice", n->id, 0);
	return 0;
}

int store_notice_put(struct sql *tx, const struct notice *n, struct err *err)
{
	if (exec_named(tx, NOTICE_PUT,
		       SQL_VALUES(SQL_TEXT(n->id), SQL_TEXT(n->cause), SQL_TEXT(n->next_step), SQL_INT(n->touched),
				  SQL_INT(n->first_expiry_ms), SQL_INT(n->changed_ms), SQL_INT(n->remind_ms), SQL_INT(n->ended_ms)),
		       ERR_NOT_FOUND, "notice", n->id, err) < 0)
		return -(int)err->code;
	store_touch(tx, "notice", n->id, 0);
	return 0;
}

int store_notice_touch(struct sql *tx, const char *notice_id, const char *certificate_id, int64_t not_after_ms, int64_t now_ms,
		       bool *ret_new, struct err *err)
{
	int64_t changed = 0;

	if (sql_exec(tx, NOTICE_TOUCH, SQL_VALUES(SQL_TEXT(notice_id), SQL_TEXT(certificate_id), SQL_INT(not_after_ms), SQL_INT(now_ms)),
		     &changed, err) < 0)
		return err_wrap(err, "could not add a certificate to a notice");
	*ret_new = changed > 0;
	return 0;
}

int store_notice_untouch(struct sql *tx, const char *notice_id, const char *certificate_id, struct err *err)
{
	if (sql_exec(tx, NOTICE_UNTOUCH, SQL_VALUES(SQL_TEXT(notice_id), SQL_TEXT(certificate_id)), NULL, err) < 0)
		return err_wrap(err, "could not take a certificate off a notice");
	return 0;
}

struct sum {
	int64_t n, first_ms;
};

static int sum_row(const struct row *r, void *arg, UNUSED struct err *err)
{
	*(struct sum *)arg = (struct sum){ row_int(r, 0), row_int(r, 1) };
	return 0;
}

int store_notice_sum(struct sql *q, const char *notice_id, int64_t *ret_n, int64_t *ret_first_ms, struct err *err)
{
	struct sum s = { 0 };

	if (sql_one(q, NOTICE_SUM, SQL_VALUES(SQL_TEXT(notice_id)), sum_row, &s, err) < 0)
		return err_wrap(err, "could not count the certificates of a notice");
	*ret_n = s.n;
	*ret_first_ms = s.first_ms;
	return 0;
}

int store_notice_of(struct sql *q, const char *certificate_id, struct notice_list *ret, struct err *err)
{
	return notice_fetch(q, NOTICE_OF, SQL_VALUES(SQL_TEXT(certificate_id)), 0, ret, err);
}

int store_notice_open(struct sql *q, int limit, struct notice_list *ret, struct err *err)
{
	return notice_fetch(q, NOTICE_OPEN, SQL_VALUES(SQL_INT(limit)), 0, ret, err);
}

struct ids {
	struct strlist *ret;
	int limit;
};

static int id_row(const struct row *r, void *arg, UNUSED struct err *err)
{
	struct ids *i = arg;

	if (i->ret->n < (size_t)i->limit)
		strlist_add(i->ret, row_text(r, 0));
	return 0;
}

int store_notice_certificates(struct sql *q, const char *notice_id, int limit, struct strlist *ret, struct err *err)
{
	struct ids i = { ret, limit };

	strlist_clear(ret);
	if (sql_each(q, NOTICE_CERTIFICATES, SQL_VALUES(SQL_TEXT(notice_id)), id_row, &i, err) < 0)
		return err_wrap(err, "could not list the certificates of a notice");
	return 0;
}

int store_notice_prune(struct sql *tx, int64_t ended_before_ms, int64_t *ret_n, struct err *err)
{
	if (prune(tx, NOTICE_PRUNE_LIST, SQL_VALUES(SQL_INT(ended_before_ms)), NULL, "notice_certificate", err) < 0)
		return -(int)err->code;
	return prune(tx, NOTICE_PRUNE, SQL_VALUES(SQL_INT(ended_before_ms)), ret_n, "notice", err);
}
