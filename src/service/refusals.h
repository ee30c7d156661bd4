/* SPDX-License-Identifier: Apache-2.0 */
/*
 * refusals.h - so that strangers who are refused do not fill the disk: of what one source is refused in a minute, the first few
 * are told one by one, the rest as one sum when the minute is over. In memory and bounded; the minute that runs is lost when the
 * process is killed.
 */
#ifndef SERVICE_REFUSALS_H
#define SERVICE_REFUSALS_H

#include "base/err.h"

#define REFUSALS_ALONE 5       /* of one source and action in a minute */
#define REFUSALS_ALONE_ALL 100 /* of all in a minute */
#define REFUSALS_SOURCES 512   /* kept apart in a minute; the others are one */

struct refusals;
struct refusal_sum {
	char action[32], source[64]; /* source "" = many */
	int64_t since_ms, until_ms, count;
};

struct refusals *refusals_new(void);
void refusals_free(struct refusals *r);
/* True: tell this one by itself. False: it was added to the sum. alone false: never by itself. */
bool refusals_note(struct refusals *r, const char *action, const char *source, bool alone, int64_t now_ms);
/* Takes one sum of a minute that is over (all: also of the running one). False: there is none. */
bool refusals_take(struct refusals *r, bool all, int64_t now_ms, struct refusal_sum *ret);

#endif
