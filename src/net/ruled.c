/* SPDX-License-Identifier: Apache-2.0 */
/* ruled.c - see ruled.h. */
#include "net/ruled.h"

#include "net/private.h"

static int ruled_perform(struct http *h, const struct http_request *q, struct http_response *ret, struct err *err)
{
	struct ruled *r = (struct ruled *)(void *)((char *)h - offsetof(struct ruled, http));
	struct http_request mine = *q;
	struct net_rule rule;

	if (r->rule) {
		rule = *r->rule;
		rule.plain_ok |= q->rule && q->rule->plain_ok;
		mine.rule = &rule;
	}
	return http_do(r->inner, &mine, ret, err);
}

struct http *ruled_init(struct ruled *r, struct http *inner, const struct net_rule *rule)
{
	*r = (struct ruled){ .http = { .perform = ruled_perform }, .inner = inner, .rule = rule };
	return &r->http;
}

int net_look(struct http *h, const struct net_rule *rule, const char *url, struct http_peer *ret, struct err *err)
{
	struct net_rule way = { .route = rule ? rule->route : NET_ROUTE_DEFAULT, .allow = rule ? rule->allow : NULL };
	struct http_request q = { .method = HTTP_HEAD, .url = url, .rule = &way, .look_only = true };
	_cleanup_http_ struct http_response r = { 0 };
	_cleanup_err_ struct err why = ERR_INIT;

	/* What the server says to a HEAD does not matter, not even whether it is HTTP, once its certificate was shown. */
	if (http_do(h, &q, &r, &why) < 0 && !*r.peer.fingerprint)
		return err_move(err, &why);
	if (!*r.peer.fingerprint)
		return err_set(err, ERR_REMOTE_BAD, "TLS: '%.200s' showed no certificate", url);
	*ret = TAKE(r.peer);
	return 0;
}

void net_look_done(struct http_peer *p)
{
	http_peer_clear(p);
}
