/* SPDX-License-Identifier: Apache-2.0 */
/* doctor.c - see doctor.h: CAA (RFC 8659), wildcard and vendor rules, port 80, and views that see different worlds. */
#include "engine/doctor.h"

#include "model/vendor.h"
#include "resolve/ask.h"
#include "resolve/caa.h"

#include <stdarg.h>
#include <stdio.h>

#define LOOK_MS (40 * SECOND_MS) /* of a step's 60 s: the last question may take a while */

void doctor_begin(struct doctor *d, struct engine *e, struct http *http)
{
	*d = (struct doctor){ .e = e, .http = http, .deadline_boot_ms = clock_boot(&clock_system) + LOOK_MS, .name = "", .view = "",
			      .any_validation = true, .facts = json_array() };
}

void fact(struct doctor *d, const char *check, const char *state, const char *todo, const char *fmt, ...)
{
	char text[1024];
	_cleanup_free_ char *clean = NULL;
	va_list ap;

	va_start(ap, fmt);
	vsnprintf(text, sizeof text, fmt, ap);
	va_end(ap);
	clean = str_clean(text, strlen(text), sizeof text);
	json_array_append_new(d->facts, json_pack("{s:s, s:s, s:s, s:s, s:o, s:s}", "name", d->name, "check", check, "state", state, "text", clean,
						  "todo", json_str_or_null(todo), "view", d->view));
}

static bool no_time(struct doctor *d, const char *check)
{
	if (clock_boot(&clock_system) < d->deadline_boot_ms)
		return false;
	fact(d, check, "unknown", "Look at fewer names at once.", "there was no time left to look at this");
	return true;
}

static void could_not(struct doctor *d, const char *check, const struct err *why)
{
	_cleanup_free_ char *text = err_text(why);

	fact(d, check, "unknown", "Not seen from here is not broken: look from where DNS can be asked, or through another view.", "%s", text);
}

/* ---- CAA ---- */

static void judge_caa(struct doctor *d, const struct resolve_answer *a, const char *at, bool wildcard)
{
	struct caa_record v[ASK_RECORDS];
	struct caa_question q = { .wildcard = wildcard, .identities = d->identities, .account_url = d->account_url,
				  .method = d->any_validation ? NULL : validation_text(d->validation) };
	const char *named = NULL, *us = d->identities && d->identities->n ? d->identities->v[0] : "the authority";
	size_t n = 0;

	for (size_t i = 0; i < a->n; i++)
		if (a->v[i].section == DNS_SECTION_ANSWER && a->v[i].type == DNS_CAA && a->v[i].tag)
			v[n++] = (struct caa_record){ a->v[i].flags, a->v[i].tag, a->v[i].text };
	switch (caa_judge(v, n, &q, &named)) {
	case CAA_ALLOWED:
		fact(d, "caa", "good", NULL, "the CAA records of '%s' allow %s: %s", at, us, named);
		return;
	case CAA_NOBODY:
		fact(d, "caa", "good", NULL, "the CAA records of '%s' restrict no authority", at);
		return;
	case CAA_UNKNOWN:
		fact(d, "caa", "warn", "Say for which account, and it is compared.", "the CAA records of '%s' allow '%s'", at, named);
		return;
	case CAA_OTHERS:
		fact(d, "caa", "bad", "Add a CAA record that names the authority, or order elsewhere.", "the CAA records of '%s' do not allow %s: %s", at,
		     us, named);
		return;
	case CAA_ACCOUNT:
		fact(d, "caa", "bad", "Set accounturi to this account's URL, or order with the account that it names.",
		     "the CAA record of '%s' allows another account of %s: %s", at, us, named);
		return;
	case CAA_METHOD:
		fact(d, "caa", "bad", "Add the validation to validationmethods, or use the one it names.",
		     "the CAA record of '%s' does not allow %s: %s", at, validation_text(d->validation), named);
		return;
	case CAA_CRITICAL:
		fact(d, "caa", "bad", "Remove the critical flag, or the record.",
		     "'%s' has a critical CAA record of the unknown kind '%s': no authority issues", at, named);
		return;
	}
}

/* The name and each parent, up to the first that has CAA records. */
static void look_caa(struct doctor *d, const char *base, bool wildcard, const struct outlook *o)
{
	if (no_time(d, "caa"))
		return;
	for (const char *at = base; at && *at; at = strchr(at, '.') ? strchr(at, '.') + 1 : NULL) {
		_cleanup_resolve_answer_ struct resolve_answer a = { 0 };
		_cleanup_err_ struct err why = { 0 };

		if (resolve_ask(&o->at, at, DNS_CAA, &a, &why) < 0) {
			could_not(d, "caa", &why);
			return;
		}
		for (size_t i = 0; i < a.n; i++)
			if (a.v[i].section == DNS_SECTION_ANSWER && a.v[i].type == DNS_CAA) {
				judge_caa(d, &a, at, wildcard);
				return;
			}
	}
	fact(d, "caa", "good", NULL, "no CAA record stands above '%s': every authority may issue", base);
}

/* ---- rules ---- */

static void look_rules(struct doctor *d, bool wildcard)
{
	bool http = !d->any_validation && d->validation == VALIDATION_HTTP01;

	if (wildcard && http)
		fact(d, "wildcard", "bad", "Choose dns-01 for it.", "a wildcard is proved by dns-01 only");
	if (wildcard && d->vendor && !d->vendor->wildcards)
		fact(d, "vendor", "bad", "List the names one by one, or choose another authority.", "%s issues no wildcards", d->vendor->title);
}

/* ---- port 80 ---- */

static void fetch(struct doctor *d, const char *name, const struct resolve_rr *rr)
{
	bool six = rr->type == DNS_AAAA;
	_cleanup_free_ char *url = xasprintf("http://%s%s%s/.well-known/acme-challenge/certwright-preflight", six ? "[" : "", rr->text, six ? "]" : "");
	struct http_header host[] = { { "Host", name }, { 0 } };
	struct net_rule rule = { .route = NET_ROUTE_DIRECT, .plain_ok = true };
	struct http_request q = { .method = HTTP_GET, .url = url, .headers = host, .rule = &rule, .timeout_ms = 5 * SECOND_MS,
				  .connect_ms = 3 * SECOND_MS, .max_body = 16 * 1024 };
	_cleanup_http_ struct http_response rsp = { 0 };
	_cleanup_err_ struct err why = { 0 };
	const char *to;

	if (http_do(d->http, &q, &rsp, &why) < 0 && why.code != ERR_REMOTE_BAD) {
		_cleanup_free_ char *text = err_text(&why);

		fact(d, "port-80", "unknown", six ? "Authorities try IPv6 first: let port 80 answer there too, or remove the AAAA record." :
					       "Let port 80 of this address lead to what answers the challenge.",
		     "port 80 of %s is not seen from here: %s", rr->text, text);
		return;
	}
	to = http_header_get(&rsp, "location");
	if (rsp.status / 100 == 3 && to)
		fact(d, "port-80", "good", NULL, "port 80 of %s answers and leads to %.200s", rr->text, to);
	else if (rsp.status >= 500)
		fact(d, "port-80", "warn", "Look at the web server, or at what is behind it.", "port 80 of %s answers %d", rr->text, rsp.status);
	else
		fact(d, "port-80", "good", NULL, "port 80 of %s answers (%d)", rr->text, rsp.status);
}

static size_t look_family(struct doctor *d, const char *name, uint16_t type, const struct outlook *o)
{
	_cleanup_resolve_answer_ struct resolve_answer a = { 0 };
	_cleanup_err_ struct err why = { 0 };
	size_t n = 0;

	if (resolve_ask(&o->at, name, type, &a, &why) < 0) {
		could_not(d, "port-80", &why);
		return 1;
	}
	for (size_t i = 0; i < a.n && n < 4; i++) {
		const char *range = "";

		if (a.v[i].section != DNS_SECTION_ANSWER || a.v[i].type != type || !*a.v[i].text)
			continue;
		n++;
		if (net_address_class(&a.v[i].addr, &range) != NET_ADDRESS_PUBLIC)
			fact(d, "port-80", "warn", "Right for an authority inside; one on the Internet needs a public address.",
			     "'%s' has the address %s here, which the Internet cannot reach (%s)", name, a.v[i].text, range);
		if (!no_time(d, "port-80"))
			fetch(d, name, &a.v[i]);
	}
	return n;
}

void doctor_port80(struct doctor *d, const char *name, const struct outlook *o)
{
	if (look_family(d, name, DNS_A, o) + look_family(d, name, DNS_AAAA, o) == 0)
		fact(d, "port-80", "bad", "Give the name an A or AAAA record, or prove it by dns-01.", "'%s' has no address", name);
}

/* ---- views ---- */

static int views(struct sql *q, void *arg, struct err *err)
{
	struct page page = { .limit = 5 };

	return store_view_list(q, NULL, &page, arg, err);
}

static char *servers_of(const struct resolve_answers *a)
{
	_cleanup_strlist_ struct strlist l = { 0 };

	for (size_t i = 0; i < a->n; i++)
		strlist_add(&l, a->v[i].address);
	strlist_sort_unique(&l);
	return strlist_join(&l, ", ");
}

/* The same zone through each view: other servers mean that inside and outside are two worlds. */
static void compare_views(struct doctor *d, const char *base, const struct outlook *o, const struct resolve_answers *here)
{
	_cleanup_dns_view_list_ struct dns_view_list l = { 0 };
	_cleanup_err_ struct err why = { 0 };
	_cleanup_free_ char *ours = servers_of(here);

	if (engine_read(d->e, views, &l, &why) < 0)
		return;
	for (size_t i = 0; i < l.n; i++) {
		_cleanup_outlook_ struct outlook other = { 0 };
		_cleanup_resolve_answers_ struct resolve_answers a = { 0 };
		_cleanup_free_ char *theirs = NULL;
		_cleanup_err_ struct err no = { 0 };

		if (streq(l.v[i].name, o->view) || !l.v[i].direct || no_time(d, "split-dns"))
			continue;
		if (outlook_open(d->e, d->http, &l.v[i], &other, &no) < 0 || resolve_ask_zone(&other.at, base, base, DNS_SOA, &a, &no) < 0)
			continue;
		theirs = servers_of(&a);
		if (!streq(ours, theirs))
			fact(d, "split-dns", "warn", "Use the view that sees what the authority sees: a rule under Network chooses it.",
			     "split DNS: the zone of '%s' has the servers %s here, and %s through view '%s'", base, ours, theirs, l.v[i].name);
	}
}

static void look_views(struct doctor *d, const char *base, const struct outlook *o)
{
	_cleanup_resolve_answers_ struct resolve_answers a = { 0 };
	_cleanup_err_ struct err why = { 0 };

	if (no_time(d, "split-dns") || o->at.ask_view)
		return;
	if (resolve_ask_zone(&o->at, base, base, DNS_SOA, &a, &why) < 0) {
		could_not(d, "zone", &why);
		return;
	}
	if (a.inside)
		fact(d, "split-dns", "warn", "Right for an authority inside. For one on the Internet choose a view that looks from outside.",
		     "split DNS: the servers of zone '%s' have private addresses here; the Internet asks others", a.zone);
	compare_views(d, base, o, &a);
}

/* ---- */

void doctor_name(struct doctor *d, const char *name)
{
	bool wildcard = str_starts(name, "*.");
	const char *base = wildcard ? name + 2 : name;
	_cleanup_outlook_ struct outlook o = { 0 };
	_cleanup_err_ struct err why = { 0 };

	d->name = name;
	d->view = "";
	look_rules(d, wildcard);
	if (outlook_for(d->e, d->http, base, d->vendor ? d->vendor->key : "", &o, &why) < 0) {
		could_not(d, "view", &why);
		return;
	}
	if (o.wait)
		outlook_done(&o), outlook_default(d->e, &o);
	d->view = o.view;
	look_caa(d, base, wildcard, &o);
	look_views(d, base, &o);
	if (d->any_validation || d->validation == VALIDATION_DNS01)
		doctor_delegation(d, base, &o);
	if (!wildcard && (d->any_validation || d->validation == VALIDATION_HTTP01))
		doctor_port80(d, base, &o);
	d->view = "";
}
