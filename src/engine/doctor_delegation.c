/* SPDX-License-Identifier: Apache-2.0 */
/*
 * doctor_delegation.c - is _acme-challenge.NAME delegated to us by NS, or led to us by CNAME, and do we answer there? The parent's servers are asked, not a
 * cache. What we cannot reach from here may well be reached from outside (NAT): the proof is what the Internet asked.
 */
#include "engine/doctor.h"

#include "resolve/ask.h"

#include <stdio.h>

struct parent { /* what the parent's servers say about the challenge name */
	struct strlist ns;
	char *alias;
	bool ds, agreed;
	size_t answered;
};

static void parent_done(struct parent *p)
{
	strlist_clear(&p->ns);
	free(p->alias);
}
#define _cleanup_parent_ __attribute__((cleanup(parent_done)))

/* NS records of the name, from a referral or as an answer. */
static void take_ns(const struct resolve_answer *a, const char *name, struct strlist *ret, char **ret_alias)
{
	for (size_t i = 0; i < a->n; i++) {
		if (!str_case_eq(a->v[i].owner, name))
			continue;
		if (a->v[i].type == DNS_NS && a->v[i].section != DNS_SECTION_ADDITIONAL)
			strlist_add(ret, a->v[i].text);
		if (a->v[i].type == DNS_CNAME && a->v[i].section == DNS_SECTION_ANSWER && !*ret_alias)
			*ret_alias = xstrdup(a->v[i].text);
	}
	strlist_sort_unique(ret);
}

static bool same(const struct strlist *a, const struct strlist *b)
{
	if (a->n != b->n)
		return false;
	for (size_t i = 0; i < a->n; i++)
		if (!str_case_eq(a->v[i], b->v[i]))
			return false;
	return true;
}

static void merge(struct parent *p, struct strlist *ns, bool first)
{
	if (!first && !same(&p->ns, ns))
		p->agreed = false;
	for (size_t i = 0; i < ns->n; i++)
		strlist_add(&p->ns, ns->v[i]);
	strlist_sort_unique(&p->ns);
}

static int ask_parent(struct doctor *d, const char *base, const char *zone, const struct outlook *o, struct parent *p)
{
	_cleanup_resolve_answers_ struct resolve_answers ns = { 0 }, ds = { 0 };
	_cleanup_err_ struct err why = { 0 };

	p->agreed = true;
	if (resolve_ask_zone(&o->at, base, zone, DNS_NS, &ns, &why) < 0) {
		_cleanup_free_ char *text = err_text(&why);

		fact(d, "delegation", "unknown", o->at.ask_view ? "A question before publishing would be remembered by the caches of this view." :
							     "Not seen from here is not broken: look through another view.",
		     "%s", text);
		return -1;
	}
	for (size_t i = 0; i < ns.n; i++) {
		_cleanup_strlist_ struct strlist one = { 0 };

		if (!ns.v[i].answered)
			continue;
		take_ns(&ns.v[i], zone, &one, &p->alias);
		merge(p, &one, p->answered == 0);
		p->answered++;
	}
	if (!p->answered) {
		fact(d, "delegation", "unknown", "Not seen from here is not broken: look through another view.",
		     "none of the %zu servers of zone '%s' answers from here", ns.n, ns.zone);
		return -1;
	}
	if (p->ns.n && resolve_ask_zone(&o->at, base, zone, DNS_DS, &ds, &why) == 0)
		for (size_t i = 0; i < ds.n; i++)
			for (size_t k = 0; k < ds.v[i].n; k++)
				p->ds |= ds.v[i].v[k].type == DNS_DS && str_case_eq(ds.v[i].v[k].owner, zone);
	return 0;
}

/* ---- our own address ---- */

static bool listed(const struct strlist *l, const char *address)
{
	for (size_t i = 0; l && i < l->n; i++) {
		union addr a;
		struct err no = { 0 };
		char text[ADDR_TEXT];
		bool ok = addr_parse_ip(l->v[i], &a, &no) == 0;

		err_clear(&no);
		if (ok && streq(addr_format_ip(&a, text), address))
			return true;
	}
	return false;
}

static void ask_us(struct doctor *d, const char *zone, const struct resolve_rr *rr, bool tcp)
{
	_cleanup_resolve_answer_ struct resolve_answer a = { 0 };
	const char *how = tcp ? "TCP" : "UDP";
	char rcode[DNS_TYPE_TEXT];

	resolve_ask_server(&rr->addr, zone, DNS_SOA, tcp, &a);
	if (!a.answered)
		fact(d, "server", "unknown", "Behind NAT this may be right all the same: look at what the Internet asked. Else let port 53 through.",
		     "%s does not answer by %s as seen from here: %s", rr->text, how, a.trouble ? a.trouble : "no answer");
	else if (a.rcode == DNS_RCODE_REFUSED)
		fact(d, "server", "bad", "Add the delegation here, or let the address lead to this server.",
		     "%s answers by %s and does not know the zone '%s'", rr->text, how, zone);
	else if (a.rcode || !a.authoritative)
		fact(d, "server", "bad", "Let the address lead to this server.", "%s answers by %s, but %s%s", rr->text, how,
		     a.rcode ? dns_rcode_text(a.rcode, rcode) : "not with authority", "");
	else
		fact(d, "server", "good", NULL, "%s answers for the zone by %s", rr->text, how);
}

static size_t look_address(struct doctor *d, const char *host, const char *zone, uint16_t type, const struct outlook *o)
{
	const struct strlist *expected = d->e->o.dns_public;
	_cleanup_resolve_answer_ struct resolve_answer a = { 0 };
	_cleanup_err_ struct err why = { 0 };
	size_t n = 0;

	if (resolve_ask(&o->at, host, type, &a, &why) < 0) {
		_cleanup_free_ char *text = err_text(&why);

		fact(d, "server", "unknown", NULL, "%s", text);
		return 1;
	}
	for (size_t i = 0; i < a.n && n < 4; i++) {
		const char *range = "";

		if (a.v[i].section != DNS_SECTION_ANSWER || a.v[i].type != type || !*a.v[i].text)
			continue;
		n++;
		if (net_address_class(&a.v[i].addr, &range) != NET_ADDRESS_PUBLIC)
			fact(d, "server", "warn", "Right for an authority inside; resolvers on the Internet never ask such an address.",
			     "'%s' has the address %s here (%s)", host, a.v[i].text, range);
		if (expected && expected->n && !listed(expected, a.v[i].text))
			fact(d, "server", "warn", "Correct the address record, or dns.public_addresses.",
			     "'%s' has the address %s, which is not one of dns.public_addresses", host, a.v[i].text);
		ask_us(d, zone, &a.v[i], false);
		ask_us(d, zone, &a.v[i], true);
	}
	return n;
}

static void look_server(struct doctor *d, const char *host, const char *zone, const struct outlook *o)
{
	if (look_address(d, host, zone, DNS_A, o) + look_address(d, host, zone, DNS_AAAA, o) == 0)
		fact(d, "server", "bad", "Give it an A or AAAA record in its own zone.", "'%s', to which the zone is delegated, has no address", host);
}

/* ---- verdicts ---- */

static bool ours_wanted(const struct doctor *d)
{
	return !d->method || streq(d->method, METHOD_DELEGATION);
}

/* Only the one name of ours is answered with the values of this name; no other alias is followed (a wildcard may have made it). */
static void aliased(struct doctor *d, const char *zone, const char *alias, const char *ours, const struct outlook *o)
{
	bool us = ours && str_case_eq(alias, ours);

	if (us && ours_wanted(d)) {
		fact(d, "delegation", "good", NULL, "'%s' leads to '%s', which is answered here", zone, alias);
		look_server(d, d->e->o.dns_hostname, ours, o);
	} else if (us) {
		fact(d, "delegation", "bad", "Choose the delegation for this name, or remove the CNAME record.",
		     "'%s' leads to this server, so that what is published elsewhere is not seen", zone);
	} else if (ours_wanted(d)) {
		_cleanup_free_ char *todo = ours ? xasprintf("Set in the parent zone: %s. 3600 IN CNAME %s.", zone, ours) :
						   xstrdup("Remove the CNAME and delegate the name by an NS record, or set dns.zone.");

		fact(d, "delegation", d->method ? "bad" : "warn", todo, "'%s' is an alias of '%s', which is not answered here", zone, alias);
	} else {
		fact(d, "delegation", "warn", "No TXT record can stand beside a CNAME, and an alias is not followed: remove it.",
		     "'%s' is an alias of '%s'", zone, alias);
	}
}

/* The delegation of the name says that it leads into a zone at a provider. */
static void leads_elsewhere(struct doctor *d, const char *zone, const char *target, const struct parent *p)
{
	_cleanup_free_ char *line = xasprintf("Set in the parent zone: %s. 3600 IN CNAME %s.", zone, target), *all = strlist_join(&p->ns, ", ");

	if (p->alias && str_case_eq(p->alias, target))
		fact(d, "delegation", "good", NULL, "'%s' leads to '%s', where its provider writes", zone, target);
	else if (p->alias)
		fact(d, "delegation", "bad", line, "'%s' is an alias of '%s', not of '%s'", zone, p->alias, target);
	else if (p->ns.n)
		fact(d, "delegation", "bad", line, "'%s' is delegated to %s; it should lead to '%s'", zone, all, target);
	else
		fact(d, "delegation", "bad", line, "'%s' does not lead to '%s'", zone, target);
}

struct row_of {
	const char *name;
	struct delegation d;
};

static int read_row(struct sql *q, void *arg, struct err *err)
{
	struct row_of *w = arg;

	return delegation_of(q, w->name, &w->d, err) < 0 ? -(int)err->code : 0;
}

/* Where the name is to lead when it is proved so; NULL = nowhere. Owned. */
static char *target_of(struct doctor *d, const char *name)
{
	struct row_of w = { .name = name };
	_cleanup_err_ struct err why = { 0 };
	char *target = NULL;

	if (engine_read(d->e, read_row, &w, &why) == 0 && w.d.target &&
	    (!d->method || streq(d->method, METHOD_DELEGATION) || delegation_concerns(&w.d, d->method)))
		target = TAKE(w.d.target);
	delegation_done(&w.d);
	return target;
}

static void not_delegated(struct doctor *d, const char *zone, const struct parent *p, const struct outlook *o)
{
	const char *host = d->e->o.dns_hostname;
	_cleanup_free_ char *line = xasprintf("Add in the parent zone: %s. 3600 IN NS %s.", zone, str_empty(host) ? "<dns.hostname>" : host);
	_cleanup_free_ char *ours = delegation_alias(d->e->o.dns_zone, zone + strlen("_acme-challenge."));

	if (p->alias)
		aliased(d, zone, p->alias, ours, o);
	else if (d->method && ours_wanted(d))
		fact(d, "delegation", "bad", line, "'%s' is not delegated", zone);
	else if (ours_wanted(d))
		fact(d, "delegation", "warn", line, "'%s' is not delegated: it is proved by a provider or by hand", zone);
	else
		fact(d, "delegation", "good", NULL, "'%s' is in its parent's zone, where the record is to be published", zone);
}

static void delegated(struct doctor *d, const char *zone, const struct parent *p, const struct outlook *o)
{
	const char *host = d->e->o.dns_hostname;
	_cleanup_free_ char *all = strlist_join(&p->ns, ", ");
	bool us = false;

	for (size_t i = 0; i < p->ns.n; i++)
		us |= !str_empty(host) && str_case_eq(p->ns.v[i], host);
	if (!us) {
		fact(d, "delegation", ours_wanted(d) && d->method ? "bad" : "warn",
		     ours_wanted(d) ? "Point the NS record at dns.hostname." : "What is written into the parent's zone is not seen: write it there.",
		     "'%s' is delegated to %s, not to this server", zone, all);
		return;
	}
	if (!ours_wanted(d))
		fact(d, "delegation", "bad", "Choose the delegation for this name, or remove the NS record.",
		     "'%s' is delegated to this server, so that what is published elsewhere is not seen", zone);
	else if (p->ns.n > 1)
		fact(d, "delegation", "warn", "Every server of the zone has to answer with the value: keep those that are Certwright.",
		     "'%s' is delegated to this server and to others: %s", zone, all);
	else
		fact(d, "delegation", "good", NULL, "'%s' is delegated to %s", zone, all);
	if (!p->agreed)
		fact(d, "delegation", "warn", "Wait until all servers of the parent have the new record.", "the servers of the parent do not agree on it");
	if (p->ds)
		fact(d, "ds", "bad", "Remove the DS record: the zone is not signed, and every authority fails on it.", "the parent has a DS record at '%s'",
		     zone);
	else
		fact(d, "ds", "good", NULL, "no DS record stands at '%s', as it has to be", zone);
	look_server(d, host, zone, o);
}

void doctor_delegation(struct doctor *d, const char *name, const struct outlook *o)
{
	_cleanup_free_ char *zone = xasprintf("_acme-challenge.%s", name);
	_cleanup_free_ char *target = NULL;
	_cleanup_parent_ struct parent p = { 0 };

	if (clock_boot(&clock_system) >= d->deadline_boot_ms) {
		fact(d, "delegation", "unknown", NULL, "there was no time left to look at this");
		return;
	}
	if (ask_parent(d, name, zone, o, &p) < 0)
		return;
	target = target_of(d, name);
	if (target)
		leads_elsewhere(d, zone, target, &p);
	else if (p.ns.n)
		delegated(d, zone, &p, o);
	else
		not_delegated(d, zone, &p, o);
}
