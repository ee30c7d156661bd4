/* SPDX-License-Identifier: Apache-2.0 */
/* pull.c - see pull.h. */
#include "service/pull.h"

#include "service/internal.h"

#define PASSWORD_MAX 256

void pulled_clear(struct pulled *p)
{
	exported_clear(&p->file);
	free(p->etag);
	memset(p, 0, sizeof *p);
}

static const struct pull_format {
	const char *name;
	bool with_key;
	bool varies; /* the same version is other bytes each time: salts, dates */
} formats[] = {
	{ "pem", false, false },	 { "chain", false, false }, { "fullchain", false, false }, { "der", false, false }, { "zip", false, true },
	{ "key", true, false },		 { "combined", true, false }, { "pkcs12", true, true },	   { "pkcs12-legacy", true, true },
};

static const struct pull_format *find(const char *name)
{
	for (size_t i = 0; i < ARRAY_SIZE(formats); i++)
		if (streq(formats[i].name, name))
			return &formats[i];
	return NULL;
}

bool pull_etag_matches(const char *list, const char *etag)
{
	if (str_starts(etag, "W/"))
		etag += 2;
	while (*list) {
		size_t n;

		list += strspn(list, " \t,");
		if (*list == '*')
			return true;
		if (str_starts(list, "W/"))
			list += 2;
		if (*list != '"')
			return false; /* no list of tags: nothing is matched */
		n = strcspn(list + 1, "\"") + 2;
		if (n == strlen(etag) && !strncmp(list, etag, n))
			return true;
		if (!list[n - 1])
			return false;
		list += n;
	}
	return false;
}

static int may_have_key(const struct actor *a, struct err *err)
{
	if (a->role == ROLE_PULL && a->reason && may(a->role, a->rights, PERM_KEY_EXPORT))
		return 0;
	err_set(err, ERR_DENIED, a->role == ROLE_PULL && a->reason ? "the owner of this token has no more the right 'key-export'" :
								      "this token does not carry the key");
	return err_hint(err, "A key is fetched with a token made for the certificate: 'certwright token create --certificate ID --right key-export "
			     "--reason TEXT'. People use 'certwright certificate export'.");
}

/* The actor's own one, or any for who may see all; what it is not for is not there. */
static int get_one(struct service *s, const struct actor *a, const char *ref, struct certificate_detail *ret, struct err *err)
{
	if (service_certificate_get(s, ref, ret, err) < 0)
		return -(int)err->code;
	if (a->role == ROLE_PULL && !(a->certificate_id && streq(a->certificate_id, ret->view.certificate.id))) {
		certificate_detail_done(ret);
		memset(ret, 0, sizeof *ret);
		return err_set(err, ERR_NOT_FOUND, "no such certificate '%s'", ref);
	}
	return 0;
}

int service_pull(struct service *s, const struct actor *a, const char *ref, const struct pull *r, struct pulled *ret, struct err *err)
{
	_cleanup_certificate_detail_ struct certificate_detail d = { 0 };
	const struct pull_format *f = find(r->format);
	struct certificate_export export = { .format = r->format, .with_key = f && f->with_key, .reason = a->reason };
	const struct version *v = &d.view.current;
	int rc;

	if (get_one(s, a, ref, &d, err) < 0)
		return -(int)err->code;
	if (!f)
		return err_set_field(err, ERR_INVALID, "/format", "there is no format '%s': pem, chain, fullchain, der, zip, key, combined, pkcs12 and "
				     "pkcs12-legacy are", r->format);
	if (f->with_key && may_have_key(a, err) < 0)
		return -(int)err->code;
	if (!v->id)
		return err_set(err, ERR_CONFLICT, "certificate %" PRId64 " has nothing issued yet", d.view.certificate.num);
	if (f->with_key && !v->key_id)
		return err_set(err, ERR_CONFLICT, "the key of this certificate is not kept here");
	ret->etag = xasprintf("%s\"%.32s-%s\"", f->varies ? "W/" : "", v->fingerprint, f->name);
	ret->unchanged = r->if_none_match && pull_etag_matches(r->if_none_match, ret->etag);
	if (ret->unchanged || r->only_look)
		return 0;
	if (r->password && strlen(r->password) > PASSWORD_MAX)
		return err_set_field(err, ERR_INVALID, "/password", "has more than %d characters", PASSWORD_MAX);
	if (r->password)
		export.password = secret_from(r->password);
	rc = export_check(&export, err);
	if (rc == 0)
		rc = certificate_hand_out(s, a, &d, &export, &ret->file, err);
	secret_clear(&export.password);
	return rc;
}
