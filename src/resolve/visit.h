/* SPDX-License-Identifier: Apache-2.0 */
/* visit.h - one visit through a view: its budget of time and questions, the zone cut and its servers; private to resolve/. */
#ifndef RESOLVE_VISIT_H
#define RESOLVE_VISIT_H

#include "resolve/exchange.h"

struct visit {
	const struct resolve_view *v;
	int64_t deadline;  /* boot clock */
	unsigned queries;
	size_t good;       /* the resolver of the view that answered last */
	struct dns_name zone;
	char hosts[RESOLVE_SERVERS][DNS_NAME_TEXT];
	size_t n_hosts;
	union addr addrs[RESOLVE_SERVERS];
	char addr_host[RESOLVE_SERVERS][DNS_NAME_TEXT];
	size_t n_addrs;
};

void visit_init(struct visit *t, const struct resolve_view *v);
/* The first resolver of the view that answers with something; false when none does or the budget is spent. */
bool visit_ask_view(struct visit *t, const struct dns_name *name, uint16_t type, struct exchange *x);
/* The deepest zone cut at or above name and the host names of its servers. NETWORK with the reason. */
int visit_cut(struct visit *t, const struct dns_name *name, struct err *err);
/* One address per host: the first A, or for hosts that have none the first AAAA. */
void visit_addresses(struct visit *t);
/* All of t->addrs at once; x has room for n_addrs. Returns how many were asked. */
size_t visit_ask_servers(struct visit *t, const struct dns_name *name, uint16_t type, struct exchange *x);

/* The same question by DNS over HTTPS (RFC 8484); fills x as exchange_run does. */
void doh_run(const struct resolve_view *v, struct exchange *x, int64_t deadline_boot_ms);

#endif
