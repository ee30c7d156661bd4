/* SPDX-License-Identifier: Apache-2.0 */
/* restored.c - see restored.h. */
#include "app/restored.h"

#include "app/host.h"
#include "app/verb.h"
#include "base/clock.h"
#include "base/log.h"
#include "base/ulid.h"
#include "engine/intake.h"
#include "store/audit.h"
#include "store/copy.h"
#include "store/found.h"
#include "store/place.h"

#include <stdio.h>
#include <unistd.h>

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

static const char *const reasons[] = {
	[RESTORED_FILE] = "restored from a backup; sessions and tokens have ended",
	[RESTORED_DUMP] = "a dump was loaded into the database; sessions and tokens have ended",
	[RESTORED_SAID] = "the database was restored, as was said on the host; sessions and tokens have ended",
	[RESTORED_PROMOTED] = "a standby of the database took over; orders are compared with the authorities'",
};

int restored_tell(struct sql *tx, enum restored_how how, struct err *err)
{
	_cleanup_strlist_ struct strlist ids = { 0 }, directories = { 0 };
	int64_t now = clock_now(&clock_system);

	if ((how != RESTORED_PROMOTED && store_end_sign_ins(tx, now, err) < 0) || store_orders_hold(tx, now + HOLD_MS, err) < 0 ||
	    store_accounts_registered(tx, &ids, &directories, err) < 0)
		return -(int)err->code;
	for (size_t i = 0; i < ids.n; i++)
		if (look_again(tx, ids.v[i], directories.v[i], now, err) < 0)
			return -(int)err->code;
	return store_audit_system(tx, now, "server.restore", "server", "server", "server", reasons[how], NULL, err);
}

/* ---- at start --------------------------------------------------------------------------------------------------------- */

static int look_tx(struct sql *tx, void *arg, struct err *err)
{
	enum store_moved *moved = arg;

	if (store_place_look(tx, moved, err) < 0)
		return -(int)err->code;
	return *moved == STORE_MOVED_NO ? 0 : restored_tell(tx, *moved == STORE_MOVED_LOADED ? RESTORED_DUMP : RESTORED_PROMOTED, err);
}

int restored_look(struct store *store, struct err *err)
{
	enum store_moved moved = STORE_MOVED_NO;

	if (store_write(store, look_tx, &moved, err) < 0)
		return err_wrap(err, "could not find out whether the database was restored");
	if (moved == STORE_MOVED_LOADED)
		log_warning("the database was restored from a dump: sessions and API tokens have ended, accounts and orders are compared with the authorities' "
			    "before anything is ordered");
	else if (moved == STORE_MOVED_PROMOTED)
		log_warning("another PostgreSQL took over the database: accounts and orders are compared with the authorities'; if it was recovered to a point in "
			    "time, stop the server and tell it: certwright restored");
	return 0;
}

/* ---- told by the administrator ---------------------------------------------------------------------------------------- */

static int said_tx(struct sql *tx, UNUSED void *arg, struct err *err)
{
	enum store_moved moved;

	if (store_place_look(tx, &moved, err) < 0) /* else the next start would tell it again */
		return -(int)err->code;
	return restored_tell(tx, RESTORED_SAID, err);
}

static int said(const struct config *c, struct err *err)
{
	const struct host_user ourselves = { 0 };
	_cleanup_store_ struct store *store = NULL;
	_cleanup_close_ int lock = -1;

	if (verb_become(c, err) < 0)
		return -(int)err->code;
	if (host_state_lock(c->state, &ourselves, 0, &lock, err) < 0) {
		err_wrap(err, "the server runs and may have acted already");
		return err_hint(err, "Stop it first: systemctl stop certwright.target");
	}
	if (verb_store(c, &store, err) < 0)
		return -(int)err->code;
	return store_write(store, said_tx, NULL, err);
}

int restored_verb(const struct config_input *in, int argc)
{
	_cleanup_config_ struct config c = { 0 };
	_cleanup_err_ struct err err = ERR_INIT;

	if (argc) {
		fprintf(stderr, "certwright: usage: certwright restored [--config FILE] [--state DIR]\n");
		return 2;
	}
	if (config_read(in, &c, NULL, &err) < 0 || said(&c, &err) < 0)
		return verb_failed(&err);
	printf("sessions and API tokens have ended, passwords are as they were; the server looks before it acts when it is started\n");
	return 0;
}
