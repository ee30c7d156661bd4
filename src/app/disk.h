/* SPDX-License-Identifier: Apache-2.0 */
/*
 * disk.h - how much the state folder holds and how it grows: a sample a day in STATE/growth, one line each ("unix-ms bytes free"), of the last
 * two months. It needs no database, so that a full disk can be looked at when the server is down.
 */
#ifndef APP_DISK_H
#define APP_DISK_H

#include "base/err.h"

struct disk_room {
	int64_t bytes, free_bytes, free_inodes;
};
/* INVALID when the folder cannot be looked at. */
int disk_room(const char *dir, struct disk_room *ret, struct err *err);
/* Bytes of the files in the folder itself. */
int64_t disk_used(const char *dir);

/* Adds a sample of now unless there is one of the last hours. What cannot be written is left. */
void disk_sample(const char *state, int64_t now_ms);
/* Bytes a day over the samples, at least a day apart; false: not known yet. */
bool disk_growth(const char *state, int64_t *ret_bytes_a_day);

#endif
