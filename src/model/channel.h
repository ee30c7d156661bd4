/* SPDX-License-Identifier: Apache-2.0 */
/* channel.h - who is told (notification channels), and what is still to be told (the outbox). */
#ifndef MODEL_CHANNEL_H
#define MODEL_CHANNEL_H

#include "model/enum.h"

#define CHANNEL_KINDS(X) X(CHANNEL_EMAIL, "email") X(CHANNEL_WEBHOOK, "webhook")
DECLARE_ENUM(channel_kind, CHANNEL_KINDS);

#define CHANNEL_STATUSES(X)                                                                                            \
	X(CHANNEL_NEW, "new")         /* nothing was sent yet */                                                       \
	X(CHANNEL_OK, "ok")           /* the last message was taken */                                                 \
	X(CHANNEL_FAILING, "failing") /* it was not; what is to be told waits */
DECLARE_ENUM(channel_status, CHANNEL_STATUSES);

struct channel {
	char *id;
	int64_t num;
	enum channel_kind kind;
	char *name;
	bool enabled;
	char *settings;         /* JSON: host, port, security, user, from, to; or url */
	struct strlist events;  /* what it is told; none: everything but issued and renewed */
	struct strlist vendors; /* only about certificates of these; none: all */
	struct strlist tags;    /* only about certificates with one of these; none: all */
	struct strlist owners;  /* only about certificates of these; none: all */
	char *search;           /* only about certificates that it finds (model/search.h), or NULL */
	unsigned char *sealed;  /* password with where it may go, or the signing secrets */
	size_t sealed_n;
	char *connection;       /* model/connection.h, or NULL */
	enum channel_status status;
	char *reason;           /* JSON of struct err */
	int64_t tested_ms, sent_ms, digest_ms, dropped; /* digest_ms: when the next is due; dropped: messages nobody got */
	int64_t rev, created_ms, updated_ms, deleted_ms;
};
void channel_done(struct channel *c);
#define _cleanup_channel_ __attribute__((cleanup(channel_done)))

/* What happens besides notices (model/renewal.h), as rules and messages name it. */
#define EVENT_ISSUED "issued"
#define EVENT_RENEWED "renewed"
#define EVENT_DIGEST "digest"
#define EVENT_TEST "test"

#define OUTBOX_PHASES(X)                                                                                               \
	X(PHASE_HAPPENED, "happened") /* an event */                                                                   \
	X(PHASE_RAISED, "raised")     /* a notice began */                                                             \
	X(PHASE_ENDED, "ended")                                                                                        \
	X(PHASE_DIGEST, "digest")     /* what is still open */
DECLARE_ENUM(outbox_phase, OUTBOX_PHASES);

#define OUTBOX_STATES(X)                                                                                               \
	X(OUTBOX_WAITING, "waiting")                                                                                   \
	X(OUTBOX_SENT, "sent")                                                                                         \
	X(OUTBOX_SKIPPED, "skipped") /* over before anybody was told, or not this channel's */                         \
	X(OUTBOX_DROPPED, "dropped") /* too old, or too many waited */
DECLARE_ENUM(outbox_state, OUTBOX_STATES);

struct outbox {
	char *id; /* also the message's: whoever gets it twice can tell */
	char *channel_id;
	char *event;
	enum outbox_phase phase;
	char *notice_id; /* or NULL */
	char *detail;    /* JSON of an event */
	char *subject;   /* as it was sent, or NULL */
	enum outbox_state state;
	int64_t created_ms, due_ms, ended_ms;
};
void outbox_done(struct outbox *o);
#define _cleanup_outbox_ __attribute__((cleanup(outbox_done)))

/* A word that rules may name: an event or the kind of a notice. */
bool notify_event_known(const char *event);
/* It is told about some certificates only. */
bool channel_narrow(const struct channel *c);
/* It is told about a certificate of this vendor (or NULL) with these tags and this owner (or NULL), when its search finds it too. */
bool channel_about(const struct channel *c, const char *vendor, const struct strlist *tags, const char *owner);
bool channel_wants(const struct channel *c, const char *event);

#endif
