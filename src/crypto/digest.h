/* SPDX-License-Identifier: Apache-2.0 */
/* digest.h - SHA-2 and HMAC, as bytes, hex and base64url. Cannot fail: a broken crypto library ends the process. */
#ifndef CRYPTO_DIGEST_H
#define CRYPTO_DIGEST_H

#include "base/util.h"

enum digest { DIGEST_SHA256, DIGEST_SHA384, DIGEST_SHA512, DIGEST_SHA1 /* only for TSIG and AKI of others */ };

#define SHA256_LEN 32
#define SHA256_HEX 65 /* with its NUL */
#define SHA256_B64 44 /* base64url with its NUL */
#define DIGEST_MAX 64

void sha256(const void *p, size_t n, unsigned char out[SHA256_LEN]);
char *sha256_hex(const void *p, size_t n, char out[SHA256_HEX]);       /* returns out */
/* Returns out. A dns-01 TXT value is this of the key authorization. */
char *sha256_base64url(const void *p, size_t n, char out[SHA256_B64]);
size_t digest(enum digest d, const void *p, size_t n, unsigned char out[DIGEST_MAX]); /* returns the length */
size_t hmac(enum digest d, const void *key, size_t key_n, const void *p, size_t n, unsigned char out[DIGEST_MAX]);
void hmac_sha256(const void *key, size_t key_n, const void *p, size_t n, unsigned char out[SHA256_LEN]);

#endif
