/* SPDX-License-Identifier: Apache-2.0 */
/* backup_file.h - the sealed file of a backup (format: backup.h): what it is sealed with and opened with, its manifest, its entries. */
#ifndef APP_BACKUP_FILE_H
#define APP_BACKUP_FILE_H

#include "app/backup.h"
#include "base/json.h"
#include "keys/archive.h"
#include "store/copy.h"

#define BACKUP_DATABASE "certwright.db"
#define BACKUP_CONF "certwright.conf"
#define BACKUP_CHUNK (64 * 1024)

/* What a backup is sealed with, or opened with. */
struct means {
	struct secret passphrase;
	struct recipient to[ARCHIVE_RECIPIENTS_MAX];
	size_t to_n;
	struct identity identity;
	bool has_identity;
};
void means_done(struct means *m);
#define _cleanup_means_ __attribute__((cleanup(means_done)))

/* Flags before the configuration; there, recipients before a passphrase. */
int means_to_seal(const struct config *c, const struct backup_options *o, struct means *ret, struct err *err) MUST_CHECK;
/* All there is; the file says which it needs. */
int means_to_open(const struct config *c, const struct backup_options *o, struct means *ret, struct err *err) MUST_CHECK;

struct sql;
/* What is told of the database in it. */
struct backup_content {
	struct store_facts facts;
	char *master_keys; /* keys_check_text of the server, or NULL: never started */
};
/* For store_read: arg is a struct backup_content, whose master_keys is the caller's to free. */
int backup_content_read(struct sql *q, void *arg, struct err *err);
json_t *backup_manifest(const struct backup_content *c);

/* Writes all of it, to the disk: the manifest, the copy of the database, and the configuration where it has a file. */
int backup_seal(const struct config *c, const char *copy, const json_t *manifest, const struct means *with, int fd, struct err *err) MUST_CHECK;

/* fd is the caller's to close, after archive. */
int backup_open(const char *file, const struct means *with, int *ret_fd, struct archive **ret, json_t **manifest, struct err *err) MUST_CHECK;
/* Only names of ours, into folder (NULL: read and checked only), never over a file that is there. */
int backup_entries(struct archive *a, const char *folder, bool *ret_database, struct err *err) MUST_CHECK;

const char *backup_master_keys(const json_t *manifest);
/* The ids alone: what an administrator compares with the label in the safe; owned. */
char *backup_key_ids(const char *check_text);
void backup_print(const char *file, const json_t *manifest);

/* A copy of the database, with what SQLite leaves beside it. */
void backup_copy_remove(const char *path);

#endif
