/* SPDX-License-Identifier: Apache-2.0 */
#include "tests/unit/assert.h"

#include "base/addr.h"

static void addresses_are_read_and_written(void **state UNUSED)
{
	static const char *const same[] = { "192.0.2.1:53", "[2001:db8::1]:8443", "0.0.0.0:0", "[::]:65535" };
	struct err err = ERR_INIT;
	char text[ADDR_TEXT];
	union addr a;

	for (size_t i = 0; i < ARRAY_SIZE(same); i++) {
		ASSERT_OK(addr_parse(same[i], &a, &err), &err);
		ASSERT_STR(addr_format(&a, text), same[i]);
	}
}

static void what_is_no_address_is_refused(void **state UNUSED)
{
	static const char *const bad[] = { "", ":53", "192.0.2.1", "192.0.2.1:", "192.0.2.1:65536", "2001:db8::1:53", "[192.0.2.1]:53",
					   "localhost:53", "192.0.2.256:1", "[2001:db8::1]53", "127.1:80", "0x7f.1:80", "[]:1" };
	struct err err = ERR_INIT;
	union addr a;

	for (size_t i = 0; i < ARRAY_SIZE(bad); i++)
		ASSERT_FAILS(addr_parse(bad[i], &a, &err), &err, ERR_INVALID);
}

static void networks_hold_what_they_should(void **state UNUSED)
{
	static const struct {
		const char *net, *ip;
		bool inside;
	} rows[] = {
		{ "10.0.0.0/8", "10.255.1.2", true },       { "10.0.0.0/8", "11.0.0.1", false },
		{ "192.0.2.7", "192.0.2.7", true },         { "192.0.2.7", "192.0.2.8", false },
		{ "0.0.0.0/0", "203.0.113.9", true },       { "fd00::/8", "fd12::1", true },
		{ "fd00::/8", "fe80::1", false },           { "10.0.0.0/8", "::ffff:10.1.2.3", true },
		{ "::ffff:10.0.0.0", "10.0.0.0", true },    { "192.0.2.128/25", "192.0.2.127", false },
	};
	struct err err = ERR_INIT;

	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		struct cidr c;
		union addr a;

		ASSERT_OK(cidr_parse(rows[i].net, &c, &err), &err);
		ASSERT_OK(addr_parse_ip(rows[i].ip, &a, &err), &err);
		ASSERT_INT(cidr_has(&c, &a), rows[i].inside);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(addresses_are_read_and_written),
		TEST(what_is_no_address_is_refused),
		TEST(networks_hold_what_they_should),
	};

	return RUN(tests);
}
