/* SPDX-License-Identifier: Apache-2.0 */
/* report.c - see report.h. */
#include "edge/report.h"

#include "dns/dns.h"

#include <sys/socket.h>

#define SLOTS 1024
#define PROBE 8

struct entry {
	uint64_t uid, prefix;
	uint16_t qtype, status;
	uint8_t transport, name_n, host_n;
	uint32_t answers, count;
	int64_t first_ms, last_ms;
	uint8_t name[255];
	char host[FEED_REPORT_HOST_MAX];
};

/* types with a counter of their own; [0] is for all others */
static const uint16_t total_types[] = { 0, DNS_A, DNS_NS, DNS_CNAME, DNS_SOA, DNS_MX, DNS_TXT, DNS_AAAA, DNS_DS, DNS_DNSKEY,
					DNS_SVCB, DNS_HTTPS, DNS_AXFR, DNS_ANY, DNS_CAA };
static const uint16_t total_statuses[] = { 0, DNS_RCODE_FORMERR, DNS_RCODE_NXDOMAIN, DNS_RCODE_NOTIMP, DNS_RCODE_REFUSED,
					   DNS_RCODE_BADVERS, 200, 301, 400, 404 };
#define TYPES ARRAY_SIZE(total_types)
#define STATUSES ARRAY_SIZE(total_statuses)

struct reports {
	int fd;
	bool counted, failed; /* totals: there is something to send; the last try failed */
	int64_t totals_ms;
	uint32_t totals[FEED_HTTP01 + 1][TYPES][STATUSES];
	unsigned used;
	int64_t sent_ms;
	uint64_t lost;
	uint16_t order[SLOTS];   /* the slots in use */
	uint8_t taken[SLOTS];
	struct entry slots[SLOTS];
	struct feed_builder out;
};

struct reports *reports_new(int fd)
{
	struct reports *r = xcalloc(1, sizeof *r);

	r->fd = fd;
	return r;
}

void reports_free(struct reports *r)
{
	free(r);
}

uint64_t reports_lost(const struct reports *r)
{
	return r->lost;
}

static bool same(const struct entry *e, const struct report_key *k)
{
	return e->uid == k->uid && e->prefix == k->prefix && e->qtype == k->qtype && e->status == k->status &&
	       e->transport == (uint8_t)k->transport && e->answers == k->answers && e->host_n == k->host.n &&
	       (k->host.n == 0 || !memcmp(e->host, k->host.p, k->host.n));
}

static void fill(struct entry *e, const struct report_key *k, int64_t wall_ms)
{
	e->uid = k->uid;
	e->prefix = k->prefix;
	e->qtype = k->qtype;
	e->status = k->status;
	e->transport = (uint8_t)k->transport;
	e->answers = k->answers;
	e->count = 1;
	e->first_ms = e->last_ms = wall_ms;
	e->name_n = (uint8_t)k->name_n;
	memcpy(e->name, k->name, k->name_n);
	e->host_n = (uint8_t)k->host.n;
	if (k->host.n)
		memcpy(e->host, k->host.p, k->host.n);
}

void reports_note(struct reports *r, const struct report_key *key, int64_t wall_ms)
{
	struct report_key k = *key;
	uint64_t h;

	if (k.name_n > sizeof r->slots->name)
		return;
	k.host.n = MIN(k.host.n, FEED_REPORT_HOST_MAX);
	h = (k.uid * 0x9e3779b97f4a7c15u) ^ (k.prefix * 0xbf58476d1ce4e5b9u) ^ ((uint64_t)k.qtype << 16 | k.status);
	h ^= h >> 31;
	for (unsigned i = 0; i < PROBE; i++) {
		size_t at = (h + i) % SLOTS;

		if (!r->taken[at]) {
			r->taken[at] = 1;
			r->order[r->used++] = (uint16_t)at;
			fill(&r->slots[at], &k, wall_ms);
			return;
		}
		if (same(&r->slots[at], &k)) {
			r->slots[at].count++;
			r->slots[at].last_ms = wall_ms;
			return;
		}
	}
	r->lost++;
}

static void send_out(struct reports *r)
{
	if (!r->out.count)
		return;
	feed_finish(&r->out);
	if (send(r->fd, r->out.p, r->out.n, MSG_DONTWAIT | MSG_NOSIGNAL) < 0)
		r->lost += r->out.count;
	feed_start(&r->out, FEED_REPORT, 0, 0);
}

static void put(struct reports *r, const struct entry *e)
{
	char text[DNS_NAME_TEXT];
	struct feed_report f = {
		.transport = (enum feed_transport)e->transport, .qtype = e->qtype, .status = e->status,
		.answers = e->answers, .count = e->count, .first_ms = e->first_ms, .last_ms = e->last_ms,
		.host = { e->host, e->host_n },
	};
	unsigned bytes = e->prefix >> 63 ? 7 : 3;

	f.family = bytes == 7 ? 6 : 4;
	for (unsigned i = 0; i < bytes; i++)
		f.source[i] = (uint8_t)(e->prefix >> 8 * (bytes - 1 - i));
	if (e->transport == FEED_HTTP01) {
		f.name = (struct str){ (const char *)e->name, e->name_n };
	} else {
		struct dns_name name = { .n = e->name_n };

		memcpy(name.b, e->name, e->name_n);
		f.name = STR(dns_name_text(&name, text));
	}
	if (feed_add_report(&r->out, &f))
		return;
	send_out(r);
	feed_add_report(&r->out, &f);
}

void reports_total(struct reports *r, enum feed_transport transport, uint16_t qtype, uint16_t status)
{
	size_t type = TYPES - 1, at = STATUSES - 1;

	if (qtype == DNS_TXT)
		type = 6; /* nearly all of them */
	while (type && total_types[type] != qtype)
		type--;
	while (at && total_statuses[at] != status)
		at--;
	r->totals[transport][type][at]++;
	r->counted = true;
}

static void put_totals(struct reports *r, unsigned transport)
{
	for (size_t type = 0; type < TYPES; type++)
		for (size_t at = 0; at < STATUSES; at++)
			if (r->totals[transport][type][at])
				feed_add_report(&r->out, &(struct feed_report){
					.transport = (enum feed_transport)transport, .family = 4, .qtype = total_types[type],
					.status = total_statuses[at], .count = r->totals[transport][type][at] });
}

static bool flush_totals(struct reports *r, int64_t boot_ms)
{
	if (!r->counted)
		return false;
	if (boot_ms - r->totals_ms < REPORT_PERIOD_MS)
		return !r->failed;
	_Static_assert(FEED_HTTP01 * TYPES * STATUSES * 50 < FEED_PACKET - FEED_HEADER, "all totals are one packet");
	r->totals_ms = boot_ms;
	feed_start(&r->out, FEED_REPORT, 0, 0);
	for (unsigned transport = FEED_UDP; transport <= FEED_HTTP01; transport++)
		put_totals(r, transport);
	feed_finish(&r->out);
	r->failed = send(r->fd, r->out.p, r->out.n, MSG_DONTWAIT | MSG_NOSIGNAL) < 0;
	if (!r->failed) {
		memset(r->totals, 0, sizeof r->totals);
		r->counted = false;
	}
	return false; /* what could not be sent goes with the next traffic, not by waking for it */
}

static bool flush_reports(struct reports *r, int64_t boot_ms, bool now)
{
	if (!r->used)
		return false;
	if (!now && boot_ms - r->sent_ms < REPORT_PERIOD_MS)
		return true;
	r->sent_ms = boot_ms;
	feed_start(&r->out, FEED_REPORT, 0, 0);
	for (unsigned i = 0; i < r->used; i++) {
		put(r, &r->slots[r->order[i]]);
		r->taken[r->order[i]] = 0;
	}
	send_out(r);
	r->used = 0;
	return false;
}

bool reports_flush(struct reports *r, int64_t boot_ms, bool now)
{
	bool totals = flush_totals(r, boot_ms), reports = flush_reports(r, boot_ms, now);

	return totals || reports;
}
