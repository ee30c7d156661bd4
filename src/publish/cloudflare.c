/* SPDX-License-Identifier: Apache-2.0 */
/*
 * cloudflare.c - Cloudflare DNS, API v4 (developers.cloudflare.com/api, "DNS Records for a Zone"). One record holds one value,
 * so there is nothing to merge: what is missing is added, what is ours is found again by its content and deleted by its id.
 */
#include "publish/rest.h"
#include "publish/txt.h"

#include "base/limits.h"

#define API_URL "https://api.cloudflare.com/client/v4"
#define TTL_MIN 60
#define TTL_MAX 86400
#define LIMIT_MS (5 * MINUTE_MS) /* how long its limit lasts when it does not say */

extern const struct publisher publisher_cloudflare;

struct cloudflare {
	char *url;
	struct secret token, zone_token; /* zone_token may be empty: then token reads zones too */
	char *bearer, *zone_bearer;
};

static void close_(void *self)
{
	struct cloudflare *c = self;

	if (!c)
		return;
	free(c->url);
	secret_clear(&c->token);
	secret_clear(&c->zone_token);
	explicit_bzero(c->bearer, strlen(c->bearer));
	explicit_bzero(c->zone_bearer, strlen(c->zone_bearer));
	free(c->bearer);
	free(c->zone_bearer);
	free(c);
}

static int open_(const struct publish_env *env, const struct field_value *values, size_t n, void **ret_self, struct err *err)
{
	const struct secret *token = field_secret(values, n, "token"), *zones = field_secret(values, n, "zone_token");
	struct cloudflare *c;

	(void)env;
	if (!token || !token->n)
		return err_set_field(err, ERR_INVALID, "/fields/token", "the API token is missing");
	if (zones && !zones->n)
		zones = NULL;
	c = xcalloc(1, sizeof *c);
	c->url = rest_url(values, n, "url", API_URL);
	c->token = secret_copy(token->p, token->n);
	if (zones)
		c->zone_token = secret_copy(zones->p, zones->n);
	c->bearer = xasprintf("Bearer %s", (const char *)token->p);
	c->zone_bearer = xasprintf("Bearer %s", (const char *)(zones ? zones : token)->p);
	*ret_self = c;
	return 0;
}

static struct rest begin(const struct cloudflare *c, const struct publish_env *env)
{
	struct rest r = rest_begin(env, &publisher_cloudflare);

	r.secrets[0] = &c->token;
	r.secrets[1] = &c->zone_token;
	r.limit_ms = LIMIT_MS;
	return r;
}

/* ---- the envelope {success, errors: [{code, message}], result} ---- */

struct reply {
	int status;
	json_t *doc;     /* owned */
	json_t *result;  /* borrowed; may be NULL */
	int64_t code;    /* of the first error, 0 = none */
	const char *words;
};

static void reply_done(struct reply *r)
{
	json_decref(r->doc);
}
#define _cleanup_reply_ __attribute__((cleanup(reply_done)))

static void first_error(struct reply *ret)
{
	json_t *e = json_array_get(json_object_get(ret->doc, "errors"), 0);

	ret->code = json_integer_value(json_object_get(e, "code"));
	ret->words = json_string_value(json_object_get(e, "message"));
}

/* 10000 and 9109 are the token itself, with status 400 or 403; 6003 is a token that does not look like one. */
static int refused(const struct rest *r, const struct http_response *res, const struct reply *reply, struct err *err)
{
	_cleanup_free_ char *code = reply->code ? xasprintf("%" PRId64, reply->code) : NULL;

	if (res->status < 429 && (reply->code == 10000 || reply->code == 9109 || reply->code == 6003))
		return rest_refused_as(r, res, ERR_UNAUTHENTICATED, code, reply->words, err);
	return rest_refused(r, res, code, reply->words, err);
}

/* 0 on success; or when the error's code is one of the two that mean it is done already. */
static int call(const struct cloudflare *c, const struct rest *r, enum http_method method, const char *path, json_t *body,
		const int64_t fine[2], struct reply *ret, struct err *err)
{
	_cleanup_free_ char *url = xasprintf("%s%s", c->url, path);
	struct http_header headers[] = { { "Authorization", str_starts(path, "/zones?") ? c->zone_bearer : c->bearer }, { 0 } };
	struct http_request q = { .method = method, .url = url, .headers = headers };
	_cleanup_http_ struct http_response res = { 0 };
	_cleanup_err_ struct err why = { 0 };
	bool ok;

	if (rest_send_json(r, &q, body, &res, err) < 0)
		return -(int)err->code;
	ret->status = res.status;
	ok = res.status >= 200 && res.status < 300;
	if (rest_json(r, &res, &ret->doc, &why) < 0)
		return ok ? err_move(err, &why) : rest_refused(r, &res, NULL, NULL, err);
	ret->result = json_object_get(ret->doc, "result");
	first_error(ret);
	if (ok && !json_is_false(json_object_get(ret->doc, "success")))
		return 0;
	if (ret->code && fine && (ret->code == fine[0] || ret->code == fine[1]))
		return 0;
	return refused(r, &res, ret, err);
}

/* ---- zones ---- */

struct zone {
	const char *id, *name, *status;
};
static const struct json_field zone_fields[] = {
	JF_STR(struct zone, id, .required = true, .min = 1, .max = 64),
	JF_STR(struct zone, name, .required = true, .max = LIMIT_NAME),
	JF_STR(struct zone, status, .nullable = true, .max = 64),
	{ 0 },
};

/* 1 found, 0 there is no such zone. */
static int look_up(const struct cloudflare *c, const struct rest *r, const char *name, char **ret_id, struct err *err)
{
	struct buf path = BUF_MAX(1024);
	_cleanup_free_ char *p = NULL;
	_cleanup_reply_ struct reply reply = { 0 };
	struct zone z = { 0 };
	json_t *first;

	buf_add_str(&path, "/zones?name=");
	url_escape(&path, name, strlen(name));
	p = buf_take(&path);
	if (call(c, r, HTTP_GET, p, NULL, NULL, &reply, err) < 0)
		return -(int)err->code;
	if (!json_is_array(reply.result))
		return err_set(err, ERR_REMOTE_BAD, "%s did not answer with a list of zones", r->vendor);
	first = json_array_get(reply.result, 0);
	if (!first)
		return 0;
	if (rest_decode(r, first, zone_fields, &z, err) < 0)
		return -(int)err->code;
	if (!name_same(z.name, name))
		return err_set(err, ERR_REMOTE_BAD, "%s was asked for zone '%s' and named another", r->vendor, name);
	if (z.status && !streq(z.status, "active")) {
		err_set(err, ERR_DENIED, "zone '%s' is not active at %s, so nobody would see what is published there", name, r->vendor);
		return err_hint(err, "Finish the set-up of the zone there, or choose the provider whose name servers the zone really has.");
	}
	*ret_id = xstrdup(z.id);
	return 1;
}

/* The zone of the set, or the deepest one this credential sees. ret_zone may be NULL. */
static int find(const struct cloudflare *c, const struct rest *r, const char *zone, const char *name, char **ret_id, char **ret_zone,
		struct err *err)
{
	_cleanup_free_ char *plain = name_plain(str_empty(zone) ? name : zone);

	for (const char *at = plain; at; at = str_empty(zone) ? name_up(at) : NULL) {
		int n = look_up(c, r, at, ret_id, err);

		if (n < 0)
			return n;
		if (n) {
			if (ret_zone)
				*ret_zone = xstrdup(at);
			return 0;
		}
	}
	return rest_no_zone(r, str_empty(zone) ? name : zone, err);
}

/* ---- records ---- */

struct txt_record {
	const char *id, *type, *name, *content;
};
static const struct json_field record_fields[] = {
	JF_STR(struct txt_record, id, .required = true, .min = 1, .max = 64),
	JF_STR(struct txt_record, type, .required = true, .max = 16),
	JF_STR(struct txt_record, name, .required = true, .max = LIMIT_NAME),
	JF_STR(struct txt_record, content, .required = true, .max = 65536),
	{ 0 },
};

struct there {
	struct strlist ids, contents; /* TXT at the name, side by side */
};

static void there_done(struct there *t)
{
	strlist_clear(&t->ids);
	strlist_clear(&t->contents);
}

static int take_page(const struct rest *r, json_t *list, const char *name, struct there *ret, struct err *err)
{
	json_t *item;
	size_t i;

	if (!json_is_array(list))
		return err_set(err, ERR_REMOTE_BAD, "%s did not answer with a list of records", r->vendor);
	json_array_foreach(list, i, item) {
		struct txt_record rec = { 0 };

		if (rest_decode(r, item, record_fields, &rec, err) < 0)
			return -(int)err->code;
		if (!streq(rec.type, "TXT") || !name_same(rec.name, name))
			continue;
		strlist_add(&ret->ids, rec.id);
		strlist_add(&ret->contents, rec.content);
	}
	return 0;
}

static int list(const struct cloudflare *c, const struct rest *r, const char *zone_id, const char *name, struct there *ret, struct err *err)
{
	struct buf q = BUF_MAX(1024);
	_cleanup_free_ char *base = NULL;

	buf_add_str(&q, "/zones/");
	url_escape(&q, zone_id, strlen(zone_id));
	buf_add_str(&q, "/dns_records?type=TXT&per_page=100&name=");
	url_escape(&q, name, strlen(name));
	base = buf_take(&q);
	for (int64_t page = 1, pages = 1; page <= pages; page++) {
		_cleanup_free_ char *path = xasprintf("%s&page=%" PRId64, base, page);
		_cleanup_reply_ struct reply reply = { 0 };

		if (page > LIMIT_PROVIDER_PAGES)
			return err_set(err, ERR_REMOTE_BAD, "%s has too many TXT records at '%s'", r->vendor, name);
		if (call(c, r, HTTP_GET, path, NULL, NULL, &reply, err) < 0 || take_page(r, reply.result, name, ret, err) < 0)
			return -(int)err->code;
		pages = json_integer_value(json_object_get(json_object_get(reply.doc, "result_info"), "total_pages"));
	}
	return 0;
}

static int add(const struct cloudflare *c, const struct rest *r, const char *zone_id, const char *name, const char *value, int64_t ttl_s,
	       struct err *err)
{
	static const int64_t there_already[2] = { 81057, 81058 };
	_cleanup_free_ char *path = xasprintf("/zones/%s/dns_records", zone_id), *quoted = txt_quote(value);
	_cleanup_reply_ struct reply reply = { 0 };
	json_t *body = json_pack("{s:s,s:s,s:s,s:I}", "type", "TXT", "name", name, "content", quoted, "ttl",
				 (json_int_t)MAX(MIN(ttl_s, TTL_MAX), TTL_MIN));

	return call(c, r, HTTP_POST, path, body, there_already, &reply, err);
}

static int del(const struct cloudflare *c, const struct rest *r, const char *zone_id, const char *id, struct err *err)
{
	static const int64_t gone_already[2] = { 81044, 81044 };
	struct buf q = BUF_MAX(512);
	_cleanup_free_ char *path = NULL;
	_cleanup_reply_ struct reply reply = { 0 };

	buf_addf(&q, "/zones/%s/dns_records/", zone_id);
	url_escape(&q, id, strlen(id));
	path = buf_take(&q);
	if (call(c, r, HTTP_DELETE, path, NULL, gone_already, &reply, err) < 0) {
		if (reply.status != 404)
			return -(int)err->code;
		err_clear(err);
	}
	return 0;
}

/* ---- the contract ---- */

static int publish(void *self, const struct publish_env *env, const struct challenge_set *set, struct err *err)
{
	const struct cloudflare *c = self;
	struct rest r = begin(c, env);
	_cleanup_(there_done) struct there there = { 0 };
	_cleanup_free_ char *id = NULL;

	if (find(c, &r, set->zone, set->name, &id, NULL, err) < 0 || list(c, &r, id, set->name, &there, err) < 0)
		return err_wrap(err, "could not read the TXT records of '%s' at %s", set->name, r.vendor);
	for (size_t i = 0; i < set->values.n; i++)
		if (!txt_there(&there.contents, set->values.v[i]) && add(c, &r, id, set->name, set->values.v[i], set->ttl_s, err) < 0)
			return err_wrap(err, "could not add a TXT record at '%s' at %s", set->name, r.vendor);
	return 0;
}

static int withdraw(void *self, const struct publish_env *env, const struct challenge_set *set, struct err *err)
{
	const struct cloudflare *c = self;
	struct rest r = begin(c, env);
	_cleanup_(there_done) struct there there = { 0 };
	_cleanup_free_ char *id = NULL;

	if (find(c, &r, set->zone, set->name, &id, NULL, err) < 0 && err->code == ERR_NOT_FOUND) {
		err_clear(err);
		return 0; /* the zone is gone, and what was in it */
	}
	if (err_is(err) || list(c, &r, id, set->name, &there, err) < 0)
		return err_wrap(err, "could not read the TXT records of '%s' at %s", set->name, r.vendor);
	for (size_t i = 0; i < there.ids.n; i++)
		if (txt_ours(set, there.contents.v[i]) && del(c, &r, id, there.ids.v[i], err) < 0)
			return err_wrap(err, "could not remove a TXT record at '%s' at %s", set->name, r.vendor);
	return 0;
}

static int find_zone(void *self, const struct publish_env *env, const char *name, char **ret_zone, struct err *err)
{
	const struct cloudflare *c = self;
	struct rest r = begin(c, env);
	_cleanup_free_ char *id = NULL;

	return find(c, &r, "", name, &id, ret_zone, err);
}

static int zones(void *self, const struct publish_env *env, struct strlist *ret, struct err *err)
{
	const struct cloudflare *c = self;
	struct rest r = begin(c, env);

	for (int64_t page = 1, pages = 1; page <= pages && page <= LIMIT_PROVIDER_PAGES; page++) {
		_cleanup_free_ char *path = xasprintf("/zones?per_page=50&page=%" PRId64, page);
		_cleanup_reply_ struct reply reply = { 0 };
		json_t *item;
		size_t i;

		if (call(c, &r, HTTP_GET, path, NULL, NULL, &reply, err) < 0)
			return err_wrap(err, "could not list the zones at %s", r.vendor);
		json_array_foreach(reply.result, i, item) {
			struct zone z = { 0 };

			if (rest_decode(&r, item, zone_fields, &z, err) < 0)
				return -(int)err->code;
			if (ret->n < PUBLISH_ZONES_MAX)
				zone_add(ret, z.name);
		}
		pages = json_integer_value(json_object_get(json_object_get(reply.doc, "result_info"), "total_pages"));
	}
	return 0;
}

static const struct field fields[] = {
	{ .name = "token", .flags = FIELD_SECRET | FIELD_REQUIRED, .title = "API token",
	  .help = "My Profile, API Tokens, Create Token, template \"Edit zone DNS\"" },
	{ .name = "zone_token", .flags = FIELD_SECRET, .title = "Second token for reading zones",
	  .help = "Only when the first token may edit DNS but not read zones" },
	{ .name = "url", .flags = FIELD_URL | FIELD_ENDPOINT, .title = "Address of the API", .standard = API_URL,
	  .help = "Change it only for a gateway of your own in front of the API" },
	{ 0 },
};

const struct publisher publisher_cloudflare = {
	.name = "cloudflare",
	.title = "Cloudflare",
	.help = "TXT records through Cloudflare's API with an API token.",
	.rights = "API token with Zone / Zone / Read and Zone / DNS / Edit, Zone Resources: Include / Specific zone / the zones in question. "
		  "Not the global API key.",
	.site = "https://developers.cloudflare.com/fundamentals/api/get-started/create-token/",
	.kinds = KIND_DNS01,
	.way = PUBLISH_REMOTE,
	.ttl_s = 120,
	.propagation_s = 10,
	.fields = fields,
	.open = open_,
	.close = close_,
	.publish = publish,
	.withdraw = withdraw,
	.zones = zones,
	.find_zone = find_zone,
};
