/* SPDX-License-Identifier: Apache-2.0 */
/*
 * update.h - changing a zone on its primary server by DNS messages (RFC 2136) signed with TSIG (RFC 8945), and reading back what is
 * there, from that server itself. By TCP only, so that nothing is cut and nobody else can answer.
 *
 * Values are added and deleted one by one: an update never replaces what is there, so others' values need no reading. Adding
 * what is there and deleting what is not are no errors. The whole set takes the TTL of the last addition.
 *
 * Errors: NETWORK and TIMEOUT; UNAUTHENTICATED: the server does not know the key, or has another secret for it; DENIED: its policy
 * does not let this key do that; NOT_FOUND: it is not the server of the zone; REMOTE_BUSY: its own failure, or clocks too far apart;
 * REMOTE_BAD: an answer that is not signed or cannot be read; REMOTE_REFUSED: any other refusal. INVALID: the server's name.
 */
#ifndef RESOLVE_UPDATE_H
#define RESOLVE_UPDATE_H

#include "base/clock.h"
#include "base/secret.h"
#include "base/str.h"

struct tsig_key;

struct update_server { /* borrowed */
	const char *server;          /* "ns.example.com", "192.0.2.1:5353", "[2001:db8::1]:53"; port 53 when left out */
	const struct tsig_key *key;  /* NULL: not signed (servers that go by address) */
	const struct clock *clock;
	int64_t until_ms;            /* boot clock: all must be done by then */
};

struct update {
	const char *zone, *name;
	const struct strlist *values; /* of TXT */
	int64_t ttl_s;
	bool add;                     /* else delete just these values */
};

/* A key for the above, owned; see tsig_key_make. */
int update_key_new(const char *name, const char *algorithm, const struct secret *base64, struct tsig_key **ret, struct err *err);
void update_key_free(struct tsig_key *k);

/* The server's form only, without looking anything up. INVALID. */
int update_server_check(const char *server, struct err *err);

/* The deepest zone of this server that holds the name, found by its SOA; no final dot, owned by the caller. */
int update_find_zone(const struct update_server *s, const char *name, char **ret_zone, struct err *err);
/*
 * Does the server take the key? A question of the root, whose answer is of no interest. NEEDS_PERSON: it answers without a signature, so
 * that nothing is known.
 */
int update_try_key(const struct update_server *s, struct err *err);
int update_send(const struct update_server *s, const struct update *u, struct err *err);
/* TXT values at the name as the server has them; *ret_alias (may be NULL) is the target of a CNAME there, owned, or NULL. */
int update_read(const struct update_server *s, const char *name, struct strlist *ret, char **ret_alias, struct err *err);

#endif
