/* SPDX-License-Identifier: Apache-2.0 */
/*
 * driver.h - what sql.c asks of a database driver, and what the store keeps per connection. For files of this folder only.
 */
#ifndef STORE_DRIVER_H
#define STORE_DRIVER_H

#include "model/user.h"
#include "store/kept.h"
#include "store/sql.h"
#include "store/store.h"

struct stmt {              /* one prepared statement in a connection's cache */
	struct stmt *next;
	uint64_t hash;
	char *text;
	void *handle;      /* the driver's */
	unsigned params;
	int index[SQL_MAX_VALUES]; /* SQLite: position of $n, since it numbers them by first appearance */
	bool busy;         /* being walked: a nested use prepares its own */
};

#define STMT_BUCKETS 128
#define STMT_MAX 512

struct count_note { /* kept.h */
	char what[32], who[32];
	int64_t hour, delta;
};

/* What a transaction leaves to be done at its commit. Append-only, so that a savepoint's share can be cut off again. */
struct notes {
	struct touch *touches;
	size_t n_touches, cap_touches;
	struct count_note *counts;
	size_t n_counts, cap_counts;
	struct audit *audits; /* owned copies, told when they are durable */
	size_t n_audits, cap_audits;
};

/*
 * The numbers this transaction has handed out (SQLite, whose writer is alone from BEGIN IMMEDIATE on): read when first asked for, stored
 * once before the commit. A plain value, so that a savepoint that is undone puts back what it found.
 */
#define NUMBERS_MAX 12
struct numbers {
	struct number {
		char name[20];
		int64_t n;
	} v[NUMBERS_MAX];
	unsigned n;
};

#define STMT_RECENT 256 /* by the address of the text, which is nearly always a constant */

struct sql {
	const struct sql_driver *driver;
	struct store *store; /* NULL while opening */
	int depth;           /* 0 = no transaction, 1 = transaction, more = savepoints */
	bool read_only;
	struct stmt *stmts[STMT_BUCKETS];
	unsigned n_stmts;
	struct {
		const char *text;
		struct stmt *stmt;
	} recent[STMT_RECENT];
	struct notes notes;
	struct numbers numbers;
	/* set by the driver with the error, cleared by whoever begins a transaction */
	bool raced;  /* PostgreSQL: a unique index was hit, perhaps by another's commit since the function looked */
	bool retry;  /* serialization failure or deadlock: the same again */
	bool lost;   /* connection gone */
	bool broken; /* disk error or damage: stop writing */
	bool full;
};

struct row {
	const struct sql_driver *driver;
	void *handle;
	int index;
};

struct sql_driver {
	enum sql_dialect dialect;
	/* fn may be NULL; max_rows: 1 = only the first row goes to fn, 0 = all. Returns rows given to fn, or -code. */
	int (*run)(struct sql *q, const char *text, struct sql_values v, int max_rows, sql_row_fn *fn, void *arg,
		   int64_t *ret_changed, struct err *err);
	int (*script)(struct sql *q, const char *text, struct err *err);
	bool (*in_tx)(struct sql *q); /* what the database itself thinks */
	void (*finalize)(struct sql *q, void *handle);
	void (*close)(struct sql *q);
	bool (*is_null)(const struct row *r, int column);
	const char *(*text)(const struct row *r, int column);
	int64_t (*integer)(const struct row *r, int column);
	const void *(*blob)(const struct row *r, int column, size_t *ret_n);
	int (*columns)(const struct row *r);
};

/* sql.c */
struct stmt *stmt_find(struct sql *q, const char *text);
struct stmt *stmt_add(struct sql *q, const char *text, void *handle); /* takes the handle */
void stmt_flush(struct sql *q);                                        /* forgets all that are not busy */
void sql_close(struct sql *q);                                         /* NULL is fine */
void notes_done(struct notes *n);
void notes_cut_audits(struct notes *n, size_t to);
/* Merges equal touches and keeps at most STORE_TOUCHES_MAX; returns how many are left. */
size_t notes_merge_touches(struct notes *n);
void notes_merge_counts(struct notes *n); /* one per row of kept, sorted by its key, zeros dropped */

/* driver_sqlite.c */
enum sqlite_role { SQLITE_ROLE_WRITER, SQLITE_ROLE_READER, SQLITE_ROLE_CHECKPOINT };
int sqlite_connect(const char *path, enum sqlite_role role, struct sql **ret, struct err *err);
/* The network file system statfs's f_type means, NULL for a local one. */
const char *sqlite_network_name(uint64_t magic);
/* Makes the file with mode 0600 if there is none; refuses network file systems. */
int sqlite_prepare_file(const char *path, struct err *err);
int sqlite_quick_check(struct sql *q, struct err *err);
int sqlite_integrity_check(struct sql *q, struct err *err);
/* passive or, with restart, one that empties the log. ret_left: pages still in the log. */
int sqlite_checkpoint(struct sql *q, bool restart, int *ret_left, struct err *err);
int sqlite_vacuum_into(struct sql *q, const char *path, struct err *err);
/* Called on the writer's thread after each commit with the pages in the log. */
void sqlite_on_wal(struct sql *q, void (*fn)(void *arg, int pages), void *arg);

/* driver_pgsql.c */
#define PGSQL_NAME "certwright schema " /* and the newest of the program: how its connections are known in pg_stat_activity */
struct pgsql_config;
int pgsql_config_new(const char *url, const char *password_file, struct pgsql_config **ret, struct err *err);
void pgsql_config_free(struct pgsql_config *c);
int pgsql_connect(const struct pgsql_config *c, bool read_only, struct sql **ret, struct err *err);
/* What a transaction is found again by after its connection was lost. */
struct pgsql_mark {
	char id[40];  /* its row in write_mark: there only if it was committed */
	char xid[24]; /* its number: says whether it still runs. Not whether it was committed: a crash may give it out again */
};
int pgsql_begin(struct sql *q, struct pgsql_mark *ret, struct err *err);
int pgsql_commit(struct sql *q, struct err *err);
void pgsql_rollback(struct sql *q);
enum pgsql_outcome { PGSQL_ABORTED, PGSQL_COMMITTED, PGSQL_RUNNING };
int pgsql_outcome(struct sql *q, const struct pgsql_mark *mark, enum pgsql_outcome *ret, struct err *err);

/* migrate.c */
struct migration {
	int version;
	const char *name;
	const char *text;
};
extern const struct migration store_migrations[]; /* generated from migrations/, ends with version 0 */
struct schema_state {
	int has, needs;   /* the newest applied (0: a new database), the newest of the list */
	unsigned missing; /* how many are to be applied */
};
/* STORE when the database is newer or a migration was changed afterwards; so does store_migrate. */
int store_schema_look(struct sql *q, const struct migration *list, struct schema_state *ret, struct err *err) MUST_CHECK;
/* Brings the schema up to the last of list, in one transaction; then (or NULL) runs in it when it was an earlier schema, not a new database. */
int store_migrate(struct sql *q, const struct migration *list, int64_t now_ms, sql_tx_fn *then, void *arg, struct err *err) MUST_CHECK;
int store_schema_newest(const struct migration *list);
/* Whether that was done; NEEDS_PERSON. Nothing is changed. */
int store_migrated(struct sql *q, const struct migration *list, struct err *err) MUST_CHECK;

/* upgrade.c: what a backend does with the schema as it opens; sqlite_path NULL on PostgreSQL. */
int store_schema_open(struct sql *q, const struct store_options *o, const char *sqlite_path, struct store_upgraded *ret, struct err *err) MUST_CHECK;

/* meta.c */
int store_numbers_flush(struct sql *tx, struct err *err) MUST_CHECK; /* stores what was handed out: before each commit */

/* kept.c */
int store_counts_flush(struct sql *tx, struct err *err) MUST_CHECK; /* writes notes.counts into their rows */

/* store.c, for the two backends */
struct store_job {      /* a write on its way, on the caller's stack */
	struct store_job *next;
	sql_tx_fn *fn;
	void *arg;
	struct err *err;
	int result;
	bool patient; /* may wait for company */
	struct waiting *waiting; /* writer.c */
};
void store_committed(struct store *s, struct notes *n, unsigned writes);
void store_failed(struct store *s);                      /* a write function failed */
void store_trouble(struct store *s, enum store_state state, const struct err *why);
void store_well(struct store *s);                        /* FULL and UNREACHED are over */
int store_refuse(struct store *s, struct err *err);      /* STORE when read-only, else 0 */
bool store_in_write(void);                               /* this thread is inside a write function */
void store_set_in_write(bool on);

struct backend {
	int (*write)(void *self, struct store_job *job);
	int (*read)(void *self, sql_tx_fn *fn, void *arg, struct err *err);
	int (*check)(void *self, struct err *err);
	int (*backup)(void *self, const char *path, struct err *err);
	void (*close)(void *self);
	uint64_t (*wal_pages)(void *self);
};
extern const struct backend backend_sqlite; /* writer.c */
extern const struct backend backend_pgsql;  /* shared.c */
/* store.c */
void store_set_upgraded(struct store *s, struct store_upgraded *u); /* takes what it holds */
int backend_sqlite_open(struct store *s, const struct store_options *o, void **ret, struct err *err);
int backend_pgsql_open(struct store *s, const struct store_options *o, void **ret, struct err *err);

#endif
