/* SPDX-License-Identifier: Apache-2.0 */
/* directory.c - RFC 8555 7.1.1: three members are mandatory, all others may be missing or null. */
#include "acme/private.h"

#include "base/limits.h"

#define MAX_PROFILES 50

struct endpoints {
	const char *new_nonce, *new_account, *new_order, *revoke_cert, *key_change, *renewal_info;
	json_t *meta;
};

static const struct json_field endpoint_fields[] = {
	JF_AS("newNonce", STR, struct endpoints, new_nonce, .max = LIMIT_CA_URL),
	JF_AS("newAccount", STR, struct endpoints, new_account, .max = LIMIT_CA_URL),
	JF_AS("newOrder", STR, struct endpoints, new_order, .max = LIMIT_CA_URL),
	JF_AS("revokeCert", STR, struct endpoints, revoke_cert, .max = LIMIT_CA_URL),
	JF_AS("keyChange", STR, struct endpoints, key_change, .max = LIMIT_CA_URL),
	JF_AS("renewalInfo", STR, struct endpoints, renewal_info, .max = LIMIT_CA_URL),
	JF_JSON(struct endpoints, meta),
	{ 0 }
};

static void decode_profiles(const json_t *profiles, struct acme_directory *d)
{
	size_t n = MIN(json_object_size(profiles), (size_t)MAX_PROFILES);
	const char *name;
	json_t *v;

	d->profiles = n ? xcalloc(n, sizeof *d->profiles) : NULL;
	/* jansson's macro casts const away */
	for (void *it = json_object_iter((json_t *)(uintptr_t)profiles); it && d->n_profiles < n;
	     it = json_object_iter_next((json_t *)(uintptr_t)profiles, it)) {
		const char *text;

		name = json_object_iter_key(it);
		v = json_object_iter_value(it);
		text = json_string_value(v);
		if (!*name || strlen(name) > 100 || name[strcspn(name, "\"\\\n\r\t ")])
			continue;
		d->profiles[d->n_profiles].name = str_clean(name, strlen(name), 100);
		d->profiles[d->n_profiles++].description = str_clean(text ? text : "", text ? strlen(text) : 0, 500);
	}
}

static void decode_meta(const json_t *meta, const char *url, struct acme_directory *d)
{
	const char *tos = acme_member(meta, "termsOfService", LIMIT_CA_URL), *web = acme_member(meta, "website", LIMIT_CA_URL);
	const json_t *caa = json_object_get(meta, "caaIdentities");

	d->tos_url = tos ? acme_url_to_show(url, tos) : NULL;
	d->website = web ? acme_url_to_show(url, web) : NULL;
	d->eab_required = json_is_true(json_object_get(meta, "externalAccountRequired"));
	for (size_t i = 0; i < MIN(json_array_size(caa), (size_t)20); i++) {
		const char *s = json_string_value(json_array_get(caa, i));
		_cleanup_free_ char *clean = s ? str_clean(s, strlen(s), LIMIT_NAME) : NULL;

		if (clean && *clean)
			strlist_add(&d->caa_identities, clean);
	}
	decode_profiles(json_object_get(meta, "profiles"), d);
}

static int pin_member(const struct acme_session *s, const struct acme_call *c, const char *name, const char *ref, bool mandatory,
		      char **ret, struct err *err)
{
	if (str_empty(ref)) {
		if (!mandatory)
			return 0;
		acme_answer_unusable(c, err, "it has no %s", name);
		return err_hint(err, "Check that this is the directory URL of an RFC 8555 service.");
	}
	if (acme_pin(s, c->url, ref, ret, err) < 0)
		return err_wrap(err, "could not %s: %s", c->what, name);
	return 0;
}

static int decode(const struct acme_session *s, const struct acme_call *c, json_t *doc, struct acme_directory *d, struct err *err)
{
	_cleanup_err_ struct err why = ERR_INIT;
	struct endpoints e = { 0 };

	if (json_decode(doc, endpoint_fields, DECODE_LENIENT, &e, &why) < 0)
		return acme_answer_bad(c, &why, err);
	if (pin_member(s, c, "newNonce", e.new_nonce, true, &d->new_nonce, err) < 0 ||
	    pin_member(s, c, "newAccount", e.new_account, true, &d->new_account, err) < 0 ||
	    pin_member(s, c, "newOrder", e.new_order, true, &d->new_order, err) < 0 ||
	    pin_member(s, c, "revokeCert", e.revoke_cert, false, &d->revoke_cert, err) < 0 ||
	    pin_member(s, c, "keyChange", e.key_change, false, &d->key_change, err) < 0 ||
	    pin_member(s, c, "renewalInfo", e.renewal_info, false, &d->renewal_info, err) < 0)
		return -(int)err->code;
	decode_meta(e.meta, c->url, d);
	return 0;
}

int acme_directory_load(struct acme_session *s, struct acme_directory *ret, struct err *err)
{
	_cleanup_acme_directory_ struct acme_directory d = { 0 };
	_cleanup_http_ struct http_response r = { 0 };
	_cleanup_json_ json_t *doc = NULL;
	struct acme_call c = { .kind = ACME_KIND_DIRECTORY, .what = "read the directory", .url = acme_ca_url(s->ca) };

	if (acme_ca_directory(s->ca, clock_boot(s->clock), ret))
		return 0;
	if (acme_get(s, &c, &r, err) < 0 || acme_answer_json(s, &c, &r, &doc, err) < 0 || decode(s, &c, doc, &d, err) < 0)
		return -(int)err->code;
	d.fetched_ms = clock_now(s->clock);
	acme_ca_keep_directory(s->ca, clock_boot(s->clock), &d);
	*ret = TAKE(d);
	return 0;
}

int acme_directory_get(struct acme_session *s, struct acme_directory *ret, struct err *err)
{
	acme_begin(s);
	return acme_directory_load(s, ret, err);
}
