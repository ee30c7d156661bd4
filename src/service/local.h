/* SPDX-License-Identifier: Apache-2.0 */
/*
 * local.h - what is done on the server's host, beside a running server or without one: it leaves its audit row like a request. Whoever
 * owns the host owns the state, so there is no permission to ask for. clock: NULL = the system's.
 */
#ifndef SERVICE_LOCAL_H
#define SERVICE_LOCAL_H

#include "base/err.h"

struct clock;
struct store;

/* Before a copy of the master keys is shown or written; what: "shown" or "written to FILE". */
int service_local_escrow(struct store *store, const struct clock *clock, const char *what, const char *key_ids, struct err *err) MUST_CHECK;
/* After a backup is safe on the disk. */
int service_local_backup(struct store *store, const struct clock *clock, const char *file, int64_t bytes, struct err *err) MUST_CHECK;

#endif
