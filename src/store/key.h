/* SPDX-License-Identifier: Apache-2.0 */
/* key.h - private keys as rows: sealed bytes that only keys/ opens. Touches ("key", id). */
#ifndef STORE_KEY_H
#define STORE_KEY_H

#include "model/account.h"
#include "store/list.h"
#include "store/store.h"

/* CONFLICT when the same key (public_hash) is there already. */
int store_key_add(struct sql *tx, const struct key_row *k, struct err *err) MUST_CHECK;
int store_key_get(struct sql *q, const char *id, struct key_row *ret, struct err *err) MUST_CHECK;
int store_key_find_public(struct sql *q, const char *public_hash, struct key_row *ret, struct err *err) MUST_CHECK;
/* New sealed bytes (another master key, say). NOT_FOUND when there is none or it was destroyed. */
int store_key_reseal(struct sql *tx, const char *id, const void *sealed, size_t n, struct err *err) MUST_CHECK;
/* Forgets the sealed bytes if nothing live points to the key; *ret_destroyed says whether. */
int store_key_destroy_unused(struct sql *tx, const char *id, int64_t now_ms, bool *ret_destroyed, struct err *err) MUST_CHECK;

#endif
