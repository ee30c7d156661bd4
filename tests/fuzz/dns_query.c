/* SPDX-License-Identifier: Apache-2.0 */
/* dns_query.c - any packet to the public DNS server, and the answer it gets from a small table. */
#include "tests/fuzz/fuzz.h"

#include "base/limits.h"
#include "edge/answer.h"

static const struct edge_settings settings = {
	.hostname = { 19, "\3ns1\4acme\7example\0" }, .zone = { 14, "\4acme\7example\0" },
	.addresses = { { .in = { .sin_family = AF_INET } }, { .in6 = { .sin6_family = AF_INET6 } } }, .addresses_n = 2,
	.soa_ttl_s = 10,
};

static void put(struct table *t, enum feed_kind kind, uint64_t id, const char *name, const char *value)
{
	table_apply(t, &(struct feed_item){ FEED_ADD, kind, id, 5, STR(name), STR(value) });
}

static struct table *make_table(void)
{
	struct table *t = table_new(&settings);
	char value[200];

	put(t, FEED_ZONE, 1, "_acme-challenge.a.b", "");
	put(t, FEED_TXT, 2, "_acme-challenge.a.b", "value");
	put(t, FEED_TXT, 3, "x.y._acme-challenge.a.b", "value");
	put(t, FEED_NAME, 4, "waiting.acme.example", "");
	put(t, FEED_ZONE, 5, "big", "");
	memset(value, 'v', sizeof value - 1);
	value[sizeof value - 1] = '\0';
	for (uint64_t i = 0; i < 60; i++) {
		value[0] = (char)('0' + i);
		put(t, FEED_TXT, 10 + i, "big", value);
	}
	return t;
}

static void check_answer(const uint8_t *data, const uint8_t *out, const struct answer *a, size_t limit)
{
	struct err err = ERR_INIT;
	struct dns_message m;
	struct dns_rr rr;
	unsigned records = 0;

	HOLDS(a->n >= DNS_HEADER && a->n <= limit);
	HOLDS(out[0] == data[0] && out[1] == data[1]);
	HOLDS(dns_message_read(&m, out, a->n, &err) == 0);
	HOLDS((m.flags & DNS_RD) == ((unsigned)(data[2] << 8) & DNS_RD) && !(m.flags & (DNS_RA | DNS_AD | DNS_CD | 0x40)));
	while (dns_message_next(&m, &rr))
		records++;
	HOLDS(!m.in.bad && m.in.at == a->n);
	HOLDS(records >= a->answers);
	HOLDS(m.rcode == a->rcode);
	HOLDS(!(m.flags & DNS_TC) || records == 0);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n)
{
	static struct table *table;
	static uint8_t out[ANSWER_TCP_MAX];
	struct dns_query q;
	struct answer a;

	if (!table)
		table = make_table();
	answer_build(table, data, n, false, out, LIMIT_DNS_UDP, &q, &a);
	if (a.kind == ANSWER_NONE) {
		HOLDS(n < DNS_HEADER || data[2] & 0x80);
		return 0;
	}
	check_answer(data, out, &a, MIN(q.udp_size, LIMIT_DNS_UDP));
	if (a.kind != ANSWER_LIVE)
		HOLDS(a.n <= n + 150);
	answer_truncate(&q, out, &a);
	check_answer(data, out, &a, n + 11);
	answer_build(table, data, n, true, out, sizeof out, &q, &a);
	check_answer(data, out, &a, sizeof out);
	HOLDS(!a.truncated);
	return 0;
}
