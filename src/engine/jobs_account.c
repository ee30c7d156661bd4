/* SPDX-License-Identifier: Apache-2.0 */
/*
 * jobs_account.c - what is done about accounts at their authorities: register or find, refresh, contact, terms, close (RFC 8555 7.3).
 * newAccount is sent by job_account_register only, which only a person starts; a renewal never does.
 */
#include "engine/notice.h"
#include "engine/private.h"

#include "base/base64.h"
#include "base/crash.h"
#include "model/vendor.h"
#include "net/url.h"
#include "store/vendor.h"

#define REFRESH_EVERY_MS DAY_MS
#define CHECK_EVERY_MS (7 * DAY_MS)
#define WATCH_EVERY_MS HOUR_MS
#define REFRESHES_MAX 20 /* per look, so that a thousand accounts are spread over the day */

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
	key_row_done(&r->next_key);
	if (store_account_get_any(q, a->id, &r->account, err) < 0 || store_key_get(q, r->account.key_id, &r->key, err) < 0)
		return -(int)err->code;
	return r->account.next_key_id ? store_key_get(q, r->account.next_key_id, &r->next_key, err) : 0;
}

struct way_of {
	const char *directory_url;
	char *connection; /* owned */
};

static int load_way(struct sql *q, void *arg, struct err *err)
{
	struct way_of *w = arg;

	replace_str(&w->connection, NULL);
	return store_account_connection(q, w->directory_url, &w->connection, err);
}

/* A directory that is read for nobody in particular is reached as its newest account reaches it. */
static struct http *way_to(struct job_run *r, const char *directory_url, struct err *err)
{
	struct way_of w = { .directory_url = directory_url };
	struct http *http = NULL;

	if (r->account.id)
		return way_open(&r->way, r->w->http, r->account.connection, directory_url, err);
	if (engine_read(r->e, load_way, &w, err) == 0)
		http = way_open(&r->way, r->w->http, w.connection, directory_url, err);
	free(w.connection);
	return http;
}

int job_session_open(struct job_run *r, const char *directory_url, struct err *err)
{
	struct http *http;
	struct acme_ca *ca;

	acme_session_done(&r->session);
	http = way_to(r, directory_url, err);
	if (!http || acme_ca_get(r->e->cas, directory_url, &ca, err) < 0)
		return -(int)err->code;
	if (r->key.id)
		signer_init(&r->signer, r->e->o.keys, &r->key, &r->account);
	r->gate = (struct gate){ .e = r->e, .directory_url = directory_url, .vendor = r->account.vendor };
	r->session = (struct acme_session){
		.ca = ca, .http = http, .signer = r->key.id ? &r->signer.acme : NULL, .account_url = r->account.url,
		.clock = r->e->clock, .gate = lane_gate, .gate_data = &r->gate,
		.deadline_boot_ms = engine_deadline(r->e, r->lease_boot_ms),
	};
	return 0;
}

int job_account_open(struct job_run *r, const char *account_id, struct err *err)
{
	struct account_of a = { r, account_id };

	if (engine_read(r->e, load_account, &a, err) < 0)
		return err_wrap(err, "could not read the account");
	if (!r->key.sealed)
		return err_set(err, ERR_NEEDS_PERSON, "the key of account '%s' was destroyed", r->account.name);
	return job_session_open(r, r->account.directory_url, err);
}

int job_account_subject(struct job_run *r, struct err *err)
{
	if (!r->j.subject_id)
		return err_set(err, ERR_INTERNAL, "the job names no account");
	r->result = json_pack("{s:s}", "account_id", r->j.subject_id);
	return job_account_open(r, r->j.subject_id, err);
}

/* An account that must be there at the authority for what is wanted. */
static int open_registered(struct job_run *r, struct err *err)
{
	if (job_account_subject(r, err) < 0)
		return -(int)err->code;
	if (!r->account.url)
		return err_set(err, ERR_CONFLICT, "account '%s' is not registered", r->account.name);
	return 0;
}

int job_mine(struct sql *tx, const struct job_run *r, struct err *err)
{
	_cleanup_job_ struct job there = { 0 };

	if (store_job_get(tx, r->j.id, &there, err) < 0)
		return -(int)err->code;
	return there.gen == r->j.gen ? 0 : err_set(err, ERR_LOST_LEASE, "somebody else carries on with job '%s'", r->j.id);
}

static int put_result(struct sql *tx, void *arg, struct err *err)
{
	struct job_run *r = arg;

	return store_account_result(tx, &r->account, engine_now(r->e), err);
}

void job_account_set(struct job_run *r, enum account_status status, const struct err *why)
{
	r->account.status = status;
	free(r->account.reason);
	r->account.reason = why ? err_to_json_text(why) : NULL;
	r->also = put_result;
}

/* ---- registering ---- */

static bool arg_is(const struct job_run *r, const char *name)
{
	return json_is_true(json_object_get(r->args, name));
}

static const char *arg_text(const struct job_run *r, const char *name)
{
	return json_string_value(json_object_get(r->args, name));
}

/* The terms a person has read are the ones that are agreed to; what the directory has now may be others. */
static int agree(struct job_run *r, const struct acme_directory *d, struct err *err)
{
	const struct vendor *v = vendor_of(r->account.vendor);
	const char *read = arg_text(r, "terms_url");

	if (d->tos_url)
		replace_str(&r->account.tos_url, d->tos_url);
	if (d->tos_url && !r->account.tos_agreed_ms) {
		err_set(err, ERR_INVALID, "the authority's terms of service have to be agreed to: %s", d->tos_url);
		return err_hint(err, "Read them, and register with the agreement given.");
	}
	if (d->tos_url && read && !streq(read, d->tos_url)) {
		err_set(err, ERR_INVALID, "the terms that were agreed to (%s) are not the authority's present ones", read);
		return err_hint(err, "Read %s, and register again.", d->tos_url);
	}
	if ((d->eab_required || vendor_has(v, QUIRK_EAB_UNSAID)) && !r->account.eab_kid) {
		err_set(err, ERR_INVALID, "the authority wants an external account binding: a key identifier and an HMAC key");
		return v->eab_help ? err_hint(err, "Where to find them: %s.", v->eab_help) : -ERR_INVALID;
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

static int keep_eab(struct sql *tx, void *arg, struct err *err)
{
	struct job_run *r = arg;

	if (job_mine(tx, r, err) < 0)
		return -(int)err->code;
	return store_account_result(tx, &r->account, engine_now(r->e), err);
}

/* {"success":1,"eab_kid":"...","eab_hmac_key":"..."} or {"success":0,"error":{"code":2902,"type":"..."}} */
static int read_eab(struct job_run *r, const struct http_response *h, struct err *err)
{
	_cleanup_json_ json_t *doc = NULL;
	_cleanup_err_ struct err bad = ERR_INIT;
	_cleanup_buf_wipe_ struct buf mac = BUF_MAX(1024);
	struct key_place place = { "account", r->account.id, "eab_sealed" };
	const char *kid, *key, *type;
	struct secret text = { 0 };
	unsigned char *sealed = NULL;
	size_t sealed_n = 0;
	json_t *error;

	if (json_parse(buf_text(&h->body), h->body.n, &doc, &bad) < 0)
		return err_set(err, h->status >= 500 ? ERR_REMOTE_BUSY : ERR_REMOTE_BAD, "ZeroSSL answered with status %d and no JSON", h->status);
	kid = json_string_value(json_object_get(doc, "eab_kid"));
	key = json_string_value(json_object_get(doc, "eab_hmac_key"));
	error = json_object_get(doc, "error");
	type = json_string_value(json_object_get(error, "type"));
	if (str_empty(kid) || str_empty(key) || strlen(kid) > 512 || base64_decode_any(&mac, key, strlen(key), &bad) < 0 || !mac.n) {
		_cleanup_free_ char *clean = type ? str_clean(type, strlen(type), 100) : NULL;
		int64_t code = json_integer_value(json_object_get(error, "code"));

		if (code == 2904 || code == 2905)
			return err_set(err, ERR_REMOTE_LIMIT, "ZeroSSL hands out no more credentials today (%s)", clean ? clean : "limit");
		err_set(err, h->status >= 500 ? ERR_REMOTE_BUSY : ERR_REMOTE_REFUSED, "ZeroSSL handed out no credentials (%s)",
			clean ? clean : "no reason given");
		return err_hint(err, "Check the e-mail address or the access key, or copy the values from the dashboard.");
	}
	text.p = (unsigned char *)(uintptr_t)key; /* borrowed from the document, whose memory is wiped */
	text.n = strlen(key);
	if (keys_seal(r->e->o.keys, &text, &place, &sealed, &sealed_n, err) < 0)
		return err_wrap(err, "could not seal the HMAC key");
	free(r->account.eab_sealed);
	r->account.eab_sealed = sealed;
	r->account.eab_sealed_n = sealed_n;
	r->account.eab_bytes = (int64_t)mac.n;
	replace_str(&r->account.eab_kid, kid);
	return 0;
}

/* With the access key that is sealed where the HMAC key is going to be, or by the e-mail address alone. */
static int ask_eab(struct job_run *r, struct http_response *ret, struct err *err)
{
	const char *base = vendor_of(r->account.vendor)->eab_url;
	struct key_handle sealed = { "account", r->account.id, "eab_sealed", r->account.eab_sealed, r->account.eab_sealed_n };
	_cleanup_buf_wipe_ struct buf url = BUF_MAX(4096), body = BUF_MAX(4096);
	_cleanup_secret_ struct secret access = { 0 };
	struct http_request q = { .method = HTTP_POST, .content_type = "application/x-www-form-urlencoded", .timeout_ms = 20 * SECOND_MS };

	if (!base)
		return err_set(err, ERR_INTERNAL, "'%s' hands no external accounts out", r->account.vendor);
	buf_add_str(&url, base);
	if (r->account.eab_sealed) {
		if (keys_open_credential(r->e->o.keys, &sealed, &access, err) < 0)
			return err_wrap(err, "could not open the access key");
		buf_add_str(&url, "/acme/eab-credentials?access_key=");
		url_escape(&url, (const char *)access.p, access.n);
	} else {
		buf_add_str(&url, "/acme/eab-credentials-email");
		buf_add_str(&body, "email=");
		url_escape(&body, r->account.email, strlen(r->account.email));
	}
	if (buf_check(&url, err) < 0 || buf_check(&body, err) < 0)
		return -(int)err->code;
	q.url = buf_text(&url);
	q.body = (struct str){ buf_text(&body), body.n };
	return http_do(r->w->http, &q, ret, err);
}

/* ZeroSSL's external account, asked for with one click; stored before it is used. */
static int fetch_eab(struct job_run *r, struct err *err)
{
	_cleanup_http_ struct http_response h = { 0 };
	_cleanup_err_ struct err why = ERR_INIT;

	if (ask_eab(r, &h, &why) < 0) { /* the URL may hold the access key: of the reason only the class is told */
		err_set(err, why.code, "could not reach ZeroSSL for external account credentials (%s)", net_leg_text(h.leg));
		err->retry_at_ms = why.retry_at_ms;
		return -(int)err->code;
	}
	if (read_eab(r, &h, err) < 0 || engine_write(r->e, keep_eab, r, err) < 0)
		return err_wrap(err, "could not get external account credentials");
	CRASH_POINT_OF("job", "eab-fetched", r->account.email);
	return job_session_open(r, r->account.directory_url, err);
}

/*
 * The account of the key, if the authority has one: after a crash, and where a key that is bound already is refused instead of found.
 * An authority that does not answer the question is registered at.
 */
static int look_first(struct job_run *r, struct acme_account *ret, bool *ret_found, struct err *err)
{
	_cleanup_err_ struct err why = ERR_INIT;

	*ret_found = acme_account_find(&r->session, ret, &why) == 0;
	if (*ret_found || why.code == ERR_NOT_FOUND || why.code == ERR_REMOTE_REFUSED || why.code == ERR_NEEDS_PERSON || why.code == ERR_INVALID)
		return 0;
	return err_move(err, &why);
}

/*
 * Held back by our own gate, the job begins anew, and looks first again: with room for one request of the two it would never come to
 * the second.
 */
static void wait_for_both(struct job_run *r, struct err *err)
{
	if (r->session.refusal.gated)
		err->retry_at_ms = MAX(err->retry_at_ms, engine_now(r->e) + 5 * SECOND_MS);
}

static int put_registered(struct sql *tx, void *arg, struct err *err)
{
	struct job_run *r = arg;

	return put_result(tx, arg, err) < 0 ? -(int)err->code : job_vendor_keep(tx, r, r->account.directory_url, err);
}

static int registered(struct job_run *r, const struct acme_account *a, bool created, struct err *err)
{
	if (a->status != ACME_ACCOUNT_VALID)
		return err_set(err, ERR_REMOTE_REFUSED, "the authority calls the account %s", acme_account_status_text(a->status));
	replace_str(&r->account.url, a->url);
	free(r->account.eab_sealed); /* it has served */
	r->account.eab_sealed = NULL;
	r->account.eab_sealed_n = 0;
	r->account.refreshed_ms = engine_now(r->e);
	job_account_set(r, ACCOUNT_VALID, NULL);
	r->also = put_registered;
	job_tell(r, "account", r->account.id, EVENT_INFO, "%s",
		 arg_is(r, "import") ? "imported: the authority knows the key" :
		 created	     ? "registered" :
				       "registered before; the authority knew the key");
	return 0;
}

/*
 * The key was stored with the account row, before anything was sent: after a crash the same key finds the account that was made
 * (RFC 8555 7.3.1). The URL is stored before anything else is done with it.
 */
int job_account_register(struct job_run *r, struct err *err)
{
	_cleanup_acme_directory_ struct acme_directory d = { 0 };
	_cleanup_acme_account_ struct acme_account a = { 0 };
	_cleanup_strlist_ struct strlist contacts = { 0 };
	struct acme_registration q = { .contacts = &contacts };
	bool import = false, found = false;

	if (job_account_subject(r, err) < 0)
		return -(int)err->code;
	if (r->account.url && r->account.status == ACCOUNT_VALID)
		return 0;
	if (r->account.deleted_ms)
		return err_set(err, ERR_NOT_FOUND, "account '%s' was deleted", r->account.name);
	if (registration_waits(r))
		return 0;
	import = arg_is(r, "import");
	if (arg_is(r, "eab_fetch") && !r->account.eab_kid && fetch_eab(r, err) < 0)
		return -(int)err->code;
	if (acme_directory_get(&r->session, &d, err) < 0)
		return err_wrap(err, "could not read the directory %s", r->account.directory_url);
	json_object_set_new(r->result, "facts", job_vendor_facts(&d));
	if (import) {
		if (acme_account_find(&r->session, &a, err) < 0)
			return err_wrap(err, "could not find the account of the imported key");
		return registered(r, &a, false, err);
	}
	if (agree(r, &d, err) < 0)
		return -(int)err->code;
	if ((r->j.starts > 1 || r->j.attempts || vendor_has(vendor_of(r->account.vendor), QUIRK_EAB_ONCE)) &&
	    look_first(r, &a, &found, err) < 0)
		return err_wrap(err, "could not look for account '%s'", r->account.name);
	if (found)
		return registered(r, &a, false, err);
	if (!str_empty(r->account.email))
		strlist_add(&contacts, r->account.email);
	q.tos_agreed = r->account.tos_agreed_ms != 0;
	q.eab = r->account.eab_kid != NULL;
	if (acme_account_register(&r->session, &q, &a, err) < 0) {
		wait_for_both(r, err);
		return err_wrap(err, "could not register account '%s'", r->account.name);
	}
	return registered(r, &a, a.created, err);
}

/* ---- refreshing, contact, terms ---- */

/* It is an alarm for whoever has certificates there; the notice ends when the account is valid again, or gives them to another. */
static int put_invalid(struct sql *tx, void *arg, struct err *err)
{
	struct job_run *r = arg;
	_cleanup_free_ char *cause = xasprintf("account '%s' is no longer valid at its authority: its certificates cannot be renewed with it",
					       r->account.name);

	if (put_result(tx, arg, err) < 0)
		return -(int)err->code;
	return notice_raise(tx, &(struct notice_cause){ .kind = NOTICE_ACCOUNT, .subject_kind = "account", .subject_id = r->account.id,
							.cause = cause,
							.next_step = "Register another account, and delete this one with the other as the one that takes over.",
							.now_ms = engine_now(r->e) }, err);
}

static int put_valid_again(struct sql *tx, void *arg, struct err *err)
{
	struct job_run *r = arg;

	if (put_result(tx, arg, err) < 0)
		return -(int)err->code;
	return notice_end(tx, NOTICE_ACCOUNT, "account", r->account.id, engine_now(r->e), err);
}

static int status_seen(struct job_run *r, enum acme_account_status status)
{
	enum account_status before = r->account.status;
	_cleanup_err_ struct err why = { 0 };

	json_object_set_new(r->result, "status", json_string(acme_account_status_text(status)));
	r->account.refreshed_ms = engine_now(r->e);
	if (status == ACME_ACCOUNT_VALID) {
		job_account_set(r, ACCOUNT_VALID, NULL);
		if (before != ACCOUNT_VALID) {
			job_tell(r, "account", r->account.id, EVENT_INFO, "the authority calls the account valid");
			r->also = put_valid_again;
		}
		return 0;
	}
	err_set(&why, ERR_REMOTE_REFUSED, "the authority calls the account %s", acme_account_status_text(status));
	job_account_set(r, ACCOUNT_INVALID, &why);
	if (before == ACCOUNT_VALID) {
		job_tell(r, "account", r->account.id, EVENT_ERROR, "the authority calls the account %s", acme_account_status_text(status));
		r->also = put_invalid;
	}
	return 0;
}

int job_account_refresh(struct job_run *r, struct err *err)
{
	_cleanup_acme_account_ struct acme_account a = { 0 };
	bool by_key;
	int rc;

	if (open_registered(r, err) < 0)
		return -(int)err->code;
	if (r->account.next_key_id) /* which key is the account's is not known: the rollover finds out */
		return err_set(err, ERR_BUSY, "the key of account '%s' is being changed", r->account.name);
	by_key = vendor_has(vendor_of(r->account.vendor), QUIRK_NO_ACCOUNT_READ);
	rc = by_key ? acme_account_find(&r->session, &a, err) : acme_account_get(&r->session, &a, err);
	/* deactivated accounts are refused, or not found by their key: that is an answer */
	if (rc < 0 && (err->code == ERR_NEEDS_PERSON || err->code == ERR_NOT_FOUND) &&
	    r->session.refusal.scope != ACME_SCOPE_VENDOR && !r->session.refusal.tos_url) {
		err_clear(err);
		return status_seen(r, ACME_ACCOUNT_DEACTIVATED);
	}
	if (rc < 0)
		return err_wrap(err, "could not read account '%s'", r->account.name);
	return status_seen(r, a.status);
}


static int put_contact(struct sql *tx, void *arg, struct err *err)
{
	struct job_run *r = arg;
	const char *email = arg_text(r, "email");
	_cleanup_account_ struct account now = { 0 };
	_cleanup_free_ char *was = NULL, *name = NULL;

	if (store_account_get_any(tx, r->account.id, &now, err) < 0)
		return -(int)err->code;
	was = account_default_name(now.email, now.vendor);
	name = streq(was, now.name) ? account_default_name(email, now.vendor) : xstrdup(now.name);
	return store_account_contact(tx, now.id, email, name, engine_now(r->e), err);
}

int job_account_contact(struct job_run *r, struct err *err)
{
	_cleanup_acme_account_ struct acme_account a = { 0 };
	_cleanup_strlist_ struct strlist contacts = { 0 };
	const char *email = arg_text(r, "email");
	const struct vendor *v;

	if (open_registered(r, err) < 0)
		return -(int)err->code;
	if (!email)
		return err_set(err, ERR_INTERNAL, "the job names no address");
	v = vendor_of(r->account.vendor);
	if (*email)
		strlist_add(&contacts, email);
	r->also = put_contact;
	if (vendor_has(v, QUIRK_CONTACT_DROPPED)) {
		job_tell(r, "account", r->account.id, EVENT_INFO, "e-mail address is '%s' here; %s keeps none", email, v->title);
		return 0;
	}
	if (acme_account_update(&r->session, &contacts, false, &a, err) < 0)
		return err_wrap(err, "could not change the contact of account '%s'", r->account.name);
	job_tell(r, "account", r->account.id, EVENT_INFO, "e-mail address is '%s'", email);
	return 0;
}

/* The terms have changed and a person agreed to them (RFC 8555 7.3.3); what waited for that goes on. */
static int put_agreed(struct sql *tx, void *arg, struct err *err)
{
	struct job_run *r = arg;
	_cleanup_free_ char *lane = xasprintf(LANE_ACCOUNT "%s", r->account.id);

	if (put_result(tx, arg, err) < 0)
		return -(int)err->code;
	return lane_resume(tx, lane, engine_now(r->e), err);
}

int job_account_agree(struct job_run *r, struct err *err)
{
	_cleanup_acme_directory_ struct acme_directory d = { 0 };
	_cleanup_acme_account_ struct acme_account a = { 0 };
	const char *read = arg_text(r, "terms_url");

	if (open_registered(r, err) < 0)
		return -(int)err->code;
	acme_ca_forget_directory(r->session.ca); /* the terms of today are what is agreed to */
	if (acme_directory_get(&r->session, &d, err) < 0)
		return err_wrap(err, "could not read the directory %s", r->account.directory_url);
	if (d.tos_url && read && !streq(read, d.tos_url)) {
		err_set(err, ERR_INVALID, "the terms that were agreed to (%s) are not the authority's present ones", read);
		return err_hint(err, "Read %s, and agree to those.", d.tos_url);
	}
	if (acme_account_update(&r->session, NULL, true, &a, err) < 0)
		return err_wrap(err, "could not agree to the terms for account '%s'", r->account.name);
	if (d.tos_url)
		replace_str(&r->account.tos_url, d.tos_url);
	r->account.tos_agreed_ms = engine_now(r->e);
	job_account_set(r, ACCOUNT_VALID, NULL);
	r->also = put_agreed;
	job_tell(r, "account", r->account.id, EVENT_INFO, "terms of service agreed to: %s", d.tos_url ? d.tos_url : "the authority names none");
	return 0;
}

/* ---- closing ---- */

static int unfinished(struct sql *q, void *arg, struct err *err)
{
	struct job_run *r = arg;
	_cleanup_order_list_ struct order_list l = { 0 };

	if (store_order_unfinished(q, ORDERS_OF_ACCOUNT, r->j.subject_id, &l, err) < 0)
		return -(int)err->code;
	r->wait = l.n > 0;
	return 0;
}

static int put_closed(struct sql *tx, void *arg, struct err *err)
{
	struct job_run *r = arg;
	bool destroyed;

	if (put_result(tx, arg, err) < 0)
		return -(int)err->code;
	return arg_is(r, "destroy_key") ? store_key_destroy_unused(tx, r->account.key_id, engine_now(r->e), &destroyed, err) : 0;
}

/* Its live orders are ended first: that takes the account, and its key. */
int job_account_close(struct job_run *r, struct err *err)
{
	_cleanup_err_ struct err why = { 0 };

	if (job_account_subject(r, err) < 0)
		return err->code == ERR_NEEDS_PERSON ? (err_clear(err), 0) : -(int)err->code; /* done, and the key is gone */
	if (engine_read(r->e, unfinished, r, err) < 0)
		return -(int)err->code;
	if (r->wait) {
		r->j.due_ms = engine_now(r->e) + engine_jitter(r->e, 10 * SECOND_MS, 20);
		return 0;
	}
	r->also = put_closed;
	if (!arg_is(r, "deactivate") || !r->account.url)
		return 0;
	if (acme_account_deactivate(&r->session, err) < 0) {
		if (err->code != ERR_NEEDS_PERSON && err->code != ERR_REMOTE_GONE) /* it is deactivated already */
			return err_wrap(err, "could not deactivate account '%s'", r->account.name);
		err_clear(err);
	}
	err_set(&why, ERR_REMOTE_REFUSED, "the account was deactivated");
	job_account_set(r, ACCOUNT_INVALID, &why);
	r->also = put_closed;
	job_tell(r, "account", r->account.id, EVENT_INFO, "deactivated at the authority");
	return 0;
}

/* ---- the standing job ---- */

static int start_job(struct sql *tx, struct job_run *r, enum job_kind kind, const char *subject_kind, const char *id, const char *args,
		     const char *lane_url, struct err *err)
{
	struct ulid fresh = ulid_new(engine_now(r->e));
	char got[27];

	return job_intake(tx, &(struct job_request){ .id = fresh.s, .kind = kind, .subject_kind = subject_kind, .subject_id = id,
						     .args = args, .lane_url = lane_url, .now_ms = engine_now(r->e) }, got, err);
}

static int look_after(struct sql *tx, void *arg, struct err *err)
{
	struct job_run *r = arg;
	int64_t now = engine_now(r->e);
	_cleanup_account_list_ struct account_list stale = { 0 }, rolling = { 0 }, spent = { 0 };
	_cleanup_strlist_ struct strlist urls = { 0 };
	bool destroyed;

	if (store_account_stale(tx, now - REFRESH_EVERY_MS, now - 30 * DAY_MS, REFRESHES_MAX, &stale, err) < 0 ||
	    store_account_rolling(tx, &rolling, err) < 0 || store_account_key_spent(tx, now, &spent, err) < 0 ||
	    store_vendor_check_due(tx, now - CHECK_EVERY_MS, &urls, err) < 0)
		return -(int)err->code;
	for (size_t i = 0; i < rolling.n; i++)
		if (start_job(tx, r, JOB_ACCOUNT_ROLLOVER, "account", rolling.v[i].id, NULL, rolling.v[i].directory_url, err) < 0)
			return -(int)err->code;
	for (size_t i = 0; i < stale.n; i++)
		if (!stale.v[i].next_key_id &&
		    start_job(tx, r, JOB_ACCOUNT_REFRESH, "account", stale.v[i].id, NULL, stale.v[i].directory_url, err) < 0)
			return -(int)err->code;
	for (size_t i = 0; i < spent.n; i++)
		if (store_key_destroy_unused(tx, spent.v[i].key_id, now, &destroyed, err) < 0)
			return -(int)err->code;
	for (size_t i = 0; i < urls.n; i++) {
		_cleanup_json_ json_t *a = json_pack("{s:s}", "directory_url", urls.v[i]);
		_cleanup_free_ char *args = json_text(a);

		if (start_job(tx, r, JOB_VENDOR_CHECK, "directory", urls.v[i], args, urls.v[i], err) < 0)
			return -(int)err->code;
	}
	return 0;
}

int job_account_watch(struct job_run *r, struct err *err)
{
	if (engine_write(r->e, look_after, r, err) < 0)
		return err_wrap(err, "could not look after the accounts");
	r->wait = true;
	r->j.due_ms = engine_now(r->e) + engine_jitter(r->e, WATCH_EVERY_MS, 20);
	return 0;
}
