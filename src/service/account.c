/* SPDX-License-Identifier: Apache-2.0 */
/* account.c - see account.h. */
#include "service/account.h"

#include "engine/door.h"
#include "engine/intake.h"
#include "model/vendor.h"
#include "service/internal.h"
#include "store/vendor.h"

struct account_job {
	const struct service *s;
	struct service *service; /* where settings are judged */
	const struct actor *actor;
	const char *ref;
	int64_t rev;
	struct account_filter filter;
	struct page page;
	struct account_view_list *list;
	struct account_view *ret;
	struct account_prepared *prepared;
	struct once *once;
	struct audit *audit;
	char *id; /* a result, owned */
	const struct account_update *update;
	enum job_kind kind;
	const char *args;
	const char *key;
	char *url; /* the vendor's override, owned */
	const char *fresh_id;
	int64_t now_ms;
};

void account_view_done(struct account_view *v)
{
	account_done(&v->account);
	free(v->label);
	v->label = NULL;
}

/* "email --- vendor"; where two of these read the same, their names and what the authority calls them tell them apart. */
static int label(struct sql *q, struct account_view *v, struct err *err)
{
	const struct account *a = &v->account;
	_cleanup_free_ char *plain = account_default_name(a->email, a->vendor), *mark = account_mark(a);
	int64_t twins = 0;

	if (store_account_twins(q, a->email, a->vendor, &twins, err) < 0)
		return -(int)err->code;
	free(v->label);
	if (twins < 2)
		v->label = TAKE(plain);
	else if (streq(a->name, plain))
		v->label = mark ? xasprintf("%s (%s)", plain, mark) : xasprintf("%s (number %" PRId64 ")", plain, a->num);
	else
		v->label = mark ? xasprintf("%s (%s, %s)", plain, a->name, mark) : xasprintf("%s (%s)", plain, a->name);
	return 0;
}

static int list_tx(struct sql *q, void *arg, struct err *err)
{
	struct account_job *j = arg;
	_cleanup_account_list_ struct account_list l = { 0 };

	account_view_list_done(j->list);
	if (store_account_list(q, &j->filter, &j->page, &l, err) < 0)
		return -(int)err->code;
	for (size_t i = 0; i < l.n; i++) {
		struct account_view *v = account_view_list_add(j->list);

		v->account = TAKE(l.v[i]);
		if (label(q, v, err) < 0)
			return -(int)err->code;
	}
	j->list->more = l.more;
	return 0;
}

int service_account_list(struct service *s, const struct account_filter *f, const struct list_query *q, struct account_view_list *ret,
			 struct list_end *end, struct err *err)
{
	_cleanup_free_ char *text = f->text ? xstrdup(f->text) : NULL;
	_cleanup_listing_ struct listing l = { .s = s, .name = "accounts" };
	struct account_job j = { .list = ret, .filter = { .vendor = f->vendor, .status = f->status, .text = text } };
	const struct account *last;

	if (text)
		str_lower(text);
	if (listing_open(&l, q, (const char *const[]){ f->vendor, f->status, text }, 3, err) < 0)
		return -(int)err->code;
	j.page = l.cursor.page;
	if (store_read(s->store, list_tx, &j, err) < 0)
		return -(int)err->code;
	last = ret->n ? &ret->v[ret->n - 1].account : NULL;
	listing_close(&l, ret->more, last ? last->created_ms : 0, last ? last->id : NULL, end);
	return 0;
}

int account_view_read(struct sql *q, const char *ref, struct account_view *ret, struct err *err)
{
	account_view_done(ret);
	if (SERVICE_GET(q, ref, store_account_get, store_account_get_num, &ret->account, err) < 0)
		return -(int)err->code;
	return label(q, ret, err);
}

static int get_tx(struct sql *q, void *arg, struct err *err)
{
	struct account_job *j = arg;

	return account_view_read(q, j->ref, j->ret, err);
}

int service_account_get(struct service *s, const char *ref, struct account_view *ret, struct err *err)
{
	struct account_job j = { .ref = ref, .ret = ret };

	return store_read(s->store, get_tx, &j, err);
}

/* --- registering -------------------------------------------------------------------------------------------------------- */

static int register_tx(struct sql *tx, void *arg, struct err *err)
{
	struct account_job *j = arg;
	_cleanup_free_ char *before = NULL;

	replace_str(&j->id, NULL);
	if (once_find(tx, j->s, j->once, &before, err) < 0)
		return -(int)err->code;
	if (before) {
		j->id = TAKE(before);
		return 0;
	}
	if (account_intake(tx, j->prepared, err) < 0 || store_audit_add(tx, j->audit, err) < 0)
		return -(int)err->code;
	replace_str(&j->id, j->prepared->job.id);
	return once_add(tx, j->s, j->once, "job", j->id, err);
}

static bool email_plain(const char *s)
{
	const char *at = strchr(s, '@');

	return at && at == strrchr(s, '@') && at > s && at[1] && !strpbrk(s, " \t\r\n,;<>\"%?&\\");
}

static int check_register(const struct account_register *r, const struct vendor **ret_vendor, struct err *err)
{
	const struct vendor *v = r->vendor && !streq(r->vendor, VENDOR_CUSTOM) ? vendor_find(r->vendor) : NULL;

	*ret_vendor = v;
	if (!r->vendor && !r->directory_url)
		return err_set_field(err, ERR_INVALID, "/vendor", "a vendor or a directory URL is needed");
	if (r->vendor && !streq(r->vendor, VENDOR_CUSTOM) && !v) {
		err_set_field(err, ERR_INVALID, "/vendor", "there is no vendor '%s'", r->vendor);
		return err_hint(err, "GET /vendors lists them; another authority is given by its directory URL.");
	}
	if (r->region && (!v || !vendor_region_find(v, r->region)))
		return err_set_field(err, ERR_INVALID, "/region", "%s has no region '%s'", v ? v->title : "a directory of your own", r->region);
	if (r->region && r->directory_url)
		return err_set_field(err, ERR_INVALID, "/region", "a region and a directory URL were given; leave one of the two out");
	if (v && v->discontinued)
		return err_set_field(err, ERR_INVALID, "/vendor", "%s", v->discontinued);
	if (r->email && !email_plain(r->email))
		return err_set_field(err, ERR_INVALID, "/email", "is not an e-mail address");
	if (r->eab_from && (r->eab_kid || r->eab_hmac_key.p))
		return err_set_field(err, ERR_INVALID, "/eab_from", "the values are given already");
	if (r->eab_from && streq(r->eab_from, "access-key") && !r->eab_access_key.p)
		return err_set_field(err, ERR_INVALID, "/eab_access_key", "the access key is missing");
	if (r->eab_from && streq(r->eab_from, "email") && !r->email)
		return err_set_field(err, ERR_INVALID, "/email", "the e-mail address is what the values are asked for with");
	if (r->eab_access_key.p && (!r->eab_from || !streq(r->eab_from, "access-key")))
		return err_set_field(err, ERR_INVALID, "/eab_access_key", "is only for eab_from \"access-key\"");
	return 0;
}

static int override_tx(struct sql *q, void *arg, struct err *err)
{
	struct account_job *j = arg;
	_cleanup_vendor_setting_ struct vendor_setting set = { 0 };

	if (store_vendor_setting_get(q, j->key, &set, err) < 0)
		return -(int)err->code;
	replace_str(&j->url, set.directory_url);
	return 0;
}

/* The directory of a registration: what was given, the region's, what an administrator set, or the registry's. */
static int directory_of(struct service *s, const struct account_register *r, const struct vendor *v, char **ret, struct err *err)
{
	struct account_job j = { .key = v ? v->key : "" };

	if (v && store_read(s->store, override_tx, &j, err) < 0)
		return -(int)err->code;
	if (v && r->directory_url && !vendor_owns_url(v, r->directory_url) && !(j.url && streq(j.url, r->directory_url))) {
		free(j.url);
		err_set_field(err, ERR_INVALID, "/directory_url", "is not a URL of %s", v->title);
		return err_hint(err, "Leave the vendor out for an authority of your own.");
	}
	if (r->directory_url)
		replace_str(&j.url, r->directory_url);
	else if (v && r->region)
		replace_str(&j.url, vendor_region_find(v, r->region)->directory_url);
	else if (v && !j.url)
		replace_str(&j.url, v->directory_url);
	*ret = j.url;
	return 0;
}

/*
 * Checked when it is saved, on create and on update alike: the URL, literal addresses, the CA text, the pin. Settings that came with
 * the request confirm a private network for the directory's host. *ret: text of the column, owned.
 */
static int take_connection(struct service *s, json_t *given, const char *url, char **ret, struct err *err)
{
	_cleanup_connection_ struct connection c = { 0 };

	if (given && !json_is_null(given) && connection_decode(given, "/connection", false, &c, err) < 0)
		return -(int)err->code;
	if (engine_door_check(s->engine, &c, url, true, err) < 0) {
		if (!err->field)
			err->field = xstrdup(connection_empty(&c) ? "/directory_url" : "/connection");
		return -(int)err->code;
	}
	*ret = connection_text(&c);
	return 0;
}

int service_account_register(struct service *s, const struct actor *a, const struct account_register *r,
			     const struct request_key *key, char **ret_job, struct err *err)
{
	_cleanup_account_prepared_ struct account_prepared p = { 0 };
	_cleanup_audit_ struct audit audit = { 0 };
	_cleanup_once_ struct once once = { 0 };
	struct account_job j = { .s = s, .actor = a, .prepared = &p, .once = &once, .audit = &audit };
	_cleanup_free_ char *url = NULL, *connection = NULL;
	const struct vendor *v;
	struct account_request q = {
		.vendor = r->vendor ? r->vendor : VENDOR_CUSTOM,
		.terms_url = r->terms_url,
		.eab_fetch = r->eab_from != NULL,
		.eab_access_key = r->eab_access_key.p ? &r->eab_access_key : NULL,
		.key_pem = r->account_key.p ? &r->account_key : NULL,
		.automatic = r->automatic,
		.email = r->email,
		.name = r->name,
		.tos_agreed = r->agree_tos,
		.eab_kid = r->eab_kid,
		.eab_hmac = r->eab_hmac_key.p ? &r->eab_hmac_key : NULL,
		.created_by = a->user_id,
		.now_ms = service_now(s),
	};

	if (check_register(r, &v, err) < 0 || directory_of(s, r, v, &url, err) < 0)
		return -(int)err->code;
	q.directory_url = url;
	if (url && directory_url_check(url, err) < 0)
		return -(int)err->code;
	if (url && take_connection(s, r->connection, url, &connection, err) < 0)
		return -(int)err->code;
	q.connection = connection;
	if (account_prepare(s->keys, &q, &p, err) < 0)
		return -(int)err->code;
	once_begin(s, a, key, &once);
	audit_begin(s, a, r->account_key.p ? "account.import" : "account.register", "account", &audit);
	replace_str(&audit.object_id, p.account.id);
	replace_str(&audit.object_name, p.account.name);
	if (store_write(s->store, register_tx, &j, err) < 0) {
		free(j.id);
		return -(int)err->code;
	}
	*ret_job = j.id;
	return 0;
}

/* --- changing ----------------------------------------------------------------------------------------------------------- */

/* What the audit says of an account, of what can be changed here. */
static json_t *terms(const struct account *a)
{
	return json_pack("{s:o, s:o, s:b, s:o}", "name", json_str_or_null(a->name), "preferred_issuer", json_str_or_null(a->preferred_issuer),
			 "automatic", a->automatic, "connection", json_text_or_null(a->connection));
}

static int update_tx(struct sql *tx, void *arg, struct err *err)
{
	struct account_job *j = arg;
	struct account *a = &j->ret->account;
	_cleanup_json_ json_t *before = NULL;

	if (account_view_read(tx, j->ref, j->ret, err) < 0 || rev_check(j->rev, a->rev, "account", err) < 0)
		return -(int)err->code;
	before = terms(a);
	if (j->update->name)
		replace_str(&a->name, *j->update->name ? j->update->name : NULL);
	if (!a->name)
		a->name = account_default_name(a->email, a->vendor);
	if (j->update->preferred_issuer)
		replace_str(&a->preferred_issuer, *j->update->preferred_issuer ? j->update->preferred_issuer : NULL);
	if (j->update->automatic)
		a->automatic = *j->update->automatic;
	if (j->update->connection) {
		free(a->connection);
		a->connection = NULL;
		if (take_connection(j->service, j->update->connection, a->directory_url, &a->connection, err) < 0)
			return -(int)err->code;
	}
	a->updated_ms = j->now_ms;
	audit_object(j->audit, a->id, a->name, json_incref(before), terms(a));
	if (store_account_put(tx, a, 0, err) < 0 || store_audit_add(tx, j->audit, err) < 0)
		return -(int)err->code;
	return label(tx, j->ret, err);
}

int service_account_update(struct service *s, const struct actor *a, const char *ref, int64_t rev, const struct account_update *u,
			   struct account_view *ret, struct err *err)
{
	_cleanup_audit_ struct audit audit = { 0 };
	struct account_job j = { .service = s, .ref = ref, .rev = rev, .update = u, .ret = ret, .audit = &audit, .now_ms = service_now(s) };

	audit_begin(s, a, "account.update", "account", &audit);
	return store_write(s->store, update_tx, &j, err);
}

/* --- asking the authority ------------------------------------------------------------------------------------------------ */

static int ask_tx(struct sql *tx, void *arg, struct err *err)
{
	struct account_job *j = arg;
	_cleanup_account_ struct account acc = { 0 };
	char id[ULID_LEN + 1];

	if (SERVICE_GET(tx, j->ref, store_account_get, store_account_get_num, &acc, err) < 0)
		return -(int)err->code;
	if (!acc.url)
		return err_set(err, ERR_CONFLICT, "account '%s' is not registered", acc.name);
	if (job_intake(tx,
		       &(struct job_request){ .id = j->fresh_id, .kind = j->kind, .subject_kind = "account", .subject_id = acc.id,
					      .args = j->args, .lane_url = acc.directory_url, .created_by = j->actor->user_id,
					      .now_ms = j->now_ms },
		       id, err) < 0)
		return -(int)err->code;
	replace_str(&j->id, id);
	if (!j->audit)
		return 0;
	replace_str(&j->audit->object_id, acc.id);
	replace_str(&j->audit->object_name, acc.name);
	return store_audit_add(tx, j->audit, err);
}

/* args is taken; action NULL: nothing is changed, nothing is audited. */
static int ask(struct service *s, const struct actor *a, const char *ref, enum job_kind kind, const char *action, json_t *take_args,
	       char **ret_job, struct err *err)
{
	_cleanup_audit_ struct audit audit = { 0 };
	_cleanup_json_ json_t *args = take_args;
	_cleanup_free_ char *text = args ? json_text(args) : NULL;
	int64_t now = service_now(s);
	struct ulid fresh = ulid_new(now);
	struct account_job j = { .actor = a, .ref = ref, .kind = kind, .args = text, .fresh_id = fresh.s, .now_ms = now };

	if (action) {
		audit_begin(s, a, action, "account", &audit);
		audit.detail = xstrdup_null(text);
		j.audit = &audit;
	}
	if (store_write(s->store, ask_tx, &j, err) < 0) {
		free(j.id);
		return -(int)err->code;
	}
	*ret_job = j.id;
	return 0;
}

int service_account_refresh(struct service *s, const struct actor *a, const char *ref, char **ret_job, struct err *err)
{
	return ask(s, a, ref, JOB_ACCOUNT_REFRESH, "account.refresh", NULL, ret_job, err);
}

static int vendor_of_account(struct service *s, const char *ref, const struct vendor **ret, struct err *err)
{
	_cleanup_account_view_ struct account_view v = { 0 };

	if (service_account_get(s, ref, &v, err) < 0)
		return -(int)err->code;
	*ret = vendor_of(v.account.vendor);
	return 0;
}

int service_account_contact(struct service *s, const struct actor *a, const char *ref, const char *email, char **ret_job, struct err *err)
{
	const struct vendor *v;

	if (vendor_of_account(s, ref, &v, err) < 0)
		return -(int)err->code;
	if (vendor_has(v, QUIRK_NO_ACCOUNT_READ))
		return err_set(err, ERR_REMOTE_REFUSED, "%s does not change accounts; register another with the new address", v->title);
	if (!*email && v->contact_required)
		return err_set_field(err, ERR_INVALID, "/email", "%s wants an e-mail address", v->title);
	if (*email && !email_plain(email))
		return err_set_field(err, ERR_INVALID, "/email", "is not an e-mail address");
	return ask(s, a, ref, JOB_ACCOUNT_CONTACT, "account.contact", json_pack("{s:s}", "email", email), ret_job, err);
}

int service_account_agree(struct service *s, const struct actor *a, const char *ref, const char *terms_url, char **ret_job, struct err *err)
{
	return ask(s, a, ref, JOB_ACCOUNT_AGREE, "account.agree",
		   terms_url ? json_pack("{s:s}", "terms_url", terms_url) : json_object(), ret_job, err);
}

int service_account_rollover(struct service *s, const struct actor *a, const char *ref, char **ret_job, struct err *err)
{
	const struct vendor *v;

	if (vendor_of_account(s, ref, &v, err) < 0)
		return -(int)err->code;
	if (vendor_has(v, QUIRK_NO_KEY_CHANGE))
		return err_set(err, ERR_REMOTE_REFUSED, "%s does not change the keys of accounts; register another account and let it take over", v->title);
	return ask(s, a, ref, JOB_ACCOUNT_ROLLOVER, "account.rollover", NULL, ret_job, err);
}
