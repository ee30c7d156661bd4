/* SPDX-License-Identifier: Apache-2.0 */
/* codec.c - packets of the feed; see feed.h. Input by a cursor with a sticky error, output into a fixed packet. */
#include "feed/feed.h"

#include <stdio.h>

/* ---- cursor ---- */

struct cursor {
	const uint8_t *p;
	size_t n, at;
	bool bad;
};

static const uint8_t *take(struct cursor *c, size_t n)
{
	const uint8_t *p;

	if (c->bad || c->n - c->at < n) {
		c->bad = true;
		return NULL;
	}
	p = c->p + c->at;
	c->at += n;
	return p;
}

static uint64_t take_int(struct cursor *c, size_t bytes)
{
	const uint8_t *p = take(c, bytes);
	uint64_t v = 0;

	for (size_t i = 0; p && i < bytes; i++)
		v = v << 8 | p[i];
	return v;
}

static struct str take_str(struct cursor *c, size_t n)
{
	const uint8_t *p = take(c, n);

	return p ? (struct str){ (const char *)p, n } : (struct str){ "", 0 };
}

static void put_int(uint8_t *p, size_t bytes, uint64_t v)
{
	while (bytes--) {
		p[bytes] = (uint8_t)v;
		v >>= 8;
	}
}

/* ---- items ---- */

const char *feed_kind_name(enum feed_kind kind)
{
	switch (kind) {
	case FEED_ZONE: return "zone";
	case FEED_NAME: return "name";
	case FEED_TXT: return "txt";
	case FEED_HTTP: return "http";
	}
	return "unknown";
}

/* Lower-case letters, digits, '-', '_' in labels of 1 to 63 bytes between single dots; no final dot. */
static bool name_ok(struct str s)
{
	size_t label = 0;

	if (s.n == 0 || s.n > FEED_NAME_MAX)
		return false;
	for (size_t i = 0; i < s.n; i++) {
		char c = s.p[i];

		if (c == '.') {
			if (label == 0)
				return false;
			label = 0;
			continue;
		}
		if (!((c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || c == '-' || c == '_') || ++label > 63)
			return false;
	}
	return label > 0;
}

/* base64url alphabet and the dot between token and thumbprint */
static bool keyauth_ok(struct str s)
{
	for (size_t i = 0; i < s.n; i++)
		if (s.p[i] != '.' && !str_is_base64url(s.p + i, 1))
			return false;
	return s.n > 0 && s.n <= FEED_KEYAUTH_MAX;
}

static int check_value(const struct feed_item *i, struct err *err)
{
	switch (i->kind) {
	case FEED_ZONE:
		if (i->value.n && !name_ok(i->value))
			return err_set(err, ERR_INVALID, "the NS of a zone is not a host name");
		return 0;
	case FEED_NAME:
		if (i->value.n)
			return err_set(err, ERR_INVALID, "a name item has a value");
		return 0;
	case FEED_TXT:
		if (i->value.n == 0 || i->value.n > FEED_TXT_MAX)
			return err_set(err, ERR_INVALID, "a TXT value has %zu bytes, not 1 to %d", i->value.n, FEED_TXT_MAX);
		return 0;
	case FEED_HTTP:
		if (!keyauth_ok(i->value))
			return err_set(err, ERR_INVALID, "not a key authorization");
		return 0;
	}
	return 0;
}

int feed_item_check(const struct feed_item *i, struct err *err)
{
	if (i->op != FEED_ADD && i->op != FEED_REMOVE)
		return err_set(err, ERR_INVALID, "unknown operation %u in a feed item", (unsigned)i->op);
	if (i->kind < FEED_ZONE || i->kind > FEED_HTTP)
		return err_set(err, ERR_INVALID, "unknown kind %u of feed item", (unsigned)i->kind);
	if (i->id == 0)
		return err_set(err, ERR_INVALID, "a feed item has no id");
	if (i->ttl_s > FEED_TTL_MAX)
		return err_set(err, ERR_INVALID, "TTL %" PRIu32 " of a feed item is above %d", i->ttl_s, FEED_TTL_MAX);
	if (i->kind == FEED_HTTP) {
		if (i->name.n < FEED_TOKEN_MIN || i->name.n > FEED_TOKEN_MAX || !str_is_base64url(i->name.p, i->name.n))
			return err_set(err, ERR_INVALID, "not a token in a feed item");
	} else if (!name_ok(i->name)) {
		return err_set(err, ERR_INVALID, "not a lower-case DNS name in a feed item of kind %s", feed_kind_name(i->kind));
	}
	if (i->op == FEED_REMOVE && i->value.n == 0)
		return 0;
	return check_value(i, err);
}

/* ---- reading ---- */

/*
 * A HELLO's newest version is the first byte of its seq: a core of version 1 looks at neither, and an edge of version 1 leaves it 0, since
 * no store counts so far.
 */
#define NEWEST_SHIFT 56
#define SEQ_MASK ((UINT64_C(1) << NEWEST_SHIFT) - 1)

static int check_header(const struct feed_packet *p, unsigned type, size_t n, struct err *err)
{
	unsigned version = p->h.version;

	if (type != FEED_HELLO && (version < FEED_OLDEST || version > FEED_NEWEST))
		return err_set(err, ERR_INVALID, "feed version %u is not one of ours (%d to %d)", version, FEED_OLDEST, FEED_NEWEST);
	if (type < FEED_HELLO || type > FEED_LOG || (type == FEED_LOG && version < 2))
		return err_set(err, ERR_INVALID, "unknown type %u of feed packet", type);
	if (type != FEED_ITEMS && type != FEED_REPORT && type != FEED_LOG && (p->h.count || n != FEED_HEADER))
		return err_set(err, ERR_INVALID, "a feed packet of type %u has a body", type);
	return 0;
}

int feed_open(struct feed_packet *p, const void *packet, size_t n, struct err *err)
{
	struct cursor c = { packet, n, 0, false };
	struct feed_packet r = { 0 };
	unsigned type;

	if (n > FEED_PACKET)
		return err_set(err, ERR_INVALID, "a feed packet of %zu bytes is too large", n);
	if (take_int(&c, 4) != FEED_MAGIC)
		return err_set(err, ERR_INVALID, "not a packet of the feed");
	r.h.version = (uint8_t)take_int(&c, 1);
	type = (unsigned)take_int(&c, 1);
	r.h.count = (uint16_t)take_int(&c, 2);
	r.h.start = take_int(&c, 8);
	r.h.seq = take_int(&c, 8);
	if (c.bad)
		return err_set(err, ERR_INVALID, "a feed packet of %zu bytes has no whole header", n);
	if (check_header(&r, type, n, err) < 0)
		return -(int)err->code;
	r.h.type = (enum feed_type)type;
	if (type == FEED_HELLO) {
		r.h.newest = MAX((uint8_t)(r.h.seq >> NEWEST_SHIFT), r.h.version);
		r.h.seq &= SEQ_MASK;
	}
	r.body = (const uint8_t *)packet + c.at;
	r.n = n - c.at;
	r.left = r.h.count;
	*p = r;
	return 0;
}

int feed_agree(const struct feed_header *hello, uint8_t *ret, struct err *err)
{
	uint8_t newest = MIN(hello->newest, (uint8_t)FEED_NEWEST);

	if (newest < MAX(hello->version, (uint8_t)FEED_OLDEST)) {
		err_set(err, ERR_REMOTE_BAD, "edge and core have no version of the feed in common: edge speaks %u to %u, core %d to %d", hello->version,
			hello->newest, FEED_OLDEST, FEED_NEWEST);
		return err_hint(err, "They are more than one version apart. Install one package for both and restart the older one "
				     "(systemctl restart certwright-edge.service certwright.service); until then edge answers from what it has.");
	}
	*ret = newest;
	return 0;
}

static int at_end(const struct feed_packet *p, struct err *err)
{
	if (p->at != p->n)
		return err_set(err, ERR_INVALID, "a feed packet has %zu bytes behind its last item", p->n - p->at);
	return 0;
}

int feed_next_item(struct feed_packet *p, struct feed_item *ret, struct err *err)
{
	struct cursor c = { p->body, p->n, p->at, false };
	struct feed_item i = { 0 };
	size_t name, value;

	if (p->left == 0)
		return at_end(p, err);
	i.op = (enum feed_op)take_int(&c, 1);
	i.kind = (enum feed_kind)take_int(&c, 1);
	name = (size_t)take_int(&c, 2);
	value = (size_t)take_int(&c, 2);
	i.ttl_s = (uint32_t)take_int(&c, 4);
	i.id = take_int(&c, 8);
	i.name = take_str(&c, name);
	i.value = take_str(&c, value);
	if (c.bad)
		return err_set(err, ERR_INVALID, "a feed item is cut off");
	if (feed_item_check(&i, err) < 0)
		return -(int)err->code;
	p->at = c.at;
	p->left--;
	*ret = i;
	return 1;
}

int feed_next_report(struct feed_packet *p, struct feed_report *ret, struct err *err)
{
	struct cursor c = { p->body, p->n, p->at, false };
	struct feed_report r = { 0 };
	const uint8_t *source;
	size_t name, host;

	if (p->left == 0)
		return at_end(p, err);
	r.transport = (enum feed_transport)take_int(&c, 1);
	r.family = (uint8_t)take_int(&c, 1);
	r.qtype = (uint16_t)take_int(&c, 2);
	r.status = (uint16_t)take_int(&c, 2);
	name = (size_t)take_int(&c, 2);
	host = (size_t)take_int(&c, 2);
	r.answers = (uint32_t)take_int(&c, 4);
	r.count = (uint32_t)take_int(&c, 4);
	r.first_ms = (int64_t)take_int(&c, 8);
	r.last_ms = (int64_t)take_int(&c, 8);
	source = take(&c, 16);
	r.name = take_str(&c, name);
	r.host = take_str(&c, host);
	if (c.bad)
		return err_set(err, ERR_INVALID, "a report is cut off");
	if (r.transport < FEED_UDP || r.transport > FEED_HTTP01 || (r.family != 4 && r.family != 6) ||
	    name > FEED_NAME_MAX || host > FEED_REPORT_HOST_MAX)
		return err_set(err, ERR_INVALID, "a report has a field out of range");
	memcpy(r.source, source, 16);
	p->at = c.at;
	p->left--;
	*ret = r;
	return 1;
}

int feed_next_line(struct feed_packet *p, struct str *ret, struct err *err)
{
	struct cursor c = { p->body, p->n, p->at, false };
	struct str line;
	size_t n;

	if (p->left == 0)
		return at_end(p, err);
	n = (size_t)take_int(&c, 2);
	line = take_str(&c, n);
	if (c.bad || n > FEED_LINE_MAX)
		return err_set(err, ERR_INVALID, "a line is cut off or too long");
	p->at = c.at;
	p->left--;
	*ret = line;
	return 1;
}

/* ---- writing ---- */

void feed_start(struct feed_builder *b, enum feed_type type, uint64_t start, uint64_t seq)
{
	put_int(b->p, 4, FEED_MAGIC);
	b->p[4] = MAX(b->version, (uint8_t)FEED_OLDEST);
	b->p[5] = (uint8_t)type;
	put_int(b->p + 6, 2, 0);
	put_int(b->p + 8, 8, start);
	put_int(b->p + 16, 8, seq);
	b->n = FEED_HEADER;
	b->count = 0;
}

void feed_hello(struct feed_builder *b, uint64_t start, uint64_t seq)
{
	uint64_t newest = FEED_NEWEST > FEED_OLDEST ? FEED_NEWEST : 0;

	b->version = FEED_OLDEST;
	feed_start(b, FEED_HELLO, start, (seq & SEQ_MASK) | newest << NEWEST_SHIFT);
	feed_finish(b);
}

void feed_set_seq(struct feed_builder *b, uint64_t seq)
{
	put_int(b->p + 16, 8, seq);
}

void feed_finish(struct feed_builder *b)
{
	put_int(b->p + 6, 2, b->count);
}

/* The place for n more bytes, or NULL. */
static uint8_t *room(struct feed_builder *b, size_t n)
{
	uint8_t *p = b->p + b->n;

	if (FEED_PACKET - b->n < n || b->count == UINT16_MAX)
		return NULL;
	b->n += n;
	b->count++;
	return p;
}

#define ITEM_FIXED 18
bool feed_add_item(struct feed_builder *b, const struct feed_item *i)
{
	uint8_t *p = room(b, ITEM_FIXED + i->name.n + i->value.n);

	if (!p)
		return false;
	p[0] = (uint8_t)i->op;
	p[1] = (uint8_t)i->kind;
	put_int(p + 2, 2, i->name.n);
	put_int(p + 4, 2, i->value.n);
	put_int(p + 6, 4, i->ttl_s);
	put_int(p + 10, 8, i->id);
	if (i->name.n)
		memcpy(p + ITEM_FIXED, i->name.p, i->name.n);
	if (i->value.n)
		memcpy(p + ITEM_FIXED + i->name.n, i->value.p, i->value.n);
	return true;
}

#define REPORT_FIXED 50
bool feed_add_report(struct feed_builder *b, const struct feed_report *r)
{
	size_t host = MIN(r->host.n, FEED_REPORT_HOST_MAX), name = MIN(r->name.n, FEED_NAME_MAX);
	uint8_t *p = room(b, REPORT_FIXED + name + host);

	if (!p)
		return false;
	p[0] = (uint8_t)r->transport;
	p[1] = r->family;
	put_int(p + 2, 2, r->qtype);
	put_int(p + 4, 2, r->status);
	put_int(p + 6, 2, name);
	put_int(p + 8, 2, host);
	put_int(p + 10, 4, r->answers);
	put_int(p + 14, 4, r->count);
	put_int(p + 18, 8, (uint64_t)r->first_ms);
	put_int(p + 26, 8, (uint64_t)r->last_ms);
	memcpy(p + 34, r->source, 16);
	if (name)
		memcpy(p + REPORT_FIXED, r->name.p, name);
	if (host)
		memcpy(p + REPORT_FIXED + name, r->host.p, host);
	return true;
}

bool feed_add_line(struct feed_builder *b, struct str line)
{
	uint8_t *p = line.n <= FEED_LINE_MAX ? room(b, 2 + line.n) : NULL;

	if (!p)
		return false;
	put_int(p, 2, line.n);
	if (line.n)
		memcpy(p + 2, line.p, line.n);
	return true;
}
