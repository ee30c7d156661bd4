/* SPDX-License-Identifier: Apache-2.0 */
/* caa.c - the examples of RFC 8659 and RFC 8657, and what is not of the form. */
#include "resolve/caa.h"

#include "tests/unit/assert.h"

#include <stdio.h>

static void records_are_judged_as_an_authority_does(void **state)
{
	static const char account[] = "https://ca.example/acct/7";
	static const struct {
		struct caa_record v[3];
		size_t n;
		bool wildcard;
		enum caa_verdict want;
	} rows[] = {
		{ { { 0 } }, 0, false, CAA_NOBODY },
		{ { { 0, "issue", "ca.example" } }, 1, false, CAA_ALLOWED },
		{ { { 0, "issue", "CA.Example" } }, 1, false, CAA_ALLOWED },
		{ { { 0, "issue", "other.example" } }, 1, false, CAA_OTHERS },
		{ { { 0, "issue", "other.example" }, { 0, "issue", "ca.example" } }, 2, false, CAA_ALLOWED },
		{ { { 0, "issue", ";" } }, 1, false, CAA_OTHERS },
		{ { { 0, "issue", "" } }, 1, false, CAA_OTHERS },
		{ { { 0, "issue", "%%%%%" } }, 1, false, CAA_OTHERS },
		{ { { 0, "issue", "ca.example; policy" } }, 1, false, CAA_OTHERS },
		{ { { 0, "iodef", "mailto:a@example.com" } }, 1, false, CAA_NOBODY },
		{ { { 0, "issue", "ca.example" }, { 0, "issuewild", "other.example" } }, 2, true, CAA_OTHERS },
		{ { { 0, "issue", "ca.example" }, { 0, "issuewild", "other.example" } }, 2, false, CAA_ALLOWED },
		{ { { 0, "issuewild", ";" } }, 1, false, CAA_NOBODY },
		{ { { 0, "issuewild", ";" } }, 1, true, CAA_OTHERS },
		{ { { 0, "issue", "ca.example" } }, 1, true, CAA_ALLOWED },
		{ { { 128, "tbs", "unknown" }, { 0, "issue", "ca.example" } }, 2, false, CAA_CRITICAL },
		{ { { 0, "tbs", "unknown" }, { 0, "issue", "ca.example" } }, 2, false, CAA_ALLOWED },
		{ { { 128, "issue", "ca.example" } }, 1, false, CAA_ALLOWED },
		{ { { 0, "issue", "ca.example; accounturi=https://ca.example/acct/7" } }, 1, false, CAA_ALLOWED },
		{ { { 0, "issue", "ca.example; accounturi=https://ca.example/acct/8" } }, 1, false, CAA_ACCOUNT },
		{ { { 0, "issue", "ca.example; accounturi=https://ca.example/acct/7; accounturi=https://x" } }, 1, false, CAA_OTHERS },
		{ { { 0, "issue", "ca.example; validationmethods=dns-01,http-01" } }, 1, false, CAA_ALLOWED },
		{ { { 0, "issue", "ca.example ; validationmethods = http-01 " } }, 1, false, CAA_METHOD },
		{ { { 0, "issue", "ca.example; validationmethods=http-01" }, { 0, "issue", "ca.example; validationmethods=dns-01" } }, 2, false,
		  CAA_ALLOWED },
	};
	_cleanup_strlist_ struct strlist us = { 0 };

	(void)state;
	strlist_add(&us, "elsewhere.example");
	strlist_add(&us, "ca.example");
	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		struct caa_question q = { .wildcard = rows[i].wildcard, .identities = &us, .account_url = account, .method = "dns-01" };
		const char *named;
		enum caa_verdict got = caa_judge(rows[i].v, rows[i].n, &q, &named);

		if (got != rows[i].want)
			print_error("row %zu: %d, wanted %d\n", i, (int)got, (int)rows[i].want);
		ASSERT_INT(got, rows[i].want);
	}
}

static void an_authority_that_is_not_known_decides_nothing(void **state)
{
	struct caa_record r = { 0, "issue", "ca.example" };
	struct caa_question q = { .method = "dns-01" };
	const char *named;

	(void)state;
	ASSERT_INT(caa_judge(&r, 1, &q, &named), CAA_UNKNOWN);
	ASSERT_STR(named, "ca.example");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(records_are_judged_as_an_authority_does),
		TEST(an_authority_that_is_not_known_decides_nothing),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
