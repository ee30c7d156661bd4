/* SPDX-License-Identifier: Apache-2.0 */
/* csr_extras.c - tests of crypto/csr_extras.h: what requests of real tools ask for that no ACME authority looks at. */
#include "crypto/csr_extras.h"

#include "crypto/csr.h"
#include "data.h"

static const struct {
	const char *file, *names; /* sorted; "" = everything in it counts */
} shelf[] = {
	{ "good-p256.pem", "" },
	{ "good-staple.pem", "" },
	{ "good-no-san.pem", "" },
	{ "good-rsa2048.pem", "subject.C subject.L subject.O subject.OU subject.ST" },
	{ "../../../data/csrs/openssl-usual-extensions.csr", "basicConstraints extendedKeyUsage keyUsage subjectKeyIdentifier" },
	{ "../../../data/csrs/iis-manager.csr", "extendedKeyUsage keyUsage microsoftClientInfo microsoftEnrollmentCsp microsoftOsVersion smimeCapabilities "
						"subject.C subject.L subject.O subject.OU subject.ST subjectKeyIdentifier" },
	{ "../../../data/csrs/cisco-ios.csr", "keyUsage subject.serialNumber subject.unstructuredName" },
};

static char *extras_of(const struct csr_extras *l)
{
	_cleanup_strlist_ struct strlist names = { 0 };

	for (size_t i = 0; i < l->n; i++) {
		strlist_add(&names, l->v[i].name);
		ASSERT_TRUE(*l->v[i].text && l->v[i].text[strlen(l->v[i].text) - 1] != '.');
	}
	strlist_sort_unique(&names);
	ASSERT_INT(names.n, l->n); /* one row for each */
	return strlist_join(&names, " ");
}

static void what_does_not_count_is_listed_by_name(void **state)
{
	for (size_t i = 0; i < ARRAY_SIZE(shelf); i++) {
		_cleanup_buf_ struct buf b = data_read(shelf[i].file);
		_cleanup_csr_info_ struct csr_info info = { 0 };
		_cleanup_csr_extras_ struct csr_extras l = { 0 };
		_cleanup_free_ char *names = NULL;
		struct err err = ERR_INIT;

		ASSERT_OK(csr_parse(b.p, b.n, &info, &err), &err);
		ASSERT_OK(csr_extras_read(info.der, info.der_n, &l, &err), &err);
		names = extras_of(&l);
		ASSERT_STR(names, shelf[i].names);
	}
}

static void what_is_no_request_is_invalid(void **state)
{
	static const unsigned char not[] = "0\x03\x02\x01\x01";
	struct csr_extras l = { 0 };
	struct err err = ERR_INIT;

	ASSERT_FAILS(csr_extras_read(not, sizeof not - 1, &l, &err), &err, ERR_INVALID);
	ASSERT_INT(l.n, 0);
	ASSERT_FAILS(csr_extras_read("", 0, &l, &err), &err, ERR_INVALID);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(what_does_not_count_is_listed_by_name),
		TEST(what_is_no_request_is_invalid),
	};

	return RUN(tests);
}
