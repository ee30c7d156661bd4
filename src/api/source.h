/* SPDX-License-Identifier: Apache-2.0 */
/*
 * source.h - who asks: the peer of the connection, or, when that is one of api.trusted_proxies, the address the proxy names in
 * X-Forwarded-For. Throttling, the audit, token sources and api.allow_from all use this one address. From anybody else the
 * header is ignored.
 */
#ifndef API_SOURCE_H
#define API_SOURCE_H

#include "base/addr.h"
#include "base/str.h"

struct cidr_list {
	struct cidr *v;
	size_t n;
};
/* INVALID with the name of the key. l may be NULL. */
int cidr_list_read(struct cidr_list *ret, const struct strlist *l, const char *key, struct err *err);
bool cidr_list_has(const struct cidr_list *l, const union addr *a);
void cidr_list_clear(struct cidr_list *l);

struct source {
	struct cidr_list allow;   /* api.allow_from; empty = everybody */
	struct cidr_list trusted; /* api.trusted_proxies */
};

/* Judged before a byte is read: may this peer talk to us at all? */
bool source_may_connect(const struct source *s, const union addr *peer);
bool source_may_ask(const struct source *s, const union addr *client);
/*
 * The client behind a trusted peer: from the right, the first address that is not a trusted proxy itself. values are the
 * X-Forwarded-For headers in order. Where the list is broken or at its end, the last address that is known for sure.
 * Without port.
 */
union addr source_client(const struct source *s, const union addr *peer, const char *const *values, size_t n);
void source_clear(struct source *s);

#endif
