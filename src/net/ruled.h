/* SPDX-License-Identifier: Apache-2.0 */
/*
 * ruled.h - a struct http that puts one integration's rule on every request, so that sessions and publishers call out by
 * their integration's way without knowing it; and a look at whom we would talk to.
 */
#ifndef NET_RULED_H
#define NET_RULED_H

#include "net/http.h"

struct ruled {
	struct http http;
	struct http *inner;
	const struct net_rule *rule;
};

/*
 * inner and rule are borrowed and outlive the requests; rule NULL changes nothing. A request's own rule counts only for
 * plain_ok: route, trust and addresses are the integration's. Gives &r->http. One thread at a time, as inner.
 */
struct http *ruled_init(struct ruled *r, struct http *inner, const struct net_rule *rule);

/*
 * The certificate that the URL's host shows now, whoever signed it: to be shown and confirmed at first contact, when its
 * fingerprint becomes the pin. One HEAD without credentials; of the rule only route and allowed networks count.
 * REMOTE_BAD when TLS was not spoken. ret is empty before and owned by the caller (http_response_done frees it in a response;
 * net_look_done here).
 */
int net_look(struct http *h, const struct net_rule *rule, const char *url, struct http_peer *ret, struct err *err);
void net_look_done(struct http_peer *p);
#define _cleanup_peer_ __attribute__((cleanup(net_look_done)))

#endif
