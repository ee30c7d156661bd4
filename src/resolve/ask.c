/* SPDX-License-Identifier: Apache-2.0 */
/* ask.c - see ask.h. */
#include "resolve/ask.h"

#include "base/clock.h"
#include "net/policy.h"
#include "resolve/visit.h"

#include <stdio.h>

void resolve_answer_done(struct resolve_answer *a)
{
	for (size_t i = 0; i < a->n; i++) {
		free(a->v[i].text);
		free(a->v[i].tag);
	}
	free(a->v);
	free(a->trouble);
	*a = (struct resolve_answer){ 0 };
}

void resolve_answers_done(struct resolve_answers *a)
{
	for (size_t i = 0; i < a->n; i++)
		resolve_answer_done(&a->v[i]);
	free(a->v);
	*a = (struct resolve_answers){ 0 };
}

static void take_address(const struct dns_message *m, const struct dns_rr *rr, uint16_t port, struct resolve_rr *ret)
{
	char text[ADDR_TEXT];
	uint8_t b[16];
	int family;

	if (!dns_rr_address(m, rr, b, &family))
		return;
	if (family == 4) {
		ret->addr.in = (struct sockaddr_in){ .sin_family = AF_INET, .sin_port = htons(port) };
		memcpy(&ret->addr.in.sin_addr, b, 4);
	} else {
		ret->addr.in6 = (struct sockaddr_in6){ .sin6_family = AF_INET6, .sin6_port = htons(port) };
		memcpy(&ret->addr.in6.sin6_addr, b, 16);
	}
	ret->text = xstrdup(addr_format_ip(&ret->addr, text));
}

static void take_caa(const struct dns_message *m, const struct dns_rr *rr, struct resolve_rr *ret)
{
	struct dns_caa caa;

	if (!dns_rr_caa(m, rr, &caa))
		return;
	ret->flags = caa.flags;
	ret->tag = str_clean(caa.tag.p, caa.tag.n, 64);
	for (char *p = ret->tag; *p; p++)
		*p = *p >= 'A' && *p <= 'Z' ? (char)(*p + 32) : *p;
	ret->text = str_clean(caa.value.p, caa.value.n, 512);
}

static void take_rr(const struct dns_message *m, const struct dns_rr *rr, uint16_t port, struct resolve_rr *ret)
{
	struct dns_name name;
	struct dns_soa soa;
	char text[DNS_NAME_TEXT];

	*ret = (struct resolve_rr){ .section = rr->section, .type = rr->type, .ttl = rr->ttl };
	dns_name_text(&rr->owner, ret->owner);
	if ((rr->type == DNS_NS || rr->type == DNS_CNAME) && dns_rr_name(m, rr, &name))
		ret->text = xstrdup(dns_name_text(&name, text));
	else if (rr->type == DNS_A || rr->type == DNS_AAAA)
		take_address(m, rr, port, ret);
	else if (rr->type == DNS_CAA)
		take_caa(m, rr, ret);
	else if (rr->type == DNS_SOA && dns_rr_soa(m, rr, &soa))
		ret->text = xstrdup(dns_name_text(&soa.mname, text));
	if (!ret->text)
		ret->text = xstrdup("");
}

static void take(struct exchange *x, uint16_t port, struct resolve_answer *ret)
{
	struct dns_rr rr;

	ret->answered = x->answered;
	if (!x->answered) {
		ret->trouble = xstrdup(*x->trouble ? x->trouble : "no answer");
		return;
	}
	ret->rcode = x->m.rcode;
	ret->authoritative = x->m.flags & DNS_AA;
	ret->truncated = x->m.flags & DNS_TC;
	ret->v = xcalloc(ASK_RECORDS, sizeof *ret->v);
	dns_message_rewind(&x->m);
	while (ret->n < ASK_RECORDS && dns_message_next(&x->m, &rr))
		if (rr.rclass == DNS_IN)
			take_rr(&x->m, &rr, port, &ret->v[ret->n++]);
}

static uint16_t port_of(const struct resolve_view *v)
{
	return v->auth_port ? v->auth_port : 53;
}

static int ask_view(const struct resolve_view *v, const struct dns_name *name, uint16_t type, struct resolve_answer *ret, struct err *err)
{
	struct visit *t = xcalloc(1, sizeof *t);
	struct exchange *x = xcalloc(1, sizeof *x);
	int rc = 0;

	visit_init(t, v);
	if (visit_ask_view(t, name, type, x)) {
		take(x, port_of(v), ret);
		if (v->doh)
			snprintf(ret->from, sizeof ret->from, "%s", v->doh);
		else
			addr_format(&x->to, ret->address);
	} else if (x->answered) {
		char rcode[DNS_TYPE_TEXT];

		rc = err_set(err, ERR_NETWORK, "the resolver answers %s", dns_rcode_text(x->m.rcode, rcode));
	} else {
		rc = err_set(err, ERR_NETWORK, "no DNS resolver answered%s%s", *x->trouble ? ": " : "", x->trouble);
	}
	free(x);
	free(t);
	return rc;
}

int resolve_ask(const struct resolve_view *v, const char *name, uint16_t type, struct resolve_answer *ret, struct err *err)
{
	struct dns_name n;

	if (!resolve_view_usable(v))
		return err_set(err, ERR_NETWORK, "no DNS resolver is configured");
	if (dns_name_parse(name, &n, err) < 0)
		return -(int)err->code;
	if (ask_view(v, &n, type, ret, err) < 0)
		return err_wrap(err, "could not ask for '%s'", name);
	return 0;
}

static int ask_zone(struct visit *t, const struct dns_name *zone_of, const struct dns_name *name, uint16_t type,
		    struct resolve_answers *ret, struct err *err)
{
	struct exchange *x;

	if (visit_cut(t, zone_of, err) < 0)
		return -(int)err->code;
	visit_addresses(t);
	dns_name_text(&t->zone, ret->zone);
	if (!t->n_addrs)
		return err_set(err, ERR_NETWORK, "no address of the name servers of '%s' could be found", ret->zone);
	x = xcalloc(RESOLVE_SERVERS, sizeof *x);
	ret->n = visit_ask_servers(t, name, type, x);
	ret->v = xcalloc(ret->n ? ret->n : 1, sizeof *ret->v);
	ret->inside = ret->n > 0;
	for (size_t i = 0; i < ret->n; i++) {
		const char *range;

		memcpy(ret->v[i].from, t->addr_host[i], DNS_NAME_TEXT);
		addr_format(&t->addrs[i], ret->v[i].address);
		take(&x[i], port_of(t->v), &ret->v[i]);
		ret->inside &= net_address_class(&t->addrs[i], &range) != NET_ADDRESS_PUBLIC;
	}
	free(x);
	return 0;
}

int resolve_ask_zone(const struct resolve_view *v, const char *zone_of, const char *name, uint16_t type, struct resolve_answers *ret,
		     struct err *err)
{
	struct dns_name zone, n;
	struct visit *t;
	int rc;

	if (v->ask_view)
		return err_set(err, ERR_NETWORK, "this view lets nobody ask the authoritative servers");
	if (!resolve_view_usable(v))
		return err_set(err, ERR_NETWORK, "no DNS resolver is configured");
	if (dns_name_parse(zone_of, &zone, err) < 0 || dns_name_parse(name, &n, err) < 0)
		return -(int)err->code;
	t = xcalloc(1, sizeof *t);
	visit_init(t, v);
	rc = ask_zone(t, &zone, &n, type, ret, err);
	free(t);
	return rc < 0 ? err_wrap(err, "could not ask the servers of '%s'", zone_of) : 0;
}

void resolve_ask_server(const union addr *to, const char *name, uint16_t type, bool tcp, struct resolve_answer *ret)
{
	struct exchange *x = xcalloc(1, sizeof *x);
	struct err why = { 0 };

	addr_format(to, ret->address);
	if (dns_name_parse(name, &x->name, &why) < 0) {
		ret->trouble = err_text(&why);
	} else {
		x->to = *to;
		x->type = type;
		x->tcp_only = tcp;
		exchange_run(x, 1, clock_boot(&clock_system) + ASK_MS);
		take(x, 53, ret);
	}
	err_clear(&why);
	free(x);
}
