/* SPDX-License-Identifier: Apache-2.0 */
/*
 * keytype.h - the kinds of keys we make, with their text ("p256", "rsa3072"): what is stored and shown.
 * Public keys met in other people's documents may be of more kinds; those are told by text only (struct key_text).
 */
#ifndef CRYPTO_KEYTYPE_H
#define CRYPTO_KEYTYPE_H

#include "base/err.h"

#define KEY_TYPES(X)                                                                                                   \
	X(P256, "p256")                                                                                                \
	X(P384, "p384")                                                                                                \
	X(RSA2048, "rsa2048")                                                                                          \
	X(RSA3072, "rsa3072")                                                                                          \
	X(RSA4096, "rsa4096")

enum key_type {
#define X(name, text) KEY_##name,
	KEY_TYPES(X)
#undef X
	KEY_TYPE_COUNT
};

/* "p256", "rsa2048", and for keys of others also "p521", "rsa2560", "ed25519", "other". */
struct key_text {
	char s[16];
};

const char *key_type_text(enum key_type t);
/* INVALID with the list of what is offered. */
int key_type_parse(const char *s, enum key_type *ret, struct err *err);

#endif
