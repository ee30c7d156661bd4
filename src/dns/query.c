/* SPDX-License-Identifier: Apache-2.0 */
/* query.c - what a server is asked (RFC 1035 4.1, RFC 6891), and our own questions; see dns.h. */
#include "dns/dns.h"

/* The question of a query: labels only, lower-cased, with the places where they begin. */
static void read_question(struct dns_in *in, struct dns_query *q)
{
	size_t n = 0, len;

	q->labels = 0;
	for (;;) {
		if (in->at >= in->n)
			goto bad;
		len = in->p[in->at];
		if (len > DNS_LABEL_MAX || n + len + 1 > DNS_NAME_MAX || in->n - in->at < len + 1)
			goto bad;
		q->qname.b[n] = (uint8_t)len;
		if (len == 0)
			break;
		q->label_at[q->labels++] = (uint16_t)n;
		for (size_t i = 1; i <= len; i++) {
			uint8_t c = in->p[in->at + i];

			q->qname.b[n + i] = c >= 'A' && c <= 'Z' ? c | 0x20 : c;
		}
		n += len + 1;
		in->at += len + 1;
	}
	in->at++;
	q->qname.n = (uint8_t)(n + 1);
	q->qtype = dns_in_u16(in);
	q->qclass = dns_in_u16(in);
	if (!in->bad)
		q->question_n = in->at - DNS_HEADER;
	return;
bad:
	in->bad = true;
}

struct opt {
	unsigned seen;
	uint8_t version;
	uint16_t size;
	bool dnssec_ok;
};

/* Options are not ours to know, but their lengths must add up (RFC 6891 6.1.2). */
static bool options_ok(const uint8_t *p, size_t n)
{
	struct dns_in in = { p, n, 0, false };

	while (!in.bad && in.at < n) {
		dns_in_u16(&in);
		dns_in_bytes(&in, dns_in_u16(&in));
	}
	return !in.bad;
}

static void read_record(struct dns_in *in, bool additional, struct opt *opt)
{
	struct dns_name owner;
	uint16_t type, rclass, n;
	const uint8_t *rdata;
	uint32_t ttl;

	dns_in_name(in, &owner);
	type = dns_in_u16(in);
	rclass = dns_in_u16(in);
	ttl = dns_in_u32(in);
	n = dns_in_u16(in);
	rdata = dns_in_bytes(in, n);
	if (in->bad || type != DNS_OPT)
		return;
	if (!additional || opt->seen++ || owner.n != 1 || !options_ok(rdata, n)) {
		in->bad = true;
		return;
	}
	opt->version = (uint8_t)(ttl >> 16);
	opt->dnssec_ok = ttl & 0x8000;
	opt->size = rclass;
}

enum dns_verdict dns_query_read(const uint8_t *p, size_t n, struct dns_query *ret)
{
	struct dns_in in = { p, n, 0, false };
	uint16_t qdcount, ancount, nscount, arcount;
	struct opt opt = { 0 };

	ret->question_n = 0;
	ret->edns = ret->dnssec_ok = false;
	ret->udp_size = 512;
	ret->qname.n = 0;
	ret->labels = 0;
	ret->qtype = ret->qclass = 0;
	ret->id = dns_in_u16(&in);
	ret->flags = dns_in_u16(&in);
	qdcount = dns_in_u16(&in);
	ancount = dns_in_u16(&in);
	nscount = dns_in_u16(&in);
	arcount = dns_in_u16(&in);
	if (in.bad || ret->flags & DNS_QR)
		return DNS_DROP;
	ret->opcode = ret->flags >> 11 & 0xf;
	if (ret->opcode != DNS_QUERY)
		return DNS_NOTIMP;
	if (qdcount != 1)
		return DNS_FORMERR;
	read_question(&in, ret);
	/* IXFR carries its SOA in the authority section; no query carries an answer. */
	if (in.bad || ancount || nscount > 1 || arcount > 2)
		return DNS_FORMERR;
	for (unsigned i = 0; i < (unsigned)nscount + arcount; i++)
		read_record(&in, i >= nscount, &opt);
	if (in.bad || in.at != n)
		return DNS_FORMERR;
	if (!opt.seen)
		return DNS_ANSWER;
	ret->edns = true;
	ret->dnssec_ok = opt.dnssec_ok;
	ret->udp_size = MAX(opt.size, 512);
	return opt.version ? DNS_BADVERS : DNS_ANSWER;
}

bool dns_ask_write(const struct dns_ask *ask, uint8_t *p, size_t cap, size_t *ret_n)
{
	struct dns_out out = { p, cap, 0, false };
	uint16_t flags = (uint16_t)((ask->recurse ? DNS_RD : 0) | (ask->checking_disabled ? DNS_CD : 0));

	dns_out_header(&out, ask->id, flags, 0, (uint16_t[]){ 1, 0, 0, ask->edns });
	dns_out_name(&out, ask->name);
	dns_out_u16(&out, ask->type);
	dns_out_u16(&out, DNS_IN);
	if (ask->edns)
		dns_out_opt(&out, ask->udp_size, 0, ask->dnssec_ok);
	if (out.full)
		return false;
	*ret_n = out.n;
	return true;
}
