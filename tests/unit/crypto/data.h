/* SPDX-License-Identifier: Apache-2.0 */
/* data.h - reads the files that make-data made. */
#ifndef TESTS_UNIT_CRYPTO_DATA_H
#define TESTS_UNIT_CRYPTO_DATA_H

#include "base/file.h"
#include "tests/unit/assert.h"

#include <stdio.h>

/* The contents of a file of data/, owned by the caller. */
static inline struct buf data_read(const char *name)
{
	struct buf b = BUF_MAX(1024 * 1024);
	struct err err = ERR_INIT;
	char path[512];

	snprintf(path, sizeof path, "%s/%s", DATA, name);
	ASSERT_OK(file_read(path, &b, &err), &err);
	return b;
}

#endif
