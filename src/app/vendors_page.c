/* SPDX-License-Identifier: Apache-2.0 */
/* vendors_page.c - docs/generated/vendors.md: the first account at each vendor, step by step, from the vendor registry. */
#include "app/pages.h"

#include "model/vendor.h"

static void fact(FILE *out, const char *what, const char *text)
{
	if (text)
		fprintf(out, "- %s: %s\n", what, text);
}

static void regions(FILE *out, const struct vendor *v)
{
	fputs("\n| Region (`--region`) | Directory | |\n|---|---|---|\n", out);
	for (const struct vendor_region *r = v->regions; r->key; r++)
		fprintf(out, "| `%s` (%s) | `%s` | %s |\n", r->key, r->title, r->directory_url, r->note ? r->note : "");
}

static void steps(FILE *out, const struct vendor *v)
{
	int n = 0;

	fputc('\n', out);
	for (const char *const *s = v->eab_steps; s && *s; s++)
		fprintf(out, "%d. %s\n", ++n, *s);
	if (v->eab_required)
		fprintf(out, "%d. Put the HMAC key into a file that only you may read, and register:\n", ++n);
	fprintf(out, "\n```sh\ncertwright account register --vendor %s --email pki@example.com --agree-tos%s\n```\n", v->key,
		v->eab_required ? " --eab-kid KID --eab-hmac-file FILE" : "");
	if (v->eab_url)
		fprintf(out, "\nOr let Certwright ask for both values: the same with `--eab-from-email` or `--eab-access-key-file FILE` in place of the two.\n");
}

static void vendor_section(FILE *out, const struct vendor *v)
{
	fprintf(out, "\n## %s\n\n", v->title);
	if (v->discontinued) {
		fprintf(out, "%s. It is listed for accounts made before.\n", v->discontinued);
		return;
	}
	fprintf(out, "- Directory: `%s`\n", v->directory_url);
	fact(out, "Trust", v->staging ? "for trials; its certificates are not trusted" : NULL);
	fact(out, "External account", v->eab_required ? "needed: key identifier (KID) and HMAC key" : NULL);
	fact(out, "How long these live", v->eab_life);
	fact(out, "Price", v->price);
	fact(out, "Certificates", v->lifetime);
	fact(out, "Limits", v->limits);
	fact(out, "Wildcards", v->wildcards ? NULL : "none");
	fact(out, "Terms", v->terms_url);
	fact(out, "Its documentation", v->docs_url);
	for (const char *const *s = v->notes; s && *s; s++)
		fprintf(out, "- %s\n", *s);
	for (int q = 0; q < vendor_quirk_count; q++)
		if (vendor_has(v, (enum vendor_quirk)q))
			fprintf(out, "- %s\n", vendor_quirk_help((enum vendor_quirk)q));
	if (v->regions)
		regions(out, v);
	steps(out, v);
}

void vendors_page(FILE *out)
{
	fputs("# The first account at each vendor\n\nFrom the vendor registry (`src/model/vendor.c`), which the page and `certwright vendor show NAME` show too. "
	      "How accounts work: [accounts](../admin/accounts.md).\n", out);
	for (size_t i = 0; i < vendors_count; i++)
		vendor_section(out, &vendors[i]);
}
