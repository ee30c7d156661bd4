/* SPDX-License-Identifier: Apache-2.0 */
/*
 * sql.c - the SQL core over the drivers: the four calls, columns, savepoints, the statement cache, a transaction's notes.
 */
#include "store/driver.h"

#include "base/crash.h"
#include "base/str.h"

static int run(struct sql *q, const char *text, struct sql_values v, int max, sql_row_fn *fn, void *arg, int64_t *ret_changed, struct err *err)
{
	if (FAIL_POINT("sql"))
		return err_set(err, ERR_BUSY, "the statement was made to fail");
	return q->driver->run(q, text, v, max, fn, arg, ret_changed, err);
}

int sql_exec(struct sql *q, const char *text, struct sql_values v, int64_t *ret_changed, struct err *err)
{
	int r = run(q, text, v, 0, NULL, NULL, ret_changed, err);

	return r < 0 ? r : 0;
}

int sql_one(struct sql *q, const char *text, struct sql_values v, sql_row_fn *fn, void *arg, struct err *err)
{
	int r = run(q, text, v, 1, fn, arg, NULL, err);

	if (r < 0)
		return r;
	return r ? 0 : err_set(err, ERR_NOT_FOUND, "no such object");
}

int sql_each(struct sql *q, const char *text, struct sql_values v, sql_row_fn *fn, void *arg, struct err *err)
{
	return run(q, text, v, 0, fn, arg, NULL, err);
}

static int int_row(const struct row *r, void *arg, UNUSED struct err *err)
{
	*(int64_t *)arg = row_int(r, 0);
	return 0;
}

int sql_int(struct sql *q, const char *text, struct sql_values v, int64_t *ret, struct err *err)
{
	return sql_one(q, text, v, int_row, ret, err);
}

static int any_row(UNUSED const struct row *r, UNUSED void *arg, UNUSED struct err *err)
{
	return 0;
}

int sql_exists(struct sql *q, const char *text, struct sql_values v, bool *ret, struct err *err)
{
	int r = run(q, text, v, 1, any_row, NULL, NULL, err);

	if (r < 0)
		return r;
	*ret = r > 0;
	return 0;
}

int sql_script(struct sql *q, const char *text, struct err *err)
{
	return q->driver->script(q, text, err);
}

/* Savepoints are named by depth, from a fixed list: their texts stay constants. */
#define SAVEPOINTS 6
static const struct {
	const char *begin, *release, *undo;
} savepoints[SAVEPOINTS + 1] = {
	{ "BEGIN", "COMMIT", "ROLLBACK" },
	{ "SAVEPOINT s1", "RELEASE SAVEPOINT s1", "ROLLBACK TO SAVEPOINT s1" },
	{ "SAVEPOINT s2", "RELEASE SAVEPOINT s2", "ROLLBACK TO SAVEPOINT s2" },
	{ "SAVEPOINT s3", "RELEASE SAVEPOINT s3", "ROLLBACK TO SAVEPOINT s3" },
	{ "SAVEPOINT s4", "RELEASE SAVEPOINT s4", "ROLLBACK TO SAVEPOINT s4" },
	{ "SAVEPOINT s5", "RELEASE SAVEPOINT s5", "ROLLBACK TO SAVEPOINT s5" },
	{ "SAVEPOINT s6", "RELEASE SAVEPOINT s6", "ROLLBACK TO SAVEPOINT s6" },
};

static int sql_begin_level(struct sql *q, int level, struct err *err)
{
	if (level == 0 && !q->read_only && q->driver->dialect == SQL_SQLITE)
		return sql_exec(q, "BEGIN IMMEDIATE", SQL_NONE, NULL, err);
	return sql_exec(q, savepoints[level].begin, SQL_NONE, NULL, err);
}

/* Undoing cannot be refused in a way the caller could use: what stays open is noticed by the transaction around it. */
static void sql_undo(struct sql *q, int level)
{
	struct err ignored = ERR_INIT;

	if (level == 0 && !q->driver->in_tx(q))
		return;
	if (sql_exec(q, savepoints[level].undo, SQL_NONE, NULL, &ignored) < 0)
		err_clear(&ignored);
	else if (level > 0 && sql_exec(q, savepoints[level].release, SQL_NONE, NULL, &ignored) < 0)
		err_clear(&ignored);
}

int sql_tx(struct sql *q, sql_tx_fn *fn, void *arg, struct err *err)
{
	int level = q->depth;
	size_t touches = q->notes.n_touches, counts = q->notes.n_counts, audits = q->notes.n_audits;
	struct numbers numbers = q->numbers;
	int r;

	if (level > SAVEPOINTS)
		return err_set(err, ERR_INTERNAL, "transactions are nested more than %d deep", SAVEPOINTS);
	if (sql_begin_level(q, level, err) < 0)
		return err_wrap(err, "could not begin a transaction");
	q->depth = level + 1;
	r = fn(q, arg, err);
	if (r >= 0 && level == 0)
		r = store_numbers_flush(q, err);
	if (r >= 0) {
		r = sql_exec(q, savepoints[level].release, SQL_NONE, NULL, err);
		if (r < 0)
			err_wrap(err, "could not commit");
	}
	q->depth = level;
	if (r < 0) {
		sql_undo(q, level);
		q->notes.n_touches = touches;
		q->notes.n_counts = counts;
		notes_cut_audits(&q->notes, audits);
		q->numbers = numbers;
		return r;
	}
	return 0;
}

bool row_is_null(const struct row *r, int column)
{
	return r->driver->is_null(r, column);
}

const char *row_text(const struct row *r, int column)
{
	return r->driver->is_null(r, column) ? NULL : r->driver->text(r, column);
}

char *row_text_dup(const struct row *r, int column)
{
	return xstrdup_null(row_text(r, column));
}

int64_t row_int(const struct row *r, int column)
{
	return r->driver->is_null(r, column) ? 0 : r->driver->integer(r, column);
}

bool row_bool(const struct row *r, int column)
{
	return row_int(r, column) != 0;
}

const void *row_blob(const struct row *r, int column, size_t *ret_n)
{
	const void *p;

	if (r->driver->is_null(r, column)) {
		*ret_n = 0;
		return NULL;
	}
	p = r->driver->blob(r, column, ret_n);
	return p ? p : ""; /* SQLite gives NULL for an empty blob */
}

int row_columns(const struct row *r)
{
	return r->driver->columns(r);
}

enum sql_dialect sql_dialect(const struct sql *q)
{
	return q->driver->dialect;
}

/* statement cache */

static uint64_t text_hash(const char *s)
{
	uint64_t h = UINT64_C(0xcbf29ce484222325);

	for (; *s; s++)
		h = (h ^ (unsigned char)*s) * UINT64_C(0x100000001b3);
	return h;
}

/* Another text may stand at the same address by now: only an equal one is taken from there. */
struct stmt *stmt_find(struct sql *q, const char *text)
{
	size_t at = (uintptr_t)text / 16 % STMT_RECENT;
	uint64_t h;

	if (q->recent[at].text == text && streq(q->recent[at].stmt->text, text))
		return q->recent[at].stmt;
	h = text_hash(text);
	for (struct stmt *s = q->stmts[h % STMT_BUCKETS]; s; s = s->next)
		if (s->hash == h && streq(s->text, text)) {
			q->recent[at].text = text;
			q->recent[at].stmt = s;
			return s;
		}
	return NULL;
}

struct stmt *stmt_add(struct sql *q, const char *text, void *handle)
{
	struct stmt *s = xcalloc(1, sizeof *s);
	struct stmt **bucket;

	if (q->n_stmts >= STMT_MAX)
		stmt_flush(q);
	s->hash = text_hash(text);
	s->text = xstrdup(text);
	s->handle = handle;
	bucket = &q->stmts[s->hash % STMT_BUCKETS];
	s->next = *bucket;
	*bucket = s;
	q->n_stmts++;
	return s;
}

void stmt_flush(struct sql *q)
{
	memset(q->recent, 0, sizeof q->recent);
	for (size_t i = 0; i < STMT_BUCKETS; i++) {
		struct stmt **at = &q->stmts[i];

		while (*at) {
			struct stmt *s = *at;

			if (s->busy) {
				at = &s->next;
				continue;
			}
			*at = s->next;
			q->driver->finalize(q, s->handle);
			free(s->text);
			free(s);
			q->n_stmts--;
		}
	}
}

void sql_close(struct sql *q)
{
	if (!q)
		return;
	stmt_flush(q);
	notes_done(&q->notes);
	q->driver->close(q);
}

/* notes */

void store_touch(struct sql *tx, const char *kind, const char *id, int64_t rev)
{
	struct notes *n = &tx->notes;
	struct touch *t;

	if (n->n_touches == n->cap_touches) {
		n->cap_touches = n->cap_touches ? 2 * n->cap_touches : 16;
		n->touches = xrealloc(n->touches, n->cap_touches * sizeof *n->touches);
	}
	t = &n->touches[n->n_touches++];
	memset(t, 0, sizeof *t);
	assert(strlen(kind) < sizeof t->kind);
	snprintf(t->kind, sizeof t->kind, "%s", kind);
	t->rev = rev;
	if (id)
		snprintf(t->id, sizeof t->id, "%s", id);
}

void notes_cut_audits(struct notes *n, size_t to)
{
	while (n->n_audits > to)
		audit_done(&n->audits[--n->n_audits]);
}

void store_tell_audit(struct sql *tx, const struct audit *a)
{
	struct notes *n = &tx->notes;

	if (n->n_audits == n->cap_audits) {
		n->cap_audits = n->cap_audits ? 2 * n->cap_audits : 8;
		n->audits = xrealloc(n->audits, n->cap_audits * sizeof *n->audits);
	}
	audit_copy(&n->audits[n->n_audits++], a);
}

void store_count(struct sql *tx, const char *what, int64_t hour, const char *who, int64_t delta)
{
	struct notes *n = &tx->notes;
	struct count_note *c;

	if (n->n_counts == n->cap_counts) {
		n->cap_counts = n->cap_counts ? 2 * n->cap_counts : 16;
		n->counts = xrealloc(n->counts, n->cap_counts * sizeof *n->counts);
	}
	c = &n->counts[n->n_counts++];
	assert(strlen(what) < sizeof c->what && strlen(who) < sizeof c->who);
	*c = (struct count_note){ .hour = hour, .delta = delta };
	snprintf(c->what, sizeof c->what, "%s", what);
	snprintf(c->who, sizeof c->who, "%s", who);
}

static int touch_order(const void *pa, const void *pb)
{
	const struct touch *a = pa, *b = pb;
	int r = strcmp(a->kind, b->kind);

	if (!r)
		r = strcmp(a->id, b->id);
	return r ? r : (a->rev > b->rev) - (a->rev < b->rev);
}

size_t notes_merge_touches(struct notes *n)
{
	size_t out = 0;

	if (n->n_touches < 2)
		return n->n_touches;
	qsort(n->touches, n->n_touches, sizeof *n->touches, touch_order);
	for (size_t i = 0; i < n->n_touches; i++) { /* the last of equals has the highest rev */
		const struct touch *next = i + 1 < n->n_touches ? &n->touches[i + 1] : NULL;

		if (!next || !streq(next->kind, n->touches[i].kind) || !streq(next->id, n->touches[i].id))
			n->touches[out++] = n->touches[i];
	}
	if (out > STORE_TOUCHES_MAX) {
		size_t kinds = 0;

		for (size_t i = 0; i < out; i++) {
			if (kinds && streq(n->touches[kinds - 1].kind, n->touches[i].kind))
				continue;
			n->touches[kinds] = n->touches[i];
			n->touches[kinds].id[0] = 0;
			n->touches[kinds].rev = 0;
			kinds++;
		}
		out = kinds;
	}
	n->n_touches = out;
	return out;
}

static int count_order(const void *pa, const void *pb)
{
	const struct count_note *a = pa, *b = pb;
	int r = strcmp(a->what, b->what);

	if (!r)
		r = (a->hour > b->hour) - (a->hour < b->hour);
	return r ? r : strcmp(a->who, b->who);
}

void notes_merge_counts(struct notes *n)
{
	size_t out = 0;

	if (!n->n_counts)
		return;
	qsort(n->counts, n->n_counts, sizeof *n->counts, count_order);
	for (size_t i = 0; i < n->n_counts;) {
		struct count_note sum = n->counts[i++];

		while (i < n->n_counts && !count_order(&n->counts[i], &sum))
			sum.delta += n->counts[i++].delta;
		if (sum.delta)
			n->counts[out++] = sum;
	}
	n->n_counts = out;
}

void notes_done(struct notes *n)
{
	notes_cut_audits(n, 0);
	free(n->audits);
	free(n->touches);
	free(n->counts);
	memset(n, 0, sizeof *n);
}
