/* SPDX-License-Identifier: Apache-2.0 */
#include "tests/unit/assert.h"

#include "dns/dns.h"

static struct dns_name N(const char *s)
{
	struct err err = ERR_INIT;
	struct dns_name name;

	ASSERT_OK(dns_name_parse(s, &name, &err), &err);
	return name;
}

struct builder {
	uint8_t p[4096];
	struct dns_out out;
	uint16_t counts[4];
};

static void start(struct builder *b, const char *name, uint16_t type, unsigned rcode)
{
	struct dns_name n = N(name);

	*b = (struct builder){ 0 };
	b->out = (struct dns_out){ b->p, sizeof b->p, 0, false };
	b->counts[0] = 1;
	dns_out_header(&b->out, 7, DNS_QR | DNS_AA, rcode, b->counts);
	dns_out_name(&b->out, &n);
	dns_out_u16(&b->out, type);
	dns_out_u16(&b->out, DNS_IN);
}

static void record(struct builder *b, int section, uint16_t type, const void *rdata, size_t n)
{
	dns_out_u16(&b->out, 0xc00c);
	dns_out_u16(&b->out, type);
	dns_out_u16(&b->out, DNS_IN);
	dns_out_u32(&b->out, 30);
	dns_out_u16(&b->out, (uint16_t)n);
	dns_out_bytes(&b->out, rdata, n);
	b->counts[section]++;
	for (size_t i = 0; i < 4; i++)
		dns_out_set_u16(&b->out, 4 + 2 * i, b->counts[i]);
}

static void records_of_every_kind_are_read(void **state UNUSED)
{
	struct err err = ERR_INIT;
	struct dns_message m;
	struct dns_rr rr;
	struct dns_name name;
	struct dns_soa soa;
	struct dns_caa caa;
	struct builder b;
	uint8_t address[16], text[600];
	char s[DNS_NAME_TEXT];
	int family;
	size_t n;

	start(&b, "www.Example.com", DNS_TXT, 3);
	record(&b, 1, DNS_TXT, "\3abc\0\2de", 8);
	record(&b, 1, DNS_CNAME, "\5other\xc0\x10", 8);
	record(&b, 1, DNS_A, "\1\2\3\4", 4);
	record(&b, 1, DNS_AAAA, "0123456789abcdef", 16);
	record(&b, 1, DNS_CAA, "\x80\5issueca.example", 17);
	record(&b, 2, DNS_SOA, "\2ns\xc0\x10\4host\0\0\0\0\1\0\0\0\2\0\0\0\3\0\0\0\4\0\0\0\5", 31);
	dns_out_opt(&b.out, 1400, 0x10, false);
	b.counts[3]++;
	dns_out_set_u16(&b.out, 10, b.counts[3]);

	ASSERT_OK(dns_message_read(&m, b.p, b.out.n, &err), &err);
	ASSERT_INT(m.rcode, 0x13);
	ASSERT_TRUE(m.edns);
	ASSERT_INT(m.udp_size, 1400);
	for (int round = 0; round < 2; round++) {
		ASSERT_TRUE(dns_message_next(&m, &rr));
		ASSERT_STR(dns_name_text(&rr.owner, s), "www.Example.com");
		ASSERT_TRUE(dns_rr_txt(&m, &rr, text, sizeof text, &n));
		ASSERT_INT(n, 5);
		ASSERT_MEM(text, "abcde", 5);
		ASSERT_FALSE(dns_rr_txt(&m, &rr, text, 4, &n));
		ASSERT_FALSE(dns_rr_name(&m, &rr, &name));
		ASSERT_TRUE(dns_message_next(&m, &rr));
		ASSERT_TRUE(dns_rr_name(&m, &rr, &name));
		ASSERT_STR(dns_name_text(&name, s), "other.Example.com");
		ASSERT_TRUE(dns_message_next(&m, &rr));
		ASSERT_TRUE(dns_rr_address(&m, &rr, address, &family));
		ASSERT_INT(family, 4);
		ASSERT_TRUE(dns_message_next(&m, &rr));
		ASSERT_TRUE(dns_rr_address(&m, &rr, address, &family));
		ASSERT_INT(family, 6);
		ASSERT_TRUE(dns_message_next(&m, &rr));
		ASSERT_TRUE(dns_rr_caa(&m, &rr, &caa));
		ASSERT_TRUE(str_is(caa.tag, "issue") && str_is(caa.value, "ca.example"));
		ASSERT_INT(caa.flags, 128);
		ASSERT_TRUE(dns_message_next(&m, &rr));
		ASSERT_INT(rr.section, DNS_SECTION_AUTHORITY);
		ASSERT_TRUE(dns_rr_soa(&m, &rr, &soa));
		ASSERT_STR(dns_name_text(&soa.mname, s), "ns.Example.com");
		ASSERT_INT(soa.minimum, 5);
		ASSERT_FALSE(dns_message_next(&m, &rr));
		dns_message_rewind(&m);
	}
}

static void rdata_of_a_wrong_form_is_refused(void **state UNUSED)
{
	static const struct {
		uint16_t type;
		const char *rdata;
		size_t n;
	} rows[] = {
		{ DNS_TXT, "", 0 },           { DNS_TXT, "\4abc", 4 },      { DNS_A, "\1\2\3", 3 },
		{ DNS_AAAA, "\1\2\3\4", 4 },  { DNS_CNAME, "\1a", 2 },      { DNS_CNAME, "\1a\0x", 4 },
		{ DNS_NS, "\xc0\xff", 2 },    { DNS_SOA, "\0\0\0\0\0", 5 }, { DNS_CAA, "\0\0value", 7 },
		{ DNS_CAA, "\0\5ab", 4 },     { DNS_CAA, "\0\2a b", 5 },    { DNS_CAA, "\0", 1 },
	};

	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		struct err err = ERR_INIT;
		struct dns_message m;
		struct dns_rr rr;
		struct dns_name name;
		struct dns_soa soa;
		struct dns_caa caa;
		struct builder b;
		uint8_t buf[300];
		size_t n;
		int family;

		start(&b, "a.b", rows[i].type, 0);
		record(&b, 1, rows[i].type, rows[i].rdata, rows[i].n);
		ASSERT_OK(dns_message_read(&m, b.p, b.out.n, &err), &err);
		ASSERT_TRUE(dns_message_next(&m, &rr));
		ASSERT_FALSE(dns_rr_txt(&m, &rr, buf, sizeof buf, &n));
		ASSERT_FALSE(dns_rr_address(&m, &rr, buf, &family));
		ASSERT_FALSE(dns_rr_name(&m, &rr, &name));
		ASSERT_FALSE(dns_rr_soa(&m, &rr, &soa));
		ASSERT_FALSE(dns_rr_caa(&m, &rr, &caa));
	}
}

static void an_answer_must_belong_to_its_question(void **state UNUSED)
{
	struct dns_name name = N("A.example"), other = N("b.example");
	struct dns_ask ask = { .id = 7, .name = &name, .type = DNS_TXT };
	struct err err = ERR_INIT;
	struct dns_message m;
	struct builder b;

	start(&b, "a.EXAMPLE", DNS_TXT, 0);
	ASSERT_OK(dns_message_read(&m, b.p, b.out.n, &err), &err);
	ASSERT_TRUE(dns_message_matches(&m, &ask));
	ask.id = 8;
	ASSERT_FALSE(dns_message_matches(&m, &ask));
	ask.id = 7;
	ask.type = DNS_A;
	ASSERT_FALSE(dns_message_matches(&m, &ask));
	ask.type = DNS_TXT;
	ask.name = &other;
	ASSERT_FALSE(dns_message_matches(&m, &ask));
	ASSERT_OK(dns_message_read(&m, (const uint8_t *)"\0\7\x80\1\0\0\0\0\0\0\0\0", 12, &err), &err);
	ASSERT_TRUE(dns_message_matches(&m, &ask));
	ASSERT_OK(dns_message_read(&m, (const uint8_t *)"\0\7\x80\0\0\0\0\0\0\0\0\0", 12, &err), &err);
	ASSERT_FALSE(dns_message_matches(&m, &ask));
}

static void broken_answers_are_refused_as_a_whole(void **state UNUSED)
{
	struct err err = ERR_INIT;
	struct dns_message m;
	struct builder b;

	start(&b, "a.b", DNS_TXT, 0);
	record(&b, 1, DNS_TXT, "\3abc", 4);
	for (size_t n = 0; n < b.out.n; n++) {
		uint8_t *exact = xmemdup(b.p, n + 1);

		ASSERT_FAILS(dns_message_read(&m, exact, n, &err), &err, ERR_REMOTE_BAD);
		free(exact);
	}
	ASSERT_OK(dns_message_read(&m, b.p, b.out.n, &err), &err);
	b.p[2] = 0; /* no longer an answer */
	ASSERT_FAILS(dns_message_read(&m, b.p, b.out.n, &err), &err, ERR_REMOTE_BAD);
	b.p[2] = 0x80;
	b.p[6] = 0xff; /* 65,281 records */
	ASSERT_FAILS(dns_message_read(&m, b.p, b.out.n, &err), &err, ERR_REMOTE_BAD);
}

static void long_txt_values_are_cut_into_strings(void **state UNUSED)
{
	uint8_t value[600], back[600], p[700];

	memset(value, 'x', sizeof value);
	for (size_t n = 0; n <= sizeof value; n += 85) {
		struct dns_out out = { p, sizeof p, 0, false };
		struct dns_message m = { 0 };
		struct dns_rr rr = { .type = DNS_TXT };
		size_t got;

		dns_out_txt(&out, value, n);
		ASSERT_FALSE(out.full);
		ASSERT_INT(p[0] << 8 | p[1], out.n - 2);
		m.in = (struct dns_in){ p, out.n, 0, false };
		rr.at = 2;
		rr.n = (uint16_t)(out.n - 2);
		ASSERT_TRUE(dns_rr_txt(&m, &rr, back, sizeof back, &got));
		ASSERT_INT(got, n);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(records_of_every_kind_are_read),
		TEST(rdata_of_a_wrong_form_is_refused),
		TEST(an_answer_must_belong_to_its_question),
		TEST(broken_answers_are_refused_as_a_whole),
		TEST(long_txt_values_are_cut_into_strings),
	};

	return RUN(tests);
}
