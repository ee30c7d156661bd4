/* SPDX-License-Identifier: Apache-2.0 */
/* backup.c - `certwright backup` and `backup verify`: the copy of the database, its file, and how many of those stay. See backup.h. */
#include "app/backup.h"

#include "app/backup_file.h"
#include "app/host.h"
#include "app/verb.h"
#include "base/clock.h"
#include "base/file.h"
#include "base/json.h"
#include "service/local.h"
#include "store/store.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#define SUFFIX ".backup"
#define NAME_FORMAT "certwright-%Y%m%dT%H%M%SZ"
#define NAME_LENGTH 27 /* "certwright-20260101T000000Z" */

/* ---- the copy of the database --------------------------------------------------------------------------------------- */

static int copy_make(const struct config *c, const char *path, struct err *err)
{
	const struct store_options o = { .url = c->store_url, .password_file = c->store_password_file };
	_cleanup_store_ struct store *store = NULL;

	if (store_open(&o, &store, err) < 0)
		return err_wrap(err, "could not open the store");
	return store_backup(store, path, err);
}

/* The copy is opened and checked: a backup of a damaged database is worth a loud word on the day it is made. */
static int copy_look(const char *path, struct backup_content *ret, struct err *err)
{
	_cleanup_free_ char *url = xasprintf("sqlite:%s", path);
	const struct store_options o = { .url = url };
	_cleanup_store_ struct store *store = NULL;

	if (store_open(&o, &store, err) < 0 || store_check(store, err) < 0 || store_read(store, backup_content_read, ret, err) < 0)
		return err_wrap(err, "the copy of the database is not in order");
	return 0;
}

/* The target's full name: a folder's backups are named by their time, which is also their order. */
static char *target_of(const char *to)
{
	time_t now = (time_t)(clock_now(&clock_system) / 1000);
	char name[64];
	struct tm tm;
	struct stat st;

	if (stat(to, &st) < 0 || !S_ISDIR(st.st_mode))
		return xstrdup(to);
	gmtime_r(&now, &tm);
	strftime(name, sizeof name, NAME_FORMAT SUFFIX, &tm);
	return path_join(to, name);
}

static int write_whole(const struct config *c, const char *copy, const json_t *manifest, const struct means *with, const char *path,
		       int64_t *ret_bytes, struct err *err)
{
	_cleanup_free_ char *part = xasprintf("%s.part", path);
	_cleanup_close_ int fd = -1;

	if (file_exists(path))
		return err_set(err, ERR_CONFLICT, "the file '%s' exists already", path);
	(void)unlink(part);
	fd = open(part, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC | O_NOFOLLOW, 0600);
	if (fd < 0)
		return err_set_errno(err, ERR_INVALID, "could not make '%s'", part);
	if (backup_seal(c, copy, manifest, with, fd, err) < 0) {
		(void)unlink(part);
		return -(int)err->code;
	}
	if (rename(part, path) < 0)
		return err_set_errno(err, ERR_INTERNAL, "could not rename '%s'", part);
	*ret_bytes = lseek(fd, 0, SEEK_CUR);
	return dir_sync_of(path, err);
}

/* ---- keeping some ---------------------------------------------------------------------------------------------------- */

static int is_backup(const struct dirent *e)
{
	return strlen(e->d_name) == NAME_LENGTH + strlen(SUFFIX) && str_starts(e->d_name, "certwright-") && streq(e->d_name + NAME_LENGTH, SUFFIX);
}

/* The newest ones stay; nothing but files with a backup's name is touched, and only after a new one is safe. */
static int keep_newest(const char *folder, int64_t keep)
{
	struct dirent **list = NULL;
	int n = scandir(folder, &list, is_backup, alphasort), removed = 0;

	for (int i = 0; i < n; i++) {
		_cleanup_free_ char *path = path_join(folder, list[i]->d_name);

		if (i < n - keep && unlink(path) == 0)
			removed++;
		free(list[i]);
	}
	free(list);
	return removed;
}

/* ---- backup ---------------------------------------------------------------------------------------------------------- */

static int lock_backups(const struct config *c, int *ret, struct err *err)
{
	_cleanup_free_ char *path = path_join(c->state, "backup.lock");

	*ret = open(path, O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0600);
	if (*ret < 0)
		return err_set_errno(err, ERR_INVALID, "could not open '%s'", path);
	if (flock(*ret, LOCK_EX | LOCK_NB) < 0)
		return err_set(err, ERR_CONFLICT, "another backup is being made");
	return 0;
}

static int copy_and_look(const struct config *c, const struct host_user *u, const char *copy, int *ret_lock, struct backup_content *ret, struct err *err)
{
	int rc = host_user_act(u, err);

	if (rc == 0)
		rc = lock_backups(c, ret_lock, err);
	if (rc == 0) {
		backup_copy_remove(copy); /* of one that was killed */
		rc = copy_make(c, copy, err);
	}
	if (rc == 0)
		rc = copy_look(copy, ret, err);
	host_user_act_end(u);
	return rc;
}

/* The backup is safe by now; that it could not be noted is a word, not a failure. */
static void note(const struct config *c, const struct host_user *u, const char *path, int64_t bytes)
{
	const struct store_options o = { .url = c->store_url, .password_file = c->store_password_file };
	_cleanup_err_ struct err err = ERR_INIT;
	struct store *store = NULL;

	if (host_user_act(u, &err) == 0 && store_open(&o, &store, &err) == 0 && service_local_backup(store, NULL, path, bytes, &err) == 0)
		log_debug("noted the backup");
	store_close(store);
	host_user_act_end(u);
	if (err_is(&err)) {
		_cleanup_free_ char *text = err_text(&err);

		fprintf(stderr, "certwright: the backup is there, but the server does not know it: %s\n", text);
	}
}

static void said(const char *path, const json_t *manifest, int removed, bool json)
{
	_cleanup_json_ json_t *doc = json_pack("{s:s, s:O, s:i}", "file", path, "manifest", (json_t *)(uintptr_t)manifest, "removed", removed);
	_cleanup_free_ char *text = json_text(doc);

	if (json)
		printf("%s\n", text);
	else
		printf("wrote %s%s\n", path, removed ? "; older ones were removed" : "");
}

static int backup_make(const struct config *c, const struct backup_options *o, const char *to, struct err *err)
{
	_cleanup_means_ struct means with = { 0 };
	_cleanup_free_ char *copy = path_join(c->state, "backup.snapshot"), *path = target_of(to);
	_cleanup_close_ int lock = -1;
	_cleanup_json_ json_t *manifest = NULL;
	struct host_user user = { 0 };
	struct backup_content content = { 0 };
	int64_t bytes = 0;
	int rc = means_to_seal(c, o, &with, err);

	if (rc == 0)
		rc = host_user_find(c->run_user, &user, err);
	if (rc == 0)
		rc = copy_and_look(c, &user, copy, &lock, &content, err);
	if (rc == 0) {
		manifest = backup_manifest(&content);
		rc = write_whole(c, copy, manifest, &with, path, &bytes, err);
	}
	if (lock >= 0)
		backup_copy_remove(copy);
	if (rc == 0) {
		note(c, &user, path, bytes);
		said(path, manifest, !streq(path, to) ? keep_newest(to, c->backup_keep) : 0, o->json);
	}
	free(content.master_keys);
	host_user_done(&user);
	return rc;
}

static int backup_verify(const struct config *c, const struct backup_options *o, const char *file, struct err *err)
{
	_cleanup_means_ struct means with = { 0 };
	_cleanup_close_ int fd = -1;
	_cleanup_archive_ struct archive *a = NULL;
	_cleanup_json_ json_t *manifest = NULL;
	bool database = false;

	if (means_to_open(c, o, &with, err) < 0 || backup_open(file, &with, &fd, &a, &manifest, err) < 0 ||
	    backup_entries(a, NULL, &database, err) < 0)
		return -(int)err->code;
	if (!database)
		return err_set(err, ERR_INVALID, "'%s' holds no database", file);
	if (o->json) {
		_cleanup_free_ char *text = json_text(manifest);

		printf("%s\n", text);
	} else {
		backup_print(file, manifest);
	}
	return 0;
}

int backup_verb(const struct config_input *in, int argc, char **argv, const struct backup_options *o)
{
	_cleanup_config_ struct config c = { 0 };
	_cleanup_err_ struct err err = ERR_INIT;
	const char *to;

	json_init();
	if (config_read(in, &c, NULL, &err) < 0)
		return verb_failed(&err);
	to = o->to ? o->to : c.backup_dir;
	if (argc == 2 && streq(argv[0], "verify"))
		return backup_verify(&c, o, argv[1], &err) < 0 ? verb_failed(&err) : 0;
	if (argc || !to) {
		fprintf(stderr, "certwright: usage: certwright backup --to FILE|DIR [--recipient KEY | --passphrase-file F], or certwright backup verify FILE [--identity F | --passphrase-file F]\n");
		return 2;
	}
	return backup_make(&c, o, to, &err) < 0 ? verb_failed(&err) : 0;
}
