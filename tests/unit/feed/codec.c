/* SPDX-License-Identifier: Apache-2.0 */
#include "tests/unit/assert.h"

#include "feed/feed.h"

#define TOKEN "0123456789abcdef0123456789abcdefABCD-_xyz01"
#define S(text) { (text), sizeof(text) - 1 }

static void items_come_back_as_they_were(void **state UNUSED)
{
	static const struct feed_item items[] = {
		{ FEED_ADD, FEED_ZONE, 1, 10, S("_acme-challenge.example.com"), S("ns1.example.net") },
		{ FEED_ADD, FEED_ZONE, 2, 10, S("_acme-challenge.example.org"), S("") },
		{ FEED_ADD, FEED_NAME, 3, 0, S("x.acme.example.net"), S("") },
		{ FEED_ADD, FEED_TXT, UINT64_MAX, 5, S("_acme-challenge.example.com"), S("any \"bytes\" \xff") },
		{ FEED_ADD, FEED_HTTP, 5, 0, S(TOKEN), S(TOKEN "." TOKEN) },
		{ FEED_REMOVE, FEED_HTTP, 5, 0, S(TOKEN), S("") },
	};
	static struct feed_builder b;
	struct err err = ERR_INIT;
	struct feed_packet p;
	struct feed_item i;

	feed_start(&b, FEED_ITEMS, 0x1122334455667788, 42);
	for (size_t k = 0; k < ARRAY_SIZE(items); k++)
		ASSERT_TRUE(feed_add_item(&b, &items[k]));
	feed_finish(&b);
	ASSERT_OK(feed_open(&p, b.p, b.n, &err), &err);
	ASSERT_INT(p.h.type, FEED_ITEMS);
	ASSERT_INT(p.h.count, ARRAY_SIZE(items));
	ASSERT_TRUE(p.h.start == 0x1122334455667788 && p.h.seq == 42);
	for (size_t k = 0; k < ARRAY_SIZE(items); k++) {
		ASSERT_INT(feed_next_item(&p, &i, &err), 1);
		ASSERT_TRUE(i.op == items[k].op && i.kind == items[k].kind && i.id == items[k].id && i.ttl_s == items[k].ttl_s);
		ASSERT_INT(i.name.n, items[k].name.n);
		ASSERT_MEM(i.name.p, items[k].name.p, i.name.n);
		ASSERT_INT(i.value.n, items[k].value.n);
		ASSERT_MEM(i.value.p, items[k].value.p, i.value.n);
	}
	ASSERT_INT(feed_next_item(&p, &i, &err), 0);
	for (size_t n = 0; n < b.n; n++) { /* every truncation is refused somewhere */
		uint8_t *exact = xmemdup(b.p, n + 1);
		int r = feed_open(&p, exact, n, &err);

		while (r >= 0 && (r = feed_next_item(&p, &i, &err)) > 0)
			;
		ASSERT_FAILS(r, &err, ERR_INVALID);
		free(exact);
	}
}

static void items_that_edge_must_not_take_are_refused(void **state UNUSED)
{
	static char long_value[FEED_TXT_MAX + 1], long_name[FEED_NAME_MAX + 1], long_token[FEED_TOKEN_MAX + 1];
	static const struct feed_item items[] = {
		{ 0, FEED_ZONE, 1, 1, S("a.b"), S("c.d") },
		{ 3, FEED_ZONE, 1, 1, S("a.b"), S("c.d") },
		{ FEED_ADD, 0, 1, 1, S("a.b"), S("c.d") },
		{ FEED_ADD, 5, 1, 1, S("a.b"), S("c.d") },
		{ FEED_ADD, FEED_ZONE, 0, 1, S("a.b"), S("c.d") },
		{ FEED_ADD, FEED_ZONE, 1, FEED_TTL_MAX + 1, S("a.b"), S("c.d") },
		{ FEED_ADD, FEED_ZONE, 1, 1, S(""), S("c.d") },
		{ FEED_ADD, FEED_ZONE, 1, 1, S("a..b"), S("c.d") },
		{ FEED_ADD, FEED_ZONE, 1, 1, S("a.b."), S("c.d") },
		{ FEED_ADD, FEED_ZONE, 1, 1, S(".a"), S("c.d") },
		{ FEED_ADD, FEED_ZONE, 1, 1, S("A.b"), S("c.d") },
		{ FEED_ADD, FEED_ZONE, 1, 1, S("a b"), S("c.d") },
		{ FEED_ADD, FEED_ZONE, 1, 1, S("a.b"), S("c d") },
		{ FEED_ADD, FEED_NAME, 1, 1, S("a.b"), S("c") },
		{ FEED_ADD, FEED_TXT, 1, 1, S("a.b"), S("") },
		{ FEED_ADD, FEED_TXT, 1, 1, S("a.b"), { long_value, sizeof long_value } },
		{ FEED_ADD, FEED_TXT, 1, 1, { long_name, sizeof long_name }, S("x") },
		{ FEED_ADD, FEED_HTTP, 1, 0, S("short"), S("x.y") },
		{ FEED_ADD, FEED_HTTP, 1, 0, { long_token, sizeof long_token }, S("x.y") },
		{ FEED_ADD, FEED_HTTP, 1, 0, S("0123456789abcdef/../x"), S("x.y") },
		{ FEED_ADD, FEED_HTTP, 1, 0, S(TOKEN), S("") },
		{ FEED_ADD, FEED_HTTP, 1, 0, S(TOKEN), S("a\r\nb") },
	};

	memset(long_value, 'v', sizeof long_value);
	memset(long_token, 't', sizeof long_token);
	for (size_t k = 0; k < sizeof long_name; k++)
		long_name[k] = k % 50 == 49 ? '.' : 'n';
	for (size_t k = 0; k < ARRAY_SIZE(items); k++) {
		struct err err = ERR_INIT;
		static struct feed_builder b;
		struct feed_packet p;
		struct feed_item i;

		if (feed_item_check(&items[k], &err) == 0)
			fail_msg("row %zu was taken", k);
		err_clear(&err);
		feed_start(&b, FEED_ITEMS, 1, 1);
		ASSERT_TRUE(feed_add_item(&b, &items[k]));
		feed_finish(&b);
		ASSERT_OK(feed_open(&p, b.p, b.n, &err), &err);
		ASSERT_FAILS(feed_next_item(&p, &i, &err), &err, ERR_INVALID);
	}
}

static void packets_of_others_are_refused(void **state UNUSED)
{
	static struct feed_builder b;
	static uint8_t big[FEED_PACKET + 1];
	struct err err = ERR_INIT;
	struct feed_packet p;

	feed_start(&b, FEED_ACK, 1, 2);
	feed_finish(&b);
	ASSERT_OK(feed_open(&p, b.p, b.n, &err), &err);
	ASSERT_FAILS(feed_open(&p, b.p, b.n + 1, &err), &err, ERR_INVALID); /* a body where none belongs */
	b.p[4] = FEED_NEWEST + 1;
	ASSERT_FAILS(feed_open(&p, b.p, b.n, &err), &err, ERR_INVALID);
	b.p[4] = FEED_OLDEST - 1;
	ASSERT_FAILS(feed_open(&p, b.p, b.n, &err), &err, ERR_INVALID);
	b.p[4] = FEED_NEWEST;
	b.p[5] = FEED_LOG + 1;
	ASSERT_FAILS(feed_open(&p, b.p, b.n, &err), &err, ERR_INVALID);
	b.p[4] = 1;
	b.p[5] = FEED_LOG; /* which version 1 has not */
	ASSERT_FAILS(feed_open(&p, b.p, b.n, &err), &err, ERR_INVALID);
	b.p[5] = 0;
	ASSERT_FAILS(feed_open(&p, b.p, b.n, &err), &err, ERR_INVALID);
	b.p[0] = 'x';
	ASSERT_FAILS(feed_open(&p, b.p, b.n, &err), &err, ERR_INVALID);
	ASSERT_FAILS(feed_open(&p, big, sizeof big, &err), &err, ERR_INVALID);
}

static void a_full_packet_says_so_and_can_be_read(void **state UNUSED)
{
	static const struct feed_item item = { FEED_ADD, FEED_TXT, 9, 5, S("_acme-challenge.example.com"),
					       S("0123456789012345678901234567890123456789012") };
	static struct feed_builder b;
	struct err err = ERR_INIT;
	struct feed_packet p;
	struct feed_item i;
	unsigned n = 0, m = 0;

	feed_start(&b, FEED_ITEMS, 1, 1);
	while (feed_add_item(&b, &item))
		n++;
	feed_finish(&b);
	ASSERT_TRUE(n > 600 && b.n <= FEED_PACKET);
	ASSERT_OK(feed_open(&p, b.p, b.n, &err), &err);
	while (feed_next_item(&p, &i, &err) > 0)
		m++;
	ASSERT_INT(m, n);
}

static void reports_come_back_as_they_were(void **state UNUSED)
{
	static const struct feed_report reports[] = {
		{ FEED_UDP, 4, { 192, 0, 2 }, 16, 0, 2, 7, 1000, 1249, S("_acme-challenge.example.com"), S("") },
		{ FEED_HTTP01, 6, { 0x20, 1, 0xd, 0xb8 }, 0, 200, 1, 1, 5, 6, S(TOKEN), S("<script>.example:80") },
	};
	static struct feed_builder b;
	struct err err = ERR_INIT;
	struct feed_packet p;
	struct feed_report r;

	feed_start(&b, FEED_REPORT, 1, 0);
	for (size_t k = 0; k < ARRAY_SIZE(reports); k++)
		ASSERT_TRUE(feed_add_report(&b, &reports[k]));
	feed_finish(&b);
	ASSERT_OK(feed_open(&p, b.p, b.n, &err), &err);
	for (size_t k = 0; k < ARRAY_SIZE(reports); k++) {
		ASSERT_INT(feed_next_report(&p, &r, &err), 1);
		ASSERT_TRUE(r.transport == reports[k].transport && r.family == reports[k].family && r.qtype == reports[k].qtype);
		ASSERT_TRUE(r.status == reports[k].status && r.answers == reports[k].answers && r.count == reports[k].count);
		ASSERT_TRUE(r.first_ms == reports[k].first_ms && r.last_ms == reports[k].last_ms);
		ASSERT_MEM(r.source, reports[k].source, 16);
		ASSERT_MEM(r.name.p, reports[k].name.p, reports[k].name.n);
		ASSERT_INT(r.host.n, reports[k].host.n);
	}
	ASSERT_INT(feed_next_report(&p, &r, &err), 0);
	b.p[FEED_HEADER] = 9;
	ASSERT_OK(feed_open(&p, b.p, b.n, &err), &err);
	ASSERT_FAILS(feed_next_report(&p, &r, &err), &err, ERR_INVALID);
}

/* What the first version sends and takes, byte for byte. */
static void the_former_version_is_what_it_was(void **state UNUSED)
{
	static const uint8_t hello[] = "CWFD\1\1\0\0" "\0\0\0\0\0\0\0\7" "\0\0\0\0\0\0\0\11";
	static const uint8_t items[] = "CWFD\1\3\0\1" "\0\0\0\0\0\0\0\7" "\0\0\0\0\0\0\0\12"
				       "\1\3\0\13\0\2\0\0\0\5\0\0\0\0\0\0\0\1" "example.com" "v1";
	static struct feed_builder b;
	struct err err = ERR_INIT;
	struct feed_packet p;
	struct feed_item i;

	ASSERT_OK(feed_open(&p, hello, sizeof hello - 1, &err), &err);
	ASSERT_TRUE(p.h.type == FEED_HELLO && p.h.version == 1 && p.h.newest == 1 && p.h.start == 7 && p.h.seq == 9);
	ASSERT_OK(feed_open(&p, items, sizeof items - 1, &err), &err);
	ASSERT_INT(feed_next_item(&p, &i, &err), 1);
	b.version = 1;
	feed_start(&b, FEED_ITEMS, 7, 10);
	ASSERT_TRUE(feed_add_item(&b, &i));
	feed_finish(&b);
	ASSERT_INT(b.n, sizeof items - 1);
	ASSERT_MEM(b.p, items, b.n);
}

static void the_newest_version_in_common_is_agreed(void **state UNUSED)
{
	static const struct {
		uint8_t oldest, newest, agreed; /* of edge; 0: none */
	} rows[] = { { 1, 1, 1 }, { 1, 2, 2 }, { 1, 3, 2 }, { 2, 2, 2 }, { 2, 9, 2 }, { 3, 3, 0 }, { 3, 4, 0 }, { 0, 0, 0 }, { 0, 1, 1 } };
	static struct feed_builder b;
	struct err err = ERR_INIT;
	struct feed_packet p;
	uint8_t agreed;

	feed_hello(&b, 5, UINT64_MAX);
	ASSERT_OK(feed_open(&p, b.p, b.n, &err), &err);
	ASSERT_TRUE(p.h.version == FEED_OLDEST && p.h.newest == FEED_NEWEST && p.h.start == 5 && p.h.seq == UINT64_MAX >> 8);
	for (size_t k = 0; k < ARRAY_SIZE(rows); k++) {
		b.p[4] = rows[k].oldest;
		b.p[16] = rows[k].newest;
		ASSERT_OK(feed_open(&p, b.p, b.n, &err), &err);
		if (rows[k].agreed) {
			ASSERT_OK(feed_agree(&p.h, &agreed, &err), &err);
			ASSERT_INT(agreed, rows[k].agreed);
			continue;
		}
		ASSERT_INT(feed_agree(&p.h, &agreed, &err), -ERR_REMOTE_BAD);
		ASSERT_HAS(err.detail, "no version of the feed in common");
		err_clear(&err);
	}
}

static void lines_come_back_as_they_were(void **state UNUSED)
{
	static char longest[FEED_LINE_MAX + 1];
	static struct feed_builder b = { .version = 2 };
	struct err err = ERR_INIT;
	struct feed_packet p;
	struct str line;

	feed_start(&b, FEED_LOG, 1, 4711);
	ASSERT_FALSE(feed_add_line(&b, (struct str){ longest, sizeof longest }));
	ASSERT_TRUE(feed_add_line(&b, STR("{}")) && feed_add_line(&b, STR("")) && feed_add_line(&b, (struct str){ longest, FEED_LINE_MAX }));
	feed_finish(&b);
	ASSERT_OK(feed_open(&p, b.p, b.n, &err), &err);
	ASSERT_TRUE(p.h.seq == 4711 && p.h.version == 2);
	ASSERT_INT(feed_next_line(&p, &line, &err), 1);
	ASSERT_TRUE(str_is(line, "{}"));
	ASSERT_INT(feed_next_line(&p, &line, &err), 1);
	ASSERT_INT(line.n, 0);
	ASSERT_INT(feed_next_line(&p, &line, &err), 1);
	ASSERT_INT(line.n, FEED_LINE_MAX);
	ASSERT_INT(feed_next_line(&p, &line, &err), 0);
	ASSERT_OK(feed_open(&p, b.p, b.n - 1, &err), &err); /* cut off */
	for (int i = 0; i < 2; i++)
		ASSERT_INT(feed_next_line(&p, &line, &err), 1);
	ASSERT_FAILS(feed_next_line(&p, &line, &err), &err, ERR_INVALID);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(items_come_back_as_they_were),
		TEST(items_that_edge_must_not_take_are_refused),
		TEST(packets_of_others_are_refused),
		TEST(a_full_packet_says_so_and_can_be_read),
		TEST(reports_come_back_as_they_were),
		TEST(the_former_version_is_what_it_was),
		TEST(the_newest_version_in_common_is_agreed),
		TEST(lines_come_back_as_they_were),
	};

	return RUN(tests);
}
