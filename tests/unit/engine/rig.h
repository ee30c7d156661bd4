/* SPDX-License-Identifier: Apache-2.0 */
/*
 * rig.h - a whole engine on a fake clock: SQLite in a scratch folder, real keys, the authority of ca.h, and an edge that
 * answers with what the store's rows say as soon as they are committed.
 */
#ifndef TESTS_UNIT_ENGINE_RIG_H
#define TESTS_UNIT_ENGINE_RIG_H

#include "engine/intake.h"
#include "engine/private.h"
#include "tests/unit/assert.h"
#include "tests/unit/engine/ca.h"

struct rig {
	char dir[64];
	struct clock clock;
	struct store *store;
	struct keys *keys;
	struct engine *engine;
	struct ca ca;
	struct err err;
	char account[27];
	bool edge_down;
	bool tolerant; /* a claim may fail */

	/* crash: true at the n-th point, counted down */
	int64_t crash_in;
	bool crashed;
	uint64_t points;

	struct resolve_report *(*dns)(void *arg, const char *name); /* manual look-ups */
	const char *dns_value; /* what every server has; NULL = nothing */
	int looks;
	const struct strlist *zone; /* a provider's zone: what look-ups and the authority find */
	bool zone_hidden;           /* look-ups do not see it */
};

struct rig *rig_new(void);        /* with a registered account */
struct rig *rig_new_empty(void);
void rig_account(struct rig *r);  /* for an empty one whose authority was told how to behave */
void rig_free(struct rig *r);
static inline void rig_free_p(struct rig **r)
{
	rig_free(*r);
}
#define _cleanup_rig_ __attribute__((cleanup(rig_free_p)))

void rig_engine_open(struct rig *r);
void rig_engine_close(struct rig *r);
/* Runs what is due until the instant, moving the clock from due to due. */
void rig_run_until(struct rig *r, int64_t ms);
void rig_run(struct rig *r); /* for two hours */

struct rig_order {
	const char *names; /* "a.example b.example" */
	enum validation validation;
	const char *method;
	enum order_mode mode;
	const char *csr_id;
	const char *key_type;
	bool by_table; /* method NULL: nothing is chosen; else NULL is delegation */
	const struct name_methods *chosen;
};
/* Takes the order in; its id. */
struct order_taken rig_order(struct rig *r, const struct rig_order *o);
struct order rig_get(struct rig *r, const char *id); /* order_done it */
#define RIG_GET(r, name, id) _cleanup_order_ struct order name = rig_get(r, id)
int64_t rig_count(struct rig *r, const char *sql); /* constant text */
char *rig_text(struct rig *r, const char *sql);    /* first column of the first row, owned */
void rig_finalize(struct rig *r, const char *id);
void rig_refresh(struct rig *r, const char *id);
void rig_delete(struct rig *r, const char *id);
/* A CSR with a key of ours; its id in ret. */
void rig_csr(struct rig *r, const char *names, enum key_type type, char ret[27]);
/* Told by mail about everything, and once a day of what is open. */
void rig_mail_channel(struct rig *r);
/* Nothing owed, nothing published, nobody holds a turn, nothing leased. */
void rig_no_residue(struct rig *r);

#endif
