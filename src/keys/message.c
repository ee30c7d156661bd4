/* SPDX-License-Identifier: Apache-2.0 */
/* message.c - see message.h. */
#include "keys/message.h"

#define ABSENT UINT32_MAX
#define LIST_MAX 4096
#define CAUSES_MAX 16

#define F(type, kind_, member)                              \
	{                                                   \
		WIRE_##kind_, offsetof(type, member), false \
	}
#define END                       \
	{                         \
		WIRE_INT, 0, true \
	}
#define HANDLE(type, h) F(type, TEXT, h.table), F(type, TEXT, h.id), F(type, TEXT, h.column), F(type, BYTES, h.sealed)

const struct wire_field key_request_fields[] = { F(struct key_request, INT, op),
						 HANDLE(struct key_request, key),
						 HANDLE(struct key_request, other),
						 F(struct key_request, INT, purpose),
						 F(struct key_request, INT, type),
						 F(struct key_request, TEXT, directory_url),
						 F(struct key_request, TEXT, url),
						 F(struct key_request, TEXT, nonce),
						 F(struct key_request, TEXT, kid),
						 F(struct key_request, TEXT, payload),
						 F(struct key_request, BYTES, data),
						 F(struct key_request, LIST, names),
						 F(struct key_request, TEXT, cn),
						 F(struct key_request, TEXT, o),
						 F(struct key_request, TEXT, ou),
						 F(struct key_request, TEXT, c),
						 F(struct key_request, TEXT, l),
						 F(struct key_request, TEXT, st),
						 F(struct key_request, INT, has_subject),
						 F(struct key_request, INT, must_staple),
						 F(struct key_request, INT, now_ms),
						 F(struct key_request, INT, days),
						 F(struct key_request, INT, scheme),
						 F(struct key_request, INT, digest),
						 F(struct key_request, INT, is_digest),
						 F(struct key_request, TEXT, audit_id),
						 END };

const struct wire_field key_reply_fields[] = {
	F(struct key_reply, BYTES, bytes),      F(struct key_reply, BYTES, secret),
	F(struct key_reply, TEXT, text),        F(struct key_reply, TEXT, type),
	F(struct key_reply, TEXT, public_hash), F(struct key_reply, TEXT, thumbprint),
	F(struct key_reply, TEXT, jwk),         END
};

struct flat_err {
	int64_t code, retry_at_ms;
	const char *detail, *field, *hint;
};

static const struct wire_field err_fields[] = { F(struct flat_err, INT, code),    F(struct flat_err, INT, retry_at_ms),
						F(struct flat_err, TEXT, detail), F(struct flat_err, TEXT, field),
						F(struct flat_err, TEXT, hint),   END };

static const void *at(const struct wire_field *f, const void *s)
{
	return (const char *)s + f->offset;
}

static void *at_mut(const struct wire_field *f, void *s)
{
	return (char *)s + f->offset;
}

static void put_counted(struct buf *b, const void *p, size_t n)
{
	uint32_t count = p ? (uint32_t)n : ABSENT;

	buf_add(b, &count, sizeof count);
	if (p)
		buf_add(b, p, n);
}

static void put(struct buf *b, const struct wire_field *f, const void *s)
{
	const char *text;
	const struct bytes *bytes;
	const struct strlist *list;
	uint32_t count;

	switch (f->kind) {
	case WIRE_INT:
		buf_add(b, at(f, s), sizeof(int64_t));
		break;
	case WIRE_TEXT:
		text = *(const char *const *)at(f, s);
		put_counted(b, text, text ? strlen(text) : 0);
		break;
	case WIRE_BYTES:
		bytes = at(f, s);
		put_counted(b, bytes->p, bytes->n);
		break;
	case WIRE_LIST:
		list = at(f, s);
		count = (uint32_t)list->n;
		buf_add(b, &count, sizeof count);
		for (size_t i = 0; i < list->n; i++)
			put_counted(b, list->v[i], strlen(list->v[i]));
		break;
	}
}

void message_encode(const struct wire_field *fields, const void *s, struct secret *ret)
{
	struct buf b = BUF_MAX(SIZE_MAX / 4);

	for (const struct wire_field *f = fields; !f->last; f++)
		put(&b, f, s);
	ret->n = b.n;
	ret->p = (unsigned char *)buf_take(&b);
}

struct reader {
	const unsigned char *p;
	size_t n;
	bool broken; /* sticky */
};

static const void *take(struct reader *r, size_t n)
{
	const void *p = r->p;

	if (r->broken || n > r->n) {
		r->broken = true;
		return NULL;
	}
	r->p += n;
	r->n -= n;
	return p;
}

static uint32_t take_count(struct reader *r)
{
	const void *p = take(r, sizeof(uint32_t));
	uint32_t n = ABSENT;

	if (p)
		memcpy(&n, p, sizeof n);
	return n;
}

/* An owned copy with a NUL behind it; NULL when absent. */
static char *take_copy(struct reader *r, size_t *ret_n)
{
	uint32_t n = take_count(r);
	const void *p = n == ABSENT ? NULL : take(r, n);
	char *copy;

	*ret_n = 0;
	if (!p)
		return NULL;
	copy = xmalloc((size_t)n + 1);
	memcpy(copy, p, n);
	copy[n] = '\0';
	*ret_n = n;
	return copy;
}

static void take_list(struct reader *r, struct strlist *l)
{
	uint32_t count = take_count(r);

	if (count > LIST_MAX)
		r->broken = true;
	for (uint32_t i = 0; i < count && !r->broken; i++) {
		size_t n;
		_cleanup_free_ char *s = take_copy(r, &n);

		if (!s || strlen(s) != n)
			r->broken = true;
		else
			strlist_add(l, s);
	}
}

static void get(struct reader *r, const struct wire_field *f, void *s)
{
	const void *p;
	char *text;
	struct bytes *bytes;
	size_t n;

	switch (f->kind) {
	case WIRE_INT:
		p = take(r, sizeof(int64_t));
		if (p)
			memcpy(at_mut(f, s), p, sizeof(int64_t));
		break;
	case WIRE_TEXT:
		text = take_copy(r, &n);
		if (text && strlen(text) != n)
			r->broken = true;
		*(char **)at_mut(f, s) = text;
		break;
	case WIRE_BYTES:
		bytes = at_mut(f, s);
		bytes->p = take_copy(r, &n);
		bytes->n = n;
		break;
	case WIRE_LIST:
		take_list(r, at_mut(f, s));
		break;
	}
}

static size_t decode_some(const struct wire_field *fields, const void *p, size_t n, void *s, bool *ret_ok)
{
	struct reader r = { .p = p, .n = n };

	for (const struct wire_field *f = fields; !f->last; f++)
		get(&r, f, s);
	*ret_ok = !r.broken;
	return n - r.n;
}

/* ret must be all zero. */
int message_decode(const struct wire_field *fields, const void *p, size_t n, void *ret, struct err *err)
{
	bool ok;

	if (n > MESSAGE_MAX || decode_some(fields, p, n, ret, &ok) != n || !ok) {
		message_free(fields, ret);
		return err_set(err, ERR_INVALID, "a message of the key module is broken");
	}
	return 0;
}

static void wipe_free(const void *p, size_t n)
{
	void *q = (void *)(uintptr_t)p;

	if (q)
		explicit_bzero(q, n);
	free(q);
}

void message_free(const struct wire_field *fields, void *s)
{
	for (const struct wire_field *f = fields; !f->last; f++) {
		if (f->kind == WIRE_TEXT) {
			const char **t = at_mut(f, s);

			wipe_free(*t, *t ? strlen(*t) : 0);
			*t = NULL;
		} else if (f->kind == WIRE_BYTES) {
			struct bytes *b = at_mut(f, s);

			wipe_free(b->p, b->n);
			*b = (struct bytes){ 0 };
		} else if (f->kind == WIRE_LIST) {
			strlist_clear(at_mut(f, s));
		}
	}
}

void request_free(struct key_request *r)
{
	message_free(key_request_fields, r);
}

void reply_free(struct key_reply *r)
{
	message_free(key_reply_fields, r);
}

void error_encode(const struct err *e, struct secret *ret)
{
	struct buf b = BUF_MAX(MESSAGE_MAX);
	unsigned n = 0;

	for (const struct err *c = e; c && err_is(c) && n < CAUSES_MAX; c = c->cause, n++) {
		struct flat_err flat = { c->code, c->retry_at_ms, c->detail, c->field, c->hint };
		_cleanup_secret_ struct secret one = { 0 };

		message_encode(err_fields, &flat, &one);
		buf_add(&b, one.p, one.n);
	}
	ret->n = b.n;
	ret->p = (unsigned char *)buf_take(&b);
}

void error_decode(const void *bytes, size_t n, struct err *ret)
{
	const unsigned char *p = bytes;
	struct err *to = ret;

	for (unsigned i = 0; n && i < CAUSES_MAX; i++) {
		struct flat_err flat = { 0 };
		bool ok;
		size_t used = decode_some(err_fields, p, n, &flat, &ok);

		if (ok && flat.code > ERR_NONE && flat.code < ERR_COUNT) {
			if (i)
				to = to->cause = xcalloc(1, sizeof *to);
			to->code = (enum err_code)flat.code;
			to->retry_at_ms = flat.retry_at_ms;
			to->detail = xstrdup(flat.detail ? flat.detail : "");
			to->field = xstrdup_null(flat.field);
			to->hint = xstrdup_null(flat.hint);
		}
		message_free(err_fields, &flat);
		if (!ok)
			break;
		p += used;
		n -= used;
	}
	if (!err_is(ret))
		err_set(ret, ERR_INTERNAL, "the key module failed without saying why");
}
