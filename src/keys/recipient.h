/* SPDX-License-Identifier: Apache-2.0 */
/*
 * recipient.h - key pairs for backups: whoever makes a backup needs the public half only, whoever opens it the secret half, which
 * lies in a safe or with somebody else. X25519.
 *
 *	public   "cwr1-" and base64url of the 32 bytes and four of their BLAKE2b: what backup.recipients holds
 *	secret   "CWR1-SECRET-" and the same of the secret half: one line of a file
 */
#ifndef KEYS_RECIPIENT_H
#define KEYS_RECIPIENT_H

#include "base/secret.h"

struct err;

#define RECIPIENT_BYTES 32

struct recipient {
	unsigned char key[RECIPIENT_BYTES];
};
struct identity { /* wiped by identity_clear */
	unsigned char secret[RECIPIENT_BYTES];
	struct recipient public;
};
void identity_clear(struct identity *i);
#define _cleanup_identity_ __attribute__((cleanup(identity_clear)))

/* A new pair: the secret file's text, and the public half's (owned). */
int recipient_make(struct secret *ret_secret, char **ret_public, struct err *err) MUST_CHECK;
int recipient_parse(const char *text, struct recipient *ret, struct err *err) MUST_CHECK; /* INVALID: not one, or mistyped */
char *recipient_text(const struct recipient *r);
int identity_parse(const struct secret *text, struct identity *ret, struct err *err) MUST_CHECK;

#endif
