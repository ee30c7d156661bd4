/* SPDX-License-Identifier: Apache-2.0 */
/*
 * visit.c - visits to a small world on loopback (servers.h): a resolver on 127.0.0.1 that lies about values, and three name servers
 * on 127.0.0.2 to 127.0.0.4 with minds of their own.
 */
#include "resolve/ask.h"

#include "base/clock.h"
#include "tests/unit/resolve/servers.h"

#include <stdio.h>

enum mind { HAS, OTHER, EMPTY, SILENT, REFUSES, TRUNCATES, LATE, MANY, CROWD };

struct world {
	enum mind mind[4]; /* 1..3 */
	int asked[4];      /* TXT questions */
	bool delegated;    /* _acme-challenge.example.com is a zone of its own (served by .4) */
	bool dead;         /* the resolver says nothing */
	bool alias;
};

static struct world w;
static const char value[] = "the-value-that-is-looked-for";

static void add_txt(struct dns_out *o, const struct dns_name *owner, const char *text)
{
	dns_out_name(o, owner);
	dns_out_u16(o, DNS_TXT);
	dns_out_u16(o, DNS_IN);
	dns_out_u32(o, 5);
	dns_out_txt(o, text, strlen(text));
}

/* The recursive resolver: knows the cuts and the addresses, and has a stale value in its cache. */
static uint16_t recursive(struct dns_out *o, const struct dns_query *q, const char *name)
{
	if (q->qtype == DNS_NS && streq(name, "example.com")) {
		put_name(o, &q->qname, DNS_NS, "ns1.example.com");
		put_name(o, &q->qname, DNS_NS, "ns2.example.com");
		return 2;
	}
	if (q->qtype == DNS_NS && streq(name, "_acme-challenge.example.com") && w.delegated) {
		put_name(o, &q->qname, DNS_NS, "ns3.example.com");
		return 1;
	}
	if (q->qtype == DNS_A && str_starts(name, "ns")) {
		put_address(o, &q->qname, name);
		return 1;
	}
	if (q->qtype == DNS_TXT) {
		add_txt(o, &q->qname, value); /* the cache lies */
		return 1;
	}
	return 0;
}

static uint16_t authoritative(struct dns_out *o, const struct dns_query *q, int which, bool tcp, uint16_t *flags)
{
	if (q->qtype != DNS_TXT)
		return 0;
	w.asked[which]++;
	if (w.alias) {
		put_name(o, &q->qname, DNS_CNAME, "elsewhere.example.net");
		return 1;
	}
	switch (w.mind[which]) {
	case HAS:
		add_txt(o, &q->qname, "somebody-elses-value");
		add_txt(o, &q->qname, value);
		return 2;
	case OTHER:
		add_txt(o, &q->qname, "an-old-value");
		return 1;
	case TRUNCATES:
		if (!tcp) {
			*flags |= DNS_TC;
			return 0;
		}
		add_txt(o, &q->qname, value);
		return 1;
	case CROWD: /* more than UDP takes, more than our own server gives */
		if (!tcp) {
			*flags |= DNS_TC;
			return 0;
		}
		for (int i = 0; i < 100; i++)
			add_txt(o, &q->qname, "somebody-elses-value-of-43-characters-or-so-");
		add_txt(o, &q->qname, value);
		return 101;
	case LATE: /* the first packet is lost */
		add_txt(o, &q->qname, value);
		return 1;
	case MANY:
		for (int i = 0; i < 10; i++) {
			char text[32];

			snprintf(text, sizeof text, "value-%d", i);
			add_txt(o, &q->qname, text);
		}
		add_txt(o, &q->qname, value);
		return 11;
	case EMPTY:
	case SILENT:
	case REFUSES:
		break;
	}
	return 0;
}

/* Length of the answer, 0 = silence. */
static size_t respond(int which, bool tcp, int nth, const uint8_t *p, size_t n, uint8_t *out, size_t cap)
{
	struct dns_out body = { .p = out, .cap = cap };
	struct dns_query q;
	char name[DNS_NAME_TEXT];
	uint16_t counts[4] = { 1, 0, 0, 0 }, flags = DNS_QR | DNS_AA;
	unsigned rcode = 0;

	if (nth || dns_query_read(p, n, &q) != DNS_ANSWER)
		return 0;
	if ((which == 0 && w.dead) || (which > 0 && w.mind[which] == SILENT && q.qtype == DNS_TXT))
		return 0;
	if (which > 0 && w.mind[which] == LATE && q.qtype == DNS_TXT && !w.asked[which]++)
		return 0;
	dns_name_text(&q.qname, name);
	dns_out_header(&body, q.id, flags, 0, counts);
	dns_out_bytes(&body, p + DNS_HEADER, q.question_n);
	if (which > 0 && w.mind[which] == REFUSES)
		rcode = DNS_RCODE_REFUSED;
	else
		counts[1] = which ? authoritative(&body, &q, which, tcp, &flags) : recursive(&body, &q, name);
	if (flags & DNS_TC)
		counts[1] = 0;
	{
		struct dns_out head = { .p = out, .cap = cap };

		dns_out_header(&head, q.id, flags, rcode, counts);
	}
	return body.n;
}

static int begin(void **state)
{
	(void)state;
	return servers_begin(4, respond);
}

static int end(void **state)
{
	(void)state;
	servers_end();
	return 0;
}

static void world(enum mind a, enum mind b, enum mind c, bool delegated)
{
	servers_rest();
	memset(w.asked, 0, sizeof w.asked);
	w.mind[1] = a;
	w.mind[2] = b;
	w.mind[3] = c;
	w.delegated = delegated;
	w.dead = w.alias = false;
}

static void check(bool all, const char *words, const char *zone)
{
	_cleanup_resolve_report_ struct resolve_report r = { 0 };
	_cleanup_free_ char *text = NULL;
	struct resolve_view v = servers_view(false);
	struct err err = { 0 };

	ASSERT_OK(resolve_txt(&v, "_acme-challenge.example.com", false, &r, &err), &err);
	ASSERT_INT(r.tcp, w.mind[1] == TRUNCATES || w.mind[1] == CROWD);
	ASSERT_STR(r.zone, zone);
	text = resolve_report_text(&r, value);
	if (resolve_report_all_have(&r, value) != all)
		print_error("%s\n", text);
	ASSERT_INT(resolve_report_all_have(&r, value), all);
	ASSERT_HAS(text, words);
	ASSERT_TRUE(r.queries <= RESOLVE_QUERIES);
	ASSERT_TRUE(r.inside); /* loopback: nobody outside can reach these servers */
}

static void it_is_there_only_when_every_server_has_it(void **state)
{
	static const struct { enum mind a, b; bool all; const char *words; } rows[] = {
		{ HAS, HAS, true, "2 of 2 servers have it" },
		{ HAS, OTHER, false, "ns2.example.com (127.0.0.3:" },
		{ HAS, OTHER, false, "has another value: an-old-value" },
		{ HAS, EMPTY, false, "has no TXT record there" },
		{ HAS, REFUSES, false, "answers REFUSED" },
		{ HAS, SILENT, false, "no answer" },
		{ EMPTY, EMPTY, false, "0 of 2 servers have it" },
		{ TRUNCATES, HAS, true, "2 of 2" },
		{ CROWD, HAS, true, "2 of 2" },
		{ HAS, LATE, true, "2 of 2" },
		{ MANY, MANY, true, "2 of 2" },
	};

	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		world(rows[i].a, rows[i].b, HAS, false);
		check(rows[i].all, rows[i].words, "example.com");
		ASSERT_INT(w.asked[3], 0);
	}
}

static void a_delegated_challenge_name_is_asked_at_its_own_servers(void **state)
{
	world(HAS, HAS, OTHER, true);
	check(false, "0 of 1 server", "_acme-challenge.example.com");
	ASSERT_INT(w.asked[1] + w.asked[2], 0); /* never the parent's */
	world(OTHER, OTHER, HAS, true);
	check(true, "1 of 1 server has it", "_acme-challenge.example.com");
}

static void a_view_that_lets_nothing_out_asks_its_resolvers(void **state)
{
	_cleanup_resolve_report_ struct resolve_report r = { 0 };
	struct resolve_view v = servers_view(true);
	struct err err = { 0 };

	world(EMPTY, EMPTY, EMPTY, false);
	ASSERT_OK(resolve_txt(&v, "_acme-challenge.example.com", false, &r, &err), &err);
	ASSERT_TRUE(resolve_report_all_have(&r, value));
	ASSERT_INT(w.asked[1] + w.asked[2] + w.asked[3], 0);
}

static void a_visit_ends_in_time_when_nobody_answers(void **state)
{
	_cleanup_resolve_report_ struct resolve_report r = { 0 };
	struct resolve_view v = servers_view(false);
	struct err err = { 0 };
	int64_t began = clock_boot(&clock_system);

	world(HAS, HAS, HAS, false);
	w.dead = true;
	ASSERT_FAILS(resolve_txt(&v, "_acme-challenge.example.com", false, &r, &err), &err, ERR_NETWORK);
	ASSERT_TRUE(clock_boot(&clock_system) - began < 4 * RESOLVE_VISIT_MS); /* and not that of each question after the other */
}

static void an_alias_is_reported_and_not_followed(void **state)
{
	_cleanup_resolve_report_ struct resolve_report r = { 0 };
	struct resolve_view v = servers_view(false);
	struct err err = { 0 };

	world(HAS, HAS, HAS, false);
	w.alias = true;
	ASSERT_OK(resolve_txt(&v, "_acme-challenge.example.com", false, &r, &err), &err);
	ASSERT_STR(r.alias, "elsewhere.example.net");
	ASSERT_FALSE(resolve_report_all_have(&r, value));
}

static void a_dead_first_resolver_does_not_hide_the_addresses(void **state)
{
	_cleanup_resolve_report_ struct resolve_report r = { 0 };
	struct resolve_view v = servers_view(false);
	struct err err = { 0 };

	world(HAS, HAS, HAS, false);
	v.resolvers[1] = v.resolvers[0];
	v.n = 2;
	v.resolvers[0].in.sin_port = htons(1); /* nobody listens */
	ASSERT_OK(resolve_txt(&v, "_acme-challenge.example.com", false, &r, &err), &err);
	ASSERT_TRUE(resolve_report_all_have(&r, value));
}

static void the_servers_of_a_zone_are_asked_one_by_one_and_by_tcp_alone(void **state)
{
	_cleanup_resolve_answers_ struct resolve_answers a = { 0 };
	_cleanup_resolve_answer_ struct resolve_answer tcp = { 0 }, none = { 0 }, ns = { 0 };
	struct resolve_view v = servers_view(false);
	struct err err = { 0 };
	union addr to = servers_address(1);

	world(HAS, SILENT, HAS, false);
	ASSERT_OK(resolve_ask_zone(&v, "example.com", "_acme-challenge.example.com", DNS_TXT, &a, &err), &err);
	ASSERT_STR(a.zone, "example.com");
	ASSERT_INT(a.n, 2);
	ASSERT_TRUE(a.v[0].answered && a.v[0].authoritative);
	ASSERT_FALSE(a.v[1].answered);
	ASSERT_STR(a.v[1].trouble, "no answer");
	ASSERT_OK(resolve_ask(&v, "example.com", DNS_NS, &ns, &err), &err);
	ASSERT_INT(ns.n, 2);
	ASSERT_STR(ns.v[1].text, "ns2.example.com");

	resolve_ask_server(&to, "_acme-challenge.example.com", DNS_TXT, true, &tcp);
	ASSERT_TRUE(tcp.answered);
	to = servers_address(2); /* no TCP there */
	resolve_ask_server(&to, "_acme-challenge.example.com", DNS_TXT, true, &none);
	ASSERT_FALSE(none.answered);
	v.ask_view = true;
	resolve_answers_done(&a);
	ASSERT_FAILS(resolve_ask_zone(&v, "example.com", "x.example.com", DNS_TXT, &a, &err), &err, ERR_NETWORK);
}

static void a_view_is_read_strictly(void **state)
{
	static const struct { const char *text; size_t n; } rows[] = {
		{ "192.0.2.1", 1 }, { "192.0.2.1:5353, [2001:db8::1]:53", 2 }, { "2001:db8::1", 1 }, { "ns.example.com", 0 }, { " , ", 0 },
	};

	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		struct resolve_view v = { 0 };
		struct err err = { 0 };
		int rc = resolve_view_parse(rows[i].text, false, &v, &err);

		ASSERT_INT(rc == 0 ? v.n : 0, rows[i].n);
		ASSERT_INT(rc < 0, rows[i].n == 0);
		err_clear(&err);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(it_is_there_only_when_every_server_has_it),
		TEST(a_delegated_challenge_name_is_asked_at_its_own_servers),
		TEST(a_view_that_lets_nothing_out_asks_its_resolvers),
		TEST(a_visit_ends_in_time_when_nobody_answers),
		TEST(an_alias_is_reported_and_not_followed),
		TEST(a_dead_first_resolver_does_not_hide_the_addresses),
		TEST(the_servers_of_a_zone_are_asked_one_by_one_and_by_tcp_alone),
		TEST(a_view_is_read_strictly),
	};

	return cmocka_run_group_tests(tests, begin, end);
}
