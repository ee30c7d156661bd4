/* SPDX-License-Identifier: Apache-2.0 */
/* targz.c - see targz.h. POSIX ustar headers; gzip of RFC 1952 around stored blocks. */
#include "base/targz.h"

#include "base/zip.h"

#include <stdio.h>

#define BLOCK 512
#define STORED_MAX 65535

/* ---- tar ---- */

struct ustar {
	char name[100], mode[8], uid[8], gid[8], size[12], mtime[12], checksum[8], type, link[100], magic[6], version[2], user[32], group[32], major[8], minor[8],
		prefix[155], rest[12];
};
_Static_assert(sizeof(struct ustar) == BLOCK, "a header is a block");

static void put_octal(char *to, size_t size, uint64_t v)
{
	char text[32];

	snprintf(text, sizeof text, "%0*llo", (int)size - 1, (unsigned long long)v);
	memcpy(to, text, size - 1);
}

static unsigned sum_of(const struct ustar *h)
{
	const unsigned char *p = (const unsigned char *)h;
	unsigned sum = 0;

	for (size_t i = 0; i < sizeof *h; i++)
		sum += p[i];
	return sum;
}

void targz_add(struct targz *t, const char *name, const void *p, size_t n)
{
	struct ustar h = { .type = '0', .magic = "ustar", .version = { '0', '0' }, .user = "root", .group = "root" };

	t->tar.max = t->out->max;
	snprintf(h.name, sizeof h.name, "%s/%s", t->folder, name);
	put_octal(h.mode, sizeof h.mode, 0600);
	put_octal(h.uid, sizeof h.uid, 0);
	put_octal(h.gid, sizeof h.gid, 0);
	put_octal(h.size, sizeof h.size, n);
	put_octal(h.mtime, sizeof h.mtime, (uint64_t)(t->at_ms / 1000));
	memset(h.checksum, ' ', sizeof h.checksum);
	put_octal(h.checksum, sizeof h.checksum - 1, sum_of(&h));
	h.checksum[6] = '\0';
	buf_add(&t->tar, &h, sizeof h);
	buf_add(&t->tar, p, n);
	for (; n % BLOCK; n++)
		buf_add_char(&t->tar, '\0');
}

/* ---- gzip ---- */

static void put_le(struct buf *b, uint32_t v, int bytes)
{
	for (int i = 0; i < bytes; i++)
		buf_add_char(b, (char)(v >> (8 * i) & 0xff));
}

void targz_end(struct targz *t)
{
	static const char zeros[2 * BLOCK];
	size_t at = 0;

	t->tar.max = t->out->max;
	buf_add(&t->tar, zeros, sizeof zeros);
	put_le(t->out, 0x00088b1f, 4); /* magic, deflate, no flags */
	put_le(t->out, (uint32_t)(t->at_ms / 1000), 4);
	put_le(t->out, 0xff00, 2); /* system unknown */
	do {
		size_t n = MIN(t->tar.n - at, (size_t)STORED_MAX);

		put_le(t->out, at + n == t->tar.n, 1);
		put_le(t->out, (uint32_t)n, 2);
		put_le(t->out, ~(uint32_t)n, 2);
		buf_add(t->out, buf_text(&t->tar) + at, n);
		at += n;
	} while (at < t->tar.n);
	put_le(t->out, zip_crc32(buf_text(&t->tar), t->tar.n), 4);
	put_le(t->out, (uint32_t)t->tar.n, 4);
	t->out->failed |= t->tar.failed;
	buf_done(&t->tar);
}
