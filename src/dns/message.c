/* SPDX-License-Identifier: Apache-2.0 */
/* message.c - reading the answers of other servers: hostile input; see dns.h. */
#include "dns/dns.h"

#define RECORDS_MAX 500

static void read_rr(struct dns_in *in, struct dns_rr *rr)
{
	dns_in_name(in, &rr->owner);
	rr->type = dns_in_u16(in);
	rr->rclass = dns_in_u16(in);
	rr->ttl = dns_in_u32(in);
	rr->n = dns_in_u16(in);
	rr->at = in->at;
	dns_in_bytes(in, rr->n);
	if (rr->type != DNS_OPT && rr->ttl > INT32_MAX)
		rr->ttl = 0; /* RFC 2181 8 */
}

static void read_opt(struct dns_message *m, const struct dns_rr *rr)
{
	struct dns_in in = { m->in.p, rr->at + rr->n, rr->at, false };

	m->edns = true;
	m->udp_size = MAX(rr->rclass, 512);
	m->rcode |= (rr->ttl >> 24) << 4;
	while (!in.bad && in.at < in.n) {
		uint16_t code = dns_in_u16(&in), n = dns_in_u16(&in);
		const uint8_t *p = dns_in_bytes(&in, n);

		if (p && code == 15 && n >= 2 && !m->edns_error)
			m->edns_error = (uint16_t)MIN((p[0] << 8 | p[1]) + 1, 65535);
	}
}

static unsigned records(const struct dns_message *m)
{
	return (unsigned)m->counts[1] + m->counts[2] + m->counts[3];
}

int dns_message_read(struct dns_message *m, const uint8_t *p, size_t n, struct err *err)
{
	struct dns_message r = { .in = { p, n, 0, false } };
	struct dns_rr rr;
	size_t first;

	r.id = dns_in_u16(&r.in);
	r.flags = dns_in_u16(&r.in);
	for (int i = 0; i < 4; i++)
		r.counts[i] = dns_in_u16(&r.in);
	r.rcode = r.flags & 0xf;
	if (r.in.bad)
		return err_set(err, ERR_REMOTE_BAD, "a DNS answer of %zu bytes has no whole header", n);
	if (!(r.flags & DNS_QR))
		return err_set(err, ERR_REMOTE_BAD, "a DNS message is a question where an answer was due");
	if (r.counts[0] > 1 || records(&r) > RECORDS_MAX)
		return err_set(err, ERR_REMOTE_BAD, "a DNS answer has %u questions and %u records", r.counts[0], records(&r));
	if (r.counts[0]) {
		r.has_question = true;
		dns_in_name(&r.in, &r.qname);
		r.qtype = dns_in_u16(&r.in);
		r.qclass = dns_in_u16(&r.in);
	}
	first = r.in.at;
	for (unsigned i = 0; i < records(&r) && !r.in.bad; i++) {
		read_rr(&r.in, &rr);
		if (!r.in.bad && rr.type == DNS_OPT && i >= (unsigned)r.counts[1] + r.counts[2] && !r.edns)
			read_opt(&r, &rr);
	}
	if (r.in.bad)
		return err_set(err, ERR_REMOTE_BAD, "a DNS answer is malformed");
	r.in.at = first;
	*m = r;
	return 0;
}

bool dns_message_matches(const struct dns_message *m, const struct dns_ask *ask)
{
	if (m->id != ask->id)
		return false;
	if (!m->has_question)
		return m->rcode != DNS_RCODE_NOERROR && records(m) <= 1;
	return m->qtype == ask->type && m->qclass == DNS_IN && dns_name_eq(&m->qname, ask->name);
}

static enum dns_section section_of(const struct dns_message *m, unsigned i)
{
	if (i < m->counts[1])
		return DNS_SECTION_ANSWER;
	return i < (unsigned)m->counts[1] + m->counts[2] ? DNS_SECTION_AUTHORITY : DNS_SECTION_ADDITIONAL;
}

bool dns_message_next(struct dns_message *m, struct dns_rr *ret)
{
	while (m->next < records(m)) {
		unsigned i = m->next++;

		read_rr(&m->in, ret);
		if (m->in.bad)
			return false;
		ret->section = section_of(m, i);
		if (ret->type != DNS_OPT)
			return true;
	}
	return false;
}

void dns_message_rewind(struct dns_message *m)
{
	struct dns_name name;

	m->in.at = DNS_HEADER;
	m->in.bad = false;
	m->next = 0;
	if (m->has_question) {
		dns_in_name(&m->in, &name);
		dns_in_u32(&m->in);
	}
}

/* ---- RDATA ---- */

/* A cursor over the RDATA; compression may point anywhere before it in the packet. */
static struct dns_in rdata(const struct dns_message *m, const struct dns_rr *rr)
{
	return (struct dns_in){ m->in.p, rr->at + rr->n, rr->at, false };
}

static bool whole(const struct dns_in *in)
{
	return !in->bad && in->at == in->n;
}

bool dns_rr_name(const struct dns_message *m, const struct dns_rr *rr, struct dns_name *ret)
{
	struct dns_in in = rdata(m, rr);

	if (rr->type != DNS_NS && rr->type != DNS_CNAME && rr->type != DNS_PTR && rr->type != DNS_DNAME)
		return false;
	dns_in_name(&in, ret);
	return whole(&in);
}

bool dns_rr_address(const struct dns_message *m, const struct dns_rr *rr, uint8_t ret[16], int *ret_family)
{
	if (!(rr->type == DNS_A && rr->n == 4) && !(rr->type == DNS_AAAA && rr->n == 16))
		return false;
	memset(ret, 0, 16);
	memcpy(ret, m->in.p + rr->at, rr->n);
	*ret_family = rr->type == DNS_A ? 4 : 6;
	return true;
}

bool dns_rr_txt(const struct dns_message *m, const struct dns_rr *rr, void *buf, size_t cap, size_t *ret_n)
{
	struct dns_in in = rdata(m, rr);
	size_t n = 0;

	if (rr->type != DNS_TXT || rr->n == 0)
		return false;
	while (!in.bad && in.at < in.n) {
		size_t len = dns_in_u8(&in);
		const uint8_t *p = dns_in_bytes(&in, len);

		if (!p || cap - n < len)
			return false;
		memcpy((uint8_t *)buf + n, p, len);
		n += len;
	}
	*ret_n = n;
	return whole(&in);
}

bool dns_rr_soa(const struct dns_message *m, const struct dns_rr *rr, struct dns_soa *ret)
{
	struct dns_in in = rdata(m, rr);

	if (rr->type != DNS_SOA)
		return false;
	dns_in_name(&in, &ret->mname);
	dns_in_name(&in, &ret->rname);
	ret->serial = dns_in_u32(&in);
	ret->refresh = dns_in_u32(&in);
	ret->retry = dns_in_u32(&in);
	ret->expire = dns_in_u32(&in);
	ret->minimum = dns_in_u32(&in);
	return whole(&in);
}

bool dns_rr_caa(const struct dns_message *m, const struct dns_rr *rr, struct dns_caa *ret)
{
	struct dns_in in = rdata(m, rr);
	const uint8_t *tag, *value;
	size_t n;

	if (rr->type != DNS_CAA)
		return false;
	ret->flags = dns_in_u8(&in);
	n = dns_in_u8(&in);
	tag = dns_in_bytes(&in, n);
	if (in.bad || n == 0)
		return false;
	for (size_t i = 0; i < n; i++)
		if (!(tag[i] >= 'a' && tag[i] <= 'z') && !(tag[i] >= 'A' && tag[i] <= 'Z') && !(tag[i] >= '0' && tag[i] <= '9'))
			return false;
	ret->tag = (struct str){ (const char *)tag, n };
	n = in.n - in.at;
	value = dns_in_bytes(&in, n);
	ret->value = (struct str){ (const char *)value, n };
	return true;
}
