/* SPDX-License-Identifier: Apache-2.0 */
/* rights_page.c - docs/generated/rights.md: the least right of every credential, from the tables that the form is made from. */
#include "app/pages.h"

#include "engine/provider.h"

#include <stdlib.h>

/* What is entered for it: the secret fields. */
static void credential(FILE *out, const struct provider_kind *k)
{
	bool any = false;

	for (const struct field *f = k->fields; f->name; f++) {
		_cleanup_free_ char *label = NULL;

		if (!(f->flags & FIELD_SECRET))
			continue;
		label = field_label(f);
		fprintf(out, "%s| %s (`%s`) | %s | %s |\n", any ? "" : "| Credential | Where it comes from | |\n|---|---|---|\n", label, f->name, f->help,
			f->flags & FIELD_REQUIRED ? "needed" : "");
		any = true;
	}
	if (!any)
		fputs("There is no credential.\n", out);
}

static void kind_section(FILE *out, const struct provider_kind *k)
{
	fprintf(out, "\n## %s\n\n%s\n\n", k->title, k->rights);
	credential(out, k);
	for (const struct grant *g = k->grants; g && g->where; g++)
		fprintf(out, "\nFor %s:\n\n```%s\n%s```\n", g->where, g->language, g->text);
	if (k->site)
		fprintf(out, "\nSee <%s>.\n", k->site);
}

void rights_page(FILE *out)
{
	const struct provider_kind *kinds;
	size_t n = provider_kinds(&kinds);

	fputs("# The least right of each credential\n\n"
	      "In the vendor's own terms, from the tables in `src/publish` that the form and `certwright provider kinds KIND` are made from too. "
	      "Certwright needs nothing beyond it: it writes and removes its own values at `_acme-challenge` names (or below "
	      "`/.well-known/acme-challenge/`) and reads what it has to find the zone. *Test and save* tries all of it, *Test reading only* what can be tried without a change.\n", out);
	for (size_t i = 0; i < n; i++)
		kind_section(out, &kinds[i]);
}
