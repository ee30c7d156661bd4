/* SPDX-License-Identifier: Apache-2.0 */
/* settings.c - see settings.h. Secrets are never in the configuration, only the paths of their files; what is left are URLs with a secret path. */
#include "app/settings.h"

/* "https://hc.example/…" */
static char *host_only(const char *url)
{
	const char *host = strstr(url, "//");
	size_t n = host ? (size_t)(host + 2 - url) + strcspn(host + 2, "/?#") : 0;

	return xasprintf("%.*s/\xe2\x80\xa6", (int)n, url);
}

static char *shown(const struct config *c, const struct config_key *k)
{
	_cleanup_free_ char *value = config_value(c, k);

	if (streq(k->name, "heartbeat.url") && *value)
		return host_only(value);
	if (streq(k->name, "net.proxy_user") && *value)
		return xstrdup("(set)");
	return TAKE(value);
}

void settings_lines(const struct config *c, struct strlist *ret)
{
	for (const struct config_key *k = config_keys; k->name; k++) {
		_cleanup_free_ char *value = shown(c, k), *line = xasprintf("%s = %s", k->name, value);

		strlist_add(ret, line);
	}
	for (size_t i = 0; i < c->programs.n; i++) {
		_cleanup_free_ char *line = xasprintf("programs.%s", c->programs.v[i]);

		strlist_add(ret, line);
	}
	for (size_t i = 0; i < c->webroots.n; i++) {
		_cleanup_free_ char *line = xasprintf("webroots.%s", c->webroots.v[i]);

		strlist_add(ret, line);
	}
}
