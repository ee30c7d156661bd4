/* SPDX-License-Identifier: Apache-2.0 */
/*
 * revoke.c - revocation (RFC 8555 7.6) as a job: by the account that issued the certificate, or by the certificate's own key when
 * that is kept here. "Already revoked" is success; a reason that the authority does not take is the end, with the offer to ask again
 * without one.
 */
#include "engine/private.h"
#include "engine/renewal.h"
#include "store/audit.h"
#include "store/renewal.h"

#include "base/log.h"

struct revocation {
	struct job_run *r;
	struct version v;
	struct certificate c;
	struct key_row key;
	char *account_id; /* who issued it */
	const char *after; /* id of the order that replaces it; borrowed from the arguments */
	struct order order;
};

static void revocation_free(void *p)
{
	struct revocation *x = p;

	version_done(&x->v);
	certificate_done(&x->c);
	key_row_done(&x->key);
	order_done(&x->order);
	free(x->account_id);
	free(x);
}

static int read_it(struct sql *q, void *arg, struct err *err)
{
	struct revocation *x = arg;
	_cleanup_order_ struct order o = { 0 };

	version_done(&x->v);
	certificate_done(&x->c);
	key_row_done(&x->key);
	if (store_version_get(q, x->r->j.subject_id, &x->v, err) < 0 || store_certificate_get(q, x->v.certificate_id, &x->c, err) < 0)
		return -(int)err->code;
	replace_str(&x->account_id, x->c.account_id);
	if (x->v.order_id) {
		if (store_order_get_any(q, x->v.order_id, &o, err) < 0)
			return -(int)err->code;
		replace_str(&x->account_id, o.account_id);
	}
	x->after = json_string_value(json_object_get(x->r->args, "after_order"));
	order_done(&x->order);
	if (x->after && store_order_get_any(q, x->after, &x->order, err) < 0)
		return -(int)err->code;
	return x->v.key_id ? store_key_get(q, x->v.key_id, &x->key, err) : 0;
}

/* The version is marked; when it was the current one, so is the certificate, and its replacement waits for nothing. */
static int done_tx(struct sql *tx, void *arg, struct err *err)
{
	struct job_run *r = arg;
	struct revocation *x = r->data;
	_cleanup_certificate_ struct certificate c = { 0 };
	_cleanup_renewal_ struct renewal n = { 0 };
	int64_t now = engine_now(r->e);

	_cleanup_free_ char *after = json_text(r->result), *why = xasprintf("job %" PRId64, r->j.num);

	if (store_version_revoked(tx, x->v.id, now, err) < 0 ||
	    store_audit_system(tx, now, "certificate.revoke", "certificate", x->c.id, x->c.names.n ? x->c.names.v[0] : NULL, why, after, err) < 0)
		return -(int)err->code;
	if (store_certificate_get(tx, x->c.id, &c, err) < 0) {
		if (err->code != ERR_NOT_FOUND)
			return -(int)err->code;
		err_clear(err);
		return 0;
	}
	if (!c.version_id || !streq(c.version_id, x->v.id))
		return 0; /* replaced meanwhile */
	c.status = CERTIFICATE_REVOKED;
	c.updated_ms = now;
	if (store_certificate_put(tx, &c, 0, err) < 0 || renewal_load(tx, c.id, &n, err) < 0)
		return -(int)err->code;
	/* nobody renews by itself what was revoked on purpose; revoke-and-replace has its order already */
	n.ari_next_ms = 0;
	c.next_attempt_ms = c.renew_at_ms = 0;
	if (store_certificate_plan(tx, &c, err) < 0)
		return -(int)err->code;
	return store_renewal_put(tx, &n, err);
}

/* 1: the replacement is not there yet. When it did not come, nothing is revoked: what is in use would be left without one. */
static int waits_for_order(struct job_run *r, struct revocation *x, struct err *err)
{
	if (!x->after)
		return 0;
	if (!x->order.ended_ms) {
		r->wait = true;
		r->j.due_ms = engine_now(r->e) + 30 * SECOND_MS;
		return 1;
	}
	if (x->order.step == STEP_DONE)
		return 0;
	err_set(err, ERR_CONFLICT, "serial %s was not revoked: order %" PRId64 " for its replacement ended without a certificate",
		x->v.serial, x->order.num);
	return err_hint(err, "Look at the order, then revoke again; without a replacement if it must not wait.");
}

/* The only thing a certificate's key signs for ACME is its own end (keys/ sees to that). */
static int by_key(struct job_run *r, struct revocation *x, struct err *err)
{
	if (!x->key.id || !x->key.sealed)
		return err_set(err, ERR_CONFLICT, "the key of certificate %" PRId64 " is not kept here", x->c.num);
	acme_keys_signer_init(&r->signer, r->e->o.keys,
			      &(struct key_handle){ "key", x->key.id, "sealed", x->key.sealed, x->key.sealed_n });
	r->session.signer = &r->signer.acme;
	return 0;
}

int job_revoke(struct job_run *r, struct err *err)
{
	struct revocation *x = xcalloc(1, sizeof *x);
	_cleanup_chain_ struct chain chain = { 0 };
	bool with_key = json_is_true(json_object_get(r->args, "by_key"));
	json_t *reason = json_object_get(r->args, "reason");
	int code = json_is_integer(reason) ? (int)json_integer_value(reason) : ACME_REASON_NONE;

	r->data = x;
	r->data_free = revocation_free;
	x->r = r;
	if (!r->j.subject_id || engine_read(r->e, read_it, x, err) < 0)
		return err_is(err) ? err_wrap(err, "could not read what is to be revoked") :
				     err_set(err, ERR_INTERNAL, "the job names no version");
	r->result = json_pack("{s:s, s:s}", "certificate_id", x->c.id, "version_id", x->v.id);
	switch (waits_for_order(r, x, err)) {
	case 0:
		break;
	case 1:
		return 0;
	default:
		return -(int)err->code;
	}
	if (!x->account_id)
		return err_set(err, ERR_CONFLICT, "certificate %" PRId64 " was not issued through an account of this server", x->c.num);
	if (job_account_open(r, x->account_id, err) < 0 || (with_key && by_key(r, x, err) < 0))
		return -(int)err->code;
	if (chain_parse(x->v.chain, strlen(x->v.chain), &chain, err) < 0)
		return err_wrap(err, "could not read the stored chain");
	if (acme_revoke(&r->session, chain.v[0].der, chain.v[0].der_n, code, with_key, err) < 0) {
		if (r->session.refusal.problem.type && str_ends(r->session.refusal.problem.type, ":badRevocationReason"))
			err_hint(err, "Revoke it again without a reason.");
		return err_wrap(err, "could not revoke certificate %" PRId64 " with serial %s", x->c.num, x->v.serial);
	}
	r->also = done_tx;
	job_tell(r, "certificate", x->c.id, EVENT_WARNING, "serial %s was revoked", x->v.serial);
	return 0;
}
