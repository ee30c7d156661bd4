/* SPDX-License-Identifier: Apache-2.0 */
/* The wrapper that puts an integration's rule on every request. */
#include "tests/unit/assert.h"

#include "net/ruled.h"

struct script {
	struct http http;
	struct http_request seen;
	struct net_rule rule;
	bool had_rule;
	const char *fingerprint; /* to show as the peer's */
	bool fail;
};

static int perform(struct http *h, const struct http_request *q, struct http_response *ret, struct err *err)
{
	struct script *s = (struct script *)(void *)h;

	s->seen = *q;
	s->had_rule = q->rule != NULL;
	if (q->rule)
		s->rule = *q->rule;
	if (s->fingerprint) {
		snprintf(ret->peer.fingerprint, sizeof ret->peer.fingerprint, "%s", s->fingerprint);
		ret->peer.subject = xstrdup("CN=box");
	}
	ret->status = 200;
	return s->fail ? err_set(err, ERR_NETWORK, "TCP: 'box.example': refused") : 0;
}

static void every_request_gets_the_rule(void **state UNUSED)
{
	struct script s = { .http = { perform } };
	struct net_rule rule = { .route = NET_ROUTE_DIRECT, .fingerprint = "ab", .allow = "10.0.0.1", .ca_pem = "PEM" };
	struct net_rule own = { .route = NET_ROUTE_PROXY, .plain_ok = true, .allow = "0.0.0.0/0" };
	struct ruled r;
	struct http *h = ruled_init(&r, &s.http, &rule);
	struct http_response a = { 0 };
	struct err err = ERR_INIT;

	ASSERT_OK(http_do(h, &(struct http_request){ .method = HTTP_PUT, .url = "https://box.example/x" }, &a, &err), &err);
	ASSERT_INT(s.seen.method, HTTP_PUT);
	ASSERT_STR(s.seen.url, "https://box.example/x");
	ASSERT_INT(s.rule.route, NET_ROUTE_DIRECT);
	ASSERT_STR(s.rule.allow, "10.0.0.1");
	ASSERT_FALSE(s.rule.plain_ok);
	http_response_done(&a);
	/* of a request's own rule only plain_ok counts */
	ASSERT_OK(http_do(h, &(struct http_request){ .url = "http://box.example/", .rule = &own }, &a, &err), &err);
	ASSERT_STR(s.rule.allow, "10.0.0.1");
	ASSERT_STR(s.rule.fingerprint, "ab");
	ASSERT_INT(s.rule.route, NET_ROUTE_DIRECT);
	ASSERT_TRUE(s.rule.plain_ok);
	http_response_done(&a);
}

static void without_a_rule_nothing_changes(void **state UNUSED)
{
	struct script s = { .http = { perform } };
	struct net_rule own = { .route = NET_ROUTE_PROXY };
	struct ruled r;
	struct http *h = ruled_init(&r, &s.http, NULL);
	struct http_response a = { 0 };
	struct err err = ERR_INIT;

	ASSERT_OK(http_do(h, &(struct http_request){ .url = "https://a.example/" }, &a, &err), &err);
	ASSERT_FALSE(s.had_rule);
	http_response_done(&a);
	ASSERT_OK(http_do(h, &(struct http_request){ .url = "https://a.example/", .rule = &own }, &a, &err), &err);
	ASSERT_INT(s.rule.route, NET_ROUTE_PROXY);
	http_response_done(&a);
}

static void a_look_needs_no_trust_and_carries_nothing(void **state UNUSED)
{
	struct script s = { .http = { perform }, .fingerprint = "abcd" };
	struct net_rule rule = { .route = NET_ROUTE_DIRECT, .fingerprint = "00", .allow = "10.0.0.1", .ca_pem = "PEM" };
	_cleanup_peer_ struct http_peer p = { 0 };
	struct err err = ERR_INIT;

	ASSERT_OK(net_look(&s.http, &rule, "https://box.example/", &p, &err), &err);
	ASSERT_STR(p.fingerprint, "abcd");
	ASSERT_STR(p.subject, "CN=box");
	ASSERT_TRUE(s.seen.look_only);
	ASSERT_INT(s.seen.method, HTTP_HEAD);
	ASSERT_TRUE(!s.seen.headers && !s.seen.body.p);
	ASSERT_TRUE(!s.rule.fingerprint && !s.rule.ca_pem);
	ASSERT_STR(s.rule.allow, "10.0.0.1");
}

static void a_look_says_why_nothing_was_seen(void **state UNUSED)
{
	struct script s = { .http = { perform }, .fail = true };
	struct http_peer p = { 0 };
	struct err err = ERR_INIT;

	ASSERT_FAILS(net_look(&s.http, NULL, "https://box.example/", &p, &err), &err, ERR_NETWORK);
	s.fail = false;
	ASSERT_FAILS(net_look(&s.http, NULL, "https://box.example/", &p, &err), &err, ERR_REMOTE_BAD);
	/* a server that breaks the connection after its certificate was seen */
	s = (struct script){ .http = { perform }, .fail = true, .fingerprint = "ef" };
	ASSERT_OK(net_look(&s.http, NULL, "https://box.example/", &p, &err), &err);
	ASSERT_STR(p.fingerprint, "ef");
	net_look_done(&p);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(every_request_gets_the_rule),
		TEST(without_a_rule_nothing_changes),
		TEST(a_look_needs_no_trust_and_carries_nothing),
		TEST(a_look_says_why_nothing_was_seen),
	};

	return RUN(tests);
}
