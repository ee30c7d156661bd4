/* SPDX-License-Identifier: Apache-2.0 */
/*
 * zip.h - a zip archive in memory: a handful of small files, stored as they are. Names are made by us: short, no slashes needed.
 *
 *	struct zip z = { .out = &buf };
 *	zip_add(&z, "cert.pem", p, n, now_ms);
 *	zip_end(&z);
 *	buf_check(&buf, err)
 */
#ifndef BASE_ZIP_H
#define BASE_ZIP_H

#include "base/buf.h"

#define ZIP_FILES 512

struct zip {
	struct buf *out; /* borrowed; begins empty */
	struct buf directory;
	unsigned files;
};

void zip_add(struct zip *z, const char *name, const void *p, size_t n, int64_t at_ms); /* at most ZIP_FILES */
void zip_end(struct zip *z);
uint32_t zip_crc32(const void *p, size_t n); /* also gzip's */

#endif
