/* SPDX-License-Identifier: Apache-2.0 */
/*
 * session.h - the first administrator, signing in and out, sessions. A session is 256 random bits in a cookie, of which the
 * SHA-256 is stored; it ends after 30 minutes of silence and 12 hours at the latest. Wrong passwords are counted per name and
 * per address, and never lock for ever; where a user has signed in well before, his failures are counted apart from those of
 * strangers. Unknown names cost the same time and get the same answer.
 */
#ifndef SERVICE_SESSION_H
#define SERVICE_SESSION_H

#include "service/service.h"

struct session_made {
	struct secret cookie; /* the value, handed out once */
	struct actor actor;
	struct user user;
};
void session_made_clear(struct session_made *m);
#define _cleanup_session_made_ __attribute__((cleanup(session_made_clear)))

int service_setup_needed(struct service *s, bool *ret, struct err *err) MUST_CHECK;
/* Slow. from holds address and request id. UNAUTHENTICATED: token; CONFLICT: there is an administrator; TOO_MANY. */
int service_setup(struct service *s, const struct actor *from, const struct secret *token, const char *name,
		  const struct secret *password, struct session_made *ret, struct err *err) MUST_CHECK;

/*
 * The session that a browser had when it asks for a new one: from stays nobody, but the old session ends with the new one's
 * beginning, whoever's it was.
 */
void service_session_note(const char *cookie, struct actor *from);
/* TOO_MANY when this address (or bucket of a name, NULL = any) has failed too often. Cheap: ask it before queueing a hash. */
int service_sign_in_allowed(struct service *s, const struct actor *from, const char *bucket, struct err *err) MUST_CHECK;
/* Slow. UNAUTHENTICATED, TOO_MANY. */
int service_sign_in(struct service *s, const struct actor *from, const char *name, const struct secret *password,
		    struct session_made *ret, struct err *err) MUST_CHECK;
int service_sign_out(struct service *s, const struct actor *a, struct err *err) MUST_CHECK;

/* Who this cookie is; ret's address and request_id stay as they are. UNAUTHENTICATED. */
int service_session_auth(struct service *s, const char *cookie, struct actor *ret, struct err *err) MUST_CHECK;
/* The user of a session or token, for GET /session. */
int service_self(struct service *s, const struct actor *a, struct user *ret, struct err *err) MUST_CHECK;
/* The actor may still do what it could: its session or token lives, its user is enabled, its role is the same (event streams ask). */
bool service_actor_alive(struct service *s, const struct actor *a);

/* Slow. The own password; the other sessions of the user end. DENIED: the old one is wrong. Tokens may not. */
int service_password_change(struct service *s, const struct actor *a, const struct secret *old_password,
			    const struct secret *new_password, struct err *err) MUST_CHECK;

#endif
