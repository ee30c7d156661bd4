/* SPDX-License-Identifier: Apache-2.0 */
/* account.c - RFC 8555 7.3: register, find, read, update, deactivate, change the key. */
#include "acme/private.h"

#include "base/limits.h"

struct wire_account {
	const char *status;
	json_t *contact, *orders;
	bool tos;
};

static const struct json_field account_fields[] = {
	JF_STR(struct wire_account, status, .max = 64),
	JF_JSON(struct wire_account, orders),
	JF_JSON(struct wire_account, contact),
	JF_AS("termsOfServiceAgreed", BOOL, struct wire_account, tos),
	{ 0 }
};

static void decode_contacts(const json_t *list, struct strlist *ret)
{
	for (size_t i = 0; i < MIN(json_array_size(list), (size_t)20); i++) {
		const char *s = json_string_value(json_array_get(list, i));
		_cleanup_free_ char *clean = NULL;

		if (s && str_starts(s, "mailto:"))
			s += strlen("mailto:");
		clean = s ? str_clean(s, strlen(s), LIMIT_EMAIL) : NULL;
		if (clean && *clean)
			strlist_add(ret, clean);
	}
}

/* An account object. implied: the status of a 2xx answer that says none (newAccount only), 0 = it must be said. */
static int decode(const struct acme_session *s, const struct acme_call *c, json_t *doc, enum acme_account_status implied,
		  struct acme_account *a, struct err *err)
{
	_cleanup_err_ struct err why = ERR_INIT, ignored = ERR_INIT;
	struct wire_account w = { 0 };
	const char *orders;
	int status = (int)implied;

	if (json_decode(doc, account_fields, DECODE_LENIENT, &w, &why) < 0)
		return acme_answer_bad(c, &why, err);
	if (!w.status && !implied)
		return acme_answer_unusable(c, err, "the account has no status");
	if (w.status && acme_status_decode(acme_account_statuses, ACME_ACCOUNT_STATUSES, w.status, "account", &status, &why) < 0)
		return acme_answer_bad(c, &why, err);
	a->status = (enum acme_account_status)status;
	a->tos_agreed = w.tos;
	decode_contacts(w.contact, &a->contacts);
	orders = json_string_value(w.orders); /* never depended on, and not everybody sends an address */
	if (orders && *orders && strlen(orders) <= LIMIT_CA_URL)
		acme_pin(s, c->url, orders, &a->orders_url, &ignored);
	return 0;
}

static int add_contacts(json_t *payload, const struct strlist *contacts, struct err *err)
{
	json_t *list = json_array();

	json_object_set_new(payload, "contact", list);
	for (size_t i = 0; i < contacts->n; i++) {
		const char *mail = contacts->v[i];
		_cleanup_free_ char *uri = NULL;

		if (!strchr(mail, '@') || mail[strcspn(mail, ",?&;<>\"\\ \t\r\n%")] || strlen(mail) > LIMIT_EMAIL ||
		    !utf8_valid(mail, strlen(mail)))
			return err_set_field(err, ERR_INVALID, "/email", "not one plain e-mail address: '%.100s'", mail);
		uri = xasprintf("mailto:%s", mail);
		json_array_append_new(list, json_string(uri));
	}
	return 0;
}

static int add_eab(struct acme_session *s, json_t *payload, const char *url, struct err *err)
{
	_cleanup_buf_wipe_ struct buf inner = BUF_MAX(32 * 1024);
	json_t *j = NULL;

	if (!s->signer || !s->signer->sign_eab)
		return err_set(err, ERR_INVALID, "there are no external account binding credentials");
	if (s->signer->sign_eab(s->signer, url, &inner, err) < 0)
		return err_wrap(err, "could not sign the external account binding");
	if (buf_check(&inner, err) < 0 || json_parse(buf_text(&inner), inner.n, &j, err) < 0)
		return err_wrap(err, "could not use the external account binding");
	json_object_set_new(payload, "externalAccountBinding", j);
	return 0;
}

/* newAccount, for registering and for finding. */
static int new_account(struct acme_session *s, const char *what, const char *url, json_t *payload, struct acme_account *ret, struct err *err)
{
	_cleanup_http_ struct http_response r = { 0 };
	_cleanup_acme_account_ struct acme_account a = { 0 };
	_cleanup_json_ json_t *doc = NULL;
	_cleanup_free_ char *text = json_text(payload);
	struct acme_call c = { .kind = ACME_KIND_ACCOUNT_NEW, .what = what, .url = url, .payload = text, .embed_key = true };

	if (acme_post(s, &c, &r, err) < 0) {
		if (s->refusal.status == 404)
			acme_ca_forget_directory(s->ca);
		return -(int)err->code;
	}
	if (acme_location(s, &c, &r, &a.url, err) < 0)
		return -(int)err->code;
	a.created = r.status == 201;
	a.status = ACME_ACCOUNT_VALID;
	/* Some answer with nothing but the Location, which is what counts. */
	if (r.body.n && (acme_answer_json(s, &c, &r, &doc, err) < 0 || decode(s, &c, doc, ACME_ACCOUNT_VALID, &a, err) < 0))
		return -(int)err->code;
	*ret = TAKE(a);
	return 0;
}

int acme_account_register(struct acme_session *s, const struct acme_registration *q, struct acme_account *ret, struct err *err)
{
	_cleanup_acme_directory_ struct acme_directory d = { 0 };
	_cleanup_json_ json_t *payload = json_object();

	acme_begin(s);
	if (acme_directory_load(s, &d, err) < 0)
		return -(int)err->code;
	if (q->tos_agreed)
		json_object_set_new(payload, "termsOfServiceAgreed", json_true());
	if (q->contacts && q->contacts->n && add_contacts(payload, q->contacts, err) < 0)
		return -(int)err->code;
	if (q->eab && add_eab(s, payload, d.new_account, err) < 0)
		return -(int)err->code;
	return new_account(s, "register the account", d.new_account, payload, ret, err);
}

int acme_account_find(struct acme_session *s, struct acme_account *ret, struct err *err)
{
	_cleanup_acme_directory_ struct acme_directory d = { 0 };
	_cleanup_json_ json_t *payload = json_pack("{s:b}", "onlyReturnExisting", 1);
	_cleanup_err_ struct err why = ERR_INIT;

	acme_begin(s);
	if (acme_directory_load(s, &d, err) < 0)
		return -(int)err->code;
	if (new_account(s, "find the account of this key", d.new_account, payload, ret, &why) == 0)
		return 0;
	if (acme_problem_is(&s->refusal.problem, "accountDoesNotExist")) {
		err_set(err, ERR_NOT_FOUND, "the CA has no account for this key");
		return err_remote(err, s->refusal.problem.type, s->refusal.problem.detail);
	}
	return err_move(err, &why);
}

/* A POST to the account URL whose answer is the account. */
static int account_post(struct acme_session *s, const char *what, const json_t *payload, struct acme_account *ret, struct err *err)
{
	_cleanup_http_ struct http_response r = { 0 };
	_cleanup_acme_account_ struct acme_account a = { 0 };
	_cleanup_json_ json_t *doc = NULL;
	_cleanup_free_ char *text = payload ? json_text(payload) : NULL;
	struct acme_call c = { .kind = ACME_KIND_ACCOUNT, .what = what, .url = s->account_url, .payload = text };

	acme_begin(s);
	if (!s->account_url)
		return err_set(err, ERR_INVALID, "could not %s: the account is not registered", what);
	if (acme_post(s, &c, &r, err) < 0)
		return -(int)err->code;
	if (!ret)
		return 0;
	if (acme_answer_json(s, &c, &r, &doc, err) < 0 || decode(s, &c, doc, 0, &a, err) < 0)
		return -(int)err->code;
	a.url = xstrdup(s->account_url);
	*ret = TAKE(a);
	return 0;
}

int acme_account_get(struct acme_session *s, struct acme_account *ret, struct err *err)
{
	return account_post(s, "read the account", NULL, ret, err);
}

int acme_account_update(struct acme_session *s, const struct strlist *contacts, bool tos_agreed, struct acme_account *ret, struct err *err)
{
	_cleanup_json_ json_t *payload = json_object();

	if (contacts && add_contacts(payload, contacts, err) < 0)
		return -(int)err->code;
	if (tos_agreed)
		json_object_set_new(payload, "termsOfServiceAgreed", json_true());
	return account_post(s, "update the account", payload, ret, err);
}

int acme_account_deactivate(struct acme_session *s, struct err *err)
{
	_cleanup_json_ json_t *payload = json_pack("{s:s}", "status", "deactivated");

	return account_post(s, "deactivate the account", payload, NULL, err);
}

int acme_key_change(struct acme_session *s, struct err *err)
{
	_cleanup_acme_directory_ struct acme_directory d = { 0 };
	_cleanup_http_ struct http_response r = { 0 };
	struct acme_call c = { .kind = ACME_KIND_ACCOUNT, .what = "change the account's key", .rollover = true };
	_cleanup_err_ struct err why = ERR_INIT;

	acme_begin(s);
	if (acme_directory_load(s, &d, err) < 0)
		return -(int)err->code;
	if (!d.key_change)
		return err_set(err, ERR_REMOTE_REFUSED, "the CA offers no key change");
	if (!s->account_url || !s->signer || !s->signer->sign_rollover)
		return err_set(err, ERR_INVALID, "could not %s: there is no account or no new key", c.what);
	c.url = d.key_change;
	if (acme_post(s, &c, &r, &why) == 0)
		return 0;
	if (s->refusal.status == 409) {
		err_set(err, ERR_CONFLICT, "the new key belongs to another account already");
		return err_remote(err, s->refusal.problem.type, s->refusal.problem.detail);
	}
	return err_move(err, &why);
}
