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
	      "`/.well-known/acme-challenge/`) and reads what it has to find the zone.\n\n"
	      "What a test shows, and what it does not:\n\n"
	      "- *Test and save* writes a probe in the zone that is chosen, `_acme-challenge.certwright-test-….ZONE`, finds it at the zone's name "
	      "servers and removes it; at a BIG-IP or a web root it is a token. So the address is reached, the credential is accepted, and it may add, "
	      "read and remove there. With *Save configuration* or *Copy to the device group* a BIG-IP does these too.\n"
	      "- It does not show that other zones can be written, nor that the credential can do no more than it needs. A right for single names refuses "
	      "the probe, whose name is not among them, and orders go well all the same.\n"
	      "- No probe asks Route 53 whether all its servers have a change (`route53:GetChange`), attaches an iRule at a BIG-IP, or sees whether a web "
	      "server serves what lies in its web root: an order shows that.\n"
	      "- *Test reading only* lists the zones, asks the name server a signed question (RFC 2136), or reads what a BIG-IP or a web root is: the "
	      "address is reached and the credential is accepted. Whether it may write is not tried. A program, an HTTP request and a hook can read "
	      "nothing, so there it is refused.\n", out);
	for (size_t i = 0; i < n; i++)
		kind_section(out, &kinds[i]);
}
