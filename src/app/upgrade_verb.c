/* SPDX-License-Identifier: Apache-2.0 */
/* upgrade_verb.c - `certwright upgrade`: what a new version will do to the database, and the word that there is a backup of it. See setup.h. */
#include "app/setup.h"

#include "app/verb.h"
#include "base/clock.h"
#include "store/upgrade.h"

#include <stdio.h>
#include <unistd.h>

static void said_of(const struct upgrade_look *l)
{
	char until[CLOCK_TEXT];

	if (!l->has)
		printf("the database is empty: the server makes what it needs when it starts\n");
	else if (l->has != l->needs)
		printf("the database has schema %d, and this program needs %d; the server upgrades it when it starts\n", l->has, l->needs);
	else
		printf("the database has schema %d, which is what this program needs\n", l->has);
	if (!l->confirmed_ms)
		return;
	printf("a backup of it is confirmed: until %s a server of a later version upgrades it\n",
	       clock_format(l->confirmed_ms + UPGRADE_CONFIRMED_FOR_MS, until));
}

static int confirm(const struct store_options *o, struct upgrade_look *ret, struct err *err)
{
	char host[256] = "";

	(void)gethostname(host, sizeof host - 1);
	return store_upgrade_confirm(o, host, ret, err);
}

static int upgrade(const struct config *c, bool backup_made, struct err *err)
{
	const struct store_options o = { .url = c->store_url, .password_file = c->store_password_file };
	struct upgrade_look look = { 0 };

	if (str_starts(c->store_url, "sqlite:")) {
		if (backup_made)
			return err_set(err, ERR_INVALID, "the server copies this database itself before it upgrades it: there is nothing to confirm");
		printf("the server upgrades the database when it starts, and copies it before\n");
		return 0;
	}
	if (verb_become(c, err) < 0 || (backup_made ? confirm(&o, &look, err) : store_upgrade_look(&o, &look, err)) < 0)
		return -(int)err->code;
	said_of(&look);
	if (look.has == look.needs || !look.has || look.confirmed_ms)
		return 0;
	err_set(err, ERR_NEEDS_PERSON, "nobody has said that there is a backup of it, so the server will not start");
	return err_hint(err, "Make one (pg_dump, or what your site has), then: certwright upgrade --backup-made");
}

int upgrade_verb(const struct config_input *in, int argc, bool backup_made)
{
	_cleanup_config_ struct config c = { 0 };
	_cleanup_err_ struct err err = ERR_INIT;

	if (argc) {
		fprintf(stderr, "certwright: usage: certwright upgrade [--backup-made] [--config FILE] [--state DIR]\n");
		return 2;
	}
	if (config_read(in, &c, NULL, &err) < 0 || upgrade(&c, backup_made, &err) < 0)
		return verb_failed(&err);
	return 0;
}
