/* SPDX-License-Identifier: Apache-2.0 */
/*
 * touch.h - hints of what a commit changed: from the store to whoever waits (engine, event stream).
 */
#ifndef MODEL_TOUCH_H
#define MODEL_TOUCH_H

#include "base/ulid.h"

struct touch {
	char kind[16];         /* the text used on the event stream: "order", "certificate", "job", "record", "lane", ... */
	char id[ULID_LEN + 1]; /* "" when the whole kind is meant */
	int64_t rev;           /* 0 = not known */
};

/* Called after a commit that touched something. It must only note and wake. */
typedef void touch_fn(const struct touch *touched, size_t n, void *arg);

#endif
