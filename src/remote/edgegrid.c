/* SPDX-License-Identifier: Apache-2.0 */
/* edgegrid.c - see edgegrid.h. Bodies are signed for POST only: that is what every library of the vendor does, PUT included. */
#include "remote/edgegrid.h"

#include "base/base64.h"
#include "base/clock.h"
#include "base/random.h"
#include "crypto/digest.h"

#include <stdio.h>

#define SIGN_MAX (64 * 1024)

void edgegrid_done(struct edgegrid *e)
{
	free(e->host);
	free(e->client_token);
	free(e->access_token);
	secret_clear(&e->client_secret);
	free(e->account_key);
	*e = (struct edgegrid){ 0 };
}

/* ---- signature ---- */

static void add_headers(struct buf *out, const struct http_header *h)
{
	for (bool first = true; h && h->name; h++, first = false) {
		_cleanup_free_ char *low = xstrdup(h->name);
		bool pending = false, any = false;

		str_lower(low);
		buf_addf(out, "%s%s:", first ? "" : "\t", low);
		for (const char *s = h->value; *s; s++) {
			if (*s == ' ' || *s == '\t') {
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
}

static void mac_base64(struct buf *out, const void *key, size_t key_n, const char *text)
{
	unsigned char mac[SHA256_LEN];

	hmac_sha256(key, key_n, text, strlen(text), mac);
	base64_encode(out, mac, sizeof mac);
	explicit_bzero(mac, sizeof mac);
}

char *edgegrid_sign(const struct edgegrid *e, const struct edgegrid_request *q, struct buf *to_sign)
{
	_cleanup_free_ char *head = xasprintf("EG1-HMAC-SHA256 client_token=%s;access_token=%s;timestamp=%s;nonce=%s;", e->client_token,
					      e->access_token, q->timestamp, q->nonce);
	_cleanup_buf_ struct buf data = BUF_MAX(SIGN_MAX), mac = BUF_MAX(128);
	_cleanup_buf_wipe_ struct buf key = BUF_MAX(128);

	buf_addf(&data, "%s\t%s\t%s\t%s\t", q->method, q->scheme, q->host, q->target);
	add_headers(&data, q->headers);
	buf_add_char(&data, '\t');
	if (streq(q->method, "POST") && q->body.p && q->body.n) {
		unsigned char hash[SHA256_LEN];

		sha256(q->body.p, MIN(q->body.n, q->max_body ? q->max_body : (size_t)EDGEGRID_MAX_BODY), hash);
		base64_encode(&data, hash, sizeof hash);
	}
	buf_add_char(&data, '\t');
	if (to_sign)
		buf_add(to_sign, buf_text(&data), data.n);
	buf_add_str(&data, head);
	mac_base64(&key, e->client_secret.p, e->client_secret.n, q->timestamp);
	mac_base64(&mac, buf_text(&key), key.n, buf_text(&data));
	return xasprintf("%ssignature=%s", head, buf_text(&mac));
}

const char *edgegrid_time(int64_t now_ms, char buf[EDGEGRID_TIME])
{
	char text[CLOCK_TEXT], *p = buf;

	clock_format(now_ms, text);
	for (const char *s = text; *s && *s != '.' && *s != 'Z' && p < buf + 17; s++)
		if (*s != '-')
			*p++ = *s;
	memcpy(p, "+0000", 6);
	return buf;
}

const char *edgegrid_nonce(char buf[EDGEGRID_NONCE])
{
	uint64_t a = random_u64(), b = random_u64();

	snprintf(buf, EDGEGRID_NONCE, "%08x-%04x-4%03x-%04x-%012" PRIx64, (unsigned)(a >> 32), (unsigned)(a >> 16) & 0xffff,
		 (unsigned)a & 0xfff, 0x8000 | ((unsigned)(b >> 48) & 0x3fff), b & UINT64_C(0xffffffffffff));
	return buf;
}

/* ---- .edgerc ---- */

static struct str trim(struct str s)
{
	while (s.n && (*s.p == ' ' || *s.p == '\t')) {
		s.p++;
		s.n--;
	}
	while (s.n && (s.p[s.n - 1] == ' ' || s.p[s.n - 1] == '\t' || s.p[s.n - 1] == '\r'))
		s.n--;
	return s;
}

static bool next_line(struct str *rest, struct str *line)
{
	const char *end;

	if (!rest->n)
		return false;
	end = memchr(rest->p, '\n', rest->n);
	*line = (struct str){ rest->p, end ? (size_t)(end - rest->p) : rest->n };
	rest->n -= line->n + (end ? 1 : 0);
	rest->p += line->n + (end ? 1 : 0);
	*line = trim(*line);
	return true;
}

/* Name of the section that is meant: the one asked for, "default", or the only one there is. NULL: cannot tell. */
static char *section_of(struct str text, const char *wanted)
{
	_cleanup_strlist_ struct strlist names = { 0 };
	struct str line;

	if (!str_empty(wanted))
		return xstrdup(wanted);
	while (next_line(&text, &line))
		if (line.n > 2 && line.p[0] == '[' && line.p[line.n - 1] == ']')
			strlist_addn(&names, line.p + 1, line.n - 2);
	if (strlist_has(&names, "default") || !names.n)
		return xstrdup(names.n ? "default" : "");
	return names.n == 1 ? xstrdup(names.v[0]) : NULL;
}

static void member(struct edgegrid *e, struct str name, struct str value)
{
	struct { const char *name; char **to; } texts[] = {
		{ "host", &e->host }, { "client_token", &e->client_token }, { "access_token", &e->access_token },
		{ "account_key", &e->account_key }, { "account_switch_key", &e->account_key },
	};

	if (str_is(name, "client_secret")) {
		secret_clear(&e->client_secret);
		e->client_secret = secret_copy(value.p, value.n);
		return;
	}
	for (size_t i = 0; i < ARRAY_SIZE(texts); i++)
		if (str_is(name, texts[i].name)) {
			free(*texts[i].to);
			*texts[i].to = xstrndup(value.p, value.n);
		}
}

/* "https://akab-x.luna.akamaiapis.net/" is what people paste. */
static void tidy_host(struct edgegrid *e)
{
	char *h = e->host, *from = h;

	if (!h)
		return;
	str_lower(h);
	if (str_starts(h, "https://"))
		from += 8;
	memmove(h, from, strlen(from) + 1);
	h[strcspn(h, "/")] = 0;
}

static int whole(const struct edgegrid *e, const char *section, struct err *err)
{
	const char *missing = str_empty(e->host)	 ? "host" :
			      str_empty(e->client_token) ? "client_token" :
			      str_empty(e->access_token) ? "access_token" :
			      !e->client_secret.n	 ? "client_secret" :
							   NULL;

	if (!missing)
		return 0;
	return err_set(err, ERR_INVALID, "section '%s' of the .edgerc has no %s", section, missing);
}

int edgegrid_parse_edgerc(const char *text, size_t n, const char *section, struct edgegrid *ret, struct err *err)
{
	_cleanup_edgegrid_ struct edgegrid e = { 0 };
	_cleanup_free_ char *want = section_of((struct str){ text, n }, section), *safe = NULL;
	struct str rest = { text, n }, line;
	bool inside;

	if (!want)
		return err_set(err, ERR_INVALID, "the .edgerc has several sections and none is named 'default': say which one");
	inside = !*want;
	safe = str_clean(want, strlen(want), 64);
	while (next_line(&rest, &line)) {
		const char *eq = line.n ? memchr(line.p, '=', line.n) : NULL;

		if (!line.n || *line.p == '#' || *line.p == ';')
			continue;
		if (line.p[0] == '[' && line.p[line.n - 1] == ']')
			inside = str_is((struct str){ line.p + 1, line.n - 2 }, want);
		else if (inside && eq)
			member(&e, trim((struct str){ line.p, (size_t)(eq - line.p) }),
			       trim((struct str){ eq + 1, line.n - (size_t)(eq + 1 - line.p) }));
	}
	tidy_host(&e);
	if (whole(&e, safe, err) < 0)
		return -(int)err->code;
	*ret = TAKE(e);
	return 0;
}
