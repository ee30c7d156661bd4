/* SPDX-License-Identifier: Apache-2.0 */
/* addr.c - see addr.h. */
#include "base/addr.h"

#include "base/str.h"

#include <arpa/inet.h>
#include <stdio.h>

int addr_parse_ip(const char *s, union addr *ret, struct err *err)
{
	union addr a = { 0 };

	if (inet_pton(AF_INET, s, &a.in.sin_addr) == 1)
		a.in.sin_family = AF_INET;
	else if (inet_pton(AF_INET6, s, &a.in6.sin6_addr) == 1)
		a.in6.sin6_family = AF_INET6;
	else
		return err_set(err, ERR_INVALID, "not an IP address: '%.64s'", s);
	*ret = a;
	return 0;
}

int addr_parse(const char *s, union addr *ret, struct err *err)
{
	const char *colon = strrchr(s, ':');
	_cleanup_free_ char *host = NULL;
	int64_t port;
	union addr a;

	if (!colon || colon == s)
		goto bad;
	if (s[0] == '[') {
		if (colon[-1] != ']')
			goto bad;
		host = xstrndup(s + 1, (size_t)(colon - s) - 2);
	} else {
		host = xstrndup(s, (size_t)(colon - s));
		if (strchr(host, ':'))
			goto bad;
	}
	if (addr_parse_ip(host, &a, err) < 0)
		return -(int)err->code;
	if ((s[0] == '[') != (a.sa.sa_family == AF_INET6))
		goto bad;
	if (str_to_i64(colon + 1, 0, 65535, &port, err) < 0)
		return err_wrap(err, "not a port in '%.80s'", s);
	if (a.sa.sa_family == AF_INET)
		a.in.sin_port = htons((uint16_t)port);
	else
		a.in6.sin6_port = htons((uint16_t)port);
	*ret = a;
	return 0;
bad:
	return err_set(err, ERR_INVALID, "not an address with port (as 192.0.2.1:53 or [2001:db8::1]:53): '%.80s'", s);
}

socklen_t addr_len(const union addr *a)
{
	return a->sa.sa_family == AF_INET6 ? sizeof a->in6 : sizeof a->in;
}

uint16_t addr_port(const union addr *a)
{
	return ntohs(a->sa.sa_family == AF_INET6 ? a->in6.sin6_port : a->in.sin_port);
}

const char *addr_format_ip(const union addr *a, char buf[ADDR_TEXT])
{
	const void *p = a->sa.sa_family == AF_INET6 ? (const void *)&a->in6.sin6_addr : (const void *)&a->in.sin_addr;

	if (!inet_ntop(a->sa.sa_family, p, buf, ADDR_TEXT))
		snprintf(buf, ADDR_TEXT, "?");
	return buf;
}

const char *addr_format(const union addr *a, char buf[ADDR_TEXT])
{
	char ip[ADDR_TEXT];

	addr_format_ip(a, ip);
	snprintf(buf, ADDR_TEXT, a->sa.sa_family == AF_INET6 ? "[%.50s]:%u" : "%.50s:%u", ip, addr_port(a));
	return buf;
}

static const unsigned char *address_bytes(const union addr *a, int *ret_family)
{
	if (a->sa.sa_family == AF_INET) {
		*ret_family = AF_INET;
		return (const unsigned char *)&a->in.sin_addr;
	}
	if (IN6_IS_ADDR_V4MAPPED(&a->in6.sin6_addr)) {
		*ret_family = AF_INET;
		return a->in6.sin6_addr.s6_addr + 12;
	}
	*ret_family = AF_INET6;
	return a->in6.sin6_addr.s6_addr;
}

bool addr_is_loopback(const union addr *a)
{
	int family;
	const unsigned char *p = address_bytes(a, &family);

	return family == AF_INET ? p[0] == 127 : IN6_IS_ADDR_LOOPBACK(&a->in6.sin6_addr);
}

int cidr_parse(const char *s, struct cidr *ret, struct err *err)
{
	const char *slash = strchr(s, '/');
	_cleanup_free_ char *ip = slash ? xstrndup(s, (size_t)(slash - s)) : xstrdup(s);
	union addr a;
	int64_t bits;
	struct cidr c = { 0 };
	int max;

	if (addr_parse_ip(ip, &a, err) < 0)
		return -(int)err->code;
	memcpy(c.bytes, address_bytes(&a, &c.family), a.sa.sa_family == AF_INET ? 4 : 16);
	max = c.family == AF_INET ? 32 : 128;
	bits = max;
	if (slash && str_to_i64(slash + 1, 0, max, &bits, err) < 0)
		return err_wrap(err, "not a network: '%.64s'", s);
	c.bits = (unsigned)bits;
	*ret = c;
	return 0;
}

bool cidr_has(const struct cidr *c, const union addr *a)
{
	int family;
	const unsigned char *p = address_bytes(a, &family);

	if (family != c->family)
		return false;
	for (unsigned i = 0; i < c->bits; i++)
		if ((p[i / 8] ^ c->bytes[i / 8]) & (0x80u >> (i % 8)))
			return false;
	return true;
}
