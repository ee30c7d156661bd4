/* SPDX-License-Identifier: Apache-2.0 */
#include "tests/unit/assert.h"

#include "edge/limit.h"

static uint64_t P(const char *ip)
{
	struct err err = ERR_INIT;
	union addr a;

	ASSERT_OK(addr_parse_ip(ip, &a, &err), &err);
	return limit_prefix(&a);
}

static unsigned allowed(struct limit *l, uint64_t prefix, unsigned kind, unsigned tries, int64_t now_ms)
{
	unsigned n = 0;

	while (tries--)
		n += limit_ok(l, prefix, kind, now_ms);
	return n;
}

static void prefixes_are_a_24_and_a_56(void **state UNUSED)
{
	ASSERT_TRUE(P("192.0.2.1") == P("192.0.2.255"));
	ASSERT_TRUE(P("192.0.2.1") != P("192.0.3.1"));
	ASSERT_TRUE(P("2001:db8:0:1::1") == P("2001:db8:0:ff::2"));
	ASSERT_TRUE(P("2001:db8:0:100::1") != P("2001:db8:0:ff::2"));
	ASSERT_TRUE(P("::ffff:192.0.2.9") == P("192.0.2.1"));
	ASSERT_TRUE(P("::1") != P("0.0.0.1"));
}

static void a_bucket_holds_two_and_a_half_seconds_and_fills_by_the_rate(void **state UNUSED)
{
	struct limit *l = limit_new(100);
	uint64_t a = P("192.0.2.1"), b = P("198.51.100.1");

	ASSERT_INT(allowed(l, a, 1, 1000, 5000), 250);
	ASSERT_INT(allowed(l, a, 1, 1000, 5000), 0);
	ASSERT_INT(allowed(l, a, 2, 1000, 5000), 250); /* each kind of answer has its own */
	ASSERT_INT(allowed(l, b, 1, 1000, 5000), 250); /* and each prefix */
	ASSERT_INT(allowed(l, a, 1, 1000, 5100), 10);
	ASSERT_INT(allowed(l, a, 1, 1000, 6100), 100);
	ASSERT_INT(allowed(l, a, 1, 1000, 600000), 250);
	limit_free(l);
}

static void time_that_wraps_at_32_bits_is_fine(void **state UNUSED)
{
	struct limit *l = limit_new(100);
	int64_t edge = INT64_C(1) << 32;

	ASSERT_INT(allowed(l, 1, 1, 1000, edge - 50), 250);
	ASSERT_INT(allowed(l, 1, 1, 1000, edge + 50), 10);
	limit_free(l);
}

static void a_flood_of_prefixes_does_not_take_the_bucket_of_one_that_is_in_use(void **state UNUSED)
{
	struct limit *l = limit_new(10);
	unsigned n = 0;

	for (int64_t k = 0; k < 20000; k++) {
		limit_ok(l, 1000 + (uint64_t)k, 1, 1000 + k / 100);
		if (k % 10 == 0)
			n += limit_ok(l, 7, 1, 1000 + k / 100);
	}
	ASSERT_TRUE(n <= 30); /* 25, and what 200 ms add */
	limit_free(l);
	ASSERT_TRUE(limit_new(0) == NULL);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(prefixes_are_a_24_and_a_56),
		TEST(a_bucket_holds_two_and_a_half_seconds_and_fills_by_the_rate),
		TEST(time_that_wraps_at_32_bits_is_fine),
		TEST(a_flood_of_prefixes_does_not_take_the_bucket_of_one_that_is_in_use),
	};

	return RUN(tests);
}
