/* SPDX-License-Identifier: Apache-2.0 */
/* policy.c - see policy.h. */
#include "net/policy.h"

#include "net/private.h"

#include "base/file.h"

#include <stdatomic.h>
#include <stdio.h>

#define MAX_CIDRS 256

struct cidrs {
	struct cidr v[MAX_CIDRS];
	size_t n;
};

struct net_policy {
	atomic_int refs;
	struct url proxy; /* text NULL = none */
	char *proxy_user;
	struct secret proxy_password;
	struct strlist no_proxy;
	struct cidrs no_proxy_cidrs, allow;
	bool any_address;
	struct trust *trust;
};

/* ---- classes of addresses ---- */

struct range {
	unsigned char bytes[16];
	unsigned bits;
	enum net_address class;
	const char *name;
};

/* IANA's special-purpose registry for IPv4; the first that fits counts. */
static const struct range ranges4[] = {
	{ { 169, 254 }, 16, NET_ADDRESS_NEVER, "link-local and metadata" },
	{ { 100, 100, 100, 200 }, 32, NET_ADDRESS_NEVER, "metadata" },
	{ { 192, 0, 0, 192 }, 32, NET_ADDRESS_NEVER, "metadata" },
	{ { 168, 63, 129, 16 }, 32, NET_ADDRESS_NEVER, "metadata" },
	{ { 0 }, 8, NET_ADDRESS_NEVER, "unspecified" },
	{ { 224 }, 4, NET_ADDRESS_NEVER, "multicast" },
	{ { 255, 255, 255, 255 }, 32, NET_ADDRESS_NEVER, "broadcast" },
	{ { 127 }, 8, NET_ADDRESS_PRIVATE, "loopback" },
	{ { 10 }, 8, NET_ADDRESS_PRIVATE, "private" },
	{ { 172, 16 }, 12, NET_ADDRESS_PRIVATE, "private" },
	{ { 192, 168 }, 16, NET_ADDRESS_PRIVATE, "private" },
	{ { 100, 64 }, 10, NET_ADDRESS_PRIVATE, "carrier-grade NAT" },
	{ { 192, 0, 0 }, 24, NET_ADDRESS_PRIVATE, "protocol assignments" },
	{ { 192, 0, 2 }, 24, NET_ADDRESS_PRIVATE, "documentation" },
	{ { 198, 51, 100 }, 24, NET_ADDRESS_PRIVATE, "documentation" },
	{ { 203, 0, 113 }, 24, NET_ADDRESS_PRIVATE, "documentation" },
	{ { 192, 88, 99 }, 24, NET_ADDRESS_PRIVATE, "6to4 relay" },
	{ { 198, 18 }, 15, NET_ADDRESS_PRIVATE, "benchmarking" },
	{ { 240 }, 4, NET_ADDRESS_PRIVATE, "reserved" },
};

static const struct range ranges6[] = {
	{ { 0xfe, 0x80 }, 10, NET_ADDRESS_NEVER, "link-local" },
	{ { 0xfd, 0x00, 0x0e, 0xc2, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0x02, 0x54 }, 128, NET_ADDRESS_NEVER, "metadata" },
	{ { 0xfd, 0x20, 0x00, 0xce, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0x02, 0x54 }, 128, NET_ADDRESS_NEVER, "metadata" },
	{ { 0xff }, 8, NET_ADDRESS_NEVER, "multicast" },
	{ { 0 }, 128, NET_ADDRESS_NEVER, "unspecified" },
	{ { 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 1 }, 128, NET_ADDRESS_PRIVATE, "loopback" },
	{ { 0xfc }, 7, NET_ADDRESS_PRIVATE, "unique-local" },
	{ { 0xfe, 0xc0 }, 10, NET_ADDRESS_PRIVATE, "site-local" },
	{ { 0x20, 0x01, 0x0d, 0xb8 }, 32, NET_ADDRESS_PRIVATE, "documentation" },
	{ { 0x3f, 0xff }, 20, NET_ADDRESS_PRIVATE, "documentation" },
	{ { 0x20, 0x01, 0x00, 0x02, 0 }, 48, NET_ADDRESS_PRIVATE, "benchmarking" },
	{ { 0x20, 0x01, 0x00, 0x10 }, 28, NET_ADDRESS_PRIVATE, "ORCHID" },
	{ { 0x20, 0x01, 0x00, 0x20 }, 28, NET_ADDRESS_PRIVATE, "ORCHID" },
};

static bool in_range(const unsigned char *p, const struct range *r)
{
	unsigned whole = r->bits / 8, rest = r->bits % 8;

	if (memcmp(p, r->bytes, whole))
		return false;
	return !rest || !((p[whole] ^ r->bytes[whole]) & (0xffu << (8 - rest)) & 0xff);
}

static const struct range *find_range(const unsigned char *p, const struct range *r, size_t n)
{
	for (size_t i = 0; i < n; i++)
		if (in_range(p, &r[i]))
			return &r[i];
	return NULL;
}

static bool is_nat64(const unsigned char *p)
{
	static const unsigned char prefix[12] = { 0, 0x64, 0xff, 0x9b };

	return !memcmp(p, prefix, 12);
}

/* IPv4 inside an IPv6 address: mapped, compatible, translated, NAT64 (both prefixes), 6to4, Teredo, ISATAP. */
static bool embedded_v4(const unsigned char *p, unsigned char v4[4])
{
	static const unsigned char zero[12];
	static const unsigned char nat64_local[6] = { 0, 0x64, 0xff, 0x9b, 0, 1 };
	static const unsigned char teredo[4] = { 0x20, 0x01, 0, 0 };

	if (!memcmp(p, zero, 10) && ((p[10] == 0xff && p[11] == 0xff) || (!p[10] && !p[11] && (p[12] || p[13] || p[14] || p[15] > 1)))) {
		memcpy(v4, p + 12, 4);
	} else if (!memcmp(p, zero, 8) && p[8] == 0xff && p[9] == 0xff && !p[10] && !p[11]) {
		memcpy(v4, p + 12, 4);
	} else if (is_nat64(p) || !memcmp(p, nat64_local, 6)) {
		memcpy(v4, p + 12, 4);
	} else if (p[0] == 0x20 && p[1] == 0x02) {
		memcpy(v4, p + 2, 4);
	} else if (!memcmp(p, teredo, 4)) {
		for (int i = 0; i < 4; i++)
			v4[i] = p[12 + i] ^ 0xff;
	} else if ((p[8] & 0xfd) == 0 && !p[9] && p[10] == 0x5e && p[11] == 0xfe) {
		memcpy(v4, p + 12, 4);
	} else {
		return false;
	}
	return true;
}

static enum net_address class4(const unsigned char *p, const char **ret_range)
{
	const struct range *r = find_range(p, ranges4, ARRAY_SIZE(ranges4));

	*ret_range = r ? r->name : "public";
	return r ? r->class : NET_ADDRESS_PUBLIC;
}

enum net_address net_address_class(const union addr *a, const char **ret_range)
{
	const char *ignored;
	const unsigned char *p;
	const struct range *r;
	unsigned char v4[4];

	if (!ret_range)
		ret_range = &ignored;
	if (a->sa.sa_family == AF_INET)
		return class4((const unsigned char *)&a->in.sin_addr, ret_range);
	if (a->sa.sa_family != AF_INET6) {
		*ret_range = "not an IP address";
		return NET_ADDRESS_NEVER;
	}
	p = a->in6.sin6_addr.s6_addr;
	r = find_range(p, ranges6, ARRAY_SIZE(ranges6));
	if (!r && embedded_v4(p, v4)) {
		enum net_address c = class4(v4, ret_range);
		bool routed = (p[0] & 0xe0) == 0x20 || IN6_IS_ADDR_V4MAPPED(&a->in6.sin6_addr) || is_nat64(p);

		if (c != NET_ADDRESS_PUBLIC || routed)
			return c;
		*ret_range = "reserved";
		return NET_ADDRESS_PRIVATE;
	}
	if (!r && (p[0] & 0xe0) != 0x20) {
		*ret_range = "unassigned";
		return NET_ADDRESS_PRIVATE;
	}
	*ret_range = r ? r->name : "public";
	return r ? r->class : NET_ADDRESS_PUBLIC;
}

/* ---- lists of networks ---- */

static bool cidrs_have(const struct cidrs *l, const union addr *a)
{
	for (size_t i = 0; i < l->n; i++)
		if (cidr_has(&l->v[i], a))
			return true;
	return false;
}

static int cidrs_parse(struct cidrs *l, const char *text, const char *what, struct err *err)
{
	_cleanup_strlist_ struct strlist parts = { 0 };
	_cleanup_free_ char *blanks = NULL;

	if (str_empty(text))
		return 0;
	blanks = xstrdup(text);
	for (char *p = blanks; *p; p++)
		if (*p == ' ' || *p == '\t' || *p == '\n')
			*p = ',';
	strlist_split(&parts, blanks, ',');
	if (parts.n > MAX_CIDRS)
		return err_set(err, ERR_INVALID, "%s lists more than %d networks", what, MAX_CIDRS);
	for (size_t i = 0; i < parts.n; i++)
		if (cidr_parse(parts.v[i], &l->v[l->n++], err) < 0)
			return err_wrap(err, "could not read %s", what);
	return 0;
}

bool net_policy_allows(const struct net_policy *p, const struct net_rule *r, const union addr *a, const char **ret_range)
{
	enum net_address c = net_address_class(a, ret_range);

	if (c == NET_ADDRESS_NEVER)
		return false;
	if (c == NET_ADDRESS_PUBLIC || p->any_address || cidrs_have(&p->allow, a))
		return true;
	if (r && !str_empty(r->allow)) {
		_cleanup_err_ struct err ignored = ERR_INIT;
		struct cidrs *own = xcalloc(1, sizeof *own);
		bool ok = cidrs_parse(own, r->allow, "the allowed networks", &ignored) == 0 && cidrs_have(own, a);

		free(own);
		return ok;
	}
	return false;
}

/* ---- ports that speak other protocols: a body sent there would be read as commands ---- */

static bool port_forbidden(uint16_t port)
{
	static const uint16_t bad[] = { 1,   7,	  9,   11,  13,	 15,  17,  19,	20,  21,  22,  23,   25,   37,	 42,   43,   53,   69,
					77,  79,  87,  95,  101, 102, 103, 104, 109, 110, 111, 113,  115,  117,	 119,  123,  135,  137,
					139, 143, 161, 179, 389, 427, 465, 512, 513, 514, 515, 526,  530,  531,	 532,  540,  548,  554,
					556, 563, 587, 601, 636, 873, 989, 990, 993, 995, 1433, 1521, 1719, 1720, 1723, 2049, 3306, 3389,
					3659, 4045, 5060, 5061, 5432, 6000, 6379, 6566, 6665, 6666, 6667, 6668, 6669, 6697, 9100, 11211, 27017 };

	for (size_t i = 0; i < ARRAY_SIZE(bad); i++)
		if (bad[i] == port)
			return true;
	return false;
}

/* Names that every resolver or cloud maps to what we must not reach, for the case that a proxy resolves them. */
static bool name_forbidden(const char *host, const char **ret_why, bool *ret_never)
{
	*ret_never = false;
	if (streq(host, "localhost") || str_ends(host, ".localhost") || streq(host, "localhost.localdomain") ||
	    streq(host, "ip6-localhost") || streq(host, "ip6-loopback")) {
		*ret_why = "loopback";
		return true;
	}
	if (streq(host, "metadata") || str_ends(host, "metadata.google.internal") || str_ends(host, ".metadata.goog")) {
		*ret_why = "metadata";
		*ret_never = true;
		return true;
	}
	return false;
}

static int refuse(struct err *err, const char *host, const char *range)
{
	err_set(err, ERR_INVALID, "connections to '%s' are not allowed: %s address", host, range);
	if (!strstr(range, "metadata") && !strstr(range, "link-local"))
		err_hint(err, "If this host is meant, list its network in net.allow or in the integration itself.");
	return -ERR_INVALID;
}

int net_policy_check_url(const struct net_policy *p, const struct net_rule *r, const struct url *u, bool by_proxy, struct err *err)
{
	const char *range = NULL;
	bool never;

	if (port_forbidden(u->port))
		return err_set(err, ERR_INVALID, "connections to port %u are not allowed: another protocol lives there", u->port);
	if (u->is_ip)
		return net_policy_allows(p, r, &u->addr, &range) ? 0 : refuse(err, u->host, range);
	if (name_forbidden(u->host, &range, &never)) {
		union addr loop;
		const char *ignored;

		/* Without a proxy the socket's address is judged, which is better. */
		if (never)
			return refuse(err, u->host, range);
		if (by_proxy && addr_parse_ip("127.0.0.1", &loop, err) == 0 && !net_policy_allows(p, r, &loop, &ignored))
			return refuse(err, u->host, range);
	}
	return 0;
}

static bool no_proxy_has(const struct net_policy *p, const struct url *u)
{
	for (size_t i = 0; i < p->no_proxy.n; i++) {
		const char *rule = p->no_proxy.v[i], *name = *rule == '.' ? rule + 1 : rule;
		size_t n = strlen(name), h = strlen(u->host);

		if (streq(rule, "*"))
			return true;
		if (!u->is_ip && h >= n && streq(u->host + h - n, name) && (h == n || u->host[h - n - 1] == '.'))
			return true;
	}
	return u->is_ip && cidrs_have(&p->no_proxy_cidrs, &u->addr);
}

const struct url *net_policy_proxy(const struct net_policy *p, const struct net_rule *r, const struct url *u)
{
	enum net_route route = r ? r->route : NET_ROUTE_DEFAULT;

	if (!p->proxy.text || route == NET_ROUTE_DIRECT)
		return NULL;
	return route == NET_ROUTE_DEFAULT && no_proxy_has(p, u) ? NULL : &p->proxy;
}

const char *net_policy_proxy_user(const struct net_policy *p)
{
	return p->proxy_user;
}

const char *net_policy_proxy_password(const struct net_policy *p)
{
	return p->proxy_password.p ? (const char *)p->proxy_password.p : "";
}

struct trust *net_policy_trust(const struct net_policy *p)
{
	return p->trust;
}

bool net_fingerprint_read(const char *text, char ret[65])
{
	static const char hex[] = "0123456789abcdef";
	size_t n = 0;

	if (str_starts(text, "sha256:") || str_starts(text, "SHA256:"))
		text += 7;
	for (; *text; text++) {
		char c = *text >= 'A' && *text <= 'F' ? (char)(*text + 32) : *text;

		if (*text == ':' && n && n % 2 == 0)
			continue;
		if (!strchr(hex, c) || n >= 64)
			return false;
		ret[n++] = c;
	}
	ret[n] = '\0';
	return n == 64;
}

int net_policy_check(const struct net_policy *p, const struct net_rule *r, const char *url, struct err *err)
{
	_cleanup_url_ struct url u = { 0 };
	_cleanup_free_ struct cidrs *own = xcalloc(1, sizeof *own);
	char fingerprint[65];

	if (url_parse(url, r && r->plain_ok, &u, err) < 0)
		return -(int)err->code;
	if (r && cidrs_parse(own, r->allow, "the allowed networks", err) < 0)
		return -(int)err->code;
	if (r && r->fingerprint && !net_fingerprint_read(r->fingerprint, fingerprint))
		return err_set(err, ERR_INVALID, "the fingerprint is not a SHA-256 in 64 hexadecimal digits");
	if (r && r->route == NET_ROUTE_PROXY && !p->proxy.text)
		return err_set(err, ERR_INVALID, "it shall go through the proxy, but net.proxy is not set");
	if (r && r->ca_pem && trust_check_pem(r->ca_pem, err) < 0)
		return -(int)err->code;
	return net_policy_check_url(p, r, &u, net_policy_proxy(p, r, &u) != NULL, err);
}

/* ---- life ---- */

static int read_no_proxy(struct net_policy *p, const char *text, struct err *err)
{
	_cleanup_strlist_ struct strlist parts = { 0 };
	_cleanup_free_ char *s = NULL;

	if (str_empty(text))
		return 0;
	s = xstrdup(text);
	for (char *c = s; *c; c++)
		if (*c == ' ' || *c == '\t' || *c == '\n')
			*c = ',';
	str_lower(s);
	strlist_split(&parts, s, ',');
	for (size_t i = 0; i < parts.n; i++) {
		_cleanup_err_ struct err ignored = ERR_INIT;
		struct cidr c;

		if (cidr_parse(parts.v[i], &c, &ignored) == 0) {
			if (p->no_proxy_cidrs.n == MAX_CIDRS)
				return err_set(err, ERR_INVALID, "net.no_proxy lists more than %d networks", MAX_CIDRS);
			p->no_proxy_cidrs.v[p->no_proxy_cidrs.n++] = c;
		} else if (strchr(parts.v[i], '/') || strchr(parts.v[i], ':')) {
			return err_set(err, ERR_INVALID, "net.no_proxy: '%.64s' is neither a name nor a network", parts.v[i]);
		} else {
			strlist_add(&p->no_proxy, parts.v[i]);
		}
	}
	return 0;
}

int net_policy_new(const struct net_config *c, struct net_policy **ret, struct err *err)
{
	_cleanup_net_policy_ struct net_policy *p = xcalloc(1, sizeof *p);
	_cleanup_buf_ struct buf pem = BUF_MAX(1024 * 1024);

	atomic_init(&p->refs, 1);
	p->any_address = c->any_address;
	if (!str_empty(c->proxy)) {
		if (url_parse(c->proxy, true, &p->proxy, err) < 0)
			return err_wrap(err, "could not read net.proxy");
		if (p->proxy.https)
			return err_set(err, ERR_INVALID, "net.proxy: only http://host:port is supported (what goes through it is TLS)");
		if (!streq(p->proxy.path, "/"))
			return err_set(err, ERR_INVALID, "net.proxy has a path: give only http://host:port");
	}
	if (!str_empty(c->proxy_user)) {
		if (strchr(c->proxy_user, ':'))
			return err_set(err, ERR_INVALID, "net.proxy_user has a colon: the proxy would take what follows for the password");
		p->proxy_user = xstrdup(c->proxy_user);
		if (c->proxy_password)
			p->proxy_password = secret_copy(c->proxy_password->p, c->proxy_password->n);
	}
	if (read_no_proxy(p, c->no_proxy, err) < 0 || cidrs_parse(&p->allow, c->allow, "net.allow", err) < 0)
		return -(int)err->code;
	if (!str_empty(c->trust) && file_read(c->trust, &pem, err) < 0)
		return err_wrap(err, "could not read net.trust");
	if (trust_new(pem.n ? buf_text(&pem) : NULL, &p->trust, err) < 0)
		return err_wrap(err, "could not read net.trust '%s'", c->trust);
	*ret = TAKE(p);
	return 0;
}

struct net_policy *net_policy_ref(struct net_policy *p)
{
	atomic_fetch_add(&p->refs, 1);
	return p;
}

void net_policy_unref(struct net_policy *p)
{
	if (!p || atomic_fetch_sub(&p->refs, 1) != 1)
		return;
	url_done(&p->proxy);
	free(p->proxy_user);
	secret_clear(&p->proxy_password);
	strlist_clear(&p->no_proxy);
	trust_free(p->trust);
	free(p);
}

void net_policy_unref_p(struct net_policy **p)
{
	net_policy_unref(*p);
	*p = NULL;
}
