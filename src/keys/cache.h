/* SPDX-License-Identifier: Apache-2.0 */
/*
 * cache.h - the few keys that are open: each holds the key and what it may be used for. Found by a digest over place and
 * sealed bytes, so that bytes from another row never meet a key that is open. Inside keys/ only.
 */
#ifndef KEYS_CACHE_H
#define KEYS_CACHE_H

#include "crypto/private.h"

#define CACHE_KEYS 64
#define CACHE_IDLE_MS (10 * 60 * 1000)

struct opened {
	unsigned refs; /* under the cache's lock */
	unsigned char id[SHA256_LEN];
	int64_t used_ms;
	EVP_PKEY *key;
	enum key_purpose purpose;
	char *origin; /* of an account's CA: "https://host:port"; NULL otherwise */
	char *jwk;
	char public_hash[SHA256_HEX];
	struct key_text type;
};

struct cache;

struct cache *cache_new(void);
void cache_free(struct cache *c);
struct opened *cache_get(struct cache *c, const unsigned char id[SHA256_LEN]); /* a reference, or NULL */
/* Takes a freshly made one (refs 0) and returns a reference; when another thread was faster, that one's. */
struct opened *cache_put(struct cache *c, struct opened *o);
void cache_unref(struct cache *c, struct opened *o);
void opened_free(struct opened *o);

#endif
