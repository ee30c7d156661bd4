/* SPDX-License-Identifier: Apache-2.0 */
/* outlook.h - views of DNS as service sees them: what is checked when one is saved. The rest is in private.h. */
#ifndef ENGINE_OUTLOOK_H
#define ENGINE_OUTLOOK_H

#include "engine/door.h"
#include "engine/engine.h"
#include "model/view.h"

/*
 * When a view is saved: the list of resolvers, or URL and connection. confirm: the connection came with this request. e may be
 * NULL (tests): only texts are judged. INVALID with the field ("/servers", "/url", ...).
 */
int outlook_check(struct engine *e, const struct dns_view *v, struct connection *c, bool confirm, struct err *err) MUST_CHECK;

#endif
