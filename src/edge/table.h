/* SPDX-License-Identifier: Apache-2.0 */
/*
 * table.h - what edge answers from: zones, TXT values, tokens. One table per listener thread, changed only by that thread
 * and only between packets, one name at a time; so there is no lock and no half-made answer.
 *
 * Every ancestor of a name in the table is a node too: a node without anything of its own is an empty non-terminal
 * (RFC 8020), and the walk from a name that does not exist to its zone ends at the first node. Record sets are kept as
 * the bytes of an answer whose owner is a pointer to the question; answering copies them.
 */
#ifndef EDGE_TABLE_H
#define EDGE_TABLE_H

#include "base/addr.h"
#include "dns/dns.h"
#include "feed/feed.h"

#define EDGE_TXT_TTL_MAX 60
#define EDGE_SOA_TTL_MAX 30
#define EDGE_NS_TTL 300
#define EDGE_ADDRESSES 8

struct edge_settings {
	struct dns_name hostname;     /* the NS name; n = 0: no DNS */
	struct dns_name zone;         /* a zone of our own; n = 0: none */
	union addr addresses[EDGE_ADDRESSES]; /* of hostname, served when it lies in zone */
	size_t addresses_n;
	uint32_t soa_ttl_s;           /* TTL of SOA and of negative answers */
	unsigned rate_limit;          /* answers per second, prefix and kind; 0 = off */
	bool redirect_https;          /* HTTP: what is no live token goes to https:// */
};

struct rrset {
	uint8_t *p;      /* whole records, owners as pointers to offset 12 */
	uint32_t n;
	uint16_t count;  /* records */
};

struct zone {
	uint64_t id;         /* 0: our own, not the feed's */
	uint8_t *soa;        /* RDATA; the serial is at soa_serial */
	uint16_t soa_n, soa_serial;
	uint32_t soa_ttl;
	struct rrset ns;
};

struct value {
	struct value *next;
	uint64_t id;
	uint32_t ttl;
	uint8_t n;
	uint8_t p[];
};

struct node {
	struct node *next;   /* in its hash chain */
	struct node *parent; /* NULL: a top-level name */
	uint64_t hash;
	uint64_t uid;        /* never used again: reports compare it, not pointers */
	struct zone *zone;   /* a zone begins here */
	struct value *values;
	struct rrset txt;
	struct rrset *address; /* [0] A, [1] AAAA: our host name in our own zone */
	uint64_t pinned;     /* id of the FEED_NAME that keeps it */
	uint32_t children;
	uint8_t name_n;
	uint8_t name[];      /* wire form, lower case */
};

struct token {
	struct token *next;
	uint64_t hash;
	uint64_t id;
	uint64_t uid;
	uint8_t token_n;
	uint16_t value_n;
	char text[];         /* token, then key authorization */
};

struct table;

struct table *table_new(const struct edge_settings *settings);
void table_free(struct table *t); /* NULL is fine */
/* Applies one item. An item that changes nothing is fine. */
void table_apply(struct table *t, const struct feed_item *i);
void table_set_serial(struct table *t, uint32_t serial);
uint32_t table_serial(const struct table *t);

/* The node of just this name, or NULL. */
const struct node *table_find(const struct table *t, const struct dns_query *q);
/* The closest node above a name that has none, and how many labels of the name are above it; NULL when there is none. */
const struct node *table_closest(const struct table *t, const struct dns_query *q, unsigned *ret_cut);
/* Of several rows with one token (one authorization shared by two orders) any. */
const struct token *table_token(const struct table *t, const char *token, size_t n);

size_t table_nodes(const struct table *t);
size_t table_tokens(const struct table *t);

#endif
