/* SPDX-License-Identifier: Apache-2.0 */
/* recipient.c - see recipient.h. */
#include "keys/recipient.h"

#include "base/base64.h"
#include "base/buf.h"
#include "base/err.h"
#include "base/str.h"

#include <sodium.h>
#include <string.h>

#define PUBLIC "cwr1-"
#define SECRET "CWR1-SECRET-"
#define CHECK 4

_Static_assert(crypto_box_PUBLICKEYBYTES == RECIPIENT_BYTES && crypto_box_SECRETKEYBYTES == RECIPIENT_BYTES, "X25519");

void identity_clear(struct identity *i)
{
	sodium_memzero(i, sizeof *i);
}

static void check_of(const unsigned char key[RECIPIENT_BYTES], unsigned char out[CHECK])
{
	unsigned char hash[crypto_generichash_BYTES_MIN];

	(void)crypto_generichash(hash, sizeof hash, key, RECIPIENT_BYTES, NULL, 0);
	memcpy(out, hash, CHECK);
}

static void text_add(struct buf *b, const char *prefix, const unsigned char key[RECIPIENT_BYTES])
{
	unsigned char bytes[RECIPIENT_BYTES + CHECK];

	memcpy(bytes, key, RECIPIENT_BYTES);
	check_of(key, bytes + RECIPIENT_BYTES);
	buf_add_str(b, prefix);
	base64url_encode(b, bytes, sizeof bytes);
	sodium_memzero(bytes, sizeof bytes);
}

static int text_read(const char *text, size_t n, const char *prefix, unsigned char out[RECIPIENT_BYTES])
{
	_cleanup_buf_wipe_ struct buf bytes = BUF_MAX(128);
	_cleanup_err_ struct err why = ERR_INIT;
	unsigned char check[CHECK];
	size_t skip = strlen(prefix);

	if (n < skip || strncmp(text, prefix, skip) != 0 || base64url_decode(&bytes, text + skip, n - skip, &why) < 0 ||
	    bytes.n != RECIPIENT_BYTES + CHECK)
		return -1;
	memcpy(out, bytes.p, RECIPIENT_BYTES);
	check_of(out, check);
	return memcmp(check, (const char *)bytes.p + RECIPIENT_BYTES, CHECK) == 0 ? 0 : -1;
}

int recipient_make(struct secret *ret_secret, char **ret_public, struct err *err)
{
	_cleanup_identity_ struct identity i = { 0 };
	_cleanup_buf_wipe_ struct buf text = BUF_MAX(256);

	if (sodium_init() < 0)
		return err_set(err, ERR_INTERNAL, "could not start libsodium");
	(void)crypto_box_keypair(i.public.key, i.secret);
	text_add(&text, SECRET, i.secret);
	*ret_secret = secret_copy(text.p, text.n);
	*ret_public = recipient_text(&i.public);
	return 0;
}

int recipient_parse(const char *text, struct recipient *ret, struct err *err)
{
	struct recipient r;

	if (text_read(text, strlen(text), PUBLIC, r.key) < 0)
		return err_set(err, ERR_INVALID, "'%s' is not the public half of a key pair for backups, or a letter of it is wrong", text);
	*ret = r;
	return 0;
}

char *recipient_text(const struct recipient *r)
{
	struct buf b = BUF_MAX(128);

	text_add(&b, PUBLIC, r->key);
	return buf_take(&b);
}

int identity_parse(const struct secret *text, struct identity *ret, struct err *err)
{
	if (sodium_init() < 0)
		return err_set(err, ERR_INTERNAL, "could not start libsodium");
	if (text_read((const char *)text->p, text->n, SECRET, ret->secret) < 0)
		return err_set(err, ERR_INVALID, "the file does not hold the secret half of a key pair for backups");
	(void)crypto_scalarmult_base(ret->public.key, ret->secret);
	return 0;
}
