/* SPDX-License-Identifier: Apache-2.0 */
/* renew.c - one or many certificates are to be renewed now (renewal.h); each is a row of its own (rows.h). */
#include "service/rows.h"

#include "model/vendor.h"
#include "store/account.h"
#include "store/csr.h"

static int csr_id_of(struct sql *tx, const char *ref, char **ret, struct err *err)
{
	_cleanup_csr_ struct csr c = { 0 };

	if (SERVICE_GET(tx, ref, store_csr_get, store_csr_get_num, &c, err) < 0) {
		if (err->code != ERR_NOT_FOUND)
			return -(int)err->code;
		err_clear(err);
		return err_set_field(err, ERR_INVALID, "/csr_id", "there is no CSR '%s'", ref);
	}
	*ret = TAKE(c.id);
	return 0;
}

/* A click must not become an invoice that nobody meant: asked here, for one and for many, unless its account may order by itself. */
static int check_cost(struct sql *tx, const struct certificate *c, struct err *err)
{
	_cleanup_account_ struct account a = { 0 };

	if (!c->account_id)
		return 0; /* refused for that */
	if (store_account_get_any(tx, c->account_id, &a, err) < 0)
		return -(int)err->code;
	if (account_may_automatically(&a))
		return 0;
	err_set_field(err, ERR_NEEDS_PERSON, "/accept_cost", "renewing certificate %" PRId64 " costs money at %s", c->num, vendor_title(a.vendor));
	return err_hint(err, "Say that it may: accept_cost, --accept-cost, or the box in the dialog.");
}

int row_renew(struct sql *tx, struct row_job *j, const struct certificate *c, struct err *err)
{
	_cleanup_free_ char *csr = NULL;
	struct renewal_request q = {
		.order_id = j->order_id.s, .certificate_id = c->id, .requester = j->actor->user_id, .urgent = true, .now_ms = j->now_ms,
	};
	struct order_taken taken = { 0 };

	if (j->csr_ref && csr_id_of(tx, j->csr_ref, &csr, err) < 0)
		return -(int)err->code;
	q.csr_id = csr;
	if (renewal_intake(tx, &q, &taken, err) < 0)
		return -(int)err->code;
	if (j->ask_cost && !taken.existing && check_cost(tx, c, err) < 0)
		return -(int)err->code; /* which undoes the order */
	replace_str(&j->row->order_id, taken.id);
	j->row->order_num = taken.num;
	j->row->existing = taken.existing;
	return 0;
}

int row_renew_tx(struct sql *tx, void *arg, struct err *err)
{
	struct row_job *j = arg;
	_cleanup_certificate_ struct certificate c = { 0 };

	if (row_find(tx, j, &c, err) < 0 || row_renew(tx, j, &c, err) < 0)
		return -(int)err->code;
	return j->row->existing ? 0 : store_audit_add(tx, j->audit, err);
}

int service_renewal_create(struct service *s, const struct actor *a, const struct renewal_create *r, struct row_result_list *ret,
			   struct err *err)
{
	struct row_job j = { .s = s, .actor = a, .csr_ref = r->csr_id, .ask_cost = !r->accept_cost, .now_ms = service_now(s) };

	if (r->csr_id && r->certificate_ids.n != 1)
		return err_set_field(err, ERR_INVALID, "/csr_id", "a CSR is for one certificate");
	return rows_each(&j, &r->certificate_ids, "certificate.renew", row_renew_tx, ret, err);
}
