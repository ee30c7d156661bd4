/* SPDX-License-Identifier: Apache-2.0 */
/* exposed.h - whether the API listens where the Internet must get in for DNS and HTTP-01. */
#ifndef APP_EXPOSED_H
#define APP_EXPOSED_H

#include "app/config.h"

/*
 * The address of api.listen that is also (by itself or by a wildcard) one of dns.listen or http01.listen, without regard to
 * ports; NULL: there is none, or api.allow_from says who may come. Loopback is not public. Owned by the caller.
 */
char *exposed_address(const struct config *c);

#endif
