/* SPDX-License-Identifier: Apache-2.0 */
/* url.c - see url.h. */
#include "net/url.h"

#include "base/limits.h"

#include <stdio.h>

void url_done(struct url *u)
{
	free(u->text);
	free(u->host);
	free(u->path);
	*u = (struct url){ 0 };
}

/* The text shown in an error: short and safe. */
static int bad(struct err *err, const char *text, size_t n, const char *why)
{
	_cleanup_free_ char *shown = str_clean(text, n, 200);

	return err_set(err, ERR_INVALID, "not a usable URL: '%s': %s", shown, why);
}

static bool is_digit(char c)
{
	return c >= '0' && c <= '9';
}

static bool is_name_char(char c)
{
	return is_digit(c) || (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || c == '-' || c == '_';
}

/* A last label that some program would read as a number: "7", "0x7f". */
static bool is_numeric_label(const char *s, size_t n)
{
	size_t i = 0;

	if (n >= 2 && s[0] == '0' && (s[1] == 'x' || s[1] == 'X'))
		return true;
	while (i < n && is_digit(s[i]))
		i++;
	return i == n;
}

/* Letters, digits, hyphens, underscores in labels; not a number in disguise. */
static const char *check_name(const char *s, size_t n)
{
	size_t start = 0;

	if (!n)
		return "the host is missing";
	if (n > 253)
		return "the host is longer than 253 bytes";
	for (size_t i = 0; i <= n; i++) {
		if (i < n && s[i] != '.') {
			if (!is_name_char(s[i]))
				return "the host has a character that host names do not have";
			continue;
		}
		if (i == start)
			return "the host has an empty label";
		if (i - start > 63)
			return "the host has a label longer than 63 bytes";
		if (i == n && is_numeric_label(s + start, n - start))
			return "the host is a number but not a dotted IPv4 address";
		start = i + 1;
	}
	return NULL;
}

static const char *parse_host(const char *s, size_t n, bool bracketed, struct url *u)
{
	_cleanup_err_ struct err ignored = ERR_INIT;
	_cleanup_free_ char *host = xstrndup(s, n);

	str_lower(host);
	if (addr_parse_ip(host, &u->addr, &ignored) == 0) {
		if ((u->addr.sa.sa_family == AF_INET6) != bracketed)
			return bracketed ? "there is no IPv6 address in the brackets" : "an IPv6 address needs brackets";
		u->is_ip = true;
	} else if (bracketed) {
		return "there is no IPv6 address in the brackets";
	} else {
		const char *why = check_name(host, n);

		if (why)
			return why;
	}
	u->host = TAKE(host);
	return NULL;
}

static const char *parse_port(const char *s, size_t n, struct url *u)
{
	unsigned v = 0;

	if (!n || n > 5)
		return "the port is not a number from 1 to 65535";
	for (size_t i = 0; i < n; i++) {
		if (!is_digit(s[i]))
			return "the port is not a number from 1 to 65535";
		v = v * 10 + (unsigned)(s[i] - '0');
	}
	if (!v || v > 65535)
		return "the port is not a number from 1 to 65535";
	u->port = (uint16_t)v;
	return NULL;
}

static const char *check_chars(const char *s)
{
	for (; *s; s++) {
		if ((unsigned char)*s <= ' ' || (unsigned char)*s >= 0x7f)
			return "it has a blank, a control character or a letter beyond ASCII";
		if (strchr("\\\"<>", *s))
			return "it has a character that URLs do not have";
		if (*s == '#')
			return "it has a fragment";
	}
	return NULL;
}

/* Host and port of "host[:port]"; p points behind "//". */
static const char *parse_authority(const char *p, size_t n, struct url *u)
{
	const char *end = p + n, *host = p, *host_end, *why;
	bool bracketed = n && *p == '[';

	if (memchr(p, '@', n))
		return "it has a user name";
	if (memchr(p, '%', n))
		return "its host has a percent sign";
	if (bracketed) {
		host = p + 1;
		host_end = memchr(p, ']', n);
		if (!host_end)
			return "a bracket is not closed";
		p = host_end + 1;
	} else {
		host_end = memchr(p, ':', n);
		if (!host_end)
			host_end = end;
		p = host_end;
	}
	why = parse_host(host, (size_t)(host_end - host), bracketed, u);
	if (why || p == end)
		return why;
	if (*p != ':')
		return "something stands between host and path";
	return parse_port(p + 1, (size_t)(end - p - 1), u);
}

static const char *parse(const char *text, bool plain_ok, struct url *u)
{
	const char *why = check_chars(text), *p;
	size_t n;

	if (why)
		return why;
	if (!strncasecmp(text, "https://", 8))
		u->https = true;
	else if (strncasecmp(text, "http://", 7))
		return plain_ok ? "it does not begin with https:// or http://" : "it does not begin with https://";
	else if (!plain_ok)
		return "plain http is not allowed here";
	p = text + (u->https ? 8 : 7);
	u->port = u->https ? 443 : 80;
	n = strcspn(p, "/?");
	why = parse_authority(p, n, u);
	if (why)
		return why;
	if (u->is_ip && u->addr.sa.sa_family == AF_INET)
		u->addr.in.sin_port = htons(u->port);
	else if (u->is_ip)
		u->addr.in6.sin6_port = htons(u->port);
	u->path = p[n] == '/' ? xstrdup(p + n) : xasprintf("/%s", p + n);
	u->text = xstrdup(text);
	return NULL;
}

int url_parse(const char *text, bool plain_ok, struct url *ret, struct err *err)
{
	_cleanup_url_ struct url u = { 0 };
	size_t n = strnlen(text, LIMIT_CA_URL + 1);
	const char *why;

	if (n > LIMIT_CA_URL)
		return bad(err, text, 200, "it is too long");
	why = parse(text, plain_ok, &u);
	if (why)
		return bad(err, text, n, why);
	*ret = TAKE(u);
	return 0;
}

/* "scheme:" at the start of a reference. */
static bool has_scheme(const char *ref)
{
	size_t n = strcspn(ref, ":/?#");

	if (ref[n] != ':' || !n)
		return false;
	for (size_t i = 0; i < n; i++)
		if (!is_name_char(ref[i]) && ref[i] != '+' && ref[i] != '.')
			return false;
	return true;
}

/* Length of "https://host:port" in a text that was parsed. */
static size_t origin_length(const char *text)
{
	const char *p = strstr(text, "//") + 2;

	return (size_t)(p - text) + strcspn(p, "/?");
}

/* RFC 3986 5.2.4 on the path part; the query stays as it is. */
static void add_without_dots(struct buf *out, const char *path)
{
	size_t start = out->n, end = strcspn(path, "?"), i = 0;

	while (i < end) {
		size_t j = i + 1; /* path[i] is '/' */

		while (j < end && path[j] != '/')
			j++;
		if (j - i == 2 && path[i + 1] == '.') {
			if (j == end)
				buf_add_char(out, '/');
		} else if (j - i == 3 && path[i + 1] == '.' && path[i + 2] == '.') {
			while (out->n > start && out->p[out->n - 1] != '/')
				out->n--;
			if (out->n > start)
				out->n--;
			if (out->p)
				out->p[out->n] = '\0';
			if (j == end)
				buf_add_char(out, '/');
		} else {
			buf_add(out, path + i, j - i);
		}
		i = j;
	}
	buf_add_str(out, path + end);
}

int url_resolve(const struct url *base, const char *ref, struct url *ret, struct err *err)
{
	_cleanup_buf_ struct buf text = BUF_MAX(3 * LIMIT_CA_URL);
	_cleanup_buf_ struct buf path = BUF_MAX(3 * LIMIT_CA_URL);
	size_t n = strnlen(ref, LIMIT_CA_URL + 1), keep;

	if (n > LIMIT_CA_URL)
		return bad(err, ref, 200, "it is too long");
	if (has_scheme(ref))
		return url_parse(ref, !base->https, ret, err);
	if (str_starts(ref, "//")) {
		buf_addf(&text, "%s%s", base->https ? "https:" : "http:", ref);
		return url_parse(buf_text(&text), !base->https, ret, err);
	}
	buf_add(&text, base->text, origin_length(base->text));
	keep = strcspn(base->path, "?");
	if (*ref == '/') {
		buf_add_str(&path, ref);
	} else if (*ref == '?' || !*ref) {
		buf_add(&path, base->path, keep);
		buf_add_str(&path, *ref ? ref : base->path + keep);
	} else {
		while (keep && base->path[keep - 1] != '/')
			keep--;
		buf_add(&path, base->path, keep);
		buf_add_str(&path, ref);
	}
	add_without_dots(&text, buf_text(&path));
	return url_parse(buf_text(&text), !base->https, ret, err);
}

bool url_same_origin(const struct url *a, const struct url *b)
{
	return a->https == b->https && a->port == b->port && streq(a->host, b->host);
}

static bool listed(const struct strlist *also, const struct url *u)
{
	_cleanup_free_ char *with_port = NULL;

	if (!also || !u->https)
		return false;
	with_port = xasprintf(u->is_ip && u->addr.sa.sa_family == AF_INET6 ? "[%s]:%u" : "%s:%u", u->host, u->port);
	for (size_t i = 0; i < also->n; i++)
		if (str_case_eq(also->v[i], with_port) || (u->port == 443 && str_case_eq(also->v[i], u->host)))
			return true;
	return false;
}

int url_pin(const struct url *base, const struct strlist *also, const char *ref, char **ret, struct err *err)
{
	_cleanup_err_ struct err why = ERR_INIT;
	_cleanup_url_ struct url u = { 0 };

	if (url_resolve(base, ref, &u, &why) < 0)
		return err_set(err, ERR_REMOTE_BAD, "the server named an unusable address: %s", why.detail);
	if (!url_same_origin(base, &u) && !listed(also, &u)) {
		_cleanup_free_ char *shown = str_clean(u.text, strlen(u.text), 200);

		return err_set(err, ERR_REMOTE_BAD, "the server named an address on another host: '%s' is not on %s:%u", shown,
			       base->host, base->port);
	}
	*ret = TAKE(u.text);
	return 0;
}

void url_escape(struct buf *out, const char *s, size_t n)
{
	for (size_t i = 0; i < n; i++) {
		unsigned char c = (unsigned char)s[i];

		if ((c >= 'A' && c <= 'Z') || (c >= 'a' && c <= 'z') || is_digit(s[i]) || (c && strchr("-._~", c)))
			buf_add_char(out, s[i]);
		else
			buf_addf(out, "%%%02X", c);
	}
}
