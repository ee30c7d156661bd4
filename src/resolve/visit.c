/* SPDX-License-Identifier: Apache-2.0 */
/*
 * visit.c - one visit to the servers of a name: the deepest zone cut (an NS-delegated _acme-challenge is a zone of its own), its
 * name servers, their addresses, and then the value from each of them directly.
 */
#include "resolve/resolve.h"

#include "base/clock.h"
#include "net/policy.h"
#include "resolve/visit.h"

#include <stdio.h>

void visit_init(struct visit *t, const struct resolve_view *v)
{
	*t = (struct visit){ .v = v, .deadline = clock_boot(&clock_system) + (v->doh ? RESOLVE_DOH_MS : RESOLVE_VISIT_MS) };
}

/* To the view's resolvers, or by HTTPS; the questions of one call are few. */
static void run_view(const struct visit *t, struct exchange *x, size_t n, int64_t deadline)
{
	if (!t->v->doh) {
		exchange_run(x, n, deadline);
		return;
	}
	for (size_t i = 0; i < n; i++)
		doh_run(t->v, &x[i], deadline);
}

bool visit_ask_view(struct visit *t, const struct dns_name *name, uint16_t type, struct exchange *x)
{
	size_t n = t->v->doh ? 1 : t->v->n;

	for (size_t k = 0; k < n; k++) {
		size_t i = (t->good + k) % n;
		int64_t now = clock_boot(&clock_system);

		if (t->queries >= RESOLVE_QUERIES || t->deadline <= now)
			return false;
		*x = (struct exchange){ .to = t->v->resolvers[i], .name = *name, .type = type, .recurse = true };
		t->queries++;
		run_view(t, x, 1, t->v->doh ? t->deadline : MIN(t->deadline, now + 1500));
		if (x->answered && x->m.rcode != DNS_RCODE_REFUSED && x->m.rcode != DNS_RCODE_SERVFAIL) {
			t->good = i;
			return true;
		}
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

	if (!visit_ask_view(t, name, DNS_NS, x)) {
		err_set(err, ERR_NETWORK, "no DNS resolver answered%s%s", *x->trouble ? ": " : "", x->trouble);
		free(x);
		return -ERR_NETWORK;
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

int visit_cut(struct visit *t, const struct dns_name *name, struct err *err)
{
	struct dns_name at = *name;
	int rc = 0;

	for (int i = 0; i < 10 && rc == 0; i++)
		rc = look_cut(t, &at, err);
	if (rc < 0)
		return rc;
	if (!t->n_hosts)
		return err_set(err, ERR_NETWORK, "no name servers could be found");
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

void visit_addresses(struct visit *t)
{
	uint16_t port = t->v->auth_port ? t->v->auth_port : 53;
	struct exchange *x = xcalloc(RESOLVE_SERVERS, sizeof *x);
	bool found[RESOLVE_SERVERS] = { false };

	for (int family = 0; family < 2; family++) {
		size_t which[RESOLVE_SERVERS], n = 0;

		for (size_t i = 0; i < t->n_hosts; i++) {
			struct dns_name name;
			struct err err = { 0 };

			if (found[i] || t->queries >= RESOLVE_QUERIES)
				continue;
			if (dns_name_parse(t->hosts[i], &name, &err) < 0) {
				err_clear(&err);
				continue;
			}
			x[n] = (struct exchange){
				.to = t->v->resolvers[t->good], .name = name, .type = family ? DNS_AAAA : DNS_A, .recurse = true,
			};
			which[n++] = i;
			t->queries++;
		}
		if (!n)
			break;
		run_view(t, x, n, t->v->doh ? t->deadline : MIN(t->deadline, clock_boot(&clock_system) + 1500));
		for (size_t k = 0; k < n; k++) {
			if (!address_of(&x[k], port, &t->addrs[t->n_addrs]))
				continue;
			found[which[k]] = true;
			memcpy(t->addr_host[t->n_addrs++], t->hosts[which[k]], DNS_NAME_TEXT);
		}
	}
	free(x);
}

#define ALIAS_HOPS 3

/* TXT of the name, wherever in the answer they stand; *ret_target: where an alias at the name leads, untouched without one. */
static void take_txt(struct exchange *x, const struct dns_name *name, struct resolve_server *s, struct dns_name *ret_target)
{
	struct dns_rr rr;

	dns_message_rewind(&x->m);
	while (dns_message_next(&x->m, &rr)) {
		char value[4096];
		size_t n;

		if (rr.section != DNS_SECTION_ANSWER || rr.rclass != DNS_IN || !dns_name_eq(&rr.owner, name))
			continue;
		if (rr.type == DNS_CNAME) {
			dns_rr_name(&x->m, &rr, ret_target);
		} else if (rr.type == DNS_TXT && dns_rr_txt(&x->m, &rr, value, sizeof value, &n) && s->values.n < RESOLVE_VALUES) {
			_cleanup_free_ char *clean = str_clean(value, n, sizeof value);

			strlist_add(&s->values, clean);
		}
	}
}

/* A server that has both an alias and its target tells both, in any order. What comes with a refusal is no answer. */
static void take_values(struct resolve_report *rep, struct exchange *x, const struct dns_name *name, struct resolve_server *s)
{
	struct dns_name at = *name;

	s->answered = x->answered;
	if (!x->answered) {
		s->trouble = xstrdup(*x->trouble ? x->trouble : "no answer");
		return;
	}
	s->rcode = x->m.rcode;
	s->authoritative = x->m.flags & DNS_AA;
	s->tcp = x->tcp;
	rep->tcp |= x->tcp;
	for (int hop = 0; hop <= ALIAS_HOPS && !s->values.n && !s->rcode; hop++) {
		struct dns_name target = { 0 };

		take_txt(x, &at, s, &target);
		if (!target.n)
			break;
		if (!rep->alias) {
			char text[DNS_NAME_TEXT];

			rep->alias = xstrdup(dns_name_text(&target, text));
		}
		at = target;
	}
}

static size_t servers_to_ask(const struct visit *t)
{
	return MIN(t->n_addrs, (size_t)(RESOLVE_QUERIES - MIN(t->queries, RESOLVE_QUERIES)));
}

size_t visit_ask_servers(struct visit *t, const struct dns_name *name, uint16_t type, struct exchange *x)
{
	size_t n = servers_to_ask(t);

	for (size_t i = 0; i < n; i++)
		x[i] = (struct exchange){ .to = t->addrs[i], .name = *name, .type = type, .recurse = false };
	t->queries += (unsigned)n;
	exchange_run(x, n, t->deadline);
	return n;
}

static void report_on(struct visit *t, const struct dns_name *name, struct exchange *x, size_t n, struct resolve_report *rep)
{
	rep->servers = xcalloc(n ? n : 1, sizeof *rep->servers);
	rep->n = n;
	rep->inside = !t->v->ask_view && n > 0;
	for (size_t i = 0; i < n; i++) {
		const char *range;

		memcpy(rep->servers[i].name, t->addr_host[i], DNS_NAME_TEXT);
		addr_format(&t->addrs[i], rep->servers[i].address);
		take_values(rep, &x[i], name, &rep->servers[i]);
		rep->inside &= net_address_class(&t->addrs[i], &range) != NET_ADDRESS_PUBLIC;
	}
}

/* The view's own resolvers say what they have: a network that lets no DNS out. */
static void ask_resolvers(struct visit *t, const struct dns_name *name, struct resolve_report *rep)
{
	struct exchange *x = xcalloc(RESOLVE_RESOLVERS, sizeof *x);
	size_t n = t->v->doh ? 1 : t->v->n;

	for (size_t i = 0; i < n; i++) {
		t->addrs[i] = t->v->resolvers[i];
		x[i] = (struct exchange){ .to = t->addrs[i], .name = *name, .type = DNS_TXT, .recurse = true };
	}
	t->queries += (unsigned)n;
	run_view(t, x, n, t->deadline);
	report_on(t, name, x, n, rep);
	if (t->v->doh) {
		snprintf(rep->servers[0].name, sizeof rep->servers[0].name, "%s", t->v->doh);
		rep->servers[0].address[0] = '\0';
	}
	free(x);
}

static int visit(const struct resolve_view *v, const struct dns_name *name, struct resolve_report *rep, struct err *err)
{
	struct visit *t = xcalloc(1, sizeof *t);
	int rc = 0;

	visit_init(t, v);
	if (v->ask_view) {
		ask_resolvers(t, name, rep);
	} else {
		rc = visit_cut(t, name, err);
		if (rc == 0) {
			dns_name_text(&t->zone, rep->zone);
			visit_addresses(t);
		}
		if (rc == 0 && !t->n_addrs) {
			rc = err_set(err, ERR_NETWORK, "no address of the name servers of '%s' could be found", rep->zone);
		} else if (rc == 0) {
			struct exchange *x = xcalloc(RESOLVE_SERVERS, sizeof *x);

			report_on(t, name, x, visit_ask_servers(t, name, DNS_TXT, x), rep);
			free(x);
		}
	}
	rep->queries = t->queries;
	free(t);
	return rc;
}

int resolve_txt(const struct resolve_view *v, const char *name, bool follow, struct resolve_report *ret, struct err *err)
{
	_cleanup_resolve_report_ struct resolve_report rep = { 0 };
	struct dns_name n;

	if (!resolve_view_usable(v))
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
