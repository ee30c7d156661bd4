/* SPDX-License-Identifier: Apache-2.0 */
/* csr_lint.c - see csr_lint.h. */
#include "model/csr_lint.h"

#include "base/addr.h"
#include "base/idn.h"
#include "base/limits.h"

#include <arpa/inet.h>
#include <stdio.h>

#define COMMON_NAME_MAX 64 /* RFC 5280 A.1, ub-common-name */

void csr_findings_clear(struct csr_findings *l)
{
	for (size_t i = 0; i < l->n; i++) {
		free(l->v[i].field);
		free(l->v[i].text);
		free(l->v[i].hint);
	}
	free(l->v);
	*l = (struct csr_findings){ 0 };
}

static void add(struct csr_findings *l, const char *field, char *take_text, const char *hint)
{
	if (l->n == l->cap) {
		l->cap = l->cap ? 2 * l->cap : 4;
		l->v = xrealloc(l->v, l->cap * sizeof *l->v);
	}
	l->v[l->n++] = (struct csr_finding){ xstrdup(field), take_text, xstrdup_null(hint) };
}

struct pointer {
	char s[32];
};

static struct pointer at_name(const struct csr_facts *f, size_t i)
{
	struct pointer p;

	if (f->from_csr)
		snprintf(p.s, sizeof p.s, "/csr_id");
	else
		snprintf(p.s, sizeof p.s, "/names/%zu", i);
	return p;
}

static bool is_address(const char *name)
{
	unsigned char bytes[16];

	return inet_pton(AF_INET, name, bytes) == 1 || inet_pton(AF_INET6, name, bytes) == 1;
}

static void lint_names(const struct vendor *v, const struct vendor_profile *p, const struct csr_facts *f, struct csr_findings *ret)
{
	int max = p && p->names_max ? p->names_max : v->names_max ? v->names_max : LIMIT_NAMES;

	if (f->names->n > (size_t)max)
		add(ret, f->from_csr ? "/csr_id" : "/names",
		    p ? xasprintf("%zu names are more than the %d that %s's profile '%s' takes", f->names->n, max, v->title, p->name) :
			xasprintf("%zu names are more than the %d that %s takes in one certificate", f->names->n, max, v->title),
		    "Divide the names among several certificates, or choose another profile.");
	for (size_t i = 0; i < f->names->n; i++) {
		const char *name = f->names->v[i];

		if (is_address(name)) {
			if (!v->addresses && !(p && p->addresses))
				add(ret, at_name(f, i).s, xasprintf("%s issues no certificates for addresses such as '%s'%s", v->title, name,
								    v->profiles ? " with this profile" : ""), NULL);
		} else if (name_is_wildcard(name)) {
			if (!v->wildcards)
				add(ret, "/account_id", xasprintf("%s issues no certificates for wildcard names", v->title), NULL);
		} else if (!strchr(name, '.') && !v->short_names) {
			add(ret, at_name(f, i).s, xasprintf("'%s' is a short name; public authorities such as %s issue none", name, v->title),
			    "Use the full name, or an authority of your own.");
		}
		for (size_t k = 0; k < f->names->n; k++)
			if (name_covered_by(name, f->names->v[k]))
				add(ret, at_name(f, i).s, xasprintf("name '%s' is covered by '%s' of the same order", name, f->names->v[k]),
				    "Leave one of the two out: authorities refuse orders with both.");
	}
}

static void lint_common_name(const struct vendor *v, const struct csr_facts *f, struct csr_findings *ret)
{
	_cleanup_free_ char *canonical = NULL;
	_cleanup_err_ struct err ignored = ERR_INIT;

	if (str_empty(f->common_name))
		return;
	if (strlen(f->common_name) > COMMON_NAME_MAX)
		add(ret, "/csr_id", xasprintf("the common name '%s' has more than %d characters", f->common_name, COMMON_NAME_MAX),
		    "Leave the common name out; the names in the subject alternative names are enough.");
	if (name_canonical(f->common_name, &canonical, &ignored) < 0 || !strlist_has(f->names, canonical))
		add(ret, "/csr_id", xasprintf("the common name '%s' is not among the subject alternative names", f->common_name), NULL);
	if (f->common_name_only && !v->common_name_only)
		add(ret, "/csr_id", xasprintf("%s wants the names as subject alternative names; this CSR has a common name only", v->title),
		    "Make the CSR again with a subject alternative name.");
}

static bool takes_key(const struct vendor *v, const char *type)
{
	for (size_t i = 0; v->key_types && v->key_types[i]; i++)
		if (streq(v->key_types[i], type))
			return true;
	return !v->key_types;
}

/* The row for the other kind of key, where a vendor has a URL for each. */
static const struct vendor *sibling_for(const struct vendor *v, const char *type)
{
	size_t stem = strcspn(v->key, "-");

	for (size_t i = 0; v->key[stem] && i < vendors_count; i++)
		if (!strncmp(vendors[i].key, v->key, stem + 1) && !vendors[i].discontinued && takes_key(&vendors[i], type) &&
		    vendors[i].staging == v->staging)
			return &vendors[i];
	return NULL;
}

static void lint_key(const struct vendor *v, const struct csr_facts *f, struct csr_findings *ret)
{
	const char *field = f->from_csr ? "/csr_id" : "/key_type";
	_cleanup_free_ char *hint = NULL;
	const struct vendor *other;

	if (f->account_key)
		add(ret, field, xstrdup("the CSR's key is the key of an ACME account; a certificate needs a key of its own"), NULL);
	if (!f->key_type || takes_key(v, f->key_type))
		return;
	other = sibling_for(v, f->key_type);
	if (other)
		hint = xasprintf("Use an account of %s.", other->title);
	add(ret, field, xasprintf("%s takes no %s keys", v->title, f->key_type), hint);
}

void csr_lint(const struct vendor *v, const char *profile, const struct csr_facts *f, struct csr_findings *ret)
{
	const struct vendor_profile *p = profile ? vendor_profile_find(v, profile) : v->profiles;

	lint_key(v, f, ret);
	lint_names(v, p, f, ret);
	lint_common_name(v, f, ret);
	if (f->client_auth && vendor_has(v, QUIRK_NO_CLIENT_AUTH))
		add(ret, "/csr_id", xasprintf("the CSR asks for client authentication, which %s refuses", v->title),
		    "Make the CSR without an extended key usage; the authority adds what it issues.");
}

int csr_lint_check(const struct vendor *v, const char *profile, const struct csr_facts *f, struct err *err)
{
	_cleanup_csr_findings_ struct csr_findings l = { 0 };

	csr_lint(v, profile, f, &l);
	if (!l.n)
		return 0;
	err_set_field(err, ERR_INVALID, l.v[0].field, "%s", l.v[0].text);
	return l.v[0].hint ? err_hint(err, "%s", l.v[0].hint) : -ERR_INVALID;
}

const char *csr_key_type_for(const struct vendor *v)
{
	return !v->key_types || takes_key(v, "p256") ? "p256" : v->key_types[0];
}
