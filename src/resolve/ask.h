/* SPDX-License-Identifier: Apache-2.0 */
/*
 * ask.h - single questions for the look at a delegation and for the preflight: facts about names, without any judgement. As in
 * resolve.h nothing is kept, and what is asked of a server directly was never in a cache.
 */
#ifndef RESOLVE_ASK_H
#define RESOLVE_ASK_H

#include "resolve/resolve.h"

#define ASK_RECORDS 24 /* of one answer; more are left out */
#define ASK_MS 2500    /* one question to servers directly */

struct resolve_rr {
	enum dns_section section;
	char owner[DNS_NAME_TEXT];
	uint16_t type;
	uint32_t ttl;
	/* NS, CNAME: the name; A, AAAA: the address; CAA: the value; SOA: the primary; else "" */
	char *text;
	char *tag;      /* CAA, lower case */
	uint8_t flags;  /* CAA */
	union addr addr; /* A, AAAA; port 53, or the view's auth_port */
};

struct resolve_answer {
	char from[DNS_NAME_TEXT]; /* host name of the server, or the view's resolver */
	char address[ADDR_TEXT];
	bool answered;
	char *trouble;            /* why not */
	unsigned rcode;
	bool authoritative, truncated;
	struct resolve_rr *v;
	size_t n;
};
void resolve_answer_done(struct resolve_answer *a);
#define _cleanup_resolve_answer_ __attribute__((cleanup(resolve_answer_done)))

struct resolve_answers {
	char zone[DNS_NAME_TEXT]; /* whose servers were asked */
	bool inside;              /* as in struct resolve_report */
	struct resolve_answer *v;
	size_t n;
};
void resolve_answers_done(struct resolve_answers *a);
#define _cleanup_resolve_answers_ __attribute__((cleanup(resolve_answers_done)))

/* The view's resolvers (their caches, too). 0 when one answered, whatever it said but SERVFAIL and REFUSED; NETWORK. */
int resolve_ask(const struct resolve_view *v, const char *name, uint16_t type, struct resolve_answer *ret, struct err *err);

/*
 * All servers of the deepest zone cut at or above `zone_of`, about name. For name = _acme-challenge.x and zone_of = x it is the
 * parent that answers, with a referral if it is delegated. A view with ask_view asks nobody: NETWORK.
 */
int resolve_ask_zone(const struct resolve_view *v, const char *zone_of, const char *name, uint16_t type, struct resolve_answers *ret,
		     struct err *err);

/* One server, by UDP or TCP only; never fails, a->answered says. */
void resolve_ask_server(const union addr *to, const char *name, uint16_t type, bool tcp, struct resolve_answer *ret);

#endif
