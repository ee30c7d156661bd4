/* SPDX-License-Identifier: Apache-2.0 */
/* vendors.c - tests of model/vendor.h, model/csr_lint.h and what an account says of itself. */
#include "tests/unit/assert.h"

#include "model/account.h"
#include "model/csr_lint.h"

static void the_vendors_of_the_product_are_all_there(void **state UNUSED)
{
	static const char *const keys[] = { "letsencrypt", "letsencrypt-staging", "zerossl", "buypass", "buypass-staging", "sslcom-rsa",
					    "sslcom-ecc", "google", "google-staging", "digicert", "sectigo", "actalis" };

	ASSERT_INT(vendors_count, ARRAY_SIZE(keys));
	for (size_t i = 0; i < ARRAY_SIZE(keys); i++)
		ASSERT_STR(vendors[i].key, keys[i]);
}

static void every_row_says_what_a_person_needs(void **state UNUSED)
{
	for (size_t i = 0; i < vendors_count; i++) {
		const struct vendor *v = &vendors[i];

		ASSERT_TRUE(str_starts(v->directory_url, "https://"));
		ASSERT_TRUE(!v->discontinued == !v->discontinued_since);
		ASSERT_TRUE(v->lifetime != NULL);
		ASSERT_TRUE(!v->costs_money || v->price);
		ASSERT_TRUE(!v->eab_required || (v->eab_steps && v->eab_steps[0] && v->eab_life && v->eab_help));
		ASSERT_TRUE(v->discontinued || v->terms_url);
		ASSERT_TRUE(vendor_owns_url(v, v->directory_url));
		for (const struct vendor_region *r = v->regions; r && r->key; r++)
			ASSERT_TRUE(str_starts(r->directory_url, "https://") && vendor_owns_url(v, r->directory_url));
	}
	for (int q = 0; q < vendor_quirk_count; q++) {
		bool used = false;

		ASSERT_TRUE(vendor_quirk_help((enum vendor_quirk)q) != NULL);
		for (size_t i = 0; i < vendors_count; i++)
			used = used || vendor_has(&vendors[i], (enum vendor_quirk)q);
		ASSERT_TRUE(used);
	}
}

static void a_url_belongs_to_a_vendor_by_its_host(void **state UNUSED)
{
	const struct vendor *d = vendor_find("digicert"), *s = vendor_find("sectigo");

	ASSERT_TRUE(vendor_owns_url(d, "https://one.digicert.com/mpki/api/v1/acme/v2/directory?action=renew&orderId=7"));
	ASSERT_TRUE(vendor_owns_url(d, "https://acme.digicert.com/v2/acme/directory"));
	ASSERT_TRUE(vendor_owns_url(s, "https://acme.sectigo.com/v2/InCommonRSAOV"));
	ASSERT_TRUE(!vendor_owns_url(d, "https://one.digicert.com.evil.example/directory"));
	ASSERT_TRUE(!vendor_owns_url(d, "https://one.digicert.com:8443/directory"));
	ASSERT_TRUE(!vendor_owns_url(d, "http://one.digicert.com/mpki/api/v1/acme/v2/directory"));
}

/* One row per rule: what is asked of whom, and where the finding points. */
static const struct {
	const char *vendor, *profile, *names, *cn, *key_type;
	bool cn_only, client_auth, account_key, from_csr;
	const char *field, *says; /* field NULL: nothing is found */
} rules[] = {
	{ "letsencrypt", NULL, "a.example", NULL, "p256", .field = NULL },
	{ "letsencrypt", NULL, "*.a.example a.example", NULL, "rsa2048", .field = NULL },
	{ "sslcom-rsa", NULL, "a.example", NULL, "p256", .field = "/key_type", .says = "takes no p256 keys" },
	{ "sslcom-ecc", NULL, "a.example", NULL, "rsa4096", .from_csr = true, .field = "/csr_id", .says = "takes no rsa4096 keys" },
	{ "sslcom-ecc", NULL, "a.example", NULL, "p384", .field = NULL },
	{ "letsencrypt", NULL, "a.example", NULL, "p521", .from_csr = true, .field = "/csr_id", .says = "takes no p521 keys" },
	{ "sectigo", NULL, "a.example", NULL, "p521", .field = NULL },
	{ "google", NULL, "a.example", NULL, "p256", .client_auth = true, .from_csr = true, .field = "/csr_id", .says = "client authentication" },
	{ "letsencrypt", NULL, "a.example", NULL, "p256", .client_auth = true, .from_csr = true, .field = NULL },
	{ "letsencrypt", NULL, "a.example", "b.example", "p256", .from_csr = true, .field = "/csr_id", .says = "is not among" },
	{ "letsencrypt", NULL, "a.example", "A.Example", "p256", .from_csr = true, .field = NULL },
	{ "letsencrypt", NULL, "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaa.bbbbbbbbbbbbbbbbbbbbbbbbbbbbbb.example",
	  "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaa.bbbbbbbbbbbbbbbbbbbbbbbbbbbbbb.example", "p256", .from_csr = true, .field = "/csr_id",
	  .says = "more than 64 characters" },
	{ "google", NULL, "a.example", "a.example", "p256", .cn_only = true, .from_csr = true, .field = "/csr_id", .says = "common name only" },
	{ "letsencrypt", NULL, "a.example", "a.example", "p256", .cn_only = true, .from_csr = true, .field = NULL },
	{ "custom", NULL, "a.example", "a.example", "p256", .cn_only = true, .from_csr = true, .field = NULL },
	{ "letsencrypt", NULL, "192.0.2.7", NULL, "p256", .field = "/names/0", .says = "addresses" },
	{ "letsencrypt", "shortlived", "192.0.2.7", NULL, "p256", .field = NULL },
	{ "google", NULL, "2001:db8::7", NULL, "p256", .field = "/names/0", .says = "addresses" },
	{ "custom", NULL, "192.0.2.7 intranet", NULL, "p256", .field = NULL },
	{ "zerossl", NULL, "a.example intranet", NULL, "p256", .field = "/names/1", .says = "short name" },
	{ "actalis", NULL, "*.a.example", NULL, "p256", .field = "/account_id", .says = "wildcard" },
	{ "custom", NULL, "*.a.example b.a.example", NULL, "p256", .field = "/names/1", .says = "covered by '*.a.example'" },
	{ "custom", NULL, "*.a.example b.a.example", NULL, "p256", .from_csr = true, .field = "/csr_id", .says = "covered by" },
	{ "custom", NULL, "a.example", NULL, "p256", .account_key = true, .from_csr = true, .field = "/csr_id", .says = "key of an ACME account" },
	{ "custom", NULL, "a.example", NULL, "ed25519", .from_csr = true, .field = NULL },
};

static void what_a_vendor_would_refuse_is_found_before(void **state UNUSED)
{
	for (size_t i = 0; i < ARRAY_SIZE(rules); i++) {
		_cleanup_strlist_ struct strlist names = { 0 };
		_cleanup_err_ struct err err = ERR_INIT;
		struct csr_facts f = { .names = &names, .common_name = rules[i].cn, .key_type = rules[i].key_type,
				       .common_name_only = rules[i].cn_only, .client_auth = rules[i].client_auth,
				       .account_key = rules[i].account_key, .from_csr = rules[i].from_csr };
		int rc;

		strlist_split(&names, rules[i].names, ' ');
		rc = csr_lint_check(vendor_of(rules[i].vendor), rules[i].profile, &f, &err);
		if ((rc < 0) != (rules[i].field != NULL))
			print_error("row %zu (%s %s): %s\n", i, rules[i].vendor, rules[i].names, err.detail ? err.detail : "nothing found");
		ASSERT_INT(rc, rules[i].field ? -ERR_INVALID : 0);
		if (!rules[i].field)
			continue;
		ASSERT_STR(err.field, rules[i].field);
		ASSERT_HAS(err.detail, rules[i].says);
	}
}

static void the_number_of_names_is_the_profiles(void **state UNUSED)
{
	static const struct {
		const char *vendor, *profile;
		size_t most;
	} rows[] = {
		{ "letsencrypt", NULL, 100 }, { "letsencrypt", "classic", 100 }, { "letsencrypt", "tlsserver", 25 },
		{ "letsencrypt", "shortlived", 25 }, { "zerossl", NULL, 100 }, { "letsencrypt", "unheard-of", 100 },
	};

	for (size_t i = 0; i < ARRAY_SIZE(rows); i++)
		for (size_t n = rows[i].most; n <= rows[i].most + 1; n++) {
			_cleanup_strlist_ struct strlist names = { 0 };
			_cleanup_err_ struct err err = ERR_INIT;
			struct csr_facts f = { .names = &names, .key_type = "p256" };

			for (size_t k = 0; k < n; k++) {
				_cleanup_free_ char *name = xasprintf("n%zu.example", k);

				strlist_add(&names, name);
			}
			ASSERT_INT(csr_lint_check(vendor_of(rows[i].vendor), rows[i].profile, &f, &err), n > rows[i].most ? -ERR_INVALID : 0);
			if (n > rows[i].most)
				ASSERT_STR(err.field, "/names");
		}
}

static void all_findings_are_told_and_the_other_url_is_named(void **state UNUSED)
{
	_cleanup_csr_findings_ struct csr_findings l = { 0 };
	_cleanup_strlist_ struct strlist names = { 0 };
	struct csr_facts f = { .names = &names, .key_type = "rsa2048", .common_name = "x.example", .from_csr = true };

	strlist_split(&names, "a.example intranet", ' ');
	csr_lint(vendor_find("sslcom-ecc"), NULL, &f, &l);
	ASSERT_INT(l.n, 3);
	ASSERT_STR(l.v[0].hint, "Use an account of SSL.com RSA.");
}

static void the_key_that_is_made_is_one_the_vendor_takes(void **state UNUSED)
{
	ASSERT_STR(csr_key_type_for(vendor_find("letsencrypt")), "p256");
	ASSERT_STR(csr_key_type_for(vendor_find("sslcom-rsa")), "rsa2048");
	ASSERT_STR(csr_key_type_for(&vendor_custom), "p256");
}

static void what_costs_money_is_not_ordered_by_itself(void **state UNUSED)
{
	struct account a = { .vendor = (char[]){ "letsencrypt" } }, paid = { .vendor = (char[]){ "digicert" } };

	ASSERT_TRUE(account_may_automatically(&a));
	ASSERT_TRUE(!account_may_automatically(&paid));
	paid.automatic = true;
	ASSERT_TRUE(account_may_automatically(&paid));
}

static void an_account_is_told_from_others_by_its_key_id(void **state UNUSED)
{
	struct account a = { .eab_kid = (char[]){ "AbCdEf1234" }, .url = (char[]){ "https://ca.example/acct/1000777" } };
	_cleanup_free_ char *by_kid = account_mark(&a), *by_url = NULL;

	a.eab_kid = NULL;
	by_url = account_mark(&a);
	ASSERT_STR(by_kid, "key id ...1234");
	ASSERT_STR(by_url, "account ...000777");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(the_vendors_of_the_product_are_all_there),
		TEST(every_row_says_what_a_person_needs),
		TEST(a_url_belongs_to_a_vendor_by_its_host),
		TEST(what_a_vendor_would_refuse_is_found_before),
		TEST(the_number_of_names_is_the_profiles),
		TEST(all_findings_are_told_and_the_other_url_is_named),
		TEST(the_key_that_is_made_is_one_the_vendor_takes),
		TEST(what_costs_money_is_not_ordered_by_itself),
		TEST(an_account_is_told_from_others_by_its_key_id),
	};

	return RUN(tests);
}
