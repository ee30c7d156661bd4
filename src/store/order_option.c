/* SPDX-License-Identifier: Apache-2.0 */
/* order_option.c - see order_option.h. */
#include "store/order_option.h"

#include "store/lib.h"

#define COLUMNS "o.profile_fallback, o.profile_dropped, o.preferred_chain, o.not_after_ms"

static const char OPTION_ADD[] = "INSERT INTO order_option (order_id, profile_fallback, profile_dropped, preferred_chain, not_after_ms)"
				 " VALUES ($1, $2, $3, $4, $5)";
static const char OPTION_GET[] = "SELECT " COLUMNS " FROM order_option o WHERE o.order_id = $1";
static const char OPTION_OF_CERTIFICATE[] =
	"SELECT " COLUMNS " FROM order_option o JOIN orders r ON r.id = o.order_id WHERE r.certificate_id = $1"
	" ORDER BY r.created_ms DESC, r.id DESC LIMIT 1";
static const char OPTION_DROP_PROFILE[] = "UPDATE order_option SET profile_dropped = 1 WHERE order_id = $1";

static int option_row(const struct row *r, void *arg, UNUSED struct err *err)
{
	struct order_options *o = arg;

	order_options_done(o);
	o->profile_fallback = row_bool(r, 0);
	o->profile_dropped = row_bool(r, 1);
	o->preferred_chain = row_text_dup(r, 2);
	o->not_after_ms = row_int(r, 3);
	return 0;
}

int store_order_options_add(struct sql *tx, const char *order_id, const struct order_options *o, struct err *err)
{
	if (!o->profile_fallback && !o->preferred_chain && !o->not_after_ms)
		return 0;
	if (sql_exec(tx, OPTION_ADD,
		     SQL_VALUES(SQL_TEXT(order_id), SQL_INT(o->profile_fallback), SQL_INT(o->profile_dropped), SQL_TEXT(o->preferred_chain),
				SQL_INT(o->not_after_ms)),
		     NULL, err) < 0)
		return err_wrap(err, "could not store the options of order '%s'", order_id);
	return 0;
}

int store_order_options_get(struct sql *q, const char *order_id, struct order_options *ret, struct err *err)
{
	if (sql_each(q, OPTION_GET, SQL_VALUES(SQL_TEXT(order_id)), option_row, ret, err) < 0)
		return err_wrap(err, "could not read the options of order '%s'", order_id);
	return 0;
}

int store_order_options_of_certificate(struct sql *q, const char *certificate_id, struct order_options *ret, struct err *err)
{
	if (sql_each(q, OPTION_OF_CERTIFICATE, SQL_VALUES(SQL_TEXT(certificate_id)), option_row, ret, err) < 0)
		return err_wrap(err, "could not read what was asked for with certificate '%s'", certificate_id);
	ret->not_after_ms = 0;
	ret->profile_dropped = false;
	return 0;
}

int store_order_options_drop_profile(struct sql *tx, const char *order_id, struct err *err)
{
	if (sql_exec(tx, OPTION_DROP_PROFILE, SQL_VALUES(SQL_TEXT(order_id)), NULL, err) < 0)
		return err_wrap(err, "could not note that order '%s' goes without its profile", order_id);
	return 0;
}
