/* SPDX-License-Identifier: Apache-2.0 */
/*
 * backup.h - `certwright backup` and `certwright restore`, on the server's host.
 *
 * A backup is one file (keys/archive.h), sealed with a passphrase or for recipients: a manifest, the database as one consistent copy made beside a running server, and
 * certwright.conf. Never the master key: the backup and the key lie in different places, and each is worth nothing without the
 * other. The file is there whole or not at all: written under another name, synced, renamed.
 *
 *	manifest   u32 LE length, JSON: version, made, host, schema, counts, master_keys (their ids and check values)
 *	entries    u16 LE length of the name, the name, u64 LE size, the bytes; a name of length 0 ends them
 *
 * Restoring needs an empty folder (it may hold the master key) and the master key the database was sealed with, which is
 * checked before anything is written. Sessions, tokens and setup links die, passwords stay.
 */
#ifndef APP_BACKUP_H
#define APP_BACKUP_H

#include "app/config.h"

struct backup_options {
	const char *to;              /* a file, or a folder in which it gets a name of its time; NULL: backup.dir */
	const char *passphrase_file; /* NULL: backup.passphrase_file */
	const char *identity;        /* the file of a secret half: opens what was sealed for recipients */
	const struct strlist *recipients; /* empty: backup.recipients, and without those the passphrase */
	bool json;
};

/* `backup`, `backup verify FILE`, `restore FILE`; the exit status; what went wrong was printed. */
int backup_verb(const struct config_input *in, int argc, char **argv, const struct backup_options *o);
int restore_verb(const struct config_input *in, int argc, char **argv, const struct backup_options *o);

#endif
