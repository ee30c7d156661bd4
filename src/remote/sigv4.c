/* SPDX-License-Identifier: Apache-2.0 */
/* sigv4.c - see sigv4.h. The three parts of the published description in its order: canonical request, string to sign, signature. */
#include "remote/sigv4.h"

#include "base/clock.h"
#include "crypto/digest.h"

#define PART_MAX (64 * 1024)

static bool blank(char c)
{
	return c == ' ' || c == '\t' || c == '\r' || c == '\n';
}

/* Trimmed, runs of blanks become one. */
static void add_trimmed(struct buf *out, const char *s)
{
	bool pending = false, any = false;

	for (; *s; s++) {
		if (blank(*s)) {
			pending = any;
			continue;
		}
		if (pending)
			buf_add_char(out, ' ');
		buf_add_char(out, *s);
		pending = false;
		any = true;
	}
}

static void add_escaped_path(struct buf *out, const char *p, size_t n)
{
	for (size_t i = 0; i < n; i++) {
		if (p[i] == '/')
			buf_add_char(out, '/');
		else
			url_escape(out, p + i, 1);
	}
}

static void add_path(struct buf *out, const char *path, size_t n, bool keep)
{
	_cleanup_strlist_ struct strlist parts = { 0 };
	bool slash = true;

	if (keep) {
		add_escaped_path(out, path, n);
		return;
	}
	for (size_t i = 0; i < n;) {
		size_t from, k;

		while (i < n && path[i] == '/')
			i++;
		from = i;
		while (i < n && path[i] != '/')
			i++;
		k = i - from;
		slash = !k || (k == 1 && path[from] == '.') || (k == 2 && !memcmp(path + from, "..", 2));
		if (k == 2 && slash && parts.n)
			free(parts.v[--parts.n]);
		else if (!slash)
			strlist_addn(&parts, path + from, k);
	}
	for (size_t i = 0; i < parts.n; i++) {
		buf_add_char(out, '/');
		add_escaped_path(out, parts.v[i], strlen(parts.v[i]));
	}
	if (slash || !parts.n)
		buf_add_char(out, '/');
}

static int hex_value(char c)
{
	if (c >= '0' && c <= '9')
		return c - '0';
	c |= 0x20;
	return c >= 'a' && c <= 'f' ? c - 'a' + 10 : -1;
}

/* Decoded and encoded again, so that "%2f" and "*" are written in the one way that is signed. */
static void add_again(struct buf *out, const char *p, size_t n)
{
	for (size_t i = 0; i < n; i++) {
		char c = p[i];

		if (c == '%' && i + 2 < n && hex_value(p[i + 1]) >= 0 && hex_value(p[i + 2]) >= 0) {
			c = (char)(hex_value(p[i + 1]) << 4 | hex_value(p[i + 2]));
			i += 2;
		}
		url_escape(out, &c, 1);
	}
}

struct pair {
	char *name, *value;
	size_t order;
};

static int pair_cmp(const void *a, const void *b)
{
	const struct pair *x = a, *y = b;
	int r = strcmp(x->name, y->name);

	return r ? r : strcmp(x->value, y->value);
}

static int pair_cmp_name(const void *a, const void *b)
{
	const struct pair *x = a, *y = b;
	int r = strcmp(x->name, y->name);

	return r ? r : (x->order > y->order) - (x->order < y->order);
}

static void pairs_free(struct pair *p, size_t n)
{
	for (size_t i = 0; i < n; i++) {
		free(p[i].name);
		free(p[i].value);
	}
	free(p);
}

static void add_query(struct buf *out, const char *q)
{
	struct pair *pairs = NULL;
	size_t n = 0;

	for (const char *end = q; *q; q = *end ? end + 1 : end) {
		struct buf name = BUF_MAX(PART_MAX), value = BUF_MAX(PART_MAX);
		const char *eq;

		end = strchrnul(q, '&');
		if (end == q)
			continue;
		eq = memchr(q, '=', (size_t)(end - q));
		add_again(&name, q, (size_t)((eq ? eq : end) - q));
		if (eq)
			add_again(&value, eq + 1, (size_t)(end - eq - 1));
		pairs = xrealloc(pairs, (n + 1) * sizeof *pairs);
		pairs[n] = (struct pair){ xstrdup(buf_text(&name)), xstrdup(buf_text(&value)), n };
		n++;
		buf_done(&name);
		buf_done(&value);
	}
	if (n)
		qsort(pairs, n, sizeof *pairs, pair_cmp);
	for (size_t i = 0; i < n; i++)
		buf_addf(out, "%s%s=%s", i ? "&" : "", pairs[i].name, pairs[i].value);
	pairs_free(pairs, n);
}

static void pair_add(struct pair **pairs, size_t *n, const char *name, const char *value)
{
	_cleanup_buf_wipe_ struct buf v = BUF_MAX(PART_MAX);
	char *low = xstrdup(name);

	str_lower(low);
	add_trimmed(&v, value);
	*pairs = xrealloc(*pairs, (*n + 1) * sizeof **pairs);
	(*pairs)[*n] = (struct pair){ low, xstrdup(buf_text(&v)), *n };
	(*n)++;
}

/* The header lines into out, the list of their names into names. */
static void add_headers(struct buf *out, struct buf *names, const struct sigv4_key *key, const struct sigv4_request *q,
			const struct sigv4_signed *s)
{
	struct pair *pairs = NULL;
	size_t n = 0;

	for (const struct http_header *h = q->headers; h && h->name; h++)
		pair_add(&pairs, &n, h->name, h->value);
	pair_add(&pairs, &n, "x-amz-date", s->date);
	if (key->token && key->token->n)
		pair_add(&pairs, &n, "x-amz-security-token", (const char *)key->token->p);
	if (q->body_header)
		pair_add(&pairs, &n, "x-amz-content-sha256", s->body_hash);
	qsort(pairs, n, sizeof *pairs, pair_cmp_name);
	for (size_t i = 0; i < n; i++) {
		bool again = i && streq(pairs[i].name, pairs[i - 1].name);

		if (again) {
			buf_addf(out, ",%s", pairs[i].value);
		} else {
			buf_addf(out, "%s%s:%s", i ? "\n" : "", pairs[i].name, pairs[i].value);
			buf_addf(names, "%s%s", i ? ";" : "", pairs[i].name);
		}
	}
	buf_add_char(out, '\n');
	for (size_t i = 0; i < n; i++)
		explicit_bzero(pairs[i].value, strlen(pairs[i].value));
	pairs_free(pairs, n);
}

static void signing_key(const struct sigv4_key *key, const char *day, unsigned char k[SHA256_LEN])
{
	_cleanup_buf_wipe_ struct buf first = BUF_MAX(PART_MAX);
	unsigned char a[SHA256_LEN];

	buf_add_str(&first, "AWS4");
	buf_add(&first, key->secret->p, key->secret->n);
	hmac_sha256(buf_text(&first), first.n, day, strlen(day), a);
	hmac_sha256(a, sizeof a, key->region, strlen(key->region), k);
	hmac_sha256(k, SHA256_LEN, key->service, strlen(key->service), a);
	hmac_sha256(a, sizeof a, "aws4_request", 12, k);
	explicit_bzero(a, sizeof a);
}

/* "20150830T123600Z" out of RFC 3339. */
static void amz_date(int64_t now_ms, char out[20])
{
	char text[CLOCK_TEXT];
	size_t n = 0;

	clock_format(now_ms, text);
	for (const char *p = text; *p && *p != '.' && *p != 'Z'; p++)
		if (*p != '-' && *p != ':' && n < 18)
			out[n++] = *p;
	out[n++] = 'Z';
	out[n] = 0;
}

void sigv4_sign(const struct sigv4_key *key, const struct sigv4_request *q, struct sigv4_signed *ret)
{
	_cleanup_buf_ struct buf names = BUF_MAX(PART_MAX), to_sign = BUF_MAX(PART_MAX);
	const char *query = strchrnul(q->target, '?');
	char day[9], hash[SHA256_HEX];
	unsigned char k[SHA256_LEN], mac[SHA256_LEN];
	struct buf hex = BUF_MAX(64), *c = &ret->canonical;

	*ret = (struct sigv4_signed){ .canonical = BUF_MAX(4 * PART_MAX) };
	amz_date(q->now_ms, ret->date);
	memcpy(day, ret->date, 8);
	day[8] = 0;
	sha256_hex(q->body.p ? q->body.p : "", q->body.p ? q->body.n : 0, ret->body_hash);

	buf_addf(c, "%s\n", q->method);
	add_path(c, q->target, (size_t)(query - q->target), q->keep_path);
	buf_add_char(c, '\n');
	add_query(c, *query ? query + 1 : query);
	buf_add_char(c, '\n');
	add_headers(c, &names, key, q, ret);
	buf_addf(c, "\n%s\n%s", buf_text(&names), ret->body_hash);

	buf_addf(&to_sign, "AWS4-HMAC-SHA256\n%s\n%s/%s/%s/aws4_request\n%s", ret->date, day, key->region, key->service,
		 sha256_hex(buf_text(c), c->n, hash));
	signing_key(key, day, k);
	hmac_sha256(k, sizeof k, buf_text(&to_sign), to_sign.n, mac);
	explicit_bzero(k, sizeof k);
	buf_add_hex(&hex, mac, sizeof mac);
	memcpy(ret->signature, buf_text(&hex), 65);
	buf_done(&hex);
	ret->authorization = xasprintf("AWS4-HMAC-SHA256 Credential=%s/%s/%s/%s/aws4_request, SignedHeaders=%s, Signature=%s", key->id, day,
				       key->region, key->service, buf_text(&names), ret->signature);
}

void sigv4_signed_done(struct sigv4_signed *s)
{
	buf_done_wipe(&s->canonical);
	free(s->authorization);
	*s = (struct sigv4_signed){ 0 };
}

char *remote_host(const struct url *u)
{
	bool v6 = u->is_ip && strchr(u->host, ':');
	const char *l = v6 ? "[" : "", *r = v6 ? "]" : "";

	if (u->port == (u->https ? 443 : 80))
		return xasprintf("%s%s%s", l, u->host, r);
	return xasprintf("%s%s%s:%u", l, u->host, r, (unsigned)u->port);
}
