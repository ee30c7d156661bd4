/* SPDX-License-Identifier: Apache-2.0 */
/* csr.c - tests of crypto/csr.h against requests made by the openssl command. */
#include "crypto/csr.h"

#include "base/limits.h"
#include "data.h"

static const struct {
	const char *file, *names, *type;
} good[] = {
	{ "good-p256.pem", "a.example.com b.example.com", "p256" },
	{ "good-p256.der", "a.example.com b.example.com", "p256" },
	{ "good-p384.pem", "a.example.com b.example.com", "p384" },
	{ "good-p521.pem", "a.example.com b.example.com", "p521" },
	{ "good-rsa2048.pem", "a.example.com b.example.com", "rsa2048" },
	{ "good-wildcard.pem", "*.example.com example.com xn--bcher-kva.example", "p256" },
	{ "good-new-label.pem", "a.example.com b.example.com", "p256" },
	{ "good-crlf.pem", "a.example.com b.example.com", "p256" },
	{ "good-staple.pem", "a.example.com b.example.com", "p256" },
	{ "good-no-san.pem", "a.example.com", "p256" },
};

static const struct {
	const char *file, *says;
} bad[] = {
	{ "bad-sha1.pem", "SHA-256" },
	{ "bad-md5.pem", "SHA-256" },
	{ "bad-rsa1024.pem", "RSA key of 1024 bits" },
	{ "bad-e3.pem", "public exponent" },
	{ "bad-pss-key.pem", "RSA-PSS" },
	{ "bad-secp256k1.pem", "P-256, P-384 and P-521" },
	{ "bad-explicit.pem", "explicit parameters" },
	{ "bad-compressed.pem", "compressed" },
	{ "bad-ed25519.pem", "RSA and elliptic curve" },
	{ "bad-ip-san.pem", "an IP address" },
	{ "bad-email-san.pem", "an e-mail address" },
	{ "bad-uri-san.pem", "a URI" },
	{ "bad-cn.pem", "common name 'other.example.com'" },
	{ "bad-name.pem", "a_b.example.com" },
	{ "bad-one-label.pem", "only one label" },
	{ "bad-wildcard.pem", "wildcard" },
	{ "bad-many.pem", "more than 100 names" },
	{ "bad-flipped.der", "signature" },
	{ "bad-trailing.der", "behind its end" },
	{ "bad-cut.der", "longer than what holds it" },
	{ "bad-nul.der", "signature" },
	{ "bad-two.pem", "more than one PEM block" },
	{ "bad-label.pem", "another kind" },
	{ "bad-text.pem", "text outside" },
};

static void good_requests_are_read(void **state)
{
	for (size_t i = 0; i < ARRAY_SIZE(good); i++) {
		_cleanup_buf_ struct buf b = data_read(good[i].file);
		_cleanup_csr_info_ struct csr_info info = { 0 };
		_cleanup_err_ struct err err = ERR_INIT;
		_cleanup_free_ char *names = NULL;

		ASSERT_OK(csr_parse(b.p, b.n, &info, &err), &err);
		names = strlist_join(&info.names, " ");
		ASSERT_STR(names, good[i].names);
		ASSERT_STR(info.key_type.s, good[i].type);
		ASSERT_INT(strlen(info.public_hash), 64);
		ASSERT_INT(info.must_staple, streq(good[i].file, "good-staple.pem"));
		ASSERT_INT(info.common_name_only, streq(good[i].file, "good-no-san.pem"));
	}
}

static void bad_requests_are_refused_with_the_reason(void **state)
{
	for (size_t i = 0; i < ARRAY_SIZE(bad); i++) {
		_cleanup_buf_ struct buf b = data_read(bad[i].file);
		_cleanup_csr_info_ struct csr_info info = { 0 };
		_cleanup_err_ struct err err = ERR_INIT;
		_cleanup_free_ char *text = NULL;
		int r = csr_parse(b.p, b.n, &info, &err);

		text = err_text(&err);
		if (r != -ERR_INVALID || !strstr(text, bad[i].says))
			print_error("%s: %d %s\n", bad[i].file, r, text);
		ASSERT_INT(r, -ERR_INVALID);
		ASSERT_HAS(text, bad[i].says);
		ASSERT_TRUE(!info.der);
	}
}

static void organisation_fields_are_read_as_utf8(void **state)
{
	_cleanup_buf_ struct buf b = data_read("good-rsa2048.pem");
	_cleanup_csr_info_ struct csr_info info = { 0 };
	_cleanup_err_ struct err err = ERR_INIT;

	ASSERT_OK(csr_parse(b.p, b.n, &info, &err), &err);
	ASSERT_STR(info.subject.cn, "A.example.com");
	ASSERT_STR(info.subject.o, "Bäckerei Grün");
	ASSERT_STR(info.subject.ou, "Ofen 7");
	ASSERT_STR(info.subject.l, "München");
	ASSERT_STR(info.subject.st, "Bayern");
	ASSERT_STR(info.subject.c, "DE");
}

static void pem_and_der_are_the_same_request(void **state)
{
	_cleanup_buf_ struct buf pem = data_read("good-p256.pem"), der = data_read("good-p256.der");
	_cleanup_csr_info_ struct csr_info a = { 0 }, b = { 0 };
	_cleanup_err_ struct err err = ERR_INIT;
	_cleanup_free_ char *again = NULL;

	ASSERT_OK(csr_parse(pem.p, pem.n, &a, &err), &err);
	ASSERT_OK(csr_parse(der.p, der.n, &b, &err), &err);
	ASSERT_STR(a.der_hash, b.der_hash);
	ASSERT_STR(a.public_hash, b.public_hash);
	again = csr_pem(b.der, b.der_n);
	ASSERT_STR(again, pem.p);
}

static void every_cut_of_a_request_is_refused(void **state)
{
	_cleanup_buf_ struct buf b = data_read("good-p256.der");

	for (size_t n = 0; n < b.n; n++) {
		_cleanup_csr_info_ struct csr_info info = { 0 };
		_cleanup_err_ struct err err = ERR_INIT;

		ASSERT_FAILS(csr_parse(b.p, n, &info, &err), &err, ERR_INVALID);
	}
}

static void every_flipped_bit_is_refused_or_outside_the_signature(void **state)
{
	_cleanup_buf_ struct buf b = data_read("good-p256.der");

	for (size_t i = 0; i < b.n; i++) {
		_cleanup_csr_info_ struct csr_info info = { 0 };
		_cleanup_err_ struct err err = ERR_INIT;

		b.p[i] ^= 0x10;
		if (csr_parse(b.p, b.n, &info, &err) == 0) {
			print_error("byte %zu can be changed\n", i);
			fail();
		}
		b.p[i] ^= 0x10;
	}
}

static void the_size_has_a_limit(void **state)
{
	_cleanup_csr_info_ struct csr_info info = { 0 };
	_cleanup_err_ struct err err = ERR_INIT;
	_cleanup_free_ char *big = xcalloc(1, LIMIT_CSR + 1);

	ASSERT_FAILS(csr_parse(big, LIMIT_CSR + 1, &info, &err), &err, ERR_TOO_LARGE);
	ASSERT_FAILS(csr_parse(big, LIMIT_CSR, &info, &err), &err, ERR_INVALID);
	ASSERT_FAILS(csr_parse("", 0, &info, &err), &err, ERR_INVALID);
}

static void subject_fields_have_the_limits_of_the_standard(void **state)
{
	char sixty_five[] = "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa";
	const struct {
		struct csr_subject s;
		const char *field;
	} cases[] = {
		{ { .c = (char[]){ "de" } }, "/subject/c" },      { { .c = (char[]){ "DEU" } }, "/subject/c" },
		{ { .o = (char[]){ "" } }, "/subject/o" },        { { .o = sixty_five }, "/subject/o" },
		{ { .ou = (char[]){ "a\nb" } }, "/subject/ou" },  { { .l = (char[]){ "\xff" } }, "/subject/l" },
		{ { .cn = sixty_five }, "/subject/cn" },
	};
	_cleanup_err_ struct err err = ERR_INIT;

	ASSERT_INT(strlen(sixty_five), 65);
	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		ASSERT_INT(csr_subject_check(&cases[i].s, &err), -ERR_INVALID);
		ASSERT_STR(err.field, cases[i].field);
		err_clear(&err);
	}
	sixty_five[64] = 0;
	ASSERT_OK(csr_subject_check(&(struct csr_subject){ .o = sixty_five, .c = (char[]){ "DE" } }, &err), &err);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(good_requests_are_read),
		TEST(bad_requests_are_refused_with_the_reason),
		TEST(organisation_fields_are_read_as_utf8),
		TEST(pem_and_der_are_the_same_request),
		TEST(every_cut_of_a_request_is_refused),
		TEST(every_flipped_bit_is_refused_or_outside_the_signature),
		TEST(the_size_has_a_limit),
		TEST(subject_fields_have_the_limits_of_the_standard),
	};

	return RUN(tests);
}
