/* SPDX-License-Identifier: Apache-2.0 */
/* escrow.c - see escrow.h. */
#include "keys/escrow.h"

#include "base/base64.h"
#include "base/buf.h"
#include "keys/ring.h"

#include <ctype.h>
#include <string.h>

#define PART 4 /* bytes of the key in a group */
#define KEY_GROUPS (MASTER_BYTES / PART)

_Static_assert(KEY_GROUPS + 1 == ESCROW_GROUPS && PART <= MASTER_ID_BYTES, "the id follows the key");

static const char alphabet[] = "0123456789ABCDEFGHJKMNPQRSTVWXYZ";

static char *hex_of(const unsigned char id[MASTER_ID_BYTES])
{
	struct buf b = BUF_MAX(64);

	buf_add_hex(&b, id, MASTER_ID_BYTES);
	return buf_take(&b);
}

static unsigned char crc8(unsigned char crc, unsigned char byte)
{
	crc ^= byte;
	for (int i = 0; i < 8; i++)
		crc = (unsigned char)(crc & 0x80 ? (crc << 1) ^ 0x07 : crc << 1);
	return crc;
}

static unsigned char check_of(int number, const unsigned char part[PART])
{
	unsigned char crc = crc8(0, (unsigned char)number);

	for (int i = 0; i < PART; i++)
		crc = crc8(crc, part[i]);
	return crc;
}

static void group_add(struct buf *b, int number, const unsigned char part[PART])
{
	uint64_t bits = 0;

	for (int i = 0; i < PART; i++)
		bits = bits << 8 | part[i];
	bits = bits << 8 | check_of(number, part);
	buf_addf(b, "%d  ", number);
	for (int i = 0; i < ESCROW_GROUP; i++) {
		if (i == ESCROW_GROUP / 2)
			buf_add_char(b, '-');
		buf_add_char(b, alphabet[bits >> (5 * (ESCROW_GROUP - 1 - i)) & 31]);
	}
	buf_add_char(b, '\n');
}

int escrow_text(const char *file, struct secret *ret, char **ret_id, struct err *err)
{
	_cleanup_buf_wipe_ struct buf b = BUF_MAX(1024);
	unsigned char key[MASTER_BYTES], id[MASTER_ID_BYTES];

	if (master_read(file, key, err) < 0)
		return -(int)err->code;
	master_id(key, id);
	for (int i = 0; i < KEY_GROUPS; i++)
		group_add(&b, i + 1, key + PART * i);
	explicit_bzero(key, sizeof key);
	group_add(&b, ESCROW_GROUPS, id);
	*ret = secret_copy(b.p, b.n);
	*ret_id = hex_of(id);
	return 0;
}

/* The value of a sign, -1: it is none. */
static int sign_value(char c)
{
	const char *at;

	c = (char)toupper((unsigned char)c);
	c = c == 'O' ? '0' : c == 'I' || c == 'L' ? '1' : c;
	at = c ? strchr(alphabet, c) : NULL;
	return at ? (int)(at - alphabet) : -1;
}

static int group_read(const char *text, size_t n, int number, unsigned char part[PART], struct err *err)
{
	uint64_t bits = 0;
	int signs = 0;

	for (size_t i = 0; i < n; i++) {
		int v = sign_value(text[i]);

		if (text[i] == '-')
			continue;
		if (v < 0)
			return err_set(err, ERR_INVALID, "group %d holds a sign that is in no group", number);
		if (signs++ < ESCROW_GROUP)
			bits = bits << 5 | (unsigned)v;
	}
	if (signs != ESCROW_GROUP)
		return err_set(err, ERR_INVALID, "group %d has %d letters and digits instead of %d", number, signs, ESCROW_GROUP);
	for (int i = 0; i < PART; i++)
		part[i] = (unsigned char)(bits >> (8 * (PART - i)));
	if (check_of(number, part) != (unsigned char)bits)
		return err_set(err, ERR_INVALID, "group %d is not what was printed: a sign is wrong, or it stands in another group's place", number);
	return 0;
}

/* Words between blanks; one of a single sign is a group's number. */
static int groups_read(const struct secret *typed, unsigned char parts[ESCROW_GROUPS][PART], struct err *err)
{
	const char *p = (const char *)typed->p, *end = p + typed->n;
	int n = 0;

	while (p < end) {
		size_t word = 0;

		while (p + word < end && !isspace((unsigned char)p[word]))
			word++;
		if (word > 1 && n == ESCROW_GROUPS)
			return err_set(err, ERR_INVALID, "more than %d groups were typed", ESCROW_GROUPS);
		if (word > 1 && group_read(p, word, n + 1, parts[n], err) < 0)
			return -(int)err->code;
		n += word > 1;
		p += word + 1;
	}
	return n == ESCROW_GROUPS ? 0 : err_set(err, ERR_INVALID, "%d of %d groups were typed", n, ESCROW_GROUPS);
}

int escrow_read(const struct secret *typed, struct secret *ret, char **ret_id, struct err *err)
{
	unsigned char parts[ESCROW_GROUPS][PART] = { { 0 } }, key[MASTER_BYTES], id[MASTER_ID_BYTES];
	_cleanup_buf_wipe_ struct buf text = BUF_MAX(128);
	int r = groups_read(typed, parts, err);

	if (r == 0) {
		memcpy(key, parts, sizeof key);
		master_id(key, id);
		if (memcmp(id, parts[KEY_GROUPS], PART) != 0)
			r = err_set(err, ERR_INVALID, "each group is right, but they are not of one key");
	}
	if (r == 0) {
		base64_encode(&text, key, sizeof key);
		buf_add_char(&text, '\n');
		*ret = secret_copy(text.p, text.n);
		*ret_id = hex_of(id);
	}
	explicit_bzero(parts, sizeof parts);
	explicit_bzero(key, sizeof key);
	return r;
}
