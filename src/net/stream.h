/* SPDX-License-Identifier: Apache-2.0 */
/*
 * stream.h - bytes to one host over TLS, through the same door as everything else: addresses are judged on the real socket, the certificate
 * by net.trust and the system's CAs, or by the rule's own CA or pinned key. For what is no HTTP: a log collector. One thread.
 */
#ifndef NET_STREAM_H
#define NET_STREAM_H

#include "base/stop.h"
#include "net/http.h"

struct net_stream;

/* host: name or address, IPv6 without brackets. Errors as in net/http.h; *ret_leg says where it failed. */
int net_stream_open(struct net_policy *p, const struct stop *stop, const char *host, uint16_t port, const struct net_rule *r, struct net_stream **ret,
		    enum net_leg *ret_leg, struct err *err) MUST_CHECK;
/* All of it, within timeout_ms. NETWORK: the other side closed, or takes nothing; close it then. */
int net_stream_write(struct net_stream *s, const void *p, size_t n, int64_t timeout_ms, struct err *err) MUST_CHECK;
void net_stream_close(struct net_stream *s); /* NULL is fine */

#endif
