/* SPDX-License-Identifier: Apache-2.0 */
/* lineage.c - see lineage.h. */
#include "cli/lineage.h"

#include "base/file.h"
#include "base/json.h"
#include "base/limits.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#define STATE_FILE "certwright.json"
#define OWED_FILE "certwright-reload-owed"
#define STAGE ".certwright-new" /* below archive/NAME; behind ".NAME" below live */
#define CONF_MAX (64 * 1024)
#define KEY_GROUP_BITS (S_IRGRP | S_IWGRP | S_IXGRP | S_IROTH) /* as certbot keeps them of the key before */
#define MARK "# made by certwright sync"

static const char *const kinds[] = { "cert", "chain", "fullchain", "privkey" };

void lineage_state_done(struct lineage_state *s)
{
	free(s->source);
	free(s->etag);
	*s = (struct lineage_state){ 0 };
}

int lineage_name(const char *from, char **ret, struct err *err)
{
	if (str_starts(from, "*."))
		from += 2;
	if (!*from || *from == '.' || *from == '-' || strlen(from) > 200 || from[strspn(from, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789-._")])
		return err_set(err, ERR_INVALID, "'%.200s' is no name for a folder: letters, digits, '-', '.' and '_'", from);
	*ret = xstrdup(from);
	return 0;
}

static char *live_of(const struct lineage *l)
{
	return xasprintf("%s/live", l->dir);
}

static char *archive_of(const struct lineage *l)
{
	return xasprintf("%s/archive/%s", l->dir, l->name);
}

char *lineage_path(const struct lineage *l)
{
	return xasprintf("%s/live/%s", l->dir, l->name);
}

/* --- folders ------------------------------------------------------------------------------------------------------------- */

static int folder(const struct lineage *l, const char *path, mode_t mode, struct err *err)
{
	if (mkdir(path, mode) < 0)
		return errno == EEXIST ? 0 : err_set_errno(err, ERR_INVALID, "could not make the folder '%s'", path);
	if (l->group_given && (chown(path, (uid_t)-1, l->group) < 0 || chmod(path, mode | S_IRGRP | S_IXGRP) < 0))
		return err_set_errno(err, ERR_INVALID, "could not give the folder '%s' to its group", path);
	return 0;
}

static int sync_folder(const char *path, struct err *err)
{
	_cleanup_close_ int fd = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);

	return fd < 0 || fsync(fd) < 0 ? err_set_errno(err, ERR_INVALID, "could not write the folder '%s'", path) : 0;
}

/* Calls fn for each entry but . and .. ; fn returns 0 or an error. */
static int each_entry(const char *path, int (*fn)(int dir_fd, const char *name, void *arg, struct err *err), void *arg, struct err *err)
{
	DIR *d = opendir(path);
	const struct dirent *e;
	int rc = 0;

	if (!d)
		return errno == ENOENT ? 0 : err_set_errno(err, ERR_INVALID, "could not read the folder '%s'", path);
	while (rc == 0 && (e = readdir(d)))
		if (!streq(e->d_name, ".") && !streq(e->d_name, ".."))
			rc = fn(dirfd(d), e->d_name, arg, err);
	closedir(d);
	return rc;
}

static int drop(int dir_fd, const char *name, void *arg, struct err *err)
{
	(void)arg;
	if (unlinkat(dir_fd, name, 0) < 0 && errno != ENOENT)
		return err_set_errno(err, ERR_INVALID, "could not remove '%.200s'", name);
	return 0;
}

/* A folder of ours with plain entries; fine when it is not there. */
static int drop_folder(const char *path, struct err *err)
{
	if (each_entry(path, drop, NULL, err) < 0)
		return err_wrap(err, "could not remove the folder '%s'", path);
	return rmdir(path) < 0 && errno != ENOENT ? err_set_errno(err, ERR_INVALID, "could not remove the folder '%s'", path) : 0;
}

int lineage_lock(const struct lineage *l, int *ret_fd, struct err *err)
{
	static const char *const parts[] = { "live", "archive", "renewal" };
	_cleanup_free_ char *path = path_join(l->dir, ".certwright-sync.lock");
	_cleanup_close_ int fd = -1;

	if (dir_make(l->dir, 0755, err) < 0)
		return -(int)err->code;
	for (size_t i = 0; i < ARRAY_SIZE(parts); i++) {
		_cleanup_free_ char *part = path_join(l->dir, parts[i]);

		if (folder(l, part, i < 2 ? 0700 : 0755, err) < 0)
			return -(int)err->code;
	}
	fd = open(path, O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0600);
	if (fd < 0)
		return err_set_errno(err, ERR_INVALID, "could not open '%s'", path);
	if (flock(fd, LOCK_EX | LOCK_NB) < 0)
		return errno == EWOULDBLOCK ? err_set(err, ERR_BUSY, "another certwright sync is at work in '%s'", l->dir) :
					      err_set_errno(err, ERR_INVALID, "could not lock '%s'", path);
	*ret_fd = fd;
	fd = -1;
	return 0;
}

/* --- what is there ------------------------------------------------------------------------------------------------------- */

static int read_state(const char *live, struct lineage_state *ret, struct err *err)
{
	_cleanup_free_ char *path = path_join(live, STATE_FILE), *owed = path_join(live, OWED_FILE);
	_cleanup_buf_ struct buf text = BUF_MAX(4096);
	_cleanup_json_ json_t *doc = NULL;
	_cleanup_err_ struct err why = ERR_INIT;

	if (file_read(path, &text, &why) < 0)
		return why.code == ERR_NOT_FOUND ? 0 : err_move(err, &why);
	if (json_parse(buf_text(&text), text.n, &doc, err) < 0)
		return err_wrap(err, "could not read '%s': remove it and run again", path);
	ret->ours = true;
	ret->owed = file_exists(owed);
	ret->source = xstrdup_null(json_string_value(json_object_get(doc, "source")));
	ret->etag = xstrdup_null(json_string_value(json_object_get(doc, "etag")));
	return 0;
}

struct search {
	const char *dir, *source;
	char *found;
};

static int look(int dir_fd, const char *name, void *arg, struct err *err)
{
	struct search *s = arg;
	_cleanup_lineage_state_ struct lineage_state state = { 0 };
	_cleanup_free_ char *live = xasprintf("%s/live/%s", s->dir, name);

	(void)dir_fd;
	if (*name == '.' || s->found)
		return 0;
	if (read_state(live, &state, err) < 0)
		return -(int)err->code;
	if (state.source && streq(state.source, s->source))
		s->found = xstrdup(name);
	return 0;
}

int lineage_find(const char *dir, const char *source, char **ret, struct err *err)
{
	struct search s = { .dir = dir, .source = source };
	_cleanup_free_ char *live = path_join(dir, "live");

	if (each_entry(live, look, &s, err) < 0) {
		free(s.found);
		return -(int)err->code;
	}
	*ret = s.found;
	return 0;
}

static char *live_stage(const struct lineage *l)
{
	return xasprintf("%s/live/.%s" STAGE, l->dir, l->name);
}

static char *archive_stage(const struct lineage *l)
{
	return xasprintf("%s/archive/%s/" STAGE, l->dir, l->name);
}

/* What a run that was killed left: the links of a switch that did not happen, or of before one that did; files not yet named. */
static int sweep(const struct lineage *l, struct err *err)
{
	_cleanup_free_ char *live = live_stage(l), *archive = archive_stage(l);

	return drop_folder(live, err) < 0 || drop_folder(archive, err) < 0 ? -(int)err->code : 0;
}

/* For `certbot certificates`; certbot's own file is never touched. */
static int write_conf(const struct lineage *l, struct err *err)
{
	_cleanup_free_ char *path = xasprintf("%s/renewal/%s.conf", l->dir, l->name), *live = lineage_path(l), *archive = archive_of(l), *text = NULL;

	if (file_exists(path))
		return 0;
	text = xasprintf(MARK "\narchive_dir = %s\ncert = %s/cert.pem\nprivkey = %s/privkey.pem\nchain = %s/chain.pem\nfullchain = %s/fullchain.pem\n\n"
			 "[renewalparams]\nautorenew = False\n", archive, live, live, live, live);
	return file_write_atomic(path, text, strlen(text), 0644, err);
}

int lineage_read(const struct lineage *l, struct lineage_state *ret, struct err *err)
{
	_cleanup_free_ char *live = lineage_path(l);
	struct stat st;

	if (sweep(l, err) < 0)
		return -(int)err->code;
	if (lstat(live, &st) < 0)
		return errno == ENOENT ? 0 : err_set_errno(err, ERR_INVALID, "could not look at '%s'", live);
	if (!S_ISDIR(st.st_mode))
		return err_set(err, ERR_CONFLICT, "'%s' is no folder", live);
	ret->there = true;
	if (read_state(live, ret, err) < 0)
		return -(int)err->code;
	return ret->ours ? write_conf(l, err) : 0; /* a run may have ended before it */
}

static bool says_off(const char *conf)
{
	for (const char *p = conf; p && *p; p = strchr(p, '\n') ? strchr(p, '\n') + 1 : NULL) {
		const char *v;

		p += strspn(p, " \t");
		if (!str_starts(p, "autorenew"))
			continue;
		v = p + strlen("autorenew");
		v += strspn(v, " \t=");
		return str_starts(v, "False") || str_starts(v, "false");
	}
	return false;
}

int lineage_certbot_is_off(const struct lineage *l, struct err *err)
{
	_cleanup_free_ char *path = xasprintf("%s/renewal/%s.conf", l->dir, l->name);
	_cleanup_buf_ struct buf conf = BUF_MAX(CONF_MAX);
	_cleanup_err_ struct err why = ERR_INIT;

	if (file_read(path, &conf, &why) < 0)
		return why.code == ERR_NOT_FOUND ? 0 : err_move(err, &why);
	if (says_off(buf_text(&conf)))
		return 0;
	err_set(err, ERR_CONFLICT, "certbot renews '%s' on this host", l->name);
	return err_hint(err, "Two that renew would undo each other's work: write 'autorenew = False' below [renewalparams] in '%s'.", path);
}

/* --- numbers in the archive ---------------------------------------------------------------------------------------------- */

struct numbers {
	int64_t v[1024];
	size_t n;
	int64_t max;
};

/* N of certN.pem and its like; 0 for other names. */
static int64_t number_of(const char *name)
{
	_cleanup_err_ struct err odd = ERR_INIT;

	for (size_t i = 0; i < ARRAY_SIZE(kinds); i++) {
		size_t k = strlen(kinds[i]), n = strlen(name);
		int64_t number;

		if (!str_starts(name, kinds[i]) || n <= k + 4 || !str_ends(name, ".pem"))
			continue;
		{
			_cleanup_free_ char *digits = xstrndup(name + k, n - k - 4);

			if (strspn(digits, "0123456789") == strlen(digits) && str_to_i64(digits, 1, INT32_MAX, &number, &odd) == 0)
				return number;
		}
		err_clear(&odd);
	}
	return 0;
}

static int note_number(int dir_fd, const char *name, void *arg, struct err *err)
{
	struct numbers *l = arg;
	int64_t number = number_of(name);
	size_t at = 0;

	(void)dir_fd;
	(void)err;
	l->max = MAX(l->max, number);
	while (at < l->n && l->v[at] > number)
		at++;
	if (!number || (at < l->n && l->v[at] == number) || l->n == ARRAY_SIZE(l->v))
		return 0;
	memmove(l->v + at + 1, l->v + at, (l->n - at) * sizeof *l->v);
	l->v[at] = number;
	l->n++;
	return 0;
}

/* Keeps the newest and what live points to; the rest goes. */
static int prune(const struct lineage *l, struct err *err)
{
	_cleanup_free_ char *archive = archive_of(l);
	struct numbers *numbers = xcalloc(1, sizeof *numbers);
	int rc = each_entry(archive, note_number, numbers, err);

	for (size_t i = l->keep > 0 ? (size_t)l->keep : numbers->n; rc == 0 && i < numbers->n; i++)
		for (size_t k = 0; k < ARRAY_SIZE(kinds); k++) {
			_cleanup_free_ char *path = xasprintf("%s/%s%" PRId64 ".pem", archive, kinds[k], numbers->v[i]);

			if (unlink(path) < 0 && errno != ENOENT) {
				rc = err_set_errno(err, ERR_INVALID, "could not remove '%s'", path);
				break;
			}
		}
	free(numbers);
	return rc;
}

/* --- the switch ---------------------------------------------------------------------------------------------------------- */

/* Group and the group's bits of the key that is live now, as certbot does it; --group wins. */
static int key_owner(const struct lineage *l, int fd, const char *path, struct err *err)
{
	_cleanup_free_ char *old = xasprintf("%s/live/%s/privkey.pem", l->dir, l->name);
	struct stat st;
	mode_t mode = 0600;
	gid_t group = (gid_t)-1;

	if (stat(old, &st) == 0) {
		mode |= st.st_mode & KEY_GROUP_BITS;
		group = st.st_gid;
	}
	if (l->group_given) {
		mode |= S_IRGRP;
		group = l->group;
	}
	/* the group first: a key must at no instant be readable for the wrong one */
	if (group != (gid_t)-1 && fchown(fd, (uid_t)-1, group) < 0)
		return err_set_errno(err, ERR_INVALID, "could not give '%s' to its group", path);
	return fchmod(fd, mode) < 0 ? err_set_errno(err, ERR_INVALID, "could not set the mode of '%s'", path) : 0;
}

static int write_new(const struct lineage *l, const char *path, const struct str *text, bool secret, struct err *err)
{
	_cleanup_close_ int fd = open(path, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC | O_NOFOLLOW, 0600);

	if (fd < 0)
		return err_set_errno(err, ERR_INVALID, "could not make '%s'", path);
	if (fd_write_all(fd, text->p, text->n) < 0)
		return err_set_errno(err, errno == ENOSPC || errno == EDQUOT ? ERR_NO_SPACE : ERR_INVALID, "could not write '%s'", path);
	if (secret ? key_owner(l, fd, path, err) < 0 : fchmod(fd, 0644) < 0)
		return err_is(err) ? -(int)err->code : err_set_errno(err, ERR_INVALID, "could not set the mode of '%s'", path);
	return fsync(fd) < 0 ? err_set_errno(err, ERR_INVALID, "could not write '%s'", path) : 0;
}

/* All four under their number, or none that counts: nothing points to them yet. */
static int write_archive(const struct lineage *l, const struct lineage_files *f, int64_t number, struct err *err)
{
	const struct str *const texts[] = { &f->cert, &f->chain, &f->fullchain, &f->privkey };
	_cleanup_free_ char *archive = archive_of(l), *stage = archive_stage(l);

	if (mkdir(stage, 0700) < 0)
		return err_set_errno(err, ERR_INVALID, "could not make the folder '%s'", stage);
	for (size_t i = 0; i < ARRAY_SIZE(kinds); i++) {
		_cleanup_free_ char *path = xasprintf("%s/%s.pem", stage, kinds[i]);

		if (write_new(l, path, texts[i], i == 3, err) < 0)
			return -(int)err->code;
	}
	for (size_t i = 0; i < ARRAY_SIZE(kinds); i++) {
		_cleanup_free_ char *from = xasprintf("%s/%s.pem", stage, kinds[i]), *to = xasprintf("%s/%s%" PRId64 ".pem", archive, kinds[i], number);

		if (rename(from, to) < 0)
			return err_set_errno(err, ERR_INVALID, "could not make '%s'", to);
	}
	return drop_folder(stage, err) < 0 || sync_folder(archive, err) < 0 ? -(int)err->code : 0;
}

struct carry {
	int to_fd;
	const char *live;
};

static bool is_ours(const char *name)
{
	if (streq(name, STATE_FILE) || streq(name, OWED_FILE))
		return true;
	for (size_t i = 0; i < ARRAY_SIZE(kinds); i++)
		if (str_starts(name, kinds[i]) && streq(name + strlen(kinds[i]), ".pem"))
			return true;
	return false;
}

/* What others put beside the four stays beside them. */
static int carry_over(int dir_fd, const char *name, void *arg, struct err *err)
{
	const struct carry *c = arg;

	if (is_ours(name) || linkat(dir_fd, name, c->to_fd, name, 0) == 0)
		return 0;
	err_set_errno(err, ERR_CONFLICT, "'%.200s' in '%s' cannot be carried over", name, c->live);
	return err_hint(err, "Only files and links can stay beside the four: move it elsewhere.");
}

static int links(const struct lineage *l, const char *stage, int64_t number, struct err *err)
{
	for (size_t i = 0; i < ARRAY_SIZE(kinds); i++) {
		_cleanup_free_ char *path = xasprintf("%s/%s.pem", stage, kinds[i]),
				    *target = xasprintf("../../archive/%s/%s%" PRId64 ".pem", l->name, kinds[i], number);

		if (symlink(target, path) < 0)
			return err_set_errno(err, ERR_INVALID, "could not make the link '%s'", path);
	}
	return 0;
}

static int notes(const char *stage, const char *source, const char *etag, bool owe, struct err *err)
{
	_cleanup_free_ char *path = path_join(stage, STATE_FILE), *owed = path_join(stage, OWED_FILE), *text = NULL;
	_cleanup_json_ json_t *doc = json_pack("{s:s, s:s*}", "source", source, "etag", etag);

	if (!doc)
		return err_set(err, ERR_REMOTE_BAD, "the server's ETag is no text");
	text = json_text(doc);
	if (file_create(path, text, strlen(text), 0644, err) < 0)
		return -(int)err->code;
	return owe ? file_create(owed, "", 0, 0644, err) : 0;
}

/* The mode and owner of the folder that is there now. */
static int same_owner(const struct lineage *l, const char *live, const char *stage, bool there, struct err *err)
{
	struct stat st;

	if (!there)
		return l->group_given && chown(stage, (uid_t)-1, l->group) < 0 ? err_set_errno(err, ERR_INVALID, "could not give '%s' to its group", stage) : 0;
	if (stat(live, &st) < 0 || chmod(stage, st.st_mode & 07777) < 0 || chown(stage, st.st_uid, st.st_gid) < 0)
		return err_set_errno(err, ERR_INVALID, "could not give '%s' the owner and mode of '%s'", stage, live);
	return 0;
}

static int change_places(const char *live, const char *stage, bool there, struct err *err)
{
	if (renameat2(AT_FDCWD, stage, AT_FDCWD, live, there ? RENAME_EXCHANGE : RENAME_NOREPLACE) == 0)
		return 0;
	if (errno != EINVAL && errno != ENOSYS && errno != EOPNOTSUPP)
		return err_set_errno(err, ERR_INVALID, "could not put the new files in the place of '%s'", live);
	if (!there && rename(stage, live) == 0) /* an empty place needs no exchange */
		return 0;
	err_set(err, ERR_CONFLICT, "the file system of '%s' cannot exchange two folders in one step", live);
	return err_hint(err, "ext4, xfs, btrfs, tmpfs and zfs 2.2 can; NFS cannot. The old certificate stays in use.");
}

static int switch_live(const struct lineage *l, const char *source, const char *etag, bool owe, int64_t number, struct err *err)
{
	_cleanup_free_ char *live = lineage_path(l), *stage = live_stage(l), *above = live_of(l);
	_cleanup_close_ int stage_fd = -1;
	struct stat st;
	bool there = lstat(live, &st) == 0;

	if (mkdir(stage, 0755) < 0)
		return err_set_errno(err, ERR_INVALID, "could not make the folder '%s'", stage);
	stage_fd = open(stage, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (stage_fd < 0)
		return err_set_errno(err, ERR_INVALID, "could not open the folder '%s'", stage);
	if (same_owner(l, live, stage, there, err) < 0 || links(l, stage, number, err) < 0 || notes(stage, source, etag, owe, err) < 0 ||
	    each_entry(live, carry_over, &(struct carry){ stage_fd, live }, err) < 0 || sync_folder(stage, err) < 0 ||
	    change_places(live, stage, there, err) < 0 || sync_folder(above, err) < 0)
		return -(int)err->code;
	return drop_folder(stage, err); /* it holds the old links now */
}

int lineage_switch(const struct lineage *l, const struct lineage_files *files, const char *source, const char *etag, bool owe, int64_t *ret_number,
		   struct err *err)
{
	_cleanup_free_ char *archive = archive_of(l);
	struct numbers *numbers = xcalloc(1, sizeof *numbers);
	int rc = folder(l, archive, 0700, err);

	if (rc == 0)
		rc = each_entry(archive, note_number, numbers, err);
	*ret_number = numbers->max + 1;
	free(numbers);
	if (rc < 0 || write_archive(l, files, *ret_number, err) < 0 || switch_live(l, source, etag, owe, *ret_number, err) < 0 ||
	    write_conf(l, err) < 0)
		return -(int)err->code;
	return prune(l, err);
}

int lineage_reloaded(const struct lineage *l, struct err *err)
{
	_cleanup_free_ char *live = lineage_path(l), *path = path_join(live, OWED_FILE);

	return unlink(path) < 0 && errno != ENOENT ? err_set_errno(err, ERR_INVALID, "could not remove '%s'", path) : 0;
}
