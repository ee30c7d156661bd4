/* SPDX-License-Identifier: Apache-2.0 */
/* backup.c - see backup.h. */
#include "app/backup.h"

#include "app/host.h"
#include "app/verb.h"
#include "base/clock.h"
#include "base/file.h"
#include "base/json.h"
#include "base/limits.h"
#include "base/ulid.h"
#include "engine/intake.h"
#include "keys/archive.h"
#include "keys/keys.h"
#include "service/local.h"
#include "store/copy.h"
#include "store/found.h"
#include "store/safekeeping.h"
#include "store/store.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#define DATABASE "certwright.db"
#define CONF "certwright.conf"
#define SUFFIX ".backup"
#define MANIFEST_MAX (64 * 1024)
#define NAME_FORMAT "certwright-%Y%m%dT%H%M%SZ"
#define NAME_LENGTH 27 /* "certwright-20260101T000000Z" */
#define COPY_BYTES (64 * 1024)

/* What a backup is sealed with, or opened with. */
struct means {
	struct secret passphrase;
	struct recipient to[ARCHIVE_RECIPIENTS_MAX];
	size_t to_n;
	struct identity identity;
	bool has_identity;
};

static void means_done(struct means *m)
{
	secret_clear(&m->passphrase);
	identity_clear(&m->identity);
}
#define _cleanup_means_ __attribute__((cleanup(means_done)))

static int passphrase_read(const char *path, struct secret *ret, struct err *err)
{
	if (file_read_secret(path, LIMIT_PASSWORD_MAX, ret, err) < 0)
		return err_wrap(err, "could not read the passphrase");
	return 0;
}

/* Flags before the configuration; there, recipients before a passphrase. */
static int means_to_seal(const struct config *c, const struct backup_options *o, struct means *ret, struct err *err)
{
	const struct strlist *to = o->recipients && o->recipients->n ? o->recipients : o->passphrase_file ? NULL : &c->backup_recipients;
	const char *path = o->passphrase_file ? o->passphrase_file : c->backup_passphrase_file;

	if (o->passphrase_file && o->recipients && o->recipients->n)
		return err_set(err, ERR_INVALID, "a backup is sealed with a passphrase or for recipients, and both were given");
	if (to && to->n > ARCHIVE_RECIPIENTS_MAX)
		return err_set(err, ERR_INVALID, "there are more than %d recipients", ARCHIVE_RECIPIENTS_MAX);
	for (; to && ret->to_n < to->n; ret->to_n++)
		if (recipient_parse(to->v[ret->to_n], &ret->to[ret->to_n], err) < 0)
			return -(int)err->code;
	if (ret->to_n)
		return 0;
	if (!path) {
		err_set(err, ERR_INVALID, "a backup is sealed with a passphrase or for recipients, and none was named");
		return err_hint(err, "Give --recipient KEY or --passphrase-file FILE, or name them in backup.recipients or backup.passphrase_file. Keep the "
				     "passphrase where the backups are not.");
	}
	if (passphrase_read(path, &ret->passphrase, err) < 0)
		return -(int)err->code;
	if (ret->passphrase.n < ARCHIVE_PASSPHRASE_MIN)
		return err_set(err, ERR_INVALID, "the passphrase is shorter than %d bytes", ARCHIVE_PASSPHRASE_MIN);
	return 0;
}

/* All there is; the file says which it needs. */
static int means_to_open(const struct config *c, const struct backup_options *o, struct means *ret, struct err *err)
{
	const char *path = o->passphrase_file ? o->passphrase_file : o->identity ? NULL : c->backup_passphrase_file;
	_cleanup_secret_ struct secret text = { 0 };

	if (path && passphrase_read(path, &ret->passphrase, err) < 0)
		return -(int)err->code;
	if (!o->identity)
		return 0;
	ret->has_identity = true;
	if (file_read_secret(o->identity, 256, &text, err) < 0 || identity_parse(&text, &ret->identity, err) < 0)
		return err_wrap(err, "could not use '%s'", o->identity);
	return 0;
}

/* ---- the copy of the database --------------------------------------------------------------------------------------- */

struct content {
	struct store_facts facts;
	char *master_keys; /* keys_check_text of the server, or NULL: never started */
};

static int content_read(struct sql *q, void *arg, struct err *err)
{
	struct content *c = arg;
	_cleanup_err_ struct err no = ERR_INIT;

	free(c->master_keys);
	c->master_keys = NULL;
	if (store_meta_get(q, META_KEYS, &c->master_keys, &no) < 0 && no.code != ERR_NOT_FOUND)
		return err_move(err, &no);
	return store_facts(q, &c->facts, err);
}

static int copy_make(const struct config *c, const char *path, struct err *err)
{
	const struct store_options o = { .url = c->store_url, .password_file = c->store_password_file };
	_cleanup_store_ struct store *store = NULL;

	if (store_open(&o, &store, err) < 0)
		return err_wrap(err, "could not open the store");
	return store_backup(store, path, err);
}

/* The copy is opened and checked: a backup of a damaged database is worth a loud word on the day it is made. */
static int copy_look(const char *path, struct content *ret, struct err *err)
{
	_cleanup_free_ char *url = xasprintf("sqlite:%s", path);
	const struct store_options o = { .url = url };
	_cleanup_store_ struct store *store = NULL;

	if (store_open(&o, &store, err) < 0 || store_check(store, err) < 0 || store_read(store, content_read, ret, err) < 0)
		return err_wrap(err, "the copy of the database is not in order");
	return 0;
}

static void copy_remove(const char *path)
{
	_cleanup_free_ char *wal = xasprintf("%s-wal", path), *shm = xasprintf("%s-shm", path);

	(void)unlink(path);
	(void)unlink(wal);
	(void)unlink(shm);
}

/* ---- writing --------------------------------------------------------------------------------------------------------- */

static void put_number(unsigned char *to, uint64_t v, int bytes)
{
	for (int i = 0; i < bytes; i++)
		to[i] = (unsigned char)(v >> (8 * i));
}

static uint64_t get_number(const unsigned char *from, int bytes)
{
	uint64_t v = 0;

	for (int i = 0; i < bytes; i++)
		v |= (uint64_t)from[i] << (8 * i);
	return v;
}

static json_t *manifest_of(const struct content *c)
{
	char host[256] = "";

	(void)gethostname(host, sizeof host - 1);
	return json_pack("{s:i, s:s, s:I, s:s, s:I, s:s*, s:{s:I, s:I, s:I, s:I, s:I, s:I, s:I}}", "format", 1, "version", CERTWRIGHT_VERSION, "made_ms",
			 (json_int_t)clock_now(&clock_system), "host", host, "schema", (json_int_t)c->facts.schema, "master_keys", c->master_keys,
			 "counts", "accounts", (json_int_t)c->facts.accounts, "certificates", (json_int_t)c->facts.certificates, "issued",
			 (json_int_t)c->facts.versions, "keys", (json_int_t)c->facts.keys, "orders", (json_int_t)c->facts.orders, "live_orders",
			 (json_int_t)c->facts.live_orders, "users", (json_int_t)c->facts.users);
}

static int put_manifest(struct archive *a, const json_t *doc, struct err *err)
{
	_cleanup_free_ char *text = json_text(doc);
	unsigned char n[4];

	put_number(n, strlen(text), 4);
	if (archive_write(a, n, sizeof n, err) < 0)
		return -(int)err->code;
	return archive_write(a, text, strlen(text), err);
}

static int put_name(struct archive *a, const char *name, uint64_t size, struct err *err)
{
	unsigned char n[2], bytes[8];

	put_number(n, strlen(name), 2);
	put_number(bytes, size, 8);
	if (archive_write(a, n, sizeof n, err) < 0)
		return -(int)err->code;
	if (!*name)
		return 0;
	return archive_write(a, name, strlen(name), err) < 0 ? -(int)err->code : archive_write(a, bytes, sizeof bytes, err);
}

static int put_file(struct archive *a, const char *name, const char *path, struct err *err)
{
	_cleanup_close_ int fd = open(path, O_RDONLY | O_CLOEXEC | O_NOFOLLOW);
	_cleanup_free_ char *bytes = xmalloc(COPY_BYTES);
	struct stat st;
	int64_t left;

	if (fd < 0 || fstat(fd, &st) < 0)
		return err_set_errno(err, ERR_INTERNAL, "could not read '%s'", path);
	if (put_name(a, name, (uint64_t)st.st_size, err) < 0)
		return -(int)err->code;
	for (left = st.st_size; left > 0;) {
		ssize_t n = read(fd, bytes, (size_t)MIN(left, COPY_BYTES));

		if (n <= 0)
			return err_set(err, ERR_INTERNAL, "'%s' became shorter while it was read", path);
		if (archive_write(a, bytes, (size_t)n, err) < 0)
			return -(int)err->code;
		left -= n;
	}
	return 0;
}

static int seal(const struct config *c, const char *copy, const json_t *manifest, const struct means *with, int fd, struct err *err)
{
	_cleanup_archive_ struct archive *a = NULL;

	if ((with->to_n ? archive_create_for(fd, with->to, with->to_n, &a, err) : archive_create(fd, &with->passphrase, &a, err)) < 0 ||
	    put_manifest(a, manifest, err) < 0 || put_file(a, DATABASE, copy, err) < 0)
		return -(int)err->code;
	if (c->file && put_file(a, CONF, c->file, err) < 0)
		return -(int)err->code;
	if (put_name(a, "", 0, err) < 0 || archive_finish(a, err) < 0)
		return -(int)err->code;
	return fsync(fd) < 0 ? err_set_errno(err, ERR_NO_SPACE, "could not write the backup to the disk") : 0;
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
	if (seal(c, copy, manifest, with, fd, err) < 0) {
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

static int copy_and_look(const struct config *c, const struct host_user *u, const char *copy, int *ret_lock, struct content *ret, struct err *err)
{
	int rc = host_user_act(u, err);

	if (rc == 0)
		rc = lock_backups(c, ret_lock, err);
	if (rc == 0) {
		copy_remove(copy); /* of one that was killed */
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
	struct content content = { 0 };
	int64_t bytes = 0;
	int rc = means_to_seal(c, o, &with, err);

	if (rc == 0)
		rc = host_user_find(c->run_user, &user, err);
	if (rc == 0)
		rc = copy_and_look(c, &user, copy, &lock, &content, err);
	if (rc == 0) {
		manifest = manifest_of(&content);
		rc = write_whole(c, copy, manifest, &with, path, &bytes, err);
	}
	if (lock >= 0)
		copy_remove(copy);
	if (rc == 0) {
		note(c, &user, path, bytes);
		said(path, manifest, !streq(path, to) ? keep_newest(to, c->backup_keep) : 0, o->json);
	}
	free(content.master_keys);
	host_user_done(&user);
	return rc;
}

/* ---- reading --------------------------------------------------------------------------------------------------------- */

static int get_manifest(struct archive *a, json_t **ret, struct err *err)
{
	unsigned char n[4];
	_cleanup_free_ char *text = NULL;
	uint64_t size;

	if (archive_read(a, n, sizeof n, err) < 0)
		return -(int)err->code;
	size = get_number(n, 4);
	if (size > MANIFEST_MAX)
		return err_set(err, ERR_INVALID, "the manifest of the backup is too long");
	text = xcalloc(size + 1, 1);
	if (archive_read(a, text, size, err) < 0 || json_parse(text, size, ret, err) < 0)
		return err_wrap(err, "could not read the manifest");
	return 0;
}

/* The next entry's name ("" after the last one) and size. */
static int get_name(struct archive *a, char name[64], uint64_t *ret_size, struct err *err)
{
	unsigned char n[2], size[8];
	uint64_t length;

	if (archive_read(a, n, sizeof n, err) < 0)
		return -(int)err->code;
	length = get_number(n, 2);
	if (length >= 64)
		return err_set(err, ERR_INVALID, "a name in the backup is too long");
	memset(name, 0, 64);
	if (length == 0)
		return 0;
	if (archive_read(a, name, length, err) < 0 || archive_read(a, size, sizeof size, err) < 0)
		return -(int)err->code;
	*ret_size = get_number(size, 8);
	return 0;
}

static int get_file(struct archive *a, uint64_t size, int fd, struct err *err)
{
	_cleanup_free_ char *bytes = xmalloc(COPY_BYTES);

	while (size) {
		size_t n = (size_t)MIN(size, (uint64_t)COPY_BYTES);

		if (archive_read(a, bytes, n, err) < 0)
			return -(int)err->code;
		if (fd >= 0 && fd_write_all(fd, bytes, n) < 0)
			return err_set_errno(err, ERR_NO_SPACE, "could not write what the backup holds");
		size -= n;
	}
	return fd >= 0 && fsync(fd) < 0 ? err_set_errno(err, ERR_NO_SPACE, "could not write to the disk") : 0;
}

/* Only names of ours, into folder (NULL: read and checked only), never over a file that is there. */
static int get_entries(struct archive *a, const char *folder, bool *ret_database, struct err *err)
{
	for (;;) {
		char name[64];
		uint64_t size = 0;
		_cleanup_free_ char *path = NULL;
		_cleanup_close_ int fd = -1;

		if (get_name(a, name, &size, err) < 0)
			return -(int)err->code;
		if (!*name)
			return archive_end(a, err);
		if (!streq(name, DATABASE) && !streq(name, CONF))
			return err_set(err, ERR_INVALID, "the backup holds something that this version does not know");
		*ret_database |= streq(name, DATABASE);
		path = folder ? xasprintf("%s/%s%s", folder, name, streq(name, CONF) ? ".restored" : ".restoring") : NULL;
		fd = folder ? open(path, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC | O_NOFOLLOW, 0600) : -1;
		if (folder && fd < 0)
			return err_set_errno(err, ERR_INTERNAL, "could not make '%s'", path);
		if (get_file(a, size, fd, err) < 0)
			return -(int)err->code;
	}
}

static int backup_open(const char *file, const struct means *with, int *ret_fd, struct archive **ret, json_t **manifest, struct err *err)
{
	const struct archive_opener opener = { .passphrase = &with->passphrase, .identity = with->has_identity ? &with->identity : NULL };

	*ret_fd = open(file, O_RDONLY | O_CLOEXEC);
	if (*ret_fd < 0)
		return err_set_errno(err, ERR_INVALID, "could not open '%s'", file);
	if (archive_open(*ret_fd, &opener, ret, err) < 0 || get_manifest(*ret, manifest, err) < 0)
		return err_wrap(err, "'%s'", file);
	return 0;
}

static const char *master_keys(const json_t *manifest)
{
	return json_string_value(json_object_get(manifest, "master_keys"));
}

/* The ids alone: what an administrator compares with the label in the safe. */
static char *key_ids(const char *text)
{
	_cleanup_strlist_ struct strlist pairs = { 0 }, ids = { 0 };

	strlist_split(&pairs, text ? text : "", ' ');
	for (size_t i = 0; i < pairs.n; i++)
		strlist_addn(&ids, pairs.v[i], strcspn(pairs.v[i], ":"));
	return ids.n ? strlist_join(&ids, ", ") : xstrdup("none");
}

static void print_manifest(const char *file, const json_t *m)
{
	const json_t *counts = json_object_get(m, "counts");
	_cleanup_free_ char *ids = key_ids(master_keys(m));
	time_t made = (time_t)(json_integer_value(json_object_get(m, "made_ms")) / 1000);
	char when[32];
	struct tm tm;
	const char *name;
	json_t *n;

	gmtime_r(&made, &tm);
	strftime(when, sizeof when, "%Y-%m-%dT%H:%M:%SZ", &tm);
	printf("%s: whole and readable\nmade %s on %s by version %s, schema %lld\nneeds the master key %s\n", file, when,
	       json_string_value(json_object_get(m, "host")), json_string_value(json_object_get(m, "version")),
	       (long long)json_integer_value(json_object_get(m, "schema")), ids);
	json_object_foreach((json_t *)(uintptr_t)counts, name, n)
		printf("  %-14s %lld\n", name, (long long)json_integer_value(n));
}

static int backup_verify(const struct config *c, const struct backup_options *o, const char *file, struct err *err)
{
	_cleanup_means_ struct means with = { 0 };
	_cleanup_close_ int fd = -1;
	_cleanup_archive_ struct archive *a = NULL;
	_cleanup_json_ json_t *manifest = NULL;
	bool database = false;

	if (means_to_open(c, o, &with, err) < 0 || backup_open(file, &with, &fd, &a, &manifest, err) < 0 ||
	    get_entries(a, NULL, &database, err) < 0)
		return -(int)err->code;
	if (!database)
		return err_set(err, ERR_INVALID, "'%s' holds no database", file);
	if (o->json) {
		_cleanup_free_ char *text = json_text(manifest);

		printf("%s\n", text);
	} else {
		print_manifest(file, manifest);
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

/* ---- restore --------------------------------------------------------------------------------------------------------- */

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
	_cleanup_free_ char *ids = key_ids(check_text);
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

#define HOLD_MS (2 * MINUTE_MS) /* orders without a URL wait so long for what the authority says of the account */

/* The engine looks before it acts: accounts are read by their URL, and their orders are compared with the authority's. */
static int look_again(struct sql *tx, const char *account_id, const char *directory_url, int64_t now, struct err *err)
{
	static const enum job_kind kinds[] = { JOB_ACCOUNT_REFRESH, JOB_ACCOUNT_RECONCILE };
	char id[ULID_LEN + 1];

	for (size_t i = 0; i < ARRAY_SIZE(kinds); i++) {
		struct ulid fresh = ulid_new(now);

		if (job_intake(tx, &(struct job_request){ .id = fresh.s, .kind = kinds[i], .subject_kind = "account", .subject_id = account_id,
							  .lane_url = directory_url, .now_ms = now }, id, err) < 0)
			return -(int)err->code;
	}
	return 0;
}

static int restored_tx(struct sql *tx, UNUSED void *arg, struct err *err)
{
	_cleanup_strlist_ struct strlist ids = { 0 }, directories = { 0 };
	int64_t now = clock_now(&clock_system);

	if (store_restored(tx, now, err) < 0 || store_orders_hold(tx, now + HOLD_MS, err) < 0 ||
	    store_accounts_registered(tx, &ids, &directories, err) < 0)
		return -(int)err->code;
	for (size_t i = 0; i < ids.n; i++)
		if (look_again(tx, ids.v[i], directories.v[i], now, err) < 0)
			return -(int)err->code;
	return 0;
}

static char *restoring(const struct config *c)
{
	return xasprintf("%s/" DATABASE ".restoring", c->state);
}

/* As the server's user: with content the copy is brought up to date and checked, without it is told that it was restored. */
static int settle(const struct host_user *u, const char *at, struct content *content, struct err *err)
{
	_cleanup_free_ char *url = xasprintf("sqlite:%s", at);
	const struct store_options o = { .upgrade = STORE_UPGRADE_IN_PLACE, .url = url };
	struct store *store = NULL;
	int rc = host_user_act(u, err);

	if (rc == 0)
		rc = store_open(&o, &store, err);
	if (rc == 0 && content)
		rc = store_check(store, err) < 0 ? -(int)err->code : store_read(store, content_read, content, err);
	else if (rc == 0)
		rc = store_write(store, restored_tx, NULL, err);
	store_close(store); /* everything is in the one file then */
	host_user_act_end(u);
	return rc < 0 ? err_wrap(err, "the restored database is not in order") : 0;
}

/* The master key is root's to read. */
static int finish_database(const struct config *c, const struct host_user *u, const char *path, struct content *ret, struct err *err)
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

	if (host_state_make(c->state, user, err) < 0 || get_entries(a, c->state, &database, err) < 0)
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
	struct content content = { 0 };
	int rc;

	if (means_to_open(c, o, &with, err) < 0 || backup_open(file, &with, &fd, &a, &manifest, err) < 0 ||
	    master_key_fits(c, master_keys(manifest), err) < 0)
		return -(int)err->code;
	if (from_backup(c, user, a, err) < 0)
		return err_wrap(err, "'%s'", file);
	rc = finish_database(c, user, path, &content, err);
	free(content.master_keys);
	if (rc == 0)
		print_manifest(file, manifest);
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
	_cleanup_free_ char *bytes = xmalloc(COPY_BYTES);
	ssize_t n;

	if (in < 0 || out < 0)
		return err_set_errno(err, ERR_INVALID, "could not copy '%s' to '%s'", from, to);
	while ((n = read(in, bytes, COPY_BYTES)) > 0)
		if (fd_write_all(out, bytes, (size_t)n) < 0)
			return err_set_errno(err, ERR_NO_SPACE, "could not write '%s'", to);
	return n < 0 || fsync(out) < 0 ? err_set_errno(err, ERR_NO_SPACE, "could not copy '%s' to '%s'", from, to) : 0;
}

static int restore_copy(const struct config *c, const struct host_user *user, const char *file, const char *path, struct err *err)
{
	_cleanup_free_ char *at = restoring(c);
	struct content content = { 0 };
	int rc = host_state_make(c->state, user, err);

	if (rc == 0)
		rc = copy_file(file, at, err);
	if (rc == 0)
		rc = finish_database(c, user, path, &content, err);
	if (rc < 0)
		copy_remove(at);
	free(content.master_keys);
	return rc;
}

static int restore(const struct config *c, const struct backup_options *o, const char *file, struct err *err)
{
	_cleanup_free_ char *path = path_join(c->state, DATABASE), *usual = xasprintf("sqlite:%s", path);
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
