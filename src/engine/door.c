/* SPDX-License-Identifier: Apache-2.0 */
/* door.c - see door.h. */
#include "engine/door.h"

#include "net/url.h"

struct net_rule door_rule(const struct connection *c)
{
	static const enum net_route routes[] = { [ROUTE_DEFAULT] = NET_ROUTE_DEFAULT, [ROUTE_PROXY] = NET_ROUTE_PROXY, [ROUTE_DIRECT] = NET_ROUTE_DIRECT };

	_Static_assert(ARRAY_SIZE(routes) == route_count, "every route has its way");
	return (struct net_rule){ .route = routes[c->route], .ca_pem = c->ca_pem, .fingerprint = c->fingerprint, .allow = c->allow };
}

int door_open(const struct connection *c, const char *url, struct net_rule *ret, struct err *err)
{
	_cleanup_url_ struct url u = { 0 };

	*ret = (struct net_rule){ 0 };
	if (!c || connection_empty(c))
		return 0;
	if (url_parse(url, true, &u, err) < 0 || connection_check_host(c, u.host, u.port, err) < 0)
		return -(int)err->code;
	*ret = door_rule(c);
	return 0;
}

int door_check(const struct net_policy *p, struct connection *c, const char *url, bool confirm, struct err *err)
{
	_cleanup_url_ struct url u = { 0 };
	struct net_rule rule;

	if (url_parse(url, false, &u, err) < 0)
		return -(int)err->code;
	if (confirm)
		connection_confirm(c, u.host, u.port);
	else if (connection_check_host(c, u.host, u.port, err) < 0)
		return -(int)err->code;
	rule = door_rule(c);
	return p ? net_policy_check(p, &rule, url, err) : 0;
}
