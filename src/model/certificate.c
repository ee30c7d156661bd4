/* SPDX-License-Identifier: Apache-2.0 */
/* certificate.c - see certificate.h. */
#include "model/certificate.h"

#include "base/idn.h"
#include "base/limits.h"

DEFINE_ENUM(csr_source, CSR_SOURCES)
DEFINE_ENUM(certificate_status, CERTIFICATE_STATUSES)
DEFINE_ENUM(version_state, VERSION_STATES)

void csr_done(struct csr *c)
{
	free(c->id);
	strlist_clear(&c->names);
	free(c->names_hash);
	free(c->subject);
	free(c->key_type);
	free(c->public_hash);
	free(c->key_id);
	free(c->der);
	free(c->made_for_order);
	free(c->created_by);
	*c = (struct csr){ 0 };
}

void certificate_done(struct certificate *c)
{
	free(c->id);
	free(c->source);
	strlist_clear(&c->names);
	free(c->names_hash);
	free(c->account_id);
	free(c->csr_id);
	free(c->validation);
	free(c->dns_method);
	free(c->http_method);
	free(c->methods);
	free(c->profile);
	free(c->key_policy);
	free(c->key_type);
	free(c->version_id);
	free(c->pause_reason);
	*c = (struct certificate){ 0 };
}

void version_done(struct version *v)
{
	free(v->id);
	free(v->certificate_id);
	free(v->order_id);
	free(v->key_id);
	free(v->serial);
	free(v->subject);
	free(v->issuer);
	strlist_clear(&v->names);
	free(v->fingerprint);
	free(v->public_hash);
	free(v->key_type);
	free(v->chain);
	free(v->reason);
	*v = (struct version){ 0 };
}

char *names_text(const struct strlist *names)
{
	return strlist_join(names, "\n");
}

void names_from_text(struct strlist *ret, const char *text)
{
	strlist_split(ret, text, '\n');
}

static const char *covering(const struct strlist *names, const char *name)
{
	for (size_t i = 0; i < names->n; i++)
		if (name_covered_by(name, names->v[i]))
			return names->v[i];
	return NULL;
}

int names_canonical(const struct strlist *in, const char *field, struct strlist *ret, struct err *err)
{
	_cleanup_strlist_ struct strlist out = { 0 };

	if (!in->n)
		return err_set_field(err, ERR_INVALID, field, "at least one name is needed");
	if (in->n > LIMIT_NAMES)
		return err_set_field(err, ERR_INVALID, field, "%zu names are more than the %d that one certificate may have", in->n,
				     LIMIT_NAMES);
	for (size_t i = 0; i < in->n; i++) {
		_cleanup_free_ char *name = NULL;

		if (name_canonical(in->v[i], &name, err) < 0) {
			free(err->field);
			err->field = xasprintf("%s/%zu", field, i);
			return -(int)err->code;
		}
		strlist_add(&out, name);
	}
	for (size_t i = 0; i < out.n; i++) {
		const char *wildcard = covering(&out, out.v[i]);

		if (wildcard) {
			_cleanup_free_ char *pointer = xasprintf("%s/%zu", field, i);

			err_set_field(err, ERR_INVALID, pointer, "name '%s' is covered by '%s' of the same list", out.v[i], wildcard);
			return err_hint(err, "Remove '%s': authorities refuse orders with both.", out.v[i]);
		}
	}
	strlist_sort_unique(&out);
	*ret = TAKE(out);
	return 0;
}
