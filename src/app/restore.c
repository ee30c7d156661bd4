/* SPDX-License-Identifier: Apache-2.0 */
/* restore.c - `certwright restore FILE`: a backup, or the copy that an upgrade made, into an empty state folder. See backup.h. */
#include "app/backup.h"

#include "app/backup_file.h"
#include "app/host.h"
#include "app/restored.h"
#include "app/verb.h"
#include "base/file.h"
#include "base/json.h"
#include "keys/keys.h"
#include "store/store.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

/* Nothing but a master key, which has to be there first where keys.master says so. */
static int folder_empty(const char *dir, struct err *err)
{
	DIR *d = opendir(dir);
	_cleanup_free_ char *found = NULL;

	if (!d && errno == ENOENT)
		return 0;
	if (!d)
		return err_set_errno(err, ERR_INVALID, "could not read the folder '%s'", dir);
	for (struct dirent *e; !found && (e = readdir(d));)
		if (!streq(e->d_name, ".") && !streq(e->d_name, "..") && !streq(e->d_name, "master.key"))
			found = xstrdup(e->d_name);
	closedir(d);
	if (!found)
		return 0;
	err_set(err, ERR_CONFLICT, "the state folder '%s' is not empty: it holds '%s'", dir, found);
	return err_hint(err, "A backup is restored into an empty folder. Move away what lies there, do not delete it before you know what it is.");
}

static int master_key_fits(const struct config *c, const char *check_text, struct err *err)
{
	_cleanup_free_ char *ids = backup_key_ids(check_text);
	struct keys_options o = { .check_text = check_text };
	struct keys *keys = NULL;
	int rc;

	if (!getenv("CREDENTIALS_DIRECTORY"))
		(void)setenv("CREDENTIALS_DIRECTORY", "/etc/certwright", 1); /* what the units make a credential of */
	strlist_copy(&o.files, &c->keys_master);
	rc = keys_open(&o, &keys, err);
	strlist_clear(&o.files);
	keys_close(keys);
	if (rc < 0) {
		err_wrap(err, "the backup needs the master key %s", ids);
		return err_hint(err, "Put the copy from the safe where keys.master says (mode 0400) and restore again; nothing was written.");
	}
	return 0;
}

static int restored_tx(struct sql *tx, UNUSED void *arg, struct err *err)
{
	return restored_tell(tx, RESTORED_FILE, err);
}

static char *restoring(const struct config *c)
{
	return xasprintf("%s/" BACKUP_DATABASE ".restoring", c->state);
}

/* As the server's user: with content the copy is brought up to date and checked, without it is told that it was restored. */
static int settle(const struct host_user *u, const char *at, struct backup_content *content, struct err *err)
{
	_cleanup_free_ char *url = xasprintf("sqlite:%s", at);
	const struct store_options o = { .upgrade = STORE_UPGRADE_IN_PLACE, .url = url };
	struct store *store = NULL;
	int rc = host_user_act(u, err);

	if (rc == 0)
		rc = store_open(&o, &store, err);
	if (rc == 0 && content)
		rc = store_check(store, err) < 0 ? -(int)err->code : store_read(store, backup_content_read, content, err);
	else if (rc == 0)
		rc = store_write(store, restored_tx, NULL, err);
	store_close(store); /* everything is in the one file then */
	host_user_act_end(u);
	return rc < 0 ? err_wrap(err, "the restored database is not in order") : 0;
}

/* The master key is root's to read. */
static int finish_database(const struct config *c, const struct host_user *u, const char *path, struct backup_content *ret, struct err *err)
{
	_cleanup_free_ char *at = restoring(c);

	if (u->drop && chown(at, u->uid, u->gid) < 0)
		return err_set_errno(err, ERR_INTERNAL, "could not give '%s' to the server's user", at);
	if (settle(u, at, ret, err) < 0 || master_key_fits(c, ret->master_keys, err) < 0 || settle(u, at, NULL, err) < 0)
		return -(int)err->code;
	if (rename(at, path) < 0)
		return err_set_errno(err, ERR_INTERNAL, "could not rename '%s'", at);
	return dir_sync_of(path, err);
}

static int from_backup(const struct config *c, const struct host_user *user, struct archive *a, struct err *err)
{
	bool database = false;

	if (host_state_make(c->state, user, err) < 0 || backup_entries(a, c->state, &database, err) < 0)
		return -(int)err->code;
	return database ? 0 : err_set(err, ERR_INVALID, "it holds no database");
}

static int restore_backup(const struct config *c, const struct backup_options *o, const struct host_user *user, const char *file, const char *path,
			  struct err *err)
{
	_cleanup_means_ struct means with = { 0 };
	_cleanup_close_ int fd = -1;
	_cleanup_archive_ struct archive *a = NULL;
	_cleanup_json_ json_t *manifest = NULL;
	struct backup_content content = { 0 };
	int rc;

	if (means_to_open(c, o, &with, err) < 0 || backup_open(file, &with, &fd, &a, &manifest, err) < 0 ||
	    master_key_fits(c, backup_master_keys(manifest), err) < 0)
		return -(int)err->code;
	if (from_backup(c, user, a, err) < 0)
		return err_wrap(err, "'%s'", file);
	rc = finish_database(c, user, path, &content, err);
	free(content.master_keys);
	if (rc == 0)
		backup_print(file, manifest);
	return rc;
}

/* ---- the copy that an upgrade made (store/upgrade.c) ------------------------------------------------------------------ */

static bool is_database(const char *file)
{
	static const char magic[] = "SQLite format 3";
	_cleanup_close_ int fd = open(file, O_RDONLY | O_CLOEXEC);
	char head[sizeof magic] = "";

	return fd >= 0 && read(fd, head, sizeof head) == sizeof head && memcmp(head, magic, sizeof magic) == 0;
}

static int copy_file(const char *from, const char *to, struct err *err)
{
	_cleanup_close_ int in = open(from, O_RDONLY | O_CLOEXEC), out = open(to, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC | O_NOFOLLOW, 0600);
	_cleanup_free_ char *bytes = xmalloc(BACKUP_CHUNK);
	ssize_t n;

	if (in < 0 || out < 0)
		return err_set_errno(err, ERR_INVALID, "could not copy '%s' to '%s'", from, to);
	while ((n = read(in, bytes, BACKUP_CHUNK)) > 0)
		if (fd_write_all(out, bytes, (size_t)n) < 0)
			return err_set_errno(err, ERR_NO_SPACE, "could not write '%s'", to);
	return n < 0 || fsync(out) < 0 ? err_set_errno(err, ERR_NO_SPACE, "could not copy '%s' to '%s'", from, to) : 0;
}

static int restore_copy(const struct config *c, const struct host_user *user, const char *file, const char *path, struct err *err)
{
	_cleanup_free_ char *at = restoring(c);
	struct backup_content content = { 0 };
	int rc = host_state_make(c->state, user, err);

	if (rc == 0)
		rc = copy_file(file, at, err);
	if (rc == 0)
		rc = finish_database(c, user, path, &content, err);
	if (rc < 0)
		backup_copy_remove(at);
	free(content.master_keys);
	return rc;
}

static int restore(const struct config *c, const struct backup_options *o, const char *file, struct err *err)
{
	_cleanup_free_ char *path = path_join(c->state, BACKUP_DATABASE), *usual = xasprintf("sqlite:%s", path);
	struct host_user user = { 0 };
	int rc;

	if (!streq(c->store_url, usual))
		return err_set(err, ERR_INVALID, "store.url is '%s': a backup is restored to '%s' only", c->store_url, usual);
	if (folder_empty(c->state, err) < 0 || host_user_find(c->run_user, &user, err) < 0)
		return -(int)err->code;
	rc = is_database(file) ? restore_copy(c, &user, file, path, err) : restore_backup(c, o, &user, file, path, err);
	host_user_done(&user);
	if (rc < 0)
		return rc;
	printf("restored into %s; sessions and API tokens have ended, passwords are as they were\n", c->state);
	return 0;
}

int restore_verb(const struct config_input *in, int argc, char **argv, const struct backup_options *o)
{
	_cleanup_config_ struct config c = { 0 };
	_cleanup_err_ struct err err = ERR_INIT;

	json_init();
	if (argc != 1 || o->to) {
		fprintf(stderr, "certwright: usage: certwright restore FILE [--state DIR] [--config FILE] [--identity F | --passphrase-file F]\n");
		return 2;
	}
	if (config_read(in, &c, NULL, &err) < 0 || restore(&c, o, argv[0], &err) < 0)
		return verb_failed(&err);
	return 0;
}
