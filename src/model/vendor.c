/* SPDX-License-Identifier: Apache-2.0 */
/* vendor.c - the registry. Sources of the facts: each vendor's own ACME documentation, and what clients ran into. */
#include "model/vendor.h"

#include "base/str.h"

DEFINE_ENUM(vendor_quirk, VENDOR_QUIRKS)
DEFINE_ENUM(vendor_answer, VENDOR_ANSWERS)

#define TEXTS(...) ((const char *const[]){ __VA_ARGS__, NULL })
#define RSA "rsa2048", "rsa3072", "rsa4096"
#define USUAL_KEYS TEXTS(RSA, "p256", "p384")

const char *vendor_quirk_help(enum vendor_quirk q)
{
	static const char *const help[vendor_quirk_count] = {
		[QUIRK_EAB_UNSAID] = "Its directory says that no external account is needed; registering fails without one.",
		[QUIRK_EAB_ONCE] = "It refuses a second registration of a key that is bound already; Certwright looks for the account first.",
		[QUIRK_NO_ACCOUNT_READ] = "The account cannot be read or changed there: no change of the e-mail address; the status is asked by key.",
		[QUIRK_NO_KEY_CHANGE] = "The account's key cannot be changed: register another account and move the certificates to it.",
		[QUIRK_CONTACT_DROPPED] = "It keeps no e-mail addresses; the one given here is for your own reference.",
		[QUIRK_NO_CLIENT_AUTH] = "It refuses CSRs that ask for client authentication (clientAuth).",
		[QUIRK_CONTACT_LATE] = "A missing e-mail address is told only after validation; Certwright asks for it at once.",
		[QUIRK_MANY_ACCOUNTS] = "Several accounts share one URL, one for each external key: give them names.",
		[QUIRK_SLOW_ISSUE] = "An order may be processing for hours or days before the certificate is there.",
	};

	return help[q];
}

/* ---- Let's Encrypt ---- */

static const struct vendor_profile letsencrypt_profiles[] = {
	{ "classic", 100, false, "the default: 90 days (64 from 10 February 2027, 45 from 16 February 2028), with a common name" },
	{ "tlsserver", 25, false, "45 days, no common name" },
	{ "shortlived", 25, true, "160 hours, no common name; DNS names and IP addresses" },
	{ 0 }
};
#define LE_TERMS "https://letsencrypt.org/repository/"
#define LE_COMMON                                                                                                        \
	.wildcards = true, .ari = VENDOR_YES, .names_max = 100, .profiles = letsencrypt_profiles, .key_types = USUAL_KEYS,   \
	.common_name_only = true, .quirks = BIT(QUIRK_CONTACT_DROPPED), .terms_url = LE_TERMS,                               \
	.docs_url = "https://letsencrypt.org/docs/",                                                                         \
	.lifetime = "90 days; 64 days from 10 February 2027, 45 days from 16 February 2028; other profiles 45 days and 160 hours"

/* ---- ZeroSSL ---- */

static const char *const zerossl_steps[] = {
	"One click: Certwright asks ZeroSSL for the values, by your e-mail address or by the access key of your dashboard.",
	"Or sign in at app.zerossl.com and open Developer.",
	"Under \"EAB Credentials for ACME Clients\" choose Generate.",
	"Copy \"EAB KID\" and \"EAB HMAC Key\" before you leave the page.",
	NULL
};

/* ---- SSL.com ---- */

static const char *const sslcom_steps[] = {
	"Sign in at secure.ssl.com and open Dashboard.",
	"Under Developers and Integrations choose \"API and ACME Credentials\".",
	"Add credentials if there are none.",
	"\"Account/ACME Key\" is the key identifier, \"HMAC Key\" the HMAC key.",
	NULL
};
#define SSLCOM_COMMON                                                                                                    \
	.wildcards = true, .eab_required = true, .contact_required = true, .costs_money = true, .ari = VENDOR_NO,             \
	.quirks = BIT(QUIRK_EAB_UNSAID) | BIT(QUIRK_NO_ACCOUNT_READ) | BIT(QUIRK_NO_KEY_CHANGE) | BIT(QUIRK_CONTACT_LATE),    \
	.eab_steps = sslcom_steps, .eab_life = "They stay valid until you remove them, and may be used for several accounts.", \
	.eab_help = "SSL.com portal, Dashboard, Developers and Integrations, API and ACME Credentials: Account/ACME Key and HMAC Key", \
	.price = "Free certificates are for one name and its www; with funds in the account each order is charged and lasts one year; "  \
		 "wildcards are always paid",                                                                                 \
	.lifetime = "90 days when free, one year when paid", .terms_url = "https://www.ssl.com/repository/",                  \
	.docs_url = "https://www.ssl.com/guide/ssl-tls-certificate-issuance-and-revocation-with-acme/",                        \
	.notes = TEXTS("RSA and ECC keys have URLs of their own: the vendor is chosen by the key of the CSR.",                 \
		       "A failed challenge is tried again only when the client asks for it.")

/* ---- Google ---- */

static const char *const google_steps[] = {
	"Give your Google Cloud user the role publicca.externalAccountKeyCreator in a project.",
	"Enable the Public CA API: gcloud services enable publicca.googleapis.com",
	"Run: gcloud publicca external-account-keys create",
	"\"keyId\" is the key identifier, \"b64MacKey\" the HMAC key.",
	NULL
};
static const char *const google_staging_steps[] = {
	"As for Google Trust Services, but against the pre-production API:",
	"gcloud config set api_endpoint_overrides/publicca https://preprod-publicca.googleapis.com/",
	"Run: gcloud publicca external-account-keys create",
	"Undo the override: gcloud config unset api_endpoint_overrides/publicca",
	NULL
};
#define GOOGLE_COMMON                                                                                                    \
	.wildcards = true, .eab_required = true, .ari = VENDOR_YES, .not_after = true, .names_max = 100, .key_types = USUAL_KEYS, \
	.quirks = BIT(QUIRK_NO_CLIENT_AUTH) | BIT(QUIRK_EAB_ONCE),                                                            \
	.eab_life = "Each pair registers one account and has to be used within 7 days; the account itself does not expire.",  \
	.lifetime = "90 days, or 1 to 90 days as ordered (notAfter); at least 3 are recommended",                             \
	.limits = "Not published; stricter than Let's Encrypt's. Certwright waits as long as it is told.",                    \
	.terms_url = "https://pki.goog/repository/", .docs_url = "https://cloud.google.com/certificate-manager/docs/public-ca-tutorial"

/* ---- DigiCert ---- */

#define DIGICERT_PATH "/mpki/api/v1/acme/v2/directory"
static const struct vendor_region digicert_regions[] = {
	{ "global", "Global", "https://one.digicert.com" DIGICERT_PATH, NULL },
	{ "us", "United States", "https://one.us.digicert.com" DIGICERT_PATH, NULL },
	{ "eu-nl", "Europe (Netherlands)", "https://one.nl.digicert.com" DIGICERT_PATH, NULL },
	{ "eu-ch", "Europe (Switzerland)", "https://one.ch.digicert.com" DIGICERT_PATH, NULL },
	{ "jp", "Japan", "https://one.digicert.co.jp" DIGICERT_PATH, NULL },
	{ "demo", "Demo", "https://demo.one.digicert.com" DIGICERT_PATH, "for trials: certificates are not trusted" },
	{ "legacy", "CertCentral (legacy)", "https://acme.digicert.com/v2/acme/directory/",
	  "for credentials made before 30 January 2024: no domain validation during the order" },
	{ 0 }
};
static const char *const digicert_steps[] = {
	"Sign in to CertCentral and open Automation, \"ACME directory URLs\"; in DigiCert ONE open Trust Lifecycle, \"ACME credentials\".",
	"Add a directory URL: product, organization, division and validity are part of it, so each needs one of its own.",
	"The page shows the directory URL, the KID and the HMAC key once: copy all three.",
	"Choose the region whose URL it shows; a URL with further parameters is given as it is.",
	NULL
};

/* ---- Sectigo, Actalis ---- */

static const struct vendor_region sectigo_regions[] = {
	{ "dv", "DV", "https://acme.sectigo.com/v2/DV", NULL },
	{ "ov", "OV", "https://acme.sectigo.com/v2/OV", "the organization is validated beforehand" },
	{ "ev", "EV", "https://acme.sectigo.com/v2/EV", "the organization is validated beforehand" },
	{ "enterprise", "Enterprise", "https://acme.enterprise.sectigo.com/", NULL },
	{ 0 }
};
static const char *const sectigo_steps[] = {
	"Sign in to Sectigo Certificate Manager and open Enrollment, ACME.",
	"Choose the endpoint and add an ACME account; choose the domains it may order for.",
	"Copy the server URL, the key ID and the HMAC key. If the server URL is none of the listed ones, give it as directory URL.",
	NULL
};
static const char *const actalis_steps[] = {
	"Sign in to the Actalis customer area and open the ACME section.",
	"Create ACME credentials.",
	"Copy the key identifier and the HMAC key; the padding (=) at its end may stay.",
	NULL
};

#define BUYPASS_ENDED "Buypass ended its ACME service: no new accounts since 15 September 2025, no certificates since 31 October 2025"
#define BUYPASS_COMMON                                                                                                   \
	.contact_required = true, .discontinued = BUYPASS_ENDED, .discontinued_since = "2025-10-31", .ari = VENDOR_NO,        \
	.lifetime = "180 days; the last ones expired in April 2026",                                                          \
	.notes = TEXTS("Accounts made earlier stay visible here. Move their certificates to another vendor.")

const struct vendor vendors[] = {
	{ .key = "letsencrypt", .title = "Let's Encrypt", .directory_url = "https://acme-v02.api.letsencrypt.org/directory", LE_COMMON,
	  .limits = "New accounts 10 per address and 3 hours; new orders 300 per account and 3 hours; 50 certificates per registered domain "
		    "and 7 days; 5 for the same set of names and 7 days; 5 failed validations per name and hour. Renewals that the "
		    "authority announced (ARI) are exempt from all of these." },
	{ .key = "letsencrypt-staging", .title = "Let's Encrypt Staging",
	  .directory_url = "https://acme-staging-v02.api.letsencrypt.org/directory", LE_COMMON, .staging = true,
	  .limits = "New accounts 50 per address and 3 hours; new orders 1,500 per account and 3 hours; 30,000 certificates per registered "
		    "domain and 7 days; 200 failed validations per name and hour." },
	{ .key = "zerossl", .title = "ZeroSSL", .directory_url = "https://acme.zerossl.com/v2/DV90", .wildcards = true,
	  .eab_required = true, .eab_url = "https://api.zerossl.com", .contact_required = true, .ari = VENDOR_UNKNOWN, .key_types = USUAL_KEYS,
	  .quirks = BIT(QUIRK_EAB_ONCE) | BIT(QUIRK_NO_KEY_CHANGE) | BIT(QUIRK_SLOW_ISSUE), .eab_steps = zerossl_steps,
	  .eab_life = "Treat a pair as good for one account. The number of pairs per day is limited.",
	  .eab_help = "ZeroSSL dashboard, Developer, EAB Credentials; or let Certwright fetch them",
	  .lifetime = "90 days; one year needs a paid product", .limits = "About 7 requests a second",
	  .terms_url = "https://zerossl.com/terms/", .docs_url = "https://zerossl.com/documentation/acme/",
	  .notes = TEXTS("There is no staging service.", "It looks again by itself when a challenge was not there yet.") },
	{ .key = "buypass", .title = "Buypass", .directory_url = "https://api.buypass.com/acme/directory", BUYPASS_COMMON },
	{ .key = "buypass-staging", .title = "Buypass Staging", .directory_url = "https://api.test4.buypass.no/acme/directory",
	  BUYPASS_COMMON, .staging = true },
	{ .key = "sslcom-rsa", .title = "SSL.com RSA", .directory_url = "https://acme.ssl.com/sslcom-dv-rsa", SSLCOM_COMMON,
	  .key_types = TEXTS(RSA) },
	{ .key = "sslcom-ecc", .title = "SSL.com ECC", .directory_url = "https://acme.ssl.com/sslcom-dv-ecc", SSLCOM_COMMON,
	  .key_types = TEXTS("p256", "p384") },
	{ .key = "google", .title = "Google Trust Services", .directory_url = "https://dv.acme-v02.api.pki.goog/directory", GOOGLE_COMMON,
	  .eab_steps = google_steps,
	  .eab_help = "gcloud publicca external-account-keys create: keyId and b64MacKey, to be used within 7 days",
	  .notes = TEXTS("IP addresses only for customers with a business need.") },
	{ .key = "google-staging", .title = "Google Trust Services Staging",
	  .directory_url = "https://dv.acme-v02.test-api.pki.goog/directory", GOOGLE_COMMON, .staging = true,
	  .eab_steps = google_staging_steps,
	  .eab_help = "As for Google Trust Services, with the pre-production endpoint; a key of its own is needed" },
	{ .key = "digicert", .title = "DigiCert", .directory_url = "https://one.digicert.com" DIGICERT_PATH, .regions = digicert_regions,
	  .wildcards = true, .eab_required = true, .costs_money = true, .ari = VENDOR_UNKNOWN,
	  .quirks = BIT(QUIRK_MANY_ACCOUNTS) | BIT(QUIRK_SLOW_ISSUE) | BIT(QUIRK_EAB_ONCE), .eab_steps = digicert_steps,
	  .eab_life = "They stay valid until revoked; the HMAC key is shown once.",
	  .eab_help = "CertCentral, Automation, ACME directory URLs: one KID and HMAC key per product, shown once",
	  .price = "Each certificate is charged to the product that the key identifier belongs to",
	  .lifetime = "As the key identifier's product says, up to 199 days", .terms_url = "https://www.digicert.com/legal-repository",
	  .docs_url = "https://docs.digicert.com/",
	  .notes = TEXTS("Which product is ordered is decided by the key identifier.",
			 "A URL may end with ?action=renew, reissue or duplicate and &orderId=N; it is kept as it is.",
			 "Organization-validated products need the organization validated beforehand; approval by a person may take days "
			 "unless \"skip approval\" is set.") },
	{ .key = "sectigo", .title = "Sectigo", .directory_url = "https://acme.sectigo.com/v2/DV", .regions = sectigo_regions,
	  .wildcards = true, .eab_required = true, .costs_money = true, .ari = VENDOR_UNKNOWN,
	  .key_types = TEXTS("rsa3072", "rsa4096", "p256", "p384", "p521"), .quirks = BIT(QUIRK_EAB_ONCE) | BIT(QUIRK_MANY_ACCOUNTS),
	  .eab_steps = sectigo_steps, .eab_life = "One pair may serve many clients until it is revoked.",
	  .eab_help = "Sectigo Certificate Manager, Enrollment, ACME accounts: server URL, key ID and HMAC key",
	  .price = "Each certificate is charged to the account in Sectigo Certificate Manager", .lifetime = "Up to 200 days",
	  .terms_url = "https://www.sectigo.com/legal", .docs_url = "https://docs.sectigo.com/",
	  .notes = TEXTS("The product path is the directory: /v2/directory is refused there.",
			 "Domains validated beforehand need no challenge.") },
	{ .key = "actalis", .title = "Actalis", .directory_url = "https://acme-api.actalis.com/acme/directory", .eab_required = true,
	  .contact_required = true, .ari = VENDOR_YES, .eab_steps = actalis_steps,
	  .eab_life = "They stay valid until they are removed in the customer area.",
	  .eab_help = "Actalis customer area, ACME: key identifier and HMAC key", .lifetime = "90 days",
	  .terms_url = "https://www.actalis.com/legal-repository", .docs_url = "https://guide.actalis.com/",
	  .notes = TEXTS("Wildcards are not part of the free product.", "Every order is validated anew.",
			 "A failed challenge stays processing for ever: Certwright gives up by its own clock.") },
};
const size_t vendors_count = ARRAY_SIZE(vendors);

const struct vendor vendor_custom = {
	.key = VENDOR_CUSTOM, .title = "Other ACME directory", .directory_url = "", .wildcards = true, .addresses = true, .short_names = true,
	.common_name_only = true, .ari = VENDOR_UNKNOWN,
	.notes = TEXTS("step-ca: https://CA/acme/PROVISIONER/directory", "EJBCA: https://CA/ejbca/acme/ALIAS/directory",
		       "Vault and OpenBao: https://VAULT/v1/MOUNT/acme/directory; an external key is good for one directory only",
		       "HARICA, GlobalSign and others: the URL the portal shows"),
};

const struct vendor *vendor_find(const char *key)
{
	for (size_t i = 0; i < vendors_count; i++)
		if (streq(vendors[i].key, key))
			return &vendors[i];
	return NULL;
}

const struct vendor *vendor_of(const char *key)
{
	const struct vendor *v = vendor_find(key);

	return v ? v : &vendor_custom;
}

const char *vendor_title(const char *key)
{
	const struct vendor *v = vendor_find(key);

	return v ? v->title : streq(key, VENDOR_CUSTOM) ? "Custom" : key;
}

bool vendor_has(const struct vendor *v, enum vendor_quirk q)
{
	return (v->quirks & BIT(q)) != 0;
}

/* "https://host[:port]" of a URL. */
static struct str origin(const char *url)
{
	const char *host = strstr(url, "://");

	host = host ? host + 3 : url;
	return (struct str){ url, (size_t)(host - url) + strcspn(host, "/?#") };
}

static bool same_origin(const char *a, const char *b)
{
	struct str x = origin(a), y = origin(b);

	return x.n == y.n && !strncasecmp(x.p, y.p, x.n);
}

bool vendor_owns_url(const struct vendor *v, const char *directory_url)
{
	if (same_origin(v->directory_url, directory_url))
		return true;
	for (const struct vendor_region *r = v->regions; r && r->key; r++)
		if (same_origin(r->directory_url, directory_url))
			return true;
	return false;
}

const struct vendor_region *vendor_region_find(const struct vendor *v, const char *key)
{
	for (const struct vendor_region *r = v->regions; r && r->key; r++)
		if (streq(r->key, key))
			return r;
	return NULL;
}

const struct vendor_profile *vendor_profile_find(const struct vendor *v, const char *name)
{
	for (const struct vendor_profile *p = v->profiles; p && p->name; p++)
		if (streq(p->name, name))
			return p;
	return NULL;
}
