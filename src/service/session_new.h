/* SPDX-License-Identifier: Apache-2.0 */
/* session_new.h - a session that is being made: what session.c and setup.c share. */
#ifndef SERVICE_SESSION_NEW_H
#define SERVICE_SESSION_NEW_H

#include "crypto/digest.h"
#include "service/internal.h"
#include "service/session.h"

struct new_session {
	struct session row; /* points into the others; its user_id is the caller's */
	struct ulid id;
	char hash[SHA256_HEX];
	char csrf[64];
	char stored[1]; /* nothing */
};

/* cookie: the value, handed out once. */
void new_session_make(const struct service *s, const struct actor *from, struct secret *cookie, struct new_session *ret);
/* Who that session is; ret is cleared before. */
void new_session_actor(const struct new_session *n, const struct user *u, const struct actor *from, struct actor *ret);
/* A wrong password or token from there: it is counted. */
void service_source_failed(struct service *s, const struct actor *from, int64_t now_ms);

#endif
