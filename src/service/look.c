/* SPDX-License-Identifier: Apache-2.0 */
/* look.c - preflight, and looks at delegations; see view.h. */
#include "base/idn.h"
#include "base/ulid.h"
#include "engine/intake.h"
#include "engine/provider.h"
#include "service/internal.h"
#include "service/view.h"
#include "store/account.h"

struct look_job {
	const struct service *s;
	const struct actor *actor;
	const char *ref, *fresh_id;
	char *id; /* of the job */
	const struct preflight_request *request;
	const struct strlist *names; /* canonical */
	enum validation validation;
	struct asked_list *asked;
	int64_t now_ms;
};

/* --- preflight ----------------------------------------------------------------------------------------------------------- */

static int account_of(struct sql *tx, const char *ref, char **ret_id, char **ret_vendor, struct err *err)
{
	_cleanup_account_ struct account a = { 0 };

	if (SERVICE_GET(tx, ref, store_account_get, store_account_get_num, &a, err) < 0) {
		if (err->code != ERR_NOT_FOUND && err->code != ERR_INVALID)
			return -(int)err->code;
		err_clear(err);
		return err_set_field(err, ERR_INVALID, "/account_id", "there is no account '%.64s'", ref);
	}
	*ret_id = xstrdup(a.id);
	*ret_vendor = xstrdup(a.vendor);
	return 0;
}

/* How each name would be proved, by the table of an order. */
static int methods_of(struct sql *tx, const struct look_job *j, const char *vendor, json_t **ret, struct err *err)
{
	const struct preflight_request *r = j->request;
	_cleanup_name_methods_ struct name_methods m = { 0 };
	struct methods_request q = { .names = j->names, .validation = j->validation, .vendor = vendor ? vendor : "",
				     .order_method = j->validation == VALIDATION_DNS01 ? r->dns : r->http,
				     .field_order = j->validation == VALIDATION_DNS01 ? "/dns" : "/http", .field_names = "/names" };

	*ret = json_object();
	if (!r->validation)
		return 0;
	if (methods_decide(tx, &q, &m, err) < 0)
		return -(int)err->code;
	for (size_t i = 0; i < m.n; i++)
		json_object_set_new(*ret, m.v[i].name, json_string(m.v[i].method));
	return 0;
}

static int preflight_tx(struct sql *tx, void *arg, struct err *err)
{
	struct look_job *j = arg;
	_cleanup_free_ char *account = NULL, *vendor = NULL, *args = NULL;
	_cleanup_json_ json_t *methods = NULL;
	char id[27];
	struct job_request q = { .id = j->fresh_id, .kind = JOB_PREFLIGHT, .created_by = j->actor->user_id, .now_ms = j->now_ms };

	if ((j->request->account_id && account_of(tx, j->request->account_id, &account, &vendor, err) < 0) ||
	    methods_of(tx, j, vendor, &methods, err) < 0)
		return -(int)err->code;
	args = json_text_take(json_pack("{s:o, s:o, s:o, s:O}", "names", json_strlist(j->names), "account_id", json_str_or_null(account),
					"validation", json_str_or_null(j->request->validation), "methods", methods));
	q.args = args;
	if (job_intake(tx, &q, id, err) < 0)
		return -(int)err->code;
	replace_str(&j->id, id);
	return 0;
}

int service_preflight(struct service *s, const struct actor *a, const struct preflight_request *q, char **ret_job, struct err *err)
{
	_cleanup_strlist_ struct strlist names = { 0 };
	int64_t now = service_now(s);
	struct ulid id = ulid_new(now);
	struct look_job j = { .s = s, .actor = a, .request = q, .names = &names, .fresh_id = id.s, .now_ms = now };

	if (!q->names.n)
		return err_set_field(err, ERR_INVALID, "/names", "names are needed");
	if (names_canonical(&q->names, "/names", &names, err) < 0)
		return -(int)err->code;
	if (q->validation && !validation_parse(q->validation, &j.validation))
		return err_set_field(err, ERR_INVALID, "/validation", "there is no validation '%.32s'", q->validation);
	if (store_write(s->store, preflight_tx, &j, err) < 0) {
		free(j.id);
		return -(int)err->code;
	}
	*ret_job = j.id;
	return 0;
}

/* --- one delegation ------------------------------------------------------------------------------------------------------ */

static int check_tx(struct sql *tx, void *arg, struct err *err)
{
	struct look_job *j = arg;
	_cleanup_(delegation_done) struct delegation d = { 0 };
	char id[27];

	if (SERVICE_GET(tx, j->ref, store_delegation_get, store_delegation_get_num, &d, err) < 0)
		return -(int)err->code;
	if (job_intake(tx,
		       &(struct job_request){ .id = j->fresh_id, .kind = JOB_DELEGATION_CHECK, .subject_kind = "delegation", .subject_id = d.id,
					      .created_by = j->actor->user_id, .now_ms = j->now_ms },
		       id, err) < 0)
		return -(int)err->code;
	replace_str(&j->id, id);
	return 0;
}

int service_delegation_check(struct service *s, const struct actor *a, const char *ref, char **ret_job, struct err *err)
{
	int64_t now = service_now(s);
	struct ulid id = ulid_new(now);
	struct look_job j = { .actor = a, .ref = ref, .fresh_id = id.s, .now_ms = now };

	if (store_write(s->store, check_tx, &j, err) < 0) {
		free(j.id);
		return -(int)err->code;
	}
	*ret_job = j.id;
	return 0;
}

static int asked_tx(struct sql *q, void *arg, struct err *err)
{
	struct look_job *j = arg;
	_cleanup_(delegation_done) struct delegation d = { 0 };

	if (SERVICE_GET(q, j->ref, store_delegation_get, store_delegation_get_num, &d, err) < 0)
		return -(int)err->code;
	return store_asked_list(q, d.id, ASKED_KEPT, j->asked, err);
}

int service_delegation_asked(struct service *s, const char *ref, struct asked_list *ret, struct err *err)
{
	struct look_job j = { .ref = ref, .asked = ret };

	return store_read(s->store, asked_tx, &j, err);
}
