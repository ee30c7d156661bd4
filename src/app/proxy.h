/* SPDX-License-Identifier: Apache-2.0 */
/*
 * proxy.h - the proxy as [net] says: its password from a file or systemd credential, and, only with net.proxy =
 * environment, what HTTPS_PROXY, ALL_PROXY and NO_PROXY (or their lower-case forms, which win as in other programs) say.
 */
#ifndef APP_PROXY_H
#define APP_PROXY_H

#include "app/config.h"
#include "base/secret.h"

struct proxy {
	char *url;      /* http://host:port, or NULL: none */
	char *user;     /* or NULL */
	struct secret password;
	char *no_proxy; /* or NULL */
};

/* INVALID with the name of the key or variable. ret must be empty. */
int proxy_read(const struct config *c, struct proxy *ret, struct err *err);
void proxy_done(struct proxy *p);
#define _cleanup_proxy_ __attribute__((cleanup(proxy_done)))

#endif
