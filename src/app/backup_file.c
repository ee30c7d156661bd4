/* SPDX-License-Identifier: Apache-2.0 */
/* backup_file.c - see backup_file.h; the format is told in backup.h. */
#include "app/backup_file.h"

#include "base/clock.h"
#include "base/file.h"
#include "base/json.h"
#include "base/limits.h"
#include "keys/keys.h"
#include "store/safekeeping.h"
#include "store/store.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#define MANIFEST_MAX (64 * 1024)

void means_done(struct means *m)
{
	secret_clear(&m->passphrase);
	identity_clear(&m->identity);
}

static int passphrase_read(const char *path, struct secret *ret, struct err *err)
{
	if (file_read_secret(path, LIMIT_PASSWORD_MAX, ret, err) < 0)
		return err_wrap(err, "could not read the passphrase");
	return 0;
}

int means_to_seal(const struct config *c, const struct backup_options *o, struct means *ret, struct err *err)
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

int means_to_open(const struct config *c, const struct backup_options *o, struct means *ret, struct err *err)
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

/* ---- what is told of the database ------------------------------------------------------------------------------------ */

int backup_content_read(struct sql *q, void *arg, struct err *err)
{
	struct backup_content *c = arg;
	_cleanup_err_ struct err no = ERR_INIT;

	free(c->master_keys);
	c->master_keys = NULL;
	if (store_meta_get(q, META_KEYS, &c->master_keys, &no) < 0 && no.code != ERR_NOT_FOUND)
		return err_move(err, &no);
	return store_facts(q, &c->facts, err);
}

void backup_copy_remove(const char *path)
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

json_t *backup_manifest(const struct backup_content *c)
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
	_cleanup_free_ char *bytes = xmalloc(BACKUP_CHUNK);
	struct stat st;
	int64_t left;

	if (fd < 0 || fstat(fd, &st) < 0)
		return err_set_errno(err, ERR_INTERNAL, "could not read '%s'", path);
	if (put_name(a, name, (uint64_t)st.st_size, err) < 0)
		return -(int)err->code;
	for (left = st.st_size; left > 0;) {
		ssize_t n = read(fd, bytes, (size_t)MIN(left, BACKUP_CHUNK));

		if (n <= 0)
			return err_set(err, ERR_INTERNAL, "'%s' became shorter while it was read", path);
		if (archive_write(a, bytes, (size_t)n, err) < 0)
			return -(int)err->code;
		left -= n;
	}
	return 0;
}

int backup_seal(const struct config *c, const char *copy, const json_t *manifest, const struct means *with, int fd, struct err *err)
{
	_cleanup_archive_ struct archive *a = NULL;

	if ((with->to_n ? archive_create_for(fd, with->to, with->to_n, &a, err) : archive_create(fd, &with->passphrase, &a, err)) < 0 ||
	    put_manifest(a, manifest, err) < 0 || put_file(a, BACKUP_DATABASE, copy, err) < 0)
		return -(int)err->code;
	if (c->file && put_file(a, BACKUP_CONF, c->file, err) < 0)
		return -(int)err->code;
	if (put_name(a, "", 0, err) < 0 || archive_finish(a, err) < 0)
		return -(int)err->code;
	return fsync(fd) < 0 ? err_set_errno(err, ERR_NO_SPACE, "could not write the backup to the disk") : 0;
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
	_cleanup_free_ char *bytes = xmalloc(BACKUP_CHUNK);

	while (size) {
		size_t n = (size_t)MIN(size, (uint64_t)BACKUP_CHUNK);

		if (archive_read(a, bytes, n, err) < 0)
			return -(int)err->code;
		if (fd >= 0 && fd_write_all(fd, bytes, n) < 0)
			return err_set_errno(err, ERR_NO_SPACE, "could not write what the backup holds");
		size -= n;
	}
	return fd >= 0 && fsync(fd) < 0 ? err_set_errno(err, ERR_NO_SPACE, "could not write to the disk") : 0;
}

int backup_entries(struct archive *a, const char *folder, bool *ret_database, struct err *err)
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
		if (!streq(name, BACKUP_DATABASE) && !streq(name, BACKUP_CONF))
			return err_set(err, ERR_INVALID, "the backup holds something that this version does not know");
		*ret_database |= streq(name, BACKUP_DATABASE);
		path = folder ? xasprintf("%s/%s%s", folder, name, streq(name, BACKUP_CONF) ? ".restored" : ".restoring") : NULL;
		fd = folder ? open(path, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC | O_NOFOLLOW, 0600) : -1;
		if (folder && fd < 0)
			return err_set_errno(err, ERR_INTERNAL, "could not make '%s'", path);
		if (get_file(a, size, fd, err) < 0)
			return -(int)err->code;
	}
}

int backup_open(const char *file, const struct means *with, int *ret_fd, struct archive **ret, json_t **manifest, struct err *err)
{
	const struct archive_opener opener = { .passphrase = &with->passphrase, .identity = with->has_identity ? &with->identity : NULL };

	*ret_fd = open(file, O_RDONLY | O_CLOEXEC);
	if (*ret_fd < 0)
		return err_set_errno(err, ERR_INVALID, "could not open '%s'", file);
	if (archive_open(*ret_fd, &opener, ret, err) < 0 || get_manifest(*ret, manifest, err) < 0)
		return err_wrap(err, "'%s'", file);
	return 0;
}

const char *backup_master_keys(const json_t *manifest)
{
	return json_string_value(json_object_get(manifest, "master_keys"));
}

char *backup_key_ids(const char *text)
{
	_cleanup_strlist_ struct strlist pairs = { 0 }, ids = { 0 };

	strlist_split(&pairs, text ? text : "", ' ');
	for (size_t i = 0; i < pairs.n; i++)
		strlist_addn(&ids, pairs.v[i], strcspn(pairs.v[i], ":"));
	return ids.n ? strlist_join(&ids, ", ") : xstrdup("none");
}

void backup_print(const char *file, const json_t *m)
{
	const json_t *counts = json_object_get(m, "counts");
	_cleanup_free_ char *ids = backup_key_ids(backup_master_keys(m));
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
