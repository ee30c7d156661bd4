/* SPDX-License-Identifier: Apache-2.0 */
/*
 * found.h - what a restored database knows of an order or a certificate that the authority shows (engine/jobs_found.c). Asked a few
 * times after a restore, never in daily work: no index is kept for it beyond those that are there.
 */
#ifndef STORE_FOUND_H
#define STORE_FOUND_H

#include "base/err.h"
#include "base/str.h"

struct sql;

/* Live accounts that are registered: id and directory URL, side by side. */
int store_accounts_registered(struct sql *q, struct strlist *ret_ids, struct strlist *ret_directories, struct err *err) MUST_CHECK;
/* Whether an order of the account has that URL. */
int store_order_knows_url(struct sql *q, const char *account_id, const char *url, bool *ret, struct err *err) MUST_CHECK;
/* Orders that have no URL yet begin hold_ms later: the authority may have them already. */
int store_orders_hold(struct sql *tx, int64_t until_ms, struct err *err) MUST_CHECK;
/*
 * The live order of the account whose CSR has that key and that has no URL gets this one and is due; *ret_id (owned) stays NULL when
 * there is none. Touches ("order", id).
 */
int store_order_adopt(struct sql *tx, const char *account_id, const char *public_hash, const char *url, int64_t now_ms, char **ret_id,
		      struct err *err) MUST_CHECK;

struct found_csr {
	char *id, *key_id; /* NULL: none; key_id NULL: the key is elsewhere */
};
void found_csr_done(struct found_csr *c);
int store_csr_of_key(struct sql *q, const char *public_hash, struct found_csr *ret, struct err *err) MUST_CHECK;
/* The managed certificate of the account for these names; *ret_id (owned) stays NULL when there is none. */
int store_certificate_of_names(struct sql *q, const char *account_id, const char *names_hash, char **ret_id, struct err *err) MUST_CHECK;

#endif
