/* SPDX-License-Identifier: Apache-2.0 */
/*
 * driver_sqlite.c - SQLite in WAL mode with synchronous=FULL: connections, statements, checks, checkpoints.
 *
 * SQLite numbers $2,$1 by order of appearance, so the driver looks every $n up by its name. A RETURNING statement is
 * stepped to its end. What the file system says (no space, disk error) is told apart by the extended code and errno.
 */
#include "store/driver.h"

#include "base/file.h"
#include "base/str.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/magic.h>
#include <pthread.h>
#include <sqlite3.h>
#include <sys/stat.h>
#include <sys/vfs.h>

#define BUSY_MS 10000

struct sqlite {
	struct sql sql;
	sqlite3 *db;
	void (*on_wal)(void *arg, int pages);
	void *on_wal_arg;
};

static const struct sql_driver driver_sqlite;

static struct sqlite *of(struct sql *q)
{
	return (struct sqlite *)q;
}

static enum err_code code_of(struct sqlite *c, int rc)
{
	int system_errno = sqlite3_system_errno(c->db);

	switch (rc & 0xff) {
	case SQLITE_CONSTRAINT:
		switch (rc) {
		case SQLITE_CONSTRAINT_FOREIGNKEY:
			return ERR_IN_USE;
		case SQLITE_CONSTRAINT_CHECK:
		case SQLITE_CONSTRAINT_NOTNULL:
		case SQLITE_CONSTRAINT_DATATYPE:
			return ERR_INVALID;
		default:
			return ERR_CONFLICT;
		}
	case SQLITE_BUSY:
	case SQLITE_LOCKED:
	case SQLITE_INTERRUPT:
		return ERR_BUSY;
	case SQLITE_FULL:
		return ERR_NO_SPACE;
	case SQLITE_IOERR:
	case SQLITE_CANTOPEN:
		if (system_errno == ENOSPC || system_errno == EDQUOT)
			return ERR_NO_SPACE;
		return ERR_STORE;
	case SQLITE_CORRUPT:
	case SQLITE_NOTADB:
	case SQLITE_READONLY:
	case SQLITE_PERM:
	case SQLITE_AUTH:
		return ERR_STORE;
	case SQLITE_TOOBIG:
		return ERR_TOO_LARGE;
	default:
		return ERR_INTERNAL;
	}
}

static int fail(struct sqlite *c, int rc, struct err *err)
{
	enum err_code code = code_of(c, rc);
	const char *words = c->db ? sqlite3_errmsg(c->db) : sqlite3_errstr(rc);

	c->sql.full |= code == ERR_NO_SPACE;
	c->sql.broken |= code == ERR_STORE && (!c->sql.read_only || (rc & 0xff) != SQLITE_READONLY);
	if (code == ERR_STORE && (rc & 0xff) == SQLITE_CORRUPT)
		err_set(err, code, "database file is damaged: %s", words);
	else if (code == ERR_STORE && (rc & 0xff) == SQLITE_NOTADB)
		err_set(err, code, "file is not a database of this program: %s", words);
	else if (code == ERR_STORE && (rc & 0xff) == SQLITE_IOERR)
		err_set(err, code, "disk error in the database file (%s): %s", sqlite3_errstr(rc), words);
	else if (code == ERR_NO_SPACE)
		err_set(err, code, "no space left for the database: %s", words);
	else if (code == ERR_BUSY)
		err_set(err, code, "database is in use by another process: %s", words);
	else
		err_set(err, code, "%s", words);
	if (code == ERR_STORE && ((rc & 0xff) == SQLITE_CORRUPT || (rc & 0xff) == SQLITE_NOTADB))
		err_hint(err, "Stop the server and restore the last backup; keep the damaged file.");
	return -(int)code;
}

/* statements */

static int prepare(struct sqlite *c, const char *text, struct stmt *ret, struct err *err)
{
	sqlite3_stmt *handle = NULL;
	int rc = sqlite3_prepare_v3(c->db, text, -1, SQLITE_PREPARE_PERSISTENT, &handle, NULL);
	unsigned found = 0;
	int total;

	if (rc != SQLITE_OK)
		return fail(c, rc, err);
	total = sqlite3_bind_parameter_count(handle);
	for (unsigned i = 0; i < SQL_MAX_VALUES && found < (unsigned)total; i++) {
		char name[8];

		snprintf(name, sizeof name, "$%u", i + 1);
		ret->index[i] = sqlite3_bind_parameter_index(handle, name);
		if (!ret->index[i])
			break;
		found++;
	}
	if (found != (unsigned)total) {
		sqlite3_finalize(handle);
		return err_set(err, ERR_INTERNAL, "placeholders are not $1 to $n in statement: %.80s", text);
	}
	ret->params = found;
	ret->handle = handle;
	return 0;
}

static int bind(struct sqlite *c, const struct stmt *s, struct sql_values v, struct err *err)
{
	sqlite3_stmt *h = s->handle;

	for (size_t i = 0; i < v.n; i++) {
		int rc = SQLITE_OK, at = s->index[i];

		switch (v.v[i].type) {
		case SQL_TYPE_NULL:
			rc = sqlite3_bind_null(h, at);
			break;
		case SQL_TYPE_TEXT:
			rc = sqlite3_bind_text64(h, at, v.v[i].p, v.v[i].n, SQLITE_STATIC, SQLITE_UTF8);
			break;
		case SQL_TYPE_INT:
			rc = sqlite3_bind_int64(h, at, v.v[i].i);
			break;
		case SQL_TYPE_BLOB:
			rc = v.v[i].n ? sqlite3_bind_blob64(h, at, v.v[i].p, v.v[i].n, SQLITE_STATIC)
				      : sqlite3_bind_zeroblob(h, at, 0);
			break;
		}
		if (rc != SQLITE_OK)
			return fail(c, rc, err);
	}
	return 0;
}

static int walk(struct sqlite *c, sqlite3_stmt *h, int max_rows, sql_row_fn *fn, void *arg, struct err *err)
{
	bool read_only = sqlite3_stmt_readonly(h);
	int rows = 0;

	for (;;) {
		int rc = sqlite3_step(h);
		int r;

		if (rc == SQLITE_DONE)
			return rows;
		if (rc != SQLITE_ROW)
			return fail(c, rc, err);
		if (!fn || (max_rows && rows == max_rows))
			continue; /* RETURNING wants to be stepped to its end */
		r = fn(&(struct row){ .driver = &driver_sqlite, .handle = h }, arg, err);
		if (r < 0)
			return r;
		rows++;
		if (read_only && (r == SQL_ENOUGH || (max_rows && rows == max_rows)))
			return rows;
	}
}

static int sqlite_run(struct sql *q, const char *text, struct sql_values v, int max_rows, sql_row_fn *fn, void *arg,
		      int64_t *ret_changed, struct err *err)
{
	struct sqlite *c = of(q);
	struct stmt *s = stmt_find(q, text), own = { 0 };
	int r;

	if (!s || s->busy) {
		if (prepare(c, text, &own, err) < 0)
			return -(int)err->code;
		if (!s) {
			s = stmt_add(q, text, own.handle);
			s->params = own.params;
			memcpy(s->index, own.index, sizeof s->index);
			own.handle = NULL;
		} else {
			s = &own;
		}
	}
	if (v.n != s->params)
		r = err_set(err, ERR_INTERNAL, "%zu values for %u placeholders in statement: %.80s", v.n, s->params, text);
	else
		r = bind(c, s, v, err);
	if (r >= 0) {
		s->busy = true;
		r = walk(c, s->handle, max_rows, fn, arg, err);
		s->busy = false;
		if (r >= 0 && ret_changed)
			*ret_changed = sqlite3_stmt_readonly(s->handle) ? 0 : sqlite3_changes64(c->db);
	}
	sqlite3_reset(s->handle);
	sqlite3_clear_bindings(s->handle);
	if (own.handle)
		sqlite3_finalize(own.handle);
	return r;
}

static int sqlite_script(struct sql *q, const char *text, struct err *err)
{
	struct sqlite *c = of(q);
	int rc = sqlite3_exec(c->db, text, NULL, NULL, NULL);

	return rc == SQLITE_OK ? 0 : fail(c, rc, err);
}

static bool sqlite_in_tx(struct sql *q)
{
	return !sqlite3_get_autocommit(of(q)->db);
}

static void sqlite_finalize(UNUSED struct sql *q, void *handle)
{
	sqlite3_finalize(handle);
}

static void sqlite_close(struct sql *q)
{
	struct sqlite *c = of(q);

	sqlite3_close_v2(c->db);
	free(c);
}

static bool cell_is_null(const struct row *r, int column)
{
	return sqlite3_column_type(r->handle, column) == SQLITE_NULL;
}

static const char *cell_text(const struct row *r, int column)
{
	return (const char *)sqlite3_column_text(r->handle, column);
}

static int64_t cell_int(const struct row *r, int column)
{
	return sqlite3_column_int64(r->handle, column);
}

static const void *cell_blob(const struct row *r, int column, size_t *ret_n)
{
	const void *p = sqlite3_column_blob(r->handle, column);

	*ret_n = (size_t)sqlite3_column_bytes(r->handle, column);
	return p;
}

static int cell_count(const struct row *r)
{
	return sqlite3_column_count(r->handle);
}

static const struct sql_driver driver_sqlite = {
	.dialect = SQL_SQLITE,
	.run = sqlite_run,
	.script = sqlite_script,
	.in_tx = sqlite_in_tx,
	.finalize = sqlite_finalize,
	.close = sqlite_close,
	.is_null = cell_is_null,
	.text = cell_text,
	.integer = cell_int,
	.blob = cell_blob,
	.columns = cell_count,
};

/* opening */

static const struct {
	unsigned long magic;
	const char *name;
} network_file_systems[] = {
	{ 0x6969, "NFS" },	   { 0x517b, "SMB" },	      { 0xff534d42, "CIFS" },	  { 0xfe534d42, "SMB2" },
	{ 0x01021997, "9P" },	   { 0x5346414f, "AFS" },     { 0x00c36400, "Ceph" },	  { 0x73757245, "Coda" },
	{ 0x0bd00bd0, "Lustre" },  { 0x6b414653, "AFS" },     { 0x564c, "NCP" },	  { 0x47504653, "GPFS" },
	{ 0x01161970, "GFS2" },	   { 0x7461636f, "OCFS2" },   { 0xaad7aaea, "PanFS" },	  { 0x19830326, "BeeGFS" },
};

const char *sqlite_network_name(uint64_t magic)
{
	for (size_t i = 0; i < ARRAY_SIZE(network_file_systems); i++)
		if ((magic & 0xffffffffUL) == network_file_systems[i].magic)
			return network_file_systems[i].name;
	return NULL;
}

static int refuse_network(const char *dir, struct err *err)
{
	struct statfs st;
	const char *name;

	if (statfs(dir, &st) < 0)
		return err_set_errno(err, ERR_STORE, "could not look at the directory of the database, '%s'", dir);
	name = sqlite_network_name((uint64_t)st.f_type);
	if (!name)
		return 0;
	err_set(err, ERR_STORE, "database cannot be kept on a network file system: '%s' is on %s", dir, name);
	return err_hint(err, "Use a local disk, or PostgreSQL with store.url = postgresql://...");
}

int sqlite_prepare_file(const char *path, struct err *err)
{
	const char *slash = strrchr(path, '/');
	_cleanup_free_ char *dir = slash ? xstrndup(path, slash == path ? 1 : (size_t)(slash - path)) : xstrdup(".");
	_cleanup_close_ int fd = -1;
	struct stat st;

	if (refuse_network(dir, err) < 0)
		return -(int)err->code;
	fd = open(path, O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0600);
	if (fd < 0 || fstat(fd, &st) < 0)
		return err_set_errno(err, ERR_STORE, "could not open database file '%s' for writing", path);
	if (!S_ISREG(st.st_mode))
		return err_set(err, ERR_STORE, "database '%s' is not a regular file", path);
	return 0;
}

static int wal_hook(void *arg, UNUSED sqlite3 *db, UNUSED const char *name, int pages)
{
	struct sqlite *c = arg;

	if (c->on_wal)
		c->on_wal(c->on_wal_arg, pages);
	return SQLITE_OK;
}

void sqlite_on_wal(struct sql *q, void (*fn)(void *arg, int pages), void *arg)
{
	of(q)->on_wal = fn;
	of(q)->on_wal_arg = arg;
	sqlite3_wal_hook(of(q)->db, wal_hook, of(q));
}

static const char SETTINGS_ALL[] = "PRAGMA foreign_keys = ON; PRAGMA synchronous = FULL; PRAGMA temp_store = MEMORY;"
				   "PRAGMA trusted_schema = OFF; PRAGMA cache_size = -2000;"
				   "PRAGMA journal_size_limit = 67108864;";
static const char SETTINGS_WRITER[] = "PRAGMA journal_mode = WAL; PRAGMA wal_autocheckpoint = 0; PRAGMA cache_size = -4000;";
static const char SETTINGS_READER[] = "PRAGMA query_only = ON; PRAGMA cache_size = -600;";

/* Counting the bytes in use takes a lock around each allocation, shared by all connections. */
static void configure(void)
{
	sqlite3_config(SQLITE_CONFIG_MEMSTATUS, 0);
}

int sqlite_connect(const char *path, enum sqlite_role role, struct sql **ret, struct err *err)
{
	static pthread_once_t once = PTHREAD_ONCE_INIT;
	struct sqlite *c = xcalloc(1, sizeof *c);
	int rc;

	pthread_once(&once, configure);
	rc = sqlite3_open_v2(path, &c->db,
				 SQLITE_OPEN_READWRITE | SQLITE_OPEN_NOMUTEX | SQLITE_OPEN_PRIVATECACHE | SQLITE_OPEN_EXRESCODE,
				 NULL);

	c->sql.driver = &driver_sqlite;
	c->sql.read_only = role != SQLITE_ROLE_WRITER;
	if (rc != SQLITE_OK) {
		fail(c, rc, err);
		sql_close(&c->sql);
		return err_wrap(err, "could not open database '%s'", path);
	}
	sqlite3_extended_result_codes(c->db, 1);
	sqlite3_busy_timeout(c->db, BUSY_MS);
	sqlite3_db_config(c->db, SQLITE_DBCONFIG_DEFENSIVE, 1, NULL);
	sqlite3_db_config(c->db, SQLITE_DBCONFIG_DQS_DML, 0, NULL);
	sqlite3_db_config(c->db, SQLITE_DBCONFIG_DQS_DDL, 0, NULL);
	sqlite3_db_config(c->db, SQLITE_DBCONFIG_NO_CKPT_ON_CLOSE, role == SQLITE_ROLE_READER, NULL);
	if (sqlite_script(&c->sql, SETTINGS_ALL, err) < 0 ||
	    (role != SQLITE_ROLE_READER && sqlite_script(&c->sql, SETTINGS_WRITER, err) < 0) ||
	    (role == SQLITE_ROLE_READER && sqlite_script(&c->sql, SETTINGS_READER, err) < 0)) {
		sql_close(&c->sql);
		return err_wrap(err, "could not prepare database '%s'", path);
	}
	*ret = &c->sql;
	return 0;
}

/* checks and maintenance */

static int finding(const struct row *r, void *arg, UNUSED struct err *err)
{
	char **first = arg;

	if (!*first && !streq(row_text(r, 0), "ok"))
		*first = row_text_dup(r, 0);
	return 0;
}

static int check(struct sql *q, const char *text, struct err *err)
{
	_cleanup_free_ char *first = NULL;

	if (sql_each(q, text, SQL_NONE, finding, &first, err) < 0)
		return err_wrap(err, "could not check the database");
	if (!first)
		return 0;
	err_set(err, ERR_STORE, "database is damaged: %s", first);
	return err_hint(err, "Stop the server and restore the last backup; keep the damaged file.");
}

int sqlite_quick_check(struct sql *q, struct err *err)
{
	int r = check(q, "PRAGMA quick_check(1)", err);

	sqlite3_db_release_memory(of(q)->db); /* every page went through its cache, and will not soon again */
	return r;
}

static int foreign_finding(const struct row *r, void *arg, UNUSED struct err *err)
{
	char **first = arg;

	if (!*first)
		*first = xasprintf("a row of table %s points to a missing row of %s", row_text(r, 0), row_text(r, 2));
	return 0;
}

int sqlite_integrity_check(struct sql *q, struct err *err)
{
	_cleanup_free_ char *first = NULL;

	if (check(q, "PRAGMA integrity_check(10)", err) < 0)
		return -(int)err->code;
	if (sql_each(q, "PRAGMA foreign_key_check", SQL_NONE, foreign_finding, &first, err) < 0)
		return err_wrap(err, "could not check the database");
	return first ? err_set(err, ERR_STORE, "database is damaged: %s", first) : 0;
}

int sqlite_checkpoint(struct sql *q, bool restart, int *ret_left, struct err *err)
{
	struct sqlite *c = of(q);
	int in_log = 0, moved = 0;
	int rc = sqlite3_wal_checkpoint_v2(c->db, NULL, restart ? SQLITE_CHECKPOINT_TRUNCATE : SQLITE_CHECKPOINT_PASSIVE,
					   &in_log, &moved);

	if (rc != SQLITE_OK)
		return fail(c, rc, err);
	*ret_left = in_log > moved ? in_log - moved : 0;
	return 0;
}

int sqlite_vacuum_into(struct sql *q, const char *path, struct err *err)
{
	if (file_create(path, "", 0, 0600, err) < 0) /* VACUUM INTO takes an empty file, with our mode */
		return -(int)err->code;
	if (sql_exec(q, "VACUUM INTO $1", SQL_VALUES(SQL_TEXT(path)), NULL, err) < 0) {
		unlink(path);
		return err_wrap(err, "could not copy the database to '%s'", path);
	}
	return 0;
}
