/* SPDX-License-Identifier: Apache-2.0 */
/* base64.c - RFC 4648. */
#include "base/base64.h"

static const char std[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
static const char url[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";

static void encode(struct buf *out, const unsigned char *p, size_t n, const char *abc, bool pad)
{
	for (size_t i = 0; i < n; i += 3) {
		size_t left = n - i;
		uint32_t v = (uint32_t)p[i] << 16 | (left > 1 ? (uint32_t)p[i + 1] << 8 : 0) | (left > 2 ? p[i + 2] : 0);
		char c[4] = { abc[v >> 18], abc[v >> 12 & 63], abc[v >> 6 & 63], abc[v & 63] };

		if (left < 3)
			c[3] = '=';
		if (left < 2)
			c[2] = '=';
		buf_add(out, c, pad || left > 2 ? 4 : left + 1);
	}
}

void base64url_encode(struct buf *out, const void *p, size_t n)
{
	encode(out, p, n, url, false);
}

void base64_encode(struct buf *out, const void *p, size_t n)
{
	encode(out, p, n, std, true);
}

/* Constant work per character, so that secrets do not index tables. */
static int value_of(unsigned char c, bool url_alphabet, bool std_alphabet)
{
	if (c >= 'A' && c <= 'Z')
		return c - 'A';
	if (c >= 'a' && c <= 'z')
		return c - 'a' + 26;
	if (c >= '0' && c <= '9')
		return c - '0' + 52;
	if ((url_alphabet && c == '-') || (std_alphabet && c == '+'))
		return 62;
	if ((url_alphabet && c == '_') || (std_alphabet && c == '/'))
		return 63;
	return -1;
}

static int decode(struct buf *out, const char *s, size_t n, bool u, bool st, struct err *err)
{
	uint32_t acc = 0;
	int bits = 0;

	if (n % 4 == 1)
		return err_set(err, ERR_INVALID, "base64 text has an impossible length of %zu", n);
	for (size_t i = 0; i < n; i++) {
		int v = value_of((unsigned char)s[i], u, st);

		if (v < 0)
			return err_set(err, ERR_INVALID, "character %zu is not base64", i + 1);
		acc = acc << 6 | (uint32_t)v;
		bits += 6;
		if (bits >= 8) {
			bits -= 8;
			buf_add_char(out, (char)(acc >> bits & 0xff));
		}
	}
	if (acc & ((1u << bits) - 1))
		return err_set(err, ERR_INVALID, "base64 text has stray bits at its end");
	return buf_check(out, err);
}

int base64url_decode(struct buf *out, const char *s, size_t n, struct err *err)
{
	return decode(out, s, n, true, false, err);
}

int base64_decode(struct buf *out, const char *s, size_t n, struct err *err)
{
	size_t pad = 0;

	if (n % 4)
		return err_set(err, ERR_INVALID, "base64 text has a length that is no multiple of four");
	while (pad < 2 && n > pad && s[n - 1 - pad] == '=')
		pad++;
	return decode(out, s, n - pad, false, true, err);
}

int base64_decode_any(struct buf *out, const char *s, size_t n, struct err *err)
{
	size_t pad = 0;

	while (n && strchr(" \t\r\n", s[0]) && s[0])
		s++, n--;
	while (n && strchr(" \t\r\n", s[n - 1]) && s[n - 1])
		n--;
	while (pad < 2 && n > pad && s[n - 1 - pad] == '=')
		pad++;
	return decode(out, s, n - pad, true, true, err);
}
