/* SPDX-License-Identifier: Apache-2.0 */
/* caa.c - any text as the value of a CAA record. */
#include "tests/fuzz/fuzz.h"

#include "resolve/caa.h"

static void within(const char *text, size_t n, struct str s)
{
	HOLDS(!s.p || (s.p >= text && s.p + s.n <= text + n));
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n)
{
	_cleanup_free_ char *text = xstrndup((const char *)data, MIN(n, (size_t)4096));
	_cleanup_strlist_ struct strlist us = { 0 };
	struct caa_record r[3] = { { 0, "issue", text }, { 0, "issue", text }, { 128, "issuewild", text } };
	struct caa_question q = { .wildcard = n & 1, .identities = &us, .account_url = "https://ca.example/1", .method = "dns-01" };
	struct caa_issue i;
	const char *named = NULL;
	enum caa_verdict v;

	strlist_add(&us, "ca.example");
	caa_issue_parse(text, &i);
	within(text, strlen(text), i.issuer);
	within(text, strlen(text), i.account);
	within(text, strlen(text), i.methods);
	v = caa_judge(r, 3, &q, &named);
	HOLDS(named == text);
	HOLDS(v != CAA_ALLOWED || (!i.bad && i.issuer.n));
	HOLDS(!i.bad || v == CAA_OTHERS);
	return 0;
}
