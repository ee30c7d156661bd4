/* SPDX-License-Identifier: Apache-2.0 */
/* certificate.c - certificates (the wish that lasts) and versions (what a CA issued for it). */
#include "store/certificate.h"

#include "store/kept.h"
#include "store/lib.h"
#include "store/name_block.h"
#include "store/renewal.h"

#define COLUMNS                                                                                                        \
	"id, num, source, names, names_hash, account_id, csr_id, validation, dns_method, http_method, profile, key_policy,"   \
	" key_type, managed, status, version_id, not_before_ms, not_after_ms, renew_at_ms, attempt, next_attempt_ms,"         \
	" pause_reason, rev, created_ms, updated_ms, deleted_ms, methods"

static const char CERTIFICATE_ADD[] =
	"INSERT INTO certificate (" COLUMNS ") VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15, $16,"
	" $17, $18, $19, $20, $21, $22, 1, $23, $23, 0, $24)";
/* SQLite's index of substrings; PostgreSQL keeps its own (migration 0010). */
static const char CERTIFICATE_ADD_NAMES[] = "INSERT INTO certificate_names (rowid, names) VALUES ($1, $2)";
static const char CERTIFICATE_GET[] = "SELECT " COLUMNS " FROM live_certificate WHERE id = $1";
static const char CERTIFICATE_GET_NUM[] = "SELECT " COLUMNS " FROM live_certificate WHERE num = $1";
static const char CERTIFICATE_PUT[] =
	"UPDATE certificate SET account_id = $3, csr_id = $4, validation = $5, dns_method = $6, http_method = $7, profile = $8,"
	" key_policy = $9, key_type = $10, managed = $11, status = $12, version_id = $13, not_before_ms = $14,"
	" not_after_ms = $15, renew_at_ms = $16, attempt = $17, next_attempt_ms = $18, pause_reason = $19, updated_ms = $20, methods = $21,"
	" rev = rev + 1 WHERE id = $1 AND deleted_ms = 0 AND ($2 = 0 OR rev = $2) RETURNING rev";
static const char CERTIFICATE_DELETE[] =
	"UPDATE certificate SET deleted_ms = $2, rev = rev + 1 WHERE id = $1 AND deleted_ms = 0 RETURNING rev";
/* What of a certificate is counted, held until the commit: nobody else changes it in between. */
static const char CERTIFICATE_HOLD[] =
	"UPDATE certificate SET rev = rev WHERE id = $1 AND deleted_ms = 0 RETURNING status, managed, not_after_ms";
static const char CERTIFICATE_BY_METHOD[] =
	"SELECT " COLUMNS " FROM (SELECT * FROM certificate WHERE deleted_ms = 0 AND managed = 1 AND renew_at_ms > 0"
	" ORDER BY renew_at_ms, id LIMIT 5000) c WHERE dns_method = $1 OR http_method = $1 OR methods LIKE $2"
	" ORDER BY renew_at_ms, id LIMIT $3";
/* The last column is the text that the order goes by: $1 the key, $2 the id seen last, $3 how many, $4 the text. */
#define LIST(text, where, order) "SELECT " COLUMNS ", " text " FROM certificate WHERE deleted_ms = 0 AND " where " ORDER BY " order " LIMIT $3"
static const struct certificate_order {
	const char *text;
	bool descending, by_text, by_num; /* what the key is: a number of the object, or an instant */
} certificate_orders[CERTIFICATES_SORTS] = {
	[CERTIFICATES_NEWEST] = { LIST("''", "(created_ms, id) < ($1, $2)", "created_ms DESC, id DESC"), .descending = true },
	[CERTIFICATES_EXPIRY] = { LIST("''", "(not_after_ms, id) > ($1, $2)", "not_after_ms, id") },
	[CERTIFICATES_NAME] = { LIST(NAMES_KEY, NAMES_KEY " >= $2 AND (" NAMES_KEY ", num) > ($2, $1)", NAMES_KEY ", num"), .by_text = true, .by_num = true },
	[CERTIFICATES_ISSUER] = { LIST("issuer_key", "(issuer_key, num) > ($2, $1)", "issuer_key, num"), .by_text = true, .by_num = true },
	[CERTIFICATES_OWNER] = { LIST("owner", "owner IS NOT NULL AND (owner, num) > ($2, $1)", "owner, num"), .by_text = true, .by_num = true },
	[CERTIFICATES_STATUS] = { LIST("status", "(status, not_after_ms, id) > ($4, $1, $2)", "status, not_after_ms, id"), .by_text = true },
	[CERTIFICATES_ISSUED] = { LIST("''", "(not_before_ms, id) < ($1, $2)", "not_before_ms DESC, id DESC"), .descending = true },
};
/* Those without an owner stand behind the others. */
static const char NOT_OWNED[] =
	"SELECT " COLUMNS ", '' FROM certificate WHERE deleted_ms = 0 AND owner IS NULL AND num > $1 ORDER BY num LIMIT $2";
static const char CERTIFICATE_SCHEDULE[] =
	"SELECT " COLUMNS " FROM certificate WHERE deleted_ms = 0 AND managed = 1 AND renew_at_ms > 0 AND (renew_at_ms, id) > ($1, $2)"
	" ORDER BY renew_at_ms, id LIMIT $3";
static const char CERTIFICATE_OVERDUE[] =
	"SELECT " COLUMNS " FROM certificate WHERE deleted_ms = 0 AND managed = 1 AND renew_at_ms > 0 AND renew_at_ms < $1"
	" ORDER BY renew_at_ms, id LIMIT $2";
static const char CERTIFICATE_WATCHED[] =
	"SELECT " COLUMNS " FROM certificate WHERE deleted_ms = 0 AND managed = 0 AND not_after_ms > $1 AND not_after_ms < $2"
	" ORDER BY not_after_ms, id LIMIT $3";
static const char CERTIFICATE_DUE[] =
	"SELECT " COLUMNS " FROM certificate WHERE deleted_ms = 0 AND managed = 1 AND next_attempt_ms > 0"
	" AND next_attempt_ms <= $1 ORDER BY next_attempt_ms, id LIMIT $2";

static int certificate_from_row(const struct row *r, struct certificate *c, struct err *err)
{
	c->id = row_text_dup(r, 0);
	c->num = row_int(r, 1);
	c->source = row_text_dup(r, 2);
	row_names(r, 3, &c->names);
	c->names_hash = row_text_dup(r, 4);
	c->account_id = row_text_dup(r, 5);
	c->csr_id = row_text_dup(r, 6);
	c->validation = row_text_dup(r, 7);
	c->dns_method = row_text_dup(r, 8);
	c->http_method = row_text_dup(r, 9);
	c->profile = row_text_dup(r, 10);
	c->key_policy = row_text_dup(r, 11);
	c->key_type = row_text_dup(r, 12);
	c->managed = row_bool(r, 13);
	c->version_id = row_text_dup(r, 15);
	c->not_before_ms = row_int(r, 16);
	c->not_after_ms = row_int(r, 17);
	c->renew_at_ms = row_int(r, 18);
	c->attempt = row_int(r, 19);
	c->next_attempt_ms = row_int(r, 20);
	c->pause_reason = row_text_dup(r, 21);
	c->rev = row_int(r, 22);
	c->created_ms = row_int(r, 23);
	c->updated_ms = row_int(r, 24);
	c->deleted_ms = row_int(r, 25);
	c->methods = row_text_dup(r, 26);
	if (ROW_ENUM(certificate_status, r, 14, &c->status, err) < 0)
		return err_wrap(err, "could not read certificate '%s'", c->id);
	return 0;
}

DEFINE_ROW_FN(certificate)
DEFINE_COLLECT(certificate)

/* The kept counts of certificates (kept.h). */
struct counted {
	char status[16]; /* "" = there is none */
	bool managed;
	int64_t not_after_ms;
};

static void count(struct sql *tx, const struct counted *c, int64_t delta)
{
	if (!*c->status)
		return;
	store_count(tx, c->managed ? "certificate.managed" : "certificate.watched", 0, c->status, delta);
	store_count(tx, "expiry", c->not_after_ms / HOUR_MS, c->managed ? "managed" : "watched", delta);
}

static struct counted counted_of(const struct certificate *c)
{
	struct counted k = { .managed = c->managed, .not_after_ms = c->not_after_ms };

	snprintf(k.status, sizeof k.status, "%s", certificate_status_text(c->status));
	return k;
}

static int counted_row(const struct row *r, void *arg, UNUSED struct err *err)
{
	struct counted *k = arg;

	snprintf(k->status, sizeof k->status, "%s", row_text(r, 0));
	k->managed = row_bool(r, 1);
	k->not_after_ms = row_int(r, 2);
	return 0;
}

static int hold(struct sql *tx, const char *id, struct counted *ret, struct err *err)
{
	*ret = (struct counted){ 0 };
	if (sql_each(tx, CERTIFICATE_HOLD, SQL_VALUES(SQL_TEXT(id)), counted_row, ret, err) < 0)
		return err_wrap(err, "could not read certificate '%s'", id);
	return 0;
}

int store_certificate_add(struct sql *tx, struct certificate *c, struct err *err)
{
	_cleanup_free_ char *names = names_text(&c->names);
	struct counted is = counted_of(c);
	int64_t num = 0;

	if (store_next_num(tx, "certificate", &num, err) < 0)
		return -(int)err->code;
	if (sql_exec(tx, CERTIFICATE_ADD,
		     SQL_VALUES(SQL_TEXT(c->id), SQL_INT(num), SQL_TEXT(c->source), SQL_TEXT(names), SQL_TEXT(c->names_hash),
				SQL_TEXT(c->account_id), SQL_TEXT(c->csr_id), SQL_TEXT(c->validation), SQL_TEXT(c->dns_method),
				SQL_TEXT(c->http_method), SQL_TEXT(c->profile), SQL_TEXT(c->key_policy), SQL_TEXT(c->key_type),
				SQL_BOOL(c->managed), SQL_TEXT(certificate_status_text(c->status)), SQL_TEXT(c->version_id),
				SQL_INT(c->not_before_ms), SQL_INT(c->not_after_ms), SQL_INT(c->renew_at_ms),
				SQL_INT(c->attempt), SQL_INT(c->next_attempt_ms), SQL_TEXT(c->pause_reason),
				SQL_INT(c->created_ms), SQL_TEXT(c->methods)),
		     NULL, err) < 0)
		return err_wrap(err, "could not store certificate '%s'", c->id);
	if ((sql_dialect(tx) == SQL_SQLITE && sql_exec(tx, CERTIFICATE_ADD_NAMES, SQL_VALUES(SQL_INT(num), SQL_TEXT(names)), NULL, err) < 0) ||
	    store_name_block_add(tx, num, err) < 0)
		return err_wrap(err, "could not store the names of certificate '%s'", c->id);
	c->num = num;
	c->rev = 1;
	c->updated_ms = c->created_ms;
	count(tx, &is, 1);
	store_touch(tx, "certificate", c->id, 1);
	return 0;
}

int store_certificate_get(struct sql *q, const char *id, struct certificate *ret, struct err *err)
{
	return certificate_one(q, CERTIFICATE_GET, SQL_VALUES(SQL_TEXT(id)), "certificate", id, ret, err);
}

int store_certificate_get_num(struct sql *q, int64_t num, struct certificate *ret, struct err *err)
{
	return certificate_one(q, CERTIFICATE_GET_NUM, SQL_VALUES(SQL_INT(num)), "certificate", num_text(num).s, ret, err);
}

int store_certificate_put(struct sql *tx, struct certificate *c, int64_t expect_rev, struct err *err)
{
	struct counted was, is = counted_of(c);
	int64_t rev = 0;

	if (hold(tx, c->id, &was, err) < 0 ||
	    put_rev(tx, CERTIFICATE_PUT,
		    SQL_VALUES(SQL_TEXT(c->id), SQL_INT(expect_rev), SQL_TEXT(c->account_id), SQL_TEXT(c->csr_id),
			       SQL_TEXT(c->validation), SQL_TEXT(c->dns_method), SQL_TEXT(c->http_method),
			       SQL_TEXT(c->profile), SQL_TEXT(c->key_policy), SQL_TEXT(c->key_type), SQL_BOOL(c->managed),
			       SQL_TEXT(certificate_status_text(c->status)), SQL_TEXT(c->version_id), SQL_INT(c->not_before_ms),
			       SQL_INT(c->not_after_ms), SQL_INT(c->renew_at_ms), SQL_INT(c->attempt),
			       SQL_INT(c->next_attempt_ms), SQL_TEXT(c->pause_reason), SQL_INT(c->updated_ms),
			       SQL_TEXT(c->methods)),
		    CERTIFICATE_GET, "certificate", c->id, &rev, err) < 0)
		return -(int)err->code;
	c->rev = rev;
	count(tx, &was, -1);
	count(tx, &is, 1);
	store_touch(tx, "certificate", c->id, rev);
	return 0;
}

int store_certificate_delete(struct sql *tx, const char *id, int64_t now_ms, struct err *err)
{
	struct counted was;
	int64_t rev = 0;

	if (hold(tx, id, &was, err) < 0 || put_rev(tx, CERTIFICATE_DELETE, SQL_VALUES(SQL_TEXT(id), SQL_INT(now_ms)), CERTIFICATE_GET,
						   "certificate", id, &rev, err) < 0)
		return -(int)err->code;
	count(tx, &was, -1);
	store_touch(tx, "certificate", id, rev);
	return 0;
}

#define LISTED_TEXT 27 /* behind COLUMNS */

struct listed {
	struct certificate_list *list;
	const struct certificate_order *order;
	struct page_mark *end;
	size_t limit;
};

static int listed_row(const struct row *r, void *arg, struct err *err)
{
	struct listed *l = arg;
	struct certificate *c;

	if (l->list->n == l->limit) {
		l->list->more = true; /* one more than wanted was found */
		return SQL_ENOUGH;
	}
	if (certificate_collect(r, l->list, err) < 0)
		return -(int)err->code;
	if (!l->end)
		return 0;
	c = &l->list->v[l->list->n - 1];
	l->end->key = l->order->by_num ? c->num : l->order == &certificate_orders[CERTIFICATES_NEWEST] ? c->created_ms :
		      l->order->descending ? c->not_before_ms : c->not_after_ms;
	snprintf(l->end->text, sizeof l->end->text, "%s", l->order->by_text ? row_text(r, LISTED_TEXT) : "");
	return 0;
}

int store_certificate_list(struct sql *q, enum certificate_sort sort, const struct page *p, struct certificate_list *ret,
			   struct page_mark *ret_end, struct err *err)
{
	const struct certificate_order *o = &certificate_orders[sort];
	const struct sql_value v[] = {
		SQL_INT(o->descending ? page_key_desc(p) : page_key_asc(p)),
		SQL_TEXT(o->by_num ? page_text(p) : page_id(p)),
		SQL_INT(p->limit + 1),
		SQL_TEXT(page_text(p)),
	};
	struct listed l = { .list = ret, .order = o, .end = ret_end, .limit = (size_t)p->limit };
	bool owned = sort == CERTIFICATES_OWNER && (!p->started || *page_text(p));

	certificate_list_done(ret);
	if (ret_end)
		*ret_end = (struct page_mark){ 0 };
	if ((sort != CERTIFICATES_OWNER || owned) && sql_each(q, o->text, (struct sql_values){ v, sort == CERTIFICATES_STATUS ? 4 : 3 }, listed_row, &l, err) < 0)
		return err_wrap(err, "could not list certificates");
	if (sort == CERTIFICATES_OWNER && !ret->more &&
	    sql_each(q, NOT_OWNED, SQL_VALUES(SQL_INT(owned ? INT64_MIN : p->after_key), SQL_INT(p->limit + 1 - (int)ret->n)), listed_row, &l, err) < 0)
		return err_wrap(err, "could not list certificates");
	return 0;
}

int store_certificate_due(struct sql *q, int64_t now_ms, int limit, struct certificate_list *ret, struct err *err)
{
	return certificate_fetch(q, CERTIFICATE_DUE, SQL_VALUES(SQL_INT(now_ms), SQL_INT(limit)), 0, ret, err);
}

int store_certificate_by_method(struct sql *q, const char *method, int limit, struct certificate_list *ret, struct err *err)
{
	_cleanup_free_ char *like = xasprintf("%%\"%s\"%%", method);

	return certificate_fetch(q, CERTIFICATE_BY_METHOD, SQL_VALUES(SQL_TEXT(method), SQL_TEXT(like), SQL_INT(limit)), 0, ret, err);
}

int store_certificate_schedule(struct sql *q, const struct page *p, struct certificate_list *ret, struct err *err)
{
	return certificate_fetch(q, CERTIFICATE_SCHEDULE,
				 SQL_VALUES(SQL_INT(page_key_asc(p)), SQL_TEXT(page_id(p)), SQL_INT(p->limit + 1)), p->limit, ret, err);
}

int store_certificate_overdue(struct sql *q, int64_t before_ms, int limit, struct certificate_list *ret, struct err *err)
{
	return certificate_fetch(q, CERTIFICATE_OVERDUE, SQL_VALUES(SQL_INT(before_ms), SQL_INT(limit)), 0, ret, err);
}

int store_certificate_watched(struct sql *q, int64_t after_ms, int64_t before_ms, int limit, struct certificate_list *ret,
			      struct err *err)
{
	return certificate_fetch(q, CERTIFICATE_WATCHED, SQL_VALUES(SQL_INT(after_ms), SQL_INT(before_ms), SQL_INT(limit)), 0, ret,
				 err);
}

/* versions */

#define VERSION_COLUMNS                                                                                                \
	"id, certificate_id, order_id, key_id, state, serial, subject, issuer, names, fingerprint, public_hash, key_type,"    \
	" not_before_ms, not_after_ms, chain, reason, created_ms, revoked_ms"

static const char VERSION_REPLACE[] =
	"UPDATE version SET state = 'replaced' WHERE certificate_id = $1 AND state = 'current'";
static const char VERSION_ADD[] =
	"INSERT INTO version (" VERSION_COLUMNS ") VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15,"
	" $16, $17, 0)";
static const char VERSION_COUNT[] = "SELECT COUNT(*) FROM version WHERE certificate_id = $1 AND created_ms > $2 AND state <> 'evidence'";
static const char VERSION_REVOKED[] = "UPDATE version SET revoked_ms = $2 WHERE id = $1 AND revoked_ms = 0";
static const char VERSION_POINT[] =
	"UPDATE certificate SET version_id = $2, not_before_ms = $3, not_after_ms = $4, updated_ms = $5, issuer_key = substr($6, 1, 60), rev = rev + 1"
	" WHERE id = $1 RETURNING rev";
static const char VERSION_GET[] = "SELECT " VERSION_COLUMNS " FROM version WHERE id = $1";
static const char VERSION_OF_ORDER[] =
	"SELECT " VERSION_COLUMNS " FROM version WHERE order_id = $1 AND state <> 'evidence'";
static const char VERSION_BY_FINGERPRINT[] =
	"SELECT " VERSION_COLUMNS " FROM version WHERE fingerprint = $1 AND state <> 'evidence' LIMIT 1";
static const char VERSION_LIST[] =
	"SELECT " VERSION_COLUMNS " FROM version WHERE certificate_id = $1 ORDER BY created_ms DESC, id DESC";

static int version_from_row(const struct row *r, struct version *v, struct err *err)
{
	v->id = row_text_dup(r, 0);
	v->certificate_id = row_text_dup(r, 1);
	v->order_id = row_text_dup(r, 2);
	v->key_id = row_text_dup(r, 3);
	v->serial = row_text_dup(r, 5);
	v->subject = row_text_dup(r, 6);
	v->issuer = row_text_dup(r, 7);
	row_names(r, 8, &v->names);
	v->fingerprint = row_text_dup(r, 9);
	v->public_hash = row_text_dup(r, 10);
	v->key_type = row_text_dup(r, 11);
	v->not_before_ms = row_int(r, 12);
	v->not_after_ms = row_int(r, 13);
	v->chain = row_text_dup(r, 14);
	v->reason = row_text_dup(r, 15);
	v->created_ms = row_int(r, 16);
	v->revoked_ms = row_int(r, 17);
	if (ROW_ENUM(version_state, r, 4, &v->state, err) < 0)
		return err_wrap(err, "could not read certificate version '%s'", v->id);
	return 0;
}

DEFINE_ROW_FN(version)
DEFINE_COLLECT(version)

static int point_to(struct sql *tx, const struct version *v, int64_t *ret_rev, struct err *err)
{
	struct counted k;

	if (hold(tx, v->certificate_id, &k, err) < 0 ||
	    put_rev(tx, VERSION_POINT,
		    SQL_VALUES(SQL_TEXT(v->certificate_id), SQL_TEXT(v->id), SQL_INT(v->not_before_ms), SQL_INT(v->not_after_ms),
			       SQL_INT(v->created_ms), SQL_TEXT(v->issuer)),
		    CERTIFICATE_GET, "certificate", v->certificate_id, ret_rev, err) < 0)
		return -(int)err->code;
	count(tx, &k, -1);
	k.not_after_ms = v->not_after_ms;
	count(tx, &k, 1);
	return 0;
}

int store_version_add(struct sql *tx, const struct version *v, struct err *err)
{
	_cleanup_free_ char *names = names_text(&v->names);
	bool current = v->state == VERSION_CURRENT && v->certificate_id;
	int64_t rev = 0;

	if (current && sql_exec(tx, VERSION_REPLACE, SQL_VALUES(SQL_TEXT(v->certificate_id)), NULL, err) < 0)
		return err_wrap(err, "could not replace the version of certificate '%s'", v->certificate_id);
	if (sql_exec(tx, VERSION_ADD,
		     SQL_VALUES(SQL_TEXT(v->id), SQL_TEXT(v->certificate_id), SQL_TEXT(v->order_id), SQL_TEXT(v->key_id),
				SQL_TEXT(version_state_text(v->state)), SQL_TEXT(v->serial), SQL_TEXT(v->subject),
				SQL_TEXT(v->issuer), SQL_TEXT(names), SQL_TEXT(v->fingerprint), SQL_TEXT(v->public_hash),
				SQL_TEXT(v->key_type), SQL_INT(v->not_before_ms), SQL_INT(v->not_after_ms), SQL_TEXT(v->chain),
				SQL_TEXT(v->reason), SQL_INT(v->created_ms)),
		     NULL, err) < 0)
		return err_wrap(err, "could not store the certificate with serial '%s'", v->serial);
	if (current && point_to(tx, v, &rev, err) < 0)
		return -(int)err->code;
	if (v->certificate_id)
		store_touch(tx, "certificate", v->certificate_id, rev);
	return 0;
}

int store_version_count(struct sql *q, const char *certificate_id, int64_t since_ms, int64_t *ret, struct err *err)
{
	return sql_int(q, VERSION_COUNT, SQL_VALUES(SQL_TEXT(certificate_id), SQL_INT(since_ms)), ret, err);
}

int store_version_revoked(struct sql *tx, const char *id, int64_t now_ms, struct err *err)
{
	if (sql_exec(tx, VERSION_REVOKED, SQL_VALUES(SQL_TEXT(id), SQL_INT(now_ms)), NULL, err) < 0)
		return err_wrap(err, "could not note that certificate version '%s' was revoked", id);
	return 0;
}

int store_version_get(struct sql *q, const char *id, struct version *ret, struct err *err)
{
	return version_one(q, VERSION_GET, SQL_VALUES(SQL_TEXT(id)), "certificate version", id, ret, err);
}

int store_version_find_order(struct sql *q, const char *order_id, struct version *ret, struct err *err)
{
	return version_one(q, VERSION_OF_ORDER, SQL_VALUES(SQL_TEXT(order_id)), "certificate of order", order_id, ret, err);
}

int store_version_find_fingerprint(struct sql *q, const char *fingerprint, struct version *ret, struct err *err)
{
	return version_one(q, VERSION_BY_FINGERPRINT, SQL_VALUES(SQL_TEXT(fingerprint)), "certificate with fingerprint",
			   fingerprint, ret, err);
}

int store_version_list(struct sql *q, const char *certificate_id, struct version_list *ret, struct err *err)
{
	return version_fetch(q, VERSION_LIST, SQL_VALUES(SQL_TEXT(certificate_id)), 0, ret, err);
}
