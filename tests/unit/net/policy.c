/* SPDX-License-Identifier: Apache-2.0 */
/* The guard: classes of addresses, lists of allowed networks, the proxy's exceptions. */
#include "tests/unit/assert.h"

#include "net/private.h"

static struct net_policy *policy(const struct net_config *c)
{
	struct err err = ERR_INIT;
	struct net_policy *p = NULL;

	ASSERT_OK(net_policy_new(c, &p, &err), &err);
	return p;
}

static union addr ip(const char *text)
{
	struct err err = ERR_INIT;
	union addr a = { 0 };

	ASSERT_OK(addr_parse_ip(text, &a, &err), &err);
	return a;
}

static void every_special_range_is_known(void **state UNUSED)
{
	static const struct {
		const char *ip;
		enum net_address class;
	} rows[] = {
		{ "8.8.8.8", NET_ADDRESS_PUBLIC },	    { "172.65.32.248", NET_ADDRESS_PUBLIC },
		{ "11.0.0.0", NET_ADDRESS_PUBLIC },	    { "9.255.255.255", NET_ADDRESS_PUBLIC },
		{ "172.15.255.255", NET_ADDRESS_PUBLIC },   { "172.32.0.0", NET_ADDRESS_PUBLIC },
		{ "100.63.255.255", NET_ADDRESS_PUBLIC },   { "100.128.0.0", NET_ADDRESS_PUBLIC },
		{ "192.169.0.1", NET_ADDRESS_PUBLIC },	    { "198.20.0.1", NET_ADDRESS_PUBLIC },
		{ "127.0.0.1", NET_ADDRESS_PRIVATE },	    { "127.255.255.255", NET_ADDRESS_PRIVATE },
		{ "10.0.0.1", NET_ADDRESS_PRIVATE },	    { "172.16.0.1", NET_ADDRESS_PRIVATE },
		{ "172.31.255.255", NET_ADDRESS_PRIVATE },  { "192.168.255.255", NET_ADDRESS_PRIVATE },
		{ "100.64.0.1", NET_ADDRESS_PRIVATE },	    { "100.127.255.255", NET_ADDRESS_PRIVATE },
		{ "192.0.2.1", NET_ADDRESS_PRIVATE },	    { "198.51.100.1", NET_ADDRESS_PRIVATE },
		{ "203.0.113.1", NET_ADDRESS_PRIVATE },	    { "198.18.0.1", NET_ADDRESS_PRIVATE },
		{ "198.19.255.255", NET_ADDRESS_PRIVATE },  { "240.0.0.1", NET_ADDRESS_PRIVATE },
		{ "192.0.0.8", NET_ADDRESS_PRIVATE },	    { "192.88.99.1", NET_ADDRESS_PRIVATE },
		{ "169.254.169.254", NET_ADDRESS_NEVER },   { "169.254.0.1", NET_ADDRESS_NEVER },
		{ "100.100.100.200", NET_ADDRESS_NEVER },   { "192.0.0.192", NET_ADDRESS_NEVER },
		{ "0.0.0.0", NET_ADDRESS_NEVER },	    { "0.1.2.3", NET_ADDRESS_NEVER },
		{ "224.0.0.1", NET_ADDRESS_NEVER },	    { "239.255.255.255", NET_ADDRESS_NEVER },
		{ "255.255.255.255", NET_ADDRESS_NEVER },   { "2606:4700::1", NET_ADDRESS_PUBLIC },
		{ "2a00:1450:4001:80b::200e", NET_ADDRESS_PUBLIC }, { "::1", NET_ADDRESS_PRIVATE },
		{ "::", NET_ADDRESS_NEVER },		    { "fe80::1", NET_ADDRESS_NEVER },
		{ "febf::1", NET_ADDRESS_NEVER },	    { "fec0::1", NET_ADDRESS_PRIVATE },
		{ "fc00::1", NET_ADDRESS_PRIVATE },	    { "fd12:3456::1", NET_ADDRESS_PRIVATE },
		{ "fd00:ec2::254", NET_ADDRESS_NEVER },	    { "fd20:ce::254", NET_ADDRESS_NEVER },
		{ "ff02::1", NET_ADDRESS_NEVER },	    { "2001:db8::1", NET_ADDRESS_PRIVATE },
		{ "3fff::1", NET_ADDRESS_PRIVATE },	    { "100::1", NET_ADDRESS_PRIVATE },
		{ "4000::1", NET_ADDRESS_PRIVATE },	    { "5f00::1", NET_ADDRESS_PRIVATE },
		/* IPv4 inside IPv6 */
		{ "::ffff:127.0.0.1", NET_ADDRESS_PRIVATE }, { "::ffff:10.0.0.1", NET_ADDRESS_PRIVATE },
		{ "::ffff:169.254.169.254", NET_ADDRESS_NEVER }, { "::ffff:8.8.8.8", NET_ADDRESS_PUBLIC },
		{ "::ffff:0:127.0.0.1", NET_ADDRESS_PRIVATE }, { "::127.0.0.1", NET_ADDRESS_PRIVATE },
		{ "::8.8.8.8", NET_ADDRESS_PRIVATE },	    { "::2", NET_ADDRESS_NEVER },
		{ "64:ff9b::7f00:1", NET_ADDRESS_PRIVATE }, { "64:ff9b::a9fe:a9fe", NET_ADDRESS_NEVER },
		{ "64:ff9b::808:808", NET_ADDRESS_PUBLIC }, { "64:ff9b:1::a00:1", NET_ADDRESS_PRIVATE },
		{ "64:ff9b:1::808:808", NET_ADDRESS_PRIVATE }, { "2002:7f00:1::", NET_ADDRESS_PRIVATE },
		{ "2002:a00:1::1", NET_ADDRESS_PRIVATE },   { "2002:a9fe:a9fe::", NET_ADDRESS_NEVER },
		{ "2002:808:808::1", NET_ADDRESS_PUBLIC },  { "2001:0:808:808::80ff:fffe", NET_ADDRESS_PRIVATE },
		{ "2a00::5efe:10.0.0.1", NET_ADDRESS_PRIVATE }, { "2001:2::1", NET_ADDRESS_PRIVATE },
		{ "2001:10::1", NET_ADDRESS_PRIVATE },	    { "2001:20::1", NET_ADDRESS_PRIVATE },
	};

	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		union addr a = ip(rows[i].ip);
		const char *range = NULL;
		enum net_address class = net_address_class(&a, &range);

		if (class != rows[i].class)
			print_error("%s is '%s':\n", rows[i].ip, range);
		ASSERT_INT(class, rows[i].class);
	}
}

static void private_networks_are_allowed_only_when_listed(void **state UNUSED)
{
	static const struct {
		const char *allow, *own, *ip;
		bool ok;
	} rows[] = {
		{ "", NULL, "8.8.8.8", true },
		{ "", NULL, "10.1.2.3", false },
		{ "10.0.0.0/8", NULL, "10.1.2.3", true },
		{ "10.0.0.0/8 192.168.1.0/24", NULL, "192.168.1.9", true },
		{ "10.0.0.0/8,192.168.1.0/24", NULL, "192.168.2.9", false },
		{ "10.0.0.0/8", NULL, "::ffff:10.1.2.3", true },
		{ "10.0.0.0/8", NULL, "64:ff9b::a01:203", false },
		{ "", "10.1.2.3", "10.1.2.3", true },
		{ "", "10.1.2.3", "10.1.2.4", false },
		{ "", "nonsense", "10.1.2.3", false },
		{ "127.0.0.0/8", NULL, "127.0.0.1", true },
		{ "127.0.0.0/8", NULL, "::1", false },
		{ "::1", NULL, "::1", true },
		{ "fd00::/8", NULL, "fd12::1", true },
		/* never, whatever is listed */
		{ "0.0.0.0/0 ::/0", "169.254.169.254", "169.254.169.254", false },
		{ "0.0.0.0/0 ::/0", "fe80::/10", "fe80::1", false },
		{ "0.0.0.0/0 ::/0", "fd00:ec2::254", "fd00:ec2::254", false },
		{ "0.0.0.0/0 ::/0", NULL, "::ffff:169.254.169.254", false },
		{ "0.0.0.0/0 ::/0", NULL, "2002:a9fe:a9fe::", false },
		{ "0.0.0.0/0 ::/0", NULL, "0.0.0.0", false },
		{ "0.0.0.0/0 ::/0", NULL, "10.9.9.9", true },
	};

	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		struct net_policy *p = policy(&(struct net_config){ .allow = rows[i].allow });
		struct net_rule rule = { .allow = rows[i].own };
		union addr a = ip(rows[i].ip);
		const char *range;

		if (net_policy_allows(p, &rule, &a, &range) != rows[i].ok)
			print_error("row %zu, %s:\n", i, rows[i].ip);
		ASSERT_INT(net_policy_allows(p, &rule, &a, &range), rows[i].ok);
		net_policy_unref(p);
	}
}

static void the_proxy_has_its_exceptions(void **state UNUSED)
{
	static const struct {
		const char *url;
		enum net_route route;
		bool proxied;
	} rows[] = {
		{ "https://ca.example/", NET_ROUTE_DEFAULT, true },	   { "https://inside.test/", NET_ROUTE_DEFAULT, false },
		{ "https://a.inside.test/", NET_ROUTE_DEFAULT, false },	   { "https://notinside.test/", NET_ROUTE_DEFAULT, true },
		{ "https://x.dotted.test/", NET_ROUTE_DEFAULT, false },	   { "https://10.1.1.1/", NET_ROUTE_DEFAULT, false },
		{ "https://11.1.1.1/", NET_ROUTE_DEFAULT, true },	   { "https://INSIDE.test/", NET_ROUTE_DEFAULT, false },
		{ "https://ca.example/", NET_ROUTE_DIRECT, false },	   { "https://inside.test/", NET_ROUTE_PROXY, true },
	};
	struct net_policy *p = policy(&(struct net_config){ .proxy = "http://proxy.example:3128",
							    .no_proxy = "inside.test, .Dotted.test 10.0.0.0/8" });

	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		_cleanup_url_ struct url u = { 0 };
		struct err err = ERR_INIT;
		struct net_rule rule = { .route = rows[i].route };

		ASSERT_OK(url_parse(rows[i].url, false, &u, &err), &err);
		ASSERT_INT(net_policy_proxy(p, &rule, &u) != NULL, rows[i].proxied);
	}
	net_policy_unref(p);
}

static void a_wrong_configuration_is_named(void **state UNUSED)
{
	static const struct {
		struct net_config c;
		const char *part;
	} rows[] = {
		{ { .proxy = "proxy:3128" }, "net.proxy" },
		{ { .proxy = "https://proxy:3128" }, "net.proxy" },
		{ { .proxy = "http://u:p@proxy:3128" }, "net.proxy" },
		{ { .proxy = "http://proxy:3128/path" }, "net.proxy" },
		{ { .allow = "10.0.0.0/33" }, "net.allow" },
		{ { .allow = "inside.test" }, "net.allow" },
		{ { .no_proxy = "10.0.0.0/99" }, "net.no_proxy" },
		{ { .trust = "/does/not/exist" }, "net.trust" },
		{ { .trust = "/dev/null" }, "" },
	};

	for (size_t i = 0; i + 1 < ARRAY_SIZE(rows); i++) {
		struct net_policy *p = NULL;
		struct err err = ERR_INIT;
		char *text;

		ASSERT_TRUE(net_policy_new(&rows[i].c, &p, &err) < 0);
		text = err_text(&err);
		ASSERT_HAS(text, rows[i].part);
		free(text);
		err_clear(&err);
	}
}

static void an_integration_is_checked_before_it_is_stored(void **state UNUSED)
{
	static const struct {
		const char *url;
		struct net_rule r;
		bool ok;
	} rows[] = {
		{ "https://ca.example/dir", { 0 }, true },
		{ "http://ca.example/dir", { 0 }, false },
		{ "http://ca.example/dir", { .plain_ok = true }, true },
		{ "https://10.0.0.1/dir", { 0 }, false },
		{ "https://10.0.0.1/dir", { .allow = "10.0.0.0/24" }, true },
		{ "https://10.0.0.1/dir", { .allow = "oops" }, false },
		{ "https://169.254.169.254/", { .allow = "169.254.169.254" }, false },
		{ "https://[::ffff:10.0.0.1]/", { 0 }, false },
		{ "https://metadata.google.internal/", { 0 }, false },
		{ "https://ca.example:22/", { 0 }, false },
		{ "https://ca.example:6379/", { 0 }, false },
		{ "https://ca.example:14000/", { 0 }, true },
		{ "https://ca.example/", { .fingerprint = "12" }, false },
		{ "https://ca.example/", { .fingerprint = "AB:cd:00:11:22:33:44:55:66:77:88:99:aa:bb:cc:dd:ee:ff:00:11:22:33:44:55:66:77:88:99:aa:bb:cc:dd" }, true },
		{ "https://ca.example/", { .ca_pem = "-----BEGIN NONSENSE-----" }, false },
		{ "https://ca.example/", { .route = NET_ROUTE_PROXY }, false },
	};
	struct net_policy *p = policy(&(struct net_config){ 0 });

	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		struct err err = ERR_INIT;

		if (rows[i].ok)
			ASSERT_OK(net_policy_check(p, &rows[i].r, rows[i].url, &err), &err);
		else
			ASSERT_FAILS(net_policy_check(p, &rows[i].r, rows[i].url, &err), &err, ERR_INVALID);
	}
	net_policy_unref(p);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(every_special_range_is_known),
		TEST(private_networks_are_allowed_only_when_listed),
		TEST(the_proxy_has_its_exceptions),
		TEST(a_wrong_configuration_is_named),
		TEST(an_integration_is_checked_before_it_is_stored),
	};

	return RUN(tests);
}
