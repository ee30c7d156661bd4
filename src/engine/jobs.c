/* SPDX-License-Identifier: Apache-2.0 */
/* jobs.c - the job table and what its rows do. See jobs.h; DESIGN 3 rule 11. */
#include "engine/private.h"

#include "base/crash.h"
#include "base/log.h"
#include "crypto/csr.h"
#include "model/vendor.h"
#include "store/audit.h"

#include <stdarg.h>
#include <stdio.h>

static int run_register(struct job_run *r, struct err *err);
static int run_refresh(struct job_run *r, struct err *err);
static int run_deactivate(struct job_run *r, struct err *err);
static int run_vendor_check(struct job_run *r, struct err *err);
static int run_csr_create(struct job_run *r, struct err *err);
static int run_prune(struct job_run *r, struct err *err);

const struct job_row job_rows[job_kind_count] = {
	[JOB_ACCOUNT_REGISTER] = { "Register account", run_register, HOUR_MS, false },
	[JOB_ACCOUNT_REFRESH] = { "Refresh account", run_refresh, 10 * MINUTE_MS, false },
	[JOB_ACCOUNT_DEACTIVATE] = { "Deactivate account", run_deactivate, DAY_MS, false },
	[JOB_VENDOR_CHECK] = { "Check vendor", run_vendor_check, 0, false },
	[JOB_CSR_CREATE] = { "Create CSR", run_csr_create, HOUR_MS, true },
	[JOB_RENEWAL] = { "Renew what is due", job_renewal, 0, true, true },
	[JOB_RENEWAL_INFO] = { "Ask for renewal information", job_renewal_info, 0, false, true },
	[JOB_RENEWAL_CHECK] = { "Look ahead at renewals", job_renewal_check, 0, true, true },
	[JOB_REVOKE] = { "Revoke certificate", job_revoke, DAY_MS, false, false },
	[JOB_PROVIDER_TEST] = { "Test provider", run_provider_test, 7 * DAY_MS, true },
	[JOB_PRUNE] = { "Prune history", run_prune, 0, true, true },
};

static void job_run_done(struct job_run *r)
{
	job_done(&r->j);
	json_decref(r->args);
	json_decref(r->result);
	account_done(&r->account);
	key_row_done(&r->key);
	acme_session_done(&r->session);
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

/* ---- what several need ---- */

struct account_of {
	struct job_run *r;
	const char *id;
};

static int load_account(struct sql *q, void *arg, struct err *err)
{
	const struct account_of *a = arg;
	struct job_run *r = a->r;

	account_done(&r->account);
	key_row_done(&r->key);
	if (store_account_get_any(q, a->id, &r->account, err) < 0 ||
	    store_key_get(q, r->account.key_id, &r->key, err) < 0)
		return -(int)err->code;
	return 0;
}

int job_session_open(struct job_run *r, const char *directory_url, struct err *err)
{
	struct acme_ca *ca;

	if (acme_ca_get(r->e->cas, directory_url, &ca, err) < 0)
		return -(int)err->code;
	if (r->key.id)
		signer_init(&r->signer, r->e->o.keys, &r->key, &r->account);
	r->gate = (struct gate){ .e = r->e, .directory_url = directory_url };
	r->session = (struct acme_session){
		.ca = ca, .http = r->w->http, .signer = r->key.id ? &r->signer.acme : NULL, .account_url = r->account.url,
		.clock = r->e->clock, .gate = lane_gate, .gate_data = &r->gate,
		.deadline_boot_ms = engine_deadline(r->e, r->lease_boot_ms),
	};
	return 0;
}

static int account_open(struct job_run *r, struct err *err)
{
	if (!r->j.subject_id)
		return err_set(err, ERR_INTERNAL, "the job names no account");
	return job_account_open(r, r->j.subject_id, err);
}

int job_account_open(struct job_run *r, const char *account_id, struct err *err)
{
	struct account_of a = { r, account_id };

	if (engine_read(r->e, load_account, &a, err) < 0)
		return err_wrap(err, "could not read the account");
	return job_session_open(r, r->account.directory_url, err);
}

static int put_account(struct sql *tx, void *arg, struct err *err)
{
	struct job_run *r = arg;

	r->account.updated_ms = engine_now(r->e);
	return store_account_put(tx, &r->account, 0, err);
}

static void set_account(struct job_run *r, enum account_status status, const struct err *why)
{
	r->account.status = status;
	free(r->account.reason);
	r->account.reason = why ? err_to_json_text(why) : NULL;
	r->also = put_account;
}

/* ---- accounts ---- */

static int agree(struct job_run *r, const struct acme_directory *d, struct err *err)
{
	if (d->tos_url)
		replace_str(&r->account.tos_url, d->tos_url);
	if (d->tos_url && !r->account.tos_agreed_ms) {
		err_set(err, ERR_INVALID, "the authority's terms of service have to be agreed to: %s", d->tos_url);
		return err_hint(err, "Read them, and register with the agreement given.");
	}
	if (d->eab_required && !r->account.eab_kid) {
		const struct vendor *v = vendor_find(r->account.vendor);

		err_set(err, ERR_INVALID, "the authority wants an external account binding: a key identifier and an HMAC key");
		return v && v->eab_help ? err_hint(err, "Where to find them: %s.", v->eab_help) : -ERR_INVALID;
	}
	return 0;
}

/* The authority takes no new accounts for a while, said another registration. */
static bool registration_waits(struct job_run *r)
{
	_cleanup_free_ char *lane = xasprintf(LANE_REGISTER "%s", r->account.directory_url);
	int64_t until = parked_until(r->e, lane);

	if (!until)
		return false;
	r->wait = true;
	r->j.due_ms = until;
	return true;
}

/*
 * The key was stored with the account row, before anything was sent: after a crash newAccount with the same key finds the
 * account that was made (RFC 8555 7.3.1). The URL is stored before anything else is done with it.
 */
static int run_register(struct job_run *r, struct err *err)
{
	_cleanup_acme_directory_ struct acme_directory d = { 0 };
	_cleanup_acme_account_ struct acme_account a = { 0 };
	_cleanup_strlist_ struct strlist contacts = { 0 };
	struct acme_registration q = { .contacts = &contacts };

	if (account_open(r, err) < 0)
		return -(int)err->code;
	r->result = json_pack("{s:s}", "account_id", r->account.id);
	if (r->account.url && r->account.status == ACCOUNT_VALID)
		return 0;
	if (r->account.deleted_ms)
		return err_set(err, ERR_NOT_FOUND, "account '%s' was deleted", r->account.name);
	if (registration_waits(r))
		return 0;
	if (acme_directory_get(&r->session, &d, err) < 0)
		return err_wrap(err, "could not read the directory %s", r->account.directory_url);
	if (agree(r, &d, err) < 0)
		return -(int)err->code;
	if (!str_empty(r->account.email))
		strlist_add(&contacts, r->account.email);
	q.tos_agreed = r->account.tos_agreed_ms != 0;
	q.eab = r->account.eab_kid != NULL;
	if (acme_account_register(&r->session, &q, &a, err) < 0)
		return err_wrap(err, "could not register account '%s'", r->account.name);
	if (a.status != ACME_ACCOUNT_VALID)
		return err_set(err, ERR_REMOTE_REFUSED, "the authority calls the account %s", acme_account_status_text(a.status));
	replace_str(&r->account.url, a.url);
	free(r->account.eab_sealed); /* it has served */
	r->account.eab_sealed = NULL;
	r->account.eab_sealed_n = 0;
	set_account(r, ACCOUNT_VALID, NULL);
	job_tell(r, "account", r->account.id, EVENT_INFO, a.created ? "registered" : "registered before; the authority knew the key");
	return 0;
}

static int run_refresh(struct job_run *r, struct err *err)
{
	_cleanup_acme_account_ struct acme_account a = { 0 };

	if (account_open(r, err) < 0)
		return -(int)err->code;
	if (!r->account.url)
		return err_set(err, ERR_CONFLICT, "account '%s' is not registered", r->account.name);
	if (acme_account_get(&r->session, &a, err) < 0)
		return err_wrap(err, "could not read account '%s'", r->account.name);
	r->result = json_pack("{s:s, s:s}", "account_id", r->account.id, "status", acme_account_status_text(a.status));
	if (a.status == ACME_ACCOUNT_VALID) {
		set_account(r, ACCOUNT_VALID, NULL);
	} else {
		_cleanup_err_ struct err why = { 0 };

		err_set(&why, ERR_REMOTE_REFUSED, "the authority calls the account %s", acme_account_status_text(a.status));
		set_account(r, ACCOUNT_INVALID, &why);
		job_tell(r, "account", r->account.id, EVENT_ERROR, "the authority calls the account %s", acme_account_status_text(a.status));
	}
	return 0;
}

static int run_deactivate(struct job_run *r, struct err *err)
{
	_cleanup_err_ struct err why = { 0 };

	if (account_open(r, err) < 0)
		return -(int)err->code;
	if (!r->account.url)
		return 0;
	if (acme_account_deactivate(&r->session, err) < 0) {
		if (err->code != ERR_NEEDS_PERSON && err->code != ERR_REMOTE_GONE) /* it is deactivated already */
			return err_wrap(err, "could not deactivate account '%s'", r->account.name);
		err_clear(err);
	}
	err_set(&why, ERR_REMOTE_REFUSED, "the account was deactivated");
	set_account(r, ACCOUNT_INVALID, &why);
	job_tell(r, "account", r->account.id, EVENT_INFO, "deactivated");
	return 0;
}

static int run_vendor_check(struct job_run *r, struct err *err)
{
	_cleanup_acme_directory_ struct acme_directory d = { 0 };
	const char *url = json_string_value(json_object_get(r->args, "directory_url"));
	json_t *profiles;

	if (!url)
		return err_set(err, ERR_INTERNAL, "the job names no directory");
	if (job_session_open(r, url, err) < 0 || acme_directory_get(&r->session, &d, err) < 0)
		return err_wrap(err, "could not read the directory %s", url);
	profiles = json_array();
	for (size_t i = 0; i < d.n_profiles; i++)
		json_array_append_new(profiles, json_pack("{s:s, s:o}", "name", d.profiles[i].name, "description",
							  json_str_or_null(d.profiles[i].description)));
	r->result = json_pack("{s:s, s:o, s:o, s:b, s:b, s:o}", "directory_url", url, "tos_url", json_str_or_null(d.tos_url), "website",
			      json_str_or_null(d.website), "eab_required", d.eab_required, "renewal_info", d.renewal_info != NULL,
			      "profiles", profiles);
	return 0;
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

static char *subject_text(const struct csr_subject *s)
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

	if (r->j.kind == JOB_PROVIDER_TEST && r->data) {
		provider_done(r->data);
		free(r->data);
	}
	if (!n)
		return;
	key_row_done(&n->key);
	csr_done(&n->csr);
	free(n);
}

/* ---- history ---- */

struct prune {
	int (*fn)(struct sql *tx, int64_t before_ms, int64_t *ret_n, struct err *err);
	int64_t keep_ms;
	struct engine *e;
	int64_t n;
};

static int prune_jobs(struct sql *tx, int64_t before_ms, int64_t *ret_n, struct err *err)
{
	return store_job_prune(tx, before_ms, ret_n, err);
}

static int prune_some(struct sql *tx, void *arg, struct err *err)
{
	struct prune *p = arg;

	return p->fn(tx, engine_now(p->e) - p->keep_ms, &p->n, err);
}

static int prune_feed(struct sql *tx, void *arg, struct err *err)
{
	struct prune *p = arg;

	return store_feed_item_prune(tx, p->e->feed ? (int64_t)feed_core_acked(p->e->feed) : 0, engine_now(p->e) - DAY_MS, &p->n, err);
}

static int prune_lanes(struct sql *tx, void *arg, struct err *err)
{
	struct prune *p = arg;

	return store_lane_prune(tx, engine_now(p->e) - DAY_MS, &p->n, err);
}

static int run_prune(struct job_run *r, struct err *err)
{
	const struct prune all[] = {
		{ .fn = store_event_prune, .keep_ms = 90 * DAY_MS }, { .fn = store_record_prune, .keep_ms = 30 * DAY_MS },
		{ .fn = store_debt_prune, .keep_ms = 30 * DAY_MS },  { .fn = prune_jobs, .keep_ms = 30 * DAY_MS },
		{ .fn = store_idempotency_prune, .keep_ms = DAY_MS },
	};
	struct prune feed = { .e = r->e };
	int64_t end = clock_boot(r->e->clock) + 20 * SECOND_MS;

	for (size_t i = 0; i < ARRAY_SIZE(all); i++) {
		struct prune p = all[i];

		p.e = r->e;
		do {
			p.n = 0;
			if (engine_write(r->e, prune_some, &p, err) < 0)
				return err_wrap(err, "could not prune the history");
		} while (p.n >= 100 && clock_boot(r->e->clock) < end);
	}
	if (engine_write(r->e, prune_feed, &feed, err) < 0 || engine_write(r->e, prune_lanes, &feed, err) < 0)
		return err_wrap(err, "could not prune the history");
	r->wait = true;
	r->j.due_ms = engine_now(r->e) + engine_jitter(r->e, DAY_MS, 10);
	return 0;
}

/* ---- the frame ---- */

static int store(struct sql *tx, void *arg, struct err *err)
{
	struct job_run *r = arg;

	if (store_job_put(tx, &r->j, LEASE_END, engine_now(r->e), err) < 0)
		return -(int)err->code;
	if (r->park && (store_lane_ensure(tx, r->park, lane_cap(r->park), err) < 0 ||
			store_lane_park(tx, r->park, r->j.due_ms, r->j.reason, err) < 0))
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
	if (r->j.kind == JOB_ACCOUNT_REGISTER && r->account.id) {
		_cleanup_free_ char *text = err_text(why);

		set_account(r, ACCOUNT_INVALID, why);
		job_tell(r, "account", r->account.id, EVENT_ERROR, "%s", text);
	}
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
		r.j.attempts = 0;
		free(r.j.reason);
		r.j.reason = NULL;
	} else if (!r.wait) {
		r.j.state = JOB_DONE;
		r.j.ended_ms = engine_now(e);
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
