/* SPDX-License-Identifier: Apache-2.0 */
/*
 * checks.h - walks a table of checks: is everything right with this server? The table is one (app/doctor.c); its functions look at
 * one thing each and say what they found in rows. They change nothing.
 *
 * Each check (of one with items: each item) runs on a thread of its own for at most its limit. One that hangs, in a file system or
 * a remote side, is given up with a row that says so and does not stop the others; its thread ends whenever it can. So a function
 * may keep nothing but what is in struct check, and what app hands in lives as long as the process.
 *
 * A row is an object: where ("host", "server"), check, about ("" = the server as a whole), state (model/check.h), text (one
 * sentence), todo (a sentence, or null). No secret ever.
 */
#ifndef ENGINE_CHECKS_H
#define ENGINE_CHECKS_H

#include "base/json.h"
#include "model/check.h"
#include "net/http.h"

struct engine;
struct check;

enum check_where { CHECK_ON_HOST = 1 << 0, CHECK_IN_SERVER = 1 << 1 };

struct check_def {
	const char *name;    /* NULL ends the table */
	const char *help;    /* what it looks at, for the guide */
	unsigned where;      /* BITs of enum check_where */
	void (*run)(struct check *c);
	/* What there is one look each for; NULL: one look. Appends to ret. */
	int (*items)(struct engine *e, struct strlist *ret, struct err *err);
	const char *none;    /* what is said when there is no item */
	int64_t limit_ms;    /* 0 = CHECK_LIMIT_MS */
};

#define CHECK_LIMIT_MS 15000 /* one look */
#define CHECK_ALL_MS 50000   /* all of them */
#define CHECK_AT_ONCE 8      /* looks at the same time */

struct check {
	const struct check_def *def;
	enum check_where where;
	char *item;            /* or NULL */
	struct engine *e;      /* NULL on the host */
	void *arg;             /* app's */
	struct http *http;     /* every request ends with this look's time; NULL on the host */
	int64_t until_boot_ms;
	json_t *rows;
};

/* One row. todo may be NULL. */
void check_say(struct check *c, enum check_state state, const char *about, const char *todo, const char *fmt, ...) PRINTF(5, 6);
/* The same for an error that was met: its sentence, and its hint unless todo is given. */
void check_err(struct check *c, enum check_state state, const char *about, const char *todo, const struct err *why);
int64_t check_left_ms(const struct check *c); /* at least 1 */

struct checks_options {
	const struct check_def *table;
	enum check_where where;
	struct engine *e; /* its store, policy and stop are used; NULL on the host */
	void *arg;
	int64_t limit_ms, all_ms; /* tests: instead of the standard limits; 0 = those */
};
/* All rows, in the order of the table; owned by the caller. */
json_t *checks_run(const struct checks_options *o);
/* How many rows of each state. */
void checks_count(const json_t *rows, int64_t ret[check_state_count]);
/* What a run came to, as it is kept and shown: node, ran_at, rows, counts. Takes rows. */
json_t *checks_document(const char *node, int64_t at_ms, json_t *rows);

/* meta: checks_document of the last run in a server, as JSON. */
#define META_CHECKS "checks.last"

/* --- looks of the engine; rows of app's table --- */

int check_directory_items(struct engine *e, struct strlist *ret, struct err *err);
int check_view_items(struct engine *e, struct strlist *ret, struct err *err);
int check_provider_items(struct engine *e, struct strlist *ret, struct err *err);
int check_mail_items(struct engine *e, struct strlist *ret, struct err *err);
void check_directory(struct check *c); /* every vendor that has an account */
void check_clock(struct check *c);     /* against the Date of a vendor */
void check_view(struct check *c);
void check_provider(struct check *c);  /* its test, reading only */
void check_mail(struct check *c);      /* connects and signs in; no message */
void check_told(struct check *c);      /* notification channels that fail */
void check_accounts(struct check *c);
void check_store(struct check *c);
void check_edge(struct check *c);
void check_jobs(struct check *c);      /* standing jobs, and what was set aside */
void check_history(struct check *c);   /* how long what is kept, and when it was last pruned */
void check_backup(struct check *c);    /* its age, and the copy of the master key */
/* A directory URL to ask something of; NULL when there is no account. Owned. */
char *check_any_directory(struct engine *e);

#endif
