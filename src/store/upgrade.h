/* SPDX-License-Identifier: Apache-2.0 */
/*
 * upgrade.h - a database in PostgreSQL that an earlier version wrote: what its administrator says before the server upgrades it.
 *
 * SQLite is one file, and the server copies it before. A PostgreSQL is backed up by its own administrator's tools, which the server cannot
 * judge; so it upgrades such a database only after somebody has said that there is a backup of it. That is kept in the database, for the
 * schema it has and for a day, and may be said before the new version is installed, so that nothing has to wait.
 */
#ifndef STORE_UPGRADE_H
#define STORE_UPGRADE_H

#include "store/store.h"

#define UPGRADE_CONFIRMED_FOR_MS DAY_MS

struct upgrade_look {
	int has, needs;       /* schemas; has 0: a new database */
	int64_t confirmed_ms; /* when a backup of what it has was confirmed; 0: it was not, or too long ago */
};
/* Opens nothing but one connection. INVALID when o->url is not PostgreSQL's; STORE: not reached, or newer than this program. */
int store_upgrade_look(const struct store_options *o, struct upgrade_look *ret, struct err *err) MUST_CHECK;
/* The same, and says that there is a backup; host: where that was said. */
int store_upgrade_confirm(const struct store_options *o, const char *host, struct upgrade_look *ret, struct err *err) MUST_CHECK;

#endif
