/* SPDX-License-Identifier: Apache-2.0 */
/* doctor_disk.c - the look at disks: what is free, and when the state will have filled it. See doctor.h. */
#include "app/doctor.h"

#include "app/disk.h"

#include <sys/stat.h>

#define MB INT64_C(1048576)
#define FREE_BAD (64 * MB)
#define FREE_LOW (512 * MB)
#define INODES_LOW 1000
#define DAYS_BAD 3
#define DAYS_LOW 21

static const char TODO[] = "Give it more room, or move what else is there: without room nothing is ordered, renewed or changed.";

/* False: it was said already that there is little. */
static bool look_room(struct check *c, const char *dir, struct disk_room *r)
{
	_cleanup_err_ struct err why = ERR_INIT;

	if (disk_room(dir, r, &why) < 0) {
		check_err(c, CHECK_ERROR, dir, "Make the folder, or name another.", &why);
		return false;
	}
	if (r->free_bytes < FREE_BAD || r->free_inodes < 10)
		check_say(c, CHECK_ERROR, dir, TODO, r->free_inodes < 10 ? "no file can be made there any more" : "only %" PRId64 " MB are free", r->free_bytes / MB);
	else if (r->free_bytes < FREE_LOW || r->free_inodes < INODES_LOW)
		check_say(c, CHECK_WARNING, dir, TODO, "%" PRId64 " MB and %" PRId64 " files are left", r->free_bytes / MB, r->free_inodes);
	else
		return true;
	return false;
}

static void look_growth(struct check *c, const char *state, const struct disk_room *r)
{
	int64_t rate, days;

	if (!disk_growth(state, &rate)) {
		check_say(c, CHECK_OK, state, NULL, "%" PRId64 " MB are free; how fast it fills is known after a day", r->free_bytes / MB);
		return;
	}
	days = rate > 0 ? r->free_bytes / rate : INT64_MAX;
	if (days >= DAYS_LOW)
		check_say(c, CHECK_OK, state, NULL, "%" PRId64 " MB are free; the state grows by %" PRId64 " kB a day", r->free_bytes / MB, rate / 1024);
	else
		check_say(c, days < DAYS_BAD ? CHECK_ERROR : CHECK_WARNING, state, TODO, "the state grows by %" PRId64 " MB a day and fills the disk in %" PRId64 " days",
			  rate / MB, days);
}

void check_disk(struct check *c)
{
	const struct doctor *d = c->arg;
	struct disk_room r;
	struct stat st;

	if (!d->config) {
		check_say(c, CHECK_UNKNOWN, "", "Put the configuration right first.", "the configuration cannot be read");
		return;
	}
	if (c->where == CHECK_ON_HOST && stat(d->config->state, &st) < 0)
		check_say(c, CHECK_UNKNOWN, d->config->state, "It is made at the first start.", "there is no state folder yet");
	else if (look_room(c, d->config->state, &r))
		look_growth(c, d->config->state, &r);
	if (d->config->backup_dir && look_room(c, d->config->backup_dir, &r))
		check_say(c, CHECK_OK, d->config->backup_dir, NULL, "%" PRId64 " MB are free for backups", r.free_bytes / MB);
}
