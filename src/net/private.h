/* SPDX-License-Identifier: Apache-2.0 */
/* private.h - between the files of net/ only. */
#ifndef NET_PRIVATE_H
#define NET_PRIVATE_H

#include "net/http.h"

/*
 * trust.c, the one file here that speaks with the TLS library: one store of the system's CAs (and net.trust) is built on first
 * use and shared by all connections, since one costs tens of milliseconds and up to two megabytes; CAs of an
 * integration's own get a small store each, kept too.
 */
struct trust;
int trust_new(const char *extra_pem, struct trust **ret, struct err *err); /* INVALID when the PEM holds no certificate */
void trust_free(struct trust *t);
int trust_check_pem(const char *pem, struct err *err);

/* What one connection is to be judged by, and what was met. */
struct trust_check {
	struct trust *trust;
	const char *ca_pem;          /* or NULL */
	const char *fingerprint;     /* 64 lower-case hex, or "" */
	bool look_only;
	struct http_peer *peer;      /* out */
	char why[160];               /* out: verification failure in words, "" = none */
};

/* For CURLOPT_SSL_CTX_FUNCTION; the argument is an SSL_CTX. False when an own CA text is unusable. */
bool trust_install(struct trust_check *c, void *ssl_ctx);

/* policy.c */
struct trust *net_policy_trust(const struct net_policy *p);
int net_policy_check_url(const struct net_policy *p, const struct net_rule *r, const struct url *u, bool by_proxy, struct err *err);
const struct url *net_policy_proxy(const struct net_policy *p, const struct net_rule *r, const struct url *u);
/* NULL when the proxy is used without signing in. The texts live as long as the policy. */
const char *net_policy_proxy_user(const struct net_policy *p);
const char *net_policy_proxy_password(const struct net_policy *p);
bool net_fingerprint_read(const char *text, char ret[65]);

void http_peer_clear(struct http_peer *p);

#endif
