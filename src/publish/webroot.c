/* SPDX-License-Identifier: Apache-2.0 */
/*
 * webroot.c - a file below the document root of a web server on this host (or on a file system that it serves too):
 * ROOT/.well-known/acme-challenge/TOKEN, with the key authorization in it (RFC 8555 8.3).
 *
 * Roots are named in the configuration file only ([webroots] NAME = /path). Below the root nothing is followed: each directory is
 * opened by its descriptor without symbolic links, so that whoever may write there cannot lead us elsewhere. The file is written
 * beside its place and renamed: a web server sees all of it or nothing. Directories that we make stay.
 */
#include "publish/publisher.h"

#include "base/file.h"

#include <errno.h>
#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#define ANSWER_MAX 1024

extern const struct publisher publisher_webroot;

struct webroot {
	char *name, *path;
};

static void close_(void *self)
{
	struct webroot *w = self;

	if (!w)
		return;
	free(w->name);
	free(w->path);
	free(w);
}

static const char *path_of(const struct strlist *roots, const char *name)
{
	size_t n = strlen(name);

	for (size_t i = 0; roots && i < roots->n; i++)
		if (!strncmp(roots->v[i], name, n) && roots->v[i][n] == '=')
			return roots->v[i] + n + 1;
	return NULL;
}

static int open_(const struct publish_env *env, const struct field_value *values, size_t n, void **ret_self, struct err *err)
{
	const char *name = field_text(values, n, "webroot"), *path = str_empty(name) ? NULL : path_of(env->webroots, name);
	struct webroot *w;

	if (str_empty(name))
		return err_set_field(err, ERR_INVALID, "/fields/webroot", "the web root is missing");
	if (!path) {
		err_set_field(err, ERR_INVALID, "/fields/webroot", "the configuration file names no web root '%s'", name);
		return err_hint(err, "An administrator of the host names it: [webroots] %s = /path in the configuration file.", name);
	}
	w = xcalloc(1, sizeof *w);
	w->name = xstrdup(name);
	w->path = xstrdup(path);
	*ret_self = w;
	return 0;
}

/* ---- directories ---- */

static void fd_close(int *fd)
{
	if (*fd >= 0)
		close(*fd);
}
#define _cleanup_fd_ __attribute__((cleanup(fd_close)))

/* What the operating system says, as what it means: rights need a person, a full or broken file system comes later. */
static int trouble(const char *what, const struct webroot *w, struct err *err)
{
	int e = errno;

	if (e == EACCES || e == EPERM || e == EROFS) {
		err_set_errno(err, ERR_DENIED, "could not %s in the web root '%s' (%s)", what, w->name, w->path);
		return err_hint(err, "The user that Certwright runs as needs the right to write there, and its unit ReadWritePaths= for it.");
	}
	if (e == ELOOP || e == ENOTDIR) {
		err_set_errno(err, ERR_DENIED, "could not %s in the web root '%s' (%s)", what, w->name, w->path);
		return err_hint(err, "A symbolic link or a file stands where a directory is expected; links are not followed.");
	}
	return err_set_errno(err, ERR_REMOTE_BUSY, "could not %s in the web root '%s' (%s)", what, w->name, w->path);
}

/* The directory of challenges; with make false -ERR_NOT_FOUND when there is none, and err stays empty. */
static int open_place(const struct webroot *w, bool make, int *ret, struct err *err)
{
	static const char *const steps[] = { ".well-known", "acme-challenge" };
	int at = open(w->path, O_RDONLY | O_DIRECTORY | O_CLOEXEC | O_NOFOLLOW);

	if (at < 0)
		return trouble("open the directory", w, err);
	for (size_t i = 0; i < ARRAY_SIZE(steps); i++) {
		_cleanup_fd_ int up = at;

		if (make && mkdirat(up, steps[i], 0755) < 0 && errno != EEXIST)
			return trouble("make a directory", w, err);
		at = openat(up, steps[i], O_RDONLY | O_DIRECTORY | O_CLOEXEC | O_NOFOLLOW);
		if (at < 0 && errno == ENOENT && !make)
			return -ERR_NOT_FOUND;
		if (at < 0)
			return trouble("open the directory", w, err);
	}
	*ret = at;
	return 0;
}

/* ---- the file ---- */

/* A token is base64url (RFC 8555 8.1): no slash, no dot, so it is one name in one directory. */
static int check_set(const struct challenge_set *set, struct err *err)
{
	size_t n = set->token ? strlen(set->token) : 0;

	if (set->kind != VALIDATION_HTTP01 || set->values.n != 1 || !n || n > 200 || strlen(set->values.v[0]) > ANSWER_MAX ||
	    strspn(set->token, "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_") != n)
		return err_set(err, ERR_INVALID, "the challenge of '%s' is not one that can be a file", set->name);
	return 0;
}

static int write_file(const struct webroot *w, int dir, const struct challenge_set *set, struct err *err)
{
	_cleanup_free_ char *temporary = xasprintf(".%s.new", set->token);
	_cleanup_fd_ int fd = -1;
	const char *text = set->values.v[0];

	unlinkat(dir, temporary, 0); /* of a run that was killed */
	fd = openat(dir, temporary, O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, 0644);
	if (fd < 0)
		return trouble("make the file", w, err);
	/* the mode in spite of our umask: another user's web server reads it */
	if (fchmod(fd, 0644) < 0 || fd_write_all(fd, text, strlen(text)) < 0 || fsync(fd) < 0 || renameat(dir, temporary, dir, set->token) < 0) {
		trouble("write the file", w, err);
		unlinkat(dir, temporary, 0);
		return -(int)err->code;
	}
	fsync(dir);
	return 0;
}

/* 1 it holds our answer, 0 there is none or it is another's. */
static int is_ours(const struct webroot *w, int dir, const struct challenge_set *set, struct err *err)
{
	_cleanup_fd_ int fd = openat(dir, set->token, O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC);
	char text[ANSWER_MAX + 1];
	ssize_t n;

	if (fd < 0)
		return errno == ENOENT || errno == ELOOP ? 0 : trouble("read the file", w, err);
	n = read(fd, text, sizeof text);
	if (n < 0)
		return trouble("read the file", w, err);
	return (size_t)n == strlen(set->values.v[0]) && !memcmp(text, set->values.v[0], (size_t)n);
}

static int publish(void *self, const struct publish_env *env, const struct challenge_set *set, struct err *err)
{
	const struct webroot *w = self;
	_cleanup_fd_ int dir = -1;

	(void)env;
	if (check_set(set, err) < 0 || open_place(w, true, &dir, err) < 0 || write_file(w, dir, set, err) < 0)
		return err_wrap(err, "could not put the file for '%s'", set->name);
	return 0;
}

static int withdraw(void *self, const struct publish_env *env, const struct challenge_set *set, struct err *err)
{
	const struct webroot *w = self;
	_cleanup_free_ char *temporary = NULL;
	_cleanup_fd_ int dir = -1;
	int rc;

	(void)env;
	if (check_set(set, err) < 0)
		return -(int)err->code;
	rc = open_place(w, false, &dir, err);
	if (rc < 0)
		return err_is(err) ? err_wrap(err, "could not remove the file of '%s'", set->name) : 0;
	temporary = xasprintf(".%s.new", set->token);
	unlinkat(dir, temporary, 0);
	rc = is_ours(w, dir, set, err);
	if (rc == 1 && unlinkat(dir, set->token, 0) < 0 && errno != ENOENT)
		rc = trouble("remove the file", w, err);
	return rc < 0 ? err_wrap(err, "could not remove the file of '%s'", set->name) : 0;
}

/* Reading only: is it there, and may we write? */
static int look(void *self, const struct publish_env *env, json_t **ret, struct err *err)
{
	const struct webroot *w = self;
	_cleanup_fd_ int at = open(w->path, O_RDONLY | O_DIRECTORY | O_CLOEXEC | O_NOFOLLOW), dir = -1;
	int rc;

	(void)env;
	if (at < 0)
		return trouble("open the directory", w, err);
	rc = open_place(w, false, &dir, err);
	if (rc < 0 && err_is(err))
		return -(int)err->code;
	if (faccessat(dir >= 0 ? dir : at, ".", W_OK | X_OK, AT_EACCESS) < 0)
		return trouble("write", w, err);
	*ret = json_pack("{s:s}", "directory", w->path);
	return 0;
}

static const struct field fields[] = {
	{ .name = "webroot", .flags = FIELD_REQUIRED | FIELD_WEBROOT, .max = 32, .title = "Web root",
	  .help = "One of those that the host's administrator has named in [webroots] of the configuration file" },
	{ 0 },
};

const struct publisher publisher_webroot = {
	.name = "webroot",
	.title = "Web root",
	.help = "A file below the document root of a web server: .well-known/acme-challenge/TOKEN, removed afterwards.",
	.rights = "The user that Certwright runs as may write below the web root (a group of its own and mode 2775 for .well-known/acme-challenge is "
		  "enough); the web server may read it.",
	.kinds = KIND_HTTP01,
	.way = PUBLISH_REMOTE,
	.timeout_s = 30,
	.fields = fields,
	.open = open_,
	.close = close_,
	.publish = publish,
	.withdraw = withdraw,
	.look = look,
};
