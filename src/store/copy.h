/* SPDX-License-Identifier: Apache-2.0 */
/* copy.h - what a backup says about the database in it, and what a restored database must not keep. */
#ifndef STORE_COPY_H
#define STORE_COPY_H

#include "base/err.h"

struct sql;

struct store_facts {
	int64_t schema;       /* the newest migration */
	int64_t accounts, certificates, versions, keys, orders, live_orders, users;
};
int store_facts(struct sql *q, struct store_facts *ret, struct err *err);

/* After a restore sessions, API tokens and setup links die, for whoever had them may have lost them with the host; passwords stay. */
int store_end_sign_ins(struct sql *tx, int64_t now_ms, struct err *err) MUST_CHECK;

#endif
