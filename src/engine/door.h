/* SPDX-License-Identifier: Apache-2.0 */
/*
 * door.h - the way of one integration out through the one door: its stored connection settings made into the rule of its
 * requests, and the check of both when it is saved. Whoever changes an integration calls door_check on create AND on update.
 */
#ifndef ENGINE_DOOR_H
#define ENGINE_DOOR_H

#include "model/connection.h"
#include "net/policy.h"

struct engine;

/* The rule borrows the texts of c. */
struct net_rule door_rule(const struct connection *c);

/*
 * For jobs and requests: the rule for calls to url, CONFLICT when the permission for private networks was confirmed for
 * another host (connection_check_host). c may be NULL.
 */
int door_open(const struct connection *c, const char *url, struct net_rule *ret, struct err *err);

/*
 * When an integration is saved: reads host and port of url, judges literal addresses, forbidden ports and names, the CA
 * text and the pin. confirm: the settings came with this very request, so allow is bound to url's host; otherwise it must
 * have been bound to it before. p may be NULL (no policy: only the texts are judged).
 */
int door_check(const struct net_policy *p, struct connection *c, const char *url, bool confirm, struct err *err);
/* With the engine's policy; e may be NULL (tests). */
int engine_door_check(struct engine *e, struct connection *c, const char *url, bool confirm, struct err *err);

#endif
