/* SPDX-License-Identifier: Apache-2.0 */
/* When the API stands beside the public ports. */
#include "tests/unit/assert.h"

#include "app/exposed.h"

static void the_warning_comes_just_when_it_should(void **state UNUSED)
{
	static const struct {
		const char *api, *dns, *http01, *allow, *exposed;
	} rows[] = {
		{ "127.0.0.1:8443", "0.0.0.0:53,[::]:53", "0.0.0.0:80", "", NULL },
		{ "0.0.0.0:8443", "0.0.0.0:53", "", "", "0.0.0.0:8443" },
		{ "192.0.2.1:8443", "0.0.0.0:53", "", "", "192.0.2.1:8443" },
		{ "0.0.0.0:8443", "", "192.0.2.1:80", "", "0.0.0.0:8443" },
		{ "192.0.2.1:8443", "192.0.2.1:53", "", "", "192.0.2.1:8443" },
		{ "192.0.2.1:8443", "192.0.2.2:53", "192.0.2.3:80", "", NULL },
		{ "192.0.2.1:8443", "[::]:53", "", "", NULL },
		{ "127.0.0.1:8443,[2001:db8::1]:8443", "[::]:53", "", "", "[2001:db8::1]:8443" },
		{ "0.0.0.0:8443", "127.0.0.1:53", "127.0.0.1:80", "", NULL },
		{ "0.0.0.0:8443", "", "", "", NULL },
		{ "0.0.0.0:8443", "0.0.0.0:53", "0.0.0.0:80", "10.0.0.0/8", NULL },
	};

	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		struct config c = { 0 };
		_cleanup_free_ char *got = NULL;

		strlist_split(&c.api_listen, rows[i].api, ',');
		strlist_split(&c.dns_listen, rows[i].dns, ',');
		strlist_split(&c.http01_listen, rows[i].http01, ',');
		strlist_split(&c.api_allow_from, rows[i].allow, ',');
		got = exposed_address(&c);
		ASSERT_STR(got, rows[i].exposed);
		config_done(&c);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = { TEST(the_warning_comes_just_when_it_should) };

	return RUN(tests);
}
