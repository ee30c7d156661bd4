/* SPDX-License-Identifier: Apache-2.0 */
/*
 * tsig.h - transaction signatures (RFC 8945) over one request and its answer; private to resolve/ and its tests.
 *
 * An answer is believed only when its MAC is right. The two errors that a server cannot sign (it has no such key, or another
 * secret) are told apart from forged answers as far as can be: they are an error either way.
 */
#ifndef RESOLVE_TSIG_H
#define RESOLVE_TSIG_H

#include "base/secret.h"
#include "crypto/digest.h"
#include "dns/dns.h"

#define TSIG_FUDGE_S 300
#define TSIG_ROOM 512 /* bytes that a signature takes at most: two names, 64 bytes of MAC, the rest */

enum tsig_error { TSIG_BADSIG = 16, TSIG_BADKEY = 17, TSIG_BADTIME = 18, TSIG_BADTRUNC = 22 };

struct tsig_key {
	struct dns_name name, algorithm; /* lower case */
	enum digest digest;
	struct secret secret;            /* raw bytes */
};

/* "hmac-sha256", -sha384, -sha512; a name; the secret in base64. INVALID; the secret is not in err. */
int tsig_key_make(const char *name, const char *algorithm, const struct secret *base64, struct tsig_key *ret, struct err *err);
void tsig_key_done(struct tsig_key *k);
#define _cleanup_tsig_key_ __attribute__((cleanup(tsig_key_done)))

struct tsig_mac {
	uint8_t b[DIGEST_MAX];
	size_t n;
};

/*
 * Adds the TSIG record behind a finished message and counts it. out must begin with the message. request is NULL for a request, for
 * an answer (tests) the MAC of what is answered.
 */
void tsig_sign(struct dns_out *out, const struct tsig_key *key, const struct tsig_mac *request, int64_t now_s, struct tsig_mac *ret);

enum tsig_verdict {
	TSIG_GOOD,
	TSIG_MISSING,   /* the answer is not signed */
	TSIG_UNSIGNED,  /* a TSIG error without a MAC: error says which */
	TSIG_WRONG,     /* the MAC or the key is not the one, or the form is broken */
	TSIG_LATE,      /* the MAC is right, the time is not within the fudge */
};

struct tsig_answer {
	enum tsig_verdict verdict;
	unsigned error;      /* TSIG error of the answer, 0 = none */
	int64_t server_s;    /* with BADTIME: the server's clock, 0 = not said */
};

/* Judges the answer p, which dns_message_read has accepted, to the request with this MAC. */
void tsig_check(const uint8_t *p, size_t n, const struct tsig_key *key, const struct tsig_mac *request, int64_t now_s, struct tsig_answer *ret);

#endif
