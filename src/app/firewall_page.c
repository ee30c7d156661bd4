/* SPDX-License-Identifier: Apache-2.0 */
/*
 * firewall_page.c - docs/generated/firewall.md: everything that is connected, by whom, on which port, and why. Ports of listeners come
 * from the defaults of the configuration, authorities from the vendor registry, DNS providers and devices from their field tables.
 */
#include "app/pages.h"

#include "app/config.h"
#include "app/syslog.h"
#include "base/str.h"
#include "engine/provider.h"
#include "model/vendor.h"

#include <string.h>

struct flow {
	const char *from, *to;
	const char *port; /* NULL: that of the key's default */
	const char *why;
	const char *keys; /* the settings that decide it, blank-separated; or NULL */
	const char *when;
};

static const struct flow inward[] = {
	{ "the Internet (resolvers of authorities)", "Certwright", NULL, "DNS-01 by delegation", "dns.listen", "`_acme-challenge` names are delegated to this server" },
	{ "the Internet (authorities)", "Certwright, or the proxy before it", NULL, "HTTP-01", "http01.listen", "orders are validated by http-01" },
	{ "administrators, scripts, hosts that fetch certificates", "Certwright", NULL, "page, API, command line", "api.listen", "always; never from the Internet" },
	{ "monitoring", "Certwright", NULL, "`/healthz`, `/readyz`, `/metrics`", "api.listen metrics.allow_from", "it is monitored" },
};

#define SYSLOG_TEXT_OF(n) #n
#define SYSLOG_TEXT(n) SYSLOG_TEXT_OF(n)

static const struct flow outward[] = {
	{ "Certwright", "resolvers", "53 UDP and TCP", "finding hosts, and the name servers of your domains", "resolve.servers", "always" },
	{ "Certwright", "authoritative name servers of your domains", "53 UDP and TCP", "whether a challenge is seen everywhere", "resolve.ask_view",
	  "dns-01; with `resolve.ask_view = yes` only the resolvers are asked" },
	{ "Certwright", "a resolver by DNS over HTTPS", "443 TCP", "the same, seen from outside", NULL, "a view of kind `doh` is configured" },
	{ "Certwright", "the names that are ordered", "80 TCP", "whether the answer is seen before the authority is told", NULL, "http-01; advice only, an order goes on without" },
	{ "Certwright", "the proxy", "as configured", "calls to authorities and providers", "net.proxy", "there is no direct way out" },
	{ "Certwright", "the test CA of a trial", "as in its URL", "ACME", "acme.trial_directory", "trials" },
	{ "Certwright", "an authority of your own", "as in its directory URL", "ACME", NULL, "an account there is configured" },
	{ "Certwright", "PostgreSQL", "5432 TCP", "the store", "store.url", "`store.url = postgresql://…`" },
	{ "Certwright", "the log collector", SYSLOG_TEXT(SYSLOG_PORT) " TCP", "RFC 5424 over TLS", "log.target", "it is set" },
	{ "Certwright", "the heartbeat's host", "as in its URL", "says that all is well", "heartbeat.url", "it is set" },
	{ "Certwright", "the mail server", "25, 465, 587 or 2525 TCP", "notifications by mail", NULL, "a mail channel is configured" },
	{ "Certwright", "the webhook's host", "443 TCP, or as in its URL", "notifications", NULL, "a webhook is configured" },
};

static void port_of_key(FILE *out, const char *keys)
{
	struct str name = { keys, strcspn(keys, " ") };

	for (const struct config_key *k = config_keys; k->name; k++) {
		const char *def = k->def, *colon;

		if (strlen(k->name) != name.n || strncmp(k->name, name.p, name.n) != 0 || !def || !(colon = strchr(def, ':')))
			continue;
		fprintf(out, "%.*s%s", (int)strcspn(colon + 1, ","), colon + 1, streq(k->name, "dns.listen") ? " UDP and TCP" : " TCP");
	}
}

static void flow_rows(FILE *out, const struct flow *f, size_t n)
{
	for (; n; n--, f++) {
		fprintf(out, "| %s | %s | ", f->from, f->to);
		if (f->port)
			fputs(f->port, out);
		else
			port_of_key(out, f->keys);
		fprintf(out, " | %s | ", f->why);
		for (const char *s = f->keys; s && *s; s += strcspn(s, " "), s += *s == ' ')
			fprintf(out, "%s`%.*s`", s == f->keys ? "" : ", ", (int)strcspn(s, " "), s);
		fprintf(out, " | %s |\n", f->when);
	}
}

/* "host | port TCP" of a URL. */
static void host_of(FILE *out, const char *url)
{
	const char *host = strstr(url, "://") + 3;
	size_t n = strcspn(host, ":/");

	fprintf(out, "`%.*s` | ", (int)n, host);
	if (host[n] == ':')
		fprintf(out, "%.*s TCP", (int)strcspn(host + n + 1, "/"), host + n + 1);
	else
		fprintf(out, "%s TCP", strncmp(url, "https", 5) == 0 ? "443" : "80");
}

static void vendor_row(FILE *out, const struct vendor *v, const char *title, const char *url)
{
	fprintf(out, "| Certwright | ");
	host_of(out, url);
	fprintf(out, " | ACME | | an account at %s%s%s%s |\n", v->title, title ? ", " : "", title ? title : "",
		v->discontinued ? ", made before it was discontinued" : "");
}

static void provider_row(FILE *out, const struct provider_kind *k, const struct field *f)
{
	fprintf(out, "| Certwright | ");
	if (f->standard)
		host_of(out, f->standard);
	else if (streq(k->name, "rfc2136"))
		fprintf(out, "%s: `%s` | 53 UDP and TCP, or as configured", k->title, f->name);
	else
		fprintf(out, "%s: `%s` | as configured", k->title, f->name);
	fprintf(out, " | challenges are set and removed | | a provider of kind `%s` is configured |\n", k->name);
}

void firewall_page(FILE *out)
{
	static const char head[] = "| From | To | Port | Why | Setting | Needed when |\n|---|---|---|---|---|---|\n";
	const struct provider_kind *kinds;
	size_t n = provider_kinds(&kinds);

	fputs("# Firewall\n\nFrom the tables of the program: settings (`src/app/config.c`), authorities (`src/model/vendor.c`), providers (`src/publish`). "
	      "Nothing else is opened, and nothing is called that is not here: there is no telemetry and no look for updates. A URL that you configure "
	      "yourself may name another port. What it means, and how to fence it: [network](../admin/network.md).\n\n## Inward\n\n", out);
	fputs(head, out);
	flow_rows(out, inward, ARRAY_SIZE(inward));
	fputs("\n## Outward\n\n", out);
	fputs(head, out);
	flow_rows(out, outward, ARRAY_SIZE(outward));
	fputs("\n## Outward: authorities\n\nThrough `net.proxy` where it is set, but for what `net.no_proxy` names.\n\n", out);
	fputs(head, out);
	for (size_t i = 0; i < vendors_count; i++) {
		if (!vendors[i].regions)
			vendor_row(out, &vendors[i], NULL, vendors[i].directory_url);
		for (const struct vendor_region *r = vendors[i].regions; r && r->key; r++)
			vendor_row(out, &vendors[i], r->title, r->directory_url);
		if (vendors[i].eab_url) {
			fputs("| Certwright | ", out);
			host_of(out, vendors[i].eab_url);
			fprintf(out, " | external account | | Certwright asks %s for it |\n", vendors[i].title);
		}
	}
	fputs("\n## Outward: providers and devices\n\nThrough the proxy or direct, as each one's connection says.\n\n", out);
	fputs(head, out);
	for (size_t i = 0; i < n; i++)
		for (const struct field *f = kinds[i].fields; f->name; f++)
			if (f->flags & FIELD_ENDPOINT && !(f->flags & FIELD_PROGRAM) && f->flags & (FIELD_URL | FIELD_HOST | FIELD_LINES))
				provider_row(out, &kinds[i], f);
}
