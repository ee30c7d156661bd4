/* SPDX-License-Identifier: Apache-2.0 */
/* guard.h - the judgement of a real socket's address, for connections of client.c, mail.c and stream.c. For this folder only. */
#ifndef NET_GUARD_H
#define NET_GUARD_H

#include "net/private.h"

struct net_guard {
	const struct net_policy *policy;
	const struct net_rule *rule;
	bool by_proxy;
	char refused[ADDR_TEXT]; /* out: the address that was refused, "" = none */
	const char *range;       /* out: what kind of address that is, NULL = none was refused */
	bool never;              /* out: nothing can allow it */
};

/* For CURLOPT_OPENSOCKETFUNCTION with the guard as its data: a socket, or CURL_SOCKET_BAD. */
struct curl_sockaddr;
int net_guard_socket(struct net_guard *g, const struct curl_sockaddr *ca);
/* INVALID: what net_guard_socket refused on the way to host. */
int net_guard_refusal(const struct net_guard *g, const char *host, struct err *err);

#endif
