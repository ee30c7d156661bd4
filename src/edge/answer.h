/* SPDX-License-Identifier: Apache-2.0 */
/*
 * answer.h - one DNS answer from one query and the table: no I/O, no clock, no allocation.
 */
#ifndef EDGE_ANSWER_H
#define EDGE_ANSWER_H

#include "edge/table.h"

enum answer_kind {
	ANSWER_NONE,     /* say nothing */
	ANSWER_LIVE,     /* TXT values of a live challenge: never rate-limited */
	ANSWER_OTHER,    /* SOA, NS, addresses, ANY */
	ANSWER_NODATA,
	ANSWER_NXDOMAIN,
	ANSWER_REFUSED,
	ANSWER_ERROR,    /* FORMERR, NOTIMP, BADVERS */
	ANSWER_KINDS
};

struct answer {
	enum answer_kind kind;
	size_t n;                 /* bytes in out */
	const struct node *node;  /* the name asked for is in the table, inside a zone of ours */
	uint16_t rcode;
	uint16_t answers;         /* records in the answer section */
	bool truncated;
};

#define ANSWER_TCP_MAX 16384 /* every answer fits: LIMIT_TXT_VALUES challenge values */

/* Builds the answer to p. By UDP it has at most MIN(what they take, 1232) bytes, else TC=1 and nothing in it. cap is at
 * least LIMIT_DNS_UDP, by TCP ANSWER_TCP_MAX. q is scratch space and afterwards the query as it was read. */
void answer_build(const struct table *t, const uint8_t *p, size_t n, bool tcp, uint8_t *out, size_t cap, struct dns_query *q,
		  struct answer *ret);
/* Turns an answer that was built into the truncated one: header with TC=1, question, OPT. */
void answer_truncate(const struct dns_query *q, uint8_t *out, struct answer *a);

#endif
