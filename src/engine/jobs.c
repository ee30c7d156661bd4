/* SPDX-License-Identifier: Apache-2.0 */
/* jobs.c - the job table and what its rows do. See jobs.h; DESIGN 3 rule 11. */
#include "engine/private.h"

#include "base/crash.h"
#include "base/log.h"
#include "crypto/csr.h"
#include "store/audit.h"

#include <stdarg.h>
#include <stdio.h>

static int run_csr_create(struct job_run *r, struct err *err);

const struct job_row job_rows[job_kind_count] = {
	[JOB_ACCOUNT_REGISTER] = { "Register account", job_account_register, HOUR_MS, false },
	[JOB_ACCOUNT_RECONCILE] = { "Compare with the authority", job_account_reconcile, 7 * DAY_MS, false },
	[JOB_ACCOUNT_REFRESH] = { "Refresh account", job_account_refresh, 10 * MINUTE_MS, false },
	[JOB_ACCOUNT_CONTACT] = { "Change contact", job_account_contact, 10 * MINUTE_MS, false },
	[JOB_ACCOUNT_AGREE] = { "Agree to terms", job_account_agree, 10 * MINUTE_MS, false },
	[JOB_ACCOUNT_ROLLOVER] = { "Change account key", job_account_rollover, 7 * DAY_MS, false },
	[JOB_ACCOUNT_DEACTIVATE] = { "Close account", job_account_close, DAY_MS, false },
	[JOB_ACCOUNT_WATCH] = { "Look after accounts", job_account_watch, 0, true, true },
	[JOB_VENDOR_CHECK] = { "Check vendor", job_vendor_check, 0, false },
	[JOB_CSR_CREATE] = { "Create CSR", run_csr_create, HOUR_MS, true },
	[JOB_RENEWAL] = { "Renew what is due", job_renewal, 0, true, true },
	[JOB_RENEWAL_INFO] = { "Ask for renewal information", job_renewal_info, 0, false, true },
	[JOB_RENEWAL_CHECK] = { "Look ahead at renewals", job_renewal_check, 0, true, true },
	[JOB_REVOKE] = { "Revoke certificate", job_revoke, DAY_MS, false, false },
	[JOB_PREFLIGHT] = { "Look at names", job_preflight, 0, true },
	[JOB_DELEGATION_CHECK] = { "Look at a delegation", job_delegation_check, 0, true },
	[JOB_DELEGATION_WATCH] = { "Look at all delegations", job_delegation_watch, 0, true, true },
	[JOB_NOTIFY] = { "Tell people", job_notify, 0, true, true },
	[JOB_CHANNEL_TEST] = { "Test notification channel", job_channel_test, HOUR_MS, true },
	[JOB_PROVIDER_TEST] = { "Test provider", run_provider_test, 7 * DAY_MS, true },
	[JOB_PROVIDER_WITHDRAW] = { "Remove a probe", run_provider_withdraw, 7 * DAY_MS, true },
	[JOB_PROVIDER_ATTACH] = { "Change a virtual server", run_provider_attach, 0, true },
	[JOB_PROVIDER_OPTIONS] = { "Ask what a provider needs", run_provider_options, 0, true },
	[JOB_NETWORK_LOOK] = { "Look at a certificate", job_network_look, 0, true },
	[JOB_SERVER_CHECK] = { "Check this server", job_server_check, 0, true },
	[JOB_BULK] = { "Act on many certificates", job_bulk, 7 * DAY_MS, true },
	[JOB_COUNT] = { "Compare kept counts", job_count, 0, true, true },
	[JOB_HEARTBEAT] = { "Send a heartbeat", job_heartbeat, 0, true, true },
	[JOB_PRUNE] = { "Prune history", job_prune, 0, true, true },
};

static void job_run_done(struct job_run *r)
{
	job_done(&r->j);
	json_decref(r->args);
	json_decref(r->result);
	account_done(&r->account);
	key_row_done(&r->key);
	key_row_done(&r->next_key);
	acme_session_done(&r->session);
	way_done(&r->way);
	event_list_done(&r->events);
	free(r->park);
	if (r->data_free)
		r->data_free(r->data);
}

void job_tell(struct job_run *r, const char *kind, const char *id, enum event_level level, const char *fmt, ...)
{
	struct event *ev = event_list_add(&r->events);
	char text[1024];
	va_list ap;

	va_start(ap, fmt);
	vsnprintf(text, sizeof text, fmt, ap);
	va_end(ap);
	*ev = (struct event){
		.id = xstrdup(ulid_new(engine_now(r->e)).s), .subject_kind = xstrdup(kind), .subject_id = xstrdup(id),
		.at_ms = engine_now(r->e), .level = level, .text = str_clean(text, strlen(text), sizeof text),
	};
}

/* ---- CSR ---- */

struct new_csr {
	struct key_row key;
	struct csr csr;
};

static int add_csr(struct sql *tx, void *arg, struct err *err)
{
	struct job_run *r = arg;
	struct new_csr *n = r->data;

	if (store_key_add(tx, &n->key, err) < 0)
		return -(int)err->code;
	return store_csr_add(tx, &n->csr, err);
}

static int csr_there(struct sql *q, void *arg, struct err *err)
{
	_cleanup_csr_ struct csr c = { 0 };

	return store_csr_get_any(q, arg, &c, err);
}

char *subject_text(const struct csr_subject *s)
{
	_cleanup_strlist_ struct strlist l = { 0 };
	const struct { const char *name, *value; } parts[] = {
		{ "O", s->o }, { "OU", s->ou }, { "L", s->l }, { "ST", s->st }, { "C", s->c },
	};

	for (size_t i = 0; i < ARRAY_SIZE(parts); i++) {
		_cleanup_free_ char *part = NULL;

		if (str_empty(parts[i].value))
			continue;
		part = xasprintf("%s=%s", parts[i].name, parts[i].value);
		strlist_add(&l, part);
	}
	return l.n ? strlist_join(&l, ", ") : xstrdup("");
}

static char *arg_dup(json_t *o, const char *name)
{
	const char *s = json_string_value(json_object_get(o, name));

	return s && *s ? xstrdup(s) : NULL;
}

static int make_csr(struct job_run *r, const char *csr_id, struct new_csr *n, struct err *err)
{
	json_t *names = json_object_get(r->args, "names"), *sub = json_object_get(r->args, "subject");
	const char *type_text = json_string_value(json_object_get(r->args, "key_type"));
	struct csr_subject subject = {
		.o = arg_dup(sub, "o"), .ou = arg_dup(sub, "ou"), .c = arg_dup(sub, "c"), .l = arg_dup(sub, "l"), .st = arg_dup(sub, "st"),
	};
	_cleanup_key_made_ struct key_made made = { 0 };
	struct ulid key_id = ulid_new(engine_now(r->e));
	struct key_place place = { .table = "key", .id = key_id.s, .column = "sealed" };
	struct csr_request q = { .names = &n->csr.names, .subject = &subject };
	_cleanup_free_ char *joined = NULL;
	enum key_type type = KEY_P256;
	unsigned char *der = NULL;
	size_t der_n = 0, i;
	char hash[SHA256_HEX];
	json_t *name;
	int rc;

	json_array_foreach(names, i, name)
		if (json_is_string(name))
			strlist_add(&n->csr.names, json_string_value(name));
	if (type_text && !key_type_parse(type_text, &type)) {
		csr_subject_clear(&subject);
		return err_set(err, ERR_INVALID, "'%s' is not a key type that we make", type_text);
	}
	rc = keys_generate(r->e->o.keys, KEY_CERTIFICATE, type, &place, NULL, &made, err);
	if (rc == 0) {
		q.key = (struct key_handle){ "key", key_id.s, "sealed", made.sealed, made.sealed_n };
		rc = keys_sign_csr(r->e->o.keys, &q, &der, &der_n, err);
	}
	if (rc == 0) {
		joined = names_text(&n->csr.names);
		n->csr.subject = subject_text(&subject);
		n->csr.id = xstrdup(csr_id);
		n->csr.source = CSR_CREATED;
		n->csr.names_hash = xstrdup(sha256_hex(joined, strlen(joined), hash));
		n->csr.key_type = xstrdup(key_type_text(type));
		n->csr.public_hash = xstrdup(made.public_hash);
		n->csr.key_id = xstrdup(key_id.s);
		n->csr.der = der;
		n->csr.der_n = der_n;
		n->csr.created_by = xstrdup_null(r->j.created_by);
		n->csr.created_ms = engine_now(r->e);
		n->key = (struct key_row){
			.id = xstrdup(key_id.s), .purpose = KEY_CERTIFICATE, .type = xstrdup(key_type_text(type)),
			.public_hash = xstrdup(made.public_hash), .sealed = xmemdup(made.sealed, made.sealed_n), .sealed_n = made.sealed_n,
			.created_ms = engine_now(r->e),
		};
	}
	csr_subject_clear(&subject);
	return rc;
}

static int run_csr_create(struct job_run *r, struct err *err)
{
	char *id = arg_dup(r->args, "csr_id");
	_cleanup_err_ struct err why = { 0 };
	_cleanup_free_ char *csr_id = id;

	if (!csr_id)
		return err_set(err, ERR_INTERNAL, "the job names no CSR");
	r->result = json_pack("{s:s}", "csr_id", csr_id);
	if (engine_read(r->e, csr_there, csr_id, &why) == 0)
		return 0; /* made before a crash */
	if (why.code != ERR_NOT_FOUND)
		return err_move(err, &why);
	r->data = xcalloc(1, sizeof(struct new_csr));
	if (make_csr(r, csr_id, r->data, err) < 0)
		return err_wrap(err, "could not make the CSR");
	r->also = add_csr;
	return 0;
}

static void free_data(struct job_run *r)
{
	struct new_csr *n = r->j.kind == JOB_CSR_CREATE ? r->data : NULL;

	if (!n)
		return;
	key_row_done(&n->key);
	csr_done(&n->csr);
	free(n);
}

/* ---- the frame ---- */

static int store(struct sql *tx, void *arg, struct err *err)
{
	struct job_run *r = arg;

	if (store_job_put(tx, &r->j, LEASE_END, engine_now(r->e), err) < 0)
		return -(int)err->code;
	if (r->park && (store_lane_ensure(tx, r->park, lane_cap(r->park), err) < 0 ||
			store_lane_park(tx, r->park, r->j.due_ms, r->j.reason, err) < 0 ||
			cause_parked(tx, r->park, r->j.due_ms, r->j.reason, NULL, engine_now(r->e), err) < 0))
		return -(int)err->code;
	if (r->also && r->also(tx, r, err) < 0)
		return err_wrap(err, "could not store what the job made");
	for (size_t i = 0; i < r->events.n; i++)
		if (store_event_add(tx, &r->events.v[i], err) < 0)
			return -(int)err->code;
	return 0;
}

/* A registration that is refused leaves the account invalid, with the reason on it. */
static void end_failed(struct job_run *r, const struct err *why)
{
	r->j.state = JOB_FAILED;
	r->j.ended_ms = engine_now(r->e);
	r->also = NULL;
	if (r->j.kind == JOB_VENDOR_CHECK)
		job_vendor_failed(r, why);
	if (r->j.kind == JOB_ACCOUNT_ROLLOVER && r->account.id)
		job_rollover_failed(r, why);
	if (r->j.kind == JOB_ACCOUNT_REGISTER && r->account.id) {
		_cleanup_free_ char *text = err_text(why);

		job_account_set(r, ACCOUNT_INVALID, why);
		job_tell(r, "account", r->account.id, EVENT_ERROR, "%s", text);
	}
}

/* Nobody mends what is trusted by waiting: who stands there for the answer is told at once. What must not be left half done is tried on. */
static bool told_at_once(const struct job_run *r, const struct err *why)
{
	return why->code == ERR_UNTRUSTED && job_rows[r->j.kind].give_up_ms <= HOUR_MS;
}

static void failed(struct job_run *r, struct err *why)
{
	const struct acme_refusal *f = r->session.refusal.status || r->session.refusal.gated ? &r->session.refusal : NULL;
	int64_t now = engine_now(r->e), due = retry_due(r->e, why, f, r->j.attempts);
	int64_t give_up = r->j.created_ms + job_rows[r->j.kind].give_up_ms;

	if (f && f->problem.detail)
		err_remote(why, f->problem.type, f->problem.detail);
	free(r->j.reason);
	r->j.reason = err_to_json_text(why);
	__atomic_add_fetch(&r->e->errors, 1, __ATOMIC_RELAXED);
	r->j.attempts++;
	if (job_rows[r->j.kind].standing) { /* it never ends, whatever is wrong */
		r->j.due_ms = now + MIN(MAX(due - now, (int64_t)MINUTE_MS), (int64_t)HOUR_MS);
		return;
	}
	switch (err_retry(why->code)) {
	case RETRY_NOW:
	case RETRY_LATER:
	case RETRY_PARK:
		if (told_at_once(r, why))
			break;
		if (f && f->scope == ACME_SCOPE_VENDOR)
			r->park = lane_vendor(r->gate.directory_url);
		else if (f && f->scope == ACME_SCOPE_REGISTRATION)
			r->park = xasprintf(LANE_REGISTER "%s", r->gate.directory_url);
		r->j.due_ms = due;
		if (due <= give_up || (f && f->gated))
			return;
		break;
	case RETRY_NEVER:
	case RETRY_REMAKE:
	case RETRY_PERSON:
		break;
	}
	end_failed(r, why);
}

static void job_close(struct job_run *r)
{
	free_data(r);
	job_run_done(r);
}

int job_set_aside(struct sql *tx, const struct engine *e, const char *id, const char *text, char **ret_kind, char **ret_id, struct err *err)
{
	_cleanup_job_ struct job j = { 0 };
	_cleanup_account_ struct account a = { 0 };
	_cleanup_err_ struct err why = { 0 };

	*ret_kind = xstrdup("job");
	*ret_id = xstrdup(id);
	if (store_job_get(tx, id, &j, &why) < 0)
		return 0; /* this program cannot read it: another one may */
	if (j.subject_kind && j.subject_id) {
		replace_str(ret_kind, j.subject_kind);
		replace_str(ret_id, j.subject_id);
	}
	j.state = JOB_FAILED;
	j.ended_ms = engine_now(e);
	if (store_job_put(tx, &j, LEASE_END, j.ended_ms, err) < 0)
		return -(int)err->code;
	if (j.kind != JOB_ACCOUNT_REGISTER || !j.subject_id)
		return 0;
	if (store_account_get_any(tx, j.subject_id, &a, err) < 0)
		return -(int)err->code;
	if (a.status == ACCOUNT_VALID)
		return 0;
	err_set(&why, ERR_NEEDS_PERSON, "%s", text);
	free(a.reason);
	a.reason = err_to_json_text(&why);
	a.status = ACCOUNT_INVALID;
	a.updated_ms = j.ended_ms;
	return store_account_put(tx, &a, 0, err);
}

static int release(struct sql *tx, void *arg, struct err *err)
{
	struct job_run *r = arg;

	return store_lease_release(tx, "job", r->j.id, r->j.gen, engine_now(r->e), err);
}

void job_run_one(struct engine *e, struct worker *w, struct job *take_job, int64_t lease_boot_ms)
{
	_cleanup_(job_close) struct job_run r = { .e = e, .w = w, .j = TAKE(*take_job), .lease_boot_ms = lease_boot_ms };
	const struct job_row *row = &job_rows[r.j.kind];
	_cleanup_err_ struct err why = { 0 }, err = { 0 };
	int rc = 0;

	LOG_SCOPE("job", r.j.id);
	r.j.state = JOB_QUEUED;
	if (!str_empty(r.j.args))
		rc = json_parse(r.j.args, strlen(r.j.args), &r.args, &why);
	if (rc == 0)
		rc = row->run(&r, &why);
	CRASH_POINT_OF("job", job_kind_text(r.j.kind), r.account.email);
	if (e->crashed)
		return;
	if (rc < 0 && stop_raised(&e->abort)) { /* we are ending: given back as it is */
		if (engine_write(e, release, &r, &err) < 0)
			log_err(LOG_DEBUG, "could not give a row back, its lease ends by itself", &err);
		return;
	}
	if (rc < 0) {
		failed(&r, &why);
		log_err(r.j.ended_ms ? LOG_WARNING : LOG_DEBUG, r.j.ended_ms ? "job failed" : "job is tried again later", &why);
	} else if (row->standing && !r.attempts_left_alone) {
		r.j.ok_ms = engine_now(e);
		r.j.attempts = 0;
		free(r.j.reason);
		r.j.reason = NULL;
	} else if (!r.wait) {
		r.j.state = JOB_DONE;
		r.j.ended_ms = r.j.ok_ms = engine_now(e);
		free(r.j.reason);
		r.j.reason = NULL;
		__atomic_add_fetch(&e->jobs_done, 1, __ATOMIC_RELAXED);
	}
	if (r.result) {
		free(r.j.result);
		r.j.result = json_text(r.result);
	}
	if (engine_write(e, store, &r, &err) < 0 && err.code != ERR_LOST_LEASE && !e->crashed)
		log_err(LOG_ERROR, "could not store what a job came to; it is done again when its lease ends", &err);
}
