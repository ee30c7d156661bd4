/* SPDX-License-Identifier: Apache-2.0 */
/* http.c - see http.h. RFC 9112 2 to 6, the strict reading of each. */
#include "edge/http.h"

#include "base/limits.h"
#include "feed/feed.h"

#define PREFIX "/.well-known/acme-challenge/"

/* tchar of RFC 9110 5.6.2 */
static bool is_tchar(char c)
{
	return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') ||
	       (c && strchr("!#$%&'*+-.^_`|~", c));
}

/* The next line without its CRLF. MORE: not there yet; BAD: a CR or LF that stands alone, or a NUL. */
static enum http_verdict take_line(const char *p, size_t n, size_t *at, struct str *ret)
{
	for (size_t i = *at; i < n; i++) {
		if (p[i] == '\0' || p[i] == '\n')
			return HTTP_BAD;
		if (p[i] != '\r')
			continue;
		if (i + 1 == n)
			return HTTP_MORE;
		if (p[i + 1] != '\n')
			return HTTP_BAD;
		*ret = (struct str){ p + *at, i - *at };
		*at = i + 2;
		return HTTP_REQUEST;
	}
	return HTTP_MORE;
}

static void read_token(struct http_request *q)
{
	const size_t prefix = sizeof PREFIX - 1;
	struct str t;

	if (q->target.n < prefix + FEED_TOKEN_MIN || q->target.n > prefix + FEED_TOKEN_MAX ||
	    memcmp(q->target.p, PREFIX, prefix))
		return;
	t = (struct str){ q->target.p + prefix, q->target.n - prefix };
	if (str_is_base64url(t.p, t.n))
		q->token = t;
}

/* method SP target SP HTTP/1.x */
static bool read_request_line(struct str line, struct http_request *q, bool *ret_11)
{
	size_t method = 0, end;

	while (method < line.n && is_tchar(line.p[method]))
		method++;
	if (method == 0 || method > 32 || line.n < method + 1 + 1 + 9 || line.p[method] != ' ')
		return false;
	end = line.n - 9;
	if (memcmp(line.p + end, " HTTP/1.", 8) || (line.p[line.n - 1] != '0' && line.p[line.n - 1] != '1'))
		return false;
	q->target = (struct str){ line.p + method + 1, end - method - 1 };
	if (q->target.n == 0)
		return false;
	for (size_t i = 0; i < q->target.n; i++)
		if (q->target.p[i] <= ' ' || q->target.p[i] >= 0x7f)
			return false;
	q->get = method == 3 && !memcmp(line.p, "GET", 3);
	q->head = method == 4 && !memcmp(line.p, "HEAD", 4);
	*ret_11 = line.p[line.n - 1] == '1';
	return true;
}

struct fields {
	bool host, length, close, keep_alive;
};

/* Is the word one of the comma-separated ones? */
static bool list_has(struct str list, const char *word)
{
	size_t at = 0;

	while (at < list.n) {
		size_t end = at;
		struct str one;

		while (end < list.n && list.p[end] != ',')
			end++;
		one = (struct str){ list.p + at, end - at };
		while (one.n && (one.p[0] == ' ' || one.p[0] == '\t'))
			one = (struct str){ one.p + 1, one.n - 1 };
		while (one.n && (one.p[one.n - 1] == ' ' || one.p[one.n - 1] == '\t'))
			one.n--;
		if (str_case_is(one, word))
			return true;
		at = end + 1;
	}
	return false;
}

static bool take_field(struct str name, struct str value, struct http_request *q, struct fields *f)
{
	if (str_case_is(name, "host")) {
		if (f->host || value.n > FEED_REPORT_HOST_MAX)
			return false;
		f->host = true;
		q->host = value;
	} else if (str_case_is(name, "content-length")) {
		if (f->length || !str_is(value, "0"))
			return false; /* twice, or a body: nobody asks for a token so */
		f->length = true;
	} else if (str_case_is(name, "transfer-encoding")) {
		return false;
	} else if (str_case_is(name, "connection")) {
		f->close |= list_has(value, "close");
		f->keep_alive |= list_has(value, "keep-alive");
	}
	return true;
}

/* name ":" OWS value OWS */
static bool read_field(struct str line, struct http_request *q, struct fields *f)
{
	struct str name = { line.p, 0 }, value;

	while (name.n < line.n && is_tchar(line.p[name.n]))
		name.n++;
	if (name.n == 0 || name.n == line.n || line.p[name.n] != ':')
		return false;
	value = (struct str){ line.p + name.n + 1, line.n - name.n - 1 };
	for (size_t i = 0; i < value.n; i++)
		if (((unsigned char)value.p[i] < ' ' && value.p[i] != '\t') || value.p[i] == 0x7f)
			return false;
	while (value.n && (value.p[0] == ' ' || value.p[0] == '\t'))
		value = (struct str){ value.p + 1, value.n - 1 };
	while (value.n && (value.p[value.n - 1] == ' ' || value.p[value.n - 1] == '\t'))
		value.n--;
	return take_field(name, value, q, f);
}

enum http_verdict http_read(const char *p, size_t n, struct http_request *ret)
{
	struct http_request q = { 0 };
	struct fields f = { 0 };
	enum http_verdict v;
	struct str line;
	bool http11 = false;
	size_t at = 0;

	v = take_line(p, MIN(n, LIMIT_HTTP01_HEAD), &at, &line);
	if (v == HTTP_REQUEST && !read_request_line(line, &q, &http11))
		return HTTP_BAD;
	while (v == HTTP_REQUEST) {
		v = take_line(p, MIN(n, LIMIT_HTTP01_HEAD), &at, &line);
		if (v != HTTP_REQUEST)
			break;
		if (line.n == 0) {
			if (http11 && !f.host)
				return HTTP_BAD;
			q.head_n = at;
			q.http10 = !http11;
			q.keep_alive = !f.close && (http11 || f.keep_alive) && (q.get || q.head);
			read_token(&q);
			*ret = q;
			return HTTP_REQUEST;
		}
		if (!read_field(line, &q, &f))
			return HTTP_BAD;
	}
	if (v == HTTP_MORE && n >= LIMIT_HTTP01_HEAD)
		return HTTP_BAD;
	return v;
}

bool http_may_redirect(const struct http_request *q)
{
	if (q->host.n == 0 || q->target.p[0] != '/' || (q->target.n > 1 && (q->target.p[1] == '/' || q->target.p[1] == '\\')))
		return false;
	for (size_t i = 0; i < q->host.n; i++) {
		char c = q->host.p[i];

		if (!((c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || strchr("-.:[]_", c)))
			return false;
	}
	for (size_t i = 0; i < q->target.n; i++)
		if (strchr("\"<>\\^`{|}", q->target.p[i]))
			return false;
	return true;
}
