/* SPDX-License-Identifier: Apache-2.0 */
/*
 * dns.h - the DNS wire format (RFC 1035, 3597, 6891, 8659), for the public server and for our own queries.
 *
 * Nothing here allocates, recurses or does I/O. Input is read by a cursor whose error sticks: read on, ask once.
 * Output goes into the caller's buffer by a builder that is full for good once something did not fit. Names are kept in
 * wire form (length bytes, final zero), at most 255 bytes, compared without case.
 */
#ifndef DNS_DNS_H
#define DNS_DNS_H

#include "base/str.h"

#define DNS_NAME_MAX 255  /* wire form, final zero included */
#define DNS_LABEL_MAX 63
#define DNS_NAME_TEXT 1024 /* room for any name as text: each byte as \DDD, dots, NUL */
#define DNS_HEADER 12

#define DNS_TYPES(X)                                                                                                   \
	X(A, 1) X(NS, 2) X(CNAME, 5) X(SOA, 6) X(PTR, 12) X(HINFO, 13) X(MX, 15) X(TXT, 16) X(AAAA, 28) X(SRV, 33)     \
	X(DNAME, 39) X(OPT, 41) X(DS, 43) X(RRSIG, 46) X(NSEC, 47) X(DNSKEY, 48) X(NSEC3, 50) X(TLSA, 52) X(SVCB, 64)  \
	X(HTTPS, 65) X(TKEY, 249) X(TSIG, 250) X(IXFR, 251) X(AXFR, 252) X(ANY, 255) X(CAA, 257)
enum dns_type {
#define X(name, number) DNS_##name = number,
	DNS_TYPES(X)
#undef X
};

#define DNS_RCODES(X)                                                                                                  \
	X(NOERROR, 0) X(FORMERR, 1) X(SERVFAIL, 2) X(NXDOMAIN, 3) X(NOTIMP, 4) X(REFUSED, 5) X(YXDOMAIN, 6)            \
	X(YXRRSET, 7) X(NXRRSET, 8) X(NOTAUTH, 9) X(NOTZONE, 10) X(BADVERS, 16)
enum dns_rcode {
#define X(name, number) DNS_RCODE_##name = number,
	DNS_RCODES(X)
#undef X
};

enum dns_class { DNS_IN = 1, DNS_CH = 3, DNS_NONE = 254, DNS_CLASS_ANY = 255 };
enum dns_opcode { DNS_QUERY = 0, DNS_NOTIFY = 4, DNS_UPDATE = 5 };
enum dns_flag { DNS_QR = 0x8000, DNS_AA = 0x0400, DNS_TC = 0x0200, DNS_RD = 0x0100, DNS_RA = 0x0080, DNS_AD = 0x0020, DNS_CD = 0x0010 };

#define DNS_TYPE_TEXT 12
const char *dns_type_text(uint16_t type, char buf[DNS_TYPE_TEXT]); /* "TXT", "TYPE1234" */
bool dns_type_parse(const char *s, uint16_t *ret);
const char *dns_rcode_text(unsigned rcode, char buf[DNS_TYPE_TEXT]); /* "NXDOMAIN", "RCODE23" */

/* ---- names ---- */

struct dns_name {
	uint8_t n; /* bytes in b, final zero included; the root is 1. 0: no name */
	uint8_t b[DNS_NAME_MAX];
};

/* Text with or without final dot, \. and \DDD escapes; "." is the root. INVALID otherwise. Case is kept. */
int dns_name_parse(const char *s, struct dns_name *ret, struct err *err);
/* Without final dot ("." for the root); everything but letters, digits, '-', '_', '*' as \DDD or '\.'. Returns buf. */
const char *dns_name_text(const struct dns_name *name, char buf[DNS_NAME_TEXT]);
bool dns_name_eq(const struct dns_name *a, const struct dns_name *b);
/* name is zone or below it. */
bool dns_name_within(const struct dns_name *name, const struct dns_name *zone);
/* Cuts the first label; false (and unchanged) for the root. */
bool dns_name_parent(struct dns_name *name);
unsigned dns_name_labels(const struct dns_name *name); /* the root has 0 */
void dns_name_lower(struct dns_name *name);

/* ---- reading ---- */

struct dns_in {
	const uint8_t *p; /* the whole message: compression points into it */
	size_t n, at;
	bool bad;         /* sticky; what is read after it is zero */
};

uint8_t dns_in_u8(struct dns_in *in);
uint16_t dns_in_u16(struct dns_in *in);
uint32_t dns_in_u32(struct dns_in *in);
const uint8_t *dns_in_bytes(struct dns_in *in, size_t n); /* NULL when there are fewer */
/* Compression pointers are followed only strictly backwards, so always to an end. */
void dns_in_name(struct dns_in *in, struct dns_name *ret);
/* As dns_in_name, but a compression pointer is an error (the question of a query). */
void dns_in_name_plain(struct dns_in *in, struct dns_name *ret);

/* ---- writing ---- */

struct dns_out {
	uint8_t *p;
	size_t cap, n;
	bool full; /* sticky */
};

void dns_out_u8(struct dns_out *out, uint8_t v);
void dns_out_u16(struct dns_out *out, uint16_t v);
void dns_out_u32(struct dns_out *out, uint32_t v);
void dns_out_bytes(struct dns_out *out, const void *p, size_t n);
void dns_out_name(struct dns_out *out, const struct dns_name *name); /* not compressed */
/* Writes v over two bytes written before. */
void dns_out_set_u16(struct dns_out *out, size_t at, uint16_t v);
void dns_out_header(struct dns_out *out, uint16_t id, uint16_t flags, unsigned rcode, const uint16_t counts[4]);
/* OPT pseudo record (RFC 6891 6.1.2) without options. rcode is the whole extended one; its upper bits go here. */
void dns_out_opt(struct dns_out *out, uint16_t udp_size, unsigned rcode, bool dnssec_ok);
/* TXT RDATA with its length: the value cut into strings of at most 255 bytes. */
void dns_out_txt(struct dns_out *out, const void *value, size_t n);

/* ---- what a server is asked ---- */

enum dns_verdict {
	DNS_ANSWER,  /* q is filled in */
	DNS_DROP,    /* no whole header, or an answer (QR=1): say nothing */
	DNS_FORMERR, /* id, opcode and rd are filled in, and the question if it could be read (question_n > 0) */
	DNS_NOTIMP,  /* an opcode other than QUERY; id, opcode, rd filled in */
	DNS_BADVERS, /* EDNS version other than 0; all filled in */
};

struct dns_query {
	uint16_t id;
	uint16_t flags; /* as sent */
	uint8_t opcode;
	uint16_t qtype, qclass;
	bool edns, dnssec_ok;
	uint16_t udp_size; /* what the client takes by UDP: 512 without EDNS, never below 512 */
	size_t question_n; /* bytes of the question, which begins at DNS_HEADER: echo them as they are */
	struct dns_name qname; /* lower case */
	uint16_t label_at[127]; /* where each label begins in qname.b */
	uint8_t labels;
};

enum dns_verdict dns_query_read(const uint8_t *p, size_t n, struct dns_query *ret);

/* ---- our own questions (resolve/) ---- */

struct dns_ask {
	uint16_t id;
	const struct dns_name *name;
	uint16_t type;
	bool recurse;      /* RD */
	bool edns;         /* adds OPT with udp_size */
	bool dnssec_ok;
	bool checking_disabled; /* CD */
	uint16_t udp_size; /* 1232 */
};

/* Builds the query; false when cap is too small (300 bytes are always enough). */
bool dns_ask_write(const struct dns_ask *ask, uint8_t *p, size_t cap, size_t *ret_n);

enum dns_section { DNS_SECTION_ANSWER = 1, DNS_SECTION_AUTHORITY = 2, DNS_SECTION_ADDITIONAL = 3 };

struct dns_message { /* an answer being read; borrows the packet */
	struct dns_in in;
	uint16_t id, flags;
	unsigned rcode;      /* with the upper bits of OPT, once OPT was met by dns_message_read */
	uint16_t counts[4];
	bool has_question;
	struct dns_name qname; /* as received */
	uint16_t qtype, qclass;
	bool edns;
	uint16_t udp_size;
	uint16_t edns_error; /* RFC 8914 info code + 1; 0 = none */
	unsigned next;       /* how many records were taken */
};

struct dns_rr {
	enum dns_section section;
	struct dns_name owner;
	uint16_t type, rclass;
	uint32_t ttl; /* above 2^31-1 read as 0 (RFC 2181 8) */
	size_t at;    /* RDATA within the packet */
	uint16_t n;
};

/* Reads header, question and walks over all records once (at most 500), so that later reading cannot meet a broken one.
 * REMOTE_BAD when the packet is malformed or is not an answer. */
int dns_message_read(struct dns_message *m, const uint8_t *p, size_t n, struct err *err);
/* The answer belongs to the question: id, name (without case), type, class; a missing question is accepted only with
 * an error code (some servers send FORMERR so). */
bool dns_message_matches(const struct dns_message *m, const struct dns_ask *ask);
/* Next record of the three sections; false at the end. OPT is not shown. dns_message_rewind starts anew. */
bool dns_message_next(struct dns_message *m, struct dns_rr *ret);
void dns_message_rewind(struct dns_message *m);

/* RDATA. All return false when it is not of that form. */
bool dns_rr_name(const struct dns_message *m, const struct dns_rr *rr, struct dns_name *ret); /* NS, CNAME, PTR, DNAME */
bool dns_rr_address(const struct dns_message *m, const struct dns_rr *rr, uint8_t ret[16], int *ret_family); /* A, AAAA */
/* The strings of a TXT joined into buf (not NUL-terminated); false also when they exceed cap. */
bool dns_rr_txt(const struct dns_message *m, const struct dns_rr *rr, void *buf, size_t cap, size_t *ret_n);

struct dns_soa {
	struct dns_name mname, rname;
	uint32_t serial, refresh, retry, expire, minimum;
};
bool dns_rr_soa(const struct dns_message *m, const struct dns_rr *rr, struct dns_soa *ret);

struct dns_caa {
	uint8_t flags;      /* 128 = critical */
	struct str tag;     /* borrowed from the packet; letters and digits, any case */
	struct str value;
};
bool dns_rr_caa(const struct dns_message *m, const struct dns_rr *rr, struct dns_caa *ret);

#endif
