/* SPDX-License-Identifier: Apache-2.0 */
/*
 * publisher_rig.h - the contract of publisher.h held against one provider and a model of its remote side: the vendor's rules in a
 * small function, and faults at every single request. A publisher_NAME.c beside this file is such a model.
 *
 * What is checked everywhere: 0 means that all our values are there; others' values are there byte for byte whatever happens; the
 * credential's secret is in no error, even when the other side sends it back; a second try after any fault ends well.
 */
#ifndef TESTS_CONTRACT_PUBLISHER_RIG_H
#define TESTS_CONTRACT_PUBLISHER_RIG_H

#include "base/json.h"
#include "publish/publisher.h"
#include "tests/unit/assert.h"

#define SIDE_ZONE "example.com"
#define SIDE_NAME "_acme-challenge.example.com"
#define SIDE_HOST "www.example.com" /* http-01 */
#define SIDE_THUMBPRINT "nP1qzpXGymHBrUEepNY9HCsQk7K8KhOypzEt62jcerQ"

enum side_fault {
	FAULT_NONE,
	FAULT_CREDENTIAL, /* the vendor's own "bad credential" */
	FAULT_DENIED,     /* its own "not this zone" */
	FAULT_LIMIT,      /* its own "too many", Retry-After: 7 where it has that */
	FAULT_BUSY,       /* 503, Retry-After: 9 */
	FAULT_HTML,       /* 502 with a page of a proxy */
	FAULT_GARBAGE,    /* 200 with a page of a proxy */
	FAULT_EMPTY,      /* 200 without a body */
	FAULT_CUT,        /* done, but half of the answer is missing */
	FAULT_LOST,       /* done, but the connection breaks before the answer */
	FAULT_AWAY,       /* not done: the connection breaks before the request */
	FAULT_OVERSIZED,  /* more than is taken: what our client says then */
	FAULT_ECHO,       /* 400 whose words hold the whole request with its headers, and control characters */
	FAULT_COUNT
};

struct side {
	struct http http;
	struct clock clock;
	const struct side_vendor *v;
	struct strlist zones;  /* what the credential sees */
	struct strlist rdata;  /* TXT at SIDE_NAME as the vendor keeps them; http-01: key authorizations */
	struct strlist ids;    /* of those, where each record has an id; http-01: tokens */
	int64_t ttl_s;
	unsigned next_id;
	int requests, writes;
	int fail_at;           /* number of the request that fails, from 1; 0 = none */
	enum side_fault fault;
	enum err_code wanted;  /* what the fault that was met is to be called */
	int64_t slow_ms;       /* each answer takes that long */
	int race_at;           /* before that write somebody else adds a value */
	char *bad;             /* what a request had wrong, or NULL */
	void *state;           /* the vendor's own */
};

struct side_vendor {
	const char *publisher;
	struct field_value values[10];
	size_t n;
	const char *secrets[4]; /* texts that may be in no error; NULL ends. The first is sent back to us, with whatever we sent */
	bool http01;            /* its sets are tokens of hosts, not TXT values */
	bool swaps;             /* a write that was overtaken is noticed by the other side */
	bool creates;           /* only of a create it is noticed */
	bool blind;             /* it cannot be read, and any 2xx is a success */
	bool limit_says_when;   /* FAULT_LIMIT has a Retry-After */
	const char *others[3];  /* values of others, as this vendor keeps them; NULL ends */
	void (*answer)(struct side *s, const struct http_request *q, struct http_response *res);
	/* FAULT_CREDENTIAL, FAULT_DENIED, FAULT_LIMIT as this vendor says them. */
	void (*refuse)(struct side *s, enum side_fault f, struct http_response *res);
	/* Optional: what a fault of this request is called, where that is not the usual; 0 = it is nothing to speak of. */
	enum err_code (*means)(const struct http_request *q, enum side_fault f, enum err_code usual);
	/* Optional, after a try that went well: what is left half done, or NULL. */
	const char *(*unsettled)(const struct side *s);
	/* A refusal of the request (400) with these words, hostile as they are. */
	void (*echo)(struct http_response *res, const char *words);
};

/* For models. */
void side_body(struct http_response *res, int status, const char *type, const char *body);
void side_json(struct http_response *res, int status, json_t *body); /* taken */
const char *side_header(const struct http_request *q, const char *name); /* "" when it is not there */
/* The part of the URL behind the prefix, or NULL. */
const char *side_path(const struct http_request *q, const char *prefix);
/* Value of a query parameter, percent-decoded; owned, NULL when absent. */
char *side_query(const struct http_request *q, const char *name);
void side_wrong(struct side *s, const char *fmt, ...) PRINTF(2, 3); /* the request should not have been made so */
/* A write is about to happen: the race takes place here. Every model calls it first. */
void side_write(struct side *s);

/* Runs everything. */
int side_run(const struct side_vendor *v);

#endif
