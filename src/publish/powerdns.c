/* SPDX-License-Identifier: Apache-2.0 */
/*
 * powerdns.c - PowerDNS Authoritative Server, HTTP API v1 (doc.powerdns.com/authoritative/http-api/zone.html). Its REPLACE writes a
 * whole RRset, so others' values are read and written back. Newer servers (4.9.12, 5.0.2) have EXTEND and PRUNE, which touch one
 * value and cannot lose another writer's: they are tried first, and the answer of a server that does not know them is the sign to
 * read, merge, write and read back. The server may be a hidden primary: what the world sees is looked at by the engine.
 */
#include "publish/rest.h"
#include "publish/txt.h"

#include "base/limits.h"
#include "net/url.h"

#define TRIES 6 /* writes until it is as it should be: somebody else may write between our reading and our writing */

extern const struct publisher publisher_powerdns;

struct powerdns {
	char *base; /* http(s)://host:8081/api/v1/servers/localhost */
	struct secret key;
};

static const struct net_rule plain_too = { .plain_ok = true };

static void close_(void *self)
{
	struct powerdns *p = self;

	if (!p)
		return;
	free(p->base);
	secret_clear(&p->key);
	free(p);
}

static int open_(const struct publish_env *env, const struct field_value *values, size_t n, void **ret_self, struct err *err)
{
	const struct secret *key = field_secret(values, n, "api_key");
	const char *server = field_text(values, n, "server");
	_cleanup_free_ char *url = rest_url(values, n, "url", NULL), *id = NULL;
	struct buf escaped = BUF_MAX(1024);
	struct powerdns *p;

	(void)env;
	if (str_empty(url))
		return err_set_field(err, ERR_INVALID, "/fields/url", "the URL of the PowerDNS API is missing");
	if (!key || !key->n)
		return err_set_field(err, ERR_INVALID, "/fields/api_key", "the API key is missing");
	server = str_empty(server) ? "localhost" : server;
	url_escape(&escaped, server, strlen(server));
	id = buf_take(&escaped);
	if (str_ends(url, "/api/v1"))
		url[strlen(url) - strlen("/api/v1")] = '\0';
	p = xcalloc(1, sizeof *p);
	p->base = xasprintf("%s/api/v1/servers/%s", url, id);
	p->key = secret_copy(key->p, key->n);
	*ret_self = p;
	return 0;
}

static struct rest begin(const struct powerdns *p, const struct publish_env *env)
{
	struct rest r = rest_begin(env, &publisher_powerdns);

	r.secrets[0] = &p->key;
	return r;
}

/* ---- one call ---- */

struct reply {
	int status;
	json_t *doc; /* owned; NULL when there was none */
};

static void reply_done(struct reply *r)
{
	json_decref(r->doc);
}
#define _cleanup_reply_ __attribute__((cleanup(reply_done)))

static const char *error_of(const struct reply *r)
{
	return json_string_value(json_object_get(r->doc, "error"));
}

/* The error stays with the caller, and so does the answer: some refusals are signs. */
static int call(const struct powerdns *p, const struct rest *r, enum http_method method, const char *path, json_t *body, struct reply *ret,
		struct err *err)
{
	_cleanup_free_ char *url = xasprintf("%s%s", p->base, path);
	struct http_header headers[] = { { "X-API-Key", (const char *)p->key.p }, { 0 } };
	struct http_request q = { .method = method, .url = url, .headers = headers, .rule = &plain_too };
	_cleanup_http_ struct http_response res = { 0 };
	_cleanup_err_ struct err why = { 0 };
	int rc;

	if (rest_send_json(r, &q, body, &res, err) < 0)
		return -(int)err->code;
	ret->status = res.status;
	if (res.status == 204)
		return 0;
	rc = rest_json(r, &res, &ret->doc, &why);
	if (res.status == 200)
		return rc < 0 ? err_move(err, &why) : 0;
	/* the zone is not there; anything else that is missing is the server's name or the API itself */
	if (res.status == 404 && str_starts(path, "/zones/"))
		return rest_refused_as(r, &res, ERR_NOT_FOUND, NULL, error_of(ret), err);
	return rest_refused(r, &res, NULL, error_of(ret), err);
}

static char *dotted(const char *name)
{
	_cleanup_free_ char *plain = name_plain(name);

	return xasprintf("%s.", plain);
}

static char *zone_path(const char *zone, const char *name)
{
	_cleanup_free_ char *z = dotted(zone), *n = name ? dotted(name) : NULL;
	struct buf b = BUF_MAX(2048);

	buf_add_str(&b, "/zones/");
	url_escape(&b, z, strlen(z));
	if (n) {
		buf_add_str(&b, "?rrset_type=TXT&rrset_name=");
		url_escape(&b, n, strlen(n));
	}
	return buf_take(&b);
}

/* ---- zones ---- */

struct zone {
	const char *name, *kind;
};
static const struct json_field zone_fields[] = {
	JF_STR(struct zone, name, .required = true, .min = 1, .max = LIMIT_NAME + 1),
	JF_STR(struct zone, kind, .nullable = true, .max = 32),
	{ 0 },
};

/* A copy of somebody else's zone is not written to. */
static bool is_copy(const struct zone *z)
{
	return z->kind && (str_case_eq(z->kind, "Slave") || str_case_eq(z->kind, "Secondary") || str_case_eq(z->kind, "Consumer"));
}

/* 1 found, 0 there is no such zone. Servers that do not know the parameter answer with all of them. */
static int look_up(const struct powerdns *p, const struct rest *r, const char *name, struct err *err)
{
	_cleanup_free_ char *z = dotted(name), *path = NULL;
	_cleanup_reply_ struct reply reply = { 0 };
	struct buf b = BUF_MAX(1024);
	json_t *item;
	size_t i;

	buf_add_str(&b, "/zones?dnssec=false&zone=");
	url_escape(&b, z, strlen(z));
	path = buf_take(&b);
	if (call(p, r, HTTP_GET, path, NULL, &reply, err) < 0)
		return -(int)err->code;
	if (!json_is_array(reply.doc))
		return err_set(err, ERR_REMOTE_BAD, "%s did not answer with a list of zones", r->vendor);
	json_array_foreach(reply.doc, i, item) {
		struct zone found = { 0 };

		if (rest_decode(r, item, zone_fields, &found, err) < 0)
			return -(int)err->code;
		if (!name_same(found.name, name))
			continue;
		if (is_copy(&found)) {
			err_set(err, ERR_DENIED, "zone '%s' is a copy (%s) on this server and cannot be written here", name, found.kind);
			return err_hint(err, "Give the address of the primary server, hidden or not.");
		}
		return 1;
	}
	return 0;
}

static int find(const struct powerdns *p, const struct rest *r, const char *name, char **ret_zone, struct err *err)
{
	_cleanup_free_ char *plain = name_plain(name);

	for (const char *at = plain; at; at = name_up(at)) {
		int n = look_up(p, r, at, err);

		if (n < 0)
			return n;
		if (n) {
			*ret_zone = xstrdup(at);
			return 0;
		}
	}
	return rest_no_zone(r, name, err);
}

static int find_zone(void *self, const struct publish_env *env, const char *name, char **ret_zone, struct err *err)
{
	const struct powerdns *p = self;
	struct rest r = begin(p, env);

	if (find(p, &r, name, ret_zone, err) < 0)
		return err_wrap(err, "could not find the zone of '%s'", name);
	return 0;
}

static int zones(void *self, const struct publish_env *env, struct strlist *ret, struct err *err)
{
	const struct powerdns *p = self;
	struct rest r = begin(p, env);
	_cleanup_reply_ struct reply reply = { 0 };
	json_t *item;
	size_t i;

	if (call(p, &r, HTTP_GET, "/zones?dnssec=false", NULL, &reply, err) < 0)
		return -(int)err->code;
	if (!json_is_array(reply.doc))
		return err_set(err, ERR_REMOTE_BAD, "%s did not answer with a list of zones", r.vendor);
	json_array_foreach(reply.doc, i, item) {
		_cleanup_free_ char *plain = NULL;
		struct zone z = { 0 };

		if (ret->n == PUBLISH_ZONES_MAX)
			break;
		if (rest_decode(&r, item, zone_fields, &z, err) < 0)
			return -(int)err->code;
		if (is_copy(&z))
			continue;
		plain = name_plain(z.name);
		strlist_add(ret, plain);
	}
	return 0;
}

/* ---- the RRset ---- */

struct rrset {
	json_t *records;      /* as the server has them: others' stay byte for byte; owned */
	struct strlist rdata; /* their contents */
	int64_t ttl_s;        /* 0 = there is none */
};

static void rrset_done(struct rrset *s)
{
	json_decref(s->records);
	strlist_clear(&s->rdata);
	*s = (struct rrset){ 0 };
}
#define _cleanup_rrset_ __attribute__((cleanup(rrset_done)))

static int take_records(const struct rest *r, json_t *rrset, struct rrset *ret, struct err *err)
{
	json_t *records = json_object_get(rrset, "records"), *item;
	size_t i;

	if (!json_is_array(records))
		return err_set(err, ERR_REMOTE_BAD, "%s gave a record set without records", r->vendor);
	json_array_foreach(records, i, item) {
		const char *content = json_string_value(json_object_get(item, "content"));

		if (!content)
			return err_set(err, ERR_REMOTE_BAD, "%s gave a record without content", r->vendor);
		strlist_add(&ret->rdata, content);
		json_array_append_new(ret->records, json_pack("{s:s, s:b}", "content", content, "disabled",
							      json_is_true(json_object_get(item, "disabled"))));
	}
	ret->ttl_s = json_integer_value(json_object_get(rrset, "ttl"));
	return 0;
}

/* Older servers ignore the filter and give the whole zone: the set is looked for all the same. */
static int read_set(const struct powerdns *p, const struct rest *r, const char *zone, const char *name, struct rrset *ret, struct err *err)
{
	_cleanup_free_ char *path = zone_path(zone, name);
	_cleanup_reply_ struct reply reply = { 0 };
	json_t *rrsets, *item;
	size_t i;

	rrset_done(ret);
	ret->records = json_array();
	if (call(p, r, HTTP_GET, path, NULL, &reply, err) < 0)
		return -(int)err->code;
	rrsets = json_object_get(reply.doc, "rrsets");
	if (!json_is_array(rrsets))
		return err_set(err, ERR_REMOTE_BAD, "%s gave a zone without record sets", r->vendor);
	json_array_foreach(rrsets, i, item) {
		const char *n = json_string_value(json_object_get(item, "name")), *type = json_string_value(json_object_get(item, "type"));

		if (n && type && streq(type, "TXT") && name_same(n, name))
			return take_records(r, item, ret, err);
	}
	return 0;
}

static int patch(const struct powerdns *p, const struct rest *r, const char *zone, const char *name, const char *change, int64_t ttl_s,
		 json_t *take_records, struct reply *ret, struct err *err)
{
	_cleanup_free_ char *path = zone_path(zone, NULL), *owner = dotted(name);
	json_t *set = json_pack("{s:s, s:s, s:s, s:I, s:o}", "name", owner, "type", "TXT", "changetype", change, "ttl", (json_int_t)ttl_s,
				"records", take_records);

	if (call(p, r, HTTP_PATCH, path, json_pack("{s:[o]}", "rrsets", set), ret, err) == 0)
		return 0;
	if (ret->status == 422 && error_of(ret) && strcasestr(error_of(ret), "Conflicts with pre-existing"))
		err_hint(err, "Something else, such as a CNAME, is at '%s': no TXT record can stand beside it.", name);
	return -(int)err->code;
}

static json_t *record_of(const char *value)
{
	_cleanup_free_ char *quoted = txt_quote(value);

	return json_pack("[{s:s, s:b}]", "content", quoted, "disabled", false);
}

/* One value added or removed by the server itself. 1 done, 0 it did not, or does not know how. */
static int touch_one(const struct powerdns *p, const struct rest *r, const struct challenge_set *set, const char *value, bool add,
		     struct err *err)
{
	_cleanup_reply_ struct reply reply = { 0 };

	if (patch(p, r, set->zone, set->name, add ? "EXTEND" : "PRUNE", set->ttl_s, record_of(value), &reply, err) == 0)
		return 1;
	/* a 500 is its database being locked: what came of it is read */
	if (reply.status == 500 || (reply.status == 422 && (!error_of(&reply) || strcasestr(error_of(&reply), "changetype")))) {
		err_clear(err);
		return 0;
	}
	return -(int)err->code;
}

/* 1 all done, 0 not. */
static int touch(const struct powerdns *p, const struct rest *r, const struct challenge_set *set, bool add, struct err *err)
{
	for (size_t i = 0; i < set->values.n; i++) {
		int rc = touch_one(p, r, set, set->values.v[i], add, err);

		if (rc <= 0)
			return rc;
	}
	return 1;
}

static bool as_wanted(const struct rrset *there, const struct challenge_set *set, bool add)
{
	for (size_t i = 0; i < set->values.n; i++)
		if (txt_there(&there->rdata, set->values.v[i]) != add)
			return false;
	return true;
}

/* The set without ours, or with all of ours; others' records untouched. */
static json_t *merged(const struct rrset *there, const struct challenge_set *set, bool add)
{
	json_t *list = json_array();

	for (size_t i = 0; i < there->rdata.n; i++)
		if (add || !txt_ours(set, there->rdata.v[i]))
			json_array_append(list, json_array_get(there->records, i));
	for (size_t i = 0; add && i < set->values.n; i++)
		if (!txt_there(&there->rdata, set->values.v[i])) {
			json_t *one = record_of(set->values.v[i]);

			json_array_append(list, json_array_get(one, 0));
			json_decref(one);
		}
	return list;
}

/*
 * Read, merge, write, until what is read back is as it should be. A 500 is its database being locked by another writer: what came of
 * it shows when it is read again.
 */
static int settle(const struct powerdns *p, const struct rest *r, const struct challenge_set *set, bool add, struct err *err)
{
	_cleanup_rrset_ struct rrset there = { 0 };
	_cleanup_err_ struct err busy = { 0 };

	for (int i = 0;; i++) {
		_cleanup_reply_ struct reply reply = { 0 };
		json_t *records;
		int rc;

		if (read_set(p, r, set->zone, set->name, &there, err) < 0)
			return -(int)err->code;
		if (as_wanted(&there, set, add))
			return 0;
		if (i == TRIES)
			break;
		err_clear(&busy);
		records = merged(&there, set, add);
		rc = patch(p, r, set->zone, set->name, json_array_size(records) ? "REPLACE" : "DELETE", there.ttl_s ? there.ttl_s : set->ttl_s,
			   records, &reply, &busy);
		if (rc < 0 && reply.status != 500)
			return err_move(err, &busy);
	}
	if (err_is(&busy))
		return err_move(err, &busy);
	return err_set(err, ERR_REMOTE_BUSY, "%s was told %d times and still does not %s the values of '%s'", r->vendor, TRIES,
		       add ? "have" : "leave out", set->name);
}

/* ---- the contract ---- */

static int change(const struct powerdns *p, const struct publish_env *env, const struct challenge_set *set, bool add, struct err *err)
{
	struct rest r = begin(p, env);
	struct challenge_set in = *set;
	_cleanup_rrset_ struct rrset there = { 0 };
	_cleanup_free_ char *zone = NULL;

	if (str_empty(set->zone)) {
		if (find(p, &r, set->name, &zone, err) < 0)
			return -(int)err->code;
		in.zone = zone;
	}
	/* read first: a write that changes nothing would still raise the zone's serial */
	if (read_set(p, &r, in.zone, in.name, &there, err) < 0)
		return -(int)err->code;
	if (as_wanted(&there, &in, add))
		return 0;
	if (touch(p, &r, &in, add, err) < 0)
		return -(int)err->code;
	/* read back in every case: a server that says yes and does nothing is found out here */
	return settle(p, &r, &in, add, err);
}

static int publish(void *self, const struct publish_env *env, const struct challenge_set *set, struct err *err)
{
	if (change(self, env, set, true, err) < 0)
		return err_wrap(err, "could not write the TXT records of '%s'", set->name);
	return 0;
}

static int withdraw(void *self, const struct publish_env *env, const struct challenge_set *set, struct err *err)
{
	if (change(self, env, set, false, err) == 0)
		return 0;
	if (err->code != ERR_NOT_FOUND)
		return err_wrap(err, "could not remove the TXT records of '%s'", set->name);
	err_clear(err); /* the zone is gone, and what was in it */
	return 0;
}

const struct publisher publisher_powerdns = {
	.name = "powerdns",
	.title = "PowerDNS",
	.help = "The HTTP API of a PowerDNS Authoritative Server, plain or behind a TLS proxy; a hidden primary is fine.",
	.kinds = KIND_DNS01,
	.way = PUBLISH_REMOTE,
	.ttl_s = 60,
	.propagation_s = 5,
	.timeout_s = 30,
	.rights = "PowerDNS has one API key, good for everything: let in this server's address only. A proxy in front can narrow the key to GET /zones and "
		  "PATCH of the zones that are meant.",
	.grants = (const struct grant[]){
		{ "pdns.conf", "text",
		  "api=yes\napi-key=...\nwebserver=yes\nwebserver-address=10.1.0.53\nwebserver-allow-from=10.1.0.20/32\n" },
		{ 0 },
	},
	.site = "https://doc.powerdns.com/authoritative/http-api/",
	.fields = (const struct field[]){
		{ .name = "url", .flags = FIELD_URL | FIELD_REQUIRED | FIELD_ENDPOINT, .title = "API address",
		  .help = "http://host:8081 or the https address of a proxy in front of it, without /api" },
		{ .name = "api_key", .flags = FIELD_SECRET | FIELD_REQUIRED, .title = "API key", .help = "api-key of pdns.conf" },
		{ .name = "server", .standard = "localhost", .title = "Server", .help = "server id of the API; localhost but for special proxies",
		  .max = 64 },
		{ 0 } },
	.open = open_,
	.close = close_,
	.publish = publish,
	.withdraw = withdraw,
	.zones = zones,
	.find_zone = find_zone,
};
