/* SPDX-License-Identifier: Apache-2.0 */
/* disk.c - see disk.h. */
#include "app/disk.h"

#include "base/clock.h"
#include "base/file.h"

#include <dirent.h>
#include <fcntl.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <sys/statvfs.h>

#define NAME "growth"
#define SAMPLES_MAX 60
#define APART_MS (20 * HOUR_MS)

struct sample {
	int64_t at_ms, used, free_bytes;
};

struct samples {
	struct sample v[SAMPLES_MAX + 1];
	size_t n;
};

int disk_room(const char *dir, struct disk_room *ret, struct err *err)
{
	struct statvfs fs;

	if (statvfs(dir, &fs) < 0)
		return err_set_errno(err, ERR_INVALID, "could not look at the disk of '%s'", dir);
	*ret = (struct disk_room){ .bytes = (int64_t)(fs.f_blocks * fs.f_frsize), .free_bytes = (int64_t)(fs.f_bavail * fs.f_frsize),
				   .free_inodes = fs.f_files ? (int64_t)fs.f_favail : INT64_MAX };
	return 0;
}

int64_t disk_used(const char *dir)
{
	DIR *list = opendir(dir);
	struct dirent *e;
	int64_t sum = 0;
	struct stat st;

	while (list && (e = readdir(list)))
		if (fstatat(dirfd(list), e->d_name, &st, AT_SYMLINK_NOFOLLOW) == 0 && S_ISREG(st.st_mode))
			sum += (int64_t)st.st_blocks * 512;
	if (list)
		closedir(list);
	return sum;
}

/* A line that is none is left out: the file is a help, nobody's truth. */
static void read_samples(const char *path, struct samples *ret)
{
	_cleanup_buf_ struct buf text = BUF_MAX(16 * 1024);
	_cleanup_err_ struct err no = ERR_INIT;
	const char *p;

	ret->n = 0;
	if (file_read(path, &text, &no) < 0)
		return;
	for (p = buf_text(&text); *p && ret->n < SAMPLES_MAX; p += strcspn(p, "\n"), p += *p == '\n') {
		struct sample s = { 0 };
		char *rest = NULL;

		s.at_ms = strtoll(p, &rest, 10);
		s.used = strtoll(rest, &rest, 10);
		s.free_bytes = strtoll(rest, &rest, 10);
		if (*rest == '\n' && s.at_ms > 0 && s.used >= 0)
			ret->v[ret->n++] = s;
	}
}

void disk_sample(const char *state, int64_t now_ms)
{
	_cleanup_free_ char *path = path_join(state, NAME);
	_cleanup_buf_ struct buf out = BUF_MAX(16 * 1024);
	_cleanup_err_ struct err no = ERR_INIT;
	struct disk_room room;
	struct samples s;

	read_samples(path, &s);
	if (disk_room(state, &room, &no) < 0 || (s.n && s.v[s.n - 1].at_ms > now_ms - APART_MS && s.v[s.n - 1].at_ms <= now_ms))
		return;
	s.v[s.n++] = (struct sample){ now_ms, disk_used(state), room.free_bytes };
	for (size_t i = s.n > SAMPLES_MAX ? s.n - SAMPLES_MAX : 0; i < s.n; i++)
		buf_addf(&out, "%" PRId64 " %" PRId64 " %" PRId64 "\n", s.v[i].at_ms, s.v[i].used, s.v[i].free_bytes);
	(void)file_write_atomic(path, buf_text(&out), out.n, 0600, &no);
}

bool disk_growth(const char *state, int64_t *ret_bytes_a_day)
{
	_cleanup_free_ char *path = path_join(state, NAME);
	const struct sample *first, *last;
	struct samples s;

	read_samples(path, &s);
	if (s.n < 2)
		return false;
	first = &s.v[0];
	last = &s.v[s.n - 1];
	if (last->at_ms - first->at_ms < APART_MS)
		return false;
	*ret_bytes_a_day = (int64_t)((double)(last->used - first->used) / (double)(last->at_ms - first->at_ms) * (double)DAY_MS);
	return true;
}
