/* SPDX-License-Identifier: Apache-2.0 */
/*
 * notify.h - what is told to whom. A message is a row of the outbox for each channel that wants it, made in the transaction of what
 * it tells; one standing job per channel sends them in order, at least once, each with an id of its own. A channel that is down
 * backs off to once an hour and holds nobody up; what waits is kept for a week and LIMIT_OUTBOX messages.
 *
 * A notice is told once when it began (half a minute later, so that the certificates of one cause come in one message), in one
 * digest a day while it lasts, and when it is over, by the channels that were told that it began.
 */
#ifndef ENGINE_NOTIFY_H
#define ENGINE_NOTIFY_H

#include "base/json.h"
#include "engine/engine.h"
#include "model/channel.h"
#include "model/connection.h"
#include "model/renewal.h"

#define NOTIFY_GATHER_MS (30 * SECOND_MS)

/* phase: PHASE_RAISED or PHASE_ENDED. */
int notify_notice(struct sql *tx, const struct notice *n, enum outbox_phase phase, int64_t now_ms, struct err *err) MUST_CHECK;
/* An event of a certificate; detail is borrowed and holds no secret. vendor: key of the registry, or NULL. */
int notify_event(struct sql *tx, const char *event, json_t *detail, const char *vendor, const char *certificate_id, int64_t now_ms,
		 struct err *err) MUST_CHECK;

/* The channel's standing job is there and due at that instant. */
int notify_wanted(struct sql *tx, const char *channel_id, int64_t due_ms, int64_t now_ms, struct err *err) MUST_CHECK;
/* So it is for all channels. */
int notify_standing(struct sql *tx, int64_t now_ms, struct err *err) MUST_CHECK;

/*
 * When a channel is saved: its settings (JSON) and connection. confirm: the connection came with this request. INVALID with
 * "/settings/..." or "/connection". e may be NULL.
 */
int notify_check_door(struct engine *e, const struct channel *c, struct connection *connection, bool confirm, struct err *err) MUST_CHECK;
/* Where a mail password may go: the part of the settings that it is bound to. Owned. */
char *notify_endpoint(const char *settings);

/* The sealed object: {"password", "endpoint"} or {"secret", "previous", "previous_until_ms"}; {} when there is none. */
int channel_seal(struct keys *k, const char *id, json_t *secrets, unsigned char **ret, size_t *ret_n, struct err *err) MUST_CHECK;
int channel_open(struct keys *k, const struct channel *c, json_t **ret, struct err *err) MUST_CHECK;

/* A webhook's new signing secret as it is shown; and an address that may stand in a mail (INVALID). */
void notify_secret_new(struct secret *ret);
int notify_address_check(const char *address, struct err *err) MUST_CHECK;

#endif
