/* SPDX-License-Identifier: Apache-2.0 */
/* doh.c - a view by DNS over HTTPS against a scripted server: what is sent, and every answer that is not one. */
#include "resolve/resolve.h"

#include "tests/unit/assert.h"

#include <stdio.h>

enum mood { TELLS, WRONG_TYPE, STATUS_500, GARBAGE, OTHER_NAME, UNREACHABLE, HUGE_ANSWER };

struct server {
	struct http http;
	enum mood mood;
	int asked;
	char url[128];
	bool post, typed, accepts, id_is_zero;
};

static const char value[] = "seen-by-https";

static void answer(const struct http_request *q, struct server *s, struct http_response *ret)
{
	uint8_t out[4096];
	struct dns_out o = { .p = out, .cap = sizeof out };
	struct dns_query query;
	uint16_t counts[4] = { 1, 1, 0, 0 };

	ASSERT_INT(dns_query_read((const uint8_t *)q->body.p, q->body.n, &query), DNS_ANSWER);
	s->id_is_zero = query.id == 0;
	dns_out_header(&o, query.id, DNS_QR | DNS_RD | DNS_RA, 0, counts);
	dns_out_bytes(&o, q->body.p + DNS_HEADER, query.question_n);
	if (s->mood == OTHER_NAME)
		out[DNS_HEADER + 1] ^= 1;
	dns_out_name(&o, &query.qname);
	dns_out_u16(&o, DNS_TXT);
	dns_out_u16(&o, DNS_IN);
	dns_out_u32(&o, 5);
	dns_out_txt(&o, value, strlen(value));
	ret->status = s->mood == STATUS_500 ? 500 : 200;
	http_header_add(ret, "content-type", 12, s->mood == WRONG_TYPE ? "text/html" : "application/dns-message", s->mood == WRONG_TYPE ? 9 : 23);
	ret->body = (struct buf)BUF_MAX(64 * 1024);
	if (s->mood == GARBAGE)
		buf_add(&ret->body, "nonsense", 8);
	else
		buf_add(&ret->body, (const char *)out, o.n);
	for (int i = 0; s->mood == HUGE_ANSWER && i < 20000; i++)
		buf_add(&ret->body, "x", 1);
}

static int perform(struct http *h, const struct http_request *q, struct http_response *ret, struct err *err)
{
	struct server *s = (struct server *)h;

	s->asked++;
	s->post = q->method == HTTP_POST;
	s->typed = q->content_type && streq(q->content_type, "application/dns-message");
	s->accepts = q->headers && streq(q->headers[0].name, "Accept") && streq(q->headers[0].value, "application/dns-message");
	snprintf(s->url, sizeof s->url, "%s", q->url);
	if (s->mood == UNREACHABLE)
		return err_set(err, ERR_NETWORK, "TCP: connection refused");
	answer(q, s, ret);
	return 0;
}

static void a_question_goes_by_post_with_id_zero(void **state)
{
	_cleanup_resolve_report_ struct resolve_report r = { 0 };
	struct server s = { .http.perform = perform };
	struct resolve_view v = { .doh = "https://dns.example/dns-query", .http = &s.http, .ask_view = true };
	struct err err = { 0 };

	(void)state;
	ASSERT_OK(resolve_txt(&v, "_acme-challenge.example.com", false, &r, &err), &err);
	ASSERT_TRUE(resolve_report_all_have(&r, value));
	ASSERT_INT(r.n, 1);
	ASSERT_STR(r.servers[0].name, "https://dns.example/dns-query");
	ASSERT_INT(s.asked, 1);
	ASSERT_TRUE(s.post && s.typed && s.accepts && s.id_is_zero);
	ASSERT_STR(s.url, "https://dns.example/dns-query");
	ASSERT_FALSE(r.inside); /* a view's own server says nothing about where the zone is */
}

static void what_is_no_answer_is_said_and_never_believed(void **state)
{
	static const struct { enum mood mood; const char *words; } rows[] = {
		{ WRONG_TYPE, "no DNS over HTTPS server" }, { STATUS_500, "answers 500" },	 { GARBAGE, "unusable answer" },
		{ OTHER_NAME, "unusable answer" },	    { UNREACHABLE, "connection refused" }, { HUGE_ANSWER, "unusable answer" },
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		_cleanup_resolve_report_ struct resolve_report r = { 0 };
		struct server s = { .http.perform = perform, .mood = rows[i].mood };
		struct resolve_view v = { .doh = "https://dns.example/dns-query", .http = &s.http, .ask_view = true };
		_cleanup_free_ char *text = NULL;
		struct err err = { 0 };

		ASSERT_OK(resolve_txt(&v, "_acme-challenge.example.com", false, &r, &err), &err);
		ASSERT_FALSE(resolve_report_all_have(&r, value));
		text = resolve_report_text(&r, value);
		ASSERT_HAS(text, rows[i].words);
	}
}

static void a_view_without_anybody_to_ask_says_so(void **state)
{
	_cleanup_resolve_report_ struct resolve_report r = { 0 };
	struct resolve_view v = { .doh = "https://dns.example/dns-query" };
	struct err err = { 0 };

	(void)state;
	ASSERT_FAILS(resolve_txt(&v, "_acme-challenge.example.com", false, &r, &err), &err, ERR_NETWORK);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(a_question_goes_by_post_with_id_zero),
		TEST(what_is_no_answer_is_said_and_never_believed),
		TEST(a_view_without_anybody_to_ask_says_so),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
