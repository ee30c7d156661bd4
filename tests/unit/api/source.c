/* SPDX-License-Identifier: Apache-2.0 */
/* Whose address counts: the peer's, or what a trusted proxy says. */
#include "tests/unit/assert.h"

#include "api/source.h"

static struct source source(const char *allow, const char *trusted)
{
	struct strlist a = { 0 }, t = { 0 };
	struct source s = { 0 };
	struct err err = ERR_INIT;

	strlist_split(&a, allow, ',');
	strlist_split(&t, trusted, ',');
	ASSERT_OK(cidr_list_read(&s.allow, &a, "api.allow_from", &err), &err);
	ASSERT_OK(cidr_list_read(&s.trusted, &t, "api.trusted_proxies", &err), &err);
	strlist_clear(&a);
	strlist_clear(&t);
	return s;
}

static union addr ip(const char *text)
{
	struct err err = ERR_INIT;
	union addr a = { 0 };

	ASSERT_OK(addr_parse_ip(text, &a, &err), &err);
	return a;
}

static void the_header_counts_only_from_a_trusted_proxy(void **state UNUSED)
{
	static const struct {
		const char *peer, *values[3], *client;
	} rows[] = {
		{ "198.51.100.1", { "203.0.113.9" }, "198.51.100.1" },             /* not a proxy of ours: ignored */
		{ "10.0.0.1", { NULL }, "10.0.0.1" },
		{ "10.0.0.1", { "203.0.113.9" }, "203.0.113.9" },
		{ "10.0.0.1", { "1.1.1.1, 203.0.113.9" }, "203.0.113.9" },         /* what the client made up stands left */
		{ "10.0.0.1", { "1.1.1.1", "203.0.113.9" }, "203.0.113.9" },       /* the proxy added a header of its own */
		{ "10.0.0.1", { "203.0.113.9, 10.0.0.2" }, "203.0.113.9" },        /* two proxies */
		{ "10.0.0.1", { "203.0.113.9", "10.0.0.2 ,10.0.0.3" }, "203.0.113.9" },
		{ "10.0.0.1", { "203.0.113.9:4711" }, "203.0.113.9" },
		{ "10.0.0.1", { "[2001:db8::7]:4711" }, "2001:db8::7" },
		{ "10.0.0.1", { "[2001:db8::7]" }, "2001:db8::7" },
		{ "10.0.0.1", { "\t2001:db8::7 " }, "2001:db8::7" },
		{ "10.0.0.1", { "1.1.1.1, unknown" }, "10.0.0.1" },                /* broken: what is known for sure */
		{ "10.0.0.1", { "1.1.1.1, 10.0.0.2, " }, "10.0.0.1" },
		{ "10.0.0.1", { "1.1.1.1,,10.0.0.2" }, "10.0.0.2" },
		{ "10.0.0.1", { "" }, "10.0.0.1" },
		{ "10.0.0.1", { "10.0.0.2, 10.0.0.3" }, "10.0.0.2" },              /* only proxies: the first of them */
		{ "::ffff:10.0.0.1", { "203.0.113.9" }, "203.0.113.9" },
	};
	struct source s = source("", "10.0.0.0/24");

	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		union addr peer = ip(rows[i].peer), client;
		char text[ADDR_TEXT];
		size_t n = 0;

		while (n < 3 && rows[i].values[n])
			n++;
		client = source_client(&s, &peer, rows[i].values, n);
		ASSERT_STR(addr_format_ip(&client, text), rows[i].client);
		ASSERT_INT(addr_port(&client), 0);
	}
	source_clear(&s);
}

static void who_may_ask_is_judged_by_the_client_and_who_may_connect_by_the_peer(void **state UNUSED)
{
	struct source s = source("192.0.2.0/24,2001:db8::/32", "10.0.0.1"), open = source("", "");
	union addr inside = ip("192.0.2.7"), proxy = ip("10.0.0.1"), outside = ip("203.0.113.9"), six = ip("2001:db8::1");

	ASSERT_TRUE(source_may_connect(&s, &inside) && source_may_ask(&s, &inside));
	ASSERT_TRUE(source_may_connect(&s, &six) && source_may_ask(&s, &six));
	ASSERT_TRUE(source_may_connect(&s, &proxy));
	ASSERT_FALSE(source_may_ask(&s, &proxy));
	ASSERT_FALSE(source_may_connect(&s, &outside));
	ASSERT_FALSE(source_may_ask(&s, &outside));
	ASSERT_TRUE(source_may_connect(&open, &outside) && source_may_ask(&open, &outside));
	source_clear(&s);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(the_header_counts_only_from_a_trusted_proxy),
		TEST(who_may_ask_is_judged_by_the_client_and_who_may_connect_by_the_peer),
	};

	return RUN(tests);
}
