/* SPDX-License-Identifier: Apache-2.0 */
/* manage.c - see manage.h. */
#include "service/manage.h"

#include "crypto/digest.h"
#include "engine/manage.h"
#include "engine/provider.h"
#include "service/certificate.h"
#include "service/internal.h"
#include "service/methods.h"
#include "store/csr.h"
#include "store/key.h"

struct manage_job {
	const char *ref;
	const struct manage_create *r;
	struct manage_request q;
	struct csr csr;      /* made for it; id NULL: none */
	struct key_row key;  /* that it is signed with */
	struct certificate c; /* as it was read before */
	char *account_id, *csr_id;
	struct audit *audit;
};

static void manage_job_done(struct manage_job *j)
{
	csr_done(&j->csr);
	key_row_done(&j->key);
	certificate_done(&j->c);
	free(j->account_id);
	free(j->csr_id);
}

/* ---- the key that is used again ---- */

static int own_csr(struct sql *q, struct manage_job *j, bool *ret_found, struct err *err)
{
	_cleanup_csr_ struct csr csr = { 0 };

	*ret_found = false;
	if (!j->c.csr_id)
		return 0;
	if (store_csr_get(q, j->c.csr_id, &csr, err) < 0) {
		if (err->code != ERR_NOT_FOUND)
			return -(int)err->code;
		err_clear(err);
		return 0;
	}
	if (strlist_equal(&csr.names, &j->c.names)) {
		*ret_found = true;
		replace_str(&j->csr_id, csr.id);
	}
	return 0;
}

/* Nothing is found: key.id stays NULL. */
static int reuse_tx(struct sql *q, void *arg, struct err *err)
{
	struct manage_job *j = arg;
	_cleanup_version_ struct version v = { 0 };
	bool found = false;

	certificate_done(&j->c);
	key_row_done(&j->key);
	if (SERVICE_GET(q, j->ref, store_certificate_get, store_certificate_get_num, &j->c, err) < 0 || own_csr(q, j, &found, err) < 0)
		return -(int)err->code;
	if (found || !j->c.version_id)
		return 0;
	if (store_version_get(q, j->c.version_id, &v, err) < 0)
		return -(int)err->code;
	return v.key_id ? store_key_get(q, v.key_id, &j->key, err) : 0;
}

static int make_csr(struct service *s, const struct actor *a, struct manage_job *j, struct err *err)
{
	struct csr_request q = { .names = &j->c.names, .key = { "key", j->key.id, "sealed", j->key.sealed, j->key.sealed_n } };
	struct ulid id = ulid_new(service_now(s));
	unsigned char *der = NULL;
	size_t der_n = 0;

	if (keys_sign_csr(s->keys, &q, &der, &der_n, err) < 0)
		return err_wrap(err, "could not make a CSR with the key of certificate %" PRId64, j->c.num);
	j->csr = (struct csr){
		.id = xstrdup(id.s), .source = CSR_CREATED, .names_hash = xstrdup(j->c.names_hash), .subject = xstrdup(""),
		.key_type = xstrdup(j->key.type), .public_hash = xstrdup(j->key.public_hash), .key_id = xstrdup(j->key.id), .der = der,
		.der_n = der_n, .created_by = xstrdup_null(a->user_id), .created_ms = service_now(s),
	};
	strlist_copy(&j->csr.names, &j->c.names);
	return 0;
}

static int prepare_reuse(struct service *s, const struct actor *a, struct manage_job *j, struct err *err)
{
	if (store_read(s->store, reuse_tx, j, err) < 0)
		return -(int)err->code;
	if (j->csr_id)
		return 0;
	if (!j->key.id || !j->key.sealed) {
		err_set_field(err, ERR_INVALID, "/csr_id", "the key of certificate %" PRId64 " is not kept here", j->c.num);
		return err_hint(err, "Upload a CSR that was made with it and name that, import the key, or let a new key be made at each renewal.");
	}
	return make_csr(s, a, j, err);
}

/* ---- one transaction ---- */

static int find_account(struct sql *tx, struct manage_job *j, struct err *err)
{
	_cleanup_account_ struct account a = { 0 };

	if (SERVICE_GET(tx, j->r->account_id, store_account_get, store_account_get_num, &a, err) < 0) {
		if (err->code != ERR_NOT_FOUND)
			return -(int)err->code;
		err_clear(err);
		return err_set_field(err, ERR_INVALID, "/account_id", "there is no account '%s'", j->r->account_id);
	}
	replace_str(&j->account_id, a.id);
	j->q.account_id = j->account_id;
	return 0;
}

static int find_csr(struct sql *tx, struct manage_job *j, struct err *err)
{
	_cleanup_csr_ struct csr c = { 0 };

	if (j->csr.id) {
		j->q.csr_id = j->csr.id;
		return store_csr_add(tx, &j->csr, err);
	}
	if (j->r->csr_id) {
		if (SERVICE_GET(tx, j->r->csr_id, store_csr_get, store_csr_get_num, &c, err) < 0) {
			if (err->code != ERR_NOT_FOUND)
				return -(int)err->code;
			err_clear(err);
			return err_set_field(err, ERR_INVALID, "/csr_id", "there is no CSR '%s'", j->r->csr_id);
		}
		replace_str(&j->csr_id, c.id);
	}
	j->q.csr_id = j->csr_id;
	return 0;
}

static json_t *state_json(const struct certificate *c)
{
	return json_pack("{s:b, s:o, s:s, s:o, s:s, s:o}", "managed", c->managed, "account_id", json_str_or_null(c->account_id), "validation",
			 c->validation, "methods", json_text_or_null(c->methods), "key_policy", c->key_policy, "csr_id",
			 json_str_or_null(c->csr_id));
}

static int manage_tx(struct sql *tx, void *arg, struct err *err)
{
	struct manage_job *j = arg;
	_cleanup_certificate_ struct certificate before = { 0 }, after = { 0 };

	if (SERVICE_GET(tx, j->ref, store_certificate_get, store_certificate_get_num, &before, err) < 0 || find_account(tx, j, err) < 0 ||
	    find_csr(tx, j, err) < 0)
		return -(int)err->code;
	j->q.certificate_id = before.id;
	replace_str(&j->audit->object_id, before.id);
	replace_str(&j->audit->object_name, before.names.n ? before.names.v[0] : NULL);
	if (manage_intake(tx, &j->q, err) < 0 || store_certificate_get(tx, before.id, &after, err) < 0)
		return -(int)err->code;
	j->q.certificate_id = NULL; /* it ends with this call */
	audit_change(j->audit, state_json(&before), state_json(&after));
	return store_audit_add(tx, j->audit, err);
}

int service_manage(struct service *s, const struct actor *a, const char *ref, const struct manage_create *r, struct err *err)
{
	_cleanup_(manage_job_done) struct manage_job j = { .ref = ref, .r = r };
	_cleanup_name_methods_ struct name_methods chosen = { 0 };
	_cleanup_audit_ struct audit audit = { 0 };
	int64_t now = service_now(s);
	struct ulid trial = ulid_new(now);
	bool reuse = r->key && streq(r->key, "reuse");
	int rc;

	if (!validation_parse(r->validation, &j.q.validation))
		return err_set_field(err, ERR_INVALID, "/validation", "there is no validation '%s'", r->validation);
	if (j.q.validation == VALIDATION_DNS01 ? r->http != NULL : r->dns != NULL)
		return err_set_field(err, ERR_INVALID, r->http ? "/http" : "/dns", "names proved by %s have no such method", r->validation);
	if (r->csr_id && !reuse)
		return err_set_field(err, ERR_INVALID, "/csr_id", "a CSR is used again: say so with key \"reuse\"");
	if (r->key_type && reuse)
		return err_set_field(err, ERR_INVALID, "/key_type", "the key is the one that is used again; leave this out");
	if (methods_from_json(r->methods, &chosen, err) < 0 || (reuse && !r->csr_id && prepare_reuse(s, a, &j, err) < 0))
		return -(int)err->code;
	j.q.method = r->dns ? r->dns : r->http;
	j.q.chosen = &chosen;
	j.q.profile = r->profile;
	j.q.key_type = r->key_type;
	j.q.trial_id = trial.s;
	j.q.now_ms = now;
	audit_begin(s, a, "certificate.manage", "certificate", &audit);
	j.audit = &audit;
	rc = store_write(s->store, manage_tx, &j, err);
	j.audit = NULL;
	return rc;
}
