/* SPDX-License-Identifier: Apache-2.0 */
/* dns_answer.c - any packet from a name server we ask, every record read as every kind. */
#include "tests/fuzz/fuzz.h"

#include "dns/dns.h"

static void read_as_everything(const struct dns_message *m, const struct dns_rr *rr)
{
	char text[DNS_NAME_TEXT], type[DNS_TYPE_TEXT];
	struct dns_name name, again;
	struct err err = ERR_INIT;
	uint8_t bytes[4096];
	uint16_t number;
	struct dns_soa soa;
	struct dns_caa caa;
	int family = 0;
	size_t n = 0;

	HOLDS(rr->at + rr->n <= m->in.n);
	HOLDS(dns_type_parse(dns_type_text(rr->type, type), &number) && number == rr->type);
	dns_name_text(&rr->owner, text);
	HOLDS(dns_name_parse(text, &again, &err) == 0 && dns_name_eq(&again, &rr->owner));
	HOLDS(dns_name_labels(&again) <= 127 && dns_name_within(&rr->owner, &again));
	dns_name_lower(&again);
	HOLDS(dns_name_eq(&again, &rr->owner));
	if (dns_rr_name(m, rr, &name))
		HOLDS(name.n >= 1 && name.b[name.n - 1] == 0);
	if (dns_rr_address(m, rr, bytes, &family))
		HOLDS(family == 4 || family == 6);
	if (dns_rr_txt(m, rr, bytes, sizeof bytes, &n))
		HOLDS(n < rr->n);
	if (dns_rr_soa(m, rr, &soa))
		HOLDS(soa.mname.n && soa.rname.n);
	if (dns_rr_caa(m, rr, &caa))
		HOLDS(caa.tag.n && caa.tag.n + caa.value.n + 2 == rr->n);
}

/* What was asked can be asked by us, and read by our server. */
static void ask_the_same(struct dns_ask *ask)
{
	struct dns_query q;
	uint8_t p[300];
	size_t n;

	ask->edns = true;
	ask->udp_size = 1232;
	HOLDS(dns_ask_write(ask, p, sizeof p, &n));
	HOLDS(dns_query_read(p, n, &q) == DNS_ANSWER);
	HOLDS(dns_name_eq(&q.qname, ask->name) && q.qtype == ask->type && q.labels == dns_name_labels(ask->name));
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n)
{
	struct err err = ERR_INIT;
	struct dns_message m;
	unsigned first = 0, second = 0;
	struct dns_rr rr;

	if (dns_message_read(&m, data, n, &err) < 0) {
		err_clear(&err);
		return 0;
	}
	for (; dns_message_next(&m, &rr); first++)
		read_as_everything(&m, &rr);
	HOLDS(!m.in.bad);
	dns_message_rewind(&m);
	while (dns_message_next(&m, &rr))
		second++;
	HOLDS(first == second);
	if (m.has_question) {
		struct dns_ask ask = { .id = m.id, .name = &m.qname, .type = m.qtype };

		HOLDS(dns_message_matches(&m, &ask) == (m.qclass == DNS_IN));
		ask_the_same(&ask);
	}
	return 0;
}
