/* SPDX-License-Identifier: Apache-2.0 */
/* token.c - see token.h. */
#include "keys/token.h"

#include "base/base64.h"
#include "base/random.h"
#include "base/str.h"

#define RANDOM_BYTES 32
#define RANDOM_TEXT 43
#define CHECK_TEXT 6
#define TEXT_MAX 96

/* The first characters of the digest over what stands before them. */
static void checksum(const char *text, size_t n, char out[CHECK_TEXT])
{
	char all[SHA256_B64];

	memcpy(out, sha256_base64url(text, n, all), CHECK_TEXT);
}

void token_make(const char *prefix, struct secret *ret_text, char ret_hash[SHA256_HEX])
{
	_cleanup_buf_wipe_ struct buf b = BUF_MAX(TEXT_MAX);
	unsigned char random[RANDOM_BYTES];
	char check[CHECK_TEXT];

	random_bytes(random, sizeof random);
	buf_add_str(&b, prefix);
	base64url_encode(&b, random, sizeof random);
	explicit_bzero(random, sizeof random);
	checksum(b.p, b.n, check);
	buf_add(&b, check, sizeof check);
	assert(!b.failed);
	sha256_hex(b.p, b.n, ret_hash);
	*ret_text = secret_copy(b.p, b.n);
}

bool token_hash(const char *prefix, const char *text, size_t n, char ret_hash[SHA256_HEX])
{
	size_t head = strlen(prefix);
	char check[CHECK_TEXT];

	if (n != head + RANDOM_TEXT + CHECK_TEXT || memcmp(text, prefix, head) ||
	    !str_is_base64url(text + head, n - head))
		return false;
	checksum(text, n - CHECK_TEXT, check);
	if (!mem_eq_secret(check, text + n - CHECK_TEXT, CHECK_TEXT))
		return false;
	sha256_hex(text, n, ret_hash);
	return true;
}
