/* SPDX-License-Identifier: Apache-2.0 */
/* expiry.c - how many live certificates expire in a span. Both counts are read from a partial index, not from the rows. */
#include "store/expiry.h"

#include "store/lib.h"

static const char EXPIRY_COUNT[] = "SELECT count(*) FROM certificate WHERE deleted_ms = 0 AND not_after_ms >= $1 AND not_after_ms < $2";
static const char EXPIRY_COUNT_UNMANAGED[] =
	"SELECT count(*) FROM certificate WHERE deleted_ms = 0 AND managed = 0 AND not_after_ms >= $1 AND not_after_ms < $2";

int store_expiry_count(struct sql *q, int64_t from_ms, int64_t to_ms, int64_t *ret_all, int64_t *ret_unmanaged, struct err *err)
{
	struct sql_values span = SQL_VALUES(SQL_INT(from_ms), SQL_INT(to_ms));

	if (sql_int(q, EXPIRY_COUNT, span, ret_all, err) < 0)
		return -(int)err->code;
	return sql_int(q, EXPIRY_COUNT_UNMANAGED, span, ret_unmanaged, err);
}
