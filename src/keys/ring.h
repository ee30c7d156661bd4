/* SPDX-License-Identifier: Apache-2.0 */
/*
 * ring.h - master keys, and sealing under them. Inside keys/ only.
 *
 * From each master key three things are derived (BLAKE2b, crypto_kdf): its id, its check value, and the key that seals; the master
 * key itself is wiped after that. The sealing keys lie in memory that is locked, guarded and left out of core dumps.
 *
 * Sealed: 1 byte version (1), 8 bytes key id, 24 bytes nonce, ciphertext with 16 bytes tag. Associated data: the first
 * nine bytes, then "table/id/column".
 */
#ifndef KEYS_RING_H
#define KEYS_RING_H

#include "base/buf.h"
#include "base/secret.h"
#include "base/str.h"
#include "keys/keys.h"

struct ring;

#define MASTER_BYTES 32
#define MASTER_ID_BYTES 8

/* Inside keys/ only: the key of a file (or a credential's name), wiped by the caller, and its id. */
int master_read(const char *name, unsigned char out[MASTER_BYTES], struct err *err);
void master_id(const unsigned char master[MASTER_BYTES], unsigned char ret[MASTER_ID_BYTES]);

int ring_open(const struct strlist *files, const char *check_text, struct ring **ret, struct err *err);
void ring_free(struct ring *r);
char *ring_check_text(const struct ring *r);

/* Table, id and column are short texts of letters, digits, '_' and '-'. INVALID. */
int place_check(const struct key_place *p, struct err *err);
int ring_seal(const struct ring *r, const struct key_place *to, const struct secret *plain, struct buf *out, struct err *err);
int ring_unseal(const struct ring *r, const struct key_place *at, const void *sealed, size_t n, struct secret *ret,
		struct err *err);

#endif
