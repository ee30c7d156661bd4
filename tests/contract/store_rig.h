/* SPDX-License-Identifier: Apache-2.0 */
/* store_rig.h - an empty store of either kind for a test, and rows that others point to. */
#ifndef TESTS_CONTRACT_STORE_RIG_H
#define TESTS_CONTRACT_STORE_RIG_H

#include "store/order.h"
#include "tests/contract/pg.h"
#include "tests/unit/assert.h"

struct rig {
	struct store *store;
	char *url;
	char *dir; /* SQLite's */
	char *file;
	char *database;
	struct err err;
	char *account_id, *key_id;
};

extern struct pg rig_pg;       /* the server of this run; dir is NULL when there is none */
extern bool rig_pgsql;         /* which kind rig_new makes */
extern const char *rig_no_pg;  /* why there is no PostgreSQL */

/* Runs the tests against SQLite, then against PostgreSQL if there is one. For main. */
int rig_main(const char *name, const struct CMUnitTest *tests, size_t n);

struct rig *rig_new(void);
void rig_open(struct rig *rig); /* (again) */
void rig_close(struct rig *rig);
void rig_free(struct rig **rig);
#define _cleanup_rig_ __attribute__((cleanup(rig_free)))

#define WRITE(rig, fn, arg) ASSERT_OK(store_write((rig)->store, (fn), (arg), &(rig)->err), &(rig)->err)
#define READ(rig, fn, arg) ASSERT_OK(store_read((rig)->store, (fn), (arg), &(rig)->err), &(rig)->err)

/* An order ready for claiming in lane, due at due_ms, for the name n<i>.example. */
struct order rig_order(struct rig *rig, int i, const char *lane, int64_t due_ms);
/* Stores it. */
void rig_add_order(struct rig *rig, struct order *o);
/* One statement in a transaction; returns rows changed. */
int64_t rig_exec(struct rig *rig, const char *text);
int64_t rig_int(struct rig *rig, const char *text);

#endif
