/* SPDX-License-Identifier: Apache-2.0 */
/* Saving and using an integration's connection settings. */
#include "tests/unit/assert.h"

#include "engine/door.h"

static struct net_policy *policy(void)
{
	struct err err = ERR_INIT;
	struct net_policy *p = NULL;

	ASSERT_OK(net_policy_new(&(struct net_config){ 0 }, &p, &err), &err);
	return p;
}

static void a_private_host_needs_a_confirmation_of_its_own(void **state UNUSED)
{
	_cleanup_net_policy_ struct net_policy *p = policy();
	_cleanup_connection_ struct connection c = { 0 };
	struct net_rule rule;
	struct err err = ERR_INIT;

	ASSERT_FAILS(door_check(p, &c, "https://10.1.2.3/dir", true, &err), &err, ERR_INVALID);
	c.allow = xstrdup("10.1.2.3");
	ASSERT_OK(door_check(p, &c, "https://10.1.2.3/dir", true, &err), &err);
	ASSERT_STR(c.confirmed_for, "10.1.2.3:443");
	ASSERT_OK(door_open(&c, "https://10.1.2.3/other", &rule, &err), &err);
	ASSERT_STR(rule.allow, "10.1.2.3");
	/* the same settings do not go along to another port or host */
	ASSERT_FAILS(door_check(p, &c, "https://10.1.2.3:8443/dir", false, &err), &err, ERR_CONFLICT);
	ASSERT_FAILS(door_check(p, &c, "https://ca.example/dir", false, &err), &err, ERR_CONFLICT);
	ASSERT_FAILS(door_open(&c, "https://10.1.2.3:444/", &rule, &err), &err, ERR_CONFLICT);
	ASSERT_TRUE(!rule.allow);
	ASSERT_OK(door_check(p, &c, "https://10.1.2.3:8443/dir", true, &err), &err);
	ASSERT_STR(c.confirmed_for, "10.1.2.3:8443");
}

static void link_local_stays_closed_whatever_is_confirmed(void **state UNUSED)
{
	_cleanup_net_policy_ struct net_policy *p = policy();
	_cleanup_connection_ struct connection c = { .allow = xstrdup("169.254.0.0/16") };
	struct err err = ERR_INIT;

	ASSERT_FAILS(door_check(p, &c, "https://169.254.169.254/", true, &err), &err, ERR_INVALID);
}

static void routes_and_trust_become_the_rule(void **state UNUSED)
{
	struct connection c = { .route = ROUTE_PROXY, .ca_pem = (char *)(uintptr_t)"PEM", .fingerprint = (char *)(uintptr_t)"ab" };
	struct net_rule r = door_rule(&c);
	struct err err = ERR_INIT;

	ASSERT_INT(r.route, NET_ROUTE_PROXY);
	ASSERT_STR(r.ca_pem, "PEM");
	ASSERT_STR(r.fingerprint, "ab");
	c.route = ROUTE_DIRECT;
	ASSERT_INT(door_rule(&c).route, NET_ROUTE_DIRECT);
	ASSERT_OK(door_open(NULL, "https://a.example/", &r, &err), &err);
	ASSERT_INT(r.route, NET_ROUTE_DEFAULT);
	ASSERT_TRUE(!r.ca_pem);
}

static void an_unreadable_ca_is_refused_when_saved(void **state UNUSED)
{
	_cleanup_net_policy_ struct net_policy *p = policy();
	_cleanup_connection_ struct connection c = { .ca_pem = xstrdup("-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n") };
	struct err err = ERR_INIT;

	ASSERT_FAILS(door_check(p, &c, "https://a.example/", true, &err), &err, ERR_INVALID);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(a_private_host_needs_a_confirmation_of_its_own),
		TEST(link_local_stays_closed_whatever_is_confirmed),
		TEST(routes_and_trust_become_the_rule),
		TEST(an_unreadable_ca_is_refused_when_saved),
	};

	return RUN(tests);
}
