/* SPDX-License-Identifier: Apache-2.0 */
/* guard.c - see guard.h. */
#include "net/guard.h"

#include <curl/curl.h>
#include <errno.h>

int net_guard_socket(struct net_guard *g, const struct curl_sockaddr *ca)
{
	union addr a = { 0 };
	const char *range = NULL;
	bool ok, never;

	if (ca->addrlen > sizeof a.ss || (ca->family != AF_INET && ca->family != AF_INET6))
		return CURL_SOCKET_BAD;
	memcpy(&a, &ca->addr, ca->addrlen);
	never = net_address_class(&a, &range) == NET_ADDRESS_NEVER;
	/* The proxy is the administrator's own choice; what is never allowed stays so. */
	ok = g->by_proxy ? !never : net_policy_allows(g->policy, g->rule, &a, &range);
	if (!ok) {
		g->never = never;
		addr_format_ip(&a, g->refused);
		g->range = range;
		errno = EACCES;
		return CURL_SOCKET_BAD;
	}
	return socket(ca->family, ca->socktype | SOCK_CLOEXEC, ca->protocol);
}

int net_guard_refusal(const struct net_guard *g, const char *host, struct err *err)
{
	err_set(err, ERR_INVALID, "connections to '%s' are not allowed: %s is a %s address", host, g->refused, g->range);
	if (g->never)
		return -ERR_INVALID; /* listing it anywhere would not help */
	return err_hint(err, "If this host is meant, list its network in net.allow or in the integration itself.");
}
