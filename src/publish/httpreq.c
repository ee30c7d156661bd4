/* SPDX-License-Identifier: Apache-2.0 */
/*
 * httpreq.c - a small HTTP service of the user's own, called as lego's provider "httpreq" calls it: POST ENDPOINT/present and
 * ENDPOINT/cleanup with {"fqdn": "_acme-challenge.example.com.", "value": "…"}, perhaps with basic authentication; any 2xx is
 * success. In RAW mode the members are domain, token and keyAuth.
 */
#include "publish/rest.h"
#include "publish/txt.h"

#include "base/base64.h"

extern const struct publisher publisher_httpreq;

struct httpreq {
	char *url;
	bool raw;
	struct secret password, basic; /* basic: the whole header; empty = none */
};

static void close_(void *self)
{
	struct httpreq *q = self;

	if (!q)
		return;
	free(q->url);
	secret_clear(&q->password);
	secret_clear(&q->basic);
	free(q);
}

static void make_basic(struct httpreq *q, const char *user)
{
	_cleanup_buf_wipe_ struct buf pair = BUF_MAX(4096), header = BUF_MAX(8192);

	buf_addf(&pair, "%s:", user);
	buf_add(&pair, q->password.p, q->password.n);
	buf_add_str(&header, "Basic ");
	base64_encode(&header, buf_text(&pair), pair.n);
	q->basic = secret_copy(buf_text(&header), header.n);
}

static int open_(const struct publish_env *env, const struct field_value *values, size_t n, void **ret_self, struct err *err)
{
	const char *url = field_text(values, n, "url"), *user = field_text(values, n, "username");
	const struct secret *password = field_secret(values, n, "password");
	struct httpreq *q;

	(void)env;
	if (str_empty(url))
		return err_set_field(err, ERR_INVALID, "/fields/url", "the address is missing");
	if (!str_empty(user) && strchr(user, ':'))
		return err_set_field(err, ERR_INVALID, "/fields/username", "a user name of basic authentication has no colon");
	q = xcalloc(1, sizeof *q);
	q->raw = txt_raw_mode(values, n);
	q->url = rest_url(values, n, "url", "");
	if (password && password->n)
		q->password = secret_copy(password->p, password->n);
	if (!str_empty(user) || q->password.n)
		make_basic(q, str_empty(user) ? "" : user);
	*ret_self = q;
	return 0;
}

static int body_of(const struct httpreq *q, const struct challenge_set *set, size_t i, json_t **ret, struct err *err)
{
	_cleanup_txt_raw_ struct txt_raw raw = { 0 };
	_cleanup_free_ char *name = name_plain(set->name), *fqdn = xasprintf("%s.", name);

	if (q->raw && txt_raw_of(set, i, &raw, err) < 0)
		return -(int)err->code;
	*ret = q->raw ? json_pack("{s:s,s:s,s:s}", "domain", raw.domain, "token", raw.token, "keyAuth", raw.key_auth) :
			json_pack("{s:s,s:s}", "fqdn", fqdn, "value", set->values.v[i]);
	return 0;
}

static int post(const struct httpreq *q, const struct publish_env *env, const char *act, const struct challenge_set *set, struct err *err)
{
	_cleanup_free_ char *url = xasprintf("%s/%s", q->url, act);
	struct rest r = rest_begin(env, &publisher_httpreq);
	struct http_header headers[] = { { q->basic.n ? "Authorization" : NULL, (const char *)q->basic.p }, { 0 } };

	r.vendor = "the service";
	r.secrets[0] = &q->password;
	r.secrets[1] = &q->basic;
	for (size_t i = 0; i < set->values.n; i++) {
		_cleanup_http_ struct http_response res = { 0 };
		json_t *body;

		if (body_of(q, set, i, &body, err) < 0)
			return -(int)err->code;
		if (rest_send_json(&r, &(struct http_request){ .method = HTTP_POST, .url = url, .headers = headers }, body, &res, err) < 0)
			return -(int)err->code;
		if (res.status < 200 || res.status > 299)
			return rest_refused(&r, &res, NULL, res.body.n ? buf_text(&res.body) : NULL, err);
	}
	return 0;
}

static int publish(void *self, const struct publish_env *env, const struct challenge_set *set, struct err *err)
{
	if (post(self, env, "present", set, err) < 0)
		return err_wrap(err, "could not present '%s'", set->name);
	return 0;
}

static int withdraw(void *self, const struct publish_env *env, const struct challenge_set *set, struct err *err)
{
	if (post(self, env, "cleanup", set, err) < 0)
		return err_wrap(err, "could not clean up '%s'", set->name);
	return 0;
}

static const struct field fields[] = {
	{ .name = "url", .flags = FIELD_REQUIRED | FIELD_URL | FIELD_ENDPOINT, .title = "Endpoint",
	  .help = "…/present and …/cleanup are called below it" },
	{ .name = "username", .max = 256, .help = "Of basic authentication; left empty none is sent" },
	{ .name = "password", .flags = FIELD_SECRET, .help = "Of basic authentication" },
	{ .name = "mode", .standard = "default", .choices = txt_modes,
	  .help = "RAW: domain, token and keyAuth are sent instead of fqdn and value (lego's HTTPREQ_MODE=RAW)" },
	{ 0 },
};

const struct publisher publisher_httpreq = {
	.name = "httpreq",
	.title = "HTTP request",
	.help = "A small HTTP service of your own that sets the record: POST …/present and …/cleanup, as lego's httpreq calls it.",
	.rights = "Whatever your service asks for. Let it accept _acme-challenge names of your zones only.",
	.site = "https://go-acme.github.io/lego/dns/httpreq/",
	.kinds = KIND_DNS01,
	.way = PUBLISH_REMOTE,
	.ttl_s = 60,
	.propagation_s = 60,
	.fields = fields,
	.open = open_,
	.close = close_,
	.publish = publish,
	.withdraw = withdraw,
};
