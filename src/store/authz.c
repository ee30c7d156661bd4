/* SPDX-License-Identifier: Apache-2.0 */
/* authz.c - authorizations of an order (RFC 8555 7.1.4), one row per identifier. */
#include "store/authz.h"

#include "store/lib.h"

#define COLUMNS                                                                                                        \
	"id, order_id, identifier, wildcard, url, status, challenge_url, challenge_status, token, record_id, accepted,"       \
	" expires_ms, reason, position"

static const char AUTHZ_PUT[] =
	"INSERT INTO authz (" COLUMNS ") VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14)"
	" ON CONFLICT (order_id, identifier, wildcard) DO UPDATE SET url = $5, status = $6, challenge_url = $7,"
	" challenge_status = $8, token = $9, record_id = $10, accepted = $11, expires_ms = $12, reason = $13, position = $14"
	" RETURNING id";
static const char AUTHZ_NEEDED[] =
	"SELECT 1 FROM orders o JOIN authz a ON a.order_id = o.id WHERE o.account_id = $1 AND o.ended_ms = 0 AND a.url = $2"
	" AND a.status = 'pending'";
static const char AUTHZ_LIST[] = "SELECT " COLUMNS " FROM authz WHERE order_id = $1 ORDER BY position, id";

static int authz_from_row(const struct row *r, struct authz *a, struct err *err)
{
	a->id = row_text_dup(r, 0);
	a->order_id = row_text_dup(r, 1);
	a->identifier = row_text_dup(r, 2);
	a->wildcard = row_bool(r, 3);
	a->url = row_text_dup(r, 4);
	a->challenge_url = row_text_dup(r, 6);
	a->token = row_text_dup(r, 8);
	a->record_id = row_text_dup(r, 9);
	a->accepted = row_bool(r, 10);
	a->expires_ms = row_int(r, 11);
	a->reason = row_text_dup(r, 12);
	a->position = row_int(r, 13);
	if (ROW_ENUM(authz_status, r, 5, &a->status, err) < 0 ||
	    (!row_is_null(r, 7) && ROW_ENUM(challenge_status, r, 7, &a->challenge_status, err) < 0))
		return err_wrap(err, "could not read the authorization of '%s'", a->identifier);
	return 0;
}

DEFINE_ROW_FN(authz)
DEFINE_COLLECT(authz)

static int id_row(const struct row *r, void *arg, UNUSED struct err *err)
{
	replace_str(arg, row_text(r, 0));
	return 0;
}

int store_authz_put(struct sql *tx, struct authz *a, struct err *err)
{
	_cleanup_free_ char *id = NULL;

	if (sql_one(tx, AUTHZ_PUT,
		    SQL_VALUES(SQL_TEXT(a->id), SQL_TEXT(a->order_id), SQL_TEXT(a->identifier), SQL_BOOL(a->wildcard),
			       SQL_TEXT(a->url), SQL_TEXT(authz_status_text(a->status)), SQL_TEXT(a->challenge_url),
			       SQL_TEXT(a->challenge_url ? challenge_status_text(a->challenge_status) : NULL),
			       SQL_TEXT(a->token), SQL_TEXT(a->record_id), SQL_BOOL(a->accepted), SQL_INT(a->expires_ms),
			       SQL_TEXT(a->reason), SQL_INT(a->position)),
		    id_row, &id, err) < 0)
		return err_wrap(err, "could not store the authorization of '%s'", a->identifier);
	replace_str(&a->id, id);
	return 0;
}

int store_authz_list(struct sql *q, const char *order_id, struct authz_list *ret, struct err *err)
{
	return authz_fetch(q, AUTHZ_LIST, SQL_VALUES(SQL_TEXT(order_id)), 0, ret, err);
}

int store_authz_needed(struct sql *q, const char *account_id, const char *url, bool *ret, struct err *err)
{
	return sql_exists(q, AUTHZ_NEEDED, SQL_VALUES(SQL_TEXT(account_id), SQL_TEXT(url)), ret, err);
}
