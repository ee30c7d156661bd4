/* SPDX-License-Identifier: Apache-2.0 */
/* notify_private.h - between notify*.c. */
#ifndef ENGINE_NOTIFY_PRIVATE_H
#define ENGINE_NOTIFY_PRIVATE_H

#include "engine/notify.h"
#include "engine/private.h"
#include "net/mail.h"
#include "store/channel.h"

/* A message as people and programs get it. */
struct told {
	char *subject, *body; /* mail */
	json_t *data;         /* webhook */
	char *type;           /* webhook: "notice.raised", "certificate.issued", ... */
	bool urgent;
	bool skip;            /* over, or not this channel's: nobody is told */
};
void told_done(struct told *t);
/* Whether a channel is told about that certificate, whose account is of this vendor (or NULL): by its tags, owners, vendors and search. */
int notify_about(struct sql *q, const struct channel *ch, const char *vendor, const char *certificate_id, int64_t now_ms, bool *ret, struct err *err);
/* What the row says by now; ch decides what concerns it. Reads only. */
int told_make(struct sql *q, const struct engine *e, const struct channel *ch, const struct outbox *o, struct told *ret, struct err *err);
void told_test(const struct engine *e, const struct channel *ch, struct told *ret);

/* One message out. *ret_leg: where it failed. */
int channel_send(struct job_run *r, const struct channel *ch, const char *id, const char *event, const struct told *t,
		enum net_leg *ret_leg, struct err *err);

/* Connects to the mail server of an e-mail channel and signs in; nothing is sent. */
int channel_probe(struct engine *e, const struct channel *ch, int64_t timeout_ms, enum net_leg *ret_leg, struct err *err);

#endif
