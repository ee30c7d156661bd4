/* SPDX-License-Identifier: Apache-2.0 */
/* kinds.c - the page of provider kinds: what docs/generated/providers.md is made from. */
#include "app/kinds.h"

#include "engine/provider.h"

static const char *what(const struct field *f)
{
	return f->flags & FIELD_SECRET ? "secret" : f->flags & FIELD_NUMBER ? "number" : f->flags & FIELD_BOOL ? "true or false" :
	       f->flags & FIELD_LINES ? "lines" : f->flags & FIELD_PROGRAM ? "program" : f->flags & FIELD_WEBROOT ? "web root" : f->flags & FIELD_URL ? "URL" :
	       f->flags & FIELD_HOST ? "host" : "text";
}

static void field_row(FILE *out, const struct field *f)
{
	fprintf(out, "| `%s` | %s%s%s | %s | %s", f->name, what(f), f->flags & FIELD_REQUIRED ? ", needed" : "",
		f->flags & FIELD_ENDPOINT ? ", endpoint" : "", f->standard ? f->standard : "", f->help);
	for (size_t i = 0; f->choices && f->choices[i]; i++)
		fprintf(out, "%s`%s`", i ? ", " : ". One of: ", f->choices[i]);
	fputs(" |\n", out);
}

void kinds_page(FILE *out)
{
	const struct provider_kind *all;
	size_t n = provider_kinds(&all);

	fputs("# Providers\n\nFrom the field tables in `src/publish`: what can be configured under External DNS (`certwright provider create"
	      " --kind KIND`). Changing a field marked *endpoint* takes the stored secrets away.\n", out);
	for (size_t i = 0; i < n; i++) {
		const struct provider_kind *k = &all[i];

		fprintf(out, "\n## %s\n\nKind `%s`, for %s. %s\n\n**The least right it needs:** %s\n\n", k->title, k->name,
			k->dns && k->http ? "dns-01 and http-01" : k->dns ? "dns-01" : "http-01", k->help, k->rights);
		if (k->site)
			fprintf(out, "See <%s>.\n\n", k->site);
		fputs("| Field | What | Default | Help |\n|---|---|---|---|\n", out);
		for (const struct field *f = k->fields; f->name; f++)
			field_row(out, f);
	}
}
