/* SPDX-License-Identifier: Apache-2.0 */
/* report.c - what a visit found, and that in words. */
#include "resolve/resolve.h"

#include <stdio.h>

void resolve_report_done(struct resolve_report *r)
{
	for (size_t i = 0; i < r->n; i++) {
		strlist_clear(&r->servers[i].values);
		free(r->servers[i].trouble);
	}
	free(r->servers);
	free(r->alias);
	*r = (struct resolve_report){ 0 };
}

bool resolve_report_all_have(const struct resolve_report *r, const char *value)
{
	for (size_t i = 0; i < r->n; i++)
		if (!r->servers[i].answered || !strlist_has(&r->servers[i].values, value))
			return false;
	return r->n > 0;
}

char *resolve_server_text(const struct resolve_server *s, const char *value)
{
	char rcode[DNS_TYPE_TEXT];

	if (!s->answered)
		return xstrdup(s->trouble ? s->trouble : "no answer");
	if (strlist_has(&s->values, value))
		return xstrdup("has it");
	if (s->rcode)
		return xasprintf("answers %s", dns_rcode_text(s->rcode, rcode));
	if (!s->values.n)
		return xstrdup("has no TXT record there");
	return xasprintf("has another value: %.80s", s->values.v[0]);
}

static void add_missing(struct strlist *l, const struct resolve_server *s, const char *value)
{
	_cleanup_free_ char *why = resolve_server_text(s, value), *line = NULL;

	line = *s->name && *s->address ? xasprintf("%s (%s): %s", s->name, s->address, why) :
					 xasprintf("%s: %s", *s->name ? s->name : s->address, why);
	strlist_add(l, line);
}

char *resolve_report_text(const struct resolve_report *r, const char *value)
{
	_cleanup_strlist_ struct strlist l = { 0 };
	_cleanup_free_ char *head = NULL;
	size_t have = 0;

	for (size_t i = 0; i < r->n; i++)
		if (r->servers[i].answered && strlist_has(&r->servers[i].values, value))
			have++;
	head = xasprintf("%zu of %zu server%s %s it", have, r->n, r->n == 1 ? "" : "s", have == 1 ? "has" : "have");
	strlist_add(&l, head);
	for (size_t i = 0; i < r->n; i++)
		if (!r->servers[i].answered || !strlist_has(&r->servers[i].values, value))
			add_missing(&l, &r->servers[i], value);
	if (r->alias && have < r->n) {
		_cleanup_free_ char *alias = xasprintf("the name is an alias of %s", r->alias);

		strlist_add(&l, alias);
	}
	return strlist_join(&l, "; ");
}
