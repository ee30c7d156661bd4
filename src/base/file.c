/* SPDX-License-Identifier: Apache-2.0 */
/* file.c - see file.h. */
#include "base/file.h"

#include "base/random.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <sys/stat.h>

static int open_for_reading(const char *path, struct err *err)
{
	struct stat st;
	int fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK);

	if (fd < 0)
		return err_set_errno(err, errno == ENOENT ? ERR_NOT_FOUND : ERR_INVALID, "could not open '%s'", path);
	if (fstat(fd, &st) < 0 || !S_ISREG(st.st_mode)) {
		close(fd);
		return err_set(err, ERR_INVALID, "'%s' is not a regular file", path);
	}
	return fd;
}

int file_read(const char *path, struct buf *ret, struct err *err)
{
	_cleanup_close_ int fd = open_for_reading(path, err);
	char part[16 * 1024];
	ssize_t n;

	if (fd < 0)
		return fd;
	while ((n = read(fd, part, sizeof part)) != 0) {
		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0)
			return err_set_errno(err, ERR_INTERNAL, "could not read '%s'", path);
		buf_add(ret, part, (size_t)n);
		if (ret->failed)
			break;
	}
	explicit_bzero(part, sizeof part);
	if (buf_check(ret, err) < 0)
		return err_wrap(err, "could not read '%s'", path);
	return 0;
}

int file_read_secret(const char *path, size_t max, struct secret *ret, struct err *err)
{
	_cleanup_buf_wipe_ struct buf b = BUF_MAX(max + 2);
	size_t n;

	if (file_read(path, &b, err) < 0)
		return -(int)err->code;
	n = b.n;
	if (n && b.p[n - 1] == '\n')
		n--;
	if (n && b.p[n - 1] == '\r')
		n--;
	if (n > max)
		return err_set(err, ERR_TOO_LARGE, "'%s' holds more than %zu bytes", path, max);
	*ret = secret_copy(buf_text(&b), n);
	return 0;
}

int fd_write_all(int fd, const void *p, size_t n)
{
	const char *c = p;

	while (n) {
		ssize_t w = write(fd, c, n);

		if (w < 0 && errno == EINTR)
			continue;
		if (w < 0)
			return -1;
		c += w;
		n -= (size_t)w;
	}
	return 0;
}

int dir_sync_of(const char *path, struct err *err)
{
	const char *slash = strrchr(path, '/');
	_cleanup_free_ char *dir = slash ? xstrndup(path, slash == path ? 1 : (size_t)(slash - path)) : xstrdup(".");
	_cleanup_close_ int fd = open(dir, O_RDONLY | O_DIRECTORY | O_CLOEXEC);

	if (fd < 0 || fsync(fd) < 0)
		return err_set_errno(err, ERR_INTERNAL, "could not sync folder '%s'", dir);
	return 0;
}

static int write_new(const char *path, const void *p, size_t n, mode_t mode, struct err *err)
{
	_cleanup_close_ int fd = open(path, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC | O_NOFOLLOW, mode);

	if (fd < 0)
		return err_set_errno(err, errno == EEXIST ? ERR_CONFLICT : ERR_INVALID, "could not create '%s'", path);
	if (fchmod(fd, mode) < 0 || fd_write_all(fd, p, n) < 0 || fsync(fd) < 0) {
		int r = err_set_errno(err, ERR_INTERNAL, "could not write '%s'", path);

		unlink(path);
		return r;
	}
	return 0;
}

int file_create(const char *path, const void *p, size_t n, mode_t mode, struct err *err)
{
	if (write_new(path, p, n, mode, err) < 0)
		return -(int)err->code;
	return dir_sync_of(path, err);
}

int file_write_atomic(const char *path, const void *p, size_t n, mode_t mode, struct err *err)
{
	_cleanup_free_ char *tmp = xasprintf("%s.%016" PRIx64 ".tmp", path, random_u64());

	if (write_new(tmp, p, n, mode, err) < 0)
		return -(int)err->code;
	if (rename(tmp, path) < 0) {
		int r = err_set_errno(err, ERR_INTERNAL, "could not replace '%s'", path);

		unlink(tmp);
		return r;
	}
	return dir_sync_of(path, err);
}

bool file_exists(const char *path)
{
	return access(path, F_OK) == 0;
}

int dir_make(const char *path, mode_t mode, struct err *err)
{
	_cleanup_free_ char *p = xstrdup(path);

	for (char *s = p + 1; *s; s++) {
		if (*s != '/')
			continue;
		*s = '\0';
		if (mkdir(p, mode) < 0 && errno != EEXIST)
			return err_set_errno(err, ERR_INVALID, "could not make folder '%s'", p);
		*s = '/';
	}
	if (mkdir(p, mode) < 0 && errno != EEXIST)
		return err_set_errno(err, ERR_INVALID, "could not make folder '%s'", p);
	return 0;
}

char *path_join(const char *dir, const char *name)
{
	return str_ends(dir, "/") ? xasprintf("%s%s", dir, name) : xasprintf("%s/%s", dir, name);
}

void fd_cloexec(int fd, bool on)
{
	int flags = fcntl(fd, F_GETFD);

	if (flags >= 0)
		fcntl(fd, F_SETFD, on ? flags | FD_CLOEXEC : flags & ~FD_CLOEXEC);
}
