/* SPDX-License-Identifier: Apache-2.0 */
/* connection.c - see connection.h. The PEM text is only looked at for its shape: net/ reads it when the integration is checked. */
#include "model/connection.h"

#include "base/addr.h"
#include "base/limits.h"

#include <stdio.h>

DEFINE_ENUM(route, ROUTES)

bool connection_empty(const struct connection *c)
{
	return c->route == ROUTE_DEFAULT && !c->ca_pem && !c->fingerprint && !c->allow;
}

struct decoded {
	const char *route, *ca_pem, *fingerprint, *confirmed_for;
	struct strlist allow;
};

static const struct json_field fields[] = {
	JF_STR(struct decoded, route, .nullable = true, .one_of = (const char *const[]){ "default", "proxy", "direct", NULL }),
	JF_STR(struct decoded, ca_pem, .nullable = true, .max = LIMIT_CONNECTION_PEM),
	JF_STR(struct decoded, fingerprint, .nullable = true, .max = 128),
	JF_LIST(struct decoded, allow, .nullable = true, .max = LIMIT_CONNECTION_ALLOW, .item_max = 64),
	JF_STR(struct decoded, confirmed_for, .nullable = true, .max = LIMIT_NAME + 8),
	{ 0 }
};

static int bad(const char *pointer, const char *member, struct err *err, const char *what)
{
	_cleanup_free_ char *at = xasprintf("%s%s", pointer, member);

	return err_set_field(err, ERR_INVALID, at, "%s", what);
}

/* 64 digits, with or without colons and the word "sha256:" before them; upper case is fine. */
static char *fingerprint_read(const char *s)
{
	char text[65];
	size_t n = 0;

	if (strlen(s) > 7 && str_case_is((struct str){ s, 7 }, "sha256:"))
		s += 7;
	for (; *s; s++) {
		char c = *s >= 'A' && *s <= 'F' ? (char)(*s + 32) : *s;

		if (c == ':' && n && n % 2 == 0)
			continue;
		if (!strchr("0123456789abcdef", c) || n >= 64)
			return NULL;
		text[n++] = c;
	}
	text[n] = '\0';
	return n == 64 ? xstrdup(text) : NULL;
}

static int take_allow(const struct strlist *l, const char *pointer, char **ret, struct err *err)
{
	for (size_t i = 0; i < l->n; i++) {
		_cleanup_err_ struct err why = ERR_INIT;
		_cleanup_free_ char *at = xasprintf("%s/allow/%zu", pointer, i);
		struct cidr c;

		if (cidr_parse(l->v[i], &c, &why) < 0)
			return err_set_field(err, ERR_INVALID, at, "'%.64s' is not a network as 10.1.0.0/16 or 10.1.2.3", l->v[i]);
		if (c.bits < (c.family == AF_INET ? 8u : 7u))
			return err_set_field(err, ERR_INVALID, at, "'%.64s' is larger than any private network", l->v[i]);
	}
	*ret = l->n ? strlist_join(l, ",") : NULL;
	return 0;
}

/* Moves on the way down: what was decoded points into the document. */
static int take(const struct decoded *d, const char *pointer, bool stored, struct connection *ret, struct err *err)
{
	_cleanup_connection_ struct connection c = { 0 };

	if (d->route && !route_parse(d->route, &c.route))
		return bad(pointer, "/route", err, "must be default, proxy or direct");
	if (!str_empty(d->ca_pem)) {
		if (!strstr(d->ca_pem, "-----BEGIN CERTIFICATE-----") || !strstr(d->ca_pem, "-----END CERTIFICATE-----"))
			return bad(pointer, "/ca_pem", err, "is not a certificate in PEM form (-----BEGIN CERTIFICATE-----)");
		if (strstr(d->ca_pem, "PRIVATE KEY"))
			return bad(pointer, "/ca_pem", err, "holds a private key: only certificates belong here");
		c.ca_pem = xstrdup(d->ca_pem);
	}
	if (!str_empty(d->fingerprint) && !(c.fingerprint = fingerprint_read(d->fingerprint)))
		return bad(pointer, "/fingerprint", err, "is not a SHA-256 fingerprint: 64 hexadecimal digits, with or without colons");
	if (take_allow(&d->allow, pointer, &c.allow, err) < 0)
		return -(int)err->code;
	if (d->confirmed_for && !stored)
		return bad(pointer, "/confirmed_for", err, "cannot be set: it is the host of the integration when allow is given");
	if (c.allow)
		c.confirmed_for = xstrdup_null(d->confirmed_for);
	*ret = TAKE(c);
	return 0;
}

int connection_decode(json_t *doc, const char *pointer, bool stored, struct connection *ret, struct err *err)
{
	_cleanup_err_ struct err why = ERR_INIT;
	struct decoded d = { 0 };
	int rc;

	if (!doc || json_is_null(doc))
		return 0;
	rc = json_decode(doc, fields, DECODE_STRICT, &d, &why);
	if (rc < 0)
		rc = bad(pointer, why.field ? why.field : "", err, why.detail);
	else
		rc = take(&d, pointer, stored, ret, err);
	json_decode_free(fields, &d);
	return rc;
}

json_t *connection_encode(const struct connection *c)
{
	_cleanup_strlist_ struct strlist allow = { 0 };

	if (c->allow)
		strlist_split(&allow, c->allow, ',');
	return json_pack("{s:s, s:o, s:o, s:o, s:o}", "route", route_text(c->route), "ca_pem", json_str_or_null(c->ca_pem), "fingerprint",
			 json_str_or_null(c->fingerprint), "allow", json_strlist(&allow), "confirmed_for", json_str_or_null(c->confirmed_for));
}

char *connection_text(const struct connection *c)
{
	_cleanup_json_ json_t *j = NULL;

	if (connection_empty(c))
		return NULL;
	j = connection_encode(c);
	return json_text(j);
}

int connection_parse(const char *text, struct connection *ret, struct err *err)
{
	_cleanup_err_ struct err why = ERR_INIT;
	_cleanup_json_ json_t *j = NULL;

	if (str_empty(text))
		return 0;
	if (json_parse(text, strlen(text), &j, &why) < 0 || connection_decode(j, "", true, ret, &why) < 0)
		return err_set(err, ERR_INTERNAL, "the stored connection settings cannot be read: %s", why.detail);
	return 0;
}

static char *host_text(const char *host, uint16_t port)
{
	char *s = xasprintf(strchr(host, ':') ? "[%s]:%u" : "%s:%u", host, port);

	str_lower(s);
	return s;
}

void connection_confirm(struct connection *c, const char *host, uint16_t port)
{
	free(c->confirmed_for);
	c->confirmed_for = c->allow ? host_text(host, port) : NULL;
}

int connection_check_host(const struct connection *c, const char *host, uint16_t port, struct err *err)
{
	_cleanup_free_ char *now = host_text(host, port);

	if (!c->allow || (c->confirmed_for && streq(c->confirmed_for, now)))
		return 0;
	err_set_field(err, ERR_CONFLICT, "/connection/allow", "the private networks were allowed for '%s', not for '%s'",
		      c->confirmed_for ? c->confirmed_for : "no host", now);
	return err_hint(err, "If this private host is meant too, give connection.allow again together with the new address.");
}

void connection_copy(struct connection *to, const struct connection *from)
{
	*to = (struct connection){ .route = from->route,
				   .ca_pem = xstrdup_null(from->ca_pem),
				   .fingerprint = xstrdup_null(from->fingerprint),
				   .allow = xstrdup_null(from->allow),
				   .confirmed_for = xstrdup_null(from->confirmed_for) };
}

static bool same(const char *a, const char *b)
{
	return a && b ? streq(a, b) : !a && !b;
}

bool connection_equal(const struct connection *a, const struct connection *b)
{
	return a->route == b->route && same(a->ca_pem, b->ca_pem) && same(a->fingerprint, b->fingerprint) && same(a->allow, b->allow) &&
	       same(a->confirmed_for, b->confirmed_for);
}

void connection_done(struct connection *c)
{
	free(c->ca_pem);
	free(c->fingerprint);
	free(c->allow);
	free(c->confirmed_for);
	*c = (struct connection){ 0 };
}
