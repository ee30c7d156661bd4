/* SPDX-License-Identifier: Apache-2.0 */
/*
 * expiry.c - how many live certificates expire in a span, from the counts that are kept by the hour (kept.h). What is left of an hour
 * at both ends is counted along an index.
 */
#include "store/expiry.h"

#include "store/lib.h"

static const char COUNTED[] =
	"SELECT COUNT(*), CAST(COALESCE(SUM(1 - managed), 0) AS BIGINT) FROM certificate"
	" WHERE deleted_ms = 0 AND not_after_ms >= $1 AND not_after_ms < $2";
static const char KEPT[] =
	"SELECT CAST(COALESCE(SUM(n), 0) AS BIGINT), CAST(COALESCE(SUM(CASE who WHEN 'watched' THEN n ELSE 0 END), 0) AS BIGINT) FROM kept"
	" WHERE what = 'expiry' AND hour >= $1 AND hour < $2";
static const char CERTIFICATES[] =
	"SELECT what, who, n FROM kept WHERE what IN ('certificate.managed', 'certificate.watched') AND hour = 0";

struct sums {
	int64_t all, unmanaged;
};

static int add_row(const struct row *r, void *arg, UNUSED struct err *err)
{
	struct sums *s = arg;

	s->all += row_int(r, 0);
	s->unmanaged += row_int(r, 1);
	return 0;
}

static int add(struct sql *q, const char *text, int64_t from, int64_t to, struct sums *s, struct err *err)
{
	if (from >= to)
		return 0;
	return sql_each(q, text, SQL_VALUES(SQL_INT(from), SQL_INT(to)), add_row, s, err) < 0 ? -(int)err->code : 0;
}

int store_expiry_count(struct sql *q, int64_t from_ms, int64_t to_ms, int64_t *ret_all, int64_t *ret_unmanaged, struct err *err)
{
	struct sums s = { 0 };
	int64_t first = from_ms / HOUR_MS + (from_ms % HOUR_MS > 0), last = to_ms / HOUR_MS; /* the whole hours between */

	if (first >= last ? add(q, COUNTED, from_ms, to_ms, &s, err) < 0 :
			    add(q, COUNTED, from_ms, first * HOUR_MS, &s, err) < 0 || add(q, KEPT, first, last, &s, err) < 0 ||
				    add(q, COUNTED, last * HOUR_MS, to_ms, &s, err) < 0)
		return err_wrap(err, "could not count what expires");
	*ret_all = s.all;
	*ret_unmanaged = s.unmanaged;
	return 0;
}

static int certificates_row(const struct row *r, void *arg, UNUSED struct err *err)
{
	struct certificate_counts *c = arg;
	int64_t n = row_int(r, 2);

	c->all += n;
	if (streq(row_text(r, 0), "certificate.managed"))
		c->managed += n;
	if (streq(row_text(r, 1), certificate_status_text(CERTIFICATE_REVOKED)))
		c->revoked += n;
	if (streq(row_text(r, 1), certificate_status_text(CERTIFICATE_SET_ASIDE)))
		c->set_aside += n;
	return 0;
}

int store_certificate_counts(struct sql *q, int64_t now_ms, struct certificate_counts *ret, struct err *err)
{
	struct certificate_counts c = { 0 };
	int64_t unmanaged;

	if (sql_each(q, CERTIFICATES, SQL_NONE, certificates_row, &c, err) < 0)
		return err_wrap(err, "could not count the certificates");
	if (store_expiry_count(q, now_ms, clock_add(now_ms, 30 * DAY_MS), &c.expiring, &unmanaged, err) < 0)
		return -(int)err->code;
	*ret = c;
	return 0;
}
