/* SPDX-License-Identifier: Apache-2.0 */
/*
 * mail.h - hands one ready message to one mail server (RFC 5321 submission), through the same door as everything else: addresses
 * are judged on the real socket, TLS by the same trust. The message is text as notify/mail.h makes it, lines ended by CRLF.
 *
 * Ports: 25, 465, 587, 2525; others only where the rule says that a private host is meant. Through net.proxy only when the rule
 * says so. Errors as in net/http.h, and UNAUTHENTICATED (user or password), REMOTE_REFUSED (5yz), REMOTE_BUSY (4yz) with the
 * server's own words.
 */
#ifndef NET_MAIL_H
#define NET_MAIL_H

#include "base/stop.h"
#include "net/http.h"

enum mail_security { MAIL_STARTTLS, MAIL_TLS, MAIL_PLAIN };

struct mail_request {                 /* all borrowed during the call */
	const char *host;             /* name or address, IPv6 without brackets */
	uint16_t port;
	enum mail_security security;  /* MAIL_STARTTLS: the message is not sent without it */
	const char *user;             /* or NULL: no sign-in */
	const struct secret *password;
	const char *from;             /* bare addresses */
	const struct strlist *to;
	struct str message;           /* p NULL: a probe, which connects and signs in, and sends nothing */
	const struct net_rule *rule;
	int64_t timeout_ms;           /* 0 = a minute */
};

/* Host, port and literal address, without resolving: for create and update. INVALID. p may be NULL. */
int mail_check_host(const struct net_policy *p, const struct net_rule *r, const char *host, uint16_t port, struct err *err);
/* *ret_leg: where it failed; NET_LEG_HTTP stands for the conversation with the server. */
int mail_send(struct net_policy *p, const struct stop *stop, const struct mail_request *q, enum net_leg *ret_leg, struct err *err);

#endif
