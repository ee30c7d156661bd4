/* SPDX-License-Identifier: Apache-2.0 */
/* source.c - see source.h. */
#include "api/source.h"

int cidr_list_read(struct cidr_list *ret, const struct strlist *l, const char *key, struct err *err)
{
	if (!l || !l->n)
		return 0;
	ret->v = xcalloc(l->n, sizeof *ret->v);
	for (size_t i = 0; i < l->n; i++)
		if (cidr_parse(l->v[i], &ret->v[ret->n++], err) < 0)
			return err_wrap(err, "could not read %s", key);
	return 0;
}

bool cidr_list_has(const struct cidr_list *l, const union addr *a)
{
	for (size_t i = 0; i < l->n; i++)
		if (cidr_has(&l->v[i], a))
			return true;
	return false;
}

void cidr_list_clear(struct cidr_list *l)
{
	free(l->v);
	*l = (struct cidr_list){ 0 };
}

bool source_may_ask(const struct source *s, const union addr *client)
{
	return !s->allow.n || cidr_list_has(&s->allow, client);
}

bool source_may_connect(const struct source *s, const union addr *peer)
{
	return source_may_ask(s, peer) || cidr_list_has(&s->trusted, peer);
}

/* "192.0.2.1", "192.0.2.1:4711", "2001:db8::1", "[2001:db8::1]:4711" */
static bool read_one(struct str text, union addr *ret)
{
	_cleanup_err_ struct err no = ERR_INIT, no_port = ERR_INIT;
	_cleanup_free_ char *s = NULL;
	size_t n;

	while (text.n && (*text.p == ' ' || *text.p == '\t'))
		text = (struct str){ text.p + 1, text.n - 1 };
	while (text.n && (text.p[text.n - 1] == ' ' || text.p[text.n - 1] == '\t'))
		text.n--;
	if (!text.n || text.n > 63)
		return false;
	s = xstrndup(text.p, text.n);
	if (addr_parse_ip(s, ret, &no) == 0)
		return true;
	if (addr_parse(s, ret, &no_port) == 0) {
		if (ret->sa.sa_family == AF_INET6)
			ret->in6.sin6_port = 0;
		else
			ret->in.sin_port = 0;
		return true;
	}
	n = strlen(s);
	if (s[0] == '[' && s[n - 1] == ']') {
		_cleanup_err_ struct err no_brackets = ERR_INIT;

		s[n - 1] = '\0';
		return addr_parse_ip(s + 1, ret, &no_brackets) == 0;
	}
	return false;
}

union addr source_client(const struct source *s, const union addr *peer, const char *const *values, size_t n)
{
	union addr known = *peer;

	while (n && cidr_list_has(&s->trusted, &known)) {
		const char *value = values[n - 1];
		size_t end = strlen(value);

		for (;;) {
			size_t from = end;
			union addr next = { 0 };

			while (from && value[from - 1] != ',')
				from--;
			if (!read_one((struct str){ value + from, end - from }, &next))
				return known;
			known = next;
			if (!cidr_list_has(&s->trusted, &known))
				return known;
			if (!from)
				break;
			end = from - 1;
		}
		n--;
	}
	return known;
}

void source_clear(struct source *s)
{
	cidr_list_clear(&s->allow);
	cidr_list_clear(&s->trusted);
}
