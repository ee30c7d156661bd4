/* SPDX-License-Identifier: Apache-2.0 */
/* types.c - see types.h: tables of texts, copies and frees. */
#include "acme/private.h"

const char *const acme_account_statuses[] = { NULL, "valid", "deactivated", "revoked" };
const char *const acme_order_statuses[] = { NULL, "pending", "ready", "processing", "valid", "invalid" };
const char *const acme_authz_statuses[] = { NULL, "pending", "valid", "invalid", "deactivated", "expired", "revoked" };
const char *const acme_challenge_statuses[] = { NULL, "pending", "processing", "valid", "invalid" };
static const char *const scopes[] = { "none", "vendor", "account", "registration", "names", "identifier" };
static const char *const kinds[ACME_KIND_COUNT] = { "directory", "new-nonce",  "new-account", "account", "new-order", "order",
						    "authorization", "challenge", "finalize", "certificate", "revoke",
						    "renewal-info" };

static_assert(ARRAY_SIZE(acme_account_statuses) == ACME_ACCOUNT_STATUSES, "table");
static_assert(ARRAY_SIZE(acme_order_statuses) == ACME_ORDER_STATUSES, "table");
static_assert(ARRAY_SIZE(acme_authz_statuses) == ACME_AUTHZ_STATUSES, "table");
static_assert(ARRAY_SIZE(acme_challenge_statuses) == ACME_CHALLENGE_STATUSES, "table");

static const char *text_of(const char *const *texts, size_t n, unsigned i)
{
	return i < n && texts[i] ? texts[i] : "";
}

const char *acme_account_status_text(enum acme_account_status s)
{
	return text_of(acme_account_statuses, ACME_ACCOUNT_STATUSES, s);
}

const char *acme_order_status_text(enum acme_order_status s)
{
	return text_of(acme_order_statuses, ACME_ORDER_STATUSES, s);
}

const char *acme_authz_status_text(enum acme_authz_status s)
{
	return text_of(acme_authz_statuses, ACME_AUTHZ_STATUSES, s);
}

const char *acme_challenge_status_text(enum acme_challenge_status s)
{
	return text_of(acme_challenge_statuses, ACME_CHALLENGE_STATUSES, s);
}

const char *acme_scope_text(enum acme_scope s)
{
	return text_of(scopes, ARRAY_SIZE(scopes), s);
}

const char *acme_kind_text(enum acme_kind k)
{
	return text_of(kinds, ACME_KIND_COUNT, k);
}

int acme_status_decode(const char *const *texts, size_t n, const char *text, const char *of, int *ret, struct err *err)
{
	_cleanup_free_ char *shown = NULL;

	for (size_t i = 1; i < n; i++)
		if (streq(texts[i], text)) {
			*ret = (int)i;
			return 0;
		}
	shown = str_clean(text, strlen(text), 60);
	return err_set(err, ERR_INVALID, "unknown status '%s' of the %s", shown, of);
}

void acme_problem_clear(struct acme_problem *p)
{
	for (size_t i = 0; i < p->n_sub; i++) {
		free(p->sub[i].type);
		free(p->sub[i].detail);
		free(p->sub[i].identifier);
	}
	free(p->sub);
	free(p->type);
	free(p->detail);
	free(p->instance);
	strlist_clear(&p->algorithms);
	*p = (struct acme_problem){ 0 };
}

void acme_problem_copy(struct acme_problem *to, const struct acme_problem *from)
{
	*to = (struct acme_problem){ .type = xstrdup_null(from->type),
				     .detail = xstrdup_null(from->detail),
				     .instance = xstrdup_null(from->instance),
				     .status = from->status,
				     .n_sub = from->n_sub };
	to->sub = from->n_sub ? xcalloc(from->n_sub, sizeof *to->sub) : NULL;
	for (size_t i = 0; i < from->n_sub; i++)
		to->sub[i] = (struct acme_subproblem){ xstrdup_null(from->sub[i].type), xstrdup_null(from->sub[i].detail),
						       xstrdup_null(from->sub[i].identifier) };
	strlist_copy(&to->algorithms, &from->algorithms);
}

static const char *short_type(const char *type)
{
	return type && str_starts(type, ACME_URN) ? type + strlen(ACME_URN) : type;
}

char *acme_problem_text(const struct acme_problem *p)
{
	_cleanup_buf_ struct buf b = BUF_MAX(64 * 1024);

	if (!p->type)
		return xstrdup("");
	buf_add_str(&b, short_type(p->type));
	if (p->detail)
		buf_addf(&b, ": %s", p->detail);
	for (size_t i = 0; i < p->n_sub; i++)
		buf_addf(&b, "; %s%s%s%s%s", p->sub[i].identifier ? p->sub[i].identifier : "", p->sub[i].identifier ? ": " : "",
			 p->sub[i].type ? short_type(p->sub[i].type) : "problem", p->sub[i].detail ? ": " : "",
			 p->sub[i].detail ? p->sub[i].detail : "");
	return buf_take(&b);
}

void acme_refusal_clear(struct acme_refusal *r)
{
	free(r->identifier);
	free(r->help_url);
	free(r->tos_url);
	free(r->location);
	acme_problem_clear(&r->problem);
	*r = (struct acme_refusal){ 0 };
}

void acme_directory_clear(struct acme_directory *d)
{
	free(d->new_nonce);
	free(d->new_account);
	free(d->new_order);
	free(d->revoke_cert);
	free(d->key_change);
	free(d->renewal_info);
	free(d->tos_url);
	free(d->website);
	strlist_clear(&d->caa_identities);
	for (size_t i = 0; i < d->n_profiles; i++) {
		free(d->profiles[i].name);
		free(d->profiles[i].description);
	}
	free(d->profiles);
	*d = (struct acme_directory){ 0 };
}

void acme_directory_copy(struct acme_directory *to, const struct acme_directory *from)
{
	*to = (struct acme_directory){
		.new_nonce = xstrdup_null(from->new_nonce),
		.new_account = xstrdup_null(from->new_account),
		.new_order = xstrdup_null(from->new_order),
		.revoke_cert = xstrdup_null(from->revoke_cert),
		.key_change = xstrdup_null(from->key_change),
		.renewal_info = xstrdup_null(from->renewal_info),
		.tos_url = xstrdup_null(from->tos_url),
		.website = xstrdup_null(from->website),
		.eab_required = from->eab_required,
		.n_profiles = from->n_profiles,
		.fetched_ms = from->fetched_ms,
	};
	strlist_copy(&to->caa_identities, &from->caa_identities);
	to->profiles = from->n_profiles ? xcalloc(from->n_profiles, sizeof *to->profiles) : NULL;
	for (size_t i = 0; i < from->n_profiles; i++)
		to->profiles[i] = (struct acme_profile){ xstrdup_null(from->profiles[i].name),
							 xstrdup_null(from->profiles[i].description) };
}

void acme_account_clear(struct acme_account *a)
{
	free(a->url);
	strlist_clear(&a->contacts);
	free(a->orders_url);
	*a = (struct acme_account){ 0 };
}

void acme_order_clear(struct acme_order *o)
{
	free(o->url);
	strlist_clear(&o->names);
	strlist_clear(&o->authz_urls);
	free(o->finalize_url);
	free(o->certificate_url);
	free(o->profile);
	free(o->replaces);
	acme_problem_clear(&o->error);
	*o = (struct acme_order){ 0 };
}

void acme_challenge_clear(struct acme_challenge *c)
{
	free(c->type_text);
	free(c->url);
	free(c->token);
	acme_problem_clear(&c->error);
	*c = (struct acme_challenge){ 0 };
}

void acme_authz_clear(struct acme_authz *a)
{
	for (size_t i = 0; i < a->n_challenges; i++)
		acme_challenge_clear(&a->challenges[i]);
	free(a->challenges);
	free(a->url);
	free(a->name);
	*a = (struct acme_authz){ 0 };
}

void acme_chain_clear(struct acme_chain *c)
{
	free(c->pem);
	strlist_clear(&c->alternates);
	*c = (struct acme_chain){ 0 };
}

void acme_renewal_info_clear(struct acme_renewal_info *i)
{
	free(i->explanation_url);
	*i = (struct acme_renewal_info){ 0 };
}

const struct acme_challenge *acme_authz_challenge(const struct acme_authz *a, enum acme_challenge_type type)
{
	for (size_t i = 0; i < a->n_challenges; i++)
		if (a->challenges[i].type == type)
			return &a->challenges[i];
	return NULL;
}
