/* SPDX-License-Identifier: Apache-2.0 */
/*
 * visit.c - one visit to the servers of a name: the deepest zone cut (an NS-delegated _acme-challenge is a zone of its own), its
 * name servers, their addresses, and then the value from each of them directly.
 */
#include "resolve/resolve.h"

#include "base/clock.h"
#include "base/limits.h"
#include "resolve/exchange.h"

#include <stdio.h>

struct visit {
	const struct resolve_view *v;
	struct resolve_report *rep;
	int64_t deadline;
	struct dns_name zone;
	char hosts[RESOLVE_SERVERS][DNS_NAME_TEXT];
	size_t n_hosts;
	union addr addrs[RESOLVE_SERVERS];
	char addr_host[RESOLVE_SERVERS][DNS_NAME_TEXT];
	size_t n_addrs;
};

/* The first resolver that answers; false when none does or the budget is spent. */
static bool ask_view(struct visit *t, const struct dns_name *name, uint16_t type, struct exchange *x)
{
	for (size_t i = 0; i < t->v->n; i++) {
		int64_t left = t->deadline - clock_boot(&clock_system);

		if (t->rep->queries >= RESOLVE_QUERIES || left <= 0)
			return false;
		*x = (struct exchange){ .to = t->v->resolvers[i], .name = *name, .type = type, .recurse = true };
		t->rep->queries++;
		exchange_run(x, 1, clock_boot(&clock_system) + MIN(left, 1500));
		if (x->answered && x->m.rcode != DNS_RCODE_REFUSED && x->m.rcode != DNS_RCODE_SERVFAIL)
			return true;
	}
	return false;
}

static void add_host(struct visit *t, const struct dns_name *host)
{
	if (t->n_hosts < RESOLVE_SERVERS)
		dns_name_text(host, t->hosts[t->n_hosts++]);
}

/* NS records of exactly that name; else the zone the SOA of the answer names. */
static int look_cut(struct visit *t, struct dns_name *name, struct err *err)
{
	struct exchange *x = xcalloc(1, sizeof *x);
	struct dns_name soa = { 0 };
	struct dns_rr rr;
	int rc = 0;

	if (!ask_view(t, name, DNS_NS, x)) {
		free(x);
		return err_set(err, ERR_NETWORK, "no DNS resolver answered");
	}
	while (dns_message_next(&x->m, &rr)) {
		struct dns_name host;

		if (rr.section == DNS_SECTION_ANSWER && rr.type == DNS_NS && dns_name_eq(&rr.owner, name) && dns_rr_name(&x->m, &rr, &host)) {
			add_host(t, &host);
			rc = 1;
		}
		if (rr.section == DNS_SECTION_AUTHORITY && rr.type == DNS_SOA)
			soa = rr.owner;
	}
	if (rc == 1) {
		t->zone = *name;
	} else if (soa.n && soa.n < name->n && dns_name_within(name, &soa)) {
		*name = soa;
	} else if (!dns_name_parent(name)) {
		rc = err_set(err, ERR_NETWORK, "no name servers could be found");
	}
	free(x);
	return rc;
}

static int find_cut(struct visit *t, const struct dns_name *name, struct err *err)
{
	struct dns_name at = *name;
	int rc = 0;

	for (int i = 0; i < 10 && rc == 0; i++)
		rc = look_cut(t, &at, err);
	if (rc < 0)
		return rc;
	if (!t->n_hosts)
		return err_set(err, ERR_NETWORK, "no name servers could be found");
	dns_name_text(&t->zone, t->rep->zone);
	return 0;
}

static bool address_of(struct exchange *x, uint16_t port, union addr *ret)
{
	struct dns_rr rr;
	uint8_t b[16];
	int family;

	if (!x->answered)
		return false;
	while (dns_message_next(&x->m, &rr)) {
		if (rr.section != DNS_SECTION_ANSWER || (rr.type != DNS_A && rr.type != DNS_AAAA) || !dns_rr_address(&x->m, &rr, b, &family))
			continue;
		*ret = (union addr){ 0 };
		if (family == 4) {
			ret->in.sin_family = AF_INET;
			ret->in.sin_port = htons(port);
			memcpy(&ret->in.sin_addr, b, 4);
		} else {
			ret->in6.sin6_family = AF_INET6;
			ret->in6.sin6_port = htons(port);
			memcpy(&ret->in6.sin6_addr, b, 16);
		}
		return true;
	}
	return false;
}

/* One address per host: the first A, or for hosts that have none the first AAAA. */
static void find_addresses(struct visit *t)
{
	uint16_t port = t->v->auth_port ? t->v->auth_port : 53;
	struct exchange *x = xcalloc(RESOLVE_SERVERS, sizeof *x);
	bool found[RESOLVE_SERVERS] = { false };

	for (int family = 0; family < 2; family++) {
		size_t which[RESOLVE_SERVERS], n = 0;

		for (size_t i = 0; i < t->n_hosts; i++) {
			struct dns_name name;
			struct err err = { 0 };

			if (found[i] || t->rep->queries >= RESOLVE_QUERIES)
				continue;
			if (dns_name_parse(t->hosts[i], &name, &err) < 0) {
				err_clear(&err);
				continue;
			}
			x[n] = (struct exchange){
				.to = t->v->resolvers[0], .name = name, .type = family ? DNS_AAAA : DNS_A, .recurse = true,
			};
			which[n++] = i;
			t->rep->queries++;
		}
		if (!n)
			break;
		exchange_run(x, n, MIN(t->deadline, clock_boot(&clock_system) + 1500));
		for (size_t k = 0; k < n; k++) {
			if (!address_of(&x[k], port, &t->addrs[t->n_addrs]))
				continue;
			found[which[k]] = true;
			memcpy(t->addr_host[t->n_addrs++], t->hosts[which[k]], DNS_NAME_TEXT);
		}
	}
	free(x);
}

static void take_values(struct visit *t, struct exchange *x, const struct dns_name *name, struct resolve_server *s)
{
	struct dns_name at = *name;
	struct dns_rr rr;

	s->answered = x->answered;
	if (!x->answered) {
		s->trouble = xstrdup(*x->trouble ? x->trouble : "no answer");
		return;
	}
	s->rcode = x->m.rcode;
	s->authoritative = x->m.flags & DNS_AA;
	while (dns_message_next(&x->m, &rr)) {
		char value[4096];
		size_t n;
		struct dns_name target;

		if (rr.section != DNS_SECTION_ANSWER || !dns_name_eq(&rr.owner, &at))
			continue;
		if (rr.type == DNS_CNAME && dns_rr_name(&x->m, &rr, &target)) {
			char text[DNS_NAME_TEXT];

			if (!t->rep->alias)
				t->rep->alias = xstrdup(dns_name_text(&target, text));
			at = target; /* a server that has both tells both */
		} else if (rr.type == DNS_TXT && dns_rr_txt(&x->m, &rr, value, sizeof value, &n) && s->values.n < LIMIT_TXT_VALUES) {
			_cleanup_free_ char *clean = str_clean(value, n, sizeof value);

			strlist_add(&s->values, clean);
		}
	}
}

/* All servers at once. */
static void ask_all(struct visit *t, const struct dns_name *name, bool recurse)
{
	size_t n = MIN(t->n_addrs, (size_t)(RESOLVE_QUERIES - MIN(t->rep->queries, RESOLVE_QUERIES)));
	struct exchange *x = xcalloc(n ? n : 1, sizeof *x);

	for (size_t i = 0; i < n; i++)
		x[i] = (struct exchange){ .to = t->addrs[i], .name = *name, .type = DNS_TXT, .recurse = recurse };
	t->rep->queries += (unsigned)n;
	exchange_run(x, n, t->deadline);
	t->rep->servers = xcalloc(n ? n : 1, sizeof *t->rep->servers);
	t->rep->n = n;
	for (size_t i = 0; i < n; i++) {
		memcpy(t->rep->servers[i].name, t->addr_host[i], DNS_NAME_TEXT);
		addr_format(&t->addrs[i], t->rep->servers[i].address);
		take_values(t, &x[i], name, &t->rep->servers[i]);
	}
	free(x);
}

static int visit(const struct resolve_view *v, const struct dns_name *name, struct resolve_report *rep, struct err *err)
{
	struct visit *t = xcalloc(1, sizeof *t);
	int rc = 0;

	*t = (struct visit){ .v = v, .rep = rep, .deadline = clock_boot(&clock_system) + RESOLVE_VISIT_MS };
	if (v->ask_view) {
		for (size_t i = 0; i < v->n; i++)
			t->addrs[t->n_addrs++] = v->resolvers[i];
		ask_all(t, name, true);
	} else {
		rc = find_cut(t, name, err);
		if (rc == 0) {
			find_addresses(t);
			if (!t->n_addrs)
				rc = err_set(err, ERR_NETWORK, "no address of the name servers of '%s' could be found", rep->zone);
			else
				ask_all(t, name, false);
		}
	}
	free(t);
	return rc;
}

int resolve_txt(const struct resolve_view *v, const char *name, bool follow, struct resolve_report *ret, struct err *err)
{
	_cleanup_resolve_report_ struct resolve_report rep = { 0 };
	struct dns_name n;

	if (!v->n)
		return err_set(err, ERR_NETWORK, "no DNS resolver is configured");
	if (dns_name_parse(name, &n, err) < 0)
		return -(int)err->code;
	if (visit(v, &n, &rep, err) < 0)
		return err_wrap(err, "could not look up the TXT records of '%s'", name);
	if (follow && rep.alias && dns_name_parse(rep.alias, &n, err) == 0) {
		_cleanup_resolve_report_ struct resolve_report next = { 0 };

		if (visit(v, &n, &next, err) < 0)
			return err_wrap(err, "could not look up the TXT records of '%s', to which '%s' leads", rep.alias, name);
		free(next.alias);
		next.alias = TAKE(rep.alias);
		*ret = TAKE(next);
		return 0;
	}
	if (err_is(err))
		return -(int)err->code;
	*ret = TAKE(rep);
	return 0;
}
