/* SPDX-License-Identifier: Apache-2.0 */
/*
 * store.h - the database of core: opening, reading, writing, who is told after a commit, health.
 *
 * SQLite: one writer thread with group commit (each write function runs in a SAVEPOINT of its own, all that wait commit
 * together, the caller blocks until that commit is durable), four reader connections, checkpoints in a thread of their own.
 * PostgreSQL: a pool of connections; each write function is a transaction (READ COMMITTED) of its own and is run again
 * after a serialization failure, a deadlock or a lost connection; a commit whose outcome was lost is looked up first
 * (each transaction leaves a mark), so that nothing is done twice.
 *
 * A write function does no I/O, takes no lock, calls neither store_write nor store_read, gets everything (ids, time, random
 * values) through arg, and MAY RUN TWICE: it sets its outputs, it never adds to them. When it fails nothing of it stays.
 *
 *	static int rename(struct sql *tx, void *arg, struct err *err) { ... return store_account_put(tx, a, err); }
 *	store_write(store, rename, &job, err)
 *
 * All functions may be called from any thread.
 */
#ifndef STORE_STORE_H
#define STORE_STORE_H

#include "base/clock.h"
#include "base/ulid.h"
#include "model/touch.h"
#include "store/sql.h"

struct store;

/* What to do with a database that an earlier version wrote. A new one is made, and a newer one refused, in any case. */
enum store_upgrade {
	STORE_UPGRADE_REFUSE,    /* whoever may run beside a server of that version: STORE with what to do */
	STORE_UPGRADE_BY_SERVER, /* who holds the state folder. SQLite is copied first; of PostgreSQL a backup was confirmed (upgrade.h) */
	STORE_UPGRADE_IN_PLACE,  /* of what is a copy itself */
};

struct store_options {
	enum store_upgrade upgrade;
	const char *url;           /* "sqlite:/path/to/file" or "postgresql://user@host/database" (no password) */
	const char *password_file; /* PostgreSQL's password, or NULL */
	const struct clock *clock; /* NULL = the system's */
	unsigned readers;          /* 0 = 4 */
	unsigned connections;      /* PostgreSQL: 0 = 16 */
	bool look;                 /* only to read: nothing is made, nothing migrated; NEEDS_PERSON when the schema is older than this program */
};

/*
 * Opens (creates) the database, checks it, brings its schema up to date where o->upgrade allows it (in one transaction), and
 * starts the threads.
 * INVALID: the url; STORE: damaged, newer than this program, on a network file system, not reachable; NO_SPACE.
 */
int store_open(const struct store_options *o, struct store **ret, struct err *err) MUST_CHECK;
void store_close(struct store *s); /* finishes what is queued; NULL is fine */
#define _cleanup_store_ __attribute__((cleanup(store_close_p)))
static inline void store_close_p(struct store **s)
{
	store_close(*s);
	*s = NULL;
}

enum sql_dialect store_dialect(const struct store *s);
/* What this opening did to a database of an earlier version. */
struct store_upgraded {
	int from, to; /* schemas; 0: nothing was to be done */
	char *copy;   /* SQLite's from before: its path with ".schema-N" behind it; older ones are gone. NULL: none was to be made */
};
const struct store_upgraded *store_upgraded(const struct store *s);

/* Runs fn in a transaction and returns after the commit. -code of fn when fn failed (nothing stored), or of the store. */
int store_write(struct store *s, sql_tx_fn *fn, void *arg, struct err *err) MUST_CHECK;
/* The same for work that nobody looks at: under load it waits a moment (2 ms) for others to share its commit. */
int store_write_patient(struct store *s, sql_tx_fn *fn, void *arg, struct err *err) MUST_CHECK;
/* Runs fn on a connection that sees only what is committed and cannot write. */
int store_read(struct store *s, sql_tx_fn *fn, void *arg, struct err *err) MUST_CHECK;

/* Hints of what this transaction touches (model/touch.h). One made twice is told once, with the last rev. */
#define STORE_TOUCHES_MAX 256 /* in one commit; beyond it one touch per kind without id says "look at all" */

void store_touch(struct sql *tx, const char *kind, const char *id, int64_t rev);

/* Told of each audit row (store/audit.h) when it is durable, on the thread that committed: it must only log. NULL: nobody. */
struct audit;
typedef void audit_fn(const struct audit *a);
void store_on_audit(struct store *s, audit_fn *fn);
void store_tell_audit(struct sql *tx, const struct audit *a); /* store/audit.c */

/*
 * fn is called after each commit that touched something, before the callers of store_write return. It runs on the writer's
 * thread (PostgreSQL: the caller's): it must only wake others. Register before the store is shared; at most 8.
 */
void store_on_commit(struct store *s, touch_fn *fn, void *arg);
/* After it fn is not called any more, and no call of it runs. Whoever registered does this before arg goes. */
void store_off_commit(struct store *s, touch_fn *fn, void *arg);

enum store_state {
	STORE_OK,
	STORE_FULL,      /* no space at the last write; goes back to OK with the next that succeeds */
	STORE_UNREACHED, /* PostgreSQL does not answer; goes back to OK by itself */
	STORE_READ_ONLY, /* disk error, damage, or the file was replaced: only a restart (or a restore) helps */
};

struct store_health {
	enum store_state state;
	bool writable;     /* state == STORE_OK */
	char reason[256];  /* one sentence, "" when well */
	int64_t since_ms;
	uint64_t writes;   /* write functions committed since start */
	uint64_t commits;  /* transactions committed: writes / commits is what grouping gained */
	uint64_t failed;   /* write functions that failed */
	uint64_t wal_pages;
};
void store_health(struct store *s, struct store_health *ret);

/* Checks the whole database (integrity_check, foreign keys); STORE with the first findings. For the nightly job. */
int store_check(struct store *s, struct err *err) MUST_CHECK;
/* A consistent copy into a new file of mode 0600 (SQLite: VACUUM INTO); NEEDS_PERSON on PostgreSQL (use pg_dump). */
int store_backup(struct store *s, const char *path, struct err *err) MUST_CHECK;

/* meta: a few named texts. get: NOT_FOUND when absent. ret is owned by the caller. */
int store_meta_get(struct sql *q, const char *name, char **ret, struct err *err) MUST_CHECK;
int store_meta_set(struct sql *tx, const char *name, const char *value, struct err *err) MUST_CHECK;

/*
 * Numbers without gaps in the order of visibility, per name: short numbers of objects ("order", "account", ...) and the
 * feed's sequence ("feed"). On PostgreSQL the row is locked until the commit, so ask for it late in a write function.
 */
int store_next_num(struct sql *tx, const char *name, int64_t *ret, struct err *err) MUST_CHECK;
int store_last_num(struct sql *q, const char *name, int64_t *ret, struct err *err) MUST_CHECK; /* 0 = none was handed out */

/*
 * One page of a list. Zero struct + limit = the first page; after a page, after_key and after_id are those of its last
 * item (the key is the value the list is sorted by). Lists fetch limit + 1 rows to know has_more.
 */
enum page_order { PAGE_NEWEST, PAGE_OLDEST, PAGE_NAME, PAGE_EXPIRES, PAGE_STATUS }; /* what stands first; a list says which of them it has */
struct page {
	int limit;         /* 1 .. LIMIT_API_PAGE */
	bool started;      /* after_* hold the last item seen */
	enum page_order order;
	int64_t after_key; /* sort key, when it is a number or an instant */
	const char *after_text; /* sort key, when it is a text */
	const char *after_id;
};

/* Of lists ordered by more than a time: where the page behind this one begins, besides the id of its last item. */
#define PAGE_TEXT_MAX 256
struct page_mark {
	int64_t key;
	char text[PAGE_TEXT_MAX + 1]; /* "" = the order has none */
};

/* What a list of things with names is narrowed to (narrow.h); NULL = any. */
struct narrow {
	const char *name; /* a part of it */
	const char *only; /* a word; the list says of what */
};

#endif
