/* SPDX-License-Identifier: Apache-2.0 */
/* x509.c - tests of crypto/x509.h: chains as a CA could send them, and what a certificate must be to be accepted. */
#include "crypto/x509.h"

#include "base/clock.h"
#include "base/limits.h"
#include "crypto/csr.h"
#include "data.h"

static struct chain read_chain(const char *name)
{
	_cleanup_buf_ struct buf b = data_read(name);
	struct err err = ERR_INIT;
	struct chain c = { 0 };

	ASSERT_OK(chain_parse(b.p, b.n, &c, &err), &err);
	return c;
}

static void a_chain_is_read(void **state)
{
	_cleanup_chain_ struct chain c = read_chain("chain-good.pem");
	_cleanup_free_ char *names = strlist_join(&c.v[0].info.names, " ");
	const struct cert_info *leaf = &c.v[0].info, *ca = &c.v[1].info;

	ASSERT_INT(c.n, 2);
	ASSERT_STR(names, "a.example.com b.example.com");
	ASSERT_STR(leaf->serial, "0087654321");
	ASSERT_STR(leaf->issuer, "CN=Test E1,O=Test");
	ASSERT_STR(leaf->issuer_cn, "Test E1");
	ASSERT_STR(leaf->subject, "");
	ASSERT_STR(leaf->key_type.s, "p256");
	ASSERT_STR(leaf->aki, "69885b6b87464041e1b37b847ba0ae2cde01c8d4");
	ASSERT_FALSE(leaf->is_ca);
	ASSERT_FALSE(leaf->san_other);
	ASSERT_TRUE(ca->is_ca);
	ASSERT_STR(ca->ski, leaf->aki);
	ASSERT_INT(leaf->not_after_ms - leaf->not_before_ms, 90 * DAY_MS);
	ASSERT_INT(strlen(leaf->fingerprint), 64);
	ASSERT_TRUE(chain_has_issuer(&c, "Test E1"));
	ASSERT_TRUE(chain_has_issuer(&c, "Test Root R1"));
	ASSERT_FALSE(chain_has_issuer(&c, "Test"));
}

static void blank_lines_between_certificates_are_fine(void **state)
{
	_cleanup_chain_ struct chain c = read_chain("chain-with-root.pem");
	_cleanup_err_ struct err err = ERR_INIT;

	ASSERT_INT(c.n, 3);
	ASSERT_OK(chain_verify_links(&c, &err), &err);
}

static void anything_but_certificates_is_refused(void **state)
{
	static const struct {
		const char *file;
		enum err_code code;
		const char *says;
	} cases[] = {
		{ "chain-with-key.pem", ERR_INVALID, "no certificate" },
		{ "chain-with-text.pem", ERR_INVALID, "text outside" },
		{ "good-p256.pem", ERR_INVALID, "no certificate" },
		{ "good-p256.der", ERR_INVALID, "text outside" },
		{ "chain-long.pem", ERR_TOO_LARGE, "more than 10" },
	};

	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		_cleanup_buf_ struct buf b = data_read(cases[i].file);
		_cleanup_err_ struct err err = ERR_INIT;
		_cleanup_chain_ struct chain c = { 0 };
		_cleanup_free_ char *text = NULL;

		ASSERT_INT(chain_parse(b.p, b.n, &c, &err), -(int)cases[i].code);
		text = err_text(&err);
		ASSERT_HAS(text, cases[i].says);
		ASSERT_TRUE(!c.v);
	}
}

static void empty_and_cut_texts_are_refused(void **state)
{
	_cleanup_buf_ struct buf b = data_read("chain-good.pem");
	_cleanup_free_ char *big = xcalloc(1, LIMIT_CA_CHAIN + 1);
	_cleanup_chain_ struct chain c = { 0 };
	_cleanup_err_ struct err err = ERR_INIT;
	const char *second = strstr(b.p + 1, "-----BEGIN");

	ASSERT_FAILS(chain_parse("", 0, &c, &err), &err, ERR_INVALID);
	ASSERT_FAILS(chain_parse("\n\n", 2, &c, &err), &err, ERR_INVALID);
	memset(big, '\n', LIMIT_CA_CHAIN + 1);
	ASSERT_FAILS(chain_parse(big, LIMIT_CA_CHAIN, &c, &err), &err, ERR_INVALID);
	ASSERT_FAILS(chain_parse(big, LIMIT_CA_CHAIN + 1, &c, &err), &err, ERR_TOO_LARGE);
	for (size_t n = 1; n + 1 < b.n; n += n < 1400 ? 1 : 7) {
		_cleanup_chain_ struct chain part = { 0 };

		if (n == (size_t)(second - b.p) || n + 1 == (size_t)(second - b.p))
			continue; /* just the first certificate */
		ASSERT_FAILS(chain_parse(b.p, n, &part, &err), &err, ERR_INVALID);
	}
}

static void links_are_verified(void **state)
{
	static const struct {
		const char *file, *says;
	} cases[] = {
		{ "chain-other-key.pem", "signature of certificate 1" },
		{ "chain-gap.pem", "certificate 1 is not issued by certificate 2" },
		{ "chain-reversed.pem", "certificate 1 is not issued by certificate 2" },
		{ "chain-no-ca.pem", "certificate 2 is not one of an authority" },
	};

	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		_cleanup_chain_ struct chain c = read_chain(cases[i].file);
		_cleanup_err_ struct err err = ERR_INIT;

		ASSERT_INT(chain_verify_links(&c, &err), -ERR_INVALID);
		ASSERT_HAS(err.detail, cases[i].says);
	}
}

/* --- the verdict over an issued chain --- */

enum wrong { NOTHING, OTHER_KEY, NAME_TOO_MANY, NAME_MISSING, EXPIRED, LATER_49H, LATER_47H };

static void an_issued_chain_is_judged(void **state)
{
	static const struct {
		const char *file;
		enum wrong wrong;
		const char *says; /* NULL: accepted */
	} cases[] = {
		{ "chain-good.pem", NOTHING, NULL },
		{ "chain-with-root.pem", NOTHING, NULL },
		{ "chain-good.pem", OTHER_KEY, "another key" },
		{ "chain-good.pem", NAME_TOO_MANY, "lacks the name 'c.example.com'" },
		{ "chain-good.pem", NAME_MISSING, "'b.example.com', which was not ordered" },
		{ "chain-good.pem", EXPIRED, "expired already" },
		{ "chain-good.pem", LATER_49H, "more than 48 hours" },
		{ "chain-good.pem", LATER_47H, NULL },
		{ "chain-gap.pem", NOTHING, "does not link" },
		{ "chain-other-key.pem", NOTHING, "does not link" },
		{ "chain-reversed.pem", NOTHING, "does not link" },
		{ "chain-ip.pem", NOTHING, "not DNS names" },
		{ "chain-ca-leaf.pem", NOTHING, "one of an authority" },
	};
	_cleanup_buf_ struct buf csr = data_read("leaf.csr"), other = data_read("good-p256.pem");
	_cleanup_csr_info_ struct csr_info ours = { 0 }, theirs = { 0 };
	_cleanup_err_ struct err err = ERR_INIT;

	ASSERT_OK(csr_parse(csr.p, csr.n, &ours, &err), &err);
	ASSERT_OK(csr_parse(other.p, other.n, &theirs, &err), &err);
	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		_cleanup_chain_ struct chain c = read_chain(cases[i].file);
		_cleanup_strlist_ struct strlist names = { 0 };
		enum wrong w = cases[i].wrong;
		struct chain_expect want = { ours.public_hash, &names, c.v[0].info.not_before_ms + HOUR_MS };

		strlist_add(&names, "b.example.com");
		strlist_add(&names, "a.example.com");
		if (w == NAME_TOO_MANY)
			strlist_add(&names, "c.example.com");
		if (w == NAME_MISSING) {
			strlist_clear(&names);
			strlist_add(&names, "a.example.com");
		}
		if (w == OTHER_KEY)
			want.public_hash = theirs.public_hash;
		if (w == EXPIRED)
			want.now_ms = c.v[0].info.not_after_ms;
		if (w == LATER_49H || w == LATER_47H)
			want.now_ms = c.v[0].info.not_before_ms - (w == LATER_49H ? 49 : 47) * HOUR_MS;
		if (!cases[i].says) {
			ASSERT_OK(chain_check(&c, &want, &err), &err);
			continue;
		}
		ASSERT_INT(chain_check(&c, &want, &err), -ERR_NEEDS_PERSON);
		ASSERT_HAS(err.detail, cases[i].says);
		err_clear(&err);
	}
}

static void pem_comes_out_as_it_went_in(void **state)
{
	_cleanup_buf_ struct buf in = data_read("chain-good.pem"), out = BUF_MAX(65536), rest = BUF_MAX(65536);
	_cleanup_chain_ struct chain c = read_chain("chain-good.pem"), one = { 0 };
	_cleanup_err_ struct err err = ERR_INIT;

	chain_pem(&c, 0, &out);
	ASSERT_STR(out.p, in.p);
	chain_pem(&c, 1, &rest);
	ASSERT_TRUE(str_ends(in.p, rest.p));
	ASSERT_OK(chain_parse_der(c.v[0].der, c.v[0].der_n, &one, &err), &err);
	ASSERT_STR(one.v[0].info.fingerprint, c.v[0].info.fingerprint);
	chain_clear(&one);
	ASSERT_FAILS(chain_parse_der(c.v[0].der, c.v[0].der_n - 1, &one, &err), &err, ERR_INVALID);
}

static void the_ari_id_is_that_of_rfc_9773(void **state)
{
	_cleanup_chain_ struct chain c = read_chain("chain-good.pem"), none = read_chain("chain-no-aki.pem");
	struct cert_info vector = { .aki = (char[]){ "69885b6b87464041e1b37b847ba0ae2cde01c8d4" }, .serial = (char[]){ "0087654321" } };
	_cleanup_err_ struct err err = ERR_INIT;
	_cleanup_free_ char *id = NULL, *from_cert = NULL;

	ASSERT_OK(cert_ari_id(&vector, &id, &err), &err);
	ASSERT_STR(id, "aYhba4dGQEHhs3uEe6CuLN4ByNQ.AIdlQyE");
	ASSERT_OK(cert_ari_id(&c.v[0].info, &from_cert, &err), &err);
	ASSERT_STR(from_cert, id);
	ASSERT_FAILS(cert_ari_id(&none.v[0].info, &from_cert, &err), &err, ERR_INVALID);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(a_chain_is_read),
		TEST(blank_lines_between_certificates_are_fine),
		TEST(anything_but_certificates_is_refused),
		TEST(empty_and_cut_texts_are_refused),
		TEST(links_are_verified),
		TEST(an_issued_chain_is_judged),
		TEST(pem_comes_out_as_it_went_in),
		TEST(the_ari_id_is_that_of_rfc_9773),
	};

	return RUN(tests);
}
