/* SPDX-License-Identifier: Apache-2.0 */
/* vendor.c - the registry. Sources of the URLs: each vendor's own ACME documentation. */
#include "model/vendor.h"

#include "base/str.h"

#define BUYPASS_ENDED "Buypass ended its ACME service: no new accounts since 15 September 2025, no certificates since 31 October 2025"
#define SSLCOM_HELP "SSL.com portal, Dashboard, Developers and Integrations, API and ACME Credentials: Account/ACME Key and HMAC Key"

const struct vendor vendors[] = {
	{ .key = "letsencrypt", .title = "Let's Encrypt",
	  .directory_url = "https://acme-v02.api.letsencrypt.org/directory", .wildcards = true },
	{ .key = "letsencrypt-staging", .title = "Let's Encrypt Staging",
	  .directory_url = "https://acme-staging-v02.api.letsencrypt.org/directory", .wildcards = true, .staging = true },
	{ .key = "zerossl", .title = "ZeroSSL", .directory_url = "https://acme.zerossl.com/v2/DV90", .wildcards = true,
	  .eab_required = true, .contact_required = true, .eab_help = "ZeroSSL dashboard, Developer, EAB Credentials" },
	{ .key = "buypass", .title = "Buypass", .directory_url = "https://api.buypass.com/acme/directory",
	  .contact_required = true, .discontinued = BUYPASS_ENDED },
	{ .key = "buypass-staging", .title = "Buypass Staging", .directory_url = "https://api.test4.buypass.no/acme/directory",
	  .contact_required = true, .staging = true, .discontinued = BUYPASS_ENDED },
	{ .key = "sslcom-rsa", .title = "SSL.com RSA", .directory_url = "https://acme.ssl.com/sslcom-dv-rsa", .wildcards = true,
	  .eab_required = true, .contact_required = true, .costs_money = true, .eab_help = SSLCOM_HELP },
	{ .key = "sslcom-ecc", .title = "SSL.com ECC", .directory_url = "https://acme.ssl.com/sslcom-dv-ecc", .wildcards = true,
	  .eab_required = true, .contact_required = true, .costs_money = true, .eab_help = SSLCOM_HELP },
	{ .key = "google", .title = "Google Trust Services",
	  .directory_url = "https://dv.acme-v02.api.pki.goog/directory", .wildcards = true, .eab_required = true,
	  .eab_help = "gcloud publicca external-account-keys create: keyId and b64MacKey, to be used within 7 days" },
	{ .key = "google-staging", .title = "Google Trust Services Staging",
	  .directory_url = "https://dv.acme-v02.test-api.pki.goog/directory", .wildcards = true, .eab_required = true,
	  .staging = true, .eab_help = "As for Google Trust Services, with the pre-production endpoint; a key of its own is needed" },
	{ .key = "digicert", .title = "DigiCert",
	  .directory_url = "https://one.digicert.com/mpki/api/v1/acme/v2/directory", .wildcards = true, .eab_required = true,
	  .costs_money = true, .eab_help = "CertCentral, Automation, ACME directory URLs: one KID and HMAC key per product, shown once" },
};
const size_t vendors_count = ARRAY_SIZE(vendors);

const struct vendor *vendor_find(const char *key)
{
	for (size_t i = 0; i < vendors_count; i++)
		if (streq(vendors[i].key, key))
			return &vendors[i];
	return NULL;
}

const char *vendor_title(const char *key)
{
	const struct vendor *v = vendor_find(key);

	return v ? v->title : streq(key, VENDOR_CUSTOM) ? "Custom" : key;
}
