/* SPDX-License-Identifier: Apache-2.0 */
/*
 * file.h - reading with a limit, atomic writing with the right mode from the first byte
 * (temporary file in the same directory, write, fsync, rename, fsync of the directory).
 */
#ifndef BASE_FILE_H
#define BASE_FILE_H

#include "base/buf.h"
#include "base/secret.h"

#include <sys/types.h>

int file_read(const char *path, struct buf *ret, struct err *err);    /* NOT_FOUND, TOO_LARGE, INVALID */
int file_read_secret(const char *path, size_t max, struct secret *ret, struct err *err); /* one trailing newline is cut */
int file_write_atomic(const char *path, const void *p, size_t n, mode_t mode, struct err *err);
/* Fails with CONFLICT when the file exists; O_EXCL, mode from the first byte, fsync of file and directory. */
int file_create(const char *path, const void *p, size_t n, mode_t mode, struct err *err);
bool file_exists(const char *path);
int dir_make(const char *path, mode_t mode, struct err *err); /* and its parents; existing is fine */
int dir_sync_of(const char *path, struct err *err);            /* the folder of path: what was made or renamed there is on the disk */
char *path_join(const char *dir, const char *name);           /* owned by the caller */
int fd_write_all(int fd, const void *p, size_t n);            /* 0, or -1 with errno */
void fd_cloexec(int fd, bool on);

#endif
