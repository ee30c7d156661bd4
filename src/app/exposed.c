/* SPDX-License-Identifier: Apache-2.0 */
/* exposed.c - see exposed.h. */
#include "app/exposed.h"

#include "base/addr.h"

static bool is_wildcard(const union addr *a)
{
	return a->sa.sa_family == AF_INET ? a->in.sin_addr.s_addr == INADDR_ANY : IN6_IS_ADDR_UNSPECIFIED(&a->in6.sin6_addr);
}

static bool same_place(const union addr *a, const union addr *b)
{
	if (a->sa.sa_family != b->sa.sa_family || addr_is_loopback(a) || addr_is_loopback(b))
		return false;
	if (is_wildcard(a) || is_wildcard(b))
		return true;
	return a->sa.sa_family == AF_INET ? a->in.sin_addr.s_addr == b->in.sin_addr.s_addr : IN6_ARE_ADDR_EQUAL(&a->in6.sin6_addr, &b->in6.sin6_addr);
}

static bool listed(const struct strlist *l, const union addr *a)
{
	for (size_t i = 0; i < l->n; i++) {
		_cleanup_err_ struct err no = ERR_INIT;
		union addr b;

		if (addr_parse(l->v[i], &b, &no) == 0 && same_place(a, &b))
			return true;
	}
	return false;
}

char *exposed_address(const struct config *c)
{
	for (size_t i = 0; !c->api_allow_from.n && i < c->api_listen.n; i++) {
		_cleanup_err_ struct err no = ERR_INIT;
		union addr a;

		if (addr_parse(c->api_listen.v[i], &a, &no) == 0 && (listed(&c->dns_listen, &a) || listed(&c->http01_listen, &a)))
			return xstrdup(c->api_listen.v[i]);
	}
	return NULL;
}
