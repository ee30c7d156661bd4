/* SPDX-License-Identifier: Apache-2.0 */
/*
 * policy.h - the one table of where we may connect to and how: proxy, exceptions from it, extra trust, allowed private
 * addresses. A snapshot is built from the configuration, never changes, is shared by all threads and counted; a reload
 * makes a new one. Workers take a reference per step.
 *
 * The guard judges the address of the real socket, so neither spelling nor name service can lead around it: loopback,
 * private, carrier-grade NAT, unique-local, documentation, multicast and unassigned addresses only when `net.allow` or the
 * integration's own rule lists them; link-local and metadata addresses never. IPv6 forms that carry an IPv4 address
 * (mapped, compatible, NAT64, 6to4, Teredo) are judged as what they carry.
 */
#ifndef NET_POLICY_H
#define NET_POLICY_H

#include "base/secret.h"
#include "net/url.h"

struct net_policy;

struct net_config {           /* texts as in the configuration; borrowed during the call */
	const char *proxy;    /* "http://host:port"; NULL or "" = none */
	const char *proxy_user; /* NULL = none is asked for */
	const struct secret *proxy_password; /* or NULL */
	const char *no_proxy; /* comma list: "example.com" (and below), "10.0.0.0/8", "*" */
	const char *trust;    /* PEM file of further trusted CAs, or NULL */
	const char *allow;    /* comma list of CIDRs */
	bool any_address;     /* the guard is off but for link-local and metadata: for the command line, where the user says where to */
};

int net_policy_new(const struct net_config *c, struct net_policy **ret, struct err *err);
struct net_policy *net_policy_ref(struct net_policy *p);
void net_policy_unref(struct net_policy *p);
void net_policy_unref_p(struct net_policy **p);
#define _cleanup_net_policy_ __attribute__((cleanup(net_policy_unref_p)))

enum net_route { NET_ROUTE_DEFAULT, NET_ROUTE_PROXY, NET_ROUTE_DIRECT };

/* What one integration says about its own host. All zero = as the configuration says. Borrowed during a request. */
struct net_rule {
	enum net_route route;
	const char *ca_pem;      /* these CAs only instead of the system's and `net.trust`; NULL = those */
	const char *fingerprint; /* SHA-256 of the server's certificate, hex with or without colons; then nothing else is checked */
	const char *allow;       /* comma list of CIDRs: "this private host is meant" */
	bool plain_ok;           /* http:// accepted */
};

/* For create and update of an integration: URL, rule texts and a literal address are checked; nothing is resolved. */
int net_policy_check(const struct net_policy *p, const struct net_rule *r, const char *url, struct err *err);

enum net_address {
	NET_ADDRESS_PUBLIC,
	NET_ADDRESS_PRIVATE, /* any special range that may be allowed */
	NET_ADDRESS_NEVER,   /* link-local, metadata, multicast, unspecified, broadcast */
};
/* Class of an address and the name of the range it falls into ("loopback", "private", …). */
enum net_address net_address_class(const union addr *a, const char **ret_range);
/* Whether a connection to the address is allowed; why not, in words, through ret_range. */
bool net_policy_allows(const struct net_policy *p, const struct net_rule *r, const union addr *a, const char **ret_range);

#endif
