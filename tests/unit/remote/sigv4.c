/* SPDX-License-Identifier: Apache-2.0 */
/* sigv4.c - AWS's published suite, all of it (tests/data/sigv4-vectors.json): canonical request, signature and header. */
#include "remote/sigv4.h"

#include "base/clock.h"
#include "base/file.h"
#include "base/json.h"
#include "tests/unit/assert.h"

#define HEADERS 16

/* A request as the suite writes it: a line, headers (some folded), a blank line, a body. */
struct parsed {
	char *text, *method, *target;
	struct http_header headers[HEADERS];
	struct str body;
};

static void parse(const char *request, struct parsed *p)
{
	char *line, *next, *end;
	size_t n = 0;

	*p = (struct parsed){ .text = xstrdup(request) };
	p->method = p->text;
	end = strchr(p->text, '\n');
	*end = 0;
	next = end + 1;
	*strchr(p->text, ' ') = 0;
	p->target = p->text + strlen(p->text) + 1;
	p->target[strlen(p->target) - strlen(" HTTP/1.1")] = 0;
	while (*(line = next) && *line != '\n') {
		char *colon = strchr(line, ':');

		end = strchr(line, '\n');
		while (end[1] == ' ')
			end = strchr(end + 1, '\n');
		next = end + 1;
		*end = *colon = 0;
		ASSERT_TRUE(n < HEADERS - 1);
		p->headers[n++] = (struct http_header){ line, colon + 1 };
	}
	if (*line == '\n')
		p->body = STR(line + 1);
}

static void one_case(json_t *c)
{
	const char *name, *request, *canonical, *signature, *signed_request, *id, *secret, *token = NULL, *region, *service, *at;
	int normalize, sign_body, omit = 0;
	_cleanup_secret_ struct secret key_secret = { 0 }, key_token = { 0 };
	_cleanup_sigv4_ struct sigv4_signed s = { 0 };
	struct parsed p;
	struct err err = { 0 };
	int64_t now;

	ASSERT_INT(json_unpack(c, "{s:s,s:s,s:s,s:s,s:s,s:{s:{s:s,s:s,s?:s},s:b,s:b,s?:b,s:s,s:s,s:s}}", "name", &name, "request", &request,
			       "canonical_request", &canonical, "signature", &signature, "signed_request", &signed_request, "context",
			       "credentials", "access_key_id", &id, "secret_access_key", &secret, "token", &token, "normalize", &normalize,
			       "sign_body", &sign_body, "omit_session_token", &omit, "region", &region, "service", &service, "timestamp", &at),
		   0);
	ASSERT_OK(clock_parse(at, &now, &err), &err);
	key_secret = secret_from(secret);
	if (token && !omit)
		key_token = secret_from(token);
	parse(request, &p);
	sigv4_sign(&(struct sigv4_key){ id, &key_secret, &key_token, region, service },
		   &(struct sigv4_request){ p.method, p.target, p.headers, p.body, now, !normalize, sign_body }, &s);
	if (!streq(buf_text(&s.canonical), canonical))
		print_error("case %s\n", name);
	ASSERT_STR(buf_text(&s.canonical), canonical);
	ASSERT_STR(s.signature, signature);
	ASSERT_HAS(signed_request, s.authorization);
	free(p.text);
}

static void the_published_suite_is_signed_as_published(void **state)
{
	_cleanup_buf_ struct buf text = BUF_MAX(1 << 20);
	struct err err = { 0 };
	_cleanup_json_ json_t *all = NULL;

	ASSERT_OK(file_read(DATA "/sigv4-vectors.json", &text, &err), &err);
	ASSERT_OK(json_parse(buf_text(&text), text.n, &all, &err), &err);
	ASSERT_INT(json_array_size(all), 38);
	for (size_t i = 0; i < json_array_size(all); i++)
		one_case(json_array_get(all, i));
}

static void a_query_is_signed_in_one_way_however_it_is_written(void **state)
{
	static const char *const targets[] = { "/x?b=%2f&a=*&flag", "/x?flag&a=%2a&b=%2F", "/x?a=%2A&&b=/&flag=" };
	_cleanup_secret_ struct secret secret = secret_from("s");
	struct http_header headers[] = { { "Host", "h" }, { 0 } };

	for (size_t i = 0; i < ARRAY_SIZE(targets); i++) {
		_cleanup_sigv4_ struct sigv4_signed s = { 0 };

		sigv4_sign(&(struct sigv4_key){ "id", &secret, NULL, "us-east-1", "route53" },
			   &(struct sigv4_request){ "GET", targets[i], headers, { 0 }, 0, false, false }, &s);
		ASSERT_HAS(buf_text(&s.canonical), "GET\n/x\na=%2A&b=%2F&flag=\n");
	}
}

static void the_host_is_signed_as_it_is_sent(void **state)
{
	static const struct { const char *url, *host; } rows[] = {
		{ "https://route53.amazonaws.com", "route53.amazonaws.com" }, { "https://a.example:443/x", "a.example" },
		{ "http://127.0.0.1:5055", "127.0.0.1:5055" },		      { "https://[2001:db8::1]:8443/", "[2001:db8::1]:8443" },
	};

	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		_cleanup_url_ struct url u = { 0 };
		struct err err = { 0 };
		_cleanup_free_ char *host = NULL;

		ASSERT_OK(url_parse(rows[i].url, true, &u, &err), &err);
		host = remote_host(&u);
		ASSERT_STR(host, rows[i].host);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(the_published_suite_is_signed_as_published),
		TEST(a_query_is_signed_in_one_way_however_it_is_written),
		TEST(the_host_is_signed_as_it_is_sent),
	};

	return RUN(tests);
}
