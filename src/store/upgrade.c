/* SPDX-License-Identifier: Apache-2.0 */
/*
 * upgrade.c - a database that an earlier version wrote: who may bring it up to date, and the copy that is made before (SQLite), or what
 * was said of a backup (PostgreSQL, upgrade.h).
 *
 * A command on the server's host may be of the new package while the server is still of the old one; it must not pull the schema away
 * from under it. So only the server, which holds the state folder, upgrades; and in PostgreSQL only when no program of another schema is
 * connected, which may be a server on another host.
 */
#include "store/upgrade.h"

#include "store/audit.h"
#include "store/driver.h"

#include "base/file.h"
#include "base/log.h"
#include "base/str.h"

#include <dirent.h>
#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#define COPY_MARK ".schema-"
#define CONFIRMED "upgrade.backup" /* of meta: "INSTANT SCHEMA HOST" */
#define OTHERS_TRIES 50
#define OTHERS_PAUSE_US (200 * 1000) /* a server that has just ended may be listed a moment longer */

static const char FORGET[] = "DELETE FROM meta WHERE name = '" CONFIRMED "'";
static const char OTHERS[] = "SELECT application_name, coalesce(host(client_addr), 'its own host') FROM pg_stat_activity"
			     " WHERE datname = current_database() AND application_name LIKE '" PGSQL_NAME "%' AND application_name <> $1 LIMIT 1";

static int64_t now_of(const struct store_options *o)
{
	return clock_now(o->clock ? o->clock : &clock_system);
}

static int refused(const struct schema_state *state, struct err *err)
{
	err_set(err, ERR_STORE, "database is of an earlier version: it has schema %d, and this program needs %d", state->has, state->needs);
	return err_hint(err, "The server upgrades it when it starts (systemctl restart certwright.service); then run this again.");
}

/* Copies made before earlier upgrades. That one cannot be removed is no reason not to start. */
static void remove_others(const char *folder, const char *base, const char *kept)
{
	_cleanup_free_ char *mark = xasprintf("%s" COPY_MARK, base);
	DIR *d = opendir(folder);

	for (struct dirent *e; d && (e = readdir(d));)
		if (str_starts(e->d_name, mark) && !streq(e->d_name, kept) && unlinkat(dirfd(d), e->d_name, 0) < 0)
			log_debug("could not remove an old copy of the database", "file", e->d_name, "why", strerror(errno));
	if (d)
		closedir(d);
}

/* Beside the database, as closed as it; whole when it has its name. */
static int copy_make(struct sql *q, const char *path, int has, char **ret, struct err *err)
{
	_cleanup_free_ char *copy = xasprintf("%s" COPY_MARK "%d", path, has), *part = xasprintf("%s.part", copy), *folder = NULL;
	const char *slash = strrchr(path, '/'), *base = slash ? slash + 1 : path;

	folder = slash ? xstrndup(path, MAX((size_t)(slash - path), (size_t)1)) : xstrdup(".");
	(void)unlink(part); /* of one that was killed */
	if (sqlite_vacuum_into(q, part, err) < 0)
		return -(int)err->code;
	if (rename(part, copy) < 0)
		return err_set_errno(err, ERR_STORE, "could not rename '%s'", part);
	if (dir_sync_of(copy, err) < 0)
		return -(int)err->code;
	remove_others(folder, base, copy + (base - path));
	*ret = TAKE(copy);
	return 0;
}

/* ---- PostgreSQL ------------------------------------------------------------------------------------------------------- */

struct confirmation {
	int64_t at_ms;
	int schema;
	char *host;
};

/* at_ms stays 0 when nothing was said, or not of this schema, or too long ago. */
static int confirmation_read(struct sql *q, int schema, int64_t now_ms, struct confirmation *ret, struct err *err)
{
	_cleanup_free_ char *text = NULL;
	_cleanup_err_ struct err why = ERR_INIT;
	int64_t at;
	char *rest;

	if (store_meta_get(q, CONFIRMED, &text, &why) < 0)
		return why.code == ERR_NOT_FOUND ? 0 : err_move(err, &why);
	at = strtoll(text, &rest, 10);
	ret->schema = (int)strtol(rest, &rest, 10);
	if (ret->schema != schema || *rest != ' ' || at > now_ms || now_ms - at > UPGRADE_CONFIRMED_FOR_MS)
		return 0;
	ret->at_ms = at;
	ret->host = xstrdup(rest + 1);
	return 0;
}

static int confirmed(struct sql *q, const struct store_options *o, const struct schema_state *state, struct confirmation *ret, struct err *err)
{
	if (confirmation_read(q, state->has, now_of(o), ret, err) < 0)
		return -(int)err->code;
	if (ret->at_ms)
		return 0;
	err_set(err, ERR_NEEDS_PERSON, "database is of an earlier version: it has schema %d, this program needs %d, and nobody has said that there is a backup of it",
		state->has, state->needs);
	return err_hint(err, "Nothing was changed. Make a backup (pg_dump, or what your site has), say so with `certwright upgrade --backup-made`, and start the "
			     "server again (systemctl restart certwright.service); or install the former version again.");
}

struct other {
	char *name, *address;
};

static int other_row(const struct row *r, void *arg, UNUSED struct err *err)
{
	struct other *o = arg;

	replace_str(&o->name, row_text(r, 0));
	replace_str(&o->address, row_text(r, 1));
	return 0;
}

/* The schema is not pulled away from under a server of the former version, wherever it runs. */
static int others_gone(struct sql *q, int needs, struct err *err)
{
	_cleanup_free_ char *mine = xasprintf(PGSQL_NAME "%d", needs);
	struct other other = { 0 };
	int rc = 1;

	for (int i = 0; rc > 0 && i < OTHERS_TRIES; i++) {
		if (i)
			usleep(OTHERS_PAUSE_US);
		rc = sql_each(q, OTHERS, SQL_VALUES(SQL_TEXT(mine)), other_row, &other, err);
	}
	if (rc > 0) {
		rc = err_set(err, ERR_CONFLICT, "database is to be upgraded, and a server of another version still uses it: '%s' from %s", other.name, other.address);
		err_hint(err, "Nothing was changed. End the servers of the former version on every host, then start this one again.");
	}
	free(other.name);
	free(other.address);
	return rc;
}

static int look_at(struct sql *q, const struct store_options *o, struct upgrade_look *ret, struct err *err)
{
	struct confirmation said = { 0 };
	struct schema_state state;

	if (store_schema_look(q, store_migrations, &state, err) < 0)
		return -(int)err->code;
	*ret = (struct upgrade_look){ .has = state.has, .needs = state.needs };
	if (state.has && confirmation_read(q, state.has, now_of(o), &said, err) < 0)
		return -(int)err->code;
	ret->confirmed_ms = said.at_ms;
	free(said.host);
	return 0;
}

static int connected(const struct store_options *o, struct sql **ret, struct err *err)
{
	struct pgsql_config *config = NULL;
	int rc;

	if (!str_starts(o->url, "postgres"))
		return err_set(err, ERR_INVALID, "the database is not in PostgreSQL");
	rc = pgsql_config_new(o->url, o->password_file, &config, err) < 0 || pgsql_connect(config, false, ret, err) < 0 ? -(int)err->code : 0;
	pgsql_config_free(config);
	return rc;
}

int store_upgrade_look(const struct store_options *o, struct upgrade_look *ret, struct err *err)
{
	struct sql *q = NULL;
	int rc = connected(o, &q, err);

	if (rc == 0)
		rc = look_at(q, o, ret, err);
	sql_close(q);
	return rc;
}

int store_upgrade_confirm(const struct store_options *o, const char *host, struct upgrade_look *ret, struct err *err)
{
	struct sql *q = NULL;
	int rc = connected(o, &q, err);

	if (rc == 0)
		rc = look_at(q, o, ret, err);
	if (rc == 0 && !ret->has)
		rc = err_set(err, ERR_INVALID, "the database is empty: the server makes what it needs when it starts");
	if (rc == 0) {
		_cleanup_free_ char *text = NULL;

		ret->confirmed_ms = now_of(o);
		text = xasprintf("%" PRId64 " %d %s", ret->confirmed_ms, ret->has, host);
		rc = store_meta_set(q, CONFIRMED, text, err);
	}
	sql_close(q);
	return rc;
}

/* ---- opening ---------------------------------------------------------------------------------------------------------- */

struct upgrading {
	struct store_upgraded done;
	int64_t now_ms;
	char *way_back;
};

/* In the transaction of the upgrade: who asks later finds when it was, and what the way back is. */
static int note(struct sql *tx, void *arg, struct err *err)
{
	const struct upgrading *u = arg;
	_cleanup_free_ char *reason = xasprintf("from schema %d to %d; %s", u->done.from, u->done.to, u->way_back);

	if (sql_exec(tx, FORGET, SQL_NONE, NULL, err) < 0)
		return -(int)err->code;
	return store_audit_system(tx, u->now_ms, "server.upgrade", "server", "server", "server", reason, NULL, err);
}

static int prepare_copy(struct sql *q, const char *path, struct upgrading *u, struct err *err)
{
	if (copy_make(q, path, u->done.from, &u->done.copy, err) < 0) {
		err_wrap(err, "could not copy the database before its upgrade");
		return err_hint(err, "Nothing was changed. Make room in the state folder, or install the former version again.");
	}
	u->way_back = xasprintf("the copy from before is '%s'", u->done.copy);
	return 0;
}

static int prepare_shared(struct sql *q, const struct store_options *o, const struct schema_state *state, struct upgrading *u, struct err *err)
{
	struct confirmation said = { 0 };
	char at[CLOCK_TEXT];

	if (confirmed(q, o, state, &said, err) < 0)
		return -(int)err->code;
	u->way_back = xasprintf("a backup from before was confirmed on '%s' at %s", said.host, clock_format(said.at_ms, at));
	free(said.host);
	return others_gone(q, state->needs, err);
}

/* The server's own; a copy that is restored needs none of itself. */
static int prepare(struct sql *q, const struct store_options *o, const char *sqlite_path, const struct schema_state *state, struct upgrading *u, struct err *err)
{
	if (!state->has)
		return 0;
	if (o->upgrade == STORE_UPGRADE_REFUSE)
		return refused(state, err);
	if (o->upgrade == STORE_UPGRADE_IN_PLACE)
		u->way_back = xstrdup("it is restored from a backup");
	else
		return sqlite_path ? prepare_copy(q, sqlite_path, u, err) : prepare_shared(q, o, state, u, err);
	return 0;
}

int store_schema_open(struct sql *q, const struct store_options *o, const char *sqlite_path, struct store_upgraded *ret, struct err *err)
{
	struct upgrading u = { .now_ms = now_of(o) };
	struct schema_state state;
	int rc;

	if (o->look)
		return store_migrated(q, store_migrations, err);
	if (store_schema_look(q, store_migrations, &state, err) < 0)
		return -(int)err->code;
	if (!state.missing)
		return 0;
	u.done.from = state.has;
	u.done.to = state.needs;
	rc = prepare(q, o, sqlite_path, &state, &u, err);
	if (rc == 0)
		rc = store_migrate(q, store_migrations, u.now_ms, note, &u, err);
	if (rc == 0 && state.has)
		*ret = TAKE(u.done);
	free(u.done.copy);
	free(u.way_back);
	return rc;
}
