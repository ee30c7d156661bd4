/* SPDX-License-Identifier: Apache-2.0 */
/* answer.c - the rules of an authoritative server for challenge zones (RFC 1034 4.3.2, 2308, 6891, 8020, 8482). */
#include "edge/answer.h"

#include "base/limits.h"

/* header flags of an answer to q */
static uint16_t flags_of(const struct dns_query *q, bool authoritative)
{
	return (uint16_t)(DNS_QR | (q->flags & (0x7800 | DNS_RD)) | (authoritative ? DNS_AA : 0));
}

/* Header and the question as it was sent. Counts are filled in by finish(). */
static void begin(struct dns_out *out, const struct dns_query *q, const uint8_t *p)
{
	dns_out_bytes(out, (uint8_t[DNS_HEADER]){ 0 }, DNS_HEADER);
	dns_out_bytes(out, p + DNS_HEADER, q->question_n);
}

static void finish(struct dns_out *out, const struct dns_query *q, bool aa, unsigned rcode, uint16_t answers,
		   uint16_t authority)
{
	if (q->edns)
		dns_out_opt(out, LIMIT_DNS_UDP, rcode, q->dnssec_ok);
	dns_out_set_u16(out, 0, q->id);
	dns_out_set_u16(out, 2, (uint16_t)(flags_of(q, aa) | (rcode & 0xf)));
	dns_out_set_u16(out, 4, q->question_n > 0);
	dns_out_set_u16(out, 6, answers);
	dns_out_set_u16(out, 8, authority);
	dns_out_set_u16(out, 10, q->edns);
}

static void fail(struct dns_out *out, const struct dns_query *q, const uint8_t *p, unsigned rcode, struct answer *a)
{
	begin(out, q, p);
	finish(out, q, false, rcode, 0, 0);
	a->rcode = (uint16_t)rcode;
	a->kind = rcode == DNS_RCODE_REFUSED ? ANSWER_REFUSED : ANSWER_ERROR;
}

/* The SOA of the zone that begins at offset owner of the message. */
static void put_soa(struct dns_out *out, const struct table *t, const struct zone *z, uint16_t owner)
{
	size_t serial;

	dns_out_u16(out, 0xc000 | owner);
	dns_out_u16(out, DNS_SOA);
	dns_out_u16(out, DNS_IN);
	dns_out_u32(out, z->soa_ttl);
	dns_out_u16(out, z->soa_n);
	serial = out->n + z->soa_serial;
	dns_out_bytes(out, z->soa, z->soa_n);
	dns_out_set_u16(out, serial, (uint16_t)(table_serial(t) >> 16));
	dns_out_set_u16(out, serial + 2, (uint16_t)table_serial(t));
}

/* The zone a node lies in, and where in the message its name begins. node is the one at label cut of the question. */
static const struct zone *zone_of(const struct node *node, const struct dns_query *q, unsigned cut, uint16_t *ret_owner)
{
	while (node && !node->zone) {
		node = node->parent;
		cut++;
	}
	if (!node)
		return NULL;
	*ret_owner = (uint16_t)(DNS_HEADER + q->label_at[cut]);
	return node->zone;
}

/* RFC 8482 4.2: for ANY one made-up record. */
static unsigned put_any(struct dns_out *out, const struct zone *z)
{
	dns_out_u16(out, 0xc000 | DNS_HEADER);
	dns_out_u16(out, DNS_HINFO);
	dns_out_u16(out, DNS_IN);
	dns_out_u32(out, z->soa_ttl);
	dns_out_u16(out, 9);
	dns_out_bytes(out, "\7RFC8482\0", 9);
	return 1;
}

static unsigned put_set(struct dns_out *out, const struct rrset *set)
{
	dns_out_bytes(out, set->p, set->n);
	return set->count;
}

/* Puts what the node has of this type; 0: nothing. */
static unsigned put_records(struct dns_out *out, const struct table *t, const struct node *node, const struct zone *z,
			    uint16_t type)
{
	switch (type) {
	case DNS_TXT:
		return put_set(out, &node->txt);
	case DNS_NS:
		return node->zone ? put_set(out, &node->zone->ns) : 0;
	case DNS_SOA:
		if (node->zone)
			put_soa(out, t, node->zone, DNS_HEADER);
		return node->zone != NULL;
	case DNS_A:
	case DNS_AAAA:
		return node->address ? put_set(out, &node->address[type == DNS_AAAA]) : 0;
	case DNS_ANY:
		return node->zone || node->txt.count || node->address ? put_any(out, z) : 0;
	default:
		return 0;
	}
}

/* What names no record and is not offered: transfers, OPT, TKEY, TSIG, MAILA, MAILB. Types nobody knows are no data. */
static bool is_meta(uint16_t type)
{
	return type == DNS_OPT || (type >= DNS_TKEY && type < DNS_ANY);
}

static void answer_question(struct dns_out *out, const struct table *t, const uint8_t *p, const struct dns_query *q,
			    struct answer *a)
{
	const struct node *node, *at;
	const struct zone *zone;
	unsigned count, cut = 0;
	uint16_t owner = 0;

	if (q->qclass != DNS_IN || is_meta(q->qtype)) {
		fail(out, q, p, DNS_RCODE_REFUSED, a);
		return;
	}
	node = at = table_find(t, q);
	if (!node)
		at = table_closest(t, q, &cut);
	zone = zone_of(at, q, cut, &owner);
	if (zone && q->qtype == DNS_DS && node && node->zone == zone) {
		/* the parent owns the DS: if we serve it too, it answers (RFC 4035 3.1.4.1) */
		const struct zone *parent = zone_of(node->parent, q, 1, &owner);

		zone = parent ? parent : zone;
	}
	if (!zone) {
		fail(out, q, p, DNS_RCODE_REFUSED, a);
		return;
	}
	begin(out, q, p);
	a->node = node;
	count = node ? put_records(out, t, node, zone, q->qtype) : 0;
	if (count) {
		a->kind = q->qtype == DNS_TXT ? ANSWER_LIVE : ANSWER_OTHER;
		a->answers = (uint16_t)count;
		finish(out, q, true, DNS_RCODE_NOERROR, a->answers, 0);
		return;
	}
	put_soa(out, t, zone, owner);
	a->kind = node ? ANSWER_NODATA : ANSWER_NXDOMAIN;
	a->rcode = node ? DNS_RCODE_NOERROR : DNS_RCODE_NXDOMAIN;
	finish(out, q, true, a->rcode, 0, 1);
}

void answer_truncate(const struct dns_query *q, uint8_t *p, struct answer *a)
{
	struct dns_out out = { p, LIMIT_DNS_UDP, DNS_HEADER + q->question_n, false };
	bool aa = p[2] & (DNS_AA >> 8);

	finish(&out, q, aa, a->rcode, 0, 0);
	p[2] |= DNS_TC >> 8;
	a->n = out.n;
	a->answers = 0;
	a->truncated = true;
}

void answer_build(const struct table *t, const uint8_t *p, size_t n, bool tcp, uint8_t *p_out, size_t cap, struct dns_query *q,
		  struct answer *a)
{
	size_t limit = tcp ? MIN(cap, ANSWER_TCP_MAX) : LIMIT_DNS_UDP;
	struct dns_out out = { p_out, limit, 0, false };

	*a = (struct answer){ 0 };
	switch (dns_query_read(p, n, q)) {
	case DNS_DROP:
		return;
	case DNS_FORMERR:
		fail(&out, q, p, DNS_RCODE_FORMERR, a);
		break;
	case DNS_NOTIMP:
		fail(&out, q, p, DNS_RCODE_NOTIMP, a);
		break;
	case DNS_BADVERS:
		fail(&out, q, p, DNS_RCODE_BADVERS, a);
		break;
	case DNS_ANSWER:
		answer_question(&out, t, p, q, a);
		break;
	}
	a->n = out.n;
	if (!tcp)
		limit = MIN(limit, q->udp_size);
	if (out.full || out.n > limit) {
		answer_truncate(q, p_out, a);
		a->truncated = true;
	}
}
