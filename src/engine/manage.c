/* SPDX-License-Identifier: Apache-2.0 */
/* manage.c - see manage.h. */
#include "engine/manage.h"

#include "engine/private.h"
#include "engine/renewal.h"
#include "model/csr_lint.h"
#include "model/vendor.h"
#include "store/renewal.h"

/* ---- would it be ordered? ---- */

struct trial {
	const struct manage_request *r;
	const struct certificate *c;
	struct order made; /* what the order decided; not there any more */
	bool worked;
};

static int trial_tx(struct sql *tx, void *arg, struct err *err)
{
	struct trial *t = arg;
	const struct manage_request *r = t->r;
	bool dns = r->validation == VALIDATION_DNS01;
	const struct order_request q = {
		.id = r->trial_id, .account_id = r->account_id, .csr_id = r->csr_id, .certificate_id = t->c->id, .names = &t->c->names,
		.validation = r->validation, .dns_method = dns ? r->method : NULL, .http_method = dns ? NULL : r->method, .chosen = r->chosen,
		.profile = r->profile, .key_type = r->csr_id ? NULL : t->c->key_type, .mode = MODE_AUTOMATIC, .now_ms = r->now_ms,
	};
	struct order_taken taken = { 0 };

	t->worked = false;
	order_done(&t->made);
	if (order_intake(tx, &q, &taken, err) < 0 || store_order_get_any(tx, taken.id, &t->made, err) < 0)
		return -(int)err->code;
	t->worked = true;
	return err_set(err, ERR_CONFLICT, "only tried"); /* undoes the savepoint */
}

static int try_order(struct sql *tx, struct trial *t, struct err *err)
{
	if (sql_tx(tx, trial_tx, t, err) == 0 || !t->worked)
		return -(int)err->code;
	err_clear(err);
	return 0;
}

/* ---- what it is about ---- */

static int check_free(struct sql *tx, const struct certificate *c, struct err *err)
{
	_cleanup_free_ char *live = NULL;
	_cleanup_order_ struct order o = { 0 };

	if (store_order_find_renewal(tx, c->id, &live, err) < 0) {
		if (err->code != ERR_NOT_FOUND)
			return -(int)err->code;
		err_clear(err);
		return 0;
	}
	if (store_order_get_any(tx, live, &o, err) < 0)
		return -(int)err->code;
	err_set(err, ERR_CONFLICT, "certificate %" PRId64 " is being renewed by order %" PRId64, c->num, o.num);
	return err_hint(err, "Wait until that order is over, or delete it.");
}

/* Foreign certificates carry what no order may: addresses, a name beside its wildcard, more names than an order has. */
static int check_names(const struct certificate *c, struct err *err)
{
	_cleanup_strlist_ struct strlist names = { 0 };

	if (!c->names.n)
		return err_set(err, ERR_CONFLICT, "certificate %" PRId64 " has no DNS name that could be ordered", c->num);
	if (names_canonical(&c->names, "/names", &names, err) < 0)
		return err_wrap(err, "the names of certificate %" PRId64 " cannot be ordered as they are", c->num);
	if (!strlist_equal(&names, &c->names))
		return err_set(err, ERR_CONFLICT, "the names of certificate %" PRId64 " cannot be ordered as they are", c->num);
	return 0;
}

static int check_csr(struct sql *tx, const struct manage_request *r, const struct certificate *c, struct err *err)
{
	_cleanup_csr_ struct csr csr = { 0 };
	_cleanup_free_ char *names = NULL;

	if (!r->csr_id)
		return 0;
	if (store_csr_get(tx, r->csr_id, &csr, err) < 0) {
		if (err->code != ERR_NOT_FOUND)
			return -(int)err->code;
		err_clear(err);
		return err_set_field(err, ERR_INVALID, "/csr_id", "there is no CSR '%s'", r->csr_id);
	}
	if (strlist_equal(&csr.names, &c->names))
		return 0;
	names = strlist_join(&c->names, ", ");
	err_set_field(err, ERR_INVALID, "/csr_id", "the CSR is not for the names of certificate %" PRId64, c->num);
	return err_hint(err, "The names are: %s.", names);
}

/* A foreign key may be of a type that is not made here. */
static int choose_key(struct sql *tx, const struct manage_request *r, struct certificate *c, struct err *err)
{
	_cleanup_account_ struct account a = { 0 };
	enum key_type type;

	if (r->key_type)
		replace_str(&c->key_type, r->key_type);
	if (r->csr_id || key_type_parse(c->key_type, &type))
		return 0;
	if (store_account_get(tx, r->account_id, &a, err) < 0) {
		if (err->code != ERR_NOT_FOUND)
			return -(int)err->code;
		err_clear(err);
		return 0; /* the trial says so, with the field */
	}
	replace_str(&c->key_type, csr_key_type_for(vendor_of(a.vendor)));
	return 0;
}

static void decided(struct certificate *c, const struct trial *t)
{
	const struct manage_request *r = t->r;

	replace_str(&c->account_id, r->account_id);
	replace_str(&c->validation, validation_text(r->validation));
	replace_str(&c->dns_method, t->made.dns_method);
	replace_str(&c->http_method, t->made.http_method);
	replace_str(&c->methods, t->made.methods);
	replace_str(&c->profile, str_empty(r->profile) ? NULL : r->profile);
	replace_str(&c->key_policy, r->csr_id ? "reuse" : "new");
	if (r->csr_id)
		replace_str(&c->csr_id, r->csr_id);
	c->updated_ms = r->now_ms;
}

/* Only watched before: planned. Managed already: what it waits for may be over. */
static int plan(struct sql *tx, const struct certificate *c, int64_t now_ms, struct err *err)
{
	_cleanup_certificate_ struct certificate now = { 0 };
	bool changed = false;

	if (renewal_automatic(tx, c->id, true, now_ms, &changed, err) < 0)
		return -(int)err->code;
	if (changed)
		return 0;
	if (store_certificate_get(tx, c->id, &now, err) < 0)
		return -(int)err->code;
	return now.pause_reason || now.attempt || (now.renew_at_ms && now.renew_at_ms <= now_ms) ? renewal_retry(tx, c->id, now_ms, err) : 0;
}

int manage_intake(struct sql *tx, const struct manage_request *r, struct err *err)
{
	_cleanup_certificate_ struct certificate c = { 0 };
	struct trial t = { .r = r, .c = &c };
	int rc;

	if (store_certificate_get(tx, r->certificate_id, &c, err) < 0 || check_free(tx, &c, err) < 0 || check_names(&c, err) < 0 ||
	    check_csr(tx, r, &c, err) < 0 || choose_key(tx, r, &c, err) < 0)
		return -(int)err->code;
	rc = try_order(tx, &t, err);
	if (rc == 0)
		decided(&c, &t);
	order_done(&t.made);
	if (rc < 0 || store_certificate_put(tx, &c, 0, err) < 0)
		return -(int)err->code;
	return plan(tx, &c, r->now_ms, err);
}
