/* SPDX-License-Identifier: Apache-2.0 */
/*
 * feed.h - the messages between core and edge, and nothing else: what a packet looks like. Core's end with its thread
 * is core.h; edge's end is src/edge.
 *
 * Two listening SOCK_SEQPACKET unix sockets are held by edge: "feed" and "report". Core connects to both; a new
 * connection replaces the old. One message is one packet: a fixed header of 24 bytes, then a body of at most
 * 64 KiB - 24. All numbers are big-endian. Nothing here allocates; what is decoded points into the packet.
 *
 * Versions. Core is upgraded while the old edge answers, and the reverse, so each side speaks this version and the one before. HELLO is
 * in the oldest version of its edge and carries the newest; core takes the newest that both have, and every packet from its BEGIN on, in
 * both directions, is of that version. Where there is none in common core says so and edge goes on answering from what it has.
 *
 *	1	items, acknowledgements, reports
 *	2	LOG: what edge logs also goes to core, for the collector that only core reaches
 *
 * On the feed, after connecting:
 *
 *	edge  HELLO   seq = what this edge has applied (0: never loaded), start = the start id it was loaded by
 *	core  BEGIN   a full set follows; edge collects it beside the table it answers from
 *	core  ITEMS   adds only, any number of packets
 *	core  END     seq = the number the set is current at; edge swaps the collected set in
 *	edge  ACK     seq = END's: every listener thread answers from the new set
 *	core  ITEMS   changes, adds and removes, seq = the number up to which this packet is complete
 *	edge  ACK     seq: every listener thread answers everything up to it
 *	core  PING    edge answers PONG with the seq it has applied
 *	edge  LOG     lines of its log, seq = its process id; any time after BEGIN (version 2)
 *
 * An item is named by (kind, name, id): adding it again replaces it, removing what is not there succeeds, so every
 * message may be sent twice. Two items of different id may carry the same TXT value: it is answered once, and until both
 * are gone. The start id is drawn at random whenever core starts; every message of a core carries it, and an ACK returns
 * it. A packet of another version than agreed, or one that cannot be read, ends the connection.
 *
 * On the report socket only edge speaks: REPORT packets (of the oldest version: they have not changed), aggregated over
 * 250 ms, only for names and tokens that are in the table; they are dropped when nobody reads. Beside them totals: reports
 * without a name, over everything that was asked, by transport, type (0: any other) and status; they are kept until they
 * could be sent.
 */
#ifndef FEED_FEED_H
#define FEED_FEED_H

#include "base/str.h"

#define FEED_MAGIC 0x43574644u /* "CWFD" */
#define FEED_OLDEST 1
#ifndef FEED_NEWEST /* a build of the tests stands for the former version */
#define FEED_NEWEST 2
#endif
#define FEED_PACKET 65536 /* largest packet, header included */
#define FEED_HEADER 24

enum feed_type {
	FEED_HELLO = 1,
	FEED_BEGIN = 2,
	FEED_ITEMS = 3,
	FEED_END = 4,
	FEED_ACK = 5,
	FEED_PING = 6,
	FEED_PONG = 7,
	FEED_REPORT = 8,
	FEED_LOG = 9,
};

enum feed_kind {
	FEED_ZONE = 1, /* name: a zone we serve; value: the NS host name ("" = edge's own setting); ttl of SOA and NS */
	FEED_NAME = 2, /* name: exists inside one of our zones even while it has no value (CNAME target); value "" */
	FEED_TXT = 3,  /* name: owner; value: at most 255 bytes; ttl */
	FEED_HTTP = 4, /* name: token; value: key authorization; ttl is 0 */
};

enum feed_op { FEED_ADD = 1, FEED_REMOVE = 2 };

/* Limits of an item. Names are lower-case A-labels of a-z 0-9 - _ and dots, without a final dot. */
#define FEED_NAME_MAX 253
#define FEED_TXT_MAX 255
#define FEED_TOKEN_MIN 16
#define FEED_TOKEN_MAX 128
#define FEED_KEYAUTH_MAX 512
#define FEED_TTL_MAX 86400

struct feed_item {
	enum feed_op op;
	enum feed_kind kind;
	uint64_t id;      /* the row in the store; not 0 */
	uint32_t ttl_s;
	struct str name;  /* borrowed */
	struct str value; /* borrowed; may be empty for FEED_REMOVE */
};

enum feed_transport { FEED_UDP = 1, FEED_TCP = 2, FEED_HTTP01 = 3 };

struct feed_report {
	enum feed_transport transport;
	uint8_t family;      /* 4 or 6 */
	uint8_t source[16];  /* first address of the /24 or /56 */
	uint16_t qtype;      /* DNS: the type asked for; HTTP: 0 */
	uint16_t status;     /* DNS: RCODE; HTTP: status */
	uint32_t answers;    /* DNS: records in the answer section; HTTP: 1 when the token was served */
	uint32_t count;      /* how often within the period */
	int64_t first_ms;    /* wall clock */
	int64_t last_ms;
	struct str name;     /* DNS: a name in the table, lower case; HTTP: the token; empty: a total, without source */
	struct str host;     /* HTTP: the Host asked for, as sent, not to be trusted; DNS: empty */
};
#define FEED_REPORT_HOST_MAX 255
#define FEED_LINE_MAX 4096

struct feed_header {
	enum feed_type type;
	uint8_t version;
	uint8_t newest;    /* of HELLO: the newest version that edge speaks; else 0 */
	uint16_t count;    /* items, reports or lines in the body */
	uint64_t start;    /* core's start id */
	uint64_t seq;
};

/* A packet that was read: header checked, body not yet. */
struct feed_packet {
	struct feed_header h;
	const uint8_t *body;
	size_t n, at;
	unsigned left; /* items not yet taken */
};

/* Reads the header; INVALID when it is no message of a version of ours; a HELLO is read whatever it speaks. The body is borrowed. */
int feed_open(struct feed_packet *p, const void *packet, size_t n, struct err *err);
/* The newest version that this HELLO's edge and we have in common; REMOTE_BAD when there is none. */
int feed_agree(const struct feed_header *hello, uint8_t *ret, struct err *err);
/* Cursors: 1 an item, 0 the end, negative when the body cannot be read (INVALID). Every field is checked. */
int feed_next_item(struct feed_packet *p, struct feed_item *ret, struct err *err);
int feed_next_report(struct feed_packet *p, struct feed_report *ret, struct err *err);
int feed_next_line(struct feed_packet *p, struct str *ret, struct err *err); /* any bytes, FEED_LINE_MAX at most */

/* Builds one packet in place. */
struct feed_builder {
	uint8_t version; /* that was agreed; 0: the oldest. Its owner sets it */
	uint8_t p[FEED_PACKET];
	size_t n;
	uint16_t count;
};

void feed_start(struct feed_builder *b, enum feed_type type, uint64_t start, uint64_t seq);
/* The whole greeting, in the oldest version and with the newest. */
void feed_hello(struct feed_builder *b, uint64_t start, uint64_t seq);
/* False when it does not fit any more (send, start anew, add again). The item must be within the limits above: feed_item_check. */
bool feed_add_item(struct feed_builder *b, const struct feed_item *i);
bool feed_add_report(struct feed_builder *b, const struct feed_report *r);
bool feed_add_line(struct feed_builder *b, struct str line);
void feed_set_seq(struct feed_builder *b, uint64_t seq);
/* Fills in the count; the packet is b->p, b->n. */
void feed_finish(struct feed_builder *b);

/* Is the item one that edge would take? INVALID with a sentence otherwise. */
int feed_item_check(const struct feed_item *i, struct err *err);

const char *feed_kind_name(enum feed_kind kind);

#endif
