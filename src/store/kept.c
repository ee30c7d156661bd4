/* SPDX-License-Identifier: Apache-2.0 */
/* kept.c - see kept.h. The notes of a transaction are kept by sql.c. */
#include "store/kept.h"

#include "store/driver.h"

#define MEND_BATCH 500    /* differences mended in one write: it holds up no other */
#define MEND_MOST 50000   /* differences looked at in one go; more come in the next */

static const char ADD[] = "INSERT INTO kept (what, hour, who, n) VALUES ($1, $2, $3, $4)"
			  " ON CONFLICT (what, hour, who) DO UPDATE SET n = kept.n + $4";
static const char GET[] = "SELECT n FROM kept WHERE what = $1 AND hour = $2 AND who = $3";
/* The listed exception: the whole of both tables, once a night. "mends" stands on one side only: it comes as minus its value. */
static const char DIFFERENCES[] =
	"WITH c AS (SELECT managed, status, not_after_ms / 3600000 AS hour, COUNT(*) AS n FROM certificate WHERE deleted_ms = 0"
	" GROUP BY not_after_ms / 3600000, managed, status)"
	" SELECT what, hour, who, CAST(SUM(n) AS BIGINT) FROM ("
	" SELECT 'order.' || status AS what, 0 AS hour, account_id AS who, COUNT(*) AS n FROM orders WHERE deleted_ms = 0"
	" GROUP BY 'order.' || status, account_id"
	" UNION ALL SELECT CASE managed WHEN 1 THEN 'certificate.managed' ELSE 'certificate.watched' END, 0, status, SUM(n)"
	" FROM c GROUP BY managed, status"
	" UNION ALL SELECT 'expiry', hour, CASE managed WHEN 1 THEN 'managed' ELSE 'watched' END, SUM(n) FROM c GROUP BY managed, hour"
	" UNION ALL SELECT what, hour, who, -n FROM kept"
	") AS both_sides GROUP BY what, hour, who HAVING SUM(n) <> 0 ORDER BY what = 'mends' DESC, what, hour, who LIMIT $1";
static const char MY_TURN[] = "UPDATE kept SET n = n + 1 WHERE what = 'mends' AND hour = 0 AND who = '' AND n = $1";
static const char ANY_ZERO[] = "SELECT 1 FROM kept WHERE what = 'expiry' AND n = 0 LIMIT 1";
static const char SWEEP[] = "DELETE FROM kept WHERE what = 'expiry' AND n = 0";

int store_counts_flush(struct sql *tx, struct err *err)
{
	struct notes *n = &tx->notes;

	notes_merge_counts(n); /* in the order of names: two transactions cannot wait for each other */
	for (size_t i = 0; i < n->n_counts; i++) {
		const struct count_note *c = &n->counts[i];

		if (sql_exec(tx, ADD, SQL_VALUES(SQL_TEXT(c->what), SQL_INT(c->hour), SQL_TEXT(c->who), SQL_INT(c->delta)), NULL, err) < 0)
			return err_wrap(err, "could not keep the count of '%s'", c->what);
	}
	n->n_counts = 0;
	return 0;
}

int store_count_get(struct sql *q, const char *what, int64_t hour, const char *who, int64_t *ret, struct err *err)
{
	int64_t n = 0;

	if (sql_int(q, GET, SQL_VALUES(SQL_TEXT(what), SQL_INT(hour), SQL_TEXT(who)), &n, err) < 0) {
		if (err->code != ERR_NOT_FOUND)
			return err_wrap(err, "could not read the count of '%s'", what);
		err_clear(err);
	}
	*ret = n;
	return 0;
}

/* ---- counted against kept ---- */

struct differences {
	struct count_note *v;
	size_t n, cap, done;
	int64_t mends; /* what the counter of mendings said in the same snapshot */
	bool mine;     /* nobody mended meanwhile */
	bool zeros;    /* there are rows of hours at which nothing expires any more */
};

static int difference_row(const struct row *r, void *arg, UNUSED struct err *err)
{
	struct differences *d = arg;
	struct count_note *c;

	if (streq(row_text(r, 0), "mends")) {
		d->mends = -row_int(r, 3);
		return 0;
	}
	if (d->n == d->cap) {
		d->cap = d->cap ? 2 * d->cap : 64;
		d->v = xrealloc(d->v, d->cap * sizeof *d->v);
	}
	c = &d->v[d->n++];
	*c = (struct count_note){ .hour = row_int(r, 1), .delta = row_int(r, 3) };
	snprintf(c->what, sizeof c->what, "%s", row_text(r, 0));
	snprintf(c->who, sizeof c->who, "%s", row_text(r, 2));
	return 0;
}

static int differences_tx(struct sql *q, void *arg, struct err *err)
{
	struct differences *d = arg;

	d->n = 0;
	if (sql_each(q, DIFFERENCES, SQL_VALUES(SQL_INT(MEND_MOST)), difference_row, d, err) < 0)
		return -(int)err->code;
	return sql_exists(q, ANY_ZERO, SQL_NONE, &d->zeros, err);
}

static int mend_tx(struct sql *tx, void *arg, struct err *err)
{
	struct differences *d = arg;
	int64_t turn = 0;

	if (sql_exec(tx, MY_TURN, SQL_VALUES(SQL_INT(d->mends)), &turn, err) < 0)
		return -(int)err->code;
	d->mine = turn == 1;
	for (size_t i = d->done; d->mine && i < MIN(d->n, d->done + MEND_BATCH); i++)
		store_count(tx, d->v[i].what, d->v[i].hour, d->v[i].who, d->v[i].delta);
	return 0;
}

static int sweep_tx(struct sql *tx, UNUSED void *arg, struct err *err)
{
	return sql_exec(tx, SWEEP, SQL_NONE, NULL, err);
}

int store_kept_mend(struct store *s, struct kept_mended *ret, struct err *err)
{
	struct differences d = { .mine = true };
	int r = store_read(s, differences_tx, &d, err);

	for (; r >= 0 && d.done < d.n && d.mine; d.done += MEND_BATCH, d.mends++)
		r = store_write(s, mend_tx, &d, err);
	if (r >= 0 && d.zeros)
		r = store_write(s, sweep_tx, NULL, err);
	*ret = (struct kept_mended){ .rows = d.mine ? d.n : 0 };
	if (ret->rows)
		snprintf(ret->first, sizeof ret->first, "%s of %s was kept %" PRId64 " too %s", d.v[0].what, d.v[0].who,
			 d.v[0].delta > 0 ? d.v[0].delta : -d.v[0].delta, d.v[0].delta > 0 ? "low" : "high");
	free(d.v);
	return r < 0 ? err_wrap(err, "could not compare the kept counts with what there is") : 0;
}
