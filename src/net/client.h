/* SPDX-License-Identifier: Apache-2.0 */
/*
 * client.h - the libcurl client behind struct http. One per worker thread, kept, so that connections are reused; not to be
 * used by two threads at once. HTTP/1.1, TLS 1.2 and later, https only unless a rule says otherwise.
 */
#ifndef NET_CLIENT_H
#define NET_CLIENT_H

#include "base/stop.h"
#include "net/http.h"

/* Once, before the first thread. */
void net_init(void);

struct net_client;

/* Takes a reference of the policy. stop (may be NULL): raised = a running request ends with BUSY. */
struct net_client *net_client_new(struct net_policy *p, const struct stop *stop);
void net_client_free(struct net_client *c);
void net_client_free_p(struct net_client **c);
#define _cleanup_net_client_ __attribute__((cleanup(net_client_free_p)))

/* After a reload; connections made under the old policy are closed. */
void net_client_set_policy(struct net_client *c, struct net_policy *p);
struct http *net_client_http(struct net_client *c);

#endif
