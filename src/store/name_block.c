/* SPDX-License-Identifier: Apache-2.0 */
/* name_block.c - see name_block.h. A group of letters is a word of hexadecimal digits in the index, so that a shorter text is a prefix. */
#include "store/name_block.h"

#include "base/buf.h"
#include "store/lib.h"

#include <malloc.h>

#define GRAM 5
#define GRAM_MIN 4     /* shorter ones are in the trigram index, where one list answers */
#define GRAMS_MAX 32   /* of a text; more tell no more */
#define TAIL_MAX (8 * NAME_BLOCK) /* certificates in no block that a search walks over */
#define MEND_BATCH 16  /* blocks noted in one write, some 10 ms */
#define TEXT_MAX (64 << 20)

static const char DONE[] = "SELECT n FROM counter WHERE name = 'name_block'";
static const char DONE_PUT[] = "INSERT INTO counter (name, n) VALUES ('name_block', $1) ON CONFLICT (name) DO UPDATE SET n = $1";
static const char NAMES[] = "SELECT names FROM certificate WHERE num >= $1 AND num < $2";
static const char LAST[] = "SELECT coalesce(max(num), 0) FROM certificate";
static const char ADD[] = "INSERT INTO name_block (rowid, grams) VALUES ($1, $2)";
static const char WITH[] = "SELECT f.rowid FROM name_block f WHERE name_block MATCH $1 AND f.rowid < $2 ORDER BY f.rowid DESC LIMIT $3";
static const char SHRINK[] = "PRAGMA shrink_memory";

struct mending {
	int n;     /* blocks noted in the last write */
	bool many; /* it was not the first */
};

struct grams {
	uint64_t *v; /* letters from the highest byte on, 0 behind the end */
	size_t n, cap;
};

static unsigned char low(char c)
{
	return (unsigned char)(c >= 'A' && c <= 'Z' ? c - 'A' + 'a' : c);
}

/* Of each letter on: it and those behind it within the name, GRAM_MIN or more. */
static void grams_add(struct grams *g, const char *names)
{
	for (; *names; names++) {
		uint64_t v = 0;
		size_t n = 0;

		for (; n < GRAM && names[n] && names[n] != '\n'; n++)
			v |= (uint64_t)low(names[n]) << (8 * (GRAM - 1 - n));
		if (n < GRAM_MIN)
			continue;
		if (g->n == g->cap) {
			g->cap = g->cap ? 2 * g->cap : 4096;
			g->v = xrealloc(g->v, g->cap * sizeof *g->v);
		}
		g->v[g->n++] = v;
	}
}

static int gram_order(const void *a, const void *b)
{
	const uint64_t *x = a, *y = b;

	return (*x > *y) - (*x < *y);
}

static void word_add(struct buf *b, uint64_t gram)
{
	for (int i = GRAM - 1; i >= 0; i--) {
		unsigned char c = (unsigned char)(gram >> (8 * i));

		if (c)
			buf_add_hex(b, &c, 1);
	}
}

static int names_row(const struct row *r, void *arg, UNUSED struct err *err)
{
	grams_add(arg, row_text(r, 0));
	return 0;
}

static int block_add(struct sql *tx, int64_t block, struct err *err)
{
	_cleanup_buf_ struct buf text = BUF_MAX(TEXT_MAX);
	struct grams g = { 0 };
	int r = sql_each(tx, NAMES, SQL_VALUES(SQL_INT(block * NAME_BLOCK), SQL_INT((block + 1) * NAME_BLOCK)), names_row, &g, err);

	if (g.n)
		qsort(g.v, g.n, sizeof *g.v, gram_order);
	for (size_t i = 0; i < g.n; i++) {
		if (i && g.v[i] == g.v[i - 1])
			continue;
		word_add(&text, g.v[i]);
		buf_add_char(&text, ' ');
	}
	free(g.v);
	if (r < 0 || buf_check(&text, err) < 0)
		return -(int)err->code;
	return sql_exec(tx, ADD, SQL_VALUES(SQL_INT(block), SQL_TEXT(buf_text(&text))), NULL, err);
}

static int done(struct sql *q, int64_t *ret, struct err *err)
{
	*ret = 0;
	if (sql_int(q, DONE, SQL_NONE, ret, err) >= 0)
		return 0;
	if (err->code != ERR_NOT_FOUND)
		return -(int)err->code;
	err_clear(err);
	return 0;
}

/* At most so many of the blocks that are full; *ret how many. */
static int blocks_add(struct sql *tx, int most, int *ret, struct err *err)
{
	int64_t next, last;

	*ret = 0;
	if (sql_dialect(tx) != SQL_SQLITE)
		return 0;
	if (done(tx, &next, err) < 0 || sql_int(tx, LAST, SQL_NONE, &last, err) < 0)
		return -(int)err->code;
	for (; *ret < most && (next + 1) * NAME_BLOCK <= last + 1; next++, ++*ret)
		if (block_add(tx, next, err) < 0)
			return err_wrap(err, "could not note the names of certificates from %" PRId64 " on", next * NAME_BLOCK);
	return *ret ? sql_exec(tx, DONE_PUT, SQL_VALUES(SQL_INT(next)), NULL, err) : 0;
}

int store_name_block_add(struct sql *tx, int64_t num, struct err *err)
{
	int n;

	return num % NAME_BLOCK == NAME_BLOCK - 1 ? blocks_add(tx, 1, &n, err) : 0;
}

/* The last of many leaves the writer no more memory than it had. */
static int mend_tx(struct sql *tx, void *arg, struct err *err)
{
	struct mending *m = arg;

	if (blocks_add(tx, MEND_BATCH, &m->n, err) < 0)
		return -(int)err->code;
	return m->many && m->n < MEND_BATCH ? sql_exec(tx, SHRINK, SQL_NONE, NULL, err) : 0;
}

int store_name_blocks_mend(struct store *s, struct err *err)
{
	struct mending m = { 0 };

	do {
		m.many = m.n == MEND_BATCH;
		if (store_write(s, mend_tx, &m, err) < 0)
			return -(int)err->code;
	} while (m.n == MEND_BATCH);
	if (m.many)
		malloc_trim(0); /* pages in the middle of the heap, that the C library would keep */
	return 0;
}

static char *question(const char *text)
{
	_cleanup_buf_ struct buf b = BUF_MAX(4096);
	struct grams g = { 0 };
	bool prefix = strlen(text) < GRAM;

	grams_add(&g, text);
	for (size_t i = 0; i < g.n && i < GRAMS_MAX; i++) {
		if (!prefix && !(g.v[i] & 0xff))
			continue; /* the end of the text is in the group before */
		if (b.n)
			buf_add_char(&b, ' ');
		word_add(&b, g.v[i]);
	}
	if (prefix)
		buf_add_char(&b, '*');
	free(g.v);
	return buf_take(&b);
}

static int first_row(const struct row *r, void *arg, UNUSED struct err *err)
{
	struct name_blocks *b = arg;

	if (b->n < NAME_BLOCKS_FEW)
		b->first[b->n] = row_int(r, 0) * NAME_BLOCK;
	b->n++;
	return 0;
}

int store_name_blocks_of(struct sql *q, const char *text, int64_t before, bool *ret_few, struct name_blocks *ret, struct err *err)
{
	_cleanup_free_ char *words = NULL;
	int64_t blocks, last;

	*ret_few = false;
	*ret = (struct name_blocks){ 0 };
	if (sql_dialect(q) != SQL_SQLITE || strlen(text) < GRAM_MIN)
		return 0;
	if (done(q, &blocks, err) < 0 || sql_int(q, LAST, SQL_NONE, &last, err) < 0)
		return -(int)err->code;
	ret->from = blocks * NAME_BLOCK;
	if (MIN(before, last + 1) - ret->from > TAIL_MAX)
		return 0;
	words = question(text);
	if (sql_each(q, WITH, SQL_VALUES(SQL_TEXT(words), SQL_INT(before / NAME_BLOCK + 1), SQL_INT(NAME_BLOCKS_FEW + 1)), first_row, ret, err) < 0)
		return -(int)err->code;
	*ret_few = ret->n <= NAME_BLOCKS_FEW;
	return 0;
}
