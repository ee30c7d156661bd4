/* SPDX-License-Identifier: Apache-2.0 */
/* rate.c - see rate.h. */
#include "store/rate.h"

#include "store/lib.h"

static const char RATE_GET[] = "SELECT level, at_ms FROM rate_bucket WHERE name = $1";
static const char RATE_PUT[] = "INSERT INTO rate_bucket (name, level, at_ms, full_ms) VALUES ($1, $2, $3, $4)"
			       " ON CONFLICT (name) DO UPDATE SET level = $2, at_ms = $3, full_ms = $4";
static const char RATE_PRUNE[] = "DELETE FROM rate_bucket WHERE full_ms < $1";

static int bucket_row(const struct row *r, void *arg, UNUSED struct err *err)
{
	*(struct rate_bucket *)arg = (struct rate_bucket){ row_int(r, 0), row_int(r, 1) };
	return 0;
}

static int put(struct sql *tx, const struct rate_claim *c, const struct rate_bucket *b, int64_t now_ms, struct err *err)
{
	int64_t burst = 1000 * (int64_t)(c->rate.burst ? c->rate.burst : c->rate.number);
	int64_t full_ms = now_ms + (burst - b->level) * c->rate.period_ms / (1000 * (int64_t)c->rate.number) + 1;

	return sql_exec(tx, RATE_PUT, SQL_VALUES(SQL_TEXT(c->name), SQL_INT(b->level), SQL_INT(b->at_ms), SQL_INT(full_ms)), NULL, err);
}

int store_rate_claim(struct sql *tx, struct rate_claim *v, size_t n, int64_t now_ms, int64_t *ret_wait_ms, struct err *err)
{
	_cleanup_free_ struct rate_bucket *b = n ? xcalloc(n, sizeof *b) : NULL;

	*ret_wait_ms = 0;
	for (size_t i = 0; i < n; i++) {
		if (sql_each(tx, RATE_GET, SQL_VALUES(SQL_TEXT(v[i].name)), bucket_row, &b[i], err) < 0)
			return err_wrap(err, "could not read the bucket '%s'", v[i].name);
		rate_fill(&b[i], v[i].rate, now_ms);
		v[i].wait_ms = rate_wait(&b[i], v[i].rate);
		*ret_wait_ms = MAX(*ret_wait_ms, v[i].wait_ms);
	}
	for (size_t i = 0; i < n && !*ret_wait_ms; i++) {
		if (!v[i].take)
			continue;
		rate_take(&b[i]);
		if (put(tx, &v[i], &b[i], now_ms, err) < 0)
			return err_wrap(err, "could not store the bucket '%s'", v[i].name);
	}
	return 0;
}

int store_rate_prune(struct sql *tx, int64_t now_ms, int64_t *ret_n, struct err *err)
{
	return sql_exec(tx, RATE_PRUNE, SQL_VALUES(SQL_INT(now_ms)), ret_n, err);
}
