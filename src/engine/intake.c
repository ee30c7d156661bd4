/* SPDX-License-Identifier: Apache-2.0 */
/* intake.c - how work comes into being; see intake.h. DESIGN 3 rule 4: one request, one order. */
#include "engine/intake.h"

#include "base/base64.h"
#include "base/json.h"
#include "base/ulid.h"
#include "crypto/digest.h"
#include "crypto/csr.h"
#include "engine/private.h"
#include "model/csr_lint.h"
#include "store/order_option.h"
#include "model/vendor.h"
#include "net/url.h"

#include <stdio.h>

/* ---- orders ---- */

/* The explicit choice for the order, if there is one. */
static const char *order_choice(const struct order_request *r)
{
	const char *method = r->validation == VALIDATION_DNS01 ? r->dns_method : r->http_method;

	return method && !streq(method, METHOD_SEVERAL) ? method : NULL;
}

int order_request_check(const struct order_request *r, struct err *err)
{
	bool dns = r->validation == VALIDATION_DNS01;
	enum key_type type;

	if (dns && r->http_method)
		return err_set_field(err, ERR_INVALID, "/http", "an order by dns-01 has no HTTP method");
	if (!dns && r->dns_method)
		return err_set_field(err, ERR_INVALID, "/dns", "an order by http-01 has no DNS method");
	/* an id is judged with the database */
	if (order_choice(r) && !publisher_find(r->validation, order_choice(r)) && strlen(order_choice(r)) != ULID_LEN)
		return err_set_field(err, ERR_INVALID, dns ? "/dns" : "/http", "there is no method '%s' for %s", order_choice(r),
				     validation_text(r->validation));
	if (r->key_type && !key_type_parse(r->key_type, &type))
		return err_set_field(err, ERR_INVALID, "/key_type", "'%s' is not a key type that we make", r->key_type);
	for (size_t i = 0; !dns && i < r->names->n; i++)
		if (str_starts(r->names->v[i], "*.")) {
			char field[32];

			snprintf(field, sizeof field, "/names/%zu", i);
			err_set_field(err, ERR_INVALID, field, "'%s' cannot be proved by http-01", r->names->v[i]);
			return err_hint(err, "Wildcard names need dns-01.");
		}
	return 0;
}

static char *hash_of(const struct strlist *parts)
{
	_cleanup_free_ char *text = strlist_join(parts, "\n");
	char hex[SHA256_HEX];

	return xstrdup(sha256_hex(text, strlen(text), hex));
}

static char *names_hash(const struct strlist *names)
{
	_cleanup_free_ char *text = names_text(names);
	char hex[SHA256_HEX];

	return xstrdup(sha256_hex(text, strlen(text), hex));
}

/* The turn: directory, account, names. The request: these, the profile and the CSR - or for an order from names what its key is like. */
static void add_options(const struct order_options *w, struct strlist *parts)
{
	char until[CLOCK_TEXT];

	if (w->profile_fallback)
		strlist_add(parts, "or without the profile");
	if (w->preferred_chain)
		strlist_add(parts, w->preferred_chain);
	if (w->not_after_ms)
		strlist_add(parts, clock_format(w->not_after_ms, until));
}

static void hashes(struct order *o, const struct account *a, const struct csr *c)
{
	_cleanup_strlist_ struct strlist parts = { 0 };
	char der[SHA256_HEX];

	strlist_add(&parts, a->directory_url);
	strlist_add(&parts, a->id);
	strlist_add(&parts, o->names_hash);
	o->turn_hash = hash_of(&parts);
	strlist_add(&parts, o->profile ? o->profile : "-");
	add_options(&o->options, &parts);
	if (c) {
		strlist_add(&parts, sha256_hex(c->der, c->der_n, der));
	} else {
		strlist_add(&parts, "names");
		strlist_add(&parts, o->key_type);
		strlist_add(&parts, validation_text(o->validation));
		strlist_add(&parts, o->requester ? o->requester : "-");
	}
	if (o->certificate_id) /* two certificates with the same names are renewed by two orders */
		strlist_add(&parts, o->certificate_id);
	o->request_hash = hash_of(&parts);
}

static int load_account(struct sql *tx, const struct order_request *r, struct account *ret, struct err *err)
{
	if (store_account_get(tx, r->account_id, ret, err) < 0) {
		if (err->code != ERR_NOT_FOUND)
			return -(int)err->code;
		err_clear(err);
		return err_set_field(err, ERR_INVALID, "/account_id", "there is no account '%s'", r->account_id);
	}
	if (ret->status != ACCOUNT_VALID)
		return err_set_field(err, ERR_INVALID, "/account_id", "account '%s' is %s", ret->name,
				     ret->status == ACCOUNT_REGISTERING ? "still being registered" : "invalid");
	return 0;
}

/* What the vendor would refuse is said now, with the field, and not by the vendor after the validation. */
static int lint(struct sql *tx, const struct order_request *r, const struct account *a, const struct csr *c, const char *key_type,
		struct err *err)
{
	_cleanup_csr_info_ struct csr_info info = { 0 };
	_cleanup_key_row_ struct key_row k = { 0 };
	struct csr_facts f = { .names = r->names, .key_type = key_type };

	if (c) {
		if (csr_parse(c->der, c->der_n, &info, err) < 0)
			return err_wrap(err, "could not read the stored CSR");
		f.from_csr = true;
		f.common_name = info.subject.cn;
		f.common_name_only = info.common_name_only;
		f.client_auth = info.client_auth;
		if (store_key_find_public(tx, c->public_hash, &k, err) == 0)
			f.account_key = k.purpose == KEY_ACCOUNT;
		else if (err->code != ERR_NOT_FOUND)
			return -(int)err->code;
		err_clear(err);
	}
	return csr_lint_check(vendor_of(a->vendor), r->profile, &f, err);
}

static int load_csr(struct sql *tx, const struct order_request *r, struct csr *ret, struct err *err)
{
	if (store_csr_get(tx, r->csr_id, ret, err) < 0) {
		if (err->code != ERR_NOT_FOUND)
			return -(int)err->code;
		err_clear(err);
		return err_set_field(err, ERR_INVALID, "/csr_id", "there is no CSR '%s'", r->csr_id);
	}
	if (r->names->n && !strlist_equal(r->names, &ret->names)) {
		_cleanup_free_ char *names = strlist_join(&ret->names, ", ");

		err_set_field(err, ERR_INVALID, "/names", "the names are not those of the CSR");
		return err_hint(err, "The CSR is for: %s.", names);
	}
	return 0;
}

static int existing(struct sql *tx, const struct order *o, struct order_taken *ret, bool *ret_found, struct err *err)
{
	_cleanup_order_ struct order there = { 0 };

	*ret_found = false;
	if (store_order_find_request(tx, o->request_hash, &there, err) < 0) {
		if (err->code != ERR_NOT_FOUND)
			return -(int)err->code;
		err_clear(err);
		return 0;
	}
	*ret = (struct order_taken){ .num = there.num, .existing = true };
	snprintf(ret->id, sizeof ret->id, "%s", there.id);
	*ret_found = true;
	return 0;
}

static int add_event(struct sql *tx, const struct order *o, const char *text, struct err *err)
{
	struct ulid id = ulid_new(o->created_ms);
	struct event ev = {
		.id = id.s, .subject_kind = (char[]){ "order" }, .subject_id = o->id, .at_ms = o->created_ms, .level = EVENT_INFO,
	};
	_cleanup_free_ char *owned = xstrdup(text);

	ev.text = owned;
	return store_event_add(tx, &ev, err);
}

/* Starts at once when nobody holds the turn, else waits for who does. */
static int take_or_wait(struct sql *tx, struct order *o, struct err *err)
{
	_cleanup_free_ char *holder = NULL, *text = NULL;
	int64_t num = 0;

	if (store_order_take_turn(tx, o, &holder, &num, err) < 0)
		return -(int)err->code;
	if (!holder) {
		o->holds_turn = true;
		return 0;
	}
	o->step = STEP_QUEUED;
	o->give_up_ms = o->created_ms + order_steps[STEP_QUEUED].give_up_ms;
	o->due_ms = o->created_ms + 5 * MINUTE_MS;
	replace_str(&o->waiting_for, holder);
	text = xasprintf("waits for order %" PRId64 ", which is under way for the same names with another CSR", num);
	if (store_order_put(tx, o, LEASE_END, o->created_ms, err) < 0)
		return -(int)err->code;
	return add_event(tx, o, text, err);
}

static void fill(struct order *o, const struct order_request *r, const struct strlist *names, const struct csr *c)
{
	o->id = xstrdup(r->id);
	o->account_id = xstrdup(r->account_id);
	o->certificate_id = xstrdup_null(r->certificate_id);
	o->csr_id = xstrdup_null(r->csr_id);
	strlist_copy(&o->names, names);
	o->names_hash = names_hash(names);
	o->validation = r->validation;
	o->profile = str_empty(r->profile) ? NULL : xstrdup(r->profile);
	o->options = r->options;
	o->options.preferred_chain = str_empty(r->options.preferred_chain) ? NULL : xstrdup(r->options.preferred_chain);
	o->key_type = xstrdup(c ? c->key_type : r->key_type ? r->key_type : key_type_text(KEY_P256));
	o->mode = r->mode;
	o->requester = xstrdup_null(r->requester);
	o->status = ORDER_PENDING;
	o->step = STEP_CREATE;
	o->give_up_ms = r->now_ms + order_steps[STEP_CREATE].give_up_ms;
	o->step_since_ms = o->created_ms = o->updated_ms = o->due_ms = r->now_ms;
	if (r->urgent)
		o->due_ms -= DAY_MS; /* the longest waiting goes first */
}

/* By the one table, with the explicit choices of the request, or of the certificate that is renewed. */
static int decide(struct sql *tx, const struct order_request *r, const struct account *a, struct order *o, struct err *err)
{
	bool dns = r->validation == VALIDATION_DNS01;
	_cleanup_name_methods_ struct name_methods decided = { 0 }, before = { 0 }, kept = { 0 };
	_cleanup_free_ char *for_all = NULL;
	struct methods_request q = {
		.names = &o->names, .validation = r->validation, .vendor = a->vendor, .order_method = order_choice(r), .chosen = r->chosen,
		.field_order = dns ? "/dns" : "/http", .field_names = "/methods",
	};

	if (r->methods) {
		if (name_methods_parse(r->methods, &before, err) < 0)
			return -(int)err->code;
		methods_explicit(&before, &kept, &for_all);
		q.chosen = &kept;
		q.order_method = for_all;
	}
	if (methods_decide(tx, &q, &decided, err) < 0)
		return -(int)err->code;
	o->methods = name_methods_text(&decided);
	replace_str(dns ? &o->dns_method : &o->http_method, methods_common(&decided));
	return 0;
}

int order_intake(struct sql *tx, const struct order_request *r, struct order_taken *ret, struct err *err)
{
	_cleanup_account_ struct account a = { 0 };
	_cleanup_csr_ struct csr c = { 0 };
	_cleanup_order_ struct order o = { 0 };
	_cleanup_strlist_ struct strlist names = { 0 };
	struct order_request with = *r;
	bool found = false;

	if (r->csr_id && load_csr(tx, r, &c, err) < 0)
		return -(int)err->code;
	if (names_canonical(r->csr_id ? &c.names : r->names, "/names", &names, err) < 0)
		return -(int)err->code;
	with.names = &names;
	if (order_request_check(&with, err) < 0 || load_account(tx, &with, &a, err) < 0)
		return -(int)err->code;
	if (!with.key_type)
		with.key_type = csr_key_type_for(vendor_of(a.vendor));
	if (lint(tx, &with, &a, r->csr_id ? &c : NULL, r->csr_id ? c.key_type : with.key_type, err) < 0)
		return -(int)err->code;
	fill(&o, &with, &names, r->csr_id ? &c : NULL);
	if (decide(tx, &with, &a, &o, err) < 0)
		return -(int)err->code;
	hashes(&o, &a, r->csr_id ? &c : NULL);
	o.lane = lane_vendor(a.directory_url);
	if (existing(tx, &o, ret, &found, err) < 0 || found)
		return err_is(err) ? -(int)err->code : 0;
	if (store_lane_ensure(tx, o.lane, lane_cap(o.lane), err) < 0 || store_order_add(tx, &o, err) < 0 ||
	    store_order_options_add(tx, o.id, &o.options, err) < 0 ||
	    add_event(tx, &o, o.certificate_id ? "renewal order made" : "order made", err) < 0 || take_or_wait(tx, &o, err) < 0)
		return -(int)err->code;
	*ret = (struct order_taken){ .num = o.num };
	snprintf(ret->id, sizeof ret->id, "%s", o.id);
	return 0;
}

int order_want_finalize(struct sql *tx, const char *id, int64_t now_ms, struct err *err)
{
	_cleanup_order_ struct order o = { 0 };

	if (store_order_get(tx, id, &o, err) < 0)
		return -(int)err->code;
	if (o.finalize_sent && !o.ended_ms)
		return store_order_resume(tx, id, now_ms, err); /* it is under way, or was set aside */
	if (o.status != ORDER_READY)
		return err_set(err, ERR_CONFLICT, "order %" PRId64 " is %s, not ready", o.num, order_status_text(o.status));
	if (store_order_resume(tx, id, now_ms, err) < 0)
		return -(int)err->code;
	return store_order_ask(tx, id, WANT_FINALIZE, now_ms, now_ms, err);
}

/* What the reason of a waiting order says about when to come again. */
static int64_t stored_retry(const struct order *o)
{
	_cleanup_json_ json_t *j = o->reason ? json_text_or_null(o->reason) : NULL;
	const char *at = json_string_value(json_object_get(j, "retry_at"));
	_cleanup_err_ struct err err = { 0 };
	int64_t ms = 0;

	if (!at || clock_parse(at, &ms, &err) < 0)
		return 0;
	return ms;
}

/* A wait that somebody outside asked for is not cut short by a person; one of our own is, every five seconds. */
static int too_early(const struct order *o, int64_t now_ms, struct err *err)
{
	int64_t told = MAX(stored_retry(o), o->look_after_ms), until = MAX(told, o->want_refresh ? o->want_refresh + 5 * SECOND_MS : 0);
	char when[CLOCK_TEXT];

	if (until <= now_ms)
		return 0;
	err_set(err, ERR_TOO_MANY, "order %" PRId64 " cannot be looked at before %s", o->num, clock_format(until, when));
	err->retry_at_ms = until;
	if (told == until)
		err_hint(err, "The authority asked not to be asked again before then; the order is looked at by itself when that time has come.");
	return -ERR_TOO_MANY;
}

int order_want_refresh(struct sql *tx, const char *id, int64_t now_ms, struct err *err)
{
	_cleanup_order_ struct order o = { 0 };

	if (store_order_get(tx, id, &o, err) < 0)
		return -(int)err->code;
	if (o.ended_ms)
		return 0;
	if (too_early(&o, now_ms, err) < 0 || store_order_resume(tx, id, now_ms, err) < 0)
		return -(int)err->code;
	return store_order_ask(tx, id, WANT_REFRESH, now_ms, now_ms, err);
}

int order_want_go_on(struct sql *tx, const char *id, int64_t now_ms, struct err *err)
{
	_cleanup_order_ struct order o = { 0 };

	if (store_order_get(tx, id, &o, err) < 0)
		return -(int)err->code;
	if (o.ended_ms || o.step != STEP_PROPAGATE)
		return err_set(err, ERR_CONFLICT, "order %" PRId64 " does not wait for its records to be seen", o.num);
	return store_order_go_on(tx, id, now_ms, err);
}

int order_delete(struct sql *tx, const char *id, int64_t now_ms, struct err *err)
{
	/* its authority may be parked for days: what is published goes now */
	if (store_order_delete(tx, id, now_ms, err) < 0 || store_lane_ensure(tx, LANE_LOCAL, lane_cap(LANE_LOCAL), err) < 0 ||
	    store_order_to_lane(tx, id, LANE_LOCAL, err) < 0)
		return -(int)err->code;
	return store_order_resume(tx, id, now_ms, err); /* one that was set aside is cancelled, too */
}

/* ---- accounts ---- */

void account_prepared_done(struct account_prepared *p)
{
	account_done(&p->account);
	key_row_done(&p->key);
	job_done(&p->job);
}

static int vendor_check(const struct account_request *r, const struct vendor *v, struct err *err)
{
	if (r->eab_fetch && (!v || !v->eab_url))
		return err_set_field(err, ERR_INVALID, "/eab_from", "%s hands its values out in its own pages only", v ? v->title : "this authority");
	if (!v)
		return 0;
	if (v->discontinued)
		return err_set_field(err, ERR_INVALID, "/vendor", "%s", v->discontinued);
	if (r->key_pem) /* what the account needed to be made, it had then */
		return 0;
	if (v->contact_required && str_empty(r->email))
		return err_set_field(err, ERR_INVALID, "/email", "%s wants an e-mail address", v->title);
	if (v->eab_required && !r->eab_kid && !r->eab_fetch) {
		err_set_field(err, ERR_INVALID, "/eab_kid", "%s wants an external account binding", v->title);
		return v->eab_help ? err_hint(err, "Where to find it: %s.", v->eab_help) : -ERR_INVALID;
	}
	return 0;
}

static void job_fill(struct job *j, const char *id, enum job_kind kind, const char *subject_kind, const char *subject_id,
		     const char *args, const char *directory_url, const char *created_by, int64_t now_ms)
{
	*j = (struct job){
		.id = xstrdup(id), .kind = kind, .subject_kind = xstrdup_null(subject_kind), .subject_id = xstrdup_null(subject_id),
		.args = xstrdup(args ? args : "{}"), .state = JOB_QUEUED,
		.lane = directory_url ? lane_vendor(directory_url) : xstrdup(LANE_LOCAL), .due_ms = now_ms,
		.created_by = xstrdup_null(created_by), .created_ms = now_ms, .updated_ms = now_ms,
	};
}

int directory_url_check(const char *url, struct err *err)
{
	_cleanup_url_ struct url u = { 0 };
	_cleanup_err_ struct err why = ERR_INIT;

	if (strlen(url) <= LIMIT_CA_URL && url_parse(url, false, &u, &why) == 0)
		return 0;
	err_set_field(err, ERR_INVALID, "/directory_url", "is not a directory URL%s%s", why.detail ? ": " : "", why.detail ? why.detail : "");
	return err_hint(err, "It begins with https:// and is used exactly as it is given.");
}

static int check_account(const struct account_request *r, const struct vendor *v, const char *url, struct err *err)
{
	if (!v && !streq(r->vendor, VENDOR_CUSTOM))
		return err_set_field(err, ERR_INVALID, "/vendor", "there is no vendor '%s'", r->vendor);
	if (!url)
		return err_set_field(err, ERR_INVALID, "/directory_url", "a vendor of your own needs a directory URL");
	if (directory_url_check(url, err) < 0)
		return -(int)err->code;
	if (!!r->eab_kid != !!r->eab_hmac)
		return err_set_field(err, ERR_INVALID, r->eab_kid ? "/eab_hmac_key" : "/eab_kid", "key identifier and HMAC key belong together");
	if (r->key_pem && (r->eab_kid || r->eab_fetch))
		return err_set_field(err, ERR_INVALID, "/account_key", "an account that exists needs no external account binding");
	return vendor_check(r, v, err);
}

/* The HMAC key, or what it is going to be asked for with; opened by the registering job alone. */
static int seal_eab(struct keys *k, const struct account_request *r, struct account *a, struct err *err)
{
	const struct secret *what = r->eab_hmac ? r->eab_hmac : r->eab_fetch ? r->eab_access_key : NULL;
	struct key_place place = { "account", a->id, "eab_sealed" };
	_cleanup_buf_wipe_ struct buf mac = BUF_MAX(1024);
	unsigned char *sealed = NULL;

	if (!what)
		return 0;
	if (r->eab_hmac && (base64_decode_any(&mac, (const char *)what->p, what->n, err) < 0 || !mac.n)) {
		err_clear(err);
		err_set_field(err, ERR_INVALID, "/eab_hmac_key", "the HMAC key is neither base64url nor base64 text");
		return err_hint(err, "Paste it as the vendor shows it, with or without the = at its end.");
	}
	if (keys_seal(k, what, &place, &sealed, &a->eab_sealed_n, err) < 0)
		return err_wrap(err, "could not seal the %s", r->eab_hmac ? "HMAC key" : "access key");
	a->eab_sealed = sealed;
	a->eab_bytes = (int64_t)mac.n;
	return 0;
}

static int account_key(struct keys *k, const struct account_request *r, const char *id, const char *url, struct key_row *ret, struct err *err)
{
	_cleanup_key_made_ struct key_made made = { 0 };
	struct key_place place = { "key", id, "sealed" };

	if (r->key_pem && keys_import(k, KEY_ACCOUNT, r->key_pem, &place, url, &made, err) < 0) {
		replace_str(&err->field, "/account_key");
		return err_wrap(err, "could not import the account's key");
	}
	if (!r->key_pem && keys_generate(k, KEY_ACCOUNT, KEY_P256, &place, url, &made, err) < 0)
		return err_wrap(err, "could not make the account's key");
	*ret = (struct key_row){
		.id = xstrdup(id), .purpose = KEY_ACCOUNT, .type = xstrdup(made.type.s), .public_hash = xstrdup(made.public_hash),
		.sealed = xmemdup(made.sealed, made.sealed_n), .sealed_n = made.sealed_n, .created_ms = r->now_ms,
	};
	return 0;
}

int account_prepare(struct keys *k, const struct account_request *r, struct account_prepared *ret, struct err *err)
{
	const struct vendor *v = vendor_find(r->vendor);
	const char *url = r->directory_url ? r->directory_url : v ? v->directory_url : NULL;
	_cleanup_account_prepared_ struct account_prepared p = { 0 };
	struct ulid id = ulid_new(r->now_ms), key_id = ulid_new(r->now_ms), job_id = ulid_new(r->now_ms);
	_cleanup_json_ json_t *args = json_pack("{s:b, s:b}", "import", r->key_pem != NULL, "eab_fetch", r->eab_fetch);
	_cleanup_free_ char *args_text = NULL;

	if (check_account(r, v, url, err) < 0 || account_key(k, r, key_id.s, url, &p.key, err) < 0)
		return -(int)err->code;
	p.account = (struct account){
		.id = xstrdup(id.s), .vendor = xstrdup(r->vendor), .directory_url = xstrdup(url), .email = xstrdup(r->email ? r->email : ""),
		.status = ACCOUNT_REGISTERING, .key_id = xstrdup(key_id.s), .eab_kid = xstrdup_null(r->eab_kid), .automatic = r->automatic,
		.connection = xstrdup_null(r->connection), .tos_agreed_ms = r->tos_agreed ? r->now_ms : 0, .created_ms = r->now_ms,
		.updated_ms = r->now_ms,
	};
	p.account.name = !str_empty(r->name) ? xstrdup(r->name) : account_default_name(r->email, r->vendor);
	if (seal_eab(k, r, &p.account, err) < 0)
		return -(int)err->code;
	if (r->terms_url)
		json_object_set_new(args, "terms_url", json_string(r->terms_url));
	args_text = json_text(args);
	job_fill(&p.job, job_id.s, JOB_ACCOUNT_REGISTER, "account", id.s, args_text, url, r->created_by, r->now_ms);
	*ret = TAKE(p);
	return 0;
}

/* An imported key may be anything; an account's key is nobody else's (RFC 8555 11.1). */
static int key_is_new(struct sql *tx, const struct key_row *k, struct err *err)
{
	_cleanup_key_row_ struct key_row there = { 0 };
	_cleanup_err_ struct err why = ERR_INIT;
	bool used = false;

	if (store_key_find_public(tx, k->public_hash, &there, &why) == 0)
		return err_set_field(err, ERR_CONFLICT, "/account_key", "this key is here already, as the key of %s",
				     there.purpose == KEY_ACCOUNT ? "an account" : "a certificate or of this server");
	if (why.code != ERR_NOT_FOUND)
		return err_move(err, &why);
	if (store_csr_uses_public(tx, k->public_hash, &used, err) < 0)
		return -(int)err->code;
	return used ? err_set_field(err, ERR_CONFLICT, "/account_key", "this is the key of a CSR; an account needs a key of its own") : 0;
}

int account_intake(struct sql *tx, struct account_prepared *p, struct err *err)
{
	if (key_is_new(tx, &p->key, err) < 0 || store_key_add(tx, &p->key, err) < 0 || store_account_add(tx, &p->account, err) < 0 ||
	    store_lane_ensure(tx, p->job.lane, lane_cap(p->job.lane), err) < 0)
		return -(int)err->code;
	return store_job_add(tx, &p->job, err);
}

/* ---- jobs ---- */

int job_intake(struct sql *tx, const struct job_request *r, char ret_id[27], struct err *err)
{
	_cleanup_job_ struct job j = { 0 }, there = { 0 };

	if (r->subject_id) {
		if (store_job_find_live(tx, r->kind, r->subject_id, &there, err) == 0) {
			snprintf(ret_id, 27, "%s", there.id);
			return 0;
		}
		if (err->code != ERR_NOT_FOUND)
			return -(int)err->code;
		err_clear(err);
	}
	job_fill(&j, r->id, r->kind, r->subject_kind, r->subject_id, r->args, r->lane_url, r->created_by, r->now_ms);
	if (r->lane)
		replace_str(&j.lane, r->lane);
	if (store_lane_ensure(tx, j.lane, lane_cap(j.lane), err) < 0 || store_job_add(tx, &j, err) < 0)
		return -(int)err->code;
	snprintf(ret_id, 27, "%s", j.id);
	return 0;
}

int csr_intake(struct sql *tx, const struct csr_intake_request *r, char ret_job_id[27], struct err *err)
{
	const struct csr_subject none = { 0 }, *s = r->subject ? r->subject : &none;
	json_t *args = json_pack("{s:s, s:o, s:s, s:{s:o, s:o, s:o, s:o, s:o}}", "csr_id", r->csr_id, "names", json_strlist(r->names),
				 "key_type", key_type_text(r->key_type), "subject", "o", json_str_or_null(s->o), "ou",
				 json_str_or_null(s->ou), "c", json_str_or_null(s->c), "l", json_str_or_null(s->l), "st",
				 json_str_or_null(s->st));
	_cleanup_free_ char *text = json_text(args);
	_cleanup_job_ struct job j = { 0 };

	json_decref(args);
	job_fill(&j, r->job_id, JOB_CSR_CREATE, "csr", r->csr_id, text, NULL, r->created_by, r->now_ms);
	if (store_lane_ensure(tx, j.lane, lane_cap(j.lane), err) < 0 || store_job_add(tx, &j, err) < 0)
		return -(int)err->code;
	snprintf(ret_job_id, 27, "%s", j.id);
	return 0;
}

/* ---- delegations ---- */

static char *zone_of(const char *name)
{
	return xasprintf("_acme-challenge.%s", str_starts(name, "*.") ? name + 2 : name);
}

int delegation_intake(struct sql *tx, struct delegation *d, bool *ret_made, struct err *err)
{
	_cleanup_free_ char *zone = zone_of(d->name);
	int64_t seq;

	if (store_delegation_ensure(tx, d, ret_made, err) < 0)
		return -(int)err->code;
	if (d->provider_id)
		return 0; /* nobody asks us about it */
	return store_feed_item_put(tx, EDGE_ZONE, zone, "", 60, d->created_ms, &seq, err);
}

int delegation_remove(struct sql *tx, const char *id, int64_t now_ms, struct err *err)
{
	_cleanup_(delegation_done) struct delegation d = { 0 };
	_cleanup_free_ char *zone = NULL;

	if (store_delegation_get(tx, id, &d, err) < 0)
		return -(int)err->code;
	zone = zone_of(d.name);
	if (store_delegation_delete(tx, id, now_ms, err) < 0)
		return -(int)err->code;
	return store_feed_item_del(tx, EDGE_ZONE, zone, "", now_ms, NULL, err);
}
