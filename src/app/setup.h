/* SPDX-License-Identifier: Apache-2.0 */
/*
 * setup.h - the local verbs that work on this host's own files: setup, config, key, upgrade.
 */
#ifndef APP_SETUP_H
#define APP_SETUP_H

#include "app/config.h"

struct setup_options {
	const char *admin;         /* NULL: print a one-time sign-in link */
	const char *passwd;        /* instead: give this user a new password */
	const char *password_file; /* NULL: ask on the terminal */
	const struct strlist *rights; /* of admin; empty: none */
	const char *token_out;     /* NULL: no API token is made */
	bool json, backup_made;
	const char *to, *passphrase_file, *identity; /* of backup and restore */
	const struct strlist *recipients;            /* of backup */
};

/* The exit status; what went wrong was printed. */
int setup_run(const struct config *c, const struct setup_options *o);
/* Where people find the page, without "/" at its end; owned. */
char *page_url(const struct config *c);
/* `config check`, `config show`, `config keys` */
int config_verb(const struct config_input *in, int argc, char **argv);
/* `key create FILE`, `key show-escrow`, `key check-escrow`, `key restore-escrow FILE`, `key create-recipient FILE` */
int key_verb(const struct config_input *in, int argc, char **argv);
/* `upgrade [--backup-made]` */
int upgrade_verb(const struct config_input *in, int argc, bool backup_made);

#endif
