/* SPDX-License-Identifier: Apache-2.0 */
/* ca.c - see ca.h. */
#include "tests/unit/engine/ca.h"

#include "base/base64.h"
#include "base/json.h"
#include "crypto/digest.h"
#include "crypto/jwk.h"
#include "tests/unit/assert.h"

#include <openssl/pem.h>
#include <stdio.h>
#include <openssl/x509v3.h>

static int ca_perform(struct http *h, const struct http_request *q, struct http_response *ret, struct err *err);

void ca_header(struct http_response *ret, const char *name, const char *value)
{
	http_header_add(ret, name, strlen(name), value, strlen(value));
}

static void base(struct ca *ca, struct http_response *ret, int status, const char *type, const char *text)
{
	char nonce[32];

	ret->status = status;
	ret->body.max = 1024 * 1024;
	buf_add_str(&ret->body, text);
	snprintf(nonce, sizeof nonce, "nonce-%u", ++ca->nonce);
	ca_header(ret, "replay-nonce", nonce);
	if (type)
		ca_header(ret, "content-type", type);
}

void ca_json(struct ca *ca, struct http_response *ret, int status, const char *text)
{
	base(ca, ret, status, "application/json", text);
}

void ca_problem(struct ca *ca, struct http_response *ret, int status, const char *type, const char *detail)
{
	_cleanup_free_ char *text = xasprintf("{\"type\":\"urn:ietf:params:acme:error:%s\",\"detail\":\"%s\",\"status\":%d}", type, detail, status);

	base(ca, ret, status, "application/problem+json", text);
}

/* ---- its certificates ---- */

static void set_time(ASN1_TIME *t, int64_t ms)
{
	ASN1_TIME_set(t, (time_t)(ms / 1000));
}

static void add_key_id(X509 *c, X509 *issuer, int nid, const char *how)
{
	X509V3_CTX ctx;
	X509_EXTENSION *ext;

	X509V3_set_ctx(&ctx, issuer, c, NULL, NULL, 0);
	ext = X509V3_EXT_conf_nid(NULL, &ctx, nid, how);
	assert_non_null(ext);
	X509_add_ext(c, ext, -1);
	X509_EXTENSION_free(ext);
}

static X509 *certificate(struct ca *ca, EVP_PKEY *pub, const struct strlist *names)
{
	X509 *c = X509_new();
	int64_t now = clock_now(ca->clock), life;

	X509_set_version(c, 2);
	ASN1_INTEGER_set(X509_get_serialNumber(c), (long)++ca->serial);
	set_time(X509_getm_notBefore(c), now - HOUR_MS);
	life = names && ca->lifetime ? ca->lifetime(names) : names && ca->lifetime_ms ? ca->lifetime_ms : 90 * DAY_MS;
	set_time(X509_getm_notAfter(c), now - HOUR_MS + life);
	ca->issued[ca->serial % CA_SERIALS].not_before_ms = now - HOUR_MS;
	ca->issued[ca->serial % CA_SERIALS].not_after_ms = now - HOUR_MS + life;
	X509_set_pubkey(c, pub);
	if (names) {
		_cleanup_free_ char *san = NULL;
		_cleanup_strlist_ struct strlist parts = { 0 };
		X509_EXTENSION *ext;

		X509_set_issuer_name(c, X509_get_subject_name(ca->cert));
		for (size_t i = 0; i < names->n; i++) {
			_cleanup_free_ char *part = xasprintf("DNS:%s", names->v[i]);

			strlist_add(&parts, part);
		}
		san = strlist_join(&parts, ",");
		ext = X509V3_EXT_conf_nid(NULL, NULL, NID_subject_alt_name, san);
		X509_add_ext(c, ext, -1);
		X509_EXTENSION_free(ext);
		if (ca->ari)
			add_key_id(c, ca->cert, NID_authority_key_identifier, "keyid:always");
	} else {
		X509_NAME *n = X509_get_subject_name(c);
		X509_EXTENSION *ext = X509V3_EXT_conf_nid(NULL, NULL, NID_basic_constraints, "critical,CA:TRUE");

		X509_NAME_add_entry_by_txt(n, "CN", MBSTRING_ASC, (const unsigned char *)"Test CA", -1, -1, 0);
		X509_set_issuer_name(c, n);
		add_key_id(c, c, NID_subject_key_identifier, "hash");
		X509_add_ext(c, ext, -1);
		X509_EXTENSION_free(ext);
	}
	X509_sign(c, ca->key, EVP_sha256());
	return c;
}

static char *issue(struct ca *ca, const struct ca_order *o, const unsigned char *der, size_t n)
{
	const unsigned char *p = der;
	X509_REQ *req = d2i_X509_REQ(NULL, &p, (long)n);
	_cleanup_strlist_ struct strlist names = { 0 };
	BIO *out = BIO_new(BIO_s_mem());
	EVP_PKEY *pub;
	X509 *leaf;
	char *text, *ret;
	long len;

	assert_non_null(req);
	pub = X509_REQ_get_pubkey(req);
	strlist_copy(&names, &o->names);
	if (ca->wrong_key && streq(ca->wrong_key, "names"))
		strlist_add(&names, "evil.example");
	leaf = certificate(ca, ca->wrong_key && streq(ca->wrong_key, "key") ? ca->key : pub, &names);
	PEM_write_bio_X509(out, leaf);
	PEM_write_bio_X509(out, ca->cert);
	len = BIO_get_mem_data(out, &text);
	ret = xstrndup(text, (size_t)len);
	X509_free(leaf);
	EVP_PKEY_free(pub);
	X509_REQ_free(req);
	BIO_free(out);
	ca->certificates++;
	return ret;
}

void ca_init(struct ca *ca, const struct clock *clock)
{
	*ca = (struct ca){ .clock = clock, .http = { .perform = ca_perform } };
	ca->key = EVP_EC_gen("P-256");
	ca->issued = xcalloc(CA_SERIALS, sizeof *ca->issued);
	ca->cert = certificate(ca, ca->key, NULL);
}

void ca_done(struct ca *ca)
{
	for (size_t i = 0; i < ca->n_orders; i++) {
		strlist_clear(&ca->orders[i].names);
		free(ca->orders[i].chain);
	}
	free(ca->issued);
	EVP_PKEY_free(ca->key);
	X509_free(ca->cert);
}

/* ---- objects ---- */

static json_t *authz_json(const struct ca_authz *a, size_t i)
{
	json_t *chs = json_array(), *j;
	const char *types[] = { "http-01", "dns-01", "tls-alpn-01" };

	for (size_t t = 0; t < 3; t++) {
		_cleanup_free_ char *url = xasprintf(CA_URL "/chal/%zu/%s", i, types[t]);
		json_t *c;

		if (a->wildcard && t != 1)
			continue;
		c = json_pack("{s:s, s:s, s:s, s:s}", "type", types[t], "url", url, "token", a->token, "status", a->challenge_status);
		if (*a->error)
			json_object_set_new(c, "error", json_pack("{s:s, s:s}", "type", "urn:ietf:params:acme:error:unauthorized", "detail", a->error));
		json_array_append_new(chs, c);
	}
	j = json_pack("{s:s, s:{s:s, s:s}, s:o}", "status", a->status, "identifier", "type", "dns", "value", a->name, "challenges", chs);
	if (a->wildcard)
		json_object_set_new(j, "wildcard", json_true());
	return j;
}

static void order_update(struct ca *ca, struct ca_order *o)
{
	size_t valid = 0;

	if (!streq(o->status, "pending"))
		return;
	for (size_t i = 0; i < o->n_authz; i++) {
		const struct ca_authz *a = &ca->authzs[o->authz[i]];

		if (streq(a->status, "valid"))
			valid++;
		else if (!streq(a->status, "pending"))
			o->status = "invalid";
	}
	if (valid == o->n_authz && !ca->never_ready)
		o->status = "ready";
}

static json_t *order_json(struct ca *ca, struct ca_order *o)
{
	_cleanup_free_ char *fin = xasprintf(CA_URL "/finalize/%td", o - ca->orders);
	json_t *ids = json_array(), *auths = json_array(), *j;
	char until[CLOCK_TEXT];

	order_update(ca, o);
	for (size_t i = 0; i < o->names.n; i++)
		json_array_append_new(ids, json_pack("{s:s, s:s}", "type", "dns", "value", o->names.v[i]));
	for (size_t i = 0; i < o->n_authz; i++) {
		_cleanup_free_ char *url = xasprintf(CA_URL "/authz/%d", o->authz[i]);

		json_array_append_new(auths, json_string(url));
	}
	j = json_pack("{s:s, s:s, s:o, s:o, s:s}", "status", o->status, "expires", clock_format(o->expires_ms, until), "identifiers", ids,
		      "authorizations", auths, "finalize", fin);
	if (streq(o->status, "valid")) {
		_cleanup_free_ char *cert = xasprintf(CA_URL "/cert/%td", o - ca->orders);

		json_object_set_new(j, "certificate", json_string(cert));
	}
	return j;
}

static void send_json(struct ca *ca, struct http_response *ret, int status, json_t *j)
{
	_cleanup_free_ char *text = json_text(j);

	ca_json(ca, ret, status, text);
	json_decref(j);
}

static int authz_new(struct ca *ca, int order, const char *name)
{
	bool wildcard = str_starts(name, "*.");
	struct ca_authz *a = &ca->authzs[ca->n_authzs];
	int i;

	if (ca->recycle)
		for (size_t k = 0; k < CA_MAX && a->used; k++) {
			ca->n_authzs = (ca->n_authzs + 1) % CA_MAX;
			a = &ca->authzs[ca->n_authzs];
		}
	assert_true(ca->n_authzs < CA_MAX && !a->used);
	*a = (struct ca_authz){ .wildcard = wildcard, .status = "pending", .challenge_status = "pending", .used = true, .order = order };
	snprintf(a->name, sizeof a->name, "%s", wildcard ? name + 2 : name);
	snprintf(a->token, sizeof a->token, "token-%06zu-0123456789abcdefghij", ca->n_authzs);
	if (ca->reuse_valid)
		a->status = a->challenge_status = "valid";
	i = (int)ca->n_authzs;
	ca->n_authzs = ca->recycle ? (ca->n_authzs + 1) % CA_MAX : ca->n_authzs + 1;
	return i;
}

static struct ca_order *order_slot(struct ca *ca)
{
	for (size_t i = 0; ca->recycle && i < ca->n_orders; i++)
		if (!ca->orders[i].used)
			return &ca->orders[i];
	assert_true(ca->n_orders < CA_MAX);
	return &ca->orders[ca->n_orders++];
}

/* It was fetched: nobody asks about it any more. */
static void order_over(struct ca *ca, struct ca_order *o)
{
	for (size_t i = 0; i < o->n_authz; i++)
		ca->authzs[o->authz[i]].used = false;
	strlist_clear(&o->names);
	free(o->chain);
	*o = (struct ca_order){ 0 };
}

/* The serial behind the dot of a certID. */
static unsigned long serial_of(const char *id)
{
	_cleanup_buf_ struct buf b = BUF_MAX(64);
	struct err err = { 0 };
	const char *dot = strchr(id, '.');
	unsigned long n = 0;

	assert_non_null(dot);
	ASSERT_OK(base64url_decode(&b, dot + 1, strlen(dot + 1), &err), &err);
	for (size_t i = 0; i < b.n; i++)
		n = n << 8 | (unsigned char)b.p[i];
	return n;
}

static void renewal_info(struct ca *ca, const char *id, struct http_response *ret)
{
	unsigned long serial = serial_of(id);
	int64_t na = ca->issued[serial % CA_SERIALS].not_after_ms, life = na - ca->issued[serial % CA_SERIALS].not_before_ms;
	int64_t start = ca->window_start_ms, end = ca->window_end_ms;
	char s[CLOCK_TEXT], e[CLOCK_TEXT], wait[24];
	_cleanup_free_ char *text = NULL, *more = NULL;

	ca->ari_requests++;
	if (!end || (ca->window_serial && ca->window_serial != serial)) {
		start = na - life / 3 - life / 40;
		end = na - life / 3 + life / 40;
	}
	more = ca->explanation ? xasprintf(",\"explanationURL\":\"%s\"", ca->explanation) : xstrdup("");
	text = xasprintf("{\"suggestedWindow\":{\"start\":\"%s\",\"end\":\"%s\"}%s}", clock_format(start, s), clock_format(end, e), more);
	ca_json(ca, ret, 200, text);
	snprintf(wait, sizeof wait, "%" PRId64, ca->retry_after_s ? ca->retry_after_s : 21600);
	ca_header(ret, "retry-after", wait);
}

static void new_order(struct ca *ca, json_t *payload, struct http_response *ret)
{
	json_t *ids = json_object_get(payload, "identifiers"), *id;
	_cleanup_strlist_ struct strlist names = { 0 };
	_cleanup_free_ char *url = NULL;
	struct ca_order *o = NULL;
	size_t i;

	ca->new_orders++;
	snprintf(ca->replaces, sizeof ca->replaces, "%s", json_object_get(payload, "replaces") ? json_string_value(json_object_get(payload, "replaces")) : "");
	if (*ca->replaces && ca->refuses_replaces) {
		ca_problem(ca, ret, 409, "alreadyReplaced", "this certificate has a replacement");
		return;
	}
	json_array_foreach(ids, i, id)
		strlist_add(&names, json_string_value(json_object_get(id, "value")));
	strlist_sort_unique(&names);
	for (i = 0; i < ca->n_orders && !o; i++) { /* as Boulder: an order under way for the same names is handed out again */
		if (!ca->orders[i].used)
			continue;
		order_update(ca, &ca->orders[i]);
		if (strlist_equal(&ca->orders[i].names, &names) && (streq(ca->orders[i].status, "pending") || streq(ca->orders[i].status, "ready")))
			o = &ca->orders[i];
	}
	if (!o) {
		o = order_slot(ca);
		*o = (struct ca_order){ .status = "pending", .used = true, .expires_ms = clock_now(ca->clock) + 7 * DAY_MS };
		strlist_copy(&o->names, &names);
		for (i = 0; i < names.n; i++)
			o->authz[o->n_authz++] = authz_new(ca, (int)(o - ca->orders), names.v[i]);
	}
	send_json(ca, ret, 201, order_json(ca, o));
	url = xasprintf(CA_URL "/order/%td", o - ca->orders);
	ca_header(ret, "location", url);
}

static void decide(struct ca *ca, struct ca_authz *a, const char *type)
{
	_cleanup_free_ char *auth = xasprintf("%s.%s", a->token, ca->thumbprint);
	_cleanup_free_ char *owner = xasprintf("_acme-challenge.%s", a->name);
	char digest[SHA256_B64];
	bool ok = streq(type, "dns-01") ?
		ca->published(ca->published_arg, type, owner, a->token, sha256_base64url(auth, strlen(auth), digest)) :
		ca->published(ca->published_arg, type, a->name, a->token, auth);

	a->status = a->challenge_status = ok ? "valid" : "invalid";
	if (!ok)
		snprintf(a->error, sizeof a->error, "No %s record found for %s", type, a->name);
}

static char accepted_type[CA_MAX][16];

static void challenge(struct ca *ca, const char *rest, struct http_response *ret)
{
	size_t i = strtoul(rest, NULL, 10);
	const char *type = strchr(rest, '/') + 1;
	struct ca_authz *a = &ca->authzs[i];
	_cleanup_free_ char *url = xasprintf(CA_URL "/chal/%s", rest);

	ca->accepts++;
	if (streq(a->challenge_status, "pending")) {
		a->challenge_status = "processing";
		a->polls_left = ca->authz_polls;
		snprintf(accepted_type[i], sizeof accepted_type[i], "%s", type);
		if (!a->polls_left)
			decide(ca, a, type);
	}
	send_json(ca, ret, 200, json_pack("{s:s, s:s, s:s, s:s}", "type", type, "url", url, "token", a->token, "status", a->challenge_status));
}

static void finalize(struct ca *ca, size_t i, json_t *payload, struct http_response *ret)
{
	struct ca_order *o = &ca->orders[i];
	const char *csr = json_string_value(json_object_get(payload, "csr"));
	_cleanup_buf_ struct buf der = BUF_MAX(65536);
	struct err err = { 0 };

	ca->finalizes++;
	order_update(ca, o);
	if (!streq(o->status, "ready")) {
		ca_problem(ca, ret, 403, "orderNotReady", "not ready");
		return;
	}
	o->finalizes++;
	ASSERT_OK(base64url_decode(&der, csr, strlen(csr), &err), &err);
	o->chain = issue(ca, o, (const unsigned char *)buf_text(&der), der.n);
	o->polls_left = ca->order_polls;
	o->status = o->polls_left ? "processing" : "valid";
	send_json(ca, ret, 200, order_json(ca, o));
}

static json_t *payload_of(struct ca *ca, const struct http_request *q, json_t **ret_head)
{
	struct err err = { 0 };
	_cleanup_json_ json_t *jws = NULL;
	_cleanup_buf_ struct buf body = BUF_MAX(256 * 1024), head = BUF_MAX(64 * 1024);
	const char *p, *h;
	json_t *ret = NULL;

	ASSERT_OK(json_parse(q->body.p, q->body.n, &jws, &err), &err);
	p = json_string_value(json_object_get(jws, "payload"));
	h = json_string_value(json_object_get(jws, "protected"));
	ASSERT_OK(base64url_decode(&body, p, strlen(p), &err), &err);
	ASSERT_OK(base64url_decode(&head, h, strlen(h), &err), &err);
	ASSERT_OK(json_parse(buf_text(&head), head.n, ret_head, &err), &err);
	if (body.n)
		ASSERT_OK(json_parse(buf_text(&body), body.n, &ret, &err), &err);
	return ret;
}

static void thumbprint_of(json_t *jwk, char ret[64])
{
	_cleanup_free_ char *text = json_text(jwk);
	struct err err = { 0 };

	ASSERT_OK(jwk_thumbprint(text, ret, &err), &err);
}

/* RFC 8555 7.3.5: the payload is a JWS by the new key that names the old one. */
static void key_change(struct ca *ca, const struct http_request *q, struct http_response *ret)
{
	_cleanup_json_ json_t *head = NULL, *inner = payload_of(ca, q, &head), *inner_head = NULL, *claim = NULL;
	_cleanup_free_ char *text = json_text(inner);
	struct http_request again = { .body = { text, strlen(text) } };
	char old[64], new[64];

	claim = payload_of(ca, &again, &inner_head);
	thumbprint_of(json_object_get(claim, "oldKey"), old);
	thumbprint_of(json_object_get(inner_head, "jwk"), new);
	ASSERT_STR(json_string_value(json_object_get(claim, "account")), CA_URL "/account/1");
	if (streq(new, ca->thumbprint)) {
		ca_problem(ca, ret, 409, "conflict", "this key has an account");
		ca_header(ret, "location", CA_URL "/account/1");
		return;
	}
	if (!streq(old, ca->thumbprint)) {
		ca_problem(ca, ret, 401, "unauthorized", "that is not the account's key");
		return;
	}
	memcpy(ca->thumbprint, new, sizeof ca->thumbprint);
	ca->key_changes++;
	ca_json(ca, ret, 200, "{\"status\":\"valid\"}");
}

static void answer(struct ca *ca, const struct http_request *q, const char *path, struct http_response *ret)
{
	_cleanup_json_ json_t *head = NULL;
	_cleanup_json_ json_t *payload = q->method == HTTP_POST ? payload_of(ca, q, &head) : NULL;

	if (streq(path, "/dir")) {
		ca_json(ca, ret, 200, ca->ari ? "{\"newNonce\":\"" CA_URL "/nonce\",\"newAccount\":\"" CA_URL "/new-account\",\"newOrder\":\"" CA_URL
			"/new-order\",\"keyChange\":\"" CA_URL "/key-change\",\"revokeCert\":\"" CA_URL "/revoke\",\"renewalInfo\":\"" CA_URL
			"/renewal-info\",\"meta\":{\"termsOfService\":\"" CA_URL "/tos\"}}" :
			"{\"newNonce\":\"" CA_URL "/nonce\",\"newAccount\":\"" CA_URL "/new-account\",\"newOrder\":\"" CA_URL
			"/new-order\",\"keyChange\":\"" CA_URL "/key-change\",\"revokeCert\":\"" CA_URL "/revoke\",\"meta\":{\"termsOfService\":\"" CA_URL "/tos\"}}");
	} else if (streq(path, "/nonce")) {
		base(ca, ret, 200, NULL, "");
	} else if (streq(path, "/new-account")) {
		char thumbprint[64];
		bool there = ca->account;

		thumbprint_of(json_object_get(head, "jwk"), thumbprint);
		if (json_is_true(json_object_get(payload, "onlyReturnExisting")) && !(there && streq(thumbprint, ca->thumbprint))) {
			ca_problem(ca, ret, 400, "accountDoesNotExist", "no such account");
			return;
		}
		memcpy(ca->thumbprint, thumbprint, sizeof ca->thumbprint);
		ca->account = true;
		ca->new_accounts += !there;
		ca_json(ca, ret, there ? 200 : 201, "{\"status\":\"valid\"}");
		ca_header(ret, "location", CA_URL "/account/1");
	} else if (streq(path, "/key-change")) {
		key_change(ca, q, ret);
	} else if (str_starts(path, "/account/")) {
		ca_json(ca, ret, 200, "{\"status\":\"valid\"}");
	} else if (streq(path, "/new-order")) {
		new_order(ca, payload, ret);
	} else if (str_starts(path, "/order/")) {
		struct ca_order *o = &ca->orders[strtoul(path + 7, NULL, 10)];

		if (!o->used) {
			ca_problem(ca, ret, 404, "malformed", "no such order");
			return;
		}
		for (size_t i = 0; i < o->n_authz; i++) { /* time passes for the validators, whatever is asked */
			struct ca_authz *a = &ca->authzs[o->authz[i]];

			if (streq(a->challenge_status, "processing") && --a->polls_left <= 0)
				decide(ca, a, accepted_type[o->authz[i]]);
		}
		if (streq(o->status, "processing") && --o->polls_left <= 0)
			o->status = "valid";
		send_json(ca, ret, 200, order_json(ca, o));
	} else if (str_starts(path, "/authz/")) {
		size_t i = strtoul(path + 7, NULL, 10);
		struct ca_authz *a = &ca->authzs[i];

		if (payload && json_object_get(payload, "status")) {
			ca->deactivations++;
			a->status = "deactivated";
		} else if (streq(a->challenge_status, "processing") && --a->polls_left <= 0) {
			decide(ca, a, accepted_type[i]);
		}
		send_json(ca, ret, 200, authz_json(a, i));
	} else if (str_starts(path, "/chal/")) {
		challenge(ca, path + 6, ret);
	} else if (str_starts(path, "/finalize/")) {
		finalize(ca, strtoul(path + 10, NULL, 10), payload, ret);
	} else if (str_starts(path, "/cert/")) {
		struct ca_order *o = &ca->orders[strtoul(path + 6, NULL, 10)];

		base(ca, ret, 200, "application/pem-certificate-chain", o->chain);
		if (ca->recycle)
			order_over(ca, o);
	} else if (str_starts(path, "/renewal-info/")) {
		renewal_info(ca, path + 14, ret);
	} else if (streq(path, "/revoke")) {
		json_t *reason = json_object_get(payload, "reason");

		ca->revocations++;
		ca->revoked_reason = reason ? (int)json_integer_value(reason) : -1;
		ca->revoked_by_key = json_object_get(head, "jwk") != NULL;
		ca_json(ca, ret, 200, "");
	} else {
		ca_problem(ca, ret, 404, "malformed", "nothing there");
	}
}

static int ca_perform(struct http *h, const struct http_request *q, struct http_response *ret, struct err *err)
{
	struct ca *ca = (struct ca *)h;
	const char *path = q->url + strlen(CA_URL);
	int hooked;

	if (ca->crash && ca->crash(ca->crash_arg, "http"))
		return err_set(err, ERR_BUSY, "killed");
	if (!str_starts(q->url, CA_URL))
		return err_set(err, ERR_NETWORK, "name look-up: no such host");
	ca->requests++;
	snprintf(ca->last, sizeof ca->last, "%s %s", http_method_text(q->method), path);
	hooked = ca->hook ? ca->hook(ca, ca->hook_arg, http_method_text(q->method), path, ret) : 0;
	if (hooked < 0)
		return err_set(err, ERR_NETWORK, "TCP: connection reset");
	if (!hooked)
		answer(ca, q, path, ret);
	if (ca->crash && ca->crash(ca->crash_arg, "https")) {
		http_response_done(ret);
		return err_set(err, ERR_BUSY, "killed");
	}
	return 0;
}
