/* SPDX-License-Identifier: Apache-2.0 */
/* view.h - through whom DNS is looked at (resolve/resolve.h), and the rules that choose a view for a name. */
#ifndef MODEL_VIEW_H
#define MODEL_VIEW_H

#include "model/enum.h"

#define VIEW_KINDS(X)                                                                                                  \
	X(VIEW_SYSTEM, "system")   /* the resolvers of /etc/resolv.conf */                                             \
	X(VIEW_SERVERS, "servers") /* a list of resolvers */                                                           \
	X(VIEW_DOH, "doh")         /* DNS over HTTPS, through the proxy where there is one */
DECLARE_ENUM(view_kind, VIEW_KINDS);

struct dns_view {
	char *id;
	int64_t num;
	char *name;
	enum view_kind kind;
	char *servers;    /* "192.0.2.1:53, [2001:db8::1]:53"; "" unless VIEW_SERVERS */
	char *url;        /* "" unless VIEW_DOH */
	bool direct;      /* the authoritative servers themselves are asked; else the view's own resolvers */
	char *connection; /* model/connection.h, or NULL; VIEW_DOH */
	int64_t rev, created_ms, updated_ms, deleted_ms;
};
void dns_view_done(struct dns_view *v);
#define _cleanup_dns_view_ __attribute__((cleanup(dns_view_done)))

struct view_rule {
	char *id;
	int64_t num;
	char *suffix;  /* canonical; "" = every name */
	char *vendor;  /* key of the registry, "" = any */
	char *view_id; /* NULL: nobody is asked, wait_s decides */
	int64_t wait_s;
	int64_t rev, created_ms, updated_ms, deleted_ms;
};
void view_rule_done(struct view_rule *r);
#define _cleanup_view_rule_ __attribute__((cleanup(view_rule_done)))

/* What was asked of our DNS server about a delegated zone. */
struct asked {
	char *network;   /* "192.0.2.0/24" */
	char *transport; /* "udp", "tcp" */
	char *qtype;     /* "TXT" */
	char *outcome;   /* "answered", "empty", "REFUSED" */
	int64_t times, first_ms, last_ms;
};
void asked_done(struct asked *a);
#define _cleanup_asked_ __attribute__((cleanup(asked_done)))

#endif
