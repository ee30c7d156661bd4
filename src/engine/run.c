/* SPDX-License-Identifier: Apache-2.0 */
/*
 * run.c - one claimed order with its rows. Steps change them in memory and mark what they changed; run_flush stores state,
 * next instant, reason, events and all marked rows in one transaction, fenced by the order's gen.
 */
#include "engine/private.h"

#include "base/json.h"
#include "store/audit.h"
#include "store/order_option.h"
#include "store/renewal.h"

#include <stdarg.h>
#include <stdio.h>

void run_init(struct run *r, struct engine *e, struct worker *w, struct order *take_order, int64_t lease_boot_ms)
{
	*r = (struct run){ .e = e, .w = w, .o = TAKE(*take_order), .lease_boot_ms = lease_boot_ms };
	r->shift_ms = __atomic_load_n(&e->shift_ms, __ATOMIC_RELAXED);
	r->deadline_boot_ms = engine_deadline(e, lease_boot_ms);
}

static void key_made_row_done(struct key_row *k)
{
	key_row_done(k);
}

void run_done(struct run *r)
{
	order_done(&r->o);
	account_done(&r->account);
	key_row_done(&r->account_key);
	csr_done(&r->csr);
	authz_list_done(&r->authz);
	record_list_done(&r->records);
	debt_list_done(&r->debts);
	name_methods_done(&r->methods);
	provider_list_done(&r->providers);
	free(r->refused);
	err_clear(&r->refused_why);
	strlist_clear(&r->urls);
	acme_session_done(&r->session);
	way_done(&r->way);
	free(r->vendor_lane);
	free(r->through);
	strlist_clear(&r->give_back);
	event_list_done(&r->events);
	for (size_t i = 0; i < r->n_parks; i++) {
		free(r->parks[i].lane);
		free(r->parks[i].reason);
	}
	key_made_row_done(&r->new_key);
	csr_done(&r->new_csr);
	version_done(&r->version);
	certificate_done(&r->certificate);
	free(r->ari_id);
	free(r->replaces);
	*r = (struct run){ 0 };
}

/* RFC 9773 5: said only to the account that issued it. */
static int load_replaced(struct sql *q, struct run *r, struct err *err)
{
	_cleanup_renewal_ struct renewal n = { 0 };

	if (renewal_load(q, r->o.certificate_id, &n, err) < 0)
		return -(int)err->code;
	if (n.ari_id && n.account_id && streq(n.account_id, r->account.id))
		replace_str(&r->replaces, n.ari_id);
	return 0;
}

static int load_provider(struct sql *q, struct run *r, const char *method, struct err *err)
{
	struct provider p = { 0 };

	if (!method || streq(method, METHOD_SEVERAL) || !method_is_provider(r->o.validation, method) || run_provider(r, method))
		return 0;
	if (store_provider_get_any(q, method, &p, err) == 0) {
		*provider_list_add(&r->providers) = p;
		return 0;
	}
	if (err->code != ERR_NOT_FOUND)
		return -(int)err->code;
	err_clear(err); /* said where it is needed: nothing is known about that method */
	return 0;
}

/* Those that the names go by, and those that records were made for. */
static int load_providers(struct sql *q, struct run *r, struct err *err)
{
	name_methods_done(&r->methods);
	provider_list_done(&r->providers);
	if (name_methods_parse(r->o.methods, &r->methods, err) < 0 ||
	    load_provider(q, r, r->o.validation == VALIDATION_DNS01 ? r->o.dns_method : r->o.http_method, err) < 0)
		return -(int)err->code;
	for (size_t i = 0; i < r->methods.n; i++)
		if (load_provider(q, r, r->methods.v[i].method, err) < 0)
			return -(int)err->code;
	for (size_t i = 0; i < r->records.n; i++)
		if (load_provider(q, r, r->records.v[i].method, err) < 0)
			return -(int)err->code;
	return 0;
}

static int load(struct sql *q, void *arg, struct err *err)
{
	struct run *r = arg;

	account_done(&r->account);
	key_row_done(&r->account_key);
	csr_done(&r->csr);
	r->has_csr = false;
	if (store_account_get_any(q, r->o.account_id, &r->account, err) < 0 ||
	    store_key_get(q, r->account.key_id, &r->account_key, err) < 0)
		return err_wrap(err, "could not read the account of order %" PRId64, r->o.num);
	if (r->o.csr_id) {
		if (store_csr_get_any(q, r->o.csr_id, &r->csr, err) < 0)
			return err_wrap(err, "could not read the CSR of order %" PRId64, r->o.num);
		r->has_csr = true;
	}
	if (store_order_options_get(q, r->o.id, &r->o.options, err) < 0)
		return -(int)err->code;
	if (r->o.certificate_id && r->o.step <= STEP_CREATE && load_replaced(q, r, err) < 0)
		return -(int)err->code;
	if (r->o.step <= STEP_CREATE && !r->o.url && !r->o.attempts)
		return load_providers(q, r, err); /* nothing has been said yet */
	if (store_authz_list(q, r->o.id, &r->authz, err) < 0 || store_record_list_order(q, r->o.id, &r->records, err) < 0 ||
	    load_providers(q, r, err) < 0 || (r->providers.n && store_debt_list_order(q, r->o.id, &r->debts, err) < 0))
		return err_wrap(err, "could not read the authorizations of order %" PRId64, r->o.num);
	return 0;
}

int run_load(struct run *r, struct err *err)
{
	if (r->loaded)
		return 0;
	if (engine_read(r->e, load, r, err) < 0)
		return -(int)err->code;
	if (r->authz.n > LIMIT_CA_IDENTIFIERS || r->records.n > LIMIT_CA_IDENTIFIERS)
		return err_set(err, ERR_INTERNAL, "order %" PRId64 " has more authorizations than an order can have", r->o.num);
	r->vendor_lane = lane_vendor(r->account.directory_url);
	r->loaded = true;
	return 0;
}

struct acme_session *run_session(struct run *r, struct err *err)
{
	struct http *http;
	struct acme_ca *ca;

	if (r->session.ca)
		return &r->session;
	http = way_open(&r->way, r->w->http, r->account.connection, r->account.directory_url, err);
	if (!http || acme_ca_get(r->e->cas, r->account.directory_url, &ca, err) < 0)
		return NULL;
	signer_init(&r->signer, r->e->o.keys, &r->account_key, &r->account);
	r->gate = (struct gate){ .e = r->e, .directory_url = r->account.directory_url, .lane = r->vendor_lane, .vendor = r->account.vendor,
				 .order = &r->o };
	r->session = (struct acme_session){
		.ca = ca, .http = http, .signer = &r->signer.acme, .account_url = r->account.url, .clock = r->e->clock,
		.gate = lane_gate, .gate_data = &r->gate, .deadline_boot_ms = r->deadline_boot_ms,
	};
	return &r->session;
}

const char *run_method(const struct run *r, const struct authz *a)
{
	_cleanup_free_ char *wild = xasprintf("*.%s", a->identifier);
	const struct name_method *m = name_methods_find(&r->methods, a->wildcard ? wild : a->identifier);

	if (m)
		return m->method;
	return r->o.validation == VALIDATION_DNS01 ? r->o.dns_method : r->o.http_method;
}

const struct provider *run_provider(const struct run *r, const char *id)
{
	for (size_t i = 0; i < r->providers.n; i++)
		if (streq(r->providers.v[i].id, id))
			return &r->providers.v[i];
	return NULL;
}

const struct publisher *run_publisher(const struct run *r, const char *method)
{
	const struct publisher *p = method ? publisher_find(r->o.validation, method) : NULL;
	const struct provider *row = method && !p ? run_provider(r, method) : NULL;

	return row ? publisher_kind(row->kind) : p;
}

bool run_needs(const struct run *r, const struct authz *a)
{
	return a->status == AUTHZ_PENDING && a->record_id && !a->accepted && r->o.step != STEP_ABANDON;
}

struct record *run_unpublished(struct run *r)
{
	for (size_t i = 0; i < r->authz.n; i++) {
		struct record *rec = run_needs(r, &r->authz.v[i]) ? run_record(r, &r->authz.v[i], NULL) : NULL;

		if (rec && !rec->published_ms)
			return rec;
	}
	return NULL;
}

bool run_waits_for_person(const struct run *r)
{
	for (size_t i = 0; i < r->records.n; i++)
		if (r->records.v[i].status == RECORD_NOT_READY && method_way(r->records.v[i].kind, r->records.v[i].method) == PUBLISH_PERSON)
			return true;
	return false;
}

/* Reading, merging and writing at a provider is done by one at a time: (credential, zone) is a lane of cap 1. */
char *run_step_lane(struct run *r, enum order_step step)
{
	const struct record *rec;

	if (step == STEP_PROPAGATE)
		return xstrdup(LANE_PROPAGATION);
	rec = step == STEP_PUBLISH ? run_unpublished(r) : NULL;
	if (rec && method_way(rec->kind, rec->method) == PUBLISH_REMOTE)
		return lane_provider(rec->method, rec->zone);
	return xstrdup(r->vendor_lane ? r->vendor_lane : r->o.lane);
}

struct record *run_record(struct run *r, const struct authz *a, size_t *ret_i)
{
	for (size_t i = 0; a->record_id && i < r->records.n; i++)
		if (streq(r->records.v[i].id, a->record_id)) {
			if (ret_i)
				*ret_i = i;
			return &r->records.v[i];
		}
	return NULL;
}

void authz_changed(struct run *r, const struct authz *a)
{
	r->authz_dirty[a - r->authz.v] |= ROW_CHANGED;
}

void record_changed(struct run *r, const struct record *rec, unsigned flags)
{
	r->record_dirty[rec - r->records.v] |= (unsigned char)(ROW_CHANGED | flags);
	r->records.v[rec - r->records.v].updated_ms = engine_now(r->e);
}

void run_event(struct run *r, enum event_level level, char *take_detail_json, const char *fmt, ...)
{
	struct event *ev = event_list_add(&r->events);
	char text[1024];
	va_list ap;

	va_start(ap, fmt);
	vsnprintf(text, sizeof text, fmt, ap);
	va_end(ap);
	*ev = (struct event){
		.id = xstrdup(ulid_new(engine_now(r->e)).s), .subject_kind = xstrdup("order"), .subject_id = xstrdup(r->o.id),
		.at_ms = engine_now(r->e), .level = level, .text = str_clean(text, strlen(text), sizeof text),
		.detail = take_detail_json,
	};
}

void run_park(struct run *r, char *take_lane, int64_t until_ms, const struct err *why)
{
	if (r->n_parks == ARRAY_SIZE(r->parks)) {
		free(take_lane);
		return;
	}
	r->parks[r->n_parks++] = (struct park){ .lane = take_lane, .until_ms = until_ms, .reason = err_to_json_text(why) };
}

/* ---- storing ---- */

static enum edge_kind edge_of(enum feed_kind k)
{
	switch (k) {
	case FEED_ZONE:
		return EDGE_ZONE;
	case FEED_NAME:
		return EDGE_NAME;
	case FEED_TXT:
		return EDGE_TXT;
	case FEED_HTTP:
		return EDGE_HTTP;
	}
	abort();
}

struct items_job {
	struct sql *tx;
	struct run *r;
	struct err *err;
	bool gone;
	int rc;
};

static void item_put(void *arg, enum feed_kind kind, const char *name, const char *value, int64_t ttl_s)
{
	struct items_job *j = arg;
	int64_t seq = 0, now = engine_now(j->r->e);

	if (j->rc < 0)
		return;
	if (!j->gone)
		j->rc = store_feed_item_put(j->tx, edge_of(kind), name, value, ttl_s, now, &seq, j->err);
	else if (kind != FEED_ZONE) /* a zone stays until its delegation is removed */
		j->rc = store_feed_item_del(j->tx, edge_of(kind), name, value, now, &seq, j->err);
	if (j->rc >= 0 && (uint64_t)seq > j->r->seq)
		j->r->seq = (uint64_t)seq;
}

static void set_of(const struct record *rec, struct challenge_set *ret)
{
	*ret = (struct challenge_set){
		.kind = rec->kind, .zone = rec->kind == VALIDATION_DNS01 ? rec->domain : "", .name = rec->domain, .alias = rec->alias,
		.token = rec->token, .ttl_s = rec->ttl,
	};
	strlist_add(&ret->values, rec->value);
}

static int flush_items(struct sql *tx, struct run *r, const struct record *rec, bool gone, struct err *err)
{
	const struct publisher *p = publisher_find(rec->kind, rec->method);
	_cleanup_challenge_set_ struct challenge_set set = { 0 };
	struct items_job j = { .tx = tx, .r = r, .err = err, .gone = gone };

	if (!p || p->way != PUBLISH_ROWS)
		return 0;
	set_of(rec, &set);
	p->items(&set, item_put, &j);
	return j.rc;
}

/* The debt comes before the deed: it is in the transaction of the record, and what is published is only published after it. */
static int flush_new_record(struct sql *tx, struct run *r, struct record *rec, struct err *err)
{
	_cleanup_free_ char *old = xstrdup(rec->id);
	_cleanup_free_ char *what = NULL, *lane = NULL;
	enum publish_way way = method_way(rec->kind, rec->method);
	struct ulid debt_id = ulid_new(engine_now(r->e));
	struct debt d;

	if (store_record_add(tx, rec, err) < 0)
		return -(int)err->code;
	for (size_t i = 0; i < r->authz.n; i++)
		if (r->authz.v[i].record_id && streq(r->authz.v[i].record_id, old))
			replace_str(&r->authz.v[i].record_id, rec->id);
	if (!streq(old, rec->id))
		return 0; /* it was there, and its debt with it */
	what = debt_what(DEBT_WITHDRAW_DNS, way == PUBLISH_REMOTE ? "" : rec->domain, rec, NULL);
	lane = way == PUBLISH_REMOTE ? lane_provider(rec->method, NULL) : xstrdup(LANE_LOCAL);
	d = (struct debt){
		.id = debt_id.s, .order_id = r->o.id, .record_id = rec->id,
		.kind = rec->kind == VALIDATION_DNS01 ? DEBT_WITHDRAW_DNS : DEBT_WITHDRAW_HTTP, .method = rec->method, .what = what,
		.held = true, .lane = lane, .due_ms = engine_now(r->e), .created_ms = engine_now(r->e),
	};
	if (way == PUBLISH_REMOTE && store_lane_ensure(tx, lane, lane_cap(lane), err) < 0)
		return -(int)err->code;
	return store_debt_add(tx, &d, err);
}

static int flush_delegation(struct sql *tx, struct run *r, const struct record *rec, struct err *err)
{
	_cleanup_(delegation_done) struct delegation d = { 0 };
	bool made = false;

	if (rec->kind != VALIDATION_DNS01 || !streq(rec->method, METHOD_DELEGATION))
		return 0;
	d = (struct delegation){
		.id = xstrdup(ulid_new(engine_now(r->e)).s),
		.name = xstrdup(str_starts(rec->domain, "_acme-challenge.") ? rec->domain + strlen("_acme-challenge.") : rec->domain),
		.made_for_order = xstrdup(r->o.id), .created_ms = engine_now(r->e),
	};
	return store_delegation_ensure(tx, &d, &made, err);
}

/* The end: what is rows of ours, or was done by a person, is withdrawn and paid right here; the janitor does the others. */
static void mark_end(struct run *r)
{
	int64_t now = engine_now(r->e);

	for (size_t i = 0; i < r->records.n; i++) {
		struct record *rec = &r->records.v[i];

		if (rec->status == RECORD_WITHDRAWN || method_way(rec->kind, rec->method) == PUBLISH_REMOTE)
			continue;
		rec->status = RECORD_WITHDRAWN;
		rec->withdrawn_ms = now;
		record_changed(r, rec, ROW_GONE);
	}
}

/* A value that another order of ours still needs (a CA may hand out one authorization twice) stays. */
static int flush_gone_record(struct sql *tx, struct run *r, const struct record *rec, struct err *err)
{
	bool shared = false;

	if (store_record_shared(tx, rec, &shared, err) < 0)
		return -(int)err->code;
	return shared ? 0 : flush_items(tx, r, rec, true, err);
}

/* What must be withdrawn is told where, before anything is published there. */
static int flush_zone(struct sql *tx, struct run *r, const struct record *rec, struct err *err)
{
	_cleanup_free_ char *what = debt_what(DEBT_WITHDRAW_DNS, rec->zone ? rec->zone : "", rec, NULL);
	_cleanup_free_ char *lane = lane_provider(rec->method, rec->zone);

	if (store_lane_ensure(tx, lane, lane_cap(lane), err) < 0)
		return -(int)err->code;
	return store_debt_place(tx, rec->id, what, lane, err);
}

static int flush_records(struct sql *tx, struct run *r, struct err *err)
{
	for (size_t i = 0; i < r->records.n; i++) {
		struct record *rec = &r->records.v[i];
		unsigned dirty = r->record_dirty[i];

		if (dirty & ROW_NEW && (flush_new_record(tx, r, rec, err) < 0 || flush_delegation(tx, r, rec, err) < 0))
			return -(int)err->code;
		if (dirty & ROW_CHANGED && store_record_put(tx, rec, err) < 0)
			return -(int)err->code;
		if (dirty & ROW_ZONE && flush_zone(tx, r, rec, err) < 0)
			return -(int)err->code;
		if (dirty & ROW_LIVE && flush_items(tx, r, rec, false, err) < 0)
			return -(int)err->code;
		if (dirty & ROW_GONE && flush_gone_record(tx, r, rec, err) < 0)
			return -(int)err->code;
	}
	return 0;
}

static bool pays_itself(const struct debt *d)
{
	if (d->kind == DEBT_DEACTIVATE_AUTHZ)
		return false;
	return method_way(d->kind == DEBT_WITHDRAW_DNS ? VALIDATION_DNS01 : VALIDATION_HTTP01, d->method) != PUBLISH_REMOTE;
}

static int flush_end_debts(struct sql *tx, struct run *r, struct err *err)
{
	_cleanup_debt_list_ struct debt_list debts = { 0 };
	int64_t now = engine_now(r->e);
	bool rest = false;

	if (store_debt_list_order(tx, r->o.id, &debts, err) < 0)
		return -(int)err->code;
	for (size_t i = 0; i < debts.n; i++) {
		const struct debt *d = &debts.v[i];

		if (d->paid)
			continue;
		if (!pays_itself(d))
			rest = true;
		else if (store_debt_pay(tx, d->id, now, err) < 0)
			return -(int)err->code;
	}
	return rest ? store_debt_release_order(tx, r->o.id, now, err) : 0;
}

#define DECIDED_MS (5 * MINUTE_MS) /* an authority that looks has decided by then */

static int flush_deactivate_debt(struct sql *tx, struct run *r, const char *url, int64_t in_ms, struct err *err)
{
	_cleanup_free_ char *what = debt_what(DEBT_DEACTIVATE_AUTHZ, NULL, NULL, url);
	struct ulid id = ulid_new(engine_now(r->e));
	struct debt d = {
		.id = id.s, .order_id = r->o.id, .kind = DEBT_DEACTIVATE_AUTHZ, .method = (char[]){ "acme" }, .what = what,
		.lane = r->vendor_lane, .due_ms = engine_now(r->e) + in_ms, .created_ms = engine_now(r->e),
	};

	return store_debt_add(tx, &d, err);
}

static int flush_deactivate_debts(struct sql *tx, struct run *r, struct err *err)
{
	for (size_t i = 0; r->deactivate_debts && i < r->authz.n; i++) {
		const struct authz *a = &r->authz.v[i];

		if (a->status == AUTHZ_PENDING && flush_deactivate_debt(tx, r, a->url, a->accepted ? DECIDED_MS : 0, err) < 0)
			return -(int)err->code;
	}
	for (size_t i = 0; i < r->give_back.n; i++)
		if (flush_deactivate_debt(tx, r, r->give_back.v[i], DECIDED_MS, err) < 0)
			return -(int)err->code;
	return 0;
}

/* What people decide about a certificate may have changed since this step read its row: theirs stays. */
static int keep_decisions(struct sql *tx, struct certificate *c, struct err *err)
{
	_cleanup_certificate_ struct certificate now = { 0 };

	if (store_certificate_get(tx, c->id, &now, err) < 0) {
		if (err->code != ERR_NOT_FOUND)
			return -(int)err->code;
		err_clear(err);
		return 0;
	}
	c->managed = now.managed;
	replace_str(&c->account_id, now.account_id);
	replace_str(&c->validation, now.validation);
	replace_str(&c->dns_method, now.dns_method);
	replace_str(&c->http_method, now.http_method);
	replace_str(&c->methods, now.methods);
	replace_str(&c->profile, now.profile);
	replace_str(&c->key_policy, now.key_policy);
	return 0;
}

static int flush_issued(struct sql *tx, struct run *r, struct err *err)
{
	if (r->new_certificate && store_certificate_add(tx, &r->certificate, err) < 0)
		return err_wrap(err, "could not store the certificate");
	if (r->put_certificate && keep_decisions(tx, &r->certificate, err) < 0)
		return err_wrap(err, "could not store the certificate");
	if (r->put_certificate && store_certificate_put(tx, &r->certificate, 0, err) < 0)
		return err_wrap(err, "could not store the certificate");
	if (r->has_version && store_version_add(tx, &r->version, err) < 0)
		return err_wrap(err, "could not store the certificate");
	return 0;
}

/* What is valid now, and what came to nothing: in the audit, with why. */
static int flush_audit(struct sql *tx, struct run *r, struct err *err)
{
	_cleanup_free_ char *why = xasprintf("order %" PRId64, r->o.num), *after = NULL;
	_cleanup_json_ json_t *doc = NULL;
	const char *name = r->o.names.n ? r->o.names.v[0] : NULL;
	int64_t now = engine_now(r->e);

	if (r->has_version && r->version.state == VERSION_CURRENT) {
		doc = json_pack("{s:s, s:s, s:o, s:s}", "version", r->version.id, "serial", r->version.serial ? r->version.serial : "", "not_after",
				json_time_or_null(r->version.not_after_ms), "order", r->o.id);
		after = doc ? json_text(doc) : NULL;
		return store_audit_system(tx, now, r->new_certificate ? "certificate.issue" : "certificate.replace", "certificate",
					  r->certificate.id, name, why, after, err);
	}
	if (r->end_debts && r->o.status == ORDER_INVALID) {
		_cleanup_err_ struct err reason = ERR_INIT;
		_cleanup_json_ json_t *stored = json_text_or_null(r->o.reason);

		err_from_json(stored, &reason);
		return store_audit_system(tx, now, "order.fail", "order", r->o.id, name, r->o.reason ? reason.detail : "cancelled", r->o.reason,
					  err);
	}
	return 0;
}

struct flush {
	struct run *r;
	enum lease_then then;
};

/* The account's terms were agreed to while the refusal was on its way: it speaks of before, so nothing is parked and the order looks again. */
static int drop_outdated_parks(struct sql *tx, struct run *r, int64_t now_ms, struct err *err)
{
	_cleanup_account_ struct account a = { 0 };
	size_t i = 0;

	while (i < r->n_parks && !str_starts(r->parks[i].lane, LANE_ACCOUNT))
		i++;
	if (i == r->n_parks)
		return 0;
	if (store_account_get_any(tx, r->account.id, &a, err) < 0)
		return -(int)err->code;
	if (a.tos_agreed_ms == r->account.tos_agreed_ms)
		return 0;
	r->account.tos_agreed_ms = a.tos_agreed_ms;
	free(r->parks[i].lane);
	free(r->parks[i].reason);
	r->parks[i] = r->parks[--r->n_parks];
	r->o.due_ms = now_ms;
	return 0;
}

static int flush(struct sql *tx, void *arg, struct err *err)
{
	struct flush *f = arg;
	struct run *r = f->r;
	int64_t now = engine_now(r->e);

	if (drop_outdated_parks(tx, r, now, err) < 0)
		return -(int)err->code;
	/* store_order_put is the fence: when it fails nothing of this is kept, neither what came before it */
	if (r->has_new_csr) {
		if (r->new_key.id && store_key_add(tx, &r->new_key, err) < 0)
			return err_wrap(err, "could not store the key of order %" PRId64, r->o.num);
		if (store_csr_add(tx, &r->new_csr, err) < 0)
			return err_wrap(err, "could not store the CSR of order %" PRId64, r->o.num);
	}
	if (flush_issued(tx, r, err) < 0 || (r->new_lane && store_lane_ensure(tx, r->o.lane, lane_cap(r->o.lane), err) < 0) ||
	    store_order_put(tx, &r->o, f->then, now, err) < 0)
		return -(int)err->code;
	if (r->o.step == STEP_QUEUED && store_order_wake_unheld(tx, r->o.id, now, err) < 0)
		return -(int)err->code;
	if (flush_records(tx, r, err) < 0 || person_flush(tx, r, err) < 0)
		return -(int)err->code;
	for (size_t i = 0; i < r->authz.n; i++)
		if (r->authz_dirty[i] && store_authz_put(tx, &r->authz.v[i], err) < 0)
			return -(int)err->code;
	if (r->end_debts && flush_end_debts(tx, r, err) < 0)
		return -(int)err->code;
	if (flush_deactivate_debts(tx, r, err) < 0)
		return -(int)err->code;
	for (size_t i = 0; i < r->n_parks; i++)
		if (store_lane_ensure(tx, r->parks[i].lane, lane_cap(r->parks[i].lane), err) < 0 ||
		    store_lane_park(tx, r->parks[i].lane, r->parks[i].until_ms, r->parks[i].reason, err) < 0 ||
		    cause_parked(tx, r->parks[i].lane, r->parks[i].until_ms, r->parks[i].reason, r->o.certificate_id, now, err) < 0)
			return -(int)err->code;
	if (r->refused && provider_put_refused(tx, r->e, r->refused, &r->refused_why, err) < 0)
		return -(int)err->code;
	/* cancelled while it was in work: what is published goes now, not when the lane is free again */
	if (r->n_parks && store_order_to_lane(tx, r->o.id, LANE_LOCAL, err) < 0)
		return -(int)err->code;
	if (r->drop_profile && store_order_options_drop_profile(tx, r->o.id, err) < 0)
		return -(int)err->code;
	if (r->unpark && lane_resume(tx, r->through, now, err) < 0)
		return -(int)err->code;
	for (enum order_want w = WANT_FINALIZE; w <= WANT_CANCEL; w++)
		if (r->served & BIT(w) && store_order_served(tx, &r->o, w, err) < 0)
			return -(int)err->code;
	for (size_t i = 0; i < r->events.n; i++)
		if (store_event_add(tx, &r->events.v[i], err) < 0)
			return -(int)err->code;
	if (r->o.ended_ms && renewal_order_ended(tx, r, err) < 0)
		return -(int)err->code;
	if (r->release_turn && store_order_wake_waiters(tx, r->o.id, now, err) < 0)
		return -(int)err->code;
	return flush_audit(tx, r, err);
}

/* The clock was set while this run was under way: its instants follow; what comes next is looked at at once. */
void run_follow_clock(struct run *r)
{
	int64_t shift = __atomic_load_n(&r->e->shift_ms, __ATOMIC_RELAXED), by = shift - r->shift_ms;

	if (!by)
		return;
	r->shift_ms = shift;
	if (r->o.give_up_ms)
		r->o.give_up_ms += by;
	if (r->o.look_after_ms)
		r->o.look_after_ms += by;
	r->o.step_since_ms += by;
	r->o.due_ms = engine_now(r->e);
}

int64_t run_wait(struct run *r, int64_t span_ms)
{
	if (r->retry_after_ms) {
		r->o.look_after_ms = clock_add(engine_now(r->e), r->retry_after_ms);
		span_ms = MAX(span_ms, r->retry_after_ms);
	}
	r->retry_after_ms = 0;
	return span_ms;
}

int run_flush(struct run *r, enum lease_then then, struct err *err)
{
	struct flush f = { r, then };
	int64_t now = engine_now(r->e), boot = clock_boot(r->e->clock);

	run_follow_clock(r);
	r->o.lease_until_ms = now + r->e->lease_ms;
	if (then == LEASE_END)
		r->o.starts = 0;
	if (r->end_debts)
		mark_end(r);
	if (engine_write(r->e, flush, &f, err) < 0)
		return -(int)err->code;
	r->lease_boot_ms = boot + r->e->lease_ms;
	memset(r->authz_dirty, 0, sizeof r->authz_dirty);
	memset(r->record_dirty, 0, sizeof r->record_dirty);
	event_list_done(&r->events);
	for (size_t i = 0; i < r->n_parks; i++) {
		parked_note(r->e, r->parks[i].lane, r->parks[i].until_ms);
		free(r->parks[i].lane);
		free(r->parks[i].reason);
	}
	r->n_parks = 0;
	if (r->unpark) {
		free(r->through);
		r->through = NULL;
		r->unpark = false;
	}
	replace_str(&r->refused, NULL);
	err_clear(&r->refused_why);
	if (r->has_new_csr) {
		csr_done(&r->csr);
		r->csr = TAKE(r->new_csr);
		r->has_csr = true;
		r->has_new_csr = false;
		key_row_done(&r->new_key);
	}
	r->new_lane = r->release_turn = r->end_debts = r->deactivate_debts = r->has_version = r->new_certificate = r->put_certificate = false;
	strlist_clear(&r->give_back);
	r->served = 0;
	r->person_told = r->person_over = false;
	r->dirty = false;
	return 0;
}
