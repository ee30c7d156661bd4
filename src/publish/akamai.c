/* SPDX-License-Identifier: Apache-2.0 */
/*
 * akamai.c - Akamai Edge DNS, config-dns v2 (techdocs.akamai.com/edge-dns/reference), signed with EdgeGrid.
 *
 * The unit is the record set: read it, merge, write all of it. POST creates and fails when there is one, PUT replaces and fails
 * when there is none: whoever was overtaken reads again. Values of others are written back byte for byte, with the TTL they have.
 * What is written is read back, since PUT has no condition: if another writer replaced the set meanwhile, ours is put in again.
 */
#include "publish/rest.h"
#include "publish/txt.h"

#include "base/limits.h"
#include "remote/edgegrid.h"

#define TRIES 3 /* read and write again when overtaken */

extern const struct publisher publisher_akamai;

struct akamai {
	struct edgegrid e;
	char *url; /* without path; https://HOST unless something of the user's stands in front */
};

static void close_(void *self)
{
	struct akamai *a = self;

	if (!a)
		return;
	edgegrid_done(&a->e);
	free(a->url);
	free(a);
}

static char *copy_text(const struct field_value *values, size_t n, const char *name)
{
	const char *s = field_text(values, n, name);

	return str_empty(s) ? NULL : xstrdup(s);
}

static char *copy_secret(const struct field_value *values, size_t n, const char *name)
{
	const struct secret *s = field_secret(values, n, name);

	return s && s->n ? xstrndup((const char *)s->p, s->n) : NULL;
}

/* Four fields, or a pasted .edgerc; what is given beside the paste wins. */
static int credential(const struct field_value *values, size_t n, struct edgegrid *e, struct err *err)
{
	const struct secret *file = field_secret(values, n, "edgerc"), *secret = field_secret(values, n, "client_secret");
	struct { const char *name; char **to; char *given; } parts[] = {
		{ "host", &e->host, copy_text(values, n, "host") },
		{ "client_token", &e->client_token, copy_secret(values, n, "client_token") },
		{ "access_token", &e->access_token, copy_secret(values, n, "access_token") },
		{ "account_key", &e->account_key, copy_text(values, n, "account_key") },
	};
	int r = 0;

	if (file && file->n && edgegrid_parse_edgerc((const char *)file->p, file->n, field_text(values, n, "section"), e, err) < 0)
		r = err_wrap(err, "the pasted .edgerc cannot be used");
	for (size_t i = 0; i < ARRAY_SIZE(parts); i++) {
		if (parts[i].given) {
			free(*parts[i].to);
			*parts[i].to = parts[i].given;
		}
	}
	if (r == 0 && secret && secret->n) {
		secret_clear(&e->client_secret);
		e->client_secret = secret_copy(secret->p, secret->n);
	}
	for (size_t i = 0; r == 0 && i < 3; i++)
		if (str_empty(*parts[i].to)) {
			_cleanup_free_ char *pointer = xasprintf("/fields/%s", parts[i].name);

			r = err_set_field(err, ERR_INVALID, pointer, "'%s' is missing: give the four fields or paste the .edgerc", parts[i].name);
		}
	if (r == 0 && !e->client_secret.n)
		r = err_set_field(err, ERR_INVALID, "/fields/client_secret", "'client_secret' is missing: give the four fields or paste the .edgerc");
	return r;
}

static int open_(const struct publish_env *env, const struct field_value *values, size_t n, void **ret_self, struct err *err)
{
	struct akamai *a = xcalloc(1, sizeof *a);
	_cleanup_free_ char *standard = NULL;

	(void)env;
	if (credential(values, n, &a->e, err) < 0) {
		close_(a);
		return -(int)err->code;
	}
	standard = xasprintf("https://%s", a->e.host);
	a->url = rest_url(values, n, "url", standard);
	*ret_self = a;
	return 0;
}

/* The tokens as secrets for the length of a visit. */
struct visit {
	struct rest r;
	const struct akamai *a;
	struct secret client, access;
};

static void visit_done(struct visit *v)
{
	secret_clear(&v->client);
	secret_clear(&v->access);
}
#define _cleanup_visit_ __attribute__((cleanup(visit_done)))

static void begin(struct visit *v, const struct akamai *a, const struct publish_env *env)
{
	*v = (struct visit){ .r = rest_begin(env, &publisher_akamai), .a = a, .client = secret_from(a->e.client_token),
			     .access = secret_from(a->e.access_token) };
	v->r.secrets[0] = &a->e.client_secret;
	v->r.secrets[1] = &v->client;
	v->r.secrets[2] = &v->access;
}

/* ---- calls ---- */

/* The clock window is 30 s: say by how much we differ, for that is what is wrong when the signature is. */
static void say_clock(const struct visit *v, const struct http_response *res, struct err *err)
{
	const char *date = http_header_get(res, "date");
	int64_t now = clock_now(v->r.env->clock), theirs, off;
	_cleanup_err_ struct err ignored = { 0 };

	if (!date || clock_parse_http(date, now, &theirs, &ignored) < 0)
		return;
	off = (now - theirs) / 1000;
	if (off > 20 || off < -20)
		err_hint(err, "Our clock is %" PRId64 " s %s theirs: set it, for signatures are good for 30 s only.", off < 0 ? -off : off,
			 off < 0 ? "behind" : "ahead of");
}

static int refused(const struct visit *v, const struct http_response *res, struct err *err)
{
	_cleanup_json_ json_t *doc = NULL;
	_cleanup_err_ struct err ignored = { 0 };
	const char *detail, *type;
	bool clock;

	if (res->status < 400 || json_parse(buf_text(&res->body), res->body.n, &doc, &ignored) < 0)
		return rest_refused(&v->r, res, NULL, NULL, err);
	detail = json_string_value(json_object_get(doc, "detail"));
	type = json_string_value(json_object_get(doc, "type"));
	if (!detail)
		detail = json_string_value(json_object_get(doc, "title"));
	clock = res->status == 400 && detail && !strncasecmp(detail, "Invalid timestamp", 17);
	if (clock) /* not the credential: it works again as soon as a clock is set */
		rest_refused_as(&v->r, res, ERR_REMOTE_BUSY, type, detail, err);
	else
		rest_refused(&v->r, res, type, detail, err);
	if (clock || res->status == 401)
		say_clock(v, res, err);
	return -(int)err->code;
}

/* path begins with "/config-dns/v2"; body may be NULL (taken). An answer of any status is success. */
static int call(const struct visit *v, enum http_method method, const char *path, json_t *body, struct http_response *ret, struct err *err)
{
	const struct edgegrid *e = &v->a->e;
	_cleanup_json_ json_t *doc = body;
	_cleanup_free_ char *text = doc ? json_text(doc) : NULL, *url = NULL, *auth = NULL;
	struct buf target = BUF_MAX(2048);
	_cleanup_free_ char *t = NULL;
	char time[EDGEGRID_TIME], nonce[EDGEGRID_NONCE];
	int r;

	buf_add_str(&target, path);
	if (e->account_key) {
		buf_addf(&target, "%saccountSwitchKey=", strchr(path, '?') ? "&" : "?");
		url_escape(&target, e->account_key, strlen(e->account_key));
	}
	t = buf_take(&target);
	url = xasprintf("%s%s", v->a->url, t);
	auth = edgegrid_sign(e, &(struct edgegrid_request){ .method = http_method_text(method), .scheme = "https", .host = e->host, .target = t,
							    .body = text ? STR(text) : (struct str){ 0 },
							    .timestamp = edgegrid_time(clock_now(v->r.env->clock), time),
							    .nonce = edgegrid_nonce(nonce) }, NULL);
	{
		struct http_header headers[] = { { "Authorization", auth }, { "Accept", "application/json" }, { 0 } };

		r = rest_send(&v->r, &(struct http_request){ .method = method, .url = url, .headers = headers, .body = text ? STR(text) : (struct str){ 0 },
							    .content_type = text ? "application/json" : NULL }, ret, err);
	}
	explicit_bzero(auth, strlen(auth));
	return r;
}

/* ---- zones ---- */

struct zone {
	const char *zone, *type, *activationState;
};
static const struct json_field zone_fields[] = {
	JF_STR(struct zone, zone, .required = true, .min = 1, .max = LIMIT_NAME),
	JF_STR(struct zone, type, .required = true, .max = 32),
	JF_STR(struct zone, activationState, .nullable = true, .max = 32),
	{ 0 },
};

static int zone_usable(const struct visit *v, const struct zone *z, const char *name, struct err *err)
{
	if (!name_same(z->zone, name))
		return err_set(err, ERR_REMOTE_BAD, "%s was asked for zone '%s' and named another", v->r.vendor, name);
	if (!str_case_eq(z->type, "PRIMARY")) {
		err_set(err, ERR_DENIED, "zone '%s' has no records of its own at %s: it copies another", name, v->r.vendor);
		return err_hint(err, "Choose the provider that holds the primary zone.");
	}
	if (z->activationState && (streq(z->activationState, "LOCKED") || streq(z->activationState, "ERROR") ||
				   streq(z->activationState, "OBSOLETE"))) {
		err_set(err, ERR_DENIED, "zone '%s' cannot be changed at %s: it is in state %s", name, v->r.vendor, z->activationState);
		return err_hint(err, "Look at the zone in Akamai Control Center.");
	}
	return 0;
}

/* 1 found, 0 there is no such zone. */
static int look_up(const struct visit *v, const char *name, struct err *err)
{
	_cleanup_free_ char *path = NULL;
	struct buf p = BUF_MAX(1024);
	_cleanup_http_ struct http_response res = { 0 };
	_cleanup_json_ json_t *doc = NULL;
	struct zone z = { 0 };

	buf_add_str(&p, "/config-dns/v2/zones/");
	url_escape(&p, name, strlen(name));
	path = buf_take(&p);
	if (call(v, HTTP_GET, path, NULL, &res, err) < 0)
		return -(int)err->code;
	if (res.status == 404)
		return 0;
	if (res.status != 200)
		return refused(v, &res, err);
	if (rest_json(&v->r, &res, &doc, err) < 0 || rest_decode(&v->r, doc, zone_fields, &z, err) < 0 || zone_usable(v, &z, name, err) < 0)
		return -(int)err->code;
	return 1;
}

static int find(const struct visit *v, const char *name, char **ret_zone, struct err *err)
{
	_cleanup_free_ char *plain = name_plain(name);

	for (const char *at = plain; at; at = name_up(at)) {
		int n = look_up(v, at, err);

		if (n < 0)
			return n;
		if (n) {
			*ret_zone = xstrdup(at);
			return 0;
		}
	}
	return rest_no_zone(&v->r, name, err);
}

static int zone_of(const struct visit *v, const struct challenge_set *set, char **ret, struct err *err)
{
	if (str_empty(set->zone))
		return find(v, set->name, ret, err);
	*ret = name_plain(set->zone);
	return 0;
}

/* ---- the record set ---- */

struct txt_set {
	bool there;
	int64_t ttl;
	struct strlist rdata;
};
static const struct json_field set_fields[] = {
	JF_INT(struct txt_set, ttl, .required = true, .max = INT32_MAX),
	JF_LIST(struct txt_set, rdata, .required = true, .max = LIMIT_PROVIDER_VALUES, .item_max = 65536),
	{ 0 },
};

static void txt_set_clear(struct txt_set *s)
{
	strlist_clear(&s->rdata);
	*s = (struct txt_set){ 0 };
}
#define _cleanup_txt_set_ __attribute__((cleanup(txt_set_clear)))

static char *set_path(const char *zone, const char *name)
{
	struct buf p = BUF_MAX(2048);

	buf_add_str(&p, "/config-dns/v2/zones/");
	url_escape(&p, zone, strlen(zone));
	buf_add_str(&p, "/names/");
	url_escape(&p, name, strlen(name));
	buf_add_str(&p, "/types/TXT");
	return buf_take(&p);
}

/* ret is empty when there is none; a zone that is not there looks the same. */
static int get(const struct visit *v, const char *path, struct txt_set *ret, struct err *err)
{
	_cleanup_http_ struct http_response res = { 0 };
	_cleanup_json_ json_t *doc = NULL;

	txt_set_clear(ret);
	if (call(v, HTTP_GET, path, NULL, &res, err) < 0)
		return -(int)err->code;
	if (res.status == 404)
		return 0;
	if (res.status != 200)
		return refused(v, &res, err);
	if (rest_json(&v->r, &res, &doc, err) < 0)
		return -(int)err->code;
	if (rest_decode(&v->r, doc, set_fields, ret, err) < 0) {
		json_decode_free(set_fields, ret);
		*ret = (struct txt_set){ 0 };
		return -(int)err->code;
	}
	ret->there = ret->rdata.n > 0;
	return 0;
}

/* 1 written, 0 overtaken: read again. */
static int put(const struct visit *v, const char *path, const char *name, const struct txt_set *s, struct err *err)
{
	enum http_method method = !s->there ? HTTP_POST : s->rdata.n ? HTTP_PUT : HTTP_DELETE;
	_cleanup_http_ struct http_response res = { 0 };
	json_t *body = method == HTTP_DELETE ? NULL : json_pack("{s:s,s:s,s:I,s:o}", "name", name, "type", "TXT", "ttl", (json_int_t)s->ttl,
								"rdata", json_strlist(&s->rdata));

	if (call(v, method, path, body, &res, err) < 0)
		return -(int)err->code;
	if ((method == HTTP_DELETE && res.status == 204) || (method != HTTP_DELETE && (res.status == 200 || res.status == 201)))
		return 1;
	if (res.status == 404 && !s->there)
		return rest_no_zone(&v->r, name, err);
	if (res.status == 409 || res.status == 412 || (res.status == 404 && s->there))
		return 0;
	return refused(v, &res, err);
}

static bool complete(const struct txt_set *s, const struct challenge_set *set, bool add)
{
	for (size_t i = 0; i < set->values.n; i++)
		if (txt_there(&s->rdata, set->values.v[i]) != add)
			return false;
	return true;
}

/* Adds or removes our values; reads what it wrote. */
static int change(const struct visit *v, const char *zone, const struct challenge_set *set, bool add, struct err *err)
{
	_cleanup_free_ char *name = name_plain(set->name), *path = set_path(zone, name);
	_cleanup_txt_set_ struct txt_set s = { 0 };

	for (int i = 0; i <= TRIES; i++) {
		int n;

		if (get(v, path, &s, err) < 0)
			return -(int)err->code;
		if (complete(&s, set, add))
			return 0;
		if (i == TRIES)
			break;
		if (add)
			txt_merge(&s.rdata, set);
		else
			txt_remove(&s.rdata, set);
		if (!s.there)
			s.ttl = set->ttl_s;
		n = put(v, path, name, &s, err);
		/* A POST that finds a set is refused in words we do not rely on: if there is one now, we were overtaken. */
		if (n < 0 && !s.there && err->code == ERR_REMOTE_REFUSED) {
			_cleanup_err_ struct err why = TAKE(*err);

			if (get(v, path, &s, err) < 0)
				return -(int)err->code;
			if (!s.there)
				return err_move(err, &why);
		} else if (n < 0) {
			return n;
		}
	}
	return err_set(err, ERR_REMOTE_BUSY, "somebody else writes the same record set all the time");
}

static int publish(void *self, const struct publish_env *env, const struct challenge_set *set, struct err *err)
{
	_cleanup_visit_ struct visit v;
	_cleanup_free_ char *zone = NULL;

	begin(&v, self, env);
	if (zone_of(&v, set, &zone, err) < 0 || change(&v, zone, set, true, err) < 0)
		return err_wrap(err, "could not add TXT values at '%s' at %s", set->name, v.r.vendor);
	return 0;
}

static int withdraw(void *self, const struct publish_env *env, const struct challenge_set *set, struct err *err)
{
	_cleanup_visit_ struct visit v;
	_cleanup_free_ char *zone = NULL;

	begin(&v, self, env);
	if (zone_of(&v, set, &zone, err) < 0 && err->code == ERR_NOT_FOUND) {
		err_clear(err);
		return 0; /* the zone is gone, and what was in it */
	}
	if (err_is(err) || change(&v, zone, set, false, err) < 0)
		return err_wrap(err, "could not remove TXT values at '%s' at %s", set->name, v.r.vendor);
	return 0;
}

static int find_zone(void *self, const struct publish_env *env, const char *name, char **ret_zone, struct err *err)
{
	_cleanup_visit_ struct visit v;

	begin(&v, self, env);
	return find(&v, name, ret_zone, err);
}

static int zones(void *self, const struct publish_env *env, struct strlist *ret, struct err *err)
{
	_cleanup_visit_ struct visit v;
	_cleanup_http_ struct http_response res = { 0 };
	_cleanup_json_ json_t *doc = NULL;
	json_t *item;
	size_t i;

	begin(&v, self, env);
	/* Without showAll the list stops at 25. */
	if (call(&v, HTTP_GET, "/config-dns/v2/zones?showAll=true&types=primary", NULL, &res, err) < 0 ||
	    (res.status != 200 && refused(&v, &res, err) < 0) || rest_json(&v.r, &res, &doc, err) < 0)
		return err_wrap(err, "could not list the zones at %s", v.r.vendor);
	json_array_foreach(json_object_get(doc, "zones"), i, item) {
		struct zone z = { 0 };

		if (rest_decode(&v.r, item, zone_fields, &z, err) < 0)
			return -(int)err->code;
		if (ret->n < PUBLISH_ZONES_MAX)
			zone_add(ret, z.zone);
	}
	return 0;
}

static const struct field fields[] = {
	{ .name = "edgerc", .flags = FIELD_SECRET | FIELD_LINES, .title = ".edgerc",
	  .help = "The credential file as Akamai Control Center hands it out, pasted whole; instead of the four fields below" },
	{ .name = "section", .title = "Section of the .edgerc", .help = "Needed when it has several and none is called default", .max = 64 },
	{ .name = "host", .flags = FIELD_HOST | FIELD_ENDPOINT, .help = "akab-….luna.akamaiapis.net" },
	{ .name = "client_token", .flags = FIELD_SECRET, .help = "akab-…: identifies the API client" },
	{ .name = "client_secret", .flags = FIELD_SECRET, .help = "Shown once, when the credential is made" },
	{ .name = "access_token", .flags = FIELD_SECRET, .help = "akab-…: identifies the authorization" },
	{ .name = "account_key", .title = "Account switch key", .max = 128,
	  .help = "Only for partners and internal users who manage another account" },
	{ .name = "url", .flags = FIELD_URL | FIELD_ENDPOINT, .title = "Address of the API",
	  .help = "Only for a gateway of your own in front of it; left empty it is https:// and the host" },
	{ 0 },
};

const struct publisher publisher_akamai = {
	.name = "akamai",
	.title = "Akamai",
	.help = "Record sets of Akamai Edge DNS, with an EdgeGrid credential.",
	.rights = "API client in Identity and Access Management with the API \"DNS-Zone Record Management\" at level READ-WRITE, and its groups limited "
		  "to those that hold the zones in question.",
	.site = "https://techdocs.akamai.com/edge-dns/reference/edge-dns-api",
	.kinds = KIND_DNS01,
	.way = PUBLISH_REMOTE,
	.ttl_s = 60,
	.propagation_s = 60,
	.timeout_s = 45,
	.fields = fields,
	.open = open_,
	.close = close_,
	.publish = publish,
	.withdraw = withdraw,
	.zones = zones,
	.find_zone = find_zone,
};
