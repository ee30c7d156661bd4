/* SPDX-License-Identifier: Apache-2.0 */
/* certificate.c - see certificate.h. */
#include "service/certificate.h"

#include "base/idn.h"
#include "crypto/x509.h"
#include "engine/renewal.h"
#include "model/vendor.h"
#include "service/internal.h"
#include "store/account.h"
#include "store/key.h"
#include "store/user.h"

void certificate_view_done(struct certificate_view *v)
{
	certificate_done(&v->certificate);
	version_done(&v->current);
	certificate_notes_done(&v->notes);
	free(v->vendor);
	memset(v, 0, sizeof *v);
}

void certificate_detail_done(struct certificate_detail *d)
{
	certificate_view_done(&d->view);
	version_list_done(&d->versions);
	free(d->sha1);
	d->sha1 = NULL;
}

void exported_clear(struct exported *e)
{
	secret_clear(&e->body);
	free(e->name);
	memset(e, 0, sizeof *e);
}

const char *service_certificate_health(const struct certificate *c, int64_t now_ms)
{
	int64_t soon = MIN(30 * DAY_MS, (c->not_after_ms - c->not_before_ms) / 3);

	if (c->status != CERTIFICATE_ACTIVE)
		return certificate_status_text(c->status);
	if (c->not_after_ms && now_ms >= c->not_after_ms)
		return "expired";
	if (c->not_after_ms && now_ms >= c->not_after_ms - soon)
		return "expiring";
	return "active";
}

char *service_file_name(const struct strlist *names, bool staging, const char *extension)
{
	_cleanup_free_ char *base = xstrdup(names->n ? name_base(names->v[0]) : "certificate");

	for (char *p = base; *p; p++)
		if (!strchr("abcdefghijklmnopqrstuvwxyz0123456789-.", *p))
			*p = '_';
	return xasprintf("%.100s%s.%s", base, staging ? "-staging" : "", extension);
}

struct certificate_job {
	const char *ref;
	int64_t rev;
	enum certificate_sort sort;
	struct page_mark end;
	struct page page;
	struct certificate_view_list *list;
	struct certificate_detail *detail;
	struct key_row *key;
	struct audit *audit;
	const char *fetched_by;
	const char *version_id; /* what is handed out; NULL = not the certificate itself */
	int64_t now_ms;
};

int certificate_view_fill(struct sql *q, struct certificate_view *v, struct err *err)
{
	const struct certificate *c = &v->certificate;

	if (c->account_id) {
		_cleanup_account_ struct account a = { 0 };

		if (store_account_get_any(q, c->account_id, &a, err) < 0)
			return -(int)err->code;
		v->vendor = TAKE(a.vendor);
	}
	if (store_notes_get(q, c->id, &v->notes, err) < 0)
		return -(int)err->code;
	return c->version_id ? store_version_get(q, c->version_id, &v->current, err) : 0;
}

static int list_tx(struct sql *q, void *arg, struct err *err)
{
	struct certificate_job *j = arg;
	_cleanup_certificate_list_ struct certificate_list l = { 0 };

	certificate_view_list_done(j->list);
	if (store_certificate_list(q, j->sort, &j->page, &l, &j->end, err) < 0)
		return -(int)err->code;
	for (size_t i = 0; i < l.n; i++) {
		struct certificate_view *v = certificate_view_list_add(j->list);

		v->certificate = TAKE(l.v[i]);
		if (certificate_view_fill(q, v, err) < 0)
			return -(int)err->code;
	}
	j->list->more = l.more;
	return 0;
}

static const char *const sorts[CERTIFICATES_SORTS] = {
	[CERTIFICATES_NEWEST] = "created", [CERTIFICATES_EXPIRY] = "expires", [CERTIFICATES_NAME] = "name", [CERTIFICATES_ISSUER] = "issuer",
	[CERTIFICATES_OWNER] = "owner",	   [CERTIFICATES_STATUS] = "status",  [CERTIFICATES_ISSUED] = "issued",
};

int service_certificate_list(struct service *s, const char *sort, const struct list_query *q, struct certificate_view_list *ret,
			     struct list_end *end, struct err *err)
{
	_cleanup_cursor_ struct cursor c = { 0 };
	struct certificate_job j = { .list = ret, .sort = CERTIFICATES_NEWEST };

	for (size_t i = 0; sort && i < ARRAY_SIZE(sorts); i++)
		if (streq(sort, sorts[i]))
			j.sort = (enum certificate_sort)i;
	if (cursor_open(s, "certificates", sorts[j.sort], q, &c, err) < 0)
		return -(int)err->code;
	j.page = c.page;
	if (store_read(s->store, list_tx, &j, err) < 0)
		return -(int)err->code;
	cursor_close(s, "certificates", sorts[j.sort], ret->more, j.end.key, *j.end.text ? j.end.text : NULL,
		     ret->n ? ret->v[ret->n - 1].certificate.id : "", end);
	return 0;
}

static int get_tx(struct sql *q, void *arg, struct err *err)
{
	struct certificate_job *j = arg;
	struct certificate_detail *d = j->detail;

	certificate_detail_done(d);
	if (SERVICE_GET(q, j->ref, store_certificate_get, store_certificate_get_num, &d->view.certificate, err) < 0 ||
	    certificate_view_fill(q, &d->view, err) < 0)
		return -(int)err->code;
	return store_version_list(q, d->view.certificate.id, &d->versions, err);
}

static char *sha1_of(const char *pem)
{
	_cleanup_chain_ struct chain chain = { 0 };
	_cleanup_err_ struct err why = ERR_INIT;
	struct buf hex = BUF_MAX(64);
	unsigned char id[DIGEST_MAX];

	if (!pem || chain_parse(pem, strlen(pem), &chain, &why) < 0)
		return NULL;
	digest(DIGEST_SHA1, chain.v[0].der, chain.v[0].der_n, id);
	buf_add_hex(&hex, id, 20);
	return buf_take(&hex);
}

int service_certificate_get(struct service *s, const char *ref, struct certificate_detail *ret, struct err *err)
{
	struct certificate_job j = { .ref = ref, .detail = ret };

	if (store_read(s->store, get_tx, &j, err) < 0)
		return -(int)err->code;
	ret->sha1 = sha1_of(ret->view.current.chain);
	return 0;
}

static int delete_tx(struct sql *tx, void *arg, struct err *err)
{
	struct certificate_job *j = arg;
	_cleanup_certificate_ struct certificate c = { 0 };

	if (SERVICE_GET(tx, j->ref, store_certificate_get, store_certificate_get_num, &c, err) < 0 ||
	    rev_check(j->rev, c.rev, "certificate", err) < 0)
		return -(int)err->code;
	replace_str(&j->audit->object_id, c.id);
	replace_str(&j->audit->object_name, c.names.n ? c.names.v[0] : NULL);
	if (renewal_forget(tx, c.id, j->now_ms, err) < 0 || store_token_revoke_of_certificate(tx, c.id, j->now_ms, err) < 0 ||
	    store_certificate_delete(tx, c.id, j->now_ms, err) < 0)
		return -(int)err->code;
	return store_audit_add(tx, j->audit, err);
}

int service_certificate_delete(struct service *s, const struct actor *a, const char *ref, int64_t rev, struct err *err)
{
	_cleanup_audit_ struct audit audit = { 0 };
	struct certificate_job j = { .ref = ref, .rev = rev, .audit = &audit, .now_ms = service_now(s) };

	audit_begin(s, a, "certificate.delete", "certificate", &audit);
	return store_write(s->store, delete_tx, &j, err);
}

/* --- handing out -------------------------------------------------------------------------------------------------------- */

static int key_tx(struct sql *q, void *arg, struct err *err)
{
	struct certificate_job *j = arg;
	_cleanup_free_ char *id = xstrdup(j->ref);

	key_row_done(j->key);
	return store_key_get(q, id, j->key, err);
}

/* Who fetches what waited to be installed takes it there; a newer one that came meanwhile goes on waiting. */
static int audit_tx(struct sql *tx, void *arg, struct err *err)
{
	const struct certificate_job *j = arg;
	_cleanup_certificate_ struct certificate c = { 0 };

	if (store_certificate_get(tx, j->audit->object_id, &c, err) < 0)
		return -(int)err->code;
	if (j->version_id && c.version_id && streq(j->version_id, c.version_id) && renewal_installed(tx, c.id, j->audit->at_ms, err) < 0)
		return -(int)err->code;
	if (store_fetched(tx, j->audit->object_id, j->fetched_by, j->audit->at_ms, err) < 0)
		return -(int)err->code;
	return store_audit_add(tx, j->audit, err);
}

static int check_export(const struct actor *a, const struct certificate_export *r, struct err *err)
{
	if (export_check(r, err) < 0)
		return -(int)err->code;
	if (!r->with_key)
		return 0;
	if (service_authorize(a, PERM_KEY_EXPORT, err) < 0)
		return -(int)err->code;
	if (!r->reason || !r->reason[strspn(r->reason, " \t\r\n")])
		return err_set_field(err, ERR_INVALID, "/reason", "say why the key leaves; it is kept in the audit");
	return 0;
}

static int open_key(struct service *s, const struct version *v, const char *audit_id, struct secret *ret, struct err *err)
{
	_cleanup_key_row_ struct key_row k = { 0 };
	struct certificate_job j = { .ref = v->key_id, .key = &k };

	if (store_read(s->store, key_tx, &j, err) < 0)
		return -(int)err->code;
	if (!k.sealed)
		return err_set(err, ERR_CONFLICT, "the key was destroyed");
	return keys_export(s->keys, &(struct key_handle){ "key", k.id, "sealed", k.sealed, k.sealed_n }, audit_id, ret, err);
}

int certificate_hand_out(struct service *s, const struct actor *a, const struct certificate_detail *d, const struct certificate_export *r,
			 struct exported *ret, struct err *err)
{
	_cleanup_chain_ struct chain chain = { 0 };
	_cleanup_buf_wipe_ struct buf out = BUF_MAX(3 * LIMIT_CA_CHAIN);
	_cleanup_audit_ struct audit audit = { 0 };
	_cleanup_secret_ struct secret key = { 0 };
	_cleanup_json_ json_t *detail = NULL;
	const struct vendor *vendor;
	const struct version *v = &d->view.current;
	struct certificate_job j = { .audit = &audit, .fetched_by = a->token_name ? a->token_name : a->user_name,
				     .version_id = streq(r->format, "chain") ? NULL : v->id };
	const char *ext = NULL;

	if (!v->id)
		return err_set(err, ERR_CONFLICT, "certificate %" PRId64 " has nothing issued yet", d->view.certificate.num);
	if (r->with_key && !v->key_id)
		return err_set_field(err, ERR_CONFLICT, "/with_key", "the key of this certificate is not kept here");
	if (chain_parse(v->chain, strlen(v->chain), &chain, err) < 0)
		return err_wrap(err, "could not read the stored chain");
	audit_begin(s, a, r->with_key ? "certificate.export-key" : "certificate.export", "certificate", &audit);
	replace_str(&audit.object_id, d->view.certificate.id);
	replace_str(&audit.object_name, d->view.certificate.names.n ? d->view.certificate.names.v[0] : NULL);
	replace_str(&audit.reason, r->reason);
	detail = json_pack("{s:s, s:s}", "format", r->format, "version", v->id);
	audit.detail = json_text(detail);
	if (store_write(s->store, audit_tx, &j, err) < 0)
		return -(int)err->code;
	if (r->with_key && open_key(s, v, audit.id, &key, err) < 0)
		return err_wrap(err, "could not hand out the key");
	if (export_build(r, &chain, r->with_key ? &key : NULL, audit.object_name, audit.at_ms, &out, &ext, err) < 0)
		return -(int)err->code;
	vendor = d->view.vendor ? vendor_find(d->view.vendor) : NULL;
	ret->body = secret_copy(out.p, out.n);
	ret->name = service_file_name(&v->names, vendor && vendor->staging, ext);
	return 0;
}

int service_certificate_export(struct service *s, const struct actor *a, const char *ref, const struct certificate_export *r,
			       struct exported *ret, struct err *err)
{
	_cleanup_certificate_detail_ struct certificate_detail d = { 0 };

	if (check_export(a, r, err) < 0 || service_certificate_get(s, ref, &d, err) < 0)
		return -(int)err->code;
	return certificate_hand_out(s, a, &d, r, ret, err);
}
