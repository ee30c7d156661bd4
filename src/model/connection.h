/* SPDX-License-Identifier: Apache-2.0 */
/*
 * connection.h - what one integration (an account's directory, a DNS provider, a device) says about the way to its own host:
 * through the proxy or not, whom to trust, and that a private address is meant. All zero = as the configuration says.
 *
 * Owners of tables keep it as one TEXT column `connection` (connection_text, connection_parse; NULL when empty), and the API
 * takes and shows it as one JSON object:
 *
 *	"connection": { "route": "direct", "ca_pem": "-----BEGIN…", "fingerprint": "ab12…", "allow": ["10.1.0.0/16"] }
 *
 * "This private host is meant" (allow) is a confirmation, and it is given for one host and port: whoever saves the object says
 * which with connection_confirm. A connection that was confirmed for another host than the integration has now is refused by
 * connection_check_host, so that a change of the host cannot take the permission along; it has to be given again.
 *
 *	creating       decode the body, connection_confirm(host, port), store
 *	updating       body has a connection: the same. It has none, but the URL changes: connection_check_host refuses
 *	calling        connection_check_host again, then engine/door.h makes the rule of a request
 */
#ifndef MODEL_CONNECTION_H
#define MODEL_CONNECTION_H

#include "base/json.h"
#include "model/enum.h"

#define ROUTES(X)                                                                                                      \
	X(ROUTE_DEFAULT, "default") /* as net.proxy and net.no_proxy say */                                            \
	X(ROUTE_PROXY, "proxy")     /* through net.proxy even where net.no_proxy says otherwise */                      \
	X(ROUTE_DIRECT, "direct")
DECLARE_ENUM(route, ROUTES);

struct connection {
	enum route route;
	char *ca_pem;        /* these CAs only, instead of the system's and net.trust; or NULL */
	char *fingerprint;   /* pinned certificate: SHA-256, 64 lower-case hex digits; then nothing else is checked; or NULL */
	char *allow;         /* comma list of CIDRs: this private host is meant; or NULL */
	char *confirmed_for; /* "host:port" that allow was given for; NULL without allow */
};

bool connection_empty(const struct connection *c);

/*
 * Strict: doc is the object (NULL and null: empty); INVALID with the field under pointer ("/connection" + "/allow/0").
 * With stored false (an API body) confirmed_for is refused: only we write it. ret must be empty.
 */
int connection_decode(json_t *doc, const char *pointer, bool stored, struct connection *ret, struct err *err);
/* As the API shows it: all members, null for what is not set; the caller owns the result. */
json_t *connection_encode(const struct connection *c);

/* The text of the column `connection` and back. connection_text gives NULL for an empty one. INTERNAL when the text is broken. */
char *connection_text(const struct connection *c);
int connection_parse(const char *text, struct connection *ret, struct err *err);

/* Binds allow to the host (as in an URL, IPv6 without brackets) and port. Nothing happens without allow. */
void connection_confirm(struct connection *c, const char *host, uint16_t port);
/* CONFLICT with what to do when allow was confirmed for another host or port. */
int connection_check_host(const struct connection *c, const char *host, uint16_t port, struct err *err);

void connection_copy(struct connection *to, const struct connection *from); /* to must be empty */
bool connection_equal(const struct connection *a, const struct connection *b);
void connection_done(struct connection *c);
#define _cleanup_connection_ __attribute__((cleanup(connection_done)))

#endif
