/* SPDX-License-Identifier: Apache-2.0 */
/* rows.c - see rows.h; the front doors of renewing and revoking many are in renewal.h. */
#include "service/rows.h"

#include "engine/jobs.h"
#include "model/vendor.h"
#include "store/account.h"
#include "store/csr.h"

void row_result_done(struct row_result *r)
{
	free(r->ref);
	free(r->certificate_id);
	free(r->order_id);
	free(r->job_id);
	strlist_clear(&r->names);
	err_clear(&r->err);
	memset(r, 0, sizeof *r);
}

/* --- many at once ------------------------------------------------------------------------------------------------------- */

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

int row_find(struct sql *tx, struct row_job *j, struct certificate *c, struct err *err)
{
	if (SERVICE_GET(tx, j->row->ref, store_certificate_get, store_certificate_get_num, c, err) < 0)
		return -(int)err->code;
	replace_str(&j->row->certificate_id, c->id);
	j->row->certificate_num = c->num;
	strlist_clear(&j->row->names);
	strlist_copy(&j->row->names, &c->names);
	replace_str(&j->audit->object_id, c->id);
	replace_str(&j->audit->object_name, c->names.n ? c->names.v[0] : NULL);
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

static int row_renew(struct sql *tx, struct row_job *j, const struct certificate *c, struct err *err)
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

static bool whole_request(enum err_code code)
{
	return code == ERR_STORE || code == ERR_BUSY || code == ERR_NO_SPACE;
}

/* ---- judged, and undone: what a preview says is what would have been done ---- */

struct trial {
	sql_tx_fn *fn;
	struct row_job *job;
	bool worked;
};

static int trial_inner(struct sql *tx, void *arg, struct err *err)
{
	struct trial *t = arg;

	if (t->fn(tx, t->job, err) < 0)
		return -(int)err->code;
	t->worked = true;
	return err_set(err, ERR_CONFLICT, "only looked at"); /* undoes the savepoint */
}

static int trial_tx(struct sql *tx, void *arg, struct err *err)
{
	struct trial *t = arg;
	struct row_result *row = t->job->row;

	t->worked = false;
	if (sql_tx(tx, trial_inner, t, err) == 0 || !t->worked)
		return -(int)err->code;
	err_clear(err);
	if (!row->existing) { /* there is none */
		replace_str(&row->order_id, NULL);
		row->order_num = 0;
	}
	replace_str(&row->job_id, NULL);
	return 0;
}

static int row_run(struct row_job *j, sql_tx_fn *fn, struct err *err)
{
	struct trial t = { .fn = fn, .job = j };

	return j->preview ? store_write(j->s->store, trial_tx, &t, err) : store_write(j->s->store, fn, j, err);
}

int rows_each(struct row_job *j, const struct strlist *refs, const char *action, sql_tx_fn *fn, struct row_result_list *ret, struct err *err)
{
	for (size_t i = 0; i < refs->n; i++) {
		_cleanup_audit_ struct audit audit = { 0 };
		struct row_result *row = row_result_list_add(ret);
		int rc;

		row->ref = xstrdup(refs->v[i]);
		audit_begin(j->s, j->actor, action, "certificate", &audit);
		j->row = row;
		j->audit = &audit;
		j->order_id = ulid_new(j->now_ms);
		j->job_id = ulid_new(j->now_ms);
		rc = row_run(j, fn, &row->err);
		j->audit = NULL; /* it ends with its row */
		if (rc < 0 && whole_request(row->err.code) && refs->n == 1)
			return err_move(err, &row->err);
	}
	return 0;
}

int service_renewal_create(struct service *s, const struct actor *a, const struct renewal_create *r, struct row_result_list *ret,
			   struct err *err)
{
	struct row_job j = { .s = s, .actor = a, .csr_ref = r->csr_id, .ask_cost = !r->accept_cost, .now_ms = service_now(s) };

	if (r->csr_id && r->certificate_ids.n != 1)
		return err_set_field(err, ERR_INVALID, "/csr_id", "a CSR is for one certificate");
	return rows_each(&j, &r->certificate_ids, "certificate.renew", row_renew_tx, ret, err);
}

/* --- revocation --------------------------------------------------------------------------------------------------------- */

static const struct {
	const char *text;
	int code; /* RFC 5280 5.3.1 */
} reasons[] = { { "unspecified", 0 }, { "key-compromise", 1 }, { "superseded", 4 }, { "cessation-of-operation", 5 } };

int row_reason_code(const char *text)
{
	for (size_t i = 0; text && i < ARRAY_SIZE(reasons); i++)
		if (streq(reasons[i].text, text))
			return reasons[i].code;
	return -1;
}

static int revoke_what(struct sql *tx, const struct row_job *j, const struct certificate *c, struct version *ret, struct err *err)
{
	const char *id = j->revoke->version_id ? j->revoke->version_id : c->version_id;

	if (!id)
		return err_set(err, ERR_CONFLICT, "certificate %" PRId64 " has nothing issued yet", c->num);
	if (store_version_get(tx, id, ret, err) < 0)
		return -(int)err->code;
	if (!ret->certificate_id || !streq(ret->certificate_id, c->id))
		return err_set_field(err, ERR_INVALID, "/version_id", "version '%s' is not of certificate %" PRId64, id, c->num);
	if (ret->not_after_ms <= j->now_ms)
		return err_set(err, ERR_CONFLICT, "serial %s has expired, there is nothing to revoke", ret->serial);
	if (j->revoke->by_key && !ret->key_id)
		return err_set_field(err, ERR_CONFLICT, "/by_key", "the key of certificate %" PRId64 " is not kept here", c->num);
	return 0;
}

/* With a replacement the job waits for the order: what is in use goes when there is something to put in its place. */
static int revoke_job(struct sql *tx, struct row_job *j, const struct certificate *c, const struct version *v, struct err *err)
{
	_cleanup_account_ struct account a = { 0 };
	_cleanup_json_ json_t *args = json_pack("{s:b}", "by_key", j->revoke->by_key);
	_cleanup_free_ char *text = NULL;
	char id[27];

	if (!c->account_id)
		return err_set(err, ERR_CONFLICT, "certificate %" PRId64 " was not issued through an account of this server", c->num);
	if (store_account_get_any(tx, c->account_id, &a, err) < 0)
		return -(int)err->code;
	if (j->reason >= 0)
		json_object_set_new(args, "reason", json_integer(j->reason));
	if (j->row->order_id)
		json_object_set_new(args, "after_order", json_string(j->row->order_id));
	text = json_text(args);
	if (job_intake(tx, &(struct job_request){ .id = j->job_id.s, .kind = JOB_REVOKE, .subject_kind = "version",
						  .subject_id = v->id, .args = text, .lane_url = a.directory_url,
						  .created_by = j->actor->user_id, .now_ms = j->now_ms },
		       id, err) < 0)
		return -(int)err->code;
	replace_str(&j->row->job_id, id);
	return 0;
}

int row_revoke_tx(struct sql *tx, void *arg, struct err *err)
{
	struct row_job *j = arg;
	_cleanup_certificate_ struct certificate c = { 0 };
	_cleanup_version_ struct version v = { 0 };
	_cleanup_json_ json_t *detail = NULL;

	if (row_find(tx, j, &c, err) < 0 || revoke_what(tx, j, &c, &v, err) < 0)
		return -(int)err->code;
	if (j->revoke->replace && row_renew(tx, j, &c, err) < 0)
		return -(int)err->code;
	if (revoke_job(tx, j, &c, &v, err) < 0)
		return -(int)err->code;
	detail = json_pack("{s:s, s:s, s:s, s:b, s:b}", "version", v.id, "serial", v.serial, "reason",
			   j->revoke->reason ? j->revoke->reason : "none", "by_key", j->revoke->by_key, "replace", j->revoke->replace);
	free(j->audit->detail);
	j->audit->detail = json_text(detail);
	return store_audit_add(tx, j->audit, err);
}

int service_revocation_create(struct service *s, const struct actor *a, const struct revocation_create *r, struct row_result_list *ret,
			      struct err *err)
{
	struct row_job j = {
		.s = s, .actor = a, .revoke = r, .reason = row_reason_code(r->reason), .ask_cost = !r->accept_cost, .now_ms = service_now(s),
	};

	if (r->version_id && r->certificate_ids.n != 1)
		return err_set_field(err, ERR_INVALID, "/version_id", "a version is of one certificate");
	return rows_each(&j, &r->certificate_ids, "certificate.revoke", row_revoke_tx, ret, err);
}

