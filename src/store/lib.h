/* SPDX-License-Identifier: Apache-2.0 */
/* lib.h - small helps for the aggregates' files; for this folder only. */
#ifndef STORE_LIB_H
#define STORE_LIB_H

#include "model/certificate.h"
#include "store/store.h"

/* Reads an enum column with its table; an unknown text is an error that names it, never some other state. */
#define ROW_ENUM(name, r, column, ret, err)                                                                            \
	(name##_parse(row_text((r), (column)), (ret))                                                                  \
		 ? 0                                                                                                   \
		 : err_set((err), ERR_STORE, "database holds an unknown " #name " '%s'",                              \
			   row_text((r), (column)) ? row_text((r), (column)) : "(null)"))

/* A blob column into an owned copy. */
static inline void row_blob_dup(const struct row *r, int column, void **ret, size_t *ret_n)
{
	size_t n;
	const void *p = row_blob(r, column, &n);

	*ret = p ? xmemdup(p, n ? n : 1) : NULL;
	*ret_n = p ? n : 0;
}

static inline void row_names(const struct row *r, int column, struct strlist *ret)
{
	const char *text = row_text(r, column);

	names_from_text(ret, text ? text : "");
}

/* sql_one with "no such <kind> '<name>'" when there is none. */
static inline int one_named(struct sql *q, const char *text, struct sql_values v, sql_row_fn *fn, void *arg,
			    const char *kind, const char *name, struct err *err)
{
	if (sql_one(q, text, v, fn, arg, err) >= 0)
		return 0;
	if (err->code != ERR_NOT_FOUND)
		return err_wrap(err, "could not read %s '%s'", kind, name);
	err_clear(err);
	return err_set(err, ERR_NOT_FOUND, "no such %s '%s'", kind, name);
}

/* sql_exec that must change a row: NOT_FOUND, or what code says, otherwise. */
static inline int exec_named(struct sql *q, const char *text, struct sql_values v, enum err_code none, const char *kind,
			     const char *name, struct err *err)
{
	int64_t changed = 0;

	if (sql_exec(q, text, v, &changed, err) < 0)
		return err_wrap(err, "could not write %s '%s'", kind, name);
	if (changed)
		return 0;
	if (none == ERR_LOST_LEASE)
		return err_set(err, ERR_LOST_LEASE, "somebody else carries on with %s '%s'", kind, name);
	return err_set(err, none, "no such %s '%s'", kind, name);
}

/*
 * An UPDATE ... RETURNING rev that did not find its row: NOT_FOUND, or CHANGED when exists says that the object is there
 * (with another rev than the caller's). Sets *ret_rev otherwise.
 */
static inline int put_rev(struct sql *q, const char *text, struct sql_values v, const char *exists, const char *kind,
			  const char *id, int64_t *ret_rev, struct err *err)
{
	bool there = false;

	if (sql_int(q, text, v, ret_rev, err) >= 0)
		return 0;
	if (err->code != ERR_NOT_FOUND)
		return err_wrap(err, "could not write %s '%s'", kind, id);
	err_clear(err);
	if (sql_exists(q, exists, SQL_VALUES(SQL_TEXT(id)), &there, err) < 0)
		return err_wrap(err, "could not read %s '%s'", kind, id);
	if (!there)
		return err_set(err, ERR_NOT_FOUND, "no such %s '%s'", kind, id);
	return err_set(err, ERR_CHANGED, "%s '%s' was changed meanwhile", kind, id);
}

/* Bounds of the first page: before everything when descending, after nothing when ascending. */
static inline int64_t page_key_desc(const struct page *p)
{
	return p->started ? p->after_key : INT64_MAX;
}

static inline int64_t page_key_asc(const struct page *p)
{
	return p->started ? p->after_key : INT64_MIN;
}

/* Of lists that go both ways. */
static inline int64_t page_key(const struct page *p)
{
	return p->order == PAGE_NEWEST ? page_key_desc(p) : page_key_asc(p);
}

/* The two texts of such a list, by page.order: $1 and $2 the item seen last, $3 how many, from $4 on what where asks for. */
#define LISTED_BY(time, columns, from, where)                                                                          \
	{                                                                                                              \
		"SELECT " columns " FROM " from " WHERE " where " AND (" time ", id) < ($1, $2) ORDER BY " time " DESC, id DESC LIMIT $3", \
		"SELECT " columns " FROM " from " WHERE " where " AND (" time ", id) > ($1, $2) ORDER BY " time ", id LIMIT $3",           \
	}
#define LISTED(columns, from, where) LISTED_BY("created_ms", columns, from, where)

/* What lists go by that are ordered by names: their beginning, of at most PAGE_TEXT_MAX bytes; behind it the number decides. */
#define NAMES_KEY "substr(names, 1, 60)"

static inline const char *page_text(const struct page *p)
{
	return p->started && p->after_text ? p->after_text : "";
}

static inline const char *page_id(const struct page *p)
{
	return p->started && p->after_id ? p->after_id : "";
}

/* Collects rows into a list by its type's from_row. */
#define DEFINE_COLLECT(T)                                                                                              \
	static UNUSED int T##_collect(const struct row *r, void *arg, struct err *err)                                 \
	{                                                                                                              \
		struct T##_list *l = arg;                                                                              \
		int rc = T##_from_row(r, T##_list_add(l), err);                                                        \
                                                                                                                       \
		if (rc < 0)                                                                                            \
			T##_list_cut(l);                                                                               \
		return rc;                                                                                             \
	}                                                                                                              \
	/* The whole answer, of which more than limit (0 = none) only says that there is more. */                     \
	static UNUSED int T##_fetch(struct sql *q, const char *text, struct sql_values v, int limit,                  \
				    struct T##_list *ret, struct err *err)                                            \
	{                                                                                                              \
		T##_list_done(ret);                                                                                    \
		if (sql_each(q, text, v, T##_collect, ret, err) < 0) {                                                 \
			T##_list_done(ret);                                                                            \
			return err_wrap(err, "could not list rows of " #T);                                            \
		}                                                                                                      \
		ret->more = limit && ret->n > (size_t)limit;                                                           \
		if (ret->more)                                                                                         \
			T##_list_cut(ret);                                                                             \
		return 0;                                                                                              \
	}                                                                                                              \
	/* Reads one row into an empty struct; *ret is untouched on failure. */                                       \
	static UNUSED int T##_one(struct sql *q, const char *text, struct sql_values v, const char *kind,             \
				  const char *name, struct T *ret, struct err *err)                                   \
	{                                                                                                              \
		struct T got = { 0 };                                                                                  \
		int rc = one_named(q, text, v, T##_row_fn, &got, kind, name, err);                                     \
                                                                                                                       \
		if (rc < 0)                                                                                            \
			T##_done(&got);                                                                                \
		else                                                                                                   \
			*ret = got;                                                                                    \
		return rc;                                                                                             \
	}

/* sql_row_fn around T_from_row. */
#define DEFINE_ROW_FN(T)                                                                                               \
	static UNUSED int T##_row_fn(const struct row *r, void *arg, struct err *err)                                  \
	{                                                                                                              \
		return T##_from_row(r, arg, err);                                                                      \
	}

struct num_text {
	char s[24];
};

static inline struct num_text num_text(int64_t n)
{
	struct num_text t;

	snprintf(t.s, sizeof t.s, "%" PRId64, n);
	return t;
}

/* For prune functions: how many rows went. */
static inline int prune(struct sql *tx, const char *text, struct sql_values v, int64_t *ret_n, const char *kind,
			struct err *err)
{
	int64_t changed = 0;

	if (sql_exec(tx, text, v, &changed, err) < 0)
		return err_wrap(err, "could not prune old rows of %s", kind);
	if (ret_n)
		*ret_n = changed;
	return 0;
}

#endif
