/* SPDX-License-Identifier: Apache-2.0 */
/* search.c - see search.h. */
#include "store/search.h"

#include "base/buf.h"
#include "store/lib.h"
#include "store/name_block.h"
#include "store/rare_part.h"

void search_page_done(struct search_page *p)
{
	strlist_clear(&p->ids);
	free(p->id);
	*p = (struct search_page){ 0 };
}

/*
 * $1 the tag asked for (or NULL), $2 the key to go on behind, $3 how many rows, $4 and $5 whether vendor and waiting are asked for (a row
 * that is only walked over is not looked up elsewhere), $6 what the index is asked for
 */
#define WALK(from, where, order)                                                                                       \
	"SELECT c.id, c.num, c.names, c.key_type, c.status, c.managed, c.source, c.owner, c.not_before_ms, c.not_after_ms,"    \
	" CASE WHEN $4 = 1 THEN (SELECT a.vendor FROM account a WHERE a.id = c.account_id) END,"                              \
	" CASE WHEN CAST($1 AS TEXT) IS NOT NULL AND EXISTS (SELECT 1 FROM certificate_tag g WHERE g.certificate_id = c.id AND g.tag = $1) THEN 1 ELSE 0 END," \
	" CASE WHEN $5 = 1 THEN (SELECT r.install_since_ms FROM renewal r WHERE r.certificate_id = c.id) END"                 \
	" FROM " from " WHERE c.deleted_ms = 0 AND " where " ORDER BY " order " LIMIT $3"
#define NEWEST "c.num < $2"
#define PHRASE_MAX 20

static const char BY_NUMBER[] = WALK("certificate c", NEWEST, "c.num DESC");
static const char BY_RANGE[] = WALK("certificate c", "c.num >= $6 AND " NEWEST, "c.num DESC");
static const char BY_ID[] = WALK("certificate c", "c.id = $6 AND " NEWEST, "c.num DESC");
static const char BY_TAG[] =
	WALK("certificate_tag t CROSS JOIN certificate c", "t.tag = $6 AND t.num < $2 AND c.num = t.num", "t.num DESC");
static const char BY_OWNER[] = WALK("certificate c", "c.owner = $6 AND c.owner IS NOT NULL AND " NEWEST, "c.num DESC");
static const char BY_ACCOUNT[] = WALK("certificate c", "c.account_id = $6 AND c.account_id IS NOT NULL AND " NEWEST, "c.num DESC");
static const char BY_STATUS[] = WALK("certificate c", "c.status = $6 AND c.status <> 'active' AND " NEWEST, "c.num DESC");
static const char BY_KEY[] = WALK("certificate c", "c.key_type = $6 AND " NEWEST, "c.num DESC");
static const char BY_SOURCE[] = WALK("certificate c", "c.source = $6 AND " NEWEST, "c.num DESC");
static const char BY_EXPIRY[] =
	WALK("certificate c", "(c.not_after_ms, c.id) > ($2, $6) AND c.not_after_ms < $7", "c.not_after_ms, c.id");
/* The listed exception: substrings. */
static const char *const BY_NAME[] = {
	[SQL_SQLITE] = WALK("certificate_names f CROSS JOIN certificate c",
			    "certificate_names MATCH $6 AND f.rowid < $2 AND c.num = f.rowid", "f.rowid DESC"),
	[SQL_PGSQL] = WALK("certificate c", "c.names LIKE $6 AND " NEWEST, "c.num DESC"),
};
/* How many rows such an index leaves, as far as $2: what leaves few is walked along, whatever else is asked. */
#define FEW_MAX (STORE_SEARCH_WALK / 4)
#define COUNT(from, where) "SELECT 1 FROM " from " WHERE " where " LIMIT $2"
static const char COUNT_TAG[] = COUNT("certificate_tag t", "t.tag = $1");
static const char COUNT_OWNER[] = COUNT("certificate c", "c.deleted_ms = 0 AND c.owner = $1 AND c.owner IS NOT NULL");
static const char COUNT_STATUS[] = COUNT("certificate c", "c.deleted_ms = 0 AND c.status = $1 AND c.status <> 'active'");
static const char COUNT_KEY[] = COUNT("certificate c", "c.deleted_ms = 0 AND c.key_type = $1");
static const char COUNT_SOURCE[] = COUNT("certificate c", "c.deleted_ms = 0 AND c.source = $1");
static const char ACCOUNTS[] = "SELECT id FROM account WHERE vendor = $1 ORDER BY id LIMIT 2";

struct expiring {
	int64_t not_after_ms;
	char *id;
};

struct walk {
	const struct search *search;
	struct expiring *all; /* by expiry along another index: all that match, to be put in order */
	size_t n_all, cap_all;
	bool by_expiry, by_tag; /* the index that is walked along: all of its rows have the tag */
	int limit, seen, most; /* most: rows that are walked over in a call */
	int64_t now_ms;
	struct search_page *page;
	int64_t last_key;
	char *last_id;
};

static void expiring_add(struct walk *w, int64_t not_after_ms, const char *id)
{
	if (w->n_all == w->cap_all) {
		w->cap_all *= 2;
		w->all = xrealloc(w->all, w->cap_all * sizeof *w->all);
	}
	w->all[w->n_all++] = (struct expiring){ not_after_ms, xstrdup(id) };
}

static int walk_row(const struct row *r, void *arg, struct err *err)
{
	struct walk *w = arg;
	const struct search_subject c = {
		.names = row_text(r, 2), .key_type = row_text(r, 3), .status = row_text(r, 4), .managed = row_bool(r, 5), .source = row_text(r, 6),
		.owner = row_text(r, 7), .not_before_ms = row_int(r, 8), .not_after_ms = row_int(r, 9), .vendor = row_text(r, 10),
		.tagged = w->by_tag || row_bool(r, 11), .waiting = row_int(r, 12) > 0,
	};

	(void)err;
	w->seen++;
	if (w->all) {
		if (search_matches(w->search, &c, w->now_ms))
			expiring_add(w, c.not_after_ms, row_text(r, 0));
		return 0;
	}
	if (search_matches(w->search, &c, w->now_ms)) {
		if (w->page->ids.n == (size_t)w->limit) {
			w->page->more = true; /* one more than wanted was found */
			return SQL_ENOUGH;
		}
		strlist_add(&w->page->ids, row_text(r, 0));
	}
	w->last_key = w->by_expiry ? c.not_after_ms : row_int(r, 1);
	replace_str(&w->last_id, row_text(r, 0));
	return 0;
}

/*
 * The longest text that every match has in its names; of a whole name its beginning, where names differ: each trigram more is another list
 * of a million rows to walk along, and the whole is judged anyway.
 */
static char *longest(const struct search *s)
{
	const char *best = s->name;
	size_t n;

	for (size_t i = 0; i < s->words.n; i++)
		if (!best || strlen(s->words.v[i]) > strlen(best))
			best = s->words.v[i];
	if (!best || strlen(best) < 3)
		return NULL;
	n = strlen(best);
	if (best == s->name && n > PHRASE_MAX)
		for (n = PHRASE_MAX; n > 3 && ((unsigned char)best[n] & 0xc0) == 0x80;) /* no character is cut */
			n--;
	return xstrndup(best, n);
}

/* As a phrase of the trigram index: '"' is doubled; as a LIKE pattern: '\\', '%' and '_' are escaped. */
char *store_search_pattern(enum sql_dialect d, const char *text)
{
	struct buf b = BUF_MAX(4096);
	const char *special = d == SQL_SQLITE ? "\"" : "\\%_";

	buf_add_char(&b, d == SQL_SQLITE ? '"' : '%');
	for (; *text; text++) {
		if (strchr(special, *text))
			buf_add_char(&b, d == SQL_SQLITE ? '"' : '\\');
		buf_add_char(&b, *text);
	}
	buf_add_char(&b, d == SQL_SQLITE ? '"' : '%');
	return buf_take(&b);
}

char *store_text_pattern(const char *text)
{
	struct buf b = BUF_MAX(4096);

	buf_add_char(&b, '%');
	for (; *text; text++) {
		if (strchr("!%_", *text))
			buf_add_char(&b, '!');
		buf_add_char(&b, *text);
	}
	buf_add_char(&b, '%');
	return buf_take(&b);
}

static int collect_id(const struct row *r, void *arg, struct err *err)
{
	(void)err;
	strlist_add(arg, row_text(r, 0));
	return 0;
}

static const char *status_column(enum search_status s)
{
	return s == SEARCH_REVOKED ? "revoked" : s == SEARCH_SET_ASIDE ? "set-aside" : NULL;
}

struct plan {
	const char *text;
	char *value; /* $6; NULL = has none */
};

static int only_counted(UNUSED const struct row *r, UNUSED void *arg, UNUSED struct err *err)
{
	return 0;
}

/* The first of the indexes asked for that leaves few rows: walked along to its end it costs next to nothing. */
static int choose_few(struct sql *q, const struct search *s, struct plan *ret, struct err *err)
{
	const struct {
		const char *value, *count, *walk;
	} asked[] = {
		{ s->tag, COUNT_TAG, BY_TAG },	{ s->owner, COUNT_OWNER, BY_OWNER },	{ status_column(s->status), COUNT_STATUS, BY_STATUS },
		{ s->key, COUNT_KEY, BY_KEY },	{ s->source, COUNT_SOURCE, BY_SOURCE },
	};
	for (size_t i = 0; i < ARRAY_SIZE(asked) && !ret->text; i++) {
		int n;

		if (!asked[i].value)
			continue;
		n = sql_each(q, asked[i].count, SQL_VALUES(SQL_TEXT(asked[i].value), SQL_INT(FEW_MAX)), only_counted, NULL, err);
		if (n < 0)
			return n;
		if (n < FEW_MAX)
			*ret = (struct plan){ asked[i].walk, xstrdup(asked[i].value) };
	}
	return 0;
}

static int choose_name(struct sql *q, const char *text, int64_t before, struct plan *ret, struct err *err)
{
	enum sql_dialect d = sql_dialect(q);
	_cleanup_free_ char *part = NULL;

	if (d == SQL_SQLITE && store_rare_part(q, text, before, STORE_SEARCH_WALK, &part, err) < 0)
		return -(int)err->code;
	*ret = (struct plan){ BY_NAME[d], store_search_pattern(d, part ? part : text) };
	return 0;
}

/* The index that leaves the fewest rows, as far as that can be told, by the kind of the question. */
static int choose(struct sql *q, const struct search *s, const char *text, int64_t before, struct plan *ret, bool *none, struct err *err)
{
	_cleanup_strlist_ struct strlist accounts = { 0 };

	*none = false;
	if (text)
		return choose_name(q, text, before, ret, err);
	if (s->tag)
		*ret = (struct plan){ BY_TAG, xstrdup(s->tag) };
	else if (s->owner)
		*ret = (struct plan){ BY_OWNER, xstrdup(s->owner) };
	else if (status_column(s->status))
		*ret = (struct plan){ BY_STATUS, xstrdup(status_column(s->status)) };
	if (ret->text)
		return 0;
	if (s->vendor && sql_each(q, ACCOUNTS, SQL_VALUES(SQL_TEXT(s->vendor)), collect_id, &accounts, err) < 0)
		return -(int)err->code;
	*none = s->vendor && !accounts.n;
	if (accounts.n == 1)
		*ret = (struct plan){ BY_ACCOUNT, xstrdup(accounts.v[0]) };
	else if (s->key)
		*ret = (struct plan){ BY_KEY, xstrdup(s->key) };
	else if (s->source)
		*ret = (struct plan){ BY_SOURCE, xstrdup(s->source) };
	else
		*ret = (struct plan){ BY_NUMBER, NULL };
	return 0;
}

/* value: what the index is asked for, or NULL where it is asked for nothing. */
static int walk_along(struct sql *q, struct walk *w, const char *text, struct sql_value value, int64_t before, struct err *err)
{
	const struct search *s = w->search;
	const struct sql_value asked[] = { SQL_TEXT(w->by_tag ? NULL : s->tag), SQL_INT(before), SQL_INT(w->most - w->seen), SQL_INT(s->vendor != NULL),
					   SQL_INT(s->status == SEARCH_WAITING), value };

	return sql_each(q, text, (struct sql_values){ asked, value.type == SQL_TYPE_NULL ? 5 : 6 }, walk_row, w, err);
}

static int walk_range(struct sql *q, struct walk *w, int64_t from, int64_t before, struct err *err)
{
	return from >= before || w->page->more ? 0 : walk_along(q, w, BY_RANGE, SQL_INT(from), before, err);
}

/* What came since the last block, then the blocks in which the text can stand. */
static int walk_blocks(struct sql *q, struct walk *w, const struct name_blocks *b, int64_t before, struct err *err)
{
	int r = walk_range(q, w, b->from, before, err);

	for (int i = 0; i < b->n && r >= 0; i++)
		r = walk_range(q, w, b->first[i], MIN(before, b->first[i] + NAME_BLOCK), err);
	return r;
}

/* An index that leaves few rows, or the blocks a text can stand in: what costs little to walk along to its end. */
struct few {
	struct plan plan; /* text NULL: none */
	bool in_blocks;
	struct name_blocks blocks;
};

static int find_few(struct sql *q, const struct search *s, const char *text, int64_t before, struct few *ret, struct err *err)
{
	*ret = (struct few){ 0 };
	if (choose_few(q, s, &ret->plan, err) < 0)
		return -(int)err->code;
	return ret->plan.text || !text ? 0 : store_name_blocks_of(q, text, before, &ret->in_blocks, &ret->blocks, err);
}

static int walk_plan(struct sql *q, struct walk *w, struct plan *p, int64_t before, struct err *err)
{
	int r;

	w->by_tag = p->text == BY_TAG;
	r = walk_along(q, w, p->text, SQL_TEXT(p->value), before, err);
	free(p->value);
	return r;
}

static int walk_few(struct sql *q, struct walk *w, struct few *f, int64_t before, struct err *err)
{
	return f->in_blocks ? walk_blocks(q, w, &f->blocks, before, err) : walk_plan(q, w, &f->plan, before, err);
}

static int walk_newest(struct sql *q, struct walk *w, const struct page *p, struct err *err)
{
	_cleanup_free_ char *text = longest(w->search);
	int64_t before = page_key_desc(p);
	struct plan plan = { 0 };
	struct few few;
	bool none;

	if (find_few(q, w->search, text, before, &few, err) < 0)
		return -(int)err->code;
	if (few.in_blocks || few.plan.text)
		return walk_few(q, w, &few, before, err);
	if (choose(q, w->search, text, before, &plan, &none, err) < 0)
		return -(int)err->code;
	return none ? 0 : walk_plan(q, w, &plan, before, err);
}

static int behind(const struct expiring *e, int64_t not_after_ms, const char *id)
{
	return e->not_after_ms != not_after_ms ? (e->not_after_ms > not_after_ms) - (e->not_after_ms < not_after_ms) : strcmp(e->id, id);
}

static int expiring_order(const void *a, const void *b)
{
	const struct expiring *y = b;

	return behind(a, y->not_after_ms, y->id);
}

/* Few have what is asked for: all of them are looked up, and the page is a stretch of these. */
static int page_of_few(struct sql *q, struct walk *w, struct few *few, const struct page *p, struct err *err)
{
	int r;

	w->most = 2 * STORE_SEARCH_WALK;
	w->cap_all = 64;
	w->all = xcalloc(w->cap_all, sizeof *w->all);
	r = walk_few(q, w, few, INT64_MAX, err);
	qsort(w->all, w->n_all, sizeof *w->all, expiring_order);
	for (size_t i = 0; i < w->n_all; i++) {
		struct expiring *e = &w->all[i];

		if (!p->started || behind(e, p->after_key, p->after_id) > 0) {
			w->page->more = w->page->ids.n == (size_t)w->limit;
			if (!w->page->more) {
				strlist_add(&w->page->ids, e->id);
				w->last_key = e->not_after_ms;
				replace_str(&w->last_id, e->id);
			}
		}
		free(e->id);
	}
	free(w->all);
	return r;
}

static int walk_expiry(struct sql *q, struct walk *w, const struct page *p, struct err *err)
{
	const struct search *s = w->search;
	_cleanup_free_ char *text = longest(s);
	int64_t from = MAX(s->after_ms, s->status == SEARCH_EXPIRING ? w->now_ms : 0), before = s->before_ms ? s->before_ms : INT64_MAX;
	struct few few;

	if (find_few(q, s, text, INT64_MAX, &few, err) < 0)
		return -(int)err->code;
	if (few.in_blocks || few.plan.text)
		return page_of_few(q, w, &few, p, err);
	if (s->status == SEARCH_EXPIRED)
		before = MIN(before, w->now_ms + 1);
	if (s->status == SEARCH_EXPIRING)
		before = MIN(before, clock_add(w->now_ms, 30 * DAY_MS + 1));
	/* along this index each row is looked up somewhere else in the table, and its tags in another */
	w->most = s->tag ? STORE_SEARCH_WALK / 4 : STORE_SEARCH_WALK / 2;
	return sql_each(q, BY_EXPIRY,
			SQL_VALUES(SQL_TEXT(s->tag), SQL_INT(p->started ? p->after_key : from), SQL_INT(w->most), SQL_INT(s->vendor != NULL),
				   SQL_INT(s->status == SEARCH_WAITING), SQL_TEXT(page_id(p)), SQL_INT(before)),
			walk_row, w, err);
}

int store_search_finds(struct sql *q, const struct search *s, const char *certificate_id, int64_t now_ms, bool *ret, struct err *err)
{
	_cleanup_search_page_ struct search_page page = { 0 };
	struct walk w = { .search = s, .limit = 1, .most = 1, .now_ms = now_ms, .page = &page };
	int r = walk_along(q, &w, BY_ID, SQL_TEXT(certificate_id), INT64_MAX, err);

	free(w.last_id);
	*ret = page.ids.n > 0;
	return r < 0 ? err_wrap(err, "could not judge certificate '%s'", certificate_id) : 0;
}

int store_search(struct sql *q, const struct search *s, bool by_expiry, const struct page *p, int64_t now_ms, struct search_page *ret,
		 struct err *err)
{
	struct walk w = { .search = s, .by_expiry = by_expiry, .limit = p->limit, .most = STORE_SEARCH_WALK, .now_ms = now_ms, .page = ret };
	int r;

	search_page_done(ret);
	r = by_expiry ? walk_expiry(q, &w, p, err) : walk_newest(q, &w, p, err);
	ret->more |= w.seen == w.most;
	ret->key = w.last_key;
	ret->id = TAKE(w.last_id);
	return r < 0 ? err_wrap(err, "could not search the certificates") : 0;
}
