/* SPDX-License-Identifier: Apache-2.0 */
/*
 * restored.h - what the server does about a database that went back in time: sessions and tokens end, and the engine looks before it
 * acts. Each account is read by its URL and its orders are compared with the authority's; orders not yet sent wait for that.
 */
#ifndef APP_RESTORED_H
#define APP_RESTORED_H

#include "app/config.h"

struct sql;
struct store;

enum restored_how {
	RESTORED_FILE,     /* `certwright restore` */
	RESTORED_DUMP,     /* a dump was loaded into PostgreSQL */
	RESTORED_SAID,     /* `certwright restored` */
	RESTORED_PROMOTED, /* a standby of PostgreSQL took over: little is lost if anything, so sessions and tokens stay */
};
/* In the transaction; an audit row tells how. */
int restored_tell(struct sql *tx, enum restored_how how, struct err *err) MUST_CHECK;

/* At the start of core, before the engine: has the database come to where it lies since the last start (store/place.h)? */
int restored_look(struct store *store, struct err *err) MUST_CHECK;

/* `restored`: the administrator says that the database went back by means that leave no trace. The server is stopped meanwhile. */
int restored_verb(const struct config_input *in, int argc);

#endif
