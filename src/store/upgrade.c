/* SPDX-License-Identifier: Apache-2.0 */
/*
 * upgrade.c - a database that an earlier version wrote: who may bring it up to date, and the copy that is made before.
 *
 * A command on the server's host may be of the new package while the server is still of the old one; it must not pull the schema away
 * from under it. So only the server, which holds the state folder, upgrades.
 */
#include "store/driver.h"

#include "base/file.h"
#include "base/log.h"
#include "base/str.h"

#include <dirent.h>
#include <errno.h>
#include <stdio.h>
#include <unistd.h>

#define COPY_MARK ".schema-"

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

int store_schema_open(struct sql *q, const struct store_options *o, const char *sqlite_path, char **ret_copy, struct err *err)
{
	struct schema_state state;

	if (o->look)
		return store_migrated(q, store_migrations, err);
	if (store_schema_look(q, store_migrations, &state, err) < 0)
		return -(int)err->code;
	if (!state.missing)
		return 0;
	if (state.has && o->upgrade == STORE_UPGRADE_REFUSE)
		return refused(&state, err);
	if (state.has && o->upgrade == STORE_UPGRADE_WITH_COPY && sqlite_path && copy_make(q, sqlite_path, state.has, ret_copy, err) < 0) {
		err_wrap(err, "could not copy the database before its upgrade");
		return err_hint(err, "Nothing was changed. Make room in the state folder, or install the former version again.");
	}
	return store_migrate(q, store_migrations, clock_now(o->clock ? o->clock : &clock_system), err);
}
