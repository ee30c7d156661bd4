/* SPDX-License-Identifier: Apache-2.0 */
/*
 * safekeeping.h - what is known of the two things that lie outside the server: copies of the master key, and backups. Both are
 * told by the commands that make them; the database only remembers.
 */
#ifndef STORE_SAFEKEEPING_H
#define STORE_SAFEKEEPING_H

#include "base/err.h"

struct sql;

#define META_KEYS "keys.check" /* ids and check values of the master keys (keys_check_text), of the first start on */

struct safekeeping {
	int64_t escrow_ms;    /* a copy of every master key in use was printed; 0 = never, or a key has come since */
	int64_t backup_ms, backup_bytes; /* of the last backup that was made; 0 = none */
	bool something_to_lose; /* there is an account */
};
int store_safekeeping(struct sql *q, struct safekeeping *ret, struct err *err) MUST_CHECK;
/* The keys of META_KEYS were printed for a safe, or one was written. */
int store_escrow_made(struct sql *tx, int64_t now_ms, struct err *err) MUST_CHECK;
int store_backup_made(struct sql *tx, int64_t now_ms, int64_t bytes, struct err *err) MUST_CHECK;

#endif
