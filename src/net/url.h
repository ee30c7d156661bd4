/* SPDX-License-Identifier: Apache-2.0 */
/*
 * url.h - strict reading of the http and https URLs that we call, and the rule that a remote side may not send us
 * elsewhere.
 *
 * An URL is an opaque text: it is sent exactly as it was given (no slash added, no query stripped, no case changed).
 * Accepted is only what every program reads alike: printable ASCII, no user name, no fragment, no backslash, a host that
 * is a name of letters, digits, hyphens and underscores, four decimal numbers, or a bracketed IPv6 address. So
 * "2130706433", "0x7f.1", "127.1", "127.0.0.1." and "a@b" are not hosts.
 */
#ifndef NET_URL_H
#define NET_URL_H

#include "base/addr.h"
#include "base/buf.h"

struct url {
	char *text;      /* exactly as given */
	char *host;      /* lower case, IPv6 without brackets */
	char *path;      /* path and query, starts with '/' ("/" when the text has none) */
	uint16_t port;   /* 443 or 80 when the text has none */
	bool https;
	bool is_ip;      /* host is an address */
	union addr addr; /* with port, when is_ip */
};

/* INVALID with what is wrong with it. plain_ok: http:// is accepted too. ret must be empty. */
int url_parse(const char *text, bool plain_ok, struct url *ret, struct err *err);
/* Text of a reference ("/acme/7", "7", "?x", "//host/", "https://…") against base; the result is parsed strictly. */
int url_resolve(const struct url *base, const char *ref, struct url *ret, struct err *err);
/* Same scheme, host (without case) and port. */
bool url_same_origin(const struct url *a, const struct url *b);
/*
 * Resolves ref and refuses it unless it is on the origin of base, or its "host" or "host:port" is listed in also (NULL =
 * none; always https). REMOTE_BAD. *ret is owned by the caller.
 */
int url_pin(const struct url *base, const struct strlist *also, const char *ref, char **ret, struct err *err);
/* Percent-encodes all but A-Z a-z 0-9 - . _ ~ */
void url_escape(struct buf *out, const char *s, size_t n);

void url_done(struct url *u);
#define _cleanup_url_ __attribute__((cleanup(url_done)))

#endif
