/* SPDX-License-Identifier: Apache-2.0 */
/* digest.c - see digest.h. The algorithms are fetched once: a fetch per call costs more than a short digest. */
#include "crypto/digest.h"

#include "base/base64.h"

#include <openssl/evp.h>
#include <openssl/hmac.h>
#include <pthread.h>

static EVP_MD *fetched[4];
static pthread_once_t once = PTHREAD_ONCE_INIT;

static void fetch(void)
{
	static const char *const names[] = { [DIGEST_SHA256] = "SHA256",
					     [DIGEST_SHA384] = "SHA384",
					     [DIGEST_SHA512] = "SHA512",
					     [DIGEST_SHA1] = "SHA1" };

	for (size_t i = 0; i < ARRAY_SIZE(names); i++) {
		fetched[i] = EVP_MD_fetch(NULL, names[i], NULL);
		assert(fetched[i]);
	}
}

static const EVP_MD *md(enum digest d)
{
	assert((unsigned)d < ARRAY_SIZE(fetched));
	pthread_once(&once, fetch);
	return fetched[d];
}

size_t digest(enum digest d, const void *p, size_t n, unsigned char out[DIGEST_MAX])
{
	unsigned len = 0;
	int ok = EVP_Digest(p, n, out, &len, md(d), NULL);

	assert(ok == 1);
	return len;
}

void sha256(const void *p, size_t n, unsigned char out[SHA256_LEN])
{
	unsigned char all[DIGEST_MAX];

	digest(DIGEST_SHA256, p, n, all);
	memcpy(out, all, SHA256_LEN);
}

char *sha256_hex(const void *p, size_t n, char out[SHA256_HEX])
{
	static const char digits[] = "0123456789abcdef";
	unsigned char d[SHA256_LEN];

	sha256(p, n, d);
	for (size_t i = 0; i < sizeof d; i++) {
		out[2 * i] = digits[d[i] >> 4];
		out[2 * i + 1] = digits[d[i] & 15];
	}
	out[SHA256_HEX - 1] = '\0';
	return out;
}

char *sha256_base64url(const void *p, size_t n, char out[SHA256_B64])
{
	_cleanup_buf_ struct buf b = BUF_MAX(SHA256_B64);
	unsigned char d[SHA256_LEN];

	sha256(p, n, d);
	base64url_encode(&b, d, sizeof d);
	assert(b.n == SHA256_B64 - 1);
	memcpy(out, b.p, SHA256_B64);
	return out;
}

size_t hmac(enum digest d, const void *key, size_t key_n, const void *p, size_t n, unsigned char out[DIGEST_MAX])
{
	unsigned len = 0;
	unsigned char *r;

	assert(key_n <= INT_MAX);
	r = HMAC(md(d), key_n ? key : "", (int)key_n, p, n, out, &len);
	assert(r);
	return len;
}

void hmac_sha256(const void *key, size_t key_n, const void *p, size_t n, unsigned char out[SHA256_LEN])
{
	unsigned char all[DIGEST_MAX];

	hmac(DIGEST_SHA256, key, key_n, p, n, all);
	memcpy(out, all, SHA256_LEN);
	explicit_bzero(all, sizeof all);
}
