/* SPDX-License-Identifier: Apache-2.0 */
/* verb.h - what the commands that work on the host itself (setup, key, backup, restore) have in common. */
#ifndef APP_VERB_H
#define APP_VERB_H

#include "app/config.h"
#include "store/store.h"

/* Tells standard error what was wrong and what to do. Returns the exit status of its class. */
int verb_failed(const struct err *err);
/* Becomes the server's user, irrevocably: what only root may read was read before. The state folder is there then. */
int verb_become(const struct config *c, struct err *err) MUST_CHECK;
/* The same, and opens the store. */
int verb_store(const struct config *c, struct store **ret, struct err *err) MUST_CHECK;

#endif
