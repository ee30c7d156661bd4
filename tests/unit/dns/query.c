/* SPDX-License-Identifier: Apache-2.0 */
#include "tests/unit/assert.h"

#include "dns/dns.h"

#define Q "\1a\7Example\3com\0\0\x10\0\1"   /* a.Example.com TXT IN, 19 bytes */
#define QN 19
#define OPT(size, ver) "\0\0\x29" size "\0" ver "\x80\0\0\0"
#define BYTES(s) (const uint8_t *)(s), sizeof(s) - 1

static void queries_get_their_verdict(void **state UNUSED)
{
	static const struct {
		const char *what;
		const uint8_t *p;
		size_t n;
		enum dns_verdict want;
		size_t question;
	} rows[] = {
		{ "nothing", BYTES(""), DNS_DROP, 0 },
		{ "11 bytes", BYTES("\0\1\0\0\0\1\0\0\0\0\0"), DNS_DROP, 0 },
		{ "an answer", BYTES("\0\1\x80\0\0\1\0\0\0\0\0\0" Q), DNS_DROP, 0 },
		{ "plain", BYTES("\0\1\1\0\0\1\0\0\0\0\0\0" Q), DNS_ANSWER, QN },
		{ "the root", BYTES("\0\1\1\0\0\1\0\0\0\0\0\0\0\0\2\0\1"), DNS_ANSWER, 5 },
		{ "EDNS", BYTES("\0\1\1\0\0\1\0\0\0\0\0\1" Q OPT("\4\xd0", "\0")), DNS_ANSWER, QN },
		{ "EDNS 1", BYTES("\0\1\1\0\0\1\0\0\0\0\0\1" Q OPT("\4\xd0", "\1")), DNS_BADVERS, QN },
		{ "two OPT", BYTES("\0\1\1\0\0\1\0\0\0\0\0\2" Q OPT("\4\xd0", "\0") OPT("\4\xd0", "\0")), DNS_FORMERR, QN },
		{ "OPT as answer", BYTES("\0\1\1\0\0\1\0\1\0\0\0\0" Q OPT("\4\xd0", "\0")), DNS_FORMERR, QN },
		{ "OPT as authority", BYTES("\0\1\1\0\0\1\0\0\0\1\0\0" Q OPT("\4\xd0", "\0")), DNS_FORMERR, QN },
		{ "OPT with an owner", BYTES("\0\1\1\0\0\1\0\0\0\0\0\1" Q "\1a" OPT("\4\xd0", "\0")), DNS_FORMERR, QN },
		{ "OPT with an option", BYTES("\0\1\1\0\0\1\0\0\0\0\0\1" Q "\0\0\x29\4\xd0\0\0\0\0\0\7\0\3\0\3abc"), DNS_ANSWER, QN },
		{ "OPT with an option cut off", BYTES("\0\1\1\0\0\1\0\0\0\0\0\1" Q "\0\0\x29\4\xd0\0\0\0\0\0\6\0\3\0\3ab"), DNS_FORMERR, QN },
		{ "OPT cut off", BYTES("\0\1\1\0\0\1\0\0\0\0\0\1" Q "\0\0\x29\4\xd0\0\0\0\0"), DNS_FORMERR, QN },
		{ "bytes behind the end", BYTES("\0\1\1\0\0\1\0\0\0\0\0\0" Q "x"), DNS_FORMERR, QN },
		{ "no question", BYTES("\0\1\1\0\0\0\0\0\0\0\0\0"), DNS_FORMERR, 0 },
		{ "two questions", BYTES("\0\1\1\0\0\2\0\0\0\0\0\0" Q Q), DNS_FORMERR, 0 },
		{ "an answer in a query", BYTES("\0\1\1\0\0\1\0\1\0\0\0\0" Q "\xc0\x0c\0\1\0\1\0\0\0\0\0\4abcd"), DNS_FORMERR, QN },
		{ "IXFR with its SOA", BYTES("\0\1\1\0\0\1\0\0\0\1\0\0" Q "\xc0\x0c\0\6\0\1\0\0\0\0\0\4abcd"), DNS_ANSWER, QN },
		{ "a record whose name points forward", BYTES("\0\1\1\0\0\1\0\0\0\0\0\1" Q "\xc0\xff\0\6\0\1\0\0\0\0\0\4abcd"), DNS_FORMERR, QN },
		{ "compressed question", BYTES("\0\1\1\0\0\1\0\0\0\0\0\0\xc0\x0c\0\x10\0\1"), DNS_FORMERR, 0 },
		{ "question cut off", BYTES("\0\1\1\0\0\1\0\0\0\0\0\0\1a\0\0\x10\0"), DNS_FORMERR, 0 },
		{ "label of 64", BYTES("\0\1\1\0\0\1\0\0\0\0\0\0\x40" "a\0\0\x10\0\1"), DNS_FORMERR, 0 },
		{ "update", BYTES("\0\1\x28\0\0\1\0\0\0\0\0\0" Q), DNS_NOTIMP, 0 },
		{ "notify, no question", BYTES("\0\1\x20\0\0\0\0\0\0\0\0\0"), DNS_NOTIMP, 0 },
	};

	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		struct dns_query q;
		enum dns_verdict v = dns_query_read(rows[i].p, rows[i].n, &q);

		if (v != rows[i].want || q.question_n != rows[i].question)
			print_error("%s: verdict %d, question %zu\n", rows[i].what, (int)v, q.question_n);
		ASSERT_INT(v, rows[i].want);
		ASSERT_INT(q.question_n, rows[i].question);
	}
}

static void a_query_is_read_whole(void **state UNUSED)
{
	static const char p[] = "\xab\xcd\1\x10\0\1\0\0\0\0\0\1" Q OPT("\2\x58", "\0");
	struct dns_query q;
	char text[DNS_NAME_TEXT];

	ASSERT_INT(dns_query_read((const uint8_t *)p, sizeof p - 1, &q), DNS_ANSWER);
	ASSERT_INT(q.id, 0xabcd);
	ASSERT_INT(q.flags, DNS_RD | DNS_CD);
	ASSERT_INT(q.qtype, DNS_TXT);
	ASSERT_INT(q.qclass, DNS_IN);
	ASSERT_TRUE(q.edns && q.dnssec_ok);
	ASSERT_INT(q.udp_size, 600);
	ASSERT_STR(dns_name_text(&q.qname, text), "a.example.com");
	ASSERT_INT(q.labels, 3);
	ASSERT_INT(q.label_at[0], 0);
	ASSERT_INT(q.label_at[1], 2);
	ASSERT_INT(q.label_at[2], 10);
}

static void a_tiny_edns_size_counts_as_512(void **state UNUSED)
{
	static const char p[] = "\0\1\1\0\0\1\0\0\0\0\0\1" Q OPT("\0\1", "\0");
	struct dns_query q;

	ASSERT_INT(dns_query_read((const uint8_t *)p, sizeof p - 1, &q), DNS_ANSWER);
	ASSERT_INT(q.udp_size, 512);
}

static void every_truncation_and_every_flipped_bit_is_survived(void **state UNUSED)
{
	static const char p[] = "\0\1\1\0\0\1\0\0\0\1\0\1" Q "\xc0\x0c\0\6\0\1\0\0\0\0\0\4abcd" OPT("\4\xd0", "\0");
	uint8_t copy[sizeof p - 1];
	struct dns_query q;

	for (size_t n = 0; n < sizeof copy; n++) {
		uint8_t *exact = xmemdup(p, n + 1); /* so that a sanitizer sees one byte too many */
		enum dns_verdict v = dns_query_read(exact, n, &q);

		ASSERT_TRUE(v == DNS_DROP || v == DNS_FORMERR);
		free(exact);
	}
	for (size_t bit = 0; bit < sizeof copy * 8; bit++) {
		memcpy(copy, p, sizeof copy);
		copy[bit / 8] ^= (uint8_t)(1 << bit % 8);
		dns_query_read(copy, sizeof copy, &q);
		ASSERT_TRUE(q.question_n <= sizeof copy);
	}
}

static void what_we_ask_can_be_read_as_a_query(void **state UNUSED)
{
	struct err err = ERR_INIT;
	struct dns_name name;
	struct dns_query q;
	uint8_t p[300];
	size_t n;

	ASSERT_OK(dns_name_parse("_acme-challenge.example.org", &name, &err), &err);
	ASSERT_TRUE(dns_ask_write(&(struct dns_ask){ .id = 77, .name = &name, .type = DNS_CAA, .edns = true, .udp_size = 1232,
						     .recurse = true }, p, sizeof p, &n));
	ASSERT_INT(dns_query_read(p, n, &q), DNS_ANSWER);
	ASSERT_INT(q.id, 77);
	ASSERT_INT(q.qtype, DNS_CAA);
	ASSERT_INT(q.udp_size, 1232);
	ASSERT_TRUE(dns_name_eq(&q.qname, &name));
	ASSERT_FALSE(dns_ask_write(&(struct dns_ask){ .name = &name, .edns = true }, p, n - 1, &n));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(queries_get_their_verdict),
		TEST(a_query_is_read_whole),
		TEST(a_tiny_edns_size_counts_as_512),
		TEST(every_truncation_and_every_flipped_bit_is_survived),
		TEST(what_we_ask_can_be_read_as_a_query),
	};

	return RUN(tests);
}
