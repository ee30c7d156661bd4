/* SPDX-License-Identifier: Apache-2.0 */
/*
 * cursor.c - opaque page cursors: what the last item of a page was, with a MAC over it and over the list and filter it is of,
 * so that nobody steers a query with one he made up, nor with one of another list.
 *
 * base64url of: version 1, key (8 bytes), length of id, id, text (the rest before the MAC); MAC (16 bytes).
 */
#include "base/base64.h"
#include "crypto/digest.h"
#include "service/internal.h"

#define MAC_LEN 16
#define CURSOR_TEXT_MAX PAGE_TEXT_MAX
static_assert(CURSOR_TEXT_MAX >= LIMIT_NAME, "a name that is cut would begin a page anew");

static void mac(const struct service *s, const char *list, const char *filter, const void *p, size_t n, unsigned char out[SHA256_LEN])
{
	_cleanup_buf_ struct buf b = BUF_MAX(8192);

	buf_add(&b, list, strlen(list) + 1);
	buf_add(&b, filter, strlen(filter) + 1);
	buf_add(&b, p, n);
	hmac_sha256(s->mac_key.p, s->mac_key.n, b.p, b.n, out);
}

static int broken(struct err *err)
{
	return err_set_field(err, ERR_INVALID, "/cursor", "cursor is not one of this list; begin again without it");
}

static int read_cursor(const struct service *s, const char *list, const char *filter, const char *text, struct cursor *ret,
		       struct err *err)
{
	_cleanup_buf_ struct buf b = BUF_MAX(512);
	_cleanup_err_ struct err why = ERR_INIT;
	unsigned char m[SHA256_LEN];
	uint64_t key = 0;
	size_t id_n, text_n;

	if (base64url_decode(&b, text, strlen(text), &why) < 0 || b.n < 10 + MAC_LEN)
		return broken(err);
	mac(s, list, filter, b.p, b.n - MAC_LEN, m);
	if (!mem_eq_secret(m, b.p + b.n - MAC_LEN, MAC_LEN) || b.p[0] != 1)
		return broken(err);
	for (int i = 1; i <= 8; i++)
		key = key << 8 | (unsigned char)b.p[i];
	id_n = (unsigned char)b.p[9];
	if (10 + id_n + MAC_LEN > b.n)
		return broken(err);
	text_n = b.n - MAC_LEN - 10 - id_n;
	ret->id = xstrndup(b.p + 10, id_n);
	ret->text = text_n ? xstrndup(b.p + 10 + id_n, text_n) : NULL;
	ret->page.started = true;
	ret->page.after_key = (int64_t)key;
	ret->page.after_text = ret->text;
	ret->page.after_id = ret->id;
	return 0;
}

int cursor_open(const struct service *s, const char *list, const char *filter, const struct list_query *q, struct cursor *ret,
		struct err *err)
{
	memset(ret, 0, sizeof *ret);
	ret->page.limit = q->limit ? q->limit : LIMIT_API_PAGE_DEFAULT;
	if (ret->page.limit < 1 || ret->page.limit > LIMIT_API_PAGE)
		return err_set_field(err, ERR_INVALID, "/limit", "must be from 1 to %d", LIMIT_API_PAGE);
	return q->cursor ? read_cursor(s, list, filter, q->cursor, ret, err) : 0;
}

void cursor_close(const struct service *s, const char *list, const char *filter, bool more, int64_t key, const char *text,
		  const char *id, struct list_end *ret)
{
	_cleanup_buf_ struct buf b = BUF_MAX(1024), out = BUF_MAX(2048);
	unsigned char m[SHA256_LEN];

	ret->has_more = more;
	ret->cursor = NULL;
	if (!more)
		return;
	buf_add_char(&b, 1);
	for (int i = 7; i >= 0; i--)
		buf_add_char(&b, (char)((uint64_t)key >> (8 * i) & 255));
	buf_add_char(&b, (char)MIN(strlen(id), (size_t)255));
	buf_add(&b, id, MIN(strlen(id), (size_t)255));
	if (text)
		buf_add(&b, text, MIN(strlen(text), (size_t)CURSOR_TEXT_MAX));
	mac(s, list, filter, b.p, b.n, m);
	buf_add(&b, m, MAC_LEN);
	base64url_encode(&out, b.p, b.n);
	ret->cursor = buf_take(&out);
}

void cursor_done(struct cursor *c)
{
	free(c->text);
	free(c->id);
	memset(c, 0, sizeof *c);
}

void list_end_clear(struct list_end *e)
{
	free(e->cursor);
	memset(e, 0, sizeof *e);
}
