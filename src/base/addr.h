/* SPDX-License-Identifier: Apache-2.0 */
/*
 * addr.h - socket addresses as text: "192.0.2.1:53", "[2001:db8::1]:53", and CIDR lists.
 */
#ifndef BASE_ADDR_H
#define BASE_ADDR_H

#include "base/err.h"

#include <netinet/in.h>
#include <sys/socket.h>

union addr {
	struct sockaddr sa;
	struct sockaddr_in in;
	struct sockaddr_in6 in6;
	struct sockaddr_storage ss;
};

#define ADDR_TEXT 64
/* IPv4 or [IPv6] literal with a port; host names are refused. Port 0 means "choose one". */
int addr_parse(const char *s, union addr *ret, struct err *err);
int addr_parse_ip(const char *s, union addr *ret, struct err *err); /* without port */
socklen_t addr_len(const union addr *a);
uint16_t addr_port(const union addr *a);
const char *addr_format(const union addr *a, char buf[ADDR_TEXT]);    /* with port */
const char *addr_format_ip(const union addr *a, char buf[ADDR_TEXT]); /* without */
bool addr_is_loopback(const union addr *a);

struct cidr {
	int family;
	unsigned char bytes[16];
	unsigned bits;
};

int cidr_parse(const char *s, struct cidr *ret, struct err *err); /* "10.0.0.0/8", a bare address is a single host */
bool cidr_has(const struct cidr *c, const union addr *a);         /* v4-mapped v6 addresses count as v4 */

#endif
