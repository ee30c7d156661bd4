/* SPDX-License-Identifier: Apache-2.0 */
/* revoke.c - one or many certificates are to be revoked, and replaced first if wanted (renewal.h); each is a row of its own (rows.h). */
#include "service/rows.h"

#include "engine/jobs.h"
#include "store/account.h"

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
