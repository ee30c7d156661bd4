/* SPDX-License-Identifier: Apache-2.0 */
/*
 * challenge.h - ready configuration for whoever owns port 80 of a name: send HTTP-01 challenges to this server by a redirect (302),
 * which authorities follow, or forward them as a proxy. No text needs anything of ours on that machine.
 */
#ifndef SERVICE_CHALLENGE_H
#define SERVICE_CHALLENGE_H

#include "base/err.h"

struct challenge_text {
	const char *name, *way, *title, *help;
	const char *text; /* with @HOST@ where this server's name goes */
};
extern const struct challenge_text challenge_texts_all[]; /* a NULL name ends it */

/* host: a name or address, perhaps with :port; nothing in it means anything in any of the languages. INVALID with "/host". */
int challenge_host_check(const char *host, struct err *err) MUST_CHECK;
/* Owned by the caller. */
char *challenge_text_for(const struct challenge_text *t, const char *host);

#endif
