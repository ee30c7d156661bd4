/* SPDX-License-Identifier: Apache-2.0 */
/*
 * doctor.h - looks at what has to be right before a name can be proved, and says it in sentences: CAA, the delegation or the
 * zone of a provider, DS, our own address from here, port 80, wildcard and vendor rules. Advice: nothing is changed, nothing is
 * refused for it, and what could not be looked at from here is "unknown", not "bad".
 *
 * A look before publishing never asks a cache about a challenge name: the parent's servers are asked directly, so that no
 * resolver remembers that there was nothing.
 *
 * Each fact is an object: name, check, state (good, warn, bad, unknown), text, todo (or null), view (through which it was seen).
 */
#ifndef ENGINE_DOCTOR_H
#define ENGINE_DOCTOR_H

#include "engine/private.h"

struct doctor {
	struct engine *e;
	struct http *http;
	int64_t deadline_boot_ms;       /* what is not begun by then is "unknown" */
	const struct vendor *vendor;    /* or NULL */
	const struct strlist *identities; /* of the authority in CAA records; may be NULL or empty */
	const char *account_url;
	enum validation validation;
	bool any_validation;            /* none was chosen: both are looked at */
	const char *method;             /* NULL = not decided: as a delegation or provider would have it */
	const char *name;               /* of the fact, with "*." */
	const char *view;               /* of the fact */
	json_t *facts;                  /* array; owned by the caller */
};

/* Ready to look, with the time of one step; facts is the caller's. */
void doctor_begin(struct doctor *d, struct engine *e, struct http *http);
void fact(struct doctor *d, const char *check, const char *state, const char *todo, const char *fmt, ...) PRINTF(5, 6);

/* All that is known about one name of an order. */
void doctor_name(struct doctor *d, const char *name);
/* Of doctor_name: only what concerns the delegation of name (without "*."). */
void doctor_delegation(struct doctor *d, const char *name, const struct outlook *o);
/* Port 80 over each address. */
void doctor_port80(struct doctor *d, const char *name, const struct outlook *o);

#endif
