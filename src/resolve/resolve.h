/* SPDX-License-Identifier: Apache-2.0 */
/*
 * resolve.h - the DNS client: finds the authoritative servers of a name and says who returned which values. It reports
 * facts; the engine decides what they mean.
 *
 * A view says through whom we look at the world: recursive resolvers for finding zone cuts and server addresses (of
 * /etc/resolv.conf when none are configured). The value itself is never taken from a cache: every authoritative server of
 * the deepest zone cut is asked directly, all at once. Only a view with ask_view (a network that lets no DNS out, and
 * tests) asks the view's own resolvers for the value. Nothing here is asked before something was published: a cache on the way
 * would remember that there was nothing.
 *
 * A view by DNS over HTTPS (RFC 8484) goes through net/, so through the proxy where port 53 is closed outward.
 *
 * One visit takes at most RESOLVE_VISIT_MS (RESOLVE_DOH_MS by HTTPS) and RESOLVE_QUERIES queries, UDP first, TCP after
 * truncation. No state is kept between visits. Thread-safe: a view never changes; a DoH view belongs to the thread of its http.
 */
#ifndef RESOLVE_RESOLVE_H
#define RESOLVE_RESOLVE_H

#include "base/addr.h"
#include "base/str.h"
#include "dns/dns.h"
#include "net/http.h"

#define RESOLVE_VISIT_MS 3000
#define RESOLVE_DOH_MS 15000
#define RESOLVE_QUERIES 20
#define RESOLVE_SERVERS 12 /* addresses asked for one value */
#define RESOLVE_RESOLVERS 4
#define RESOLVE_VALUES 250 /* of one server that are read */

struct resolve_view {
	union addr resolvers[RESOLVE_RESOLVERS];
	size_t n;
	bool ask_view;      /* ask the resolvers themselves for the value */
	uint16_t auth_port; /* of authoritative servers; 0 = 53 */
	/* By HTTPS, when doh is set; then n is 0. All borrowed. */
	const char *doh; /* URL, without the variable of RFC 8484 4.1 */
	struct http *http;
	const struct net_rule *rule; /* or NULL */
};

/* There is somebody to ask. */
static inline bool resolve_view_usable(const struct resolve_view *v)
{
	return v->n > 0 || (v->doh && v->http);
}

/* "192.0.2.1:53, [2001:db8::1]" (port 53 when left out); "" or NULL reads /etc/resolv.conf. INVALID with the entry. */
int resolve_view_parse(const char *text, bool ask_view, struct resolve_view *ret, struct err *err);

/* What one server said. */
struct resolve_server {
	char name[DNS_NAME_TEXT]; /* host name of the server, "" when asked by address */
	char address[ADDR_TEXT];
	bool answered;
	unsigned rcode;
	bool authoritative;    /* AA was set */
	bool tcp;              /* the answer did not fit into UDP */
	struct strlist values; /* TXT, each joined from its strings; not more than RESOLVE_VALUES */
	char *trouble;         /* why it did not answer, or NULL */
};

struct resolve_report {
	char zone[DNS_NAME_TEXT]; /* deepest zone cut found */
	char *alias;              /* target of a CNAME met at the name, or NULL; it is not followed */
	bool inside;              /* every server of the zone has an address that the Internet cannot reach */
	bool tcp;                 /* an answer had to be asked for by TCP: there are too many values for UDP */
	struct resolve_server *servers;
	size_t n;
	unsigned queries;
};
void resolve_report_done(struct resolve_report *r);
#define _cleanup_resolve_report_ __attribute__((cleanup(resolve_report_done)))

/*
 * TXT at name as every authoritative server has it. 0 also when servers say different things or nothing: look at the report.
 * NETWORK: no server could be found at all, with the reason. follow: a CNAME at the name is followed once.
 */
int resolve_txt(const struct resolve_view *v, const char *name, bool follow, struct resolve_report *ret, struct err *err);

/* Every server answered and has the value. */
bool resolve_report_all_have(const struct resolve_report *r, const char *value);
/* What the server said about it: "has it", "answers REFUSED", "has no TXT record there"; owned by the caller. */
char *resolve_server_text(const struct resolve_server *s, const char *value);
/* "2 of 3 servers have it; ns2.example.com (192.0.2.7:53): no answer": owned by the caller. */
char *resolve_report_text(const struct resolve_report *r, const char *value);

#endif
