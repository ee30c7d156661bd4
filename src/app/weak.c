/* SPDX-License-Identifier: Apache-2.0 */
/* weak.c - see weak.h. One row a judgement; a default that is safe is none. */
#include "app/weak.h"

#include "base/addr.h"

static bool loopback_only(const struct strlist *addresses)
{
	for (size_t i = 0; i < addresses->n; i++) {
		_cleanup_err_ struct err no = ERR_INIT;
		union addr a;

		if (addr_parse(addresses->v[i], &a, &no) < 0 || !addr_is_loopback(&a))
			return false;
	}
	return true;
}

static bool metrics_open(const struct config *c)
{
	for (size_t i = 0; i < c->metrics_allow_from.n; i++)
		if (!str_starts(c->metrics_allow_from.v[i], "127.") && !streq(c->metrics_allow_from.v[i], "::1") && !streq(c->metrics_allow_from.v[i], "::1/128"))
			return true;
	return false;
}

static bool api_open(const struct config *c)
{
	return !c->api_allow_from.n && !loopback_only(&c->api_listen);
}

static bool self_signed(const struct config *c)
{
	return !c->api_tls_cert && !c->api_certificate && !loopback_only(&c->api_listen);
}

static bool private_allowed(const struct config *c)
{
	return c->net_allow.n > 0;
}

static bool proxies(const struct config *c)
{
	return c->api_trusted_proxies.n > 0;
}

static bool verbose(const struct config *c)
{
	return streq(c->log_level, "debug");
}

static bool unlimited(const struct config *c)
{
	return c->dns_listen.n && !c->dns_rate_limit;
}

static bool asks_caches(const struct config *c)
{
	return c->resolve_ask_view;
}

static bool runs_programs(const struct config *c)
{
	return c->programs.n > 0;
}

static bool no_backup(const struct config *c)
{
	return str_starts(c->store_url, "sqlite:") && !c->backup_dir;
}

static bool short_history(const struct config *c)
{
	return c->retention_events < 365;
}

static const struct {
	const char *key;
	bool (*is)(const struct config *c);
	const char *why, *todo;
} judgements[] = {
	{ "api.listen", api_open, "everybody who reaches this address may try to sign in", "Say in api.allow_from who may reach it." },
	{ "api.tls_cert", self_signed, "the page's certificate is self-signed: people learn to click warnings away", "Set api.certificate, or api.tls_cert and api.tls_key." },
	{ "api.trusted_proxies", proxies, "these say which address somebody came from, and are believed", "Let it name the reverse proxies only." },
	{ "metrics.allow_from", metrics_open, "names of certificates can be read there without signing in", "Let it name the monitoring hosts only, or use a token." },
	{ "net.allow", private_allowed, "integrations may call these private networks", "Let it name single hosts (/32, /128)." },
	{ "resolve.ask_view", asks_caches, "a cache may answer what no authoritative server does", "Use it only where the network lets no DNS out." },
	{ "dns.rate_limit", unlimited, "the DNS server can be used to flood others", "Set a limit." },
	{ "backup.dir", no_backup, "nothing makes backups by itself", "Set backup.dir on another disk, and enable the timer." },
	{ "retention.events", short_history, "the story of orders is kept for less than a year", "Keep it longer; the audit is kept anyway." },
	{ "log.level", verbose, "the log says more than operation needs", "Set info when you are done looking." },
	{ "programs", runs_programs, "foreign programs run with credentials of integrations", "Check who may change them." },
};

static const char *value_of(const struct config *c, const char *key, char **ret)
{
	for (const struct config_key *k = config_keys; k->name; k++)
		if (streq(k->name, key))
			return *ret = config_value(c, k);
	return *ret = strlist_join(&c->programs, ", ");
}

void weak_settings(const struct config *c, struct strlist *ret)
{
	for (size_t i = 0; i < ARRAY_SIZE(judgements); i++) {
		_cleanup_free_ char *value = NULL, *text = NULL;

		if (!judgements[i].is(c))
			continue;
		text = xasprintf("%s\n%s\n%s\n%s", judgements[i].key, value_of(c, judgements[i].key, &value), judgements[i].why, judgements[i].todo);
		strlist_add(ret, text);
	}
}
