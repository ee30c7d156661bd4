/* SPDX-License-Identifier: Apache-2.0 */
/* zip.c - see zip.h. PKWARE's APPNOTE 4.3: local headers, central directory, end record; method 0 (stored). */
#include "base/zip.h"

#include "base/util.h"

#include <time.h>

uint32_t zip_crc32(const void *data, size_t n)
{
	const unsigned char *p = data;
	uint32_t crc = 0xffffffff;

	while (n--) {
		crc ^= *p++;
		for (int bit = 0; bit < 8; bit++)
			crc = crc >> 1 ^ (crc & 1 ? 0xedb88320 : 0);
	}
	return ~crc;
}

static void put16(struct buf *b, unsigned v)
{
	buf_add_char(b, (char)(v & 0xff));
	buf_add_char(b, (char)(v >> 8 & 0xff));
}

static void put32(struct buf *b, uint32_t v)
{
	put16(b, v & 0xffff);
	put16(b, v >> 16);
}

struct entry {
	const char *name;
	uint32_t crc, size;
	unsigned time, date;
};

/* What the local header and the directory have in common. */
static void put_entry(struct buf *b, const struct entry *e)
{
	put16(b, 20); /* version needed */
	put16(b, 1 << 11); /* names are UTF-8 */
	put16(b, 0); /* stored */
	put16(b, e->time);
	put16(b, e->date);
	put32(b, e->crc);
	put32(b, e->size);
	put32(b, e->size);
	put16(b, (unsigned)strlen(e->name));
	put16(b, 0); /* no extra field */
}

void zip_add(struct zip *z, const char *name, const void *p, size_t n, int64_t at_ms)
{
	struct entry e = { .name = name, .crc = zip_crc32(p, n), .size = (uint32_t)n };
	time_t t = (time_t)(at_ms / 1000);
	uint32_t at = (uint32_t)z->out->n;
	struct tm tm;

	assert(z->files < ZIP_FILES && n < INT32_MAX);
	gmtime_r(&t, &tm);
	e.time = (unsigned)(tm.tm_hour << 11 | tm.tm_min << 5 | tm.tm_sec / 2);
	e.date = (unsigned)(MAX(tm.tm_year - 80, 0) << 9 | (tm.tm_mon + 1) << 5 | tm.tm_mday);
	buf_add(z->out, "PK\3\4", 4);
	put_entry(z->out, &e);
	buf_add_str(z->out, name);
	buf_add(z->out, p, n);

	z->directory.max = ZIP_FILES * 512;
	buf_add(&z->directory, "PK\1\2", 4);
	put16(&z->directory, 3 << 8 | 20); /* made on unix, so that the mode below counts */
	put_entry(&z->directory, &e);
	put16(&z->directory, 0); /* no comment, first disk, binary */
	put16(&z->directory, 0);
	put16(&z->directory, 0);
	put32(&z->directory, (uint32_t)0100600 << 16);
	put32(&z->directory, at);
	buf_add_str(&z->directory, name);
	z->files++;
}

void zip_end(struct zip *z)
{
	uint32_t at = (uint32_t)z->out->n, n = (uint32_t)z->directory.n;

	buf_add(z->out, buf_text(&z->directory), z->directory.n);
	buf_add(z->out, "PK\5\6", 4);
	put32(z->out, 0); /* one disk */
	put16(z->out, z->files);
	put16(z->out, z->files);
	put32(z->out, n);
	put32(z->out, at);
	put16(z->out, 0);
	buf_done(&z->directory);
}
